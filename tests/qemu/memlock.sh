# SPDX-License-Identifier: GPL-2.0-only
# A host whose kernel has no MMU_NOTIFIER pins guest memory: a user may have as much of it as
# RLIMIT_MEMLOCK allows, and QEMU names the limit when that is not enough.
. ./lib.sh

echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
chmod 755 "$work"
chmod 666 /dev/armvmm
guest_initrd g <<'SCRIPT'
say end
SCRIPT
chmod 644 "$work/g.initrd"

# starts SOFT HARD: QEMU as a plain user with these limits (in KiB); its output is in $work/said.
starts() {
	: >"$work/said"
	(
		ulimit -S -l "$1" && ulimit -H -l "$2" || exit 1
		exec su nobody -c "exec qemu-system-arm $board $accel -m 128 -kernel $PWD/zImage \
			-initrd $work/g.initrd -append 'console=ttyAMA0 quiet panic=-1' -serial stdio -no-reboot"
	) <"$work/in" >"$work/said" 2>&1 &
	pid=$!
	guests="$guests $pid"
}
mkfifo "$work/in"
sleep 10000 >"$work/in" <>"$work/in" &
guests="$guests $!"

too_little() {
	starts 8192 8192
	wait_for 200 grep -q MEMLOCK "$work/said"
	killall -9 qemu-system-arm
	wait $pid
	cat "$work/said"
	grep -q 'kvm run failed Cannot allocate memory' "$work/said" &&
		[ "$(grep -c 'armvmm: this host.s kernel (MMU_NOTIFIER=n) pins .* RLIMIT_MEMLOCK is 8192 KiB: .*raise it (ulimit -l)' \
			"$work/said")" = 1 ] && ! grep -q '@@ end' "$work/said"
}
check 'a limit below what the guest touches: QEMU names it' too_little
soft() {
	starts 8192 262144
	wait_for 200 grep -q '@@ end' "$work/said"
	wait $pid
	status=$?
	cat "$work/said"
	[ $status = 0 ] && grep -q '@@ end' "$work/said" && ! grep -q MEMLOCK "$work/said"
}
check 'a soft limit that may be raised: the guest comes to its end' soft
qemu_finish
