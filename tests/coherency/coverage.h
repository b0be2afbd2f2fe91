/* SPDX-License-Identifier: GPL-2.0-only */
/* Which instructions HYP mode executed, by their distance from the module's code for HYP. */
#ifndef COHERENCY_COVERAGE_H
#define COHERENCY_COVERAGE_H

#include <qemu-plugin.h>
#include <stdint.h>

struct coverage {
	const char *path;	/* NULL: not asked for */
	void *ran;
};

void coverage_insn(struct coverage *c, struct qemu_plugin_insn *insn, uint32_t module);
void coverage_finish(struct coverage *c);

#endif
