// SPDX-License-Identifier: GPL-2.0-only
/* The tests' machine. */
#include "vm.h"

#include <grp.h>
#include <sched.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

const char *device_node(void)
{
	const char *e = getenv("ARMVMM_DEVICE_NODE");

	return e ? e : ARMVMM_DEVICE;
}

int sys_open(void)
{
	int fd = open(device_node(), O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ktap_skip("%s: %s", device_node(), strerror(errno));
	return fd;
}

bool host_pins(void)
{
	struct utsname name;

	MUST(!uname(&name), "%s", strerror(errno));
	return strstr(name.release, "-armbian") || strstr(name.release, "-openwrt") ||
	       strstr(name.release, "-thumb");
}

bool host_has_eventfd(void)
{
	struct utsname name;

	MUST(!uname(&name), "%s", strerror(errno));
	return !strstr(name.release, "-odd");
}

void needs_sync_mmu(void)
{
	if (host_pins())
		ktap_skip("the kernel has no MMU_NOTIFIER: guest memory is pinned");
}

static gid_t node_group;

void node_share(void)
{
	struct stat st;

	MUST(!stat(device_node(), &st), "%s: %s", device_node(), strerror(errno));
	node_group = st.st_gid;
	MUST_OK(chown(device_node(), (uid_t)-1, NODE_GROUP));
}

void node_unshare(void)
{
	MUST_OK(chown(device_node(), (uid_t)-1, node_group));
}

void be_nobody(bool member)
{
	gid_t group = NODE_GROUP;

	MUST_OK(setgroups(member ? 1 : 0, &group));
	MUST_OK(setresgid(NOBODY, NOBODY, NOBODY));
	MUST_OK(setresuid(NOBODY, NOBODY, NOBODY));
}

int vm_new(int sys)
{
	return (int)MUST_OK(ioctl(sys, KVM_CREATE_VM, 0));
}

char *map_pages(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(p != MAP_FAILED, "%zu bytes", size);
	return p;
}

int vm_gic(struct vm *vm)
{
	struct kvm_create_device cd = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };
	uint64_t dist = GICD_BASE, cpu = GICC_BASE;

	MUST_OK(ioctl(vm->fd, KVM_CREATE_DEVICE, &cd));
	MUST_OK(attr_set(cd.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, &dist));
	MUST_OK(attr_set(cd.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, &cpu));
	return cd.fd;
}

void vm_vcpu_init(struct vm *vm, unsigned int i)
{
	struct kvm_vcpu_init init = vm->init;

	if (i)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	MUST_OK(ioctl(vm->vcpu[i].fd, KVM_ARM_VCPU_INIT, &init));
}

void vm_vcpu(struct vm *vm, unsigned int i, unsigned int without)
{
	vm->vcpu[i].fd = (int)MUST_OK(ioctl(vm->fd, KVM_CREATE_VCPU, i));
	vm->vcpu[i].run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			       vm->vcpu[i].fd, 0);
	MUST(vm->vcpu[i].run != MAP_FAILED, "vCPU %u: %s", i, strerror(errno));
	if (!(without & VM_NO_VCPU_INIT))
		vm_vcpu_init(vm, i);
}

void vm_make(struct vm *vm, unsigned int nvcpus, unsigned int without)
{
	memset(vm, 0, sizeof(*vm));
	vm->gic = -1;
	vm->sys = sys_open();
	vm->run_size = (size_t)MUST_OK(ioctl(vm->sys, KVM_GET_VCPU_MMAP_SIZE, 0));
	vm->fd = vm_new(vm->sys);
	if (!(without & VM_NO_RAM)) {
		vm->ram = map_pages(RAM_SIZE);
		/* One in 512 would lie so that it is a block, and tests count blocks. */
		(void)madvise(vm->ram, RAM_SIZE, MADV_NOHUGEPAGE);
		MUST_OK(mem_set(vm->fd, 0, 0, RAM_BASE, RAM_SIZE, vm->ram));
	}
	if (!(without & VM_NO_GIC))
		vm->gic = vm_gic(vm);
	MUST_OK(ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &vm->init));
	if (!(without & VM_PSCI_01))
		vm->init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	for (unsigned int i = 0; i < nvcpus; i++)
		vm_vcpu(vm, i, without);
	if (!(without & (VM_NO_GIC | VM_NO_GIC_INIT)))
		MUST_OK(attr_set(vm->gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT,
				 NULL));
}

