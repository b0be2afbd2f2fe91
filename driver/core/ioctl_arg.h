/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct that an ioctl passes by address: in from the client, and out to it. 0 or -EFAULT. */
#ifndef ARMVMM_CORE_IOCTL_ARG_H
#define ARMVMM_CORE_IOCTL_ARG_H

#include <linux/errno.h>
#include <linux/uaccess.h>

#define armvmm_arg_in(to, argp)	\
	(copy_from_user((to), (argp), sizeof(*(to))) ? -EFAULT : 0)
#define armvmm_arg_out(argp, from)	\
	(copy_to_user((argp), (from), sizeof(*(from))) ? -EFAULT : 0)

#endif
