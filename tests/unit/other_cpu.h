/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two CPUs, of which one runs at a time, for searches that another CPU may mislead: a thread each,
 * which change over at fake_point()s. What the other one takes out, it frees when the search has
 * ended, and not before (srcu).
 */
#ifndef TESTS_UNIT_OTHER_CPU_H
#define TESTS_UNIT_OTHER_CPU_H

#include <pthread.h>
#include <semaphore.h>

#include "fake/fake_kernel.h"

#include "core/iobus.h"
#include "host/hypmap.h"
#include "ktap.h"
#include "mem/memslot.h"

static struct {
	pthread_t thread;
	sem_t go, stopped;
	void (*job)(int arg);
	int arg;
	enum fake_point until;		/* it stops here, and at FAKE_SRCU_SYNC */
	enum fake_point at;		/* where it has stopped */
	bool to_the_end;
	bool there, ended;
} other;
static __thread bool on_other;

/* Before step number at (from 0) of this CPU's search, the other one begins. -1: it does not. */
static struct {
	int at, step;
	unsigned int waits;
} search = { .at = -1 };

static void *other_main(void *unused)
{
	on_other = true;
	other.job(other.arg);
	other.ended = true;
	sem_post(&other.stopped);
	return NULL;
}

static void other_resume(enum fake_point until)
{
	int err = 0;

	other.until = until;
	if (other.there)
		sem_post(&other.go);
	else
		err = pthread_create(&other.thread, NULL, other_main, NULL);
	assert(!err);
	other.there = true;
	sem_wait(&other.stopped);
}

#undef fake_point
void fake_point(enum fake_point point)
{
	if (on_other) {
		if (other.to_the_end || (point != other.until && point != FAKE_SRCU_SYNC))
			return;
		other.at = point;
		sem_post(&other.stopped);
		sem_wait(&other.go);
		return;
	}
	if (point == FAKE_SEQ_WAIT) {
		/* A wait for nobody would be for ever. */
		assert(other.there && !other.ended && other.at != FAKE_SRCU_SYNC);
		search.waits++;
		other_resume(FAKE_SRCU_SYNC);
	} else if (point == FAKE_RCU_STEP && search.at >= 0 && search.step++ == search.at) {
		other_resume(other.until);
	}
}

static void other_set(void (*job)(int arg), int arg, enum fake_point until)
{
	memset(&other, 0, sizeof(other));
	sem_init(&other.go, 0, 0);
	sem_init(&other.stopped, 0, 0);
	other.job = job;
	other.arg = arg;
	other.until = until;
}

static void other_finish(void)
{
	other.to_the_end = true;
	while (other.there && !other.ended)
		other_resume(FAKE_SRCU_SYNC);
	if (other.there)
		pthread_join(other.thread, NULL);
}

/* --- searches of a tree --- */

#define RACE_ENTRIES	4

struct race {
	void (*start)(void);
	void (*add)(int i);		/* entries lie in the order of their numbers */
	void (*remove)(int i);
	bool (*found)(int i);		/* by a guest's write */
	void (*end)(void);
	unsigned int waited;
};

/* Adds all entries in the nth of the orders that there are. */
static void race_add(const struct race *r, unsigned int nth)
{
	int left[RACE_ENTRIES], n, pick;

	for (n = 0; n < RACE_ENTRIES; n++)
		left[n] = n;
	for (; n; n--) {
		pick = nth % n;
		nth /= n;
		r->add(left[pick]);
		left[pick] = left[n - 1];
	}
}

/* False: the search ends before the step. */
static bool race_at(struct race *r, unsigned int order, int looked, int removed, int step,
		    enum fake_point until)
{
	unsigned int waits = 0;
	bool met;

	r->start();
	race_add(r, order);
	other_set(r->remove, removed, until);
	search.at = step;
	search.step = 0;
	search.waits = 0;
	/* Step -1: the change has begun before the search, which waits where it has not ended. */
	if (step < 0) {
		other_resume(until);
		waits = other.at != FAKE_SRCU_SYNC;
	}
	if (!r->found(looked))
		KTAP_FAIL("%d is not found as %d goes: order %u, step %d, point %d", looked,
			  removed, order, step, until);
	met = search.step > search.at;
	if (step < 0)
		KTAP_EQ(search.waits, waits);
	r->waited += search.waits;
	search.at = -1;
	other_finish();
	if (!met)
		r->remove(removed);
	KTAP_TRUE(r->found(looked));
	KTAP_TRUE(!r->found(removed));
	r->end();
	return met;
}

/* One entry is looked for while another one is removed, in every tree of them, at every step. */
static void race_all(struct race *r, enum fake_point until)
{
	unsigned int order, orders = 1;
	int i, looked, removed, step;

	for (i = 2; i <= RACE_ENTRIES; i++)
		orders *= i;
	for (order = 0; order < orders; order++) {
		for (i = 0; i < RACE_ENTRIES * RACE_ENTRIES; i++) {
			looked = i % RACE_ENTRIES;
			removed = i / RACE_ENTRIES;
			for (step = -1; looked != removed; step++) {
				if (!race_at(r, order, looked, removed, step, until))
					break;
			}
		}
	}
}

/* --- the bus --- */

static struct armvmm_iodev *bus[ARMVMM_IOBUS_PLACES];

void armvmm_iobus_register(struct armvmm_vm *v, enum armvmm_iobus_place place,
			   struct armvmm_iodev *dev)
{
	lockdep_assert_held(&v->slots_lock);
	KTAP_TRUE(!bus[place]);
	bus[place] = dev;
}

void armvmm_iobus_unregister(struct armvmm_vm *v, enum armvmm_iobus_place place)
{
	lockdep_assert_held(&v->slots_lock);
	KTAP_TRUE(bus[place]);
	bus[place] = NULL;
	fake_point(FAKE_SRCU_SYNC);
}

/* A page that the devices before have, and one that a slot covers; 0: there is none. */
static u64 fake_device_at, fake_ram_at;

bool armvmm_iobus_taken(struct armvmm_vm *v, enum armvmm_iobus_place place, bool is_write,
			u64 addr, u64 size)
{
	return fake_device_at && fake_device_at < addr + size &&
	       addr < fake_device_at + PAGE_SIZE;
}

struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *v, u64 gfn)
{
	static struct armvmm_memslot slot;

	return fake_ram_at && fake_ram_at >> PAGE_SHIFT == gfn ? &slot : NULL;
}

/* --- what HYP mode sees --- */

static unsigned int fake_in_hyp;	/* pages that are mapped there by themselves */
static int fake_hypmap_error;

int armvmm_hypmap_add(const void *addr, size_t size, enum hypmap_prot prot)
{
	KTAP_TRUE(size == PAGE_SIZE && prot == HYPMAP_DATA);
	if (!fake_hypmap_error)
		fake_in_hyp++;
	return fake_hypmap_error;
}

void armvmm_hypmap_remove(const void *addr, size_t size)
{
	KTAP_TRUE(fake_in_hyp && size == PAGE_SIZE);
	fake_in_hyp--;
}


void *armvmm_hypmap_alloc(size_t size)
{
	return calloc(1, size);
}

void armvmm_hypmap_free(void *p, size_t size)
{
	free(p);
}

#endif
