// SPDX-License-Identifier: GPL-2.0-only
/*
 * GSI routing. KVM allows a GSI one route to each chip, or one to an MSI. There is one chip, so a
 * GSI has at most one route. The table is an array by GSI, which is replaced as a whole. Readers
 * use RCU, as interrupts are raised in any context.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/state.h"
#include "eventfd/eventfd_private.h"
#include "eventfd/irqroute.h"

#define IRQROUTE_NONE	0xffff
#define IRQROUTE_MSI	0xfffe

struct armvmm_irqroutes {
	u32 nr;
	u16 pins[];		/* by GSI: a pin, or IRQROUTE_* */
};

unsigned int armvmm_irqroute_pin(struct armvmm_vm *vm, unsigned int gsi)
{
	struct armvmm_irqroutes *routes = rcu_dereference(vm->eventfds->routes);
	unsigned int pin;

	if (!routes) {
		pin = gsi;
	} else {
		if (gsi >= routes->nr)
			return ARMVMM_NO_PIN;
		pin = routes->pins[array_index_nospec(gsi, routes->nr)];
	}
	return pin < ARMVMM_NR_IRQ_PINS ? pin : ARMVMM_NO_PIN;
}

/* What an entry routes to, or -EINVAL. */
static int irqroute_target(const struct kvm_irq_routing_entry *entry)
{
	switch (entry->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		if (entry->flags || entry->u.irqchip.irqchip >= KVM_NR_IRQCHIPS ||
		    entry->u.irqchip.pin >= ARMVMM_NR_IRQ_PINS)
			return -EINVAL;
		return (int)entry->u.irqchip.pin;
	case KVM_IRQ_ROUTING_MSI:
		return entry->flags & ~KVM_MSI_VALID_DEVID ? -EINVAL : IRQROUTE_MSI;
	default:
		return -EINVAL;
	}
}

static struct armvmm_irqroutes *irqroute_build(const struct kvm_irq_routing_entry *entries, u32 n)
{
	struct armvmm_irqroutes *routes;
	u32 nr = 0, i;
	int target;

	for (i = 0; i < n; i++) {
		if (entries[i].gsi >= ARMVMM_MAX_IRQ_ROUTES)
			return ERR_PTR(-EINVAL);
		nr = max(nr, entries[i].gsi + 1);
	}
	routes = kvmalloc(struct_size(routes, pins, nr), GFP_KERNEL_ACCOUNT);
	if (!routes)
		return ERR_PTR(-ENOMEM);
	routes->nr = nr;
	memset(routes->pins, 0xff, nr * sizeof(routes->pins[0]));
	for (i = 0; i < n; i++) {
		u32 gsi = array_index_nospec(entries[i].gsi, ARMVMM_MAX_IRQ_ROUTES);

		target = irqroute_target(&entries[i]);
		if (target < 0 || routes->pins[gsi] != IRQROUTE_NONE) {
			kvfree(routes);
			return ERR_PTR(-EINVAL);
		}
		routes->pins[gsi] = (u16)target;
	}
	return routes;
}

static int irqroute_install(struct armvmm_vm *vm, struct armvmm_irqroutes *routes)
{
	struct armvmm_eventfds *e = vm->eventfds;
	struct armvmm_irqroutes *old = routes;

	mutex_lock(&vm->lock);
	/*
	 * As in KVM, the vGIC's initialization sets the default routes, and no irqfd can exist
	 * before it. So routes that come earlier are checked, and dropped.
	 */
	if (vm->vgic.initialized) {
		old = rcu_dereference_protected(e->routes, lockdep_is_held(&vm->lock));
		/* No line may be lowered while an old route can still raise it. */
		mutex_lock(&e->resample_lock);
		rcu_assign_pointer(e->routes, routes);
		synchronize_rcu();
		armvmm_irqfd_rerouted(vm);
		mutex_unlock(&e->resample_lock);
	}
	mutex_unlock(&vm->lock);
	kvfree(old);
	return 0;
}

int armvmm_irqroute_set(struct armvmm_vm *vm, const struct kvm_irq_routing __user *user)
{
	struct kvm_irq_routing_entry *entries = NULL;
	struct armvmm_irqroutes *routes;
	struct kvm_irq_routing head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nr > ARMVMM_MAX_IRQ_ROUTES || head.flags)
		return -EINVAL;
	if (head.nr) {
		entries = vmemdup_user(user->entries, head.nr * sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	routes = irqroute_build(entries, head.nr);
	kvfree(entries);
	if (IS_ERR(routes))
		return PTR_ERR(routes);
	return irqroute_install(vm, routes);
}

int armvmm_irqroute_signal_msi(struct armvmm_vm *vm, const struct kvm_msi *msi)
{
	if (!armvmm_vgic_in_kernel(&vm->vgic) || (msi->flags & ~KVM_MSI_VALID_DEVID))
		return -EINVAL;
	return -ENODEV;
}

void armvmm_irqroute_vm_destroy(struct armvmm_vm *vm)
{
	kvfree(rcu_dereference_protected(vm->eventfds->routes, true));
}
