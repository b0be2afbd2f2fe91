// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "virtio/nbd_library.h"

#define NBD_LIBRARY	"libnbd.so.0"

#define NBD_NAME(name)	"nbd_" #name,
static const char *const nbd_name[] = { NBD_CALLS(NBD_NAME) };
#define NBD_NR		(sizeof(nbd_name) / sizeof(nbd_name[0]))

_Static_assert(sizeof(struct nbd_library) == NBD_NR * sizeof(void *), "pointers to functions");

int nbd_library_load(struct nbd_library *lib, struct error *err)
{
	void *handle = dlopen(NBD_LIBRARY, RTLD_NOW | RTLD_LOCAL), *at;

	if (!handle)
		return error_set(err, -ENOENT, "needs libnbd (Debian's package libnbd0): %.200s",
				 dlerror());
	for (unsigned int i = 0; i < NBD_NR; i++) {
		at = dlsym(handle, nbd_name[i]);
		if (!at)
			return error_set(err, -ENOSYS, NBD_LIBRARY " is too old: it has no %s()",
					 nbd_name[i]);
		memcpy((char *)lib + i * sizeof(at), &at, sizeof(at));
	}
	return 0;
}
