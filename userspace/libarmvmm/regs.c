// SPDX-License-Identifier: GPL-2.0-only
/* Registers by name and by ONE_REG id. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct reg {
	const char *name;
	uint64_t id;
};

/*
 * The index of a core register is its word in struct kvm_regs: 18 words of user registers (r0-r14,
 * pc, cpsr, and an unused one), then the banks. Numbers instead of offsetof() let this build on a
 * machine whose pt_regs differ.
 */
#define REG_CORE(n)		(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_CORE | (n))
#define REG_CORE_SVC		18
#define REG_CORE_ABT		21
#define REG_CORE_UND		24
#define REG_CORE_IRQ		27
#define REG_CORE_FIQ		30
#define REG_VFP64(n)		(KVM_REG_ARM | KVM_REG_SIZE_U64 | KVM_REG_ARM_VFP | (n))
#define REG_VFP32(n)		(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_VFP | (n))

#define REG_BANK(mode, base)				\
	{ "sp_" mode, REG_CORE(base) },			\
	{ "lr_" mode, REG_CORE((base) + 1) },		\
	{ "spsr_" mode, REG_CORE((base) + 2) }

/* In the order of the encodings: opc1, CRn, CRm, opc2 (DDI 0406C B3.17.1). */
#define REG_CP15(name, opc1, crn, crm, opc2)	{ name, ARM_CP15_REG32(opc1, crn, crm, opc2) }
#define REG_CP15_64(name, opc1, crm)		{ name, ARM_CP15_REG64(opc1, crm) }

