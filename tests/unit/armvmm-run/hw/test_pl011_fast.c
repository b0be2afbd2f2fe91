// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/pl011.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/posted.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -DREAL_POSTED
// pkgs: glib-2.0
// libs: -lfdt
//
// Characters of the serial port that leave the guest without an exit, and registers that the kernel
// answers: nothing is lost, late or out of order, and what is read is as with exits.
#include "pl011_guest.h"

/* The terminal has got exactly this. */
static void sent(const char *text)
{
	fake_chr.out[fake_chr.out_len] = 0;
	KTAP_STREQ((char *)fake_chr.out, text);
	fake_chr.out_len = 0;
}

/* Sends until the kernel posts: five bytes, unless the test stands still among them. */
static void go_fast(void)
{
	for (int i = 0; i < 1000 && !kernel.zone; i++)
		guest_write(DR, '>');
	KTAP_TRUE(kernel.zone);
	KTAP_TRUE(kernel.mirror);
	KTAP_EQ(kernel.flags, guest_read(FR));
	fake_chr.out_len = 0;
}

/* A few bytes are sent as ever; when there are more, they come a little later, in their order. */
static void test_fast(void)
{
	setup_fast();
	guest_send("abc");
	KTAP_TRUE(!kernel.zone && !kernel.mirror);
	sent("abc");
	go_fast();
	guest_send("hello");
	sent("");
	KTAP_EQ(guest_read(FR) & (FR_TXFE | FR_TXFF | FR_BUSY | FR_RXFE), FR_TXFE | FR_RXFE);
	sent("");
	/* Any other register is read when it is all sent. */
	KTAP_EQ(guest_read(RIS) & INT_TX, INT_TX);
	sent("hello");
	/* And written. */
	guest_send("world");
	guest_write(IMSC, 0);
	sent("world");
	KTAP_TRUE(kernel.zone);
	/* A byte of the register that is not its first is none to be sent. */
	KTAP_TRUE(post(UART(DR), 1, 'x') && post(UART(DR) + 1, 1, 'y') &&
		  post(UART(DR), 2, 0xff00 | 'z'));
	posted_drain(&m);
	sent("xz");
	teardown();
}

/* The ring is full: the write that finds it so comes behind it. */
static void test_fast_full(void)
{
	char text[401] = "";

	setup_fast();
	go_fast();
	for (int i = 0; i < 400; i++)
		text[i] = 'a' + i % 26;
	guest_send(text);
	KTAP_TRUE(fake_chr.out_len > 300);
	posted_drain(&m);
	sent(text);
	KTAP_TRUE(kernel.zone);
	teardown();
}

/* The timer sends what nobody else does, and in the end posts no more. */
static void test_fast_timer(void)
{
	setup_fast();
	go_fast();
	guest_send("tick");
	while (!fake_chr.out_len)
		g_main_context_iteration(NULL, TRUE);
	sent("tick");
	KTAP_TRUE(kernel.zone);
	while (kernel.zone)
		g_main_context_iteration(NULL, TRUE);
	KTAP_TRUE(!kernel.mirror);
	/* It is off: an idle guest costs no wake-ups. */
	g_usleep(3 * POSTED_MS * 1000);
	KTAP_TRUE(!g_main_context_pending(NULL));
	/* From now on polling is counted again. */
	for (int i = 0; i < 16; i++)
		guest_read(FR);
	KTAP_EQ(feed("x"), 1);
	teardown();
}

