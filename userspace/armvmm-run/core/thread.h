/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that work beside the main one. */
#ifndef ARMVMM_RUN_THREAD_H
#define ARMVMM_RUN_THREAD_H

#include <pthread.h>
#include <stddef.h>

/*
 * Starts @work, on a stack of @stack bytes, with all signals blocked: they are the main thread's.
 * Returns 0 or -errno.
 */
int thread_start(pthread_t *thread, size_t stack, void *(*work)(void *), void *opaque);

#endif /* ARMVMM_RUN_THREAD_H */
