// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/overcommit.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -Itests/unit/armvmm-run -D_GNU_SOURCE
//
// What a person is told where the host gives no memory, and what the host charges.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/guestmem.h"
#include "core/overcommit.h"
#include "ktap.h"
#include "scratch.h"

#define MIB	(1ull << 20)

static bool strict_with(const char *text)
{
	int fd = open(path("mode"), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	bool is;

	KTAP_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	is = overcommit_is_strict(path("mode"));
	unlink(path("mode"));
	return is;
}

static void test_mode(void)
{
	KTAP_TRUE(mkdtemp(strcpy(scratch_dir, "/tmp/armvmm-test.XXXXXX")));
	KTAP_TRUE(strict_with("2\n"));
	KTAP_TRUE(!strict_with("0\n"));
	KTAP_TRUE(!strict_with("1\n"));
	KTAP_TRUE(!strict_with(""));
	KTAP_TRUE(!overcommit_is_strict(path("none")));
	/* The host's own is there, whatever it says. */
	KTAP_EQ(access(OVERCOMMIT_FILE, R_OK), 0);
	rmdir(scratch_dir);
}

static void test_words(void)
{
	struct error err;

	KTAP_EQ(overcommit_explain(3000 * MIB, 2900 * MIB, true, &err), -ENOMEM);
	KTAP_STREQ(err.text, "--memory: 3000 MiB: this host has room for 2900 in a program's address space");
	KTAP_EQ(overcommit_explain(512 * MIB, 2900 * MIB, true, &err), -ENOMEM);
	KTAP_TRUE(strstr(err.text, "--memory: 512 MiB: vm.overcommit_memory is 2 on this host"));
	KTAP_TRUE(strstr(err.text, "raise vm.overcommit_ratio"));
	KTAP_EQ(overcommit_explain(512 * MIB, 512 * MIB, false, &err), -ENOMEM);
	KTAP_TRUE(strstr(err.text, "--memory: 512 MiB: a limit of this process"));
	KTAP_TRUE(strlen(err.text) < sizeof(err.text) - 1);
}

/* A strict host refuses memory, and a file of memory by what is in its place first. */
static bool fails;

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (fails && prot & PROT_WRITE && flags & MAP_PRIVATE) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return mmap64(at, len, prot, flags, fd, offset);
}

static void test_charged_at_start(void)
{
	struct guestmem mem = { .nr_regions = 0 };

	for (unsigned int shared = 0; shared < 2; shared++) {
		mem.shared = shared;
		fails = true;
		KTAP_EQ(guestmem_alloc(&mem, 0, 8 * MIB), -ENOMEM);
		fails = false;
		KTAP_EQ(guestmem_alloc(&mem, 0, 8 * MIB), 0);
		guestmem_destroy(&mem);
	}
}

KTAP_MAIN(KTAP_CASE(test_mode), KTAP_CASE(test_words), KTAP_CASE(test_charged_at_start))
