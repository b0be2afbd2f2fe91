// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/gdb/packet.c userspace/armvmm-run/gdb/hex.c
// sources: userspace/armvmm-run/gdb/reply.c userspace/armvmm-run/gdb/walk.c
// sources: userspace/armvmm-run/gdb/regfile.c userspace/armvmm-run/gdb/targetxml.c
// sources: userspace/armvmm-run/core/bank.c
// sources: userspace/armvmm-run/gdb/points.c userspace/armvmm-run/gdb/view.c
// sources: userspace/armvmm-run/gdb/session.c userspace/armvmm-run/gdb/resume.c
// sources: userspace/armvmm-run/gdb/query.c userspace/armvmm-run/gdb/monitor.c
// sources: userspace/libarmvmm/regs.c userspace/libarmvmm/vm.c
// sources: userspace/libarmvmm/vcpu.c userspace/libarmvmm/posted.c
// cflags: -Iuserspace/armvmm-run -Idriver -Iinclude/uapi -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
//
// A debugger's session, packet by packet, with a machine that only remembers.
#include <glib.h>

#include "ktap.h"
#include "armvmm-run/gdb_fake.h"

static struct session s;
static struct reply reply;

/* The answer to a packet, as text; "(none)" if there is none. */
static const char *ask(const char *packet)
{
	static char text[PACKET_MAX + 1];

	memset(&reply, 0, sizeof(reply));
	session_packet(&s, packet, strlen(packet), &reply);
	if (reply.none)
		return "(none)";
	memcpy(text, reply.data, reply.len);
	text[reply.len] = '\0';
	return text;
}

static const char *event(unsigned int cpu, enum armvmm_debug_event why, uint32_t pc, uint32_t far,
			 bool is_write)
{
	struct armvmm_exit exit = {
		.reason = ARMVMM_EXIT_DEBUG,
		.debug = { .event = why, .pc = pc, .far = far, .is_write = is_write },
	};
	static char text[PACKET_MAX + 1];

	memset(&reply, 0, sizeof(reply));
	session_event(&s, cpu, &exit, &reply);
	if (reply.none)
		return "(none)";
	memcpy(text, reply.data, reply.len);
	text[reply.len] = '\0';
	return text;
}

#define IS(packet, answer)	KTAP_STREQ(ask(packet), answer)

static void test_hello(void)
{
	fake_target_start(&s);
	KTAP_TRUE(fake.held);
	KTAP_TRUE(strstr(ask("qSupported:multiprocess+;swbreak+;hwbreak+"),
			 "PacketSize=1000;QStartNoAckMode+;qXfer:features:read+"));
	KTAP_TRUE(!s.no_ack);
	IS("QStartNoAckMode", "OK");
	KTAP_TRUE(s.no_ack);
	IS("?", "T05thread:01;");
	IS("qAttached", "1");
	IS("qC", "QC1");
	IS("qfThreadInfo", "m1,2");
	IS("qsThreadInfo", "l");
	IS("T2", "OK");
	IS("T3", "E16");
	IS("T0", "E16");
	fake.off[1] = true;
	IS("qThreadExtraInfo,2", "7643505520312c206f6666");	/* vCPU 1, off */
	IS("qThreadExtraInfo,3", "E16");
	IS("vCont?", "vCont;c;C;s;S");
	/* An unknown packet gets an empty answer. */
	IS("vMustReplyEmpty", "");
	IS("qNothing", "");
	IS("QNothing", "");
	IS("!", "");
	IS("Z9,0,4", "");
	session_detach(&s);
}

