// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/boot/kernel_elf.c userspace/armvmm-run/boot/kernel_file.c
// sources: userspace/armvmm-run/boot/kernel.c userspace/armvmm-run/boot/loader.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/boot/uimage.c userspace/armvmm-run/boot/loader_file.c
// sources: userspace/armvmm-run/boot/payload.c userspace/armvmm-run/boot/unpack.c
// sources: userspace/armvmm-run/boot/freebsd.c userspace/armvmm-run/boot/fit.c
// sources: userspace/armvmm-run/boot/fdt_check.c
// files: tests/unit/armvmm-run/boot/image_make.h tests/unit/armvmm-run/scratch.h
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0 zlib libzstd
// libs: -lfdt
//
// What a FreeBSD kernel finds behind r0, read as it reads it: by virtual addresses.
#include <errno.h>
#include <sys/mman.h>

#include "../guest/lib/board.h"
#include "boot/loader.h"
#include "armvmm-run/boot/image_make.h"
#include "armvmm-run/scratch.h"
#include "ktap.h"

#define RAM	((uint64_t)RAM_BASE)
#define MIB	(1ull << 20)
#define VIRTUAL	0xc0000000u

static struct error err;
static struct loader l;
static struct guestmem mem;

/* As FreeBSD's kernels are linked: physical addresses are virtual ones, too. */
static void make_kernel(void)
{
	struct elf e;

	make_elf(&e);
	e.eh.e_entry = 0xc0100100;
	e.ph[0].p_vaddr = e.ph[0].p_paddr = 0xc0100000;
	e.ph[1].p_vaddr = e.ph[1].p_paddr = 0xc0200000;
	write_file("k", &e, sizeof(e), sizeof(e));
}

static int start(uint64_t ram, const char *vars, const char *args)
{
	struct config config = {
		.kernel = path("k"), .freebsd = true, .freebsd_vars = vars, .append = args,
	};
	int ret;

	memset(&mem, 0, sizeof(mem));
	err.text[0] = '\0';
	KTAP_EQ(guestmem_alloc(&mem, RAM, ram), 0);
	ret = loader_open(&l, &config, RAM, ram, &err);
	if (!ret)
		ret = loader_load(&l, &mem, &err);
	return ret;
}

static void end(void)
{
	loader_close(&l);
	guestmem_destroy(&mem);
}

static void *at(uint32_t va)
{
	return guestmem_ptr(&mem, va - VIRTUAL + RAM, 1);
}

/* The data of the next record of @type, of @len bytes if that is not 0. Order counts. */
static uint32_t record_at;

static const void *record(uint32_t type, uint32_t len)
{
	const uint32_t *head = at(record_at);

	KTAP_EQ(head[0], type);
	if (len)
		KTAP_EQ(head[1], len);
	record_at += 8 + (head[1] + 3) / 4 * 4;
	return head + 2;
}

static uint32_t word(uint32_t type)
{
	return *(const uint32_t *)record(type, 4);
}

static void test_records(void)
{
	struct loader_registers r;
	uint32_t env, dtb, kernend;

	make_kernel();
	KTAP_EQ(start(64 * MIB, "a=1,boot_verbose=YES,b=x=y", "-sa c=3 nothing boot_single=no"), 0);
	KTAP_EQ(l.image.entry, RAM + 0x100100);
	r = loader_registers(&l);
	KTAP_EQ(r.r0 % 4096, 0);
	KTAP_EQ(r.r1, 0);
	KTAP_EQ(r.r2, 0);
	record_at = r.r0;
	KTAP_STREQ(record(0x0001, 0), path("k"));
	KTAP_STREQ(record(0x0002, 11), "elf kernel");
	KTAP_STREQ(record(0x0006, 0), "-sa c=3 nothing boot_single=no");
	KTAP_EQ(word(0x0003), 0xc0100000);
	KTAP_EQ(word(0x0004), 0x102000);
	KTAP_EQ(word(0x8007), 0x800 | 0x1);	/* verbose, ask; single was taken back */
	env = word(0x8006);
	dtb = word(0x9002);
	kernend = word(0x8008);
	record(0, 0);
	KTAP_EQ(memcmp(at(env), "a=1\0boot_verbose=YES\0b=x=y\0c=3\0boot_single=no\0", 47), 0);
	/* In this order, each on a page of its own, behind the kernel. */
	KTAP_TRUE(env == 0xc0202000 && dtb >= env + 47 && !(dtb % 4096));
	KTAP_EQ(dtb - VIRTUAL + RAM, l.dtb_gpa);
	KTAP_EQ(r.r0, dtb + l.dtb_room);
	KTAP_TRUE(kernend >= record_at && !(kernend % 4096));
	end();
}

