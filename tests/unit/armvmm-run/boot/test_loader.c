// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/boot/kernel_elf.c userspace/armvmm-run/boot/kernel_file.c
// sources: userspace/armvmm-run/boot/kernel.c userspace/armvmm-run/boot/loader.c userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/boot/uimage.c userspace/armvmm-run/boot/loader_file.c
// sources: userspace/armvmm-run/boot/payload.c userspace/armvmm-run/boot/unpack.c
// sources: userspace/armvmm-run/boot/freebsd.c userspace/armvmm-run/boot/fit.c userspace/armvmm-run/boot/fdt_check.c
// files: tests/unit/armvmm-run/boot/image_make.h tests/unit/armvmm-run/scratch.h
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0 zlib libzstd
// libs: -lfdt
//
// Kernel formats and where things go in memory, with files that are whole,
// damaged, cut short and too large.
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../guest/lib/board.h"
#include "boot/loader.h"
#include "armvmm-run/boot/image_make.h"
#include "armvmm-run/scratch.h"
#include "ktap.h"

#define RAM	((uint64_t)RAM_BASE)
#define MIB	(1ull << 20)

static struct error err;

static int probe(const char *name, enum kernel_format format, uint64_t ram_size,
		 struct kernel_image *image)
{
	int fd = open(path(name), O_RDONLY), ret;
	struct stat st;

	fstat(fd, &st);
	err.text[0] = '\0';
	ret = kernel_probe(image, fd, 0, st.st_size, format, RAM, ram_size, name, &err);
	close(fd);
	return ret;
}

static void test_zimage(void)
{
	struct kernel_image image;
	struct zimage z;

	make_zimage(&z, 6 * MIB, 20 * MIB, 1 * MIB, 0x208000);
	write_file("z", &z, sizeof(z), 6 * MIB + 70000);	/* with something appended */
	KTAP_EQ(probe("z", KERNEL_AUTO, 512 * MIB, &image), 0);
	KTAP_EQ(image.format, KERNEL_ZIMAGE);
	KTAP_EQ(image.nr_segments, 1);
	KTAP_EQ(image.segment[0].file_size, 6 * MIB);
	KTAP_EQ(image.entry, image.segment[0].gpa);
	/* Above the unpacked kernel, within the decompressor's reach. */
	KTAP_TRUE(image.entry >= RAM + 0x208000 + 21 * MIB);
	KTAP_TRUE(image.entry < RAM + 24 * MIB);
	KTAP_TRUE(image.end >= image.entry + 6 * MIB + 0x10000);

	/* Just enough memory, and one page less. */
	KTAP_EQ(probe("z", KERNEL_ZIMAGE, image.end - RAM, &image), 0);
	KTAP_EQ(probe("z", KERNEL_ZIMAGE, image.end - RAM - 4096, &image),
		(unsigned long long)-E2BIG);
	KTAP_TRUE(strstr(err.text, "--memory gives"));

	/* An unpacked kernel that leaves no room within 128 MiB: the decompressor moves itself. */
	make_zimage(&z, 40 * MIB, 100 * MIB, 0, 0x8000);
	write_file("z", &z, sizeof(z), 40 * MIB);
	KTAP_EQ(probe("z", KERNEL_AUTO, 512 * MIB, &image), 0);
	KTAP_EQ(image.entry, RAM + 0x8000);
	KTAP_TRUE(image.end >= RAM + 140 * MIB);
}

static void test_zimage_old(void)
{
	struct kernel_image image;
	struct zimage z;

	make_zimage(&z, 4 * MIB, 0, 0, 0);
	z.word[13] = 0;
	write_file("z", &z, sizeof(z), 4 * MIB);
	KTAP_EQ(probe("z", KERNEL_AUTO, 512 * MIB, &image), 0);
	KTAP_TRUE(image.entry >= RAM + 20 * MIB);
}

