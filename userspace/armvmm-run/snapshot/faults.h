/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of the guest's RAM that are missing, and who waits for them (userfaultfd(2)): the guest,
 * threads of this process, and the kernel on behalf of either.
 */
#ifndef ARMVMM_RUN_FAULTS_H
#define ARMVMM_RUN_FAULTS_H

#include <stdint.h>

#include "core/error.h"
#include "core/machine.h"

#define FAULTS_MAX	16u	/* that are read at once */

struct faults {
	int fd;			/* -1: closed */
};

/*
 * Gets from the host what this needs, before the sandbox takes the right to it. The VM and the
 * devices are there. Returns 0, or -errno with @err set: this host, or this user, cannot. @what
 * begins the message.
 */
int faults_open(struct faults *f, const struct machine *m, const char *what, struct error *err);

/* What is missing afterwards is zero, as in any new memory. Wakes who waits. */
void faults_close(struct faults *f);

/* From here on, who touches RAM that is missing waits. Returns 0 or -errno. */
int faults_register(const struct faults *f, const struct machine *m);
void faults_unregister(const struct faults *f, const struct machine *m);

/* Reads for which pages somebody waits. Returns how many; 0: for none now. */
unsigned int faults_read(const struct faults *f, uint8_t *page[FAULTS_MAX]);

/*
 * Puts pages in place, copies of those at @from, or zeroes if that is NULL, and wakes who waits for
 * them. Stops at one that is there already. Returns how many bytes, which may be none yet; -EEXIST
 * if the first page is there; or another -errno.
 */
int64_t faults_put(const struct faults *f, uint8_t *to, const uint8_t *from, uint64_t len);

/* Wakes who waits for a page that is there. Returns 0 or -errno. */
int faults_wake(const struct faults *f, const uint8_t *page);

/* Who waits, for whatever page, touches it again: faults_read() tells of that once more. */
void faults_again(const struct faults *f, const struct machine *m);

/* Says that a page could not be put in place. Returns @ret. */
int faults_error(int ret, struct error *err);

#endif /* ARMVMM_RUN_FAULTS_H */