static void test_features(void)
{
	char *all;

	fake_target_start(&s);
	all = g_strdup(s.xml);
	KTAP_TRUE(strstr(all, "<feature name=\"org.gnu.gdb.arm.core\">"));
	KTAP_TRUE(strstr(all, "<reg name=\"cpsr\" bitsize=\"32\" regnum=\"25\"/>"));
	KTAP_TRUE(strstr(all, "<reg name=\"d31\" bitsize=\"64\" regnum=\"57\" type=\"ieee_double\"/>"));
	KTAP_TRUE(strstr(all, "org.gnu.gdb.arm.neon"));
	KTAP_TRUE(strstr(all, "<reg name=\"ttbr0\" bitsize=\"64\""));
	KTAP_TRUE(strstr(all, "<reg name=\"spsr_irq\" bitsize=\"32\""));
	KTAP_TRUE(!strpbrk(all, "#$}*"));
	KTAP_TRUE(ask("qXfer:features:read:target.xml:0,10")[0] == 'm');
	KTAP_EQ(reply.len, 17);
	KTAP_TRUE(!memcmp(reply.data + 1, all, 16));
	KTAP_TRUE(ask("qXfer:features:read:target.xml:10,ffff")[0] == 'm');
	KTAP_EQ(reply.len, PACKET_MAX);
	KTAP_TRUE(!memcmp(reply.data + 1, all + 16, PACKET_MAX - 1));
	s.xml[100] = '\0';
	IS("qXfer:features:read:target.xml:64,10", "l");
	IS("qXfer:features:read:target.xml:65,10", "E16");
	IS("qXfer:features:read:target.xml:0", "E16");
	IS("qXfer:features:read:other.xml:0,10", "E00");
	session_detach(&s);
	g_free(all);

	/* A VFP of sixteen registers has no NEON. */
	fake_target_start(&s);
	session_detach(&s);
	fake.no_upper_d = true;
	KTAP_TRUE(!fake.flags[0]);
	session_attach(&s);
	/* Before it looks at memory (docs/abi.md). */
	KTAP_TRUE(fake.flags[0] == ARMVMM_DEBUG_BKPT && fake.flags[1] == ARMVMM_DEBUG_BKPT);
	KTAP_TRUE(strstr(s.xml, "\"d15\"") && !strstr(s.xml, "\"d16\"") && !strstr(s.xml, "neon"));
	IS("p2a", "E16");
	session_detach(&s);
}

static void test_registers(void)
{
	const char *g;

	fake_target_start(&s);
	*fake_reg(0, "r0") = 0x11223344;
	*fake_reg(0, "sp") = 0x1000;
	*fake_reg(0, "sp_svc") = 0x2000;
	*fake_reg(0, "lr_irq") = 0x3000;
	*fake_reg(0, "pc") = 0x40008000;
	*fake_reg(0, "d1") = 0x0102030405060708;
	*fake_reg(0, "r8") = 8;
	*fake_reg(0, "r8_fiq") = 0xf8;
	g = ask("g");
	KTAP_EQ(strlen(g), 2 * 17 * 4);
	KTAP_TRUE(!strncmp(g, "44332211", 8) && !strncmp(g + 13 * 8, "00200000", 8));
	KTAP_TRUE(!strcmp(g + 15 * 8, "00800040d3010000"));
	IS("p0", "44332211");
	IS("pd", "00200000");
	IS("p19", "d3010000");
	IS("p1b", "0807060504030201");
	IS("p10", "E16");
	IS("p", "E16");
	IS("pffffffffffffffffff", "E16");
	/* The register depends on the mode. */
	IS("P19=d2010000", "OK");
	IS("pe", "00300000");
	IS("P19=d1010000", "OK");
	IS("p8", "f8000000");
	IS("P8=01000000", "OK");
	KTAP_EQ(*fake_reg(0, "r8_fiq"), 1);
	IS("P19=10000000", "OK");
	IS("pd", "00100000");
	IS("p8", "08000000");
	IS("P19=1", "E16");
	IS("P10=00000000", "E16");
	IS("Pf", "E16");
	IS("Pf=", "E16");
	/* If all are set at once, they go to the banks of the mode that is set with them. */
	{
		char packet[300] = "G";

		for (unsigned int i = 0; i < 16; i++)
			sprintf(packet + strlen(packet), "%02x000000", i + 0x30);
		strcat(packet, "d7010000");
		IS(packet, "OK");
		KTAP_EQ(*fake_reg(0, "sp_abt"), 0x3d);
		KTAP_EQ(*fake_reg(0, "sp"), 0x1000);
		KTAP_EQ(*fake_reg(0, "pc"), 0x3f);
		packet[20] = '\0';
		IS(packet, "E16");
	}
	/* Another thread has other registers. */
	*fake_reg(1, "pc") = 0x1234;
	IS("Hg2", "OK");
	IS("pf", "34120000");
	IS("Hg3", "E16");
	IS("Hg0", "OK");
	IS("Hg-1", "OK");
	IS("pf", "34120000");
	IS("Hx1", "E16");
	session_detach(&s);
}