static void test_zimage_damaged(void)
{
	static const struct {
		unsigned int word;
		uint32_t value;
		int ret;
		const char *text;
	} cases[] = {
		{ 9, 0x18286f01, -ENOEXEC, "z: is a zImage for BE32, which ARMv7 cannot run" },
		{ 12, 0x05030201, -ENOEXEC, "z: has a damaged zImage header" },
		{ 11, 0, -ENOEXEC, "z: has a damaged zImage header" },
		{ 11, 16, -ENOEXEC, "z: has a damaged zImage header" },
		{ 10, 0xffffffff, -ENOEXEC, "z: has a damaged zImage header" },
		{ 11, 2 * MIB + 1, -EIO,
		  "z: is truncated: 2097152 bytes of the 2097153 that its header tells" },
		{ 14, 0xfffffffc, -EIO, "z: is truncated" },
		{ 14, 2 * MIB - 2, -EIO, "z: is truncated" },
		{ 258, 0xffffffff, -EIO, "z: is truncated" },
		{ 320, 0xffffffff, -E2BIG,
		  "z: needs 4102 MiB of memory while it starts, and --memory gives 256" },
	};
	struct kernel_image image;
	struct zimage z;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_zimage(&z, 2 * MIB, 8 * MIB, 0, 0x208000);
		z.word[cases[i].word] = cases[i].value;
		write_file("z", &z, sizeof(z), 2 * MIB);
		KTAP_EQ(probe("z", KERNEL_AUTO, 256 * MIB, &image),
			(unsigned long long)cases[i].ret);
		KTAP_STREQ(err.text, cases[i].text);
	}

	/* Tables that lead nowhere end, and do not count. */
	make_zimage(&z, 2 * MIB, 8 * MIB, 0, 0x8000);
	z.word[256] = 0;
	write_file("z", &z, sizeof(z), 2 * MIB);
	KTAP_EQ(probe("z", KERNEL_AUTO, 256 * MIB, &image), 0);
	z.word[256] = 2;
	z.word[257] = 1;
	z.word[258] = 0xffffffff;
	write_file("z", &z, sizeof(z), 2 * MIB);
	KTAP_EQ(probe("z", KERNEL_AUTO, 256 * MIB, &image), 0);

	/* A big-endian (BE8) kernel is a kernel. */
	make_zimage(&z, 2 * MIB, 8 * MIB, 0, 0x8000);
	z.word[12] = 0x01020304;
	write_file("z", &z, sizeof(z), 2 * MIB);
	KTAP_EQ(probe("z", KERNEL_AUTO, 256 * MIB, &image), 0);
}

static void test_not_a_kernel(void)
{
	static const char text[] = "#!/bin/sh\necho this is no kernel at all, is it? no, not at all\n";
	uint8_t arm64[128] = { 0 };
	struct kernel_image image;

	write_file("t", text, sizeof(text), sizeof(text));
	KTAP_EQ(probe("t", KERNEL_AUTO, 256 * MIB, &image), (unsigned long long)-ENOEXEC);
	KTAP_STREQ(err.text,
		   "t: is no zImage, Image or ELF program (a raw program needs --format raw)");
	KTAP_EQ(probe("t", KERNEL_ZIMAGE, 256 * MIB, &image), (unsigned long long)-ENOEXEC);
	KTAP_EQ(probe("t", KERNEL_ELF, 256 * MIB, &image), (unsigned long long)-ENOEXEC);
	KTAP_EQ(probe("t", KERNEL_RAW, 256 * MIB, &image), 0);
	KTAP_EQ(image.entry, RAM + 0x10000);

	memcpy(arm64 + 0x38, "ARM\x64", 4);
	write_file("t", arm64, sizeof(arm64), 4096);
	KTAP_EQ(probe("t", KERNEL_AUTO, 256 * MIB, &image), (unsigned long long)-ENOEXEC);
	KTAP_STREQ(err.text, "t: is a kernel for 64-bit Arm, and guests here are 32-bit");

	write_file("t", "x", 1, 1);
	KTAP_EQ(probe("t", KERNEL_AUTO, 256 * MIB, &image), (unsigned long long)-ENOEXEC);
	KTAP_EQ(probe("t", KERNEL_ZIMAGE, 256 * MIB, &image), (unsigned long long)-EIO);
}

