// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/options.c userspace/armvmm-run/options_file.c userspace/armvmm-run/control/address.c
// sources: userspace/armvmm-run/control/metrics_option.c userspace/armvmm-run/core/cpupart.c userspace/armvmm-run/gdb/gdb_address.c
// sources: userspace/armvmm-run/core/endpoint.c userspace/armvmm-run/incoming_address.c userspace/armvmm-run/boot/freebsd.c
// sources: userspace/armvmm-run/hw/bvm_console.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/message.c userspace/armvmm-run/core/parse.c userspace/armvmm-run/hw/pl011.c
// sources: userspace/armvmm-run/hw/pl031.c userspace/armvmm-run/hw/pl061.c userspace/armvmm-run/hw/flash.c userspace/armvmm-run/hw/cfi.c
// sources: userspace/armvmm-run/hw/fwcfg.c userspace/armvmm-run/core/filelock.c userspace/armvmm-run/net/net.c userspace/armvmm-run/net/net_slirp.c
// sources: userspace/armvmm-run/net/net_tap.c userspace/armvmm-run/net/net_stream.c userspace/armvmm-run/net/slirp_config.c
// sources: userspace/armvmm-run/core/process.c userspace/armvmm-run/core/userns.c userspace/armvmm-run/virtio/blk_request.c
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_file.c userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/virtio/virtio_blk.c userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/virtio_fs.c userspace/armvmm-run/virtio/virtio_console.c
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c
// sources: userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c userspace/armvmm-run/virtio/console_port.c
// sources: userspace/armvmm-run/virtio/console_control.c userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c
// sources: userspace/armvmm-run/core/chardev_backend.c userspace/armvmm-run/core/output.c userspace/armvmm-run/chardev/null.c
// sources: userspace/armvmm-run/chardev/file.c userspace/armvmm-run/chardev/channel.c userspace/armvmm-run/chardev/unix.c
// sources: userspace/armvmm-run/chardev/pty.c userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/virtio/virtio_rng.c
// sources: userspace/armvmm-run/virtio/virtio_balloon.c userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/virtio/virtio_vsock.c userspace/armvmm-run/net/vsock.c userspace/armvmm-run/net/vsock_conn.c
// sources: userspace/armvmm-run/net/vsock_input.c userspace/armvmm-run/net/vsock_output.c userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/vhost_kernel.c userspace/armvmm-run/net/vsock_dial.c userspace/armvmm-run/core/named_socket.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c userspace/armvmm-run/pci/msix.c
// sources: userspace/armvmm-run/pci/v2m.c userspace/armvmm-run/virtio/virtio_pci.c userspace/armvmm-run/pci/i6300esb.c
// sources: userspace/armvmm-run/pci/pvpanic.c userspace/armvmm-run/hw/ramoops.c userspace/armvmm-run/core/machine_type.c
// sources: userspace/armvmm-run/machines/virt.c userspace/armvmm-run/machines/vexpress.c userspace/armvmm-run/hw/sp804.c
// sources: userspace/armvmm-run/hw/vexpress_sysreg.c
// files: userspace/armvmm-run/armvmm-run.1
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0 slirp
// libs: -lfdt
//
// The command line with all devices that there are: what is accepted, the
// sentence for what is not, and the man page's account of it.
#include "../guest/lib/board.h"
#include "options.h"
#include "control/metrics_option.h"
#include "chardev/backend.h"
#include "core/machine_type.h"
#include "core/device_type.h"
#include "core/runstate.h"
#include "options_file.h"
#include "net/net.h"
#include "net/slirp_config.h"
#include "virtio/disk.h"
#include "armvmm-run/posted_fake.h"
#include "ktap.h"
#include "armvmm-run/machine_fake.h"

/* No device is made here. */
int machine_virtio_slot(struct machine *m)
{
	return -ENOSPC;
}

int machine_ioeventfd_add(struct machine *m, uint64_t gpa, unsigned int len, uint64_t value, int fd)
{
	return -ENOTSUP;
}

void machine_ioeventfd_del(struct machine *m, int fd)
{
}

int machine_rom_slot(struct machine *m)
{
	return -ENOSPC;
}

int machine_rom_set(struct machine *m, int slot, uint64_t gpa, uint64_t size, const void *host)
{
	return -ENOTSUP;
}

void machine_tell(struct machine *m, const struct machine_event *event)
{
}

void machine_listen(struct machine *m, struct machine_listener *listener)
{
}

void machine_unlisten(struct machine *m, struct machine_listener *listener)
{
}

void machine_hold(struct machine *m, enum machine_holder holder)
{
}

bool machine_is_held(const struct machine *m)
{
	return false;
}

void machine_press_power(struct machine *m)
{
}

void machine_request(struct machine *m, enum machine_request request, enum machine_cause cause,
		     const char *why)
{
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
}

void machine_note(struct machine *m, const char *fmt, ...)
{
}

static struct config config;
static struct error err;

/* Parses the words of @line, none of which contains a blank. */
static int parse(const char *line)
{
	static char buf[1024];
	char *argv[160] = { "armvmm-run" }, *save;
	int argc = 1, ret;

	snprintf(buf, sizeof(buf), "%s", line);
	for (char *word = strtok_r(buf, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	err.text[0] = '\0';
	options_free(&config);	/* of the line before */
	ret = options_parse(&config, argc, argv, &err);
	return ret;
}

static void refused(const char *line, const char *text)
{
	KTAP_TRUE(parse(line) < 0);
	KTAP_STREQ(err.text, text);
	options_free(&config);
}

static void test_restore(void)
{
	char many[(CONFIG_MAX_RESTORES + 1) * 12 + 1];

	KTAP_EQ(parse("--kernel z --restore a.snap"), OPTIONS_RUN);
	KTAP_EQ(config.nr_restores, 1);
	KTAP_STREQ(config.restore[0], "a.snap");
	/* What adds to it follows, in this order. */
	KTAP_EQ(parse("--restore a.snap --kernel z --restore b.snap --restore c.snap"), OPTIONS_RUN);
	KTAP_EQ(config.nr_restores, 3);
	KTAP_STREQ(config.restore[0], "a.snap");
	KTAP_STREQ(config.restore[2], "c.snap");
	options_free(&config);
	/* A reset starts it from its software. */
	KTAP_TRUE(parse("--restore a.snap") < 0);
	KTAP_STREQ(err.text, "--kernel FILE is missing (see --help)");
	refused("--kernel z --restore=", "--restore: names no file");
	KTAP_EQ(parse("--kernel z --restore a.snap"), OPTIONS_RUN);
	KTAP_TRUE(!config.lazy_restore);
	KTAP_EQ(parse("--kernel z --lazy-restore --restore a.snap"), OPTIONS_RUN);
	KTAP_TRUE(config.lazy_restore);
	refused("--kernel z --lazy-restore", "--lazy-restore: needs --restore FILE");
	refused("--kernel z --lazy-restore --incoming -", "--lazy-restore: needs --restore FILE");
	many[0] = '\0';
	for (unsigned int i = 0; i < CONFIG_MAX_RESTORES + 1; i++)
		strcat(many, " --restore s");
	refused(many + 1, "--restore: more than 64 files");
}

static void test_incoming(void)
{
	static const char *const good[] = { "-", "fd:3", "unix:/a", "tcp::1", "tcp:host:1" };
	static const char *const bad[] = { "", "fd:", "fd:2", "fd:3x", "fd:-3", "unix:", "tcp:1", "--" };
	char text[100];

	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "--kernel z --incoming %s", good[i]);
		KTAP_EQ(parse(text), OPTIONS_RUN);
		KTAP_STREQ(config.incoming, good[i]);
	}
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "--kernel z --incoming=%s", bad[i]);
		if (parse(text) != -EINVAL || !strstr(err.text, ": must be tcp:[HOST]:PORT"))
			KTAP_FAIL("'%s' is taken: %s", bad[i], err.text);
	}
	refused("--kernel z --incoming - --restore a", "--incoming: cannot be used with --restore");
	refused("--kernel z --incoming - --gdb tcp::1", "--incoming: cannot be used with --gdb");
}

