// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/irqline.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/posted.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -DREAL_POSTED
// pkgs: glib-2.0
// libs: -lfdt
//
// Acknowledgements that the kernel posts: guests whose interrupt is an edge, and guests whose
// interrupt is a level, lose none and get none too many.
#include "virtio/virtio_mmio.h"
#include "armvmm-run/virtio/virtio_driver.h"
#include "armvmm-run/posted_kernel.h"

#define V1	VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define QSIZE	16
#define ACK	0x064
#define VRING	1
#define CONFIG	2

/* Completes each request at once. */
struct echo {
	struct virtio_device vdev;
	struct virtq_chain *chain;
};

static struct echo *echo;
static struct driver d;

static void echo_kick(struct virtio_device *vdev, unsigned int index)
{
	while (virtio_pop(vdev, index, echo->chain))
		virtq_push(&vdev->vq[index], echo->chain, 0);
	virtio_signal(vdev, index);
}

static void echo_destroy(struct virtio_device *vdev)
{
	free(echo->chain);
}

static const struct virtio_ops echo_ops = {
	.name = "echo",
	.id = 42,
	.nr_queues = 1,
	.queue_size = QSIZE,
	.kick = echo_kick,
	.kicked_by_vcpu = 1,
	.destroy = echo_destroy,
};

static struct device *setup(bool old)
{
	struct error err;

	test_machine_init();
	kernel_init(&test_machine, old);
	echo = calloc(1, sizeof(*echo));
	echo->chain = virtq_chain_alloc(QSIZE);
	KTAP_EQ(virtio_device_register(&test_machine, &echo->vdev, &echo_ops, 0, "conf", 4, &err),
		0);
	KTAP_EQ(device_bus_begin(&test_machine.bus, &err), 0);
	return test_machine.bus.dev[0];
}

static void start(struct device *dev)
{
	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	test_loop();
}

static void teardown(void)
{
	test_machine_exit();
	kernel_exit();
}

static bool line(void)
{
	return test_level[d.spi];
}

static unsigned int edges(void)
{
	return test_edges[d.spi];
}

/* ---- The guest ---- */

static uint32_t guest_status(void)
{
	posted_drain(&test_machine);
	return reg_read(d.dev, VIRTIO_MMIO_INTERRUPT_STATUS);
}

/* Returns whether it was an exit. */
static bool guest_ack(uint32_t bits)
{
	if (post(d.dev->base + ACK, 4, bits))
		return false;
	posted_drain(&test_machine);
	reg_write(d.dev, ACK, bits);
	return true;
}

