// SPDX-License-Identifier: GPL-2.0-only
/* cntfrq: prints CNTFRQ, in Hz. Linux lets user space read it with the virtual counter. */
#include <inttypes.h>
#include <stdio.h>

int main(void)
{
	uint32_t hz;

	asm volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(hz));
	printf("%" PRIu32 "\n", hz);
	return 0;
}
