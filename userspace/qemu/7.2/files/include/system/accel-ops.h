/* SPDX-License-Identifier: GPL-2.0-only */
#include "sysemu/accel-ops.h"
