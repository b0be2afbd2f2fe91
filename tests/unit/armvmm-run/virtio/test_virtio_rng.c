// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_rng.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// virtio-rng: random bytes, as many as asked for, but not without end.
#include "armvmm-run/device_make.h"
#include "armvmm-run/virtio/virtio_driver.h"

#define V1    (1ULL << VIRTIO_F_VERSION_1)
#define QSIZE 8

/* The device's limits, as its source and the manual page give them. */
#define QUOTA	  (64 * 1024)
#define PERIOD_US (100 * 1000)

static struct driver d;

static struct device *setup(void)
{
	test_machine_init();
	return device_made(&test_machine, "virtio-rng", NULL);
}

static void ask(const struct driver_buf *buf, unsigned int nr)
{
	driver_add(&d.q[0], buf, nr);
	driver_kick(&d, 0);
}

static void test_fills_all_buffers(void)
{
	struct driver_buf buf[] = { { DATA_GPA, 64, true }, { DATA_GPA + 0x1000, 64, true } };
	struct device *dev = setup();
	uint8_t first[64];

	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_ID), 4);
	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	ask(buf, 2);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_EQ(driver_used(&d.q[0]).len, 128);
	KTAP_TRUE(test_level[d.spi]);
	/* Not the same bytes twice, and none beyond the end. */
	memcpy(first, ram(DATA_GPA), 64);
	KTAP_TRUE(memcmp(first, ram(DATA_GPA + 0x1000), 64));
	KTAP_EQ(*(uint64_t *)ram(DATA_GPA + 64), 0);
	ask(buf, 1);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_TRUE(memcmp(first, ram(DATA_GPA), 64));
	test_machine_exit();
}

static void test_quota(void)
{
	struct driver_buf big = { DATA_GPA, 1 << 20, true };
	struct device *dev = setup();
	gint64 begin = g_get_monotonic_time();
	uint64_t got = 0;

	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	/* A request is bounded, and one that finds the quota used up waits. */
	for (unsigned int i = 0; i < 4; i++) {
		ask(&big, 1);
		KTAP_ASSERT(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
		got += driver_used(&d.q[0]).len;
	}
	KTAP_EQ(got, 4 * QUOTA);
	KTAP_TRUE(g_get_monotonic_time() - begin >= 3 * PERIOD_US);

	/* A reset while a request waits: it must not be answered afterwards. */
	ask(&big, 1);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	dev->ops->reset(dev);
	memset(ram(RING_GPA(0)), 0, 0x4000);
	begin = g_get_monotonic_time();
	TEST_UNTIL(g_get_monotonic_time() - begin > 2 * PERIOD_US);
	KTAP_EQ(d.q[0].used->idx, 0);
	test_machine_exit();
}

static void test_bad_requests(void)
{
	struct driver_buf readable = { DATA_GPA, 64, false };
	struct device *dev = setup();

	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	ask(&readable, 1);
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));
	/* A request that also carries something to read is served. */
	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	ask((struct driver_buf[]){ readable, { DATA_GPA + 0x1000, 16, true } }, 2);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_EQ(driver_used(&d.q[0]).len, 16);
	test_machine_exit();
}

KTAP_MAIN(KTAP_CASE(test_fills_all_buffers), KTAP_CASE(test_quota), KTAP_CASE(test_bad_requests))
