// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio-pci transport (virtio 1.2 4.1), without its legacy interface: a PCI device whose BAR 0
 * has the structures that its capabilities name, each in a page of its own, and whose BAR 1 has the
 * table of MSI-X, with a message for each queue and one for the configuration.
 *
 * A driver that clears Bus Master Enable has forbidden the device to use memory: requests that were
 * begun end first, those that would take long with an error, as at a reset, and no other begins
 * until it is set again. Then the driver is told of all that has ended.
 *
 * Lock order: the device's, irq_lock, then those of the PCI function.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_pci.h>

#include "core/machine.h"
#include "core/record.h"
#include "pci/function.h"
#include "pci/host.h"
#include "virtio/virtio_private.h"

#define PCI_VIRTIO_VENDOR	0x1af4
#define PCI_VIRTIO_DEVICE	0x1040	/* of the device type 0 */
#define PCI_VIRTIO_SUBSYSTEM	0x1100
#define PCI_VIRTIO_REVISION	1	/* it has no legacy interface */

#define BAR_REGISTERS	0
#define BAR_MSIX	1

/* What is where in BAR 0. */
#define AT_COMMON	0x0000
#define AT_ISR		0x1000
#define AT_DEVICE	0x2000
#define AT_NOTIFY	0x3000
#define AT_END		0x4000
#define PAGE		0x1000
#define COMMON_SIZE	sizeof(struct virtio_pci_common_cfg)
#define NOTIFY_STEP	4

struct virtio_pci {
	struct pci_function fn;
	struct virtio_device *vdev;
	unsigned int window;	/* the capability by which configuration space shows BAR 0 */
	/* Which message it is for. The device's lock covers them. */
	uint16_t config_vector;
	uint16_t queue_vector[VIRTIO_MAX_QUEUES];
};

static struct virtio_pci *pci_of(struct virtio_device *vdev)
{
	return vdev->bus_data;
}

/* ---- Interrupts ---- */

static void virtio_pci_raise(struct virtio_device *vdev, uint32_t bits, unsigned int queue)
{
	struct virtio_pci *pci = pci_of(vdev);

	if (pci_msix_is_on(&pci->fn)) {
		/* A vector that is none (0xffff) sends nothing. */
		pci_msix_send(&pci->fn, queue == VIRTIO_NO_QUEUE ? pci->config_vector :
						pci->queue_vector[queue]);
		return;
	}
	pthread_mutex_lock(&vdev->irq_lock);
	vdev->isr |= bits;
	pci_function_set_intx(&pci->fn, true);
	pthread_mutex_unlock(&vdev->irq_lock);
}

/* Whoever reads it has acknowledged it (4.1.4.5). */
static uint32_t virtio_pci_read_isr(struct virtio_pci *pci)
{
	struct virtio_device *vdev = pci->vdev;
	uint32_t isr;

	pthread_mutex_lock(&vdev->irq_lock);
	isr = vdev->isr;
	vdev->isr = 0;
	pci_function_set_intx(&pci->fn, false);
	pthread_mutex_unlock(&vdev->irq_lock);
	return isr;
}

static void virtio_pci_reset_vectors(struct virtio_device *vdev)
{
	struct virtio_pci *pci = pci_of(vdev);

	pci->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		pci->queue_vector[i] = VIRTIO_MSI_NO_VECTOR;
	pci_function_set_intx(&pci->fn, false);
}

/* A vector that there is not is none, which is how a driver learns it (4.1.5.1.2). */
static uint16_t virtio_pci_vector(const struct virtio_pci *pci, uint64_t value)
{
	return value < pci->fn.msix.nr ? value : VIRTIO_MSI_NO_VECTOR;
}

/* ---- The common structure (4.1.4.3) ---- */

