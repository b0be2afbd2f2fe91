// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "arch/archregs.h"
#include "core/bank.h"

/* R13 and R14, and in FIQ mode R8 to R12, too. */
const char *bank_name(uint32_t cpsr, unsigned int n)
{
	static const char *const fiq[] = { "r8_fiq", "r9_fiq", "r10_fiq", "r11_fiq", "r12_fiq" };
	static const struct {
		uint32_t mode;
		const char *name[2];
	} bank[] = {
		{ CPSR_M_SVC, { "sp_svc", "lr_svc" } }, { CPSR_M_ABT, { "sp_abt", "lr_abt" } },
		{ CPSR_M_UND, { "sp_und", "lr_und" } }, { CPSR_M_IRQ, { "sp_irq", "lr_irq" } },
		{ CPSR_M_FIQ, { "sp_fiq", "lr_fiq" } },
	};
	uint32_t mode = cpsr & CPSR_M_MASK;

	if (n >= 8 && n <= 12)
		return mode == CPSR_M_FIQ ? fiq[n - 8] : NULL;
	if (n != 13 && n != 14)
		return NULL;
	for (unsigned int i = 0; i < sizeof(bank) / sizeof(bank[0]); i++)
		if (bank[i].mode == mode)
			return bank[i].name[n - 13];
	return NULL;
}
