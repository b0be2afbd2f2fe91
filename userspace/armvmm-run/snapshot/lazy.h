/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restores the guest's RAM while the guest runs (userfaultfd(2)): who touches a page that is not
 * here yet waits until a thread has read its block from the snapshots; what nobody touches, the
 * thread reads in order. Then it ends. This holds for the guest, for this process' own threads, and
 * for the kernel on behalf of either, so that nobody else need know of it.
 *
 * A snapshot that turns out to be damaged ends the process (machine.broken) before anybody sees any
 * of the block: those who wait for it cannot go on, nor be stopped in any other way.
 */
#ifndef ARMVMM_RUN_LAZY_H
#define ARMVMM_RUN_LAZY_H

#include "core/error.h"
#include "core/machine.h"
#include "snapshot/places.h"
#include "snapshot/restore.h"

struct lazy;

/*
 * Gets from the host what this needs, before the sandbox takes the right to it. The VM and the
 * devices are there. Returns 0, or -errno with @err set: this host, or this user, cannot.
 */
int lazy_open(struct lazy **lazy, struct machine *m, struct error *err);

/*
 * From here on memory is what @places says. Its files, @file, stay open until all is here. What
 * devices keep is read at once. Nobody has touched RAM yet. Returns 0; then @places and the files
 * are its own; or -errno with @err set. Main thread.
 */
int lazy_start(struct lazy *lazy, struct places *places, const struct restore_file *file,
	       unsigned int nr, struct error *err);

/*
 * The guest runs no more: what nobody waits for is not read, so that it does not matter whether it
 * is damaged. Devices' requests are served until the end. NULL does nothing. Main thread.
 */
void lazy_only_serve(struct lazy *lazy);

/* Nobody may touch RAM afterwards that is not here yet. NULL does nothing. Main thread. */
void lazy_free(struct lazy *lazy);

#endif /* ARMVMM_RUN_LAZY_H */