static void test_defaults(void)
{
	KTAP_EQ(parse("--kernel z"), OPTIONS_RUN);
	KTAP_STREQ(config.kernel, "z");
	KTAP_EQ(config.nr_cpus, 1);
	KTAP_EQ(config.memory, 256 << 20);
	KTAP_EQ(config.grace, 30);
	KTAP_EQ(config.format, KERNEL_AUTO);
	KTAP_TRUE(!config.pmu);
	KTAP_EQ(config.nr_devices, 0);
	options_free(&config);
}

static void test_control(void)
{
	KTAP_EQ(parse("-k z"), OPTIONS_RUN);
	KTAP_TRUE(!config.control);
	KTAP_EQ(parse("-k z --control unix:/run/x"), OPTIONS_RUN);
	KTAP_STREQ(config.control, "unix:/run/x");
	refused("-k z --control /run/x", "--control /run/x: must be unix:PATH or name:NAME");
	refused("-k z --control unix:", "--control unix:: names no file");
}

static void test_sandbox(void)
{
	KTAP_EQ(parse("-k z"), OPTIONS_RUN);
	KTAP_TRUE(!config.sandbox_off && !config.user);
	KTAP_EQ(parse("-k z --sandbox off"), OPTIONS_RUN);
	KTAP_TRUE(config.sandbox_off);
	KTAP_EQ(parse("-k z --sandbox off --sandbox on --user nobody"), OPTIONS_RUN);
	KTAP_TRUE(!config.sandbox_off);
	KTAP_STREQ(config.user, "nobody");
	refused("-k z --sandbox none", "--sandbox none: must be on or off");
	refused("-k z --user nobody --sandbox off", "--user nobody: needs --sandbox on");
}

static void test_pmu(void)
{
	KTAP_EQ(parse("-k z --pmu on"), OPTIONS_RUN);
	KTAP_TRUE(config.pmu);
	KTAP_EQ(parse("-k z --pmu on --pmu off"), OPTIONS_RUN);
	KTAP_TRUE(!config.pmu);
	refused("-k z --pmu yes", "--pmu yes: must be on or off");
	refused("-k z --pmu", "--pmu: needs an argument");
}

static void test_programs(void)
{
	char name[] = "/tmp/test_options.XXXXXX", line[128], text[128];
	int fd = mkstemp(name);

	KTAP_EQ(parse("-k z --format raw --load-address 0x40200000 --entry 1075838980"), OPTIONS_RUN);
	KTAP_EQ(config.load_address, 0x40200000);
	KTAP_EQ(config.entry, 0x40200004);
	refused("-k z --load-address 0x40200000", "--load-address: is for --format raw alone");
	refused("-k z --entry 0x40200000", "--entry: is for --format raw alone");
	refused("-k z --format raw --entry x", "--entry x: is no address (0x40010000)");
	refused("-k z --format raw --entry 0x40020000x",
		"--entry 0x40020000x: is no address (0x40010000)");
	refused("-k z --format raw --load-address 0x3fffffff",
		/* literal: the message, word for word */
		"--load-address 0x3fffffff: must be 0x40000000 to 0xffffffff, where memory is");
	refused("-k z --format raw --load-address 0x100000000",
		"--load-address 0x100000000: must be an address of 32 bits");
	KTAP_EQ(parse("-k z -i a -i b --initrd c"), OPTIONS_RUN);
	KTAP_EQ(config.nr_initrds, 3);
	KTAP_STREQ(config.initrd[2], "c");
	refused("-k z -i 1 -i 2 -i 3 -i 4 -i 5 -i 6 -i 7 -i 8 -i 9",
		"--initrd 9: no more than 8 RAM disks");

	KTAP_EQ(write(fd, "root=/dev/vda\nquiet\n", 20), 20);
	snprintf(line, sizeof(line), "-k z --append @%s", name);
	KTAP_EQ(parse(line), OPTIONS_RUN);
	KTAP_STREQ(config.append, "root=/dev/vda quiet");
	KTAP_EQ(ftruncate(fd, 32), 0);
	snprintf(text, sizeof(text), "--append @%s: is no text", name);
	refused(line, text);
	KTAP_EQ(ftruncate(fd, 32769), 0);
	snprintf(text, sizeof(text), "--append @%s: is larger than 32768 bytes", name);
	refused(line, text);
	close(fd);
	unlink(name);
	snprintf(text, sizeof(text), "--append @%s: No such file or directory", name);
	refused(line, text);
	refused("-k z --append @/", "--append @/: Is a directory");
}

static void test_cpus(void)
{
	static const char *const bad[] = { "0", "9", "-1", "x", "1x", "0x2", "+2", "99999999999" };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[64], text[64];

		snprintf(line, sizeof(line), "--kernel z --cpus %s", bad[i]);
		snprintf(text, sizeof(text), "--cpus %s: must be 1 to 8", bad[i]);
		refused(line, text);
	}
	KTAP_EQ(parse("-k z -c 8"), OPTIONS_RUN);
	KTAP_EQ(config.nr_cpus, 8);
}