/* A byte now and then, and polling for a key in between: the guest is never quiet, and is heard. */
static void test_fast_polls(void)
{
	setup_fast();
	go_fast();
	KTAP_EQ(feed("k"), 0);
	for (int i = 0; i < 20; i++) {
		guest_write(DR, '|');
		for (int n = 0; n < 100; n++)
			guest_read(FR);
		g_main_context_iteration(NULL, TRUE);
		for (int n = 0; n < 100; n++)
			guest_read(FR);
	}
	/* It is still posted. */
	KTAP_TRUE(kernel.zone && kernel.mirror);
	KTAP_EQ(feed("k"), 1);
	KTAP_EQ(guest_read(FR) & FR_RXFE, 0);
	teardown();
	/* One that only sends, and waits for room before each byte, is not taken for such a one. */
	setup_fast();
	go_fast();
	for (int i = 0; i < 20; i++) {
		kernel.sets = 0;
		for (int n = 0; n < 100; n++) {
			guest_read(FR);
			guest_write(DR, '|');
		}
		KTAP_TRUE(kernel.sets <= 1 && kernel.mirror);
		g_main_context_iteration(NULL, TRUE);
		fake_chr.out_len = 0;
		fake_chr.out_room = sizeof(fake_chr.out);
	}
	KTAP_EQ(feed("k"), 0);
	teardown();
}

/* Bytes in loopback come back at once: none is posted. */
static void test_fast_loopback(void)
{
	setup_fast();
	guest_write(LCR_H, FEN);
	guest_write(CR, CR_ON);
	go_fast();
	guest_send("out");
	guest_write(CR, CR_ON | 0x80);
	sent("out");
	KTAP_TRUE(!kernel.zone && !kernel.mirror);
	for (int i = 0; i < 16; i++)
		guest_write(DR, 'a' + i);
	KTAP_TRUE(!kernel.zone);
	KTAP_EQ(fake_chr.out_len, 0);
	for (int i = 0; i < 16; i++)
		KTAP_EQ(guest_read(DR), 'a' + i);
	guest_write(CR, CR_ON);
	go_fast();
	teardown();
}

/* Another vCPU's byte, written while loopback was being turned on, comes back. */
static void late_byte(void)
{
	KTAP_TRUE(post(UART(DR), 4, 'L'));
}

static void test_fast_late_loopback(void)
{
	setup_fast();
	guest_write(LCR_H, FEN);
	guest_write(CR, CR_ON);
	go_fast();
	kernel.in_del = late_byte;
	guest_write(CR, CR_ON | 0x80);
	kernel.in_del = NULL;
	sent("");
	KTAP_EQ(guest_read(FR) & FR_RXFE, 0);
	KTAP_EQ(guest_read(DR), 'L');
	teardown();
}

/* A guest that has cleared INT_TX gets it with the next byte, and not later. */
static void test_fast_interrupt(void)
{
	setup_fast();
	go_fast();
	guest_write(IMSC, INT_TX);
	KTAP_EQ(irq(), 1);
	KTAP_TRUE(kernel.zone);
	guest_write(DR, 'a');
	KTAP_EQ(irq(), 1);
	guest_write(ICR, INT_TX);
	sent("a");
	KTAP_EQ(irq(), 0);
	KTAP_TRUE(!kernel.zone);
	guest_write(DR, 'b');
	KTAP_EQ(irq(), 1);
	sent("b");
	teardown();
}

