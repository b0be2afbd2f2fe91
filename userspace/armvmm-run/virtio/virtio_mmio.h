/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio device behind the virtio-mmio transport (virtio 1.2 4.2), version 2 or 1 (4.2.4, the
 * legacy interface).
 *
 * This file owns what all virtio devices share: the register window, feature
 * negotiation, the status machine, the queues, notifications and interrupts.
 * A device type embeds struct virtio_device as its first member and gives a
 * struct virtio_ops.
 *
 * Two locks. @lock covers negotiation, queues and the device type's own state;
 * it is held while a ring is worked on, but never while a request waits for
 * the host's disk. @irq_lock covers the interrupt alone, so that a vCPU which
 * acknowledges one never waits for a ring. Order: @lock, then @irq_lock.
 */
#ifndef ARMVMM_RUN_VIRTIO_MMIO_H
#define ARMVMM_RUN_VIRTIO_MMIO_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/device.h"
#include "core/error.h"
#include "core/irqline.h"
#include "core/posted.h"
#include "virtio/virtqueue.h"

struct machine;
struct record;
struct virtio_bus;
struct virtio_device;

#define VIRTIO_MAX_QUEUES 18
#define VIRTIO_CONFIG_MAX 96

#define VIRTIO_BIT(n) (1ULL << (n))

/* What versions of virtio-mmio a device may have, and which it has if nobody asks for one. */
enum virtio_age {
	VIRTIO_OLD,	/* both; 1, which all drivers know */
	VIRTIO_NEW,	/* both; 2: its drivers are younger than that */
	VIRTIO_NEW_ALONE,	/* 2 */
};

/* All are called with vdev->lock held. */
struct virtio_ops {
	const char *name; /* "virtio-blk" */
	uint32_t id; /* virtio 1.2 5 */
	unsigned int nr_queues;
	uint16_t queue_size; /* a power of two up to VIRTQ_MAX_SIZE */
	enum virtio_age age;

	/* As in struct device_ops. Optional. */
	int (*begin)(struct virtio_device *vdev, struct error *err);

	/* Is this set of features, a subset of those offered, valid? Optional. vCPU thread. */
	bool (*features_ok)(struct virtio_device *vdev, uint64_t features);

	/*
	 * The driver has set DRIVER_OK or has notified a queue: @vdev->features is final and the
	 * queues may be used. Returns 0 or -errno, which the driver sees as
	 * DEVICE_NEEDS_RESET. Optional. vCPU or main thread.
	 */
	int (*start)(struct virtio_device *vdev);

	/*
	 * Back to power-on state. No request is in flight and none can begin.
	 * Optional. vCPU or main thread.
	 */
	void (*reset)(struct virtio_device *vdev);

	/*
	 * Bit n: the driver may write 32-bit word n of the configuration space. @config_written
	 * is called when it has, maybe byte by byte. vCPU thread.
	 */
	uint32_t config_writable;
	void (*config_written)(struct virtio_device *vdev);

	/*
	 * Queue @index was notified, on the main thread. A device without this
	 * function waits on vdev->kick[] in threads of its own.
	 */
	void (*kick)(struct virtio_device *vdev, unsigned int index);

	/*
	 * Bit n: the vCPU that notifies queue n calls vcpu_kick() itself, or kick() if there is
	 * none: nothing in there waits for the host. That is an exit instead of a thread's wake-up,
	 * and the guest need not wait. vcpu_kick() returns false to leave the queue to those who
	 * wait for vdev->kick[]. For a device that has it, virtio_kicked_by_vcpu() changes that
	 * later.
	 */
	uint32_t kicked_by_vcpu;
	bool (*vcpu_kick)(struct virtio_device *vdev, unsigned int index);

	/*
	 * Bit n: somebody else works on queue n, the host's kernel or another process
	 * (virtio/vhost.h), and takes vdev->kick[n] once the device has started. run() says whether
	 * it may use those queues, whenever that changes: they are ready, but for those in
	 * @optional, of which it may use the ready ones; and the device is not paused, cut off,
	 * broken or being reset. When it may not any more, it has stopped on return, and next_avail
	 * and next_used of the queues are where it has. Returns 0 or -errno, which the driver sees
	 * as DEVICE_NEEDS_RESET. Main or vCPU thread.
	 */
	uint32_t elsewhere, optional;
	/* It is a process, which reads each kick; the kernel reads none, and is woken by each. */
	bool process;
	int (*run)(struct virtio_device *vdev, bool run);

	/*
	 * For snapshots, all optional. held(): how many chains of queue @index were popped and are
	 * kept, the last ones; the restored device pops them again. save() and restore() have what
	 * the transport does not know; restore() also checks the configuration space, which is the
	 * saved one already. resumed(): the device goes on; vdev->restored tells whether by a
	 * restore of one that had started, and then start() was called. flush(): as in struct
	 * device_ops, without the lock. works(): does somebody else still work on chains of the
	 * device, which is paused?
	 */
	bool (*works)(struct virtio_device *vdev);
	unsigned int (*held)(struct virtio_device *vdev, unsigned int index);
	void (*save)(struct virtio_device *vdev, struct record *r);
	int (*restore)(struct virtio_device *vdev, struct record *r);
	void (*resumed)(struct virtio_device *vdev);
	int (*flush)(struct virtio_device *vdev);
	int (*claim)(struct virtio_device *vdev, bool take, struct error *err);

	/*
	 * Ends threads and frees what the device type owns, except the struct
	 * itself. Main thread, no vCPU running, lock not held.
	 */
	void (*destroy)(struct virtio_device *vdev);
};

struct virtio_device {
	struct device dev;
	const struct virtio_ops *ops;
	const struct virtio_bus *bus; /* set before it is registered; NULL: virtio-mmio */
	void *bus_data; /* the transport's own */
	struct machine *machine;
	unsigned int slot; /* on its bus */

