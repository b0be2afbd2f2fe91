// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that computes for a while, and says how far it got. share.sh runs it beside another one.
 *   work [milliseconds]
 */
#include "lib.h"

static u32 memory[16384];

void guest_main(void)
{
	u32 ms = param.arg[0] ? param.arg[0] : 100, rounds = 0, x = 1;
	u64 end;

	mmu_on();
	end = cntvct() + us_to_ticks(ms * 1000);
	do {
		for (u32 i = 0; i < ARRAY_SIZE(memory); i += 16) {
			x = x * 1664525 + 1013904223;
			memory[(x >> 8) % ARRAY_SIZE(memory)] += i;
		}
		rounds++;
	} while (cntvct() < end);
	report(rounds > 0, "%u rounds in %u ms", rounds, ms);
	guest_exit();
}
