/* SPDX-License-Identifier: GPL-2.0-only */
/* hyp/sysreg.h for the build machine: records, in order, what HYP code tells the CPU. */
#ifndef HYP_FAKE_H
#define HYP_FAKE_H

#include "fake_kernel.h"

#include "hyp/sysreg.h"

void fake_op(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The value of a register, by the arguments of MRC or MRRC. */
u64 fake_reg(const char *args);

#undef sysreg_read
#undef sysreg_read64
#undef sysreg_write
#undef sysreg_write64
#undef banked_read
#undef banked_write
#undef spsr_read
#undef LOAD_BANKED
#undef SAVE_BANKED
#undef regs_load
#undef regs_save
#undef hyp_isb
#undef hyp_dsb
#undef hyp_dsb_ish
#undef hyp_dsb_ishst
#undef hyp_index
#undef __hyp_text
#define sysreg_write(val, reg)		fake_op("mcr " SYS_STR(reg) " = %x", (u32)(val))
#define sysreg_write64(val, reg)	fake_op("mcrr " SYS_STR(reg) " = %llx",	\
						(unsigned long long)(val))
#define sysreg_read(reg)		((u32)fake_reg(SYS_STR(reg)))
#define sysreg_read64(reg)		fake_reg(SYS_STR(reg))
#define banked_write(val, name)		fake_op("msr " #name " = %x", (u32)(val))
#define banked_read(name)		(fake_op("mrs " #name), 0u)
#define spsr_read()			((u32)fake_reg("SPSR"))
#define LOAD_BANKED(name, rt)		fake_op("msr " #name " = %x", *words_++);
#define SAVE_BANKED(name, rt)		fake_op("mrs " #name), *words_++ = 0;
#define regs_load(p, core, list)	do { const u32 *words_ = (p); list(LOAD) } while (0)
#define regs_save(p, core, list)	do { u32 *words_ = (p); list(SAVE) } while (0)
#define hyp_isb()			fake_op("isb")
#define hyp_dsb()			fake_op("dsb")
#define hyp_dsb_ish()			fake_op("dsb ish")
#define hyp_dsb_ishst()			fake_op("dsb ishst")
#define hyp_index(i, n)		array_index_nospec(i, n)
#define hyp_spin_trylock		raw_spin_trylock
#define hyp_spin_unlock			raw_spin_unlock
#define __hyp_text

#endif
