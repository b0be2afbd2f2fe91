// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/gdb/packet.c userspace/armvmm-run/gdb/hex.c
// sources: userspace/armvmm-run/gdb/reply.c userspace/armvmm-run/gdb/gdb_address.c
// sources: userspace/armvmm-run/core/endpoint.c
// sources: userspace/armvmm-run/core/parse.c userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
//
// Packets of GDB's remote protocol, as they should be and as nobody would send them; and the
// addresses where a debugger is awaited.
#include <stdlib.h>

#include "gdb/gdb_address.h"
#include "gdb/hex.h"
#include "gdb/packet.h"
#include "gdb/reply.h"
#include "ktap.h"

static struct packet_reader reader;

/* The event of the last byte; the bytes before it must have none. */
static enum packet_event feed(const char *text, size_t len)
{
	enum packet_event event = PACKET_NONE;

	for (size_t i = 0; i < len; i++) {
		KTAP_EQ(event, PACKET_NONE);
		event = packet_read(&reader, text[i]);
	}
	return event;
}

#define FEED(text)	feed(text, sizeof(text) - 1)

static void is(const char *text, size_t len)
{
	KTAP_EQ(reader.len, len);
	KTAP_TRUE(reader.len == len && !memcmp(reader.data, text, len));
}

static void test_read(void)
{
	memset(&reader, 0, sizeof(reader));
	KTAP_EQ(FEED("+$g#67"), PACKET_WHOLE);
	is("g", 1);
	/* Manual, E.1: the sum is of the bytes as they are sent. */
	KTAP_EQ(FEED("$X0,1:}\x03#9f"), PACKET_WHOLE);
	is("X0,1:#", 6);
	KTAP_EQ(FEED("$#00"), PACKET_WHOLE);
	KTAP_EQ(reader.len, 0);
	/* In a packet, byte 3 is data. */
	KTAP_EQ(FEED("$\x03#03"), PACKET_WHOLE);
	is("\x03", 1);
	KTAP_EQ(FEED("\x03"), PACKET_INTERRUPT);
	KTAP_EQ(FEED("-"), PACKET_AGAIN);
	KTAP_EQ(FEED("noise+#00"), PACKET_NONE);
}

static void test_damaged(void)
{
	memset(&reader, 0, sizeof(reader));
	KTAP_EQ(FEED("$g#68"), PACKET_DAMAGED);
	KTAP_EQ(FEED("$g#zz"), PACKET_DAMAGED);
	KTAP_EQ(FEED("$g#6$"), PACKET_DAMAGED);
	/* The end of one packet was lost: the next one counts. */
	KTAP_EQ(FEED("$m1234$g#67"), PACKET_WHOLE);
	is("g", 1);
}

static void test_long(void)
{
	uint8_t sum = 0;
	char end[4];

	memset(&reader, 0, sizeof(reader));
	for (unsigned int extra = 0; extra < 3; extra++) {
		KTAP_EQ(FEED("$"), PACKET_NONE);
		sum = 0;
		for (unsigned int i = 0; i < PACKET_MAX + extra * 5000; i++) {
			KTAP_EQ(packet_read(&reader, 'a'), PACKET_NONE);
			sum += 'a';
		}
		snprintf(end, sizeof(end), "#%02X", sum);
		KTAP_EQ(feed(end, 3), extra ? PACKET_TOO_LONG : PACKET_WHOLE);
		KTAP_EQ(reader.len, PACKET_MAX + !!extra);
	}
	KTAP_EQ(FEED("$g#67"), PACKET_WHOLE);
}

static void test_frame(void)
{
	static char data[PACKET_MAX], out[PACKET_FRAMED];
	struct packet_reader back = { 0 };
	enum packet_event event = PACKET_NONE;
	size_t len;

	len = packet_frame(out, "OK", 2);
	KTAP_TRUE(len == 6 && !memcmp(out, "$OK#9a", 6));
	len = packet_frame(out, "", 0);
	KTAP_TRUE(len == 4 && !memcmp(out, "$#00", 4));
	/* The longest packet, all escaped; and each byte, read back. */
	memset(data, '*', sizeof(data));
	KTAP_EQ(packet_frame(out, data, sizeof(data)), PACKET_FRAMED);
	for (unsigned int i = 0; i < 256; i++)
		data[i] = i;
	len = packet_frame(out, data, 256);
	for (size_t i = 0; i < len; i++)
		event = packet_read(&back, out[i]);
	KTAP_EQ(event, PACKET_WHOLE);
	KTAP_TRUE(back.len == 256 && !memcmp(back.data, data, 256));
}

