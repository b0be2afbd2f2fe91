// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a virtio device is behind any register window: its interrupt, its requests,
 * the status machine and the features that were agreed on, and its life.
 *
 * DRIVER_OK. A driver must set it before it uses a queue (3.1.1), and several do not:
 * boot loaders read a partition table first, FreeBSD's asks for a disk's identity. A
 * queue that is set up and notified starts the device, as it does in QEMU.
 *
 * The interrupt of virtio-mmio. The device tree says edge-rising, as QEMU's does, and the line
 * is held high for as long as InterruptStatus is not zero. So a guest that
 * believes the device tree takes one cheap edge (a level would cost an exit at
 * each EOI to look at the line again), and one that programs the GIC for level
 * works as well. An irqfd would save the ioctl that lowers the line, but its
 * pulse is lost to the second kind of guest.
 *
 * InterruptACK is posted if the module can (core/posted.h): the write costs no exit to here, and
 * the line is not lowered. Who needs to know carries it out first: the device before it raises the
 * line again, which is an edge though the line is high; and each access of the guest's with an
 * exit, such as its read of InterruptStatus. A guest of the second kind finds the line still high,
 * and reads an InterruptStatus of 0: that lowers it, and when it has happened a few times nothing
 * is posted any more. One that does not read InterruptStatus acknowledges again and again, which is
 * seen when it is carried out.
 *
 * No interrupt is lost by it. The device fills the used ring, has a full barrier
 * (virtq_wants_interrupt()), and looks for a posted acknowledgement; the driver acknowledges, which
 * ends with a barrier in the kernel, and looks at the used ring. One of them sees the other's.
 * Another cause than those that are not acknowledged yet makes an edge of its own.
 */
#include <endian.h>
#include <errno.h>
#include <libarmvmm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include "core/machine.h"
#include "virtio/doorbell.h"
#include "virtio/virtio_private.h"

/* What a driver may set in Status; NEEDS_RESET is ours alone (virtio 1.2 2.1). */
#define DRIVER_STATUS                                                                              \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FAILED)

#define TRANSPORT_FEATURES                                                                         \
	(VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) |                \
	 VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX))

/*
 * A legacy driver that does not take ANY_LAYOUT frames requests in the old way, one of the layouts.
 */
#define LEGACY_FEATURES                                                                            \
	(VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT) | VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) |               \
	 VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX))

/* Interrupts */

/* What an interrupt without a cause weighs, against one with; and how much is too much. */
#define SPURIOUS_WEIGHT	4
#define SPURIOUS_MAX	32

static void virtio_raise_line(struct virtio_device *vdev, uint32_t bits)
{
	uint32_t before;

	if (posted_is_on(&vdev->ack))
		posted_drain(vdev->machine);
	pthread_mutex_lock(&vdev->irq_lock);
	before = __atomic_fetch_or(&vdev->isr, bits, __ATOMIC_RELAXED);
	/*
	 * If all was acknowledged, the line may be high all the same, whether acknowledgements are
	 * posted still or not: the end of posting carries out the last ones.
	 */
	if (!before || (bits & ~before && posted_is_on(&vdev->ack)))
		irqline_edge(&vdev->irq);
	else
		irqline_set(&vdev->irq, true);
	pthread_mutex_unlock(&vdev->irq_lock);
}

/* @queue is the queue that it is about, or VIRTIO_NO_QUEUE. */
static void virtio_raise(struct virtio_device *vdev, uint32_t bits, unsigned int queue)
{
	if (vdev->bus->raise)
		vdev->bus->raise(vdev, bits, queue);
	else
		virtio_raise_line(vdev, bits);
}

/*
 * An interrupt without a cause, with irq_lock held. Returns true when there were too many: then
 * posted_update() is to be called without it.
 */