static void test_cpu_part(void)
{
	static const char *const bad[] = { "x", "a8", "0x", "0xg", "0x0", "c07", "0x100000", "A7", "0x-1" };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[64], text[120];

		snprintf(line, sizeof(line), "--kernel z --cpu-part %s", bad[i]);
		snprintf(text, sizeof(text),
			 "--cpu-part %s: must be a part's name, as a7 or a15, or its number, as 0xc0e",
			 bad[i]);
		refused(line, text);
	}
	KTAP_EQ(parse("-k z"), OPTIONS_RUN);
	KTAP_TRUE(!config.cpu_part);
	KTAP_EQ(parse("-k z --cpu-part a7"), OPTIONS_RUN);
	KTAP_STREQ(config.cpu_part, "a7");
	KTAP_EQ(parse("-k z --cpu-part 0xc0e"), OPTIONS_RUN);
}

static void test_memory(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "512", 512 << 20 }, { "512M", 512 << 20 }, { "1g", 1 << 30 },
		{ "3072M", 3072ull << 20 }, { "1M", 1 << 20 }, { "1028K", 1028 << 10 },
	};

	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "--kernel z --memory %s", good[i].text);
		KTAP_EQ(parse(line), OPTIONS_RUN);
		KTAP_EQ(config.memory, good[i].bytes);
	}
	refused("--kernel z --memory 0", "--memory 0: must be 1M to 3072M");
	refused("--kernel z --memory 3073M", "--memory 3073M: must be 1M to 3072M");
	refused("--kernel z --memory 4G", "--memory 4G: must be 1M to 3072M");
	refused("--kernel z --memory 18446744073709551616",
		"--memory 18446744073709551616: must be 1M to 3072M");
	refused("--kernel z --memory 17179869185G", "--memory 17179869185G: must be 1M to 3072M");
	refused("--kernel z --memory 1023K", "--memory 1023K: must be 1M to 3072M");
	refused("--kernel z --memory 1025K", "--memory 1025K: must be a multiple of 4K");
	refused("--kernel z --memory M",
		"--memory M: is no size (a number, with K, M or G behind it)");
	refused("--kernel z --memory -5M",
		"--memory -5M: is no size (a number, with K, M or G behind it)");
	refused("--kernel z --memory 1T",
		"--memory 1T: is no size (a number, with K, M or G behind it)");
}

/* The config of the @index-th device, which is of type @name. */
static const void *device(unsigned int index, const char *name)
{
	KTAP_STREQ(config.device[index].type->name, name);
	return config.device[index].config;
}

static void test_disk(void)
{
	const struct disk_config *disk[4];

	KTAP_EQ(parse("-k z -d a.img --disk b,c.img,ro --disk d,direct,ro -d e,rox"), OPTIONS_RUN);
	KTAP_EQ(config.nr_devices, 4);
	for (unsigned int i = 0; i < 4; i++)
		disk[i] = device(i, "virtio-blk");
	KTAP_STREQ(disk[0]->path, "a.img");
	KTAP_TRUE(!disk[0]->readonly && !disk[0]->direct);
	KTAP_STREQ(disk[1]->path, "b,c.img");
	KTAP_TRUE(disk[1]->readonly && !disk[1]->direct);
	KTAP_STREQ(disk[2]->path, "d");
	KTAP_TRUE(disk[2]->readonly && disk[2]->direct);
	KTAP_STREQ(disk[3]->path, "e,rox");
	options_free(&config);
	KTAP_EQ(parse("-k z -d a,serial=abc,format=raw"), OPTIONS_RUN);
	disk[0] = device(0, "virtio-blk");
	KTAP_STREQ(disk[0]->path, "a");
	KTAP_STREQ(disk[0]->serial, "abc");
	KTAP_TRUE(disk[0]->raw);
	options_free(&config);
	KTAP_EQ(parse("-k z -d a,iops=100,bps=2M -d b,throttling.bps-total=7,ro,throttling.iops-total=8"),
		OPTIONS_RUN);
	disk[0] = device(0, "virtio-blk");
	disk[1] = device(1, "virtio-blk");
	KTAP_STREQ(disk[0]->path, "a");
	KTAP_EQ(disk[0]->iops, 100);
	KTAP_EQ(disk[0]->bps, 2 << 20);
	KTAP_STREQ(disk[1]->path, "b");
	KTAP_EQ(disk[1]->bps, 7);
	KTAP_EQ(disk[1]->iops, 8);
	KTAP_TRUE(disk[1]->readonly);
	options_free(&config);
	refused("-k z -d a,iops=0",
		"--disk a,iops=0: iops=0: must be 1 to 100000000000 a second (K, M or G may follow)");
	refused("-k z -d a,serial=", "--disk a,serial=: a serial number has 1 to 20 characters");
	refused("-k z -d a,serial=123456789012345678901",
		"--disk a,serial=123456789012345678901: a serial number has 1 to 20 characters");
	refused("-k z -d ,ro", "--disk ,ro: names no file");
	refused("-k z -d 1 -d 2 -d 3 -d 4 -d 5 -d 6 -d 7 -d 8 -d 9 -d 10 -d 11 -d 12 -d 13 -d 14 "
		"-d 15 -d 16 -d 17 -d 18 -d 19 -d 20 -d 21 -d 22 -d 23 -d 24 -d 25 -d 26 -d 27 "
		"-d 28 -d 29 -d 30 -d 31 -d 32 -d 33", "--disk 33: no more than 32 virtio-blk");
}

