// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/irqline.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// The virtio-mmio transport, with a device type of the test's own behind it.
#include <libfdt.h>
#include <pthread.h>

#include "core/fdt_builder.h"
#include "virtio/virtio_mmio.h"
#include "armvmm-run/virtio/virtio_driver.h"

#define F_ONE	3
#define F_TWO	37 /* goes with F_ONE only */
#define OFFERED (VIRTIO_BIT(F_ONE) | VIRTIO_BIT(F_TWO))
#define V1	VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define QSIZE	16

#define S_ACK	  VIRTIO_CONFIG_S_ACKNOWLEDGE
#define S_DRV	  VIRTIO_CONFIG_S_DRIVER
#define S_FEAT	  VIRTIO_CONFIG_S_FEATURES_OK
#define S_OK	  VIRTIO_CONFIG_S_DRIVER_OK
#define S_RESET	  VIRTIO_CONFIG_S_NEEDS_RESET
#define S_RUNNING (S_ACK | S_DRV | S_FEAT | S_OK)

/* Returns each chain with its readable length, on the main thread. */
struct echo {
	struct virtio_device vdev;
	struct virtq_chain *chain;
	unsigned int starts, resets, kicks, destroys;
	bool refuse_start;
};

static struct echo *echo;
static unsigned int destroyed;

static bool echo_features_ok(struct virtio_device *vdev, uint64_t f)
{
	return !(f & VIRTIO_BIT(F_TWO)) || (f & VIRTIO_BIT(F_ONE));
}

static int echo_start(struct virtio_device *vdev)
{
	echo->starts++;
	return echo->refuse_start ? -ENOMEM : 0;
}

static void echo_reset(struct virtio_device *vdev)
{
	echo->resets++;
}

static void echo_kick(struct virtio_device *vdev, unsigned int index)
{
	echo->kicks++;
	while (virtio_pop(vdev, index, echo->chain))
		virtq_push(&vdev->vq[index], echo->chain, echo->chain->read_len);
	virtq_notify_on(&vdev->vq[index]);
	virtio_signal(vdev, index);
}

static void echo_destroy(struct virtio_device *vdev)
{
	destroyed++;
	free(echo->chain);
}

static const struct virtio_ops echo_ops = {
	.name = "virtio-echo",
	.id = 63,
	.nr_queues = 2,
	.queue_size = QSIZE,
	.features_ok = echo_features_ok,
	.start = echo_start,
	.reset = echo_reset,
	.kick = echo_kick,
	.destroy = echo_destroy,
};

static const uint8_t echo_config[6] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66 };

static struct device *make_echo(void)
{
	struct error err = { "" };

	echo = calloc(1, sizeof(*echo));
	echo->chain = virtq_chain_alloc(QSIZE);
	if (virtio_device_register(&test_machine, &echo->vdev, &echo_ops, OFFERED, echo_config,
				   sizeof(echo_config), &err)) {
		printf("# %s\n", err.text);
		exit(1);
	}
	return &echo->vdev.dev;
}

static struct device *setup(void)
{
	test_machine_init();
	return make_echo();
}

static bool line(void)
{
	return __atomic_load_n(&test_level[VIRTIO_SPI], __ATOMIC_SEQ_CST);
}

static void test_identity(void)
{
	struct device *dev = setup();

	KTAP_EQ(dev->base, VIRTIO_BASE);
	KTAP_EQ(dev->size, 0x200);
	KTAP_EQ(reg_read(dev, 0x000), 0x74726976);
	KTAP_EQ(reg_read(dev, 0x004), 2);
	KTAP_EQ(reg_read(dev, 0x008), 63);
	KTAP_TRUE(reg_read(dev, 0x00c));
	KTAP_EQ(reg_read(dev, 0x070), 0);
	KTAP_EQ(reg_read(dev, 0x0fc), 0);
	/* No shared memory region: length -1. */
	reg_write(dev, 0x0ac, 0);
	KTAP_EQ(reg_read(dev, 0x0b0), 0xffffffff);
	KTAP_EQ(reg_read(dev, 0x0b4), 0xffffffff);
	/* Registers are 32 bits wide and aligned. */
	KTAP_EQ(dev->ops->read(dev, 0, 1), 0);
	KTAP_EQ(dev->ops->read(dev, 0, 2), 0);
	KTAP_EQ(dev->ops->read(dev, 0, 8), 0);
	KTAP_EQ(dev->ops->read(dev, 2, 4), 0);
	/* Write-only registers read as zero, and read-only ones do not change. */
	KTAP_EQ(reg_read(dev, 0x050), 0);
	reg_write(dev, 0x000, 5);
	KTAP_EQ(reg_read(dev, 0x000), 0x74726976);
	test_machine_exit();
}

