# SPDX-License-Identifier: GPL-2.0-only
# A kernel started as by FreeBSD's loader, with bhyve's console: a guest tells what it was given.
. ./common.sh
# told TEXT: the guest said a line of just that.
told() {
	tr -d '\r' <"$work/f.out" | grep -qxF -- "$1" || {
		tr -d '\r' <"$work/f.out"
		false
	}
}
guest_start f --kernel freebsd --freebsd=boot_verbose=YES,hint.uart.0.at=x=y \
	--append '-s vfs.root.mountfrom=ufs:/dev/vtbd0' --device bvm-console
check 'the guest reads its records' guest_expect f 60 'end 00000000'
for line in 'signature 00006276' 'r0 00000000' 'r1 00000000' 'r2 00000000' 'name freebsd' \
	'type elf kernel' 'args -s vfs.root.mountfrom=ufs:/dev/vtbd0' 'address c0010000' \
	'howto 00000802' 'env boot_verbose=YES' 'env hint.uart.0.at=x=y' \
	'env vfs.root.mountfrom=ufs:/dev/vtbd0' 'dtb 00000000' tree kernend; do
	check "it has: $line" told "$line"
done
guest_type f HAL
check 'the console takes input' guest_expect f 20 IBM
guest_type f q
guest_end f 20
check 'it powers off: status 0' same "$status" 0

check 'a kernel that is none of FreeBSD is refused' status_of 1 \
	'is no FreeBSD kernel: those are ELF' armvmm-run --kernel monitor --freebsd
check 'so is a RAM disk' status_of 1 'FreeBSD takes no RAM disk' \
	armvmm-run --kernel freebsd --freebsd --initrd monitor
check 'and what is no variable' status_of 2 'is no NAME=VALUE' \
	armvmm-run --kernel freebsd --freebsd=verbose
finish
