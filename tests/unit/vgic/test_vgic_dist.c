// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/attr.c driver/vgic/ap.c
// cflags: -Itests/unit/fake -Iinclude/uapi -I. -Idriver
/* The distributor's registers and the device's attributes, one by one. */
#include "ktap.h"
#include "vgic_fake.h"

unsigned int fake_nospec;

static void test_reset_values(void)
{
	struct armvmm_vm *vm = fake_create(3, 96, 4);
	struct armvmm_vcpu *v = vm->vcpus[2];
	u32 i;

	KTAP_EQ(fake_read32(v, GICD_CTLR), 0);
	KTAP_EQ(fake_read32(v, GICD_TYPER), 2u << 5 | 2);
	KTAP_EQ(fake_read32(v, GICD_IIDR), 0x4b00243b);
	KTAP_EQ(fake_read32(v, 0x00c), 0);
	KTAP_EQ(fake_read32(v, GICD_ISENABLER), 0x0000ffff);
	KTAP_EQ(fake_read32(v, GICD_ISENABLER + 4), 0);
	KTAP_EQ(fake_read32(v, GICD_ITARGETSR), 0x04040404);
	KTAP_EQ(fake_read32(v, GICD_ITARGETSR + 28), 0x04040404);
	KTAP_EQ(fake_read32(v, GICD_ITARGETSR + 32), 0);
	KTAP_EQ(fake_read32(v, GICD_ICFGR), 0xaaaaaaaa);
	KTAP_EQ(fake_read32(v, GICD_ICFGR + 4), 0);
	KTAP_EQ(fake_read32(v, GICD_ICPIDR2) >> 4 & 0xf, 2);	/* ArchRev: GICv2 */
	for (i = 0; i < 96; i += 4)
		KTAP_EQ(fake_read32(v, GICD_IPRIORITYR + i), 0);
	for (i = 0; i < 12; i += 4) {
		KTAP_EQ(fake_read32(v, GICD_IGROUPR + i), 0);
		KTAP_EQ(fake_read32(v, GICD_ISPENDR + i), 0);
		KTAP_EQ(fake_read32(v, GICD_ISACTIVER + i), 0);
	}
	for (i = 0xe00; i < 0xf00; i += 4)
		KTAP_EQ(fake_read32(v, i), 0);	/* GICD_NSACR */
	fake_destroy(vm);
}