/* The terminal fills up: what was posted is not lost, and the guest sees a full FIFO soon. */
static void test_fast_slow_terminal(void)
{
	char text[300] = "";

	setup_fast();
	guest_write(LCR_H, FEN);
	go_fast();
	memset(text, 'x', 100);
	fake_chr.out_room = 50;
	guest_send(text);
	kernel.in_del = late_byte;
	posted_drain(&m);
	kernel.in_del = NULL;
	/* More than half of it, and another vCPU's byte, had to be squeezed in. */
	KTAP_EQ(fake_chr.late, 51);
	strcat(text, "L");
	sent(text);
	KTAP_TRUE(!kernel.zone);
	for (int i = 0; i < 16; i++) {
		KTAP_EQ(guest_read(FR) & FR_TXFF, 0);
		guest_write(DR, 'y');
	}
	KTAP_TRUE(guest_read(FR) & FR_TXFF);
	KTAP_TRUE(!kernel.zone);
	fake_chr.out_room = 1000;
	fake_chr.client->tx_room(fake_chr.client);
	sent("yyyyyyyyyyyyyyyy");
	/* A write with an exit, as the ring is full, that the terminal refuses. */
	go_fast();
	memset(text, 'z', RING);
	text[RING] = 0;
	fake_chr.out_room = RING - 1;
	fake_chr.late = 0;
	guest_send(text);
	KTAP_TRUE(!kernel.zone);
	KTAP_TRUE(!(guest_read(FR) & FR_TXFE));
	fake_chr.out_room = 1000;
	fake_chr.client->tx_room(fake_chr.client);
	sent(text);
	/* Such a byte waits in the FIFO, and another vCPU's is posted behind it. */
	go_fast();
	fake_chr.out_room = 0;
	kernel.in_del = late_byte;
	fake_write(&m, UART(DR), 'F');
	kernel.in_del = NULL;
	sent("FL");
	teardown();
}

/* The interrupt's handler reads what the input made of UARTFR. */
static void not_yet(void)
{
	KTAP_EQ(irq(), 0);
}

/* Input changes what UARTFR says, at once, and before the interrupt. */
static void test_fast_receive(void)
{
	setup_fast();
	guest_write(LCR_H, FEN);
	KTAP_TRUE(!kernel.mirror);
	guest_write(CR, CR_ON);
	guest_write(IMSC, INT_RX | INT_RT);
	KTAP_TRUE(kernel.mirror);
	KTAP_TRUE(kernel.flags & FR_RXFE);
	kernel.in_set = not_yet;
	KTAP_EQ(feed("0123456789abcdef"), 16);
	kernel.in_set = NULL;
	KTAP_EQ(irq(), 1);
	KTAP_EQ(kernel.flags & (FR_RXFE | FR_RXFF), FR_RXFF);
	KTAP_EQ(guest_read(DR), '0');
	KTAP_EQ(kernel.flags & (FR_RXFE | FR_RXFF), 0);
	kernel.sets = 0;
	for (const char *c = "123456789abcde"; *c; c++)
		KTAP_EQ(guest_read(DR), *c);
	KTAP_EQ(kernel.sets, 0);
	KTAP_EQ(guest_read(DR), 'f');
	KTAP_EQ(kernel.flags & FR_RXFE, FR_RXFE);
	/* Nobody listens any more: reads are counted again. */
	guest_write(IMSC, 0);
	KTAP_TRUE(!kernel.mirror);
	for (int i = 0; i < 16; i++) {
		KTAP_TRUE(!kernel.mirror);
		guest_read(FR);
	}
	KTAP_TRUE(kernel.mirror);
	KTAP_EQ(feed("p"), 1);
	KTAP_EQ(guest_read(FR) & FR_RXFE, 0);
	/* What the kernel does not take is read here, and not what it had before. */
	kernel.set_errno = EINVAL;
	KTAP_EQ(guest_read(DR), 'p');
	KTAP_TRUE(!kernel.mirror);
	KTAP_EQ(guest_read(FR) & FR_RXFE, FR_RXFE);
	kernel.set_errno = 0;
	guest_read(FR);
	KTAP_TRUE(kernel.mirror);
	teardown();
}

static void test_fast_reset(void)
{
	struct record saved;

	setup_fast();
	guest_write(LCR_H, FEN);
	go_fast();
	guest_send("last");
	posted_drain(&m);
	state_save(m.bus.dev[0], &saved);
	device_bus_reset(&m.bus);
	sent("last");
	KTAP_TRUE(!kernel.zone && !kernel.mirror);
	/* What is restored begins without. */
	KTAP_EQ(state_restore(m.bus.dev[0], &saved, saved.len, NULL), 0);
	m.bus.dev[0]->ops->resume(m.bus.dev[0]);
	KTAP_TRUE(!kernel.zone && !kernel.mirror);
	go_fast();
	/* The VM goes, and what it posted with it. */
	guest_send("lost");
	kernel_lose_vm(&m);
	sent("");
	KTAP_EQ(kernel.private.nr_posted, 0);
	record_free(&saved);
	teardown();
}