static void test_image(void)
{
	uint32_t head[64] = { 0xe10f9000, 0xe229901a, 0xe319001f, 0xee109f10 };
	struct kernel_image image;

	write_file("i", head, sizeof(head), 16 * MIB);
	KTAP_EQ(probe("i", KERNEL_AUTO, 256 * MIB, &image), 0);
	KTAP_EQ(image.format, KERNEL_IMAGE);
	KTAP_EQ(image.entry, RAM + 0x8000);
	KTAP_TRUE(image.end > RAM + 20 * MIB);
	KTAP_EQ(probe("i", KERNEL_AUTO, 16 * MIB, &image), (unsigned long long)-E2BIG);
}

static void test_elf(void)
{
	struct kernel_image image;
	struct elf e;

	make_elf(&e);
	write_file("e", &e, sizeof(e), sizeof(e));
	KTAP_EQ(probe("e", KERNEL_AUTO, 16 * MIB, &image), 0);
	KTAP_EQ(image.nr_segments, 2);
	KTAP_EQ(image.entry, RAM + 0x8011);
	KTAP_EQ(image.end, RAM + MIB + 0x2000);

#define BAD(change, code)								\
	do {										\
		make_elf(&e);								\
		change;									\
		write_file("e", &e, sizeof(e), sizeof(e));				\
		KTAP_EQ(probe("e", KERNEL_AUTO, 16 * MIB, &image), (unsigned long long)(code));	\
	} while (0)
	BAD(e.eh.e_machine = EM_AARCH64, -ENOEXEC);
	BAD(e.eh.e_ident[EI_CLASS] = ELFCLASS64, -ENOEXEC);
	BAD(e.eh.e_ident[EI_DATA] = ELFDATA2MSB, -ENOEXEC);
	BAD(e.eh.e_type = ET_DYN, -ENOEXEC);
	BAD(e.eh.e_phentsize = 4, -ENOEXEC);
	BAD(e.eh.e_phnum = 0, -ENOEXEC);
	BAD(e.eh.e_phnum = 65535, -EIO);
	BAD(e.eh.e_phoff = 0xffffffff, -EIO);
	BAD(e.eh.e_entry = 0xc0200000, -ENOEXEC);
	BAD(e.ph[0].p_filesz = 0x2000, -ENOEXEC);
	BAD(e.ph[0].p_offset = 0xffffffff, -EIO);
	BAD(e.ph[0].p_paddr = 0x1000, -E2BIG);
	BAD(e.ph[0].p_paddr = 0xfffff000, -E2BIG);
	BAD(e.ph[0].p_memsz = 0xffffffff, -E2BIG);
	BAD(e.ph[1].p_paddr = RAM + 0x8ff0, -ENOEXEC);
	BAD(e.ph[1].p_paddr = RAM + 16 * MIB - 0x1fff, -E2BIG);
	BAD((e.ph[0].p_paddr = 0xc0008000, e.ph[1].p_paddr = 0x80100000), -E2BIG);
	BAD((e.ph[0].p_paddr = 0xc0008000, e.ph[1].p_paddr = 0xc1000000), -E2BIG);
#undef BAD
}

