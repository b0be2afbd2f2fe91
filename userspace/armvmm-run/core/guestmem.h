/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest RAM as devices and loaders see it: a few regions of guest-physical
 * addresses, each backed by one host mapping.
 *
 * The guest's vCPUs write this memory at any moment: read each field once
 * (into a local) before checking it, and never trust what was checked before.
 *
 * Regions are added before the first vCPU runs and stay until exit, so
 * lookups take no lock and any thread may call them.
 */
#ifndef ARMVMM_RUN_GUESTMEM_H
#define ARMVMM_RUN_GUESTMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUESTMEM_MAX_REGIONS	4
#define GUESTMEM_PAGE		4096u	/* bytes: the host's pages, and the guest's */

struct guestmem_region {
	uint64_t gpa;		/* first guest-physical address */
	uint64_t size;		/* bytes, not 0; gpa + size does not wrap */
	uint8_t *host;
};

struct guestmem {
	unsigned int nr_regions;
	bool pinned;	/* the host's kernel keeps what the guest touched, whatever is done here */
	struct guestmem_region region[GUESTMEM_MAX_REGIONS];
};

/*
 * Adds a region that the caller has mapped. Returns 0, -EINVAL (empty or wrapping),
 * -EEXIST (overlaps another) or -ENOSPC.
 */
int guestmem_add(struct guestmem *mem, uint64_t gpa, uint64_t size, void *host);

/*
 * Maps @size bytes of fresh anonymous memory (not reserved, left out of core
 * dumps, huge pages where the host has them) and adds it. Returns 0 or -errno.
 */
int guestmem_alloc(struct guestmem *mem, uint64_t gpa, uint64_t size);

/* Gives all pages back to the host: they read as zero afterwards. No vCPU may run. */
void guestmem_discard(struct guestmem *mem);

/*
 * Gives the whole pages of @len bytes at @host, in guest RAM, back to the host: the guest finds
 * zeroes when it uses them again. Does nothing where the host pins guest memory: there the guest
 * would keep the old page, and devices would see a new one. Any thread.
 */
void guestmem_release(const struct guestmem *mem, void *host, size_t len);

/* Unmaps regions made by guestmem_alloc() and forgets all. */
void guestmem_destroy(struct guestmem *mem);

/*
 * The host address of @len bytes at @gpa, or NULL unless the whole range lies
 * in one region. A range that wraps is never inside. @len of 0 asks whether
 * @gpa itself lies in a region. Writable; unaligned @gpa gives an unaligned
 * pointer.
 */
void *guestmem_ptr(const struct guestmem *mem, uint64_t gpa, uint64_t len);

/* Copy from or to guest memory. Returns 0, or -EFAULT (nothing copied) for a bad range. */
int guestmem_read(const struct guestmem *mem, uint64_t gpa, void *buf, size_t len);
int guestmem_write(const struct guestmem *mem, uint64_t gpa, const void *buf, size_t len);

#endif /* ARMVMM_RUN_GUESTMEM_H */
