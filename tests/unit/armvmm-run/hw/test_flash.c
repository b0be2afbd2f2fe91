// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/flash.c userspace/armvmm-run/hw/cfi.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// files: tests/unit/armvmm-run/machine_fake.h tests/unit/armvmm-run/device_make.h
// files: tests/unit/armvmm-run/scratch.h
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0
// libs: -lfdt
//
// Flash: commands as U-Boot, EDK2 and Linux give them, what the file has afterwards, and a guest
// that gives any command with any data anywhere.
#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fdt_builder.h"
#include "hw/cfi.h"
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/scratch.h"
#include "armvmm-run/state_move.h"

#define VARS	CFI_SIZE	/* the second bank's address */
#define MIB	(1u << 20)

static struct machine m;
static struct error err;
static unsigned int warnings;

/* The memory that the guest can read. */
static struct {
	uint64_t gpa, size;
	const uint8_t *host;
	unsigned int changes;
} rom[4];
static int rom_error;
static unsigned int nr_roms;

int machine_rom_slot(struct machine *machine)
{
	return nr_roms < 4 ? (int)nr_roms++ : -ENOSPC;
}

int machine_rom_set(struct machine *machine, int slot, uint64_t gpa, uint64_t size,
		    const void *host)
{
	if (rom_error)
		return rom_error;
	/* As in the hypervisor: only mapped memory can be unmapped. */
	KTAP_TRUE(!size != !rom[slot].size);
	rom[slot].gpa = gpa;
	rom[slot].size = size;
	rom[slot].host = host;
	rom[slot].changes++;
	return 0;
}

void machine_warn(struct machine *machine, const char *fmt, ...)
{
	warnings++;
}

static uint32_t in_file(const char *name, off_t at)
{
	uint32_t value = 0xdeadbeef;
	int fd = open(path(name), O_RDONLY);

	KTAP_EQ(pread(fd, &value, 4, at), 4);
	close(fd);
	return value;
}

static void setup(void)
{
	fake_machine_init(&m);
	memset(rom, 0, sizeof(rom));
	nr_roms = warnings = 0;
	rom_error = 0;
	err.text[0] = '\0';
}

/* A file of firmware, which is not written, and one of variables. */
static void start(void)
{
	setup();
	write_file("code", "firmware", 8, 100000);
	write_file("vars", "", 0, CFI_SIZE);
	KTAP_EQ(device_make(&m, "firmware", path("code"), &err), 0);
	KTAP_TRUE(m.firmware && m.flash);
	KTAP_EQ(device_make(&m, "cfi-flash", path("vars"), &err), 0);
}

static void command(uint64_t at, uint32_t cmd)
{
	fake_write(&m, at, cmd << 16 | cmd);
}

static void erase(uint64_t at)
{
	command(at, 0x20);
	command(at, 0xd0);
}

/* As Linux and U-Boot do it: command, count, data, confirm. */
static void program(uint64_t at, const uint32_t *words, unsigned int nr)
{
	command(at, 0xe8);
	command(at, nr - 1);
	for (unsigned int i = 0; i < nr; i++)
		fake_write(&m, at + 4 * i, words[i]);
	command(at, 0xd0);
}

