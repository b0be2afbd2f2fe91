// SPDX-License-Identifier: GPL-2.0-only
#include "gdb/view.h"
#include "gdb/walk.h"

#define VIEW_PAGE	4096u

static bool view_table(void *opaque, uint64_t gpa, void *buf, unsigned int len)
{
	const struct target *target = opaque;

	return target_read(target, gpa, buf, len);
}

static bool view_walk(const struct target *target, unsigned int cpu, struct walk *walk)
{
	uint64_t sctlr, ttbcr;

	*walk = (struct walk){ .read = view_table, .opaque = (void *)target };
	if (target_reg_get(target, cpu, "sctlr", &sctlr) ||
	    target_reg_get(target, cpu, "ttbcr", &ttbcr) ||
	    target_reg_get(target, cpu, "ttbr0", &walk->ttbr0) ||
	    target_reg_get(target, cpu, "ttbr1", &walk->ttbr1))
		return false;
	walk->sctlr = sctlr;
	walk->ttbcr = ttbcr;
	return true;
}

bool view_address(const struct target *target, unsigned int cpu, uint32_t va, uint64_t *gpa)
{
	struct walk walk;

	return view_walk(target, cpu, &walk) && walk_address(&walk, va, gpa);
}

/* Returns how many of @len bytes at @va are in one page, which is at *@gpa. 0: it is not mapped. */
static uint32_t view_piece(const struct walk *walk, uint32_t va, uint32_t len, uint64_t *gpa)
{
	uint32_t left = VIEW_PAGE - (va & (VIEW_PAGE - 1));

	if (!walk_address(walk, va, gpa))
		return 0;
	return len < left ? len : left;
}

uint32_t view_read(const struct points *points, const struct target *target, unsigned int cpu,
		   uint32_t va, void *buf, uint32_t len)
{
	struct walk walk;
	uint32_t done = 0;

	if (!view_walk(target, cpu, &walk))
		return 0;
	while (done < len) {
		uint64_t gpa;
		uint32_t piece = view_piece(&walk, va + done, len - done, &gpa);
		uint8_t *to = (uint8_t *)buf + done;

		if (!piece)
			break;
		if (target_ram(target, gpa, piece))
			points_read_ram(points, target, gpa, to, piece);
		else if (!target_read(target, gpa, to, piece))
			break;
		done += piece;
	}
	return done;
}

uint32_t view_write(struct points *points, const struct target *target, unsigned int cpu,
		    uint32_t va, const void *buf, uint32_t len)
{
	struct walk walk;
	uint32_t done = 0;

	if (!view_walk(target, cpu, &walk))
		return 0;
	while (done < len) {
		uint64_t gpa;
		uint32_t piece = view_piece(&walk, va + done, len - done, &gpa);

		if (!piece || !target_ram(target, gpa, piece))
			break;
		points_write_ram(points, target, gpa, (const uint8_t *)buf + done, piece);
		done += piece;
	}
	return done;
}