/* With the device's lock held, as the next ones. */
static void virtio_pci_common(struct virtio_pci *pci, struct virtio_pci_common_cfg *c)
{
	struct virtio_device *vdev = pci->vdev;
	unsigned int i = vdev->queue_sel;

	memset(c, 0, sizeof(*c));
	c->device_feature_select = htole32(vdev->offered_sel);
	if (vdev->offered_sel < 2)
		c->device_feature = htole32(vdev->offered >> (32 * vdev->offered_sel));
	c->guest_feature_select = htole32(vdev->features_sel);
	if (vdev->features_sel < 2)
		c->guest_feature = htole32(vdev->features >> (32 * vdev->features_sel));
	c->msix_config = htole16(pci->config_vector);
	c->num_queues = htole16(vdev->ops->nr_queues);
	c->device_status = vdev->status;
	c->config_generation = vdev->generation;
	c->queue_select = htole16(i);
	if (i >= vdev->ops->nr_queues)
		return;
	c->queue_size = htole16(vdev->vq[i].size);
	c->queue_msix_vector = htole16(pci->queue_vector[i]);
	c->queue_enable = htole16(vdev->vq[i].ready);
	c->queue_notify_off = htole16(i);
	c->queue_desc_lo = htole32(vdev->vq[i].desc_gpa);
	c->queue_desc_hi = htole32(vdev->vq[i].desc_gpa >> 32);
	c->queue_avail_lo = htole32(vdev->vq[i].avail_gpa);
	c->queue_avail_hi = htole32(vdev->vq[i].avail_gpa >> 32);
	c->queue_used_lo = htole32(vdev->vq[i].used_gpa);
	c->queue_used_hi = htole32(vdev->vq[i].used_gpa >> 32);
}

/* An address is 8 bytes at @at, which drivers write in halves or at once. */
static void virtio_pci_address(uint64_t *gpa, unsigned int at, unsigned int offset,
			       unsigned int len, uint64_t value)
{
	if (len == 8)
		*gpa = value;
	else if (offset == at)
		*gpa = (*gpa & ~0xffffffffULL) | value;
	else
		*gpa = (*gpa & 0xffffffffULL) | value << 32;
}

static void virtio_pci_write_queue(struct virtio_pci *pci, unsigned int offset, unsigned int len,
				   uint64_t value)
{
	struct virtio_device *vdev = pci->vdev;
	unsigned int i = vdev->queue_sel;
	struct virtqueue *vq;

	if (i >= vdev->ops->nr_queues)
		return;
	vq = &vdev->vq[i];
	if (offset == VIRTIO_PCI_COMMON_Q_MSIX)
		pci->queue_vector[i] = virtio_pci_vector(pci, value);
	/* A queue that is in use stays as it is, and is in use until the next reset. */
	if (vq->ready)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		vq->size = value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value == 1)
			virtio_set_queue_ready(vdev, vq, true);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		virtio_pci_address(&vq->desc_gpa, VIRTIO_PCI_COMMON_Q_DESCLO, offset, len, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		virtio_pci_address(&vq->avail_gpa, VIRTIO_PCI_COMMON_Q_AVAILLO, offset, len,
				   value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		virtio_pci_address(&vq->used_gpa, VIRTIO_PCI_COMMON_Q_USEDLO, offset, len, value);
		break;
	}
}

/* How wide the field at @offset is that a driver may write; 0: there is none. */
static unsigned int virtio_pci_width(unsigned int offset)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
	case VIRTIO_PCI_COMMON_GFSELECT:
	case VIRTIO_PCI_COMMON_GF:
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		return 4;
	case VIRTIO_PCI_COMMON_MSIX:
	case VIRTIO_PCI_COMMON_Q_SELECT:
	case VIRTIO_PCI_COMMON_Q_SIZE:
	case VIRTIO_PCI_COMMON_Q_MSIX:
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return 2;
	case VIRTIO_PCI_COMMON_STATUS:
		return 1;
	default:
		return 0;
	}
}

