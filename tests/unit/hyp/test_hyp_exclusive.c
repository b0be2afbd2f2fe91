// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exclusive accesses of HYP mode, and the host's locks that it takes, on an emulated board
 * without Linux: hyp/board/run builds and runs it, and its output is this test's own.
 */
#include "hyp/board/relay.h"

int main(void)
{
	return relay("hyp/board/run exclusive");
}
