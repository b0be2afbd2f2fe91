// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of a few kilobytes that does what the console tells it: a letter and hexadecimal numbers
 * at a time. With it armvmm-run's ways to start, to end and to talk are tested in tenths of a
 * second. Polls everything; the MMU is off.
 */
#include "../../guest/lib/board.h"
#include "../../guest/lib/cpsr.h"
#include "../../guest/lib/psci.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define GPIO_BUTTON	(GPIO_BASE + (0x08 << 2))	/* line 3, by the address as mask */

#define MEMORY_BASE	0x41000000u
#define MAX_CPUS	8
#define WORK_SIZE	0x100000u	/* bytes that each working CPU fills and looks through */
#define WORK_BASE	0x40800000u

u32 psci(u32 function, u32 a, u32 b, u32 c);
void secondary_start(void);
void monitor_main(u32 r0, u32 r1, u32 r2, u32 cpsr);
void secondary_main(u32 cpu);

static volatile u32 work_rounds[MAX_CPUS], work_bad[MAX_CPUS];

static inline u32 readl(u32 addr)
{
	return *(volatile u32 *)addr;
}

static inline void writel(u32 addr, u32 value)
{
	*(volatile u32 *)addr = value;
}

static void put(u8 c)
{
	while (readl(UART_FR) & UART_FR_TXFF)
		;
	writel(UART_DR, c);
}

#include "print.h"

static int has_input(void)
{
	return !(readl(UART_FR) & UART_FR_RXFE);
}

/* Commands in an initrd that ends with a zero are executed before those of the console. */
#define SCRIPT_MAGIC	0x3a646d63u	/* "cmd:" */
static const volatile u8 *script;

static u8 get(void)
{
	if (script && *script)
		return *script++;
	while (!has_input())
		;
	return readl(UART_DR);
}

/* Hexadecimal digits, ended by any other character. */
static u32 get_hex(void)
{
	u32 v = 0;

	for (;;) {
		u8 c = get();

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (c - 'a' + 10);
		else
			return v;
	}
}

static u32 next(u32 *state)
{
	u32 v = *state;

	v ^= v << 13;
	v ^= v >> 17;
	v ^= v << 5;
	return *state = v;
}

/* FNV-1a: the tests compute the same on the other side. */
static u32 hash_byte(u32 hash, u8 c)
{
	return (hash ^ c) * 0x01000193u;
}

static void input_bulk(u32 n)
{
	u32 hash = 0x811c9dc5u;

	while (n--)
		hash = hash_byte(hash, get());
	say("hash", hash);
}

static void output_bulk(u32 n)
{
	u32 hash = 0x811c9dc5u, state = 1;

	puts("begin\n");
	while (n--) {
		u8 c = n ? 33 + next(&state) % 94 : '\n';

		put(c);
		hash = hash_byte(hash, c);
	}
	say("hash", hash);
}

static void echo(void)
{
	u8 c;

	puts("echo\r\n");
	do {
		c = get();
		put('<');
		put_hex(c);
		put('>');
	} while (c != 'q');
	puts("\r\n");
}

static void memory_fill(u32 base, u32 bytes, u32 seed)
{
	for (u32 at = base; at < base + bytes; at += 4)
		writel(at, next(&seed));
}

static u32 memory_wrong(u32 base, u32 bytes, u32 seed)
{
	u32 wrong = 0;

	for (u32 at = base; at < base + bytes; at += 4)
		wrong += readl(at) != next(&seed);
	return wrong;
}

void secondary_main(u32 cpu)
{
	u32 base = WORK_BASE + cpu * WORK_SIZE;

	for (u32 seed = cpu + 1;; seed += MAX_CPUS) {
		memory_fill(base, WORK_SIZE, seed);
		work_bad[cpu] += memory_wrong(base, WORK_SIZE, seed);
		work_rounds[cpu]++;
	}
}

static void work_start(u32 cpus)
{
	for (u32 cpu = 1; cpu < cpus && cpu < MAX_CPUS; cpu++)
		if (psci(PSCI_CPU_ON, cpu, (u32)secondary_start, cpu))
			say("no cpu", cpu);
	say("working", cpus);
}