static const struct reg regs[] = {
	{ "r0", REG_CORE(0) },
	{ "r1", REG_CORE(1) },
	{ "r2", REG_CORE(2) },
	{ "r3", REG_CORE(3) },
	{ "r4", REG_CORE(4) },
	{ "r5", REG_CORE(5) },
	{ "r6", REG_CORE(6) },
	{ "r7", REG_CORE(7) },
	{ "r8", REG_CORE(8) },
	{ "r9", REG_CORE(9) },
	{ "r10", REG_CORE(10) },
	{ "r11", REG_CORE(11) },
	{ "r12", REG_CORE(12) },
	{ "sp", REG_CORE(13) },
	{ "lr", REG_CORE(14) },
	{ "pc", REG_CORE(15) },
	{ "cpsr", REG_CORE(16) },
	REG_BANK("svc", REG_CORE_SVC),
	REG_BANK("abt", REG_CORE_ABT),
	REG_BANK("und", REG_CORE_UND),
	REG_BANK("irq", REG_CORE_IRQ),
	{ "r8_fiq", REG_CORE(REG_CORE_FIQ) },
	{ "r9_fiq", REG_CORE(REG_CORE_FIQ + 1) },
	{ "r10_fiq", REG_CORE(REG_CORE_FIQ + 2) },
	{ "r11_fiq", REG_CORE(REG_CORE_FIQ + 3) },
	{ "r12_fiq", REG_CORE(REG_CORE_FIQ + 4) },
	REG_BANK("fiq", REG_CORE_FIQ + 5),

	{ "d0", REG_VFP64(0) },
	{ "d1", REG_VFP64(1) },
	{ "d2", REG_VFP64(2) },
	{ "d3", REG_VFP64(3) },
	{ "d4", REG_VFP64(4) },
	{ "d5", REG_VFP64(5) },
	{ "d6", REG_VFP64(6) },
	{ "d7", REG_VFP64(7) },
	{ "d8", REG_VFP64(8) },
	{ "d9", REG_VFP64(9) },
	{ "d10", REG_VFP64(10) },
	{ "d11", REG_VFP64(11) },
	{ "d12", REG_VFP64(12) },
	{ "d13", REG_VFP64(13) },
	{ "d14", REG_VFP64(14) },
	{ "d15", REG_VFP64(15) },
	{ "d16", REG_VFP64(16) },
	{ "d17", REG_VFP64(17) },
	{ "d18", REG_VFP64(18) },
	{ "d19", REG_VFP64(19) },
	{ "d20", REG_VFP64(20) },
	{ "d21", REG_VFP64(21) },
	{ "d22", REG_VFP64(22) },
	{ "d23", REG_VFP64(23) },
	{ "d24", REG_VFP64(24) },
	{ "d25", REG_VFP64(25) },
	{ "d26", REG_VFP64(26) },
	{ "d27", REG_VFP64(27) },
	{ "d28", REG_VFP64(28) },
	{ "d29", REG_VFP64(29) },
	{ "d30", REG_VFP64(30) },
	{ "d31", REG_VFP64(31) },
	{ "fpsid", REG_VFP32(KVM_REG_ARM_VFP_FPSID) },
	{ "fpscr", REG_VFP32(KVM_REG_ARM_VFP_FPSCR) },
	{ "mvfr1", REG_VFP32(KVM_REG_ARM_VFP_MVFR1) },
	{ "mvfr0", REG_VFP32(KVM_REG_ARM_VFP_MVFR0) },
	{ "fpexc", REG_VFP32(KVM_REG_ARM_VFP_FPEXC) },
	{ "fpinst", REG_VFP32(KVM_REG_ARM_VFP_FPINST) },
	{ "fpinst2", REG_VFP32(KVM_REG_ARM_VFP_FPINST2) },

	{ "cntv_ctl", KVM_REG_ARM_TIMER_CTL },
	{ "cntv_cval", KVM_REG_ARM_TIMER_CVAL },
	{ "cntvct", KVM_REG_ARM_TIMER_CNT },
	{ "cntp_ctl", KVM_REG_ARM_PTIMER_CTL },
	{ "cntp_cval", KVM_REG_ARM_PTIMER_CVAL },
	{ "cntpct", KVM_REG_ARM_PTIMER_CNT },

	REG_CP15("midr", 0, 0, 0, 0),
	REG_CP15("ctr", 0, 0, 0, 1),
	REG_CP15("tcmtr", 0, 0, 0, 2),
	REG_CP15("tlbtr", 0, 0, 0, 3),
	REG_CP15("mpidr", 0, 0, 0, 5),
	REG_CP15("revidr", 0, 0, 0, 6),
	REG_CP15("id_pfr0", 0, 0, 1, 0),
	REG_CP15("id_pfr1", 0, 0, 1, 1),
	REG_CP15("id_dfr0", 0, 0, 1, 2),
	REG_CP15("id_afr0", 0, 0, 1, 3),
	REG_CP15("id_mmfr0", 0, 0, 1, 4),
	REG_CP15("id_mmfr1", 0, 0, 1, 5),
	REG_CP15("id_mmfr2", 0, 0, 1, 6),
	REG_CP15("id_mmfr3", 0, 0, 1, 7),
	REG_CP15("id_isar0", 0, 0, 2, 0),
	REG_CP15("id_isar1", 0, 0, 2, 1),
	REG_CP15("id_isar2", 0, 0, 2, 2),
	REG_CP15("id_isar3", 0, 0, 2, 3),
	REG_CP15("id_isar4", 0, 0, 2, 4),
	REG_CP15("id_isar5", 0, 0, 2, 5),
	REG_CP15("clidr", 1, 0, 0, 1),
	REG_CP15("aidr", 1, 0, 0, 7),
	REG_CP15("csselr", 2, 0, 0, 0),
	REG_CP15("sctlr", 0, 1, 0, 0),
	REG_CP15("actlr", 0, 1, 0, 1),
	REG_CP15("cpacr", 0, 1, 0, 2),
	/* With the long descriptors the base registers are 64 bits wide (B4.1.155). */
	REG_CP15_64("ttbr0", 0, 2),
	REG_CP15_64("ttbr1", 1, 2),
	REG_CP15("ttbcr", 0, 2, 0, 2),
	REG_CP15("dacr", 0, 3, 0, 0),
	REG_CP15("dfsr", 0, 5, 0, 0),
	REG_CP15("ifsr", 0, 5, 0, 1),
	REG_CP15("adfsr", 0, 5, 1, 0),
	REG_CP15("aifsr", 0, 5, 1, 1),
	REG_CP15("dfar", 0, 6, 0, 0),
	REG_CP15("ifar", 0, 6, 0, 2),
	REG_CP15_64("par", 0, 7),
	REG_CP15("prrr", 0, 10, 2, 0),
	REG_CP15("nmrr", 0, 10, 2, 1),
	REG_CP15("amair0", 0, 10, 3, 0),
	REG_CP15("amair1", 0, 10, 3, 1),
	REG_CP15("vbar", 0, 12, 0, 0),
	REG_CP15("contextidr", 0, 13, 0, 1),
	REG_CP15("tpidrurw", 0, 13, 0, 2),
	REG_CP15("tpidruro", 0, 13, 0, 3),
	REG_CP15("tpidrprw", 0, 13, 0, 4),
	REG_CP15("cntkctl", 0, 14, 1, 0),
};

