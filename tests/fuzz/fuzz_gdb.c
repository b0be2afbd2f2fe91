// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/gdb/packet.c userspace/armvmm-run/gdb/hex.c
// sources: userspace/armvmm-run/gdb/reply.c userspace/armvmm-run/gdb/walk.c
// sources: userspace/armvmm-run/gdb/regfile.c userspace/armvmm-run/gdb/targetxml.c
// sources: userspace/armvmm-run/core/bank.c
// sources: userspace/armvmm-run/gdb/points.c userspace/armvmm-run/gdb/view.c
// sources: userspace/armvmm-run/gdb/session.c userspace/armvmm-run/gdb/resume.c
// sources: userspace/armvmm-run/gdb/query.c userspace/armvmm-run/gdb/monitor.c
// sources: userspace/libarmvmm/regs.c userspace/libarmvmm/vm.c userspace/libarmvmm/vcpu.c userspace/libarmvmm/posted.c
// cflags: -Iuserspace/armvmm-run -Idriver -Iinclude/uapi -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
/*
 * A debugger's packets, one on each line of the input. The lines have no frames, as most packets
 * would have a wrong checksum. Accesses stay within memory, and when the debugger detaches no BKPT
 * is left.
 */
#include "fuzz.h"
#include "armvmm-run/gdb_fake.h"

static void answer(const struct reply *reply)
{
	static char out[PACKET_FRAMED];

	FUZZ_MUST(reply->len <= PACKET_MAX);
	if (!reply->none)
		FUZZ_MUST(packet_frame(out, reply->data, reply->len) <= PACKET_FRAMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct packet_reader reader;
	static struct session s;
	static struct reply reply;

	fake_target_start(&s);
	memset(&reader, 0, sizeof(reader));
	for (size_t i = 0; i < len && s.attached; i++) {
		size_t from = i;

		/* The parser by itself gets one raw byte of each line. */
		packet_read(&reader, data[i]);
		while (i < len && data[i] != '\n')
			i++;
		reply.len = 0;
		reply.none = false;
		session_packet(&s, (const char *)data + from, i - from, &reply);
		answer(&reply);
		if (!s.running)
			continue;
		/* The guest hits a breakpoint or watchpoint, of a kind that the input chooses. */
		reply.len = 0;
		reply.none = false;
		session_event(&s, i & 1, &(struct armvmm_exit){
				      .debug = { .event = i % 4, .pc = FAKE_RAM, .far = i,
						 .is_write = i & 2 } }, &reply);
		answer(&reply);
	}
	session_detach(&s);
	FUZZ_MUST(!s.points.nr_soft && !fake.held);
	return 0;
}
