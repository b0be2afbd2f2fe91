# SPDX-License-Identifier: GPL-2.0-only
# The sandbox of a user who is not root, but may open the node: namespaces are those of a user
# namespace then. sandbox.sh has the rest.
. ./common.sh
. ./confined.sh
cp monitor "$work/monitor"
truncate -s 1M "$work/disk"
mkdir "$work/bin"
cat >"$work/bin/armvmm-run" <<-'TEXT'
	#!/bin/sh
	exec start-stop-daemon -S -q -c nobody -x /usr/bin/armvmm-run -- "$@"
TEXT
chmod 755 "$work" "$work/bin/armvmm-run"
chmod 666 /dev/armvmm "$work/disk"
PATH=$work/bin:$PATH

# confined PID...: each thread of these processes has given up what a user can.
confined() {
	for _p in "$@"; do
		for _t in "/proc/$_p/task"/*; do
			while read -r _field _want; do
				_is=$(field "$_t" "$_field" | tr '\t' ' ')
				[ "$_is" = "$_want" ] && continue
				echo "$(cat "$_t/comm"): $_field is '$_is', and not '$_want'"
				return 1
			done <<-TEXT
				Uid 65534 65534 65534 65534
				NoNewPrivs 1
				Seccomp 2
				CapInh 0000000000000000
				CapPrm 0000000000000000
				CapEff 0000000000000000
				CapAmb 0000000000000000
			TEXT
		done
	done
	[ $# -gt 0 ]
}

# holds PID FILES: its root has these, and nothing else.
holds() { same "x$(ls -A "/proc/$1/root/")" "x$2"; }

# What this kernel lacks is reported, and nothing else.
missing() {
	cat "$work/card.err"
	mount -t securityfs none /sys/kernel/security 2>/dev/null
	if grep -qs landlock /sys/kernel/security/lsm; then
		! grep sandbox "$work/card.err"
	else
		grep -q 'goes on without what this host does not give: Landlock: ' "$work/card.err" &&
			! grep sandbox "$work/card.err" | grep -v ': Landlock: '
	fi
}

guest_start card --kernel "$work/monitor" --disk "$work/disk" --cpus 2 --net user
check 'a guest starts' guest_expect card 60 ready
check 'its network has a process of its own' child "$pid"
check 'all threads have given up what they can' confined "$pid" "$net"
for ns in user mnt net ipc uts; do
	check "its $ns namespace is its own" apart "$pid" $ns
done
check 'its root is empty' holds "$pid" ''
for ns in user mnt pid ipc uts; do
	check "its network: its $ns namespace is its own" apart "$net" $ns
done
check 'its network has the host'"'"'s' same "$(readlink "/proc/$net/ns/net")" \
	"$(readlink /proc/self/ns/net)"
check 'its network sees no other process' same "$(field "/proc/$net" NSpid | awk '{ print $NF }')" 1
check 'its network: /etc is in its root, and nothing else' holds "$net" etc
check 'in its namespace it is the user that it was' same \
	"$(awk '{ print $1, $2, $3 }' "/proc/$pid/uid_map") $(awk '{ print $1, $2, $3 }' "/proc/$net/uid_map")" \
	'65534 65534 1 65534 65534 1'
check 'it cannot change its groups' same "$(cat "/proc/$pid/setgroups")" deny
check 'what is missing on this host is told' missing
guest_type card r
check 'it reboots and says ready again' wait_for 60 sh -c \
	"[ \$(grep -c ready '$work/card.out') -ge 2 ]"
check 'after a reset its threads are as before' confined "$pid" "$net"
guest_type card p
guest_end card 60
check 'it powers off' same $status 0
check 'its network'"'"'s process ends with it' wait_for 20 sh -c "! [ -e /proc/$net ]"

# How many guests this user may have: one is enough for a reset, which makes its VM anew.
limit=/sys/module/armvmm/parameters/max_vms_per_user
echo 1 >$limit
guest_start only --kernel "$work/monitor"
check 'where a user may have one guest, it starts' guest_expect only 60 ready
# As start-stop-daemon starts no program twice, the second one is a copy.
cp /usr/bin/armvmm-run "$work/armvmm-run"
refused() {
	start-stop-daemon -S -q -c nobody -x "$work/armvmm-run" -- --kernel "$work/monitor" \
		</dev/null >"$work/second" 2>&1 && return 1
	same "$(cat "$work/second")" 'armvmm-run: /dev/armvmm: this user has as many guests as the host allows (max_vms_per_user of the module)'
}
check 'a second one is refused, in plain words' refused
guest_type only r
check 'the first one reboots' wait_for 60 sh -c "[ \$(grep -c ready '$work/only.out') -ge 2 ]"
guest_type only p
guest_end only 60
check 'and powers off' same $status 0
finish
