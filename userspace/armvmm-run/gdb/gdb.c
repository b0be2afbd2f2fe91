// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "core/listener.h"
#include "core/machine_private.h"
#include "gdb/gdb.h"
#include "gdb/link.h"
#include "gdb/session.h"

struct gdb {
	struct machine *m;
	struct machine_listener listener;
	struct link *link;
	struct session session;
};

/* ---- The machine as the session's target ---- */

static unsigned int gdb_nr_cpus(void *opaque)
{
	struct gdb *gdb = opaque;
	unsigned int n = 0;

	while (n < TARGET_MAX_CPUS && machine_vcpu(gdb->m, n))
		n++;
	return n;
}

static int gdb_reg_get(void *opaque, unsigned int cpu, const char *name, uint64_t *value)
{
	struct gdb *gdb = opaque;
	struct armvmm_vcpu *vcpu = machine_vcpu(gdb->m, cpu);

	return vcpu ? armvmm_vcpu_reg_get(vcpu, name, value) : -ENOENT;
}

static int gdb_reg_set(void *opaque, unsigned int cpu, const char *name, uint64_t value)
{
	struct gdb *gdb = opaque;
	struct armvmm_vcpu *vcpu = machine_vcpu(gdb->m, cpu);

	return vcpu ? armvmm_vcpu_reg_set(vcpu, name, value) : -ENOENT;
}

static void *gdb_ram(void *opaque, uint64_t gpa, uint32_t len)
{
	struct gdb *gdb = opaque;

	return guestmem_ptr(&gdb->m->mem, gpa, len);
}

/*
 * cacheflush(2) cleans data to the point of unification, and invalidates instruction caches by our
 * addresses. The driver does the rest: for the guest's addresses, and for guests whose caches are
 * off (docs/abi.md). A guest that is being sent away takes along what was written, even if the
 * debugger has gone before anybody saw it.
 */
static void gdb_wrote(void *opaque, void *ram, uint32_t len)
{
	struct gdb *gdb = opaque;

	__builtin___clear_cache((char *)ram, (char *)ram + len);
	guestmem_wrote(&gdb->m->mem, ram, len);
}

static bool gdb_read(void *opaque, uint64_t gpa, void *buf, uint32_t len)
{
	struct gdb *gdb = opaque;

	return !guestmem_read(&gdb->m->mem, gpa, buf, len) ||
	       !machine_rom_read(gdb->m, gpa, buf, len);
}

static void gdb_debug_caps(void *opaque, struct armvmm_debug_caps *caps)
{
	struct gdb *gdb = opaque;

	armvmm_vm_debug_caps(gdb->m->priv->vm, caps);
}

static int gdb_debug_set(void *opaque, unsigned int cpu, unsigned int flags,
			 const struct armvmm_debug_regs *regs)
{
	struct gdb *gdb = opaque;

	return armvmm_vcpu_debug_set(machine_vcpu(gdb->m, cpu), flags, regs);
}

static bool gdb_is_off(void *opaque, unsigned int cpu)
{
	struct gdb *gdb = opaque;
	uint32_t state;

	/* KVM_MP_STATE_RUNNABLE is 0; the only other one is _STOPPED. */
	return !armvmm_vcpu_mp_state_get(machine_vcpu(gdb->m, cpu), &state) && state;
}

static void gdb_hold(void *opaque)
{
	struct gdb *gdb = opaque;

	machine_hold(gdb->m, MACHINE_HOLDER_GDB);
}

static void gdb_go(void *opaque, uint32_t cpus)
{
	struct gdb *gdb = opaque;

	for (unsigned int i = 0; i < gdb_nr_cpus(gdb); i++)
		machine_keep_vcpu(gdb->m, i, !(cpus >> i & 1));
	machine_release(gdb->m, MACHINE_HOLDER_GDB);
}

/*
 * Memory that is still to go to a guest that was handed over would take along what is written now;
 * and what a guest that has yet to come finds written would be left, where it has zeroes.
 */
static bool gdb_frozen(void *opaque)
{
	struct gdb *gdb = opaque;

	return machine_is_held_by(gdb->m, MACHINE_HOLDER_MIGRATION) ||
	       machine_is_held_by(gdb->m, MACHINE_HOLDER_INCOMING);
}

/* What the control socket refuses, too. */
static const char *gdb_refusal(const struct gdb *gdb, enum machine_request request)
{
	if (request == MACHINE_QUIT)
		return gdb->m->following ? "the guest runs elsewhere, and its memory follows" : NULL;
	if (machine_is_held_by(gdb->m, MACHINE_HOLDER_INCOMING))
		return "the guest has not come yet";
	if (machine_is_held_by(gdb->m, MACHINE_HOLDER_MIGRATION) ||
	    machine_is_held_by(gdb->m, MACHINE_HOLDER_SNAPSHOT))
		return "the guest is saved or handed over, and may run elsewhere";
	return NULL;
}

