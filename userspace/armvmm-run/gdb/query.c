// SPDX-License-Identifier: GPL-2.0-only
/* What a debugger asks about the machine and the protocol. */
#include <stdio.h>
#include <string.h>

#include "gdb/hex.h"
#include "gdb/session.h"

#define QUERY_COMMAND	256	/* length of a line behind `monitor` */

static void query_supported(struct session *s, struct hex *h, struct reply *reply)
{
	static const char word[] = "swbreak+";

	s->told_kind = memmem(h->at, hex_left(h), word, strlen(word));
	reply_text(reply,
		   "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+",
		   PACKET_MAX);
}

/* target.xml:OFFSET,LENGTH. Answers that piece, and whether it is the last. */
static void query_features(struct session *s, struct hex *h, struct reply *reply)
{
	size_t size = strlen(s->xml);
	uint64_t offset, len;

	if (!hex_take_text(h, "target.xml:")) {
		reply_text(reply, "E00");
		return;
	}
	if (!hex_number(h, UINT32_MAX, &offset) || !hex_take(h, ',') ||
	    !hex_number(h, UINT32_MAX, &len) || !hex_done(h) || offset > size) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	if (len > PACKET_MAX - 1)
		len = PACKET_MAX - 1;
	if (len > size - offset)
		len = size - offset;
	reply_raw(reply, offset + len < size ? "m" : "l", 1);
	reply_raw(reply, s->xml + offset, len);
}

static void query_threads(struct session *s, struct reply *reply)
{
	for (unsigned int i = 0; i < target_nr_cpus(&s->target); i++)
		reply_text(reply, "%c%x", i ? ',' : 'm', i + 1);
}

static void query_thread_info(struct session *s, struct hex *h, struct reply *reply)
{
	char text[32];
	uint64_t n;

	if (!hex_number(h, target_nr_cpus(&s->target), &n) || !n || !hex_done(h)) {
		reply_error(reply, REPLY_EINVAL);
		return;
	}
	snprintf(text, sizeof(text), "vCPU %u%s", (unsigned int)n - 1,
		 s->target.ops->is_off(s->target.opaque, n - 1) ? ", off" : "");
	reply_hex(reply, text, strlen(text));
}

static void query_command(struct session *s, struct hex *h, struct reply *reply)
{
	char text[QUERY_COMMAND] = "";
	size_t len = hex_left(h) / 2;

	if (len >= sizeof(text) || !hex_bytes(h, text, len) || !hex_done(h))
		reply_error(reply, REPLY_EINVAL);
	else
		session_monitor(s, text, reply);
}

void session_query(struct session *s, const char *data, size_t len, struct reply *reply)
{
	struct hex h = { data, data + len };

	if (hex_take_text(&h, "qSupported"))
		query_supported(s, &h, reply);
	else if (hex_take_text(&h, "qXfer:features:read:"))
		query_features(s, &h, reply);
	else if (hex_take_text(&h, "qThreadExtraInfo,"))
		query_thread_info(s, &h, reply);
	else if (hex_take_text(&h, "qRcmd,"))
		query_command(s, &h, reply);
	else if (hex_take_text(&h, "qfThreadInfo"))
		query_threads(s, reply);
	else if (hex_take_text(&h, "qsThreadInfo"))
		reply_text(reply, "l");
	else if (hex_take_text(&h, "qAttached"))
		reply_text(reply, "1");
	else if (hex_take_text(&h, "QStartNoAckMode"))
		s->no_ack = true, reply_ok(reply);
	else if (hex_take_text(&h, "qC") && hex_done(&h))
		reply_text(reply, "QC%x", s->cpu + 1);
}
