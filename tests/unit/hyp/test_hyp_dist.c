// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/ap.c
// sources: driver/hyp/dist.c
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -I. -Idriver -Itests/unit
// cflags: -DFAKE_HYP
/*
 * The distributor in HYP mode: which accesses it answers by their syndrome, and that it reads what
 * the host reads, at every offset. test_vgic_model has what guests do with interrupts.
 */
#include "ktap.h"
#include "vgic_fake.h"

#define SAS_WORD	(2u << 22)
#define SAS_HALF	(1u << 22)
#define SAS_DOUBLE	(3u << 22)
#define READ_WORD	((u32)HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_ISV |	\
			 HSR_FSC_TRANSLATION | 3 | SAS_WORD)
#define RT(n)		((u32)(n) << 16)
#define MARK		0x5a5a5a5aul

static struct hyp_cpu cpu;
static u32 gich[0x200 / 4];

static struct armvmm_vcpu *guest_of(unsigned int nr_vcpus)
{
	struct armvmm_vm *vm = fake_create(nr_vcpus, 64, 4);

	fake_hyp = false;
	fake_write32(vm->vcpus[0], GICD_CTLR, 1);
	memset(gich, 0, sizeof(gich));
	memset(&cpu, 0, sizeof(cpu));
	cpu.gich = gich;
	fake_enter(vm->vcpus[0]);
	return vm->vcpus[0];
}

static u32 trap(struct armvmm_vcpu *vcpu, u32 hsr, u32 spsr, u32 offset)
{
	unsigned int i;

	for (i = 0; i < 15; i++)
		vcpu->hyp->regs.usr_regs.uregs[i] = MARK;
	fake_spsr = spsr;
	fake_hdfar = offset;
	fake_elr = 0;
	return hyp_dist_trap(&cpu, vcpu->hyp, hsr);
}

static const struct form {
	u32 hsr, spsr, offset;
	bool answered;
	const char *what;
} forms[] = {
	{ READ_WORD, CPSR_M_SVC, GICD_IIDR, true, "a word" },
	{ READ_WORD | RT(7), CPSR_M_FIQ, GICD_IIDR, true, "r7 in FIQ mode" },
	{ READ_WORD | RT(8), CPSR_M_SVC, GICD_IIDR, true, "r8" },
	{ READ_WORD | RT(12), CPSR_M_IRQ, GICD_IIDR, true, "r12" },
	{ READ_WORD | RT(12), CPSR_M_USR, GICD_IIDR, true, "in user mode" },
	{ READ_WORD | RT(8), CPSR_M_FIQ, GICD_IIDR, false, "FIQ mode's r8" },
	{ READ_WORD | RT(12), CPSR_M_FIQ, GICD_IIDR, false, "FIQ mode's r12" },
	{ READ_WORD | RT(13), CPSR_M_SVC, GICD_IIDR, false, "SP" },
	{ READ_WORD | RT(14), CPSR_M_SVC, GICD_IIDR, false, "LR" },
	{ READ_WORD | RT(15), CPSR_M_SVC, GICD_IIDR, false, "the PC" },
	{ READ_WORD, CPSR_M_SVC | CPSR_E, GICD_IIDR, false, "big-endian" },
	{ READ_WORD | RT(8), CPSR_M_SVC | CPSR_E, GICD_IIDR, false, "big-endian, r8" },
	{ READ_WORD, CPSR_M_SVC | CPSR_T, GICD_IIDR, true, "T32" },
	{ READ_WORD & ~HSR_IL, CPSR_M_SVC | CPSR_T, GICD_IIDR, true, "T32 of 16 bits" },
	{ READ_WORD, CPSR_M_SVC | CPSR_T | 1u << 10, GICD_IIDR, false, "in an IT block" },
	{ READ_WORD, CPSR_M_SVC | CPSR_T | 1u << 26, GICD_IIDR, false, "near its end" },
	{ READ_WORD & ~HSR_DABT_ISV, CPSR_M_SVC, GICD_IIDR, false, "no syndrome" },
	{ READ_WORD | HSR_DABT_SSE, CPSR_M_SVC, GICD_IIDR, false, "sign-extended" },
	{ READ_WORD | HSR_DABT_CM, CPSR_M_SVC, GICD_IIDR, false, "cache maintenance" },
	{ READ_WORD | HSR_ABT_S1PTW, CPSR_M_SVC, GICD_IIDR, false, "a walk" },
	{ (READ_WORD & ~HSR_ABT_FSC) | HSR_FSC_PERMISSION | 3, CPSR_M_SVC, GICD_IIDR, false,
	  "a fault of permission, which HPFAR does not name" },
	{ (READ_WORD & ~HSR_ABT_FSC) | 0x10, CPSR_M_SVC, GICD_IIDR, false, "an external abort" },
	{ (READ_WORD & ~SAS_DOUBLE) | SAS_HALF, CPSR_M_SVC, GICD_IIDR, false, "a halfword" },
	{ READ_WORD | SAS_DOUBLE, CPSR_M_SVC, GICD_IIDR, false, "a size that there is not" },
	{ READ_WORD & ~SAS_DOUBLE, CPSR_M_SVC, GICD_IIDR, false, "a byte of a word" },
	{ READ_WORD & ~SAS_DOUBLE, CPSR_M_SVC, GICD_IPRIORITYR + 5, true, "a byte of a priority" },
	{ READ_WORD, CPSR_M_SVC, GICD_IIDR + 1, false, "a word that is not aligned" },
	{ READ_WORD, CPSR_M_SVC, GICD_ISENABLER + 2, false, "one of bits" },
	{ READ_WORD | HSR_DABT_WNR, CPSR_M_SVC, GICD_ICENABLER, true, "a word that is written" },
	{ READ_WORD | HSR_DABT_WNR, CPSR_M_SVC | CPSR_T, GICD_ICPENDR, true, "by T32" },
};

