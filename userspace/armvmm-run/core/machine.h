/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine: memory, bus, interrupt lines and the main loop that devices live in. Devices name
 * it, and it names none of them. Its type (machines/) knows which devices there are, and where.
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
#include "core/device.h"
#include "core/error.h"
#include "core/filelock.h"
#include "core/guestmem.h"
#include "core/irqline.h"
#include "core/machine_type.h"
#include "core/map.h"
#include "core/process.h"
#include "core/virtio_version.h"

struct balloon;
struct blockdev;
struct fwcfg_item;
struct pci_host;

enum machine_request {
	MACHINE_NONE,
	MACHINE_POWEROFF,	/* leave with status 0 */
	MACHINE_RESET,		/* start over (or leave, with --no-reboot) */
	MACHINE_CRASH,		/* leave with the status of a crash */
	MACHINE_PANIC,		/* leave with that of a guest whose kernel has panicked */
	MACHINE_QUIT,		/* the person or the host wants it ended now */
};

/* Who asked for it. */
enum machine_cause {
	MACHINE_BY_GUEST,
	MACHINE_BY_CONTROL,	/* the control socket, or a debugger */
	MACHINE_BY_SIGNAL,
	MACHINE_BY_KEY,		/* at the terminal */
	MACHINE_BY_ERROR,	/* of the host */
};

/* The kinds of threads, which may use different system calls. */
enum machine_thread {
	MACHINE_THREAD_MAIN,
	MACHINE_THREAD_VCPU,
	MACHINE_THREAD_DISK,	/* a device's worker, which reads and writes files */
	MACHINE_THREAD_NET,	/* of a process with sockets, and nothing of the guest's */
	MACHINE_THREAD_LAZY,	/* fills memory for those who wait for it */
	MACHINE_THREAD_DIAL,	/* of one that connects to Unix sockets, likewise */
	MACHINE_THREAD_NBD,	/* of one that has a connection, likewise */
	MACHINE_THREADS,
};

struct machine {
	/* The board sets these two. */
	const struct machine_type *type;
	uint64_t ram_base;
	struct guestmem mem;
	struct device_bus bus;
	GMainContext *context;	/* NULL is the default one: pass it on as it is */
	struct chardev *terminal;	/* stdin and stdout */
	struct chardev *chardev;	/* the serial port's other end: the terminal, or another */
	struct chardev *chardevs;	/* all but the terminal */
	bool described;		/* the board sets this: only its device tree is wanted */
	bool verbose;
	enum virtio_version virtio;
	/* The board sets these: the vCPUs have performance counters, and a counter of that rate. */
	bool pmu;
	uint32_t timer_hz;	/* of the host's device tree; 0: it does not say */
	bool following;	/* memory goes after a guest that runs elsewhere, and ends without it */
	bool debugger;		/* one is there, and may have breakpoints in the guest's memory */
	const char *identity;	/* identifies the guest, see identity.h; NULL: nothing does */
	unsigned int nr_macs;	/* how many addresses were made up for its cards */
	/* The device with the power button sets these. @press is called on the main thread. */
	void (*press)(void *opaque, bool pressed);
	void *press_opaque;
	bool flash;		/* a device sets this: the guest programs a file */
	bool vsock;		/* a device sets this: it accepts connections for the guest */
	bool accepts;		/* a serial device's back end sets this: it accepts a connection */
	bool vhost;		/* a device sets this: the host's kernel works on its queues, */
	bool vhost_kthread;	/* likewise: in a thread of its own, which no signal reaches */
	bool vhost_user;	/* a device sets this: another process works on its queues */
	/* A device sets this if who works on its queues keeps no log of what he writes: who. */
	const char *unlogged;
	struct filelock_guard guard;	/* devices say what they write */
	const char *unsaved;	/* and this if it cannot be saved: why */
	bool firmware;		/* a device sets this: the guest starts in it */
	bool panicked;		/* a device sets this: it holds the guest, which has panicked */
	bool incoming;		/* the board sets this: the guest comes from another process */
	/* What the fw_cfg device offers beside the fixed items. The board sets these. */
	const struct fwcfg_item *fwcfg_items;
	unsigned int nr_fwcfg_items;
	struct blockdev *disks;	/* in the order in which they were made */
	struct balloon *balloon;	/* NULL: the board has none */
	struct pci_host *pci;	/* NULL: no device has asked for it yet */
	uint64_t msi_frame;	/* a device sets this: where messages are written; 0: nowhere */
	struct process_rights rights;	/* of processes that devices start */
	/*
	 * Takes from the calling thread the rights that its kind does not need. NULL: takes none.
	 */
	void (*confine)(void *opaque, enum machine_thread kind);
	void *confine_opaque;
	/*
	 * Ends the process at once with @why, and does not return: memory that others wait for
	 * cannot be had. Any thread.
	 */
	void (*broken)(const char *why);
	/* Declared in machine_private.h. */
	struct machine_private *priv;
};

