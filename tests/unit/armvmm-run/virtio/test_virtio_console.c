// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_console.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/console_port.c userspace/armvmm-run/virtio/console_control.c
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// virtio-console against a terminal of the test's own, which takes and gives
// as little at a time as it likes.
#include "armvmm-run/device_make.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/virtio_driver.h"

#define V1    (1ULL << VIRTIO_F_VERSION_1)
#define QSIZE 16
#define RX    0
#define TX    1

/* The terminal */
static struct chardev_client *client;
static char out[512 * 1024];
static size_t out_len, out_room;
static bool out_short;
static unsigned int rx_readies;
static uint16_t cols, rows; /* the terminal's; 0: it has none */
static struct driver d;

void chardev_attach(struct chardev *chr, struct chardev_client *c)
{
	client = c;
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t len)
{
	if (len > out_room) {
		len = out_room;
		out_short = true;
	}
	memcpy(out + out_len, buf, len);
	out_len += len;
	out_room -= len;
	return len;
}

bool chardev_size(struct chardev *chr, uint16_t *c, uint16_t *r)
{
	*c = cols;
	*r = rows;
	return cols;
}

void chardev_rx_ready(struct chardev *chr)
{
	rx_readies++;
}

bool chardev_may_resize(const struct chardev *chr)
{
	return false;
}

bool chardev_is_attached(const struct chardev *chr)
{
	return true;
}

void chardev_set_open(struct chardev *chr, bool open)
{
}

static void more_room(size_t room)
{
	out_room = room;
	if (out_short) {
		out_short = false;
		client->tx_room(client);
	}
}

static struct device *setup(void)
{
	test_machine_init();
	out_len = 0;
	out_room = sizeof(out);
	out_short = false;
	rx_readies = 0;
	return device_made(&test_machine, "virtio-console", NULL);
}

/* The guest sees the terminal's size, and a new one when it changes. */
static void test_size(void)
{
	struct device *dev = setup();

	KTAP_EQ(offered_features(dev) & 1, 0);
	KTAP_EQ(dev->ops->read(dev, 0x100, 4), 0);
	test_machine_exit();

	cols = 132;
	rows = 43;
	dev = setup();
	KTAP_EQ(offered_features(dev) & 1, 1);
	KTAP_TRUE(driver_start(&d, dev, V1 | 1, 2, QSIZE));
	KTAP_EQ(dev->ops->read(dev, 0x100, 2), 132);
	KTAP_EQ(dev->ops->read(dev, 0x102, 2), 43);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & 2, 0);
	rows = 50;
	client->resized(client);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & 2, 2);
	KTAP_EQ(dev->ops->read(dev, 0x100, 4), 50 << 16 | 132);
	test_machine_exit();
	cols = 0;
}

static void test_output(void)
{
	struct driver_buf buf[] = { { DATA_GPA, 6, false }, { DATA_GPA + 0x1000, 1500, false } };
	struct device *dev = setup();

	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_ID), 3);
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	memcpy(ram(DATA_GPA), "hello ", 6);
	memset(ram(DATA_GPA + 0x1000), 'x', 1500);
	driver_add(&d.q[TX], buf, 2);
	driver_add(&d.q[TX], buf, 1);
	driver_kick(&d, TX);
	/* The vCPU that notifies finds it done: the main loop has not run. */
	KTAP_EQ(driver_nr_used(&d.q[TX]), 2);
	KTAP_EQ(driver_used(&d.q[TX]).len, 0);
	KTAP_EQ(out_len, 1512);
	KTAP_MEMEQ(out, "hello xxx", 9);
	KTAP_MEMEQ(out + 1500, "xxxxxxhello ", 12);
	KTAP_TRUE(test_level[d.spi]);
	test_machine_exit();
}

