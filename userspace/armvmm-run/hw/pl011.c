// SPDX-License-Identifier: GPL-2.0-only
/*
 * The serial port: Arm PL011 (DDI 0183G), the revision with FIFOs of 16 bytes.
 *
 * The line takes no time: a byte is sent as soon as it is written. If the
 * terminal is slow, the transmit FIFO fills, as a real one does. The receive
 * timeout comes once all input that was there is in the FIFO.
 *
 * Input waits until the guest listens; a real line would lose it. The guest
 * listens when the port is on or was never set up, and its receive interrupts are
 * unmasked or it is being polled. (Linux turns the port on for its console's
 * output long before it reads, and then throws away what it finds in the FIFO.)
 *
 * With a module that can (core/posted.h), a guest that sends a lot does so without exits: its
 * writes of UARTDR are posted while no other register tells whether they are carried out, and a
 * mirror answers its reads of UARTFR. What is posted the guest takes for sent, so the terminal may
 * not refuse it: it keeps room for that.
 *
 * A machine's other ports lead nowhere: what is sent is gone, and nothing comes.
 */
#include <errno.h>
#include <libarmvmm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "core/posted.h"
#include "core/record.h"
#include "hw/primecell.h"

#define PL011_FIFO	16
/* So many reads of FR or RIS in a row, with an empty FIFO, are polling. Sending takes 1 or 2. */
#define PL011_POLLS	16
/*
 * After so many writes of UARTDR, each this soon after the one before, they are posted: as soon as
 * a posted one is carried out at the latest. A slow host takes a millisecond for an exit.
 */
#define PL011_STREAK	4
#define PL011_SOON_NS	(POSTED_MS * 1000000ull)
#define PL011_PERIPH_ID	0x00141011	/* DDI 0183G 3.3.16 to 3.3.19, r1p3 */

/* Registers (DDI 0183G 3.2) */
#define PL011_DR	0x000
#define PL011_RSR	0x004
#define PL011_FR	0x018
#define PL011_ILPR	0x020
#define PL011_IBRD	0x024
#define PL011_FBRD	0x028
#define PL011_LCR_H	0x02c
#define PL011_CR	0x030
#define PL011_IFLS	0x034
#define PL011_IMSC	0x038
#define PL011_RIS	0x03c
#define PL011_MIS	0x040
#define PL011_ICR	0x044
#define PL011_DMACR	0x048

#define DR_BE		(1u << 10)
#define RSR_ERRORS	0xfu

#define FR_CTS		(1u << 0)
#define FR_DSR		(1u << 1)
#define FR_DCD		(1u << 2)
#define FR_BUSY		(1u << 3)
#define FR_RXFE		(1u << 4)
#define FR_TXFF		(1u << 5)
#define FR_RXFF		(1u << 6)
#define FR_TXFE		(1u << 7)

#define LCR_H_FEN	(1u << 4)

#define CR_UARTEN	(1u << 0)
#define CR_LBE		(1u << 7)
#define CR_RXE		(1u << 9)
#define CR_RESET	0x300u		/* TXE, RXE */
#define IFLS_RESET	0x12u

#define INT_RX		(1u << 4)
#define INT_TX		(1u << 5)
#define INT_RT		(1u << 6)
#define INT_BE		(1u << 9)
#define INT_OE		(1u << 10)
#define INT_ALL		0x7ffu

struct pl011_fifo {
	uint16_t data[PL011_FIFO];
	unsigned int head, count;
};

struct pl011 {
	struct device dev;
	struct chardev_client client;
	struct machine *m;
	struct chardev *chr;	/* NULL: the port leads nowhere */
	struct irqline irq;
	pthread_mutex_t lock;	/* all below, and the line */
	struct pl011_fifo rx, tx;
	uint32_t rsr, ilpr, ibrd, fbrd, lcr_h, cr, ifls, imsc, ris, dmacr;
	/* stops at PL011_POLLS, and stays there until the port is set up anew */
	unsigned int polls;
	bool set_up;		/* the guest has written CR */
	/* Without exits: not saved, as all that is posted is carried out before. */
	struct posted posted;	/* UARTDR; it has a lock of its own */
	bool able;		/* the module can; constant while vCPUs run */
	bool fast;		/* writes of UARTDR should be posted */
	bool asked;		/* what posted.c was told of that last */
	bool hidden;		/* until it sends again, so that its polling is counted */
	bool shown;		/* the guest reads shown_flags in UARTFR, without an exit */
	uint32_t shown_flags;
	unsigned int streak;
	uint64_t sent_ns;	/* when UARTDR was written last, with an exit */
};

