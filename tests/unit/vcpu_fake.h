/* SPDX-License-Identifier: GPL-2.0-only */
/* One vCPU and its VM, for tests of what the driver does to them: nothing else runs. */
#ifndef TESTS_UNIT_VCPU_FAKE_H
#define TESTS_UNIT_VCPU_FAKE_H

#include "core/state.h"

struct task_struct *fake_current;
bool fake_in_irq;

static struct armvmm_vm vm __attribute__((unused));
static struct armvmm_vcpu vcpu;
static struct hyp_vcpu hyp;
/* The page that the client maps. */
static union {
	struct kvm_run run;
	u8 bytes[4096];
} page __attribute__((unused));

#endif