static void test_forms(void)
{
	struct armvmm_vcpu *vcpu = guest_of(1);
	unsigned int i, r, rt;
	u32 ret;

	/* No interrupt is enabled whose bit MARK has, and SGIs' pending bits are read-only. */
	fake_exit(vcpu);
	fake_write32(vcpu, GICD_ICENABLER, ~0u);
	fake_enter(vcpu);
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];
		bool write = f->hsr & HSR_DABT_WNR;

		ret = trap(vcpu, f->hsr, f->spsr, f->offset);
		if (ret != (f->answered && f->offset != GICD_ICPENDR ? (u32)HYP_RESUME :
							HYP_EXIT_TRAP))
			KTAP_FAIL("%s: %d", f->what, (int)ret);
		KTAP_EQ(fake_elr, ret != HYP_EXIT_TRAP);
		rt = HSR_DABT_SRT(f->hsr);
		for (r = 0; r < 15; r++)
			if ((vcpu->hyp->regs.usr_regs.uregs[r] != MARK) !=
			    (f->answered && !write && r == rt))
				KTAP_FAIL("%s: r%u", f->what, r);
	}
	/* The erratum is one of stores. */
	vcpu->hyp->vpidr = 0x410fc0f4;
	KTAP_EQ(trap(vcpu, READ_WORD, CPSR_M_SVC | CPSR_T, GICD_IIDR), (u32)HYP_RESUME);
	KTAP_EQ(trap(vcpu, READ_WORD | HSR_DABT_WNR, CPSR_M_SVC | CPSR_T, GICD_ICENABLER),
		HYP_EXIT_TRAP);
	KTAP_EQ(trap(vcpu, READ_WORD | HSR_DABT_WNR, CPSR_M_SVC, GICD_ICENABLER), (u32)HYP_RESUME);
	vcpu->hyp->debug.mode = HYP_DEBUG_LOAD;
	KTAP_EQ(trap(vcpu, READ_WORD, CPSR_M_SVC, GICD_IIDR), HYP_EXIT_TRAP);
	fake_exit(vcpu);
	fake_destroy(vcpu->vm);
}

