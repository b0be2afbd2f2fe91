// SPDX-License-Identifier: GPL-2.0-only
/* The guest's first use of floating point or SIMD since its entry. */
#include <linux/bits.h>
#include <linux/stddef.h>
#include <linux/build_bug.h>

#include "hyp/cpu.h"
#include "hyp/sysreg.h"

static_assert(offsetof(struct hyp_vfp, fpscr) == 256);
static_assert(offsetof(struct hyp_vfp, fpexc) == 260);
static_assert(offsetof(struct hyp_vfp, fpinst) == 264);
static_assert(offsetof(struct hyp_vfp, fpinst2) == 268);

/* The guest's instruction is executed again on return. */
void __hyp_text hyp_vfp_trap(struct hyp_cpu *cpu)
{
	struct hyp_vcpu *vcpu = cpu->vcpu;

	sysreg_write(cpu->host.hcptr | HCPTR_TTA, SYS_HCPTR);
	hyp_isb();
	hyp_vfp_save(&cpu->host_vfp, cpu->vfp_d32);
	hyp_vfp_restore(&vcpu->vfp, cpu->vfp_d32);
	vcpu->vfp_loaded = 1;
}