/* IHI 0048B 4.1.4 and table 4-1; @end is the first INTID that the VM does not have. */
static bool access_is_legal(u32 offset, unsigned int len, unsigned int end)
{
	static const struct {
		u32 from, to;
		unsigned int bits;	/* of an interrupt */
		bool bytes;
	} table[] = {
		{ 0x000, 0x00c, 0, false }, { 0x080, 0x400, 1, false }, { 0x400, 0xc00, 8, true },
		{ 0xc00, 0xd00, 2, false }, { 0xf00, 0xf04, 0, false }, { 0xf10, 0xf30, 0, true },
		{ 0xfd0, 0x1000, 0, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (offset < table[i].from || offset >= table[i].to)
			continue;
		if (len == 4 ? offset & 3 : len != 1 || !table[i].bytes)
			return false;
		switch (table[i].bits) {
		case 1:
			return (offset & 0x7f) * 8 < end;
		case 2:
			return (offset & 0xff) * 4 < end;
		case 8:
			return (offset & 0x3ff) < end;
		}
		return true;
	}
	return false;
}

/* Illegal accesses read as zero, change nothing, and touch nothing beyond the arrays. */
static void widths(unsigned int nr_irqs)
{
	static const u8 lens[] = { 1, 2, 4, 8 };
	struct armvmm_vm *vm = fake_create(2, nr_irqs, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	size_t private_size = GIC_NR_PRIVATE * sizeof(struct armvmm_vgic_irq);
	size_t spis_size = (vgic_irq_end(&vm->vgic) - GIC_NR_PRIVATE) *
			   sizeof(struct armvmm_vgic_irq);
	void *private = malloc(private_size), *spis = malloc(spis_size);
	unsigned int l, legal = 0;
	u32 offset;

	for (l = 0; l < ARRAY_SIZE(lens); l++) {
		for (offset = 0; offset < GICD_SIZE; offset++) {
			if (access_is_legal(offset, lens[l], nr_irqs)) {
				legal++;
				fake_mmio_read(v, offset, lens[l]);
				continue;
			}
			memcpy(private, v->vgic.private, private_size);
			memcpy(spis, vm->vgic.spis, spis_size);
			fake_mmio_write(v, offset, lens[l], ~0ULL);
			KTAP_EQ(fake_mmio_read(v, offset, lens[l]), 0);
			KTAP_MEMEQ(private, v->vgic.private, private_size);
			KTAP_MEMEQ(spis, vm->vgic.spis, spis_size);
			KTAP_TRUE(!vm->vgic.dist->ctlr);
		}
	}
	KTAP_TRUE(legal > 200);
	/* The legal ones survive writes of any value. */
	for (offset = 0; offset < GICD_SIZE; offset++)
		for (l = 0; l < ARRAY_SIZE(lens); l++)
			if (access_is_legal(offset, lens[l], nr_irqs)) {
				fake_mmio_write(v, offset, lens[l], ~0ULL);
				fake_mmio_read(v, offset, lens[l]);
			}
	free(private);
	free(spis);
	fake_destroy(vm);
}

static void test_widths_64(void) { widths(64); }
static void test_widths_1024(void) { widths(1024); }

/* A byte access is to one interrupt, a word access to four. */
static void test_byte_and_word(void)
{
	struct armvmm_vm *vm = fake_create(4, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];

	fake_write32(v, GICD_IPRIORITYR + 40, 0xff73a1fe);
	KTAP_EQ(fake_read32(v, GICD_IPRIORITYR + 40), 0xf870a0f8);	/* five bits */
	fake_mmio_write(v, GICD_IPRIORITYR + 41, 1, 0x10);
	KTAP_EQ(fake_read32(v, GICD_IPRIORITYR + 40), 0xf87010f8);
	KTAP_EQ(fake_mmio_read(v, GICD_IPRIORITYR + 43, 1), 0xf8);

	fake_write32(v, GICD_ITARGETSR + 32, 0xff0a4100);
	KTAP_EQ(fake_read32(v, GICD_ITARGETSR + 32), 0x0f0a0100);	/* four vCPUs */
	KTAP_TRUE(fake_irq(v, 32)->target == vm->vcpus[0]);
	KTAP_TRUE(fake_irq(v, 34)->target == vm->vcpus[1]);
	fake_mmio_write(v, GICD_ITARGETSR + 34, 1, 0x8);
	KTAP_EQ(fake_read32(v, GICD_ITARGETSR + 32), 0x0f080100);
	KTAP_TRUE(fake_irq(v, 34)->target == vm->vcpus[3]);
	fake_write32(v, GICD_ITARGETSR, 0xffffffff);	/* read-only */
	KTAP_EQ(fake_read32(vm->vcpus[1], GICD_ITARGETSR), 0x02020202);
	fake_destroy(vm);
}

static void test_bit_registers(void)
{
	struct armvmm_vm *vm = fake_create(2, 96, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];

	fake_write32(v, GICD_ISENABLER + 4, 0xf000000f);
	fake_write32(v, GICD_ICENABLER + 4, 0x30000003);
	KTAP_EQ(fake_read32(v, GICD_ISENABLER + 4), 0xc000000c);
	KTAP_EQ(fake_read32(v, GICD_ICENABLER + 4), 0xc000000c);
	/* PPIs are banked */
	fake_write32(v, GICD_ISENABLER, 1u << 27);
	KTAP_EQ(fake_read32(v, GICD_ISENABLER), 0x0800ffff);
	KTAP_EQ(fake_read32(vm->vcpus[1], GICD_ISENABLER), 0x0000ffff);

	/* SGIs' pending bits are read-only; a level's line stays when the latch is cleared */
	fake_write32(v, GICD_ISPENDR, 1 << 27 | 3);
	KTAP_EQ(fake_read32(v, GICD_ISPENDR), 1 << 27);
	fake_write32(v, GICD_ICPENDR, ~0u);
	KTAP_EQ(fake_read32(v, GICD_ISPENDR), 0);
	KTAP_EQ(armvmm_vgic_inject(vm, v, 27, true, NULL), 0);
	fake_write32(v, GICD_ICPENDR, ~0u);
	KTAP_EQ(fake_read32(v, GICD_ISPENDR), 1 << 27);
	KTAP_EQ(armvmm_vgic_inject(vm, v, 27, false, NULL), 0);
	KTAP_EQ(fake_read32(v, GICD_ICPENDR), 0);

	fake_write32(v, GICD_ISACTIVER + 8, 0x80000001);
	KTAP_EQ(fake_read32(v, GICD_ICACTIVER + 8), 0x80000001);
	fake_write32(v, GICD_ICACTIVER + 8, 1);
	KTAP_EQ(fake_read32(v, GICD_ISACTIVER + 8), 0x80000000);

	/* SGIs and PPIs keep their trigger; the low bit of a field is none */
	fake_write32(v, GICD_ICFGR + 4, ~0u);
	KTAP_EQ(fake_read32(v, GICD_ICFGR + 4), 0);
	fake_write32(v, GICD_ICFGR, 0);
	KTAP_EQ(fake_read32(v, GICD_ICFGR), 0xaaaaaaaa);
	fake_write32(v, GICD_ICFGR + 8, 0xdb);
	KTAP_EQ(fake_read32(v, GICD_ICFGR + 8), 0x8a);

	fake_write32(v, GICD_IGROUPR + 4, 0x5);
	KTAP_EQ(fake_read32(v, GICD_IGROUPR + 4), 0x5);
	fake_destroy(vm);
}

/* INTIDs 1020-1023 are never interrupts, though the registers have their bits. */
static void test_special_intids(void)
{
	struct armvmm_vm *vm = fake_create(1, 1024, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];

	KTAP_EQ(fake_read32(v, GICD_TYPER) & 0x1f, 31);
	fake_write32(v, GICD_ISENABLER + 0x7c, ~0u);
	KTAP_EQ(fake_read32(v, GICD_ISENABLER + 0x7c), 0x0fffffff);
	fake_write32(v, GICD_ISPENDR + 0x7c, ~0u);
	KTAP_EQ(fake_read32(v, GICD_ISPENDR + 0x7c), 0x0fffffff);
	fake_write32(v, GICD_IPRIORITYR + 1020, ~0u);
	KTAP_EQ(fake_read32(v, GICD_IPRIORITYR + 1020), 0);
	KTAP_EQ(armvmm_vgic_inject(vm, NULL, 1019, true, NULL), 0);
	KTAP_EQ(armvmm_vgic_inject(vm, NULL, 1020, true, NULL), -EINVAL);
	fake_destroy(vm);
}

static void test_sgir_filters(void)
{
	struct armvmm_vm *vm = fake_create(4, 64, 4);
	unsigned int i;

	fake_write32(vm->vcpus[1], GICD_SGIR, 0x00 << 24 | 0xfd << 16 | 3);	/* list: not 1 */
	fake_write32(vm->vcpus[1], GICD_SGIR, 0x01 << 24 | 0x02 << 16 | 4);	/* all others */
	fake_write32(vm->vcpus[1], GICD_SGIR, 0x02 << 24 | 0xff << 16 | 5);	/* self */
	fake_write32(vm->vcpus[1], GICD_SGIR, 0x03 << 24 | 0xff << 16 | 6);	/* reserved */
	fake_write32(vm->vcpus[3], GICD_SGIR, 0x00 << 24 | 0x01 << 16 | 3);
	for (i = 0; i < 4; i++) {
		struct armvmm_vcpu *v = vm->vcpus[i];

		KTAP_EQ(fake_mmio_read(v, GICD_SPENDSGIR + 3, 1),
			i == 0 ? 0x0a : i == 1 ? 0 : 0x02);
		KTAP_EQ(fake_mmio_read(v, GICD_CPENDSGIR + 4, 1), i == 1 ? 0 : 0x02);
		KTAP_EQ(fake_mmio_read(v, GICD_SPENDSGIR + 5, 1), i == 1 ? 0x02 : 0);
		KTAP_EQ(fake_mmio_read(v, GICD_SPENDSGIR + 6, 1), 0);
		KTAP_EQ(fake_read32(v, GICD_ISPENDR), i == 1 ? 0x20 : 0x18);
	}
	KTAP_EQ(fake_read32(vm->vcpus[0], GICD_SGIR), 0);
	fake_destroy(vm);
}

static void test_sgi_pending_bytes(void)
{
	struct armvmm_vm *vm = fake_create(3, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];

	fake_write32(v, GICD_SPENDSGIR + 4, 0xff000305);
	KTAP_EQ(fake_read32(v, GICD_SPENDSGIR + 4), 0x07000305);	/* three vCPUs */
	KTAP_EQ(fake_read32(v, GICD_ISPENDR), 0xb0);
	fake_mmio_write(v, GICD_CPENDSGIR + 4, 1, 0x04);
	KTAP_EQ(fake_read32(v, GICD_CPENDSGIR + 4), 0x07000301);
	fake_mmio_write(v, GICD_CPENDSGIR + 4, 1, 0xff);
	KTAP_EQ(fake_read32(v, GICD_ISPENDR), 0xa0);
	KTAP_EQ(fake_read32(vm->vcpus[1], GICD_ISPENDR), 0);
	fake_destroy(vm);
}

/* --- attributes --- */

static int attr(int (*op)(struct armvmm_vm *, struct kvm_device_attr *), struct armvmm_vm *vm,
		u32 group, u64 nr, void *addr)
{
	struct kvm_device_attr a = { .group = group, .attr = nr, .addr = (uintptr_t)addr };

	return op(vm, &a);
}

#define SET(vm, group, nr, p)	attr(armvmm_vgic_set_attr, vm, group, nr, p)
#define GET(vm, group, nr, p)	attr(armvmm_vgic_get_attr, vm, group, nr, p)
#define HAS(vm, group, nr)	attr(armvmm_vgic_has_attr, vm, group, nr, NULL)
#define REG(cpu, offset)	((u64)(cpu) << 32 | (offset))

static struct armvmm_vm *attr_vm(unsigned int nr_vcpus)
{
	struct armvmm_vm *vm = fake_create(nr_vcpus, 0, 4);

	mutex_lock(&vm->lock);
	KTAP_EQ(armvmm_vgic_create(vm), 0);
	KTAP_EQ(armvmm_vgic_create(vm), -EEXIST);
	mutex_unlock(&vm->lock);
	return vm;
}

static void test_attr_addr(void)
{
	struct armvmm_vm *vm = attr_vm(1);
	u64 a, got = 0;

	a = 1ULL << 40;
	KTAP_EQ(SET(vm, 0, 0, &a), -E2BIG);
	a = GICD_BASE + 0x800;
	KTAP_EQ(SET(vm, 0, 0, &a), -EINVAL);
	KTAP_EQ(SET(vm, 0, 0, NULL), -EFAULT);
	a = GICD_BASE;
	KTAP_EQ(SET(vm, 0, 2, &a), -ENXIO);
	KTAP_EQ(SET(vm, 0, 1ULL << 32, &a), -ENXIO);
	KTAP_EQ(GET(vm, 0, 0, &got), 0);
	KTAP_EQ(got, VGIC_ADDR_UNDEF);
	KTAP_EQ(armvmm_vgic_map_resources(vm), -ENXIO);
	KTAP_EQ(SET(vm, 0, 0, &a), 0);
	KTAP_EQ(SET(vm, 0, 0, &a), -EEXIST);
	KTAP_EQ(GET(vm, 0, 0, &got), 0);
	KTAP_EQ(got, a);
	KTAP_EQ(GET(vm, 0, 0, NULL), -EFAULT);
	KTAP_EQ(GET(vm, 0, 7, &got), -ENXIO);
	KTAP_EQ(armvmm_vgic_map_resources(vm), -ENXIO);
	KTAP_EQ(armvmm_vgic_set_addr(vm, 5, GICC_BASE), -ENODEV);
	KTAP_EQ(armvmm_vgic_set_addr(vm, KVM_VGIC_V2_ADDR_TYPE_CPU, 0x7fff000), 0);
	KTAP_EQ(armvmm_vgic_set_addr(vm, KVM_VGIC_V2_ADDR_TYPE_CPU, GICC_BASE), -EEXIST);
	KTAP_EQ(armvmm_vgic_map_resources(vm), -EINVAL);	/* they overlap */
	KTAP_EQ(fake_iobus_devs + fake_mapped, 0);
	KTAP_EQ(HAS(vm, 0, 0), 0);
	KTAP_EQ(HAS(vm, 0, 1), 0);
	KTAP_EQ(HAS(vm, 0, 2), -ENXIO);
	KTAP_EQ(HAS(vm, 9, 0), -ENXIO);
	fake_destroy(vm);

	vm = fake_create(1, 0, 4);
	KTAP_EQ(SET(vm, 0, 0, &a), -ENXIO);	/* no GIC created */
	KTAP_EQ(armvmm_vgic_set_addr(vm, 0, a), -ENODEV);
	KTAP_EQ(SET(vm, 4, 0, NULL), -ENODEV);
	KTAP_EQ(armvmm_vgic_map_resources(vm), 0);
	fake_destroy(vm);
}

static void test_map_resources(void)
{
	struct armvmm_vm *vm = attr_vm(1);

	armvmm_vgic_set_addr(vm, KVM_VGIC_V2_ADDR_TYPE_DIST, GICD_BASE);
	armvmm_vgic_set_addr(vm, KVM_VGIC_V2_ADDR_TYPE_CPU, (1ULL << 40) - 0x1000);
	KTAP_EQ(armvmm_vgic_map_resources(vm), -EINVAL);	/* ends beyond the IPA space */
	fake_destroy(vm);

	vm = attr_vm(1);
	armvmm_vgic_set_addr(vm, KVM_VGIC_V2_ADDR_TYPE_DIST, GICD_BASE);
	armvmm_vgic_set_addr(vm, KVM_VGIC_V2_ADDR_TYPE_CPU, GICD_BASE + 0x1000);
	fake_map_error = -ENOMEM;
	KTAP_EQ(armvmm_vgic_map_resources(vm), -ENOMEM);
	KTAP_EQ(fake_iobus_devs, 0);
	fake_map_error = 0;
	KTAP_EQ(fake_looks, 0);
	KTAP_EQ(armvmm_vgic_map_resources(vm), 0);	/* the next RUN tries again */
	KTAP_EQ(fake_looks, 1);
	KTAP_EQ(armvmm_vgic_map_resources(vm), 0);
	KTAP_EQ(fake_iobus_devs, 1);
	KTAP_EQ(fake_mapped, 1);
	fake_destroy(vm);
}

static void test_attr_nr_irqs(void)
{
	static const u32 bad[] = { 0, 32, 63, 65, 96 + 16, 1025, 1056, ~0u };
	struct armvmm_vm *vm = attr_vm(1);
	unsigned int i;
	u32 n = 1024;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		n = bad[i];
		KTAP_EQ(SET(vm, 3, 0, &n), -EINVAL);
	}
	KTAP_EQ(SET(vm, 3, 0, NULL), -EFAULT);
	n = 1024;
	KTAP_EQ(SET(vm, 3, 0, &n), 0);
	KTAP_EQ(SET(vm, 3, 0, &n), -EBUSY);
	n = 0;
	KTAP_EQ(GET(vm, 3, 0, &n), 0);
	KTAP_EQ(n, 1024);
	KTAP_EQ(HAS(vm, 3, 0), 0);
	fake_destroy(vm);

	vm = attr_vm(1);
	vm->created_vcpus++;	/* one is on its way */
	KTAP_EQ(SET(vm, 4, 0, NULL), -EBUSY);
	vm->created_vcpus--;
	KTAP_EQ(SET(vm, 4, 0, NULL), 0);
	KTAP_EQ(SET(vm, 4, 0, NULL), 0);
	KTAP_EQ(SET(vm, 4, 1, NULL), -ENXIO);
	KTAP_EQ(GET(vm, 4, 0, &n), -ENXIO);
	KTAP_EQ(HAS(vm, 4, 0), 0);
	KTAP_EQ(HAS(vm, 4, 1), -ENXIO);
	KTAP_EQ(GET(vm, 3, 0, &n), 0);
	KTAP_EQ(n, 256);
	n = 64;
	KTAP_EQ(SET(vm, 3, 0, &n), -EBUSY);
	fake_destroy(vm);
}

static void test_attr_errors(void)
{
	struct armvmm_vm *vm = attr_vm(2);
	u32 val = 0;

	KTAP_EQ(HAS(vm, 1, REG(2, 0)), -EINVAL);
	KTAP_EQ(HAS(vm, 1, REG(0, GICD_ISENABLER)), 0);	/* before init too */
	KTAP_EQ(GET(vm, 1, REG(2, 0), &val), -EINVAL);
	KTAP_EQ(GET(vm, 2, REG(255, 0), &val), -EINVAL);
	KTAP_TRUE(!vm->vgic.initialized);
	fake_busy = -EBUSY;
	KTAP_EQ(GET(vm, 1, REG(1, 0), &val), -EBUSY);
	fake_busy = 0;
	KTAP_TRUE(vm->vgic.initialized);	/* an access initializes, as in KVM */
	KTAP_EQ(armvmm_vgic_vcpu_create(vm->vcpus[0]), -EBUSY);
	KTAP_EQ(GET(vm, 1, REG(1, 0), &val), 0);
	KTAP_EQ(GET(vm, 1, REG(1, 0), NULL), -EFAULT);
	KTAP_EQ(SET(vm, 1, REG(1, 0), NULL), -EFAULT);
	KTAP_EQ(SET(vm, 2, REG(1, 0), NULL), -EFAULT);
	KTAP_EQ(GET(vm, 1, REG(1, 2), &val), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(1, 2)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(1, 0x40)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(1, GICD_ISENABLER + 32)), -ENXIO);	/* 256 interrupts */
	KTAP_EQ(HAS(vm, 1, REG(1, GICD_ISENABLER + 28)), 0);
	KTAP_EQ(HAS(vm, 1, REG(1, GICD_ICPIDR2)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(1, 0x1000)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(1, 0xfffffffc)), -ENXIO);
	KTAP_EQ(HAS(vm, 2, REG(1, GICC_PMR)), 0);
	KTAP_EQ(HAS(vm, 2, REG(1, 0x0c)), -ENXIO);	/* IAR has no state */
	KTAP_EQ(GET(vm, 2, REG(1, 0x0c), &val), -ENXIO);
	KTAP_EQ(SET(vm, 2, REG(1, 0x1000), &val), -ENXIO);
	KTAP_EQ(HAS(vm, 2, REG(1, GICC_APR0 + 0x10)), -ENXIO);
	fake_destroy(vm);
}