void vm_close(struct vm *vm)
{
	for (unsigned int i = 0; i < MAX_VCPUS; i++)
		if (vm->vcpu[i].run) {
			munmap(vm->vcpu[i].run, vm->run_size);
			close(vm->vcpu[i].fd);
		}
	if (vm->gic >= 0)
		close(vm->gic);
	close(vm->fd);
	close(vm->sys);
	if (vm->ram)
		munmap(vm->ram, RAM_SIZE);
}

void vm_vcpu_on(struct vm *vm, unsigned int i)
{
	struct kvm_mp_state on = { .mp_state = KVM_MP_STATE_RUNNABLE };

	MUST_OK(ioctl(vm->vcpu[i].fd, KVM_SET_MP_STATE, &on));
}

void vm_sync(const volatile void *p, size_t len)
{
	uintptr_t first = (uintptr_t)p & ~(uintptr_t)(PAGE - 1);
	size_t size = (((uintptr_t)p + len + PAGE - 1) & ~(uintptr_t)(PAGE - 1)) - first;

	MUST_OK(mprotect((void *)first, size, PROT_READ));
	MUST_OK(mprotect((void *)first, size, PROT_READ | PROT_WRITE));
}

void vm_code_at(struct vm *vm, unsigned int i, uint32_t at, const void *start, const void *end)
{
	size_t len = (size_t)((const char *)end - (const char *)start);

	memcpy(vm->ram + (at - RAM_BASE), start, len);
	__builtin___clear_cache(vm->ram + (at - RAM_BASE), vm->ram + (at - RAM_BASE) + len);
	vm_sync(vm->ram + (at - RAM_BASE), len);
	if (vm->vcpu[i].fd)
		reg32_set(vm->vcpu[i].fd, REG_PC, at);
}

void vm_code(struct vm *vm, unsigned int i, const void *start, const void *end)
{
	vm_code_at(vm, i, RAM_BASE + 0x10000 * (i + 1), start, end);
}

int reg_get(int vcpu, uint64_t id, void *val)
{
	struct kvm_one_reg r = { .id = id, .addr = (uintptr_t)val };

	return ioctl(vcpu, KVM_GET_ONE_REG, &r);
}

int reg_set(int vcpu, uint64_t id, const void *val)
{
	struct kvm_one_reg r = { .id = id, .addr = (uintptr_t)val };

	return ioctl(vcpu, KVM_SET_ONE_REG, &r);
}

uint32_t reg32(int vcpu, uint64_t id)
{
	uint32_t v = 0;

	if (reg_get(vcpu, id, &v) < 0)
		ktap_fail(__FILE__, __LINE__, "KVM_GET_ONE_REG", "%016llx: %s",
			  (unsigned long long)id, strerror(errno));
	return v;
}

uint64_t reg64(int vcpu, uint64_t id)
{
	uint64_t v = 0;

	if (reg_get(vcpu, id, &v) < 0)
		ktap_fail(__FILE__, __LINE__, "KVM_GET_ONE_REG", "%016llx: %s",
			  (unsigned long long)id, strerror(errno));
	return v;
}

void reg32_set(int vcpu, uint64_t id, uint32_t val)
{
	if (reg_set(vcpu, id, &val) < 0)
		ktap_fail(__FILE__, __LINE__, "KVM_SET_ONE_REG", "%016llx %08x: %s",
			  (unsigned long long)id, val, strerror(errno));
}

static int attr_call(unsigned long req, int fd, uint32_t group, uint64_t attr, void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)val };

	return ioctl(fd, req, &a);
}

int attr_set(int fd, uint32_t group, uint64_t attr, void *val)
{
	return attr_call(KVM_SET_DEVICE_ATTR, fd, group, attr, val);
}

int attr_get(int fd, uint32_t group, uint64_t attr, void *val)
{
	return attr_call(KVM_GET_DEVICE_ATTR, fd, group, attr, val);
}