static bool virtio_pci_is_address(unsigned int offset)
{
	return offset == VIRTIO_PCI_COMMON_Q_DESCLO || offset == VIRTIO_PCI_COMMON_Q_AVAILLO ||
	       offset == VIRTIO_PCI_COMMON_Q_USEDLO;
}

static void virtio_pci_write_common(struct virtio_pci *pci, unsigned int offset,
				    unsigned int len, uint64_t value)
{
	struct virtio_device *vdev = pci->vdev;
	bool whole_address = len == 8 && virtio_pci_is_address(offset);

	/* A driver accesses each field as wide as it is (4.1.3.1). */
	if (!whole_address && len != virtio_pci_width(offset))
		return;
	if (len < 8)
		value &= (1ULL << (8 * len)) - 1;
	/* Nothing changes while another vCPU waits for requests to end. */
	while (vdev->quiescing)
		pthread_cond_wait(&vdev->drained, &vdev->lock);
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		vdev->offered_sel = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		vdev->features_sel = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		virtio_set_features(vdev, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		pci->config_vector = virtio_pci_vector(pci, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		virtio_set_status(vdev, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		vdev->queue_sel = value;
		break;
	default:
		virtio_pci_write_queue(pci, offset, len, value);
	}
}

/* ---- BAR 0 ---- */

static uint64_t virtio_pci_read(struct pci_function *fn, unsigned int bar, uint64_t offset,
				unsigned int len)
{
	struct virtio_pci *pci = container_of(fn, struct virtio_pci, fn);
	struct virtio_device *vdev = pci->vdev;
	struct virtio_pci_common_cfg common;
	uint64_t value = 0;

	if (offset == AT_ISR)
		return virtio_pci_read_isr(pci);
	pthread_mutex_lock(&vdev->lock);
	if (offset < COMMON_SIZE) {
		virtio_pci_common(pci, &common);
		memcpy(&value, (uint8_t *)&common + offset,
		       len < COMMON_SIZE - offset ? len : COMMON_SIZE - offset);
		value = le64toh(value);
	} else if (offset >= AT_DEVICE && offset < AT_DEVICE + PAGE) {
		value = virtio_config_read(vdev, offset - AT_DEVICE, len);
	}
	pthread_mutex_unlock(&vdev->lock);
	return value;
}

static void virtio_pci_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
			     unsigned int len, uint64_t value)
{
	struct virtio_pci *pci = container_of(fn, struct virtio_pci, fn);
	struct virtio_device *vdev = pci->vdev;

	if (offset >= AT_NOTIFY) {
		/* What is written says no more than where it is written. */
		virtio_notify(vdev, (offset - AT_NOTIFY) / NOTIFY_STEP);
		return;
	}
	pthread_mutex_lock(&vdev->lock);
	if (offset < COMMON_SIZE)
		virtio_pci_write_common(pci, offset, len, value);
	else if (offset >= AT_DEVICE)
		virtio_config_write(vdev, offset - AT_DEVICE, len, value);
	pthread_mutex_unlock(&vdev->lock);
}

/* ---- Configuration space ---- */

/*
 * The window by which a driver that cannot reach memory yet accesses BAR 0 (4.1.4.9). Returns how
 * many bytes it has chosen, from *@offset on; 0: no valid access.
 */
static unsigned int virtio_pci_window(struct virtio_pci *pci, uint32_t *offset)
{
	unsigned int at = pci->window, bar;
	uint32_t len;

	pthread_mutex_lock(&pci->fn.lock);
	bar = pci_function_config(&pci->fn, at + VIRTIO_PCI_CAP_BAR, 1);
	*offset = pci_function_config(&pci->fn, at + VIRTIO_PCI_CAP_OFFSET, 4);
	len = pci_function_config(&pci->fn, at + VIRTIO_PCI_CAP_LENGTH, 4);
	pthread_mutex_unlock(&pci->fn.lock);
	if (bar != BAR_REGISTERS || (len != 1 && len != 2 && len != 4) || *offset % len ||
	    *offset >= AT_END)
		return 0;
	return len;
}

/* Are bytes of the window's data among the @len ones at @offset? */
static bool virtio_pci_is_window(const struct virtio_pci *pci, unsigned int offset,
				 unsigned int len)
{
	unsigned int data = pci->window + sizeof(struct virtio_pci_cap);

	return offset < data + 4 && data < offset + len;
}

static void virtio_pci_config_reading(struct pci_function *fn, unsigned int offset,
				      unsigned int len)
{
	struct virtio_pci *pci = container_of(fn, struct virtio_pci, fn);
	uint32_t value, at;

	if (!virtio_pci_is_window(pci, offset, len))
		return;
	len = virtio_pci_window(pci, &at);
	if (!len)
		return;
	value = htole32(virtio_pci_read(fn, BAR_REGISTERS, at, len));
	pthread_mutex_lock(&fn->lock);
	memcpy(fn->config + pci->window + sizeof(struct virtio_pci_cap), &value, len);
	pthread_mutex_unlock(&fn->lock);
}

/* The driver may have allowed or forbidden the device to use memory. */
static void virtio_pci_update_master(struct virtio_pci *pci)
{
	struct virtio_device *vdev = pci->vdev;
	bool was;

	pthread_mutex_lock(&vdev->lock);
	was = vdev->cut_off;
	vdev->cut_off = !pci_function_is_master(&pci->fn);
	if (vdev->cut_off && !was)
		virtio_quiesce(vdev);
	virtio_update_run(vdev);
	/* Notifications, and the ends of requests, were in vain until now. */
	if (!vdev->cut_off && vdev->started) {
		for (unsigned int i = 0; i < vdev->ops->nr_queues; i++)
			virtio_signal(vdev, i);
		virtio_interrupt_again(vdev);
		virtio_kick_all(vdev);
	}
	pthread_mutex_unlock(&vdev->lock);
}

static void virtio_pci_config_written(struct pci_function *fn, unsigned int offset,
				      unsigned int len)
{
	struct virtio_pci *pci = container_of(fn, struct virtio_pci, fn);
	uint32_t value, at;

	if (offset <= PCI_COMMAND && PCI_COMMAND < offset + len)
		virtio_pci_update_master(pci);
	if (!virtio_pci_is_window(pci, offset, len))
		return;
	len = virtio_pci_window(pci, &at);
	if (!len)
		return;
	pthread_mutex_lock(&fn->lock);
	value = pci_function_config(fn, pci->window + sizeof(struct virtio_pci_cap), len);
	pthread_mutex_unlock(&fn->lock);
	virtio_pci_write(fn, BAR_REGISTERS, at, len, value);
}

/*
 * The function first: its BARs and Bus Master Enable go, so that nobody starts the device anew in
 * between. Requests end, as at any reset. The machine may have paused the device, which stays so.
 */
static void virtio_pci_reset_function(struct pci_function *fn)
{
	struct virtio_pci *pci = container_of(fn, struct virtio_pci, fn);
	struct virtio_device *vdev = pci->vdev;

	pci_function_reset(fn);
	virtio_pci_update_master(pci);
	pthread_mutex_lock(&vdev->lock);
	while (vdev->quiescing)
		pthread_cond_wait(&vdev->drained, &vdev->lock);
	virtio_reset(vdev);
	pthread_mutex_unlock(&vdev->lock);
}

static const struct pci_function_ops virtio_pci_function_ops = {
	.read = virtio_pci_read,
	.write = virtio_pci_write,
	.config_reading = virtio_pci_config_reading,
	.config_written = virtio_pci_config_written,
	.reset = virtio_pci_reset_function,
};

/* ---- Life ---- */

static void virtio_pci_power_on(struct device *dev)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	virtio_pci_reset_function(&pci_of(vdev)->fn);
	pthread_mutex_lock(&vdev->lock);
	vdev->paused = false;
	pthread_mutex_unlock(&vdev->lock);
}

