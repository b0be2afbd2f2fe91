/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal: the chardev on stdin and stdout, raw while the guest has it,
 * and the keys that are not the guest's.
 *
 * Where stdin is a terminal, Ctrl-A begins a command; other input (a pipe, a
 * file) goes to the guest byte for byte. The end of input, or a terminal that
 * is hung up, ends input and nothing else; output that nobody can receive is
 * dropped.
 */
#ifndef ARMVMM_RUN_TERM_H
#define ARMVMM_RUN_TERM_H

#include "core/chardev.h"
#include "core/error.h"

enum term_key { TERM_KEY_QUIT, TERM_KEY_POWER };

/*
 * Makes the chardev. @key is called on the main thread for the commands that are
 * not the terminal's own. Returns 0 or -errno.
 */
int term_create(struct chardev **chr, void (*key)(void *opaque, enum term_key key), void *opaque,
		struct error *err);

/*
 * Takes the terminal, if a device uses it and it is ours to take (a job in the background waits),
 * and reads input.
 */
void term_start(struct chardev *chr);

/* Gives the terminal back and stops reading. term_start() takes it again. */
void term_stop(struct chardev *chr);

/* Takes the terminal again after a stop, without losing what is typed meanwhile. */
void term_retake(struct chardev *chr);

/* Tells the clients that the terminal may have another size (SIGWINCH). */
void term_resized(struct chardev *chr);

/* Writes queued output, for at most @ms milliseconds. */
void term_flush(struct chardev *chr, unsigned int ms);

/* Flushes, gives the terminal back, frees. NULL does nothing. */
void term_destroy(struct chardev *chr);

/*
 * Restores the terminal when the process dies of an abort or a fault, or calls exit(). Call it
 * once, before term_start().
 */
void term_guard(void);

/* Restores the terminal, and ends the process, whatever its threads do. Any thread. */
void term_abandon(int status) __attribute__((noreturn));

#endif /* ARMVMM_RUN_TERM_H */