int attr_has(int fd, uint32_t group, uint64_t attr)
{
	return attr_call(KVM_HAS_DEVICE_ATTR, fd, group, attr, NULL);
}

int irq_line(int vm, uint32_t irq, uint32_t level)
{
	struct kvm_irq_level l = { .irq = irq, .level = level };

	return ioctl(vm, KVM_IRQ_LINE, &l);
}

int mem_set(int vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size, void *hva)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void vm_complete(struct vm *vm, unsigned int i)
{
	vm->vcpu[i].run->immediate_exit = 1;
	CHECK_ERRNO(ioctl(vm->vcpu[i].fd, KVM_RUN, 0), EINTR);
	vm->vcpu[i].run->immediate_exit = 0;
}

unsigned int vm_run(struct vm *vm, unsigned int i)
{
	while (ioctl(vm->vcpu[i].fd, KVM_RUN, 0) < 0)
		MUST(errno == EINTR, "KVM_RUN: %s", strerror(errno));
	return vm->vcpu[i].run->exit_reason;
}

static void on_kick(int sig)
{
	(void)sig;
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	struct kvm_run *run = r->vm->vcpu[r->i].run;

	while (!r->stop) {
		if (ioctl(r->vm->vcpu[r->i].fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR)
				continue;
			r->error = errno;
			break;
		}
		r->exits++;
		if (run->exit_reason == KVM_EXIT_MMIO) {
			if (run->mmio.is_write && run->mmio.phys_addr == DEV_BASE) {
				uint32_t v;

				memcpy(&v, run->mmio.data, 4);
				r->last = v;
			} else if (!run->mmio.is_write) {
				uint32_t v = r->answer;

				memset(run->mmio.data, 0, 8);
				memcpy(run->mmio.data, &v, 4);
			}
			r->mmio++;
		} else if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT) {
			r->event = run->system_event.type;
			break;
		} else if (run->exit_reason != KVM_EXIT_INTR) {
			r->error = -(int)run->exit_reason;
			break;
		}
	}
	return NULL;
}

void runner_start(struct runner *r, struct vm *vm, unsigned int i)
{
	struct sigaction sa = { .sa_handler = on_kick };

	sigaction(SIGUSR1, &sa, NULL);
	memset(r, 0, sizeof(*r));
	r->vm = vm;
	r->i = i;
	MUST(!pthread_create(&r->thread, NULL, runner_main, r), "no thread");
}

void runners_start(struct runner *r, struct vm *vm, unsigned int n, const void *start,
		   const void *end)
{
	for (unsigned int i = 0; i < n; i++) {
		vm_vcpu_on(vm, i);
		vm_code(vm, i, start, end);
		runner_start(&r[i], vm, i);
	}
}

void runner_stop(struct runner *r)
{
	r->stop = true;
	r->vm->vcpu[r->i].run->immediate_exit = 1;
	pthread_kill(r->thread, SIGUSR1);
	pthread_join(r->thread, NULL);
	r->vm->vcpu[r->i].run->immediate_exit = 0;
}

static void *signaller_thread(void *arg)
{
	struct signaller *s = arg;
	uint64_t one = 1;

	while (!s->stop)
		(void)!write(s->fd, &one, sizeof(one));
	return NULL;
}

void signaller_start(struct signaller *s, int fd)
{
	s->fd = fd;
	s->stop = false;
	MUST(!pthread_create(&s->thread, NULL, signaller_thread, s), "no thread");
}

void signaller_stop(struct signaller *s)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
}

/* Such a wait is for what will come, so it may be longer where the host is known to be slow. */
static uint64_t in_ms(unsigned int ms)
{
	return now_ns() + ms * 1000000ull * ktap_slowdown();
}

bool comes(const volatile unsigned int *flag)
{
	uint64_t end = in_ms(PATIENCE_MS);

	while (!*flag && now_ns() < end)
		usleep(1000);
	return *flag;
}

bool runner_wait(struct runner *r, unsigned int n, unsigned int ms)
{
	uint64_t end = in_ms(ms);

	while (r->mmio < n && !r->error && now_ns() < end)
		usleep(1000);
	return r->mmio >= n;
}

