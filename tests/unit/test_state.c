// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/libarmvmm/vm.c userspace/libarmvmm/vcpu.c userspace/libarmvmm/posted.c userspace/libarmvmm/gic.c
// sources: userspace/libarmvmm/regs.c userspace/libarmvmm/state.c
// cflags: -D_GNU_SOURCE -Iinclude/uapi -Iuserspace/libarmvmm/include -Idriver
// libs: -Wl,--wrap=ioctl,--wrap=open,--wrap=close,--wrap=mmap,--wrap=munmap
//
// Saving and restoring the state of a VM, against a kernel that remembers what
// it is told, and in which order.
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/armvmm.h>

#include "../guest/lib/board.h"
#include "../../userspace/libarmvmm/include/libarmvmm.h"
#include "ktap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define NR_VCPUS	2
#define NR_REGS		5
#define NR_SETS		4096

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *addr, size_t len);

static const uint64_t reg_ids[NR_REGS] = {
	0x4020000000100000,			/* r0 */
	0x4020000000100010,			/* cpsr */
	KVM_REG_ARM_TIMER_CNT,
	0x403000000012001f,			/* d31 */
	KVM_REG_ARM_TIMER_CVAL,
};

struct machine {
	uint64_t reg[NR_VCPUS][NR_REGS];
	uint32_t mp[NR_VCPUS];
	uint8_t serror[NR_VCPUS];
	uint32_t dist[NR_VCPUS][0x1080 / 4];
	uint32_t cpu[NR_VCPUS][0x100 / 4];
};

struct set {
	int what;		/* 'r'egister, 'd'istributor, 'c'pu interface, 'm'p */
	unsigned int vcpu;
	uint64_t id;
};

static struct {
	struct machine m;
	uint32_t nr_irqs;
	bool no_latch;		/* as KVM has it */
	unsigned int fail_after;	/* ioctls that set; 0: none fails */
	struct set set[NR_SETS];
	unsigned int nr_sets;
	uint64_t page[1024];
} k;

int __wrap_open(const char *path, int flags, ...)
{
	return 1000;
}

int __wrap_close(int fd)
{
	return 0;
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	return k.page;
}

