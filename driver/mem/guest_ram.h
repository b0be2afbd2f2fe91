/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest RAM that the kernel reads and writes in the guest's place. */
#ifndef ARMVMM_GUEST_RAM_H
#define ARMVMM_GUEST_RAM_H

#include <linux/types.h>

struct armvmm_vcpu;

/*
 * @len bytes at @ipa, within one page: guest RAM to @buf, or back where @write. 1, 0 where there is
 * no RAM (or only such as the guest may not write), -EFAULT where the client has no memory behind
 * it. vm->srcu held, may sleep.
 */
int armvmm_guest_ram(struct armvmm_vcpu *vcpu, u64 ipa, void *buf, unsigned int len, bool write);

#endif
