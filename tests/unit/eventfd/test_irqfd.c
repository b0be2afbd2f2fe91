// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/eventfd/irqfd.c
// cflags: -include tests/unit/irqfd_fake.h -Itests/unit/fake -Iinclude/uapi -I. -Idriver
//
// irqfds of two VMs: what they raise, how they end, and who waits for whose clean-up. The works of
// one VM run only where the test lets them, so that a wait for them would never end.
#include <linux/err.h>

#include "core/state.h"
#include "eventfd/eventfd.h"
#include "eventfd/eventfd_private.h"
#include "eventfd/irqroute.h"
#include "ktap.h"
#include "vgic/vgic.h"

#define NR_FDS	16
#define NR_VMS	2

/* --- VMs --- */

static struct armvmm_vm vm[NR_VMS];
static struct armvmm_eventfds eventfds[NR_VMS];
static unsigned int raised[NR_VMS][8], level[NR_VMS][8];

unsigned int armvmm_irqroute_pin(struct armvmm_vm *v, unsigned int gsi)
{
	return gsi;
}

int armvmm_vgic_inject(struct armvmm_vm *v, struct armvmm_vcpu *vcpu, unsigned int intid,
		       bool up, const void *owner)
{
	unsigned int pin = intid - GIC_NR_PRIVATE;

	KTAP_TRUE(pin < 8);
	raised[v - vm][pin] += up;
	level[v - vm][pin] = up;
	return 0;
}

/* --- eventfds: the file, its context and the fd are one --- */

struct eventfd_ctx {
	int refs, files;
	unsigned int signals;
	bool set;		/* it can be read */
	wait_queue_head_t queue;
};

static struct eventfd_ctx fds[NR_FDS];

struct eventfd_ctx *eventfd_ctx_fdget(int fd)
{
	if (fd < 0 || fd >= NR_FDS)
		return ERR_PTR(-EBADF);
	fds[fd].refs++;
	return &fds[fd];
}

struct file *eventfd_fget(int fd)
{
	if (fd < 0 || fd >= NR_FDS)
		return ERR_PTR(-EBADF);
	fds[fd].files++;
	return (struct file *)&fds[fd];
}

struct eventfd_ctx *eventfd_ctx_fileget(struct file *file)
{
	struct eventfd_ctx *ctx = (struct eventfd_ctx *)file;

	ctx->refs++;
	return ctx;
}

void eventfd_ctx_put(struct eventfd_ctx *ctx)
{
	assert(ctx->refs > 0);
	ctx->refs--;
}

void fput(struct file *file)
{
	struct eventfd_ctx *ctx = (struct eventfd_ctx *)file;

	assert(ctx->files > 0);
	ctx->files--;
}

void eventfd_signal(struct eventfd_ctx *ctx)
{
	assert(ctx->refs > 0);
	ctx->signals++;
}

__poll_t vfs_poll(struct file *file, poll_table *pt)
{
	struct eventfd_ctx *ctx = (struct eventfd_ctx *)file;

	pt->queue(file, &ctx->queue, pt);
	return ctx->set ? EPOLLIN : 0;
}

void eventfd_ctx_remove_wait_queue(struct eventfd_ctx *ctx, wait_queue_entry_t *wait, u64 *count)
{
	wait_queue_entry_t **link = &ctx->queue.first;

	while (*link && *link != wait)
		link = &(*link)->next;
	KTAP_ASSERT(*link);
	*link = wait->next;
	*count = 0;
}

/* Somebody writes to it, or closes the last of its files. */
static void wake(unsigned int fd, __poll_t what)
{
	wait_queue_entry_t *next;

	for (wait_queue_entry_t *w = fds[fd].queue.first; w; w = next) {
		next = w->next;
		w->func(w, 0, 0, (void *)(uintptr_t)what);
	}
}

/* --- work; the one that waits goes on when a work has run --- */

static struct work_struct *works;
static unsigned int stuck;	/* of these so many, at the head of the queue, none runs */
static bool waited_for_stuck;

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max)
{
	return (struct workqueue_struct *)&works;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	KTAP_TRUE(!works);
}

void queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	struct work_struct **link = &works;

	if (work->queued)
		return;
	while (*link)
		link = &(*link)->next;
	*link = work;
	work->next = NULL;
	work->queued = true;
}

/* Runs the first that is not stuck. False: there is none. */
static bool run_one(void)
{
	struct work_struct **link = &works, *work;

	for (unsigned int i = 0; i < stuck && *link; i++)
		link = &(*link)->next;
	work = *link;
	if (!work)
		return false;
	*link = work->next;
	work->queued = false;
	work->run(work);
	return true;
}

static void run_all(void)
{
	stuck = 0;
	while (run_one())
		;
}

/* It would wait for what is stuck, and in the test that ends here. */
void fake_wait(void)
{
	if (run_one())
		return;
	waited_for_stuck = true;
	stuck = 0;
	if (!run_one()) {
		KTAP_FAIL("a wait without an end");
		exit(1);
	}
}

void flush_workqueue(struct workqueue_struct *wq)
{
	while (works)
		fake_wait();
}

void cancel_work_sync(struct work_struct *work)
{
	struct work_struct **link = &works;

	while (*link && *link != work)
		link = &(*link)->next;
	if (*link)
		*link = work->next;
	work->queued = false;
}

/* --- the tests --- */

