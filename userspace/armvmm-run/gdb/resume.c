// SPDX-License-Identifier: GPL-2.0-only
/* The packets that let the guest go on: which vCPUs, and which of them for one instruction. */
#include "gdb/hex.h"
#include "gdb/session.h"

/* Applies one action of vCont to those vCPUs that no earlier action named. */
static void resume_apply(struct session *s, uint32_t cpus, bool step)
{
	cpus &= ~s->runs;
	s->runs |= cpus;
	if (step)
		s->steps |= cpus;
}

/* Parses ACTION[:THREAD]. Signals mean nothing to a machine. */
static bool resume_action(struct session *s, struct hex *h)
{
	uint32_t all = (1u << target_nr_cpus(&s->target)) - 1, cpus = all;
	uint64_t n;
	char action;

	if (hex_done(h))
		return false;
	action = *h->at++;
	if (action != 'c' && action != 'C' && action != 's' && action != 'S')
		return false;
	if ((action == 'C' || action == 'S') && !hex_number(h, 0xff, &n))
		return false;
	if (hex_take(h, ':') && !hex_take_text(h, "-1")) {
		if (!hex_number(h, target_nr_cpus(&s->target), &n))
			return false;
		/* Thread 0 is any thread. */
		cpus = 1u << (n ? n - 1 : s->cpu);
	}
	resume_apply(s, cpus, action == 's' || action == 'S');
	return true;
}

void session_vcont(struct session *s, const char *data, size_t len, struct reply *reply)
{
	struct hex h = { data, data + len };

	s->runs = s->steps = 0;
	do {
		if (!resume_action(s, &h)) {
			reply_error(reply, REPLY_EINVAL);
			return;
		}
	} while (hex_take(&h, ';'));
	if (hex_done(&h) && s->runs)
		session_go(s, reply);
	else
		reply_error(reply, REPLY_EINVAL);
}

/* s and c, with an address to go on at; S and C have a signal before it. */
void session_continue(struct session *s, const char *data, size_t len, struct reply *reply)
{
	struct hex h = { data + 1, data + len };
	bool step = data[0] == 's' || data[0] == 'S';
	unsigned int cpu = s->run_cpu >= 0 ? s->run_cpu : s->cpu;
	uint64_t n;

	if ((data[0] == 'S' || data[0] == 'C') &&
	    (!hex_number(&h, 0xff, &n) || (!hex_done(&h) && !hex_take(&h, ';')))) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	if (!hex_done(&h) &&
	    (!hex_number(&h, UINT32_MAX, &n) || !hex_done(&h) ||
	     regfile_set(&s->file, &s->target, cpu, REGFILE_PC, n))) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	s->runs = s->run_cpu >= 0 ? 1u << cpu : UINT32_MAX;
	s->steps = step ? 1u << cpu : 0;
	session_go(s, reply);
}
