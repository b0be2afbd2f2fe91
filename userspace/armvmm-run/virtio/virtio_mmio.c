// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio device behind the virtio-mmio transport, version 2 (virtio 1.2 4.2) or 1
 * (4.2.4).
 *
 * DRIVER_OK. A driver must set it before it uses a queue (3.1.1), and several do not:
 * boot loaders read a partition table first, FreeBSD's asks for a disk's identity. A
 * queue that is set up and notified starts the device, as it does in QEMU.
 *
 * The interrupt. The device tree says edge-rising, as QEMU's does, and the line
 * is held high for as long as InterruptStatus is not zero. So a guest that
 * believes the device tree takes one cheap edge (a level would cost an exit at
 * each EOI to look at the line again), and one that programs the GIC for level
 * works as well. An irqfd would save the ioctl that lowers the line, but its
 * pulse is lost to the second kind of guest.
 */
#include "virtio/virtio_mmio.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include "core/fdt_builder.h"
#include "core/machine.h"

#define MMIO_MAGIC	0x74726976 /* "virt" */
#define MMIO_VERSION	2
#define MMIO_VERSION_LEGACY 1
#define MMIO_VENDOR	0x4d4d5641 /* "AVMM" */

/* What a driver may set in Status; NEEDS_RESET is ours alone (virtio 1.2 2.1). */
#define DRIVER_STATUS                                                                              \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FAILED)

#define TRANSPORT_FEATURES                                                                         \
	(VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) |                \
	 VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX))

/* A legacy driver that does not take ANY_LAYOUT frames requests as of old, which is one layout. */
#define LEGACY_FEATURES                                                                            \
	(VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT) | VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) |               \
	 VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX))

/* Interrupts */

static void virtio_raise(struct virtio_device *vdev, uint32_t bits)
{
	pthread_mutex_lock(&vdev->irq_lock);
	__atomic_fetch_or(&vdev->isr, bits, __ATOMIC_RELAXED);
	irqline_set(&vdev->irq, true);
	pthread_mutex_unlock(&vdev->irq_lock);
}