static void test_config_space(void)
{
	struct device *dev = setup();

	KTAP_EQ(dev->ops->read(dev, 0x100, 1), 0x11);
	KTAP_EQ(dev->ops->read(dev, 0x101, 1), 0x22);
	KTAP_EQ(dev->ops->read(dev, 0x100, 2), 0x2211);
	KTAP_EQ(dev->ops->read(dev, 0x100, 4), 0x44332211);
	KTAP_EQ(dev->ops->read(dev, 0x100, 8), 0x665544332211ull);
	KTAP_EQ(dev->ops->read(dev, 0x104, 4), 0x6655);
	KTAP_EQ(dev->ops->read(dev, 0x105, 1), 0x66);
	KTAP_EQ(dev->ops->read(dev, 0x106, 1), 0);
	KTAP_EQ(dev->ops->read(dev, 0x1f8, 8), 0);
	KTAP_EQ(dev->ops->read(dev, 0x1ff, 1), 0);
	for (unsigned int off = 0x100; off < 0x1f8; off++)
		dev->ops->write(dev, off, 1 << (off & 3), ~0ull);
	KTAP_EQ(dev->ops->read(dev, 0x100, 8), 0x665544332211ull);
	test_machine_exit();
}

static void test_features(void)
{
	struct device *dev = setup();
	struct driver d = { .dev = dev };

	KTAP_EQ(offered_features(dev), OFFERED | V1 | VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX) |
					       VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC));
	reg_write(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_FEATURES), 0);
	reg_write(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0xffffffff);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_FEATURES), 0);

	KTAP_TRUE(driver_negotiate(&d, V1));
	KTAP_TRUE(driver_negotiate(&d, V1 | VIRTIO_BIT(F_ONE)));
	KTAP_TRUE(driver_negotiate(&d, V1 | OFFERED));
	KTAP_EQ(echo->vdev.features, V1 | OFFERED);
	/* Without VERSION_1; with a bit that was not offered; with a bit that needs another one. */
	KTAP_TRUE(!driver_negotiate(&d, 0));
	KTAP_TRUE(!driver_negotiate(&d, VIRTIO_BIT(F_ONE)));
	KTAP_TRUE(!driver_negotiate(&d, V1 | VIRTIO_BIT(0)));
	KTAP_TRUE(!driver_negotiate(&d, V1 | VIRTIO_BIT(63)));
	KTAP_TRUE(!driver_negotiate(&d, V1 | VIRTIO_BIT(F_TWO)));
	/* The device refused, so the driver cannot go on. */
	reg_write(dev, VIRTIO_MMIO_STATUS, S_RUNNING);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_STATUS) & (S_FEAT | S_OK), 0);
	KTAP_EQ(echo->starts, 0);

	/* Features beyond 64 bits. */
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, V1 >> 32);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 2);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	reg_write(dev, VIRTIO_MMIO_STATUS, S_ACK | S_DRV | S_FEAT);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_STATUS), S_ACK | S_DRV);

	/* Features that were agreed on do not change. */
	KTAP_TRUE(driver_negotiate(&d, V1));
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, 1 << F_ONE);
	KTAP_EQ(echo->vdev.features, V1);
	test_machine_exit();
}

