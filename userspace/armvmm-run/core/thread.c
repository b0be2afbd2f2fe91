// SPDX-License-Identifier: GPL-2.0-only
/* Threads that work beside the main one. */
#include <signal.h>

#include "core/thread.h"

int thread_start(pthread_t *thread, size_t stack, void *(*work)(void *), void *opaque)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	ret = pthread_create(thread, &attr, work, opaque);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -ret;
}
