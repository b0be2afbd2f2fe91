/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by fuzz.c, which makes the calls, and fuzzargs.c, which makes their arguments. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "dice.h"
#include "vm.h"

#define VCPUS		2
#define EVENTFDS	8
#define ATTACKERS	12
/* Memory of slots. The guest may write to all of it, so nothing else is near. */
#define POOL_USED	(8u << 20)
#define POOL_SIZE	(64u << 20)

/* The machine under attack. */
extern struct machine {
	struct vm vm;
	char *pool;		/* slots */
	char *edge;		/* the last bytes before what is not mapped */
	char *readonly;
	int event[EVENTFDS];
	uint64_t regs[512];	/* those that a vCPU has */
	uint32_t nr_regs;
	pthread_t thread[VCPUS + ATTACKERS];	/* runners, then attackers */
	uint64_t seed;
} m;

union argument {
	char bytes[64];
	uint32_t words[16];
	struct kvm_userspace_memory_region region;
	struct kvm_dirty_log log;
	struct kvm_clear_dirty_log clear;
	struct kvm_irq_level line;
	struct kvm_irqfd irqfd;
	struct kvm_ioeventfd ioeventfd;
	struct kvm_msi msi;
	struct kvm_create_device device;
	struct kvm_coalesced_mmio_zone zone;
	struct armvmm_mirror mirror;
	struct armvmm_range range;
	struct kvm_arm_device_addr addr;
	struct kvm_vcpu_init init;
	struct kvm_enable_cap cap;
	struct kvm_one_reg reg;
	struct kvm_mp_state mp;
	struct kvm_vcpu_events events;
	struct kvm_device_attr attr;
	struct kvm_guest_debug debug;
	struct kvm_signal_mask mask;
	struct kvm_reg_list list;
	struct kvm_irq_routing routing;
	char room[4096];
};

enum on { ON_SYS, ON_VM, ON_VCPU, ON_GIC, ON_KINDS };

struct op {
	enum on on;
	unsigned long request;
	const char *name;
	/* Fills in @a, and returns the ioctl's argument. */
	uintptr_t (*make)(struct dice *d, union argument *a);
	/* How often it is called compared with others: more often if it seldom succeeds. */
	unsigned int weight;
#define MAX_WEIGHT	6
	int never;		/* errno that even the best argument gets, 0: it can succeed */
};
extern const struct op ops[];
extern const unsigned int nr_ops;

/* A number that is likely to test a limit. */
uint64_t odd_number(struct dice *d);
/* A pointer that the kernel may or may not access: what it writes there harms nobody. */
void *pointer(struct dice *d);

#endif /* TEST_FUZZ_H */
