// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/control/qmp.c userspace/armvmm-run/control/command.c
// sources: userspace/armvmm-run/control/value.c
// sources: userspace/armvmm-run/control/commands_run.c userspace/armvmm-run/control/commands_query.c
// sources: userspace/armvmm-run/control/commands_block.c userspace/armvmm-run/control/commands_console.c
// sources: userspace/armvmm-run/control/commands_memory.c
// sources: userspace/armvmm-run/control/commands_human.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/control/commands_migrate.c userspace/armvmm-run/control/commands_dump.c
// sources: userspace/armvmm-run/control/commands_device.c userspace/armvmm-run/control/schema.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0 jansson
// libs: -Wl,--wrap=fstat
//
// QMP as its clients know it: what each message is answered, byte for byte.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/qmp.h"
#include "control/value.h"
#include "core/chardev_private.h"
#include "ktap.h"
#include "control/control_fake.h"

int __wrap_fstat(int fd, struct stat *st);

/* The server of a client's file may never answer (FUSE, NFS), and nobody may wait for it. */
int __wrap_fstat(int fd, struct stat *st)
{
	KTAP_FAIL("fstat() of %d", fd);
	errno = EIO;
	return -1;
}

static struct machine m;
static const struct command_target target = {
	.m = &m, .name = "web", .dump = (struct dump *)&fake_run,
};
static struct qmp qmp;

static void button(void *opaque, bool pressed)
{
}

static void begin(bool negotiated)
{
	value_prepare();
	fake_control_init(&m);
	qmp = (struct qmp){ .target = &target, .negotiated = negotiated };
}

/* The answer to @text, without the end of its line; valid until the next call. */
static const char *ask(const char *text)
{
	static char answer[8192];
	char *line = qmp_answer(&qmp, text, strlen(text));

	KTAP_TRUE(g_str_has_suffix(line, "\r\n"));
	g_strlcpy(answer, g_strchomp(line), sizeof(answer));
	g_free(line);
	return answer;
}

#define ERROR(class, desc) "{\"error\":{\"class\":\"" class "\",\"desc\":\"" desc "\"}}"
#define NOTHING "{\"return\":{}}"

static void test_greeting(void)
{
	char *line = qmp_greeting();

	KTAP_STREQ(line, "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":3,\"minor\":2,\"major\":1},"
		   "\"package\":\"armvmm-run 1.2.3\"},\"capabilities\":[]}}\r\n");
	g_free(line);
}

static void test_negotiation(void)
{
	begin(false);
	KTAP_STREQ(ask("{\"execute\":\"stop\"}"),
		   ERROR("CommandNotFound",
			 "Expecting capabilities negotiation with 'qmp_capabilities'"));
	KTAP_EQ(fake_run.holders, 0);
	KTAP_TRUE(strstr(ask("{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}"),
			 "GenericError"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"qmp_capabilities\",\"arguments\":{\"x\":1}}"),
			 "GenericError"));
	KTAP_TRUE(!qmp.negotiated);
	KTAP_STREQ(ask("{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[]},\"id\":7}"),
		   "{\"return\":{},\"id\":7}");
	KTAP_STREQ(ask("{\"execute\":\"qmp_capabilities\"}"),
		   ERROR("CommandNotFound",
			 "Capabilities negotiation is already complete, command ignored"));
}

static void test_no_message(void)
{
	begin(true);
	KTAP_STREQ(ask("{\"execute\" \"stop\"}"),
		   ERROR("GenericError", "JSON parse error: invalid JSON syntax"));
	KTAP_STREQ(ask("{\"execute\":\"\xc3\x28\"}"),
		   ERROR("GenericError", "JSON parse error: invalid JSON syntax"));
	/* Two members of the same name: it is not for us to choose which one counts. */
	KTAP_STREQ(ask("{\"execute\":\"stop\",\"execute\":\"stop\"}"),
		   ERROR("GenericError", "JSON parse error: invalid JSON syntax"));
	KTAP_STREQ(ask("[]"), ERROR("GenericError", "QMP input must be a JSON object"));
	KTAP_STREQ(ask("{}"), ERROR("GenericError", "QMP input lacks member 'execute'"));
	KTAP_STREQ(ask("{\"execute\":1}"),
		   ERROR("GenericError", "QMP input member 'execute' must be a string"));
	KTAP_STREQ(ask("{\"execute\":\"stop\",\"arguments\":3}"),
		   ERROR("GenericError", "QMP input member 'arguments' must be an object"));
	KTAP_STREQ(ask("{\"execute\":\"stop\",\"more\":3}"),
		   ERROR("GenericError", "QMP input member 'more' is unexpected"));
	KTAP_STREQ(ask("{\"execute\":\"fly\",\"id\":{\"a\":[null]}}"),
		   "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command fly has not been found\"},\"id\":{\"a\":[null]}}");
	KTAP_EQ(fake_run.holders, 0);
}

/* A wrong size, or one that the parser's library reads differently, must not reach a disk. */
static void test_numbers(void)
{
	static const char *const wrong[] = {
		"-18446744073709550592", "18446744073709552640", "9223372036854775808",
		"-9223372036854775809", "010", "00", "-01024", "0x10", "-0x400", "0b1", "+1024",
		"--1024", "- 1024", "-", "1.", ".5", "1.e3", "1e", "1e+", "1e999", "-1e999", "1024k",
		"1_024", "$400", "1024 /* */", "'1024'", "nan", "Infinity", "True", "nullify", "1\"\"",
	};
	static const char *const typed[] = { "1e3", "1024.0", "-1.5E+2", "1e-999", "true", "null" };
	static const char format[] =
		"{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"virtio0\",\"size\":%s}}";
	char text[256];

	begin(true);
	for (unsigned int i = 0; i < G_N_ELEMENTS(wrong); i++) {
		snprintf(text, sizeof(text), format, wrong[i]);
		KTAP_STREQ(ask(text), ERROR("GenericError", "JSON parse error: invalid JSON syntax"));
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(typed); i++) {
		snprintf(text, sizeof(text), format, typed[i]);
		KTAP_STREQ(ask(text), ERROR("GenericError",
					    "Invalid parameter type for 'size', expected: integer"));
	}
	snprintf(text, sizeof(text), format, "-9223372036854775808");
	KTAP_STREQ(ask(text), ERROR("GenericError", "Parameter 'size' expects a >0 size"));
	KTAP_EQ(fake_run.disk_size, 1048576);
	/* Numbers in an id come back as the same numbers, and as JSON. */
	KTAP_STREQ(ask("{\"execute\":\"stop\",\"id\":[-1e22,1.52587890625e-5,1e5,{\"1e+22.0\":\"\\\\\\\"e+1.0\"}]}"),
		   "{\"return\":{},\"id\":[-1e22,1.52587890625e-5,100000.0,{\"1e+22.0\":\"\\\\\\\"e+1.0\"}]}");
	snprintf(text, sizeof(text), format, "9223372036854775296");
	KTAP_STREQ(ask(text), NOTHING);
	KTAP_EQ(fake_run.disk_size, 9223372036854775296);
}

