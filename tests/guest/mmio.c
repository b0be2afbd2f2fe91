// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device accesses that the client emulates: every width, sign extension,
 * every register, A32 and T32 encodings, both endiannesses; each access
 * reaches the client exactly once (docs/hazards.md 8 and 9).
 */
#include "lib.h"

#define SCRATCH		(DEV_BASE + DEV_SCRATCH)

/* ---- one small function for each instruction ---- */
#define LOADER(name, state, insn)						\
u32 name(u32 addr);								\
asm(".syntax unified\n\t.text\n\t." #state "\n\t.balign 4\n\t.global " #name "\n\t"		\
	".type " #name ", %function\n" #name ":\n\t"				\
	"mov r1, r0\n\tmov r2, #4\n\tmov r0, #0\n\t" insn "\n\tbx lr\n\t.arm\n")
#define STORER(name, state, insn)						\
void name(u32 addr, u32 val);							\
asm(".syntax unified\n\t.text\n\t." #state "\n\t.balign 4\n\t.global " #name "\n\t"		\
	".type " #name ", %function\n" #name ":\n\t"				\
	"mov r2, #4\n\t" insn "\n\tbx lr\n\t.arm\n")

LOADER(a_ldr, arm, "ldr r0, [r1, #4]");
LOADER(a_ldr_reg, arm, "ldr r0, [r1, r2]");
LOADER(a_ldr_neg, arm, "add r1, r1, #8\n\tldr r0, [r1, #-4]");
LOADER(a_ldrb, arm, "ldrb r0, [r1, #4]");
LOADER(a_ldrb_reg, arm, "ldrb r0, [r1, r2]");
LOADER(a_ldrh, arm, "ldrh r0, [r1, #4]");
LOADER(a_ldrh_reg, arm, "ldrh r0, [r1, r2]");
LOADER(a_ldrsb, arm, "ldrsb r0, [r1, #4]");
LOADER(a_ldrsh, arm, "ldrsh r0, [r1, #4]");
LOADER(a_ldrsh_reg, arm, "ldrsh r0, [r1, r2]");
LOADER(t_ldr, thumb, "ldr r0, [r1, #4]");
LOADER(t_ldr_w, thumb, "ldr.w r0, [r1, #4]");
LOADER(t_ldr_reg, thumb, "ldr r0, [r1, r2]");
LOADER(t_ldrb, thumb, "ldrb r0, [r1, #4]");
LOADER(t_ldrb_w, thumb, "ldrb.w r0, [r1, #4]");
LOADER(t_ldrh, thumb, "ldrh r0, [r1, #4]");
LOADER(t_ldrh_w, thumb, "ldrh.w r0, [r1, #4]");
LOADER(t_ldrsb, thumb, "ldrsb r0, [r1, r2]");
LOADER(t_ldrsb_w, thumb, "ldrsb.w r0, [r1, #4]");
LOADER(t_ldrsh, thumb, "ldrsh r0, [r1, r2]");
LOADER(t_ldrsh_w, thumb, "ldrsh.w r0, [r1, #4]");
STORER(a_str, arm, "str r1, [r0, #4]");
STORER(a_str_reg, arm, "str r1, [r0, r2]");
STORER(a_strb, arm, "strb r1, [r0, #4]");
STORER(a_strh, arm, "strh r1, [r0, #4]");
STORER(t_str, thumb, "str r1, [r0, #4]");
STORER(t_str_w, thumb, "str.w r1, [r0, #4]");
STORER(t_strb, thumb, "strb r1, [r0, #4]");
STORER(t_strb_w, thumb, "strb.w r1, [r0, #4]");
STORER(t_strh, thumb, "strh r1, [r0, #4]");
STORER(t_strh_reg, thumb, "strh r1, [r0, r2]");