/* A snapshot has had the vectors of so many queues from the beginning, which most devices lack. */
#define VIRTIO_PCI_SAVED	4u

static unsigned int virtio_pci_nr_saved(const struct virtio_device *vdev)
{
	return MAX(vdev->ops->nr_queues, VIRTIO_PCI_SAVED);
}

static void virtio_pci_save(struct device *dev, struct record *r)
{
	struct virtio_pci *pci = pci_of(container_of(dev, struct virtio_device, dev));

	virtio_save(dev, r);
	pci_function_save(&pci->fn, r);
	record_put(r, &pci->config_vector, sizeof(pci->config_vector));
	record_put(r, pci->queue_vector,
		   virtio_pci_nr_saved(container_of(dev, struct virtio_device, dev)) *
		   sizeof(pci->queue_vector[0]));
}

static int virtio_pci_restore(struct device *dev, struct record *r)
{
	struct virtio_pci *pci = pci_of(container_of(dev, struct virtio_device, dev));

	virtio_restore(dev, r);
	pci_function_restore(&pci->fn, r);
	record_get(r, &pci->config_vector, sizeof(pci->config_vector));
	record_get(r, pci->queue_vector,
		   virtio_pci_nr_saved(container_of(dev, struct virtio_device, dev)) *
		   sizeof(pci->queue_vector[0]));
	pci->config_vector = virtio_pci_vector(pci, pci->config_vector);
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		pci->queue_vector[i] = virtio_pci_vector(pci, pci->queue_vector[i]);
	virtio_pci_update_master(pci);
	return r->ret;
}