/* Second names, which armvmm_reg_name() does not list. */
static const struct reg aliases[] = {
	{ "r13", REG_CORE(13) },
	{ "r14", REG_CORE(14) },
	{ "r15", REG_CORE(15) },
	REG_CP15("mair0", 0, 10, 2, 0),
	REG_CP15("mair1", 0, 10, 2, 1),
};

#define NR_REGS		(sizeof(regs) / sizeof(regs[0]))
#define NR_ALIASES	(sizeof(aliases) / sizeof(aliases[0]))

int armvmm_reg_id(const char *name, uint64_t *id)
{
	for (size_t i = 0; i < NR_REGS + NR_ALIASES; i++) {
		const struct reg *reg = i < NR_REGS ? &regs[i] : &aliases[i - NR_REGS];

		if (!strcmp(reg->name, name)) {
			*id = reg->id;
			return 0;
		}
	}
	return -ENOENT;
}

const char *armvmm_reg_name(unsigned int n)
{
	return n < NR_REGS ? regs[n].name : NULL;
}

/* Bytes of the register, 0 for a size that no register of this library has. */
static unsigned int reg_size(uint64_t id)
{
	switch (id & KVM_REG_SIZE_MASK) {
	case KVM_REG_SIZE_U32:
		return 4;
	case KVM_REG_SIZE_U64:
		return 8;
	default:
		return 0;
	}
}

int armvmm_vcpu_reg_id_get(struct armvmm_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	union {
		uint32_t u32;
		uint64_t u64;
	} buf = { 0 };
	struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)&buf };
	unsigned int size = reg_size(id);
	int ret;

	if (!size)
		return -EINVAL;
	ret = vm_ioctl(vcpu->fd, KVM_GET_ONE_REG, &one);
	if (ret < 0)
		return ret;
	*value = size == 4 ? buf.u32 : buf.u64;
	return 0;
}

int armvmm_vcpu_reg_id_set(struct armvmm_vcpu *vcpu, uint64_t id, uint64_t value)
{
	uint32_t value32 = value;
	struct kvm_one_reg one = { .id = id };
	unsigned int size = reg_size(id);

	if (!size)
		return -EINVAL;
	if (size == 4 && value >> 32)
		return -ERANGE;
	one.addr = size == 4 ? (uintptr_t)&value32 : (uintptr_t)&value;
	return vm_ioctl(vcpu->fd, KVM_SET_ONE_REG, &one);
}

int armvmm_vcpu_reg_get(struct armvmm_vcpu *vcpu, const char *name, uint64_t *value)
{
	uint64_t id;
	int ret = armvmm_reg_id(name, &id);

	return ret ? ret : armvmm_vcpu_reg_id_get(vcpu, id, value);
}

int armvmm_vcpu_reg_set(struct armvmm_vcpu *vcpu, const char *name, uint64_t value)
{
	uint64_t id;
	int ret = armvmm_reg_id(name, &id);

	return ret ? ret : armvmm_vcpu_reg_id_set(vcpu, id, value);
}

int armvmm_vcpu_reg_list(struct armvmm_vcpu *vcpu, uint64_t *ids, unsigned int nr)
{
	struct kvm_reg_list probe = { .n = 0 }, *list;
	int ret;

	/* With room for none the kernel answers E2BIG and how many there are. */
	ret = vm_ioctl(vcpu->fd, KVM_GET_REG_LIST, &probe);
	if (ret < 0 && ret != -E2BIG)
		return ret;
	if (probe.n > nr)
		return probe.n;

	list = malloc(sizeof(*list) + probe.n * sizeof(list->reg[0]));
	if (!list)
		return -ENOMEM;
	list->n = probe.n;
	ret = vm_ioctl(vcpu->fd, KVM_GET_REG_LIST, list);
	if (!ret) {
		memcpy(ids, list->reg, list->n * sizeof(ids[0]));
		ret = list->n;
	}
	free(list);
	return ret;
}