static uint32_t pl011_flags(const struct pl011 *pl);

static void fifo_put(struct pl011_fifo *fifo, uint16_t value)
{
	fifo->data[(fifo->head + fifo->count++) % PL011_FIFO] = value;
}

static uint16_t fifo_get(struct pl011_fifo *fifo)
{
	uint16_t value = fifo->data[fifo->head];

	fifo->head = (fifo->head + 1) % PL011_FIFO;
	fifo->count--;
	return value;
}

/* With the FIFOs off, a holding register of one byte remains (3.3.7, FEN). */
static unsigned int pl011_depth(const struct pl011 *pl)
{
	return pl->lcr_h & LCR_H_FEN ? PL011_FIFO : 1;
}

/* UARTIFLS (3.3.9): 1/8, 1/4, 1/2, 3/4, 7/8; the reserved values act as the last. */
static unsigned int pl011_trigger(const struct pl011 *pl, unsigned int select)
{
	static const uint8_t level[] = { 2, 4, 8, 12, 14, 14, 14, 14 };

	return pl->lcr_h & LCR_H_FEN ? level[select & 7] : 1;
}

static unsigned int pl011_rx_trigger(const struct pl011 *pl)
{
	return pl011_trigger(pl, pl->ifls >> 3);
}

static unsigned int pl011_tx_trigger(const struct pl011 *pl)
{
	return pl->lcr_h & LCR_H_FEN ? pl011_trigger(pl, pl->ifls) : 0;
}

static bool pl011_listens(const struct pl011 *pl)
{
	bool on = pl->cr & CR_UARTEN && pl->cr & CR_RXE;

	/* A program that never writes CR relies on firmware to have turned the port on. */
	return (on || !pl->set_up) &&
	       (pl->imsc & (INT_RX | INT_RT) || pl->polls == PL011_POLLS);
}

/*
 * A byte that is sent leaves all other registers as they are, and so may be sent later: nothing
 * waits before it, it goes to the terminal, and INT_TX, which it would set, is set.
 */
static bool pl011_may_post(const struct pl011 *pl)
{
	return pl->able && !pl->tx.count && !(pl->cr & CR_LBE) && pl->ris & INT_TX;
}

/*
 * Has the guest read UARTFR without an exit, or no longer. Polling is not counted then, so the
 * guest must be listening, or be sending and not polling for long.
 */
static void pl011_show(struct pl011 *pl)
{
	const uint64_t at = pl->dev.base + PL011_FR;
	uint32_t flags = pl011_flags(pl);
	bool show = (pl->fast && !pl->hidden) || pl011_listens(pl);

	if (show && (!pl->shown || pl->shown_flags != flags)) {
		show = !mirror_set(pl->m, at, 4, flags);
		pl->shown_flags = flags;
	}
	/* A value that is not true any more must go, whatever the reason. */
	if (pl->shown && !show)
		mirror_del(pl->m, at, 4);
	pl->shown = show;
}

/* To be called after each change, before the lock is dropped. */
static void pl011_update(struct pl011 *pl)
{
	if (!pl011_may_post(pl)) {
		pl->fast = false;
		pl->streak = 0;
	}
	/* Before the interrupt, whose handler reads it. */
	if (pl->able)
		pl011_show(pl);
	irqline_set(&pl->irq, pl->ris & pl->imsc);
}

/*
 * Drops the lock, and then has posted.c begin or end to post, if that has changed. What it was told
 * last decides, and not what it has done: it may be at it.
 */
static void pl011_unlock(struct pl011 *pl)
{
	bool settle = pl->fast != pl->asked;

	pthread_mutex_unlock(&pl->lock);
	if (settle)
		posted_update(pl->m);
}

static void pl011_rx_ready(struct pl011 *pl)
{
	if (pl->chr)
		chardev_rx_ready(pl->chr);
}

static void pl011_receive_one(struct pl011 *pl, uint16_t value)
{
	if (pl->rx.count >= pl011_depth(pl)) {
		/* An overrun keeps what is in the FIFO and loses the new byte (3.3.2). */
		pl->rsr |= 8;
		pl->ris |= INT_OE;
		return;
	}
	fifo_put(&pl->rx, value);
	if (pl->rx.count >= pl011_rx_trigger(pl))
		pl->ris |= INT_RX;
}

