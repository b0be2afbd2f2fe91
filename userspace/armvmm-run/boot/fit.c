// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/fdt_check.h"
#include "boot/fit.h"

/* The tree is read at once. This suffices even if the data of several kernels is inside. */
#define FIT_MAX		(512u << 20)
#define FIT_MAX_HASH	64	/* bytes: SHA-512's */
#define FIT_MAX_HASHES	8	/* of a part: each is a pass over its data */

struct fit {
	const struct loader_file *file;
	const void *tree;
	size_t size;		/* of the tree */
	struct error *err;
};

/* A part of the file, and what the tree says of it. */
struct fit_part {
	const char *name;
	int node;
	uint64_t offset, size;
};

bool fit_is(const struct loader_file *file)
{
	fdt32_t magic;

	return file->size >= sizeof(struct fdt_header) &&
	       !loader_file_read(file, &magic, sizeof(magic), 0, NULL) &&
	       fdt32_to_cpu(magic) == FDT_MAGIC;
}

static int fit_read(struct fit *fit, void **tree)
{
	struct fdt_header header;
	int ret;

	ret = loader_file_read(fit->file, &header, sizeof(header), 0, fit->err);
	if (ret)
		return ret;
	fit->size = fdt_totalsize(&header);
	if (fit->size > fit->file->size)
		return error_set(fit->err, -ENOEXEC,
				 "%s: is truncated: %llu bytes of the %llu that its header tells",
				 fit->file->name, (unsigned long long)fit->file->size,
				 (unsigned long long)fit->size);
	if (fit->size > FIT_MAX)
		return error_set(fit->err, -E2BIG, "%s: is larger than a FIT image can be, %u MiB",
				 fit->file->name, FIT_MAX >> 20);
	*tree = malloc(fit->size ? fit->size : 1);
	if (!*tree)
		return error_errno(fit->err, -ENOMEM, "%s", fit->file->name);
	fit->tree = *tree;
	ret = loader_file_read(fit->file, *tree, fit->size, 0, fit->err);
	if (!ret)
		ret = fdt_check_blob(*tree, fit->size, fit->file->name, fit->err);
	return ret == -EINVAL ? -ENOEXEC : ret;
}

/* A property that is a string, or NULL. */
static const char *fit_string(const struct fit *fit, int node, const char *property)
{
	int len;
	const char *text = fdt_getprop(fit->tree, node, property, &len);

	return text && len > 0 && strnlen(text, len) == (size_t)len - 1 ? text : NULL;
}

static bool fit_u32(const struct fit *fit, int node, const char *property, uint32_t *value)
{
	int len;
	const fdt32_t *cell = fdt_getprop(fit->tree, node, property, &len);

	if (!cell || len != sizeof(*cell))
		return false;
	*value = fdt32_ld(cell);
	return true;
}

/* "conf-1, conf-2", cut where it is too long. */
static void fit_list(const struct fit *fit, int parent, char *buf, size_t size)
{
	size_t len = 0;
	int node;

	buf[0] = '\0';
	fdt_for_each_subnode(node, fit->tree, parent) {
		if (len < size)
			len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
					fdt_get_name(fit->tree, node, NULL));
	}
}

static int fit_configuration(const struct fit *fit, const char *name)
{
	int parent = fdt_path_offset(fit->tree, "/configurations"), node;
	char list[200];

	if (fdt_path_offset(fit->tree, "/images") < 0)
		return error_set(fit->err, -ENOEXEC,
				 "%s: is a device tree and no FIT image (--dtb FILE takes one)",
				 fit->file->name);
	if (parent < 0)
		return error_set(fit->err, -ENOEXEC, "%s: is a FIT image without configurations",
				 fit->file->name);
	fit_list(fit, parent, list, sizeof(list));
	if (!name)
		name = fit_string(fit, parent, "default");
	if (!name)
		return error_set(fit->err, -ENOEXEC,
				 "%s: has no default configuration: name one as FILE#NAME, of %s",
				 fit->file->name, list);
	node = fdt_subnode_offset(fit->tree, parent, name);
	if (node < 0)
		return error_set(fit->err, -ENOEXEC, "%s: has no configuration %s: it has %s",
				 fit->file->name, name, list);
	return node;
}

