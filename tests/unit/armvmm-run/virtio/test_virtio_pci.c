// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_pci.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c
// sources: userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c
// sources: userspace/armvmm-run/pci/msix.c userspace/armvmm-run/pci/v2m.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/irqline.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// The virtio-pci transport, with a device type of the test's own behind it.
#include <pthread.h>

#include "core/record.h"
#include "virtio/virtio_mmio.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/pci_driver.h"

#define F_ONE	3
#define F_TWO	37	/* goes with F_ONE only */
#define OFFERED (VIRTIO_BIT(F_ONE) | VIRTIO_BIT(F_TWO))
#define V1	VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define QSIZE	16
#define ID	2
#define PIN	(3 + 1)	/* slot 1 */
#define PCI_SLOTS_MAX 32

static struct {
	struct virtio_device vdev;
	struct virtq_chain *chain;
	unsigned int starts, resets, config_writes, kicks;
	bool keep;	/* chains are popped and kept */
} *echo;

static struct pci_driver d;
static bool destroyed;

/* Returns each chain, with its first byte of the readable part in the writable one. */
static void echo_kick(struct virtio_device *vdev, unsigned int index)
{
	uint8_t byte = 0;

	echo->kicks++;
	while (!echo->keep && virtio_pop(vdev, index, echo->chain)) {
		virtq_chain_read(echo->chain, 0, &byte, 1);
		virtq_chain_write(echo->chain, 0, &byte, 1);
		virtq_push(&vdev->vq[index], echo->chain, 1);
		virtio_signal(vdev, index);
	}
	virtq_notify_on(&vdev->vq[index]);
}

static bool echo_features_ok(struct virtio_device *vdev, uint64_t f)
{
	return !(f & VIRTIO_BIT(F_TWO)) || f & VIRTIO_BIT(F_ONE);
}

static int echo_start(struct virtio_device *vdev)
{
	echo->starts++;
	return 0;
}

static void echo_reset(struct virtio_device *vdev)
{
	echo->resets++;
}

static void echo_config_written(struct virtio_device *vdev)
{
	echo->config_writes++;
}

static void echo_destroy(struct virtio_device *vdev)
{
	free(((__typeof__(echo))vdev)->chain);
	destroyed = true;
}

static const struct virtio_ops echo_ops = {
	.name = "echo", .id = ID, .nr_queues = 2, .queue_size = QSIZE,
	.features_ok = echo_features_ok, .start = echo_start, .reset = echo_reset,
	.config_writable = 1 << 1, .config_written = echo_config_written, .kick = echo_kick,
	.destroy = echo_destroy,
};