static void test_shown(void)
{
	start();
	KTAP_EQ(rom[0].size, CFI_SIZE);
	KTAP_EQ(rom[0].gpa, 0);
	KTAP_EQ(rom[1].gpa, VARS);
	KTAP_MEMEQ(rom[0].host, "firmware\0", 9);
	KTAP_EQ(rom[0].host[CFI_SIZE - 1], 0);
	KTAP_EQ(fake_read(&m, 0), 0x6d726966);
	KTAP_EQ(fake_read(&m, 99999), 0);

	/* Commands that leave the array readable leave the memory mapped. */
	command(VARS, 0xff);
	command(VARS, 0xf0);
	command(VARS, 0x50);
	KTAP_EQ(rom[1].changes, 1);
	/* Any other command unmaps it, only for that bank, until the array is readable again. */
	command(VARS, 0x70);
	KTAP_EQ(rom[1].size, 0);
	KTAP_EQ(rom[0].size, CFI_SIZE);
	command(VARS, 0x90);
	KTAP_EQ(rom[1].changes, 2);
	command(VARS, 0xff);
	KTAP_EQ(rom[1].size, CFI_SIZE);
	KTAP_EQ(rom[1].changes, 3);

	/* A reset in the middle of a command, after which the VM has nothing mapped. */
	command(VARS, 0xe8);
	device_bus_reset(&m.bus);
	memset(rom, 0, sizeof(rom));
	KTAP_EQ(device_bus_begin(&m.bus, &err), 0);
	KTAP_EQ(rom[1].size, CFI_SIZE);
	KTAP_EQ(fake_read(&m, VARS), 0);
	device_bus_destroy(&m.bus);
	KTAP_EQ(rom[0].size + rom[1].size, 0);

	/* A hypervisor that does not support such memory. */
	setup();
	write_file("vars", "", 0, CFI_SIZE);
	rom_error = -EINVAL;
	KTAP_EQ(device_make(&m, "cfi-flash", path("vars"), &err), (unsigned long long)-EINVAL);
	KTAP_STREQ(err.text, "flash at 0x0: the hypervisor refuses it: Invalid argument");
	device_bus_destroy(&m.bus);

	/* A hypervisor that fails to unmap it: that is reported, and tried again. */
	start();
	rom_error = -ENOMEM;
	fake_write(&m, VARS, 0x70);
	KTAP_EQ(warnings, 1);
	KTAP_EQ(rom[1].size, CFI_SIZE);
	rom_error = 0;
	fake_write(&m, VARS, 0x70);
	KTAP_EQ(rom[1].size, 0);
	/* One that fails to map it again: reads are exits, which is slow and right. */
	rom_error = -ENOMEM;
	fake_write(&m, VARS, 0xff);
	KTAP_EQ(warnings, 1);
	KTAP_EQ(rom[1].size, 0);
	rom_error = 0;
	device_bus_destroy(&m.bus);
}

/* As U-Boot and Linux look for it, in each width, and how they understand it. */
static void test_query(void)
{
	uint32_t query[0x40];

	start();
	fake_write(&m, VARS + 0x55 * 4, 0x00980098);
	KTAP_EQ(rom[1].size, 0);
	for (unsigned int i = 0; i < 0x40; i++) {
		uint32_t word = fake_read(&m, VARS + 4 * i);

		KTAP_EQ(word >> 16, word & 0xffff);
		query[i] = word & 0xffff;
	}
	KTAP_EQ(query[0x10] == 'Q' && query[0x11] == 'R' && query[0x12] == 'Y', 1);
	KTAP_EQ(query[0x13] | query[0x14] << 8, 1);
	KTAP_EQ(query[0x15] | query[0x16] << 8, 0x31);
	KTAP_EQ(query[0x31] == 'P' && query[0x32] == 'R' && query[0x33] == 'I', 1);
	/* Two chips, their blocks, make up the bank. */
	KTAP_EQ(2ull << query[0x27], CFI_SIZE);
	KTAP_EQ(query[0x2c], 1);
	KTAP_EQ(2ull * ((query[0x2d] | query[0x2e] << 8) + 1) * 256 *
			(query[0x2f] | query[0x30] << 8), CFI_SIZE);
	KTAP_EQ(2u << (query[0x2a] | query[0x2b] << 8), CFI_BUFFER);
	KTAP_EQ(query[0x36] | query[0x37] | query[0x38] | query[0x39], 0);

	/* In bytes and half words: a high byte of a chip is 0. */
	uint16_t half = 0;
	uint8_t byte = 1;

	device_bus_access(&m.bus, VARS + 0x42, &half, 2, 0);
	KTAP_EQ(half, 'Q');
	device_bus_access(&m.bus, VARS + 0x41, &byte, 1, 0);
	KTAP_EQ(byte, 0);
	fake_write(&m, VARS, 0x00900090);
	KTAP_EQ(fake_read(&m, VARS), 0x00890089);
	KTAP_EQ(fake_read(&m, VARS + 4), 0x00180018);
	KTAP_EQ(fake_read(&m, VARS + 8), 0);
	KTAP_EQ(fake_read(&m, VARS + CFI_BLOCK), 0x00890089);
	command(VARS, 0xff);
	device_bus_destroy(&m.bus);
}

