/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What FreeBSD's loader hands to a kernel for 32-bit Arm: its environment, the device tree, and
 * records that tell of them and of the kernel itself (the module metadata). The kernel finds them
 * by r0, in the memory behind itself; all their addresses are virtual ones of the kernel.
 */
#ifndef ARMVMM_RUN_FREEBSD_H
#define ARMVMM_RUN_FREEBSD_H

#include <stddef.h>
#include <stdint.h>

#include "boot/kernel.h"
#include "core/error.h"
#include "core/guestmem.h"

struct freebsd {
	char *env;		/* "name=value" with a zero behind each, and another at the end */
	size_t env_size;
	const char *name;	/* of the kernel's file */
	const char *args;	/* the kernel's arguments; NULL: none */
	uint32_t howto;		/* RB_* of its <sys/reboot.h> */
	uint64_t env_gpa, dtb_gpa, meta_gpa;
	uint64_t end;		/* of all, on a page's boundary */
};

/* Checks "NAME=VALUE,...": 0, or -EINVAL with @err set. */
int freebsd_check(const char *vars, struct error *err);

/*
 * Takes the variables @vars, which were checked (NULL: none), and the arguments @args, "-s" or
 * "boot_verbose=YES" and the like (NULL: none). Returns 0 or -ENOMEM.
 */
int freebsd_init(struct freebsd *f, const char *vars, const char *args);
void freebsd_free(struct freebsd *f);

/*
 * Lays all out behind the kernel @image, with @dtb_room bytes for the device tree. @name is the
 * kernel's file. Returns 0, or -ENOEXEC if the kernel is not linked as FreeBSD's are.
 */
int freebsd_layout(struct freebsd *f, const struct kernel_image *image, uint64_t dtb_room,
		   const char *name, struct error *err);

/* Writes the environment and the records. Returns 0, or -EFAULT if memory ends before them. */
int freebsd_write(const struct freebsd *f, const struct kernel_image *image,
		  const struct guestmem *mem);

/* What r0 is at the kernel's start. */
uint32_t freebsd_r0(const struct freebsd *f, const struct kernel_image *image);

#endif /* ARMVMM_RUN_FREEBSD_H */
