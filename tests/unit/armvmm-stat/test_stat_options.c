// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-stat/options.c
// cflags: -Iuserspace/armvmm-stat -D_GNU_SOURCE
// pkgs: glib-2.0
//
// The command line of armvmm-stat: what it sets, and the sentence for what is wrong.
#include <getopt.h>

#include "options.h"
#include "ktap.h"

#define WORDS 8

/* Returns the error's text, "" if there is none; valid until the next call. */
static const char *parse(struct options *o, const char *const *words)
{
	static char text[256];
	char *argv[WORDS + 2] = { "armvmm-stat" };
	GError *err = NULL;
	int argc = 1;

	for (; argc <= WORDS && words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	/* getopt starts over. */
	optind = 0;
	text[0] = '\0';
	if (!options_parse(o, argc, argv, &err)) {
		snprintf(text, sizeof(text), "%s", err->message);
		g_error_free(err);
	} else {
		KTAP_TRUE(!err);
	}
	return text;
}

static void test_none(void)
{
	struct options o;

	KTAP_STREQ(parse(&o, (const char *[]){ NULL }), "");
	KTAP_TRUE(o.interval == 1);
	KTAP_STREQ(o.debugfs, "/sys/kernel/debug");
	KTAP_TRUE(!o.once && !o.log && !o.csv && !o.per_vcpu && !o.skip_zero && !o.host);
	KTAP_TRUE(!o.help && !o.version && !o.log_file && !o.guest && !o.filter);
	KTAP_EQ(o.pid, 0);
	options_free(&o);
}

static void test_short(void)
{
	struct options o;

	KTAP_STREQ(parse(&o, (const char *[]){ "-p42", "-cz1", "-f", "^exit", "-i", ".5", NULL }), "");
	KTAP_EQ(o.pid, 42);
	KTAP_TRUE(o.per_vcpu && o.skip_zero && o.once && !o.log);
	KTAP_STREQ(o.filter, "^exit");
	KTAP_TRUE(o.interval == 0.5);
	options_free(&o);
	KTAP_STREQ(parse(&o, (const char *[]){ "-l", "-g", "web", NULL }), "");
	KTAP_TRUE(o.log && !o.log_file && !o.once && !o.per_vcpu && !o.skip_zero);
	KTAP_STREQ(o.guest, "web");
	options_free(&o);
	KTAP_STREQ(parse(&o, (const char *[]){ "-h", "-nonsense", NULL }), "");
	KTAP_TRUE(o.help && !o.version);
	options_free(&o);
	KTAP_STREQ(parse(&o, (const char *[]){ "-V", NULL }), "");
	KTAP_TRUE(o.version && !o.help);
	options_free(&o);
}

/* The last one of several counts. */
static void test_long(void)
{
	struct options o;

	KTAP_STREQ(parse(&o, (const char *[]){ "--log-to=a", "--csv", "--log-to", "b", "--interval",
					      "3600", "--debugfs", "/d", NULL }), "");
	KTAP_TRUE(o.log && o.csv);
	KTAP_STREQ(o.log_file, "b");
	KTAP_STREQ(o.debugfs, "/d");
	KTAP_TRUE(o.interval == 3600);
	options_free(&o);
	KTAP_STREQ(parse(&o, (const char *[]){ "--guest=a", "--guest=b", "--filter=a", "--filter=b",
					      "--vcpu", "--skip-zero", "--once", NULL }), "");
	KTAP_STREQ(o.guest, "b");
	KTAP_STREQ(o.filter, "b");
	KTAP_TRUE(o.per_vcpu && o.skip_zero && o.once);
	options_free(&o);
	KTAP_STREQ(parse(&o, (const char *[]){ "--host", "--pid", "7", "--pid", "8", NULL }), "");
	KTAP_TRUE(o.host);
	KTAP_EQ(o.pid, 8);
	options_free(&o);
}

static void test_wrong(void)
{
	static const struct {
		const char *words[WORDS], *want;
	} cases[] = {
		{ { "-p", "0" }, "'0' is no process number" },
		{ { "-p", "-1" }, "'-1' is no process number" },
		{ { "-p", "1x" }, "'1x' is no process number" },
		{ { "-p", "" }, "'' is no process number" },
		{ { "-p", "2147483648" }, "'2147483648' is no process number" },
		{ { "-i", "" }, "'': an interval is 0.1 to 3600 seconds" },
		{ { "-i", "1s" }, "'1s': an interval is 0.1 to 3600 seconds" },
		{ { "-i", "0.09" }, "'0.09': an interval is 0.1 to 3600 seconds" },
		{ { "-i", "3600.1" }, "'3600.1': an interval is 0.1 to 3600 seconds" },
		{ { "-i", "-1" }, "'-1': an interval is 0.1 to 3600 seconds" },
		{ { "-i", "nan" }, "'nan': an interval is 0.1 to 3600 seconds" },
		{ { "-i", "inf" }, "'inf': an interval is 0.1 to 3600 seconds" },
		{ { "-1", "--log" }, "--once and --log exclude each other" },
		{ { "-1", "-L", "f" }, "--once and --log exclude each other" },
		{ { "--csv" }, "--csv is for --log and --log-to" },
		{ { "--csv", "-1" }, "--csv is for --log and --log-to" },
		{ { "-p", "1", "-g", "a" }, "--pid and --guest exclude each other" },
		{ { "-g" }, "-g needs a value" },
		{ { "--filter" }, "--filter needs a value" },
		{ { "-1", "--nothing" }, "there is no option --nothing" },
		{ { "--csv=yes", "-l" }, "there is no option --csv=yes" },
		{ { "more" }, "'more' is no option" },
		{ { "-1", "more" }, "'more' is no option" },
	};
	struct options o;

	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		KTAP_STREQ(parse(&o, cases[i].words), cases[i].want);
		options_free(&o);
	}
}

static void test_filter(void)
{
	GError *err = NULL;
	GRegex *regex = options_filter("^irq.*s$", &err);
	struct options o;

	KTAP_ASSERT(regex && !err);
	KTAP_TRUE(g_regex_match(regex, "irq_lines", 0, NULL));
	KTAP_TRUE(!g_regex_match(regex, "virq_lines", 0, NULL));
	g_regex_unref(regex);
	KTAP_TRUE(!options_filter("(", &err));
	KTAP_ASSERT(err);
	KTAP_TRUE(g_str_has_prefix(err->message, "'(' is no regular expression: "));
	g_error_free(err);
	KTAP_TRUE(g_str_has_prefix(parse(&o, (const char *[]){ "-f", "[a", NULL }),
				   "'[a' is no regular expression: "));
	options_free(&o);
}

KTAP_MAIN(KTAP_CASE(test_none), KTAP_CASE(test_short), KTAP_CASE(test_long), KTAP_CASE(test_wrong),
	  KTAP_CASE(test_filter))
