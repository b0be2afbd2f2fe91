// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "source.h"

#define SOURCE_DEBUGFS_MAGIC	0x64626720

static char *source_folder(const char *debugfs)
{
	return g_build_filename(debugfs, "armvmm", NULL);
}

/* A kernel without DEBUG_FS cannot mount it. What cannot be read does not say so. */
static bool source_kernel_lacks_debugfs(void)
{
	bool lacks = false;
	char *list;

	if (g_file_get_contents("/proc/filesystems", &list, NULL, NULL)) {
		lacks = !strstr(list, "\tdebugfs\n");
		g_free(list);
	}
	return lacks;
}

bool source_check(const char *debugfs, GError **err)
{
	char *folder = source_folder(debugfs);
	struct statfs fs;
	DIR *dir = opendir(folder);
	int error = errno;

	if (dir)
		closedir(dir);
	else if (error == EACCES || error == EPERM)
		g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_ACCES,
			    "%s: permission denied; debugfs is for root: run armvmm-stat by sudo",
			    folder);
	else if (source_kernel_lacks_debugfs())
		g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_NOENT,
			    "the kernel has no debugfs, which armvmm-stat reads: build it with CONFIG_DEBUG_FS=y");
	else if (statfs(debugfs, &fs) || fs.f_type != SOURCE_DEBUGFS_MAGIC)
		g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_NOENT,
			    "debugfs is not mounted at %s: mount -t debugfs debugfs %s", debugfs,
			    debugfs);
	else if (access("/sys/module/armvmm", F_OK))
		g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_NOENT,
			    "the armvmm module is not loaded: modprobe armvmm");
	else
		g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: %s", folder,
			    g_strerror(error));
	g_free(folder);
	return dir != NULL;
}

/* --- virtual machines --- */

static void source_vm_free(void *data)
{
	struct source_vm *vm = data;

	g_free(vm->name);
	g_free(vm->dir);
	g_free(vm);
}

/* "PID-FD" and nothing else. */
static bool source_parse_dir(const char *name, int *pid, int *fd)
{
	char **part = g_strsplit(name, "-", 2);
	guint64 p, f;
	bool ok;

	ok = part[0] && part[1] &&
	     g_ascii_string_to_unsigned(part[0], 10, 1, INT_MAX, &p, NULL) &&
	     g_ascii_string_to_unsigned(part[1], 10, 0, INT_MAX, &f, NULL);
	if (ok) {
		*pid = (int)p;
		*fd = (int)f;
	}
	g_strfreev(part);
	return ok;
}

static unsigned int source_count_vcpus(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;
	unsigned int n = 0;

	if (!d)
		return 0;
	while ((name = g_dir_read_name(d)))
		n += g_str_has_prefix(name, "vcpu");
	g_dir_close(d);
	return n;
}

/* The value of -name on a command line: "NAME", "guest=NAME,..." or "NAME,...". */
static char *source_guest_name(char **args)
{
	const char *value = NULL;
	char *comma, *name;

	for (; *args && !value; args++) {
		if ((!strcmp(*args, "-name") || !strcmp(*args, "--name")) && args[1])
			value = args[1];
		else if (g_str_has_prefix(*args, "--name="))
			value = *args + strlen("--name=");
	}
	if (!value)
		return NULL;
	if (g_str_has_prefix(value, "guest="))
		value += strlen("guest=");
	name = g_strdup(value);
	comma = strchr(name, ',');
	if (comma)
		*comma = '\0';
	return name;
}

/* Replaces what a terminal could take for more than text. */
static void source_make_plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void source_vm_name(struct source_vm *vm)
{
	char *path = g_strdup_printf("/proc/%d/cmdline", vm->pid), *text;
	GPtrArray *args = g_ptr_array_new();
	gsize len, i;

	if (g_file_get_contents(path, &text, &len, NULL)) {
		for (i = 0; i < len; i += strlen(text + i) + 1)
			g_ptr_array_add(args, text + i);
		g_ptr_array_add(args, NULL);
		vm->name = source_guest_name((char **)args->pdata);
		vm->is_guest = vm->name != NULL;
		if (!vm->name && len)
			vm->name = g_path_get_basename(text);
		g_free(text);
	}
	if (!vm->name)
		vm->name = g_strdup("?");
	source_make_plain(vm->name);
	g_ptr_array_free(args, TRUE);
	g_free(path);
}

static int source_vm_compare(const void *a, const void *b)
{
	const struct source_vm *x = *(struct source_vm *const *)a;
	const struct source_vm *y = *(struct source_vm *const *)b;

	return x->pid != y->pid ? (x->pid > y->pid) - (x->pid < y->pid) :
				  (x->fd > y->fd) - (x->fd < y->fd);
}

GPtrArray *source_vms(const char *debugfs, GError **err)
{
	GPtrArray *vms = g_ptr_array_new_with_free_func(source_vm_free);
	char *folder = source_folder(debugfs);
	const char *name;
	GDir *dir;
	int pid, fd;

	dir = g_dir_open(folder, 0, err);
	if (!dir) {
		g_ptr_array_free(vms, TRUE);
		g_free(folder);
		return NULL;
	}
	while ((name = g_dir_read_name(dir))) {
		struct source_vm *vm;

		if (!source_parse_dir(name, &pid, &fd))
			continue;
		vm = g_new0(struct source_vm, 1);
		vm->pid = pid;
		vm->fd = fd;
		vm->dir = g_build_filename(folder, name, NULL);
		vm->nr_vcpus = source_count_vcpus(vm->dir);
		source_vm_name(vm);
		g_ptr_array_add(vms, vm);
	}
	g_dir_close(dir);
	g_free(folder);
	g_ptr_array_sort(vms, source_vm_compare);
	return vms;
}

