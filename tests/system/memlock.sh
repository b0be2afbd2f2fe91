# SPDX-License-Identifier: GPL-2.0-only
# A host whose kernel has no MMU_NOTIFIER pins guest memory: a user may have as much of it as
# RLIMIT_MEMLOCK allows. armvmm-run raises the limit as far as its caller may, and names it where that
# is not enough.
. ./common.sh
cd "$dir" || exit 1

echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
chmod 755 "$work"
chmod 666 /dev/armvmm
guest_initrd g <<'SCRIPT'
say end
SCRIPT
chmod 644 "$work/g.initrd"
mkfifo "$work/in"
sleep 10000 >"$work/in" <>"$work/in" &
guests="$guests $!"

# starts USER SOFT HARD: armvmm-run as USER with these limits (in KiB); its output is in $work/said.
starts() {
	: >"$work/said"
	(
		ulimit -S -l "$2" && ulimit -H -l "$3" || exit 1
		exec su "$1" -c "exec armvmm-run --kernel $PWD/zImage --initrd $work/g.initrd --memory 128M \
			--no-reboot --append 'console=ttyAMA0 quiet panic=-1'"
	) <"$work/in" >"$work/said" 2>&1 &
	pid=$!
	guests="$guests $pid"
	wait_end 200 $pid || kill -9 $pid
	wait $pid
	status=$?
	cat "$work/said"
	echo "status $status"
}

named() { grep -c "armvmm-run: vCPU 0: cannot run: this host pins guest memory, and RLIMIT_MEMLOCK ($1 KiB) allows no more of it: raise it (ulimit -l) beyond the memory of all guests of this user" "$work/said"; }

too_little() {
	starts nobody 8192 8192
	[ $status = 3 ] && [ "$(named 8192)" = 1 ] && ! grep -q '@@ end' "$work/said"
}
check 'a limit below what the guest touches: armvmm-run names it' too_little
# The thread of the first vCPU, of this process.
logged() {
	dmesg | grep 'armvmm: .*RLIMIT_MEMLOCK'
	[ "$(dmesg | grep -c "armvmm: vcpu0\[$pid\]: RLIMIT_MEMLOCK (8192 KiB) allows no more guest memory, which this kernel (MMU_NOTIFIER=n) has pinned")" = 1 ]
}
check '... and the log names it, and the process' logged
soft() {
	starts nobody 8192 262144
	[ $status = 0 ] && grep -q '@@ end' "$work/said" && ! grep -q MEMLOCK "$work/said"
}
check 'a soft limit that may be raised: the guest comes to its end' soft
root() {
	starts root 8192 8192
	[ $status = 0 ] && grep -q '@@ end' "$work/said" && ! grep -q MEMLOCK "$work/said"
}
check 'root raises a hard one, too' root
finish
