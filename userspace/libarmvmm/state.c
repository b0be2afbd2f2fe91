// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a VM as records, in the order in which they are restored. First the GIC, beginning
 * with what the rest of it depends on; then the vCPUs with their power state; last the counter, as
 * the guest's time starts to run then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/gic.h"
#include "internal.h"

#define STATE_MAGIC	0x6574617473767261ull	/* "arvstate" */
#define STATE_VERSION	1

enum state_type {
	STATE_REG,		/* id: of KVM_SET_ONE_REG */
	STATE_EVENTS,		/* value: serror_pending */
	STATE_MP,		/* value: KVM_MP_STATE_* */
	STATE_GIC_DIST,		/* id: offset */
	STATE_GIC_CPU,
	STATE_COUNTER,		/* value: CNTVCT */
};

/* All little-endian, as every host of this library is. */
struct state_head {
	uint64_t magic;
	uint32_t version;
	uint32_t nr_records;
	uint32_t vcpus;		/* bit n: there is a vCPU n */
	uint32_t nr_irqs;	/* 0: no GIC */
};

struct state_record {
	uint32_t type;
	uint32_t vcpu;
	uint64_t id;
	uint64_t value;
};

struct state {
	struct armvmm_vm *vm;
	struct state_head head;
	struct state_record *records;
	size_t room;
};

/* More than any vCPU has. */
#define STATE_MAX_REGS		512

/* --- saving --- */