/* Each register and each byte of those that have any, in a VM whose interrupts all differ. */
static void test_reads(void)
{
	struct armvmm_vcpu *vcpu = guest_of(3);
	unsigned int offset, len, answered = 0, i;
	u64 val, host;

	fake_exit(vcpu);
	for (i = 0; i < 64; i++) {
		fake_mmio_write(vcpu, GICD_IPRIORITYR + i, 1, i * 37 % 0xf8);
		fake_mmio_write(vcpu, GICD_ITARGETSR + i, 1, 1 + i % 7);
		armvmm_vgic_inject(vcpu->vm, vcpu, i, i % 3 == 1, NULL);
	}
	fake_write32(vcpu, GICD_ICENABLER, 0x1234);
	fake_write32(vcpu, GICD_ISENABLER + 4, 0x10001000);
	fake_write32(vcpu, GICD_ICFGR + 8, 0x20882a0a);
	fake_write32(vcpu, GICD_IGROUPR, 0x87654321);
	fake_write32(vcpu, GICD_IGROUPR + 4, 0x13579bdf);
	fake_write32(vcpu, GICD_ISPENDR + 4, 0x00f000f0);
	fake_write32(vcpu, GICD_ICENABLER + 4, ~0u);
	for (offset = 0; offset < GICD_SIZE; offset++) {
		for (len = 1; len <= 4; len += 3) {
			if (offset % len)
				continue;
			fake_enter(vcpu);
			fake_hyp = true;
			if (fake_hyp_access(vcpu, offset, len, false, &val)) {
				fake_hyp = false;
				fake_exit(vcpu);
				host = fake_mmio_read(vcpu, offset, len);
				if (val != host)
					KTAP_FAIL("%03x, %u bytes: %llx, not %llx", offset, len,
						  (unsigned long long)val,
						  (unsigned long long)host);
				answered++;
			}
			fake_hyp = false;
			fake_exit(vcpu);
		}
	}
	/*
	 * 4 words of constants, 64 of enable bits, of each other kind of bits one or two, and what
	 * 64 interrupts have of bytes, words and configuration.
	 */
	KTAP_EQ(answered, 4 + 64 + 2 + 8 + 2 * (64 + 16) + 4);
	fake_destroy(vcpu->vm);
}

#define WRITE(offset, len, v, is_answered)						\
	do {										\
		val = (v);								\
		KTAP_EQ(fake_hyp_access(vcpu, (offset), (len), true, &val), (is_answered)); \
	} while (0)
#define READS(offset, v)								\
	do {										\
		KTAP_TRUE(fake_hyp_access(vcpu, (offset), 4, false, &val));		\
		KTAP_EQ(val, (v));							\
	} while (0)

