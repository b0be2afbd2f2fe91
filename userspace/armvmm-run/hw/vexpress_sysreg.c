// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system registers of a Versatile Express motherboard (V2M-P1: DUI 0447J 4.3), and the
 * microcontroller behind them, which is asked by SYS_CFG*: it tells and sets the rates of
 * oscillators, tells voltages, and ends the machine or starts it anew. It answers at once. What it
 * does not have is answered by an error, as is what boards that are not there would have.
 *
 * The LEDs shine for nobody. A rate that is set is told from then on, and changes nothing else.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/device_type.h"
#include "core/fdt_builder.h"
#include "core/machine.h"
#include "core/record.h"

#define SYSREG_SIZE	0x1000

#define SYS_ID		0x00
#define SYS_LED		0x08
#define SYS_100HZ	0x24
#define SYS_FLAGS	0x30	/* written: sets bits */
#define SYS_FLAGSCLR	0x34
#define SYS_NVFLAGS	0x38	/* likewise; kept over a reset */
#define SYS_NVFLAGSCLR	0x3c
#define SYS_24MHZ	0x5c
#define SYS_PROCID0	0x84
#define SYS_PROCID1	0x88
#define SYS_CFGDATA	0xa0
#define SYS_CFGCTRL	0xa4
#define SYS_CFGSTAT	0xa8

/* Motherboard HBI0190, as QEMU has it. */
#define SYS_ID_VALUE	0x1190f500
/* The daughterboard: a Cortex-A15 on HBI0237. There is no second one. */
#define PROCID0_VALUE	0x14000237
#define PROCID1_VALUE	0xff000000

#define CFGCTRL_START	(1u << 31)
#define CFGCTRL_WRITE	(1u << 30)
#define CFGCTRL_RAZ	(CFGCTRL_START | 3u << 18)
#define CFGCTRL_DCC(c)	((c) >> 26 & 0xf)
#define CFGCTRL_FUNC(c)	((c) >> 20 & 0x3f)
#define CFGCTRL_SITE(c)	((c) >> 16 & 3)
#define CFGCTRL_POSITION(c) ((c) >> 12 & 0xf)
#define CFGCTRL_DEVICE(c) ((c) & 0xfff)

#define CFGSTAT_COMPLETE (1u << 0)
#define CFGSTAT_ERROR	(1u << 1)

#define FUNC_OSC	1
#define FUNC_VOLT	2
#define FUNC_RESET	5
#define FUNC_MUXFPGA	7
#define FUNC_SHUTDOWN	8
#define FUNC_REBOOT	9
#define FUNC_DVIMODE	11

#define SITE_MOTHERBOARD 0
#define SITE_DAUGHTERBOARD 1
#define SITES		2

#define OSC_MAX		9

/* In Hz, after a reset; 0: there is none. */
static const uint32_t sysreg_osc_reset[SITES][OSC_MAX] = {
	{ 50000000, 23750000, 24000000, 24000000, 24000000, 24000000 },
	{ 60000000, 0, 0, 0, 40000000, 23750000, 50000000, 60000000, 40000000 },
};

/* In microvolts: VIO, and the core's. */
static const uint32_t sysreg_volt[SITES] = { 3300000, 900000 };

struct sysreg {
	struct device dev;
	struct machine *m;
	pthread_mutex_t lock;	/* what follows */
	uint64_t began;		/* when both counters were 0, in ns */
	uint32_t led, flags, nvflags;
	uint32_t cfgdata, cfgctrl, cfgstat;
	uint32_t osc[SITES * OSC_MAX];
};

static uint64_t sysreg_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* A counter of @hz, which wraps. */
static uint32_t sysreg_count(const struct sysreg *s, uint64_t hz)
{
	uint64_t ns = sysreg_now() - s->began;

	return ns / 1000000000 * hz + ns % 1000000000 * hz / 1000000000;
}

/* ---- The microcontroller ---- */

/* The oscillator that @ctrl means, or NULL. */
static uint32_t *sysreg_osc(struct sysreg *s, uint32_t ctrl)
{
	unsigned int site = CFGCTRL_SITE(ctrl), device = CFGCTRL_DEVICE(ctrl);

	if (site >= SITES || device >= OSC_MAX || !sysreg_osc_reset[site][device])
		return NULL;
	return &s->osc[site * OSC_MAX + device];
}

