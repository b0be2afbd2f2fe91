// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "boot/fit.h"
#include "boot/payload.h"
#include "boot/uimage.h"
#include "boot/unpack.h"

/* A gzip file of a FIT image with a gzip file of an uImage: more than anybody makes. */
#define PAYLOAD_LAYERS	4

static int payload_unpack(struct loader_file *file, const char *compressor, uint64_t limit,
			  struct error *err)
{
	if (!unpack_can(compressor))
		return error_set(err, -ENOEXEC,
				 "%s: is compressed by %s: unpack it (%s -dc FILE), or use its zImage",
				 file->name, compressor, compressor);
	return unpack_file(file, compressor, limit, err);
}

/* Checks the compressor that a header names against the one that the data shows. */
static int payload_check_told(const char *told, const char *compressor,
			      const struct loader_file *file, struct error *err)
{
	if (!told || (compressor && !strcmp(told, compressor)))
		return 0;
	if (!unpack_can(told))
		return error_set(err, -ENOEXEC, "%s: is a U-Boot image compressed by %s: use its zImage",
				 file->name, told);
	return error_set(err, -ENOEXEC, "%s: is damaged: its header tells of %s, which is not there",
			 file->name, told);
}

static const char *payload_compressor(const struct loader_file *file)
{
	uint8_t head[UNPACK_MAGIC] = { 0 };

	if (loader_file_read(file, head, file->size < sizeof(head) ? file->size : sizeof(head), 0,
			     NULL))
		return NULL;
	return unpack_compressor(head);
}

int payload_kernel(struct loader_file *file, struct loader_file *ramdisk, const char *conf,
		   uint64_t limit, struct error *err)
{
	const char *told = NULL;
	bool found = false;

	for (unsigned int layer = 0; layer < PAYLOAD_LAYERS; layer++) {
		const char *compressor = payload_compressor(file);
		int ret = payload_check_told(told, compressor, file, err);

		told = NULL;
		if (!ret && compressor) {
			ret = payload_unpack(file, compressor, limit, err);
		} else if (!ret && uimage_is(file)) {
			ret = uimage_open(file, UIMAGE_KERNEL, &told, err);
		} else if (!ret && fit_is(file) && !found) {
			ret = fit_open(file, ramdisk, conf, &told, err);
			found = true;
		} else if (!ret) {
			return conf && !found ?
				       error_set(err, -ENOEXEC,
						 "%s: is no FIT image, and has no configuration %s",
						 file->name, conf) : 0;
		}
		if (ret)
			return ret;
	}
	return error_set(err, -ENOEXEC, "%s: is wrapped more than %d times", file->name,
			 PAYLOAD_LAYERS - 1);
}

int payload_ramdisk(struct loader_file *file, struct error *err)
{
	const char *told;

	return uimage_is(file) ? uimage_open(file, UIMAGE_RAMDISK, &told, err) : 0;
}