/* However long a buffer is, the vCPU that notifies sends so much of it; the rest comes after. */
static void test_long_output(void)
{
	struct driver_buf buf[10];
	struct device *dev = setup();

	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	for (unsigned int i = 0; i < 10; i++) {
		buf[i] = (struct driver_buf){ DATA_GPA + 0x4000 * i, 0x4000 - 1, false };
		memset(ram(buf[i].gpa), 'a' + i, buf[i].len);
	}
	driver_add(&d.q[TX], buf, 10);
	driver_add(&d.q[TX], buf, 1);
	driver_kick(&d, TX);
	KTAP_EQ(out_len, 65536);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[TX]) == 2));
	KTAP_EQ(out_len, 11 * 0x3fff);
	for (unsigned int i = 0; i < 11; i++)
		KTAP_MEMEQ(out + i * 0x3fff, ram(DATA_GPA + 0x4000 * (i % 10)), 0x3fff);
	test_machine_exit();
}

static void test_slow_terminal(void)
{
	struct driver_buf buf = { DATA_GPA, 1000, false };
	struct device *dev = setup();

	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	for (unsigned int i = 0; i < 1000; i++)
		((char *)ram(DATA_GPA))[i] = 'a' + i % 26;
	out_room = 10;
	driver_add(&d.q[TX], &buf, 1);
	driver_add(&d.q[TX], &buf, 1);
	driver_kick(&d, TX);
	test_loop();
	/* The guest's first buffer is kept, and the second one is not begun. */
	KTAP_EQ(out_len, 10);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	for (unsigned int i = 0; i < 98; i++)
		more_room(10);
	KTAP_EQ(out_len, 990);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	more_room(15);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 1);
	KTAP_EQ(out_len, 1005);
	more_room(5000);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 2);
	KTAP_EQ(out_len, 2000);
	KTAP_TRUE(!memcmp(out, ram(DATA_GPA), 1000) && !memcmp(out + 1000, ram(DATA_GPA), 1000));

	/* A reset in the middle of a buffer forgets it. */
	out_len = 0;
	out_room = 1;
	driver_add(&d.q[TX], &buf, 1);
	driver_kick(&d, TX);
	test_loop();
	KTAP_EQ(out_len, 1);
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	more_room(5000);
	test_loop();
	KTAP_EQ(out_len, 1);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	driver_add(&d.q[TX], &buf, 1);
	driver_kick(&d, TX);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[TX]) == 1));
	KTAP_EQ(out_len, 1001);
	test_machine_exit();
}

static void test_input(void)
{
	struct driver_buf buf = { DATA_GPA, 8, true };
	struct device *dev = setup();

	/* There is no room for input before the driver is there, or without buffers. */
	KTAP_EQ(client->rx_room(client), 0);
	client->receive(client, (const uint8_t *)"lost", 4);
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	test_loop();
	rx_readies = 0;
	KTAP_EQ(client->rx_room(client), 0);
	driver_add(&d.q[RX], &buf, 1);
	buf.gpa += 0x1000;
	driver_add(&d.q[RX], &buf, 1);
	driver_kick(&d, RX);
	KTAP_TRUE(TEST_UNTIL(rx_readies == 1));

	/* Asking for room does not use it up. */
	KTAP_EQ(client->rx_room(client), 8);
	KTAP_EQ(client->rx_room(client), 8);
	client->receive(client, (const uint8_t *)"abc", 3);
	KTAP_EQ(driver_nr_used(&d.q[RX]), 1);
	KTAP_EQ(driver_used(&d.q[RX]).len, 3);
	KTAP_MEMEQ(ram(DATA_GPA), "abc", 4);
	KTAP_TRUE(test_level[d.spi]);
	KTAP_EQ(client->rx_room(client), 8);
	client->receive(client, (const uint8_t *)"01234567", 8);
	KTAP_EQ(driver_used(&d.q[RX]).len, 8);
	KTAP_MEMEQ(ram(DATA_GPA + 0x1000), "01234567", 9);
	KTAP_EQ(client->rx_room(client), 0);
	test_machine_exit();
}

