// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_net.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/core/message.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/parse.c userspace/armvmm-run/net/net.c
// sources: userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// A card that goes on elsewhere tells its network where it is.
#include <linux/virtio_net.h>

#include "armvmm-run/device_make.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/virtio_driver.h"
#include "net/net.h"

#define V1	(1ULL << VIRTIO_F_VERSION_1)
#define QSIZE	64
#define TIMES	5

/* ---- A network that looks at what it gets ---- */

static struct net_backend wire;
static unsigned int nr_sent;
static size_t header, length;
static uint8_t sent[2048];
static bool full;

static int wire_send(struct net_backend *be, const struct iovec *iov, unsigned int nr, size_t len)
{
	size_t at = 0;

	for (unsigned int i = 0; i < nr && at + iov[i].iov_len <= sizeof(sent); i++) {
		memcpy(sent + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	KTAP_EQ(at, len);
	length = len;
	header = be->hdr_size;
	nr_sent++;
	return full ? -EAGAIN : 0;
}

static void wire_nothing(struct net_backend *be)
{
}

static const struct net_backend_ops wire_ops = {
	.send = wire_send, .receive_ready = wire_nothing, .stop = wire_nothing,
	.destroy = wire_nothing,
};

static int wire_word(void *config, const char *label, const char *word, struct error *err)
{
	wire.alone = wire.alone || !strcmp(word, "alone");
	return 0;
}

static int wire_create(struct machine *m, const struct net_config *config, struct net_backend **be,
		       struct error *err)
{
	wire.ops = &wire_ops;
	*be = &wire;
	return 0;
}

static const struct net_type wire_type = {
	.name = "wire", .args = "wire", .summary = "a test's", .config_size = 1,
	.word = wire_word, .create = wire_create,
};
NET_TYPE(wire_type);

/* ---- The cases ---- */

static struct driver d;
static struct record saved;

static struct device *card(const char *words)
{
	struct error err = { "" };

	wire = (struct net_backend){ .fd = -1 };
	nr_sent = 0;
	full = false;
	test_machine_init();
	KTAP_EQ(device_make(&test_machine, "virtio-net", words, &err), 0);
	return test_machine.bus.dev[0];
}

/* A card whose driver is at work, saved; and another one that has taken its state. */
static struct device *moved(const char *words, bool driver)
{
	struct device *dev = card(words);

	if (driver)
		KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	state_save(dev, &saved);
	/* The memory, with the queues in it, is the same. */
	dev->ops->resume(dev);
	dev->ops->reset(dev);
	KTAP_EQ(nr_sent, 0);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	record_free(&saved);
	return dev;
}

/* Twice as long as all announcements take. */
static void wait(void)
{
	gint64 until = g_get_monotonic_time() + 4 * G_USEC_PER_SEC;

	while (g_get_monotonic_time() < until) {
		test_loop();
		g_usleep(5000);
	}
}

static void test_announces(void)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0x00, 0xab, 0xcd, 0xef };
	struct device *dev = moved("wire,mac=52:54:00:ab:cd:ef", true);
	uint8_t want[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t zeroes[12];

	memcpy(want + 6, mac, 6);
	memcpy(want + 12, (uint8_t[]){ 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3 }, 10);
	memcpy(want + 22, mac, 6);
	memcpy(want + 32, mac, 6);
	test_loop();
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(nr_sent == 1));
	KTAP_EQ(length, header + sizeof(want));
	KTAP_MEMEQ(sent, zeroes, header);
	KTAP_MEMEQ(sent + header, want, sizeof(want));
	/* The first may come before a bridge's port forwards anything. */
	KTAP_TRUE(TEST_UNTIL(nr_sent == TIMES));
	wait();
	KTAP_EQ(nr_sent, TIMES);
	/* A guest that only stood still has not moved. */
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	wait();
	KTAP_EQ(nr_sent, TIMES);
	test_machine_exit();
}

/* What comes in between: it stands still again, or is reset, or gone. */
static void test_ends(void)
{
	struct device *dev = moved("wire", true);

	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(nr_sent == 1));
	dev->ops->pause(dev);
	wait();
	KTAP_EQ(nr_sent, 1);
	test_machine_exit();

	dev = moved("wire", true);
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(nr_sent == 1));
	dev->ops->reset(dev);
	wait();
	KTAP_EQ(nr_sent, 1);
	test_machine_exit();

	dev = moved("wire", true);
	dev->ops->resume(dev);
	test_machine_exit();
	wait();
	KTAP_EQ(nr_sent, 0);
}

/* A network that is full loses some, and no more. */
static void test_full(void)
{
	struct device *dev = moved("wire", true);

	full = true;
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(nr_sent == TIMES));
	wait();
	KTAP_EQ(nr_sent, TIMES);
	test_machine_exit();
}

/* Nobody is to learn of a card without a driver, nor is there anybody behind libslirp. */
static void test_silent(void)
{
	struct device *dev = moved("wire", false);

	dev->ops->resume(dev);
	wait();
	KTAP_EQ(nr_sent, 0);
	test_machine_exit();
	dev = moved("wire,alone", true);
	dev->ops->resume(dev);
	wait();
	KTAP_EQ(nr_sent, 0);
	test_machine_exit();
}

KTAP_MAIN(KTAP_CASE(test_announces), KTAP_CASE(test_ends), KTAP_CASE(test_full),
	  KTAP_CASE(test_silent))
