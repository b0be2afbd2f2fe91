/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first KVM_RUN against the others: a vCPU that finds vgic.ready set, and so takes no lock,
 * finds GICV mapped, and whether HYP mode answers for the distributor.
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