/* The kernel has no memory for it: all is as it was without, and polling is counted. */
static void test_fast_refused(void)
{
	setup_fast();
	kernel.add_errno = ENOMEM;
	for (int i = 0; i < 100; i++)
		guest_write(DR, 'a');
	KTAP_EQ(fake_chr.out_len, 100);
	KTAP_TRUE(!kernel.zone && !kernel.mirror);
	for (int i = 0; i < 16; i++)
		guest_read(FR);
	KTAP_EQ(feed("x"), 1);
	teardown();
}

/*
 * Another vCPU turns loopback on while the first one is at beginning to post. It waits for the
 * first one's end, and then ends it.
 */
static pthread_t other;

static void *other_main(void *unused)
{
	fake_write(&m, UART(CR), CR_ON | 0x80);
	KTAP_TRUE(!kernel.zone);
	return NULL;
}

static void loop_meanwhile(void)
{
	kernel.in_add = NULL;
	KTAP_EQ(pthread_create(&other, NULL, other_main, NULL), 0);
	/* It has changed the device. */
	while (__atomic_load_n(&kernel.mirror, __ATOMIC_ACQUIRE))
		g_usleep(1000);
}

/* A little earlier: posted.c has asked the device, and done nothing yet. */
static bool (*pl011_wanted)(struct posted *posted);

static bool wanted_meanwhile(struct posted *posted)
{
	bool wanted = pl011_wanted(posted);

	if (wanted) {
		posted->wanted = pl011_wanted;
		loop_meanwhile();
	}
	return wanted;
}

static void test_fast_race(void)
{
	for (int asked = 0; asked < 2; asked++) {
		setup_fast();
		guest_write(CR, CR_ON);
		pl011_wanted = kernel.private.posted->wanted;
		if (asked)
			kernel.private.posted->wanted = wanted_meanwhile;
		else
			kernel.in_add = loop_meanwhile;
		for (int i = 0; i < 1000 && !kernel.adds; i++)
			guest_write(DR, '>');
		KTAP_EQ(kernel.adds, 1);
		KTAP_TRUE(!kernel.in_add && kernel.private.posted->wanted == pl011_wanted);
		pthread_join(other, NULL);
		KTAP_EQ(kernel.adds, 1);
		KTAP_TRUE(!kernel.zone && !kernel.mirror);
		teardown();
	}
}

/* An exit of one vCPU waits while another thread is at carrying out what was posted before it. */
static bool other_drained;

static void *drain_main(void *unused)
{
	posted_drain(&m);
	__atomic_store_n(&other_drained, true, __ATOMIC_RELEASE);
	return NULL;
}

static void drain_meanwhile(void)
{
	fake_chr.in_late = NULL;
	KTAP_EQ(pthread_create(&other, NULL, drain_main, NULL), 0);
	g_usleep(50000);
	KTAP_TRUE(!__atomic_load_n(&other_drained, __ATOMIC_ACQUIRE));
}

static void test_fast_two_drain(void)
{
	setup_fast();
	go_fast();
	guest_send("once");
	other_drained = false;
	fake_chr.in_late = drain_meanwhile;
	posted_drain(&m);
	pthread_join(other, NULL);
	KTAP_TRUE(other_drained);
	sent("once");
	teardown();
}

/*
 * Other vCPUs go on writing, faster than it is carried out: who drains gets on, with all that was
 * there before. It does not matter whether the writes are of a register that is known.
 */
static unsigned int refills;
static uint64_t refill_gpa;

