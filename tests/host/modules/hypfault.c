// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault in HYP mode: armvmm is told to run a vCPU in memory that HYP mode does not map. Written
 * to /sys/module/hypfault/parameters/run, anything does that, and the host ends.
 */
#include <linux/irqflags.h>
#include <linux/module.h>

#include <asm/opcodes-virt.h>

#define HYP_CALL_RUN	0x41560000	/* driver/hyp/hyp.h */

static char hypfault_vcpu[PAGE_SIZE] __aligned(8);

static int hypfault_run(const char *val, const struct kernel_param *kp)
{
	register unsigned long r0 asm("r0") = HYP_CALL_RUN;
	register void *r1 asm("r1") = hypfault_vcpu;
	unsigned long flags;

	local_irq_save(flags);
	/* A guest leaves neither LR nor what a function may change. */
	asm volatile(__HVC(0) : "+r" (r0), "+r" (r1) : : "r2", "r3", "r12", "lr", "cc", "memory");
	local_irq_restore(flags);
	return 0;
}

static const struct kernel_param_ops hypfault_ops = {
	.set = hypfault_run,
};

module_param_cb(run, &hypfault_ops, NULL, 0200);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A fault in HYP mode for the tests of armvmm");