static bool virtio_count_spurious(struct virtio_device *vdev)
{
	vdev->spurious += SPURIOUS_WEIGHT;
	if (vdev->spurious <= SPURIOUS_MAX)
		return false;
	vdev->spurious = 0;
	__atomic_store_n(&vdev->ack_wanted, false, __ATOMIC_RELEASE);
	return true;
}

void virtio_ack(struct virtio_device *vdev, uint32_t bits)
{
	pthread_mutex_lock(&vdev->irq_lock);
	if (vdev->isr & bits || !vdev->isr) {
		__atomic_fetch_and(&vdev->isr, ~bits, __ATOMIC_RELAXED);
		irqline_set(&vdev->irq, false);
		/*
		 * A cause that came between the driver's read and this write
		 * found the line high and made no edge: make it now.
		 */
		if (vdev->isr)
			irqline_set(&vdev->irq, true);
	}
	pthread_mutex_unlock(&vdev->irq_lock);
}

uint32_t virtio_read_isr(struct virtio_device *vdev)
{
	uint32_t isr = __atomic_load_n(&vdev->isr, __ATOMIC_ACQUIRE);
	bool stop = false;

	if (isr)
		return isr;
	pthread_mutex_lock(&vdev->irq_lock);
	isr = vdev->isr;
	if (!isr && vdev->irq.level) {
		irqline_set(&vdev->irq, false);
		stop = virtio_count_spurious(vdev);
	}
	pthread_mutex_unlock(&vdev->irq_lock);
	if (stop)
		posted_update(vdev->machine);
	return isr;
}

/* ---- Acknowledgements that the kernel posted ---- */

static bool virtio_ack_wanted(struct posted *posted)
{
	struct virtio_device *vdev = container_of(posted, struct virtio_device, ack);

	return __atomic_load_n(&vdev->ack_wanted, __ATOMIC_ACQUIRE);
}

static void virtio_ack_tired(struct posted *posted)
{
	struct virtio_device *vdev = container_of(posted, struct virtio_device, ack);

	__atomic_store_n(&vdev->ack_wanted, false, __ATOMIC_RELEASE);
}