struct load { const char *name; u32 (*fn)(u32); u32 len; bool sign; };
static const struct load loads[] = {
	{ "A32 LDR imm", a_ldr, 4, false }, { "A32 LDR reg", a_ldr_reg, 4, false },
	{ "A32 LDR -imm", a_ldr_neg, 4, false },
	{ "A32 LDRB imm", a_ldrb, 1, false }, { "A32 LDRB reg", a_ldrb_reg, 1, false },
	{ "A32 LDRH imm", a_ldrh, 2, false }, { "A32 LDRH reg", a_ldrh_reg, 2, false },
	{ "A32 LDRSB imm", a_ldrsb, 1, true }, { "A32 LDRSH imm", a_ldrsh, 2, true },
	{ "A32 LDRSH reg", a_ldrsh_reg, 2, true },
	{ "T16 LDR", t_ldr, 4, false }, { "T32 LDR", t_ldr_w, 4, false },
	{ "T16 LDR reg", t_ldr_reg, 4, false },
	{ "T16 LDRB", t_ldrb, 1, false }, { "T32 LDRB", t_ldrb_w, 1, false },
	{ "T16 LDRH", t_ldrh, 2, false }, { "T32 LDRH", t_ldrh_w, 2, false },
	{ "T16 LDRSB reg", t_ldrsb, 1, true }, { "T32 LDRSB", t_ldrsb_w, 1, true },
	{ "T16 LDRSH reg", t_ldrsh, 2, true }, { "T32 LDRSH", t_ldrsh_w, 2, true },
};

struct store { const char *name; void (*fn)(u32, u32); u32 len; };
static const struct store stores[] = {
	{ "A32 STR imm", a_str, 4 }, { "A32 STR reg", a_str_reg, 4 },
	{ "A32 STRB imm", a_strb, 1 }, { "A32 STRH imm", a_strh, 2 },
	{ "T16 STR", t_str, 4 }, { "T32 STR", t_str_w, 4 },
	{ "T16 STRB", t_strb, 1 }, { "T32 STRB", t_strb_w, 1 },
	{ "T16 STRH", t_strh, 2 }, { "T16 STRH reg", t_strh_reg, 2 },
};

static u32 extend(u32 v, u32 len, bool sign)
{
	u32 shift = 32 - 8 * len;

	return sign ? (u32)((int)(v << shift) >> shift) : v << shift >> shift;
}

static bool once(u32 len, u32 off)
{
	return r32(DEV_BASE + DEV_ACCESSES) == 1 && r32(DEV_BASE + DEV_LAST_LEN) == len &&
	       r32(DEV_BASE + DEV_LAST_OFF) == off;
}

static void check_loads(void)
{
	static const u32 vals[] = { 0x01020304, 0xfffefdfc, 0x80808080, 0x7f7f7f7f, 0x00008000 };

	for (u32 i = 0; i < ARRAY_SIZE(loads); i++) {
		const struct load *l = &loads[i];
		bool value = true, single = true;

		for (u32 k = 0; k < ARRAY_SIZE(vals); k++) {
			w32(SCRATCH + 4, vals[k]);
			w32(SCRATCH, ~vals[k]);
			w32(SCRATCH + 8, ~vals[k]);
			w32(DEV_BASE + DEV_ACCESSES, 0);
			value &= l->fn(SCRATCH) == extend(vals[k], l->len, l->sign);
			single &= once(l->len, 4);
		}
		report(value, "%s reads and extends the value", l->name);
		report(single, "%s reaches the client once, with length %u", l->name, l->len);
	}
}

static void check_stores(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(stores); i++) {
		const struct store *s = &stores[i];
		u32 keep = s->len == 4 ? 0 : ~0u << 8 * s->len, got;
		bool single;

		w32(SCRATCH, 0x55555555);
		w32(SCRATCH + 4, 0x66666666);
		w32(SCRATCH + 8, 0x77777777);
		w32(DEV_BASE + DEV_ACCESSES, 0);
		s->fn(SCRATCH, 0xdeadbeef);
		single = once(s->len, 4);
		got = r32(SCRATCH + 4);
		report(got == ((0xdeadbeef & ~keep) | (0x66666666 & keep)) &&
		       r32(SCRATCH) == 0x55555555 && r32(SCRATCH + 8) == 0x77777777,
		       "%s writes its %u bytes and no other (%x)", s->name, s->len, got);
		report(single, "%s reaches the client once, with length %u", s->name, s->len);
	}
}

