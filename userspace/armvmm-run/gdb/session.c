// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "gdb/hex.h"
#include "gdb/session.h"
#include "gdb/targetxml.h"
#include "gdb/view.h"

/* Signals as GDB numbers them. */
#define SESSION_SIGINT	2
#define SESSION_SIGTRAP	5

/* ---- Registers ---- */

static void session_reply_reg(struct session *s, unsigned int n, struct reply *reply)
{
	unsigned int size = regfile_size(&s->file, n);
	uint64_t value;
	uint8_t byte[8];

	if (regfile_get(&s->file, &s->target, s->cpu, n, &value)) {
		reply_raw(reply, "xxxxxxxxxxxxxxxx", 2 * size);
		return;
	}
	/* In the byte order of the target, which is little-endian. */
	for (unsigned int i = 0; i < size; i++)
		byte[i] = value >> 8 * i;
	reply_hex(reply, byte, size);
}

/* Takes a register's bytes out of a packet, and sets it. */
static int session_take_reg(struct session *s, struct hex *h, unsigned int n)
{
	unsigned int size = regfile_size(&s->file, n);
	uint64_t value = 0;
	uint8_t byte[8];

	if (!size || !hex_bytes(h, byte, size))
		return -EINVAL;
	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)byte[i] << 8 * i;
	return regfile_set(&s->file, &s->target, s->cpu, n, value);
}

static void session_get_regs(struct session *s, struct reply *reply)
{
	for (unsigned int n = 0; n <= REGFILE_PC; n++)
		session_reply_reg(s, n, reply);
	session_reply_reg(s, REGFILE_CPSR, reply);
}

/* Sets cpsr first: it selects the bank of the other registers. */
static void session_set_regs(struct session *s, struct hex *h, struct reply *reply)
{
	struct hex cpsr;
	int ret;

	if (hex_left(h) < 2 * REGFILE_G) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	cpsr = (struct hex){ h->at + 2 * (REGFILE_G - 4), h->end };
	ret = session_take_reg(s, &cpsr, REGFILE_CPSR);
	for (unsigned int n = 0; !ret && n <= REGFILE_PC; n++)
		ret = session_take_reg(s, h, n);
	reply_status(reply, ret, REPLY_EINVAL);
}

static void session_get_reg(struct session *s, struct hex *h, struct reply *reply)
{
	uint64_t n;

	if (!hex_number(h, REGFILE_MAX, &n) || !hex_done(h) || !regfile_size(&s->file, n))
		reply_error(reply, REPLY_EINVAL);
	else
		session_reply_reg(s, n, reply);
}

static void session_set_reg(struct session *s, struct hex *h, struct reply *reply)
{
	uint64_t n;

	if (!hex_number(h, REGFILE_MAX, &n) || !hex_take(h, '='))
		reply_error(reply, REPLY_EINVAL);
	else
		reply_status(reply, session_take_reg(s, h, n), REPLY_EINVAL);
}

/* ---- Memory ---- */

static bool session_range(struct hex *h, uint64_t *va, uint64_t *len)
{
	return hex_number(h, UINT32_MAX, va) && hex_take(h, ',') && hex_number(h, UINT32_MAX, len);
}

static void session_read(struct session *s, struct hex *h, struct reply *reply)
{
	uint8_t buf[PACKET_MAX / 2];
	uint64_t va, len;
	uint32_t got;

	if (!session_range(h, &va, &len) || !hex_done(h)) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	if (len > sizeof(buf))
		len = sizeof(buf);
	got = view_read(&s->points, &s->target, s->cpu, va, buf, len);
	if (len && !got)
		reply_error(reply, REPLY_EFAULT);
	else
		reply_hex(reply, buf, got);
}