static void test_memory(void)
{
	char packet[64];
	uint32_t desc = 0x40000002;

	fake_target_start(&s);
	memcpy(fake.ram, "\x01\x02\x03\x04", 4);
	memcpy(fake.flash, "\xaa\xbb", 2);
	IS("m40000000,4", "01020304");
	IS("m0,2", "aabb");
	IS("m40000000,0", "");
	IS("m20000000,4", "E0e");
	/* Up to the end of memory. */
	IS("m4000ffff,1", "00");
	IS("m4000fffe,8", "0000");
	KTAP_EQ(strlen(ask("m4000f000,2000")), 2 * PACKET_MAX / 2);
	KTAP_EQ(strlen(ask("m4000ff00,800")), 2 * 0x100);
	IS("mffffffff,4", "E0e");
	IS("m100000000,4", "E16");
	IS("m40000000", "E16");
	IS("m40000000,4,", "E16");
	IS("M40000002,2:5566", "OK");
	KTAP_TRUE(!memcmp(fake.ram, "\x01\x02\x55\x66", 4));
	IS("M40000002,2:556", "E16");
	IS("M40000002,2:5566x", "E16");
	IS("M40000002,2:55x6", "E16");
	IS("M0,2:5566", "E0e");
	IS("X40000004,3:}#$", "OK");
	KTAP_TRUE(!memcmp(fake.ram + 4, "}#$", 3));
	IS("X40000004,0:", "OK");
	IS("X40000004,3:ab", "E16");
	IS("Xffffffff,ffffffff:", "E16");
	/* By the guest's tables, once its MMU is on: only 0xc00xxxxx is mapped. */
	memcpy(fake.ram + 0x4000 + 0xc00 * 4, &desc, 4);
	*fake_reg(0, "ttbr0") = 0x40004000;
	*fake_reg(0, "sctlr") = 1;
	IS("mc0000000,4", "01025566");
	IS("m40000000,4", "E0e");
	sprintf(packet, "Mc0000000,1:%02x", 0x99);
	IS(packet, "OK");
	KTAP_EQ(fake.ram[0], 0x99);
	/* The tables are the thread's own. */
	IS("Hg2", "OK");
	IS("m40000000,1", "99");
	session_detach(&s);
}

static void test_soft(void)
{
	fake_target_start(&s);
	memcpy(fake.ram + 0x100, "\x01\x00\xa0\xe3\x02\x20\x03\x30", 8);
	IS("Z0,40000100,4", "OK");
	KTAP_TRUE(!memcmp(fake.ram + 0x100, "\x70\x00\x20\xe1", 4));
	IS("Z0,40000100,4", "OK");
	IS("Z0,40000106,3", "OK");
	KTAP_TRUE(!memcmp(fake.ram + 0x106, "\x00\xbe", 2));
	/* A debugger sees the instructions that were there, and writes below the BKPT. */
	IS("m40000100,8", "0100a0e302200330");
	IS("m40000102,5", "a0e3022003");
	IS("M40000101,2:1122", "OK");
	KTAP_TRUE(!memcmp(fake.ram + 0x100, "\x70\x00\x20\xe1", 4));
	IS("m40000100,4", "011122e3");
	IS("z0,40000100,4", "OK");
	KTAP_TRUE(!memcmp(fake.ram + 0x100, "\x01\x11\x22\xe3", 4));
	IS("z0,40000100,4", "E16");
	/* What the guest wrote over it stays. */
	memcpy(fake.ram + 0x106, "\x12\x34", 2);
	IS("z0,40000106,3", "OK");
	KTAP_TRUE(!memcmp(fake.ram + 0x106, "\x12\x34", 2));

	IS("Z0,40000101,4", "E16");
	IS("Z0,40000101,2", "E16");
	IS("Z0,40000100,1", "E16");
	IS("Z0,40000100,5", "E16");
	IS("Z0,20000000,4", "E0e");
	IS("Z0,0,4", "E0e");
	IS("Z0,40000100", "E16");
	IS("Z0,40000100,4;X1,00", "E16");
	IS("Z0,40000200,4", "OK");
	IS("Z0,40000202,2", "E16");
	for (unsigned int i = 1; i < POINTS_MAX_SOFT; i++) {
		char packet[32];

		sprintf(packet, "Z0,%x,4", 0x40000200 + 4 * i);
		IS(packet, "OK");
	}
	IS("Z0,40001000,4", "E1c");
	/* A reset loads memory anew: the BKPTs come back, except where there is something else. */
	memset(fake.ram, 0x77, sizeof(fake.ram));
	memset(fake.ram + 0x200, 0, 4);
	session_reset(&s);
	KTAP_TRUE(!memcmp(fake.ram + 0x200, "\x70\x00\x20\xe1\x77\x77\x77\x77", 8));
	IS("m40000200,8", "0000000077777777");
	/* A BKPT that is still there does not save itself. */
	session_reset(&s);
	IS("m40000200,4", "00000000");
	/* No BKPT is left behind. */
	IS("D", "OK");
	KTAP_TRUE(!memcmp(fake.ram + 0x200, "\0\0\0\0", 4));
	memset(fake.ram + 0x200, 0x77, 4);
	for (unsigned int i = 0; i < sizeof(fake.ram); i++)
		if (fake.ram[i] != 0x77)
			KTAP_FAIL("%02x is left at %x", fake.ram[i], i);
	KTAP_TRUE(!fake.held && fake.went == UINT32_MAX && !fake.flags[0] && !fake.has_regs[1]);
	KTAP_TRUE(!s.attached);
}

