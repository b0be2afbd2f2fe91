/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that touches pages of a slot at AREA, word by word, as its client asks. */
#ifndef TEST_TOUCH_H
#define TEST_TOUCH_H

#include "vm.h"

#define PAGE	4096u
#define AREA	0x80000000u
#define SLOT	1u

/* Writes r3 at r2 (or reads there), then reports; and again when the client has set r2 anew. */
GUEST_CODE(poke, "ldr r1, =DEV_BASE\n1:\tstr r3, [r2]\n\tstr r3, [r1]\n\tb 1b");
GUEST_CODE(peek, "ldr r1, =DEV_BASE\n1:\tldr r0, [r2]\n\tstr r0, [r1]\n\tb 1b");

static int run(struct vm *vm, unsigned int page, uint32_t value)
{
	reg32_set(vm->vcpu[0].fd, REG_R(2), AREA + page * PAGE);
	reg32_set(vm->vcpu[0].fd, REG_R(3), value);
	return ioctl(vm->vcpu[0].fd, KVM_RUN, 0);
}

static void poke(struct vm *vm, unsigned int page, uint32_t value)
{
	VM_CODE(vm, 0, poke);
	CHECK_OK(run(vm, page, value));
	CHECK(vm->vcpu[0].run->mmio.phys_addr == DEV_BASE, "page %u", page);
}

static uint32_t peek(struct vm *vm, unsigned int page)
{
	uint32_t v;

	VM_CODE(vm, 0, peek);
	CHECK_OK(run(vm, page, 0));
	CHECK(vm->vcpu[0].run->mmio.phys_addr == DEV_BASE, "page %u", page);
	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	return v;
}

#endif