static void test_attr_cpu_regs(void)
{
	static const struct {
		u32 offset, write, read, vmcr;
	} regs[] = {
		{ GICC_CTLR, ~0u, 0x21f, 0x21f },
		{ GICC_PMR, ~0u, 0x1f, 0xf8000000 },	/* five bits, shifted: KVM's ABI */
		{ GICC_BPR, ~0u, 7, 7u << 21 },
		{ GICC_ABPR, ~0u, 7, 7u << 18 },
		{ GICC_APR0 + 4, ~0u, 0, 0 },
		{ GICC_IIDR, 0, 0x04b2043b, 0 },
	};
	struct armvmm_vm *vm = attr_vm(2);
	struct hyp_vgic *hv = &vm->vcpus[1]->hyp->vgic;
	unsigned int i;
	u32 val;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		hv->vmcr = 0;
		val = regs[i].write;
		KTAP_EQ(SET(vm, 2, REG(1, regs[i].offset), &val), 0);
		KTAP_EQ(hv->vmcr, regs[i].vmcr);
		val = 0x55555555;
		KTAP_EQ(GET(vm, 2, REG(1, regs[i].offset), &val), 0);
		KTAP_EQ(val, regs[i].read);
	}
	val = 0x80000001;
	KTAP_EQ(SET(vm, 2, REG(1, GICC_APR0), &val), 0);
	KTAP_EQ(hv->apr, 0x80000001);
	hv->vmcr = 0x12u << 27;
	KTAP_EQ(GET(vm, 2, REG(1, GICC_PMR), &val), 0);
	KTAP_EQ(val, 0x12);
	fake_destroy(vm);
}