/* M has its bytes in hexadecimal, X in binary. */
static void session_write(struct session *s, struct hex *h, bool binary, struct reply *reply)
{
	uint8_t buf[PACKET_MAX];
	uint64_t va, len;
	const void *from = buf;

	if (!session_range(h, &va, &len) || !hex_take(h, ':') ||
	    hex_left(h) != (binary ? len : 2 * len) || (!binary && !hex_bytes(h, buf, len))) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	if (binary)
		from = h->at;
	if (view_write(&s->points, &s->target, s->cpu, va, from, len) == len)
		reply_ok(reply);
	else
		reply_error(reply, REPLY_EFAULT);
}

/* ---- Points ---- */

static int session_add_point(struct session *s, enum point_type type, uint32_t va, uint32_t kind)
{
	uint64_t gpa;

	if (type != POINT_SOFT)
		return points_add_hard(&s->points, type, va, kind,
				       type == POINT_HARD ? s->caps.breakpoints :
							    s->caps.watchpoints);
	if (!view_address(&s->target, s->cpu, va, &gpa))
		return -EFAULT;
	return points_add_soft(&s->points, &s->target, va, gpa, kind);
}

static int session_del_point(struct session *s, enum point_type type, uint32_t va, uint32_t kind)
{
	if (type == POINT_SOFT)
		return points_del_soft(&s->points, &s->target, va);
	return points_del_hard(&s->points, type, va, kind);
}

static void session_point(struct session *s, struct hex *h, bool add, struct reply *reply)
{
	uint64_t type, va, kind;
	int ret;

	/* An unknown type gets no answer; conditions and commands are not offered. */
	if (!hex_number(h, UINT32_MAX, &type) || type > POINT_ACCESS)
		return;
	if (!hex_take(h, ',') || !session_range(h, &va, &kind) || !hex_done(h)) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	ret = add ? session_add_point(s, type, va, kind) : session_del_point(s, type, va, kind);
	reply_status(reply, ret, ret == -ENOSPC ? REPLY_ENOSPC :
				 ret == -EFAULT ? REPLY_EFAULT : REPLY_EINVAL);
}

/* ---- Stops ---- */

void session_tell_stop(const struct session *s, struct reply *reply)
{
	static const char *const watch[] = {
		[POINT_WRITE] = "watch", [POINT_READ] = "rwatch", [POINT_ACCESS] = "awatch",
	};

	reply_text(reply, "T%02x",
		   s->stop == SESSION_STOP_ASKED ? SESSION_SIGINT : SESSION_SIGTRAP);
	if (s->stop == SESSION_STOP_SOFT && s->told_kind)
		reply_text(reply, "swbreak:;");
	if (s->stop == SESSION_STOP_HARD && s->told_kind)
		reply_text(reply, "hwbreak:;");
	reply_text(reply, "thread:%02x;", s->cpu + 1);
	if (s->stop == SESSION_STOP_WATCH)
		reply_text(reply, "%s:%x;", watch[s->watched_type], s->watched);
}

static void session_stopped(struct session *s, unsigned int cpu, enum session_stop why,
			    struct reply *reply)
{
	s->running = false;
	s->cpu = cpu;
	s->stop = why;
	session_tell_stop(s, reply);
}

void session_interrupt(struct session *s, struct reply *reply)
{
	if (!s->running) {
		reply->none = true;
		return;
	}
	s->target.ops->hold(s->target.opaque);
	session_stopped(s, s->cpu, SESSION_STOP_ASKED, reply);
}

/* ---- Going on ---- */

static int session_load(struct session *s, unsigned int cpu, bool step, unsigned int more)
{
	unsigned int flags = ARMVMM_DEBUG_BKPT | more;
	struct armvmm_debug_regs regs;
	bool any = points_regs(&s->points, &regs);

	if (step)
		flags |= ARMVMM_DEBUG_STEP | (s->caps.flags & ARMVMM_DEBUG_BLOCK_IRQ);
	return s->target.ops->debug_set(s->target.opaque, cpu, flags, any ? &regs : NULL);
}

/* Sets all vCPUs, also those that stay stopped: next time others may go on. */
static int session_load_all(struct session *s)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < target_nr_cpus(&s->target); i++)
		ret = session_load(s, i, s->steps >> i & 1, 0);
	return ret;
}

