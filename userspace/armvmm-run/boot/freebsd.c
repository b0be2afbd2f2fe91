// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "boot/freebsd.h"

#define FREEBSD_PAGE	4096ull

/* Records (FreeBSD's <sys/linker.h>, arm's <machine/metadata.h>). */
#define MODINFO_END		0x0000
#define MODINFO_NAME		0x0001
#define MODINFO_TYPE		0x0002
#define MODINFO_ADDR		0x0003
#define MODINFO_SIZE		0x0004
#define MODINFO_ARGS		0x0006
#define MODINFO_METADATA	0x8000
#define MODINFOMD_ENVP		0x0006
#define MODINFOMD_HOWTO		0x0007
#define MODINFOMD_KERNEND	0x0008
#define MODINFOMD_DTBP		0x1002

/* The loader's flags and variables, and what they ask the kernel for (<sys/reboot.h>). */
static const struct {
	char flag;
	const char *variable;
	uint32_t howto;
} freebsd_howto[] = {
	{ 'a', "boot_askname", 0x00000001 },
	{ 's', "boot_single", 0x00000002 },
	{ 'r', "boot_dfltroot", 0x00000020 },
	{ 'd', "boot_ddb", 0x00000040 },
	{ 'v', "boot_verbose", 0x00000800 },
	{ 'h', "boot_serial", 0x00001000 },
	{ 'C', "boot_cdrom", 0x00002000 },
	{ 'g', "boot_gdb", 0x00008000 },
	{ 'm', "boot_mute", 0x00010000 },
	{ 'p', "boot_pause", 0x00100000 },
	{ 'D', "boot_multicons", 0x20000000 },
};

#define FREEBSD_HOWTO	(sizeof(freebsd_howto) / sizeof(freebsd_howto[0]))

int freebsd_check(const char *vars, struct error *err)
{
	for (const char *at = vars; at && *vars;) {
		const char *end = strchrnul(at, ','), *equals = memchr(at, '=', end - at);

		if (!equals || equals == at)
			return error_set(err, -EINVAL, "--freebsd=%s: \"%.*s\" is no NAME=VALUE", vars,
					 (int)(end - at), at);
		at = *end ? end + 1 : NULL;
	}
	return 0;
}

/* A variable that is set, to anything but NO, sets its flag. */
static void freebsd_variable(struct freebsd *f, const char *variable)
{
	for (unsigned int i = 0; i < FREEBSD_HOWTO; i++) {
		size_t len = strlen(freebsd_howto[i].variable);

		if (strncmp(variable, freebsd_howto[i].variable, len) || variable[len] != '=')
			continue;
		if (strcasecmp(variable + len + 1, "no"))
			f->howto |= freebsd_howto[i].howto;
		else
			f->howto &= ~freebsd_howto[i].howto;
	}
}

static void freebsd_flags(struct freebsd *f, const char *flags)
{
	for (; *flags; flags++)
		for (unsigned int i = 0; i < FREEBSD_HOWTO; i++)
			if (*flags == freebsd_howto[i].flag)
				f->howto |= freebsd_howto[i].howto;
}

/* Splits @text at the characters @by, and takes each part: a variable, or flags behind a dash. */
static int freebsd_words(struct freebsd *f, const char *text, const char *by)
{
	char *copy = strdup(text), *rest = copy, *word;

	if (!copy)
		return -ENOMEM;
	while ((word = strsep(&rest, by))) {
		if (*word == '-') {
			freebsd_flags(f, word + 1);
		} else if (strchr(word, '=')) {
			freebsd_variable(f, word);
			strcpy(f->env + f->env_size, word);
			f->env_size += strlen(word) + 1;
		}
	}
	free(copy);
	return 0;
}

int freebsd_init(struct freebsd *f, const char *vars, const char *args)
{
	size_t room = (vars ? strlen(vars) + 1 : 0) + (args ? strlen(args) + 1 : 0) + 2;
	int ret = 0;

	memset(f, 0, sizeof(*f));
	f->env = calloc(1, room);
	if (!f->env)
		return -ENOMEM;
	if (vars)
		ret = freebsd_words(f, vars, ",");
	if (!ret && args)
		ret = freebsd_words(f, args, " ");
	f->args = args;
	f->env_size++;	/* The zero at the end is there. */
	return ret;
}

