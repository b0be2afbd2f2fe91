// SPDX-License-Identifier: GPL-2.0-only
/*
 * saver: runs a guest (snapshot.c), stops it at random moments, saves all of it through libarmvmm,
 * and goes on in a VM of another process. With one CPU, the guest's log at the end, and its memory
 * and registers at each checkpoint, are the same as in a run that nobody stopped.
 *
 * Exit status: 0 passed, 1 failed, 4 no device to run on.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/armvmm.h>

#include "saver.h"

#define STREAM_START	0x2545f491u
/* The guest stops up to 4 ms after the requested events: in that time it logs hundreds. */
#define SPARE_EVENTS	2000

struct options opt = {
	.ncpus = 1, .rounds = 5, .events = 500, .tail = 1000, .reload = 10, .seed = 1,
};

struct look {
	bool taken;
	uint32_t memory, registers;
};

/* Shared by the processes: the log of the run that is stopped, and the findings. */
struct shared {
	uint64_t nr_events, nr_bad_events, first_bad;
	unsigned int nr_looks, nr_bad_looks;
	struct look all;	/* a sum of those of the run that nobody stops */
	unsigned int moments, pending, active, masked, timer;
	struct acts_count acts;
	char why[256];
	struct look look[];	/* then the log */
};
static struct shared *sh;
static uint32_t *log_of;
static size_t log_size;		/* events that there is room for */

struct file_head {
	struct device dev;
	uint64_t state_size;
};

struct vm m = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const file = "/tmp/saver.state";

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sh->why, sizeof(sh->why), fmt, ap);
	va_end(ap);
	_exit(1);
}

void must(int ret, const char *what)
{
	if (ret < 0)
		die("%s: %s", what, strerror(-ret));
}

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint32_t rnd(void)
{
	opt.seed = opt.seed * 1664525 + 1013904223;
	return opt.seed >> 8;
}

/* ---- the machine ---- */
static void machine_create(void)
{
	must(armvmm_vm_open(NULL, &m.vm), "armvmm_vm_open");
	m.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m.ram == MAP_FAILED)
		die("no memory");
	must(armvmm_vm_memory_set(m.vm, 0, RAM_BASE, RAM_SIZE, m.ram, 0), "memory");
	must(armvmm_gic_create(m.vm, GICD_BASE, GICC_BASE, NR_IRQS), "armvmm_gic_create");
	for (unsigned int i = 0; i < opt.ncpus; i++)
		must(armvmm_vcpu_create(m.vm, i, &m.vcpu[i]), "armvmm_vcpu_create");
	for (unsigned int i = 0; i < opt.ncpus; i++)
		must(armvmm_vcpu_init(m.vcpu[i], ARMVMM_VCPU_PSCI_0_2 |
				      (i ? ARMVMM_VCPU_POWER_OFF : 0)), "armvmm_vcpu_init");
	must(armvmm_gic_init(m.vm), "armvmm_gic_init");
}

static void machine_load(void)
{
	char *img = m.ram + (LOAD_ADDR - RAM_BASE);
	struct guest_param *p = (struct guest_param *)(img + PARAM_OFFSET);
	int fd = open(opt.image, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, img, RAM_SIZE - (LOAD_ADDR - RAM_BASE)) <= 0)
		die("%s: %s", opt.image, strerror(errno));
	close(fd);
	if (p->magic != PARAM_MAGIC)
		die("%s: is no guest", opt.image);
	p->flags = PARAM_VM;
	p->ncpus = opt.ncpus;
	m.dev = (struct device){ .stream = STREAM_START };
	must(armvmm_vcpu_reg_set(m.vcpu[0], "pc", LOAD_ADDR), "pc");
}

/* ---- its state in a file ---- */
static void machine_save(void)
{
	struct file_head head = { .dev = m.dev };
	void *state;
	size_t size;
	int fd;

	must(armvmm_vm_state_save(m.vm, &state, &size), "armvmm_vm_state_save");
	head.state_size = size;
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, &head, sizeof(head)) != sizeof(head) ||
	    write(fd, state, size) != (ssize_t)size || write(fd, m.ram, RAM_SIZE) != RAM_SIZE)
		die("%s: %s", file, strerror(errno));
	close(fd);
	free(state);
}