static void test_net(void)
{
	const struct net_config *net[2];
	const struct slirp_config *user;
	static const uint8_t mac[] = { 0x52, 0x54, 0x00, 0xab, 0xCD, 0xef };

	KTAP_EQ(parse("-k z -n tap=tap0,mac=52:54:00:ab:CD:ef "
		      "-n user,hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.1:53-10.0.2.15:5353"),
		OPTIONS_RUN);
	KTAP_EQ(config.nr_devices, 2);
	for (unsigned int i = 0; i < 2; i++)
		net[i] = device(i, "virtio-net");
	KTAP_STREQ(net[0]->type->name, "tap");
	KTAP_STREQ(*(const char **)net[0]->backend, "tap0");
	KTAP_TRUE(net[0]->has_mac);
	KTAP_MEMEQ(net[0]->mac, mac, 6);
	KTAP_STREQ(net[1]->type->name, "user");
	user = net[1]->backend;
	KTAP_TRUE(!net[1]->has_mac);
	KTAP_EQ(user->nr_hostfwds, 2);
	KTAP_TRUE(!user->hostfwd[0].udp);
	KTAP_EQ(user->hostfwd[0].host_addr, 0x7f000001);
	KTAP_EQ(user->hostfwd[0].host_port, 2222);
	KTAP_EQ(user->hostfwd[0].guest_port, 22);
	KTAP_TRUE(user->hostfwd[1].udp);
	KTAP_EQ(user->hostfwd[1].host_addr, 0x7f000001);
	KTAP_EQ(user->hostfwd[1].guest_addr, 10 << 24 | 2 << 8 | 15);
	options_free(&config);

	KTAP_EQ(parse("-k z -n user,restrict=on,loopback=on,net=192.168.9.0/26,dns=9.9.9.9,ipv6=off,"
		      "hostfwd=tcp::1-:2,hostfwd=tcp:0.0.0.0:3-:4"), OPTIONS_RUN);
	net[0] = device(0, "virtio-net");
	user = net[0]->backend;
	KTAP_TRUE(user->restrict_ && user->loopback && user->no_ipv6 && !user->no_ipv4);
	KTAP_EQ(user->net, 0xc0a80900);
	KTAP_EQ(user->mask, 0xffffffc0);
	KTAP_EQ(user->dns, 0x09090909);
	KTAP_EQ(user->hostfwd[0].host_addr, 0x7f000001);
	KTAP_EQ(user->hostfwd[1].host_addr, 0);
	options_free(&config);
	KTAP_EQ(parse("-k z -n user,connections=100,bps=3M,pps=1000 -n tap=tap0,bps=5"), OPTIONS_RUN);
	net[0] = device(0, "virtio-net");
	net[1] = device(1, "virtio-net");
	user = net[0]->backend;
	KTAP_EQ(user->connections, 100);
	KTAP_EQ(net[0]->bps, 3 << 20);
	KTAP_EQ(net[0]->pps, 1000);
	KTAP_EQ(net[1]->bps, 5);
	options_free(&config);
	refused("-k z -n user,connections=15",
		"--net user,connections=15: connections=15: must be 16 to 4096");
	refused("-k z -n tap=t,connections=100",
		"--net tap=t,connections=100: unknown word \"connections=100\" (--device help lists those of tap)");
	refused("-k z -n user,bps=x",
		"--net user,bps=x: bps=x: must be 1 to 100000000000 a second (K, M or G may follow)");
	refused("-k z -n user,restrict=1", "--net user,restrict=1: restrict=1: must be on or off");
	refused("-k z -n user,ipv4=off,ipv6=off",
		"--net user,ipv4=off,ipv6=off: leaves neither IPv4 nor IPv6");
	refused("-k z -n user,net=10.0.2.1/24", "--net user,net=10.0.2.1/24: 10.0.2.1/24 is no network "
		"like 10.0.2.0/24 (8 to 27 bits)");
	refused("-k z -n user,net=10.0.2.0/28", "--net user,net=10.0.2.0/28: 10.0.2.0/28 is no network "
		"like 10.0.2.0/24 (8 to 27 bits)");
	refused("-k z -n user,dns=x", "--net user,dns=x: x is no address like 10.0.2.3");
	refused("-k z -n nat", "--net nat: must begin with \"user\", \"tap=NAME\" or \"stream\"");
	refused("-k z -n stream", "--net stream: needs addr.path=PATH");
	refused("-k z -n stream,addr.type=inet,addr.path=a",
		"--net stream,addr.type=inet,addr.path=a: addr.type must be unix");
	KTAP_EQ(parse("-k z -n stream,addr.type=unix,server=off,addr.path=/run/p,mac=52:54:00:ab:cd:ef"),
		OPTIONS_RUN);
	net[0] = device(0, "virtio-net");
	KTAP_STREQ(net[0]->type->name, "stream");
	KTAP_STREQ(*(const char **)net[0]->backend, "/run/p");
	refused("-k z -n tap=", "--net tap=: an interface name has 1 to 15 characters");
	refused("-k z -n tap=0123456789abcdef",
		"--net tap=0123456789abcdef: an interface name has 1 to 15 characters");
	refused("-k z -n user,mac=52:54:00:12:34",
		"--net user,mac=52:54:00:12:34: 52:54:00:12:34 is no card's address (like 52:54:00:12:34:56)");
	refused("-k z -n user,mac=53:54:00:12:34:56",
		"--net user,mac=53:54:00:12:34:56: 53:54:00:12:34:56 is no card's address (like 52:54:00:12:34:56)");
	refused("-k z -n user,mac=52:54:00:12:34:5g",
		"--net user,mac=52:54:00:12:34:5g: 52:54:00:12:34:5g is no card's address (like 52:54:00:12:34:56)");
	refused("-k z -n user,x", "--net user,x: unknown word \"x\" (--device help lists those of user)");
	refused("-k z -n tap=a,hostfwd=tcp::1-:2",
		"--net tap=a,hostfwd=tcp::1-:2: unknown word \"hostfwd=tcp::1-:2\" (--device help lists those of tap)");
	refused("-k z -n user,hostfwd=tcp::0-:22",
		"--net user,hostfwd=tcp::0-:22: hostfwd=tcp::0-:22 is not like hostfwd=tcp::2222-:22");
	refused("-k z -n user,hostfwd=tcp::65536-:22",
		"--net user,hostfwd=tcp::65536-:22: hostfwd=tcp::65536-:22 is not like hostfwd=tcp::2222-:22");
	refused("-k z -n user,hostfwd=tcp:1.2.3.4.5.6.7.8.9.10:1-:22",
		"--net user,hostfwd=tcp:1.2.3.4.5.6.7.8.9.10:1-:22: hostfwd=tcp:1.2.3.4.5.6.7.8.9.10:1-:22 is not like hostfwd=tcp::2222-:22");
}

