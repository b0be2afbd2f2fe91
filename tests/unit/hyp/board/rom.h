/* SPDX-License-Identifier: GPL-2.0-only */
/* What the firmware of rom.S and the program that it starts have to know of each other. */
#ifndef ROM_H
#define ROM_H

#define ROM_NEXT	0x40200000	/* where the program begins (board.ld) */

/* SMC, by r0. The numbers are of the range that SMCCC leaves to the maker of the board. */
#define ROM_SET_EA	0x83000000	/* SCR.EA := r1 */
#define ROM_ABORTS	0x83000001	/* how many aborts came to Monitor mode */

#endif
