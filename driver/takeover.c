// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes over HYP mode of each CPU through the kernel's stub, and gives it back: for hotplug, idle
 * states that lose power, suspend, kexec and unload.
 */
#include <linux/cpu.h>
#include <linux/cpu_pm.h>
#include <linux/cpuhotplug.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/reboot.h>
#include <linux/smp.h>

#include <asm/cacheflush.h>
#include <asm/cputype.h>
#include <asm/hwcap.h>
#include <asm/sections.h>

#include "arch/lpae.h"
#include "compat/compat.h"
#include "host/cache.h"
#include "host/cpukind.h"
#include "host/debug_host.h"
#include "host/hypcpu.h"
#include "host/hypcpu_state.h"
#include "host/hypmap.h"
#include "hyp/cpu.h"
#include "hyp/offsets.h"
#include "hyp/sysreg.h"
#include "mem/stage2.h"
#include "mem/vmid.h"
#include "takeover.h"
#include "timer/timer.h"
#include "vgic/vgic.h"

#ifdef CONFIG_CPU_BIG_ENDIAN
#error "armvmm needs a little-endian host kernel: its code in HYP mode is little-endian"
#endif

#define HYP_PROBE_UNDEF		0xdead

/* In the order of hyp/call.S. */
struct hyp_takeover {
	u32 entry;
	u32 httbr_lo;
	u32 httbr_hi;
	u32 sp;
	u32 hvbar;
	u32 htpidr;
	u32 vtcr;
	u32 vttbr_hi;
};

/* The stub's HVBAR, and above it its HSCTLR. */
u64 hyp_takeover_call(const struct hyp_takeover *args);
u32 hyp_probe_call(void);

static_assert(sizeof(struct hyp_cpu) <= PAGE_SIZE);

static struct {
	struct page *entry_page;	/* identity-mapped in HYP */
	enum cpuhp_state cpuhp;
	u32 vttbr_hi;			/* the host's VMID on all CPUs, once one has told */
	bool stopping;			/* the machine goes down: no CPU is taken any more */
} takeover = {
	.vttbr_hi = HYP_VMID_KEEP,
};

static DEFINE_PER_CPU(bool, takeover_wanted);	/* between takeover_online and _offline */

static void *takeover_stack_of(int cpu)
{
	return (void *)(per_cpu(armvmm_hypcpu_block, cpu) + HYP_CPU_STACK_PAGE * PAGE_SIZE);
}

static u32 takeover_entry(const char *label)
{
	return (u32)page_to_phys(takeover.entry_page) + (label - hyp_entry_start);
}

/* A fault in HYP ends here: SVC mode, IRQs off, the host's state as at its hvc. */
static void __noreturn takeover_panic(struct hyp_cpu *cpu)
{
	static const char * const names[] = {
		"reset", "undefined instruction", "hvc in HYP", "prefetch abort", "data abort",
	};
	const struct hyp_panic *p = &cpu->panic;

	pr_emerg("HYP %s on CPU%d\n",
		 p->vector < ARRAY_SIZE(names) ? names[p->vector] : "exception",
		 smp_processor_id());
	if (p->faults > 1)
		pr_emerg("and %u more on the way back: r0 to LR and the kind are the last's\n",
			 p->faults - 1);
	pr_emerg("PC %08x (%pS) SPSR %08x HSR %08x HCR %08x\n", p->elr,
		 (void *)(unsigned long)p->elr, p->spsr, p->hsr, p->hcr);
	pr_emerg("HDFAR %08x HIFAR %08x HPFAR %08x HTTBR %08x vCPU %p\n", p->hdfar,
		 p->hifar, p->hpfar, p->httbr, p->vcpu);
	pr_emerg("r0 %08x r1 %08x r2 %08x r3 %08x r4 %08x\n", p->regs[0], p->regs[1],
		 p->regs[2], p->regs[3], p->regs[4]);
	pr_emerg("r5 %08x r6 %08x r7 %08x r8 %08x r9 %08x\n", p->regs[5], p->regs[6],
		 p->regs[7], p->regs[8], p->regs[9]);
	pr_emerg("r10 %08x r11 %08x r12 %08x SP %08x LR %08x\n", p->regs[10], p->regs[11],
		 p->regs[12], p->regs[13], p->regs[14]);
	panic("armvmm: fault in HYP mode");
}