static void test_escapes(void)
{
	static const char *const wrong[] = {
		"\\u0000", "\\u12g4", "\\u12", "\\x41", "\\'", "\\ud800", "\\udc00", "\\ud800\\u0041",
		"\\ud800\\n", "\x01", "\t",
	};
	char text[128];

	begin(true);
	for (unsigned int i = 0; i < G_N_ELEMENTS(wrong); i++) {
		snprintf(text, sizeof(text), "{\"execute\":\"stop\",\"id\":\"%s\"}", wrong[i]);
		KTAP_STREQ(ask(text), ERROR("GenericError", "JSON parse error: invalid JSON syntax"));
	}
	KTAP_EQ(fake_run.holders, 0);
	KTAP_STREQ(ask("{\"execute\":\"stop\",\"id\":\"\\u00e4\\ud83d\\ude00\\/\\\\\\n\"}"),
		   "{\"return\":{},\"id\":\"\xc3\xa4\xf0\x9f\x98\x80/\\\\\\n\"}");
}

static void test_arguments(void)
{
	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"stop\",\"arguments\":{\"now\":true}}"),
		   ERROR("GenericError", "Parameter 'now' is unexpected"));
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"virtio0\"}}"),
		   ERROR("GenericError", "Parameter 'size' is missing"));
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"virtio0\",\"size\":\"1\"}}"),
		   ERROR("GenericError", "Invalid parameter type for 'size', expected: integer"));
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":[],\"size\":1}}"),
		   ERROR("GenericError", "Invalid parameter type for 'device', expected: string"));
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":null,\"size\":1}}"),
		   ERROR("GenericError", "Invalid parameter type for 'device', expected: string"));
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"size\":1}}"),
		   ERROR("GenericError", "Exactly one of 'device' and 'node-name' must be given"));
}

static void test_run(void)
{
	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"query-status\"}"),
		   "{\"return\":{\"running\":true,\"status\":\"running\"}}");
	KTAP_STREQ(ask("{\"execute\":\"stop\"}"), NOTHING);
	KTAP_STREQ(ask("{\"execute\":\"query-status\"}"),
		   "{\"return\":{\"running\":false,\"status\":\"paused\"}}");
	machine_hold(&m, MACHINE_HOLDER_GDB);
	KTAP_STREQ(ask("{\"execute\":\"cont\"}"),
		   ERROR("GenericError", "A debugger holds the guest: it alone lets it go on"));
	KTAP_STREQ(ask("{\"execute\":\"query-status\"}"),
		   "{\"return\":{\"running\":false,\"status\":\"debug\"}}");
	machine_release(&m, MACHINE_HOLDER_GDB);
	KTAP_STREQ(ask("{\"execute\":\"query-status\"}"),
		   "{\"return\":{\"running\":false,\"status\":\"paused\"}}");
	KTAP_STREQ(ask("{\"execute\":\"cont\"}"), NOTHING);
	KTAP_EQ(fake_run.holders, 0);
	KTAP_STREQ(ask("{\"execute\":\"system_powerdown\"}"),
		   ERROR("GenericError", "The machine has no power button (quit ends the guest)"));
	KTAP_EQ(fake_run.presses, 0);
	m.press = button;
	KTAP_STREQ(ask("{\"execute\":\"system_powerdown\"}"), NOTHING);
	KTAP_EQ(fake_run.presses, 1);
	KTAP_STREQ(ask("{\"execute\":\"system_reset\"}"), NOTHING);
	KTAP_EQ(fake_run.request, MACHINE_RESET);
	KTAP_STREQ(ask("{\"execute\":\"quit\"}"), NOTHING);
	KTAP_EQ(fake_run.request, MACHINE_QUIT);
	KTAP_EQ(fake_run.cause, MACHINE_BY_CONTROL);
}

static void test_queries(void)
{
	begin(true);
	m.mem.nr_regions = 1;
	m.mem.region[0].size = 4096;
	KTAP_STREQ(ask("{\"execute\":\"query-name\"}"), "{\"return\":{\"name\":\"web\"}}");
	KTAP_STREQ(ask("{\"execute\":\"query-kvm\"}"),
		   "{\"return\":{\"enabled\":true,\"present\":true}}");
	KTAP_STREQ(ask("{\"execute\":\"query-memory-size-summary\"}"),
		   "{\"return\":{\"base-memory\":4096}}");
	KTAP_STREQ(ask("{\"execute\":\"query-cpus-fast\"}"),
		   "{\"return\":[{\"cpu-index\":0,\"qom-path\":\"/machine/unattached/device[0]\",\"thread-id\":100,\"props\":{\"core-id\":0},\"target\":\"arm\"},"
		   "{\"cpu-index\":1,\"qom-path\":\"/machine/unattached/device[1]\",\"thread-id\":101,\"props\":{\"core-id\":1},\"target\":\"arm\"}]}");
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-commands\"}"), "{\"name\":\"ringbuf-read\"}"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-machines\"}"), "\"name\":\"virt\""));
}

