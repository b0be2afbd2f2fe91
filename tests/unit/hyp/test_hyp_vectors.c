// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exception vectors of HYP mode, and the take-over of a CPU, which are assembly, on an emulated
 * board without Linux: hyp/board/run builds and runs it, and its output is this test's own.
 */
#include "hyp/board/relay.h"

int main(void)
{
	return relay("hyp/board/run vectors");
}
