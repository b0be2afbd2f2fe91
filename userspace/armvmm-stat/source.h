/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the counters come from: armvmm's folder in debugfs. */
#ifndef SOURCE_H
#define SOURCE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A virtual machine, by the name of its folder: PID-FD. */
struct source_vm {
	int pid, fd;
	unsigned int nr_vcpus;
	char *name;		/* of the guest, else of the program, else "?" */
	bool is_guest;		/* name was given by -name */
	char *dir;
};

/* Counters of all that was asked for, of one VM's vCPU, or of several VMs together. */
struct source_column {
	char *title;
	GHashTable *values;	/* name to uint64_t * */
};

struct source_sample {
	gint64 time;		/* us, monotonic */
	GPtrArray *columns;	/* struct source_column *, one at least unless per vCPU */
};

/* What is asked for. */
struct source_query {
	int pid;		/* 0: any */
	const char *guest;	/* NULL: any */
	bool per_vcpu;
};

/* Checks that @debugfs has armvmm's folder, and can be read; else says what to do. */
bool source_check(const char *debugfs, GError **err);
/* All virtual machines, struct source_vm *, by pid and fd. NULL with @err. */
GPtrArray *source_vms(const char *debugfs, GError **err);
/* NULL with @err: G_FILE_ERROR_NOENT if nothing matches the query. */
struct source_sample *source_read(const char *debugfs, const struct source_query *query,
				  GError **err);
void source_sample_free(struct source_sample *sample);
uint64_t source_value(const struct source_column *column, const char *name);

#endif
