// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/save.c userspace/armvmm-run/snapshot/restore.c
// sources: userspace/armvmm-run/snapshot/part.c userspace/armvmm-run/snapshot/pages.c
// sources: userspace/armvmm-run/snapshot/facts.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/device.c
// sources: userspace/armvmm-run/core/guestmem.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
//
// A snapshot's course: the machine is held, its devices come to rest, a thread writes; and whatever
// comes in between, the guest is afterwards as it was. What is written is restored.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../guest/lib/board.h"
#include "arch/archregs.h"
#include "core/machine_private.h"
#include "core/record.h"
#include "ktap.h"
#include "snapshot/layout.h"
#include "snapshot/restore.h"
#include "snapshot/save.h"

#define MEMORY	(8u << 20)
#define RAM	((uint64_t)RAM_BASE)
#define BANK	0x04000000ull
#define BANK_SIZE 8192u

/* ---- The machine ---- */

static struct machine m;
static struct machine_private private;
static unsigned int holders, gone, cpus = 2, syncs;
static bool pressed, uncached;
static uint32_t midr;
static enum machine_request request;
static struct machine_listener *listener;
static char restored_cpus[32];

struct thing {
	struct device dev;
	uint32_t value;
	bool paused, busy, fails;
	unsigned int resumes;
};

static struct thing thing;
static uint8_t bank[BANK_SIZE];

static const struct record_field thing_state[] = { RECORD_FIELD(struct thing, value, 1000) };

static struct thing *thing_of(struct device *dev)
{
	return container_of(dev, struct thing, dev);
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
	KTAP_TRUE(holders && thing_of(dev)->paused && !thing_of(dev)->busy);
	record_put_fields(r, thing_of(dev), thing_state, 1);
}

static int thing_restore(struct device *dev, struct record *r)
{
	return record_get_fields(r, thing_of(dev), thing_state, 1);
}

static void *thing_memory(struct device *dev)
{
	return bank;
}

static int thing_flush(struct device *dev)
{
	return thing_of(dev)->fails ? -EIO : 0;
}

static const struct device_ops thing_ops = {
	.name = "thing", .pause = thing_pause, .is_idle = thing_is_idle, .resume = thing_resume,
	.save = thing_save, .restore = thing_restore, .state_version = 4, .memory = thing_memory,
	.flush = thing_flush,
};

void machine_listen(struct machine *machine, struct machine_listener *l)
{
	listener = l;
}

void machine_unlisten(struct machine *machine, struct machine_listener *l)
{
	listener = NULL;
}

void machine_hold(struct machine *machine, enum machine_holder holder)
{
	holders |= 1u << holder;
}

void machine_release(struct machine *machine, enum machine_holder holder)
{
	bool held = holders;

	holders &= ~(1u << holder);
	gone += held && !holders;
}

bool machine_is_held_by(const struct machine *machine, enum machine_holder holder)
{
	return holders >> holder & 1;
}

bool machine_power_pressed(struct machine *machine)
{
	return pressed;
}

uint64_t machine_counter(struct machine *machine)
{
	return 0x123456789abc;
}

enum machine_request machine_requested(struct machine *machine)
{
	return request;
}

struct armvmm_vcpu *machine_vcpu(struct machine *machine, unsigned int index)
{
	return index < cpus ? (struct armvmm_vcpu *)&private : NULL;
}

int machine_raise_lines(struct machine *machine)
{
	return 0;
}

int machine_sync_memory(struct machine *machine)
{
	syncs++;
	return 0;
}

int armvmm_vcpu_reg_get(struct armvmm_vcpu *vcpu, const char *name, uint64_t *value)
{
	*value = strcmp(name, "midr") ? (uncached ? 0 : SCTLR_M | SCTLR_C) : midr;
	return 0;
}

int armvmm_vcpu_mp_state_get(struct armvmm_vcpu *vcpu, uint32_t *state)
{
	*state = 0;
	return 0;
}

int armvmm_vm_state_save(struct armvmm_vm *vm, void **data, size_t *size)
{
	*data = strdup("what the CPUs have");
	*size = strlen(*data);
	return 0;
}

