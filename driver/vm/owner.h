/* SPDX-License-Identifier: GPL-2.0-only */
/* How many VMs each user of the host has. */
#ifndef ARMVMM_OWNER_H
#define ARMVMM_OWNER_H

#include <linux/uidgid.h>

struct file;

/*
 * Counts one VM more for the user who opened @node, and tells who that is. -EAGAIN: the user has as
 * many as the module's parameter max_vms_per_user allows. Or -ENOMEM. May sleep.
 */
int armvmm_owner_charge(struct file *node, kuid_t *owner);
/* One VM less. Never fails. */
void armvmm_owner_uncharge(kuid_t owner);

#endif
