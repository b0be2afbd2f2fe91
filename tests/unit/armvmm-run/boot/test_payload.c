// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/boot/kernel_elf.c userspace/armvmm-run/boot/kernel_file.c
// sources: userspace/armvmm-run/boot/kernel.c userspace/armvmm-run/boot/loader.c userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/boot/uimage.c userspace/armvmm-run/boot/loader_file.c
// sources: userspace/armvmm-run/boot/payload.c userspace/armvmm-run/boot/unpack.c
// sources: userspace/armvmm-run/boot/freebsd.c userspace/armvmm-run/boot/fit.c userspace/armvmm-run/boot/fdt_check.c
// files: tests/unit/armvmm-run/boot/image_make.h tests/unit/armvmm-run/scratch.h
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0 zlib libzstd
// libs: -lfdt
//
// Kernels that are wrapped for a boot loader or compressed: whole, damaged in each place, cut
// short, and made to unpack to more than there is room for.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <libfdt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "../guest/lib/board.h"
#include "armvmm-run/boot/image_make.h"
#include "armvmm-run/scratch.h"
#include "boot/loader.h"
#include "ktap.h"

#define RAM	((uint64_t)RAM_BASE)
#define MIB	(1ull << 20)
#define KERNEL	(300u << 10)	/* bytes: several pieces */

static struct error err;
static uint8_t kernel[KERNEL];	/* a zImage, whose bytes hardly repeat */
static uint8_t buf[4 * KERNEL];

static void make_kernel(void)
{
	uint32_t seed = 1;

	make_zimage((struct zimage *)kernel, sizeof(kernel), 2 * MIB, 0, 0x8000);
	for (size_t i = sizeof(struct zimage); i < sizeof(kernel); i++) {
		seed = seed * 1664525 + 1013904223;
		kernel[i] = seed >> 24;
	}
}

