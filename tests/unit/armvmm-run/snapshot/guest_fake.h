/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests without a VM, for tests of snapshots and migration: memory, a device with a little state
 * and a bank of memory, vCPUs whose state is a line of text, and who holds them.
 */
#ifndef TESTS_UNIT_GUEST_FAKE_H
#define TESTS_UNIT_GUEST_FAKE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../guest/lib/board.h"
#include "arch/archregs.h"
#include "core/machine_private.h"
#include "core/record.h"
#include "core/runstate.h"
#include "ktap.h"

#ifndef MEMORY
#define MEMORY	(8u << 20)
#endif
#define RAM	((uint64_t)RAM_BASE)
#define BANK	0x04000000ull
#define BANK_SIZE 8192u

struct thing {
	struct device dev;
	uint32_t value;
	bool paused, busy, fails;
	bool slow;	/* while it flushes, a guest that runs writes to all of its memory */
	unsigned int resumes;
	/* Who may use what it shares with others: 0: nobody does. */
	unsigned int *claimed, self;
	unsigned int in_vain;	/* how often it was another's */
};

struct guest {
	struct machine m;
	struct machine_private private;
	struct thing thing;
	uint8_t bank[BANK_SIZE];
	unsigned int holders, gone, cpus, syncs, throttle, logs;
	unsigned int log_starts;
	bool pressed, uncached;
	uint32_t midr;
	enum machine_request request;
	enum machine_request late;	/* what comes when it gets what it shares with others */
	struct machine_listener *listener;
	char cpu_state[32];	/* what its vCPUs have */
	char kept[80];		/* what clients of the control socket have not read yet */
	unsigned int awaits, reads;	/* events: it waits for its guest; a part was read */
	char told[160];		/* events of migrations and dumps */
	unsigned int nr_d;	/* registers of its VFP */
	uint32_t log[MEMORY / 4096 / 32];	/* the kernel's; atomic */
	uint32_t always;	/* of the first 32 pages, those that are written all the time */
	uint32_t wiped;		/* and those that become zero just before the log is taken first */
};

static inline struct guest *guest_of(struct machine *m)
{
	return container_of(m, struct guest, m);
}

/* ---- The device ---- */

static const struct record_field thing_state[] = { RECORD_FIELD(struct thing, value, 1000) };

static inline struct thing *thing_of(struct device *dev)
{
	return container_of(dev, struct thing, dev);
}

static inline struct guest *thing_guest(struct device *dev)
{
	return container_of(thing_of(dev), struct guest, thing);
}

static void thing_pause(struct device *dev)
{
	thing_of(dev)->paused = true;
}

static bool thing_is_idle(struct device *dev)
{
	return !thing_of(dev)->busy;
}

static void thing_resume(struct device *dev)
{
	KTAP_TRUE(thing_of(dev)->paused);
	thing_of(dev)->paused = false;
	thing_of(dev)->resumes++;
}

static void thing_save(struct device *dev, struct record *r)
{
	KTAP_TRUE(thing_guest(dev)->holders && thing_of(dev)->paused && !thing_of(dev)->busy);
	record_put_fields(r, thing_of(dev), thing_state, 1);
}

static int thing_restore(struct device *dev, struct record *r)
{
	thing_of(dev)->paused = true;
	return record_get_fields(r, thing_of(dev), thing_state, 1);
}

static void *thing_memory(struct device *dev)
{
	return thing_guest(dev)->bank;
}

static int thing_flush(struct device *dev)
{
	struct guest *g = thing_guest(dev);

	if (thing_of(dev)->slow && !__atomic_load_n(&g->holders, __ATOMIC_RELAXED))
		for (unsigned int i = 0; i < sizeof(g->log) / sizeof(g->log[0]); i++)
			__atomic_store_n(&g->log[i], ~0u, __ATOMIC_SEQ_CST);
	return thing_of(dev)->fails ? -EIO : 0;
}

