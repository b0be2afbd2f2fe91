// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/net/net.c userspace/armvmm-run/net/net_tap.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/message.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/identity.c
// sources: userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c userspace/armvmm-run/pci/msix.c
// sources: userspace/armvmm-run/pci/v2m.c userspace/armvmm-run/virtio/virtio_pci.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// --net tap=NAME,vhost=on, and a kernel that is simulated.
#include "armvmm-run/device_make.h"
#include "armvmm-run/state_move.h"

#define QSIZE 256
#define RX    0
#define TX    1
#define MRG   (1ull << VIRTIO_NET_F_MRG_RXBUF)

#define KERNEL_NODE "/dev/vhost-net"
#define KERNEL_OWN_FEATURES MRG
#include "armvmm-run/virtio/vhost_kernel.h"

static struct driver d;

static bool old_kernel;

static struct device *setup(void)
{
	struct device *dev;

	test_machine_init();
	dev = device_made(&test_machine, "virtio-net", "tap=armvmmtest0,vhost=on");
	KTAP_TRUE(test_machine.vhost && test_machine.unlogged);
	KTAP_EQ(test_machine.vhost_kthread, old_kernel);
	return dev;
}

static void start(struct device *dev, uint64_t features)
{
	KTAP_TRUE(driver_start(&d, dev, features, 2, QSIZE));
	test_loop();
}

static void test_start(void)
{
	struct device *dev = setup();
	uint64_t tso = 1ull << VIRTIO_NET_F_GUEST_CSUM | 1ull << VIRTIO_NET_F_GUEST_TSO4;

	KTAP_TRUE(kernel.owned && !kernel.running);
	KTAP_TRUE(kernel.ram == ram(RAM_BASE));
	start(dev, V1 | MRG | tso);
	KTAP_TRUE(kernel.running);
	/* Those of frames are between the guest and tun. */
	KTAP_EQ(kernel.features, V1 | MRG);
	KTAP_EQ(kernel.offload, TUN_F_CSUM | TUN_F_TSO4);
	KTAP_EQ(kernel.hdr_size, 12);
	for (unsigned int i = 0; i < 2; i++) {
		KTAP_EQ(kernel.backend[i], kernel.tun);
		KTAP_EQ(kernel.q[i].size, QSIZE);
		KTAP_EQ(kernel.q[i].addr.used_user_addr, (uintptr_t)d.q[i].used);
	}
	/* Frames of the host's are the kernel's: nobody here reads them. */
	eventfd_write(kernel.tun, 1);
	driver_add(&d.q[TX], &(struct driver_buf){ DATA_GPA, 1000, false }, 1);
	driver_kick(&d, TX);
	test_loop();
	KTAP_TRUE(is_readable(kernel.tun));
	KTAP_TRUE(is_readable(kernel.q[TX].kick));
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	KTAP_EQ(kernel_works(TX), 1);
	test_loop();
	KTAP_TRUE(test_level[d.spi]);
	done();
}

static struct device *setup_legacy(void)
{
	test_machine_init();
	test_machine.virtio = VIRTIO_LEGACY;
	KTAP_EQ(device_make(&test_machine, "virtio-net", "tap=armvmmtest0,vhost=on",
			    &(struct error){ "" }), 0);
	return test_machine.bus.dev[0];
}

/* All but DRIVER_OK. */
static void negotiate_legacy(struct device *dev, uint32_t features)
{
	d.dev = dev;
	reg_write(dev, 0x028, 4096);
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	reg_write(dev, VIRTIO_MMIO_STATUS, 3);
	reg_write(dev, 0x024, 0);
	reg_write(dev, 0x020, features);
	for (unsigned int q = 0; q < 2; q++) {
		reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, q);
		reg_write(dev, VIRTIO_MMIO_QUEUE_NUM, QSIZE);
		reg_write(dev, 0x03c, 4096);
		reg_write(dev, 0x040, RING_GPA(q) / 4096);
	}
	KTAP_TRUE(!kernel.running);
}

/* Without num_buffers the guest's header is two bytes shorter, and tun has to know. */
static void test_legacy_header(void)
{
	struct device *dev = setup_legacy();

	for (unsigned int i = 0; i < 2; i++) {
		negotiate_legacy(dev, i ? MRG : 0);
		reg_write(dev, VIRTIO_MMIO_STATUS, 7);
		KTAP_TRUE(kernel.running);
		KTAP_EQ(kernel.features, i ? MRG : 0);
		KTAP_EQ(kernel.hdr_size, i ? 12 : 10);
		/* A page number of 0 takes a queue away. */
		reg_write(dev, 0x040, 0);
		KTAP_TRUE(!kernel.running);
	}
	done();
}

/* A legacy driver whose features do not go together, with DRIVER_OK, and without. */
static void test_legacy_features(void)
{
	struct device *dev = setup_legacy();

	for (unsigned int i = 0; i < 2; i++) {
		negotiate_legacy(dev, 1u << VIRTIO_NET_F_HOST_TSO4);
		if (i)
			reg_write(dev, VIRTIO_MMIO_STATUS, 7);
		driver_kick(&d, TX);
		/* Nobody takes the notification, nor does anybody ask for it for ever. */
		KTAP_TRUE(loop_rests());
		KTAP_TRUE(driver_needs_reset(&d));
		driver_kick(&d, RX);
		KTAP_TRUE(loop_rests());
	}
	KTAP_EQ(kernel.nr_runs, 0);
	negotiate_legacy(dev, 0);
	reg_write(dev, VIRTIO_MMIO_STATUS, 7);
	KTAP_TRUE(kernel.running);
	done();
}

