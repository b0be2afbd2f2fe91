// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's thread: runs the guest and answers its exits. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/message.h"
#include "core/posted.h"
#include "core/runstate.h"
#include "vcpu.h"

#define VCPU_SIGNAL		SIGUSR1
#define VCPU_STACK_SIZE		(256 << 10)

/* Its arrival ends KVM_RUN; there is nothing to do. */
static void vcpu_kicked(int signal)
{
}

void vcpus_init(struct vcpus *all)
{
	struct sigaction action = { .sa_handler = vcpu_kicked };

	sigaction(VCPU_SIGNAL, &action, NULL);
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->changed, NULL);
}

void vcpus_exit(struct vcpus *all)
{
	pthread_mutex_destroy(&all->lock);
	pthread_cond_destroy(&all->changed);
}

/* ---- Out of the guest ---- */

/* Makes the vCPU leave KVM_RUN, and not enter it, until vcpu_resume_all(). */
static void vcpu_kick(struct vcpu *vcpu)
{
	if (!vcpu->running)
		return;
	armvmm_vcpu_kick(vcpu->handle);
	pthread_kill(vcpu->thread, VCPU_SIGNAL);
}

/*
 * The lock is held. No vCPU that saw .paused unset stays in the guest. @but (or NULL) is the
 * caller's own vCPU, which is left out.
 */
static void vcpu_call_out(struct vcpus *all, const struct vcpu *but)
{
	if (all->paused)
		return;
	__atomic_store_n(&all->paused, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < all->nr; i++)
		if (&all->vcpu[i] != but)
			vcpu_kick(&all->vcpu[i]);
}

void vcpu_pause_all(struct vcpus *all)
{
	pthread_mutex_lock(&all->lock);
	vcpu_call_out(all, NULL);
	for (unsigned int i = 0; i < all->nr; i++)
		while (all->vcpu[i].running && !all->vcpu[i].parked)
			pthread_cond_wait(&all->changed, &all->lock);
	pthread_mutex_unlock(&all->lock);
}

void vcpu_call_all(struct vcpus *all)
{
	pthread_mutex_lock(&all->lock);
	vcpu_call_out(all, NULL);
	pthread_mutex_unlock(&all->lock);
}

