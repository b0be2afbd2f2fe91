// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_vsock.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/net/vsock.c userspace/armvmm-run/net/vsock_dial.c
// sources: userspace/armvmm-run/net/vsock_conn.c userspace/armvmm-run/net/vsock_input.c userspace/armvmm-run/net/vsock_output.c
// sources: userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/message.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/process.c userspace/armvmm-run/core/userns.c userspace/armvmm-run/core/named_socket.c
// sources: userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c userspace/armvmm-run/pci/msix.c
// sources: userspace/armvmm-run/pci/v2m.c userspace/armvmm-run/virtio/virtio_pci.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// --vsock with vhost=on, and a kernel that is simulated.
#include "armvmm-run/device_make.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/pci_driver.h"

#define QSIZE 128
#define RX    0
#define TX    1
#define EVENT 2
#define CID   42
#define KERNEL_NODE "/dev/vhost-vsock"
#define KERNEL_OWN_FEATURES (1ull << VIRTIO_VSOCK_F_SEQPACKET)
#include "armvmm-run/virtio/vhost_kernel.h"

/* ---- The guest ---- */

static struct driver d;

static struct device *setup(void)
{
	struct device *dev;

	test_machine_init();
	dev = device_made(&test_machine, "virtio-vsock", "cid=42,vhost=on");
	KTAP_EQ(kernel.cid, CID);
	KTAP_TRUE(test_machine.vhost && test_machine.unlogged && !test_machine.vsock);
	return dev;
}

static void start(struct device *dev)
{
	KTAP_TRUE(driver_start(&d, dev, V1, 3, QSIZE));
	test_loop();
}

static void add(unsigned int i)
{
	driver_add(&d.q[i], &(struct driver_buf){ DATA_GPA, 4096, i == RX }, 1);
}

/* One more packet of the guest's, which it tells of. */
static void send(void)
{
	add(TX);
	driver_kick(&d, TX);
}

static void test_start(void)
{
	struct device *dev = setup();

	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_CONFIG), CID);
	KTAP_TRUE(offered_features(dev) & 1u << VIRTIO_VSOCK_F_SEQPACKET);
	KTAP_TRUE(!(offered_features(dev) & 1u << VHOST_F_LOG_ALL));
	KTAP_TRUE(kernel.owned && !kernel.running);
	KTAP_EQ(kernel.ram_gpa, RAM_BASE);
	KTAP_EQ(kernel.ram_size, RAM_SIZE);
	KTAP_TRUE(kernel.ram == ram(RAM_BASE));
	start(dev);
	KTAP_TRUE(kernel.running);
	KTAP_EQ(kernel.features, V1);
	for (unsigned int i = 0; i < 2; i++) {
		KTAP_EQ(kernel.q[i].size, QSIZE);
		KTAP_EQ(kernel.q[i].base, 0);
		KTAP_EQ(kernel.q[i].addr.desc_user_addr, (uintptr_t)d.q[i].desc);
		KTAP_EQ(kernel.q[i].addr.avail_user_addr, (uintptr_t)d.q[i].avail);
		KTAP_EQ(kernel.q[i].addr.used_user_addr, (uintptr_t)d.q[i].used);
		KTAP_EQ(kernel.q[i].addr.flags, 0);
	}
	/* Notifications are the kernel's: nobody here takes them. */
	(void)!read(kernel.q[TX].kick, &(uint64_t){ 0 }, 8);
	send();
	test_loop();
	KTAP_TRUE(is_readable(kernel.q[TX].kick));
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	/* Its interrupts come here, and go to the guest. */
	KTAP_TRUE(!test_level[d.spi]);
	KTAP_EQ(kernel_works(TX), 1);
	test_loop();
	KTAP_TRUE(test_level[d.spi]);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 1);
	done();
}