static int state_add(struct state *s, enum state_type type, unsigned int vcpu, uint64_t id,
		     uint64_t value)
{
	if (s->head.nr_records == s->room) {
		size_t room = s->room ? 2 * s->room : 512;
		struct state_record *more = realloc(s->records, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->records = more;
		s->room = room;
	}
	s->records[s->head.nr_records++] = (struct state_record){
		.type = type, .vcpu = vcpu, .id = id, .value = value,
	};
	return 0;
}

static int state_add_gic(struct state *s, enum armvmm_gic_bank bank, unsigned int vcpu,
			 unsigned int offset)
{
	uint32_t value;
	int ret = armvmm_gic_reg_get(s->vm, bank, vcpu, offset, &value);

	if (ret)
		return ret;
	return state_add(s, bank == ARMVMM_GIC_CPU ? STATE_GIC_CPU : STATE_GIC_DIST, vcpu, offset,
			 value);
}

/* Registers at @base with @bits for each interrupt: those of the 32 interrupts from @first on. */
static int state_add_32(struct state *s, unsigned int vcpu, unsigned int base, unsigned int bits,
			unsigned int first)
{
	int ret = 0;

	for (unsigned int i = 0; i < bits && !ret; i++)
		ret = state_add_gic(s, ARMVMM_GIC_DIST, vcpu, base + first * bits / 8 + 4 * i);
	return ret;
}

/* Saves what is pending apart from its line, if the node can tell; else all that is pending. */
static int state_add_pending(struct state *s, unsigned int vcpu, unsigned int first)
{
	int ret = state_add_32(s, vcpu, ARMVMM_GICD_LATCH, 1, first);

	return ret == -ENXIO ? state_add_32(s, vcpu, GICD_ISPENDR, 1, first) : ret;
}

static int state_add_irqs(struct state *s, unsigned int vcpu, unsigned int first)
{
	int ret = state_add_32(s, vcpu, GICD_IGROUPR, 1, first);

	if (!ret)
		ret = state_add_32(s, vcpu, GICD_ICFGR, 2, first);
	if (!ret)
		ret = state_add_32(s, vcpu, GICD_IPRIORITYR, 8, first);
	if (!ret && first)
		ret = state_add_32(s, vcpu, GICD_ITARGETSR, 8, first);
	if (!ret)
		ret = state_add_pending(s, vcpu, first);
	if (!ret)
		ret = state_add_32(s, vcpu, GICD_ISACTIVER, 1, first);
	if (!ret)
		ret = state_add_32(s, vcpu, GICD_ISENABLER, 1, first);
	return ret;
}

static int state_add_private(struct state *s, unsigned int vcpu)
{
	static const unsigned int cpu[] = { GICC_PMR, GICC_BPR, GICC_ABPR, GICC_APR0, GICC_CTLR };
	int ret = state_add_irqs(s, vcpu, 0);

	for (unsigned int i = 0; i < 4 && !ret; i++) {
		ret = state_add_gic(s, ARMVMM_GIC_DIST, vcpu, GICD_SPENDSGIR + 4 * i);
		if (!ret)
			ret = state_add_gic(s, ARMVMM_GIC_DIST, vcpu,
					    ARMVMM_GICD_SGI_ACTIVE + 4 * i);
		if (ret == -ENXIO)
			ret = 0;
	}
	for (unsigned int i = 0; i < sizeof(cpu) / sizeof(cpu[0]) && !ret; i++)
		ret = state_add_gic(s, ARMVMM_GIC_CPU, vcpu, cpu[i]);
	return ret;
}

/* Saves on which vCPU SPIs are active, if the node can tell: that is not always their target. */
static int state_add_holders(struct state *s, unsigned int vcpu)
{
	int ret = 0;

	for (unsigned int first = 32; first < s->head.nr_irqs && !ret; first += 32) {
		unsigned int offset = ARMVMM_GICD_HOLDER + first / 8;
		uint32_t value;

		ret = armvmm_gic_reg_get(s->vm, ARMVMM_GIC_DIST, vcpu, offset, &value);
		if (!ret && value)
			ret = state_add(s, STATE_GIC_DIST, vcpu, offset, value);
	}
	return ret == -ENXIO ? 0 : ret;
}

static int state_save_gic(struct state *s)
{
	/* IIDR comes first: its revision tells the node to restore groups. */
	int ret = state_add_gic(s, ARMVMM_GIC_DIST, 0, GICD_IIDR);

	for (unsigned int v = 0; v < VM_MAX_VCPUS && !ret; v++)
		if (s->vm->vcpu[v])
			ret = state_add_private(s, v);
	for (unsigned int first = 32; first < s->head.nr_irqs && !ret; first += 32)
		ret = state_add_irqs(s, 0, first);
	for (unsigned int v = 0; v < VM_MAX_VCPUS && !ret; v++)
		if (s->vm->vcpu[v])
			ret = state_add_holders(s, v);
	return ret ? ret : state_add_gic(s, ARMVMM_GIC_DIST, 0, GICD_CTLR);
}

static bool state_is_counter(uint64_t id)
{
	return id == KVM_REG_ARM_TIMER_CNT || id == KVM_REG_ARM_PTIMER_CNT;
}

static int state_save_vcpu(struct state *s, struct armvmm_vcpu *vcpu)
{
	struct kvm_vcpu_events events = { 0 };
	uint64_t ids[STATE_MAX_REGS], value;
	uint32_t mp;
	int ret, n = armvmm_vcpu_reg_list(vcpu, ids, STATE_MAX_REGS);

	if (n < 0)
		return n;
	if (n > STATE_MAX_REGS)
		return -E2BIG;
	for (int i = 0; i < n; i++) {
		/* A VM has one counter, which runs on: it is saved separately. */
		if (state_is_counter(ids[i]))
			continue;
		ret = armvmm_vcpu_reg_id_get(vcpu, ids[i], &value);
		if (!ret)
			ret = state_add(s, STATE_REG, vcpu->index, ids[i], value);
		if (ret)
			return ret;
	}
	ret = vm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
	if (!ret && events.exception.serror_pending)
		ret = state_add(s, STATE_EVENTS, vcpu->index, 0, 1);
	if (!ret)
		ret = armvmm_vcpu_mp_state_get(vcpu, &mp);
	return ret ? ret : state_add(s, STATE_MP, vcpu->index, 0, mp);
}

static uint32_t state_vcpus(const struct armvmm_vm *vm)
{
	uint32_t mask = 0;

	for (unsigned int v = 0; v < VM_MAX_VCPUS; v++)
		mask |= (vm->vcpu[v] ? 1u : 0) << v;
	return mask;
}

static int state_nr_irqs(const struct armvmm_vm *vm, uint32_t *n)
{
	struct kvm_device_attr attr = {
		.group = KVM_DEV_ARM_VGIC_GRP_NR_IRQS,
		.addr = (uintptr_t)n,
	};

	*n = 0;
	return vm->gic_fd < 0 ? 0 : vm_ioctl(vm->gic_fd, KVM_GET_DEVICE_ATTR, &attr);
}

int armvmm_vm_state_save(struct armvmm_vm *vm, void **data, size_t *size)
{
	struct state s = { .vm = vm };
	uint64_t counter = 0;
	size_t bytes;
	int ret;

	*data = NULL;
	s.head = (struct state_head){
		.magic = STATE_MAGIC, .version = STATE_VERSION, .vcpus = state_vcpus(vm),
	};
	if (!(s.head.vcpus & 1))
		return -ENODEV;
	ret = armvmm_vcpu_reg_id_get(vm->vcpu[0], KVM_REG_ARM_TIMER_CNT, &counter);
	if (!ret)
		ret = state_nr_irqs(vm, &s.head.nr_irqs);
	if (!ret && s.head.nr_irqs)
		ret = state_save_gic(&s);
	for (unsigned int v = 0; v < VM_MAX_VCPUS && !ret; v++)
		if (vm->vcpu[v])
			ret = state_save_vcpu(&s, vm->vcpu[v]);
	if (!ret)
		ret = state_add(&s, STATE_COUNTER, 0, 0, counter);
	if (ret)
		goto out;

	bytes = s.head.nr_records * sizeof(s.records[0]);
	*data = malloc(sizeof(s.head) + bytes);
	if (!*data) {
		ret = -ENOMEM;
		goto out;
	}
	memcpy(*data, &s.head, sizeof(s.head));
	memcpy((char *)*data + sizeof(s.head), s.records, bytes);
	*size = sizeof(s.head) + bytes;
out:
	free(s.records);
	return ret;
}

/* --- restoring --- */

/* Where a register can only set bits, its counterpart clears the others first. */
static int state_set_dist(struct armvmm_vm *vm, const struct state_record *r)
{
	static const struct {
		unsigned int set, clear, size;
	} pairs[] = {
		{ GICD_ISENABLER, GICD_ICENABLER, 0x80 }, { GICD_ISPENDR, GICD_ICPENDR, 0x80 },
		{ GICD_ISACTIVER, GICD_ICACTIVER, 0x80 }, { GICD_SPENDSGIR, GICD_CPENDSGIR, 16 },
	};

	for (unsigned int i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		int ret;

		if (r->id - pairs[i].set >= pairs[i].size)
			continue;
		ret = armvmm_gic_reg_set(vm, ARMVMM_GIC_DIST, r->vcpu,
					 r->id - pairs[i].set + pairs[i].clear,
					 ~(uint32_t)r->value);
		if (ret)
			return ret;
	}
	return armvmm_gic_reg_set(vm, ARMVMM_GIC_DIST, r->vcpu, r->id, r->value);
}

static int state_set(struct armvmm_vm *vm, const struct state_record *r)
{
	struct armvmm_vcpu *vcpu = r->vcpu < VM_MAX_VCPUS ? vm->vcpu[r->vcpu] : NULL;
	struct kvm_vcpu_events events = { .exception.serror_pending = 1 };

	if (!vcpu)
		return -EINVAL;
	switch (r->type) {
	case STATE_REG:
		return armvmm_vcpu_reg_id_set(vcpu, r->id, r->value);
	case STATE_EVENTS:
		return vm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	case STATE_MP:
		return armvmm_vcpu_mp_state_set(vcpu, r->value);
	case STATE_GIC_DIST:
		return state_set_dist(vm, r);
	case STATE_GIC_CPU:
		return armvmm_gic_reg_set(vm, ARMVMM_GIC_CPU, r->vcpu, r->id, r->value);
	case STATE_COUNTER:
		return armvmm_vcpu_reg_id_set(vcpu, KVM_REG_ARM_TIMER_CNT, r->value);
	default:
		return -EINVAL;
	}
}

int armvmm_vm_state_restore(struct armvmm_vm *vm, const void *data, size_t size)
{
	struct state_head head;
	struct state_record r;
	uint32_t nr_irqs;
	int ret;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	if (head.magic != STATE_MAGIC || head.nr_records != (size - sizeof(head)) / sizeof(r) ||
	    (size - sizeof(head)) % sizeof(r))
		return -EBADMSG;
	if (head.version != STATE_VERSION)
		return -EPROTONOSUPPORT;
	ret = state_nr_irqs(vm, &nr_irqs);
	if (ret)
		return ret;
	if (head.vcpus != state_vcpus(vm) || head.nr_irqs != nr_irqs)
		return -ENXIO;

	for (uint32_t i = 0; i < head.nr_records && !ret; i++) {
		memcpy(&r, (const char *)data + sizeof(head) + i * sizeof(r), sizeof(r));
		ret = state_set(vm, &r);
	}
	return ret;
}