/* Files without physical addresses, and files with virtual ones in their place. */
static void test_elf_rules(void)
{
	struct config config = { .kernel = path("e") };
	struct kernel_image image;
	struct loader l;
	struct elf e;

	make_elf(&e);
	e.eh.e_entry = RAM + 0x20011;
	e.ph[0].p_vaddr = RAM + 0x20000;
	e.ph[1].p_vaddr = RAM + 0x30000;
	e.ph[0].p_paddr = e.ph[1].p_paddr = 0;
	write_file("e", &e, sizeof(e), sizeof(e));
	KTAP_EQ(probe("e", KERNEL_AUTO, 16 * MIB, &image), 0);
	KTAP_EQ(image.entry, RAM + 0x20011);
	KTAP_EQ(image.segment[1].gpa, RAM + 0x30000);
	KTAP_EQ(image.end, RAM + 0x32000);
	/* The device tree is where QEMU has it: at the start of RAM, if that is free. */
	KTAP_EQ(loader_open(&l, &config, RAM, 16 * MIB, &err), 0);
	KTAP_EQ(l.dtb_gpa, RAM);
	loader_close(&l);

	/* As Linux links vmlinux: its vectors run at another address than they are loaded at. */
	make_elf(&e);
	e.ph[0].p_paddr = 0xc0208000;
	e.ph[0].p_vaddr = 0xc0208000;
	e.eh.e_entry = 0xc0208000;
	e.ph[1].p_paddr = 0xc0300000;
	e.ph[1].p_vaddr = 0xffff0000;
	write_file("e", &e, sizeof(e), sizeof(e));
	KTAP_EQ(probe("e", KERNEL_AUTO, 16 * MIB, &image), 0);
	KTAP_EQ(image.entry, RAM + 0x208000);
	KTAP_EQ(image.segment[1].gpa, RAM + 0x300000);
	/* If there is RAM at these addresses, they are physical ones. */
	KTAP_EQ(probe("e", KERNEL_AUTO, 3072 * MIB, &image), 0);
	KTAP_EQ(image.entry, 0xc0208000);

	make_elf(&e);
	e.ph[0].p_paddr = 0xc0008000;
	e.ph[1].p_paddr = 0xc0100000;
	write_file("e", &e, sizeof(e), sizeof(e));
	KTAP_EQ(loader_open(&l, &config, RAM, 16 * MIB, &err), 0);
	KTAP_EQ(l.image.entry, RAM + 0x8011);
	/* No room below it. */
	KTAP_TRUE(l.dtb_gpa >= l.image.end);
	loader_close(&l);
}

static int layout(struct loader *l, uint64_t ram_size, const char *initrd, const char *dtb)
{
	struct config config = { .kernel = path("z"), .dtb = dtb };

	if (initrd)
		config.initrd[config.nr_initrds++] = initrd;
	err.text[0] = '\0';
	return loader_open(l, &config, RAM, ram_size, &err);
}

static void check_apart(const struct loader *l)
{
	uint64_t initrd_end = l->initrd_gpa + l->initrd_size;

	KTAP_TRUE(l->initrd_gpa >= l->image.end);
	KTAP_TRUE(l->dtb_gpa >= initrd_end);
	KTAP_TRUE(l->dtb_gpa + l->dtb_room <= l->ram_base + l->ram_size);
	KTAP_EQ(l->dtb_gpa % 4096, 0);
	KTAP_EQ(l->initrd_gpa % 4096, 0);
}

static void test_layout(void)
{
	static const uint64_t rams[] = { 64, 100, 256, 700, 1024, 3072 };
	struct loader l;
	struct zimage z;

	make_zimage(&z, 6 * MIB, 20 * MIB, 1 * MIB, 0x208000);
	write_file("z", &z, sizeof(z), 6 * MIB);
	write_file("r", "r", 1, 20 * MIB + 3);
	for (unsigned int i = 0; i < sizeof(rams) / sizeof(rams[0]); i++) {
		KTAP_EQ(layout(&l, rams[i] * MIB, path("r"), NULL), 0);
		check_apart(&l);
		KTAP_TRUE(l.dtb_gpa + l.dtb_room <= RAM + 752 * MIB);
		loader_close(&l);
	}

	/* Too large for the rest of memory, by a page and by far. */
	KTAP_TRUE(layout(&l, 48 * MIB, path("r"), NULL) == -E2BIG);
	KTAP_TRUE(strstr(err.text, "/r: 21 MiB overlap the kernel or the end of low memory"));
	write_file("r", "r", 1, 1ll << 40);
	KTAP_TRUE(layout(&l, 3072 * MIB, path("r"), NULL) == -E2BIG);
	KTAP_TRUE(layout(&l, 16 * MIB, NULL, NULL) == -E2BIG);
	KTAP_EQ(l.kernel.fd, (unsigned long long)-1);
}