static void refill(void)
{
	if (++refills > 10 * RING)
		return;
	/* The terminal's fake has only so much room. */
	if (fake_chr.out_len > 2000)
		fake_chr.out_len = 0;
	kernel.ring[kernel.last] = (struct armvmm_posted_write){
		.gpa = refill_gpa, .len = 4, .data = { 'r' },
	};
	kernel.last = (kernel.last + 1) % RING;
}

static void test_fast_endless(void)
{
	static const uint64_t gpas[] = { UART(DR), 0x1000 };

	for (unsigned int i = 0; i < 2; i++) {
		setup_fast();
		go_fast();
		guest_send("before");
		refills = 0;
		refill_gpa = gpas[i];
		kernel.in_done = refill;
		posted_drain(&m);
		kernel.in_done = NULL;
		KTAP_TRUE(refills && refills <= 2 * RING);
		KTAP_MEMEQ(fake_chr.out, "before", 6);
		KTAP_TRUE(kernel.zone);
		posted_drain(&m);
		KTAP_EQ(kernel.first, kernel.last);
		teardown();
	}
}

/*
 * The kernel posts another vCPU's byte before it has told the first one that it does. That vCPU's
 * next access waits for the byte.
 */
static bool early_sent;

static void *early_main(void *unused)
{
	KTAP_TRUE(post(UART(DR), 4, 'E'));
	posted_drain(&m);
	early_sent = fake_chr.out_len && fake_chr.out[fake_chr.out_len - 1] == 'E';
	return NULL;
}

static void early_byte(void)
{
	kernel.in_add = NULL;
	KTAP_EQ(pthread_create(&other, NULL, early_main, NULL), 0);
	g_usleep(50000);
}

static void test_fast_early(void)
{
	setup_fast();
	early_sent = false;
	kernel.in_add = early_byte;
	for (int i = 0; i < 1000 && kernel.in_add; i++)
		guest_write(DR, '>');
	KTAP_TRUE(!kernel.in_add);
	pthread_join(other, NULL);
	KTAP_TRUE(early_sent);
	posted_drain(&m);
	teardown();
}

/*
 * However many registers end to be posted meanwhile, and however fast the guest writes, the
 * terminal keeps room enough for what comes late.
 */
static bool others_wanted;

static bool others_wanted_now(struct posted *posted)
{
	return others_wanted;
}

static void others_write(struct posted *posted, const struct armvmm_posted_write *writes,
			 unsigned int nr)
{
}

static void others_tired(struct posted *posted)
{
}

static void fill(void)
{
	while (post(UART(DR), 4, 'f'))
		if (fake_chr.out_len > 2000)
			fake_chr.out_len = 0;
}

static void test_fast_room(void)
{
	static struct posted others[2];

	for (unsigned int both = 0; both < 2; both++) {
		setup_fast();
		for (unsigned int i = 0; i < 2; i++) {
			others[i] = (struct posted){
				.gpa = 0x1000 + 4 * i, .size = 4, .untimed = true,
				.wanted = others_wanted_now, .write = others_write,
				.tired = others_tired,
			};
			KTAP_EQ(posted_init(&m, &others[i]), 0);
		}
		others_wanted = true;
		posted_update(&m);
		KTAP_EQ(kernel.zone, 2);
		guest_write(LCR_H, FEN);
		for (int i = 0; i < 1000 && kernel.zone < 3; i++)
			guest_write(DR, '>');
		KTAP_EQ(kernel.zone, 3);
		fake_chr.out_room = 0;
		fake_chr.late = 0;
		kernel.in_done = kernel.in_del = fill;
		fill();
		if (both) {
			others_wanted = false;
			posted_update(&m);
		}
		for (int i = 0; i < 10; i++)
			posted_drain(&m);
		KTAP_TRUE(fake_chr.late >= RING && fake_chr.late <= 2 * RING);
		KTAP_EQ(kernel.zone, both ? 0 : 2);
		kernel.in_done = kernel.in_del = NULL;
		for (unsigned int i = 0; i < 2; i++)
			posted_exit(&m, &others[i]);
		teardown();
	}
}