static void test_program(void)
{
	static uint32_t words[CFI_BUFFER / 4];

	start();
	for (unsigned int i = 0; i < CFI_BUFFER / 4; i++)
		words[i] = i * 2654435761u;
	erase(VARS + CFI_BLOCK + 1234);
	KTAP_EQ(fake_read(&m, VARS), 0x00800080);
	command(VARS, 0xff);
	KTAP_EQ(fake_read(&m, VARS + CFI_BLOCK - 4), 0);
	KTAP_EQ(fake_read(&m, VARS + CFI_BLOCK), 0xffffffff);
	KTAP_EQ(fake_read(&m, VARS + 2 * CFI_BLOCK - 4), 0xffffffff);
	KTAP_EQ(fake_read(&m, VARS + 2 * CFI_BLOCK), 0);
	KTAP_EQ(in_file("vars", 2 * CFI_BLOCK - 4), 0xffffffff);

	/* A whole buffer, and one word of the next one. */
	program(VARS + CFI_BLOCK, words, CFI_BUFFER / 4);
	KTAP_EQ(fake_read(&m, VARS + 0x100), 0x00800080);
	program(VARS + CFI_BLOCK + CFI_BUFFER, words + 7, 1);
	command(VARS, 0xff);
	for (unsigned int i = 0; i < CFI_BUFFER / 4; i++)
		KTAP_EQ(fake_read(&m, VARS + CFI_BLOCK + 4 * i), words[i]);
	KTAP_EQ(fake_read(&m, VARS + CFI_BLOCK + CFI_BUFFER), words[7]);
	KTAP_EQ(fake_read(&m, VARS + CFI_BLOCK + CFI_BUFFER + 4), 0xffffffff);
	/* The file has the data, and so has the memory that the guest reads. */
	KTAP_EQ(in_file("vars", CFI_BLOCK + 20), words[5]);
	KTAP_MEMEQ(rom[1].host + CFI_BLOCK, words, CFI_BUFFER);

	/* One word at a time; bits can only go to 0. */
	command(VARS + CFI_BLOCK + CFI_BUFFER + 8, 0x40);
	fake_write(&m, VARS + CFI_BLOCK + CFI_BUFFER + 8, 0x12345678);
	command(VARS + CFI_BLOCK + CFI_BUFFER + 8, 0x10);
	fake_write(&m, VARS + CFI_BLOCK + CFI_BUFFER + 8, 0xffff0fff);
	KTAP_EQ(fake_read(&m, VARS), 0x00800080);
	command(VARS, 0xff);
	KTAP_EQ(fake_read(&m, VARS + CFI_BLOCK + CFI_BUFFER + 8), 0x12340678);
	device_bus_destroy(&m.bus);

	/* The next start finds the data. */
	setup();
	KTAP_EQ(device_make(&m, "cfi-flash", path("code"), &err), (unsigned long long)-EINVAL);
	device_bus_destroy(&m.bus);
	setup();
	KTAP_EQ(device_make(&m, "cfi-flash", path("vars"), &err), 0);
	KTAP_TRUE(m.flash && !m.firmware);
	KTAP_EQ(fake_read(&m, CFI_BLOCK + 20), words[5]);
	/* The second bank, without a file, exists too, and works. */
	erase(VARS);
	command(VARS, 0xff);
	KTAP_EQ(fake_read(&m, VARS), 0xffffffff);
	device_bus_destroy(&m.bus);
}

