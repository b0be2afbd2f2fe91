/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU before a device: two pages of RAM, a bus in the kernel, a client's page. */
#ifndef TESTS_UNIT_MMIO_FAKE_H
#define TESTS_UNIT_MMIO_FAKE_H

#include "fake/fake_kernel.h"

#include "arch/archregs.h"
#include "arch/exception.h"
#include "core/inject.h"
#include "core/iobus.h"
#include "core/state.h"
#include "ktap.h"
#include "mem/guest_ram.h"
#include "mem/memslot.h"
#include "mmio/mmio.h"
#include "vcpu_fake.h"
#include "mem/stage2_host.h"

const bool armvmm_stage2_host_syncs = true;

/* --- the driver's other nouns --- */

static u8 bus_data[8];
static unsigned int bus_len, bus_reads, bus_writes;
static u64 bus_addr;
static bool bus_takes, ram_fails;
static unsigned int aborts;

/* Two pages of RAM: code at 0x8000, data at 0x9000. No other address is RAM. */
#define RAM_BASE	0x8000u
#define RAM_DATA	0x9000u
#define DEVICE		0xa000u
static union {
	u8 bytes[0x2000];
	u16 half[0x1000];
	u32 word[0x800];
} ram;
static struct armvmm_memslot slot = { .base_gfn = RAM_BASE >> PAGE_SHIFT, .npages = 2 };

struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *v, u64 gfn)
{
	slot.userspace_addr = (unsigned long)&ram;
	return gfn - slot.base_gfn < slot.npages ? &slot : NULL;
}

int armvmm_guest_ram(struct armvmm_vcpu *v, u64 ipa, void *buf, unsigned int len, bool write)
{
	if (!armvmm_memslot_find(v->vm, ipa >> PAGE_SHIFT))
		return 0;
	if (ram_fails)
		return -EFAULT;
	KTAP_TRUE(offset_in_page(ipa) + len <= PAGE_SIZE);
	if (write)
		memcpy(&ram.bytes[ipa - RAM_BASE], buf, len);
	else
		memcpy(buf, &ram.bytes[ipa - RAM_BASE], len);
	return 1;
}

void armvmm_inject_dabt(struct armvmm_vcpu *v, u32 far)
{
	aborts++;
}

int armvmm_iobus_read(struct armvmm_vcpu *v, u64 addr, unsigned int len, void *val)
{
	if (!bus_takes)
		return -EOPNOTSUPP;
	bus_addr = addr;
	bus_len = len;
	bus_reads++;
	memcpy(val, bus_data, len);
	return 0;
}

int armvmm_iobus_write(struct armvmm_vcpu *v, u64 addr, unsigned int len, const void *val)
{
	if (!bus_takes)
		return -EOPNOTSUPP;
	bus_addr = addr;
	bus_len = len;
	bus_writes++;
	memset(bus_data, 0, sizeof(bus_data));
	memcpy(bus_data, val, len);
	return 0;
}

#define REG(n)	(*armvmm_exception_reg(&hyp.regs, (n)))
#define PC	REG(15)

static void reset(u32 cpsr)
{
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&hyp, 0, sizeof(hyp));
	memset(&page, 0, sizeof(page));
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	vcpu.run = &page.run;
	hyp.regs.usr_regs.ARM_cpsr = CPSR_M_SVC | cpsr;
	PC = 0x8000;
	memset(&ram, 0, sizeof(ram));
	memset(bus_data, 0, sizeof(bus_data));
	bus_takes = ram_fails = false;
	bus_reads = bus_writes = aborts = 0;
}

static u32 syndrome(unsigned int sas, unsigned int rt, bool write, bool sign)
{
	return (u32)HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_ISV | sas << 22 |
	       (sign ? HSR_DABT_SSE : 0) |
	       rt << 16 | (write ? HSR_DABT_WNR : 0) | 7;
}

#endif