/* A write that changes several interrupts is the host's; nothing is changed, not even one. */
static void test_one_at_a_time(void)
{
	struct armvmm_vcpu *vcpu = guest_of(2);
	u64 val;

	fake_hyp = true;
	WRITE(GICD_IPRIORITYR + 40, 4, 0x40000000, true);
	READS(GICD_IPRIORITYR + 40, 0x40000000);
	WRITE(GICD_IPRIORITYR + 40, 4, 0x40500060, false);
	READS(GICD_IPRIORITYR + 40, 0x40000000);
	WRITE(GICD_IPRIORITYR + 40, 4, 0x43000007, true);	/* bits that priorities have not */
	WRITE(GICD_ITARGETSR + 40, 4, 0x02000000, true);
	WRITE(GICD_ITARGETSR + 40, 4, 0x02000201, false);
	READS(GICD_ITARGETSR + 40, 0x02000000);
	KTAP_TRUE(fake_irq(vcpu, 43)->target == vcpu->vm->vcpus[1]);
	WRITE(GICD_ITARGETSR + 43, 1, 0, true);
	KTAP_TRUE(fake_irq(vcpu, 43)->target == vcpu);
	WRITE(GICD_ITARGETSR + 4, 4, ~0u, true);
	READS(GICD_ITARGETSR + 4, 0x01010101);
	WRITE(GICD_ISENABLER + 4, 4, 0x300, false);
	READS(GICD_ISENABLER + 4, 0);
	WRITE(GICD_ISENABLER + 4, 4, 0x100, true);
	WRITE(GICD_ISENABLER + 4, 4, 0x300, true);	/* one of them is enabled */
	READS(GICD_ICENABLER + 4, 0x300);
	WRITE(GICD_ISPENDR + 4, 4, 0x400, true);	/* disabled */
	READS(GICD_ISPENDR + 4, 0x400);
	WRITE(GICD_ISPENDR + 4, 4, 0x100, false);
	WRITE(GICD_ISENABLER + 4, 4, 0x400, false);
	WRITE(GICD_ICPENDR + 4, 4, 0x400, true);
	WRITE(GICD_ISENABLER + 4, 4, 0x400, true);
	WRITE(GICD_ISPENDR, 4, 0xffff, true);		/* SGIs' bits are read-only */
	/* Of active states none is changed here. */
	WRITE(GICD_ISACTIVER + 4, 4, 0x400, false);
	WRITE(GICD_ICACTIVER + 4, 4, ~0u, true);
	WRITE(GICD_ICACTIVER, 4, ~0u, true);
	WRITE(GICD_ISACTIVER, 4, 1u << 20, false);
	WRITE(GICD_CTLR, 4, 0, false);
	/* As if no list register had room for them. */
	fake_irq(vcpu, 20)->active = fake_irq(vcpu, 52)->active = true;
	WRITE(GICD_ISACTIVER, 4, 1u << 20, true);
	WRITE(GICD_ISACTIVER + 4, 4, 3u << 20, false);
	WRITE(GICD_ICACTIVER, 4, ~(1u << 20), true);
	WRITE(GICD_ICACTIVER + 4, 4, 1u << 20, false);
	READS(GICD_ISACTIVER, 1u << 20);
	READS(GICD_ISACTIVER + 4, 1u << 20);
	fake_irq(vcpu, 20)->active = fake_irq(vcpu, 52)->active = false;
	/* What a list register shows may be active there. */
	fake_irq(vcpu, 20)->in_lr = fake_irq(vcpu, 52)->in_lr = true;
	WRITE(GICD_ICACTIVER, 4, 1, false);
	WRITE(GICD_ICACTIVER + 4, 4, 1, false);
	WRITE(GICD_ICACTIVER, 4, 0, true);
	fake_irq(vcpu, 20)->in_lr = fake_irq(vcpu, 52)->in_lr = false;
	/* What a device in the kernel drives is looked at by the host. */
	fake_hyp = false;
	fake_exit(vcpu);
	fake_irq(vcpu, 27)->get_level = (void *)1;
	fake_enter(vcpu);
	fake_hyp = true;
	WRITE(GICD_ISENABLER, 4, 1u << 27, false);
	WRITE(GICD_ISPENDR, 4, 1u << 27, false);
	fake_hyp = false;
	fake_exit(vcpu);
	fake_destroy(vcpu->vm);
}

/*
 * What the guest took just before may be disabled and enabled with no exit: the list register tells
 * so once the guest's read of GICV_IAR is complete. Not what is about to be taken.
 */
