// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/control/splitter.c
// sources: userspace/armvmm-run/control/value.c
// sources: userspace/armvmm-run/control/qmp.c userspace/armvmm-run/control/command.c
// sources: userspace/armvmm-run/control/commands_run.c userspace/armvmm-run/control/commands_query.c
// sources: userspace/armvmm-run/control/commands_block.c userspace/armvmm-run/control/commands_console.c
// sources: userspace/armvmm-run/control/commands_memory.c
// sources: userspace/armvmm-run/control/commands_human.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/control/commands_migrate.c userspace/armvmm-run/control/commands_dump.c
// sources: userspace/armvmm-run/control/commands_device.c userspace/armvmm-run/control/schema.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0 jansson
/*
 * A client's bytes to the control socket, in pieces of any length: each text gets one answer, which
 * is a line of JSON. After a text that was broken off the next begins behind the end of the line.
 */
#include "control/qmp.h"
#include "control/splitter.h"
#include "control/value.h"
#include "fuzz.h"
#include "control/control_fake.h"

static void answered(struct qmp *qmp, const struct splitter *s)
{
	char *line = qmp_answer(qmp, s->text, s->length);
	json_t *node;

	if (!line) {
		/* It is answered once the dump has ended, one way or the other. */
		FUZZ_MUST(qmp_waits(qmp) && !qmp_later(qmp));
		fake_dump_end((struct machine *)qmp->target->m, s->length & 1 ? "full" : NULL);
		line = qmp_later(qmp);
	}
	FUZZ_MUST(line && !qmp_waits(qmp));
	node = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

	FUZZ_MUST(json_is_object(node));
	FUZZ_MUST(g_utf8_validate(line, -1, NULL));
	FUZZ_MUST(g_str_has_suffix(line, "\r\n"));
	for (const char *c = line; c < line + strlen(line) - 2; c++)
		FUZZ_MUST((unsigned char)*c >= ' ');
	json_decref(node);
	g_free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct splitter s;
	static struct machine m;
	struct command_target target = {
		.m = &m, .name = "fuzz", .dump = (struct dump *)&fake_run,
	};
	struct fuzz f = { data, len };
	uint8_t how = fuzz_u8(&f);
	struct qmp qmp = { .target = &target, .negotiated = how & 1 };
	size_t step = 1 + (how >> 1);

	memset(&s, 0, sizeof(s));
	fake_control_init(&m);
	while (f.len) {
		enum splitter_result result;
		size_t n = splitter_feed(&s, (const char *)f.data, step < f.len ? step : f.len,
					 &result);

		FUZZ_MUST(n && n <= f.len && n <= step);
		FUZZ_MUST(s.length <= SPLITTER_MAX_LENGTH && s.depth <= SPLITTER_MAX_DEPTH);
		if (result == SPLITTER_TEXT)
			answered(&qmp, &s);
		f.data += n;
		f.len -= n;
	}
	command_session_end(&qmp.session);
	return 0;
}