static void machine_restore(void)
{
	struct file_head head;
	void *state;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &head, sizeof(head)) != sizeof(head))
		die("%s: %s", file, strerror(errno));
	state = malloc(head.state_size);
	if (!state || read(fd, state, head.state_size) != (ssize_t)head.state_size ||
	    read(fd, m.ram, RAM_SIZE) != RAM_SIZE)
		die("%s is cut short", file);
	close(fd);
	must(armvmm_vm_state_restore(m.vm, state, head.state_size), "armvmm_vm_state_restore");
	free(state);
	m.dev = head.dev;
	if (m.dev.level)
		must(armvmm_irq_set_spi(m.vm, SNAP_SPI_LEVEL - 32, true), "SPI");
}

/*
 * Counts what the moments were like: a test that never meets an interrupt in flight would show
 * little.
 */
static void note_moment(void)
{
	uint32_t pend, act, en, pend1, act1;
	uint64_t cpsr, ctl;

	sh->moments++;
	for (unsigned int i = 0; i < opt.ncpus; i++) {
		must(armvmm_gic_reg_get(m.vm, ARMVMM_GIC_DIST, i, 0x200, &pend), "GICD");
		must(armvmm_gic_reg_get(m.vm, ARMVMM_GIC_DIST, i, 0x204, &pend1), "GICD");
		must(armvmm_gic_reg_get(m.vm, ARMVMM_GIC_DIST, i, 0x300, &act), "GICD");
		must(armvmm_gic_reg_get(m.vm, ARMVMM_GIC_DIST, i, 0x304, &act1), "GICD");
		must(armvmm_gic_reg_get(m.vm, ARMVMM_GIC_DIST, i, 0x100, &en), "GICD");
		must(armvmm_vcpu_reg_get(m.vcpu[i], "cpsr", &cpsr), "cpsr");
		must(armvmm_vcpu_reg_get(m.vcpu[i], "cntv_ctl", &ctl), "cntv_ctl");
		sh->pending += (pend & en) || pend1;
		sh->active += act || act1;
		sh->masked += cpsr >> 7 & 1;
		sh->timer += ctl & 1;
	}
}

/* ---- the client's devices ---- */
static uint32_t fnv(uint32_t h, const void *data, size_t n)
{
	const uint32_t *w = data;

	for (size_t i = 0; i < n / 4; i++)
		h = (h ^ w[i]) * 0x01000193;
	return h;
}

static void event(uint32_t value)
{
	uint64_t n = m.dev.nr_events++;

	if (n >= log_size)
		die("more events than were planned");
	if (!m.reference) {
		log_of[n] = value;
		sh->nr_events = m.dev.nr_events;
	} else if (log_of[n] != value && !sh->nr_bad_events++) {
		sh->first_bad = n;
	}
	if (m.dev.nr_events == m.until || m.dev.nr_events == m.most)
		m.stop = true;
}

/* So many there are at least, whenever the guest is stopped. */
static unsigned int planned_events(void)
{
	return opt.rounds * opt.events + opt.tail;
}

/*
 * Compares all that the guest can see, once its access is complete: memory, registers, the GIC; all
 * but the counter, whose record is the last.
 */
static void look(struct armvmm_vcpu *vcpu)
{
	struct look *at = &sh->look[m.dev.nr_events / SNAP_PERIOD], now = { .taken = true };
	struct armvmm_exit exit;
	void *state;
	size_t size;

	/* This takes longer than all that the guest does: most stops would be here. */
	if (!m.until)
		return;
	if (armvmm_vcpu_complete(vcpu, &exit))
		die("a store was not complete");
	must(armvmm_vm_state_save(m.vm, &state, &size), "armvmm_vm_state_save");
	now.memory = fnv(0x811c9dc5, m.ram, RAM_SIZE);
	now.registers = fnv(0x811c9dc5, state, size - 24);
	free(state);
	if (!m.reference) {
		*at = now;
		return;
	}
	if (m.dev.nr_events <= planned_events()) {
		sh->all.memory = fnv(sh->all.memory, &now.memory, 4);
		sh->all.registers = fnv(sh->all.registers, &now.registers, 4);
	}
	if (!at->taken)
		return;
	sh->nr_looks++;
	if ((at->memory != now.memory || at->registers != now.registers) && !sh->nr_bad_looks++)
		snprintf(sh->why, sizeof(sh->why), "after event %llu %s%s differ",
			 (unsigned long long)m.dev.nr_events,
			 at->memory != now.memory ? "memory " : "",
			 at->registers != now.registers ? "registers" : "");
}