/* Sends what the terminal accepts. The interrupt comes when the FIFO falls to the trigger level. */
static void pl011_transmit(struct pl011 *pl)
{
	while (pl->tx.count) {
		uint8_t byte = pl->tx.data[pl->tx.head];

		if (pl->cr & CR_LBE) {
			pl011_receive_one(pl, byte);
			pl->ris |= INT_RT;
		} else if (pl->chr && !chardev_write(pl->chr, &byte, 1)) {
			break;
		}
		fifo_get(&pl->tx);
	}
	if (pl->tx.count <= pl011_tx_trigger(pl))
		pl->ris |= INT_TX;
}

static uint32_t pl011_read_data(struct pl011 *pl)
{
	uint32_t value;

	if (!pl->rx.count)
		return 0;
	value = fifo_get(&pl->rx);
	/* The error bits go with their byte, and stay in UARTRSR. */
	pl->rsr = (pl->rsr & 8) | (value >> 8 & 7);
	if (pl->rx.count < pl011_rx_trigger(pl))
		pl->ris &= ~INT_RX;
	if (!pl->rx.count)
		pl->ris &= ~INT_RT;
	return value;
}

static uint32_t pl011_flags(const struct pl011 *pl)
{
	uint32_t value = FR_CTS | FR_DSR | FR_DCD;

	if (!pl->rx.count)
		value |= FR_RXFE;
	if (pl->rx.count >= pl011_depth(pl))
		value |= FR_RXFF;
	if (!pl->tx.count)
		value |= FR_TXFE;
	else
		value |= FR_BUSY;
	if (pl->tx.count >= pl011_depth(pl))
		value |= FR_TXFF;
	return value;
}

static uint32_t pl011_read_locked(struct pl011 *pl, uint64_t offset)
{
	switch (offset) {
	case PL011_DR:
		return pl011_read_data(pl);
	case PL011_RSR:
		return pl->rsr;
	case PL011_FR:
		return pl011_flags(pl);
	case PL011_ILPR:
		return pl->ilpr;
	case PL011_IBRD:
		return pl->ibrd;
	case PL011_FBRD:
		return pl->fbrd;
	case PL011_LCR_H:
		return pl->lcr_h;
	case PL011_CR:
		return pl->cr;
	case PL011_IFLS:
		return pl->ifls;
	case PL011_IMSC:
		return pl->imsc;
	case PL011_RIS:
		return pl->ris;
	case PL011_MIS:
		return pl->ris & pl->imsc;
	case PL011_DMACR:
		return pl->dmacr;
	default:
		return offset >= PRIMECELL_ID ? primecell_id(PL011_PERIPH_ID, offset) : 0;
	}
}

static uint64_t pl011_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct pl011 *pl = container_of(dev, struct pl011, dev);
	bool room = false;
	uint32_t value;

	if (!primecell_access_ok(offset, len))
		return 0;
	pthread_mutex_lock(&pl->lock);
	if (offset == PL011_DR)
		room = pl->rx.count == pl011_depth(pl);
	else if ((offset == PL011_FR || offset == PL011_RIS) && !pl->rx.count && !pl->tx.count &&
		 pl->polls < PL011_POLLS)
		room = ++pl->polls == PL011_POLLS;
	value = pl011_read_locked(pl, offset);
	/* A guest that polls is listening from now on. */
	pl011_update(pl);
	pl011_unlock(pl);
	if (room)
		pl011_rx_ready(pl);
	return value;
}

static uint64_t pl011_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* UARTDR was written, with an exit: shall it be posted from now on? */
static void pl011_count_sent(struct pl011 *pl)
{
	uint64_t now;

	if (pl->fast || !pl011_may_post(pl))
		return;
	now = pl011_now_ns();
	pl->streak = now - pl->sent_ns < PL011_SOON_NS ? pl->streak + 1 : 0;
	pl->sent_ns = now;
	pl->fast = pl->streak == PL011_STREAK;
	if (pl->fast) {
		pl->streak = 0;
		pl->hidden = false;
	}
}