/* Waits until each working CPU has done @rounds rounds more. */
static void work_wait(u32 cpus, u32 rounds)
{
	u32 bad = 0;

	for (u32 cpu = 1; cpu < cpus && cpu < MAX_CPUS; cpu++) {
		u32 from = work_rounds[cpu];

		while (work_rounds[cpu] - from < rounds)
			;
		bad += work_bad[cpu];
	}
	say("bad", bad);
}

/*
 * Writes nonsense to every register of every device except the console's data: legal widths,
 * illegal widths, offsets between registers, addresses without a device. About half of the queue
 * addresses point into RAM, which is full of nonsense itself.
 */
static void fuzz(u32 seed, u32 n)
{
	u32 state = seed ? seed : 1;

	memory_fill(MEMORY_BASE, 0x100000, state);
	while (n--) {
		u32 kind = next(&state) % 8, value = next(&state), at;

		/* The console's registers may have any value by now: nobody may see this. */
		if (n % 256 == 0 && !(readl(UART_FR) & UART_FR_TXFF))
			writel(UART_DR, '.');
		switch (kind) {
		case 0:
			at = UART_BASE + next(&state) % 0x1000;
			if ((at & ~3u) == UART_DR)
				continue;
			break;
		case 1:
			at = RTC_BASE + next(&state) % 0x1000;
			break;
		case 2:
			at = GPIO_BASE + next(&state) % 0x1000;
			break;
		case 3:
			at = GICD_BASE + next(&state) % 0x100000;
			/* The driver's own tests cover the interrupt controller's frames. */
			if (at < GIC_END)
				continue;
			break;
		default:
			at = VIRTIO_BASE + next(&state) % (VIRTIO_SLOTS * VIRTIO_SIZE);
			break;
		}
		if (next(&state) & 1)
			value = MEMORY_BASE + (value & 0xfffff);
		else if (next(&state) & 1)
			value &= 0xf;
		switch (next(&state) % 6) {
		case 0:
			*(volatile u8 *)at = value;
			break;
		case 1:
			*(volatile u16 *)(at & ~1u) = value;
			break;
		case 2:
			(void)readl(at & ~3u);
			break;
		default:
			writel(at & ~3u, value);
			break;
		}
	}
	/*
	 * The console's own registers may have any value by now: set them as armvmm-run had them.
	 */
	writel(UART_LCR_H, 0x70);
	writel(UART_CR, 0x301);
	writel(UART_IMSC, 0);
	say("fuzzed", seed);
}

/*
 * Everything by which a guest could tell that its bytes are sent later: what it reads is hashed.
 * The same seed gives the same accesses.
 */
static void serial(u32 seed, u32 rounds)
{
	u32 state = seed ? seed : 1, hash = 0x811c9dc5u, n;

	while (rounds--) {
		for (n = next(&state) % 40; n; n--) {
			hash = hash_byte(hash, readl(UART_FR));
			writel(UART_DR, 33 + next(&state) % 94);
		}
		switch (next(&state) % 6) {
		case 0:
			/* The interrupt of a byte that is sent, after it was cleared. */
			writel(UART_ICR, UART_INT_TX);
			hash = hash_byte(hash, readl(UART_RIS));
			writel(UART_DR, '/');
			hash = hash_byte(hash, readl(UART_RIS));
			break;
		case 1:
			/* Loopback: what is sent comes back, and nothing of it is printed. */
			writel(UART_CR, 0x381);
			for (n = 0; n < 8; n++)
				writel(UART_DR, 'a' + n);
			hash = hash_byte(hash, readl(UART_FR));
			for (n = 0; n < 8; n++)
				hash = hash_byte(hash, readl(UART_DR));
			hash = hash_byte(hash, readl(UART_FR));
			writel(UART_CR, 0x301);
			break;
		case 2:
			/* A change of FEN empties the FIFOs: what was sent before is sent. */
			writel(UART_LCR_H, 0x60);
			writel(UART_DR, '-');
			writel(UART_LCR_H, 0x70);
			break;
		case 3:
			writel(UART_IMSC, UART_INT_TX);
			hash = hash_byte(hash, readl(UART_MIS));
			writel(UART_IMSC, 0);
			hash = hash_byte(hash, readl(UART_MIS));
			break;
		default:
			put('\n');
			break;
		}
	}
	puts("\r\n");
	say("serial", hash);
}