static void set_level(uint32_t level)
{
	m.dev.level = level;
	must(armvmm_irq_set_spi(m.vm, SNAP_SPI_LEVEL - 32, level), "SPI");
}

static void mmio(struct armvmm_vcpu *vcpu, const struct armvmm_exit *exit)
{
	uint64_t gpa = exit->mmio.gpa;
	uint32_t v = 0;

	if (exit->mmio.len != 4)
		die("an access of %u bytes at %llx", exit->mmio.len, (unsigned long long)gpa);
	memcpy(&v, exit->mmio.data, 4);
	if (gpa >= SNAP_STREAM && gpa < SNAP_STREAM + 16) {
		/*
		 * Each access changes the stream: a repeated access would show in all that follows.
		 */
		m.dev.stream = m.dev.stream * 1664525 + 1013904223 +
			       (exit->mmio.is_write ? v : (uint32_t)gpa);
		memcpy(exit->mmio.data, &m.dev.stream, 4);
		return;
	}
	if (!exit->mmio.is_write)
		die("a read at %llx", (unsigned long long)gpa);
	if (gpa >= SNAP_ALIVE && gpa < SNAP_ALIVE + 4 * GUEST_MAX_CPUS) {
		m.dev.alive[(gpa - SNAP_ALIVE) / 4] = v;
		return;
	}
	switch (gpa) {
	case SNAP_EVENT:
		event(v);
		break;
	case SNAP_PULSE:
		must(armvmm_irq_set_spi(m.vm, v - 32, true), "SPI");
		must(armvmm_irq_set_spi(m.vm, v - 32, false), "SPI");
		break;
	case SNAP_RAISE:
	case SNAP_LOWER:
		set_level(gpa == SNAP_RAISE);
		break;
	case SNAP_CHECKPOINT:
		look(vcpu);
		break;
	case SNAP_FAIL:
		if (!m.dev.failed)
			snprintf(sh->why, sizeof(sh->why), "CPU %u: check %u failed", v >> 16,
				 v & 0xffff);
		m.dev.failed = v + 1;
		break;
	case SNAP_MODEL:
		m.dev.model = v;
		break;
	case UART_BASE:
		fputc((char)v, stderr);
		break;
	default:
		die("a write at %llx", (unsigned long long)gpa);
	}
}

/* Ends by a kick, when no access is outstanding; or, when m.stop is set, at once. */
static void run(struct armvmm_vcpu *vcpu)
{
	struct armvmm_exit exit;

	for (;;) {
		must(armvmm_vcpu_run(vcpu, &exit), "armvmm_vcpu_run");
		switch (exit.reason) {
		case ARMVMM_EXIT_INTR:
			if (m.stop)
				return;
			break;
		case ARMVMM_EXIT_MMIO:
			pthread_mutex_lock(&m.lock);
			mmio(vcpu, &exit);
			pthread_mutex_unlock(&m.lock);
			if (m.stop)
				armvmm_vcpu_kick(vcpu);
			break;
		default:
			die("exit %u", exit.raw);
		}
	}
}

static void on_signal(int sig)
{
	(void)sig;
	m.stop = true;
	for (unsigned int i = 0; i < opt.ncpus; i++)
		armvmm_vcpu_kick(m.vcpu[i]);
}

/* ---- one CPU ---- */
static void run_until(uint64_t until)
{
	m.stop = false;
	m.until = until;
	armvmm_vcpu_unkick(m.vcpu[0]);
	run(m.vcpu[0]);
}

static void alone_reference(unsigned int round)
{
	(void)round;
	machine_create();
	machine_load();
	m.reference = true;
	run_until(sh->nr_events);
}