static void request(void)
{
	static const struct driver_buf buf = { DATA_GPA, 16, false };

	driver_add(&d.q[0], &buf, 1);
	posted_drain(&test_machine);
	reg_write(d.dev, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

/* The same by a thread of the device's: no exit has carried out what is posted. */
static void complete(void)
{
	static const struct driver_buf buf = { DATA_GPA, 16, false };

	driver_add(&d.q[0], &buf, 1);
	pthread_mutex_lock(&echo->vdev.lock);
	echo_kick(&echo->vdev, 0);
	pthread_mutex_unlock(&echo->vdev.lock);
}

static void configure(void)
{
	pthread_mutex_lock(&echo->vdev.lock);
	virtio_config_set(&echo->vdev, 0, "new", 3);
	pthread_mutex_unlock(&echo->vdev.lock);
}

static unsigned int take_used(void)
{
	unsigned int n = 0;

	for (; driver_nr_used(&d.q[0]); n++)
		driver_used(&d.q[0]);
	return n;
}

/* Each request is one edge, and the line is never lowered; no acknowledgement is an exit. */
static void test_edge(void)
{
	start(setup(false));
	KTAP_EQ(kernel.zone, 1);
	/* It needs no timer. */
	KTAP_EQ(kernel.private.nr_timed, 0);
	for (unsigned int i = 1; i <= 1000; i++) {
		if (i % 2)
			request();
		else
			complete();
		KTAP_EQ(edges(), i);
		KTAP_EQ(guest_status(), VRING);
		KTAP_TRUE(!guest_ack(VRING));
		KTAP_EQ(take_used(), 1);
		KTAP_TRUE(line());
	}
	/* Who reads it sees what was posted; and then the line is low, too. */
	KTAP_EQ(guest_status(), 0);
	KTAP_TRUE(!line());
	complete();
	KTAP_EQ(edges(), 1001);
	/* While it is not acknowledged, there is no second edge for the same cause. */
	complete();
	KTAP_EQ(edges(), 1001);
	/* But for another one. */
	KTAP_EQ(guest_status(), VRING);
	configure();
	KTAP_EQ(edges(), 1002);
	guest_ack(VRING);
	KTAP_EQ(guest_status(), CONFIG);
	guest_ack(CONFIG);
	complete();
	KTAP_EQ(edges(), 1003);
	teardown();
}

/* What is no acknowledgement does not become one by being posted. */
static void test_odd_writes(void)
{
	start(setup(false));
	complete();
	KTAP_TRUE(post(d.dev->base + ACK, 1, VRING));
	KTAP_TRUE(post(d.dev->base + ACK, 2, VRING));
	KTAP_TRUE(post(d.dev->base + ACK + 2, 2, VRING));
	KTAP_TRUE(!post(d.dev->base + ACK + 2, 4, VRING));
	KTAP_TRUE(!guest_ack(CONFIG | 0xf0));
	KTAP_EQ(guest_status(), VRING);
	/* More than fit are exits, and none is lost. */
	for (unsigned int i = 0; i < 2 * RING; i++)
		guest_ack(CONFIG);
	guest_ack(VRING);
	KTAP_EQ(guest_status(), 0);
	teardown();
}

/* A guest that takes levels comes back as long as the line is high. Returns how often in vain. */
static unsigned int level_handler(void)
{
	unsigned int turns = 0, spurious = 0;
	uint32_t status;

	while (line() && turns++ < 10) {
		status = guest_status();
		spurious += !status;
		if (status)
			guest_ack(status);
		take_used();
	}
	KTAP_TRUE(!line());
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	return spurious;
}

static void test_level_guest(void)
{
	unsigned int spurious = 0;
	struct device *dev = setup(false);

	start(dev);
	for (unsigned int i = 0; i < 100; i++) {
		if (i % 2)
			request();
		else
			complete();
		KTAP_TRUE(line());
		spurious += level_handler();
	}
	/* It was noticed, soon. */
	KTAP_EQ(kernel.zone, 0);
	KTAP_TRUE(spurious > 0 && spurious < 20);
	complete();
	KTAP_EQ(level_handler(), 0);
	/* A pause, as for a snapshot, does not make it another one. */
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	KTAP_EQ(kernel.zone, 0);
	complete();
	KTAP_EQ(level_handler(), 0);
	/* The next driver may be another one. */
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	start(dev);
	KTAP_EQ(kernel.zone, 1);
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	KTAP_EQ(kernel.zone, 1);
	teardown();
}

/* Such a guest need not look at InterruptStatus: it acknowledges, and looks for what is done. */
static unsigned int blind_handler(void)
{
	unsigned int turns = 0;

	while (line() && turns < 10 * RING) {
		turns++;
		guest_ack(VRING);
		take_used();
	}
	KTAP_TRUE(!line());
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	return turns;
}

static void test_blind_level_guest(void)
{
	start(setup(false));
	complete();
	/* Nobody carries out what it posts: until there is no more room. */
	KTAP_TRUE(blind_handler() <= RING + 1);
	KTAP_EQ(kernel.zone, 0);
	for (unsigned int i = 0; i < 10; i++) {
		complete();
		KTAP_EQ(blind_handler(), 1);
	}
	/* A guest that takes edges has none in vain by it. */
	teardown();
	start(setup(false));
	for (unsigned int i = 1; i <= 1000; i++) {
		complete();
		KTAP_EQ(edges(), i);
		KTAP_TRUE(!guest_ack(VRING));
		KTAP_EQ(take_used(), 1);
	}
	KTAP_EQ(kernel.zone, 1);
	teardown();
}

/*
 * Posting ends while an acknowledgement of one more interrupt is being posted: the line stays high,
 * and the next interrupt is an edge all the same.
 */
static void last_ack(void)
{
	kernel.in_del = NULL;
	complete();
	KTAP_TRUE(post(d.dev->base + ACK, 4, VRING));
}

static void test_last_ack(void)
{
	unsigned int before;

	start(setup(false));
	kernel.in_del = last_ack;
	for (int i = 0; i < 100 && kernel.in_del; i++) {
		complete();
		KTAP_EQ(guest_status(), VRING);
		guest_ack(VRING);
		/* It looks whether there is more: that is in vain. */
		guest_status();
		take_used();
	}
	KTAP_TRUE(!kernel.in_del && !kernel.zone);
	KTAP_TRUE(line());
	before = edges();
	complete();
	KTAP_EQ(edges(), before + 1);
	KTAP_EQ(guest_status(), VRING);
	KTAP_TRUE(guest_ack(VRING));
	KTAP_TRUE(!line());
	teardown();
}

/* One interrupt in vain, now and then, is none of those. */
static void test_edge_with_spurious(void)
{
	start(setup(false));
	for (unsigned int i = 0; i < 1000; i++) {
		complete();
		KTAP_EQ(guest_status(), VRING);
		guest_ack(VRING);
		if (i % 10 == 9)
			KTAP_EQ(guest_status(), 0);
	}
	KTAP_EQ(kernel.zone, 1);
	teardown();
}

static void test_reset(void)
{
	struct device *dev = setup(false);
	struct error err;

	start(dev);
	complete();
	KTAP_EQ(guest_status(), VRING);
	guest_ack(VRING);
	KTAP_TRUE(line());
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_TRUE(!line());
	KTAP_EQ(kernel.zone, 0);
	KTAP_EQ(guest_status(), 0);
	start(dev);
	KTAP_EQ(kernel.zone, 1);
	complete();
	KTAP_EQ(edges(), 2);

	/* The machine's, which makes another VM. */
	device_bus_reset(&test_machine.bus);
	KTAP_EQ(kernel.zone, 0);
	KTAP_TRUE(!line());
	kernel_lose_vm(&test_machine);
	kernel.private.vm = (struct armvmm_vm *)&kernel;
	KTAP_EQ(device_bus_begin(&test_machine.bus, &err), 0);
	start(dev);
	KTAP_EQ(kernel.zone, 1);
	teardown();
}

static void test_without(void)
{
	for (int old = 0; old < 2; old++) {
		struct device *dev = setup(old);

		kernel.add_errno = old ? 0 : ENOMEM;
		start(dev);
		KTAP_EQ(kernel.adds, 0);
		complete();
		KTAP_EQ(guest_status(), VRING);
		KTAP_TRUE(guest_ack(VRING));
		KTAP_TRUE(!line());
		complete();
		KTAP_EQ(edges(), 2);
		teardown();
	}
}

/*
 * The steps of an interrupt's handler, in their order, among requests that end at any time, and
 * other causes. When all is quiet, the guest has been told of everything.
 */
static void play(unsigned int seed, bool old)
{
	unsigned int seen_edges = 0, requests = 0, used = 0, step = 0;
	bool config = false;
	uint32_t status = 0;

	start(setup(old));
	seen_edges = edges();
	for (int i = 0; i < 400 || step || edges() != seen_edges; i++) {
		unsigned int what = i < 400 ? rand_r(&seed) % 6 : 5;

		KTAP_TRUE(i < 1000);
		if (what == 0 && driver_nr_used(&d.q[0]) < QSIZE - 1) {
			complete();
			requests++;
		} else if (what == 1 && driver_nr_used(&d.q[0]) < QSIZE - 1) {
			request();
			requests++;
		} else if (what == 2 && rand_r(&seed) % 4 == 0) {
			configure();
			config = true;
		} else if (what == 3 && rand_r(&seed) % 8 == 0) {
			/* Another device's register. */
			posted_drain(&test_machine);
		} else if (what > 3) {
			/* An edge while the handler runs is taken after it. */
			if (step == 0 && edges() != seen_edges) {
				seen_edges = edges();
				status = guest_status();
				step = 1;
			} else if (step == 1) {
				guest_ack(status);
				step = 2;
			} else if (step == 2) {
				if (status & VRING)
					used += take_used();
				if (status & CONFIG)
					config = false;
				step = 0;
			}
		}
	}
	KTAP_EQ(used, requests);
	KTAP_TRUE(!config);
	teardown();
}

static void test_none_is_lost(void)
{
	for (unsigned int seed = 1; seed <= 500; seed++) {
		play(seed, false);
		play(seed, true);
	}
}

KTAP_MAIN(KTAP_CASE(test_edge), KTAP_CASE(test_odd_writes), KTAP_CASE(test_level_guest),
	  KTAP_CASE(test_blind_level_guest),
	  KTAP_CASE(test_last_ack), KTAP_CASE(test_edge_with_spurious), KTAP_CASE(test_reset),
	  KTAP_CASE(test_without),
	  KTAP_CASE(test_none_is_lost))