static void test_status(void)
{
	struct device *dev = setup();
	struct driver d;

	/* DRIVER_OK without FEATURES_OK, and bits that belong to the device. */
	reg_write(dev, VIRTIO_MMIO_STATUS, S_ACK | S_OK | S_RESET | 0x30);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_STATUS), S_ACK);
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_STATUS), S_RUNNING);
	KTAP_EQ(echo->starts, 1);
	/* A single bit cannot be cleared, and to start twice is to start once. */
	reg_write(dev, VIRTIO_MMIO_STATUS, S_ACK);
	reg_write(dev, VIRTIO_MMIO_STATUS, S_RUNNING);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_STATUS), S_RUNNING);
	KTAP_EQ(echo->starts, 1);
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_STATUS), 0);
	for (unsigned int i = 0; i < 2; i++) {
		reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, i);
		KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_READY), 0);
	}

	echo->refuse_start = true;
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	KTAP_TRUE(driver_needs_reset(&d));
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_TRUE(!driver_needs_reset(&d));
	KTAP_TRUE(!line());
	test_machine_exit();
}

static void test_queue_registers(void)
{
	struct device *dev = setup();
	struct driver d = { .dev = dev };

	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, 1);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_NUM_MAX), QSIZE);
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, 2);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_READY), 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0xffffffff);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_NUM, 8);

	/* Before FEATURES_OK a queue cannot be enabled. */
	driver_queue_enable(&d, 0, QSIZE);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_READY), 0);
	KTAP_TRUE(driver_negotiate(&d, V1));
	driver_queue_enable(&d, 0, 8);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_READY), 1);
	/* Now its registers are fixed. */
	reg_write(dev, VIRTIO_MMIO_QUEUE_NUM, 4);
	reg_write(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_USED_HIGH, 7);
	KTAP_EQ(echo->vdev.vq[0].size, 8);
	KTAP_EQ(echo->vdev.vq[0].desc_gpa, RING_GPA(0));
	KTAP_EQ(echo->vdev.vq[0].used_gpa, RING_GPA(0) + 0x2000);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_READY), 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_NUM, 4);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_READY), 1);
	KTAP_EQ(echo->vdev.vq[0].size, 4);

	/* Sizes that 16 bits would make valid, and rings outside RAM. */
	KTAP_TRUE(driver_negotiate(&d, V1));
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_NUM, 0x10008);
	reg_write(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, RING_GPA(0));
	reg_write(dev, VIRTIO_MMIO_QUEUE_AVAIL_LOW, RING_GPA(0) + 0x1000);
	reg_write(dev, VIRTIO_MMIO_QUEUE_USED_LOW, RING_GPA(0) + 0x2000);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_READY), 0);
	KTAP_TRUE(driver_needs_reset(&d));
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), 0); /* not before DRIVER_OK */

	KTAP_TRUE(driver_negotiate(&d, V1));
	reg_write(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, RING_GPA(0));
	reg_write(dev, VIRTIO_MMIO_QUEUE_DESC_HIGH, 1);
	reg_write(dev, VIRTIO_MMIO_QUEUE_AVAIL_LOW, RING_GPA(0) + 0x1000);
	reg_write(dev, VIRTIO_MMIO_QUEUE_USED_LOW, RING_GPA(0) + 0x2000);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_QUEUE_READY), 0);
	KTAP_TRUE(driver_needs_reset(&d));
	test_machine_exit();
}

static const struct driver_buf one_buf[] = { { DATA_GPA, 24, false } };

static void test_notify_and_interrupt(void)
{
	struct device *dev = setup();
	struct driver d;

	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	/* Buffers from before DRIVER_OK are handled without a notification. */
	KTAP_TRUE(TEST_UNTIL(echo->kicks == 2));
	KTAP_TRUE(!line());

	driver_add(&d.q[1], one_buf, 1);
	driver_kick(&d, 1);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[1]) == 1));
	KTAP_EQ(driver_used(&d.q[1]).len, 24);
	KTAP_TRUE(line());
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);
	/* Bits that are not set, or no bits at all, change nothing. */
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG | 0xf0);
	KTAP_TRUE(line());
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	KTAP_TRUE(!line());
	KTAP_EQ(test_edges[VIRTIO_SPI], 1);

	/* The driver does not want an interrupt. */
	d.q[1].avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	driver_add(&d.q[1], one_buf, 1);
	driver_kick(&d, 1);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[1]) == 1));
	KTAP_TRUE(!line());
	/* Notifications of queues that do not exist. */
	driver_kick(&d, 2);
	driver_kick(&d, 0xffffffff);
	KTAP_TRUE(!test_loop());
	test_machine_exit();
}