static void test_without_anything(void)
{
	make_kernel();
	KTAP_EQ(start(64 * MIB, NULL, NULL), 0);
	record_at = loader_registers(&l).r0;
	record(0x0001, 0);
	record(0x0002, 0);
	word(0x0003);
	word(0x0004);
	KTAP_EQ(word(0x8007), 0);
	KTAP_EQ(memcmp(at(word(0x8006)), "\0\0", 2), 0);
	end();
}

static void test_flags(void)
{
	static const struct {
		const char *vars, *args;
		uint32_t howto;
	} cases[] = {
		{ "boot_single=1", NULL, 0x2 },
		{ "boot_single=NO", NULL, 0 },
		{ "boot_single=", NULL, 0x2 },
		{ "boot_singles=YES", NULL, 0 },
		{ NULL, "-v -d -h", 0x800 | 0x40 | 0x1000 },
		{ NULL, "-asrdvhCgmpD", 0x20000000 | 0x100000 | 0x10000 | 0x8000 | 0x2000 | 0x1000 |
					0x800 | 0x40 | 0x20 | 0x2 | 0x1 },
		{ NULL, "-xyz", 0 },
		{ NULL, "- ", 0 },
	};

	make_kernel();
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		KTAP_EQ(start(64 * MIB, cases[i].vars, cases[i].args), 0);
		KTAP_EQ(l.freebsd->howto, cases[i].howto);
		end();
	}
}

static void test_refused(void)
{
	struct elf e;
	struct config config = { .kernel = path("k"), .freebsd = true };

	/* One byte too little memory for the records: nothing is written beyond the end. */
	make_kernel();
	KTAP_EQ(start(64 * MIB, NULL, NULL), 0);
	config.memory = l.freebsd->end - RAM;
	end();
	KTAP_EQ(start(config.memory, NULL, NULL), 0);
	end();
	KTAP_EQ(start(config.memory - 4096, NULL, NULL), -E2BIG);
	KTAP_TRUE(strstr(err.text, "leaves no room for the device tree in memory"));
	end();

	config.nr_initrds = 1;
	config.initrd[0] = path("k");
	KTAP_EQ(loader_open(&l, &config, RAM, 64 * MIB, &err), -EINVAL);
	KTAP_TRUE(strstr(err.text, "FreeBSD takes no RAM disk from its loader"));

	/* Programs that run where they are loaded, and what is no ELF. */
	make_elf(&e);
	e.ph[0].p_vaddr = e.ph[0].p_paddr = RAM + 0x8000;
	e.ph[1].p_vaddr = e.ph[1].p_paddr = RAM + MIB;
	e.eh.e_entry = RAM + 0x8000;
	write_file("k", &e, sizeof(e), sizeof(e));
	KTAP_EQ(start(64 * MIB, NULL, NULL), -ENOEXEC);
	KTAP_TRUE(strstr(err.text, "is no FreeBSD kernel: those are ELF, linked to virtual addresses"));
	end();
}

static void prepare(void)
{
	KTAP_TRUE(mkdtemp(scratch_dir));
}

static void clean(void)
{
	unlink(path("k"));
	KTAP_EQ(rmdir(scratch_dir), 0);
}

KTAP_MAIN(KTAP_CASE(prepare), KTAP_CASE(test_records), KTAP_CASE(test_without_anything),
	  KTAP_CASE(test_flags), KTAP_CASE(test_refused), KTAP_CASE(clean))
