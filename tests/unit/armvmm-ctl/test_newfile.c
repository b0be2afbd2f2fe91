// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-ctl/newfile.c
// cflags: -Iuserspace/armvmm-ctl -Iuserspace/armvmm-run -Itests/unit/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0 jansson
// libs: -Wl,--wrap=fsync
//
// A file that replaces another one only when it is complete: what fails, fails before that.
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ktap.h"
#include "newfile.h"
#include "scratch.h"
#include "transfer.h"

static int sync_error;	/* of a folder; 0: none */

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
	struct stat st;

	if (!sync_error || fstat(fd, &st) || !S_ISDIR(st.st_mode))
		return __real_fsync(fd);
	errno = sync_error;
	return -1;
}

bool transfer_fail(GError **err, const char *what, const char *why)
{
	g_set_error(err, g_quark_from_static_string("test"), 0, "%s: %s", what, why);
	return false;
}

static char said[512];

static void hear(const char *text)
{
	g_strlcat(said, text, sizeof(said));
}

static void is(const char *name, const char *what)
{
	char *text = NULL;

	KTAP_TRUE(g_file_get_contents(path(name), &text, NULL, NULL));
	KTAP_STREQ(text ? text : "", what);
	g_free(text);
}

/* Keeps a new file "a" with "new" in it. */
static bool keep(GError **err)
{
	char *file = g_strdup(path("a"));
	struct newfile n;
	long long size = 0;
	bool done;

	write_file("a", "old", 3, 3);
	said[0] = '\0';
	KTAP_TRUE(newfile_open(&n, file, err));
	KTAP_EQ(write(n.fd, "newer", 5), 5);
	is("a", "old");
	done = newfile_keep(&n, &size, err);
	KTAP_EQ(size, 5);
	newfile_close(&n);
	g_free(file);
	return done;
}

static void test_keep(void)
{
	struct newfile n;
	GError *err = NULL;

	KTAP_ASSERT(mkdtemp(scratch_dir));
	g_set_printerr_handler(hear);
	KTAP_TRUE(keep(&err) && !err);
	is("a", "newer");
	KTAP_STREQ(said, "");
	/* One that is not kept leaves nothing. */
	write_file("a", "old", 3, 3);
	KTAP_TRUE(newfile_open(&n, path("a"), &err));
	newfile_close(&n);
	is("a", "old");
	KTAP_TRUE(!unlink(path("a")) && !rmdir(scratch_dir) && !mkdir(scratch_dir, 0700));
}

/* It has replaced the old one: that is no failure, but is said. */
static void test_sync(void)
{
	GError *err = NULL;

	sync_error = EIO;
	KTAP_TRUE(keep(&err) && !err);
	is("a", "newer");
	KTAP_TRUE(strstr(said, "its name may not be on the disk: Input/output error\n"));
	sync_error = EINVAL;
	KTAP_TRUE(keep(&err) && !err);
	KTAP_STREQ(said, "");
	sync_error = 0;
}

/* A folder that cannot be read, which is seen before anything is lost. */
static void test_folder(void)
{
	uid_t user = geteuid();
	struct newfile n;
	GError *err = NULL;

	write_file("a", "old", 3, 3);
	if (!user) {
		KTAP_EQ(chown(scratch_dir, 65534, 65534), 0);
		KTAP_EQ(seteuid(65534), 0);
	}
	KTAP_EQ(chmod(scratch_dir, 0300), 0);
	KTAP_TRUE(!newfile_open(&n, path("a"), &err));
	KTAP_TRUE(err && strstr(err->message, "Permission denied"));
	g_clear_error(&err);
	newfile_close(&n);
	KTAP_EQ(chmod(scratch_dir, 0700), 0);
	KTAP_EQ(seteuid(user), 0);
	is("a", "old");
	KTAP_TRUE(!unlink(path("a")) && !rmdir(scratch_dir));
}

KTAP_MAIN(KTAP_CASE(test_keep), KTAP_CASE(test_sync), KTAP_CASE(test_folder))