static bool sysreg_config_read(struct sysreg *s, uint32_t ctrl)
{
	const uint32_t *osc = sysreg_osc(s, ctrl);

	switch (CFGCTRL_FUNC(ctrl)) {
	case FUNC_OSC:
		if (osc)
			s->cfgdata = *osc;
		return osc;
	case FUNC_VOLT:
		if (CFGCTRL_SITE(ctrl) >= SITES || CFGCTRL_DEVICE(ctrl))
			return false;
		s->cfgdata = sysreg_volt[CFGCTRL_SITE(ctrl)];
		return true;
	default:
		return false;
	}
}

static bool sysreg_config_write(struct sysreg *s, uint32_t ctrl)
{
	bool board = CFGCTRL_SITE(ctrl) == SITE_MOTHERBOARD && !CFGCTRL_DEVICE(ctrl);
	uint32_t *osc = sysreg_osc(s, ctrl);

	switch (CFGCTRL_FUNC(ctrl)) {
	case FUNC_OSC:
		if (osc)
			*osc = s->cfgdata;
		return osc;
	case FUNC_SHUTDOWN:
		if (board)
			machine_request(s->m, MACHINE_POWEROFF, MACHINE_BY_GUEST, NULL);
		return board;
	case FUNC_RESET:
	case FUNC_REBOOT:
		if (board)
			machine_request(s->m, MACHINE_RESET, MACHINE_BY_GUEST, NULL);
		return board;
	case FUNC_MUXFPGA:
	case FUNC_DVIMODE:
		/* There is no picture to send anywhere. */
		return board;
	default:
		return false;
	}
}

static void sysreg_write_cfgctrl(struct sysreg *s, uint32_t value)
{
	bool here = !CFGCTRL_DCC(value) && !CFGCTRL_POSITION(value), ok;

	s->cfgctrl = value & ~CFGCTRL_RAZ;
	if (!(value & CFGCTRL_START))
		return;
	if (value & CFGCTRL_WRITE)
		ok = here && sysreg_config_write(s, value);
	else
		ok = here && sysreg_config_read(s, value);
	s->cfgstat = CFGSTAT_COMPLETE | (ok ? 0 : CFGSTAT_ERROR);
}

/* ---- The guest ---- */

static uint32_t sysreg_read_locked(const struct sysreg *s, uint64_t offset)
{
	switch (offset) {
	case SYS_ID:
		return SYS_ID_VALUE;
	case SYS_LED:
		return s->led;
	case SYS_100HZ:
		return sysreg_count(s, 100);
	case SYS_FLAGS:
		return s->flags;
	case SYS_NVFLAGS:
		return s->nvflags;
	case SYS_24MHZ:
		return sysreg_count(s, 24000000);
	case SYS_PROCID0:
		return PROCID0_VALUE;
	case SYS_PROCID1:
		return PROCID1_VALUE;
	case SYS_CFGDATA:
		return s->cfgdata;
	case SYS_CFGCTRL:
		return s->cfgctrl;
	case SYS_CFGSTAT:
		return s->cfgstat;
	default:
		return 0;
	}
}

/* Registers are words. A narrower access gets a word's low bytes, any other access nothing. */
static bool sysreg_access_ok(uint64_t offset, unsigned int len)
{
	return !(offset % 4) && len <= 4;
}

static uint64_t sysreg_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct sysreg *s = container_of(dev, struct sysreg, dev);
	uint32_t value;

	if (!sysreg_access_ok(offset, len))
		return 0;
	pthread_mutex_lock(&s->lock);
	value = sysreg_read_locked(s, offset);
	pthread_mutex_unlock(&s->lock);
	return value;
}

static void sysreg_write_locked(struct sysreg *s, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case SYS_LED:
		s->led = value & 0xff;
		break;
	case SYS_FLAGS:
		s->flags |= value;
		break;
	case SYS_FLAGSCLR:
		s->flags &= ~value;
		break;
	case SYS_NVFLAGS:
		s->nvflags |= value;
		break;
	case SYS_NVFLAGSCLR:
		s->nvflags &= ~value;
		break;
	case SYS_CFGDATA:
		s->cfgdata = value;
		break;
	case SYS_CFGCTRL:
		sysreg_write_cfgctrl(s, value);
		break;
	case SYS_CFGSTAT:
		s->cfgstat = value & (CFGSTAT_COMPLETE | CFGSTAT_ERROR);
		break;
	}
}

static void sysreg_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct sysreg *s = container_of(dev, struct sysreg, dev);

	if (!sysreg_access_ok(offset, len))
		return;
	pthread_mutex_lock(&s->lock);
	sysreg_write_locked(s, offset, value);
	pthread_mutex_unlock(&s->lock);
}

