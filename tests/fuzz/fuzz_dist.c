// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/ap.c
// sources: driver/hyp/dist.c
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver -I. -Itests/unit
// cflags: -DFAKE_HYP
/*
 * The distributor under guests that write anything anywhere, in any width, while interrupts are
 * injected and taken (docs/hazards.md 4 and 15), in HYP mode or by the host.
 */
#include "vgic_fuzz.h"

enum act { ACT_READ, ACT_WRITE, ACT_INJECT, ACT_ENTER, ACT_EXIT, ACT_ACK, ACT_EOI, ACT_PENDING,
	   ACT_NR };

static void act(struct armvmm_vm *vm, struct fuzz *f)
{
	u8 what = fuzz_u8(f);
	struct armvmm_vcpu *vcpu = vm->vcpus[(what >> 4) % (unsigned int)vm->online_vcpus];
	static const u8 lens[] = { 1, 2, 4, 8 };
	unsigned int len;
	u64 val = 0;
	u32 offset;

	switch (what % ACT_NR) {
	case ACT_READ:
		offset = fuzz_u16(f);
		fake_hyp = offset >> 14 & 1;
		len = lens[offset >> 12 & 3];
		val = fake_mmio_read(vcpu, offset & 0xfff, len);
		FUZZ_MUST(len == 8 || val >> 8 * len == 0);
		break;
	case ACT_WRITE:
		offset = fuzz_u16(f);
		fake_hyp = offset >> 14 & 1;
		len = lens[offset >> 12 & 3];
		fuzz_bytes(f, &val, len);
		fake_mmio_write(vcpu, offset & 0xfff, len, val);
		break;
	case ACT_INJECT:
		offset = fuzz_u16(f);
		/* The number of an SGI, or of no interrupt, is refused. */
		if (armvmm_vgic_inject(vm, vcpu, offset & 0x7ff, offset >> 15, NULL))
			FUZZ_MUST((offset & 0x7ff) < GIC_NR_SGIS ||
				  (offset & 0x7ff) >= vm->vgic.nr_spis + GIC_NR_PRIVATE);
		break;
	case ACT_ENTER:
		if (!fake_cpus[vcpu->index].in_guest)
			fake_enter(vcpu);
		break;
	case ACT_EXIT:
		fake_exit(vcpu);
		break;
	case ACT_ACK:
		if (fake_cpus[vcpu->index].in_guest)
			fake_ack(vcpu);
		break;
	case ACT_EOI:
		if (fake_cpus[vcpu->index].in_guest && fake_cpus[vcpu->index].apr)
			fake_eoi(vcpu, fake_active_iar(&fake_cpus[vcpu->index]));
		break;
	case ACT_PENDING:
		fake_exit(vcpu);
		armvmm_vgic_pending(vcpu);
		break;
	}
	vgic_fuzz_check(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	u8 shape = fuzz_u8(&f);
	struct armvmm_vm *vm = fake_create(1 + shape % ARMVMM_MAX_VCPUS,
					   64 + 32 * (shape >> 3 & 7), 1 + (shape >> 6));

	while (f.len)
		act(vm, &f);
	vgic_fuzz_end(vm);
	return 0;
}