/* It stops and goes on, in this process and in another. */
static void test_state(void)
{
	struct device *dev = setup();
	struct record saved;

	start(dev, V1 | MRG);
	driver_add(&d.q[TX], &(struct driver_buf){ DATA_GPA, 1000, false }, 1);
	KTAP_EQ(kernel_works(TX), 1);
	state_save(dev, &saved);
	KTAP_EQ(kernel.backend[RX], -1);
	KTAP_EQ(kernel.backend[TX], -1);
	dev->ops->resume(dev);
	KTAP_TRUE(kernel.running);
	KTAP_EQ(kernel.q[TX].base, 1);
	record_free(&saved);
	state_save(dev, &saved);
	dev->ops->reset(dev);
	kernel.hdr_size = 0;
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	KTAP_TRUE(kernel.running);
	KTAP_EQ(kernel.q[TX].base, 1);
	KTAP_EQ(kernel.hdr_size, 12);
	state_torture(dev, &saved);
	record_free(&saved);
	dev->ops->reset(dev);
	KTAP_TRUE(!kernel.running);
	/* Rings that the kernel does not take are the driver's fault. */
	kernel_refuses_rings = true;
	for (unsigned int i = 0; i < 2; i++)
		KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	kernel_refuses_rings = false;
	/* Its user learns of that, but not each time. */
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(strstr(test_last_warning, "the host's kernel refuses its queues"));
	KTAP_TRUE(driver_needs_reset(&d));
	KTAP_TRUE(!kernel.running);
	kernel.nr_wrong = 0;
	done();
}

static bool link_is_up(struct device *dev)
{
	unsigned int at = 0x100 + offsetof(struct virtio_net_config, status);

	return reg_read(dev, at & ~3u) >> at % 4 * 8 & VIRTIO_NET_S_LINK_UP;
}

static void stop_and_go(struct device *dev)
{
	struct record saved;

	state_save(dev, &saved);
	dev->ops->resume(dev);
	record_free(&saved);
}

/* Is the driver told of a new configuration? That is not all that interrupts it. */
static bool config_is_new(struct device *dev)
{
	bool is = reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG;

	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
	return is;
}

/* The kernel refuses the tap, though it has taken the queues: one queue alone is none. */
static void test_tap_refused(void)
{
	struct device *dev = setup();

	start(dev, V1 | 1ull << VIRTIO_NET_F_STATUS);
	KTAP_TRUE(link_is_up(dev));
	kernel_refuses_backend = true;
	stop_and_go(dev);
	KTAP_TRUE(!kernel.running);
	KTAP_TRUE(!driver_needs_reset(&d));
	KTAP_TRUE(!link_is_up(dev));
	KTAP_TRUE(config_is_new(dev));
	/* That is told once, to the guest and to its user. */
	stop_and_go(dev);
	KTAP_TRUE(!config_is_new(dev));
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(strstr(test_last_warning, "the host's kernel refuses its tap, and its link is down"));
	/* Frames of the guest's wait, and the next driver is no worse off. */
	driver_add(&d.q[TX], &(struct driver_buf){ DATA_GPA, 1000, false }, 1);
	driver_kick(&d, TX);
	KTAP_TRUE(loop_rests());
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	KTAP_TRUE(!driver_needs_reset(&d));
	start(dev, V1);
	KTAP_TRUE(!driver_needs_reset(&d));
	KTAP_TRUE(!link_is_up(dev));
	/* What was refused for want of memory, say, works the next time. */
	kernel_refuses_backend = false;
	stop_and_go(dev);
	KTAP_TRUE(kernel.running);
	KTAP_TRUE(link_is_up(dev));
	KTAP_TRUE(config_is_new(dev));
	kernel.nr_wrong = 0;
	done();
}

/* The tap is deleted: the driver learns it at once. */
static void test_tap_gone(void)
{
	struct device *dev = setup();
	int end[2];

	start(dev, V1 | 1ull << VIRTIO_NET_F_STATUS);
	KTAP_EQ(pipe(end), 0);
	close(end[1]);
	KTAP_EQ(dup2(end[0], kernel.tun), kernel.tun);
	close(end[0]);
	KTAP_TRUE(loop_rests());
	KTAP_TRUE(!link_is_up(dev));
	KTAP_TRUE(config_is_new(dev));
	KTAP_TRUE(!driver_needs_reset(&d));
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(strstr(test_last_warning, "the interface is gone"));
	/* It stays gone. */
	stop_and_go(dev);
	KTAP_TRUE(!link_is_up(dev));
	done();
}

static void refused(const char *args, const char *why)
{
	struct error err = { "" };

	test_machine_init();
	KTAP_TRUE(device_make(&test_machine, "virtio-net", args, &err) < 0);
	if (!strstr(err.text, why))
		KTAP_FAIL("%s: it said '%s'", args, err.text);
	test_machine_exit();
	kernel = (struct kernel){ .fd = 0 };
}

static void test_thread(void)
{
	old_kernel = true;
	kernel_release = "6.1.0-50-armmp";
	setup();
	old_kernel = false;
	kernel_release = "6.12.1-x";
	done();
}

static void test_refused(void)
{
	refused("tap=armvmmtest0,vhost=yes", "vhost must be on or off");
	refused("tap=armvmmtest0,vhost=on,bps=1M", "with vhost=on there are no rates");
	kernel_missing = true;
	refused("tap=armvmmtest0,vhost=on", "is the module loaded (modprobe vhost_net)?");
	kernel_missing = false;
}

KTAP_MAIN(KTAP_CASE(test_start), KTAP_CASE(test_legacy_header),
	  KTAP_CASE(test_legacy_features), KTAP_CASE(test_state), KTAP_CASE(test_tap_refused),
	  KTAP_CASE(test_tap_gone), KTAP_CASE(test_thread), KTAP_CASE(test_refused))
