// SPDX-License-Identifier: GPL-2.0-only
#include "core/machine_private.h"
#include "core/runstate.h"

/* The listener that is called may leave the list; no other may meanwhile. */
void machine_tell(struct machine *m, const struct machine_event *event)
{
	struct machine_listener *next;

	for (struct machine_listener *l = m->priv->listeners; l; l = next) {
		next = l->next;
		l->event(l, event);
	}
}

static void runstate_tell(struct machine *m, enum machine_event_type type)
{
	machine_tell(m, &(struct machine_event){ .type = type });
}

void machine_listen(struct machine *m, struct machine_listener *listener)
{
	listener->next = m->priv->listeners;
	m->priv->listeners = listener;
}

void machine_unlisten(struct machine *m, struct machine_listener *listener)
{
	struct machine_listener **at = &m->priv->listeners;

	while (*at && *at != listener)
		at = &(*at)->next;
	if (*at)
		*at = listener->next;
}

void machine_set_runstate_ops(struct machine *m, const struct runstate_ops *ops, void *opaque)
{
	m->priv->run_ops = ops;
	m->priv->run_opaque = opaque;
}

void machine_hold(struct machine *m, enum machine_holder holder)
{
	struct machine_private *p = m->priv;
	bool first = !p->holders;

	p->holders |= 1u << holder;
	if (!first)
		return;
	p->run_ops->stop(p->run_opaque);
	runstate_tell(m, MACHINE_EVENT_STOP);
}

void machine_release(struct machine *m, enum machine_holder holder)
{
	struct machine_private *p = m->priv;

	if (!machine_is_held_by(m, holder))
		return;
	p->holders &= ~(1u << holder);
	if (p->holders)
		return;
	runstate_tell(m, MACHINE_EVENT_RESUME);
	/* A listener may have taken hold of it again. */
	if (!p->holders)
		p->run_ops->go(p->run_opaque);
}

void machine_while_stopped(struct machine *m, void (*fn)(void *opaque), void *opaque)
{
	struct machine_private *p = m->priv;

	p->run_ops->stop(p->run_opaque);
	fn(opaque);
	if (!p->holders)
		p->run_ops->go(p->run_opaque);
}

void machine_throttle(struct machine *m, unsigned int percent)
{
	m->priv->run_ops->throttle(m->priv->run_opaque, percent);
}

void machine_keep_vcpu(struct machine *m, unsigned int index, bool keep)
{
	m->priv->run_ops->keep(m->priv->run_opaque, index, keep);
}

void machine_started(struct machine *m)
{
	runstate_tell(m, MACHINE_EVENT_START);
}

bool machine_is_held(const struct machine *m)
{
	return m->priv->holders;
}

bool machine_is_held_by(const struct machine *m, enum machine_holder holder)
{
	return m->priv->holders >> holder & 1;
}

struct armvmm_vcpu *machine_vcpu(struct machine *m, unsigned int index)
{
	return m->priv->run_ops->vcpu(m->priv->run_opaque, index);
}

pid_t machine_vcpu_thread(struct machine *m, unsigned int index)
{
	return m->priv->run_ops->thread(m->priv->run_opaque, index);
}

void machine_press_power(struct machine *m)
{
	m->priv->run_ops->press_power(m->priv->run_opaque);
}

bool machine_power_pressed(struct machine *m)
{
	return m->priv->run_ops->pressed(m->priv->run_opaque);
}

uint64_t machine_counter(struct machine *m, int64_t *when)
{
	return m->priv->run_ops->counter(m->priv->run_opaque, when);
}

const struct armvmm_exit *machine_debug_exit(struct machine *m, unsigned int index)
{
	return m->priv->run_ops->debug(m->priv->run_opaque, index);
}

void machine_debugged(struct machine *m)
{
	__atomic_store_n(&m->priv->debugged, true, __ATOMIC_RELEASE);
	g_main_context_wakeup(m->context);
}

void machine_poll_debugged(struct machine *m)
{
	struct machine_private *p = m->priv;

	if (!__atomic_exchange_n(&p->debugged, false, __ATOMIC_ACQ_REL))
		return;
	p->run_ops->stop(p->run_opaque);
	runstate_tell(m, MACHINE_EVENT_DEBUG);
	p->run_ops->debug_seen(p->run_opaque);
	if (!p->holders)
		p->run_ops->go(p->run_opaque);
}
