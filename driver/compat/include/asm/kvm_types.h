/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Some kernels of the 6.12 series let <linux/kvm.h> reach for this header, which an architecture
 * without KVM does not have. Nothing of KVM's own types is wanted here.
 */
