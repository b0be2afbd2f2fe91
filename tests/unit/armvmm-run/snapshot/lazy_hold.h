/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test of memory that comes later puts before all sources: files that can be slow. */
#ifndef TESTS_UNIT_LAZY_HOLD_H
#define TESTS_UNIT_LAZY_HOLD_H

#include <unistd.h>

ssize_t hold_pread(int fd, void *buf, size_t len, off_t at);

#define pread	hold_pread

#endif /* TESTS_UNIT_LAZY_HOLD_H */