/* DDI 0406C C11.11.2 and C11.11.44, by hand. */
static void test_hard(void)
{
	fake_target_start(&s);
	IS("Z1,40000100,4", "OK");
	IS("Z1,40000206,2", "OK");
	IS("Z1,40000308,3", "OK");
	IS("Z2,40000400,4", "OK");
	IS("Z3,40000507,1", "OK");
	IS("Z4,40000600,8", "OK");
	IS("Z2,40001000,1000", "OK");
	IS("Z2,40002000,1", "E1c");
	IS("Z2,40001000,1000", "OK");
	IS("vCont;c", "(none)");
	for (unsigned int cpu = 0; cpu < FAKE_CPUS; cpu++) {
		const struct armvmm_debug_regs *r = &fake.regs[cpu];

		KTAP_TRUE(fake.has_regs[cpu] && fake.flags[cpu] == ARMVMM_DEBUG_BKPT);
		KTAP_TRUE(r->bvr[0] == 0x40000100 && r->bcr[0] == 0x1e7);
		KTAP_TRUE(r->bvr[1] == 0x40000204 && r->bcr[1] == 0x187);
		KTAP_TRUE(r->bvr[2] == 0x40000308 && r->bcr[2] == 0x067);
		KTAP_TRUE(r->wvr[0] == 0x40000400 && r->wcr[0] == 0x1f7);
		KTAP_TRUE(r->wvr[1] == 0x40000500 && r->wcr[1] == 0x100f);
		KTAP_TRUE(r->wvr[2] == 0x40000600 && r->wcr[2] == 0x1fff);
		KTAP_TRUE(r->wvr[3] == 0x40001000 && r->wcr[3] == 0x0c001ff7);
		KTAP_TRUE(!r->bcr[3] && !r->wcr[4]);
	}
	/* Which of them was hit: by its kind, by its address, or the next one above. */
	KTAP_STREQ(event(1, ARMVMM_DEBUG_EVENT_WATCHPOINT, 0, 0x40000400, true),
		   "T05thread:02;watch:40000400;");
	IS("c", "(none)");
	KTAP_STREQ(event(0, ARMVMM_DEBUG_EVENT_WATCHPOINT, 0, 0x40000500, false),
		   "T05thread:01;rwatch:40000507;");
	IS("c", "(none)");
	KTAP_STREQ(event(0, ARMVMM_DEBUG_EVENT_WATCHPOINT, 0, 0x40000607, false),
		   "T05thread:01;awatch:40000600;");
	IS("c", "(none)");
	KTAP_STREQ(event(0, ARMVMM_DEBUG_EVENT_WATCHPOINT, 0, 0x40001fff, true),
		   "T05thread:01;watch:40001000;");
	IS("z2,40000400,4", "OK");
	IS("z2,40000400,4", "E16");
	IS("z3,40000600,8", "E16");
	IS("z1,40000100,4", "OK");
	IS("z1,40000206,2", "OK");
	IS("Z2,40000405,4", "E16");
	IS("Z2,40000400,0", "E16");
	IS("Z2,40000400,c", "E16");
	IS("Z2,40000408,10", "E16");
	IS("Z1,40000102,4", "E16");
	IS("Z1,40000101,2", "E16");
	IS("Z1,40000100,8", "E16");
	session_detach(&s);
	/* A CPU without debug registers. */
	fake_target_start(&s);
	session_detach(&s);
	memset(&fake.caps, 0, sizeof(fake.caps));
	session_attach(&s);
	IS("Z1,40000100,4", "E1c");
	IS("Z2,40000100,4", "E1c");
	IS("vCont?", "vCont;c;C");
	session_detach(&s);
}

