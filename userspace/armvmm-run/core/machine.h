/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine: memory, bus, interrupt lines and the main loop that devices
 * are given to live in. Its map is QEMU's virt board (docs and design).
 *
 * Threads: the main thread runs the GLib main loop (context: the default one)
 * and all constructors, reset() and destroy(); one thread per vCPU runs the
 * guest and calls device read/write; a device may start workers of its own
 * (pthreads, all signals are blocked already).
 */
#ifndef ARMVMM_RUN_MACHINE_H
#define ARMVMM_RUN_MACHINE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/chardev.h"
#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "core/guestmem.h"
#include "core/irqline.h"

#define MACHINE_GICD_BASE	0x08000000
#define MACHINE_GICC_BASE	0x08010000
#define MACHINE_PL011_BASE	0x09000000
#define MACHINE_PL031_BASE	0x09010000
#define MACHINE_PL061_BASE	0x09030000
#define MACHINE_VIRTIO_BASE	0x0a000000
#define MACHINE_VIRTIO_SIZE	0x200
#define MACHINE_VIRTIO_SLOTS	32
#define MACHINE_RAM_BASE	0x40000000

#define MACHINE_PL011_SPI	1
#define MACHINE_PL031_SPI	2
#define MACHINE_PL061_SPI	7
#define MACHINE_VIRTIO_SPI	16	/* of slot 0; edge-triggered, as QEMU's */
#define MACHINE_NR_SPIS		256
#define MACHINE_PMU_INTID	23	/* a PPI */

enum machine_request {
	MACHINE_NONE,
	MACHINE_POWEROFF,	/* leave with status 0 */
	MACHINE_RESET,		/* start over (or leave, with --no-reboot) */
	MACHINE_CRASH,		/* leave with the status of a crash */
	MACHINE_QUIT,		/* the person or the host wants it ended now */
};

struct machine {
	struct guestmem mem;
	struct device_bus bus;
	GMainContext *context;	/* NULL stands for the default one: pass it on as it is */
	struct chardev *chardev;
	bool verbose;
	/* What follows is machine.c's own. */
	struct machine_private *priv;
};

/* Connects @line to an SPI (0 to MACHINE_NR_SPIS - 1). Main thread. -EINVAL, -EBUSY if taken. */
int machine_irqline_init(struct machine *m, struct irqline *line, unsigned int spi);

/*
 * The next free virtio-mmio slot, or -ENOSPC. Its window is at
 * MACHINE_VIRTIO_BASE + slot * MACHINE_VIRTIO_SIZE and its SPI is
 * MACHINE_VIRTIO_SPI + slot. Main thread, before the first vCPU runs.
 */
int machine_virtio_slot(struct machine *m);

/*
 * Asks for the event @fd (the caller's) to be signalled when the guest writes
 * @value, @len bytes, to @gpa, instead of the device's write() being called. Kept
 * over resets until machine_ioeventfd_del(). Returns 0, or -ENOTSUP when the
 * kernel has no ioeventfd or the VM does not exist yet and will not: the
 * device then gets write() as ever, so it must handle both. Main thread,
 * before the first vCPU runs.
 */
int machine_ioeventfd_add(struct machine *m, uint64_t gpa, unsigned int len, uint64_t value,
			  int fd);
void machine_ioeventfd_del(struct machine *m, int fd);

/*
 * Asks the machine to stop, reset or die. Any thread; returns at once, the
 * first request of a run wins. @why (may be NULL) is a sentence for a person,
 * printed for MACHINE_CRASH.
 */
void machine_request(struct machine *m, enum machine_request request, const char *why);

/*
 * Says something about the host side that went wrong while the guest runs
 * ("disk.img: write at 4096: No space left on device"). Goes to stderr, rate
 * limited over all callers, so a guest cannot flood it. Any thread. Not for
 * what a guest did wrong: that is counted and told with --verbose only.
 */
void machine_warn(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, with --verbose only. */
void machine_note(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The life of a machine, for main(). machine_create() opens the VM (unless
 * --dump-dtb asks for no more than the device tree), the files and makes all
 * devices; machine_run() starts the guest, and again at each of its reboots,
 * until something ends it for good: then it returns what. machine_destroy()
 * takes NULL too. Errors: -errno with @err set.
 */
int machine_create(struct machine **m, const struct config *config, struct chardev *chr,
		   struct error *err);
int machine_dump_dtb(struct machine *m, const char *path, struct error *err);
int machine_run(struct machine *m, enum machine_request *ended, struct error *err);
void machine_destroy(struct machine *m);

/* Presses the power button for a moment. Main thread. */
void machine_press_power(struct machine *m);

/*
 * Constructors, one per device file. Each makes its device, registers it with
 * m->bus and returns 0 or -errno with @err set. Main thread, before the VM
 * and its RAM exist; guest memory is there once a vCPU runs.
 */
int pl011_create(struct machine *m, struct error *err);
int pl031_create(struct machine *m, struct error *err);
int virtio_blk_create(struct machine *m, const struct disk_config *config, struct error *err);
int virtio_net_create(struct machine *m, const struct net_config *config, struct error *err);
int virtio_console_create(struct machine *m, struct error *err);
int virtio_rng_create(struct machine *m, struct error *err);

#endif /* ARMVMM_RUN_MACHINE_H */