/* Each type that is named is there, and so is each command, and each event that is told. */
static void test_schema(void)
{
	static const char text[] = "{\"execute\":\"query-qmp-schema\"}";
	struct machine_event event = { .status = "x" };
	json_t *answer, *list, *o, *m, *all = json_object();
	const struct command *c = NULL;
	unsigned int commands = 0, events = 0;
	char *line;
	size_t i, j;

	begin(true);
	line = qmp_answer(&qmp, text, sizeof(text) - 1);
	answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(answer, "return");
	json_array_foreach(list, i, o) {
		const char *name = json_string_value(json_object_get(o, "name"));

		KTAP_ASSERT(name);
		KTAP_TRUE(!json_object_get(all, name));
		json_object_set(all, name, o);
	}
	json_array_foreach(list, i, o) {
		static const char *const refs[] = { "arg-type", "ret-type", "element-type" };
		const char *meta = json_string_value(json_object_get(o, "meta-type"));

		commands += !strcmp(meta, "command");
		events += !strcmp(meta, "event");
		for (unsigned int r = 0; r < G_N_ELEMENTS(refs); r++) {
			const char *ref = json_string_value(json_object_get(o, refs[r]));

			KTAP_TRUE(!ref || json_object_get(all, ref));
		}
		json_array_foreach(json_object_get(o, "members"), j, m)
			KTAP_TRUE(json_object_get(all, json_string_value(json_object_get(m, "type"))));
	}
	while ((c = command_next(c))) {
		KTAP_TRUE(json_object_get(all, c->name));
		commands--;
	}
	KTAP_EQ(commands, 1);	/* qmp_capabilities */
	/* What is told has the members that the schema says. */
	for (event.type = 0; event.type < 32; event.type++) {
		char *told = qmp_event(&event);
		json_t *is = told ? json_loads(told, 0, NULL) : NULL, *data, *type, *value;
		const char *name;

		g_free(told);
		if (!is)
			continue;
		events--;
		o = json_object_get(all, json_string_value(json_object_get(is, "event")));
		KTAP_ASSERT(o);
		type = json_object_get(all, json_string_value(json_object_get(o, "arg-type")));
		data = json_object_get(is, "data");
		json_array_foreach(json_object_get(type, "members"), j, m)
			KTAP_TRUE(json_object_get(m, "default") ||
				  json_object_get(data, json_string_value(json_object_get(m, "name"))));
		j = 0;
		json_object_foreach(data, name, value)
			j++;
		KTAP_TRUE(j <= json_array_size(json_object_get(type, "members")));
		json_decref(is);
	}
	KTAP_EQ(events, 0);
	o = json_object_get(all, "dump-guest-memory-arg");
	line = (g_free(line), json_dumps(o, JSON_COMPACT));
	KTAP_TRUE(line && strstr(line, "{\"name\":\"paging\",\"type\":\"bool\"},") &&
		  strstr(line, "{\"name\":\"begin\",\"type\":\"int\",\"default\":null}"));
	g_free(line);
	json_decref(all);
	json_decref(answer);
}

/* There is nothing to plug in while a guest runs, and it is said so. */
static void test_devices(void)
{
	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"virtio-blk-device\",\"drive\":\"d\",\"id\":\"x\"}}"),
		   ERROR("GenericError", "Bus 'virtio-mmio-bus' does not support hotplugging: guests of virtio-mmio find their devices at their start only"));
	KTAP_STREQ(ask("{\"execute\":\"device_add\",\"arguments\":{\"id\":\"x\"}}"),
		   ERROR("GenericError", "Parameter 'driver' is missing"));
	KTAP_STREQ(ask("{\"execute\":\"device_add\",\"arguments\":{\"driver\":1}}"),
		   ERROR("GenericError", "Invalid parameter type for 'driver', expected: string"));
	KTAP_STREQ(ask("{\"execute\":\"device_del\",\"arguments\":{\"id\":\"virtio0\"}}"),
		   ERROR("GenericError", "Device 'virtio0' does not support hotplugging: guests of virtio-mmio find their devices at their start only"));
	KTAP_STREQ(ask("{\"execute\":\"device_del\",\"arguments\":{\"id\":\"x\"}}"),
		   ERROR("DeviceNotFound", "Device 'x' not found"));
	KTAP_STREQ(ask("{\"execute\":\"device_del\",\"arguments\":{\"id\":\"x\",\"y\":1}}"),
		   ERROR("GenericError", "Parameter 'y' is unexpected"));
	KTAP_STREQ(ask("{\"execute\":\"eject\",\"arguments\":{\"device\":\"virtio0\",\"force\":true}}"),
		   ERROR("GenericError", "Device 'virtio0' is not removable"));
	KTAP_STREQ(ask("{\"execute\":\"eject\",\"arguments\":{}}"),
		   ERROR("GenericError", "Exactly one of 'device' and 'id' must be given"));
	KTAP_STREQ(ask("{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"cd\",\"filename\":\"f\"}}"),
		   ERROR("DeviceNotFound", "Device 'cd' not found"));
}

static void test_block(void)
{
	begin(true);
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-block\"}"), "\"virtual-size\":1048576"));
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"virtio0\",\"size\":2097152}}"),
		   NOTHING);
	KTAP_EQ(fake_run.disk_size, 2097152);
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"node-name\":\"virtio0\",\"size\":1024}}"),
		   NOTHING);
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"virtio1\",\"size\":1024}}"),
		   ERROR("GenericError", "Cannot find device='virtio1'"));
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"virtio0\",\"size\":-1}}"),
		   ERROR("GenericError", "Parameter 'size' expects a >0 size"));
	KTAP_STREQ(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"virtio0\",\"size\":1}}"),
		   ERROR("GenericError",
			 "Cannot resize 'virtio0': the size must be a multiple of 512 bytes"));
	KTAP_EQ(fake_run.disk_size, 1024);
}

static void test_console(void)
{
	begin(true);
	memcpy(fake_run.kept, "a\0b\xff" "c", 5);
	fake_run.nr_kept = 5;
	KTAP_STREQ(ask("{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"console\",\"size\":4}}"),
		   "{\"return\":\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"}");
	KTAP_STREQ(ask("{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"console\",\"size\":9223372036854775807,\"format\":\"base64\"}}"),
		   "{\"return\":\"Yw==\"}");
	KTAP_STREQ(ask("{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"x\",\"size\":4}}"),
		   ERROR("GenericError", "Device 'x' not found"));
	KTAP_STREQ(ask("{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"console\",\"size\":0}}"),
		   ERROR("GenericError", "size must be greater than zero"));
	KTAP_STREQ(ask("{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"console\",\"size\":1,\"format\":\"x\"}}"),
		   ERROR("GenericError", "Parameter 'format' does not accept value 'x'"));
}

/* ---- What consoles are joined to ---- */

static uint16_t console_cols, console_rows;

static void console_sized(struct chardev *chr, uint16_t cols, uint16_t rows)
{
	console_cols = cols;
	console_rows = rows;
}