static void test_second_cause_makes_an_edge(void)
{
	struct device *dev = setup();
	struct driver d;

	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	driver_add(&d.q[0], one_buf, 1);
	driver_kick(&d, 0);
	KTAP_TRUE(TEST_UNTIL(line()));
	KTAP_EQ(test_edges[VIRTIO_SPI], 1);
	/* The driver has read 1; before it acknowledges, the device fails. */
	d.q[0].avail->idx = 1000;
	driver_kick(&d, 0);
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));
	KTAP_EQ(test_edges[VIRTIO_SPI], 1);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	KTAP_TRUE(line());
	KTAP_EQ(test_edges[VIRTIO_SPI], 2);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	test_machine_exit();
}

static void test_broken_ring_needs_reset(void)
{
	struct device *dev = setup();
	struct driver d;

	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	driver_add(&d.q[0], &(struct driver_buf){ 0x1000, 4, false }, 1);
	driver_kick(&d, 0);
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));
	KTAP_TRUE(line());
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	KTAP_TRUE(strstr(test_last_note, "outside RAM"));
	/* The other queue is not served any more either. */
	driver_add(&d.q[1], one_buf, 1);
	driver_kick(&d, 1);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[1]), 0);
	/* After a reset it works again. */
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	KTAP_TRUE(!driver_needs_reset(&d) && !line());
	driver_add(&d.q[1], one_buf, 1);
	driver_kick(&d, 1);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[1]) == 1));
	test_machine_exit();
}

/* A request in flight on one of the device's threads, as in virtio-blk. */
struct flight {
	pthread_t thread;
	unsigned int state; /* 1: begun, 2: ended */
};

static void *flight_main(void *arg)
{
	struct flight *f = arg;

	pthread_mutex_lock(&echo->vdev.lock);
	virtio_begin(&echo->vdev);
	__atomic_store_n(&f->state, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&echo->vdev.lock);
	while (!virtio_abandoned(&echo->vdev))
		g_usleep(100);
	g_usleep(20000);
	pthread_mutex_lock(&echo->vdev.lock);
	__atomic_store_n(&f->state, 2, __ATOMIC_SEQ_CST);
	virtio_end(&echo->vdev);
	pthread_mutex_unlock(&echo->vdev.lock);
	return NULL;
}

static void flight_begin(struct flight *f)
{
	f->state = 0;
	pthread_create(&f->thread, NULL, flight_main, f);
	while (!__atomic_load_n(&f->state, __ATOMIC_SEQ_CST))
		g_usleep(100);
}

static void test_reset_waits_for_requests(void)
{
	struct device *dev = setup();
	struct flight f;
	struct driver d;

	for (unsigned int way = 0; way < 3; way++) {
		KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
		flight_begin(&f);
		switch (way) {
		case 0:
			reg_write(dev, VIRTIO_MMIO_STATUS, 0);
			break;
		case 1:
			reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
			reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
			break;
		case 2:
			dev->ops->reset(dev);
			break;
		}
		KTAP_EQ(__atomic_load_n(&f.state, __ATOMIC_SEQ_CST), 2);
		pthread_join(f.thread, NULL);
	}
	/* The end of the machine waits, too. */
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	flight_begin(&f);
	destroyed = 0;
	test_machine_exit();
	KTAP_EQ(__atomic_load_n(&f.state, __ATOMIC_SEQ_CST), 2);
	KTAP_EQ(destroyed, 1);
	pthread_join(f.thread, NULL);
}