static void start(void)
{
	memset(vm, 0, sizeof(vm));
	memset(eventfds, 0, sizeof(eventfds));
	memset(fds, 0, sizeof(fds));
	memset(raised, 0, sizeof(raised));
	memset(level, 0, sizeof(level));
	stuck = 0;
	waited_for_stuck = false;
	for (unsigned int i = 0; i < NR_VMS; i++) {
		vm[i].eventfds = &eventfds[i];
		vm[i].vgic.initialized = true;
		INIT_LIST_HEAD(&eventfds[i].resample_irqfds);
	}
	KTAP_EQ(armvmm_irqfd_init(), 0);
}

/* Nothing is left. */
static void end(void)
{
	run_all();
	for (unsigned int i = 0; i < NR_VMS; i++) {
		armvmm_irqfd_release(&vm[i]);
		KTAP_EQ(eventfds[i].nr_irqfds, 0);
		KTAP_EQ(atomic_read_acquire(&eventfds[i].irqfd_cleanups), 0);
		free(eventfds[i].resample_at);
	}
	for (int fd = 0; fd < NR_FDS; fd++) {
		KTAP_EQ(fds[fd].refs, 0);
		KTAP_EQ(fds[fd].files, 0);
		KTAP_TRUE(!fds[fd].queue.first);
	}
	armvmm_irqfd_exit();
}

static int irqfd(unsigned int v, int fd, unsigned int gsi, u32 flags, int resample)
{
	struct kvm_irqfd args = {
		.fd = (u32)fd, .gsi = gsi, .flags = flags, .resamplefd = (u32)resample,
	};

	return armvmm_irqfd(&vm[v], &args);
}

static int assign(unsigned int v, int fd, unsigned int gsi)
{
	return irqfd(v, fd, gsi, 0, 0);
}

static int deassign(unsigned int v, int fd, unsigned int gsi)
{
	return irqfd(v, fd, gsi, KVM_IRQFD_FLAG_DEASSIGN, 0);
}

static void test_pulses(void)
{
	start();
	KTAP_EQ(assign(0, 1, 3), 0);
	KTAP_EQ(raised[0][3], 0);
	wake(1, EPOLLIN);
	KTAP_EQ(raised[0][3], 1);
	KTAP_EQ(level[0][3], 0);
	KTAP_EQ(assign(0, 1, 4), -EBUSY);
	/* Another VM may have it too; and one that can be read already raises at once. */
	fds[1].set = true;
	KTAP_EQ(assign(1, 1, 5), 0);
	KTAP_EQ(raised[1][5], 1);
	wake(1, EPOLLIN);
	KTAP_EQ(raised[0][3], 2);
	KTAP_EQ(raised[1][5], 2);
	KTAP_EQ(deassign(0, 1, 3), 0);
	wake(1, EPOLLIN);
	KTAP_EQ(raised[0][3], 2);
	KTAP_EQ(raised[1][5], 3);
	KTAP_EQ(assign(0, NR_FDS, 0), -EBADF);
	KTAP_EQ(assign(0, 1, 3), 0);
	end();
}

/* The last file of the eventfd is closed: the irqfd goes, by and by, and counts no more at once. */
static void test_closed(void)
{
	start();
	KTAP_EQ(assign(0, 1, 3), 0);
	wake(1, EPOLLHUP);
	wake(1, EPOLLHUP);
	KTAP_EQ(eventfds[0].nr_irqfds, 0);
	KTAP_EQ(fds[1].refs, 1);
	run_all();
	KTAP_EQ(fds[1].refs, 0);
	end();
}

static void test_resample(void)
{
	struct armvmm_vcpu vcpu = { .vm = &vm[0] };

	start();
	KTAP_EQ(irqfd(0, 1, 3, KVM_IRQFD_FLAG_RESAMPLE, 2), 0);
	wake(1, EPOLLIN);
	KTAP_EQ(level[0][3], 1);
	vcpu.vgic.ended[0] = 3 + GIC_NR_PRIVATE;
	vcpu.vgic.nr_ended = 1;
	armvmm_irqfd_tell_ended(&vcpu);
	KTAP_EQ(level[0][3], 0);
	KTAP_TRUE(run_one());
	KTAP_EQ(fds[2].signals, 1);
	wake(1, EPOLLIN);
	KTAP_EQ(deassign(0, 1, 3), 0);
	KTAP_EQ(level[0][3], 0);
	end();
}

/* A VM that ends, or takes an irqfd away, waits for its own that go, and for no other VM's. */
static void test_own_only(void)
{
	start();
	for (int fd = 0; fd < 8; fd++)
		KTAP_EQ(assign(0, fd, 0), 0);
	for (int fd = 8; fd < 12; fd++)
		KTAP_EQ(assign(1, fd, 0), 0);
	for (unsigned int fd = 0; fd < 8; fd++)
		wake(fd, EPOLLHUP);
	stuck = 8;
	KTAP_EQ(deassign(1, 8, 0), 0);
	KTAP_EQ(fds[8].refs, 0);
	/* None is there, and so there is nothing to wait for. */
	KTAP_EQ(deassign(1, 8, 0), 0);
	wake(9, EPOLLHUP);
	armvmm_irqfd_release(&vm[1]);
	for (unsigned int fd = 9; fd < 12; fd++)
		KTAP_EQ(fds[fd].refs, 0);
	KTAP_TRUE(!waited_for_stuck);
	for (unsigned int fd = 0; fd < 8; fd++)
		KTAP_EQ(fds[fd].refs, 1);
	/* Its own VM does wait for them. */
	armvmm_irqfd_release(&vm[0]);
	KTAP_TRUE(waited_for_stuck);
	for (unsigned int fd = 0; fd < 8; fd++)
		KTAP_EQ(fds[fd].refs, 0);
	end();
}

KTAP_MAIN(KTAP_CASE(test_pulses), KTAP_CASE(test_closed), KTAP_CASE(test_resample),
	  KTAP_CASE(test_own_only))