static void test_consoles(void)
{
	static const struct chardev_ops sized = { .resize = console_sized };
	static const struct chardev_ops plain = { .write = NULL };
	struct chardev file = { .ops = &plain, .label = "console0", .name = "file" };
	struct chardev serial = { .ops = &sized, .label = "serial", .name = "pty:/dev/pts/1\xff",
				  .frontend_open = true, .next = &file };

	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"query-chardev\"}"),
		   "{\"return\":[{\"label\":\"console\",\"filename\":\"ringbuf\",\"frontend-open\":true}]}");
	m.chardevs = &serial;
	KTAP_STREQ(ask("{\"execute\":\"query-chardev\"}"),
		   "{\"return\":[{\"label\":\"console\",\"filename\":\"ringbuf\",\"frontend-open\":true},"
		   "{\"label\":\"serial\",\"filename\":\"pty:/dev/pts/1\xef\xbf\xbd\",\"frontend-open\":true},"
		   "{\"label\":\"console0\",\"filename\":\"file\",\"frontend-open\":false}]}");
	KTAP_STREQ(ask("{\"execute\":\"chardev-resize\",\"arguments\":{\"id\":\"serial\",\"cols\":1000,\"rows\":1}}"),
		   "{\"return\":{}}");
	KTAP_EQ(console_cols << 16 | console_rows, 1000 << 16 | 1);
	KTAP_STREQ(ask("{\"execute\":\"chardev-resize\",\"arguments\":{\"id\":\"serial\",\"cols\":65536,\"rows\":1}}"),
		   ERROR("GenericError", "cols and rows must be 0 to 65535"));
	KTAP_STREQ(ask("{\"execute\":\"chardev-resize\",\"arguments\":{\"id\":\"serial\",\"cols\":1,\"rows\":-1}}"),
		   ERROR("GenericError", "cols and rows must be 0 to 65535"));
	KTAP_STREQ(ask("{\"execute\":\"chardev-resize\",\"arguments\":{\"id\":\"console0\",\"cols\":1,\"rows\":1}}"),
		   ERROR("GenericError", "Chardev 'console0' has no size"));
	KTAP_STREQ(ask("{\"execute\":\"chardev-resize\",\"arguments\":{\"id\":\"x\",\"cols\":1,\"rows\":1}}"),
		   ERROR("GenericError", "Chardev 'x' not found"));
	m.chardevs = NULL;
}

static void test_human(void)
{
	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\" info status\"}}"),
		   "{\"return\":\"VM status: running\\r\\n\"}");
	KTAP_STREQ(ask("{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"rm\"}}"),
		   "{\"return\":\"unknown command: 'rm'\\r\\n\"}");
}

/* An answer is JSON in UTF-8, even if a file's or a guest's name has other bytes. */
static void test_bytes(void)
{
	static const struct command_target odd = { .m = &m, .name = "w\xff\x1f\"b\xe2\x82" };
	const char *name = fake_disk.file;
	GString *text = g_string_new(NULL), *want = g_string_new(NULL);

	begin(true);
	qmp.target = &odd;
	KTAP_STREQ(ask("{\"execute\":\"query-name\"}"),
		   "{\"return\":{\"name\":\"w\xef\xbf\xbd\\u001F\\\"b\xef\xbf\xbd\xef\xbf\xbd\"}}");
	fake_disk.file = "\xe4.img";
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-block\"}"), "\"file\":\"\xef\xbf\xbd.img\""));
	fake_disk.file = name;
	memcpy(fake_run.kept, "\x1f\x7f\x01", 3);
	fake_run.nr_kept = 3;
	KTAP_STREQ(ask("{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"console\",\"size\":9}}"),
		   "{\"return\":\"\\u001F\x7f\\u0001\"}");
	/* Text that is cut short is cut between characters. */
	for (unsigned int i = 0; i < 65; i++)
		g_string_append(text, "\xe2\x82\xac");
	g_string_printf(want, "{\"return\":\"unknown command: '%.*s'\\r\\n\"}", 64 * 3, text->str);
	g_string_prepend(text, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"");
	g_string_append(text, "\"}}");
	KTAP_STREQ(ask(text->str), want->str);
	g_string_free(text, TRUE);
	g_string_free(want, TRUE);
}

static void test_events(void)
{
	struct machine_event event = {
		.type = MACHINE_EVENT_SHUTDOWN, .request = MACHINE_POWEROFF,
	};
	char *line = qmp_event(&event);

	KTAP_TRUE(g_str_has_prefix(line, "{\"timestamp\":{\"seconds\":"));
	KTAP_TRUE(g_str_has_suffix(line, "},\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true,\"reason\":\"guest-shutdown\"}}\r\n"));
	g_free(line);
	event = (struct machine_event){ .type = MACHINE_EVENT_RESET, .request = MACHINE_RESET,
					.cause = MACHINE_BY_CONTROL };
	line = qmp_event(&event);
	KTAP_TRUE(strstr(line, "\"data\":{\"guest\":false,\"reason\":\"host-qmp-system-reset\"}"));
	g_free(line);
	event = (struct machine_event){ .type = MACHINE_EVENT_RTC, .seconds = -5000000000 };
	line = qmp_event(&event);
	KTAP_TRUE(strstr(line, "\"RTC_CHANGE\",\"data\":{\"offset\":-5000000000,\"qom-path\":\"/machine/pl031\"}}"));
	g_free(line);
	event = (struct machine_event){ .type = MACHINE_EVENT_PANICKED, .status = "poweroff" };
	line = qmp_event(&event);
	KTAP_TRUE(g_str_has_suffix(line, "\"GUEST_PANICKED\",\"data\":{\"action\":\"poweroff\"}}\r\n"));
	g_free(line);
	event = (struct machine_event){ .type = MACHINE_EVENT_SHUTDOWN, .request = MACHINE_PANIC };
	line = qmp_event(&event);
	KTAP_TRUE(strstr(line, "\"data\":{\"guest\":true,\"reason\":\"guest-panic\"}"));
	g_free(line);
	event.type = MACHINE_EVENT_DEBUG;
	KTAP_TRUE(!qmp_event(&event));
}