static void test_refused_commands(void)
{
	static const uint32_t words[4] = { 0x11111111, 0x22222222, 0x33333333, 0x44444444 };

	start();
	/* Read-only flash keeps its contents, and reports an error. */
	erase(0);
	KTAP_EQ(fake_read(&m, 0), 0x00a200a2);
	command(0, 0x50);
	program(0, words, 4);
	command(0, 0x70);
	KTAP_EQ(fake_read(&m, 0), 0x00920092);
	command(0, 0x50);
	KTAP_EQ(fake_read(&m, 0), 0x6d726966);

	/* An erase that is not confirmed; what follows is a command again. */
	command(VARS, 0x20);
	command(VARS, 0x70);
	KTAP_EQ(fake_read(&m, VARS), 0x00b000b0);
	command(VARS, 0x50);
	KTAP_EQ(fake_read(&m, VARS), 0);

	/* Data beyond the buffer, an impossible count, another command instead of the last one. */
	erase(VARS);
	command(VARS, 0xe8);
	command(VARS, 1);
	fake_write(&m, VARS, 1);
	fake_write(&m, VARS + CFI_BUFFER, 2);
	command(VARS, 0xd0);
	KTAP_EQ(fake_read(&m, VARS), 0x00b000b0);
	command(VARS, 0x50);
	command(VARS, 0xe8);
	fake_write(&m, VARS, 0x04000400);
	KTAP_EQ(fake_read(&m, VARS), 0x00b000b0);
	command(VARS, 0x50);
	command(VARS, 0xe8);
	command(VARS, 0);
	fake_write(&m, VARS, 3);
	command(VARS, 0xff);
	command(VARS, 0x70);
	KTAP_EQ(fake_read(&m, VARS), 0x00b000b0);
	/* Data for another block than the command's. */
	command(VARS, 0x50);
	command(VARS + CFI_BLOCK, 0xe8);
	command(VARS + CFI_BLOCK, 0);
	fake_write(&m, VARS, 3);
	command(VARS, 0xd0);
	command(VARS, 0x70);
	KTAP_EQ(fake_read(&m, VARS), 0x00b000b0);
	command(VARS, 0x50);
	KTAP_EQ(fake_read(&m, VARS), 0xffffffff);
	KTAP_EQ(fake_read(&m, VARS + CFI_BUFFER), 0xffffffff);

	/* Locks are accepted. */
	command(VARS, 0x60);
	command(VARS, 0xd0);
	KTAP_EQ(fake_read(&m, VARS), 0x00800080);
	command(VARS, 0xff);
	device_bus_destroy(&m.bus);
}

/* A full disk: the status tells the guest; a person is told once. */
static void test_write_error(void)
{
	struct rlimit limit, none = { .rlim_cur = MIB, .rlim_max = RLIM_INFINITY };

	start();
	getrlimit(RLIMIT_FSIZE, &limit);
	none.rlim_max = limit.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	KTAP_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
	erase(VARS + 2 * MIB);
	KTAP_EQ(fake_read(&m, VARS), 0x00a000a0);
	command(VARS, 0x50);
	command(VARS + 2 * MIB, 0x40);
	fake_write(&m, VARS + 2 * MIB, 0);
	KTAP_EQ(fake_read(&m, VARS), 0x00900090);
	setrlimit(RLIMIT_FSIZE, &limit);
	KTAP_EQ(warnings, 1);
	device_bus_destroy(&m.bus);
}

static int attach(const char *words)
{
	char args[160];

	snprintf(args, sizeof(args), "%s%s", path("vars"), words);
	return device_make(&m, "cfi-flash", args, &err);
}

/* A file that one guest programs is no other's; one that is only read may be many guests'. */
static void test_locked(void)
{
	struct machine first, second;
	struct device *dev;
	unsigned int changes;

	start();
	KTAP_TRUE(m.guard.locked && !m.guard.unlocked);
	first = m;
	setup();
	KTAP_EQ(attach(""), (unsigned long long)-EBUSY);
	KTAP_TRUE(strstr(err.text, "vars: in use by another virtual machine"));
	device_bus_destroy(&m.bus);
	setup();
	KTAP_EQ(attach(",ro"), (unsigned long long)-EBUSY);
	device_bus_destroy(&m.bus);
	/* A guest that comes from there, and gets it when it is given up. */
	setup();
	m.incoming = true;
	KTAP_EQ(attach(""), 0);
	dev = device_find(&m.bus, 0);
	KTAP_EQ(dev->ops->claim(dev, true, &err), (unsigned long long)-EBUSY);
	second = m;
	dev = device_find(&first.bus, VARS);
	KTAP_EQ(dev->ops->claim(dev, false, NULL), 0);
	dev = device_find(&second.bus, 0);
	changes = rom[0].changes;
	KTAP_EQ(dev->ops->claim(dev, true, &err), 0);
	/* The guest's view is made anew, as it may be of old pages. */
	KTAP_EQ(rom[0].changes, changes + 2);
	KTAP_EQ(rom[0].size, CFI_SIZE);
	dev = device_find(&first.bus, VARS);
	KTAP_EQ(dev->ops->claim(dev, true, &err), (unsigned long long)-EBUSY);
	device_bus_destroy(&second.bus);
	rom[0].size = rom[1].size = CFI_SIZE;
	KTAP_EQ(dev->ops->claim(dev, true, &err), 0);
	device_bus_destroy(&first.bus);
	/* Readers. */
	setup();
	KTAP_EQ(attach(",ro"), 0);
	first = m;
	setup();
	KTAP_EQ(attach(",ro"), 0);
	device_bus_destroy(&m.bus);
	rom[0].size = rom[1].size = CFI_SIZE;
	device_bus_destroy(&first.bus);
}