/* Each virtio device may be on PCI, whatever the other words are. */
static void test_bus(void)
{
	const struct disk_config *disk;
	const struct net_config *net;
	const void *pci;

	KTAP_EQ(parse("-k z -d a,bus=pcie,ro -d a,b,bus=mmio -d a -n user,bus=pcie,restrict=on "
		      "--device virtio-rng,bus=pcie --console virtio,bus=pcie "
		      "--device virtio-balloon,stats=1,bus=pcie --vsock cid=3,unix:v,bus=pcie"),
		OPTIONS_RUN);
	disk = device(0, "virtio-blk");
	pci = disk->bus;
	KTAP_TRUE(pci && disk->readonly);
	KTAP_STREQ(disk->path, "a");
	disk = device(1, "virtio-blk");
	KTAP_TRUE(disk->bus && disk->bus != pci);
	KTAP_STREQ(disk->path, "a,b");
	disk = device(2, "virtio-blk");
	KTAP_TRUE(!disk->bus);
	net = device(3, "virtio-net");
	KTAP_TRUE(net->bus == pci);
	KTAP_TRUE(device(4, "virtio-rng") == pci);
	device(5, "virtio-console");
	options_free(&config);
	KTAP_EQ(parse("-k z --device virtio-console,bus=pcie --device pcie"), OPTIONS_RUN);
	options_free(&config);
	refused("-k z -d a,bus=isa", "--disk a,bus=isa: bus must be mmio or pcie");
	refused("-k z -n user,bus=", "--net user,bus=: bus must be mmio or pcie");
	refused("-k z --device virtio-rng,bus=pcie,x",
		"--device virtio-rng,bus=pcie,x: bus must be mmio or pcie");
	refused("-k z --console null,bus=isa", "--console null,bus=isa: bus must be mmio or pcie");
	KTAP_EQ(parse("-k z --watchdog i6300esb,action=pause"), OPTIONS_RUN);
	device(0, "i6300esb");
	options_free(&config);
	refused("-k z --watchdog ib700", "--watchdog ib700: must be i6300esb[,action=ACTION]");
	refused("-k z --device pcie,x", "--device pcie,x: takes no words");
	refused("-k z --device pcie --device pcie", "--device pcie: no more than 1 pcie");
}

/* What the serial port is joined to: the last one counts. */
static void test_serial(void)
{
	KTAP_EQ(parse("-k z --serial pty --serial file:/a:b,append --console unix:s,name=org.x.0 "
		      "--console pty,link=l --console virtio,name=y --device virtio-console"),
		OPTIONS_RUN);
	KTAP_STREQ(config.serial->path, "/a:b");
	options_free(&config);
	refused("-k z --serial pty:x", "--serial pty:x: pty has no path");
}

static void test_others(void)
{
	KTAP_EQ(parse("--kernel z --format raw --initrd i --append a=b --dtb d --console virtio "
		      "--rng --node /dev/kvm --no-reboot --grace 0 -v"), OPTIONS_RUN);
	KTAP_EQ(config.format, KERNEL_RAW);
	KTAP_STREQ(config.initrd[0], "i");
	KTAP_STREQ(config.append, "a=b");
	KTAP_STREQ(config.node, "/dev/kvm");
	KTAP_TRUE(config.no_reboot && config.verbose);
	KTAP_EQ(config.nr_devices, 2);
	device(0, "virtio-console");
	device(1, "virtio-rng");
	options_free(&config);
	KTAP_EQ(config.grace, 0);
	KTAP_EQ(parse("--help --cpus 0"), OPTIONS_HELP);
	KTAP_EQ(parse("--version"), OPTIONS_VERSION);
	KTAP_EQ(parse("--dump-dtb x"), OPTIONS_RUN);
}

/* The guest's identity: its name, the path of its first disk, that of its kernel. */
static void test_identity(void)
{
	KTAP_EQ(parse("-k /boot/z --name red -d /disk"), OPTIONS_RUN);
	KTAP_STREQ(config.identity, "name red");
	options_free(&config);
	KTAP_EQ(parse("-k /boot/z -d /a/../disk -d /other"), OPTIONS_RUN);
	KTAP_STREQ(config.identity, "/disk");
	options_free(&config);
	KTAP_EQ(parse("-k /boot/z"), OPTIONS_RUN);
	KTAP_STREQ(config.identity, "/boot/z");
	options_free(&config);
	refused("-k z --name=", "--name: is empty");
	KTAP_EQ(parse("-k z"), OPTIONS_RUN);
	KTAP_EQ(config.virtio, VIRTIO_AS_QEMU);
	KTAP_EQ(parse("-k z --virtio legacy"), OPTIONS_RUN);
	KTAP_EQ(config.virtio, VIRTIO_LEGACY);
	KTAP_EQ(parse("-k z --virtio modern"), OPTIONS_RUN);
	KTAP_EQ(config.virtio, VIRTIO_MODERN);
	refused("-k z --virtio 1", "--virtio 1: must be legacy or modern");
	KTAP_TRUE(!config.time_follow);
	KTAP_EQ(parse("-k z --time follow"), OPTIONS_RUN);
	KTAP_TRUE(config.time_follow);
	KTAP_EQ(parse("-k z --time follow --time stop"), OPTIONS_RUN);
	KTAP_TRUE(!config.time_follow);
	refused("-k z --time go", "--time go: must be stop or follow");
	refused("-k z --time", "--time: needs an argument");
}

static void test_metrics(void)
{
	struct metrics_option o;

	KTAP_TRUE(!config.metrics);
	KTAP_EQ(parse("-k z --metrics /run/x,interval=5"), OPTIONS_RUN);
	KTAP_STREQ(config.metrics, "/run/x,interval=5");
	KTAP_EQ(metrics_parse(&o, config.metrics, &err), 0);
	KTAP_STREQ(o.path, "/run/x");
	KTAP_EQ(o.interval, 5);
	KTAP_EQ(metrics_parse(&o, "a=b,c,interval=86400", &err), 0);
	KTAP_STREQ(o.path, "a=b,c");
	KTAP_EQ(o.interval, 86400);
	KTAP_EQ(metrics_parse(&o, "a,interval,=1,", &err), 0);
	KTAP_STREQ(o.path, "a,interval,=1,");
	KTAP_EQ(o.interval, 10);
	/* A key that is wrong is no part of the file's name. */
	refused("-k z --metrics a,intervals=1",
		"--metrics a,intervals=1: unknown word \"intervals\" (it is FILE[,interval=SECONDS])");
	refused("-k z --metrics a,b=1,interval=5",
		"--metrics a,b=1,interval=5: unknown word \"b\" (it is FILE[,interval=SECONDS])");
	refused("-k z --metrics a,interval=1,interval=5",
		"--metrics a,interval=1,interval=5: unknown word \"interval\" (it is FILE[,interval=SECONDS])");
	refused("-k z --metrics=", "--metrics : must be FILE[,interval=SECONDS]");
	refused("-k z --metrics ,interval=1", "--metrics ,interval=1: must be FILE[,interval=SECONDS]");
	refused("-k z --metrics a,interval=0",
		"--metrics a,interval=0: the interval must be 1 to 86400 seconds");
	refused("-k z --metrics a,interval=86401",
		"--metrics a,interval=86401: the interval must be 1 to 86400 seconds");
	refused("-k z --metrics a,interval=",
		"--metrics a,interval=: the interval must be 1 to 86400 seconds");
}