/* With EVENT_IDX the guest notifies only when it passes the mark we left. */
static void test_input_wakes_with_event_idx(void)
{
	struct driver_buf buf = { DATA_GPA, 8, true };
	struct device *dev = setup();

	KTAP_TRUE(driver_start(&d, dev, V1 | 1ULL << VIRTIO_RING_F_EVENT_IDX, 2, QSIZE));
	for (uint16_t i = 0; i < 3; i++) {
		KTAP_EQ(client->rx_room(client), 0);
		KTAP_EQ(driver_avail_event(&d.q[RX]), i);
		driver_add(&d.q[RX], &buf, 1);
		KTAP_EQ(client->rx_room(client), 8);
		client->receive(client, (const uint8_t *)"x", 1);
	}
	test_machine_exit();
}

static void test_bad_buffers(void)
{
	struct driver_buf readable = { DATA_GPA, 8, false };
	struct device *dev = setup();

	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	driver_add(&d.q[RX], &readable, 1);
	KTAP_EQ(client->rx_room(client), 0);
	KTAP_TRUE(driver_needs_reset(&d));

	/* A writable transmit buffer has no data and comes back. */
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	driver_add(&d.q[TX], &(struct driver_buf){ DATA_GPA, 8, true }, 1);
	driver_kick(&d, TX);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[TX]) == 1));
	KTAP_EQ(out_len, 0);
	test_machine_exit();
}

/* ---- Snapshots ---- */

/* Output of which the terminal took a part: the rest comes at the other terminal, once. */
static void test_saved(void)
{
	struct driver_buf buf = { DATA_GPA, 1000, false }, input = { DATA_GPA + 0x1000, 100, true };
	struct device *dev;
	struct record saved;
	struct error err;

	cols = 80;
	rows = 24;
	dev = setup();
	KTAP_TRUE(driver_start(&d, dev, V1 | 1, 2, QSIZE));
	for (unsigned int i = 0; i < 1000; i++)
		((char *)ram(DATA_GPA))[i] = 'a' + i % 26;
	out_room = 10;
	driver_add(&d.q[TX], &buf, 1);
	driver_add(&d.q[RX], &input, 1);
	driver_kick(&d, TX);
	KTAP_TRUE(TEST_UNTIL(out_len == 10));
	state_save(dev, &saved);
	/* A paused device takes no input. */
	KTAP_EQ(client->rx_room(client), 0);
	device_bus_destroy(&test_machine.bus);

	test_next_slot = 0;
	out_len = 0;
	out_room = 20;
	out_short = false;
	rows = 50;
	KTAP_EQ(device_make(&test_machine, "virtio-console", NULL, &err), 0);
	d.dev = dev = test_machine.bus.dev[0];
	state_torture(dev, &saved);
	out_len = 0;
	out_room = 20;
	dev->ops->reset(dev);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	KTAP_EQ(dev->ops->read(dev, 0x102, 2), 24);
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(out_len == 20));
	KTAP_MEMEQ(out, (char *)ram(DATA_GPA + 10), 20);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	more_room(2000);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[TX]) == 1));
	KTAP_EQ(out_len, 990);
	KTAP_MEMEQ(out, (char *)ram(DATA_GPA + 10), 990);
	/* The terminal's size is another one, and the driver is told. */
	KTAP_EQ(dev->ops->read(dev, 0x102, 2), 50);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & 2, 2);
	KTAP_EQ(client->rx_room(client), 100);
	record_free(&saved);
	test_machine_exit();
	cols = 0;
}

KTAP_MAIN(KTAP_CASE(test_size), KTAP_CASE(test_output), KTAP_CASE(test_long_output),
	  KTAP_CASE(test_slow_terminal),
	  KTAP_CASE(test_input), KTAP_CASE(test_input_wakes_with_event_idx),
	  KTAP_CASE(test_bad_buffers),
	  KTAP_CASE(test_saved))