/* All that was saved from one VM and written to another is there. */
static void test_attr_dist_regs(void)
{
	static const u32 offsets[] = {
		GICD_CTLR, GICD_IGROUPR + 4, GICD_ISENABLER, GICD_ISENABLER + 4, GICD_ISPENDR,
		GICD_ISPENDR + 4, GICD_ISACTIVER, GICD_ISACTIVER + 4, GICD_IPRIORITYR + 4,
		GICD_IPRIORITYR + 40, GICD_ITARGETSR + 40, GICD_ICFGR + 8, GICD_SPENDSGIR,
	};
	struct armvmm_vm *from = fake_create(2, 64, 4), *to;
	struct armvmm_vcpu *v = from->vcpus[1];
	u32 saved[ARRAY_SIZE(offsets)], iidr, val;
	unsigned int i;

	fake_irq_setup(v, 40, true, 0x38);
	fake_mmio_write(v, GICD_ITARGETSR + 40, 1, 2);
	fake_write32(v, GICD_IGROUPR + 4, 0x00ff0000);
	fake_write32(v, GICD_ISENABLER, 1u << 27);
	fake_write32(v, GICD_ISPENDR, 1u << 20);
	fake_write32(v, GICD_ISACTIVER, 1u << 3);
	fake_write32(v, GICD_ISACTIVER + 4, 1u << 9);
	fake_write32(v, GICD_IPRIORITYR + 4, 0x80706050);
	fake_write32(v, GICD_SPENDSGIR, 0x00030102);
	armvmm_vgic_inject(from, NULL, 40, true, NULL);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		KTAP_EQ(GET(from, 1, REG(1, offsets[i]), &saved[i]), 0);
	KTAP_EQ(GET(from, 1, REG(0, GICD_IIDR), &iidr), 0);
	fake_destroy(from);

	to = fake_create(2, 64, 4);
	/* A client that does not write IIDR does not know of groups. */
	val = ~0u;
	KTAP_EQ(SET(to, 1, REG(0, GICD_IGROUPR + 4), &val), 0);
	KTAP_EQ(GET(to, 1, REG(0, GICD_IGROUPR + 4), &val), 0);
	KTAP_EQ(val, 0);
	KTAP_EQ(SET(to, 1, REG(0, GICD_IIDR), &iidr), 0);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		KTAP_EQ(SET(to, 1, REG(1, offsets[i]), &saved[i]), 0);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		KTAP_EQ(GET(to, 1, REG(1, offsets[i]), &val), 0);
		KTAP_EQ(val, saved[i]);
	}
	KTAP_TRUE(armvmm_vgic_pending(to->vcpus[1]));
	fake_destroy(to);
}

