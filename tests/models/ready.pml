/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first KVM_RUN against the others: a vCPU that finds vgic.ready set, and so takes no lock,
 * finds GICV mapped, and whether HYP mode answers for the distributor. Six more words are read in
 * the same way, by who takes no lock: what was made before is seen with them. vgic.initialized: all
 * interrupts; online_vcpus: the vCPUs below it; resample_at: empty lists; pmu, by its address: its
 * lock and interrupt; mode, of a vCPU that is outside: its registers as the guest left them;
 * used_lrs: what HYP mode is to load.
 *
 * Stores wait in buffers, one for each variable; a load may be made before earlier ones (DDI 0406C
 * A3.8).
 */
/* code: init_map: armvmm_iobus_register(vm, ARMVMM_IOBUS_GICD, &vgic->dist_iodev); */
/* code: init_map: ret = armvmm_stage2_map_device(vm, vgic->cpu_base */
/* code: init_map: armvmm_vgic_slots_changed(vm, false); */
/* code: init_map: smp_store_release(&vgic->ready, true); */
/* code: armvmm_vgic_map_resources: if (smp_load_acquire(&vm->vgic.ready)) */
/* code: run_first: ret = armvmm_vgic_map_resources(vcpu->vm); */
/* code: armvmm_vgic_init_locked: init_dist(vm, (struct hyp_dist *)&vgic->spis[n]); */
/* code: armvmm_vgic_init_locked: smp_store_release(&vgic->initialized, true); */
/* code: inject_get: if (!smp_load_acquire(&vm->vgic.initialized) */
/* code: armvmm_vcpu_create: vm->vcpus[vm->online_vcpus] = vcpu; */
/* code: armvmm_vcpu_create: smp_store_release(&vm->online_vcpus, vm->online_vcpus + 1); */
/* code: armvmm_vcpus_online: return smp_load_acquire(&vm->online_vcpus); */
/* code: irqfd_resample_prepare: at = kvcalloc(GIC_MAX_IRQS, sizeof(*at), GFP_KERNEL_ACCOUNT); */
/* code: irqfd_resample_prepare: smp_store_release(&e->resample_at, at); */
/* code: irqfd_ended: struct hlist_head *at = smp_load_acquire(&vm->eventfds->resample_at); */
/* code: run_enter: code = armvmm_hyp_call(HYP_CALL_RUN, (u32)vcpu->hyp, 0); */
/* code: run_enter: smp_store_release(&vcpu->mode, VCPU_OUTSIDE); */
/* code: armvmm_in_guest_call: if (smp_load_acquire(&vcpu->mode) == VCPU_OUTSIDE) */
/* fault: NO_RELEASE init_map() sets ready in no order to what it did before */
/* fault: NO_ACQUIRE armvmm_vgic_map_resources() reads ready in no order to what comes next */

bool made, ready;
bool made_wait, ready_wait;

active proctype drain()
{
end:	do
	:: made_wait -> d_step { made = true; made_wait = false }
	:: ready_wait -> d_step { ready = true; ready_wait = false }
	od
}

active proctype first()
{
	made_wait = true;
#ifndef NO_RELEASE
	!made_wait;
#endif
	ready_wait = true
}

active proctype other()
{
	bool early, seen;

#ifdef NO_ACQUIRE
	if
	:: early = true; seen = made
	:: true
	fi;
#endif
	if
	:: ready ->
		if
		:: early
		:: else -> seen = made
		fi;
		assert(seen)
	:: !ready	/* it takes vm->lock, and waits for the first */
	fi
}