/* Each byte lane of a word. */
static void check_lanes(void)
{
	bool bytes = true, halves = true;

	w32(SCRATCH + 16, 0x44332211);
	for (u32 i = 0; i < 4; i++)
		bytes &= r8_(SCRATCH + 16 + i) == 0x11 * (i + 1);
	halves = r16(SCRATCH + 16) == 0x2211 && r16(SCRATCH + 18) == 0x4433;
	report(bytes, "byte reads at every offset of a word");
	report(halves, "halfword reads at every offset of a word");
	for (u32 i = 0; i < 4; i++)
		w8(SCRATCH + 16 + i, 0xa0 + i);
	report(r32(SCRATCH + 16) == 0xa3a2a1a0, "byte writes at every offset of a word");
	w16(SCRATCH + 18, 0xbeef);
	report(r32(SCRATCH + 16) == 0xbeefa1a0, "a halfword write at offset 2");
}

/*
 * Every register as Rt: the syndrome has its number, and r13 and r14 are banked. The A15's syndrome
 * is wrong for some Thumb stores (erratum 766422), so the loops also run in T32.
 */
#define RT_FN(reg)								\
u32 rt_a32_##reg(u32 addr, u32 val);						\
u32 rt_t32_##reg(u32 addr, u32 val);						\
asm(".syntax unified\n\t.text\n\t.arm\n\t.global rt_a32_" #reg "\nrt_a32_" #reg ":\n\t"		\
	"push {r4-r12, lr}\n\tmov r1, r1\n\tmov " #reg ", r1\n\t"		\
	"str " #reg ", [r0]\n\tmov " #reg ", #0\n\tldr " #reg ", [r0]\n\t"	\
	"mov r0, " #reg "\n\tpop {r4-r12, pc}\n\t"				\
	".thumb\n\t.thumb_func\n\t.global rt_t32_" #reg "\n"			\
	".type rt_t32_" #reg ", %function\nrt_t32_" #reg ":\n\t"		\
	"push {r4-r12, lr}\n\tmov " #reg ", r1\n\t"				\
	"str.w " #reg ", [r0]\n\tmov " #reg ", r0\n\tldr.w " #reg ", [r0]\n\t"	\
	"mov r0, " #reg "\n\tpop {r4-r12, pc}\n\t.arm\n")
RT_FN(r1);
RT_FN(r2);
RT_FN(r3);
RT_FN(r4);
RT_FN(r5);
RT_FN(r6);
RT_FN(r7);
RT_FN(r8);
RT_FN(r9);
RT_FN(r10);
RT_FN(r11);
RT_FN(r12);
RT_FN(lr);

/* sp as Rt, only in A32; meanwhile the stack pointer is kept in r2. */
u32 rt_sp(u32 addr, u32 val);
asm(".syntax unified\n\t.text\n\t.arm\n\t.global rt_sp\nrt_sp:\n\t"
	"mov r2, sp\n\tmov sp, r1\n\tstr sp, [r0]\n\tmov sp, #0\n\tldr sp, [r0]\n\t"
	"mov r0, sp\n\tmov sp, r2\n\tbx lr\n");

static void check_rt(void)
{
	static const struct { const char *name; u32 (*a)(u32, u32), (*t)(u32, u32); } rt[] = {
#define RT_ROW(reg) { #reg, rt_a32_##reg, rt_t32_##reg },
		RT_ROW(r1) RT_ROW(r2) RT_ROW(r3) RT_ROW(r4) RT_ROW(r5) RT_ROW(r6) RT_ROW(r7)
		RT_ROW(r8) RT_ROW(r9) RT_ROW(r10) RT_ROW(r11) RT_ROW(r12) RT_ROW(lr)
	};

	for (u32 i = 0; i < ARRAY_SIZE(rt); i++) {
		u32 v = 0xc0de0000 | i;

		w32(SCRATCH + 32, 0);
		report(rt[i].a(SCRATCH + 32, v) == v && r32(SCRATCH + 32) == v,
		       "A32 store and load of %s", rt[i].name);
		w32(SCRATCH + 32, 0);
		report(rt[i].t(SCRATCH + 32, ~v) == ~v && r32(SCRATCH + 32) == ~v,
		       "T32 store and load of %s", rt[i].name);
	}
	report(rt_sp(SCRATCH + 36, 0x5e5e5e5c) == 0x5e5e5e5c && r32(SCRATCH + 36) == 0x5e5e5e5c,
	       "A32 store and load of sp");
}

/* The user bank of sp and lr, from USR mode and from a mode with its own bank. */
u32 store_lr(u32 addr);
asm(".text\n\t.arm\n\t.global store_lr\nstore_lr:\n\t"
    "mov r3, lr\n\tmvn lr, #0x77\n\tstr lr, [r0]\n\tmov lr, #0\n\tldr lr, [r0]\n\t"
    "str lr, [r0, #4]\n\tbx r3\n");

static void check_modes(void)
{
	static const struct { u8 mode; const char *name; } modes[] = {
		{ 0x10, "USR" }, { 0x1f, "SYS" }, { 0x12, "IRQ" }, { 0x17, "ABT" }, { 0x1b, "UND" },
		{ 0x11, "FIQ" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		w32(SCRATCH + 40, 0);
		call_in_mode(modes[i].mode, store_lr, SCRATCH + 40);
		report(r32(SCRATCH + 40) == ~0x77u && r32(SCRATCH + 44) == ~0x77u,
		       "%s mode: LR of that mode is stored and loaded", modes[i].name);
	}
}

/*
 * Forms whose syndrome is not valid (DDI 0406C B3.13.6): the hypervisor must
 * read the instruction. r[0] is the base before and after, r[1] the value.
 */
#define WB(name, state, insn)							\
void name(u32 *r);								\
asm(".syntax unified\n\t.text\n\t." #state "\n\t.balign 4\n\t.global " #name "\n\t"	\
	".type " #name ", %function\n" #name ":\n\t"				\
	"push {r4, lr}\n\tmov r4, r0\n\tldr r0, [r4]\n\tldr r1, [r4, #4]\n\t"	\
	"mov r2, #8\n\t" insn "\n\tstr r0, [r4]\n\tstr r1, [r4, #4]\n\t"	\
	"pop {r4, pc}\n\t.arm\n")

WB(wb_ldr_post, arm, "ldr r1, [r0], #8");
WB(wb_ldr_pre, arm, "ldr r1, [r0, #8]!");
WB(wb_ldr_post_reg, arm, "ldr r1, [r0], r2");
WB(wb_ldr_pre_neg, arm, "ldr r1, [r0, #-8]!");
WB(wb_ldr_pre_lsl, arm, "ldr r1, [r0, r2, lsl #1]!");
WB(wb_ldrb_post, arm, "ldrb r1, [r0], #1");
WB(wb_ldrh_post, arm, "ldrh r1, [r0], #2");
WB(wb_ldrsb_post, arm, "ldrsb r1, [r0], #1");
WB(wb_ldrsh_pre, arm, "ldrsh r1, [r0, r2]!");
WB(wb_str_post, arm, "str r1, [r0], #8");
WB(wb_str_pre, arm, "str r1, [r0, #8]!");
WB(wb_strb_post, arm, "strb r1, [r0], #1");
WB(wb_strh_pre, arm, "strh r1, [r0, #2]!");
WB(wb_t_ldr_post, thumb, "ldr r1, [r0], #8");
WB(wb_t_ldr_pre, thumb, "ldr r1, [r0, #8]!");
WB(wb_t_ldrh_pre_neg, thumb, "ldrh r1, [r0, #-8]!");
WB(wb_t_str_post, thumb, "str r1, [r0], #-8");
WB(wb_t_strb_pre, thumb, "strb r1, [r0, #1]!");

static void check_writeback(void)
{
	static const struct { const char *name; void (*fn)(u32 *); int at, wb; u32 len;
			      bool store, sign; } t[] = {
		{ "A32 LDR post-indexed", wb_ldr_post, 0, 8, 4, false, false },
		{ "A32 LDR pre-indexed", wb_ldr_pre, 8, 8, 4, false, false },
		{ "A32 LDR post-indexed by register", wb_ldr_post_reg, 0, 8, 4, false, false },
		{ "A32 LDR pre-indexed, negative", wb_ldr_pre_neg, -8, -8, 4, false, false },
		{ "A32 LDR pre-indexed, shifted", wb_ldr_pre_lsl, 16, 16, 4, false, false },
		{ "A32 LDRB post-indexed", wb_ldrb_post, 0, 1, 1, false, false },
		{ "A32 LDRH post-indexed", wb_ldrh_post, 0, 2, 2, false, false },
		{ "A32 LDRSB post-indexed", wb_ldrsb_post, 0, 1, 1, false, true },
		{ "A32 LDRSH pre-indexed by register", wb_ldrsh_pre, 8, 8, 2, false, true },
		{ "A32 STR post-indexed", wb_str_post, 0, 8, 4, true, false },
		{ "A32 STR pre-indexed", wb_str_pre, 8, 8, 4, true, false },
		{ "A32 STRB post-indexed", wb_strb_post, 0, 1, 1, true, false },
		{ "A32 STRH pre-indexed", wb_strh_pre, 2, 2, 2, true, false },
		{ "T32 LDR post-indexed", wb_t_ldr_post, 0, 8, 4, false, false },
		{ "T32 LDR pre-indexed", wb_t_ldr_pre, 8, 8, 4, false, false },
		{ "T32 LDRH pre-indexed, negative", wb_t_ldrh_pre_neg, -8, -8, 2, false, false },
		{ "T32 STR post-indexed, negative", wb_t_str_post, 0, -8, 4, true, false },
		{ "T32 STRB pre-indexed", wb_t_strb_pre, 1, 1, 1, true, false },
	};
	u32 base = SCRATCH + 0x80;

	for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
		u32 r[2] = { base, 0xcafef00d }, at = base + (u32)t[i].at, got, want;

		w32(at & ~3u, 0x8182f384);
		w32(DEV_BASE + DEV_ACCESSES, 0);
		t[i].fn(r);
		got = r32(DEV_BASE + DEV_ACCESSES);
		report(got == 1 && r32(DEV_BASE + DEV_LAST_LEN) == t[i].len &&
		       r32(DEV_BASE + DEV_LAST_OFF) == at - SCRATCH && r[0] == base + (u32)t[i].wb,
		       "%s: one access, base written back (%u, %x)", t[i].name, got, r[0]);
		if (t[i].store) {
			want = extend(0xcafef00d, t[i].len, false);
			got = t[i].len == 4 ? r32(at) : t[i].len == 2 ? r16(at) : r8_(at);
		} else {
			want = extend(0x8182f384 >> 8 * (at & 3), t[i].len, t[i].sign);
			got = r[1];
		}
		report(got == want, "%s: the value (%x, not %x)", t[i].name, got, want);
	}
}

/* Several registers: r[0]-r[7] go to r0-r7 and back. Each word is a separate access. */
#define BLOCK(name, state, insn)						\
void name(u32 *r);								\
asm(".syntax unified\n\t.text\n\t." #state "\n\t.balign 4\n\t.global " #name "\n\t"	\
	".type " #name ", %function\n" #name ":\n\t"				\
	"push {r4-r11, lr}\n\tmov r8, r0\n\tldm r8, {r0-r7}\n\t" insn "\n\t"	\
	"stm r8, {r0-r7}\n\tpop {r4-r11, pc}\n\t.ltorg\n\t.arm\n")
#define ON_STACK(insn)	"mov r9, sp\n\tmov sp, r0\n\t" insn "\n\tmov r0, sp\n\tmov sp, r9"

BLOCK(bl_ldmia, arm, "ldmia r0, {r1-r4}");
BLOCK(bl_ldmia_wb, arm, "ldmia r0!, {r1-r4}");
BLOCK(bl_ldmib_wb, arm, "ldmib r0!, {r1-r3}");
BLOCK(bl_ldmda_wb, arm, "ldmda r0!, {r1-r3}");
BLOCK(bl_ldmdb_wb, arm, "ldmdb r0!, {r1-r3}");
BLOCK(bl_ldmib, arm, "ldmib r0, {r1-r3}");
BLOCK(bl_stmia_wb, arm, "stmia r0!, {r1-r4}");
BLOCK(bl_stmib_wb, arm, "stmib r0!, {r1-r3}");
BLOCK(bl_stmda, arm, "stmda r0, {r1-r3}");
BLOCK(bl_stmdb_wb, arm, "stmdb r0!, {r1-r3}");
BLOCK(bl_push, arm, ON_STACK("push {r1-r4}"));
BLOCK(bl_pop, arm, ON_STACK("pop {r1-r4}"));
BLOCK(bl_ldrd, arm, "ldrd r2, r3, [r0, #8]\n\tmov r1, r2\n\tmov r2, r3");
BLOCK(bl_ldrd_wb, arm, "ldrd r2, r3, [r0], #8\n\tmov r1, r2\n\tmov r2, r3");
BLOCK(bl_strd_wb, arm, "mov r4, r1\n\tmov r5, r2\n\tstrd r4, r5, [r0, #-8]!");
BLOCK(bl_cond, arm, "cmp r1, r1\n\tldmne r0!, {r1-r4}\n\tldmeq r0!, {r1-r2}");
BLOCK(bl_t_ldmia, thumb, "ldmia r0!, {r1-r4}");
BLOCK(bl_t_stmia, thumb, "stmia r0!, {r1-r4}");
BLOCK(bl_t_ldmdb, thumb, "ldmdb.w r0!, {r1-r3}");
BLOCK(bl_t_stmdb, thumb, "stmdb.w r0, {r1-r3}");
BLOCK(bl_t_push, thumb, ON_STACK("push {r1-r4}"));
BLOCK(bl_t_pop, thumb, ON_STACK("pop {r1-r4}"));
BLOCK(bl_t_ldrd, thumb, "ldrd r1, r2, [r0, #8]!");
BLOCK(bl_t_strd, thumb, "strd r1, r2, [r0], #8");
BLOCK(bl_t_it, thumb, "cmp r1, r1\n\titete eq\n\tldmiaeq r0!, {r1-r2}\n\t"
      "ldmiane r0!, {r3-r4}\n\tldmiaeq r0!, {r3}\n\tstrne r0, [r0]");
/* A function that returns by a PC from the device, to the other instruction set and back. */
BLOCK(bl_pc, arm, "adr r5, 1f\n\torr r5, r5, #1\n\tstr r5, [r0, #4]\n\t"
      "ldmia r0, {r1, pc}\n\tmov r1, #0\n\t.thumb\n1:\tadr r5, 2f\n\tstr r5, [r0, #4]\n\t"
      "ldr.w pc, [r0, #4]\n\t"
      "movs r1, #0\n\t.balign 4\n\t.arm\n2:");

static void check_blocks(const char *tables)
{
	static const struct { const char *name; void (*fn)(u32 *); int base, first; u32 n;
			      int after; bool store; } t[] = {
		{ "A32 LDMIA", bl_ldmia, 0, 0, 4, 0, false },
		{ "A32 LDMIA!", bl_ldmia_wb, 0, 0, 4, 16, false },
		{ "A32 LDMIB!", bl_ldmib_wb, 0, 4, 3, 12, false },
		{ "A32 LDMIB", bl_ldmib, 0, 4, 3, 0, false },
		{ "A32 LDMDA!", bl_ldmda_wb, 16, 8, 3, 4, false },
		{ "A32 LDMDB!", bl_ldmdb_wb, 16, 4, 3, 4, false },
		{ "A32 STMIA!", bl_stmia_wb, 0, 0, 4, 16, true },
		{ "A32 STMIB!", bl_stmib_wb, 0, 4, 3, 12, true },
		{ "A32 STMDA", bl_stmda, 16, 8, 3, 16, true },
		{ "A32 STMDB!", bl_stmdb_wb, 16, 4, 3, 4, true },
		{ "A32 PUSH", bl_push, 16, 0, 4, 0, true },
		{ "A32 POP", bl_pop, 0, 0, 4, 16, false },
		{ "A32 LDRD", bl_ldrd, 0, 8, 2, 0, false },
		{ "A32 LDRD post-indexed", bl_ldrd_wb, 0, 0, 2, 8, false },
		{ "A32 STRD pre-indexed", bl_strd_wb, 16, 8, 2, 8, true },
		{ "A32 LDM by condition", bl_cond, 0, 0, 2, 8, false },
		{ "T16 LDMIA!", bl_t_ldmia, 0, 0, 4, 16, false },
		{ "T16 STMIA!", bl_t_stmia, 0, 0, 4, 16, true },
		{ "T32 LDMDB!", bl_t_ldmdb, 16, 4, 3, 4, false },
		{ "T32 STMDB", bl_t_stmdb, 16, 4, 3, 16, true },
		{ "T16 PUSH", bl_t_push, 16, 0, 4, 0, true },
		{ "T16 POP", bl_t_pop, 0, 0, 4, 16, false },
		{ "T32 LDRD pre-indexed", bl_t_ldrd, 0, 8, 2, 8, false },
		{ "T32 STRD post-indexed", bl_t_strd, 0, 0, 2, 8, true },
		{ "T32 LDM in an IT block", bl_t_it, 0, 0, 3, 12, false },
	};
	u32 base = SCRATCH + 0xc0;

	for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
		u32 r[8] = { base + (u32)t[i].base, 0xa1a1a1a1, 0xa2a2a2a2, 0xa3a3a3a3,
			     0xa4a4a4a4 };
		bool ok = true;
		u32 n;

		for (u32 k = 0; k < 8; k++)
			w32(base + 4 * k, 0x5a5a0000 + k);
		w32(DEV_BASE + DEV_ACCESSES, 0);
		t[i].fn(r);
		n = r32(DEV_BASE + DEV_ACCESSES);
		report(n == t[i].n && r[0] == base + (u32)t[i].after &&
		       SCRATCH + r32(DEV_BASE + DEV_LAST_OFF) ==
		       base + (u32)t[i].first + 4 * (n - 1),
		       "%s%s: %u accesses (%u), base as it is to be (%x)", tables, t[i].name,
		       t[i].n, n, r[0]);
		for (u32 k = 0; k < t[i].n; k++) {
			u32 got = t[i].store ? r32(base + (u32)t[i].first + 4 * k) : r[1 + k];

			ok &= got == (t[i].store ? 0xa1a1a1a1 + k * 0x01010101 :
				      0x5a5a0000 + (u32)t[i].first / 4 + k);
		}
		report(ok, "%s%s: the values", tables, t[i].name);
	}
}