static void test_resume(void)
{
	unsigned int step = ARMVMM_DEBUG_BKPT | ARMVMM_DEBUG_STEP | ARMVMM_DEBUG_BLOCK_IRQ;

	fake_target_start(&s);
	IS("vCont;s:2;c", "(none)");
	KTAP_TRUE(fake.went == 3 && fake.flags[0] == ARMVMM_DEBUG_BKPT && fake.flags[1] == step);
	/* While the guest runs nothing is answered. */
	IS("g", "(none)");
	IS("vCont;c", "(none)");
	KTAP_EQ(fake.nr_went, 1);
	KTAP_STREQ(event(1, ARMVMM_DEBUG_EVENT_STEP, 0, 0, false), "T05thread:02;");
	IS("qC", "QC2");
	IS("vCont;s:1", "(none)");
	KTAP_TRUE(fake.went == 1 && fake.flags[0] == step && fake.flags[1] == ARMVMM_DEBUG_BKPT);
	event(0, ARMVMM_DEBUG_EVENT_STEP, 0, 0, false);
	IS("vCont;C05:1;S05:-1", "(none)");
	KTAP_TRUE(fake.went == 3 && fake.flags[0] == ARMVMM_DEBUG_BKPT && fake.flags[1] == step);
	memset(&reply, 0, sizeof(reply));
	session_interrupt(&s, &reply);
	KTAP_TRUE(!reply.none && !memcmp(reply.data, "T02thread:01;", reply.len));
	/* Only once; and events of vCPUs in the meantime are not reported. */
	memset(&reply, 0, sizeof(reply));
	session_interrupt(&s, &reply);
	KTAP_TRUE(reply.none);
	KTAP_STREQ(event(1, ARMVMM_DEBUG_EVENT_BREAKPOINT, 0, 0, false), "(none)");
	IS("?", "T02thread:01;");

	IS("s", "(none)");
	KTAP_TRUE(fake.went == UINT32_MAX && fake.flags[0] == step);
	event(0, ARMVMM_DEBUG_EVENT_STEP, 0, 0, false);
	IS("Hc2", "OK");
	IS("c40001234", "(none)");
	KTAP_TRUE(fake.went == 2 && *fake_reg(1, "pc") == 0x40001234);
	event(1, ARMVMM_DEBUG_EVENT_BREAKPOINT, 0, 0, false);
	IS("Hc-1", "OK");
	IS("S05;40000000", "(none)");
	KTAP_TRUE(*fake_reg(1, "pc") == 0x40000000 && fake.flags[1] == step);
	event(1, ARMVMM_DEBUG_EVENT_STEP, 0, 0, false);

	fake.nr_went = 0;
	for (unsigned int i = 0; i < 12; i++) {
		static const char *const bad[] = {
			"vCont;", "vCont;t", "vCont;c:3", "vCont;c:", "vCont;c;", "vCont;C", "vCont;cc",
			"vCont;C1000", "cx", "S", "C05x", "sfffffffff",
		};

		if (strcmp(ask(bad[i]), "E16"))
			KTAP_FAIL("%s: %s", bad[i], ask(bad[i]));
	}
	/* If a CPU refuses the setting, the guest stays stopped. */
	fake.debug_error = -EINVAL;
	IS("vCont;s:1", "E16");
	KTAP_TRUE(!fake.nr_went && !s.running);
	fake.debug_error = 0;
	session_detach(&s);
}

