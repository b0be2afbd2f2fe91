// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/address.h"

static int address_set_path(struct address *a, const char *label, const char *path,
			    struct error *err)
{
	if (!*path)
		return error_set(err, -EINVAL, "%s: names no file", label);
	if (strlen(path) >= sizeof(a->path))
		return error_set(err, -EINVAL, "%s: the path of a socket has at most %zu bytes", label,
				 sizeof(a->path) - 1);
	strcpy(a->path, path);
	return 0;
}

static bool address_is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return *name && *name != '.' && *name != '-' && strlen(name) <= ADDRESS_NAME_MAX &&
	       !name[strspn(name, allowed)];
}

static int address_set_name(struct address *a, const char *label, const char *name,
			    struct error *err)
{
	const char *folder = geteuid() ? getenv("XDG_RUNTIME_DIR") : "/run";
	char path[512];

	if (!address_is_name(name))
		return error_set(err, -EINVAL, "%s: a name has letters, digits, and . _ - behind the first, %d at most",
				 label, ADDRESS_NAME_MAX);
	if (!folder || *folder != '/')
		return error_set(err, -EINVAL, "%s: XDG_RUNTIME_DIR is not set: give the path of the socket",
				 label);
	snprintf(path, sizeof(path), "%s/armvmm/%s.sock", folder, name);
	a->named = true;
	return address_set_path(a, label, path, err);
}

int address_parse(struct address *a, const char *label, const char *arg, struct error *err)
{
	*a = (struct address){ .named = false };
	if (!strncmp(arg, "unix:", 5))
		return address_set_path(a, label, arg + 5, err);
	if (!strncmp(arg, "name:", 5))
		return address_set_name(a, label, arg + 5, err);
	return error_set(err, -EINVAL, "%s: must be unix:PATH or name:NAME", label);
}

int address_find(struct address *a, const char *arg, struct error *err)
{
	if (!strncmp(arg, "unix:", 5) || !strncmp(arg, "name:", 5))
		return address_parse(a, arg, arg, err);
	*a = (struct address){ .named = false };
	return strchr(arg, '/') ? address_set_path(a, arg, arg, err) :
				  address_set_name(a, arg, arg, err);
}