void session_go(struct session *s, struct reply *reply)
{
	if (session_load_all(s)) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	s->running = true;
	reply->none = true;
	s->target.ops->go(s->target.opaque, s->runs);
}

/*
 * Handles a BKPT that is not ours: the guest takes it as it would without a debugger, and goes on.
 * A step over it ends at the exception's vector.
 */
static void session_guest_bkpt(struct session *s, unsigned int cpu, struct reply *reply)
{
	bool step = s->steps >> cpu & 1;

	if (session_load(s, cpu, step, ARMVMM_DEBUG_INJECT_BKPT))
		session_stopped(s, cpu, SESSION_STOP_SOFT, reply);
	else if (step)
		session_stopped(s, cpu, SESSION_STOP_STEP, reply);
	else
		reply->none = true;
}

static void session_watchpoint(struct session *s, unsigned int cpu, const struct armvmm_exit *exit,
			       struct reply *reply)
{
	const struct point_hard *w = points_watched(&s->points, exit->debug.far,
						    exit->debug.is_write);

	if (w) {
		s->watched = w->va;
		s->watched_type = w->type;
	}
	session_stopped(s, cpu, w ? SESSION_STOP_WATCH : SESSION_STOP_STEP, reply);
}

void session_event(struct session *s, unsigned int cpu, const struct armvmm_exit *exit,
		   struct reply *reply)
{
	uint64_t gpa;

	/*
	 * The vCPU met the point while a person stopped the guest. The instruction has not been
	 * executed, so it will meet it again.
	 */
	if (!s->running) {
		reply->none = true;
		return;
	}
	switch (exit->debug.event) {
	case ARMVMM_DEBUG_EVENT_BKPT:
		if (view_address(&s->target, cpu, exit->debug.pc, &gpa) &&
		    (points_has_soft(&s->points, gpa) ||
		     points_has_copy(&s->points, &s->target, exit->debug.pc, gpa)))
			session_stopped(s, cpu, SESSION_STOP_SOFT, reply);
		else
			session_guest_bkpt(s, cpu, reply);
		return;
	case ARMVMM_DEBUG_EVENT_BREAKPOINT:
		session_stopped(s, cpu, SESSION_STOP_HARD, reply);
		return;
	case ARMVMM_DEBUG_EVENT_WATCHPOINT:
		session_watchpoint(s, cpu, exit, reply);
		return;
	default:
		session_stopped(s, cpu, SESSION_STOP_STEP, reply);
	}
}

/* A debugger that has let nothing run expects no such packet: it sees the connection end. */
void session_ended(struct session *s, int status, struct reply *reply)
{
	reply->none = !s->running;
	s->running = false;
	if (!reply->none)
		reply_text(reply, "W%02x", status & 0xff);
}

/* ---- Coming and leaving ---- */

void session_attach(struct session *s)
{
	struct target target = s->target;

	*s = (struct session){ .target = target, .attached = true, .run_cpu = -1 };
	target.ops->hold(target.opaque);
	target.ops->debug_caps(target.opaque, &s->caps);
	/* From now on memory is as a guest with its caches off left it (docs/abi.md). */
	session_load_all(s);
	regfile_init(&s->file, &target);
	s->xml = targetxml_make(&s->file);
}

void session_detach(struct session *s)
{
	if (!s->attached)
		return;
	s->target.ops->hold(s->target.opaque);
	/*
	 * Remove the BKPTs first: the last setting of each vCPU makes it forget code in its caches.
	 */
	points_clear(&s->points, &s->target);
	for (unsigned int i = 0; i < target_nr_cpus(&s->target); i++)
		s->target.ops->debug_set(s->target.opaque, i, 0, NULL);
	g_free(s->xml);
	s->xml = NULL;
	s->attached = s->running = false;
	s->target.ops->go(s->target.opaque, UINT32_MAX);
}