/* The registers are the function's, so the device has no window of its own. */
static const struct device_ops virtio_pci_ops = {
	.name = "virtio-pci",
	.begin = virtio_device_begin,
	.reset = virtio_pci_power_on,
	.pause = virtio_pause,
	.is_idle = virtio_is_idle,
	.resume = virtio_resume,
	.save = virtio_pci_save,
	.restore = virtio_pci_restore,
	.state_version = VIRTIO_STATE_VERSION,
	.flush = virtio_flush,
	.claim = virtio_claim,
	.destroy = virtio_destroy,
};

/* A capability that says where a structure is, with @more bytes behind. */
static unsigned int virtio_pci_cap(struct virtio_pci *pci, unsigned int type, uint32_t offset,
				   uint32_t length, unsigned int more)
{
	unsigned int size = sizeof(struct virtio_pci_cap) + more;
	unsigned int at = pci_function_cap(&pci->fn, PCI_CAP_ID_VNDR, size);

	pci_function_fill(&pci->fn, at + VIRTIO_PCI_CAP_LEN, 1, size, 0);
	pci_function_fill(&pci->fn, at + VIRTIO_PCI_CAP_CFG_TYPE, 1, type, 0);
	pci_function_fill(&pci->fn, at + VIRTIO_PCI_CAP_BAR, 1, BAR_REGISTERS, 0);
	pci_function_fill(&pci->fn, at + VIRTIO_PCI_CAP_OFFSET, 4, offset, 0);
	pci_function_fill(&pci->fn, at + VIRTIO_PCI_CAP_LENGTH, 4, length, 0);
	return at;
}