static void test_taken(void)
{
	struct armvmm_vcpu *vcpu = guest_of(1);
	u64 val;

	fake_irq_setup(vcpu, 40, false, 0x80);
	armvmm_vgic_inject(vcpu->vm, vcpu, 40, true, NULL);
	fake_enter(vcpu);
	fake_hyp = true;
	WRITE(GICD_ICENABLER + 4, 4, 0x100, false);
	KTAP_EQ(fake_ack(vcpu), 40);
	WRITE(GICD_ICENABLER + 4, 4, 0x100, true);
	READS(GICD_ISENABLER + 4, 0);
	KTAP_TRUE(!fake_irq(vcpu, 40)->enabled);
	fake_hyp = false;
	fake_exit(vcpu);
	fake_destroy(vcpu->vm);
}

static bool sgi_to_self(struct armvmm_vcpu *vcpu, unsigned int intid)
{
	u64 val = 2u << 24 | intid;
	bool answered;

	fake_hyp = true;
	answered = fake_hyp_access(vcpu, GICD_SGIR, 4, true, &val);
	fake_hyp = false;
	return answered;
}

/*
 * SGIs to itself have what list registers are left. None is where an interrupt waits for one, or
 * behind an SGI that waits for its next source (EOImode 1 lets others come before its end).
 */
static void test_list_registers(void)
{
	struct armvmm_vcpu *vcpu = guest_of(2);
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	unsigned int i;

	for (i = 0; i < 4; i++)
		KTAP_TRUE(sgi_to_self(vcpu, i));
	KTAP_EQ(hv->used_lrs, 4);
	KTAP_EQ(hv->own, 4);
	KTAP_TRUE(!sgi_to_self(vcpu, 4));
	/* Those that are shown are pending already. Taken, they become pending again. */
	KTAP_TRUE(sgi_to_self(vcpu, 2));
	KTAP_EQ(fake_ack(vcpu), 0);
	KTAP_TRUE(sgi_to_self(vcpu, 0));
	KTAP_EQ(fake_cpus[0].lr[0] & GICH_LR_STATE, GICH_LR_STATE);
	KTAP_TRUE(fake_eoi(vcpu, 0));
	KTAP_EQ(fake_ack(vcpu), 0);
	KTAP_TRUE(fake_eoi(vcpu, 0));
	KTAP_TRUE(sgi_to_self(vcpu, 0));
	KTAP_EQ(hv->own, 4);
	/* All are there after the exit, and once. */
	fake_exit(vcpu);
	KTAP_EQ(hv->own, 0);
	KTAP_EQ(vgic_ap_nr(vcpu->vgic.ap), 4);
	fake_mmio_write(vcpu, GICD_SPENDSGIR + 4, 1, 1);
	fake_enter(vcpu);
	KTAP_TRUE(!sgi_to_self(vcpu, 0));
	fake_exit(vcpu);
	fake_write32(vcpu, GICD_CPENDSGIR, ~0u);
	fake_write32(vcpu, GICD_CPENDSGIR + 4, ~0u);

	/* One from each vCPU: the second is shown when the first has ended. */
	fake_mmio_write(vcpu, GICD_SPENDSGIR + 1, 1, 3);
	fake_enter(vcpu);
	KTAP_EQ(hv->used_lrs, 1);
	KTAP_TRUE(!sgi_to_self(vcpu, 1));
	KTAP_TRUE(!sgi_to_self(vcpu, 2));
	fake_exit(vcpu);
	fake_mmio_write(vcpu, GICD_CPENDSGIR + 1, 1, 1);
	fake_enter(vcpu);
	KTAP_TRUE(sgi_to_self(vcpu, 2));
	/* Another vCPU's is pending: it is not merged with this one's. */
	KTAP_TRUE(!sgi_to_self(vcpu, 1));
	fake_exit(vcpu);
	fake_write32(vcpu, GICD_CPENDSGIR, ~0u);

	/* Its own is active, and another vCPU's comes with its end: so does one more. */
	fake_enter(vcpu);
	KTAP_TRUE(sgi_to_self(vcpu, 3));
	KTAP_EQ(fake_ack(vcpu), 3);
	fake_mmio_write(vcpu, GICD_SPENDSGIR + 3, 1, 2);
	fake_mmio_write(vcpu, GICD_SPENDSGIR + 2, 1, 1);
	fake_enter(vcpu);
	KTAP_TRUE(!hv->full);
	KTAP_TRUE(!sgi_to_self(vcpu, 3));
	fake_exit(vcpu);
	fake_destroy(vcpu->vm);
}