static int thing_claim(struct device *dev, bool take, struct error *err)
{
	struct thing *t = thing_of(dev);

	if (!t->claimed)
		return 0;
	if (take && *t->claimed && *t->claimed != t->self && ++t->in_vain)
		return error_set(err, -EBUSY, "thing: in use by another virtual machine");
	if (take)
		thing_guest(dev)->request = thing_guest(dev)->late;
	if (take)
		*t->claimed = t->self;
	else if (*t->claimed == t->self)
		*t->claimed = 0;
	return 0;
}

static const struct device_ops thing_ops = {
	.name = "thing", .pause = thing_pause, .is_idle = thing_is_idle, .resume = thing_resume,
	.save = thing_save, .restore = thing_restore, .state_version = 4, .memory = thing_memory,
	.flush = thing_flush, .claim = thing_claim,
};

/* ---- The machine ---- */

void machine_listen(struct machine *m, struct machine_listener *l)
{
	guest_of(m)->listener = l;
}

void machine_unlisten(struct machine *m, struct machine_listener *l)
{
	guest_of(m)->listener = NULL;
}

void machine_tell(struct machine *m, const struct machine_event *event)
{
	struct guest *g = guest_of(m);

	g->awaits += event->type == MACHINE_EVENT_AWAIT;
	g->reads += event->type == MACHINE_EVENT_READING;
	if (event->type != MACHINE_EVENT_MIGRATION && event->type != MACHINE_EVENT_DUMP)
		return;
	g_strlcat(g->told, event->status, sizeof(g->told));
	if (event->why)
		g_strlcat(g->told, event->why, sizeof(g->told));
	g_strlcat(g->told, " ", sizeof(g->told));
}

void machine_hold(struct machine *m, enum machine_holder holder)
{
	guest_of(m)->holders |= 1u << holder;
}

void machine_release(struct machine *m, enum machine_holder holder)
{
	struct guest *g = guest_of(m);
	bool held = g->holders;

	g->holders &= ~(1u << holder);
	g->gone += held && !g->holders;
}

bool machine_is_held_by(const struct machine *m, enum machine_holder holder)
{
	return guest_of((struct machine *)m)->holders >> holder & 1;
}

bool machine_is_held(const struct machine *m)
{
	return guest_of((struct machine *)m)->holders;
}

void machine_while_stopped(struct machine *m, void (*fn)(void *opaque), void *opaque)
{
	fn(opaque);
}

void machine_throttle(struct machine *m, unsigned int percent)
{
	guest_of(m)->throttle = percent;
}

bool machine_power_pressed(struct machine *m)
{
	return guest_of(m)->pressed;
}

uint64_t machine_counter(struct machine *m, int64_t *when)
{
	*when = 1234567890123456;
	return 0x123456789abc;
}

enum machine_request machine_requested(struct machine *m)
{
	return guest_of(m)->request;
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
}

/* The vCPU, and what it writes past its caches, are the guest's. */
struct armvmm_vcpu *machine_vcpu(struct machine *m, unsigned int index)
{
	struct guest *g = guest_of(m);

	return index < g->cpus ? (struct armvmm_vcpu *)g : NULL;
}

int machine_raise_lines(struct machine *m)
{
	return 0;
}

int machine_sync_memory(struct machine *m)
{
	guest_of(m)->syncs++;
	return 0;
}

int machine_log_start(struct machine *m)
{
	guest_of(m)->logs++;
	guest_of(m)->log_starts++;
	return guestmem_log_start(&m->mem);
}

void machine_log_stop(struct machine *m)
{
	guest_of(m)->logs--;
	guestmem_log_stop(&m->mem);
}