static void check_block_pc(void)
{
	u32 r[8] = { SCRATCH + 0xc0 };

	w32(SCRATCH + 0xc0, 0x77);
	w32(DEV_BASE + DEV_ACCESSES, 0);
	bl_pc(r);
	report(r32(DEV_BASE + DEV_ACCESSES) == 5 && r[1] == 0x77,
	       "a PC from a device goes to T32, and one back to A32");
}

/* An access that crosses pages, of which one is RAM, or none, by the guest's own tables. */
static void check_crossing(void)
{
	static u32 ram_page[1024] __attribute__((aligned(4096)));
	const u32 va = 0x50000000;
	u32 r[8] = { va + 0x1000 - 8 }, holes;

	ram_page[1022] = 0x22;
	ram_page[1023] = 0x23;
	mmu_map(va, (u32)ram_page, MMU_NORMAL);
	mmu_map(va + 0x1000, HOLE_BASE, MMU_DEVICE);
	mmu_map(va + 0x2000, 0, MMU_FAULT);
	holes = r32(DEV_BASE + DEV_HOLES);
	bl_ldmia(r);
	report(r[1] == 0x22 && r[2] == 0x23 && r[3] == ~0u && r[4] == ~0u &&
	       r32(DEV_BASE + DEV_HOLES) == holes + 2,
	       "LDM of two words of RAM and two of a device");
	r[0] = va + 0x1000 - 12;
	r[1] = 0x91;
	r[2] = 0x92;
	r[3] = 0x93;
	bl_stmia_wb(r);
	report(ram_page[1021] == 0x91 && ram_page[1022] == 0x92 && ram_page[1023] == 0x93 &&
	       r[0] == va + 0x1004 && r32(DEV_BASE + DEV_HOLES) == holes + 3,
	       "STM of three words of RAM and one of a device");

	r[0] = va + 0x2000 - 8;
	r[1] = 0x1111;
	trap_begin();
	bl_ldmia_wb(r);
	report(trap_end() == 1 && trap[0].vec == VEC_DABT && trap[0].far == va + 0x2000 &&
	       (trap[0].fsr & 0xc0f) == 7 && r[0] == va + 0x2000 - 8 && r[1] == 0x1111 &&
	       r32(DEV_BASE + DEV_HOLES) == holes + 3,
	       "LDM into a page that is not mapped: its translation fault, and nothing done");
}