static void virtio_ack(struct virtio_device *vdev, uint32_t bits)
{
	pthread_mutex_lock(&vdev->irq_lock);
	if (vdev->isr & bits) {
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

/* Requests and the status machine, for device types */

bool virtio_running(const struct virtio_device *vdev)
{
	return vdev->started && !(vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET) && !vdev->quiescing;
}

void virtio_fail(struct virtio_device *vdev, const char *why)
{
	if (vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	vdev->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	machine_note(vdev->machine, "%s in slot %u needs a reset: %s", vdev->ops->name, vdev->slot,
		     why);
	if (vdev->started)
		virtio_raise(vdev, VIRTIO_MMIO_INT_CONFIG);
}

void virtio_config_set(struct virtio_device *vdev, unsigned int offset, const void *data,
		       unsigned int len)
{
	memcpy(vdev->config + offset, data, len);
	vdev->generation++;
	if (vdev->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_raise(vdev, VIRTIO_MMIO_INT_CONFIG);
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
	if (virtio_running(vdev) && virtq_wants_interrupt(&vdev->vq[index]))
		virtio_raise(vdev, VIRTIO_MMIO_INT_VRING);
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
	/* Fails only when 2^64 - 2 kicks are unread: one is as good as many. */
	(void)eventfd_write(vdev->kick[index], 1);
}

static void virtio_kick_all(struct virtio_device *vdev)
{
	unsigned int i;

	for (i = 0; i < vdev->ops->nr_queues; i++)
		virtio_kick_self(vdev, i);
}

/* Returns with no request in flight; the lock is dropped while it waits. */
static void virtio_quiesce(struct virtio_device *vdev)
{
	__atomic_fetch_add(&vdev->quiescing, 1, __ATOMIC_RELAXED);
	while (vdev->in_flight)
		pthread_cond_wait(&vdev->drained, &vdev->lock);
	__atomic_fetch_sub(&vdev->quiescing, 1, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&vdev->drained);
}

/* The main thread waits for a first notification only as long as no worker does. */
static void virtio_watch_early(struct virtio_device *vdev)
{
	for (unsigned int i = 0; i < vdev->ops->nr_queues; i++)
		if (vdev->early_tag[i])
			g_source_modify_unix_fd(vdev->kick_source[i], vdev->early_tag[i],
						vdev->started ? 0 : G_IO_IN);
}

static void virtio_start(struct virtio_device *vdev)
{
	if (vdev->started || vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	/* A legacy driver is not asked again about features that do not go together. */
	if (vdev->legacy && vdev->ops->features_ok &&
	    !vdev->ops->features_ok(vdev, vdev->features)) {
		vdev->started = true;
		virtio_fail(vdev, "its features do not go together");
		return;
	}
	vdev->started = true;
	virtio_watch_early(vdev);
	if (vdev->ops->start && vdev->ops->start(vdev) < 0)
		virtio_fail(vdev, "it could not start");
	/* Buffers may be there already, notified or not. */
	virtio_kick_all(vdev);
}

static void virtio_reset(struct virtio_device *vdev)
{
	unsigned int i;

	virtio_quiesce(vdev);
	if (vdev->ops->reset)
		vdev->ops->reset(vdev);
	vdev->features = 0;
	vdev->features_unknown = false;
	vdev->offered_sel = 0;
	vdev->features_sel = 0;
	vdev->queue_sel = 0;
	vdev->status = 0;
	vdev->started = false;
	virtio_watch_early(vdev);
	for (i = 0; i < vdev->ops->nr_queues; i++)
		virtq_reset(&vdev->vq[i]);
	virtio_ack(vdev, ~0U);
}

static bool virtio_features_ok(struct virtio_device *vdev)
{
	uint64_t f = vdev->features;

	if (vdev->features_unknown || (f & ~vdev->offered) ||
	    !(f & VIRTIO_BIT(VIRTIO_F_VERSION_1)))
		return false;
	return !vdev->ops->features_ok || vdev->ops->features_ok(vdev, f);
}

static void virtio_set_status(struct virtio_device *vdev, uint32_t value)
{
	uint32_t set;

	if (!value) {
		virtio_reset(vdev);
		return;
	}
	/* A driver must not clear a bit (virtio 1.2 2.1.1): it cannot. */
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

static void virtio_set_features(struct virtio_device *vdev, uint32_t value)
{
	if (vdev->started || vdev->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	if (vdev->legacy) {
		/* Of 32 bits, and none but those on offer (4.2.4). */
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

static void virtio_set_queue_ready(struct virtio_device *vdev, struct virtqueue *vq, bool ready)
{
	if (!ready) {
		/* The driver may reuse the rings when this write is done (4.2.2.2). */
		virtio_quiesce(vdev);
		vq->ready = false;
		virtio_kick_all(vdev);
		return;
	}
	/* Indirect tables and event fields depend on features: these must be final. */
	if (!(vdev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	vq->indirect = virtio_has(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	vq->event_idx = virtio_has(vdev, VIRTIO_RING_F_EVENT_IDX);
	virtq_enable(vq);
	if (vq->broken)
		virtio_fail(vdev, vq->broken);
}

/*
 * Legacy: the three parts of a queue lie one behind the other, and the used ring on a
 * boundary (2.7.2, 4.2.4). A page number of 0 gives the queue up.
 */
static void virtio_set_queue_pfn(struct virtio_device *vdev, struct virtqueue *vq, uint32_t pfn)
{
	uint64_t end;

	vq->pfn = pfn;
	if (!pfn) {
		virtio_quiesce(vdev);
		vq->ready = false;
		virtio_kick_all(vdev);
		return;
	}
	if (vq->ready)
		return;
	if (!vdev->page_size || vdev->page_size & (vdev->page_size - 1) || !vq->align ||
	    vq->align & (vq->align - 1)) {
		virtio_fail(vdev, "a queue's page size or alignment is no power of two");
		return;
	}
	vq->desc_gpa = (uint64_t)pfn * vdev->page_size;
	vq->avail_gpa = vq->desc_gpa + (uint64_t)vq->size * sizeof(struct vring_desc);
	/* flags, idx, the ring, used_event */
	end = vq->avail_gpa + sizeof(uint16_t) * (3 + (uint64_t)vq->size);
	vq->used_gpa = (end + vq->align - 1) & ~((uint64_t)vq->align - 1);
	vq->indirect = virtio_has(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	/* There is always room for the event fields. */
	vq->event_idx = true;
	virtq_enable(vq);
	vq->event_idx = virtio_has(vdev, VIRTIO_RING_F_EVENT_IDX);
	if (vq->broken)
		virtio_fail(vdev, vq->broken);
}

/* The register window */

static void set_low(uint64_t *reg, uint32_t value)
{
	*reg = (*reg & ~0xffffffffULL) | value;
}

static void set_high(uint64_t *reg, uint32_t value)
{
	*reg = (*reg & 0xffffffffULL) | (uint64_t)value << 32;
}

static struct virtqueue *virtio_selected(struct virtio_device *vdev)
{
	return vdev->queue_sel < vdev->ops->nr_queues ? &vdev->vq[vdev->queue_sel] : NULL;
}

static uint32_t virtio_reg_read(struct virtio_device *vdev, uint32_t reg)
{
	const struct virtqueue *vq = virtio_selected(vdev);

	switch (reg) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MMIO_MAGIC;
	case VIRTIO_MMIO_VERSION:
		return vdev->legacy ? MMIO_VERSION_LEGACY : MMIO_VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return vdev->ops->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return MMIO_VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return vdev->offered_sel < 2 ? vdev->offered >> (32 * vdev->offered_sel) : 0;
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return vq ? vq->size_max : 0;
	case VIRTIO_MMIO_STATUS:
		return vdev->status;
	case VIRTIO_MMIO_QUEUE_PFN:
		return vdev->legacy && vq ? vq->pfn : 0;
	}
	/* What follows is not of version 1. */
	if (vdev->legacy)
		return 0;
	switch (reg) {
	case VIRTIO_MMIO_QUEUE_READY:
		return vq ? vq->ready : 0;
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		/* Length -1: no such region (virtio 1.2 4.2.2, table 4.1). */
		return ~0U;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return vdev->generation;
	default:
		return 0;
	}
}

static void virtio_queue_write(struct virtio_device *vdev, struct virtqueue *vq, uint32_t reg,
			       uint32_t value)
{
	if (vdev->legacy && reg == VIRTIO_MMIO_QUEUE_PFN) {
		virtio_set_queue_pfn(vdev, vq, value);
		return;
	}
	if (vdev->legacy && reg != VIRTIO_MMIO_QUEUE_NUM && reg != VIRTIO_MMIO_QUEUE_ALIGN)
		return;
	if (reg == VIRTIO_MMIO_QUEUE_READY) {
		virtio_set_queue_ready(vdev, vq, value & 1);
		return;
	}
	/* The rest is fixed while the queue is in use (virtio 1.2 4.2.2.2). */
	if (vq->ready)
		return;
	switch (reg) {
	case VIRTIO_MMIO_QUEUE_NUM:
		/* One that does not fit 16 bits must not become one that does. */
		vq->size = value <= UINT16_MAX ? value : 0;
		break;
	case VIRTIO_MMIO_QUEUE_ALIGN:
		vq->align = value;
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
		set_low(&vq->desc_gpa, value);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		set_high(&vq->desc_gpa, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
		set_low(&vq->avail_gpa, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		set_high(&vq->avail_gpa, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
		set_low(&vq->used_gpa, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		set_high(&vq->used_gpa, value);
		break;
	}
}

static void virtio_reg_write(struct virtio_device *vdev, uint32_t reg, uint32_t value)
{
	struct virtqueue *vq;

	/* Nothing changes while another vCPU waits for requests to end. */
	while (vdev->quiescing)
		pthread_cond_wait(&vdev->drained, &vdev->lock);

	switch (reg) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		vdev->offered_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		vdev->features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio_set_features(vdev, value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		vdev->queue_sel = value;
		break;
	case VIRTIO_MMIO_GUEST_PAGE_SIZE:
		vdev->page_size = value;
		break;
	case VIRTIO_MMIO_STATUS:
		virtio_set_status(vdev, value);
		break;
	default:
		vq = virtio_selected(vdev);
		if (vq)
			virtio_queue_write(vdev, vq, reg, value);
		break;
	}
}

static uint64_t virtio_mmio_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);
	uint64_t value = 0;

	if (offset == VIRTIO_MMIO_INTERRUPT_STATUS && len == 4)
		return __atomic_load_n(&vdev->isr, __ATOMIC_ACQUIRE);

	pthread_mutex_lock(&vdev->lock);
	if (offset >= VIRTIO_MMIO_CONFIG) {
		unsigned int i;

		offset -= VIRTIO_MMIO_CONFIG;
		for (i = 0; i < len && offset + i < vdev->config_size; i++)
			value |= (uint64_t)vdev->config[offset + i] << (8 * i);
	} else if (len == 4 && !(offset & 3)) {
		/* Registers are 32 bits wide and so are accesses (4.2.2.2). */
		value = virtio_reg_read(vdev, offset);
	}
	pthread_mutex_unlock(&vdev->lock);
	return value;
}

static void virtio_mmio_write(struct device *dev, uint64_t offset, unsigned int len,
			      uint64_t value)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);
	uint32_t v = value;

	/* No field of our configuration spaces may be written. */
	if (len != 4 || (offset & 3) || offset >= VIRTIO_MMIO_CONFIG)
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		/* Comes here only where the kernel has no ioeventfd for it. */
		if (v < vdev->ops->nr_queues)
			virtio_kick_self(vdev, v);
		return;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		virtio_ack(vdev, v);
		return;
	}
	pthread_mutex_lock(&vdev->lock);
	virtio_reg_write(vdev, offset, v);
	pthread_mutex_unlock(&vdev->lock);
}

static void virtio_mmio_fdt(struct device *dev, struct fdt_builder *fdt)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	fdt_node_begin(fdt, "virtio_mmio@%llx", (unsigned long long)dev->base);
	fdt_prop_string(fdt, "compatible", "virtio,mmio");
	fdt_prop_reg(fdt, dev->base, dev->size);
	fdt_prop_spi(fdt, vdev->irq.spi, FDT_IRQ_EDGE_RISING);
	fdt_prop_empty(fdt, "dma-coherent");
	fdt_node_end(fdt);
}

static void virtio_mmio_reset(struct device *dev)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	pthread_mutex_lock(&vdev->lock);
	virtio_reset(vdev);
	vdev->page_size = 0;
	pthread_mutex_unlock(&vdev->lock);
}

/* Life */

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
	pthread_cond_destroy(&vdev->drained);
	pthread_mutex_destroy(&vdev->lock);
	pthread_mutex_destroy(&vdev->irq_lock);
}

static void virtio_mmio_destroy(struct device *dev)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	/* Not a reset: the interrupt line's other end may be gone. */
	pthread_mutex_lock(&vdev->lock);
	virtio_quiesce(vdev);
	vdev->status = 0;
	vdev->started = false;
	pthread_mutex_unlock(&vdev->lock);
	vdev->ops->destroy(vdev);
	virtio_fini(vdev);
	free(vdev);
}

static const struct device_ops virtio_mmio_ops = {
	.name = "virtio-mmio",
	.read = virtio_mmio_read,
	.write = virtio_mmio_write,
	.fdt = virtio_mmio_fdt,
	.reset = virtio_mmio_reset,
	.destroy = virtio_mmio_destroy,
};

/* A kick source knows its device as user data and its queue by the fd. */
static gboolean virtio_kicked(gint fd, GIOCondition condition, gpointer opaque)
{
	struct virtio_device *vdev = opaque;
	unsigned int i = 0;
	eventfd_t count;

	(void)condition;
	(void)eventfd_read(fd, &count);
	while (vdev->kick[i] != fd)
		i++;
	pthread_mutex_lock(&vdev->lock);
	if (vdev->vq[i].ready && !vdev->quiescing)
		virtio_start(vdev);
	if (virtio_running(vdev))
		vdev->ops->kick(vdev, i);
	pthread_mutex_unlock(&vdev->lock);
	return G_SOURCE_CONTINUE;
}

/*
 * A device whose workers wait for notifications has none before it is started: until
 * then the main thread waits in their place.
 */
struct virtio_early_source {
	GSource source;
	struct virtio_device *vdev;
	unsigned int index;
};

static gboolean virtio_early(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct virtio_early_source *early = (struct virtio_early_source *)source;
	struct virtio_device *vdev = early->vdev;
	eventfd_t count;

	pthread_mutex_lock(&vdev->lock);
	/* Once it is started, the notification is left to the worker. */
	if (!vdev->started) {
		if (vdev->vq[early->index].ready && !vdev->quiescing)
			virtio_start(vdev);
		else
			(void)eventfd_read(vdev->kick[early->index], &count);
	}
	pthread_mutex_unlock(&vdev->lock);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs virtio_early_funcs = { .dispatch = virtio_early };

static int virtio_queue_setup(struct virtio_device *vdev, unsigned int i)
{
	struct machine *m = vdev->machine;
	int ret;

	virtq_init(&vdev->vq[i], &m->mem, vdev->ops->queue_size);
	vdev->kick[i] = eventfd(0, EFD_CLOEXEC);
	if (vdev->kick[i] < 0)
		return -errno;
	if (vdev->ops->kick) {
		GSource *source = g_unix_fd_source_new(vdev->kick[i], G_IO_IN);

		g_source_set_callback(source, G_SOURCE_FUNC(virtio_kicked), vdev, NULL);
		g_source_attach(source, m->context);
		vdev->kick_source[i] = source;
	} else {
		GSource *source = g_source_new(&virtio_early_funcs,
					       sizeof(struct virtio_early_source));
		struct virtio_early_source *early = (struct virtio_early_source *)source;

		early->vdev = vdev;
		early->index = i;
		vdev->early_tag[i] = g_source_add_unix_fd(source, vdev->kick[i], G_IO_IN);
		g_source_attach(source, m->context);
		vdev->kick_source[i] = source;
	}
	ret = machine_ioeventfd_add(m, vdev->dev.base + VIRTIO_MMIO_QUEUE_NOTIFY, 4, i,
				    vdev->kick[i]);
	if (ret < 0 && ret != -ENOTSUP)
		return ret;
	vdev->kick_in_kernel[i] = !ret;
	return 0;
}

int virtio_device_register(struct machine *m, struct virtio_device *vdev,
			   const struct virtio_ops *ops, uint64_t features, const void *config,
			   unsigned int config_size, struct error *err)
{
	int slot = machine_virtio_slot(m);
	unsigned int i;
	int ret;

	if (slot < 0)
		return error_set(err, slot, "%s: all %u virtio slots are taken", ops->name,
				 MAP_VIRTIO_SLOTS);
	vdev->dev.ops = &virtio_mmio_ops;
	vdev->dev.base = MAP_VIRTIO_BASE + (uint64_t)slot * MAP_VIRTIO_SIZE;
	vdev->dev.size = MAP_VIRTIO_SIZE;
	vdev->ops = ops;
	vdev->machine = m;
	vdev->slot = slot;
	vdev->legacy = m->virtio_legacy;
	vdev->offered = vdev->legacy ? (uint32_t)features | LEGACY_FEATURES :
				       features | TRANSPORT_FEATURES;
	if (config_size)
		memcpy(vdev->config, config, config_size);
	vdev->config_size = config_size;
	pthread_mutex_init(&vdev->lock, NULL);
	pthread_mutex_init(&vdev->irq_lock, NULL);
	pthread_cond_init(&vdev->drained, NULL);
	for (i = 0; i < ops->nr_queues; i++)
		vdev->kick[i] = -1;

	ret = machine_irqline_init(m, &vdev->irq, MAP_VIRTIO_SPI + slot);
	for (i = 0; !ret && i < ops->nr_queues; i++)
		ret = virtio_queue_setup(vdev, i);
	if (!ret)
		ret = device_register(&m->bus, &vdev->dev);
	if (ret) {
		virtio_fini(vdev);
		return error_errno(err, ret, "%s in slot %d", ops->name, slot);
	}
	return 0;
}