static void send(struct armvmm_vcpu *from, u32 sgir)
{
	u64 val = sgir;

	fake_enter(from);
	fake_hyp = true;
	KTAP_TRUE(fake_hyp_access(from, GICD_SGIR, 4, true, &val));
	fake_hyp = false;
	fake_exit(from);
}

/* HYP mode answers for no page over which there is a slot, or a client is about to put one. */
static void test_hidden(void)
{
	struct armvmm_vm *vm = guest_of(2)->vm;
	struct armvmm_vgic *vgic = &vm->vgic;
	u64 base = 0x8000000;
	const u32 *page = &vm->vcpus[1]->hyp->dist.page, on = base >> 8 | HYP_DIST_ON;
	bool hide;

	fake_exit(vm->vcpus[0]);
	vgic->dist_base = base;
	/* The first RUN comes while the slot is on its way. */
	hide = armvmm_vgic_slots_change(vm, base, 0x1000);
	vgic->in_hyp = true;
	armvmm_vgic_slots_changed(vm, armvmm_vgic_slots_change(vm, 0, 0x1000));
	KTAP_EQ(*page, HYP_DIST_OFF);
	armvmm_vgic_slots_changed(vm, hide);
	KTAP_EQ(*page, on);
	/* Beside it, and at its end */
	KTAP_TRUE(!armvmm_vgic_slots_change(vm, base + 0x1000, 0x1000));
	KTAP_TRUE(!armvmm_vgic_slots_change(vm, base - 0x1000, 0x1000));
	armvmm_vgic_slots_changed(vm, false);
	KTAP_EQ(*page, on);
	hide = armvmm_vgic_slots_change(vm, base - 0x1000, 0x2000);
	KTAP_TRUE(hide);
	KTAP_EQ(*page, HYP_DIST_OFF);
	/* Another client's change meanwhile, elsewhere and there, which fails */
	armvmm_vgic_slots_changed(vm, armvmm_vgic_slots_change(vm, 0, 0x1000));
	KTAP_EQ(*page, HYP_DIST_OFF);
	armvmm_vgic_slots_changed(vm, armvmm_vgic_slots_change(vm, base, 0x1000));
	KTAP_EQ(*page, HYP_DIST_OFF);
	fake_slot = (struct armvmm_memslot *)vm;
	armvmm_vgic_slots_changed(vm, hide);
	KTAP_EQ(*page, HYP_DIST_OFF);
	/* The slot is deleted. */
	KTAP_TRUE(!armvmm_vgic_slots_change(vm, 0, 0));
	KTAP_EQ(*page, HYP_DIST_OFF);
	fake_slot = NULL;
	armvmm_vgic_slots_changed(vm, false);
	KTAP_EQ(*page, on);
	/* A zeroed vCPU is off, whatever page HPFAR names. */
	KTAP_EQ(HYP_DIST_OFF, 0);
	KTAP_TRUE(on & ~HPFAR_FIPA);
	fake_destroy(vm);
}

/*
 * A receiver that was made to leave before its first instruction is not made to by HYP mode again
 * till it got on: its senders leave their guests, and the host reaches it.
 */
