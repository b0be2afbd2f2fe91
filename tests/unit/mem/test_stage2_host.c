// SPDX-License-Identifier: GPL-2.0-only
// cflags: -Itests/unit/fake -Idriver
/*
 * The client's page table in the short-descriptor format (stage2_host_cases.h), and what the CPU
 * says of it in PAR (DDI 0406C B4.1.112).
 */
#include "stage2_host_cases.h"

#define PAR_FAULT	((0x07u << 1) | 1)	/* FS: translation fault, second level */
#define PAR_SUPER	(1u << 1)
/* Inner and Outer Write-Back Write-Allocate, Shareable */
#define PAR_CACHED	(1u << 7 | 5u << 4 | 1u << 2)
#define PAR_DEVICE	(1u << 7 | 3u << 4)
#define FRAME		0x87654u
#define CACHED_PAGE	(FRAME << 12 | PAR_CACHED)
#define OTHER_PAGE	(0x12345u << 12 | PAR_CACHED)

static enum host_answer ask(u32 cuw, u32 cur, bool write, struct stage2_host_page *page)
{
	*page = (struct stage2_host_page){ .pfn = ~0ul, .huge = true, .attr = ~0ull };
	return stage2_host_read_par(cuw, cur, write, PAR_CACHED, page);
}

/* A page that may be written is that of both kinds of fault. */
static void test_par_writable(void)
{
	struct stage2_host_page page;
	int write;

	for (write = 0; write < 2; write++) {
		KTAP_EQ(ask(CACHED_PAGE, PAR_FAULT, write, &page), HOST_FOUND);
		KTAP_EQ(page.pfn, FRAME);
		KTAP_TRUE(page.writable && !page.huge);
		KTAP_EQ(page.attr, LPAE_S2_ATTR_WB);
	}
}

/* One that may only be read (copy-on-write, clean, the zero page) is no answer to a write. */
static void test_par_read_only(void)
{
	struct stage2_host_page page;

	KTAP_EQ(ask(PAR_FAULT, CACHED_PAGE, false, &page), HOST_FOUND);
	KTAP_EQ(page.pfn, FRAME);
	KTAP_TRUE(!page.writable);
	KTAP_EQ(ask(PAR_FAULT, CACHED_PAGE, true, &page), HOST_FAULTS);
	KTAP_EQ(ask(PAR_FAULT, PAR_FAULT, true, &page), HOST_FAULTS);
}

static void test_par_absent(void)
{
	struct stage2_host_page page;

	KTAP_EQ(ask(PAR_FAULT, PAR_FAULT, false, &page), HOST_FAULTS);
	/* A fault's other bits are its status, whatever they look like. */
	KTAP_EQ(ask(CACHED_PAGE | 1, OTHER_PAGE | 1, false, &page), HOST_FAULTS);
}

/* Bits 1, 10, 7 and 6 to 2 matter; NS (9) and what is IMPLEMENTATION DEFINED (8) do not. */
static void test_par_attributes(void)
{
	struct stage2_host_page page;
	unsigned int bit;

	for (bit = 1; bit < 12; bit++)
		KTAP_EQ(ask(CACHED_PAGE ^ 1u << bit, PAR_FAULT, true, &page),
			bit == 8 || bit == 9 || bit == 11 ? HOST_FOUND : HOST_UNKNOWN);
	KTAP_EQ(ask(FRAME << 12 | PAR_DEVICE, PAR_FAULT, true, &page), HOST_UNKNOWN);
	KTAP_EQ(ask(PAR_FAULT, FRAME << 12 | PAR_DEVICE, false, &page), HOST_UNKNOWN);
	KTAP_EQ(ask(CACHED_PAGE | PAR_SUPER, PAR_FAULT, false, &page), HOST_UNKNOWN);
}

/* A CPU that reports no attributes reports none of cached memory either. */
static void test_par_no_attributes(void)
{
	struct stage2_host_page page = { };

	KTAP_EQ(stage2_host_read_par(FRAME << 12, PAR_FAULT, true, 0, &page), HOST_FOUND);
	KTAP_EQ(page.pfn, FRAME);
	KTAP_EQ(stage2_host_read_par(FRAME << 12 | PAR_SUPER, PAR_FAULT, true, 0, &page),
		HOST_UNKNOWN);
}

KTAP_MAIN(STAGE2_HOST_CASES,
	KTAP_CASE(test_par_writable),
	KTAP_CASE(test_par_read_only),
	KTAP_CASE(test_par_absent),
	KTAP_CASE(test_par_attributes),
	KTAP_CASE(test_par_no_attributes))