/* Accesses that no device supports are an external abort (DDI 0406C B3.8). */
static void check_refused(void)
{
	u32 fsr, far;

	trap_begin();
	asm volatile("ldrex r3, [%0]" :: "r"(SCRATCH) : "r3", "memory");
	fsr = trap[0].fsr;
	far = trap[0].far;
	report(trap_end() == 1 && trap[0].vec == VEC_DABT && (fsr & 0x40f) == 8 && far == SCRATCH,
	       "LDREX: an external abort (%x, %x)", fsr, far);
	CP15_WRITE(0, c1, c0, 2, CP15_READ(0, c1, c0, 2) | 0x00f00000);
	isb();
	asm volatile(".fpu neon\n\tvmsr fpexc, %0" :: "r"(1u << 30));
	trap_begin();
	asm volatile(".fpu neon\n\tvstr d0, [%0]" :: "r"(SCRATCH) : "memory");
	fsr = trap[0].fsr;
	far = trap[0].far;
	report(trap_end() == 1 && (fsr & 0xc0f) == 0x808 && far == SCRATCH,
	       "VSTR: an external abort (%x, %x)", fsr, far);
}

static void check_big_endian(void)
{
	u32 w, h, b;

	w32(SCRATCH + 48, 0x11223344);
	asm volatile("setend be\n\tldr %0, [%3]\n\tldrh %1, [%3]\n\tldrb %2, [%3]\n\tsetend le"
		     : "=&r"(w), "=&r"(h), "=&r"(b) : "r"(SCRATCH + 48) : "memory");
	report(w == 0x44332211, "CPSR.E: a word read is reversed (%x)", w);
	report(h == 0x4433, "CPSR.E: a halfword read is reversed (%x)", h);
	report(b == 0x44, "CPSR.E: a byte read is not (%x)", b);
	asm volatile("setend be\n\tldrsh %0, [%1]\n\tsetend le"
		     : "=&r"(w) : "r"(SCRATCH + 48) : "memory");
	report(w == 0x4433, "CPSR.E: a signed halfword read is reversed (%x)", w);
	asm volatile("setend be\n\tstr %0, [%1]\n\tstrh %0, [%1, #4]\n\tsetend le"
		     :: "r"(0x01020304), "r"(SCRATCH + 48) : "memory");
	report(r32(SCRATCH + 48) == 0x04030201, "CPSR.E: a word write is reversed");
	report(r16(SCRATCH + 52) == 0x0403, "CPSR.E: a halfword write is reversed");
}