static void test_progress(void)
{
	struct armvmm_vm *vm = guest_of(2)->vm;
	struct armvmm_vcpu **vcpu = vm->vcpus;
	u64 val = 0x00010001;
	unsigned int i;

	fake_enter(vcpu[1]);
	fake_exit(vcpu[0]);
	fake_hyp = true;
	for (i = 0; i < 3; i++) {
		/* Nothing executed: the next entry is one that HYP mode does not end. */
		fake_cpus[0].stuck = true;
		fake_enter(vcpu[0]);
		KTAP_EQ(vcpu[0]->hyp->dist.listen, 1);
		KTAP_TRUE(fake_hyp_access(vcpu[1], GICD_SGIR, 4, true, &val));
		KTAP_TRUE(!fake_cpus[0].in_guest && fake_cpus[1].in_guest);
		KTAP_EQ(vcpu[1]->hyp->stat.hyp_sgi_kick, i + 1);
		fake_enter(vcpu[0]);
		KTAP_EQ(vcpu[0]->hyp->dist.listen, 0);
		/* No more does the one after it, if the host ended that. */
		fake_exit(vcpu[0]);
		fake_enter(vcpu[0]);
		KTAP_EQ(vcpu[0]->hyp->dist.listen, 0);
		/* It takes the interrupt, and is where it was: in a loop. */
		KTAP_EQ(fake_ack(vcpu[0]), 1 << GICH_LR_CPUID_SHIFT | 1);
		fake_eoi(vcpu[0], 1 << GICH_LR_CPUID_SHIFT | 1);
		fake_exit(vcpu[0]);
		fake_enter(vcpu[0]);
		KTAP_EQ(vcpu[0]->hyp->dist.listen, 1);
		/* It polls a device. */
		vcpu[0]->hyp->stat.hyp_mmio_read += 100;
		fake_exit(vcpu[0]);
		fake_enter(vcpu[0]);
		KTAP_EQ(vcpu[0]->hyp->dist.listen, 1);
		/* Nothing was there to be taken. */
		fake_exit(vcpu[0]);
		fake_enter(vcpu[0]);
		KTAP_EQ(vcpu[0]->hyp->dist.listen, 0);
		KTAP_TRUE(fake_hyp_access(vcpu[1], GICD_SGIR, 4, true, &val));
		KTAP_TRUE(!fake_cpus[1].in_guest);
		KTAP_EQ(vcpu[1]->hyp->stat.hyp_sgi_kick, i + 1);
		KTAP_EQ(fake_irq(vcpu[0], 1)->source, 1 << 1);
		KTAP_TRUE(fake_cpus[0].kicked);
		fake_enter(vcpu[1]);
		if (!fake_cpus[0].in_guest)
			fake_enter(vcpu[0]);
		/* It got on. */
		fake_cpus[0].stuck = false;
		fake_exit(vcpu[0]);
		fake_write32(vcpu[0], GICD_CPENDSGIR, ~0u);
	}
	/* An exit for another reason tells nothing of senders. */
	fake_enter(vcpu[0]);
	armvmm_vgic_entry_ended(vcpu[0], HYP_EXIT_TRAP);
	KTAP_TRUE(!vcpu[0]->vgic.stuck);
	fake_exit(vcpu[0]);
	fake_hyp = false;
	fake_exit(vcpu[1]);
	fake_destroy(vm);
}

/*
 * A receiver outside its guest gets all SGIs, each from whom it came, whenever the host looks, and
 * is told to. One in its guest is made to leave, once, and the sender stays.
 */
