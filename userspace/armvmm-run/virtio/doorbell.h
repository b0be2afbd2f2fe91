/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An eventfd that another process has as well, and need not wish us well. O_NONBLOCK belongs to the
 * open file, so that it can make ours wait: for a counter that it has emptied, or filled. These do
 * not wait, whatever the file's flags are.
 */
#ifndef ARMVMM_RUN_DOORBELL_H
#define ARMVMM_RUN_DOORBELL_H

#include <stdbool.h>

/* Takes what was rung. Returns whether there was any. */
bool doorbell_take(int fd);

/*
 * Rings, unless somebody has rung already and nobody has taken it: one is as good as many. The
 * kernel has no write to an eventfd that is told not to wait: who fills the counter in the moment
 * between our look and our write, with the flag cleared, still makes us wait.
 */
void doorbell_ring(int fd);

#endif /* ARMVMM_RUN_DOORBELL_H */