int armvmm_vm_state_restore(struct armvmm_vm *vm, const void *data, size_t size)
{
	snprintf(restored_cpus, sizeof(restored_cpus), "%.*s", (int)size, (const char *)data);
	return 0;
}

/* ---- What clients of the control socket have not read yet ---- */

static char kept[80];

size_t chardev_peek_kept(struct chardev *chr, uint8_t *buf, size_t len)
{
	memcpy(buf, kept, strlen(kept));
	return strlen(kept);
}

void chardev_put_kept(struct chardev *chr, const uint8_t *buf, size_t len)
{
	snprintf(kept, sizeof(kept), "%.*s, again", (int)len, (const char *)buf);
}

static void setup(void)
{
	if (m.mem.nr_regions)
		guestmem_destroy(&m.mem);
	memset(&m, 0, sizeof(m));
	m.priv = &private;
	KTAP_EQ(guestmem_alloc(&m.mem, RAM, MEMORY), 0);
	thing = (struct thing){ .dev = { .ops = &thing_ops, .base = BANK, .size = BANK_SIZE } };
	thing.value = 77;
	KTAP_EQ(device_register(&m.bus, &thing.dev), 0);
	memset(bank, 0, sizeof(bank));
	holders = gone = syncs = 0;
	cpus = 2;
	midr = 0x410fc0f0;
	pressed = uncached = false;
	request = MACHINE_NONE;
}

static enum save_phase phase(struct save *s)
{
	struct save_status status;

	save_get(s, &status);
	return status.phase;
}

/* Runs the main loop until the snapshot is over, or for @ms. */
static void run(struct save *s, unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	while (save_is_active(s) && g_get_monotonic_time() < end) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
}

static int temporary(void)
{
	char path[] = "/tmp/test_save.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	unlink(path);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Saves to a file, and returns it; the guest goes on. */
static int save(void)
{
	struct save *s = save_new(&m);
	int fd = temporary(), mine = dup(fd);
	struct error err = { "" };

	KTAP_EQ(save_start(s, fd, true, &err), 0);
	KTAP_TRUE(holders && thing.paused);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_COMPLETED);
	KTAP_TRUE(!is_open(fd) && !thing.paused);
	save_free(s);
	lseek(mine, 0, SEEK_SET);
	return mine;
}

static int restore(int fd, struct facts *facts, struct error *err)
{
	err->text[0] = '\0';
	lseek(fd, 0, SEEK_SET);
	return restore_machine(&m, fd, "a.snap", facts, err);
}

/* ---- The cases ---- */

static void test_there_and_back(void)
{
	struct facts facts = { 0 };
	struct error err;
	int fd;

	setup();
	memset(m.mem.region[0].host + 12345, 'x', 100000);
	bank[BANK_SIZE - 1] = 9;
	strcpy(kept, "what it said");
	fd = save();
	KTAP_EQ(holders, 0);
	KTAP_EQ(gone, 1);
	KTAP_EQ(syncs, 0);
	setup();
	thing.value = 0;
	KTAP_EQ(restore(fd, &facts, &err), 0);
	KTAP_STREQ(err.text, "");
	KTAP_EQ(thing.value, 77);
	KTAP_STREQ(restored_cpus, "what the CPUs have");
	KTAP_STREQ(kept, "what it said, again");
	KTAP_EQ(facts.counter, 0x123456789abc);
	KTAP_TRUE(!facts.stopped);
	KTAP_EQ(m.mem.region[0].host[12344], 0);
	KTAP_EQ(m.mem.region[0].host[12345], 'x');
	KTAP_EQ(m.mem.region[0].host[112344], 'x');
	KTAP_EQ(m.mem.region[0].host[112345], 0);
	KTAP_EQ(bank[BANK_SIZE - 1], 9);
	close(fd);
}

/* A guest that a person had stopped stays stopped, and is restored so. */
static void test_stopped(void)
{
	struct facts facts = { 0 };
	struct error err;
	int fd;

	setup();
	uncached = true;
	machine_hold(&m, MACHINE_HOLDER_CONTROL);
	fd = save();
	KTAP_EQ(holders, 1u << MACHINE_HOLDER_CONTROL);
	KTAP_EQ(gone, 0);
	KTAP_EQ(syncs, 1);
	KTAP_EQ(restore(fd, &facts, &err), 0);
	KTAP_TRUE(facts.stopped);
	close(fd);
}