	pthread_mutex_t lock;
	pthread_cond_t drained; /* in_flight became 0, or quiescing ended */
	uint64_t own; /* features of the device type, without the transport's */
	uint64_t offered; /* features */
	uint64_t features; /* as the driver acknowledged them */
	bool features_unknown; /* the driver wrote one beyond bit 63 */
	uint32_t offered_sel;
	uint32_t features_sel;
	uint32_t queue_sel;
	uint32_t status;
	bool legacy; /* version 1 */
	bool any_version; /* nobody asked for that one: a snapshot may have the other */
	bool started; /* queues may be used: DRIVER_OK, or one was notified before it */
	bool cut_off; /* the driver has forbidden it to use memory, for as long as that lasts */
	bool paused; /* no chain is popped, but those that were are completed */
	bool runs; /* ops->run() was told that it may */
	bool restored; /* .started is from a snapshot: the device type has yet to start */
	uint32_t page_size; /* legacy: unit of a queue's address; kept over the driver's resets */
	uint32_t generation;
	uint8_t config[VIRTIO_CONFIG_MAX];
	unsigned int config_size;
	struct virtqueue vq[VIRTIO_MAX_QUEUES];
	unsigned int in_flight; /* chains being worked on without the lock */
	unsigned int quiescing; /* threads that wait for in_flight to become 0 */

	int kick[VIRTIO_MAX_QUEUES]; /* eventfds, written at QueueNotify */
	bool kick_in_kernel[VIRTIO_MAX_QUEUES];
	GSource *kick_source[VIRTIO_MAX_QUEUES];
	gpointer early_tag[VIRTIO_MAX_QUEUES]; /* of devices without kick(): see virtio_early() */

	pthread_mutex_t irq_lock;
	uint32_t isr; /* InterruptStatus */
	struct irqline irq;
	struct posted ack; /* writes of InterruptACK: see virtio_device.c */
	bool can_post; /* the module is new enough; constant while vCPUs run */
	bool ack_wanted; /* atomic; also without the lock */
	unsigned int spurious; /* interrupts without a cause, of late */
};

/* The word with which a person chooses the transport, for --device help. */
#define VIRTIO_BUS_WORD { "bus=mmio|pcie", "the bus that it is on (mmio)" }

/*
 * Takes the word "bus=NAME" into *@bus. Returns 0, -ENOENT for another word, or -EINVAL with @err
 * set.
 */
int virtio_bus_parse(const char *word, const char *label, const struct virtio_bus **bus,
		     struct error *err);

/*
 * Prepares @vdev (zeroed, from calloc(), except for its bus) and puts it into the next free slot
 * of its bus. @features are the device type's own; those of the transport
 * are added. @config is the configuration space as the driver reads it,
 * little-endian, up to VIRTIO_CONFIG_MAX bytes. Returns 0 or -errno with @err
 * set; @vdev then holds nothing and is still the caller's. Main thread.
 */
int virtio_device_register(struct machine *m, struct virtio_device *vdev,
			   const struct virtio_ops *ops, uint64_t features, const void *config,
			   unsigned int config_size, struct error *err);

static inline bool virtio_has(const struct virtio_device *vdev, unsigned int feature)
{
	return vdev->features & VIRTIO_BIT(feature);
}

/* The lock must be held for all below. */

/* May queues be used? The driver has started it, it is whole, and neither reset nor paused. */
bool virtio_running(const struct virtio_device *vdev);

/*
 * Take the next chain of queue @index: true if there was one. A broken ring
 * makes the device need a reset.
 */
bool virtio_pop(struct virtio_device *vdev, unsigned int index, struct virtq_chain *chain);

/* Interrupt the driver for queue @index, as somebody else who works on it says. */
void virtio_interrupt(struct virtio_device *vdev, unsigned int index);

/* Interrupt the driver for what was pushed to queue @index, if it wants that. */
void virtio_signal(struct virtio_device *vdev, unsigned int index);

/*
 * Replace @len bytes of the configuration space from @offset on, and tell the
 * driver (virtio 1.2 2.5). Any thread.
 */
void virtio_config_set(struct virtio_device *vdev, unsigned int offset, const void *data,
		       unsigned int len);

/*
 * A request that breaks a rule of its device type beyond an error status: set DEVICE_NEEDS_RESET
 * and tell the driver (virtio 1.2 2.1.2). @why is printed with --verbose.
 */
void virtio_fail(struct virtio_device *vdev, const char *why);

/*
 * Around work on a popped chain without the lock: a reset waits until every
 * begin has met its end. Between them virtio_abandoned() tells, without the
 * lock, that somebody waits and the work need not be finished.
 */
void virtio_begin(struct virtio_device *vdev);
void virtio_end(struct virtio_device *vdev);
bool virtio_abandoned(const struct virtio_device *vdev);

/*
 * From now on the vCPU that notifies queue @index, which is one of ops->kicked_by_vcpu, calls
 * ops->vcpu_kick(); or it goes on, and vdev->kick[@index] is signalled. The lock need not be held.
 * Main thread.
 */
void virtio_kicked_by_vcpu(struct virtio_device *vdev, unsigned int index, bool by_vcpu);

/* Make the main thread (or the device's worker) look at queue @index again. Any thread. */
void virtio_kick_self(struct virtio_device *vdev, unsigned int index);

/*
 * Make whoever else works on queues look at them, as it may use them now: it has forgotten
 * notifications that came before, and a driver with event fields may not notify again. What calls
 * ops->run() does this; a device type that lets it start later does it then.
 */
void virtio_kick_elsewhere(struct virtio_device *vdev);

#endif /* ARMVMM_RUN_VIRTIO_MMIO_H */
