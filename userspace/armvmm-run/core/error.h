/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a failure travels: a function returns -errno and, where it takes a
 * struct error, leaves there a sentence for a person. Only main() prints it.
 *
 * The sentence names the file or the option first, then the reason, without
 * a newline and without the program's name: "--cpus 9: must be 1 to 8",
 * "disk.img: is a directory".
 */
#ifndef ARMVMM_RUN_ERROR_H
#define ARMVMM_RUN_ERROR_H

struct error {
	char text[512];
};

/*
 * Writes the sentence and returns @code, so that a caller can say
 * "return error_set(err, -EINVAL, ...)". @err may be NULL.
 */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": " and the text of errno -@code (a negative errno) behind the sentence. */
int error_errno(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* ARMVMM_RUN_ERROR_H */
