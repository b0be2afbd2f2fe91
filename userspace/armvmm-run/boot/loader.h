/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that go into RAM before the guest starts. They are opened and laid
 * out once and read at every start, so that a reboot finds what the first
 * start found.
 *
 * By the Linux boot protocol (Documentation/arch/arm/booting.rst) the device tree, like the initrd,
 * lies in low memory where neither the decompressor nor the unpacked kernel reaches.
 */
#ifndef ARMVMM_RUN_LOADER_H
#define ARMVMM_RUN_LOADER_H

#include "core/config.h"
#include "core/error.h"
#include "core/guestmem.h"
#include "boot/freebsd.h"
#include "boot/kernel.h"
#include "boot/loader_file.h"

struct loader {
	uint64_t ram_base, ram_size;
	bool firmware;		/* firmware starts, and RAM gets only the device tree */
	struct loader_file kernel, dtb;
	char *kernel_name;	/* without the configuration; NULL: there is none */
	unsigned int nr_initrds;
	struct loader_file initrd[CONFIG_MAX_INITRDS];
	struct kernel_image image;
	struct freebsd *freebsd;	/* NULL: the kernel is started as Linux is */
	uint64_t initrd_gpa;	/* when initrd_size */
	uint64_t initrd_size;	/* of all, one behind the other as Linux takes them */
	uint64_t dtb_gpa;
	uint64_t dtb_room;	/* bytes that the device tree may have */
};

/* Opens, checks and lays out the files. Returns 0 or -errno with @err naming the file. */
int loader_open(struct loader *loader, const struct config *config, uint64_t ram_base,
		uint64_t ram_size, struct error *err);

/*
 * Reads kernel and initrds into @mem, which reads as zero elsewhere. Returns 0 or
 * -errno: a file has shrunk or cannot be read.
 */
int loader_load(const struct loader *loader, const struct guestmem *mem, struct error *err);

/*
 * Reads @len bytes, from @offset on, of the kernel or of the initrds (one behind the other), for
 * firmware that starts them. The caller makes sure that they exist. Any thread. Returns 0 or
 * -errno.
 */
int loader_read_kernel(void *loader, uint32_t offset, void *buf, uint32_t len);
int loader_read_initrd(void *loader, uint32_t offset, void *buf, uint32_t len);

/*
 * The boot CPU's first registers. Linux: r0 = 0, r1 = any machine, r2 = device tree. FreeBSD: r0 =
 * its loader's records. Firmware starts as from reset, with zeroes.
 */
struct loader_registers {
	uint32_t r0, r1, r2;
};

struct loader_registers loader_registers(const struct loader *loader);

/* Reads all of the --dtb file into @buf of @size bytes. Returns its length or -errno. */
int loader_read_dtb(const struct loader *loader, void *buf, size_t size, struct error *err);

void loader_close(struct loader *loader);

#endif /* ARMVMM_RUN_LOADER_H */