static void test_letter_box(void)
{
	struct armvmm_vm *vm = guest_of(4)->vm;
	struct armvmm_vcpu **vcpu = vm->vcpus;
	u64 val = GICD_SGIR_FILTER_OTHERS << 24 | 7;

	fake_exit(vcpu[0]);
	send(vcpu[1], 0x00010001);
	KTAP_TRUE(test_bit(VCPU_REQ_IRQ_PENDING, &vcpu[0]->requests));
	KTAP_TRUE(fake_cpus[0].kicked);
	KTAP_EQ(fake_irq(vcpu[0], 1)->source, 1 << 1);
	fake_write32(vcpu[0], GICD_CPENDSGIR, ~0u);
	/* It was kicked, and is on its way out. */
	fake_enter(vcpu[0]);
	vcpu[0]->hyp->dist.listen = HYP_LISTEN_KICKED;
	send(vcpu[1], 0x00010001);
	send(vcpu[2], 0x00010001);
	send(vcpu[3], 0x00010002);
	KTAP_EQ(vcpu[0]->hyp->dist.posted, 6);
	KTAP_EQ(fake_read32(vcpu[0], GICD_SPENDSGIR), 0x00080600);
	KTAP_EQ(vcpu[0]->hyp->dist.posted, 0);
	fake_write32(vcpu[0], GICD_CPENDSGIR, ~0u);
	/* Before a write, too: what was sent before is cleared by it. */
	fake_enter(vcpu[0]);
	send(vcpu[1], 0x00010001);
	KTAP_TRUE(!fake_cpus[0].in_guest);
	fake_write32(vcpu[0], GICD_CPENDSGIR, ~0u);
	KTAP_EQ(fake_read32(vcpu[0], GICD_SPENDSGIR), 0);
	/* A vCPU in WFI wakes up, one that enters has it. */
	fake_enter(vcpu[0]);
	send(vcpu[1], 0x00010003);
	KTAP_TRUE(armvmm_vgic_pending(vcpu[0]));
	fake_enter(vcpu[0]);
	send(vcpu[1], 0x00010004);
	fake_enter(vcpu[0]);
	KTAP_EQ(fake_cpus[0].used, 2);
	fake_exit(vcpu[0]);

	/* To all others: those in their guests leave, and it stays. */
	fake_enter(vcpu[0]);
	fake_enter(vcpu[1]);
	fake_enter(vcpu[2]);
	fake_enter(vcpu[3]);
	fake_hyp = true;
	KTAP_TRUE(fake_hyp_access(vcpu[0], GICD_SGIR, 4, true, &val));
	fake_hyp = false;
	KTAP_TRUE(fake_cpus[0].in_guest);
	KTAP_TRUE(!fake_cpus[1].in_guest && !fake_cpus[2].in_guest && !fake_cpus[3].in_guest);
	KTAP_EQ(vcpu[0]->hyp->stat.hyp_sgi_kick, 1);
	fake_enter(vcpu[2]);
	KTAP_EQ(fake_ack(vcpu[2]), 7);
	fake_exit(vcpu[2]);
	/* A second sender finds that the receiver was kicked. */
	fake_enter(vcpu[1]);
	vcpu[1]->hyp->dist.listen = HYP_LISTEN_KICKED;
	send(vcpu[3], 0x00020005);
	KTAP_EQ(vcpu[3]->hyp->stat.hyp_sgi_kick, 0);
	KTAP_TRUE(fake_cpus[1].in_guest);
	fake_exit(vcpu[1]);
	KTAP_EQ(fake_read32(vcpu[1], GICD_SPENDSGIR + 4), 0x01000800);
	/* To itself and others: where it cannot have its own at once, it leaves, too. */
	fake_write32(vcpu[0], GICD_ICENABLER, 1u << 9);
	fake_enter(vcpu[0]);
	val = 0x00030009;
	fake_hyp = true;
	KTAP_TRUE(fake_hyp_access(vcpu[0], GICD_SGIR, 4, true, &val));
	fake_hyp = false;
	KTAP_TRUE(!fake_cpus[0].in_guest);
	KTAP_EQ(fake_read32(vcpu[0], GICD_SPENDSGIR + 8), 0x0100);
	KTAP_EQ(fake_read32(vcpu[1], GICD_SPENDSGIR + 8), 0x0100);
	fake_destroy(vm);
}

KTAP_MAIN(KTAP_CASE(test_forms), KTAP_CASE(test_reads), KTAP_CASE(test_one_at_a_time),
	  KTAP_CASE(test_taken), KTAP_CASE(test_list_registers), KTAP_CASE(test_letter_box),
	  KTAP_CASE(test_progress), KTAP_CASE(test_hidden))