/*
 * Finds the data: in the tree, or behind it, at an offset from the tree's end or the file's start.
 */
static int fit_data(const struct fit *fit, struct fit_part *part)
{
	uint32_t offset, size;
	int len;
	const void *data = fdt_getprop(fit->tree, part->node, "data", &len);

	if (data) {
		part->offset = (const char *)data - (const char *)fit->tree;
		part->size = len;
	} else if (fit_u32(fit, part->node, "data-size", &size) &&
		   fit_u32(fit, part->node, "data-position", &offset)) {
		part->offset = offset;
		part->size = size;
	} else if (fit_u32(fit, part->node, "data-size", &size) &&
		   fit_u32(fit, part->node, "data-offset", &offset)) {
		part->offset = ((uint64_t)fit->size + 3) / 4 * 4 + offset;
		part->size = size;
	} else {
		return error_set(fit->err, -ENOEXEC, "%s: %s has no data", fit->file->name,
				 part->name);
	}
	if (!part->size)
		return error_set(fit->err, -ENOEXEC, "%s: %s is empty", fit->file->name,
				 part->name);
	if (part->offset > fit->file->size || part->size > fit->file->size - part->offset)
		return error_set(fit->err, -ENOEXEC, "%s: is truncated: %s is not whole",
				 fit->file->name, part->name);
	return 0;
}

static void fit_update(void *opaque, const void *buf, size_t len)
{
	g_checksum_update(opaque, buf, len);
}

/* The hash of a part's data into @value. Returns its length or -errno. */
static int fit_hash(const struct fit *fit, const struct fit_part *part, const char *algo,
		    uint8_t *value)
{
	static const struct {
		const char *name;
		GChecksumType type;
	} types[] = {
		{ "md5", G_CHECKSUM_MD5 },	 { "sha1", G_CHECKSUM_SHA1 },
		{ "sha256", G_CHECKSUM_SHA256 }, { "sha384", G_CHECKSUM_SHA384 },
		{ "sha512", G_CHECKSUM_SHA512 },
	};
	gsize len = FIT_MAX_HASH;
	GChecksum *sum;
	uint32_t crc;
	int ret;

	if (!strcmp(algo, "crc32")) {
		ret = loader_file_crc32(fit->file, part->offset, part->size, &crc, fit->err);
		crc = htobe32(crc);
		memcpy(value, &crc, sizeof(crc));
		return ret ? ret : (int)sizeof(crc);
	}
	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(algo, types[i].name))
			continue;
		sum = g_checksum_new(types[i].type);
		ret = loader_file_each(fit->file, part->offset, part->size, fit_update, sum,
				       fit->err);
		g_checksum_get_digest(sum, value, &len);
		g_checksum_free(sum);
		return ret ? ret : (int)len;
	}
	return error_set(fit->err, -ENOEXEC, "%s: %s has a hash by %s, which is not known here",
			 fit->file->name, part->name, algo);
}

static int fit_check_hashes(const struct fit *fit, const struct fit_part *part)
{
	uint8_t value[FIT_MAX_HASH];
	unsigned int nr = 0;
	int node, len, told;

	fdt_for_each_subnode(node, fit->tree, part->node) {
		const char *algo = fit_string(fit, node, "algo");
		const void *want = fdt_getprop(fit->tree, node, "value", &told);

		if (strncmp(fdt_get_name(fit->tree, node, NULL), "hash", 4))
			continue;
		if (nr++ == FIT_MAX_HASHES)
			return error_set(fit->err, -ENOEXEC, "%s: %s has more than %d hashes",
					 fit->file->name, part->name, FIT_MAX_HASHES);
		if (!algo || !want)
			return error_set(fit->err, -ENOEXEC, "%s: a hash of %s is not whole",
					 fit->file->name, part->name);
		len = fit_hash(fit, part, algo, value);
		if (len < 0)
			return len;
		if (told != len || memcmp(want, value, len))
			return error_set(fit->err, -ENOEXEC, "%s: is damaged: the %s of %s is wrong",
					 fit->file->name, algo, part->name);
	}
	return 0;
}