/* Firmware starts in any case; flash starts if there is nothing else to start. */
static void test_firmware(void)
{
	KTAP_EQ(parse("--firmware u-boot.bin"), OPTIONS_RUN);
	KTAP_TRUE(config.firmware);
	device(0, "firmware");
	options_free(&config);
	KTAP_EQ(parse("--kernel z --flash vars --firmware u-boot.bin"), OPTIONS_RUN);
	KTAP_TRUE(config.firmware);
	device(0, "cfi-flash");
	options_free(&config);
	KTAP_EQ(parse("--flash code,ro --flash vars"), OPTIONS_RUN);
	KTAP_TRUE(config.firmware);
	options_free(&config);
	KTAP_EQ(parse("--flash code --kernel z"), OPTIONS_RUN);
	KTAP_TRUE(!config.firmware);
	options_free(&config);
	refused("--firmware a --firmware b", "--firmware b: no more than 1 firmware");
	refused("--firmware=", "--firmware : names no file");
	refused("-k z --flash=", "--flash : names no file");
}

static void test_usage(void)
{
	refused("", "--kernel FILE is missing (see --help)");
	refused("--disk d", "--kernel FILE is missing (see --help)");
	refused("z", "z: is no option (see --help)");
	refused("--kernel", "--kernel: needs an argument");
	refused("--kernel z -c", "-c: needs an argument");
	refused("--nonsense", "--nonsense: unknown option");
	refused("-q", "-q: unknown option");
	refused("--rng=1", "--rng=1: takes no argument");
	refused("--format y -k z", "--format y: must be auto, zimage, image, elf or raw");
	refused("--grace 86401 -k z", "--grace 86401: must be 0 to 86400 seconds");
}

/* --device makes the same as the device's own option. */
static void test_device(void)
{
	const struct disk_config *disk;
	const struct net_config *net;

	KTAP_EQ(parse("-k z --device virtio-blk,a,b.img,ro --device virtio-net,tap=t "
		      "--device virtio-rng --device virtio-console"), OPTIONS_RUN);
	KTAP_EQ(config.nr_devices, 4);
	disk = device(0, "virtio-blk");
	KTAP_STREQ(disk->path, "a,b.img");
	KTAP_TRUE(disk->readonly);
	net = device(1, "virtio-net");
	KTAP_STREQ(net->type->name, "tap");
	device(2, "virtio-rng");
	device(3, "virtio-console");
	options_free(&config);
	KTAP_EQ(parse("--device help"), OPTIONS_DEVICES);
	options_free(&config);

	refused("-k z --device floppy", "--device floppy: is no device (--device help lists them)");
	refused("-k z --device /dev/kvm",
		"--device /dev/kvm: is no device; the hypervisor's node is --node PATH");
	refused("-k z --device pl011", "--device pl011: is part of every machine");
	refused("-k z --device virtio-rng,fast",
		"--device virtio-rng,fast: unknown word \"fast\"");
	refused("-k z --device virtio-blk", "--device virtio-blk: names no file");
	refused("-k z --device virtio-blk,,ro", "--device virtio-blk,,ro: names no file");
	refused("-k z --device virtio-net,user,x", "--device virtio-net,user,x: unknown word \"x\" "
		"(--device help lists those of user)");
	refused("-k z --rng --device virtio-rng",
		"--device virtio-rng: no more than 1 virtio-rng");
	refused("-k z --console null --console null --console null --console null --console null "
		"--console null --console null --console null --console null",
		"--console null: no more than 8 virtio-console");
}

extern const char man_page[], man_page_end[];
asm(".pushsection .rodata\n"
    ".globl man_page\nman_page: .incbin \"armvmm-run.1\"\n"
    ".globl man_page_end\nman_page_end: .byte 0\n"
    ".popsection");

/* Does the man page have the line @fmt? */
static bool man_has(const char *fmt, ...)
{
	char line[256] = "\n";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + 1, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	strcat(line, "\n");
	return memmem(man_page, man_page_end - man_page, line, strlen(line));
}

/* The name of a word, without its value: "mac" of "mac=ADDRESS". */
static void man_words(const char *of, const struct device_word *words)
{
	for (; words && words->word; words++) {
		size_t len = strcspn(words->word, "=");

		if (!man_has(words->word[len] ? ".It Cm %.*s=" : ".It Cm %.*s", (int)len,
			     words->word))
			KTAP_FAIL("the man page does not list the word %s of %s", words->word, of);
	}
}

static void test_man_page(void)
{
	const struct device_type *type = NULL;
	unsigned int listed = 0, there = 0;
	const char *section = strstr(man_page, "\n.Ss Devices\n"), *end;

	KTAP_ASSERT(section);
	while ((type = device_type_next(type))) {
		struct device_group group;

		there++;
		if (!man_has(".It Sy %s", type->name))
			KTAP_FAIL("the man page does not list %s", type->name);
		if (type->option && !strstr(section, type->option))
			KTAP_FAIL("the man page does not list --%s", type->option);
		man_words(type->name, type->words);
		for (unsigned int i = 0; type->group && type->group(i, &group); i++) {
			if (!strstr(section, group.args))
				KTAP_FAIL("the man page does not list %s", group.args);
			man_words(group.args, group.words);
		}
	}
	/* It does not list types that do not exist. */
	end = strstr(section + 1, "\n.Ss ");
	while ((section = strstr(section, "\n.It Sy ")) && section < end) {
		listed++;
		section++;
	}
	KTAP_EQ(listed, there);
}