static void pl011_write_locked(struct pl011 *pl, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case PL011_DR:
		/*
		 * As in QEMU, the byte is sent even if the guest has not
		 * enabled the port: small programs never do. A byte written
		 * to a full FIFO is lost, as in hardware.
		 */
		if (pl->tx.count < pl011_depth(pl))
			fifo_put(&pl->tx, value & 0xff);
		pl->ris &= ~INT_TX;
		pl011_transmit(pl);
		pl011_count_sent(pl);
		break;
	case PL011_RSR:
		pl->rsr = 0;	/* a write of any value clears the errors */
		break;
	case PL011_ILPR:
		pl->ilpr = value & 0xff;
		break;
	case PL011_IBRD:
		pl->ibrd = value & 0xffff;
		break;
	case PL011_FBRD:
		pl->fbrd = value & 0x3f;
		break;
	case PL011_LCR_H:
		/* A change of FEN empties both FIFOs. */
		if ((pl->lcr_h ^ value) & LCR_H_FEN) {
			pl->rx = (struct pl011_fifo){ .head = 0 };
			pl->tx = (struct pl011_fifo){ .head = 0 };
			pl->ris &= ~(INT_RX | INT_RT);
		}
		pl->lcr_h = value & 0xff;
		break;
	case PL011_CR:
		pl->cr = value & 0xff87;
		pl->set_up = true;
		break;
	case PL011_IFLS:
		pl->ifls = value & 0x3f;
		break;
	case PL011_IMSC:
		pl->imsc = value & INT_ALL;
		break;
	case PL011_ICR:
		pl->ris &= ~(value & INT_ALL);
		break;
	case PL011_DMACR:
		pl->dmacr = value & 7;	/* kept; there is no DMA controller */
		break;
	}
	pl011_update(pl);
}

static void pl011_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pl011 *pl = container_of(dev, struct pl011, dev);
	bool setup;

	if (!primecell_access_ok(offset, len))
		return;
	setup = offset == PL011_LCR_H || offset == PL011_CR || offset == PL011_IMSC;
	pthread_mutex_lock(&pl->lock);
	if (setup || pl->polls < PL011_POLLS)
		pl->polls = 0;
	pl011_write_locked(pl, offset, value);
	pl011_unlock(pl);
	if (setup)
		pl011_rx_ready(pl);
}

/* ---- Writes of UARTDR that the kernel posted ---- */

static struct pl011 *pl011_of(struct posted *posted)
{
	return container_of(posted, struct pl011, posted);
}

static bool pl011_posted_wanted(struct posted *posted)
{
	struct pl011 *pl = pl011_of(posted);
	bool wanted;

	pthread_mutex_lock(&pl->lock);
	wanted = pl->asked = pl->fast;
	pthread_mutex_unlock(&pl->lock);
	return wanted;
}

static void pl011_posted_tired(struct posted *posted)
{
	struct pl011 *pl = pl011_of(posted);

	pthread_mutex_lock(&pl->lock);
	pl->fast = pl->asked = false;
	pl011_update(pl);
	pthread_mutex_unlock(&pl->lock);
}

/*
 * A guest that sends all the time may be polling in between. It has its reads counted from now on,
 * until it sends the next byte.
 */
static void pl011_posted_tick(struct posted *posted)
{
	struct pl011 *pl = pl011_of(posted);

	pthread_mutex_lock(&pl->lock);
	pl->hidden = true;
	pl011_update(pl);
	pthread_mutex_unlock(&pl->lock);
}

/*
 * The guest takes these bytes for sent. So the terminal gets them all, behind what waits in the
 * FIFO, which another vCPU may just have filled.
 */
static void pl011_posted_send(struct pl011 *pl, const struct armvmm_posted_write *writes,
			      unsigned int nr)
{
	uint8_t bytes[PL011_FIFO + ARMVMM_POSTED_MAX];
	unsigned int n = 0;

	while (pl->tx.count)
		bytes[n++] = fifo_get(&pl->tx);
	for (unsigned int i = 0; i < nr; i++)
		if (primecell_access_ok(writes[i].gpa - pl->dev.base, writes[i].len))
			bytes[n++] = writes[i].data[0];
	pl->ris |= INT_TX;
	/* Before there is no room at all, the guest has to be told. */
	if (n && !chardev_write_late(pl->chr, bytes, n))
		pl->fast = false;
}

