/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test program is a table of cases. Each case runs in a process of its own,
 * so that what it leaves open dies with it, and is one KTAP result. Exit
 * status of the program: 0 passed, 1 failed, 4 all skipped.
 */
#ifndef KTAP_H
#define KTAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ktap_case {
	const char *name;
	void (*fn)(void);
	unsigned int seconds;	/* 0: 60 */
};

/* Runs all cases, or those whose names follow on the command line. */
int ktap_main(int argc, char **argv, const struct ktap_case *cases, unsigned int n);
#define KTAP_MAIN(cases)							\
	int main(int argc, char **argv)						\
	{									\
		return ktap_main(argc, argv, cases, sizeof(cases) / sizeof((cases)[0])); \
	}

/* How many times slower than a stock host this one is: 1, or as tests/host/runner says. */
unsigned int ktap_slowdown(void);

/* Has @fn called when the case, in whose process this is, has passed or is skipped. */
void ktap_at_end(void (*fn)(void));

/* Inside a case: ktap_fail() reports a failure and the case goes on; the others end it. */
void ktap_fail(const char *file, int line, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void ktap_stop(void) __attribute__((noreturn));
/* True in a process that has reported a failure. One that a case forks tells it by its status. */
bool ktap_failed(void);
void ktap_skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void ktap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(cond, ...)							\
do {										\
	if (!(cond))								\
		ktap_fail(__FILE__, __LINE__, #cond, " " __VA_ARGS__);		\
} while (0)

/* A step that all later ones need. */
#define MUST(cond, ...)								\
do {										\
	if (!(cond)) {								\
		ktap_fail(__FILE__, __LINE__, #cond, " " __VA_ARGS__);		\
		ktap_stop();							\
	}									\
} while (0)

/* A call that must fail with -1 and this errno. */
#define CHECK_ERRNO(call, want)							\
do {										\
	errno = 0;								\
	long r_ = (call);							\
	int e_ = errno;								\
	if (r_ != -1 || e_ != (want))						\
		ktap_fail(__FILE__, __LINE__, #call, "returned %ld, %s; want %s", r_,	\
			  r_ == -1 ? strerrorname_np(e_) : "no error",		\
			  strerrorname_np(want));				\
} while (0)

/* A call that must succeed. Its value is the call's. */
#define CHECK_OK(call)								\
({										\
	errno = 0;								\
	long r_ = (call);							\
	if (r_ < 0)								\
		ktap_fail(__FILE__, __LINE__, #call, "%s", strerror(errno)); \
	r_;									\
})
#define MUST_OK(call)								\
({										\
	errno = 0;								\
	long r_ = (call);							\
	if (r_ < 0) {								\
		ktap_fail(__FILE__, __LINE__, #call, "%s", strerror(errno)); \
		ktap_stop();							\
	}									\
	r_;									\
})

#endif /* KTAP_H */
