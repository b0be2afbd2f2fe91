// SPDX-License-Identifier: GPL-2.0-only
/* The features by GDB's manual (Standard Target Features, ARM Features). */
#include <glib.h>

#include "gdb/targetxml.h"

/* GDB prints these as an address in a program, or in its data. */
static const char *targetxml_core_type(unsigned int n)
{
	switch (n) {
	case 13:
		return " type=\"data_ptr\"";
	case REGFILE_PC:
		return " type=\"code_ptr\"";
	default:
		return "";
	}
}

static void targetxml_reg(GString *xml, const struct regfile *file, unsigned int n,
			  const char *more)
{
	if (file->reg[n].name)
		g_string_append_printf(xml, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\"%s/>\n",
				       file->reg[n].name, 8 * file->reg[n].size, n, more);
}

char *targetxml_make(const struct regfile *file)
{
	GString *xml = g_string_new("<?xml version=\"1.0\"?>\n"
				    "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
				    "<target version=\"1.0\">\n"
				    "<architecture>arm</architecture>\n"
				    "<feature name=\"org.gnu.gdb.arm.core\">\n");

	for (unsigned int n = 0; n <= REGFILE_CPSR; n++)
		targetxml_reg(xml, file, n, targetxml_core_type(n));
	g_string_append(xml, "</feature>\n");
	if (file->nr_d) {
		g_string_append(xml, "<feature name=\"org.gnu.gdb.arm.vfp\">\n");
		for (unsigned int i = 0; i < file->nr_d; i++)
			targetxml_reg(xml, file, REGFILE_D0 + i, " type=\"ieee_double\"");
		targetxml_reg(xml, file, REGFILE_FPSCR, " type=\"int\" group=\"float\"");
		g_string_append(xml, "</feature>\n");
	}
	/* This feature names no register: it makes GDB show pairs of d registers as q0 to q15. */
	if (file->nr_d == 32)
		g_string_append(xml, "<feature name=\"org.gnu.gdb.arm.neon\"/>\n");
	g_string_append(xml, "<feature name=\"org.armvmm.cp\">\n");
	for (unsigned int n = REGFILE_CP; n < file->nr; n++)
		targetxml_reg(xml, file, n, " group=\"system\"");
	g_string_append(xml, "</feature>\n</target>\n");
	return g_string_free(xml, FALSE);
}
