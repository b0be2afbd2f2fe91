/* SPDX-License-Identifier: GPL-2.0-only */
/* Function ids for bare programs, by the manual (DEN0022D 5.1, DEN0028 2.5). */
#ifndef PSCI_H
#define PSCI_H

/* DEN 0057A 3.1 and 3.2: stolen time, of the 64-bit convention alone (DEN 0028 2.5: bit 30). */
#define PV_TIME_FEATURES	0xc5000020
#define PV_TIME_ST		0xc5000021
#define SMCCC_64		(1u << 30)

#define PSCI_VERSION		0x84000000
#define PSCI_CPU_SUSPEND	0x84000001
#define PSCI_CPU_OFF		0x84000002
#define PSCI_CPU_ON		0x84000003
#define PSCI_AFFINITY_INFO	0x84000004
#define PSCI_MIGRATE		0x84000005
#define PSCI_MIGRATE_INFO_TYPE	0x84000006
#define PSCI_SYSTEM_OFF		0x84000008
#define PSCI_SYSTEM_RESET	0x84000009
#define PSCI_FEATURES		0x8400000a
#define SMCCC_VERSION		0x80000000
#define SMCCC_ARCH_FEATURES	0x80000001
#define SMCCC_WORKAROUND_1	0x80008000

#endif
