// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/options.c userspace/armvmm-run/options_file.c
// sources: userspace/armvmm-run/core/cpupart.c
// sources: userspace/armvmm-run/control/address.c userspace/armvmm-run/control/metrics_option.c userspace/armvmm-run/gdb/gdb_address.c
// sources: userspace/armvmm-run/core/endpoint.c userspace/armvmm-run/incoming_address.c
// sources: userspace/armvmm-run/boot/freebsd.c userspace/armvmm-run/hw/bvm_console.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/message.c
// sources: userspace/armvmm-run/core/parse.c userspace/armvmm-run/hw/pl011.c
// sources: userspace/armvmm-run/hw/pl031.c userspace/armvmm-run/hw/pl061.c
// sources: userspace/armvmm-run/hw/flash.c userspace/armvmm-run/hw/cfi.c userspace/armvmm-run/hw/fwcfg.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/net/net.c userspace/armvmm-run/net/net_slirp.c
// sources: userspace/armvmm-run/net/net_tap.c userspace/armvmm-run/net/net_stream.c
// sources: userspace/armvmm-run/net/slirp_config.c
// sources: userspace/armvmm-run/core/process.c userspace/armvmm-run/core/userns.c
// sources: userspace/armvmm-run/virtio/blk_request.c userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/virtio/disk_format.c userspace/armvmm-run/virtio/virtio_blk.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/virtio_fs.c
// sources: userspace/armvmm-run/virtio/virtio_console.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/console_port.c userspace/armvmm-run/virtio/console_control.c
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/chardev/null.c userspace/armvmm-run/chardev/file.c userspace/armvmm-run/chardev/channel.c
// sources: userspace/armvmm-run/chardev/unix.c userspace/armvmm-run/chardev/pty.c userspace/armvmm-run/core/output.c
// sources: userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/virtio/virtio_rng.c
// sources: userspace/armvmm-run/virtio/virtio_balloon.c userspace/armvmm-run/virtio/virtio_vsock.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/net/vsock.c userspace/armvmm-run/net/vsock_dial.c
// sources: userspace/armvmm-run/net/vsock_conn.c userspace/armvmm-run/net/vsock_input.c userspace/armvmm-run/net/vsock_output.c
// sources: userspace/armvmm-run/core/named_socket.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/core/thread.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c userspace/armvmm-run/machines/vexpress.c
// sources: userspace/armvmm-run/hw/ramoops.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
/*
 * Options in a file: they are accepted, or refused in words. What was accepted is written as a file
 * that is accepted again, and written again as the same.
 */
#include <sys/mman.h>

#include "options_file.h"
#include "options_fuzz.h"

/* Puts @text into a file that has only a number, and its name into @name. */
static int config_file(const void *text, size_t len, char *name)
{
	int fd = memfd_create("config", MFD_CLOEXEC);

	FUZZ_MUST(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	sprintf(name, "/proc/self/fd/%d", fd);
	return fd;
}

static int config_parse(struct config *config, char *name)
{
	char *argv[] = { (char *)"armvmm-run", (char *)"--config", name, NULL };
	struct error err = { "" };
	int ret = options_parse(config, 3, argv, &err);

	FUZZ_MUST(ret == OPTIONS_RUN || (ret < 0 && err.text[0]));
	if (ret == OPTIONS_RUN)
		options_fuzz_check(config);
	return ret;
}

/* Writes the options, which g_free() frees. */
static char *config_dump(struct config *config)
{
	char name[64], *text;
	int fd = config_file("", 0, name);
	gsize len;

	FUZZ_MUST(!options_write_config(config, name, &(struct error){ "" }));
	FUZZ_MUST(g_file_get_contents(name, &text, &len, NULL));
	close(fd);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[4096], name[64], *once, *twice;
	struct config config;
	int fd;

	if (len >= sizeof(text))
		return 0;
	memcpy(text, data, len);
	/* @FILE would read a file of this machine; some never end. */
	for (size_t i = 0; i < len; i++)
		if (text[i] == '@')
			text[i] = 'a';
	fd = config_file(text, len, name);
	if (config_parse(&config, name) == OPTIONS_RUN) {
		once = config_dump(&config);
		options_free(&config);
		close(fd);
		fd = config_file(once, strlen(once), name);
		FUZZ_MUST(config_parse(&config, name) == OPTIONS_RUN);
		twice = config_dump(&config);
		FUZZ_MUST(!strcmp(once, twice));
		g_free(once);
		g_free(twice);
	}
	options_free(&config);
	close(fd);
	return 0;
}
