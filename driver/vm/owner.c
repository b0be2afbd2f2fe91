// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many VMs each user of the host has. RLIMIT_NOFILE bounds them in a process, but the user may
 * have many processes; a cgroup bounds their memory, if somebody has set one up.
 *
 * A VM counts for whoever opened the node. So where root opens it for a client that then becomes
 * another user, the VM is root's, also after a reset, which makes it anew. The user is the real
 * one, as for RLIMIT_NPROC. Who has more ids in a namespace of his own (/etc/subuid) is still one.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

#include "vm/owner.h"

static unsigned int max_vms_per_user = 32;
module_param(max_vms_per_user, uint, 0644);
MODULE_PARM_DESC(max_vms_per_user,
		 "VMs that a user without CAP_SYS_RESOURCE may have (32; 0: any number)");

/*
 * By uid, the number of VMs. A user who has none has no entry: there are no more entries than VMs.
 * Each change is one compare and exchange, under the array's own lock.
 */
static DEFINE_XARRAY_FLAGS(owners, XA_FLAGS_ACCOUNT);

static kuid_t owner_of(const struct cred *cred)
{
	struct user_namespace *ns;
	kuid_t uid = cred->uid;

	/* Root makes namespaces for others (containers), whose users count by themselves. */
	for (ns = cred->user_ns; ns != &init_user_ns; ns = ns->parent)
		if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
			uid = ns->owner;
	return uid;
}

static unsigned long owner_count(const void *entry)
{
	return entry ? xa_to_value(entry) : 0;
}

int armvmm_owner_charge(struct file *node, kuid_t *owner)
{
	unsigned long uid, count, max;
	void *old, *was;

	*owner = owner_of(node->f_cred);
	uid = __kuid_val(*owner);
	was = xa_load(&owners, uid);
	do {
		old = was;
		count = owner_count(old);
		max = READ_ONCE(max_vms_per_user);
		if (max && count >= max &&
		    !file_ns_capable(node, &init_user_ns, CAP_SYS_RESOURCE))
			return -EAGAIN;
		was = xa_cmpxchg(&owners, uid, old, xa_mk_value(count + 1), GFP_KERNEL);
		if (xa_is_err(was))
			return xa_err(was);
	} while (was != old);
	return 0;
}

/* Nothing is allocated: the entry is there, and is changed or taken away. */
void armvmm_owner_uncharge(kuid_t owner)
{
	unsigned long uid = __kuid_val(owner), count;
	void *old, *was = xa_load(&owners, uid);

	do {
		old = was;
		count = owner_count(old);
		if (WARN_ON_ONCE(!count))
			return;
		was = xa_cmpxchg(&owners, uid, old, count > 1 ? xa_mk_value(count - 1) : NULL, 0);
	} while (was != old);
}