static void test_machine(void)
{
	KTAP_EQ(parse("-k z"), OPTIONS_RUN);
	KTAP_STREQ(config.machine->name, "virt");
	KTAP_EQ(config.ram_base, RAM_BASE);
	KTAP_EQ(parse("-k z --machine vexpress-a15 -m 2048 -c 4"), OPTIONS_RUN);
	KTAP_STREQ(config.machine->name, "vexpress-a15");
	KTAP_EQ(config.ram_base, 0x80000000);
	KTAP_EQ(parse("-k z --machine fvp-ve,ram=0xc0000000 -m 1G"), OPTIONS_RUN);
	KTAP_EQ(config.ram_base, 0xc0000000);
	/* The last one counts, and all of it. */
	KTAP_EQ(parse("-k z --machine fvp-ve,ram=0xc0000000 --machine fvp-ve"), OPTIONS_RUN);
	KTAP_EQ(config.ram_base, 0x80000000);
	KTAP_EQ(parse("-k z --format raw --load-address 0x80020000 --machine vexpress-a15"), OPTIONS_RUN);
	refused("-k z --machine no", "--machine no: is no machine (--machine help lists them)");
	refused("-k z --machine a-name-that-is-far-too-long",
		"--machine a-name-that-is-far-too-long: is no machine (--machine help lists them)");
	refused("-k z --machine virt,x", "--machine virt,x: takes nothing but ram=ADDRESS");
	refused("-k z --machine virt,ram=", "--machine virt,ram=: takes nothing but ram=ADDRESS");
	refused("-k z --machine fvp-ve,ram=1",
		"--machine fvp-ve,ram=1: its memory cannot begin there (--machine help tells where)");
	refused("-k z --machine fvp-ve,ram=0xc0000000x",
		"--machine fvp-ve,ram=0xc0000000x: its memory cannot begin there (--machine help tells where)");
	refused("-k z --machine vexpress-a15 -m 2049",
		"--memory: the machine vexpress-a15 has 2048M at most");
	refused("-k z -m 1025 --machine fvp-ve,ram=0xc0000000",
		"--memory: the machine fvp-ve has 1024M at most");
	refused("-k z -c 5 --machine vexpress-a15",
		"--cpus 5: the machine vexpress-a15 has 4 at most");
	refused("-k z --format raw --entry 0x7fffffff --machine vexpress-a15",
		"--entry 0x7fffffff: must be 0x80000000 to 0xffffffff, where memory is");
}

/* --machine help prints what was registered, the default first; the man page has all of them. */
static void test_machine_help(void)
{
	const struct machine_type *type = NULL;
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	KTAP_EQ(parse("--machine help"), OPTIONS_MACHINES);
	options_print_machines(file);
	fclose(file);
	KTAP_EQ(strncmp(text, "  virt ", 7), 0);
	while ((type = machine_type_next(type))) {
		if (!strstr(text, type->name) || !strstr(text, type->summary))
			KTAP_FAIL("--machine help does not tell of %s", type->name);
		if (!man_has(".It Cm %s", type->name))
			KTAP_FAIL("the man page does not list %s", type->name);
	}
	free(text);
}

/* --device help prints what was registered. */
static void test_device_help(void)
{
	const struct device_type *type = NULL;
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	options_print_devices(file);
	fclose(file);
	while ((type = device_type_next(type)))
		if (!strstr(text, type->name) || !strstr(text, type->summary))
			KTAP_FAIL("--device help does not tell of %s", type->name);
	KTAP_TRUE(strstr(text, "\n  virtio-blk                disk, 32 at most; --disk FILE|nbd:...\n    ,ro "));
	KTAP_TRUE(strstr(text, "\n   tap=NAME "));
	free(text);
}

static void test_freebsd(void)
{

	KTAP_EQ(parse("-k z"), OPTIONS_RUN);
	KTAP_TRUE(!config.freebsd);
	KTAP_EQ(parse("-k z --freebsd"), OPTIONS_RUN);
	KTAP_TRUE(config.freebsd && !config.freebsd_vars);
	KTAP_EQ(parse("-k z --freebsd=boot_verbose=YES,hint.uart.0.at=x=y"), OPTIONS_RUN);
	KTAP_STREQ(config.freebsd_vars, "boot_verbose=YES,hint.uart.0.at=x=y");
	refused("-k z --freebsd=a=1,b", "--freebsd=a=1,b: \"b\" is no NAME=VALUE");
	refused("-k z --freebsd==1", "--freebsd==1: \"=1\" is no NAME=VALUE");
	refused("-k z --freebsd=a=1,", "--freebsd=a=1,: \"\" is no NAME=VALUE");
	refused("-k z --freebsd --firmware f", "--freebsd: firmware starts the kernel by itself");

	KTAP_EQ(parse("-k z --device bvm-console"), OPTIONS_RUN);
	KTAP_EQ(parse("-k z --device bvm-console@0x10000000"), OPTIONS_RUN);
	refused("-k z --device bvm-console@", "--device bvm-console@: takes nothing but @ADDRESS");
	refused("-k z --device bvm-console@x", "--device bvm-console@x: takes nothing but @ADDRESS");
	refused("-k z --device bvm-console@-4", "--device bvm-console@-4: takes nothing but @ADDRESS");
	refused("-k z --device bvm-console,a=1", "--device bvm-console,a=1: takes nothing but @ADDRESS");
	KTAP_TRUE(parse("-k z --device bvm-console@0x10000002") < 0);
	KTAP_TRUE(strstr(err.text, "@0x10000002: the address must be a multiple of 4 below 0x"));
	KTAP_TRUE(parse("-k z --device bvm-console@0x100000000") < 0);
	KTAP_TRUE(strstr(err.text, ": the address must be a multiple of 4 below 0x"));
	refused("-k z --device virtio-rng@4", "--device virtio-rng@4: unknown word \"@4\"");
}

/* ---- Options in a file ---- */

static char config_name[] = "/tmp/test_options.XXXXXX";

/* A file with @text, and the line that names it and then has @more. */
static const char *config_line(const char *text, const char *more)
{
	static char line[256];
	FILE *file = fopen(config_name, "w");

	fputs(text, file);
	fclose(file);
	snprintf(line, sizeof(line), "--config %s %s", config_name, more);
	return line;
}

static void test_config(void)
{
	close(mkstemp(config_name));
	KTAP_EQ(parse(config_line("# a guest\n[guest]\nkernel=/boot/z\nappend=console=ttyAMA0  x=\"1;2\" \n"
				  "cpus=4\nmemory=64M\nno-reboot=true\nverbose=false\nrng=true\n"
				  "disk=a\\;b.img;c.img,ro\nnet=user;\ninitrd=i1;i2;\n", "")),
		OPTIONS_RUN);
	KTAP_STREQ(config.kernel, "/boot/z");
	KTAP_STREQ(config.append, "console=ttyAMA0  x=\"1;2\" ");
	KTAP_EQ(config.nr_cpus, 4);
	KTAP_EQ(config.memory, 64 << 20);
	KTAP_TRUE(config.no_reboot);
	KTAP_TRUE(!config.verbose);
	KTAP_EQ(config.nr_initrds, 2);
	KTAP_STREQ(config.initrd[1], "i2");
	KTAP_EQ(config.nr_devices, 4);
	KTAP_STREQ(config.disk, "a;b.img");

	/* What follows replaces it, or is added. */
	KTAP_EQ(parse(config_line("[guest]\nkernel=z\ncpus=4\ndisk=a\n", "-c 2 -d b")), OPTIONS_RUN);
	KTAP_EQ(config.nr_cpus, 2);
	KTAP_EQ(config.nr_devices, 2);
	KTAP_STREQ(config.disk, "a");
	unlink(config_name);
}

