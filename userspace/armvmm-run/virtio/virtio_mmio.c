// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio-mmio transport, version 2 (virtio 1.2 4.2) or 1 (4.2.4): a device's register window.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include "core/fdt_builder.h"
#include "core/machine.h"
#include "virtio/virtio_private.h"

#define MMIO_MAGIC	0x74726976 /* "virt" */
#define MMIO_VERSION	2
#define MMIO_VERSION_LEGACY 1
#define MMIO_VENDOR	0x4d4d5641 /* "AVMM" */

/* Queues */

/*
 * Legacy: the three parts of a queue lie one behind the other, with the used ring on a boundary
 * (2.7.2, 4.2.4). A page number of 0 takes the queue out of use.
 */
static void virtio_set_queue_pfn(struct virtio_device *vdev, struct virtqueue *vq, uint32_t pfn)
{
	uint64_t end;

	vq->pfn = pfn;
	if (!pfn) {
		virtio_quiesce(vdev);
		if (vq->ready)
			virtio_stop_run_for(vdev, vq);
		vq->ready = false;
		virtio_update_run(vdev);
		virtio_kick_all(vdev);
		return;
	}
	if (vq->ready)
		return;
	virtio_stop_run_for(vdev, vq);
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
	vq->event_idx = virtio_has(vdev, VIRTIO_RING_F_EVENT_IDX);
	vq->event_room = true;
	virtq_enable(vq);
	if (vq->broken)
		virtio_fail(vdev, vq->broken);
	virtio_update_run(vdev);
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
	/* Version 1 has none of the following registers. */
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
		/* A size that does not fit 16 bits must not become one that does. */
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
		return virtio_read_isr(vdev);

	pthread_mutex_lock(&vdev->lock);
	if (offset >= VIRTIO_MMIO_CONFIG) {
		value = virtio_config_read(vdev, offset - VIRTIO_MMIO_CONFIG, len);
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

	if (offset >= VIRTIO_MMIO_CONFIG) {
		pthread_mutex_lock(&vdev->lock);
		virtio_config_write(vdev, offset - VIRTIO_MMIO_CONFIG, len, value);
		pthread_mutex_unlock(&vdev->lock);
		return;
	}
	if (len != 4 || (offset & 3))
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		virtio_notify(vdev, v);
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

	vdev->page_size = 0;
	virtio_power_on(dev);
}

static int virtio_mmio_begin(struct device *dev, struct error *err)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	vdev->can_post = posted_supported(vdev->machine);
	return virtio_device_begin(dev, err);
}

static const struct device_ops virtio_mmio_ops = {
	.name = "virtio-mmio",
	.begin = virtio_mmio_begin,
	.read = virtio_mmio_read,
	.write = virtio_mmio_write,
	.fdt = virtio_mmio_fdt,
	.reset = virtio_mmio_reset,
	.pause = virtio_pause,
	.is_idle = virtio_is_idle,
	.resume = virtio_resume,
	.save = virtio_save,
	.restore = virtio_restore,
	.state_version = VIRTIO_STATE_VERSION,
	.flush = virtio_flush,
	.claim = virtio_claim,
	.destroy = virtio_destroy,
};

/* Version 1 or 2? */
static int virtio_mmio_choose(struct virtio_device *vdev, struct error *err)
{
	enum virtio_version asked = vdev->machine->virtio;
	enum virtio_age age = vdev->ops->age;

	vdev->legacy = asked == VIRTIO_LEGACY || (asked == VIRTIO_AS_QEMU && age == VIRTIO_OLD);
	vdev->any_version = asked == VIRTIO_AS_QEMU && age != VIRTIO_NEW_ALONE;
	if (!vdev->legacy || age != VIRTIO_NEW_ALONE)
		return 0;
	return error_set(err, -ENOTSUP,
			 "%s in slot %u: has no version 1: leave out --virtio legacy, or put it on PCI (bus=pcie)",
			 vdev->ops->name, vdev->slot);
}

static int virtio_mmio_attach(struct virtio_device *vdev, struct error *err)
{
	struct machine *m = vdev->machine;
	int slot = machine_virtio_slot(m), ret;

	if (slot < 0)
		return error_set(err, slot, "%s: all %u virtio slots are taken", vdev->ops->name,
				 m->type->virtio.slots);
	vdev->dev.ops = &virtio_mmio_ops;
	vdev->dev.base = m->type->virtio.base + (uint64_t)slot * MAP_VIRTIO_SIZE;
	vdev->dev.size = MAP_VIRTIO_SIZE;
	vdev->slot = slot;
	ret = virtio_mmio_choose(vdev, err);
	if (ret)
		return ret;
	virtio_ack_init(vdev);
	ret = posted_init(m, &vdev->ack);
	if (!ret)
		ret = machine_irqline_init(m, &vdev->irq, m->type->virtio.spi + slot);
	return ret ? error_errno(err, ret, "%s in slot %d", vdev->ops->name, slot) : 0;
}

static void virtio_mmio_detach(struct virtio_device *vdev)
{
	posted_exit(vdev->machine, &vdev->ack);
}

static uint64_t virtio_mmio_notify_gpa(struct virtio_device *vdev, unsigned int index)
{
	return vdev->dev.base + VIRTIO_MMIO_QUEUE_NOTIFY;
}

const struct virtio_bus virtio_mmio_bus = {
	.name = "mmio",
	.attach = virtio_mmio_attach,
	.detach = virtio_mmio_detach,
	.notify_gpa = virtio_mmio_notify_gpa,
	.notify_len = 4,
};