int __wrap_munmap(void *addr, size_t len)
{
	return 0;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

static int note(int what, unsigned int vcpu, uint64_t id)
{
	if (k.fail_after && k.nr_sets + 1 >= k.fail_after)
		return fail(EINVAL);
	KTAP_TRUE(k.nr_sets < NR_SETS);
	k.set[k.nr_sets++] = (struct set){ what, vcpu, id };
	return 0;
}

static int device_attr(const struct kvm_device_attr *a, bool set)
{
	unsigned int vcpu = a->attr >> 32 & 0xff, offset = (uint32_t)a->attr;
	uint32_t *val = (uint32_t *)(uintptr_t)a->addr, *at;

	if (a->group == KVM_DEV_ARM_VGIC_GRP_NR_IRQS && !set) {
		*val = k.nr_irqs;
		return 0;
	}
	if (a->group != KVM_DEV_ARM_VGIC_GRP_DIST_REGS && a->group != KVM_DEV_ARM_VGIC_GRP_CPU_REGS)
		return 0;
	if (vcpu >= NR_VCPUS)
		return fail(EINVAL);
	if (k.no_latch && ((offset >= 0xd00 && offset < 0xe00) || offset >= 0x1000))
		return fail(ENXIO);
	at = a->group == KVM_DEV_ARM_VGIC_GRP_DIST_REGS ? &k.m.dist[vcpu][offset / 4] :
							   &k.m.cpu[vcpu][offset / 4];
	if (!set) {
		*val = *at;
		return 0;
	}
	*at = *val;
	return note(a->group == KVM_DEV_ARM_VGIC_GRP_DIST_REGS ? 'd' : 'c', vcpu, offset);
}

static int one_reg(unsigned int vcpu, const struct kvm_one_reg *one, bool set)
{
	size_t size = (one->id >> 52 & 15) == 2 ? 4 : 8;

	for (unsigned int i = 0; i < NR_REGS; i++) {
		if (reg_ids[i] != one->id)
			continue;
		if (set) {
			memcpy(&k.m.reg[vcpu][i], (void *)(uintptr_t)one->addr, size);
			return note('r', vcpu, one->id);
		}
		memcpy((void *)(uintptr_t)one->addr, &k.m.reg[vcpu][i], size);
		return 0;
	}
	return fail(ENOENT);
}

static int reg_list(struct kvm_reg_list *list)
{
	bool fits = list->n >= NR_REGS;

	list->n = NR_REGS;
	if (!fits)
		return fail(E2BIG);
	memcpy(list->reg, reg_ids, sizeof(reg_ids));
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	unsigned int vcpu = fd - 1010;
	struct kvm_vcpu_events *events;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	switch (request) {
	case KVM_GET_API_VERSION:
		return 12;
	case KVM_GET_VCPU_MMAP_SIZE:
		return 8192;
	case KVM_CREATE_VM:
		return 1001;
	case KVM_CREATE_DEVICE:
		((struct kvm_create_device *)arg)->fd = 1002;
		return 0;
	case KVM_CREATE_VCPU:
		return 1010 + (int)(uintptr_t)arg;
	case KVM_SET_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
		return device_attr(arg, request == KVM_SET_DEVICE_ATTR);
	case KVM_GET_REG_LIST:
		return reg_list(arg);
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		return one_reg(vcpu, arg, request == KVM_SET_ONE_REG);
	case KVM_GET_MP_STATE:
		*(uint32_t *)arg = k.m.mp[vcpu];
		return 0;
	case KVM_SET_MP_STATE:
		k.m.mp[vcpu] = *(uint32_t *)arg;
		return note('m', vcpu, 0);
	case KVM_GET_VCPU_EVENTS:
		((struct kvm_vcpu_events *)arg)->exception.serror_pending = k.m.serror[vcpu];
		return 0;
	case KVM_SET_VCPU_EVENTS:
		events = arg;
		KTAP_TRUE(!events->exception.ext_dabt_pending && !events->exception.serror_has_esr);
		k.m.serror[vcpu] = events->exception.serror_pending;
		return 0;
	}
	return fail(ENOTTY);
}

static struct armvmm_vm *make(unsigned int vcpus, unsigned int nr_irqs)
{
	struct armvmm_vcpu *vcpu;
	struct armvmm_vm *vm;

	memset(&k, 0, sizeof(k));
	k.nr_irqs = nr_irqs;
	KTAP_EQ(armvmm_vm_open(NULL, &vm), 0);
	if (nr_irqs)
		KTAP_EQ(armvmm_gic_create(vm, GICD_BASE, GICC_BASE, nr_irqs), 0);
	for (unsigned int i = 0; i < vcpus; i++)
		KTAP_EQ(armvmm_vcpu_create(vm, i, &vcpu), 0);
	return vm;
}

/* Each word gets another value, as far as its register permits. */
static void fill(void)
{
	uint32_t v = 1;

	for (unsigned int c = 0; c < NR_VCPUS; c++) {
		for (unsigned int i = 0; i < NR_REGS; i++)
			k.m.reg[c][i] = v++ * (reg_ids[i] >> 52 & 1 ? 0x10000000001ull : 1);
		k.m.mp[c] = c ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE;
		k.m.serror[c] = c;
		for (unsigned int i = 0; i < ARRAY_SIZE(k.m.dist[c]); i++)
			k.m.dist[c][i] = v++;
		for (unsigned int i = 0; i < 0x40; i++)
			k.m.cpu[c][i] = v++;
	}
}

/* The position of a set operation among all; ~0u: it did not happen. */
static unsigned int when(int what, unsigned int vcpu, uint64_t id)
{
	for (unsigned int i = 0; i < k.nr_sets; i++)
		if (k.set[i].what == what && k.set[i].vcpu == vcpu && k.set[i].id == id)
			return i;
	return ~0u;
}

static void check_dist(const struct machine *was, unsigned int vcpu, unsigned int offset)
{
	if (k.m.dist[vcpu][offset / 4] != was->dist[vcpu][offset / 4])
		KTAP_FAIL("GICD %03x of vCPU %u: %x", offset, vcpu, k.m.dist[vcpu][offset / 4]);
}

static void test_round_trip(void)
{
	/* Bytes for all 96 interrupts, and those that each vCPU has for itself. */
	static const struct { unsigned int base, size, private; } regs[] = {
		{ 0x080, 12, 4 }, { 0x100, 12, 4 }, { 0x300, 12, 4 }, { 0x400, 96, 32 },
		{ 0x820, 64, 0 }, { 0xc00, 24, 8 }, { 0xd00, 16, 16 }, { 0xd80, 12, 4 },
		{ 0xf20, 16, 16 }, { 0x1004, 8, 8 },
	};
	static const unsigned int cpu[] = { 0, 4, 8, 0x1c, 0xd0 };
	struct armvmm_vm *vm = make(2, 96);
	struct machine was;
	size_t size;
	void *data;

	fill();
	was = k.m;
	KTAP_EQ(armvmm_vm_state_save(vm, &data, &size), 0);
	KTAP_EQ(k.nr_sets, 0);
	armvmm_vm_close(vm);

	vm = make(2, 96);
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), 0);
	for (unsigned int c = 0; c < NR_VCPUS; c++) {
		KTAP_EQ(k.m.mp[c], was.mp[c]);
		KTAP_EQ(k.m.serror[c], was.serror[c]);
		for (unsigned int i = 0; i < NR_REGS; i++)
			if (c == 0 || reg_ids[i] != KVM_REG_ARM_TIMER_CNT)
				KTAP_EQ(k.m.reg[c][i], was.reg[c][i]);
		for (unsigned int i = 0; i < ARRAY_SIZE(cpu); i++)
			KTAP_EQ(k.m.cpu[c][cpu[i] / 4], was.cpu[c][cpu[i] / 4]);
		for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
			for (unsigned int o = 0; o < (c ? regs[i].private : regs[i].size); o += 4)
				check_dist(&was, c, regs[i].base + o);
	}

	/* First what others depend on; what clears before what sets; time last. */
	KTAP_EQ(when('d', 0, 0x008), 0);
	KTAP_TRUE(when('d', 0, 0x180) < when('d', 0, 0x100));
	KTAP_TRUE(when('d', 0, 0x384) < when('d', 0, 0x304));
	KTAP_TRUE(when('d', 1, 0xf10) < when('d', 1, 0xf20));
	KTAP_TRUE(when('d', 1, 0x300) < when('d', 1, 0xd00));
	KTAP_TRUE(when('d', 0, 0x824) < when('d', 0, 0x304));
	KTAP_TRUE(when('d', 0, 0x304) < when('d', 1, 0x1004));
	KTAP_TRUE(when('d', 0, 0x000) > when('d', 0, 0x104));
	KTAP_EQ(when('r', 0, KVM_REG_ARM_TIMER_CNT), k.nr_sets - 1);
	KTAP_EQ(when('r', 1, KVM_REG_ARM_TIMER_CNT), ~0u);
	KTAP_TRUE(when('m', 1, 0) > when('r', 1, KVM_REG_ARM_TIMER_CVAL));
	KTAP_EQ(k.m.dist[0][0x180 / 4], ~was.dist[0][0x100 / 4]);
	free(data);
	armvmm_vm_close(vm);
}

