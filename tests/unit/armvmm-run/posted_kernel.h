/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel below core/posted.c, which the test links (-DREAL_POSTED): a ring of writes, zones,
 * and one mirror, as libarmvmm shows them.
 */
#ifndef TESTS_UNIT_POSTED_KERNEL_H
#define TESTS_UNIT_POSTED_KERNEL_H

#include <libarmvmm.h>
#include <string.h>

#include "ktap.h"
#include "core/machine_private.h"

static struct {
	struct machine_private private;
	bool old;		/* a module without mirrors */
	int add_errno, set_errno;
	unsigned int zone;	/* how many there are */
	struct {
		uint64_t gpa;
		uint32_t size;
	} zones[4];
	unsigned int adds, dels, sets;
	struct armvmm_posted_write ring[ARMVMM_POSTED_MAX];
	unsigned int first, last;
	void (*in_add)(void);	/* what another vCPU does meanwhile */
	void (*in_del)(void);
	void (*in_set)(void);
	void (*in_done)(void);
	bool mirror;
	uint64_t mirror_gpa;
	uint32_t flags;		/* the mirror's value */
} kernel;

#define RING	ARMVMM_POSTED_MAX

unsigned int armvmm_vm_mirrors(struct armvmm_vm *vm)
{
	return kernel.old ? 0 : 64;
}

int armvmm_mirror_set(struct armvmm_vm *vm, uint64_t gpa, unsigned int size, uint32_t value)
{
	KTAP_TRUE(!kernel.mirror || kernel.mirror_gpa == gpa);
	KTAP_EQ(size, 4);
	if (kernel.set_errno)
		return -kernel.set_errno;
	kernel.mirror = true;
	kernel.mirror_gpa = gpa;
	kernel.flags = value;
	kernel.sets++;
	if (kernel.in_set)
		kernel.in_set();
	return 0;
}

int armvmm_mirror_del(struct armvmm_vm *vm, uint64_t gpa, unsigned int size)
{
	KTAP_TRUE(kernel.mirror && kernel.mirror_gpa == gpa && size == 4);
	kernel.mirror = false;
	return 0;
}

int armvmm_posted_add(struct armvmm_vm *vm, uint64_t gpa, uint32_t size)
{
	KTAP_TRUE(kernel.zone < 4);
	for (unsigned int i = 0; i < kernel.zone; i++)
		KTAP_TRUE(kernel.zones[i].gpa != gpa);
	if (kernel.add_errno)
		return -kernel.add_errno;
	kernel.adds++;
	kernel.zones[kernel.zone].gpa = gpa;
	kernel.zones[kernel.zone++].size = size;
	if (kernel.in_add)
		kernel.in_add();
	return 0;
}

int armvmm_posted_del(struct armvmm_vm *vm, uint64_t gpa, uint32_t size)
{
	unsigned int i = 0;

	if (kernel.in_del)
		kernel.in_del();
	while (i < kernel.zone && kernel.zones[i].gpa != gpa)
		i++;
	KTAP_TRUE(i < kernel.zone && kernel.zones[i].size == size);
	kernel.zones[i] = kernel.zones[--kernel.zone];
	kernel.dels++;
	return 0;
}

unsigned int armvmm_posted_peek(struct armvmm_vm *vm, const struct armvmm_posted_write **writes)
{
	*writes = &kernel.ring[kernel.first];
	return (kernel.last >= kernel.first ? kernel.last : RING) - kernel.first;
}

void armvmm_posted_done(struct armvmm_vm *vm, unsigned int n)
{
	kernel.first = (kernel.first + n) % RING;
	if (kernel.in_done)
		kernel.in_done();
}

/* A write of the guest's. Returns whether the kernel posts it. */
static inline bool post(uint64_t gpa, unsigned int len, uint32_t value)
{
	struct armvmm_posted_write *w = &kernel.ring[kernel.last];
	bool takes = false;

	for (unsigned int i = 0; i < kernel.zone; i++)
		takes |= gpa >= kernel.zones[i].gpa &&
			 gpa + len <= kernel.zones[i].gpa + kernel.zones[i].size;
	if (!takes || (kernel.last + 1) % RING == kernel.first)
		return false;
	*w = (struct armvmm_posted_write){ .gpa = gpa, .len = len };
	memcpy(w->data, &value, len);
	kernel.last = (kernel.last + 1) % RING;
	return true;
}

/* The machine has a VM on this kernel. */
static inline void kernel_init(struct machine *m, bool old)
{
	memset(&kernel, 0, sizeof(kernel));
	pthread_mutex_init(&kernel.private.posted_lock, NULL);
	kernel.private.posted_timer = -1;
	kernel.private.vm = (struct armvmm_vm *)&kernel;
	kernel.old = old;
	m->priv = &kernel.private;
}

/* The VM is closed, and what was posted goes with it. */
static inline void kernel_lose_vm(struct machine *m)
{
	kernel.private.vm = NULL;
	posted_disconnected(m);
	kernel.dels += kernel.zone;
	kernel.zone = 0;
	kernel.mirror = false;
	kernel.first = kernel.last;
}

/* The devices are gone: nothing is left in the kernel. */
static inline void kernel_exit(void)
{
	KTAP_EQ(kernel.zone, 0);
	KTAP_EQ(kernel.adds, kernel.dels);
	KTAP_EQ(kernel.private.nr_posted, 0);
	KTAP_EQ(kernel.private.nr_timed, 0);
	KTAP_EQ(kernel.first, kernel.last);
	pthread_mutex_destroy(&kernel.private.posted_lock);
}

#endif /* TESTS_UNIT_POSTED_KERNEL_H */