static void test_memory(void)
{
	static const char set[] =
		"{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"%s\",\"property\":\"%s\",\"value\":%d}}";
	struct machine_event event = { .type = MACHINE_EVENT_BALLOON, .bytes = 5 << 20 };
	char text[256], *line;

	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"query-balloon\"}"), "{\"return\":{\"actual\":67108864}}");
	KTAP_STREQ(ask("{\"execute\":\"balloon\",\"arguments\":{\"value\":33554432}}"), NOTHING);
	KTAP_EQ(fake_run.asked, 33554432);
	fake_run.sent.phase = SEND_HANDOVER;
	KTAP_TRUE(strstr(ask("{\"execute\":\"balloon\",\"arguments\":{\"value\":16777216}}"),
			 "The guest is being handed over"));
	fake_run.sent.phase = SEND_NONE;
	KTAP_STREQ(ask("{\"execute\":\"balloon\",\"arguments\":{\"value\":0}}"),
		   ERROR("GenericError", "Parameter 'target' expects a size"));
	KTAP_STREQ(ask("{\"execute\":\"balloon\",\"arguments\":{\"value\":-1}}"),
		   ERROR("GenericError", "Parameter 'target' expects a size"));
	KTAP_EQ(fake_run.asked, 33554432);

	KTAP_STREQ(ask("{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"/machine/peripheral/balloon0\",\"property\":\"guest-stats\"}}"),
		   "{\"return\":{\"stats\":{\"stat-free-memory\":4096,\"stat-swap-in\":-1},\"last-update\":1700000000}}");
	snprintf(text, sizeof(text), set, "balloon0", "guest-stats-polling-interval", 7);
	KTAP_STREQ(ask(text), NOTHING);
	KTAP_EQ(fake_run.interval, 7);
	KTAP_STREQ(ask("{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"balloon0\",\"property\":\"guest-stats-polling-interval\"}}"),
		   "{\"return\":7}");
	snprintf(text, sizeof(text), set, "balloon0", "guest-stats-polling-interval", -1);
	KTAP_TRUE(strstr(ask(text), "GenericError"));
	snprintf(text, sizeof(text), set, "balloon0", "guest-stats", 1);
	KTAP_TRUE(strstr(ask(text), "Property 'virtio-balloon-device.guest-stats' not found"));
	snprintf(text, sizeof(text), set, "virtio0", "guest-stats-polling-interval", 1);
	KTAP_STREQ(ask(text), ERROR("DeviceNotFound", "Device 'virtio0' not found"));
	KTAP_EQ(fake_run.interval, 7);

	line = qmp_event(&event);
	KTAP_TRUE(strstr(line, "\"event\":\"BALLOON_CHANGE\",\"data\":{\"actual\":5242880}"));
	g_free(line);

	m.balloon = NULL;
	KTAP_STREQ(ask("{\"execute\":\"query-balloon\"}"),
		   ERROR("DeviceNotActive", "No balloon device has been activated"));
	KTAP_STREQ(ask("{\"execute\":\"balloon\",\"arguments\":{\"value\":33554432}}"),
		   ERROR("DeviceNotActive", "No balloon device has been activated"));
	KTAP_STREQ(ask("{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"balloon0\",\"property\":\"guest-stats\"}}"),
		   ERROR("DeviceNotFound", "Device 'balloon0' not found"));
}

/* ---- Snapshots ---- */

#define FD(command, name) ask("{\"execute\":\"" command "\",\"arguments\":{\"fdname\":\"" name "\"}}")
#define MIGRATE(uri) ask("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"" uri "\"}}")
#define CAPABILITY(name, state)							\
	ask("{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":" \
	    "[{\"capability\":\"" name "\",\"state\":" state "}]}}")
#define BACKGROUND(state) CAPABILITY("background-snapshot", state)
/* Those that QEMU has not. */
#define OURS_OFF "{\"capability\":\"__armvmm_track\",\"state\":false}," \
		 "{\"capability\":\"__armvmm_incremental\",\"state\":false}"

static int a_file(void)
{
	return open("/dev/null", O_WRONLY);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Each file that came is closed once, whatever the client does with it. */
static void test_files(void)
{
	int fd[6];

	begin(true);
	KTAP_STREQ(FD("getfd", "a"),
		   ERROR("GenericError", "No file descriptor supplied via SCM_RIGHTS"));
	for (unsigned int i = 0; i < 6; i++)
		fd[i] = a_file();
	command_session_take(&qmp.session, fd[0]);
	command_session_take(&qmp.session, fd[1]);
	KTAP_TRUE(!is_open(fd[0]));
	KTAP_STREQ(FD("getfd", "1a"),
		   ERROR("GenericError", "Parameter 'fdname' expects a name not starting with a digit"));
	KTAP_STREQ(FD("getfd", ""),
		   ERROR("GenericError", "Parameter 'fdname' expects a name not starting with a digit"));
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_TRUE(is_open(fd[1]));
	KTAP_STREQ(FD("getfd", "a"),
		   ERROR("GenericError", "No file descriptor supplied via SCM_RIGHTS"));
	/* The same name replaces it. */
	command_session_take(&qmp.session, fd[2]);
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_TRUE(!is_open(fd[1]) && is_open(fd[2]));
	KTAP_STREQ(FD("closefd", "b"), ERROR("GenericError", "File descriptor named 'b' not found"));
	KTAP_STREQ(FD("closefd", "a"), NOTHING);
	KTAP_TRUE(!is_open(fd[2]));
	command_session_take(&qmp.session, fd[3]);
	KTAP_STREQ(FD("getfd", "x"), NOTHING);
	command_session_take(&qmp.session, fd[4]);
	for (const char *c = "bcd"; *c; c++) {
		char text[100];

		snprintf(text, sizeof(text), "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"%c\"}}", *c);
		KTAP_STREQ(ask(text), NOTHING);
		command_session_take(&qmp.session, a_file());
	}
	KTAP_STREQ(FD("getfd", "e"), ERROR("GenericError", "A client has at most 4 files here"));
	command_session_end(&qmp.session);
	KTAP_TRUE(!is_open(fd[3]) && !is_open(fd[4]));
	close(fd[0] = fd[5]);
}

static void test_migrate(void)
{
	int fd = a_file();

	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"query-migrate\"}"), NOTHING);
	KTAP_TRUE(strstr(MIGRATE("file:a"), "unknown migration protocol: file:a"));
	KTAP_STREQ(MIGRATE("fd:a"), ERROR("GenericError", "File descriptor named 'a' not found"));
	KTAP_STREQ(MIGRATE("fd:"), ERROR("GenericError", "File descriptor named '' not found"));
	command_session_take(&qmp.session, fd);
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	fake_run.save_refused = "The guest is being reset, or ends";
	KTAP_STREQ(MIGRATE("fd:a"), ERROR("GenericError", "The guest is being reset, or ends"));
	KTAP_TRUE(!is_open(fd));
	fake_run.save_refused = NULL;
	fd = a_file();
	command_session_take(&qmp.session, fd);
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_STREQ(MIGRATE("fd:a"), NOTHING);
	KTAP_EQ(fake_run.save_fd, fd);
	KTAP_TRUE(is_open(fd) && !fake_run.save_flags);
	/* It has left the connection. */
	command_session_end(&qmp.session);
	KTAP_TRUE(is_open(fd));
	close(fd);

	fake_run.saved.total = 1 << 20;
	fake_run.saved.done = 1 << 19;
	fake_run.saved.pages = 28;
	fake_run.saved.written = 5000;
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"), "{\"status\":\"active\""));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"),
			 "\"transferred\":5000,\"remaining\":524288,\"total\":1048576,\"duplicate\":100,\"normal\":28,\"normal-bytes\":114688,"));
	/* What would change the guest has to wait. */
	KTAP_TRUE(strstr(ask("{\"execute\":\"system_reset\"}"), "The guest is being saved"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"system_powerdown\"}"), "The guest is being saved"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"virtio0\",\"size\":512}}"),
			 "The guest is being saved"));
	KTAP_EQ(fake_run.presses, 0);
	KTAP_EQ(fake_run.request, MACHINE_NONE);
	KTAP_EQ(fake_run.disk_size, 1048576);
	machine_hold(&m, MACHINE_HOLDER_SNAPSHOT);
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-status\"}"), "\"status\":\"finish-migrate\""));
	KTAP_STREQ(ask("{\"execute\":\"migrate_cancel\"}"), NOTHING);
	KTAP_EQ(fake_run.cancels, 1);
	fake_run.saved.phase = SAVE_FAILED;
	error_set(&fake_run.saved.why, 0, "the snapshot cannot be written: No space left on device");
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"),
			 "\"error-desc\":\"the snapshot cannot be written: No space left on device\""));
	fake_run.saved.phase = SAVE_COMPLETED;
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"), "\"downtime\":0"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-status\"}"), "\"status\":\"postmigrate\""));
	KTAP_STREQ(ask("{\"execute\":\"cont\"}"), NOTHING);
	KTAP_EQ(fake_run.continues, 1);
}

