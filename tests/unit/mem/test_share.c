// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mem/stage2_vm.c
// cflags: -include tests/unit/mem_fake.h -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
/*
 * HYP's memory, stage 2 and their walks are shareable where the kernel's memory is, and only there:
 * a kernel without SMP, or that found one CPU, maps its memory non-shareable (DDI 0406C A3.5.7).
 * The fields' values are the manual's: B3.6.2, B4.1.159.
 */
#include "ktap.h"

#include "host/hypmap_desc.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"

pgprot_t pgprot_kernel;
struct task_struct *fake_current;
bool fake_in_irq;

static struct armvmm_vm vm;

/* --- what a VM that is made and released calls --- */

int armvmm_stage2_host_vm_init(struct armvmm_vm *of)
{
	return 0;
}

void armvmm_stage2_host_vm_release(struct armvmm_vm *of)
{
}

void armvmm_stage2_host_vm_destroy(struct armvmm_vm *of)
{
}

void armvmm_stage2_unmap(struct armvmm_vm *of, u64 ipa, u64 size)
{
}

void armvmm_stage2_flush_caches(struct armvmm_vm *of)
{
}

void smp_call_function_single(int cpu, void (*fn)(void *), void *arg, int wait)
{
}

/* --- cases --- */

#define DESC_SH(desc)	((desc) >> 8 & 3)

/* All that is made while the kernel's memory is as it is now. */
static void made(unsigned int sh)
{
	KTAP_EQ(armvmm_stage2_vtcr() >> 12 & 3, sh);
	KTAP_EQ(armvmm_stage2_vtcr() & ~(3u << 12), STAGE2_VTCR);
	memset(&vm, 0, sizeof(vm));
	KTAP_EQ(armvmm_stage2_vm_init(&vm), 0);
	KTAP_EQ(vm.stage2.sh, sh << 8);
	armvmm_stage2_vm_release(&vm);
	armvmm_stage2_vm_destroy(&vm);
	KTAP_EQ(DESC_SH(hypmap_prot_desc(HYPMAP_TEXT)), sh);
	KTAP_EQ(DESC_SH(hypmap_prot_desc(HYPMAP_DATA)), sh);
	/* Device memory is shareable as it is. */
	KTAP_EQ(DESC_SH(hypmap_prot_desc(HYPMAP_DEVICE)), 0);
}

static void test_shared(void)
{
	/* Inner Shareable, beside what else the kernel's entries say. */
	pgprot_kernel.pgprot = L_PTE_SHARED | L_PTE_YOUNG | L_PTE_DIRTY | L_PTE_MT_WRITEALLOC;
	made(3);
}

static void test_unshared(void)
{
	pgprot_kernel.pgprot = L_PTE_YOUNG | L_PTE_DIRTY | L_PTE_MT_WRITEBACK;
	made(0);
}

KTAP_MAIN(KTAP_CASE(test_shared), KTAP_CASE(test_unshared))