static const uint8_t config[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void make(void)
{
	struct error err = { "" };

	echo = calloc(1, sizeof(*echo));
	echo->chain = virtq_chain_alloc(QSIZE);
	KTAP_EQ(virtio_bus_parse("bus=pcie", "x", &echo->vdev.bus, &err), 0);
	if (virtio_device_register(&test_machine, &echo->vdev, &echo_ops, OFFERED, config,
				   sizeof(config), &err)) {
		printf("# %s\n", err.text);
		exit(1);
	}
}

static void setup(void)
{
	test_machine_init();
	make();
	pci_driver_probe(&d, 1);
	KTAP_TRUE(d.common && d.notify && d.isr && d.device && d.msix && d.window);
}

/* Sends @byte by queue @index, and has it back. */
static bool ask(unsigned int index, uint8_t byte)
{
	const struct driver_buf buf[] = { { DATA_GPA, 1, false }, { DATA_GPA + 64, 1, true } };
	uint8_t *answer = ram(DATA_GPA + 64);

	*(uint8_t *)ram(DATA_GPA) = byte;
	*answer = ~byte;
	driver_add(&d.q[index], buf, 2);
	pci_driver_kick(&d, index);
	test_loop();
	if (!driver_nr_used(&d.q[index]))
		return false;
	driver_used(&d.q[index]);
	return *answer == byte;
}

static void test_identity(void)
{
	setup();
	KTAP_EQ(pci_get(d.config, 4), 0x10421af4);
	KTAP_EQ(pci_get(d.config + PCI_CLASS_REVISION, 4), 0x01000001);
	KTAP_EQ(pci_get(d.config + PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
	KTAP_EQ(pci_get(d.config + PCI_INTERRUPT_PIN, 1), 1);
	KTAP_EQ(pci_get(d.msix + PCI_MSIX_FLAGS, 2), 2);
	KTAP_EQ(d.notify_step, 4);
	/* --virtio is about virtio-mmio. */
	test_machine_exit();
	test_machine_init();
	test_machine.virtio = VIRTIO_LEGACY;
	make();
	pci_driver_probe(&d, 1);
	KTAP_EQ(pci_driver_offered(&d), OFFERED | V1 | VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
					VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX));
	test_machine_exit();
}

static void test_messages(void)
{
	setup();
	pci_driver_messages(&d, 3);
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	KTAP_EQ(echo->starts, 1);
	KTAP_TRUE(ask(0, 77));
	KTAP_EQ(pci_driver_came(1), 1);
	KTAP_EQ(pci_driver_came(2), 0);
	KTAP_TRUE(ask(1, 78));
	KTAP_EQ(pci_driver_came(1), 0);
	KTAP_EQ(pci_driver_came(2), 1);
	/* No pin, and nothing in ISR. */
	KTAP_EQ(test_edges[PIN], 0);
	KTAP_EQ(pci_get(d.isr, 1), 0);
	pthread_mutex_lock(&echo->vdev.lock);
	virtio_config_set(&echo->vdev, 0, "x", 1);
	pthread_mutex_unlock(&echo->vdev.lock);
	KTAP_EQ(pci_driver_came(0), 1);
	KTAP_EQ(pci_get(d.device, 1), 'x');
	/* A queue without a message, and one that there is not. */
	pci_put(d.common + 22, 2, 0);
	KTAP_EQ(pci_get(d.common + 26, 2), 1);
	pci_put(d.common + 26, 2, 3);
	KTAP_EQ(pci_get(d.common + 26, 2), 0xffff);
	pci_put(d.common + 16, 2, 0xfffe);
	KTAP_EQ(pci_get(d.common + 16, 2), 0xffff);
	KTAP_TRUE(ask(0, 79));
	for (unsigned int i = 0; i < 3; i++)
		KTAP_EQ(pci_driver_came(i), 0);
	/* A reset of the device forgets them. */
	pci_put(d.common + 16, 2, 1);
	pci_put(d.common + 20, 1, 0);
	KTAP_EQ(pci_driver_status(&d), 0);
	KTAP_EQ(pci_get(d.common + 16, 2), 0xffff);
	pci_put(d.common + 22, 2, 1);
	KTAP_EQ(pci_get(d.common + 26, 2), 0xffff);
	KTAP_EQ(pci_get(d.common + 28, 2), 0);
	test_machine_exit();
}

static void test_pin(void)
{
	setup();
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	KTAP_TRUE(ask(0, 5));
	KTAP_TRUE(test_level[PIN]);
	KTAP_EQ(pci_get(d.config + PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, PCI_STATUS_INTERRUPT);
	/* Reading is acknowledging. */
	KTAP_EQ(pci_get(d.isr, 1), 1);
	KTAP_TRUE(!test_level[PIN]);
	KTAP_EQ(pci_get(d.isr, 1), 0);
	pthread_mutex_lock(&echo->vdev.lock);
	virtio_config_set(&echo->vdev, 0, "x", 1);
	pthread_mutex_unlock(&echo->vdev.lock);
	KTAP_TRUE(test_level[PIN]);
	KTAP_EQ(pci_get(d.isr, 4), 2);
	KTAP_TRUE(ask(1, 5));
	KTAP_TRUE(test_level[PIN]);
	/* So does a reset. */
	pci_put(d.common + 20, 1, 0);
	KTAP_TRUE(!test_level[PIN]);
	KTAP_EQ(pci_get(d.isr, 1), 0);
	test_machine_exit();
}

static void test_features(void)
{
	setup();
	KTAP_EQ(pci_driver_offered(&d) & ~VIRTIO_BIT(28) & ~VIRTIO_BIT(29), OFFERED | V1);
	pci_put(d.common, 4, 2);
	KTAP_EQ(pci_get(d.common + 4, 4), 0);
	KTAP_TRUE(!pci_driver_negotiate(&d, OFFERED));
	KTAP_TRUE(!pci_driver_negotiate(&d, V1 | VIRTIO_BIT(F_TWO)));
	KTAP_TRUE(!pci_driver_negotiate(&d, V1 | VIRTIO_BIT(50)));
	KTAP_TRUE(pci_driver_negotiate(&d, V1 | OFFERED));
	pci_put(d.common + 8, 4, 0);
	KTAP_EQ(pci_get(d.common + 12, 4), (uint32_t)OFFERED);
	pci_put(d.common + 8, 4, 1);
	KTAP_EQ(pci_get(d.common + 12, 4), (V1 | OFFERED) >> 32);
	test_machine_exit();
}

static void test_queues(void)
{
	setup();
	KTAP_EQ(pci_get(d.common + 18, 2), 2);
	for (unsigned int i = 0; i < 3; i++) {
		pci_put(d.common + 22, 2, i);
		KTAP_EQ(pci_get(d.common + 22, 2), i);
		KTAP_EQ(pci_get(d.common + 24, 2), i < 2 ? QSIZE : 0);
		KTAP_EQ(pci_get(d.common + 30, 2), i < 2 ? i : 0);
	}
	pci_put(d.common + 24, 2, 8);
	pci_put(d.common + 28, 2, 1);
	KTAP_EQ(pci_get(d.common + 28, 2), 0);
	/* Addresses in halves, and as a pair of registers stores them. */
	pci_put(d.common + 22, 2, 1);
	pci_put(d.common + 32, 8, 0x1122334455667788);
	KTAP_EQ(pci_get(d.common + 32, 8), 0x1122334455667788);
	KTAP_EQ(pci_get(d.common + 36, 4), 0x11223344);
	pci_put(d.common + 44, 4, 0xaabbccdd);
	KTAP_EQ(pci_get(d.common + 40, 8), 0xaabbccdd00000000);
	pci_put(d.common + 48, 4, 7);
	KTAP_EQ(pci_get(d.common + 48, 8), 7);
	/* Rings that are not in RAM: it needs a reset, and one helps. */
	KTAP_TRUE(pci_driver_negotiate(&d, V1));
	pci_put(d.common + 22, 2, 1);
	pci_put(d.common + 32, 8, 0x1122334455667780);
	pci_put(d.common + 28, 2, 1);
	KTAP_TRUE(pci_driver_status(&d) & VIRTIO_CONFIG_S_NEEDS_RESET);
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	KTAP_TRUE(ask(1, 9));
	/* What is in use stays as it is, and a queue cannot be turned off. */
	pci_put(d.common + 22, 2, 1);
	pci_put(d.common + 24, 2, 4);
	pci_put(d.common + 32, 4, 0);
	pci_put(d.common + 28, 2, 0);
	KTAP_EQ(pci_get(d.common + 24, 2), QSIZE);
	KTAP_EQ(pci_get(d.common + 28, 2), 1);
	KTAP_TRUE(ask(1, 10));
	test_machine_exit();
}

static void test_config(void)
{
	uint8_t before;

	setup();
	before = pci_get(d.common + 21, 1);
	KTAP_EQ(pci_get(d.device, 8), 0x0807060504030201);
	KTAP_EQ(pci_get(d.device + 8, 8), 9);
	KTAP_EQ(pci_get(d.device + 100, 4), 0);
	pci_put(d.device, 4, 0);
	KTAP_EQ(pci_get(d.device, 4), 0x04030201);
	KTAP_EQ(echo->config_writes, 0);
	pci_put(d.device + 4, 2, 0x1234);
	KTAP_EQ(pci_get(d.device + 4, 4), 0x08071234);
	KTAP_EQ(echo->config_writes, 1);
	pthread_mutex_lock(&echo->vdev.lock);
	virtio_config_set(&echo->vdev, 0, "x", 1);
	pthread_mutex_unlock(&echo->vdev.lock);
	KTAP_TRUE(pci_get(d.common + 21, 1) != before);
	test_machine_exit();
}

static void window(uint8_t bar, uint32_t offset, uint32_t len)
{
	pci_put(d.window + 4, 1, bar);
	pci_put(d.window + 8, 4, offset);
	pci_put(d.window + 12, 4, len);
}

/* The window in configuration space reaches the same registers, with BARs that are nowhere. */
static void test_window(void)
{
	uint32_t common;

	setup();
	pci_put(d.config + PCI_COMMAND, 2, 0);
	common = (d.common - PCI_DRIVER_BAR0) & 0xfffff;
	KTAP_EQ(pci_get(d.window + 2, 1), 20);
	KTAP_EQ(pci_get(d.window + 3, 1), 5);
	window(0, common + 20, 1);
	pci_put(d.window + 16, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	KTAP_EQ(echo->vdev.status, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	KTAP_EQ(pci_get(d.window + 16, 1), VIRTIO_CONFIG_S_ACKNOWLEDGE);
	window(0, common, 4);
	pci_put(d.window + 16, 4, 1);
	window(0, common + 4, 4);
	KTAP_EQ(pci_get(d.window + 16, 4), (V1 | OFFERED) >> 32);
	window(0, common + 18, 2);
	KTAP_EQ(pci_get(d.window + 16, 2), 2);
	/* What is no access does nothing: it reads what was there. */
	window(0, common + 20, 1);
	pci_put(d.window + 16, 4, 0xff);
	for (unsigned int i = 0; i < 6; i++) {
		static const struct {
			uint8_t bar;
			uint32_t offset, len;
		} bad[] = {
			{ 1, 0, 4 }, { 0, 0x4000, 4 }, { 0, 0xfffffffc, 4 }, { 0, 2, 4 },
			{ 0, 0, 8 }, { 255, 0, 0 },
		};

		window(bad[i].bar, bad[i].offset, bad[i].len);
		pci_get(d.window + 16, 4);
		pci_put(d.window + 16, 4, UINT32_MAX);
		KTAP_EQ(pci_get(d.window + 16, 4), UINT32_MAX);
	}
	test_machine_exit();
}

/* Without Bus Master Enable it touches no memory; with it, it goes on. */
static void test_master(void)
{
	setup();
	pci_driver_messages(&d, 3);
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	pci_put(d.config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	KTAP_TRUE(!ask(0, 1));
	KTAP_EQ(pci_driver_came(1), 0);
	pci_put(d.config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[0]), 1);
	KTAP_EQ(pci_driver_came(1), 1);
	driver_used(&d.q[0]);
	/* A request that ends meanwhile is told of then. */
	echo->keep = true;
	KTAP_TRUE(!ask(0, 2));
	KTAP_TRUE(virtio_pop(&echo->vdev, 0, echo->chain));
	pci_put(d.config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	virtq_push(&echo->vdev.vq[0], echo->chain, 1);
	virtio_signal(&echo->vdev, 0);
	KTAP_EQ(pci_driver_came(1), 0);
	pci_put(d.config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	KTAP_EQ(pci_driver_came(1), 1);
	KTAP_EQ(driver_nr_used(&d.q[0]), 1);
	test_machine_exit();
}

static void test_reset(void)
{
	struct device *dev;

	setup();
	pci_driver_messages(&d, 3);
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	KTAP_TRUE(ask(0, 1));
	dev = &echo->vdev.dev;
	dev->ops->reset(dev);
	KTAP_EQ(pci_get(d.config + PCI_COMMAND, 2), 0);
	KTAP_EQ(pci_get(d.config + PCI_BASE_ADDRESS_0, 4), 0);
	KTAP_EQ(pci_get(d.common, 4), 0xffffffff);
	pci_driver_probe(&d, 1);
	KTAP_EQ(pci_driver_status(&d), 0);
	KTAP_EQ(pci_get(d.msix + PCI_MSIX_FLAGS, 2), 2);
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	KTAP_TRUE(ask(0, 1));
	destroyed = false;
	test_machine_exit();
	KTAP_TRUE(destroyed);
}

/* A driver resets this function alone (Advanced Features capability), in the middle of its work. */
static void test_function_reset(void)
{
	unsigned int cap;

	setup();
	for (cap = pci_get(d.config + PCI_CAPABILITY_LIST, 1);
	     cap && pci_get(d.config + cap, 1) != PCI_CAP_ID_AF;
	     cap = pci_get(d.config + cap + 1, 1))
		;
	KTAP_ASSERT(cap);
	KTAP_EQ(pci_get(d.config + cap + PCI_AF_LENGTH, 1), 6);
	KTAP_EQ(pci_get(d.config + cap + PCI_AF_CAP, 1), PCI_AF_CAP_TP | PCI_AF_CAP_FLR);
	pci_driver_messages(&d, 3);
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	KTAP_TRUE(ask(0, 1));
	/* Other bits of it, and the bytes beside it, do not. */
	pci_put(d.config + cap + PCI_AF_CTRL, 1, 0xfe);
	pci_put(d.config + cap + PCI_AF_STATUS, 1, 0xff);
	pci_put(d.config + cap + PCI_AF_CAP, 1, 0xff);
	KTAP_TRUE(ask(0, 2));
	pci_put(d.config + cap, 8, 0x100000000);
	KTAP_EQ(pci_get(d.config + cap + PCI_AF_CTRL, 2), 0);
	KTAP_EQ(pci_get(d.config + PCI_COMMAND, 2), 0);
	KTAP_EQ(pci_get(d.config + PCI_BASE_ADDRESS_0, 4), 0);
	KTAP_EQ(pci_get(d.msix + PCI_MSIX_FLAGS, 2), 2);
	KTAP_EQ(echo->vdev.status, 0);
	KTAP_TRUE(echo->resets > 1);
	pci_driver_probe(&d, 1);
	pci_driver_messages(&d, 3);
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	KTAP_TRUE(ask(1, 3));
	test_machine_exit();
}

static void test_state(void)
{
	struct record saved = { .len = 0 };
	struct device *dev;
	struct error why;
	void *old;

	setup();
	pci_driver_messages(&d, 3);
	KTAP_TRUE(pci_driver_start(&d, V1, 2, QSIZE));
	KTAP_TRUE(ask(0, 1));
	pci_driver_came(1);
	state_save(&echo->vdev.dev, &saved);
	old = test_machine.mem.region[0].host;
	device_bus_destroy(&test_machine.bus);
	test_machine.pci = NULL;

	/* Another process: the same memory, and a device of power-on state. */
	make();
	dev = &echo->vdev.dev;
	KTAP_EQ(test_machine.mem.region[0].host == old, true);
	KTAP_EQ(state_restore(dev, &saved, saved.len, &why), 0);
	dev->ops->resume(dev);
	KTAP_EQ(echo->starts, 1);
	KTAP_TRUE(ask(0, 2));
	KTAP_EQ(pci_driver_came(1), 1);
	KTAP_TRUE(ask(1, 3));
	KTAP_EQ(pci_driver_came(2), 1);
	pci_put(d.common + 22, 2, 0);
	KTAP_EQ(pci_get(d.common + 26, 2), 1);
	state_torture(dev, &saved);
	record_free(&saved);
	test_machine_exit();
}

/* Three devices: slots are in order, and too many are refused. */
static void test_slots(void)
{
	struct error err = { "" };

	test_machine_init();
	for (unsigned int i = 1; i < PCI_SLOTS_MAX; i++) {
		make();
		KTAP_EQ(echo->vdev.slot, i);
		pci_driver_probe(&d, i);
		KTAP_EQ(pci_get(d.common + 18, 2), 2);
	}
	echo = calloc(1, sizeof(*echo));
	KTAP_EQ(virtio_bus_parse("bus=pcie", "x", &echo->vdev.bus, &err), 0);
	KTAP_EQ(virtio_device_register(&test_machine, &echo->vdev, &echo_ops, OFFERED, config,
				       sizeof(config), &err), (unsigned long long)-ENOSPC);
	KTAP_STREQ(err.text, "echo: all 32 PCI slots are taken");
	free(echo);
	test_machine_exit();
}

/* Each offset of BAR 0 and of configuration space, all widths, any value. */
static void test_hostile(void)
{
	unsigned int failed = 0;

	setup();
	for (unsigned int i = 0; i < 60000; i++) {
		static const unsigned int widths[] = { 1, 2, 4, 8 };
		uint32_t r = test_random(), where = test_random();
		uint64_t value = r & 1 ? test_random() & 0xff : (uint64_t)test_random() << 16;
		uint64_t gpa = PCI_DRIVER_BAR0 + (1 << 21) + where % 0x4000;

		if (where >> 30 == 0)
			gpa = d.config + where % 0x110;
		else if (where >> 30 == 1)
			gpa = d.common + where % 64;
		else if (where >> 28 == 8)
			gpa = PCI_DRIVER_BAR1 + (1 << 21) + where % 0x1000;
		if (r >> 4 & 1)
			pci_put(gpa, widths[r >> 8 & 3], value);
		else
			pci_get(gpa, widths[r >> 8 & 3]);
		if (i % 50 == 0) {
			test_loop();
			pci_driver_probe(&d, 1);
			failed += !pci_driver_start(&d, V1 | OFFERED, 2, QSIZE) || !ask(0, i);
		}
	}
	/* However it was treated, a driver that goes by the rules can use it. */
	KTAP_EQ(failed, 0);
	test_machine_exit();
}

KTAP_MAIN(KTAP_CASE(test_identity), KTAP_CASE(test_messages), KTAP_CASE(test_pin),
	  KTAP_CASE(test_features), KTAP_CASE(test_queues), KTAP_CASE(test_config),
	  KTAP_CASE(test_window), KTAP_CASE(test_master), KTAP_CASE(test_reset),
	  KTAP_CASE(test_function_reset), KTAP_CASE(test_state), KTAP_CASE(test_slots),
	  KTAP_CASE(test_hostile))