static int fit_check_kind(const struct fit *fit, const struct fit_part *part, bool ramdisk)
{
	const char *type = fit_string(fit, part->node, "type");
	const char *arch = fit_string(fit, part->node, "arch");
	bool fits = type && (ramdisk ? !strcmp(type, "ramdisk") :
				       !strcmp(type, "kernel") || !strcmp(type, "kernel_noload"));

	if (!fits)
		return error_set(fit->err, -ENOEXEC, "%s: %s is no %s: its type is %s",
				 fit->file->name, part->name, ramdisk ? "RAM disk" : "kernel",
				 type ? type : "not told");
	if (!arch || strcmp(arch, "arm"))
		return error_set(fit->err, -ENOEXEC,
				 "%s: %s is for another architecture (%s), and guests are 32-bit Arm",
				 fit->file->name, part->name, arch ? arch : "not told");
	return 0;
}

/* The part that a configuration's @property names. */
static int fit_part(const struct fit *fit, struct fit_part *part, const char *name, bool ramdisk)
{
	int ret;

	part->name = name;
	part->node = fdt_subnode_offset(fit->tree, fdt_path_offset(fit->tree, "/images"), name);
	if (part->node < 0)
		return error_set(fit->err, -ENOEXEC, "%s: has no image %s", fit->file->name, name);
	ret = fit_check_kind(fit, part, ramdisk);
	if (!ret)
		ret = fit_data(fit, part);
	return ret ? ret : fit_check_hashes(fit, part);
}

static int fit_ramdisk(const struct fit *fit, int conf, struct loader_file *ramdisk)
{
	const char *name = fit_string(fit, conf, "ramdisk");
	struct fit_part part;
	int ret;

	if (!name || !ramdisk)
		return 0;
	ret = fit_part(fit, &part, name, true);
	return ret ? ret : loader_file_dup(ramdisk, fit->file, part.offset, part.size, fit->err);
}

/* Returns a string constant: nothing may point into the tree. */
static const char *fit_compressor(const struct fit *fit, int node)
{
	static const char *const names[] = { "gzip", "bzip2", "lzma", "lzo", "lz4", "zstd" };
	const char *told = fit_string(fit, node, "compression");

	if (!told || !strcmp(told, "none"))
		return NULL;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(told, names[i]))
			return names[i];
	return "an unknown compressor";
}

int fit_open(struct loader_file *file, struct loader_file *ramdisk, const char *name,
	     const char **compressor, struct error *err)
{
	struct fit fit = { .file = file, .err = err };
	struct fit_part kernel;
	const char *image;
	void *tree = NULL;
	int conf, ret;

	ret = fit_read(&fit, &tree);
	conf = ret ? ret : fit_configuration(&fit, name);
	if (conf >= 0) {
		image = fit_string(&fit, conf, "kernel");
		ret = image ? fit_part(&fit, &kernel, image, false) :
			      error_set(err, -ENOEXEC, "%s: its configuration %s has no kernel",
					file->name, fdt_get_name(tree, conf, NULL));
	} else {
		ret = conf;
	}
	if (!ret)
		ret = fit_ramdisk(&fit, conf, ramdisk);
	if (!ret) {
		*compressor = fit_compressor(&fit, kernel.node);
		file->offset += kernel.offset;
		file->size = kernel.size;
	}
	free(tree);
	return ret;
}
