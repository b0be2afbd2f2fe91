// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/vexpress_sysreg.c userspace/armvmm-run/hw/sp804.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c userspace/armvmm-run/machines/vexpress.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit -D_GNU_SOURCE -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -Wl,--wrap=clock_gettime -Wl,--wrap=timerfd_settime
/*
 * The devices that only a Versatile Express has, its timers (SP804) and its system registers: any
 * accesses, time that passes, resets and their own state.
 */
#include <sys/timerfd.h>
#include <time.h>

#include "../guest/lib/board.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "core/device_type.h"
#include "core/runstate.h"
#include "device_fuzz.h"

#define SYSREG		0x1c010000u
#define SYSREG_ID	0x1190f500
#define CFGDATA		(SYSREG + 0xa0)
#define CFGCTRL		(SYSREG + 0xa4)
#define CFGSTAT		(SYSREG + 0xa8)
#define START		(1u << 31)
#define FUNC_OSC	(1u << 20)
#define OSC0_HZ		50000000

#define TIMERS		0x1c110000u
#define CONTROL		0x08
#define RIS		0x10
#define MIS		0x14
#define INT		0x20
#define ENABLE		0x80
#define SPI		2

static uint64_t now;
/* What the host's timers are set to, in ns; 0: nothing. */
static struct {
	int fd;
	uint64_t at;
} armed[2];

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *new,
			   struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new,
			   struct itimerspec *old);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_MONOTONIC)
		return __real_clock_gettime(id, ts);
	ts->tv_sec = now / 1000000000;
	ts->tv_nsec = now % 1000000000;
	return 0;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new,
			   struct itimerspec *old)
{
	unsigned int i = armed[0].fd >= 0 && armed[0].fd != fd;

	FUZZ_MUST(flags == TFD_TIMER_ABSTIME);
	FUZZ_MUST(new->it_value.tv_sec >= 0 && new->it_value.tv_nsec < 1000000000);
	FUZZ_MUST(!new->it_interval.tv_sec && !new->it_interval.tv_nsec);
	armed[i].fd = fd;
	armed[i].at = new->it_value.tv_sec * 1000000000ull + new->it_value.tv_nsec;
	return __real_timerfd_settime(fd, 0, &(struct itimerspec){ }, NULL);
}

void machine_request(struct machine *m, enum machine_request request, enum machine_cause cause,
		     const char *why)
{
	FUZZ_MUST(request == MACHINE_POWEROFF || request == MACHINE_RESET);
	FUZZ_MUST(cause == MACHINE_BY_GUEST);
}

/* A timer of the host that is due is an interrupt, and is not set again before that is cleared. */
static void pass_time(uint64_t ns)
{
	const struct itimerspec soon = { .it_value = { .tv_nsec = 1 } };

	now += ns;
	for (unsigned int i = 0; i < 2; i++) {
		if (!armed[i].at || armed[i].at > now)
			continue;
		__real_timerfd_settime(armed[i].fd, 0, &soon, NULL);
		while (armed[i].at)
			g_main_context_iteration(NULL, TRUE);
		FUZZ_MUST(fake_line[SPI]->level);
	}
}

static void check_timers(struct machine *m)
{
	bool level = false;

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t base = TIMERS + 0x20 * i;
		uint32_t control = fake_read(m, base + CONTROL);
		uint32_t mis = fake_read(m, base + MIS);

		FUZZ_MUST(mis == (control & INT ? fake_read(m, base + RIS) : 0));
		level |= mis;
	}
	FUZZ_MUST(fake_line[SPI]->level == level);
}

static bool act(struct machine *m, struct fuzz *f)
{
	uint8_t what = fuzz_u8(f);
	struct device *dev = m->bus.dev[what >> 7];

	switch (what & 7) {
	case 0:
		dev->ops->reset(dev);
		break;
	case 1:
		return device_fuzz_state(f, dev);
	case 2:
		device_fuzz_access(m, f, TIMERS + fuzz_u16(f) % 0x1000);
		break;
	case 3:
		device_fuzz_access(m, f, SYSREG + fuzz_u16(f) % 0x1000);
		break;
	case 4:
		fake_write(m, CFGCTRL, fuzz_u32(f) | START);
		FUZZ_MUST(fake_read(m, CFGSTAT) & 1);
		break;
	case 5:
		pass_time((uint64_t)fuzz_u32(f) << (fuzz_u8(f) & 15));
		break;
	default:
		device_fuzz_access(m, f, TIMERS + (what >> 3 & 15) * 4);
		break;
	}
	check_timers(m);
	return true;
}

/* Whatever happened, after a reset all is as at the beginning. */
static void check_reset(struct machine *m)
{
	device_bus_reset(&m->bus);
	FUZZ_MUST(!fake_line[SPI]->level && !armed[0].at && !armed[1].at);
	FUZZ_MUST(fake_read(m, TIMERS + CONTROL) == INT);
	FUZZ_MUST(fake_read(m, SYSREG) == SYSREG_ID);
	fake_write(m, CFGCTRL, START | FUNC_OSC);
	FUZZ_MUST(fake_read(m, CFGSTAT) == 1 && fake_read(m, CFGDATA) == OSC0_HZ);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	struct error err = { "" };
	struct machine m;
	bool whole = true;

	fake_machine_init(&m);
	m.type = machine_type_find("vexpress-a15");
	now = 5000000000;
	armed[0].fd = armed[1].fd = -1;
	armed[0].at = armed[1].at = 0;
	FUZZ_MUST(!device_make(&m, "sp804", NULL, &err));
	FUZZ_MUST(!device_make(&m, "vexpress-sysreg", NULL, &err));
	device_bus_reset(&m.bus);
	for (unsigned int i = 0; whole && f.len && i < 200; i++)
		whole = act(&m, &f);
	if (whole)
		check_reset(&m);
	device_bus_destroy(&m.bus);
	return 0;
}
