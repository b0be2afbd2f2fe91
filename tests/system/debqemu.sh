# SPDX-License-Identifier: GPL-2.0-only
# debqemu.sh: the package qemu-system-arm-armvmm, as a user has it. Run on a Debian 12
# (scripts/guest/next.service), where /mnt is the folder of outside/deb-qemu, which has the packages, the
# module armvmm.ko, which is loaded by hand here, and the file version, which says which QEMU it is; `out`
# gets what came of it.
cd /mnt || exit 1
exec >>out 2>&1
. ./cases.sh

quiet_apt() { apt-get -q -y "$@" </dev/null; }
# All files but those that a machine writes all the time.
files() {
	find / -xdev \( -path /var/cache -o -path /var/log -o -path /var/tmp -o -path /tmp -o -path /mnt \
		-o -path /var/lib/systemd -o -path /var/lib/apt -o -path '/var/lib/dpkg/*-old' \
		-o -path /home \) -prune -o -print | sort
}
accelerators() {
	qemu-system-arm-armvmm --version
	qemu-system-arm-armvmm -accel help | tee /tmp/accel && grep -x armvmm /tmp/accel && grep -x tcg /tmp/accel
}
# The package has QEMU's version, then armvmm's.
versions() {
	is=$(dpkg-query -W -f '${Version}' qemu-system-arm-armvmm)
	armvmm=$(dpkg-query -W -f '${Version}' armvmm)
	upstream=${is%%[!0-9.]*}
	echo "$is"
	case $is in "$(cat /mnt/version)"[.+]*+armvmm"$armvmm") ;; *) return 1 ;; esac
	qemu-system-arm-armvmm --version | grep "^QEMU emulator version $upstream[. ].*armvmm $armvmm"
}
papers() {
	cd /usr/share/doc/qemu-system-arm-armvmm && ls && gzip -dc qemu.md.gz | head -n 1 &&
		grep 'the armvmm developers' copyright && gzip -dc /usr/share/man/man1/qemu-system-arm-armvmm.1.gz |
		grep '^\.Nd QEMU'
}
# start USER ARG...: QEMU as USER; $log has its output.
log=/tmp/guest
start() {
	user=$1
	shift
	: >$log && chmod 666 $log
	su - "$user" -c "exec timeout 600 qemu-system-arm-armvmm -M virt,highmem=off -cpu host -m 128 -smp 2 -display none \
		-nodefaults -no-reboot -serial stdio -kernel /boot/vmlinuz-$(uname -r) -initrd /usr/lib/armvmm/linux.cpio \
		-append 'console=ttyAMA0 quiet panic=-1 report.seconds=100000' $*" </dev/null >$log 2>&1 &
	pid=$!
}
runs() {
	start user -accel armvmm
	i=0
	until grep -F '@@ linux' $log || [ $i -ge 500 ] || ! kill -0 $pid 2>/dev/null; do
		i=$((i + 1))
		sleep 1
	done
	cat $log
	pkill -x qemu-system-arm
	pkill -f qemu-system-arm-armvmm
	wait $pid
	grep -qF '@@ linux' $log
}
refused() {
	start other -accel armvmm
	wait $pid
	status=$?
	cat $log
	[ $status = 1 ] && grep '/dev/armvmm may not be opened: it takes root or the group kvm' $log
}

cp 60-armvmm.rules /etc/udev/rules.d/
mkdir /var/tmp/debs && cp ./*.deb /var/tmp/debs && cd /var/tmp/debs || exit 1
adduser -q --disabled-password --gecos '' user && adduser -q user kvm &&
	adduser -q --disabled-password --gecos '' other || echo 'not ok 1 users are made'
check 'apt installs the packages of armvmm' quiet_apt install ./armvmm_*.deb ./libarmvmm0_*.deb
insmod /mnt/armvmm.ko && udevadm settle
files >/mnt/before
check 'apt installs that of QEMU, with no other' quiet_apt install ./qemu-system-arm-armvmm_*.deb
check '... which has the accelerator, and emulation' accelerators
check '... is of the version that its package shows' versions
check '... its manual and its copyright' papers
check 'a member of kvm runs a guest' runs
check 'another user does not' refused
check 'apt purges it' quiet_apt purge qemu-system-arm-armvmm
files >/mnt/after
check '... and it leaves no file' diff /mnt/before /mnt/after
echo '# end'
sync
poweroff