/* Whether the guest goes on is the connection's to say. */
static void test_background(void)
{
	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"query-migrate-capabilities\"}"),
		   "{\"return\":[{\"capability\":\"background-snapshot\",\"state\":false},{\"capability\":\"auto-converge\",\"state\":false},{\"capability\":\"postcopy-ram\",\"state\":false}," OURS_OFF "]}");
	KTAP_STREQ(BACKGROUND("true"), NOTHING);
	KTAP_STREQ(ask("{\"execute\":\"query-migrate-capabilities\"}"),
		   "{\"return\":[{\"capability\":\"background-snapshot\",\"state\":true},{\"capability\":\"auto-converge\",\"state\":false},{\"capability\":\"postcopy-ram\",\"state\":false}," OURS_OFF "]}");
	KTAP_TRUE(strstr(BACKGROUND("1"), "GenericError"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":[{\"capability\":\"xbzrle\",\"state\":true}]}}"),
			 "Parameter 'capability' does not accept value 'xbzrle'"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":{}}}"),
			 "Invalid parameter type for 'capabilities', expected: array"));
	command_session_take(&qmp.session, a_file());
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_STREQ(MIGRATE("fd:a"), NOTHING);
	KTAP_EQ(fake_run.save_flags, SAVE_GO_ON);
	close(fake_run.save_fd);
	/* Capabilities of our own, which stay until they are turned off. */
	KTAP_STREQ(CAPABILITY("__armvmm_track", "true"), NOTHING);
	command_session_take(&qmp.session, a_file());
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_STREQ(MIGRATE("fd:a"), NOTHING);
	KTAP_EQ(fake_run.save_flags, SAVE_GO_ON | SAVE_TRACK);
	close(fake_run.save_fd);
	KTAP_STREQ(CAPABILITY("__armvmm_track", "false"), NOTHING);
	KTAP_STREQ(CAPABILITY("__armvmm_incremental", "true"), NOTHING);
	command_session_take(&qmp.session, a_file());
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_STREQ(MIGRATE("fd:a"), NOTHING);
	KTAP_EQ(fake_run.save_flags, SAVE_GO_ON | SAVE_ADD);
	KTAP_EQ(fake_run.untracked, 0);
	close(fake_run.save_fd);
	KTAP_TRUE(strstr(ask("{\"execute\":\"__armvmm_untrack\"}"), "in progress"));
	fake_run.saved.phase = SAVE_COMPLETED;
	KTAP_STREQ(ask("{\"execute\":\"__armvmm_untrack\"}"), NOTHING);
	KTAP_EQ(fake_run.untracked, 1);
	command_session_end(&qmp.session);
	KTAP_TRUE(!qmp.session.background);
}

#define FOLLOWS	"The guest runs elsewhere, and its memory follows"