static void virtio_pci_caps(struct virtio_pci *pci)
{
	const struct virtio_device *vdev = pci->vdev;
	unsigned int at;

	pci_msix_init(&pci->fn, BAR_MSIX, vdev->ops->nr_queues + 1);
	pci_function_resettable(&pci->fn);
	/* The last one is the first that a driver finds. */
	at = virtio_pci_cap(pci, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 4);
	pci_function_fill(&pci->fn, at + VIRTIO_PCI_CAP_BAR, 1, BAR_REGISTERS, 0xff);
	pci_function_fill(&pci->fn, at + VIRTIO_PCI_CAP_OFFSET, 4, 0, UINT32_MAX);
	pci_function_fill(&pci->fn, at + VIRTIO_PCI_CAP_LENGTH, 4, 0, UINT32_MAX);
	pci_function_fill(&pci->fn, at + sizeof(struct virtio_pci_cap), 4, 0, UINT32_MAX);
	pci->window = at;
	at = virtio_pci_cap(pci, VIRTIO_PCI_CAP_NOTIFY_CFG, AT_NOTIFY,
			    vdev->ops->nr_queues * NOTIFY_STEP, 4);
	pci_function_fill(&pci->fn, at + VIRTIO_PCI_NOTIFY_CAP_MULT, 4, NOTIFY_STEP, 0);
	/* A driver may look at a field that it did not agree on, which reads as zero. */
	virtio_pci_cap(pci, VIRTIO_PCI_CAP_DEVICE_CFG, AT_DEVICE, PAGE, 0);
	virtio_pci_cap(pci, VIRTIO_PCI_CAP_ISR_CFG, AT_ISR, 1, 0);
	virtio_pci_cap(pci, VIRTIO_PCI_CAP_COMMON_CFG, AT_COMMON, COMMON_SIZE, 0);
}

/* Base class and sub-class, by which firmware knows what it may start from. */
static uint32_t virtio_pci_class(uint32_t id)
{
	switch (id) {
	case VIRTIO_ID_BLOCK:
		return 0x010000;
	case VIRTIO_ID_NET:
		return 0x020000;
	case VIRTIO_ID_CONSOLE:
		return 0x078000;
	default:
		return 0x00ff00;
	}
}

static int virtio_pci_attach(struct virtio_device *vdev, struct error *err)
{
	const struct pci_id id = {
		.vendor = PCI_VIRTIO_VENDOR,
		.device = PCI_VIRTIO_DEVICE + vdev->ops->id,
		.subsystem_vendor = PCI_VIRTIO_VENDOR,
		.subsystem = PCI_VIRTIO_SUBSYSTEM,
		.class = virtio_pci_class(vdev->ops->id),
		.revision = PCI_VIRTIO_REVISION,
		.pin = true,
	};
	struct virtio_pci *pci;
	int ret = pci_host_need(vdev->machine, err);

	if (ret)
		return ret;
	vdev->bus_data = pci = calloc(1, sizeof(*pci));
	if (!pci)
		return error_errno(err, -ENOMEM, "%s", vdev->ops->name);
	pci->vdev = vdev;
	pci_function_init(&pci->fn, &virtio_pci_function_ops, &id);
	pci_function_bar(&pci->fn, BAR_REGISTERS, AT_END);
	virtio_pci_caps(pci);
	ret = pci_host_attach(vdev->machine->pci, &pci->fn);
	if (ret)
		return error_set(err, ret, "%s: all %u PCI slots are taken", vdev->ops->name,
				 MAP_PCI_SLOTS);
	virtio_pci_reset_vectors(vdev);
	vdev->cut_off = true;
	vdev->slot = pci->fn.slot;
	vdev->dev.ops = &virtio_pci_ops;
	vdev->dev.base = pci_host_ecam(&pci->fn);
	return 0;
}

static void virtio_pci_detach(struct virtio_device *vdev)
{
	struct virtio_pci *pci = pci_of(vdev);

	if (!pci)
		return;
	pci_function_exit(&pci->fn);
	free(pci);
	vdev->bus_data = NULL;
}

/* A BAR may move at any time: notifications are exits. */
static uint64_t virtio_pci_notify_gpa(struct virtio_device *vdev, unsigned int index)
{
	return 0;
}

static const struct virtio_bus virtio_pci_bus = {
	.name = "pcie",
	.attach = virtio_pci_attach,
	.detach = virtio_pci_detach,
	.raise = virtio_pci_raise,
	.reset = virtio_pci_reset_vectors,
	.notify_gpa = virtio_pci_notify_gpa,
};
VIRTIO_BUS(virtio_pci_bus);