static void pl011_posted_write(struct posted *posted, const struct armvmm_posted_write *writes,
			       unsigned int nr)
{
	struct pl011 *pl = pl011_of(posted);

	pthread_mutex_lock(&pl->lock);
	pl->hidden = false;
	if (pl->polls < PL011_POLLS)
		pl->polls = 0;
	if (!(pl->cr & CR_LBE))
		pl011_posted_send(pl, writes, nr);
	for (unsigned int i = 0; pl->cr & CR_LBE && i < nr; i++)
		if (primecell_access_ok(writes[i].gpa - pl->dev.base, writes[i].len))
			pl011_write_locked(pl, PL011_DR, writes[i].data[0]);
	pl011_update(pl);
	pthread_mutex_unlock(&pl->lock);
}

static size_t pl011_rx_room(struct chardev_client *client)
{
	struct pl011 *pl = container_of(client, struct pl011, client);
	size_t room = 0;

	pthread_mutex_lock(&pl->lock);
	if (pl011_listens(pl) && pl->rx.count < pl011_depth(pl))
		room = pl011_depth(pl) - pl->rx.count;
	pl011_unlock(pl);
	return room;
}

static void pl011_receive(struct chardev_client *client, const uint8_t *buf, size_t len)
{
	struct pl011 *pl = container_of(client, struct pl011, client);

	pthread_mutex_lock(&pl->lock);
	for (size_t i = 0; i < len; i++)
		pl011_receive_one(pl, buf[i]);
	if (len)
		pl->ris |= INT_RT;
	pl011_update(pl);
	pl011_unlock(pl);
}

static void pl011_break(struct chardev_client *client)
{
	struct pl011 *pl = container_of(client, struct pl011, client);

	pthread_mutex_lock(&pl->lock);
	pl011_receive_one(pl, DR_BE);
	pl->ris |= INT_BE | INT_RT;
	pl011_update(pl);
	pl011_unlock(pl);
}

static void pl011_tx_room(struct chardev_client *client)
{
	struct pl011 *pl = container_of(client, struct pl011, client);

	pthread_mutex_lock(&pl->lock);
	if (pl->tx.count)
		pl011_transmit(pl);
	pl011_update(pl);
	pl011_unlock(pl);
}

static void pl011_fdt(struct device *dev, struct fdt_builder *fdt)
{
	static const char compatible[] = "arm,pl011\0arm,primecell";
	static const char clocks[] = "uartclk\0apb_pclk";
	const struct pl011 *pl = container_of(dev, struct pl011, dev);

	fdt_node_begin(fdt, "pl011@%llx", (unsigned long long)dev->base);
	fdt_prop_bytes(fdt, "compatible", compatible, sizeof(compatible));
	fdt_prop_reg(fdt, dev->base, dev->size);
	fdt_prop_spi(fdt, pl->irq.spi, FDT_IRQ_LEVEL_HIGH);
	primecell_fdt(fdt, clocks, sizeof(clocks), 2);
	fdt_node_end(fdt);
}

/* There is a VM, which may be another one than before. */
static int pl011_begin(struct device *dev, struct error *err)
{
	struct pl011 *pl = container_of(dev, struct pl011, dev);

	pl->able = pl->chr && posted_supported(pl->m);
	pl->shown = false;
	return 0;
}

static void pl011_reset(struct device *dev)
{
	struct pl011 *pl = container_of(dev, struct pl011, dev);

	pthread_mutex_lock(&pl->lock);
	pl->rx = pl->tx = (struct pl011_fifo){ .head = 0 };
	pl->rsr = pl->ilpr = pl->ibrd = pl->fbrd = pl->lcr_h = 0;
	pl->imsc = pl->ris = pl->dmacr = pl->polls = 0;
	pl->cr = CR_RESET;
	pl->set_up = false;
	pl->ifls = IFLS_RESET;
	pl->fast = false;
	pl->streak = 0;
	pl011_update(pl);
	pl011_unlock(pl);
	pl011_rx_ready(pl);
}

/* ---- Snapshots ---- */