static void test_stops(void)
{
	fake_target_start(&s);
	IS("Z0,40000100,4", "OK");
	IS("c", "(none)");
	KTAP_STREQ(event(0, ARMVMM_DEBUG_EVENT_BKPT, 0x40000100, 0, false), "T05thread:01;");
	/* A debugger that did not ask for the kind does not get it. */
	ask("qSupported:swbreak+;hwbreak+");
	IS("?", "T05swbreak:;thread:01;");
	IS("c", "(none)");
	KTAP_STREQ(event(1, ARMVMM_DEBUG_EVENT_BREAKPOINT, 0x40000100, 0, false),
		   "T05hwbreak:;thread:02;");
	/* A BKPT of the guest's own: the guest takes it, and goes on. */
	IS("c", "(none)");
	KTAP_STREQ(event(1, ARMVMM_DEBUG_EVENT_BKPT, 0x40000200, 0, false), "(none)");
	KTAP_EQ(fake.flags[1], ARMVMM_DEBUG_BKPT | ARMVMM_DEBUG_INJECT_BKPT);
	KTAP_TRUE(s.running);
	memset(&reply, 0, sizeof(reply));
	session_interrupt(&s, &reply);
	IS("vCont;s:2", "(none)");
	KTAP_STREQ(event(1, ARMVMM_DEBUG_EVENT_BKPT, 0x40000200, 0, false), "T05thread:02;");
	session_detach(&s);
}

/* The guest executes what a debugger writes: BKPTs, the instructions below them, and memory. */
static void test_code(void)
{
	fake_target_start(&s);
	IS("Z0,40000100,4", "OK");
	IS("Z0,40000202,2", "OK");
	KTAP_TRUE(!memcmp(fake.fetched, fake.ram, sizeof(fake.ram)));
	IS("M400000ff,6:112233445566", "OK");
	KTAP_TRUE(!memcmp(fake.fetched, fake.ram, sizeof(fake.ram)));
	IS("X40000ffe,4:abcd", "OK");
	KTAP_TRUE(!memcmp(fake.fetched, fake.ram, sizeof(fake.ram)));
	IS("z0,40000202,2", "OK");
	KTAP_TRUE(!memcmp(fake.fetched, fake.ram, sizeof(fake.ram)));
	memcpy(fake.ram + 0x100, s.points.soft[0].saved, 4);
	memcpy(fake.fetched, fake.ram, sizeof(fake.ram));
	session_reset(&s);
	KTAP_TRUE(!memcmp(fake.fetched + 0x100, "\x70\x00\x20\xe1", 4));
	session_detach(&s);
	KTAP_TRUE(!memcmp(fake.fetched, fake.ram, sizeof(fake.ram)));
	KTAP_TRUE(!memcmp(fake.ram + 0xff, "\x11\x22\x33\x44\x55\x66", 6));
}

/* Maps virtual page 0x10000 to this one; the tables are at 0x4000 and 0x8000. */
static void map(uint32_t gpa)
{
	uint32_t table = (FAKE_RAM + 0x8000) | 1, page = gpa | 2;

	memcpy(fake.ram + 0x4000, &table, 4);
	memcpy(fake.ram + 0x8000 + 0x10 * 4, &page, 4);
	*fake_reg(0, "ttbr0") = FAKE_RAM + 0x4000;
	*fake_reg(0, "sctlr") = 1;
}

/* The guest has copied a page with a BKPT in it, for another process: it stops there, too. */
static void test_copy(void)
{
	fake_target_start(&s);
	ask("qSupported:swbreak+");
	map(FAKE_RAM + 0x9000);
	memcpy(fake.ram + 0x9100, "\x01\x02\x03\x04", 4);
	IS("Z0,10100,4", "OK");
	memcpy(fake.ram + 0xa000, fake.ram + 0x9000, 0x1000);
	map(FAKE_RAM + 0xa000);
	IS("c", "(none)");
	KTAP_STREQ(event(0, ARMVMM_DEBUG_EVENT_BKPT, 0x10100, 0, false), "T05swbreak:;thread:01;");
	/* The copy is hidden, and removed, like the first one. */
	IS("m10100,4", "01020304");
	IS("z0,10100,4", "OK");
	KTAP_TRUE(!memcmp(fake.ram + 0xa100, "\x01\x02\x03\x04", 4));
	KTAP_TRUE(!memcmp(fake.ram + 0x9100, "\x01\x02\x03\x04", 4));
	/* At that address, but no longer our BKPT; and one of ours at another address. */
	IS("Z0,10100,4", "OK");
	map(FAKE_RAM + 0x9000);
	IS("c", "(none)");
	KTAP_STREQ(event(0, ARMVMM_DEBUG_EVENT_BKPT, 0x10100, 0, false), "(none)");
	memcpy(fake.ram + 0x9200, fake.ram + 0xa100, 4);
	KTAP_STREQ(event(0, ARMVMM_DEBUG_EVENT_BKPT, 0x10200, 0, false), "(none)");
	KTAP_EQ(s.points.nr_soft, 1);
	session_detach(&s);
}

