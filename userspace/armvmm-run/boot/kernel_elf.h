/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs in ELF. */
#ifndef ARMVMM_RUN_KERNEL_ELF_H
#define ARMVMM_RUN_KERNEL_ELF_H

#include <stdint.h>

#include "boot/kernel.h"
#include "boot/kernel_file.h"

/* Lays out the program. Returns as kernel_probe() does. */
int kernel_probe_elf(struct kernel_image *image, const struct kernel_file *file,
		     uint64_t ram_base, uint64_t ram_size);

#endif /* ARMVMM_RUN_KERNEL_ELF_H */