/* A driver that goes, in each way that there is, and comes again. */
static void test_stop(void)
{
	struct device *dev = setup();

	start(dev);
	add(TX);
	kernel_works(TX);
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_TRUE(!kernel.running);
	/* What it said before the reset interrupts nobody. */
	test_loop();
	KTAP_TRUE(!test_level[d.spi]);
	start(dev);
	KTAP_TRUE(kernel.running);
	KTAP_EQ(kernel.q[TX].base, 0);
	dev->ops->reset(dev);
	KTAP_TRUE(!kernel.running);
	start(dev);
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, RX);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	KTAP_TRUE(!kernel.running);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	KTAP_TRUE(kernel.running);
	/* It looks for what was notified meanwhile. */
	for (unsigned int i = 0; i < 2; i++)
		KTAP_TRUE(is_readable(kernel.q[i].kick));
	/* What the last driver notified starts nothing for the next one, whoever is quicker. */
	send();
	KTAP_TRUE(driver_negotiate(&d, V1));
	for (unsigned int i = 0; i < 3; i++)
		driver_queue_enable(&d, i, QSIZE);
	test_loop();
	KTAP_TRUE(!kernel.running);
	/* Its own does. */
	send();
	test_loop();
	KTAP_TRUE(kernel.running);
	/* A queue of its that is not set up: it has to wait for that. */
	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	KTAP_TRUE(!kernel.running);
	driver_queue_enable(&d, TX, QSIZE);
	KTAP_TRUE(kernel.running);
	KTAP_EQ(kernel.nr_runs, kernel.nr_stops + 1);
	done();
}

/* The kernel never hears of rings outside of the guest's RAM. */
static void test_bad_rings(void)
{
	struct device *dev = setup();

	memset(&d, 0, sizeof(d));
	d.dev = dev;
	KTAP_TRUE(driver_negotiate(&d, V1));
	driver_queue_enable(&d, RX, QSIZE);
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, TX);
	reg_write(dev, VIRTIO_MMIO_QUEUE_NUM, QSIZE);
	reg_write(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, RAM_BASE + RAM_SIZE - 16);
	reg_write(dev, VIRTIO_MMIO_QUEUE_AVAIL_LOW, RAM_BASE);
	reg_write(dev, VIRTIO_MMIO_QUEUE_USED_LOW, RAM_BASE + 0x1000);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	KTAP_TRUE(driver_needs_reset(&d));
	/* Nobody can take a notification of the other one, nor does anybody ask for it for ever. */
	driver_kick(&d, RX);
	KTAP_TRUE(loop_rests());
	reg_write(dev, VIRTIO_MMIO_STATUS, 15);
	driver_kick(&d, RX);
	KTAP_TRUE(loop_rests());
	KTAP_EQ(kernel.nr_runs, 0);
	/* What it finds wrong itself, in a ring or with a buffer, breaks the device. */
	start(dev);
	eventfd_write(kernel.q[TX].err, 1);
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));
	KTAP_TRUE(!kernel.running);
	/* Not the next driver's, and nobody is told. */
	start(dev);
	test_last_note[0] = 0;
	test_edges[d.spi] = 0;
	eventfd_write(kernel.q[TX].err, 1);
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	start(dev);
	KTAP_TRUE(!driver_needs_reset(&d) && kernel.running);
	KTAP_STREQ(test_last_note, "");
	KTAP_EQ(test_edges[d.spi], 0);
	/* One that it found just before it had to stop, in each way that leaves a driver. */
	eventfd_write(kernel.q[RX].err, 1);
	dev->ops->pause(dev);
	KTAP_TRUE(driver_needs_reset(&d));
	dev->ops->resume(dev);
	test_loop();
	KTAP_TRUE(driver_needs_reset(&d) && !kernel.running);
	start(dev);
	eventfd_write(kernel.q[TX].err, 1);
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, RX);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	KTAP_TRUE(driver_needs_reset(&d));
	/* And it may refuse. */
	kernel_refuses_rings = true;
	KTAP_TRUE(driver_start(&d, dev, V1, 3, QSIZE));
	kernel_refuses_rings = false;
	KTAP_TRUE(driver_needs_reset(&d));
	KTAP_TRUE(!kernel.running);
	kernel.nr_wrong = 0;
	/* Nor when the guest is gone. */
	start(dev);
	test_edges[d.spi] = 0;
	eventfd_write(kernel.q[TX].err, 1);
	done();
	KTAP_EQ(test_edges[d.spi], 0);
}