static void test_hex(void)
{
	struct hex h = { "1fG", (const char *)"1fG" + 3 };
	uint8_t bytes[4];
	uint64_t n;
	const char *text;

	KTAP_TRUE(hex_number(&h, 0x1f, &n) && n == 0x1f);
	KTAP_TRUE(!hex_number(&h, 100, &n) && !hex_take(&h, 'g') && hex_take(&h, 'G'));
	KTAP_TRUE(hex_done(&h) && !hex_take(&h, 'G') && !hex_number(&h, 1, &n));
	text = "20";
	h = (struct hex){ text, text + 2 };
	KTAP_TRUE(!hex_number(&h, 0x1f, &n));
	text = "ffffffffffffffff,fffffffffffffffff";
	h = (struct hex){ text, text + strlen(text) };
	KTAP_TRUE(hex_number(&h, UINT64_MAX, &n) && n == UINT64_MAX && hex_take(&h, ','));
	KTAP_TRUE(!hex_number(&h, UINT64_MAX, &n));
	text = "00Ff1x";
	h = (struct hex){ text, text + 6 };
	KTAP_TRUE(hex_bytes(&h, bytes, 2) && bytes[0] == 0 && bytes[1] == 0xff);
	KTAP_TRUE(!hex_bytes(&h, bytes, 1) && !hex_bytes(&h, bytes, 2));
}

static void test_reply(void)
{
	static struct reply reply;
	static char big[PACKET_MAX];

	reply_text(&reply, "T%02x", 5);
	reply_hex(&reply, "\x01\xfe", 2);
	KTAP_TRUE(reply.len == 7 && !memcmp(reply.data, "T0501fe", 7));
	reply_error(&reply, REPLY_EFAULT);
	KTAP_TRUE(reply.len == 3 && !memcmp(reply.data, "E0e", 3));
	/* Data that does not fit is left out. */
	reply_raw(&reply, big, sizeof(big));
	KTAP_EQ(reply.len, PACKET_MAX);
	reply_hex(&reply, big, 10);
	reply_text(&reply, "more");
	KTAP_EQ(reply.len, PACKET_MAX);
	reply_ok(&reply);
	KTAP_EQ(reply.len, 2);
}

static void test_address(void)
{
	static const char *const bad[] = {
		"", "tcp", "tcp:", "tcp:1234", "tcp::", "tcp::65536", "tcp::1x", "tcp:a:b:1", "tcp:[]:1",
		"tcp:[::1:1", "unix:", "unix:,wait", "1234", "tcp::1,later", "udp::1", ",wait",
	};
	char path[200] = "unix:";
	struct gdb_address a;
	struct error err;

	KTAP_EQ(gdb_address_parse(&a, "tcp::1234", &err), 0);
	KTAP_TRUE(!a.at.is_unix && !a.wait && !strcmp(a.at.host, "127.0.0.1") &&
		  !strcmp(a.at.port, "1234"));
	KTAP_EQ(gdb_address_parse(&a, "tcp:host.example:0,wait", &err), 0);
	KTAP_TRUE(a.wait && !strcmp(a.at.host, "host.example") && !strcmp(a.at.port, "0"));
	KTAP_EQ(gdb_address_parse(&a, "tcp:[::1]:65535", &err), 0);
	KTAP_TRUE(!strcmp(a.at.host, "::1") && !strcmp(a.at.port, "65535"));
	KTAP_EQ(gdb_address_parse(&a, "unix:/run/a,b,wait", &err), 0);
	KTAP_TRUE(a.at.is_unix && a.wait && !strcmp(a.at.path, "/run/a,b"));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.text[0] = '\0';
		if (gdb_address_parse(&a, bad[i], &err) != -22 || !strstr(err.text, "--gdb "))
			KTAP_FAIL("'%s' is taken: %s", bad[i], err.text);
	}
	memset(path + 5, 'p', 107);
	KTAP_EQ(gdb_address_parse(&a, path, &err), 0);
	KTAP_EQ(strlen(a.at.path), 107);
	path[112] = 'p';
	KTAP_TRUE(gdb_address_parse(&a, path, &err) != 0);
}

KTAP_MAIN(KTAP_CASE(test_read), KTAP_CASE(test_damaged), KTAP_CASE(test_long),
	  KTAP_CASE(test_frame), KTAP_CASE(test_hex), KTAP_CASE(test_reply),
	  KTAP_CASE(test_address))
