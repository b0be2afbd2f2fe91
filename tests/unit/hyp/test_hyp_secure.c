// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exception vectors of HYP mode under firmware that sets SCR.EA, on an emulated board with the
 * Security Extensions: hyp/board/run builds and runs both, and their output is this test's own.
 */
#include "hyp/board/relay.h"

int main(void)
{
	return relay("hyp/board/run secure");
}