/* Each of these makes another machine, and the message says how. */
static void test_another_machine(void)
{
	struct facts facts;
	struct error err;
	int fd;

	setup();
	fd = save();
#define OTHER(change, why)							\
	do {									\
		setup();							\
		change;								\
		KTAP_EQ(restore(fd, &facts, &err), -EBADMSG);			\
		KTAP_STREQ(err.text, "a.snap: part machine: " why);		\
	} while (0)
	OTHER(m.mem.region[0].size -= 1 << 20,
	      "the guest had 8 MiB of memory, and has 7 here (--memory)");
	m.mem.region[0].size = MEMORY;
	OTHER(cpus = 1, "the guest had 2 CPUs, and has 1 here (--cpus)");
	OTHER(midr++, "the guest ran on CPUs of another kind: MIDR 0x410fc0f0, and 0x410fc0f1 here");
	OTHER(m.pmu = true, "performance counters were off, and are on here (--pmu)");
	OTHER(m.virtio_legacy = true, "virtio was modern, and is legacy here (--virtio)");
	OTHER(m.firmware = true, "firmware was off, and is on here (--firmware)");
	setup();
	thing.dev.base += 4096;
	KTAP_EQ(restore(fd, &facts, &err), -ENXIO);
	KTAP_STREQ(err.text, "a.snap: part thing@4001000: in its place is the part thing@4000000: was the guest saved with other options?");
	setup();
	m.bus.nr = 0;
	KTAP_EQ(restore(fd, &facts, &err), -ENXIO);
	KTAP_STREQ(err.text, "a.snap: part console: in its place is the part thing@4000000: was the guest saved with other options?");
	close(fd);
}

/* Nothing begins while it could not be right, and the file stays the caller's. */
static void test_refused(void)
{
	struct save *s;
	struct error err;
	int fd = temporary(), file[2];

	setup();
	s = save_new(&m);
#define REFUSED(change, undo, why)						\
	do {									\
		change;								\
		KTAP_TRUE(save_start(s, fd, true, &err) < 0);			\
		KTAP_STREQ(err.text, why);					\
		KTAP_TRUE(is_open(fd) && !holders && !thing.paused);		\
		undo;								\
	} while (0)
	REFUSED(request = MACHINE_RESET, request = MACHINE_NONE, "The guest is being reset, or ends");
	REFUSED(m.debugger = true, m.debugger = false,
		"A debugger is there, which may have breakpoints in the guest's memory");
	REFUSED(pressed = true, pressed = false,
		"The power button is pressed: try again in a moment");
	REFUSED(cpus = 0, cpus = 2, "The guest has not started yet");
	KTAP_EQ(pipe(file), 0);
	KTAP_EQ(save_start(s, file[0], true, &err), -EBADF);
	close(file[0]);
	close(file[1]);
	/* Two at a time. */
	thing.busy = true;
	KTAP_EQ(save_start(s, dup(fd), true, &err), 0);
	KTAP_EQ(save_start(s, fd, true, &err), -EBUSY);
	KTAP_STREQ(err.text, "There's a migration process in progress");
	thing.busy = false;
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_COMPLETED);
	save_free(s);
	close(fd);
}

/* Devices take their time, which the main loop does not wait for. */
static void test_busy(void)
{
	struct save *s;
	struct error err;

	setup();
	s = save_new(&m);
	thing.busy = true;
	KTAP_EQ(save_start(s, temporary(), true, &err), 0);
	run(s, 60);
	KTAP_EQ(phase(s), SAVE_ACTIVE);
	save_cancel(s);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_CANCELLED);
	KTAP_TRUE(!holders && !thing.paused);
	/* What comes up meanwhile fails it. */
	KTAP_EQ(save_start(s, temporary(), true, &err), 0);
	pressed = true;
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_FAILED);
	KTAP_TRUE(!holders && !thing.paused);
	save_free(s);
}

