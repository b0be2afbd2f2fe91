/* SPDX-License-Identifier: GPL-2.0-only */
/* What fuzz_migrate.c does itself, for all sources that are linked with it. */
#ifndef TESTS_MIGRATE_FUZZ_H
#define TESTS_MIGRATE_FUZZ_H

#define poll			fuzz_poll
#define getrandom		fuzz_getrandom
#define pthread_create		fuzz_pthread_create
#define pthread_join		fuzz_pthread_join
#define pthread_mutex_lock	fuzz_pthread_mutex_lock
#define pthread_mutex_unlock	fuzz_pthread_mutex_unlock
#define g_get_monotonic_time	fuzz_get_monotonic_time
#define g_usleep		fuzz_usleep
#define g_timeout_add		fuzz_timeout_add

#endif /* TESTS_MIGRATE_FUZZ_H */