void freebsd_free(struct freebsd *f)
{
	free(f->env);
	f->env = NULL;
}

static uint64_t freebsd_align(uint64_t n)
{
	return (n + FREEBSD_PAGE - 1) & ~(FREEBSD_PAGE - 1);
}

/* The kernel's virtual address of what is at @gpa. */
static uint32_t freebsd_va(const struct kernel_image *image, uint64_t gpa)
{
	return gpa + image->va_offset;
}

/* ---- Records: type, length, and the data, with zeroes up to a multiple of four ---- */

/* Where records go; at NULL they are only measured. */
struct freebsd_records {
	uint8_t *at;
	size_t size;
};

static void freebsd_record(struct freebsd_records *r, uint32_t type, const void *data, uint32_t len)
{
	uint32_t head[] = { type, len };

	if (r->at) {
		memcpy(r->at + r->size, head, sizeof(head));
		if (len)
			memcpy(r->at + r->size + sizeof(head), data, len);
	}
	r->size += sizeof(head) + ((len + 3) & ~3u);
}

static void freebsd_text(struct freebsd_records *r, uint32_t type, const char *text)
{
	freebsd_record(r, type, text, strlen(text) + 1);
}

static void freebsd_word(struct freebsd_records *r, uint32_t type, uint32_t value)
{
	freebsd_record(r, type, &value, sizeof(value));
}

/* In the order of the loader. */
static void freebsd_records(struct freebsd_records *r, const struct freebsd *f,
			    const struct kernel_image *image)
{
	freebsd_text(r, MODINFO_NAME, f->name);
	freebsd_text(r, MODINFO_TYPE, "elf kernel");
	if (f->args)
		freebsd_text(r, MODINFO_ARGS, f->args);
	freebsd_word(r, MODINFO_ADDR, freebsd_va(image, image->begin));
	freebsd_word(r, MODINFO_SIZE, image->end - image->begin);
	freebsd_word(r, MODINFO_METADATA | MODINFOMD_HOWTO, f->howto);
	freebsd_word(r, MODINFO_METADATA | MODINFOMD_ENVP, freebsd_va(image, f->env_gpa));
	freebsd_word(r, MODINFO_METADATA | MODINFOMD_DTBP, freebsd_va(image, f->dtb_gpa));
	freebsd_word(r, MODINFO_METADATA | MODINFOMD_KERNEND, freebsd_va(image, f->end));
	freebsd_record(r, MODINFO_END, NULL, 0);
}

int freebsd_layout(struct freebsd *f, const struct kernel_image *image, uint64_t dtb_room,
		   const char *name, struct error *err)
{
	struct freebsd_records r = { NULL, 0 };

	if (image->format != KERNEL_ELF || !image->va_offset)
		return error_set(err, -ENOEXEC,
				 "%s: is no FreeBSD kernel: those are ELF, linked to virtual addresses", name);
	f->name = name;
	f->env_gpa = freebsd_align(image->end);
	f->dtb_gpa = freebsd_align(f->env_gpa + f->env_size);
	f->meta_gpa = freebsd_align(f->dtb_gpa + dtb_room);
	freebsd_records(&r, f, image);
	f->end = freebsd_align(f->meta_gpa + r.size);
	return 0;
}

int freebsd_write(const struct freebsd *f, const struct kernel_image *image,
		  const struct guestmem *mem)
{
	struct freebsd_records r = { guestmem_ptr(mem, f->meta_gpa, f->end - f->meta_gpa), 0 };

	if (!r.at || guestmem_write(mem, f->env_gpa, f->env, f->env_size))
		return -EFAULT;
	freebsd_records(&r, f, image);
	return 0;
}

uint32_t freebsd_r0(const struct freebsd *f, const struct kernel_image *image)
{
	return freebsd_va(image, f->meta_gpa);
}