/* On a node of KVM's own, GICD_ISPENDR has what is pending. */
static void test_plain_kvm(void)
{
	struct armvmm_vm *vm = make(1, 64);
	struct machine was;
	size_t size;
	void *data;

	fill();
	k.m.serror[0] = 0;
	k.no_latch = true;
	was = k.m;
	KTAP_EQ(armvmm_vm_state_save(vm, &data, &size), 0);
	armvmm_vm_close(vm);
	vm = make(1, 64);
	k.no_latch = true;
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), 0);
	check_dist(&was, 0, 0x200);
	check_dist(&was, 0, 0x204);
	KTAP_TRUE(when('d', 0, 0x280) < when('d', 0, 0x200));
	free(data);
	armvmm_vm_close(vm);
}

static void test_refused(void)
{
	struct armvmm_vm *vm = make(0, 96);
	unsigned char *bytes;
	unsigned int sets;
	size_t size;
	void *data;

	KTAP_EQ(armvmm_vm_state_save(vm, &data, &size), (unsigned long long)-ENODEV);
	KTAP_TRUE(!data);
	armvmm_vm_close(vm);

	vm = make(2, 96);
	fill();
	KTAP_EQ(armvmm_vm_state_save(vm, &data, &size), 0);
	bytes = data;
	for (size_t n = 0; n < 200; n++)
		KTAP_EQ(armvmm_vm_state_restore(vm, data, n), (unsigned long long)-EBADMSG);
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size - 24), (unsigned long long)-EBADMSG);
	bytes[0] ^= 1;
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), (unsigned long long)-EBADMSG);
	bytes[0] ^= 1;
	bytes[8]++;
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), (unsigned long long)-EPROTONOSUPPORT);
	bytes[8]--;
	KTAP_EQ(k.nr_sets, 0);
	/* A record of an unknown kind, and one of a vCPU that does not exist. */
	bytes[24] = 99;
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), (unsigned long long)-EINVAL);
	bytes[24] = 3;
	bytes[28] = 200;
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), (unsigned long long)-EINVAL);
	bytes[28] = 0;
	k.nr_sets = 0;
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), 0);
	sets = k.nr_sets;
	/* The kernel refuses one: its error is returned, and nothing more is set. */
	for (unsigned int n = 1; n <= sets; n += 7) {
		k.nr_sets = 0;
		k.fail_after = n;
		KTAP_EQ(armvmm_vm_state_restore(vm, data, size), (unsigned long long)-EINVAL);
		KTAP_EQ(k.nr_sets, n - 1);
	}
	armvmm_vm_close(vm);

	vm = make(1, 96);
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), (unsigned long long)-ENXIO);
	armvmm_vm_close(vm);
	vm = make(2, 64);
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), (unsigned long long)-ENXIO);
	armvmm_vm_close(vm);
	vm = make(2, 0);
	KTAP_EQ(armvmm_vm_state_restore(vm, data, size), (unsigned long long)-ENXIO);
	KTAP_EQ(k.nr_sets, 0);
	armvmm_vm_close(vm);
	free(data);
}

KTAP_MAIN(KTAP_CASE(test_round_trip), KTAP_CASE(test_plain_kvm), KTAP_CASE(test_refused))