/* Goes on from the file (or starts), logs the requested events, and stops some time later. */
static void alone_round(unsigned int round)
{
	struct itimerval t = { .it_value.tv_usec = 50 + rnd() % 4000 }, none = { 0 };

	machine_create();
	if (round)
		machine_restore();
	else
		machine_load();
	run_until(m.dev.nr_events + (round == opt.rounds ? opt.tail : opt.events));
	if (round == opt.rounds)
		return;
	m.stop = false;
	m.until = 0;
	m.most = m.dev.nr_events + SPARE_EVENTS;
	armvmm_vcpu_unkick(m.vcpu[0]);
	setitimer(ITIMER_REAL, &t, NULL);
	run(m.vcpu[0]);
	setitimer(ITIMER_REAL, &none, NULL);
	note_moment();
	machine_save();
}

/* ---- several ---- */
static void *thread(void *arg)
{
	run(arg);
	return NULL;
}

pthread_t threads[GUEST_MAX_CPUS];

void threads_start(void)
{
	m.stop = false;
	for (unsigned int i = 0; i < opt.ncpus; i++) {
		armvmm_vcpu_unkick(m.vcpu[i]);
		if (pthread_create(&threads[i], NULL, thread, m.vcpu[i]))
			die("no thread");
	}
}

void threads_wait(unsigned int round)
{
	uint64_t end = now_us() + 20000000;
	uint32_t before[GUEST_MAX_CPUS];

	memcpy(before, m.dev.alive, sizeof(before));
	for (unsigned int i = 0; i < opt.ncpus; i++)
		while (m.dev.alive[i] == before[i] && !m.dev.failed) {
			usleep(1000);
			if (now_us() > end)
				die("round %u: CPU %u stands still", round, i);
		}
}

void threads_stop(void)
{
	m.stop = true;
	for (unsigned int i = 0; i < opt.ncpus; i++) {
		armvmm_vcpu_kick(m.vcpu[i]);
		pthread_kill(threads[i], SIGALRM);
	}
	for (unsigned int i = 0; i < opt.ncpus; i++)
		pthread_join(threads[i], NULL);
	if (m.dev.failed)
		_exit(1);
}

static void together_round(unsigned int round)
{
	machine_create();
	if (round)
		machine_restore();
	else
		machine_load();
	if (opt.acts) {
		acts_run(round, &sh->acts);
	} else {
		threads_start();
		threads_wait(round);
		usleep(rnd() % 5000);
		threads_stop();
	}
	note_moment();
	machine_save();
}

/* ---- rounds ---- */
static int in_process(void (*fn)(unsigned int), unsigned int round)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		opt.seed += round * 7919;
		fn(round);
		armvmm_vm_close(m.vm);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		snprintf(sh->why, sizeof(sh->why), "round %u: signal %d", round, WTERMSIG(status));
	return status;
}

static int reload(void)
{
	const char *params = getenv("PARAMS");
	int fd, ret;

	for (int i = 0; syscall(SYS_delete_module, "armvmm", O_NONBLOCK) && errno != ENOENT; i++) {
		if (i == 100)
			return -errno;
		usleep(20000);
	}
	fd = open("/armvmm.ko", O_RDONLY | O_CLOEXEC);
	ret = fd < 0 ? -1 : (int)syscall(SYS_finit_module, fd, params ? params : "", 0);
	ret = ret ? -errno : 0;
	close(fd);
	for (int i = 0; !ret && access(ARMVMM_DEVICE, R_OK | W_OK) && i < 100; i++)
		usleep(10000);
	return ret;
}

/* Does HYP mode answer guests' accesses to the distributor? */
static bool hyp_answers(void)
{
	char c = 0;
	int fd = open("/sys/module/armvmm/parameters/hyp_dist", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &c, 1) != 1)
		die("hyp_dist: %s", strerror(errno));
	close(fd);
	return c == 'Y';
}

static unsigned int cases, bad;

static void result(bool ok, const char *what)
{
	cases++;
	bad += !ok;
	printf("%s %u %s\n", ok ? "ok" : "not ok", cases, what);
	if (!ok && sh->why[0])
		printf("# %s\n", sh->why);
	fflush(stdout);
}