int machine_log_take(struct machine *m, unsigned int region, uint32_t *bitmap, uint32_t *room)
{
	struct guest *g = guest_of(m);

	for (unsigned int i = 0; i < sizeof(g->log) / sizeof(g->log[0]); i++)
		bitmap[i] |= __atomic_exchange_n(&g->log[i], 0, __ATOMIC_SEQ_CST);
	for (unsigned int page = 0; page < 32; page++)
		if (g->wiped >> page & 1)
			memset(m->mem.region[0].host + page * 4096, 0, 4096);
	bitmap[0] |= g->always | g->wiped;
	g->wiped = 0;
	guestmem_log_take(&m->mem, region, bitmap);
	return 0;
}

int armvmm_vcpu_reg_get(struct armvmm_vcpu *vcpu, const char *name, uint64_t *value)
{
	const struct guest *g = (const struct guest *)vcpu;

	*value = 0xbad;
	if (!strcmp(name, "midr"))
		*value = g->midr;
	else if (!strcmp(name, "sctlr"))
		*value = g->uncached ? 0 : SCTLR_M | SCTLR_C;
	else if (!strcmp(name, "cpsr"))
		*value = 0x60000000 | CPSR_M_SVC;
	else if (!strcmp(name, "sp_svc") || !strcmp(name, "lr_svc"))
		*value = 0x5c00 + (*name == 'l');
	else if (!strcmp(name, "fpscr"))
		*value = 0x03000010;
	else if (*name == 'r')
		*value = 0x100 + (atoi(name + 1) == 15 ? 14 : atoi(name + 1));
	else if (*name == 'd' && atoi(name + 1) < (int)g->nr_d)
		*value = 0xd0000000000ull + atoi(name + 1);
	else
		return -ENOENT;
	return 0;
}

int armvmm_vcpu_mp_state_get(struct armvmm_vcpu *vcpu, uint32_t *state)
{
	*state = 0;
	return 0;
}

/* A VM is its guest. */
int armvmm_vm_state_save(struct armvmm_vm *vm, void **data, size_t *size)
{
	*data = strdup(((struct guest *)vm)->cpu_state);
	*size = strlen(*data);
	return 0;
}

int armvmm_vm_state_restore(struct armvmm_vm *vm, const void *data, size_t size)
{
	struct guest *g = (struct guest *)vm;

	snprintf(g->cpu_state, sizeof(g->cpu_state), "%.*s", (int)size, (const char *)data);
	return 0;
}

size_t chardev_peek_kept(struct chardev *chr, uint8_t *buf, size_t len)
{
	const char *kept = ((struct guest *)chr)->kept;

	memcpy(buf, kept, strlen(kept));
	return strlen(kept);
}

void chardev_put_kept(struct chardev *chr, const uint8_t *buf, size_t len)
{
	struct guest *g = (struct guest *)chr;

	snprintf(g->kept, sizeof(g->kept), "%.*s, again", (int)len, (const char *)buf);
}

/* ---- Making one ---- */

/* Keeps what waits for clients. */
static inline void guest_init(struct guest *g)
{
	char kept[sizeof(g->kept)];

	memcpy(kept, g->kept, sizeof(kept));
	if (g->m.mem.nr_regions)
		guestmem_destroy(&g->m.mem);
	memset(g, 0, sizeof(*g));
	memcpy(g->kept, kept, sizeof(kept));
	g->m.priv = &g->private;
	g->m.type = machine_type_find(MACHINE_TYPE_DEFAULT);
	g->m.ram_base = RAM_BASE;
	g->private.vm = (struct armvmm_vm *)g;
	g->m.chardev = (struct chardev *)g;
	KTAP_EQ(guestmem_alloc(&g->m.mem, RAM, MEMORY), 0);
	g->thing = (struct thing){ .dev = { .ops = &thing_ops, .base = BANK, .size = BANK_SIZE } };
	g->thing.value = 77;
	KTAP_EQ(device_register(&g->m.bus, &g->thing.dev), 0);
	g->cpus = 2;
	g->nr_d = 32;
	g->midr = 0x410fc0f0;
	strcpy(g->cpu_state, "what the CPUs have");
}

#endif /* TESTS_UNIT_GUEST_FAKE_H */