static void test_files(void)
{
	char args[160];

	write_file("empty", "", 0, 0);
	write_file("big", "", 0, CFI_SIZE + 1);
	write_file("small", "x", 1, 4096);
	write_file("a,ro,b", "x", 1, CFI_SIZE);
	mkfifo(path("fifo"), 0600);
	static const struct {
		const char *name, *words;
		int ret;
		const char *text;
	} cases[] = {
		{ "none", "", -ENOENT, "none: No such file or directory" },
		{ "", "", -EISDIR, ": Is a directory" },
		{ "", ",ro", -EISDIR, ": is a directory" },
		{ "empty", ",ro", -EINVAL, "empty: is empty" },
		{ "big", ",ro", -E2BIG, "big: is larger than a bank of flash: 64 MiB" },
		{ "big", "", -E2BIG, "big: is larger than a bank of flash: 64 MiB" },
		{ "fifo", ",ro", -EINVAL, "fifo: is no regular file" },
		{ "small", "", -EINVAL, "truncate -s 64M FILE makes it so (or add ,ro)" },
		{ "small", ",ro", 0, "" },
		{ "a,ro,b", "", 0, "" },
		{ "a,ro,b", ",ro", 0, "" },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup();
		snprintf(args, sizeof(args), "%s%s", path(cases[i].name), cases[i].words);
		KTAP_EQ(device_make(&m, "cfi-flash", args, &err),
			(unsigned long long)cases[i].ret);
		if (!strstr(err.text, cases[i].text))
			KTAP_FAIL("\"%s\" and not \"%s\"", err.text, cases[i].text);
		device_bus_destroy(&m.bus);
	}
	setup();
	KTAP_EQ(device_make(&m, "cfi-flash", ",ro", &err), (unsigned long long)-ENOENT);
	device_bus_destroy(&m.bus);
	setup();
	KTAP_EQ(device_make(&m, "cfi-flash", "", &err), (unsigned long long)-EINVAL);
	KTAP_TRUE(strstr(err.text, "names no file"));

	/* A third. */
	start();
	snprintf(args, sizeof(args), "%s,ro", path("small"));
	KTAP_EQ(device_make(&m, "cfi-flash", args, &err), (unsigned long long)-EBUSY);
	KTAP_TRUE(strstr(err.text, "both banks of flash have a file"));
	device_bus_destroy(&m.bus);
}

static void test_fdt(void)
{
	static uint8_t buf[4096];
	struct fdt_builder b;
	const fdt32_t *reg;
	int len, node;

	start();
	fdt_builder_init(&b, buf, sizeof(buf));
	fdt_node_begin(&b, "%s", "");
	device_bus_fdt(&m.bus, &b);
	fdt_node_end(&b);
	KTAP_TRUE(fdt_builder_finish(&b) > 0);
	node = fdt_path_offset(buf, "/flash@0");
	KTAP_ASSERT(node > 0);
	KTAP_EQ(fdt_next_subnode(buf, node), (unsigned long long)-FDT_ERR_NOTFOUND);
	KTAP_STREQ((const char *)fdt_getprop(buf, node, "compatible", NULL), "cfi-flash");
	reg = fdt_getprop(buf, node, "reg", &len);
	KTAP_ASSERT(len == 32);
	KTAP_EQ(fdt32_ld(reg + 1), 0);
	KTAP_EQ(fdt32_ld(reg + 5), VARS);
	KTAP_EQ(fdt32_ld(reg + 7), CFI_SIZE);
	KTAP_EQ(fdt32_ld(fdt_getprop(buf, node, "bank-width", NULL)), 4);
	device_bus_destroy(&m.bus);
}