static void acts_result(void)
{
	const struct acts_count *n = &sh->acts;
	char text[160];

	snprintf(text, sizeof(text),
		 "%u stops, %u moves, %u CPUs offline: %llu interrupts as the guest knows them",
		 n->pieces, n->moves, n->offline, (unsigned long long)n->looks);
	result(n->pieces && n->moves && n->looks > 1000 &&
	       (n->offline || sysconf(_SC_NPROCESSORS_CONF) < 2), text);
	snprintf(text, sizeof(text), "%llu accesses were answered in HYP mode, %llu by the host",
		 (unsigned long long)n->by_hyp, (unsigned long long)n->by_host);
	result((hyp_answers() ? n->by_hyp > 1000 : !n->by_hyp) && n->by_host > 1000, text);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:r:e:t:l:s:a:")) != -1) {
		unsigned int v = strtoul(optarg ? optarg : "0", NULL, 0);

		switch (c) {
		case 'n': opt.ncpus = v; break;
		case 'r': opt.rounds = v; break;
		case 'e': opt.events = v; break;
		case 't': opt.tail = v; break;
		case 'l': opt.reload = v; break;
		case 's': opt.seed = v; break;
		case 'a': opt.acts = v; break;
		default: exit(2);
		}
	}
	if (optind + 1 != argc || !opt.ncpus || opt.ncpus > GUEST_MAX_CPUS || !opt.reload)
		exit(2);
	opt.image = argv[optind];
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned int round, reloads = 0;
	char text[160];
	size_t looks;
	bool alone;

	parse(argc, argv);
	alone = opt.ncpus == 1;
	log_size = alone ? (size_t)opt.rounds * (opt.events + SPARE_EVENTS) + opt.tail : 0;
	looks = sizeof(struct look) * (log_size / SNAP_PERIOD + 1);
	sh = mmap(NULL, sizeof(*sh) + looks + 4 * log_size, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		return 1;
	log_of = (uint32_t *)((char *)sh->look + looks);
	sigaction(SIGALRM, &sa, NULL);
	printf("TAP version 13\n");
	if (access(ARMVMM_DEVICE, R_OK | W_OK) && reload()) {
		printf("1..0 # SKIP %s: %s\n", ARMVMM_DEVICE, strerror(errno));
		return 4;
	}
	for (round = 0; round <= opt.rounds; round++) {
		if (in_process(alone ? alone_round : together_round, round))
			break;
		if ((round + 1) % opt.reload == 0 && round < opt.rounds) {
			reloads++;
			if (reload()) {
				snprintf(sh->why, sizeof(sh->why), "the module: %s",
					 strerror(errno));
				break;
			}
		}
	}
	snprintf(text, sizeof(text),
		 "%u restores in other processes, %u by a module loaded anew", opt.rounds, reloads);
	result(round == opt.rounds + 1, text);
	if (alone && !bad) {
		result(!in_process(alone_reference, 0), "a run that nobody stops");
		if (sh->nr_bad_events)
			printf("# event %llu is another\n", (unsigned long long)sh->first_bad);
		snprintf(text, sizeof(text),
			 "all events are the same, %u of them after the last restore", opt.tail);
		result(!sh->nr_bad_events, text);
		result(!sh->nr_bad_looks && sh->nr_looks, "so are memory, registers and GIC");
		printf("# %llu events, %u looks\n", (unsigned long long)sh->nr_events,
		       sh->nr_looks);
		/* The same whenever it is stopped, and whoever answers the guest. */
		printf("# visible: %u events %08x, memory %08x, registers and GIC %08x\n",
		       planned_events(), fnv(0x811c9dc5, log_of, planned_events() * 4),
		       sh->all.memory, sh->all.registers);
	}
	if (opt.acts && !bad)
		acts_result();
	printf("# %u moments: interrupts pending %u, active %u, masked %u; a timer set %u\n",
	       sh->moments, sh->pending, sh->active, sh->masked, sh->timer);
	printf("1..%u\n", cases);
	unlink(file);
	return bad ? 1 : 0;
}
