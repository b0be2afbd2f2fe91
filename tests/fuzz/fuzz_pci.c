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
// sources: userspace/armvmm-run/virtio/virtio_rng.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 1024
/* Configuration space, the registers of virtio-pci and the table of messages: any accesses. */
#include "armvmm-run/virtio/pci_driver.h"
#include "core/device_type.h"
#include "core/record.h"
#include "fuzz.h"
#include "virtio/virtio_mmio.h"

#define PCI_FUZZ_SIZE	8	/* descriptors of the ring */
#define PCI_FUZZ_SPAN	0x30000000u	/* of the host's window */

static void pci_fuzz_access(struct fuzz *f, struct pci_driver *d)
{
	static const unsigned int widths[] = { 1, 2, 4, 8 };
	uint8_t what = fuzz_u8(f);
	unsigned int len = widths[what & 3], where = fuzz_u16(f);
	uint64_t value = what & 4 ? fuzz_u32(f) | (uint64_t)fuzz_u32(f) << 32 : fuzz_u8(f);
	uint64_t gpa;

	switch (what >> 4 & 7) {
	case 0:
		gpa = PCI_ECAM_BASE + where;
		break;
	case 1:
		gpa = d->config + where % 0x108;
		break;
	case 2:
		gpa = d->common + where % 64;
		break;
	case 3:
		gpa = (d->common & ~0xfffull) + where % 0x4000;
		break;
	case 4:
		gpa = PCI_DRIVER_BAR1 + (1 << 21) + where % 0x1000;
		break;
	case 5:
		gpa = d->window + where % 20;
		break;
	case 6:
		gpa = GICV2M_BASE + where % 0xff8;
		break;
	default:
		gpa = PCI_MMIO_BASE + (where << 14 | where) % (PCI_FUZZ_SPAN - 8);
	}
	if (what & 8)
		pci_put(gpa, len, value);
	else
		pci_get(gpa, len);
}

/* Its own state, with a byte of it changed. Returns false if that is refused: then it is lost. */
static bool pci_fuzz_state(struct fuzz *f, struct device *dev)
{
	struct record saved = { .len = 0 }, in;
	unsigned int at = fuzz_u16(f);
	int ret;

	dev->ops->pause(dev);
	FUZZ_MUST(dev->ops->is_idle(dev));
	dev->ops->save(dev, &saved);
	FUZZ_MUST(saved.len);
	saved.data[at % saved.len] ^= fuzz_u8(f);
	record_open(&in, saved.data, saved.len);
	ret = dev->ops->restore(dev, &in);
	if (!ret)
		dev->ops->resume(dev);
	record_free(&saved);
	return !ret;
}

static bool pci_fuzz_act(struct fuzz *f, struct pci_driver *d, struct device *dev)
{
	struct driver_buf buf = { DATA_GPA, 64, true };
	uint8_t what = fuzz_u8(f);

	switch (what & 15) {
	case 0:
		pci_driver_probe(d, 1);
		break;
	case 1:
		pci_driver_start(d, 1ull << VIRTIO_F_VERSION_1 | fuzz_u32(f), 1, PCI_FUZZ_SIZE);
		break;
	case 2:
		pci_driver_messages(d, 2);
		break;
	case 3:
		if (d->q[0].desc)
			driver_add(&d->q[0], &buf, 1);
		pci_driver_kick(d, 0);
		break;
	case 4:
		dev->ops->reset(dev);
		break;
	case 5:
		return pci_fuzz_state(f, dev);
	case 6:
		test_loop();
		break;
	default:
		pci_fuzz_access(f, d);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	const struct virtio_bus *bus = NULL;
	struct error err = { "" };
	struct pci_driver d;
	struct device *dev;
	bool whole = true;

	test_machine_init();
	FUZZ_MUST(!virtio_bus_parse("bus=pcie", "pcie", &bus, &err));
	FUZZ_MUST(!device_type_find("virtio-rng")->create(&test_machine, bus, &err));
	FUZZ_MUST(!device_bus_begin(&test_machine.bus, &err));
	/* The frame, the host, and the device. */
	FUZZ_MUST(test_machine.bus.nr == 3);
	dev = test_machine.bus.dev[2];
	pci_driver_probe(&d, 1);
	for (unsigned int i = 0; whole && f.len && i < 200; i++)
		whole = pci_fuzz_act(&f, &d, dev);
	/* Whatever happened, a driver that goes by the rules can use it. */
	if (whole) {
		test_loop();
		dev->ops->reset(dev);
		pci_driver_probe(&d, 1);
		FUZZ_MUST(pci_driver_start(&d, 1ull << VIRTIO_F_VERSION_1, 1, PCI_FUZZ_SIZE));
	}
	test_machine_exit();
	return 0;
}