/*
 * GICD_IIDR of a saved VM (IHI 0048B 4.3.3): KVM/arm's revisions 1 and 2, and revision 2 as armvmm
 * first had it. The guest still reads the same value.
 */
static void test_attr_iidr(void)
{
	static const u32 bad[] = {
		0, ~0u, 0x4b00043b,	/* KVM's revision 0: all interrupts read as group 1 */
		0x4b00343b, 0x4b01043b, 0x4b02243b, 0x4c00243b, 0x4b00243a, 0x4b02043a,
	};
	static const struct {
		u32 iidr;
		bool groups;
	} good[] = {
		{ 0x4b00143b, false }, { 0x4b00243b, true }, { 0x4b02043b, true },
	};
	struct armvmm_vm *vm = fake_create(2, 64, 4);
	u32 val;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		val = bad[i];
		KTAP_EQ(SET(vm, 1, REG(0, GICD_IIDR), &val), -EINVAL);
		KTAP_EQ(fake_read32(vm->vcpus[1], GICD_IIDR), 0x4b00243b);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		val = good[i].iidr;
		KTAP_EQ(SET(vm, 1, REG(1, GICD_IIDR), &val), 0);
		KTAP_EQ(GET(vm, 1, REG(0, GICD_IIDR), &val), 0);
		KTAP_EQ(val, good[i].iidr);
		KTAP_EQ(fake_read32(vm->vcpus[1], GICD_IIDR), good[i].iidr);
		fake_write32(vm->vcpus[1], GICD_IIDR, 0);	/* read-only to the guest */
		KTAP_EQ(fake_read32(vm->vcpus[1], GICD_IIDR), good[i].iidr);
		fake_write32(vm->vcpus[0], GICD_IGROUPR + 4, 0);
		val = 0x55;
		KTAP_EQ(SET(vm, 1, REG(0, GICD_IGROUPR + 4), &val), 0);
		KTAP_EQ(fake_read32(vm->vcpus[0], GICD_IGROUPR + 4), good[i].groups ? 0x55 : 0);
	}
	fake_destroy(vm);
}