void cpu_bind(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	MUST(!sched_setaffinity(0, sizeof(set), &set), "%s", strerror(errno));
}

int module_load(const char *file, const char *params)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), r, e;

	if (fd < 0)
		ktap_skip("%s: %s", file, strerror(errno));
	r = (int)syscall(SYS_finit_module, fd, params, 0);
	e = errno;
	close(fd);
	errno = e;
	return r;
}

static FILE *param_open(const char *name, const char *mode)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/armvmm/parameters/%s", name);
	f = fopen(path, mode);
	MUST(f, "%s: %s", path, strerror(errno));
	return f;
}

static void param_read(const char *name, char val[16])
{
	FILE *f = param_open(name, "r");

	MUST(fgets(val, 16, f), "%s cannot be read", name);
	fclose(f);
	val[strcspn(val, "\n")] = 0;
}

static void param_write(const char *name, const char *val)
{
	FILE *f = param_open(name, "w");

	MUST(fputs(val, f) >= 0 && !fclose(f), "%s cannot be set", name);
}

/* The parameters that this process has set, as they were. */
static struct { const char *name; char val[16]; } params[8];
static unsigned int nr_params;

static void params_back(void)
{
	for (unsigned int i = 0; i < nr_params; i++)
		param_write(params[i].name, params[i].val);
}

void param_put(const char *name, const char *val)
{
	unsigned int i = 0;

	while (i < nr_params && strcmp(params[i].name, name))
		i++;
	if (i == nr_params) {
		MUST(i < sizeof(params) / sizeof(params[0]), "too many parameters");
		params[i].name = name;
		param_read(name, params[i].val);
		nr_params++;
		ktap_at_end(params_back);
	}
	param_write(name, val);
}

void param_set(const char *name, bool on)
{
	param_put(name, on ? "Y" : "N");
}

bool param_is(const char *name)
{
	char val[16];

	param_read(name, val);
	return val[0] == 'Y';
}

#define TTBR0		ARM_CP15_REG32(0, 2, 0, 0)
#define DACR		ARM_CP15_REG32(0, 3, 0, 0)

/* Turns MMU, caches and branch predictor on, by a write that traps (HCR.TVM), and tells. */
GUEST_CODE(caches_on, "ldr r1, =DEV_BASE\n\tmrc p15, 0, r0, c1, c0, 0\n\tldr r2, =0x1805\n\t"
	   "orr r0, r0, r2\n\tmcr p15, 0, r0, c1, c0, 0\n\tisb\n\tstr r0, [r1]\n\tb .");

void vm_caches_on(struct vm *vm)
{
	uint32_t at = RAM_SIZE - 0x4000, *table = (void *)(vm->ram + at);

	/* Sections (DDI 0406C B3.5.1): a device, or shareable, write-back, write-allocate. */
	for (uint32_t i = 0; i < 4096; i++)
		table[i] = i << 20 | (i == DEV_BASE >> 20 ? 0xc16 : 0x11c0e);
	reg32_set(vm->vcpu[0].fd, TTBR0, RAM_BASE + at);
	reg32_set(vm->vcpu[0].fd, DACR, 1);
	VM_CODE(vm, 0, caches_on);
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && vm->vcpu[0].run->mmio.phys_addr == DEV_BASE,
	     "the guest did not turn its caches on");
}

int cpu_online(unsigned int cpu, bool on)
{
	char path[64];
	int fd, r;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = write(fd, on ? "1" : "0", 1) == 1 ? 0 : -1;
	close(fd);
	return r;
}

unsigned int log_count(const char *what)
{
	static char log[1 << 20];
	int size = klogctl(3, log, sizeof(log) - 1);	/* SYSLOG_ACTION_READ_ALL */
	unsigned int n = 0;

	MUST(size >= 0, "the kernel's log: %s", strerror(errno));
	log[size] = 0;
	for (const char *p = log; (p = strstr(p, what)); p++)
		n++;
	return n;
}

long proc_kb(const char *file, const char *what)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen(file, "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, what, strlen(what)))
			kb = atol(line + strlen(what));
	if (f)
		fclose(f);
	return kb;
}