static void test_guest_reboot(void)
{
	struct device *dev = setup();
	struct driver d;
	unsigned int resets;

	KTAP_TRUE(driver_start(&d, dev, V1 | OFFERED, 2, QSIZE));
	driver_add(&d.q[0], one_buf, 1);
	driver_kick(&d, 0);
	resets = echo->resets;
	dev->ops->reset(dev);
	KTAP_EQ(echo->resets, resets + 1);
	/* A kick from before does not reach the guest that comes afterwards. */
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_STATUS), 0);
	KTAP_EQ(echo->vdev.features, 0);
	KTAP_EQ(echo->vdev.vq[0].desc_gpa, 0);
	KTAP_TRUE(!line());
	test_machine_exit();
}

static void test_device_tree_node(void)
{
	struct device *dev = setup();
	struct fdt_builder b;
	static char buf[4096];
	const uint32_t *cells;
	int node, len;

	fdt_builder_init(&b, buf, sizeof(buf));
	fdt_node_begin(&b, "%s", "");
	dev->ops->fdt(dev, &b);
	fdt_node_end(&b);
	KTAP_ASSERT(fdt_builder_finish(&b) > 0);
	node = fdt_path_offset(buf, "/virtio_mmio@a000000");
	KTAP_ASSERT(node > 0);
	KTAP_STREQ(fdt_getprop(buf, node, "compatible", NULL), "virtio,mmio");
	KTAP_TRUE(fdt_getprop(buf, node, "dma-coherent", NULL));
	cells = fdt_getprop(buf, node, "reg", &len);
	KTAP_ASSERT(cells && len == 16);
	KTAP_EQ(fdt32_to_cpu(cells[1]), VIRTIO_BASE);
	KTAP_EQ(fdt32_to_cpu(cells[3]), 0x200);
	cells = fdt_getprop(buf, node, "interrupts", &len);
	KTAP_ASSERT(cells && len == 12);
	KTAP_EQ(fdt32_to_cpu(cells[0]), 0); /* SPI */
	KTAP_EQ(fdt32_to_cpu(cells[1]), 16);
	KTAP_EQ(fdt32_to_cpu(cells[2]), 1); /* edge, rising */
	test_machine_exit();
}

static void test_all_slots(void)
{
	struct echo *spare = calloc(1, sizeof(*spare));
	struct error err = { "" };

	setup();
	test_next_slot = MAP_VIRTIO_SLOTS;
	KTAP_EQ(virtio_device_register(&test_machine, &spare->vdev, &echo_ops, 0, NULL, 0, &err),
		-ENOSPC);
	KTAP_TRUE(strstr(err.text, "virtio-echo"));
	/* A window that is taken: nothing may be left behind (LSan checks). */
	test_next_slot = 0;
	KTAP_EQ(virtio_device_register(&test_machine, &spare->vdev, &echo_ops, 0, NULL, 0, &err),
		-EEXIST);
	free(spare);
	test_machine_exit();
}

/* A guest that writes anything anywhere, with random rings. */
static void test_random_writes(void)
{
	static const uint32_t regs[] = {
		0x014, 0x020, 0x024, 0x030, 0x038, 0x044, 0x050, 0x064, 0x070,
		0x080, 0x084, 0x090, 0x094, 0x0a0, 0x0a4, 0x0ac,
	};
	struct device *dev = setup();
	unsigned int running = 0, failed = 0;
	struct driver d;

	test_seed = 20261121;
	for (unsigned int round = 0; round < 3000; round++) {
		/* Half of the rounds begin with a working driver. */
		if (test_random() % 2)
			driver_start(&d, dev, V1 | (test_random() % 2 ? OFFERED : 0) |
				     (uint64_t)(test_random() % 4) << VIRTIO_RING_F_INDIRECT_DESC,
				     2, 1 << test_random() % 5);
		for (unsigned int i = 0; i < 64; i++) {
			uint32_t *noise = ram(RING_GPA(0) + test_random() % 0x6000 / 4 * 4);

			*noise = test_random() % 2 ? test_random() % 32 : test_random();
		}
		for (unsigned int i = 0; i < 40; i++) {
			uint32_t reg = regs[test_random() % 16];
			uint32_t value = test_random();

			switch (test_random() % 4) {
			case 0:
				value &= 0xff;
				break;
			case 1:
				value = RING_GPA(0) + (value & 0xfff0);
				break;
			case 2:
				value &= 3;
				break;
			}
			if (test_random() % 8)
				reg_write(dev, reg, value);
			else
				dev->ops->write(dev, test_random() % 0x1f9,
						1u << (test_random() % 4), value);
			dev->ops->read(dev, test_random() % 0x1f9, 1u << (test_random() % 4));
		}
		driver_kick(&d, test_random() % 2);
		for (unsigned int i = 0; i < 8 && g_main_context_iteration(NULL, FALSE); i++)
			;
		running += (reg_read(dev, VIRTIO_MMIO_STATUS) & S_OK) != 0;
		failed += (reg_read(dev, VIRTIO_MMIO_STATUS) & S_RESET) != 0;
		KTAP_ASSERT(line() == !!reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS));
	}
	printf("# %u rounds ended running, %u in need of a reset\n", running, failed);
	KTAP_TRUE(running > 100 && failed > 100);
	/* It still works. */
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	driver_add(&d.q[1], one_buf, 1);
	driver_kick(&d, 1);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[1]) == 1));
	test_machine_exit();
}