/* Every access counts once, even if signals hit the client (item 8). */
static void check_once(u32 cpu)
{
	u32 mine = SCRATCH + 64 + cpu * 4, bad = 0, last = 0;

	for (u32 i = 0; i < 2000; i++) {
		u32 a = r32(DEV_BASE + DEV_COUNTER);

		/* The counter serves all CPUs: each CPU only sees it grow. */
		bad += i && a <= last;
		last = a;
		w32(mine, i);
		bad += r32(mine) != i;
	}
	report(!bad, "cpu %u: 4000 reads and 2000 writes are each done in order (%u bad)", cpu, bad);
}

void guest_main(void)
{
	u32 n;

	mmu_on();
	if (!on_vm())
		guest_bail("needs the test device");
	check_loads();
	check_stores();
	check_lanes();
	check_rt();
	check_modes();
	check_writeback();
	check_blocks("");
	check_block_pc();
	/* The instructions are found through other tables. */
	mmu_lpae_on();
	check_blocks("LPAE: ");
	mmu_on();
	check_crossing();
	check_refused();
	check_big_endian();
	smp_start();
	w32(DEV_BASE + DEV_COUNTER, 0);
	w32(DEV_BASE + DEV_ACCESSES, 0);
	smp_run(check_once);
	n = r32(DEV_BASE + DEV_COUNTER);
	report(n == 2000 * nr_cpus(), "no read was done twice or lost (%u)", n);
	n = r32(DEV_BASE + DEV_ACCESSES);
	report(n == 4000 * nr_cpus(), "no access was done twice or lost (%u)", n);
	guest_exit();
}
