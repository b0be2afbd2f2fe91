// SPDX-License-Identifier: GPL-2.0-only
/* The client that docs/abi.md shows does what the page says. */
#include "ktap.h"

#include <unistd.h>

static void client(void)
{
	static const char want[] = "42 written at 0x84000000\nthe guest is off\n";
	char got[256] = "";
	FILE *f = popen("./client 2>&1", "r");
	int status;

	MUST(f, "%s", strerror(errno));
	got[fread(got, 1, sizeof(got) - 1, f)] = 0;
	status = pclose(f);
	CHECK(!status, "status %x", (unsigned int)status);
	CHECK(!strcmp(got, want), "it printed: %s", got);
}

/* A client that is refused says so: here it may open only the standard files. */
static void refused(void)
{
	FILE *f = popen("(ulimit -n 3; exec ./client) 2>&1", "r");
	char got[256] = "";
	int status;

	MUST(f, "%s", strerror(errno));
	got[fread(got, 1, sizeof(got) - 1, f)] = 0;
	status = pclose(f);
	CHECK(status == 1 << 8, "status %x", (unsigned int)status);
	CHECK(strstr(got, "armvmm"), "it printed: %s", got);
}

static const struct ktap_case cases[] = {
	{ "client", client, 0 },
	{ "refused", refused, 0 },
};
KTAP_MAIN(cases)
