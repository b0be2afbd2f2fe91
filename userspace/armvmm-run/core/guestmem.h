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
#define GUESTMEM_HUGE		(2u << 20)	/* bytes: the host's huge pages, if it has any */

struct guestmem_region {
	uint64_t gpa;		/* first guest-physical address */
	uint64_t size;		/* bytes, not 0; gpa + size does not wrap */
	uint8_t *host;
	int fd;			/* of the file that it is, if it is shared; else -1 */
	uint32_t *log;		/* bit n: this process wrote to page n; NULL: never wanted */
};

struct guestmem {
	unsigned int nr_regions;
	uint64_t kept_gpa, kept_size;	/* whole pages that guestmem_discard() leaves */
	bool shared;	/* set before guestmem_alloc(): another process is to have it, too */
	bool pinned;	/* the host's kernel keeps what the guest touched, whatever is done here */
	/* ... until it is unpinned by this; NULL: it cannot be. Main thread. */
	void (*unpin)(void *opaque, uint64_t gpa, uint64_t size);
	void *unpin_opaque;
	/* Told of whole pages before they are given back; NULL: nobody. Main thread. */
	void (*give_back)(void *opaque, const uint8_t *host, size_t len);
	void *give_back_opaque;
	bool logging;	/* atomic: see guestmem_log_start() */
	struct guestmem_region region[GUESTMEM_MAX_REGIONS];
};

/*
 * Adds a region that the caller has mapped. Returns 0, -EINVAL (empty or wrapping),
 * -EEXIST (overlaps another) or -ENOSPC.
 */
int guestmem_add(struct guestmem *mem, uint64_t gpa, uint64_t size, void *host);

/*
 * Maps @size bytes of fresh memory (not reserved, left out of core dumps, huge pages where the host
 * has them) and adds it. It is anonymous or, if @mem is shared, a file without a name, whose size
 * nobody can change. Returns 0 or -errno.
 */
int guestmem_alloc(struct guestmem *mem, uint64_t gpa, uint64_t size);

/*
 * Gives all pages back to the host, but for those to be kept: they read as zero afterwards. No vCPU
 * may run.
 */
void guestmem_discard(struct guestmem *mem);

/*
 * Gives the whole pages of @len bytes at @host, in guest RAM, back to the host: the guest finds
 * zeroes when it uses them again. Does nothing where the host pins guest memory and cannot unpin
 * it: there the guest would keep the old page, and devices would see a new one. Main thread.
 */
void guestmem_release(const struct guestmem *mem, void *host, size_t len);

/*
 * The log of what this process writes to guest memory. The kernel's log has only what the guest
 * itself writes (KVM_GET_DIRTY_LOG). All who write here tell it by guestmem_wrote().
 */

/*
 * Starts an empty log. From then on a page is in the log before the guest learns that it was
 * written, or else whoever called this already sees what was written. Main thread. Returns 0 or
 * -ENOMEM.
 */
int guestmem_log_start(struct guestmem *mem);
void guestmem_log_stop(struct guestmem *mem);

/*
 * Adds the region's log to @bitmap (bit n: page n), and empties it. Any thread, while the log is
 * started. Whoever reads a page afterwards sees what was written to it before it was logged.
 */
void guestmem_log_take(struct guestmem *mem, unsigned int region, uint32_t *bitmap);

/* Puts @bitmap into the log of a region, which is on. Any thread. */
void guestmem_log_put(struct guestmem *mem, unsigned int region, const uint32_t *bitmap);

/* Words of a region's bitmap: an even number, as the kernel counts in 64 bits. */
static inline size_t guestmem_log_words(const struct guestmem_region *r)
{
	return (r->size / GUESTMEM_PAGE + 63) / 64 * 2;
}

/* Does anybody want to know? To be asked after the write. */
static inline bool guestmem_is_logged(const struct guestmem *mem)
{
	/* The write comes first, so that either the log has it, or who starts the log sees it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&mem->logging, __ATOMIC_RELAXED);
}

/* Logs @len bytes at @host, which lie in one region and were written. Any thread. */
void guestmem_wrote(const struct guestmem *mem, const void *host, size_t len);

/* Unmaps regions made by guestmem_alloc() and forgets all. */
void guestmem_destroy(struct guestmem *mem);

/*
 * The host address of @len bytes at @gpa, or NULL unless the whole range lies
 * in one region. A range that wraps is never inside. @len of 0 asks whether
 * @gpa itself lies in a region. Writable; unaligned @gpa gives an unaligned
 * pointer.
 */
void *guestmem_ptr(const struct guestmem *mem, uint64_t gpa, uint64_t len);

/*
 * Copy from or to guest memory; guestmem_write() logs it. Return 0, or -EFAULT (nothing copied) for
 * a bad range.
 */
int guestmem_read(const struct guestmem *mem, uint64_t gpa, void *buf, size_t len);
int guestmem_write(const struct guestmem *mem, uint64_t gpa, const void *buf, size_t len);

#endif /* ARMVMM_RUN_GUESTMEM_H */
