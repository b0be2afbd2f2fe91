// SPDX-License-Identifier: GPL-2.0-only
/* Results in KTAP, on the PL011's data register. */
#include <stdarg.h>

#include "lib.h"

static struct lock console;

static void put(char c)
{
	w32(UART_BASE, (u8)c);
}

static void put_str(const char *s)
{
	while (*s)
		put(*s++);
}

static void put_num(u64 v, u32 base, u32 width, char pad)
{
	char b[24];
	u32 n = 0;

	do {
		b[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n < width)
		b[n++] = pad;
	while (n)
		put(b[--n]);
}

static void vprint(const char *f, va_list ap)
{
	for (; *f; f++) {
		u32 width = 0, ll = 0;
		char pad = ' ';
		u64 v;

		if (*f != '%') {
			put(*f);
			continue;
		}
		f++;
		if (*f == '0')
			pad = *f++;
		while (*f >= '0' && *f <= '9')
			width = width * 10 + (u32)(*f++ - '0');
		while (*f == 'l') {
			ll++;
			f++;
		}
		switch (*f) {
		case 's':
			put_str(va_arg(ap, const char *));
			break;
		case 'c':
			put((char)va_arg(ap, int));
			break;
		case 'd':
			v = (u64)(long long)va_arg(ap, int);
			if ((long long)v < 0) {
				put('-');
				v = -v;
			}
			put_num(v, 10, width, pad);
			break;
		case 'u':
		case 'x':
			v = ll > 1 ? va_arg(ap, u64) : va_arg(ap, u32);
			put_num(v, *f == 'u' ? 10 : 16, width, pad);
			break;
		default:
			put(*f);
		}
	}
}

static void start_line(void)
{
	lock_take(&console);
	if (!param.tests && !param.boots) {
		static bool said;

		if (!said)
			put_str("TAP version 13\n");
		said = true;
	}
}

static void end_line(void)
{
	put('\n');
	lock_drop(&console);
}

void report(bool cond, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	start_line();
	param.tests++;
	if (!cond) {
		param.failed++;
		put_str("not ");
	}
	put_str("ok ");
	put_num(param.tests, 10, 0, ' ');
	put(' ');
	vprint(fmt, ap);
	end_line();
	va_end(ap);
}

void report_skip(const char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	start_line();
	param.tests++;
	put_str("ok ");
	put_num(param.tests, 10, 0, ' ');
	put(' ');
	vprint(fmt, ap);
	put_str(" # SKIP ");
	put_str(why);
	end_line();
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	start_line();
	put_str("# ");
	vprint(fmt, ap);
	end_line();
	va_end(ap);
}

static void power_off(void) __attribute__((noreturn));
static void power_off(void)
{
	if (on_vm())
		w32(DEV_BASE + DEV_RESULT, param.failed);
	hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		wfi();
}

void guest_exit(void)
{
	start_line();
	put_str("1..");
	put_num(param.tests, 10, 0, ' ');
	end_line();
	power_off();
}

void guest_bail(const char *fmt, ...)
{
	va_list ap;

	/* Without the lock: the CPU that holds it may be the one that died. */
	va_start(ap, fmt);
	put_str("\nBail out! ");
	vprint(fmt, ap);
	put('\n');
	va_end(ap);
	param.failed++;
	power_off();
}

/* libgcc calls this on a division by zero. */
int raise(int sig);
int raise(int sig)
{
	guest_bail("division by zero (signal %d)", sig);
}

u32 us_to_ticks(u32 us)
{
	return (u32)((u64)cntfrq() * us / 1000000);
}

void delay_us(u32 us)
{
	u64 end = cntvct() + us_to_ticks(us);

	while ((long long)(cntvct() - end) < 0)
		;
}

u64 client_ns(void)
{
	u32 lo = r32(DEV_BASE + DEV_NS_LO);

	return (u64)r32(DEV_BASE + DEV_NS_HI) << 32 | lo;
}