static void failed(struct save *s, const char *why)
{
	struct save_status status;

	run(s, 10000);
	save_get(s, &status);
	KTAP_EQ(status.phase, SAVE_FAILED);
	KTAP_STREQ(status.why.text, why);
	KTAP_TRUE(!holders && !thing.paused);
	KTAP_EQ(thing.resumes, 1);
}

static void test_full_disk(void)
{
	struct save *s;
	struct error err;

	setup();
	s = save_new(&m);
	KTAP_EQ(save_start(s, open("/dev/full", O_WRONLY), true, &err), 0);
	failed(s, "the snapshot cannot be written: No space left on device");
	/* The next one works. */
	KTAP_EQ(save_start(s, temporary(), true, &err), 0);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_COMPLETED);
	save_free(s);
}

static void test_flush_fails(void)
{
	struct save *s;
	struct error err;

	setup();
	s = save_new(&m);
	thing.fails = true;
	/* A guest that would stay stopped goes on after a failure. */
	KTAP_EQ(save_start(s, temporary(), false, &err), 0);
	failed(s, "thing@4000000: flush: Input/output error");
	save_free(s);
}

/* A reader of a pipe that is deaf holds up only the guest, and only until somebody cancels it. */
static void test_deaf(void)
{
	struct save *s;
	struct error err;
	int end[2];

	setup();
	/* More than a pipe holds. */
	for (unsigned int i = 0; i < 1 << 20; i++)
		m.mem.region[0].host[i] = g_random_int();
	s = save_new(&m);
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(save_start(s, end[1], true, &err), 0);
	run(s, 300);
	KTAP_EQ(phase(s), SAVE_ACTIVE);
	save_cancel(s);
	KTAP_EQ(phase(s), SAVE_CANCELLING);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_CANCELLED);
	KTAP_TRUE(!holders && !thing.paused);
	close(end[0]);
	/* The same if the guest's run ends; and a reader that goes. */
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(save_start(s, end[1], true, &err), 0);
	run(s, 200);
	listener->event(listener, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });
	KTAP_EQ(phase(s), SAVE_FAILED);
	KTAP_TRUE(!holders && thing.paused);
	thing.paused = false;
	close(end[0]);
	KTAP_EQ(pipe(end), 0);
	thing.resumes = 0;
	signal(SIGPIPE, SIG_IGN);
	KTAP_EQ(save_start(s, end[1], true, &err), 0);
	run(s, 100);
	close(end[0]);
	failed(s, "the snapshot cannot be written: Broken pipe");
	/* And a debugger that comes. */
	KTAP_EQ(pipe(end), 0);
	thing.resumes = 0;
	KTAP_EQ(save_start(s, end[1], true, &err), 0);
	run(s, 100);
	m.debugger = true;
	failed(s, "A debugger is there, which may have breakpoints in the guest's memory");
	close(end[0]);
	save_free(s);
}

/* Without "go on" the guest and its devices stay stopped: it may run elsewhere by now. */
static void test_stays(void)
{
	struct save *s;
	struct error err;
	int fd = temporary();

	setup();
	s = save_new(&m);
	KTAP_EQ(save_start(s, dup(fd), false, &err), 0);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_COMPLETED);
	KTAP_TRUE(save_has_stopped(s) && holders && thing.paused);
	KTAP_EQ(save_start(s, fd, true, &err), -EBUSY);
	save_continue(s);
	KTAP_TRUE(!save_has_stopped(s) && !holders && !thing.paused);
	KTAP_EQ(gone, 1);
	/* Or it is reset, which makes devices go on. */
	KTAP_EQ(save_start(s, fd, false, &err), 0);
	run(s, 10000);
	listener->event(listener, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });
	KTAP_TRUE(!holders && !save_has_stopped(s));
	save_free(s);
}

KTAP_MAIN(KTAP_CASE(test_there_and_back), KTAP_CASE(test_stopped),
	  KTAP_CASE(test_another_machine), KTAP_CASE(test_refused), KTAP_CASE(test_busy),
	  KTAP_CASE(test_full_disk), KTAP_CASE(test_flush_fails), KTAP_CASE(test_deaf),
	  KTAP_CASE(test_stays))
