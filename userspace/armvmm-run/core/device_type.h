/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds of devices. A device is one file that describes its kind and
 * registers it; the board makes what it finds here, so a new device is a new
 * file and nothing else.
 */
#ifndef ARMVMM_RUN_DEVICE_TYPE_H
#define ARMVMM_RUN_DEVICE_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

struct machine;

/* A word that may follow the arguments, for --device help and for the man page. */
struct device_word {
	const char *word;	/* "ro", "mac=ADDRESS" */
	const char *help;
};

/* One of several forms of a type's arguments. */
struct device_group {
	const char *args;	/* "tap=NAME" */
	const char *summary;
	const struct device_word *words;
};

/* Whether the guest starts in the device. */
enum device_boot {
	BOOT_NONE,
	BOOT_ALONE,	/* the guest starts in it if there is no kernel */
	BOOT_FIRST,	/* the guest starts in it in any case */
};

struct device_type {
	const char *name;	/* "virtio-blk": --device NAME[,ARGS] makes one */
	const char *summary;	/* what it is, in a few words */
	const char *option;	/* a long option that makes one, too: "disk"; NULL: none */
	char letter;		/* and the short one, or 0 */
	const char *args;	/* "FILE"; NULL: takes none */
	const struct device_word *words;	/* ends with a NULL word; NULL: none */
	/* The @index-th form that @args may have; false at the end. NULL: there is one. */
	bool (*group)(unsigned int index, struct device_group *group);
	bool identifies;	/* the first one's @args identify a guest without a name */
	bool builtin;		/* machines list it (machine_type.h); no option makes another */
	enum device_boot boot;
	unsigned int max;	/* how many a board may have, unless builtin */
	unsigned int order;	/* types are made in this order: it numbers virtio slots */

	/*
	 * Parses @args (NULL: none given) into *@config. @label is what the
	 * person typed, for messages ("--disk a.img,ro"). Returns 0 or
	 * -EINVAL; *@config, set or not, is released in both cases. NULL: there
	 * is nothing to configure.
	 */
	int (*parse)(const char *label, const char *args, void **config, struct error *err);
	void (*release)(void *config);

	/*
	 * Does a device of that config want the guest's memory shared with another process (struct
	 * guestmem)? NULL: none does.
	 */
	bool (*shares_memory)(const void *config);

	/*
	 * How many bytes of RAM does it want, a multiple of 4096, at the end, that stay over resets
	 * (struct guestmem, kept_gpa)? NULL: none.
	 */
	uint64_t (*keeps_memory)(const void *config);

	/*
	 * Makes the device and registers it with m->bus. Returns 0 or -errno
	 * with @err set. Main thread, before the first vCPU runs; the config
	 * outlives the device. That of a builtin one is its struct machine_device.
	 */
	int (*create)(struct machine *m, const void *config, struct error *err);

	/* The same for all that were asked for, if they are one device. NULL: each is one. */
	int (*create_all)(struct machine *m, const void *const *configs, unsigned int nr,
			  struct error *err);
};

/* At the end of a device's file. */
#define DEVICE_TYPE(type)						\
	static const struct device_type *const type##_entry		\
	__attribute__((section("device_types"), used)) = &(type)

/* The type after @prev (NULL: the first) in their order, or NULL. */
const struct device_type *device_type_next(const struct device_type *prev);

/* The type of that name, or NULL. */
const struct device_type *device_type_find(const char *name);

#endif /* ARMVMM_RUN_DEVICE_TYPE_H */