/* Compresses into @out, which has room. Returns the length. */
static size_t make_gzip(uint8_t *out, size_t room, const void *data, size_t len)
{
	z_stream z = { .next_in = (void *)data, .avail_in = len, .next_out = out,
		       .avail_out = room };

	KTAP_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	KTAP_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t make_zstd(uint8_t *out, size_t room, const void *data, size_t len)
{
	return ZSTD_compress(out, room, data, len, 3);
}

static int open_named(struct loader *l, const char *name, const char *initrd)
{
	struct config config = { .kernel = name, .nr_initrds = !!initrd, .initrd = { initrd } };

	err.text[0] = '\0';
	return loader_open(l, &config, RAM, 64 * MIB, &err);
}

static int open_kernel(struct loader *l, const void *data, size_t len)
{
	write_file("k", data, len, len);
	return open_named(l, path("k"), NULL);
}

/* Checks that the opened file is the kernel, at this start and at the next. */
static void check_kernel(struct loader *l)
{
	struct guestmem mem = { 0 };

	KTAP_EQ(l->image.format, KERNEL_ZIMAGE);
	KTAP_ASSERT(l->kernel.size == sizeof(kernel));
	KTAP_EQ(guestmem_alloc(&mem, RAM, 64 * MIB), 0);
	for (int start = 0; start < 2; start++) {
		KTAP_EQ(loader_load(l, &mem, &err), 0);
		KTAP_MEMEQ(guestmem_ptr(&mem, l->image.segment[0].gpa, sizeof(kernel)), kernel,
			   sizeof(kernel));
		guestmem_discard(&mem);
	}
	guestmem_destroy(&mem);
}

/* The file is accepted, and the guest gets the kernel. */
static void takes(const void *data, size_t len)
{
	struct loader l;
	int ret = open_kernel(&l, data, len);

	if (ret)
		KTAP_FAIL("%s", err.text);
	else
		check_kernel(&l);
	loader_close(&l);
}

/* The file is refused with a message that has @text. */
static void refuses(const void *data, size_t len, int code, const char *text)
{
	struct loader l;

	KTAP_EQ(open_kernel(&l, data, len), (unsigned long long)code);
	if (!strstr(err.text, text))
		KTAP_FAIL("\"%s\" and not \"%s\"", err.text, text);
	KTAP_EQ(l.kernel.fd, (unsigned long long)-1);
}

static const struct compressor {
	const char *name;
	size_t (*make)(uint8_t *out, size_t room, const void *data, size_t len);
	uint8_t comp;	/* its number in U-Boot's header */
} compressors[] = { { "gzip", make_gzip, 1 }, { "zstd", make_zstd, 6 } };

#define EACH_COMPRESSOR(c) \
	for (const struct compressor *c = compressors; c < compressors + 2; c++)

static void test_compressed(void)
{
	EACH_COMPRESSOR(c) {
		size_t len = c->make(buf, sizeof(buf), kernel, sizeof(kernel)), first;

		takes(buf, len);
		/* What follows is ignored: a device tree, say, or zeroes. */
		memset(buf + len, 0, 1000);
		memcpy(buf + len, "\xd0\x0d\xfe\xed", 4);
		takes(buf, len + 1000);
		/* Two compressed parts, one behind the other, are one file. */
		first = c->make(buf, sizeof(buf), kernel, 100000);
		len = c->make(buf + first, sizeof(buf) - first, kernel + 100000,
			      sizeof(kernel) - 100000);
		takes(buf, first + len);
	}
}

static void test_compressed_damaged(void)
{
	char text[64];

	EACH_COMPRESSOR(c) {
		size_t len = c->make(buf, sizeof(buf), kernel, sizeof(kernel));

		snprintf(text, sizeof(text), "/k: is truncated: its %s data does not end", c->name);
		for (size_t cut = 8; cut < len; cut += cut < 64 ? 1 : 50021)
			refuses(buf, cut, -ENOEXEC, text);
		refuses(buf, len - 1, -ENOEXEC, text);
	}
	/* The checksums at the ends. zstd writes one if it is asked to. */
	make_gzip(buf, sizeof(buf), kernel, sizeof(kernel));
	buf[make_gzip(buf, sizeof(buf), kernel, sizeof(kernel)) - 5] ^= 1;
	refuses(buf, sizeof(buf), -ENOEXEC, "/k: its gzip data is damaged");
	memset(buf, 0xff, sizeof(buf));
	memcpy(buf, "\x28\xb5\x2f\xfd", 4);
	refuses(buf, sizeof(buf), -ENOEXEC, "/k: its zstd data is damaged");
	/* Compressed nonsense is handled like the nonsense inside. */
	memset(kernel, 'x', 100);
	EACH_COMPRESSOR(c) {
		size_t len = c->make(buf, sizeof(buf), kernel, sizeof(kernel));

		refuses(buf, len, -ENOEXEC, "/k: is no zImage, Image or ELF program");
		len = c->make(buf, sizeof(buf), "", 0);
		refuses(buf, len, -ENOEXEC, "/k: is empty");
	}
	make_kernel();
}

/* A few KiB that unpack to a GiB: refused as soon as there is more than memory has. */
static void test_bomb(void)
{
	const size_t big = 64 * MIB + 1;
	uint8_t *zeroes = calloc(1, big), *bomb = malloc(2 * MIB);
	struct loader l;

	KTAP_ASSERT(zeroes && bomb);
	EACH_COMPRESSOR(c) {
		size_t len = c->make(bomb, 2 * MIB, zeroes, big);

		refuses(bomb, len, -E2BIG,
			"/k: unpacks to more than 64 MiB, for which there is no room");
		/* With one byte less it fits, and then is not a kernel. */
		len = c->make(bomb, 2 * MIB, zeroes, big - 1);
		refuses(bomb, len, -ENOEXEC, "/k: is no zImage");
	}
	/* 20 of 64 MiB, with more memory: there is also a limit besides the guest's memory. */
	size_t len = make_gzip(bomb, 2 * MIB, zeroes, 64 * MIB);
	struct config config = { .kernel = path("k") };
	int fd = open(path("k"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (int i = 0; i < 20; i++)
		KTAP_EQ(write(fd, bomb, len), len);
	close(fd);
	KTAP_EQ(loader_open(&l, &config, RAM, 3072 * MIB, &err), (unsigned long long)-E2BIG);
	KTAP_TRUE(strstr(err.text, "/k: unpacks to more than 256 MiB"));
	free(zeroes);
	free(bomb);
}

/* ---- uImage ---- */

static void test_uimage(void)
{
	memcpy(buf + 64, kernel, sizeof(kernel));
	make_uimage(buf, sizeof(kernel), 2, 2, 0);
	takes(buf, 64 + sizeof(kernel));
	make_uimage(buf, sizeof(kernel), 2, 14, 0);
	takes(buf, 64 + sizeof(kernel) + 500);

	EACH_COMPRESSOR(c) {
		size_t len = c->make(buf + 64, sizeof(buf) - 64, kernel, sizeof(kernel));

		make_uimage(buf, len, 2, 2, c->comp);
		takes(buf, 64 + len);
		/* Made with -C none from a compressed file: the contents show the compressor. */
		make_uimage(buf, len, 2, 2, 0);
		takes(buf, 64 + len);
		/* And a kernel that is compressed as a whole. */
		memcpy(buf + 64, kernel, sizeof(kernel));
		make_uimage(buf, sizeof(kernel), 2, 2, 0);
		len = c->make(buf + 2 * KERNEL, 2 * KERNEL, buf, 64 + sizeof(kernel));
		takes(buf + 2 * KERNEL, len);
	}
}

static void test_uimage_refused(void)
{
	static const struct {
		uint8_t arch, type, comp;
		const char *text;
	} cases[] = {
		{ 22, 2, 0, "is a U-Boot image for another architecture (22)" },
		{ 2, 3, 0, "is a U-Boot image, a RAM disk (3), and no kernel" },
		{ 2, 4, 0, "is a U-Boot image, of several files (4), and no kernel" },
		{ 2, 6, 0, "is a U-Boot image, a script (6), and no kernel" },
		{ 2, 200, 0, "is a U-Boot image, of an unknown type (200), and no kernel" },
		{ 2, 2, 1, "is damaged: its header tells of gzip, which is not there" },
		{ 2, 2, 3, "is a U-Boot image compressed by lzma: use its zImage" },
		{ 2, 2, 200, "is a U-Boot image compressed by an unknown compressor" },
	};
	const size_t size = 64 + sizeof(kernel);

	memcpy(buf + 64, kernel, sizeof(kernel));
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_uimage(buf, sizeof(kernel), cases[i].arch, cases[i].type, cases[i].comp);
		refuses(buf, size, -ENOEXEC, cases[i].text);
	}
	make_uimage(buf, sizeof(kernel), 2, 2, 0);
	for (unsigned int i = 4; i < 64; i++) {
		buf[i] ^= 0x10;
		refuses(buf, size, -ENOEXEC, "the checksum of its U-Boot header is wrong");
		buf[i] ^= 0x10;
	}
	for (unsigned int i = 64; i < size; i += 30011) {
		buf[i] ^= 0x10;
		refuses(buf, size, -ENOEXEC, "the checksum of its data is wrong");
		buf[i] ^= 0x10;
	}
	refuses(buf, size - 1, -ENOEXEC, "is truncated: 307199 bytes of the 307200");
	refuses(buf, 63, -ENOEXEC, "is no zImage");
	make_uimage(buf, 0, 2, 2, 0);
	refuses(buf, size, -ENOEXEC, "is truncated");
	/* A file in a file in a file. */
	memcpy(buf + 4 * 64, kernel, sizeof(kernel));
	for (int i = 3; i >= 0; i--)
		make_uimage(buf + 64 * i, sizeof(kernel) + 64 * (3 - i), 2, 2, 0);
	refuses(buf, sizeof(kernel) + 4 * 64, -ENOEXEC, "is wrapped more than 3 times");
	takes(buf + 64, sizeof(kernel) + 3 * 64);
}

/* The RAM disk without its header, and no longer than the header says. */
static void test_uinitrd(void)
{
	struct guestmem mem = { 0 };
	struct loader l;

	write_file("k", kernel, sizeof(kernel), sizeof(kernel));
	memcpy(buf + 64, kernel, 5000);
	make_uimage(buf, 4000, 2, 3, 1);
	write_file("r", buf, 5064, 5064);
	KTAP_EQ(guestmem_alloc(&mem, RAM, 64 * MIB), 0);
	KTAP_EQ(open_named(&l, path("k"), path("r")), 0);
	KTAP_EQ(l.initrd_size, 4000);
	KTAP_EQ(loader_load(&l, &mem, &err), 0);
	KTAP_MEMEQ(guestmem_ptr(&mem, l.initrd_gpa, 4000), kernel, 4000);
	KTAP_EQ(*(uint8_t *)guestmem_ptr(&mem, l.initrd_gpa + 4000, 1), 0);
	loader_close(&l);
	guestmem_destroy(&mem);

	buf[64 + 100] ^= 1;
	write_file("r", buf, 5064, 5064);
	KTAP_EQ(open_named(&l, path("k"), path("r")), (unsigned long long)-ENOEXEC);
	KTAP_TRUE(strstr(err.text, "/r: is damaged: the checksum of its data is wrong"));
	make_uimage(buf, 4000, 2, 2, 0);
	write_file("r", buf, 5064, 5064);
	KTAP_EQ(open_named(&l, path("k"), path("r")), (unsigned long long)-ENOEXEC);
	KTAP_TRUE(strstr(err.text, "/r: is a U-Boot image, a kernel (2), and no RAM disk"));
	make_uimage(buf, 5001, 2, 3, 0);
	write_file("r", buf, 5064, 5064);
	KTAP_EQ(open_named(&l, path("k"), path("r")), (unsigned long long)-ENOEXEC);
	KTAP_TRUE(strstr(err.text, "/r: is truncated"));
}

/* ---- FIT ---- */

enum fit_place { INSIDE, BEHIND, POSITION };

/* The parts of a FIT image; fields that are not set are as mkimage makes them. */
struct fit_spec {
	enum fit_place place;
	const void *data;
	size_t len;
	const char *type, *arch, *compression, *algo;
	const void *hash;
	size_t hash_len;
	bool no_default, no_conf, no_images, no_kernel, no_data;
	const char *kernel;	/* the name that the configuration has */
	uint32_t lie;		/* added to the data's offset */
	unsigned int more_hashes;
};

static void fit_digest(const struct fit_spec *s, uint8_t *out, size_t *len)
{
	static const struct {
		const char *name;
		GChecksumType type;
	} types[] = { { "sha1", G_CHECKSUM_SHA1 }, { "sha256", G_CHECKSUM_SHA256 },
		      { "sha512", G_CHECKSUM_SHA512 }, { "md5", G_CHECKSUM_MD5 } };

	*len = 4;
	make_be32(out, crc32(0, s->data, s->len));
	for (unsigned int i = 0; s->algo && i < 4; i++) {
		GChecksum *sum;
		gsize n = 64;

		if (strcmp(s->algo, types[i].name))
			continue;
		sum = g_checksum_new(types[i].type);
		g_checksum_update(sum, s->data, s->len);
		g_checksum_get_digest(sum, out, &n);
		g_checksum_free(sum);
		*len = n;
	}
}

static void fit_image(void *t, const struct fit_spec *s, const char *name, bool ramdisk)
{
	uint8_t digest[64];
	size_t len;

	fdt_begin_node(t, name);
	fdt_property_string(t, "type", ramdisk ? "ramdisk" : s->type ? s->type : "kernel");
	fdt_property_string(t, "arch", s->arch ? s->arch : "arm");
	fdt_property_string(t, "compression", s->compression && !ramdisk ? s->compression : "none");
	if (ramdisk) {
		fdt_property(t, "data", "a RAM disk", 10);
	} else if (s->no_data) {
	} else if (s->place == INSIDE) {
		fdt_property(t, "data", s->data, s->len);
	} else {
		fdt_property_u32(t, s->place == BEHIND ? "data-offset" : "data-position",
				 (s->place == BEHIND ? 0 : 64 << 10) + s->lie);
		fdt_property_u32(t, "data-size", s->len);
	}
	if (!ramdisk) {
		fit_digest(s, digest, &len);
		for (unsigned int i = 0; i <= s->more_hashes; i++) {
			char node[16];

			snprintf(node, sizeof(node), "hash-%u", i + 1);
			fdt_begin_node(t, node);
			fdt_property_string(t, "algo", s->algo ? s->algo : "crc32");
			fdt_property(t, "value", s->hash ? s->hash : digest,
				     s->hash ? s->hash_len : len);
			fdt_end_node(t);
		}
	}
	fdt_end_node(t);
}

static void fit_conf(void *t, const char *name, const char *kernel_name, const char *ramdisk)
{
	fdt_begin_node(t, name);
	if (kernel_name)
		fdt_property_string(t, "kernel", kernel_name);
	if (ramdisk)
		fdt_property_string(t, "ramdisk", ramdisk);
	fdt_end_node(t);
}

/* Makes the image in buf. Returns its length. */
static size_t make_fit(const struct fit_spec *given)
{
	struct fit_spec s = *given;
	void *t = buf;
	size_t len;

	if (!s.data) {
		s.data = kernel;
		s.len = sizeof(kernel);
	}
	memset(buf, 0, sizeof(buf));
	fdt_create(t, sizeof(buf));
	fdt_finish_reservemap(t);
	fdt_begin_node(t, "");
	if (!s.no_images) {
		fdt_begin_node(t, "images");
		fit_image(t, &s, "kernel-1", false);
		fit_image(t, &s, "ramdisk-1", true);
		fdt_end_node(t);
	}
	if (!s.no_conf) {
		fdt_begin_node(t, "configurations");
		if (!s.no_default)
			fdt_property_string(t, "default", "conf-1");
		fit_conf(t, "conf-1", s.no_kernel ? NULL : s.kernel ? s.kernel : "kernel-1", NULL);
		fit_conf(t, "conf-2", "kernel-1", "ramdisk-1");
		fit_conf(t, "conf-3", "kernel-1", "kernel-1");
		fdt_end_node(t);
	}
	fdt_end_node(t);
	KTAP_EQ(fdt_finish(t), 0);
	len = fdt_totalsize(t);
	if (s.place == INSIDE)
		return len;
	len = s.place == BEHIND ? (len + 3) / 4 * 4 : 64 << 10;
	memcpy(buf + len, s.data, s.len);
	return len + s.len;
}

static void test_fit(void)
{
	static const char *const algos[] = { "crc32", "sha1", "sha256", "sha512", "md5" };

	for (enum fit_place place = INSIDE; place <= POSITION; place++)
		for (unsigned int i = 0; i < sizeof(algos) / sizeof(algos[0]); i++) {
			struct fit_spec s = { .place = place, .algo = algos[i] };
			size_t len = make_fit(&s);

			takes(buf, len);
			/* One wrong bit of the data, wherever it lies, and the hash is wrong. */
			buf[place == INSIDE ? len / 2 : len - 1000] ^= 4;
			refuses(buf, len, -ENOEXEC, "of kernel-1 is wrong");
			KTAP_TRUE(strstr(err.text, algos[i]));
		}
	EACH_COMPRESSOR(c) {
		static uint8_t packed[2 * KERNEL];
		struct fit_spec s = { .data = packed, .compression = c->name };

		s.len = c->make(packed, sizeof(packed), kernel, sizeof(kernel));
		takes(buf, make_fit(&s));
	}
}

/* As many hashes as are allowed; test_fit_refused has one more. */
static void test_fit_hashes(void)
{
	struct fit_spec s = { .more_hashes = 7 };

	takes(buf, make_fit(&s));
}

static void test_fit_named(void)
{
	struct fit_spec s = { .no_default = true };
	struct guestmem mem = { 0 };
	struct loader l;
	size_t len = make_fit(&s);
	char name[160];

	write_file("k", buf, len, len);
	snprintf(name, sizeof(name), "%s#conf-1", path("k"));
	KTAP_EQ(open_named(&l, name, NULL), 0);
	check_kernel(&l);
	KTAP_EQ(l.nr_initrds, 0);
	loader_close(&l);

	/* With the RAM disk of the configuration, unless another one is given. */
	snprintf(name, sizeof(name), "%s#conf-2", path("k"));
	KTAP_EQ(open_named(&l, name, NULL), 0);
	KTAP_EQ(l.initrd_size, 10);
	check_kernel(&l);
	KTAP_EQ(guestmem_alloc(&mem, RAM, 64 * MIB), 0);
	KTAP_EQ(loader_load(&l, &mem, &err), 0);
	KTAP_MEMEQ(guestmem_ptr(&mem, l.initrd_gpa, 11), "a RAM disk", 11);
	loader_close(&l);
	guestmem_destroy(&mem);
	write_file("r", "mine", 4, 4);
	KTAP_EQ(open_named(&l, name, path("r")), 0);
	KTAP_EQ(l.initrd_size, 4);
	loader_close(&l);

	snprintf(name, sizeof(name), "%s#conf-3", path("k"));
	KTAP_EQ(open_named(&l, name, NULL), (unsigned long long)-ENOEXEC);
	KTAP_TRUE(strstr(err.text, "/k: kernel-1 is no RAM disk: its type is kernel"));
	snprintf(name, sizeof(name), "%s#conf-9", path("k"));
	KTAP_EQ(open_named(&l, name, NULL), (unsigned long long)-ENOEXEC);
	KTAP_TRUE(strstr(err.text, "/k: has no configuration conf-9: it has conf-1, conf-2, conf-3"));
	KTAP_EQ(open_named(&l, path("k"), NULL), (unsigned long long)-ENOEXEC);
	KTAP_TRUE(strstr(err.text, "/k: has no default configuration: name one as FILE#NAME, of conf-1"));

	/* A file that is no FIT image; and one whose own name has a #. */
	write_file("k", kernel, sizeof(kernel), sizeof(kernel));
	snprintf(name, sizeof(name), "%s#conf-1", path("k"));
	KTAP_EQ(open_named(&l, name, NULL), (unsigned long long)-ENOEXEC);
	KTAP_TRUE(strstr(err.text, "/k: is no FIT image, and has no configuration conf-1"));
	write_file("k#conf-1", kernel, sizeof(kernel), sizeof(kernel));
	KTAP_EQ(open_named(&l, name, NULL), 0);
	check_kernel(&l);
	loader_close(&l);
	snprintf(name, sizeof(name), "%s#conf-1", path("none"));
	KTAP_EQ(open_named(&l, name, NULL), (unsigned long long)-ENOENT);
}

static void test_fit_refused(void)
{
	static const struct {
		struct fit_spec s;
		const char *text;
	} cases[] = {
		{ { .no_images = true }, "is a device tree and no FIT image" },
		{ { .no_conf = true }, "is a FIT image without configurations" },
		{ { .no_kernel = true }, "its configuration conf-1 has no kernel" },
		{ { .kernel = "kernel-7" }, "has no image kernel-7" },
		{ { .kernel = "ramdisk-1" }, "ramdisk-1 is no kernel: its type is ramdisk" },
		{ { .type = "firmware" }, "kernel-1 is no kernel: its type is firmware" },
		{ { .arch = "arm64" }, "for another architecture (arm64)" },
		{ { .compression = "lzma" }, "compressed by lzma" },
		{ { .compression = "gzip" }, "tells of gzip, which is not there" },
		{ { .compression = "magic" }, "compressed by an unknown compressor" },
		{ { .algo = "crc16-ccitt" }, "has a hash by crc16-ccitt, which is not known here" },
		{ { .hash = "xxx", .hash_len = 3 }, "is damaged: the crc32 of kernel-1 is wrong" },
		{ { .hash = "xxxx", .hash_len = 4 }, "is damaged: the crc32 of kernel-1 is wrong" },
		{ { .more_hashes = 8 }, "kernel-1 has more than 8 hashes" },
		{ { .no_data = true }, "kernel-1 has no data" },
		{ { .data = "", .len = 0 }, "kernel-1 is empty" },
		{ { .place = BEHIND, .lie = 1 }, "is truncated: kernel-1 is not whole" },
		{ { .place = BEHIND, .lie = 0xffffffff }, "is truncated: kernel-1 is not whole" },
		{ { .place = POSITION, .lie = 1 }, "is truncated: kernel-1 is not whole" },
	};
	struct fit_spec s = { 0 };
	size_t len;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(buf, make_fit(&cases[i].s), -ENOEXEC, cases[i].text);

	len = make_fit(&s);
	refuses(buf, len - 1, -ENOEXEC, "is truncated");
	make_be32(buf + 4, 0x90000000);
	refuses(buf, len, -ENOEXEC, "is truncated");
	make_be32(buf + 4, 8);
	refuses(buf, len, -ENOEXEC, "is no device tree, or a damaged one");
	make_fit(&s);
	make_be32(buf + 20, 3);
	refuses(buf, len, -ENOEXEC, "is a device tree of version 3");
	/* Change each word of the headers: it must end, and give one result or the other. */
	for (unsigned int word = 1; word < 10; word++) {
		struct loader l;

		len = make_fit(&s);
		make_be32(buf + 4 * word, 0xfffffff0);
		if (!open_kernel(&l, buf, len))
			check_kernel(&l);
		loader_close(&l);
	}
}

/* Files of other compressors are refused by name. */
static void test_refused_by_name(void)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *text;
	} files[] = {
		{ "\xfd" "7zXZ", 6, "is compressed by xz: unpack it (xz -dc FILE)" },
		{ "BZh9", 4, "is compressed by bzip2" },
		{ "\x89LZO", 4, "is compressed by lzop" },
		{ "\x04\x22\x4d\x18", 4, "is compressed by lz4" },
		{ "\x5d\0\0", 3, "is compressed by lzma" },
	};

	for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		memset(buf, 0, 4096);
		memcpy(buf, files[i].magic, files[i].len);
		refuses(buf, 4096, -ENOEXEC, files[i].text);
	}
}

/* --format raw takes a file as it is. */
static void test_raw(void)
{
	struct config config = { .kernel = path("k"), .format = KERNEL_RAW };
	size_t len = make_gzip(buf, sizeof(buf), kernel, sizeof(kernel));
	struct loader l;

	write_file("k", buf, len, len);
	KTAP_EQ(loader_open(&l, &config, RAM, 64 * MIB, &err), 0);
	KTAP_EQ(l.kernel.size, len);
	loader_close(&l);
}

static void remove_files(void)
{
	static const char *const names[] = { "k", "r", "k#conf-1" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path(names[i]));
	rmdir(scratch_dir);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(test_compressed), KTAP_CASE(test_compressed_damaged),
		KTAP_CASE(test_bomb), KTAP_CASE(test_uimage), KTAP_CASE(test_uimage_refused),
		KTAP_CASE(test_uinitrd), KTAP_CASE(test_fit), KTAP_CASE(test_fit_hashes),
		KTAP_CASE(test_fit_named), KTAP_CASE(test_fit_refused),
		KTAP_CASE(test_refused_by_name), KTAP_CASE(test_raw),
	};

	if (!mkdtemp(scratch_dir))
		return 1;
	atexit(remove_files);
	make_kernel();
	return ktap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