/* With firmware, RAM has only the device tree, at its start. */
static void test_firmware(void)
{
	struct config config = { .kernel = path("z"), .nr_initrds = 1, .initrd = { path("r") },
				 .firmware = true };
	struct guestmem mem = { 0 };
	struct loader l;
	struct zimage z;

	make_zimage(&z, 2 * MIB, 8 * MIB, 0, 0x8000);
	write_file("z", &z, sizeof(z), 2 * MIB);
	write_file("r", "r", 1, 100);
	KTAP_EQ(loader_open(&l, &config, RAM, 64 * MIB, &err), 0);
	KTAP_EQ(l.dtb_gpa, RAM);
	KTAP_EQ(guestmem_alloc(&mem, RAM, 64 * MIB), 0);
	KTAP_EQ(loader_load(&l, &mem, &err), 0);
	for (uint64_t at = 0; at < 64 * MIB; at += 4096)
		KTAP_EQ(*(uint32_t *)guestmem_ptr(&mem, RAM + at, 4), 0);
	/* Firmware reads them itself; the RAM disks are like one file. */
	loader_close(&l);
	write_file("r", "first", 5, 5);
	write_file("i", "second", 6, 6);
	config.kernel = path("z");
	config.initrd[0] = path("r");
	config.initrd[1] = path("i");
	config.nr_initrds = 2;
	KTAP_EQ(loader_open(&l, &config, RAM, 64 * MIB, &err), 0);
	KTAP_EQ(l.initrd_size, 14);
	for (unsigned int at = 0; at < 14; at++)
		for (unsigned int len = 0; len <= 14 - at; len++) {
			char got[16] = "................";

			KTAP_EQ(loader_read_initrd(&l, at, got, len), 0);
			KTAP_MEMEQ(got, "first\0\0\0second" + at, len);
			KTAP_EQ(got[len], '.');
		}
	KTAP_EQ(loader_read_kernel(&l, 4, &z.word[100], 400), 0);
	KTAP_MEMEQ(&z.word[100], &z.word[1], 36);
	loader_close(&l);
	guestmem_destroy(&mem);
	config.kernel = NULL;
	config.nr_initrds = 0;
	KTAP_EQ(loader_open(&l, &config, RAM, 4 * MIB, &err), 0);
	KTAP_EQ(l.dtb_gpa, RAM);
	loader_close(&l);
}

static void test_files(void)
{
	struct loader l;
	struct zimage z;

	make_zimage(&z, 2 * MIB, 8 * MIB, 0, 0x8000);
	write_file("z", &z, sizeof(z), 2 * MIB);
	write_file("empty", "", 0, 0);
	mkfifo(path("fifo"), 0600);
	KTAP_EQ(layout(&l, 64 * MIB, path("none"), NULL), (unsigned long long)-ENOENT);
	KTAP_TRUE(strstr(err.text, "/none: No such file or directory"));
	KTAP_EQ(layout(&l, 64 * MIB, scratch_dir, NULL), (unsigned long long)-EISDIR);
	KTAP_EQ(layout(&l, 64 * MIB, path("empty"), NULL), (unsigned long long)-EINVAL);
	KTAP_EQ(layout(&l, 64 * MIB, path("fifo"), NULL), (unsigned long long)-EINVAL);
	write_file("dtb", "x", 1, 2 * MIB);
	KTAP_EQ(layout(&l, 64 * MIB, NULL, path("dtb")), (unsigned long long)-E2BIG);
}

