/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes a tree from a file fit the machine, whose real counterpart it describes: memory, CPUs,
 * PSCI, counters and virtio devices become the machine's. All else stays, as on QEMU's boards.
 */
#ifndef ARMVMM_RUN_DTB_ADAPT_H
#define ARMVMM_RUN_DTB_ADAPT_H

#include "boot/dtb.h"

/*
 * Changes the tree in @buf of @size bytes, which dtb_complete() has checked. Returns its size, or
 * -EINVAL / -ENOSPC with @err. @name is for messages. Calls @warn with a sentence for what cannot
 * be told to the guest.
 */
int dtb_adapt(void *buf, size_t size, const struct dtb_params *params,
	      const struct device_bus *bus, const char *name, void (*warn)(const char *fmt, ...),
	      struct error *err);

#endif /* ARMVMM_RUN_DTB_ADAPT_H */