/* As a boot loader does it: the queue is set up and notified, and DRIVER_OK is never set. */
static void test_used_before_driver_ok(void)
{
	struct driver d = { .dev = setup(), .spi = VIRTIO_SPI };
	struct driver_buf buf = { DATA_GPA, 100, false };

	KTAP_TRUE(driver_negotiate(&d, V1));
	/* A queue that is not set up is not served. */
	driver_kick(&d, 0);
	test_loop();
	KTAP_EQ(echo->starts + echo->kicks, 0);
	driver_queue_enable(&d, 0, QSIZE);
	driver_add(&d.q[0], &buf, 1);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	driver_kick(&d, 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_EQ(echo->starts, 1);
	KTAP_TRUE(line());
	KTAP_EQ(reg_read(d.dev, VIRTIO_MMIO_STATUS) & S_OK, 0);
	/* A later DRIVER_OK does not start it again. */
	reg_write(d.dev, VIRTIO_MMIO_STATUS, S_RUNNING);
	driver_add(&d.q[0], &buf, 1);
	driver_kick(&d, 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 2));
	KTAP_EQ(echo->starts, 1);
	/* After a reset it has to be started again. */
	reg_write(d.dev, VIRTIO_MMIO_STATUS, 0);
	driver_kick(&d, 0);
	test_loop();
	KTAP_EQ(echo->starts, 1);
	test_machine_exit();
}

/* Version 1 (virtio 1.2 4.2.4): its registers, and a queue at a page number. */
static void test_legacy_registers(void)
{
	struct driver_buf buf = { DATA_GPA, 100, false };
	struct driver_queue q = { 0 };
	struct device *dev;

	test_machine_init();
	test_machine.virtio = VIRTIO_LEGACY;
	dev = make_echo();
	KTAP_EQ(reg_read(dev, 0x004), 1);
	/* 32 features, without VERSION_1 and what is above it. */
	reg_write(dev, 0x014, 1);
	KTAP_EQ(reg_read(dev, 0x010), 0);
	reg_write(dev, 0x014, 0);
	KTAP_EQ(reg_read(dev, 0x010), 1 << F_ONE | 1 << 27 | 1 << 28 | 1 << 29);
	KTAP_EQ(reg_read(dev, 0x0fc) | reg_read(dev, 0x0b0) | reg_read(dev, 0x044), 0);
	KTAP_EQ(dev->ops->read(dev, 0x100, 1), 0x11);

	reg_write(dev, 0x028, 4096);
	reg_write(dev, 0x070, 0);
	reg_write(dev, 0x070, S_ACK | S_DRV | S_FEAT);
	KTAP_EQ(reg_read(dev, 0x070), S_ACK | S_DRV);
	reg_write(dev, 0x020, 1 << F_ONE);
	reg_write(dev, 0x030, 0);
	KTAP_EQ(reg_read(dev, 0x034), QSIZE);
	KTAP_EQ(reg_read(dev, 0x040), 0);
	reg_write(dev, 0x038, QSIZE);
	reg_write(dev, 0x03c, 4096);
	reg_write(dev, 0x040, RAM_BASE / 4096);
	KTAP_EQ(reg_read(dev, 0x040), RAM_BASE / 4096);
	reg_write(dev, 0x070, S_ACK | S_DRV | S_OK);
	KTAP_EQ(reg_read(dev, 0x070), S_ACK | S_DRV | S_OK);
	KTAP_EQ(echo->starts, 1);
	KTAP_EQ(echo->vdev.features, 1 << F_ONE);
	q.size = QSIZE;
	q.desc = ram(RAM_BASE);
	q.avail = ram(RAM_BASE + 16 * QSIZE);
	q.used = ram(RAM_BASE + 4096);
	driver_add(&q, &buf, 1);
	reg_write(dev, 0x050, 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&q) == 1));
	/* Page 0 takes the queue out of use. */
	reg_write(dev, 0x040, 0);
	KTAP_EQ(reg_read(dev, 0x040), 0);
	driver_add(&q, &buf, 1);
	reg_write(dev, 0x050, 0);
	test_loop();
	KTAP_EQ(driver_nr_used(&q), 1);

	/* An alignment or a page size that is no power of two. */
	for (unsigned int i = 0; i < 2; i++) {
		reg_write(dev, 0x070, 0);
		reg_write(dev, 0x028, i ? 4096 : 3000);
		reg_write(dev, 0x03c, i ? 24 : 4096);
		reg_write(dev, 0x040, 5);
		KTAP_TRUE(reg_read(dev, 0x070) & S_RESET);
	}
	test_machine_exit();
}