static void button_wait(void)
{
	puts("waiting\r\n");
	while (!readl(GPIO_BUTTON))
		;
	puts("button\r\n");
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}

/* The device tree's format, version 17; all its words are big-endian. */
#define FDT_MAGIC		0xedfe0dd0u	/* as it is read */
#define FDT_OFF_STRUCT		8
#define FDT_OFF_STRINGS		12
#define FDT_SIZE_STRUCT		36
#define FDT_PROP		3

static u32 fdt_word(u32 at)
{
	return __builtin_bswap32(readl(at));
}

static int same_string(const volatile u8 *a, const char *b)
{
	while (*a && *a == (u8)*b)
		a++, b++;
	return *a == (u8)*b;
}

/* Returns the value of the first one-word property of that name, or 0. */
static u32 fdt_find_u32(u32 fdt, const char *name)
{
	u32 at = fdt + fdt_word(fdt + FDT_OFF_STRUCT);
	u32 end = at + fdt_word(fdt + FDT_SIZE_STRUCT);
	u32 strings = fdt + fdt_word(fdt + FDT_OFF_STRINGS);

	/* Look at each word: what is no token has no name that matches. */
	for (; at + 16 <= end; at += 4) {
		if (fdt_word(at) != FDT_PROP || fdt_word(at + 4) != 4 ||
		    fdt_word(at + 8) >= 0x10000)
			continue;
		if (same_string((const volatile u8 *)(strings + fdt_word(at + 8)), name))
			return fdt_word(at + 12);
	}
	return 0;
}

/* The virtual counter (DDI 0406C B4.1.34), in units of 1,024 ticks. */
static u32 clock(void)
{
	u64 now;

	asm volatile("isb; mrrc p15, 1, %Q0, %R0, c14" : "=r" (now));
	return now >> 10;
}

void monitor_main(u32 r0, u32 r1, u32 r2, u32 cpsr)
{
	writel(UART_LCR_H, 0x70);	/* eight bits, FIFOs */
	writel(UART_CR, 0x301);		/* on, both ways */

	/* Linux's boot protocol: r0 = 0, a device tree at r2, SVC mode, interrupts masked. */
	u32 magic = r2 & 3 ? 0 : readl(r2);

	if (r0 || r1 != ~0u || magic != FDT_MAGIC || (cpsr & 0x1ff) != (MODE_SVC | CPSR_AIF))
		say("bad entry", cpsr);
	u32 initrd = magic == FDT_MAGIC ? fdt_find_u32(r2, "linux,initrd-start") : 0;

	if (initrd && readl(initrd) == SCRIPT_MAGIC)
		script = (const u8 *)(initrd + 4);
	say("ready", r2);

	for (;;) {
		u8 c = get();
		u32 n;

		switch (c) {
		case 'p':
			psci(PSCI_SYSTEM_OFF, 0, 0, 0);
			break;
		case 'r':
			psci(PSCI_SYSTEM_RESET, 0, 0, 0);
			break;
		case 'i':
			input_bulk(get_hex());
			break;
		case 'o':
			output_bulk(get_hex());
			break;
		case 'e':
			echo();
			break;
		case 'w':
			button_wait();
			break;
		case 'h':
			puts("hanging\r\n");
			for (;;)
				asm volatile("wfi");
		case 'm':
			n = get_hex() << 20;
			memory_fill(MEMORY_BASE, n, 0x12345);
			say("filled", n);
			break;
		case 'v':
			say("wrong", memory_wrong(MEMORY_BASE, get_hex() << 20, 0x12345));
			break;
		case 's':
			work_start(get_hex());
			break;
		case 'j':
			n = get_hex();
			work_wait(n, get_hex());
			break;
		case 'f':
			n = get_hex();
			fuzz(n, get_hex());
			break;
		case 'u':
			n = get_hex();
			serial(n, get_hex());
			break;
		case 't':
			say("touched", readl(get_hex()));
			break;
		case 'k':
			n = get_hex();
			writel(n, get_hex());
			break;
		case 'c':
			say("clock", clock());
			break;
		case '\r':
		case '\n':
			break;
		default:
			say("what", c);
			break;
		}
	}
}