/* Each index that a guest or a client chooses is also bounded against speculation. */
static void test_nospec(void)
{
	struct armvmm_vm *vm = fake_create(2, 64, 4);
	u32 val;

	fake_nospec = 0;
	fake_read32(vm->vcpus[0], GICD_TYPER);
	KTAP_EQ(fake_nospec, 2);	/* the offset, and where its registers begin */
	fake_nospec = 0;
	fake_read32(vm->vcpus[0], GICD_ICPIDR2);
	KTAP_EQ(fake_nospec, 3);	/* and the table of the ids */
	fake_nospec = 0;
	fake_read32(vm->vcpus[0], GICD_ISENABLER + 4);
	KTAP_EQ(fake_nospec, 3);	/* and the interrupt */
	fake_nospec = 0;
	KTAP_EQ(GET(vm, 2, REG(1, GICC_PMR), &val), 0);
	KTAP_EQ(fake_nospec, 1);	/* the vCPU */
	fake_destroy(vm);
}

static void test_create_errors(void)
{
	struct armvmm_vm *vm = fake_create(1, 0, 4);

	mutex_lock(&vm->lock);
	fake_busy = -EBUSY;
	KTAP_EQ(armvmm_vgic_create(vm), -EBUSY);
	fake_busy = 0;
	fake_has_run = true;
	KTAP_EQ(armvmm_vgic_create(vm), -EBUSY);
	fake_has_run = false;
	armvmm_vgic_host.gich = NULL;
	KTAP_EQ(armvmm_vgic_create(vm), -ENODEV);
	KTAP_TRUE(!armvmm_vgic_in_kernel(&vm->vgic));
	mutex_unlock(&vm->lock);
	KTAP_EQ(armvmm_vgic_inject(vm, vm->vcpus[0], 27, true, NULL), -EINVAL);
	KTAP_EQ(armvmm_vgic_set_owner(vm->vcpus[0], 27, vm), -EAGAIN);
	fake_destroy(vm);
}