static const struct record_field pl011_state[] = {
	RECORD_ARRAY(struct pl011, rx.data, UINT16_MAX),
	RECORD_FIELD(struct pl011, rx.head, PL011_FIFO - 1),
	RECORD_FIELD(struct pl011, rx.count, PL011_FIFO),
	RECORD_ARRAY(struct pl011, tx.data, UINT16_MAX),
	RECORD_FIELD(struct pl011, tx.head, PL011_FIFO - 1),
	RECORD_FIELD(struct pl011, tx.count, PL011_FIFO),
	RECORD_FIELD(struct pl011, rsr, RSR_ERRORS),
	RECORD_FIELD(struct pl011, ilpr, 0xff),
	RECORD_FIELD(struct pl011, ibrd, 0xffff),
	RECORD_FIELD(struct pl011, fbrd, 0x3f),
	RECORD_FIELD(struct pl011, lcr_h, 0xff),
	RECORD_FIELD(struct pl011, cr, 0xffff),
	RECORD_FIELD(struct pl011, ifls, 0x3f),
	RECORD_FIELD(struct pl011, imsc, INT_ALL),
	RECORD_FIELD(struct pl011, ris, INT_ALL),
	RECORD_FIELD(struct pl011, dmacr, 7),
	RECORD_FIELD(struct pl011, polls, PL011_POLLS),
	RECORD_FIELD(struct pl011, set_up, 1),
};

static void pl011_save(struct device *dev, struct record *r)
{
	struct pl011 *pl = container_of(dev, struct pl011, dev);

	pthread_mutex_lock(&pl->lock);
	record_put_fields(r, pl, pl011_state, RECORD_NR(pl011_state));
	pthread_mutex_unlock(&pl->lock);
}

static int pl011_restore(struct device *dev, struct record *r)
{
	struct pl011 *pl = container_of(dev, struct pl011, dev);
	int ret;

	pthread_mutex_lock(&pl->lock);
	ret = record_get_fields(r, pl, pl011_state, RECORD_NR(pl011_state));
	irqline_restore(&pl->irq, pl->ris & pl->imsc);
	pthread_mutex_unlock(&pl->lock);
	return ret;
}

/* Another terminal may have room for what the first one kept waiting. */
static void pl011_resume(struct device *dev)
{
	struct pl011 *pl = container_of(dev, struct pl011, dev);

	pl011_tx_room(&pl->client);
	pl011_rx_ready(pl);
}

static void pl011_destroy(struct device *dev)
{
	struct pl011 *pl = container_of(dev, struct pl011, dev);

	posted_exit(pl->m, &pl->posted);
	pthread_mutex_destroy(&pl->lock);
	free(pl);
}

static const struct device_ops pl011_ops = {
	.name = "pl011",
	.read = pl011_read,
	.write = pl011_write,
	.fdt = pl011_fdt,
	.begin = pl011_begin,
	.reset = pl011_reset,
	.resume = pl011_resume,
	.save = pl011_save,
	.restore = pl011_restore,
	.state_version = 1,
	.destroy = pl011_destroy,
};

static int pl011_create(struct machine *m, const void *config, struct error *err)
{
	const struct machine_device *place = config;
	struct pl011 *pl = calloc(1, sizeof(*pl));
	int ret;

	if (!pl)
		return error_errno(err, -ENOMEM, "pl011");
	pl->dev = (struct device){
		.ops = &pl011_ops,
		.base = place->base,
		.size = PRIMECELL_SIZE,
	};
	pl->client = (struct chardev_client){
		.rx_room = pl011_rx_room,
		.receive = pl011_receive,
		.rx_break = pl011_break,
		.tx_room = pl011_tx_room,
	};
	pl->posted = (struct posted){
		.gpa = place->base + PL011_DR,
		.size = 4,
		.wanted = pl011_posted_wanted,
		.write = pl011_posted_write,
		.tired = pl011_posted_tired,
		.tick = pl011_posted_tick,
	};
	pl->m = m;
	pl->chr = place->spare ? NULL : m->chardev;
	pl->cr = CR_RESET;
	pl->ifls = IFLS_RESET;
	pthread_mutex_init(&pl->lock, NULL);

	ret = posted_init(m, &pl->posted);
	if (!ret)
		ret = machine_irqline_init(m, &pl->irq, place->spi);
	if (!ret)
		ret = device_register(&m->bus, &pl->dev);
	if (ret) {
		pl011_destroy(&pl->dev);
		return error_errno(err, ret, "pl011");
	}
	if (pl->chr)
		chardev_attach(pl->chr, &pl->client);
	return 0;
}

static const struct device_type pl011_type = {
	.name = "pl011",
	.summary = "serial port",
	.builtin = true,
	.order = 10,
	.create = pl011_create,
};
DEVICE_TYPE(pl011_type);
