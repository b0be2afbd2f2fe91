/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_RCUPDATE_H
#define FAKE_LINUX_RCUPDATE_H

#include "../fake_kernel.h"

#define rcu_dereference_raw(p)	({ fake_point(FAKE_RCU_STEP); READ_ONCE(p); })

#endif
