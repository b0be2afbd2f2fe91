// SPDX-License-Identifier: GPL-2.0-only
/*
 * -accel armvmm: QEMU's KVM accelerator on the node of the armvmm module, which
 * speaks KVM's ABI for 32-bit Arm. Only four things differ: the node's name,
 * that one line tells the user why the accelerator cannot be used, that the
 * memory of a guest may be pinned, and that the guest's tree has the frequency
 * of the timer if the host's has it.
 */
#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <sys/resource.h>

#include <linux/kvm.h>

#include "hw/boards.h"
#include "hw/intc/arm_gic_common.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qemu/accel.h"
#include "qemu/bswap.h"
#include "qemu/config-file.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qemu/option.h"
#include "system/accel-ops.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/runstate.h"
#include "system/system.h"

#include "armvmm-gic.c.inc"
#include "armvmm-timer.c.inc"

#define ARMVMM_NODE		"/dev/armvmm"
/* <linux/armvmm.h>: zero on any other node. */
#define ARMVMM_CAP_VERSION	0x41520000

/* kvm_init(), which the class inherits. */
static int (*armvmm_kvm_init)(MachineState *ms);

struct armvmm_order {
	bool found;
	const char *next;
};

static int armvmm_look(void *opaque, QemuOpts *opts, Error **errp)
{
	struct armvmm_order *order = opaque;
	const char *name = qemu_opt_get(opts, "accel");

	if (!g_strcmp0(name, "armvmm"))
		order->found = true;
	else if (order->found && !order->next)
		order->next = name;
	return 0;
}

/* The accelerator that the user named after this one, or NULL. */
static const char *armvmm_next(void)
{
	struct armvmm_order order = { };

	qemu_opts_foreach(qemu_find_opts("accel"), armvmm_look, &order, NULL);
	return order.next;
}

static int G_GNUC_PRINTF(1, 2) armvmm_refuse(const char *fmt, ...)
{
	g_autofree char *why = NULL;
	const char *next = armvmm_next();
	va_list ap;

	va_start(ap, fmt);
	why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	if (next)
		warn_report("armvmm: %s: falling back to %s", why, next);
	else
		error_report("armvmm: %s", why);
	return -ECANCELED;
}

static int armvmm_check_node(const char *node)
{
	int fd = qemu_open_old(node, O_RDWR), err = errno, version;

	if (fd < 0) {
		switch (err) {
		case ENOENT:
		case ENXIO:
		case ENODEV:
			return armvmm_refuse("there is no %s: load the module armvmm "
					     "(the kernel's log says why if it cannot be)", node);
		case EACCES:
		case EPERM:
			return armvmm_refuse("%s may not be opened: it takes root or the group kvm",
					     node);
		default:
			return armvmm_refuse("%s cannot be opened: %s", node, strerror(err));
		}
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version >= 0 && ioctl(fd, KVM_CHECK_EXTENSION, ARMVMM_CAP_VERSION) <= 0)
		version = -1;
	close(fd);
	if (version < 0)
		return armvmm_refuse("%s is not a node of the module armvmm", node);
	if (version != KVM_API_VERSION)
		return armvmm_refuse("%s speaks version %d of the ABI, and not %d", node, version,
				     KVM_API_VERSION);
	return 0;
}

/* A vCPU that may pin no more memory gets ENOMEM, of which KVM's code does not know the cause. */
static void armvmm_stopped(void *opaque, bool running, RunState state)
{
	struct rlimit limit;

	if (state == RUN_STATE_INTERNAL_ERROR && !getrlimit(RLIMIT_MEMLOCK, &limit) &&
	    limit.rlim_cur != RLIM_INFINITY)
		error_report("armvmm: this host's kernel (MMU_NOTIFIER=n) pins the guest's memory, and "
			     "RLIMIT_MEMLOCK is %llu KiB: if memory could not be allocated, raise it "
			     "(ulimit -l) to the RAM of all guests of this user and more",
			     (unsigned long long)limit.rlim_cur >> 10);
}

/* Without SYNC_MMU the kernel pins what the guest touches, and counts it as locked. */
static void armvmm_allow_pinning(KVMState *s)
{
	struct rlimit limit;

	if (kvm_check_extension(s, KVM_CAP_SYNC_MMU))
		return;
	if (!getrlimit(RLIMIT_MEMLOCK, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &limit);
	}
	qemu_add_vm_change_state_handler(armvmm_stopped, NULL);
}

static int armvmm_init_machine(MachineState *ms)
{
	KVMState *s = KVM_STATE(ms->accelerator);
	int ret = armvmm_check_node(s->device) ?: armvmm_kvm_init(ms);

	if (!ret)
		armvmm_allow_pinning(s);
	return ret;
}

static void armvmm_instance_init(Object *obj)
{
	KVM_STATE(obj)->device = g_strdup(ARMVMM_NODE);
}

static void armvmm_class_init(ObjectClass *oc, void *data)
{
	AccelClass *ac = ACCEL_CLASS(oc);

	ac->name = "armvmm";
	armvmm_kvm_init = ac->init_machine;
	ac->init_machine = armvmm_init_machine;
}

static const TypeInfo armvmm_types[] = {
	{
		.name = ACCEL_CLASS_NAME("armvmm"),
		.parent = TYPE_KVM_ACCEL,
		.instance_init = armvmm_instance_init,
		.class_init = armvmm_class_init,
	}, {
		/* KVM's code does the rest, such as the vCPU threads. */
		.name = ACCEL_OPS_NAME("armvmm"),
		.parent = ACCEL_OPS_NAME("kvm"),
	},
};

DEFINE_TYPES(armvmm_types)