/* Each thread that a device or a vCPU starts calls this first. */
static inline void machine_confine(struct machine *m, enum machine_thread kind)
{
	if (m->confine)
		m->confine(m->confine_opaque, kind);
}

/* Connects @line to an SPI (0 to MAP_NR_SPIS - 1). Main thread. -EINVAL, -EBUSY if taken. */
int machine_irqline_init(struct machine *m, struct irqline *line, unsigned int spi);

/*
 * The next free virtio-mmio slot, or -ENOSPC. Its window is slot * MAP_VIRTIO_SIZE bytes behind
 * that of slot 0, and its SPI is slot behind. Main thread, before the first vCPU runs.
 */
int machine_virtio_slot(struct machine *m);

/*
 * Asks for the event @fd (the caller's) to be signalled when the guest writes
 * @value, @len bytes, to @gpa, instead of the device's write() being called. Kept
 * over resets until machine_ioeventfd_del(). Returns 0, or -ENOTSUP when the
 * kernel has no ioeventfd or the VM does not exist yet and will not: the
 * device then gets write() as ever, so it must handle both. Main thread, also
 * while vCPUs run.
 */
int machine_ioeventfd_add(struct machine *m, uint64_t gpa, unsigned int len, uint64_t value,
			  int fd);
void machine_ioeventfd_del(struct machine *m, int fd);

/*
 * A slot of the VM for memory that the guest can read; its writes go to the device at that address.
 * Returns the slot's number or -ENOSPC. Main thread, before the first vCPU runs.
 */
int machine_rom_slot(struct machine *m);

/*
 * Maps @size bytes at @host into the guest at @gpa, by a slot that maps nothing now. A @size of 0
 * unmaps the slot, so that reads go to the device, too. After a reset the new VM has nothing
 * mapped. All are multiples of 4096. Returns 0 or -errno. Any thread; one call at a time for each
 * slot.
 */
int machine_rom_set(struct machine *m, int slot, uint64_t gpa, uint64_t size, const void *host);

/*
 * Copies what such slots show the guest at @gpa. Returns 0, or -EFAULT if no slot shows all of it.
 * No vCPU may run.
 */
int machine_rom_read(struct machine *m, uint64_t gpa, void *buf, size_t len);

/*
 * Asks the machine to stop, reset or die. Any thread; returns at once, the
 * first request of a run wins. @why (may be NULL) is a sentence for a person,
 * printed for MACHINE_CRASH.
 */
void machine_request(struct machine *m, enum machine_request request, enum machine_cause cause,
		     const char *why);

/*
 * Says something about the host side that went wrong while the guest runs
 * ("disk.img: write at 4096: No space left on device"). Goes to stderr, ten
 * times a second for each @fmt, so that a guest cannot flood it, nor make it
 * keep quiet about something else (core/budget.h). Any thread. Not for
 * what a guest did wrong: that is counted and told with --verbose only.
 */
void machine_warn(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, with --verbose only. */
void machine_note(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* ARMVMM_RUN_MACHINE_H */
