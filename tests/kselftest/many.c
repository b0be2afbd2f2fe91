// SPDX-License-Identifier: GPL-2.0-only
/*
 * The things that a client can register in large numbers. Searches find them without a lock while
 * others are added and removed; their number is limited.
 */
#include "vm.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define ROUND	50	/* writes between two reports: fewer than the ring holds */
#define AT	0x0b100000u
#define FIRST	(AT - MANY * 8)
#define MANY	900u
#define ENOUGH	10	/* times MANY that come and go: whether a search meets one is luck */

/* Writes ROUND words to r2, then reports, for ever. */
GUEST_CODE(rounds, "ldr r1, =DEV_BASE\n1:\tmov r5, #50\n2:\tstr r5, [r2]\n\tsubs r5, r5, #1\n\t"
	   "bne 2b\n\tstr r0, [r1]\n\tb 1b");

static int new_eventfd(void)
{
	return (int)MUST_OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

static int ioeventfd(int vm, int fd, uint64_t addr, uint32_t flags)
{
	struct kvm_ioeventfd e = { .addr = addr, .len = 4, .fd = fd, .flags = flags };

	return ioctl(vm, KVM_IOEVENTFD, &e);
}

static int zone(int vm, unsigned long req, uint64_t addr, uint32_t size)
{
	struct kvm_coalesced_mmio_zone z = { .addr = addr, .size = size };

	return ioctl(vm, req, &z);
}

static int irqfd(int vm, int fd, uint32_t gsi, uint32_t flags)
{
	struct kvm_irqfd i = { .fd = (uint32_t)fd, .gsi = gsi, .flags = flags };

	return ioctl(vm, KVM_IRQFD, &i);
}

/*
 * --- others come and go while the guest writes ---
 *
 * In order of address, each before AT and behind all others: so the tree turns again and again on
 * the way to what is at AT.
 */
struct churn {
	struct vm *vm;
	void (*add)(struct vm *vm, uint32_t addr);
	void (*del)(struct vm *vm, uint32_t addr);
	volatile bool stop;
	volatile unsigned int rounds;
};

static void *churn_main(void *arg)
{
	struct churn *c = arg;

	while (!c->stop) {
		for (uint32_t i = 0; i < MANY; i++)
			c->add(c->vm, FIRST + 8 * i);
		for (uint32_t i = 0; i < MANY && !c->stop; i++)
			c->del(c->vm, FIRST + 8 * i);
		c->rounds++;
	}
	return NULL;
}

/*
 * Runs the guest until there were enough changes. Every write finds the one at AT, or exits here.
 */
static void churn(struct churn *c, void (*told)(struct vm *vm))
{
	uint64_t end = now_ns() + PATIENCE_MS * 1000000ull;
	struct kvm_run *run = c->vm->vcpu[0].run;
	unsigned int out = 0;
	pthread_t t;

	VM_CODE(c->vm, 0, rounds);
	reg32_set(c->vm->vcpu[0].fd, REG_R(2), AT);
	MUST(!pthread_create(&t, NULL, churn_main, c), "no thread");
	while ((c->rounds < ENOUGH && now_ns() < end) || !c->rounds) {
		MUST(vm_run(c->vm, 0) == KVM_EXIT_MMIO, "exit reason %u", run->exit_reason);
		if (run->mmio.phys_addr == DEV_BASE)
			told(c->vm);
		else
			out++;
	}
	c->stop = true;
	pthread_join(t, NULL);
	CHECK(!out, "%u writes were not found", out);
}

static int bell;

static void doorbell_add(struct vm *vm, uint32_t addr)
{
	CHECK_OK(ioeventfd(vm->fd, bell, addr, 0));
}

static void doorbell_del(struct vm *vm, uint32_t addr)
{
	CHECK_OK(ioeventfd(vm->fd, bell, addr, KVM_IOEVENTFD_FLAG_DEASSIGN));
}

static void doorbell_rang(struct vm *vm)
{
	uint64_t n = 0;

	(void)vm;
	CHECK(read(bell, &n, sizeof(n)) == sizeof(n) && n == ROUND, "rang %llu times",
	      (unsigned long long)n);
}

static void doorbells_change(void)
{
	struct churn c = { .add = doorbell_add, .del = doorbell_del };
	struct vm vm;

	vm_make(&vm, 1, 0);
	bell = new_eventfd();
	doorbell_add(&vm, AT);
	c.vm = &vm;
	churn(&c, doorbell_rang);
}

static void zone_add(struct vm *vm, uint32_t addr)
{
	CHECK_OK(zone(vm->fd, KVM_REGISTER_COALESCED_MMIO, addr, 8));
}

static void zone_del(struct vm *vm, uint32_t addr)
{
	CHECK_OK(zone(vm->fd, KVM_UNREGISTER_COALESCED_MMIO, addr, 8));
}

static void zone_took(struct vm *vm)
{
	struct kvm_coalesced_mmio_ring *ring = (void *)((char *)vm->vcpu[0].run + PAGE *
							KVM_COALESCED_MMIO_PAGE_OFFSET);
	unsigned int max = (PAGE - sizeof(*ring)) / sizeof(ring->coalesced_mmio[0]);
	uint32_t n = (ring->last + max - ring->first) % max;

	CHECK(n == ROUND, "%u entries", n);
	ring->first = ring->last;
}

static void zones_change(void)
{
	struct churn c = { .add = zone_add, .del = zone_del };
	struct vm vm;

	vm_make(&vm, 1, 0);
	zone_add(&vm, AT);
	c.vm = &vm;
	churn(&c, zone_took);
}

/* --- irqfds --- */

#define IRQFDS	4096u	/* all that a VM may have */
#define OWN	2000u

/* irqfds that belong to another table of descriptors: RLIMIT_NOFILE counts for each table. */
struct others {
	int vm;
	const int *copied;	/* OWN of the first table: room for others */
	unsigned int n;
	int error;
	volatile unsigned int ready, stop;
};

static void *others_main(void *arg)
{
	struct others *o = arg;

	errno = 0;
	if (!unshare(CLONE_FILES)) {
		for (unsigned int i = 0; i < OWN; i++)
			close(o->copied[i]);
		for (; o->n < 2 * IRQFDS; o->n++) {
			int e = eventfd(0, EFD_CLOEXEC);

			if (e < 0 || irqfd(o->vm, e, o->n % 64, 0) < 0)
				break;
		}
	}
	o->error = errno;
	o->ready = 1;
	while (!o->stop)
		usleep(1000);
	return NULL;
}

static void many_irqfds(void)
{
	static int own[OWN];
	struct others o = { .copied = own };
	struct rlimit fds;
	uint64_t end;
	pthread_t t;
	struct vm vm;
	int e;

	MUST_OK(getrlimit(RLIMIT_NOFILE, &fds));
	fds.rlim_cur = fds.rlim_max;
	MUST_OK(setrlimit(RLIMIT_NOFILE, &fds));
	vm_make(&vm, 1, 0);
	o.vm = vm.fd;
	for (unsigned int i = 0; i < OWN; i++) {
		own[i] = new_eventfd();
		MUST_OK(irqfd(vm.fd, own[i], i % 64, 0));
	}
	/* Each is found, and not another one in its place. */
	for (unsigned int i = 0; i < OWN; i++) {
		unsigned int n = i * 7 % OWN;

		CHECK_ERRNO(irqfd(vm.fd, own[n], n % 64, 0), EBUSY);
		/* No match: this pin is another. */
		CHECK_OK(irqfd(vm.fd, own[n], n % 64 + 1, KVM_IRQFD_FLAG_DEASSIGN));
		CHECK_ERRNO(irqfd(vm.fd, own[n], n % 64, 0), EBUSY);
	}
	for (unsigned int i = 0; i < OWN; i += 20) {
		CHECK_OK(irqfd(vm.fd, own[i], i % 64, KVM_IRQFD_FLAG_DEASSIGN));
		CHECK_OK(irqfd(vm.fd, own[i], i % 64, 0));
	}

	MUST(!pthread_create(&t, NULL, others_main, &o), "no thread");
	MUST(comes(&o.ready), "the other table is not full yet");
	CHECK(o.n == IRQFDS - OWN && o.error == ENOSPC, "%u more, then %s", o.n,
	      strerror(o.error));
	CHECK_OK(irqfd(vm.fd, own[0], 0, KVM_IRQFD_FLAG_DEASSIGN));
	CHECK_OK(irqfd(vm.fd, own[0], 0, 0));
	e = new_eventfd();
	CHECK_ERRNO(irqfd(vm.fd, e, 0, 0), ENOSPC);

	/* When its table ends, an eventfd is closed, and its irqfd goes. */
	o.stop = 1;
	pthread_join(t, NULL);
	for (end = now_ns() + PATIENCE_MS * 1000000ull; now_ns() < end; usleep(1000))
		if (!irqfd(vm.fd, e, 0, 0))
			break;
	CHECK_ERRNO(irqfd(vm.fd, e, 0, 0), EBUSY);
	vm_close(&vm);
}

/* --- VMs themselves: files bound their number --- */

/* Runs @work in a process of an unprivileged member of the node's group. */
static void as_nobody(void (*work)(void))
{
	int status = -1;
	pid_t pid;

	node_share();
	pid = fork();
	if (!pid) {
		be_nobody(true);
		work();
		_exit(ktap_failed());
	}
	waitpid(pid, &status, 0);
	node_unshare();
	CHECK(!status, "status %x", status);
}

static void make_till_no_file(void)
{
	struct rlimit files = { 100, 100 };
	int sys = sys_open(), vm[128], n = 0;

	MUST_OK(setrlimit(RLIMIT_NOFILE, &files));
	while (n < 128 && (vm[n] = ioctl(sys, KVM_CREATE_VM, 0)) >= 0)
		n++;
	ktap_note("%d VMs, then %s", n, strerror(errno));
	MUST(errno == EMFILE && n >= 80 && n < 100, "%d VMs", n);
	/* What fails leaves nothing behind: the vCPU can be made when there is room. */
	CHECK_ERRNO(ioctl(vm[n - 1], KVM_CREATE_VCPU, 0), EMFILE);
	close(vm[0]);
	MUST_OK(ioctl(vm[n - 1], KVM_CREATE_VCPU, 0));
	CHECK_ERRNO(ioctl(sys, KVM_CREATE_VM, 0), EMFILE);
}

static void files_bound_vms(void)
{
	/* Not the limit of kselftest/users. */
	param_put("max_vms_per_user", "0");
	as_nobody(make_till_no_file);
}

static const struct ktap_case cases[] = {
	{ "doorbells_change", doorbells_change, 0 },
	{ "zones_change", zones_change, 0 },
	{ "many_irqfds", many_irqfds, 0 },
	{ "files_bound_vms", files_bound_vms, 0 },
};
KTAP_MAIN(cases)