/* Anything, anywhere: only the flash is touched, and read-only flash stays. */
static void test_hostile(void)
{
	static const uint32_t likely[] = { 0x20, 0xd0, 0x40, 0xe8, 0xff, 0x98, 0x90, 0x70, 0x60 };
	uint32_t seed = 99;

	start();
	for (unsigned int i = 0; i < 60000; i++) {
		uint64_t data, at;
		unsigned int len;

		seed = seed * 1664525 + 1013904223;
		len = 1 << (seed >> 30);
		data = seed >> 8 & 1 ? likely[(seed >> 9) % 9] : seed >> 4;
		/* Often in one place, so that commands continue; and at both ends of the banks. */
		at = seed >> 12 & 3 ? VARS + (seed >> 14 & 0xfff) : (seed << 5) % (2ull * CFI_SIZE);
		if (!(seed >> 16 & 31))
			at = (seed >> 22 & 1 ? 2ull : 1ull) * CFI_SIZE - (seed >> 23 & 7);
		device_bus_access(&m.bus, at, &data, len, seed >> 13 & 7);
	}
	command(0, 0x50);
	command(0, 0xff);
	command(0, 0xff);
	KTAP_MEMEQ(rom[0].host ? rom[0].host : (const uint8_t *)"", "firmware\0", 9);
	KTAP_EQ(in_file("code", 0), 0x6d726966);
	device_bus_destroy(&m.bus);
	struct stat st;

	KTAP_EQ(stat(path("vars"), &st), 0);
	KTAP_EQ(st.st_size, CFI_SIZE);
}

/* ---- Snapshots ---- */

/* In the middle of a command that programs by the buffer: its rest comes to the other flash. */
static void test_saved(void)
{
	struct device *dev;
	struct record saved;
	struct error why;

	start();
	erase(VARS);
	command(VARS, 0xe8);
	fake_write(&m, VARS, 1 << 16 | 1);	/* two words for each chip */
	fake_write(&m, VARS, 0x12345678);
	dev = device_find(&m.bus, VARS);
	KTAP_TRUE(!dev->ops->memory(dev));
	state_save(dev, &saved);
	KTAP_EQ(dev->ops->flush(dev), 0);
	device_bus_destroy(&m.bus);

	setup();
	KTAP_EQ(device_make(&m, "firmware", path("code"), &err), 0);
	dev = device_find(&m.bus, VARS);
	/* Without a file the bank is the snapshot's. */
	KTAP_TRUE(dev->ops->memory(dev));
	KTAP_EQ(state_restore(dev, &saved, saved.len, &why), -EBADMSG);
	KTAP_STREQ(why.text, "had a file (--flash)");
	KTAP_EQ(device_make(&m, "cfi-flash", path("vars"), &err), 0);
	state_torture(dev, &saved);
	KTAP_EQ(dev->ops->begin(dev, &err), 0);
	KTAP_EQ(rom[1].size, 0);
	fake_write(&m, VARS + 4, 0x9abcdef0);
	command(VARS, 0xd0);
	KTAP_EQ(fake_read(&m, VARS), 0x00800080);
	command(VARS, 0xff);
	KTAP_EQ(fake_read(&m, VARS), 0x12345678);
	KTAP_EQ(fake_read(&m, VARS + 4), 0x9abcdef0);
	KTAP_EQ(in_file("vars", 4), 0x9abcdef0);
	record_free(&saved);
	device_bus_destroy(&m.bus);
}

static void remove_files(void)
{
	static const char *const names[] = { "code", "vars", "empty", "big", "small", "a,ro,b",
					     "fifo" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path(names[i]));
	rmdir(scratch_dir);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(test_shown), KTAP_CASE(test_query), KTAP_CASE(test_program),
		KTAP_CASE(test_refused_commands), KTAP_CASE(test_write_error),
		KTAP_CASE(test_files), KTAP_CASE(test_locked),
		KTAP_CASE(test_fdt), KTAP_CASE(test_hostile),
		KTAP_CASE(test_saved),
	};

	if (!mkdtemp(scratch_dir))
		return 1;
	atexit(remove_files);
	return ktap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