/* A pause, a snapshot, and its return: the kernel goes on where it was. */
static void test_state(void)
{
	struct driver_buf event = { DATA_GPA + 0x10000, 8, true };
	uint32_t *id = ram(event.gpa);
	struct device *dev = setup();
	struct record saved;

	start(dev);
	driver_add(&d.q[EVENT], &event, 1);
	driver_kick(&d, EVENT);
	*id = 99;
	for (unsigned int i = 0; i < 3; i++)
		add(TX);
	KTAP_EQ(kernel_works(TX), 3);
	test_loop();
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	/* It has worked, and nobody has noticed. */
	send();
	KTAP_EQ(kernel_works(TX), 1);
	(void)!read(kernel.q[TX].call, &(uint64_t){ 0 }, 8);
	state_save(dev, &saved);
	KTAP_TRUE(!kernel.running);
	kernel.q[TX].base = 77;
	dev->ops->resume(dev);
	KTAP_TRUE(kernel.running);
	KTAP_EQ(kernel.q[TX].base, 4);
	KTAP_EQ(kernel.q[RX].base, 0);
	/* So the guest is told. */
	KTAP_TRUE(test_level[d.spi]);
	test_loop();
	KTAP_EQ(*id, 99);
	record_free(&saved);

	state_save(dev, &saved);
	dev->ops->reset(dev);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	KTAP_TRUE(!kernel.running);
	dev->ops->resume(dev);
	/* Its connections were the old process'. It forgets them, and then there are new ones. */
	KTAP_EQ(*id, VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
	test_loop();
	KTAP_TRUE(!kernel.running);
	/* A stop meanwhile has no index of the kernel's. */
	kernel.q[TX].base = 77;
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	KTAP_TRUE(!kernel.running);
	/* Nor has it taken what the guest tells of now, and may not tell of again. */
	send();
	driver_add(&d.q[EVENT], &event, 1);
	driver_kick(&d, EVENT);
	test_loop();
	KTAP_TRUE(kernel.running);
	KTAP_EQ(kernel.q[TX].base, 4);
	KTAP_EQ(kernel_works(TX), 1);
	KTAP_EQ(driver_nr_used(&d.q[TX]), 5);
	state_torture(dev, &saved);
	record_free(&saved);
	done();
}

static void give_event(void)
{
	driver_add(&d.q[EVENT], &(struct driver_buf){ DATA_GPA + 0x10000, 8, true }, 1);
	driver_kick(&d, EVENT);
	test_loop();
}

/* A driver that never gives the event's buffer back; and one that is gone before. */
static void test_mute(void)
{
	struct device *dev = setup();
	struct record saved;
	gint64 from;

	start(dev);
	state_save(dev, &saved);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	from = g_get_monotonic_time();
	dev->ops->resume(dev);
	test_loop();
	KTAP_TRUE(!kernel.running);
	send();
	KTAP_TRUE(TEST_UNTIL(kernel.running));
	KTAP_EQ(kernel_works(TX), 1);
	KTAP_TRUE(g_get_monotonic_time() - from >= 5 * G_USEC_PER_SEC);
	/* It had its time, and does not get it again whenever it stops and goes on. */
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	KTAP_TRUE(kernel.running);
	/* Nor when there is a buffer at last, in which it is told. */
	give_event();
	KTAP_EQ(driver_nr_used(&d.q[EVENT]), 1);
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	KTAP_TRUE(kernel.running);
	dev->ops->pause(dev);
	record_free(&saved);
	state_save(dev, &saved);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	/* But after each restore; and if it keeps the buffer it is the same. */
	dev->ops->resume(dev);
	KTAP_TRUE(!kernel.running);
	give_event();
	driver_used(&d.q[EVENT]);
	KTAP_EQ(driver_nr_used(&d.q[EVENT]), 1);
	KTAP_TRUE(!kernel.running);
	KTAP_TRUE(TEST_UNTIL(kernel.running));
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	KTAP_TRUE(kernel.running);
	dev->ops->pause(dev);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	KTAP_TRUE(!kernel.running);
	start(dev);
	KTAP_TRUE(kernel.running);
	record_free(&saved);
	done();
}

/* On PCI, where a driver can forbid it to use memory. */
static void test_master(void)
{
	struct pci_driver pci;
	struct error err = { "" };

	test_machine_init();
	KTAP_EQ(device_make(&test_machine, "virtio-vsock", "cid=42,vhost=on,bus=pcie", &err), 0);
	pci_driver_probe(&pci, 1);
	pci_driver_messages(&pci, 3);
	KTAP_TRUE(pci_driver_start(&pci, V1, 3, QSIZE));
	KTAP_TRUE(kernel.running);
	kernel.q[TX].base = 5;
	/* An interrupt that it wanted may be lost by that: it is made up for. */
	(void)pci_driver_came(TX + 1);
	pci_put(pci.config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	KTAP_TRUE(!kernel.running);
	pci_put(pci.config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	KTAP_TRUE(kernel.running);
	KTAP_EQ(kernel.q[TX].base, 5);
	KTAP_EQ(pci_driver_came(TX + 1), 1);
	done();
}

/* Whose thread the kernel's is: what waits for missing pages has to know. */
static void test_thread(void)
{
	static const struct {
		const char *release;
		int forks;
		bool kthread;
	} host[] = {
		{ "5.10.0-32-armmp", -1, true }, { "6.1.176", -1, true }, { "6.3.13", -1, true },
		{ "6.4.0", -1, false }, { "6.12.117+deb13", -1, false }, { "7.2.12", -1, false },
		{ "7.2.12", 1, false }, { "7.2.12", 0, true }, { "6.1.176", 1, false },
		{ "unknown", -1, true },
	};

	for (unsigned int i = 0; i < 10; i++) {
		kernel_release = host[i].release;
		kernel_forks = host[i].forks;
		setup();
		if (test_machine.vhost_kthread != host[i].kthread)
			KTAP_FAIL("%s, %d", host[i].release, host[i].forks);
		done();
	}
	kernel_release = "6.12.1-x";
	kernel_forks = -1;
}

static void refused(const char *args, const char *why)
{
	struct error err = { "" };

	test_machine_init();
	KTAP_TRUE(device_make(&test_machine, "virtio-vsock", args, &err) < 0);
	if (!strstr(err.text, why))
		KTAP_FAIL("%s: it said '%s'", args, err.text);
	test_machine_exit();
}

static void test_refused(void)
{
	refused("cid=3,vhost=yes", "vhost must be on or off");
	refused("cid=3,vhost=off", "needs unix:PATH");
	refused("cid=3,vhost=on,unix:/tmp/x", "with vhost=on there is no unix:PATH");
	refused("vhost=on", "needs cid=N");
	kernel_missing = true;
	refused("cid=3,vhost=on", "is the module loaded (modprobe vhost_vsock)?");
	kernel_missing = false;
	kernel_has_cid = true;
	refused("cid=3,vhost=on", "the number 3 is taken on this host");
	kernel_has_cid = false;
}

KTAP_MAIN(KTAP_CASE(test_start), KTAP_CASE(test_stop), KTAP_CASE(test_bad_rings),
	  KTAP_CASE(test_state), KTAP_CASE(test_mute), KTAP_CASE(test_master),
	  KTAP_CASE(test_thread), KTAP_CASE(test_refused))