void vcpu_resume_all(struct vcpus *all)
{
	pthread_mutex_lock(&all->lock);
	for (unsigned int i = 0; all->paused && i < all->nr; i++)
		armvmm_vcpu_unkick(all->vcpu[i].handle);
	__atomic_store_n(&all->paused, false, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
}

void vcpu_keep(struct vcpu *vcpu, bool keep)
{
	pthread_mutex_lock(&vcpu->all->lock);
	__atomic_store_n(&vcpu->keep, keep, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&vcpu->all->lock);
}

void vcpu_debug_seen(struct vcpus *all)
{
	pthread_mutex_lock(&all->lock);
	for (unsigned int i = 0; i < all->nr; i++)
		__atomic_store_n(&all->vcpu[i].debugged, false, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
}

/*
 * A vCPU stopped at a point of the debugger's: stops all, and tells the main thread. Called on the
 * vCPU's thread.
 */
static void vcpu_debugged(struct vcpu *vcpu, const struct armvmm_exit *exit)
{
	struct vcpus *all = vcpu->all;

	pthread_mutex_lock(&all->lock);
	vcpu->debug = *exit;
	__atomic_store_n(&vcpu->debugged, true, __ATOMIC_RELEASE);
	vcpu_call_out(all, vcpu);
	pthread_mutex_unlock(&all->lock);
	machine_debugged(vcpu->m);
}

/* ---- A thread ---- */

/* The guest accessed an address without a device. Reported the 1st, 2nd, 4th, 8th ... time. */
static void vcpu_unclaimed(struct vcpu *vcpu, const struct armvmm_exit *exit)
{
	uint64_t nr = __atomic_load_n(&vcpu->m->bus.nr_unclaimed, __ATOMIC_RELAXED);
	unsigned int index = armvmm_vcpu_index(vcpu->handle);
	uint64_t pc = 0;

	if (!vcpu->m->verbose || nr & (nr - 1))
		return;
	armvmm_vcpu_reg_get(vcpu->handle, "pc", &pc);
	machine_note(vcpu->m, "vCPU %u at 0x%llx: %s of %u bytes at 0x%llx, where no device is (%llu so far)",
		     index, (unsigned long long)pc, exit->mmio.is_write ? "write" : "read",
		     exit->mmio.len, (unsigned long long)exit->mmio.gpa, (unsigned long long)nr);
}

static void vcpu_crash(struct vcpu *vcpu, const char *fmt, ...)
{
	char why[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	machine_request(vcpu->m, MACHINE_CRASH, MACHINE_BY_ERROR, why);
}

static void vcpu_fail_entry(struct vcpu *vcpu, uint64_t reason, unsigned int cpu)
{
	unsigned int index = armvmm_vcpu_index(vcpu->handle);

	switch (reason) {
	case ARMVMM_FAIL_NO_HYP:
		vcpu_crash(vcpu, "vCPU %u: CPU %u has lost HYP mode to another owner", index, cpu);
		break;
	case ARMVMM_FAIL_NO_DEBUG:
		vcpu_crash(vcpu, "vCPU %u: CPU %u has no debug registers for its client", index,
			   cpu);
		break;
	case ARMVMM_FAIL_OTHER_PART:
		vcpu_crash(vcpu,
			   "vCPU %u: came to CPU %u, which is of another part than the one that it began on: leave its threads on the CPUs that --cpu-part chose",
			   index, cpu);
		break;
	default:
		vcpu_crash(vcpu, "vCPU %u: cannot be entered on CPU %u (reason 0x%llx)", index, cpu,
			   (unsigned long long)reason);
	}
}

/* Returns false when the thread has to end. */
static bool vcpu_exit(struct vcpu *vcpu, const struct armvmm_exit *exit)
{
	unsigned int index = armvmm_vcpu_index(vcpu->handle);

	/* What the guest wrote before comes first. */
	posted_drain(vcpu->m);
	switch (exit->reason) {
	case ARMVMM_EXIT_INTR:
		return true;
	case ARMVMM_EXIT_MMIO:
		if (device_bus_access(&vcpu->m->bus, exit->mmio.gpa, exit->mmio.data,
				      exit->mmio.len, exit->mmio.is_write))
			vcpu_unclaimed(vcpu, exit);
		return true;
	case ARMVMM_EXIT_SHUTDOWN:
		machine_request(vcpu->m, MACHINE_POWEROFF, MACHINE_BY_GUEST, NULL);
		return false;
	case ARMVMM_EXIT_RESET:
		machine_request(vcpu->m, MACHINE_RESET, MACHINE_BY_GUEST, NULL);
		return false;
	case ARMVMM_EXIT_FAIL_ENTRY:
		vcpu_fail_entry(vcpu, exit->fail_entry.reason, exit->fail_entry.cpu);
		return false;
	case ARMVMM_EXIT_DEBUG:
		vcpu_debugged(vcpu, exit);
		return true;
	case ARMVMM_EXIT_INTERNAL:
		vcpu_crash(
			vcpu, "vCPU %u: the hypervisor gave up (suberror %u, data 0x%llx 0x%llx)",
			index, exit->internal.suberror,
			(unsigned long long)(exit->internal.nr_data > 0 ? exit->internal.data[0] :
									  0),
			(unsigned long long)(exit->internal.nr_data > 1 ? exit->internal.data[1] :
									  0));
		return false;
	default:
		vcpu_crash(vcpu, "vCPU %u: stopped for a reason that is not known here (%u)", index,
			   exit->raw);
		return false;
	}
}

/* KVM_RUN failed with -@ret: the machine ends. */
static void vcpu_cannot_run(struct vcpu *vcpu, int ret)
{
	unsigned int index = armvmm_vcpu_index(vcpu->handle);
	struct rlimit limit;

	if (ret == -ENOMEM && vcpu->pinned && !getrlimit(RLIMIT_MEMLOCK, &limit))
		vcpu_crash(vcpu, "vCPU %u: cannot run: this host pins guest memory, and RLIMIT_MEMLOCK (%llu KiB) allows no more of it: raise it (ulimit -l) beyond the memory of all guests of this user",
			   index, (unsigned long long)limit.rlim_cur >> 10);
	else if (ret == -EFAULT && vcpu->m->mem.shared)
		vcpu_crash(vcpu, "vCPU %u: cannot run: the host has no page for the guest's memory, which is a file because of vhost-user: (%s): see /proc/meminfo, and vm.overcommit_memory",
			   index, strerror(-ret));
	else
		vcpu_crash(vcpu, "vCPU %u: cannot run: %s", index, strerror(-ret));
}

/* An instruction that accessed a device may have more accesses. False: the thread must end. */
static bool vcpu_complete(struct vcpu *vcpu)
{
	struct armvmm_exit exit;
	int ret;

	while ((ret = armvmm_vcpu_complete(vcpu->handle, &exit)) == 1)
		if (!vcpu_exit(vcpu, &exit))
			return false;
	if (ret)
		vcpu_cannot_run(vcpu, ret);
	return !ret;
}

static bool vcpu_is_stopping(struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->stopping, __ATOMIC_ACQUIRE);
}

/* Must the vCPU stay out? All must, it is kept, or it has met a point of the debugger's. */
static bool vcpu_is_paused(struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->all->paused, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&vcpu->keep, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&vcpu->debugged, __ATOMIC_ACQUIRE);
}

/* Waits out a pause. */
static void vcpu_park(struct vcpu *vcpu)
{
	struct vcpus *all = vcpu->all;

	pthread_mutex_lock(&all->lock);
	while (vcpu_is_paused(vcpu) && !vcpu_is_stopping(vcpu)) {
		/* Once: parked vCPUs would wake each other again and again. */
		if (!vcpu->parked)
			pthread_cond_broadcast(&all->changed);
		vcpu->parked = true;
		pthread_cond_wait(&all->changed, &all->lock);
	}
	vcpu->parked = false;
	pthread_mutex_unlock(&all->lock);
}

/* Its thread leaves (@parked), or has started. */
static void vcpu_enter(struct vcpu *vcpu, bool parked, pid_t tid)
{
	pthread_mutex_lock(&vcpu->all->lock);
	vcpu->parked = parked;
	vcpu->tid = tid;
	pthread_cond_broadcast(&vcpu->all->changed);
	pthread_mutex_unlock(&vcpu->all->lock);
}

static void vcpu_run(struct vcpu *vcpu)
{
	struct armvmm_exit exit = { .reason = ARMVMM_EXIT_INTR };
	int ret;

	while (!vcpu_is_stopping(vcpu)) {
		if (vcpu_is_paused(vcpu)) {
			if (exit.reason == ARMVMM_EXIT_MMIO && !vcpu_complete(vcpu))
				break;
			exit.reason = ARMVMM_EXIT_INTR;
			vcpu_park(vcpu);
			continue;
		}
		ret = armvmm_vcpu_run(vcpu->handle, &exit);
		if (ret) {
			vcpu_cannot_run(vcpu, ret);
			break;
		}
		if (!vcpu_exit(vcpu, &exit))
			break;
	}
}

static bool vcpu_bind(struct vcpu *vcpu)
{
	if (!vcpu->cpus || !sched_setaffinity(0, sizeof(*vcpu->cpus), vcpu->cpus))
		return true;
	vcpu_crash(vcpu, "vCPU %u: cannot run on the chosen CPUs: %s",
		   armvmm_vcpu_index(vcpu->handle), strerror(errno));
	return false;
}

static void *vcpu_thread(void *opaque)
{
	struct vcpu *vcpu = opaque;
	char name[16];
	sigset_t set;

	snprintf(name, sizeof(name), "vcpu%u", armvmm_vcpu_index(vcpu->handle));
	prctl(PR_SET_NAME, name);
	vcpu_enter(vcpu, false, gettid());
	if (vcpu_bind(vcpu)) {
		machine_confine(vcpu->m, MACHINE_THREAD_VCPU);
		sigemptyset(&set);
		sigaddset(&set, VCPU_SIGNAL);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		vcpu_run(vcpu);
	}
	vcpu_enter(vcpu, true, 0);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, VCPU_STACK_SIZE);
	/*
	 * Under the lock: if another vCPU calls all out, it finds this one, or this one finds the
	 * call.
	 */
	pthread_mutex_lock(&vcpu->all->lock);
	ret = pthread_create(&vcpu->thread, &attr, vcpu_thread, vcpu);
	vcpu->running = !ret;
	pthread_mutex_unlock(&vcpu->all->lock);
	pthread_attr_destroy(&attr);
	return -ret;
}