static void test_fast_old_module(void)
{
	setup();
	listen();
	for (int i = 0; i < 100; i++)
		guest_write(DR, 'a');
	KTAP_EQ(fake_chr.out_len, 100);
	KTAP_EQ(kernel.adds + kernel.sets, 0);
	teardown();
}

/* The same accesses, with and without: the guest reads the same, and the terminal gets the same. */
struct seen {
	uint8_t out[sizeof(fake_chr.out)];
	size_t out_len;
	uint32_t read[4000];
	unsigned int nr;
	unsigned int adds;
};

static void play(struct seen *seen, bool old, unsigned int seed)
{
	static const uint16_t regs[] = { RSR, FR, LCR_H, CR, IFLS, IMSC, RIS, MIS, ICR, DR };

	setup_with(old);
	seen->nr = 0;
	for (int i = 0; i < 300; i++) {
		unsigned int burst = rand_r(&seed) % 12, what = rand_r(&seed) % 8;

		for (unsigned int n = 0; n < burst; n++) {
			seen->read[seen->nr++] = guest_read(FR);
			guest_write(DR, 'a' + rand_r(&seed) % 26);
		}
		if (what == 0) {
			feed("in");
		} else if (what == 1) {
			guest_write(regs[rand_r(&seed) % 9], rand_r(&seed) % 0x800);
		} else if (what == 2) {
			guest_write(ICR, INT_TX);
		} else if (what == 3) {
			/* Most of the time it is on, and not in loopback. */
			guest_write(CR, CR_ON | (rand_r(&seed) % 4 ? 0 : 0x80));
			guest_write(IMSC, rand_r(&seed) % 2 ? INT_TX | INT_RX : INT_RX | INT_RT);
		} else {
			seen->read[seen->nr++] = guest_read(regs[rand_r(&seed) % 10]);
		}
		/* Its line is that of a port which sends at once, as far as the guest can tell. */
		seen->read[seen->nr++] = irq();
		if (fake_chr.out_len > sizeof(fake_chr.out) - 600)
			break;
	}
	posted_drain(&m);
	memcpy(seen->out, fake_chr.out, fake_chr.out_len);
	seen->out_len = fake_chr.out_len;
	seen->adds = kernel.adds;
	teardown();
}

static void test_fast_and_slow(void)
{
	static struct seen fast, slow;
	unsigned int adds = 0;

	for (unsigned int seed = 1; seed <= 200; seed++) {
		play(&fast, false, seed);
		play(&slow, true, seed);
		KTAP_EQ(fast.nr, slow.nr);
		KTAP_MEMEQ(fast.read, slow.read, slow.nr * sizeof(slow.read[0]));
		KTAP_EQ(fast.out_len, slow.out_len);
		KTAP_MEMEQ(fast.out, slow.out, slow.out_len);
		adds += fast.adds;
	}
	KTAP_TRUE(adds > 100);
}

KTAP_MAIN(KTAP_CASE(test_fast), KTAP_CASE(test_fast_full), KTAP_CASE(test_fast_timer),
	  KTAP_CASE(test_fast_polls), KTAP_CASE(test_fast_loopback),
	  KTAP_CASE(test_fast_late_loopback), KTAP_CASE(test_fast_interrupt),
	  KTAP_CASE(test_fast_slow_terminal), KTAP_CASE(test_fast_receive),
	  KTAP_CASE(test_fast_reset), KTAP_CASE(test_fast_refused), KTAP_CASE(test_fast_race),
	  KTAP_CASE(test_fast_two_drain), KTAP_CASE(test_fast_endless),
	  KTAP_CASE(test_fast_early), KTAP_CASE(test_fast_room), KTAP_CASE(test_fast_old_module),
	  KTAP_CASE(test_fast_and_slow))