static void test_load(void)
{
	struct guestmem mem = { .nr_regions = 0 };
	uint8_t *initrd = malloc(100001);
	struct loader l;
	struct zimage z;

	for (int i = 0; i < 100001; i++)
		initrd[i] = i * 7;
	make_zimage(&z, 2 * MIB, 8 * MIB, 0, 0x8000);
	write_file("z", &z, sizeof(z), 2 * MIB);
	write_file("r", initrd, 100001, 100001);
	KTAP_EQ(layout(&l, 64 * MIB, path("r"), NULL), 0);
	KTAP_EQ(guestmem_alloc(&mem, RAM, 64 * MIB), 0);
	KTAP_EQ(loader_load(&l, &mem, &err), 0);
	KTAP_MEMEQ(guestmem_ptr(&mem, l.image.entry, sizeof(z)), &z, sizeof(z));
	KTAP_MEMEQ(guestmem_ptr(&mem, l.initrd_gpa, 100001), initrd, 100001);
	KTAP_EQ(*(uint8_t *)guestmem_ptr(&mem, l.initrd_gpa + 100001, 1), 0);

	/* A second start loads the same into fresh memory, also when the file's name is gone. */
	unlink(path("r"));
	guestmem_discard(&mem);
	KTAP_EQ(*(uint32_t *)guestmem_ptr(&mem, l.image.entry, 4), 0);
	KTAP_EQ(loader_load(&l, &mem, &err), 0);
	KTAP_MEMEQ(guestmem_ptr(&mem, l.initrd_gpa, 100001), initrd, 100001);

	/* A file that shrinks meanwhile. */
	KTAP_EQ(truncate(path("z"), MIB), 0);
	KTAP_EQ(loader_load(&l, &mem, &err), (unsigned long long)-EIO);
	KTAP_TRUE(strstr(err.text, "/z: has become shorter"));
	loader_close(&l);
	guestmem_destroy(&mem);
	free(initrd);
}

/* Linux finds the archives of several files one behind the other, at multiples of four. */
static void test_initrds(void)
{
	struct config config = { .nr_initrds = 3 };
	struct guestmem mem = { 0 };
	uint8_t u[64 + 6] = { 0 };
	struct loader l;
	struct zimage z;

	make_zimage(&z, 2 * MIB, 8 * MIB, 0, 0x8000);
	write_file("z", &z, sizeof(z), 2 * MIB);
	write_file("r", "first", 5, 5);
	memcpy(u + 64, "second", 6);
	make_uimage(u, 6, 2, 3, 0);
	write_file("u", u, sizeof(u), sizeof(u));
	write_file("i", "third", 5, 5);
	config.kernel = path("z");
	config.initrd[0] = path("r");
	config.initrd[1] = path("u");
	config.initrd[2] = path("i");
	KTAP_EQ(loader_open(&l, &config, RAM, 64 * MIB, &err), 0);
	KTAP_EQ(l.initrd_size, 8 + 8 + 5);
	check_apart(&l);
	KTAP_EQ(guestmem_alloc(&mem, RAM, 64 * MIB), 0);
	KTAP_EQ(loader_load(&l, &mem, &err), 0);
	KTAP_MEMEQ(guestmem_ptr(&mem, l.initrd_gpa, 22), "first\0\0\0second\0\0third\0", 22);
	loader_close(&l);
	guestmem_destroy(&mem);

	write_file("i", "x", 1, 1ll << 40);
	config.kernel = path("z");
	config.initrd[0] = config.initrd[1] = path("u");
	config.initrd[2] = path("none");
	KTAP_EQ(loader_open(&l, &config, RAM, 64 * MIB, &err), (unsigned long long)-ENOENT);
	config.initrd[0] = config.initrd[1] = config.initrd[2] = path("i");
	KTAP_EQ(loader_open(&l, &config, RAM, 64 * MIB, &err), (unsigned long long)-E2BIG);
}

