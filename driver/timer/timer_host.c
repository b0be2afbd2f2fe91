// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's virtual timer interrupt. HYP stops the timer at each exit, so the
 * host hardly ever takes the interrupt: that it is pending at the CPU ends the
 * guest's turn, and what the timer said then is all that is needed. While the
 * guest has not dealt with it the line is high at every entry, and the PPI must
 * be held back.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/percpu.h>
#include <linux/printk.h>

#include <asm/barrier.h>

#include "arch/gic.h"
#include "hyp/sysreg.h"
#include "timer/timer.h"
#include "timer/timer_host.h"
#include "vgic/vgic.h"

#define TIMER_DT_VIRT	2	/* index of the interrupt in the binding arm,arch_timer */

static unsigned int vtimer_irq;
module_param(vtimer_irq, uint, 0444);
MODULE_PARM_DESC(vtimer_irq, "GIC number (16-31) of the virtual timer interrupt (default: device tree)");

static bool fast_hold = true;
module_param(fast_hold, bool, 0644);
MODULE_PARM_DESC(fast_hold, "the virtual timer's interrupt is held by one write to the GIC, without the kernel's functions");

static bool hyp_timer = true;
module_param(hyp_timer, bool, 0644);
MODULE_PARM_DESC(hyp_timer, "show the virtual timer's interrupt to guests in HYP mode, for vCPUs that start from now on");

DEFINE_PER_CPU(struct timer_host_cpu, timer_host_cpu);

static struct {
	u32 freq;
	unsigned int irq;	/* Linux number */
	unsigned int hwirq;	/* at the GIC */
	u32 trigger;		/* IRQ_TYPE_* */
	bool split_eoi;
} timer_host;

static const struct of_device_id timer_host_match[] = {
	{ .compatible = "arm,armv7-timer" },
	{ .compatible = "arm,armv8-timer" },
	{ }
};

u32 armvmm_timer_freq(void)
{
	return timer_host.freq;
}

u64 armvmm_timer_now(void)
{
	/* The counter may be read ahead of what comes before (B8.1.2). */
	isb();
	return sysreg_read64(SYS_CNTPCT);
}

unsigned int armvmm_timer_host_hwirq(void)
{
	return timer_host.hwirq;
}

bool armvmm_timer_host_in_hyp(void)
{
	/* It holds the PPI as fast_hold does. */
	return READ_ONCE(hyp_timer) && READ_ONCE(fast_hold);
}

/*
 * The GIC may take a write late, when the guest already runs. If that activates, the guest may have
 * ended its interrupt before: the GIC then deactivates what is not active yet, the write makes it
 * active with nobody to end it, and the timer's next expiry does not end the guest's turn. So what
 * activates is read back, once for each expiry; HYP's DSB waits for the read. A late write that
 * deactivates is harmless: the timer's line does not get through until it is there.
 *
 * The registers of private interrupts are each CPU's own (IHI 0048B 4.1.4). A write sets or clears
 * bits, so that it needs no lock of the kernel's driver, which does no more at the end of its own
 * functions.
 *
 * An active state may be gone although the host takes the PPI for held (hyp/timer.c); a mask stays
 * until the host takes it off.
 */
void armvmm_timer_host_set(bool hold)
{
	void __iomem *gicd = timer_host.split_eoi ? armvmm_vgic_host.gicd : NULL;

	if (!timer_host.split_eoi && armvmm_timer_host_held() == hold)
		return;
	this_cpu_write(timer_host_cpu.held, hold);
	if (gicd && READ_ONCE(fast_hold))
		writel_relaxed(BIT(timer_host.hwirq),
			       gicd + (hold ? GICD_ISACTIVER : GICD_ICACTIVER));
	else if (timer_host.split_eoi)
		irq_set_irqchip_state(timer_host.irq, IRQCHIP_STATE_ACTIVE, hold);
	else if (hold)
		disable_percpu_irq(timer_host.irq);
	else
		enable_percpu_irq(timer_host.irq, timer_host.trigger);
	if (hold && gicd)
		readl_relaxed(gicd + GICD_ISACTIVER);
}

/*
 * Taken in the host only where the GIC latched what HYP has silenced since.
 * With split EOI the interrupt stays active: it is forwarded, and no one else
 * deactivates it.
 */
static irqreturn_t timer_host_handler(int irq, void *dev)
{
	if (timer_host.split_eoi)
		this_cpu_write(timer_host_cpu.held, true);
	return IRQ_HANDLED;
}