/* The version of a device of age @age, or 0: it is refused. */
static uint32_t version_of(enum virtio_version asked, enum virtio_age age, struct error *err)
{
	struct virtio_ops ops = echo_ops;
	uint32_t version = 0;

	test_machine_init();
	test_machine.virtio = asked;
	ops.age = age;
	echo = calloc(1, sizeof(*echo));
	echo->chain = virtq_chain_alloc(QSIZE);
	if (!virtio_device_register(&test_machine, &echo->vdev, &ops, OFFERED, NULL, 0, err)) {
		version = reg_read(&echo->vdev.dev, VIRTIO_MMIO_VERSION);
	} else {
		free(echo->chain);
		free(echo);
	}
	test_machine_exit();
	return version;
}

/* With no option drivers of all ages find their devices, as on QEMU's board. */
static void test_versions(void)
{
	static const uint32_t want[3][3] = {
		[VIRTIO_AS_QEMU] = { [VIRTIO_OLD] = 1, [VIRTIO_NEW] = 2, [VIRTIO_NEW_ALONE] = 2 },
		[VIRTIO_LEGACY] = { [VIRTIO_OLD] = 1, [VIRTIO_NEW] = 1, [VIRTIO_NEW_ALONE] = 0 },
		[VIRTIO_MODERN] = { [VIRTIO_OLD] = 2, [VIRTIO_NEW] = 2, [VIRTIO_NEW_ALONE] = 2 },
	};
	struct error err = { "" };

	for (unsigned int i = 0; i < 9; i++)
		KTAP_EQ(version_of(i / 3, i % 3, &err), want[i / 3][i % 3]);
	KTAP_STREQ(err.text, "virtio-echo in slot 0: has no version 1: leave out --virtio legacy, or put it on PCI (bus=pcie)");
}

KTAP_MAIN(KTAP_CASE(test_used_before_driver_ok), KTAP_CASE(test_legacy_registers),
	  KTAP_CASE(test_versions),
	  KTAP_CASE(test_identity), KTAP_CASE(test_config_space), KTAP_CASE(test_features),
	  KTAP_CASE(test_status), KTAP_CASE(test_queue_registers),
	  KTAP_CASE(test_notify_and_interrupt), KTAP_CASE(test_second_cause_makes_an_edge),
	  KTAP_CASE(test_broken_ring_needs_reset), KTAP_CASE(test_reset_waits_for_requests),
	  KTAP_CASE(test_guest_reboot), KTAP_CASE(test_device_tree_node),
	  KTAP_CASE(test_all_slots), KTAP_CASE(test_random_writes))