/* The vectors that take the measure against training of this CPU's predictor (CVE-2017-5715). */
static const char *takeover_vectors(void)
{
	switch (armvmm_cpukind_predictor()) {
	case PREDICTOR_BPIALL:
		return hyp_vectors_bpiall;
	case PREDICTOR_ICIALLU:
		return hyp_vectors_iciallu;
	case PREDICTOR_LOOP8:
		return hyp_vectors_loop8;
	default:
		return hyp_vectors;
	}
}

/* Learns this CPU's kind, and what it means for all CPUs. Before its first guest, IRQs off. */
static void takeover_learn(void *unused)
{
	armvmm_cpukind_learn();
	if (armvmm_cpukind_this()->errata & CPUKIND_ERRATUM_798181)
		armvmm_stage2_tlb_needs_sync();
}

/* IRQs off, on the CPU. -EBUSY if another owner has replaced HYP mode's stub. */
static int takeover_take(void)
{
	int cpu = smp_processor_id();
	struct hyp_cpu *hc = armvmm_hypcpu_of(cpu);
	u64 httbr = armvmm_hypmap_httbr(), stub;
	const struct armvmm_cpukind *kind;
	struct hyp_takeover args = {
		.entry = takeover_entry(hyp_entry_takeover),
		.httbr_lo = (u32)httbr,
		.httbr_hi = (u32)(httbr >> 32),
		.sp = hc->stack_top,
		.htpidr = (u32)hc,
		.vtcr = armvmm_stage2_vtcr(),
		.vttbr_hi = READ_ONCE(takeover.vttbr_hi),
	};

	if (__this_cpu_read(armvmm_hypcpu_taken) || READ_ONCE(takeover.stopping))
		return 0;
	if (armvmm_hyp_call(HYP_CALL_NR, 0, 0) != HYP_STUB_ERROR)
		return -EBUSY;
	takeover_learn(NULL);
	kind = armvmm_cpukind_this();
	args.hvbar = (u32)takeover_vectors();
	hc->vcpu = NULL;
	hc->odd = (kind->missing & CPUKIND_MISSING_FIQ ? HYP_ODD_FIQ : 0) |
		  (kind->may_have_amair ? HYP_ODD_AMAIR : 0);
	hc->vfp = elf_hwcap & HWCAP_VFP;
	hc->vfp_d32 = elf_hwcap & HWCAP_VFPD32;
	hc->gich = armvmm_vgic_host.gich;
	hc->gicd = armvmm_vgic_host.gicd;
	hc->debug_ok = armvmm_debug_probe_cpu_ok();
	hc->debug_loaded = HYP_DEBUG_OFF;
	armvmm_vgic_cpu_taken();
	stub = hyp_takeover_call(&args);
	hc->stub_hvbar = lower_32_bits(stub);
	hc->stub_hsctlr = upper_32_bits(stub);
	armvmm_hyp_call(HYP_CALL_SNAPSHOT, 0, 0);
	if (args.vttbr_hi == (u32)HYP_VMID_KEEP) {
		WRITE_ONCE(takeover.vttbr_hi, upper_32_bits(hc->host.vttbr));
		armvmm_vmid_set_host(upper_32_bits(hc->host.vttbr) >> VTTBR_HI_VMID_SHIFT);
	}
	__this_cpu_write(armvmm_hypcpu_taken, true);
	return 0;
}

static void takeover_give(void)
{
	struct hyp_cpu *hc = armvmm_hypcpu_of(smp_processor_id());

	if (!__this_cpu_read(armvmm_hypcpu_taken))
		return;
	__this_cpu_write(armvmm_hypcpu_taken, false);
	armvmm_vgic_silence();
	armvmm_hyp_call(HYP_CALL_RELEASE, hc->stub_hvbar, hc->stub_hsctlr);
}

