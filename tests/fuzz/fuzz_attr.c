// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/attr.c driver/vgic/ap.c
// cflags: -Itests/unit/fake -Iinclude/uapi -Idriver -I.
/*
 * A client that tries everything with the vGIC's attributes, before and after init, with running
 * vCPUs and with vCPUs that do not exist (docs/hazards.md 2).
 */
#include "vgic_fuzz.h"

static struct kvm_device_attr attr_next(struct fuzz *f)
{
	u16 bits = fuzz_u16(f);
	u32 offset = fuzz_u16(f);

	/* Most are near valid ones: an attribute with all parts random is refused at once. */
	return (struct kvm_device_attr){
		.group = bits & 0x8000 ? bits : bits & 7,
		.attr = (bits & 0x4000 ? (u64)fuzz_u32(f) << 32 : (u64)(bits >> 3 & 0xf) << 32) |
			(bits & 0x2000 ? offset : offset & 0xfff),
	};
}

static void act(struct armvmm_vm *vm, struct fuzz *f)
{
	struct kvm_device_attr attr;
	struct armvmm_vcpu *vcpu;
	u8 what = fuzz_u8(f);
	bool was_whole = vm->vgic.initialized;
	u64 *user;
	int has, ret;

	vcpu = vm->vcpus[(what >> 4) % (unsigned int)vm->online_vcpus];
	if ((what & 0xf) == 0xf) {
		if (vm->vgic.initialized && !fake_cpus[vcpu->index].in_guest)
			fake_enter(vcpu);
		return;
	}
	if ((what & 0xf) == 0xe) {
		armvmm_vgic_inject(vm, vcpu, fuzz_u16(f) & 0x3ff, what & 0x10, NULL);
		return;
	}
	/* Access to registers is refused while a vCPU runs, so stop them first. */
	fake_busy = 0;
	for (int i = 0; i < vm->online_vcpus; i++)
		fake_exit(vm->vcpus[i]);

	attr = attr_next(f);
	user = malloc(sizeof(*user));	/* of the exact size, for ASan to guard */
	fuzz_bytes(f, user, sizeof(*user));
	attr.addr = (unsigned long)user;
	has = armvmm_vgic_has_attr(vm, &attr);
	if (what & 1)
		ret = armvmm_vgic_set_attr(vm, &attr);
	else
		ret = armvmm_vgic_get_attr(vm, &attr);
	FUZZ_MUST(ret <= 0);
	/* The first access to a register initializes the vGIC, which then has more attributes. */
	FUZZ_MUST(ret || !has || !was_whole);
	free(user);
	vgic_fuzz_check(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	u8 shape = fuzz_u8(&f);
	struct armvmm_vm *vm = fake_create(1 + shape % ARMVMM_MAX_VCPUS, 0, 1 + (shape >> 6));

	if (shape & 8) {
		mutex_lock(&vm->lock);
		FUZZ_MUST(!armvmm_vgic_create(vm));
		mutex_unlock(&vm->lock);
	}
	while (f.len)
		act(vm, &f);
	vgic_fuzz_end(vm);
	return 0;
}