void armvmm_timer_cpu_up(void)
{
	struct timer_host_cpu *cpu = this_cpu_ptr(&timer_host_cpu);

	if (cpu->enabled)
		return;
	cpu->enabled = true;
	cpu->held = false;
	if (timer_host.split_eoi)
		irq_set_irqchip_state(timer_host.irq, IRQCHIP_STATE_ACTIVE, false);
	enable_percpu_irq(timer_host.irq, timer_host.trigger);
}

void armvmm_timer_cpu_down(void)
{
	struct timer_host_cpu *cpu = this_cpu_ptr(&timer_host_cpu);

	if (!cpu->enabled)
		return;
	cpu->enabled = false;
	armvmm_timer_host_hold(false);
	disable_percpu_irq(timer_host.irq);
}

/* Linux number of the PPI, and CNTFRQ where firmware left it unset. */
static int timer_host_find(void)
{
	struct device_node *np = of_find_matching_node(NULL, timer_host_match);
	u32 freq = 0;

	timer_host.freq = sysreg_read(SYS_CNTFRQ);
	timer_host.irq = vtimer_irq ? armvmm_vgic_host_map_ppi(vtimer_irq) : 0;
	if (np) {
		/* The kernel's driver prefers the property: it must be the same clock. */
		if (!of_property_read_u32(np, "clock-frequency", &freq) && freq)
			timer_host.freq = freq;
		if (!vtimer_irq)
			timer_host.irq = irq_of_parse_and_map(np, TIMER_DT_VIRT);
		of_node_put(np);
	}
	if (!timer_host.irq && vtimer_irq) {
		pr_err("vtimer_irq=%u: there is no such private interrupt (16-31, mostly 27)\n",
		       vtimer_irq);
		return -ENODEV;
	}
	if (!timer_host.irq) {
		pr_err("no virtual timer interrupt: the device tree's timer node (arm,armv7-timer) must list four interrupts, or give the module vtimer_irq= (16-31, mostly 27)\n");
		return -ENODEV;
	}
	if (!timer_host.freq) {
		pr_err("the timer's frequency is unknown: firmware must set CNTFRQ, or the device tree's timer node needs clock-frequency\n");
		return -ENODEV;
	}
	return 0;
}

int armvmm_timer_init(void)
{
	struct irq_data *data;
	int err;

	err = timer_host_find();
	if (err)
		return err;

	if (timer_host.irq == armvmm_vgic_host.maint_irq) {
		pr_err("the virtual timer's interrupt is the GIC's maintenance interrupt as well: correct vtimer_irq= (mostly 27) or maint_irq= (mostly 25)\n");
		return -ENODEV;
	}
	data = irq_get_irq_data(timer_host.irq);
	if (!data) {
		pr_err("virtual timer interrupt %u does not exist\n", timer_host.irq);
		return -ENODEV;
	}
	timer_host.trigger = irqd_get_trigger_type(data);
	if (timer_host.trigger != IRQ_TYPE_LEVEL_HIGH && timer_host.trigger != IRQ_TYPE_LEVEL_LOW)
		timer_host.trigger = IRQ_TYPE_LEVEL_LOW;
#ifdef CONFIG_IRQ_DOMAIN_HIERARCHY
	while (data->parent_data)
		data = data->parent_data;
#endif
	timer_host.hwirq = data->hwirq;

	err = request_percpu_irq(timer_host.irq, timer_host_handler, "armvmm vtimer",
				 &timer_host_cpu);
	if (err) {
		if (err == -EBUSY) {
			pr_err("Linux uses the virtual timer itself: it was started in SVC mode; virtualization needs a boot loader that enters it in HYP mode (U-Boot: CONFIG_ARMV7_VIRT=y, and `setenv bootm_boot_mode nonsec`)\n");
			err = -ENODEV;
		} else {
			pr_err("cannot request the virtual timer interrupt %u: %d\n",
			       timer_host.hwirq, err);
		}
		return err;
	}

	/* Only a GIC driver that splits priority drop and deactivation forwards. */
	err = irq_set_vcpu_affinity(timer_host.irq, &timer_host_cpu);
	timer_host.split_eoi = !err;
	armvmm_vgic_host.split_eoi = !err;
	return 0;
}

void armvmm_timer_exit(void)
{
	if (timer_host.split_eoi)
		irq_set_vcpu_affinity(timer_host.irq, NULL);
	free_percpu_irq(timer_host.irq, &timer_host_cpu);
}