/* Old kernels look for it by its name, and for the ways to power off and to reboot below it. */
static void sysreg_fdt(struct device *dev, struct fdt_builder *fdt)
{
	fdt_node_begin(fdt, "sysreg@%llx", (unsigned long long)dev->base);
	fdt_prop_string(fdt, "compatible", "arm,vexpress-sysreg");
	fdt_prop_reg(fdt, dev->base, dev->size);
	fdt_prop_u32(fdt, "arm,vexpress,site", SITE_MOTHERBOARD);
	fdt_prop_u32(fdt, "phandle", FDT_PHANDLE_SYSREG);
	fdt_node_end(fdt);
}

static void sysreg_power_on(struct sysreg *s)
{
	s->began = sysreg_now();
	s->led = s->flags = s->cfgdata = s->cfgctrl = s->cfgstat = 0;
	for (unsigned int i = 0; i < SITES * OSC_MAX; i++)
		s->osc[i] = sysreg_osc_reset[i / OSC_MAX][i % OSC_MAX];
}

static void sysreg_reset(struct device *dev)
{
	struct sysreg *s = container_of(dev, struct sysreg, dev);

	pthread_mutex_lock(&s->lock);
	sysreg_power_on(s);
	pthread_mutex_unlock(&s->lock);
}

/* ---- Snapshots ---- */

static const struct record_field sysreg_state[] = {
	RECORD_FIELD(struct sysreg, led, 0xff),
	RECORD_FIELD(struct sysreg, flags, UINT32_MAX),
	RECORD_FIELD(struct sysreg, nvflags, UINT32_MAX),
	RECORD_FIELD(struct sysreg, cfgdata, UINT32_MAX),
	RECORD_FIELD(struct sysreg, cfgctrl, UINT32_MAX),
	RECORD_FIELD(struct sysreg, cfgstat, CFGSTAT_COMPLETE | CFGSTAT_ERROR),
	RECORD_ARRAY(struct sysreg, osc, UINT32_MAX),
};

/* Behind the fields is how long the counters have run. */
static void sysreg_save(struct device *dev, struct record *r)
{
	struct sysreg *s = container_of(dev, struct sysreg, dev);
	uint64_t ns;

	pthread_mutex_lock(&s->lock);
	ns = sysreg_now() - s->began;
	record_put_fields(r, s, sysreg_state, RECORD_NR(sysreg_state));
	pthread_mutex_unlock(&s->lock);
	record_put(r, &ns, sizeof(ns));
}

static int sysreg_restore(struct device *dev, struct record *r)
{
	struct sysreg *s = container_of(dev, struct sysreg, dev);
	uint64_t ns = 0;

	pthread_mutex_lock(&s->lock);
	record_get_fields(r, s, sysreg_state, RECORD_NR(sysreg_state));
	record_get(r, &ns, sizeof(ns));
	s->cfgctrl &= ~CFGCTRL_RAZ;
	s->began = sysreg_now() - ns;
	pthread_mutex_unlock(&s->lock);
	return r->ret;
}

static void sysreg_destroy(struct device *dev)
{
	struct sysreg *s = container_of(dev, struct sysreg, dev);

	pthread_mutex_destroy(&s->lock);
	free(s);
}

static const struct device_ops sysreg_ops = {
	.name = "vexpress-sysreg",
	.read = sysreg_read,
	.write = sysreg_write,
	.fdt = sysreg_fdt,
	.reset = sysreg_reset,
	.save = sysreg_save,
	.restore = sysreg_restore,
	.state_version = 1,
	.destroy = sysreg_destroy,
};

static int sysreg_create(struct machine *m, const void *config, struct error *err)
{
	const struct machine_device *place = config;
	struct sysreg *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return error_errno(err, -ENOMEM, "vexpress-sysreg");
	s->dev = (struct device){
		.ops = &sysreg_ops,
		.base = place->base,
		.size = SYSREG_SIZE,
	};
	s->m = m;
	pthread_mutex_init(&s->lock, NULL);
	sysreg_power_on(s);
	ret = device_register(&m->bus, &s->dev);
	if (ret) {
		sysreg_destroy(&s->dev);
		return error_errno(err, ret, "vexpress-sysreg");
	}
	return 0;
}

static const struct device_type sysreg_type = {
	.name = "vexpress-sysreg",
	.summary = "system registers of a Versatile Express",
	.builtin = true,
	.order = 9,
	.create = sysreg_create,
};
DEVICE_TYPE(sysreg_type);