void vcpu_stop_all(struct vcpus *all)
{
	pthread_mutex_lock(&all->lock);
	for (unsigned int i = 0; i < all->nr; i++) {
		__atomic_store_n(&all->vcpu[i].stopping, true, __ATOMIC_RELEASE);
		vcpu_kick(&all->vcpu[i]);
	}
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
	for (unsigned int i = 0; i < all->nr; i++) {
		bool running;

		/* From here on no other thread sends it a signal. */
		pthread_mutex_lock(&all->lock);
		running = all->vcpu[i].running;
		all->vcpu[i].running = false;
		pthread_mutex_unlock(&all->lock);
		if (running)
			pthread_join(all->vcpu[i].thread, NULL);
	}
}

void vcpu_dump(struct vcpu *vcpu)
{
	static const char *const names[][4] = {
		{ "r0", "r1", "r2", "r3" },
		{ "r4", "r5", "r6", "r7" },
		{ "r8", "r9", "r10", "r11" },
		{ "r12", "sp", "lr", "pc" },
		{ "cpsr", "sp_svc", "lr_svc", "spsr_svc" },
		{ "sctlr", "ttbr0", "ttbcr", "vbar" },
		{ "dfsr", "dfar", "ifsr", "ifar" },
		{ "lr_abt", "spsr_abt", "lr_und", "spsr_und" },
	};

	message("vCPU %u:", armvmm_vcpu_index(vcpu->handle));
	for (unsigned int row = 0; row < sizeof(names) / sizeof(names[0]); row++) {
		char line[160];
		size_t len = 0;

		for (unsigned int i = 0; i < 4; i++) {
			uint64_t value;
			int ret = armvmm_vcpu_reg_get(vcpu->handle, names[row][i], &value);

			if (ret)
				len += snprintf(line + len, sizeof(line) - len, " %8s --------",
						names[row][i]);
			else
				len += snprintf(line + len, sizeof(line) - len, " %8s %08llx",
						names[row][i], (unsigned long long)value);
		}
		message("%s", line);
	}
}