static void test_owner(void)
{
	struct armvmm_vm *vm = fake_create(2, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	int timer, other;

	KTAP_EQ(armvmm_vgic_set_owner(v, 3, &timer), -EINVAL);
	KTAP_EQ(armvmm_vgic_set_owner(v, 64, &timer), -EINVAL);
	KTAP_EQ(armvmm_vgic_set_owner(v, 27, &timer), 0);
	KTAP_EQ(armvmm_vgic_set_owner(v, 27, &timer), 0);
	KTAP_EQ(armvmm_vgic_set_owner(v, 27, &other), -EEXIST);
	KTAP_EQ(armvmm_vgic_inject(vm, v, 27, true, NULL), 0);
	KTAP_EQ(armvmm_vgic_inject(vm, v, 27, true, &other), 0);
	KTAP_EQ(fake_read32(v, GICD_ISPENDR), 0);	/* without effect */
	KTAP_EQ(armvmm_vgic_inject(vm, v, 27, true, &timer), 0);
	KTAP_EQ(fake_read32(v, GICD_ISPENDR), 1u << 27);
	KTAP_EQ(armvmm_vgic_inject(vm, v, 64, true, NULL), -EINVAL);
	KTAP_EQ(armvmm_vgic_inject(vm, NULL, 27, true, NULL), -EINVAL);
	KTAP_EQ(armvmm_vgic_inject(vm, v, 5, true, NULL), -EINVAL);
	fake_destroy(vm);
}

/* The state of a saved VM besides the registers: reads, writes, and every refusal. */
static void test_attr_state(void)
{
	const u64 latch = ARMVMM_GICD_LATCH, sgi = ARMVMM_GICD_SGI_ACTIVE;
	struct armvmm_vm *vm = attr_vm(2);
	static const char timer;
	u32 val;

	KTAP_EQ(SET(vm, 4, 0, NULL), 0);
	KTAP_EQ(HAS(vm, 1, REG(0, latch)), 0);
	KTAP_EQ(HAS(vm, 1, REG(0, latch + 0x1c)), 0);
	KTAP_EQ(HAS(vm, 1, REG(0, latch + 0x20)), -ENXIO);	/* no such interrupts */
	KTAP_EQ(HAS(vm, 1, REG(0, latch + 0x80)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(0, latch + 2)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(1, sgi + 12)), 0);
	KTAP_EQ(HAS(vm, 1, REG(0, sgi + 16)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(2, sgi)), -EINVAL);
	KTAP_EQ(GET(vm, 1, REG(0, latch + 0x20), &val), -ENXIO);
	KTAP_EQ(SET(vm, 1, REG(0, sgi + 16), &val), -ENXIO);
	KTAP_EQ(SET(vm, 1, REG(0, latch), NULL), -EFAULT);

	/* A line that is high is pending, but not by itself. */
	KTAP_EQ(armvmm_vgic_set_owner(vm->vcpus[0], 27, &timer), 0);
	KTAP_EQ(armvmm_vgic_inject(vm, vm->vcpus[0], 27, true, &timer), 0);
	KTAP_EQ(armvmm_vgic_inject(vm, NULL, 40, true, NULL), 0);
	fake_write32(vm->vcpus[0], GICD_ISPENDR + 4, 1 << 9);
	KTAP_EQ(GET(vm, 1, REG(0, latch), &val), 0);
	KTAP_EQ(val, 0);
	KTAP_EQ(GET(vm, 1, REG(0, latch + 4), &val), 0);
	KTAP_EQ(val, 1 << 9);
	KTAP_EQ(fake_read32(vm->vcpus[0], GICD_ISPENDR + 4), 3 << 8);
	/* After a write it is the same: bits are set and cleared. SGIs are not in it. */
	val = 1 << 8;
	KTAP_EQ(SET(vm, 1, REG(0, latch + 4), &val), 0);
	KTAP_EQ(fake_read32(vm->vcpus[0], GICD_ISPENDR + 4), 1 << 8);
	KTAP_EQ(armvmm_vgic_inject(vm, NULL, 40, false, NULL), 0);
	KTAP_EQ(fake_read32(vm->vcpus[0], GICD_ISPENDR + 4), 1 << 8);
	val = 0xffff | 1 << 20;
	KTAP_EQ(SET(vm, 1, REG(1, latch), &val), 0);
	KTAP_EQ(GET(vm, 1, REG(1, latch), &val), 0);
	KTAP_EQ(val, 1 << 20);
	KTAP_EQ(fake_read32(vm->vcpus[1], GICD_ISPENDR), 1 << 20);

	/* Whose request is active: GICD_ISACTIVER assumes the vCPU's own. */
	val = 1 << 5;
	KTAP_EQ(SET(vm, 1, REG(1, GICD_ISACTIVER), &val), 0);
	KTAP_EQ(GET(vm, 1, REG(1, sgi + 4), &val), 0);
	KTAP_EQ(val, 1 << 8);
	val = 0;
	KTAP_EQ(SET(vm, 1, REG(1, sgi + 4), &val), 0);
	KTAP_EQ(GET(vm, 1, REG(1, sgi + 4), &val), 0);
	KTAP_EQ(val, 0);
	/* A list register has only three bits. */
	val = 0xffffffff;
	KTAP_EQ(SET(vm, 1, REG(1, sgi), &val), 0);
	KTAP_EQ(GET(vm, 1, REG(1, sgi), &val), 0);
	KTAP_EQ(val, 0x07070707);
	/* The guest finds nothing there. */
	fake_write32(vm->vcpus[1], sgi, 0);
	KTAP_EQ(fake_read32(vm->vcpus[1], sgi), 0);
	fake_write32(vm->vcpus[1], latch, ~0u);
	KTAP_EQ(fake_read32(vm->vcpus[1], latch), 0);
	KTAP_EQ(fake_read32(vm->vcpus[1], GICD_ISPENDR), 1 << 20);
	fake_destroy(vm);
}

/* The vCPU that holds an active SPI, whatever its target. */
static void test_attr_holder(void)
{
	const u64 holder = ARMVMM_GICD_HOLDER;
	struct armvmm_vm *vm = attr_vm(2);
	u32 val;

	KTAP_EQ(SET(vm, 4, 0, NULL), 0);
	KTAP_EQ(HAS(vm, 1, REG(0, holder)), -ENXIO);	/* private: nobody else's */
	KTAP_EQ(HAS(vm, 1, REG(1, holder + 4)), 0);
	KTAP_EQ(HAS(vm, 1, REG(0, holder + 0x20)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(0, holder + 0x80)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(0, holder + 6)), -ENXIO);
	KTAP_EQ(HAS(vm, 1, REG(2, holder + 4)), -EINVAL);

	fake_write32(vm->vcpus[0], GICD_ITARGETSR + 40, 0x02020102);	/* 41 is vCPU 0's */
	val = 3 << 8;
	KTAP_EQ(SET(vm, 1, REG(0, GICD_ISACTIVER + 4), &val), 0);
	KTAP_EQ(GET(vm, 1, REG(0, holder + 4), &val), 0);
	KTAP_EQ(val, 2 << 8);
	KTAP_EQ(GET(vm, 1, REG(1, holder + 4), &val), 0);
	KTAP_EQ(val, 1 << 8);
	/* One moves; one is not active; clear bits have no effect. */
	val = 5 << 8;
	KTAP_EQ(SET(vm, 1, REG(0, holder + 4), &val), 0);
	KTAP_EQ(GET(vm, 1, REG(0, holder + 4), &val), 0);
	KTAP_EQ(val, 3 << 8);
	KTAP_EQ(GET(vm, 1, REG(1, holder + 4), &val), 0);
	KTAP_EQ(val, 0);
	/* If it becomes active again later, its target holds it. */
	val = 1 << 8;
	KTAP_EQ(SET(vm, 1, REG(0, GICD_ICACTIVER + 4), &val), 0);
	armvmm_vgic_flush(vm->vcpus[0]);
	armvmm_vgic_sync(vm->vcpus[0]);
	KTAP_EQ(SET(vm, 1, REG(0, GICD_ISACTIVER + 4), &val), 0);
	KTAP_EQ(GET(vm, 1, REG(1, holder + 4), &val), 0);
	KTAP_EQ(val, 1 << 8);
	/* The last INTIDs are not interrupts. */
	val = ~0u;
	KTAP_EQ(SET(vm, 1, REG(0, holder + 0x1c), &val), 0);
	fake_destroy(vm);
}

KTAP_MAIN(KTAP_CASE(test_attr_holder), KTAP_CASE(test_attr_state), KTAP_CASE(test_reset_values),
	  KTAP_CASE(test_widths_64), KTAP_CASE(test_widths_1024),
	  KTAP_CASE(test_byte_and_word), KTAP_CASE(test_bit_registers),
	  KTAP_CASE(test_special_intids), KTAP_CASE(test_sgir_filters),
	  KTAP_CASE(test_sgi_pending_bytes), KTAP_CASE(test_attr_addr),
	  KTAP_CASE(test_map_resources), KTAP_CASE(test_attr_nr_irqs),
	  KTAP_CASE(test_attr_errors), KTAP_CASE(test_attr_cpu_regs),
	  KTAP_CASE(test_attr_dist_regs), KTAP_CASE(test_attr_iidr), KTAP_CASE(test_nospec),
	  KTAP_CASE(test_create_errors), KTAP_CASE(test_owner))