/* Refused with the file's name before @text, and nothing is left of it. */
static void config_refused(const char *file, const char *text)
{
	char want[512];

	snprintf(want, sizeof(want), "%s: %s", config_name, text);
	refused(config_line(file, ""), want);
}

static void test_config_wrong(void)
{
	refused("--config /nowhere/x", "--config /nowhere/x: No such file or directory");
	refused("--config /", "--config /: Is a directory");
	refused("--config", "--config: needs an argument");
	refused("--config /dev/zero", "--config /dev/zero: is larger than 1048576 bytes");
	config_refused("", "has no group [guest]");
	config_refused("[guest]\nkernel=z\n[more]\n", "[more]: is no group (there is [guest])");
	config_refused("kernel=z\n", "Key file does not start with a group");
	config_refused("[guest]\nkernel\n",
		       "Key file contains line \xe2\x80\x9ckernel\xe2\x80\x9d which is not a key-value pair, group, or comment");
	config_refused("[guest]\nkernels=z\n", "kernels: unknown option");
	config_refused("[guest]\nk=z\n", "k: unknown option");
	config_refused("[guest]\nconfig=z\n", "config: is for the command line alone");
	config_refused("[guest]\nhelp=true\n", "help: is for the command line alone");
	config_refused("[guest]\ndump-dtb=x\n", "dump-dtb: is for the command line alone");
	config_refused("[guest]\ncpus=9\n", "--cpus 9: must be 1 to 8");
	config_refused("[guest]\ncpus=\n", "--cpus : must be 1 to 8");
	config_refused("[guest]\nkernel=z\ndisk=a\n disk = b\n",
		       "disk is there twice (several are one list: A;B)");
	config_refused("[guest]\nrng=maybe\n",
		       "Key file contains key \xe2\x80\x9crng\xe2\x80\x9d which has a value that cannot be interpreted.");
	config_refused("[guest]\nkernel=a\\q\n",
		       "Key file contains key \xe2\x80\x9ckernel\xe2\x80\x9d which has a value that cannot be interpreted.");
	config_refused("[guest]\ndevice=floppy\n",
		       "--device floppy: is no device (--device help lists them)");
	refused(config_line("[guest]\ncpus=1\n", ""), "--kernel FILE is missing (see --help)");
	unlink(config_name);
}

/* What was written is read as the same, and written again as the same. */
static void test_dump_config(void)
{
	static const char line[] =
		"-k /boot/z --append root=/dev/vda;\\ -c 2 -c 3 -m 1G -d a;b.img,ro -d c --net user,hostfwd=tcp::1-:2 "
		"--rng --device virtio-balloon,stats=3 -i one -i two --no-reboot -v --virtio legacy --time follow "
		"--freebsd --control unix:/x --grace 5 --name web --pmu off --dump-config -";
	char *text[2];
	gsize len;

	KTAP_EQ(parse(line), OPTIONS_RUN);
	KTAP_STREQ(config.dump_config, "-");
	KTAP_EQ(options_write_config(&config, config_name, &err), 0);
	g_file_get_contents(config_name, &text[0], &len, NULL);
	KTAP_TRUE(strstr(text[0], "\ncpus=3\n"));
	KTAP_TRUE(strstr(text[0], "\ndisk=a\\;b.img,ro;c;\n"));
	KTAP_TRUE(strstr(text[0], "\ndevice=virtio-balloon,stats=3;\n"));
	KTAP_TRUE(strstr(text[0], "\ninitrd=one;two;\n"));
	KTAP_TRUE(strstr(text[0], "\nrng=true\n"));
	KTAP_TRUE(strstr(text[0], "\nfreebsd=\n"));
	KTAP_TRUE(!strstr(text[0], "dump-config="));

	KTAP_EQ(parse(config_line(text[0], "")), OPTIONS_RUN);
	KTAP_STREQ(config.append, "root=/dev/vda;\\");
	KTAP_EQ(config.nr_devices, 5);
	KTAP_EQ(config.nr_initrds, 2);
	KTAP_EQ(config.grace, 5);
	KTAP_EQ(config.virtio, VIRTIO_LEGACY);
	KTAP_TRUE(config.verbose && config.no_reboot && config.time_follow);
	KTAP_EQ(options_write_config(&config, config_name, &err), 0);
	g_file_get_contents(config_name, &text[1], &len, NULL);
	KTAP_STREQ(text[1], text[0]);
	g_free(text[0]);
	g_free(text[1]);
	unlink(config_name);

	/* Nothing was given, and a file cannot be written. */
	KTAP_EQ(parse("--dump-config x"), OPTIONS_RUN);
	KTAP_EQ(options_write_config(&config, "/nowhere/x", &err), -ENOENT);
	KTAP_STREQ(err.text, "--dump-config /nowhere/x: No such file or directory");
	if (!access("/dev/full", W_OK)) {
		KTAP_EQ(options_write_config(&config, "/dev/full", &err), -ENOSPC);
		KTAP_STREQ(err.text, "--dump-config /dev/full: No space left on device");
	}
	options_free(&config);
}

KTAP_MAIN(KTAP_CASE(test_defaults), KTAP_CASE(test_restore), KTAP_CASE(test_incoming),
	  KTAP_CASE(test_sandbox),
	  KTAP_CASE(test_control), KTAP_CASE(test_pmu),
	  KTAP_CASE(test_programs), KTAP_CASE(test_cpus), KTAP_CASE(test_cpu_part),
	  KTAP_CASE(test_memory), KTAP_CASE(test_disk), KTAP_CASE(test_net),
	  KTAP_CASE(test_device),
	  KTAP_CASE(test_metrics),
	  KTAP_CASE(test_firmware), KTAP_CASE(test_man_page), KTAP_CASE(test_device_help),
	  KTAP_CASE(test_machine), KTAP_CASE(test_machine_help),
	  KTAP_CASE(test_others), KTAP_CASE(test_bus), KTAP_CASE(test_serial),
	  KTAP_CASE(test_identity), KTAP_CASE(test_usage), KTAP_CASE(test_freebsd),
	  KTAP_CASE(test_config), KTAP_CASE(test_config_wrong), KTAP_CASE(test_dump_config))