static void test_raw(void)
{
	struct config config = { .kernel = path("t"), .format = KERNEL_RAW,
				 .load_address = RAM + 0x100000, .entry = RAM + 0x100801 };
	struct loader l;

	write_file("t", "raw", 3, 4096);
	KTAP_EQ(loader_open(&l, &config, RAM, 4 * MIB, &err), 0);
	KTAP_EQ(l.image.segment[0].gpa, RAM + 0x100000);
	KTAP_EQ(l.image.entry, RAM + 0x100801);
	KTAP_EQ(l.image.end, RAM + 0x101000);
	loader_close(&l);
	config.entry = 0;
	KTAP_EQ(loader_open(&l, &config, RAM, 4 * MIB, &err), 0);
	KTAP_EQ(l.image.entry, RAM + 0x100000);
	loader_close(&l);
	config.entry = RAM + 0x101000;
	KTAP_EQ(loader_open(&l, &config, RAM, 4 * MIB, &err), (unsigned long long)-E2BIG);
	KTAP_TRUE(strstr(err.text,
			 "/t: --entry 0x40101000 lies outside of the program, "
				   "which is at 0x40100000 to 0x40100fff"));
	config.entry = 0;
	config.load_address = RAM + 4 * MIB - 4095;
	KTAP_EQ(loader_open(&l, &config, RAM, 4 * MIB, &err), (unsigned long long)-E2BIG);
	KTAP_TRUE(strstr(err.text,
			 "/t: --load-address 0x403ff001, 0x1000 bytes, lies outside of memory"));
}

static void test_guestmem(void)
{
	static uint8_t a[0x2000], b[0x1000];
	struct guestmem mem = { .nr_regions = 0 };
	uint32_t value = 0x12345678;

	KTAP_EQ(guestmem_add(&mem, 0x1000, sizeof(a), a), 0);
	KTAP_EQ(guestmem_add(&mem, 0x2fff, 1, b), (unsigned long long)-EEXIST);
	KTAP_EQ(guestmem_add(&mem, 0, 0x1001, b), (unsigned long long)-EEXIST);
	KTAP_EQ(guestmem_add(&mem, 0x8000, 0, b), (unsigned long long)-EINVAL);
	KTAP_EQ(guestmem_add(&mem, ~0ull - 0xffe, 0x1000, b), (unsigned long long)-EINVAL);
	KTAP_EQ(guestmem_add(&mem, 0x3000, sizeof(b), b), 0);

	KTAP_TRUE(guestmem_ptr(&mem, 0x1000, 0x2000) == a);
	KTAP_TRUE(guestmem_ptr(&mem, 0x2fff, 1) == a + 0x1fff);
	KTAP_TRUE(guestmem_ptr(&mem, 0x3000, 0x1000) == b);
	KTAP_TRUE(!guestmem_ptr(&mem, 0x2fff, 2));	/* neighbours are not one range */
	KTAP_TRUE(!guestmem_ptr(&mem, 0xfff, 1));
	KTAP_TRUE(!guestmem_ptr(&mem, 0x4000, 0));
	KTAP_TRUE(guestmem_ptr(&mem, 0x3fff, 0) == b + 0xfff);
	KTAP_TRUE(!guestmem_ptr(&mem, 0x1000, ~0ull));
	KTAP_TRUE(!guestmem_ptr(&mem, ~0ull, 0x1001));
	KTAP_TRUE(!guestmem_ptr(&mem, 0x2000, ~0ull - 0x1fff));
	KTAP_EQ(guestmem_write(&mem, 0x2ffd, &value, 4), (unsigned long long)-EFAULT);
	KTAP_EQ(a[0x1ffd], 0);
	KTAP_EQ(guestmem_write(&mem, 0x2ffc, &value, 4), 0);
	value = 0;
	KTAP_EQ(guestmem_read(&mem, 0x2ffc, &value, 4), 0);
	KTAP_EQ(value, 0x12345678);
}

static void remove_files(void)
{
	static const char *const names[] = { "z", "t", "i", "e", "r", "empty", "fifo", "dtb",
					     "u" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path(names[i]));
	rmdir(scratch_dir);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(test_zimage), KTAP_CASE(test_zimage_old), KTAP_CASE(test_zimage_damaged),
		KTAP_CASE(test_not_a_kernel), KTAP_CASE(test_image), KTAP_CASE(test_elf),
		KTAP_CASE(test_elf_rules), KTAP_CASE(test_initrds), KTAP_CASE(test_raw),
		KTAP_CASE(test_layout), KTAP_CASE(test_files), KTAP_CASE(test_load),
		KTAP_CASE(test_guestmem), KTAP_CASE(test_firmware),
	};

	if (!mkdtemp(scratch_dir))
		return 1;
	atexit(remove_files);
	return ktap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