/* The line stays as it is. Who calls asks again what is wanted. */
static void virtio_ack_posted(struct posted *posted, const struct armvmm_posted_write *writes,
			      unsigned int nr)
{
	struct virtio_device *vdev = container_of(posted, struct virtio_device, ack);
	uint32_t bits;

	pthread_mutex_lock(&vdev->irq_lock);
	for (unsigned int i = 0; i < nr; i++) {
		/* A narrower access is none (4.2.2.2). */
		if (writes[i].len != sizeof(bits))
			continue;
		memcpy(&bits, writes[i].data, sizeof(bits));
		bits = le32toh(bits);
		if (!(vdev->isr & bits) && vdev->irq.level)
			virtio_count_spurious(vdev);
		else if (vdev->spurious)
			vdev->spurious--;
		__atomic_fetch_and(&vdev->isr, ~bits, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&vdev->irq_lock);
}

void virtio_ack_init(struct virtio_device *vdev)
{
	vdev->ack = (struct posted){
		.gpa = vdev->dev.base + VIRTIO_MMIO_INTERRUPT_ACK,
		.size = 4,
		.untimed = true,
		.wanted = virtio_ack_wanted,
		.write = virtio_ack_posted,
		.tired = virtio_ack_tired,
	};
}

void virtio_ack_post(struct virtio_device *vdev, bool post)
{
	if (!vdev->can_post)
		return;
	pthread_mutex_lock(&vdev->irq_lock);
	vdev->spurious = 0;
	__atomic_store_n(&vdev->ack_wanted, post, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&vdev->irq_lock);
	posted_update(vdev->machine);
}

/* Requests and the status machine, for device types */

static bool virtio_is_whole(const struct virtio_device *vdev)
{
	return vdev->started && !(vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET) &&
	       !vdev->quiescing && !vdev->cut_off;
}

bool virtio_running(const struct virtio_device *vdev)
{
	return virtio_is_whole(vdev) && !vdev->paused;
}

static void virtio_stop_run(struct virtio_device *vdev)
{
	if (!vdev->runs)
		return;
	vdev->runs = false;
	vdev->ops->run(vdev, false);
}

void virtio_stop_run_for(struct virtio_device *vdev, const struct virtqueue *vq)
{
	if (vdev->ops->elsewhere >> (vq - vdev->vq) & 1)
		virtio_stop_run(vdev);
}

static bool virtio_may_run(const struct virtio_device *vdev)
{
	const struct virtio_ops *ops = vdev->ops;

	if (!virtio_running(vdev))
		return false;
	for (unsigned int i = 0; i < ops->nr_queues; i++) {
		const struct virtqueue *vq = &vdev->vq[i];

		if (ops->elsewhere >> i & 1 &&
		    (vq->broken || (!vq->ready && !(ops->optional >> i & 1))))
			return false;
	}
	return true;
}

void virtio_update_run(struct virtio_device *vdev)
{
	if (!vdev->ops->run)
		return;
	if (!virtio_may_run(vdev)) {
		virtio_stop_run(vdev);
	} else if (!vdev->runs) {
		vdev->runs = true;
		if (vdev->ops->run(vdev, true) < 0) {
			vdev->runs = false;
			virtio_fail(vdev, "nobody takes its queues");
			return;
		}
		virtio_kick_elsewhere(vdev);
	}
}

void virtio_fail(struct virtio_device *vdev, const char *why)
{
	if (vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	vdev->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	virtio_update_run(vdev);
	machine_note(vdev->machine, "%s in slot %u needs a reset: %s", vdev->ops->name, vdev->slot,
		     why);
	if (vdev->started)
		virtio_raise(vdev, VIRTIO_MMIO_INT_CONFIG, VIRTIO_NO_QUEUE);
}

void virtio_config_set(struct virtio_device *vdev, unsigned int offset, const void *data,
		       unsigned int len)
{
	memcpy(vdev->config + offset, data, len);
	vdev->generation++;
	if (vdev->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_raise(vdev, VIRTIO_MMIO_INT_CONFIG, VIRTIO_NO_QUEUE);
}

bool virtio_pop(struct virtio_device *vdev, unsigned int index, struct virtq_chain *chain)
{
	struct virtqueue *vq = &vdev->vq[index];
	int ret;

	if (!virtio_running(vdev))
		return false;
	ret = virtq_pop(vq, chain);
	if (ret < 0)
		virtio_fail(vdev, vq->broken);
	return ret > 0;
}

void virtio_signal(struct virtio_device *vdev, unsigned int index)
{
	/* Also while it is paused: requests that were begun come to their end. */
	if (virtio_is_whole(vdev) && virtq_wants_interrupt(&vdev->vq[index]))
		virtio_raise(vdev, VIRTIO_MMIO_INT_VRING, index);
}

void virtio_interrupt(struct virtio_device *vdev, unsigned int index)
{
	if (virtio_is_whole(vdev))
		virtio_raise(vdev, VIRTIO_MMIO_INT_VRING, index);
}

void virtio_interrupt_again(struct virtio_device *vdev)
{
	for (unsigned int i = 0; i < vdev->ops->nr_queues; i++)
		if (vdev->ops->elsewhere >> i & 1 && vdev->vq[i].ready)
			virtio_interrupt(vdev, i);
}

void virtio_begin(struct virtio_device *vdev)
{
	vdev->in_flight++;
}

void virtio_end(struct virtio_device *vdev)
{
	if (!--vdev->in_flight)
		pthread_cond_broadcast(&vdev->drained);
}

bool virtio_abandoned(const struct virtio_device *vdev)
{
	return __atomic_load_n(&vdev->quiescing, __ATOMIC_RELAXED);
}

void virtio_kick_self(struct virtio_device *vdev, unsigned int index)
{
	if (vdev->ops->process && vdev->ops->elsewhere >> index & 1) {
		doorbell_ring(vdev->kick[index]);
		return;
	}
	/* Fails only when 2^64 - 2 kicks are unread: one is as good as many. */
	(void)eventfd_write(vdev->kick[index], 1);
}

bool virtio_take_kick(struct virtio_device *vdev, unsigned int index)
{
	eventfd_t count;

	if (vdev->ops->elsewhere >> index & 1)
		return doorbell_take(vdev->kick[index]);
	return !eventfd_read(vdev->kick[index], &count);
}

void virtio_kick_elsewhere(struct virtio_device *vdev)
{
	for (unsigned int i = 0; i < vdev->ops->nr_queues; i++)
		if (vdev->ops->elsewhere >> i & 1)
			virtio_kick_self(vdev, i);
}

void virtio_kick_all(struct virtio_device *vdev)
{
	unsigned int i;

	for (i = 0; i < vdev->ops->nr_queues; i++)
		virtio_kick_self(vdev, i);
}

/* Waits until no request is in flight. Drops the lock meanwhile. */
void virtio_quiesce(struct virtio_device *vdev)
{
	__atomic_fetch_add(&vdev->quiescing, 1, __ATOMIC_RELAXED);
	while (vdev->in_flight)
		pthread_cond_wait(&vdev->drained, &vdev->lock);
	__atomic_fetch_sub(&vdev->quiescing, 1, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&vdev->drained);
}

void virtio_watch_early(struct virtio_device *vdev)
{
	for (unsigned int i = 0; i < vdev->ops->nr_queues; i++)
		if (vdev->early_tag[i])
			g_source_modify_unix_fd(vdev->kick_source[i], vdev->early_tag[i],
						vdev->started ? 0 : G_IO_IN);
}

void virtio_start(struct virtio_device *vdev)
{
	if (vdev->started || vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	/* A legacy driver is not asked again about features that do not go together. */
	if (vdev->legacy && vdev->ops->features_ok &&
	    !vdev->ops->features_ok(vdev, vdev->features)) {
		vdev->started = true;
		virtio_watch_early(vdev);
		virtio_fail(vdev, "its features do not go together");
		return;
	}
	vdev->started = true;
	virtio_watch_early(vdev);
	if (vdev->ops->start && vdev->ops->start(vdev) < 0)
		virtio_fail(vdev, "it could not start");
	virtio_update_run(vdev);
	virtio_ack_post(vdev, true);
	/* Buffers may be there already, notified or not. */
	virtio_kick_all(vdev);
}

/*
 * The main thread must not take a notification of the last driver's for the first one of the next,
 * which starts the device: it may not have come to it yet, and others read none. Those
 * of a device with workers are theirs.
 */
static void virtio_forget_kicks(struct virtio_device *vdev)
{
	for (unsigned int i = 0; i < vdev->ops->nr_queues; i++)
		if (vdev->ops->kick || vdev->ops->elsewhere >> i & 1)
			(void)virtio_take_kick(vdev, i);
}

void virtio_reset(struct virtio_device *vdev)
{
	unsigned int i;

	virtio_quiesce(vdev);
	vdev->started = vdev->restored = false;
	virtio_stop_run(vdev);
	if (vdev->ops->reset)
		vdev->ops->reset(vdev);
	vdev->features = 0;
	vdev->features_unknown = false;
	vdev->offered_sel = 0;
	vdev->features_sel = 0;
	vdev->queue_sel = 0;
	vdev->status = 0;
	virtio_forget_kicks(vdev);
	virtio_watch_early(vdev);
	virtio_ack_post(vdev, false);
	for (i = 0; i < vdev->ops->nr_queues; i++)
		virtq_reset(&vdev->vq[i]);
	virtio_ack(vdev, ~0U);
	if (vdev->bus->reset)
		vdev->bus->reset(vdev);
}

void virtio_offer(struct virtio_device *vdev)
{
	vdev->offered = vdev->legacy ? (uint32_t)vdev->own | LEGACY_FEATURES :
				       vdev->own | TRANSPORT_FEATURES;
}

static bool virtio_features_ok(struct virtio_device *vdev)
{
	uint64_t f = vdev->features;

	if (vdev->features_unknown || (f & ~vdev->offered) ||
	    !(f & VIRTIO_BIT(VIRTIO_F_VERSION_1)))
		return false;
	return !vdev->ops->features_ok || vdev->ops->features_ok(vdev, f);
}

void virtio_set_status(struct virtio_device *vdev, uint32_t value)
{
	uint32_t set;

	if (!value) {
		virtio_reset(vdev);
		return;
	}
	/* A driver must not clear a bit (virtio 1.2 2.1.1): only set bits are taken. */
	set = value & DRIVER_STATUS & ~vdev->status;
	if (vdev->legacy) {
		vdev->status |= set & ~VIRTIO_CONFIG_S_FEATURES_OK;
		if (set & VIRTIO_CONFIG_S_DRIVER_OK)
			virtio_start(vdev);
		return;
	}
	if ((set & VIRTIO_CONFIG_S_FEATURES_OK) && !virtio_features_ok(vdev))
		set &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (!((vdev->status | set) & VIRTIO_CONFIG_S_FEATURES_OK))
		set &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	vdev->status |= set;
	if (set & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_start(vdev);
}

void virtio_set_features(struct virtio_device *vdev, uint32_t value)
{
	if (vdev->started || vdev->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	if (vdev->legacy) {
		/* 32 bits, of which only those on offer count (4.2.4). */
		if (!vdev->features_sel)
			vdev->features = value & vdev->offered;
		return;
	}
	switch (vdev->features_sel) {
	case 0:
		vdev->features = (vdev->features & ~0xffffffffULL) | value;
		break;
	case 1:
		vdev->features = (vdev->features & 0xffffffffULL) | (uint64_t)value << 32;
		break;
	default:
		if (value)
			vdev->features_unknown = true;
		break;
	}
}

void virtio_set_queue_ready(struct virtio_device *vdev, struct virtqueue *vq, bool ready)
{
	if (!ready) {
		/* The driver may reuse the rings when this write is done (4.2.2.2). */
		virtio_quiesce(vdev);
		if (vq->ready)
			virtio_stop_run_for(vdev, vq);
		vq->ready = false;
		virtio_update_run(vdev);
		virtio_kick_all(vdev);
		return;
	}
	/* Indirect tables and event fields depend on features: these must be final. */
	if (vq->ready || !(vdev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	virtio_stop_run_for(vdev, vq);
	vq->indirect = virtio_has(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	vq->event_idx = virtio_has(vdev, VIRTIO_RING_F_EVENT_IDX);
	virtq_enable(vq);
	if (vq->broken)
		virtio_fail(vdev, vq->broken);
	virtio_update_run(vdev);
}

uint64_t virtio_config_read(const struct virtio_device *vdev, uint32_t offset, unsigned int len)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < len && offset + i < vdev->config_size; i++)
		value |= (uint64_t)vdev->config[offset + i] << (8 * i);
	return value;
}

/* A legacy driver writes byte by byte, others as wide as the field is. */
void virtio_config_write(struct virtio_device *vdev, uint32_t offset, unsigned int len,
				uint64_t value)
{
	bool any = false;

	for (unsigned int i = 0; i < len && offset + i < vdev->config_size; i++) {
		if (!(vdev->ops->config_writable >> (offset + i) / 4 & 1))
			continue;
		vdev->config[offset + i] = value >> (8 * i);
		any = true;
	}
	if (any)
		vdev->ops->config_written(vdev);
}

/* Life */

void virtio_power_on(struct device *dev)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	pthread_mutex_lock(&vdev->lock);
	virtio_reset(vdev);
	vdev->paused = false;
	pthread_mutex_unlock(&vdev->lock);
}

int virtio_device_begin(struct device *dev, struct error *err)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	return vdev->ops->begin ? vdev->ops->begin(vdev, err) : 0;
}

static void virtio_fini(struct virtio_device *vdev)
{
	unsigned int i;

	for (i = 0; i < vdev->ops->nr_queues; i++) {
		if (vdev->kick_source[i]) {
			g_source_destroy(vdev->kick_source[i]);
			g_source_unref(vdev->kick_source[i]);
		}
		if (vdev->kick_in_kernel[i])
			machine_ioeventfd_del(vdev->machine, vdev->kick[i]);
		if (vdev->kick[i] >= 0)
			close(vdev->kick[i]);
	}
	vdev->bus->detach(vdev);
	pthread_cond_destroy(&vdev->drained);
	pthread_mutex_destroy(&vdev->lock);
	pthread_mutex_destroy(&vdev->irq_lock);
}

void virtio_destroy(struct device *dev)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	/* Not a reset: the interrupt line's other end may be gone. */
	pthread_mutex_lock(&vdev->lock);
	virtio_quiesce(vdev);
	vdev->started = false;
	virtio_stop_run(vdev);
	vdev->status = 0;
	pthread_mutex_unlock(&vdev->lock);
	vdev->ops->destroy(vdev);
	virtio_fini(vdev);
	free(vdev);
}

int virtio_device_register(struct machine *m, struct virtio_device *vdev,
			   const struct virtio_ops *ops, uint64_t features, const void *config,
			   unsigned int config_size, struct error *err)
{
	unsigned int i;
	int ret;

	if (!vdev->bus)
		vdev->bus = &virtio_mmio_bus;
	vdev->dev.kind = ops->name;
	vdev->ops = ops;
	vdev->machine = m;
	if (config_size)
		memcpy(vdev->config, config, config_size);
	vdev->config_size = config_size;
	pthread_mutex_init(&vdev->lock, NULL);
	pthread_mutex_init(&vdev->irq_lock, NULL);
	pthread_cond_init(&vdev->drained, NULL);
	for (i = 0; i < ops->nr_queues; i++)
		vdev->kick[i] = -1;

	ret = vdev->bus->attach(vdev, err);
	if (ret) {
		virtio_fini(vdev);
		return ret;
	}
	vdev->own = features;
	virtio_offer(vdev);
	for (i = 0; !ret && i < ops->nr_queues; i++)
		ret = virtio_queue_setup(vdev, i);
	if (!ret)
		ret = device_register(&m->bus, &vdev->dev);
	if (ret) {
		virtio_fini(vdev);
		return error_errno(err, ret, "%s in slot %u", ops->name, vdev->slot);
	}
	return 0;
}

/* Transports */

/* Defined by the linker: start and end of the section with the entries of all but virtio-mmio. */
extern const struct virtio_bus *const __start_virtio_buses[] __attribute__((weak));
extern const struct virtio_bus *const __stop_virtio_buses[] __attribute__((weak));

int virtio_bus_parse(const char *word, const char *label, const struct virtio_bus **bus,
		     struct error *err)
{
	static const char begin[] = "bus=";
	const struct virtio_bus *const *at = __start_virtio_buses;

	if (strncmp(word, begin, strlen(begin)))
		return -ENOENT;
	word += strlen(begin);
	*bus = &virtio_mmio_bus;
	if (!strcmp(word, virtio_mmio_bus.name))
		return 0;
	for (; at < __stop_virtio_buses; at++) {
		*bus = *at;
		if (!strcmp(word, (*at)->name))
			return 0;
	}
	return error_set(err, -EINVAL, "%s: bus must be mmio or pcie", label);
}