static const char *gdb_request(void *opaque, enum machine_request request)
{
	struct gdb *gdb = opaque;
	const char *why = gdb_refusal(gdb, request);

	if (why)
		return why;
	machine_request(gdb->m, request, MACHINE_BY_CONTROL, NULL);
	return NULL;
}

static const struct target_ops gdb_target_ops = {
	.nr_cpus = gdb_nr_cpus,
	.reg_get = gdb_reg_get,
	.reg_set = gdb_reg_set,
	.ram = gdb_ram,
	.wrote = gdb_wrote,
	.read = gdb_read,
	.debug_caps = gdb_debug_caps,
	.debug_set = gdb_debug_set,
	.is_off = gdb_is_off,
	.hold = gdb_hold,
	.go = gdb_go,
	.frozen = gdb_frozen,
	.request = gdb_request,
};

/* ---- The line ---- */

static void gdb_came(void *opaque)
{
	struct gdb *gdb = opaque;

	session_attach(&gdb->session);
	gdb->m->debugger = gdb->session.attached;
}

static void gdb_gone(void *opaque)
{
	struct gdb *gdb = opaque;

	session_detach(&gdb->session);
	gdb->m->debugger = false;
}

static bool gdb_packet(void *opaque, const char *data, size_t len, struct reply *reply)
{
	struct gdb *gdb = opaque;

	session_packet(&gdb->session, data, len, reply);
	gdb->m->debugger = gdb->session.attached;
	return gdb->session.attached;
}

static void gdb_interrupt(void *opaque, struct reply *reply)
{
	struct gdb *gdb = opaque;

	session_interrupt(&gdb->session, reply);
}

static bool gdb_acks(void *opaque)
{
	struct gdb *gdb = opaque;

	return !gdb->session.no_ack;
}

static const struct link_ops gdb_link_ops = {
	.came = gdb_came,
	.gone = gdb_gone,
	.packet = gdb_packet,
	.interrupt = gdb_interrupt,
	.acks = gdb_acks,
};

/* ---- Events of the machine ---- */

/* If several vCPUs met a point, reports the first. The others will meet theirs again. */
static void gdb_debugged(struct gdb *gdb)
{
	struct reply reply = { .none = true };

	for (unsigned int i = 0; reply.none && i < gdb_nr_cpus(gdb); i++) {
		const struct armvmm_exit *exit = machine_debug_exit(gdb->m, i);

		if (!exit)
			continue;
		reply.none = false;
		session_event(&gdb->session, i, exit, &reply);
	}
	if (reply.none)
		return;
	gdb_hold(gdb);
	link_send(gdb->link, &reply);
}

static void gdb_event(struct machine_listener *listener, const struct machine_event *event)
{
	struct gdb *gdb = (struct gdb *)((char *)listener - offsetof(struct gdb, listener));

	if (event->type == MACHINE_EVENT_DEBUG)
		gdb_debugged(gdb);
	else if (event->type == MACHINE_EVENT_START)
		session_reset(&gdb->session);
}

/* ---- Life ---- */

int gdb_create(struct gdb **out, struct machine *m, struct listener *listener, bool wait,
	       struct error *err)
{
	struct gdb *gdb;

	*out = NULL;
	gdb = g_new0(struct gdb, 1);
	gdb->m = m;
	gdb->session.target = (struct target){ &gdb_target_ops, gdb };
	gdb->listener.event = gdb_event;
	gdb->link = link_new(listener->fd, m->context, &gdb_link_ops, gdb);
	if (!gdb->link) {
		g_free(gdb);
		return error_errno(err, -ENOMEM, "--gdb");
	}
	listener->fd = -1;
	machine_listen(m, &gdb->listener);
	if (wait)
		machine_hold(m, MACHINE_HOLDER_GDB);
	*out = gdb;
	return 0;
}

void gdb_ended(struct gdb *gdb, int status)
{
	struct reply reply = { .none = false };

	if (!gdb)
		return;
	session_ended(&gdb->session, status, &reply);
	link_send(gdb->link, &reply);
}

void gdb_free(struct gdb *gdb)
{
	if (!gdb)
		return;
	machine_unlisten(gdb->m, &gdb->listener);
	link_free(gdb->link);
	g_free(gdb->session.xml);
	g_free(gdb);
}
