# SPDX-License-Identifier: GPL-2.0-only
# The memory balloon, with Linux in the guest: free pages go back to the host by themselves, others
# when they are asked for; the guest gets them back, also when it needs them more than the host.
. ./common.sh
sock=$work/sock begin=$(date +%s)
ctl() { armvmm-ctl "$sock" "$@"; }
# The guest's memory on the host, kB. It is the one mapping of its size. Where the host pins it, pages
# that have left the mapping may still be there.
resident() {
	awk '/^VmPin:/ { pinned = $2 + 0 }
		/^[0-9a-f]+-[0-9a-f]+ / { ram = 0 }
		/^Size:/ { ram = $2 == 327680 }
		/^Rss:/ { if (ram) n += $2 }
		END { n += 0; if (n < pinned) n = pinned; print n }' "/proc/$pid/status" "/proc/$pid/smaps"
}
resident_below() {
	now=$(resident)
	echo "resident: $now kB"
	[ "$now" -lt "$1" ]
}
actual() { ctl memory | sed -n 's/^actual\t//p'; }
# told NAME: what the guest told of its memory.
told() { ctl memory | sed -n "s/^$1\t//p"; }

guest_initrd g <<'SCRIPT'
fill() {
	dd if=/dev/urandom of=/tmp/f bs=1M count=8 2>/dev/null
	dd if=/dev/zero bs=1M count=$(($1 - 8)) >>/tmp/f 2>/dev/null && sum </tmp/f >/tmp/s
}
reads_back() { [ "$(sum </tmp/f)" = "$(cat /tmp/s)" ]; }
fill 128
say filled
read -r _
rm /tmp/f
say freed
read -r _
fill 32
holds 'it works with a full balloon' reads_back
say worked
read -r _
fill 128
holds 'it has its memory again' reads_back
rm /tmp/f
say again
read -r _
fill 96
holds 'what it needs more than the host it takes out of the balloon' reads_back
say end
read -r _
SCRIPT
linux_start g --memory 320M --control "unix:$sock" --device virtio-balloon,stats=1
# Linux reports none of the last 32 blocks of 4 MiB.
check 'a guest fills much of its memory' guest_expect g 120 '@@ filled'
filled() {
	echo "resident: $(resident) kB"
	[ "$(resident)" -ge 131072 ]
}
check 'its host has it in RAM' filled
guest_type g '\n'
check 'the guest frees it' guest_expect g 60 '@@ freed'
check 'its free pages go back by themselves' wait_for 60 resident_below 98304
sed -n '$s/^/# /p' "$work/check"

events_of() { ctl events >"$work/events" & guests="$guests $!"; }
events_of
check 'it has all its memory' same "$(actual)" 335544320
check 'it is asked for less' ctl balloon 128M
less() { [ "$(actual)" = 134217728 ]; }
check 'it gives the rest' wait_for 120 less
check 'the host has it' wait_for 60 resident_below 133120
check 'an event tells of it' wait_text 60 "$work/events" '"BALLOON_CHANGE","data":{"actual":134217728}'
check 'info balloon' sh -c "armvmm-ctl $sock qmp '{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info balloon\"}}' |
	grep -F 'balloon: actual=128'"
# What is free is little: the rest is in the balloon.
little() { [ "$(told free-memory)" -lt 134217728 ]; }
check 'the guest tells that less is free' wait_for 60 little
tells() {
	ctl memory
	[ "$(told total-memory)" -gt 60000000 ] && [ "$(told total-memory)" -lt 335544320 ] &&
		[ "$(told minor-faults)" -gt 0 ] && [ "$(told told)" -ge "$begin" ] &&
		[ "$(told told)" -le "$(date +%s)" ]
}
check 'and how much it has' tells
guest_type g '\n'
check 'it goes on working' guest_expect g 120 '@@ worked'

check 'it gets all back' ctl balloon 320M
all() { [ "$(actual)" = 335544320 ]; }
check 'and takes it' wait_for 120 all
guest_type g '\n'
check 'it uses it' guest_expect g 120 '@@ again'

check 'it is asked for more than it can give' ctl balloon 48M
most() { [ "$(actual)" -lt 100663296 ]; }
check 'it gives most of it' wait_for 120 most
before=$(actual)
guest_type g '\n'
check 'it needs the memory' guest_expect g 240 '@@ end'
taken() {
	echo "bytes: $before before, $(actual) now"
	[ "$(actual)" -gt "$before" ]
}
check 'the balloon is smaller' taken
guest_type g '\n'
guest_end g 60
check 'it powers off: status 0' same "$status" 0
guest_cases g
[ $failed = 0 ] || tail -n 40 "$work/g.out" | tr -d '\r' | sed 's/^/# guest: /'

# Wrong input.
check 'a word that it does not know is refused' sh -c "! armvmm-run --kernel monitor --device virtio-balloon,size=3 2>$work/err &&
	grep -F 'unknown word \"size=3\"' $work/err"
check 'a second balloon is refused' sh -c "! armvmm-run --kernel monitor --balloon --balloon 2>$work/err && [ -s $work/err ]"
guest_start m --kernel monitor --control "unix:$sock"
check 'a guest without a balloon' guest_expect m 60 ready
refuses() {
	ctl balloon 64M 2>"$work/err"
	_is=$?
	cat "$work/err"
	[ $_is = 3 ] && grep -qF 'No balloon device has been activated' "$work/err"
}
check 'is asked in vain' refuses
guest_type m p
guest_end m 20
finish