/* --- counters --- */

static struct source_column *source_column_new(const char *title)
{
	struct source_column *c = g_new0(struct source_column, 1);

	c->title = g_strdup(title);
	c->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return c;
}

static void source_column_free(void *data)
{
	struct source_column *c = data;

	g_free(c->title);
	g_hash_table_destroy(c->values);
	g_free(c);
}

uint64_t source_value(const struct source_column *column, const char *name)
{
	uint64_t *v = g_hash_table_lookup(column->values, name);

	return v ? *v : 0;
}

static void source_add(struct source_column *column, const char *name, uint64_t value)
{
	uint64_t *v = g_hash_table_lookup(column->values, name);

	if (!v) {
		v = g_new0(uint64_t, 1);
		g_hash_table_insert(column->values, g_strdup(name), v);
	}
	*v += value;
}

/* Reads a folder with a file for each counter. Skips files that vanish meanwhile. */
static void source_add_folder(struct source_column *column, const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	if (!dir)
		return;
	while ((name = g_dir_read_name(dir))) {
		char *file = g_build_filename(path, name, NULL), *text;

		/* A VM's folder, and a vCPU's, cannot be read as files. */
		if (!strchr(name, '-') && !g_str_has_prefix(name, "vcpu") &&
		    g_file_get_contents(file, &text, NULL, NULL)) {
			guint64 value;

			if (g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT64,
						       &value, NULL))
				source_add(column, name, value);
			g_free(text);
		}
		g_free(file);
	}
	g_dir_close(dir);
}

/* Reads a vCPU's file of "name value" lines. Returns false if there is none. */
static bool source_add_file(struct source_column *column, const char *path)
{
	char *text, **lines, *blank;
	guint64 value;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l; l++) {
		blank = strchr(*l, ' ');
		if (!blank)
			continue;
		*blank = '\0';
		if (g_ascii_string_to_unsigned(blank + 1, 10, 0, G_MAXUINT64, &value, NULL))
			source_add(column, *l, value);
	}
	g_strfreev(lines);
	g_free(text);
	return true;
}

static void source_add_vcpus(struct source_sample *sample, const struct source_vm *vm,
			     bool name_vm)
{
	/* IDs need not be in a row, nor begin with 0. */
	for (unsigned int id = 0, seen = 0; id < 256 && seen < vm->nr_vcpus; id++) {
		char *path = g_strdup_printf("%s/vcpu%u/stats", vm->dir, id);
		char *title = name_vm ? g_strdup_printf("%d-%d/%u", vm->pid, vm->fd, id) :
					g_strdup_printf("vcpu%u", id);
		struct source_column *c = source_column_new(title);

		if (source_add_file(c, path)) {
			g_ptr_array_add(sample->columns, c);
			seen++;
		} else {
			source_column_free(c);
		}
		g_free(title);
		g_free(path);
	}
}

static bool source_wanted(const struct source_vm *vm, const struct source_query *query)
{
	if (query->pid && vm->pid != query->pid)
		return false;
	return !query->guest || (vm->is_guest && !strcmp(vm->name, query->guest));
}

/* Keeps only the chosen VMs in the list, which owns them. */
static bool source_choose(GPtrArray *vms, const struct source_query *query, GError **err)
{
	for (guint i = vms->len; i--;)
		if (!source_wanted(g_ptr_array_index(vms, i), query))
			g_ptr_array_remove_index(vms, i);
	if (vms->len || (!query->pid && !query->guest))
		return true;
	if (query->guest)
		g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_NOENT,
			    "no virtual machine was started with -name %s", query->guest);
	else
		g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_NOENT,
			    "process %d has no virtual machine", query->pid);
	return false;
}

struct source_sample *source_read(const char *debugfs, const struct source_query *query,
				  GError **err)
{
	struct source_sample *sample;
	struct source_column *sum;
	GPtrArray *vms;
	char *folder;

	if (!source_check(debugfs, err))
		return NULL;
	vms = source_vms(debugfs, err);
	if (!vms)
		return NULL;
	if (!source_choose(vms, query, err)) {
		g_ptr_array_free(vms, TRUE);
		return NULL;
	}

	sample = g_new0(struct source_sample, 1);
	sample->time = g_get_monotonic_time();
	sample->columns = g_ptr_array_new_with_free_func(source_column_free);
	if (query->per_vcpu) {
		for (guint i = 0; i < vms->len; i++)
			source_add_vcpus(sample, g_ptr_array_index(vms, i), vms->len > 1);
	} else {
		sum = source_column_new("");
		g_ptr_array_add(sample->columns, sum);
		if (query->pid || query->guest) {
			for (guint i = 0; i < vms->len; i++) {
				struct source_vm *vm = g_ptr_array_index(vms, i);

				source_add_folder(sum, vm->dir);
			}
		} else {
			folder = source_folder(debugfs);
			source_add_folder(sum, folder);
			g_free(folder);
		}
	}
	g_ptr_array_free(vms, TRUE);
	return sample;
}

void source_sample_free(struct source_sample *sample)
{
	if (!sample)
		return;
	g_ptr_array_free(sample->columns, TRUE);
	g_free(sample);
}