void session_reset(struct session *s)
{
	if (!s->attached)
		return;
	points_replace(&s->points, &s->target);
	/* No vCPU is in the middle of a step any more. */
	s->steps = 0;
	s->runs = UINT32_MAX;
	session_load_all(s);
}

/* ---- Packets ---- */

/* Parses a thread's number. 0 is any, and leaves *@cpu as it is; -1 is all. */
static bool session_thread(const struct session *s, struct hex *h, int *cpu)
{
	uint64_t n;

	if (hex_take_text(h, "-1")) {
		*cpu = -1;
		return hex_done(h);
	}
	if (!hex_number(h, target_nr_cpus(&s->target), &n) || !hex_done(h))
		return false;
	if (n)
		*cpu = n - 1;
	return true;
}

static void session_choose(struct session *s, struct hex *h, struct reply *reply)
{
	int cpu = s->cpu, run = -1;

	if (hex_take(h, 'g') && session_thread(s, h, &cpu)) {
		if (cpu >= 0)
			s->cpu = cpu;
		reply_ok(reply);
	} else if (hex_take(h, 'c') && session_thread(s, h, &run)) {
		s->run_cpu = run;
		reply_ok(reply);
	} else {
		reply_error(reply, REPLY_EINVAL);
	}
}

static void session_alive(struct session *s, struct hex *h, struct reply *reply)
{
	int cpu = -1;

	reply_status(reply, !session_thread(s, h, &cpu) || cpu < 0, REPLY_EINVAL);
}

static void session_verbose(struct session *s, const char *data, size_t len, struct reply *reply)
{
	struct hex h = { data, data + len };

	if (hex_take_text(&h, "vCont?")) {
		reply_text(reply, "vCont;c;C%s",
			   s->caps.flags & ARMVMM_DEBUG_STEP ? ";s;S" : "");
	} else if (hex_take_text(&h, "vCont;")) {
		session_vcont(s, h.at, hex_left(&h), reply);
	} else if (hex_take_text(&h, "vKill")) {
		reply_status(reply, s->target.ops->request(s->target.opaque, MACHINE_QUIT) != NULL,
			     REPLY_EBUSY);
	}
}

/* Does it write to memory or registers, or set a point, which is a write, too? */
static bool session_changes(char packet)
{
	return packet && strchr("GPMXZ", packet);
}

void session_packet(struct session *s, const char *data, size_t len, struct reply *reply)
{
	struct hex h = { data, data + len };

	/* While the guest runs, a debugger sends nothing but the request to stop. */
	if (!len || s->running) {
		reply->none = s->running;
		return;
	}
	if (session_changes(data[0]) && s->target.ops->frozen(s->target.opaque)) {
		reply_error(reply, REPLY_EBUSY);
		return;
	}
	h.at++;
	switch (data[0]) {
	case '?':
		session_tell_stop(s, reply);
		break;
	case 'g':
		session_get_regs(s, reply);
		break;
	case 'G':
		session_set_regs(s, &h, reply);
		break;
	case 'p':
		session_get_reg(s, &h, reply);
		break;
	case 'P':
		session_set_reg(s, &h, reply);
		break;
	case 'm':
		session_read(s, &h, reply);
		break;
	case 'M':
	case 'X':
		session_write(s, &h, data[0] == 'X', reply);
		break;
	case 'Z':
	case 'z':
		session_point(s, &h, data[0] == 'Z', reply);
		break;
	case 'H':
		session_choose(s, &h, reply);
		break;
	case 'T':
		session_alive(s, &h, reply);
		break;
	case 's':
	case 'S':
	case 'c':
	case 'C':
		session_continue(s, data, len, reply);
		break;
	case 'v':
		session_verbose(s, data, len, reply);
		break;
	case 'q':
	case 'Q':
		session_query(s, data, len, reply);
		break;
	case 'D':
		session_detach(s);
		reply_ok(reply);
		break;
	case 'k':
		s->target.ops->request(s->target.opaque, MACHINE_QUIT);
		reply->none = true;
		break;
	}
}