/* A connection is a far end: the guest is sent there, and not saved. */
static void test_send(void)
{
	static const char set[] =
		"{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":[{\"capability\":\"auto-converge\",\"state\":true},{\"capability\":\"%s\",\"state\":true}]}}";
	char text[300];
	int end[2];

	begin(true);
	KTAP_TRUE(strstr(MIGRATE("tcp:host:1"), "a confined armvmm-run connects to nobody"));
	KTAP_TRUE(strstr(MIGRATE("unix:/a"), "a confined armvmm-run connects to nobody"));
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end), 0);
	/* All of a list, or nothing. */
	snprintf(text, sizeof(text), set, "xbzrle");
	KTAP_TRUE(strstr(ask(text), "does not accept value 'xbzrle'"));
	KTAP_TRUE(!qmp.session.converge);
	snprintf(text, sizeof(text), set, "background-snapshot");
	KTAP_STREQ(ask(text), NOTHING);
	/* What does not begin ends no log. */
	fake_run.send_refused = "The guest has not started yet";
	command_session_take(&qmp.session, dup(end[0]));
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_TRUE(strstr(MIGRATE("fd:a"), "The guest has not started yet"));
	KTAP_EQ(fake_run.untracked, 0);
	fake_run.send_refused = NULL;
	command_session_take(&qmp.session, end[0]);
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_STREQ(MIGRATE("fd:a"), NOTHING);
	KTAP_EQ(fake_run.send_fd, end[0]);
	KTAP_EQ(fake_run.save_fd, -1);
	KTAP_EQ(fake_run.untracked, 1);
	KTAP_EQ(fake_run.send_may, SEND_MAY_CONVERGE);
	KTAP_TRUE(strstr(ask("{\"execute\":\"migrate-start-postcopy\"}"), "Enable postcopy"));
	KTAP_EQ(fake_run.switch_may, SEND_MAY_CONVERGE);
	fake_run.sent = (struct send_status){
		.phase = SEND_ACTIVE, .begun = 7, .total = 1 << 20, .left = 8192, .written = 1000,
		.pages = 3, .zeroes = 2, .rounds = 4, .throttle = 20, .expected_ms = 17,
	};
	fake_run.saved = (struct save_status){ .phase = SAVE_COMPLETED, .begun = 6 };
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"), "{\"status\":\"active\""));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"),
			 "\"transferred\":1000,\"remaining\":8192,\"total\":1048576,\"duplicate\":2,\"normal\":3,\"normal-bytes\":12288,"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"), "\"dirty-sync-count\":4"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"),
			 "\"expected-downtime\":17,\"cpu-throttle-percentage\":20"));
	m.press = button;
	/* A guest that still runs here may change, and one that is handed over may not. */
	KTAP_STREQ(ask("{\"execute\":\"system_powerdown\"}"), NOTHING);
	fake_run.sent.phase = SEND_HANDOVER;
	KTAP_TRUE(strstr(ask("{\"execute\":\"system_powerdown\"}"), "The guest is being handed over"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"stop\"}"), "The guest is being handed over"));
	KTAP_TRUE(!machine_is_held(&m));
	machine_hold(&m, MACHINE_HOLDER_CONTROL);
	KTAP_TRUE(strstr(ask("{\"execute\":\"cont\"}"), "The guest is being handed over"));
	KTAP_TRUE(machine_is_held(&m));
	machine_release(&m, MACHINE_HOLDER_CONTROL);
	machine_hold(&m, MACHINE_HOLDER_MIGRATION);
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-status\"}"), "\"status\":\"finish-migrate\""));
	fake_run.sent.phase = SEND_POSTCOPY;
	fake_run.sent.requests = 12;
	fake_run.sent.down_ms = 33;
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"), "{\"status\":\"postcopy-active\""));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"), "\"postcopy-requests\":12,"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"), "\"downtime\":33"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"system_reset\"}"), FOLLOWS));
	KTAP_TRUE(strstr(ask("{\"execute\":\"stop\"}"), FOLLOWS));
	KTAP_TRUE(strstr(ask("{\"execute\":\"cont\"}"), FOLLOWS));
	/* That would end it there as well. */
	KTAP_TRUE(strstr(ask("{\"execute\":\"quit\"}"), FOLLOWS));
	KTAP_EQ(fake_run.request, MACHINE_NONE);
	fake_run.sent.phase = SEND_COMPLETED;
	fake_run.send_stopped = true;
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-migrate\"}"), "\"downtime\":33"));
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-status\"}"), "\"status\":\"postmigrate\""));
	KTAP_TRUE(strstr(ask("{\"execute\":\"system_reset\"}"), "The guest may run elsewhere"));
	KTAP_EQ(fake_run.request, MACHINE_NONE);
	/* It does not go on while somebody has its disks. */
	fake_run.send_lost = "disk.img: in use by another virtual machine";
	KTAP_STREQ(ask("{\"execute\":\"cont\"}"),
		   ERROR("GenericError", "disk.img: in use by another virtual machine"));
	KTAP_TRUE(machine_is_held(&m));
	KTAP_TRUE(!fake_run.anyway);
	/* Nor does a person change that, who insists. */
	KTAP_STREQ(ask("{\"execute\":\"__armvmm_cont_anyway\"}"),
		   ERROR("GenericError", "disk.img: in use by another virtual machine"));
	KTAP_TRUE(machine_is_held(&m) && fake_run.anyway);
	fake_run.saved.begun = 8;
	KTAP_TRUE(!strstr(ask("{\"execute\":\"query-migrate\"}"), "\"normal\":3"));
	machine_release(&m, MACHINE_HOLDER_MIGRATION);
	machine_hold(&m, MACHINE_HOLDER_INCOMING);
	fake_run.send_stopped = false;
	KTAP_TRUE(strstr(ask("{\"execute\":\"query-status\"}"), "\"status\":\"inmigrate\""));
	KTAP_TRUE(strstr(ask("{\"execute\":\"system_powerdown\"}"), "The guest has not come yet"));
	machine_release(&m, MACHINE_HOLDER_INCOMING);
	/* Post-copy is asked for, and begun, by QEMU's names. */
	KTAP_STREQ(CAPABILITY("postcopy-ram", "true"), NOTHING);
	command_session_take(&qmp.session, dup(end[1]));
	KTAP_STREQ(FD("getfd", "a"), NOTHING);
	KTAP_STREQ(MIGRATE("fd:a"), NOTHING);
	KTAP_EQ(fake_run.send_may, SEND_MAY_CONVERGE | SEND_MAY_SWITCH);
	KTAP_STREQ(ask("{\"execute\":\"migrate-start-postcopy\"}"), NOTHING);
	KTAP_TRUE(fake_run.send_switched);
	close(fake_run.send_fd);
	close(end[0]);
	close(end[1]);
}

#define DUMP_OF(args) \
	"{\"execute\":\"dump-guest-memory\",\"arguments\":{\"paging\":false," args "},\"id\":3}"
#define DUMP_TO(args) DUMP_OF("\"protocol\":\"fd:f\"" args)
#define DUMP_WRONG(desc) \
	"{\"error\":{\"class\":\"GenericError\",\"desc\":\"" desc "\"},\"id\":3}"

static void give_file(void)
{
	command_session_take(&qmp.session, open("/dev/null", O_WRONLY));
	KTAP_STREQ(ask("{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"f\"}}"), NOTHING);
}

/* The answer comes when the dump has ended, and says how. */
static void test_dump(void)
{
	char *line;

	begin(true);
	KTAP_STREQ(ask("{\"execute\":\"query-dump\"}"),
		   "{\"return\":{\"status\":\"none\",\"completed\":0,\"total\":0}}");
	KTAP_STREQ(ask("{\"execute\":\"query-dump-guest-memory-capability\"}"),
		   "{\"return\":{\"formats\":[\"elf\"]}}");
	for (unsigned int bad = 0; bad < 2; bad++) {
		give_file();
		KTAP_TRUE(!qmp_waits(&qmp) && !qmp_later(&qmp));
		KTAP_TRUE(!qmp_answer(&qmp, DUMP_TO(""), sizeof(DUMP_TO("")) - 1));
		KTAP_TRUE(qmp_waits(&qmp) && !qmp_later(&qmp));
		KTAP_TRUE(!fake_run.dump_begin && fake_run.dump_size == UINT64_MAX);
		fake_dump_end(&m, bad ? "the disk is full" : NULL);
		line = qmp_later(&qmp);
		KTAP_STREQ(line, bad ? DUMP_WRONG("the disk is full") "\r\n" :
				       "{\"return\":{},\"id\":3}\r\n");
		g_free(line);
		KTAP_TRUE(!qmp_waits(&qmp));
		close(fake_run.dump_fd);
	}
	/* Who does not wait is answered at once, and nobody ends what goes on. */
	give_file();
	KTAP_STREQ(ask(DUMP_TO(",\"detach\":true,\"begin\":4096,\"length\":10,\"format\":\"elf\"")),
		   "{\"return\":{},\"id\":3}");
	KTAP_TRUE(fake_run.dump_begin == 4096 && fake_run.dump_size == 10);
	KTAP_STREQ(ask("{\"execute\":\"query-dump\"}"),
		   "{\"return\":{\"status\":\"active\",\"completed\":7,\"total\":100}}");
	KTAP_STREQ(ask("{\"execute\":\"system_reset\"}"),
		   ERROR("GenericError", "The guest is being dumped, which migrate_cancel ends"));
	/* The guest would not go on, and stays as it is. */
	machine_hold(&m, MACHINE_HOLDER_CONTROL);
	KTAP_STREQ(ask("{\"execute\":\"cont\"}"),
		   ERROR("GenericError", "There is a dump in process, please wait."));
	KTAP_TRUE(machine_is_held_by(&m, MACHINE_HOLDER_CONTROL));
	machine_release(&m, MACHINE_HOLDER_CONTROL);
	give_file();
	KTAP_STREQ(ask("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:f\"}}"),
		   ERROR("GenericError", "Live migration disabled: dump-guest-memory in progress"));
	KTAP_EQ(fake_run.save_fd, -1);
	give_file();
	KTAP_STREQ(ask(DUMP_TO("")), DUMP_WRONG("There is a dump in process, please wait."));
	machine_hold(&m, MACHINE_HOLDER_DUMP);
	KTAP_STREQ(ask("{\"execute\":\"query-status\"}"),
		   "{\"return\":{\"running\":false,\"status\":\"save-vm\"}}");
	machine_release(&m, MACHINE_HOLDER_DUMP);
	close(fake_run.dump_fd);
	command_session_end(&qmp.session);
	KTAP_EQ(fake_run.dump_cancels, 0);
	/* But any client may. */
	KTAP_STREQ(ask("{\"execute\":\"migrate_cancel\"}"), NOTHING);
	KTAP_EQ(fake_run.dump_cancels, 1);
	fake_dump_end(&m, "cancelled");
	KTAP_STREQ(ask("{\"execute\":\"migrate_cancel\"}"), NOTHING);
	KTAP_EQ(fake_run.dump_cancels, 1);
	fake_run.dump_cancels = 0;
	/* A client that waits and goes does. */
	fake_run.dumped.phase = DUMP_NONE;
	give_file();
	KTAP_TRUE(!qmp_answer(&qmp, DUMP_TO(""), sizeof(DUMP_TO("")) - 1));
	command_session_end(&qmp.session);
	KTAP_EQ(fake_run.dump_cancels, 1);
	close(fake_run.dump_fd);
}