/* A debugger that waits for a stop learns of the guest's end; no other does. */
static void test_end(void)
{
	fake_target_start(&s);
	memset(&reply, 0, sizeof(reply));
	session_ended(&s, 4, &reply);
	KTAP_TRUE(reply.none);
	IS("c", "(none)");
	memset(&reply, 0, sizeof(reply));
	session_ended(&s, 0x12a, &reply);
	KTAP_TRUE(!reply.none && reply.len == 3 && !memcmp(reply.data, "W2a", 3));
	memset(&reply, 0, sizeof(reply));
	session_ended(&s, 0, &reply);
	KTAP_TRUE(reply.none);
	session_detach(&s);
	memset(&reply, 0, sizeof(reply));
	session_ended(&s, 0, &reply);
	KTAP_TRUE(reply.none);
}

/* The text of a line that a person types, as in qRcmd. */
static const char *monitor(const char *text)
{
	char packet[1024] = "qRcmd,";
	static char out[PACKET_MAX];
	const char *hex;
	size_t n = 0;

	for (; *text; text++)
		sprintf(packet + strlen(packet), "%02x", (uint8_t)*text);
	hex = ask(packet);
	if (!strcmp(hex, "OK") || hex[0] == 'E')
		return hex;
	for (; hex[0] && hex[1]; hex += 2) {
		unsigned int c;

		sscanf(hex, "%2x", &c);
		out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

static void test_monitor(void)
{
	fake_target_start(&s);
	KTAP_TRUE(strstr(monitor("help"), "info registers"));
	*fake_reg(0, "pc") = 0x40001234;
	KTAP_TRUE(strstr(monitor("info registers"), "pc=40001234\n"));
	KTAP_TRUE(reply.len < PACKET_MAX);
	KTAP_TRUE(strstr(monitor("info cpus"), "* CPU #0: pc=0x40001234\n  CPU #1:"));
	KTAP_TRUE(strstr(monitor("frobnicate"), "frobnicate: is no command"));
	KTAP_STREQ(monitor("system_reset"), "OK");
	KTAP_EQ(fake.request, MACHINE_RESET);
	fake.refusal = "it is elsewhere";
	fake.request = MACHINE_NONE;
	KTAP_TRUE(strstr(monitor("system_reset"), "it is elsewhere\n"));
	KTAP_TRUE(strstr(monitor("quit"), "it is elsewhere\n"));
	IS("vKill;1", "E10");
	KTAP_EQ(fake.request, MACHINE_NONE);
	fake.refusal = NULL;
	KTAP_STREQ(monitor("quit"), "OK");
	KTAP_EQ(fake.request, MACHINE_QUIT);
	IS("qRcmd,6", "E16");
	IS("qRcmd,6x", "E16");
	fake.request = MACHINE_NONE;
	IS("k", "(none)");
	KTAP_EQ(fake.request, MACHINE_QUIT);
	session_detach(&s);
}

/* A guest that is being sent away may be looked at, and nothing more. */
static void test_frozen(void)
{
	static const char *const changes[] = {
		"M40001000,1:55", "X40001000,1:U", "Z0,40001000,4", "Z1,40001000,4", "Z2,40001000,4",
		"P0=78563412", "G00000000",
	};

	fake_target_start(&s);
	fake.frozen = true;
	for (unsigned int i = 0; i < G_N_ELEMENTS(changes); i++)
		KTAP_STREQ(ask(changes[i]), "E10");
	IS("m40001000,1", "00");
	IS("p0", "00000000");
	IS("z0,40001000,4", "E16");
	KTAP_TRUE(!s.points.nr_soft && !s.points.nr_break && !s.points.nr_watch);
	fake.frozen = false;
	for (unsigned int i = 0; i + 1 < G_N_ELEMENTS(changes); i++)
		KTAP_STREQ(ask(changes[i]), "OK");
	session_detach(&s);
}

KTAP_MAIN(KTAP_CASE(test_frozen),
	  KTAP_CASE(test_hello), KTAP_CASE(test_features), KTAP_CASE(test_registers),
	  KTAP_CASE(test_memory), KTAP_CASE(test_soft), KTAP_CASE(test_code), KTAP_CASE(test_hard),
	  KTAP_CASE(test_resume), KTAP_CASE(test_stops), KTAP_CASE(test_copy),
	  KTAP_CASE(test_end), KTAP_CASE(test_monitor))