static int takeover_online(unsigned int cpu)
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = takeover_take();
	__this_cpu_write(takeover_wanted, !ret);
	local_irq_restore(flags);
	if (ret) {
		pr_err("CPU%u: HYP mode has another owner\n", cpu);
		return ret;
	}
	armvmm_timer_cpu_up();
	armvmm_vgic_cpu_up();
	return 0;
}

static int takeover_offline(unsigned int cpu)
{
	unsigned long flags;

	/*
	 * Comes first: no guest is entered on this CPU after it, though threads may run here for a
	 * while.
	 */
	local_irq_save(flags);
	__this_cpu_write(takeover_wanted, false);
	takeover_give();
	local_irq_restore(flags);
	armvmm_vgic_cpu_down();
	armvmm_timer_cpu_down();
	return 0;
}

/* A power state that loses HYP's registers leaves the stub in charge. */
static int takeover_pm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	switch (event) {
	case CPU_PM_ENTER:
		takeover_give();
		break;
	case CPU_PM_ENTER_FAILED:
	case CPU_PM_EXIT:
		/* Only if the hotplug state has brought this CPU up before. */
		if (__this_cpu_read(takeover_wanted))
			takeover_take();
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block takeover_pm_nb = {
	.notifier_call = takeover_pm_event,
};

static void takeover_give_ipi(void *unused)
{
	takeover_give();
}

/* Reboot, kexec: the next kernel or the firmware finds the stub. */
static int takeover_reboot_event(struct notifier_block *nb, unsigned long event, void *data)
{
	WRITE_ONCE(takeover.stopping, true);
	on_each_cpu(takeover_give_ipi, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block takeover_reboot_nb = {
	.notifier_call = takeover_reboot_event,
	.priority = INT_MIN,
};

static void takeover_probe_ipi(void *result)
{
	u32 answer = hyp_probe_call();

	if (answer != HYP_STUB_ERROR)
		cmpxchg((u32 *)result, HYP_STUB_ERROR, answer);
}

int armvmm_takeover_probe(void)
{
	u32 answer = HYP_STUB_ERROR;
	int ret = armvmm_cpukind_check();

	if (ret)
		return ret;
	on_each_cpu(takeover_probe_ipi, &answer, 1);
	switch (answer) {
	case HYP_STUB_ERROR:
		return 0;
	case HYP_PROBE_UNDEF:
		pr_err("Linux was started in SVC mode; virtualization needs a boot loader that enters it in HYP mode (U-Boot: CONFIG_ARMV7_VIRT=y, and `setenv bootm_boot_mode nonsec`)\n");
		break;
	default:
		pr_err("HYP mode is not the kernel's: an hvc was answered with 0x%08x by firmware, or by another hypervisor that runs this Linux or was loaded into it\n",
		       answer);
	}
	return -ENODEV;
}

static int takeover_alloc(int cpu)
{
	unsigned long block = __get_free_pages(GFP_KERNEL | __GFP_ZERO, HYP_CPU_ORDER);
	struct hyp_cpu *hc;
	int ret;

	if (!block)
		return -ENOMEM;
	per_cpu(armvmm_hypcpu_block, cpu) = block;
	hc = armvmm_hypcpu_of(cpu);
	hc->stack_top = (unsigned long)takeover_stack_of(cpu) + PAGE_SIZE;
	hc->release = takeover_entry(hyp_entry_release);
	hc->restart = takeover_entry(hyp_entry_restart);
	hc->panic_entry = (unsigned long)takeover_panic;
	ret = armvmm_hypmap_add(takeover_stack_of(cpu), PAGE_SIZE, HYPMAP_DATA);
	if (!ret)
		ret = armvmm_hypmap_add(hc, PAGE_SIZE, HYPMAP_DATA);
	return ret;
}

static void takeover_free(int cpu)
{
	if (!per_cpu(armvmm_hypcpu_block, cpu))
		return;
	free_pages(per_cpu(armvmm_hypcpu_block, cpu), HYP_CPU_ORDER);
	per_cpu(armvmm_hypcpu_block, cpu) = 0;
}

/*
 * The entry page is mapped at its physical address. Where RAM begins high, that may be the kernel
 * address of something else that HYP maps. Then another page is tried, while the unlucky ones are
 * held. hypmap.c avoids such addresses later.
 */
static int takeover_map_entry(void)
{
	struct page *held[8], *page;
	unsigned int n = 0;
	int ret;

	do {
		page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!page) {
			ret = -ENOMEM;
			break;
		}
		if (upper_32_bits(page_to_phys(page)))
			ret = -EEXIST;
		else
			ret = armvmm_hypmap_add_phys((unsigned long)page_to_phys(page),
						     page_to_phys(page), PAGE_SIZE, HYPMAP_TEXT);
		if (ret)
			held[n++] = page;
	} while (ret == -EEXIST && n < ARRAY_SIZE(held));
	while (n--)
		__free_page(held[n]);
	if (ret) {
		pr_err("no page for the entry to HYP mode: it must lie below 4 GiB and clash with no kernel address in use\n");
		return ret;
	}

	takeover.entry_page = page;
	memcpy(page_address(page), hyp_entry_start, hyp_entry_end - hyp_entry_start);
	/* It is fetched with caches off (DDI 0406C B2.2.6). */
	armvmm_cache_flush(page_address(page), PAGE_SIZE);
	/* The page may have held other code before. */
	armvmm_cache_invalidate_icache_all();
	return 0;
}

static int takeover_map(void)
{
	int cpu, ret;

	/* Cache maintenance depends on what all CPUs are. */
	on_each_cpu(takeover_learn, NULL, 1);
	ret = armvmm_hypmap_add(hyp_text_start, hyp_text_end - hyp_text_start, HYPMAP_TEXT);
	if (ret)
		return ret;
	ret = takeover_map_entry();
	if (ret)
		return ret;
	if (armvmm_vgic_host.gich) {
		ret = armvmm_hypmap_add_phys((unsigned long)armvmm_vgic_host.gich,
					     armvmm_vgic_host.gich_pa, PAGE_SIZE, HYPMAP_DEVICE);
		if (ret)
			return ret;
	}
	if (armvmm_vgic_host.gicd) {
		ret = armvmm_hypmap_add_phys((unsigned long)armvmm_vgic_host.gicd,
					     armvmm_vgic_host.gicd_pa, PAGE_SIZE, HYPMAP_DEVICE);
		if (ret)
			return ret;
	}
	for_each_possible_cpu(cpu) {
		ret = takeover_alloc(cpu);
		if (ret)
			return ret;
	}
	return 0;
}

static void takeover_unmap(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		takeover_free(cpu);
	if (takeover.entry_page)
		__free_page(takeover.entry_page);
	takeover.entry_page = NULL;
}

int armvmm_takeover_init(void)
{
	int ret;

	ret = takeover_map();
	if (ret)
		goto err_map;
	/* Comes first: a CPU may lose power in idle as soon as it is taken over. */
	ret = cpu_pm_register_notifier(&takeover_pm_nb);
	if (ret)
		goto err_map;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "armvmm:online", takeover_online,
				takeover_offline);
	if (ret < 0)
		goto err_cpuhp;
	takeover.cpuhp = ret;
	ret = register_reboot_notifier(&takeover_reboot_nb);
	if (ret)
		goto err_reboot;
	return 0;

err_reboot:
	cpuhp_remove_state(takeover.cpuhp);
err_cpuhp:
	cpu_pm_unregister_notifier(&takeover_pm_nb);
err_map:
	takeover_unmap();
	return ret;
}

void armvmm_takeover_exit(void)
{
	unregister_reboot_notifier(&takeover_reboot_nb);
	cpuhp_remove_state(takeover.cpuhp);
	cpu_pm_unregister_notifier(&takeover_pm_nb);
	takeover_unmap();
}