static void test_dump_refused(void)
{
	begin(true);
	give_file();
	KTAP_STREQ(ask("{\"execute\":\"dump-guest-memory\",\"arguments\":{\"paging\":true,\"protocol\":\"fd:f\"}}"),
		   ERROR("GenericError", "Parameter 'paging' must be false: memory is dumped at its physical addresses"));
	KTAP_STREQ(ask("{\"execute\":\"dump-guest-memory\",\"arguments\":{\"protocol\":\"fd:f\"}}"),
		   ERROR("GenericError", "Parameter 'paging' is missing"));
	KTAP_STREQ(ask(DUMP_OF("\"detach\":true")), DUMP_WRONG("Parameter 'protocol' is missing"));
	KTAP_STREQ(ask(DUMP_OF("\"protocol\":\"tcp:1\"")), DUMP_WRONG("Invalid parameter 'protocol'"));
	KTAP_TRUE(strstr(ask(DUMP_OF("\"protocol\":\"file:/tmp/x\"")), "opens no file"));
	KTAP_STREQ(ask(DUMP_OF("\"protocol\":\"fd:g\"")),
		   DUMP_WRONG("File descriptor named 'g' not found"));
	KTAP_STREQ(ask(DUMP_TO(",\"begin\":1")), DUMP_WRONG("Parameter 'length' is missing"));
	KTAP_STREQ(ask(DUMP_TO(",\"length\":1")), DUMP_WRONG("Parameter 'begin' is missing"));
	KTAP_STREQ(ask(DUMP_TO(",\"length\":1,\"begin\":-1")),
		   DUMP_WRONG("Parameter 'begin' expects no negative value"));
	KTAP_STREQ(ask(DUMP_TO(",\"begin\":0,\"length\":-9223372036854775808")),
		   DUMP_WRONG("Parameter 'length' expects no negative value"));
	KTAP_STREQ(ask(DUMP_TO(",\"format\":\"kdump-zlib\"")),
		   DUMP_WRONG("Parameter 'format' does not accept value 'kdump-zlib'"));
	fake_run.sent.phase = SEND_ACTIVE;
	KTAP_STREQ(ask(DUMP_TO("")), DUMP_WRONG("There's a migration process in progress"));
	fake_run.sent.phase = SEND_NONE;
	fake_run.saved.phase = SAVE_ACTIVE;
	KTAP_STREQ(ask(DUMP_TO("")), DUMP_WRONG("There's a migration process in progress"));
	KTAP_EQ(fake_run.dump_fd, -1);
	command_session_end(&qmp.session);
}

static void test_parameters(void)
{
#define SET(text) ask("{\"execute\":\"migrate-set-parameters\",\"arguments\":{" text "}}")
	begin(true);
	fake_run.params = (struct send_params){ .downtime_ms = 300, .throttle_initial = 20,
						.throttle_step = 10, .throttle_max = 99 };
	KTAP_STREQ(SET(""), NOTHING);
	KTAP_STREQ(SET("\"max-bandwidth\":1000000,\"downtime-limit\":0"), NOTHING);
	KTAP_STREQ(SET("\"cpu-throttle-initial\":5,\"cpu-throttle-increment\":7,\"max-cpu-throttle\":50"),
		   NOTHING);
	KTAP_STREQ(SET("\"max-bandwidth\":-1"),
		   ERROR("GenericError", "Parameter 'max-bandwidth' expects a value from 0 to 100000000000"));
	/* All, or nothing. */
	KTAP_STREQ(SET("\"max-bandwidth\":5,\"max-cpu-throttle\":100"),
		   ERROR("GenericError", "Parameter 'max-cpu-throttle' expects a value from 1 to 99"));
	KTAP_TRUE(strstr(SET("\"multifd-channels\":2"), "Parameter 'multifd-channels' is unexpected"));
	KTAP_STREQ(ask("{\"execute\":\"query-migrate-parameters\"}"),
		   "{\"return\":{\"max-bandwidth\":1000000,\"downtime-limit\":0,\"cpu-throttle-initial\":5,\"cpu-throttle-increment\":7,\"max-cpu-throttle\":50}}");
}

KTAP_MAIN(KTAP_CASE(test_greeting), KTAP_CASE(test_negotiation), KTAP_CASE(test_no_message),
	  KTAP_CASE(test_numbers), KTAP_CASE(test_escapes),
	  KTAP_CASE(test_arguments), KTAP_CASE(test_run), KTAP_CASE(test_queries),
	  KTAP_CASE(test_schema), KTAP_CASE(test_devices),
	  KTAP_CASE(test_block), KTAP_CASE(test_console), KTAP_CASE(test_consoles),
	  KTAP_CASE(test_human),
	  KTAP_CASE(test_bytes), KTAP_CASE(test_events), KTAP_CASE(test_memory),
	  KTAP_CASE(test_files), KTAP_CASE(test_migrate), KTAP_CASE(test_background),
	  KTAP_CASE(test_send), KTAP_CASE(test_dump),
	  KTAP_CASE(test_dump_refused), KTAP_CASE(test_parameters))
