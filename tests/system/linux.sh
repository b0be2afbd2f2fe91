# SPDX-License-Identifier: GPL-2.0-only
# linux.sh CPUS: a stock kernel with busybox boots with CPUS CPUs. With one CPU it boots from a FIT
# image, reboots first, uses virtio-mmio version 2 and a virtio console, and is ended by SIGTERM. Else
# virtio-mmio has the version that nobody asked for, 1. With two its disks are
# O_DIRECT and its network is a tap; else its network is libslirp. Sums of the data that goes over
# disk, network and console are compared on both sides.
. ./common.sh
cpus=$1
cd "$dir" || exit 1
modprobe -q -a loop ext4 crc32c_generic

# Disks. O_DIRECT and a full disk need a file system that supports them.
mkdir "$work/fs" "$work/small" "$work/www"
truncate -s 40M "$work/fs.img"
truncate -s 3M "$work/small.img"
mke2fs -F "$work/fs.img" 32768 >/dev/null 2>&1
mke2fs -F "$work/small.img" 3072 >/dev/null 2>&1
mount -o loop -t ext4 "$work/fs.img" "$work/fs" && mount -o loop -t ext4 "$work/small.img" "$work/small" ||
	fail 'file systems for the disks'
dd if=/dev/urandom of="$work/fs/a" bs=64k count=64 2>/dev/null
truncate -s 16M "$work/fs/a"
dd if=/dev/urandom of="$work/b" bs=64k count=16 2>/dev/null
truncate -s 8M "$work/small/c"
b_before=$(sum <"$work/b")
a_before=$(dd if="$work/fs/a" bs=64k count=64 2>/dev/null | sum)

# Something to fetch.
dd if=/dev/urandom of="$work/www/file" bs=64k count=24 2>/dev/null
httpd -f -p 8080 -h "$work/www" &
guests="$guests $!"
head -c 8192 /dev/urandom >"$work/keys"

version=1
direct= net=user,loopback=on,hostfwd=tcp:127.0.0.1:7001-:7000 server=10.0.2.2 extra=
case $cpus in
1) extra='--console virtio --rng --virtio modern' kernel=kernel.itb#guest version=2 ;;
2)
	direct=,direct
	net=tap=tap0
	server=192.168.77.1
	modprobe -q -a tun bridge
	tunctl -t tap0 >/dev/null
	ip link set tap0 up
	# The debug host has no bridges.
	if brctl addbr br0 2>/dev/null; then
		brctl addif br0 tap0
		ip addr add 192.168.77.1/24 dev br0
		ip link set br0 up
	else
		ip addr add 192.168.77.1/24 dev tap0
	fi
	;;
esac

# If the host has debug registers, the guest has some, too.
breakpoints=
if dmesg | grep -q 'armvmm: .* breakpoints'; then
	breakpoints='holds "it finds its breakpoints" sh -c "dmesg | grep hw-breakpoint:.found"'
fi

guest_initrd g disk net console <<SCRIPT
cpus=$cpus
dmesg -n 1
if [ \$cpus = 1 ]; then
	reboot_once
	wait_console
	con=/dev/hvc0
	exec <\$con >\$con 2>&1
	holds "the host gives random numbers" sh -c 'head -c 1000 /dev/hwrng | wc -c | grep -qx 1000'
fi
# VERSION_1 is feature 32: it has the name of the first version of the standard.
holds "its disks have version $version of virtio-mmio" sh -c \
	"cut -c33 /sys/bus/virtio/devices/virtio0/features | grep -qx $((version - 1))"
holds "\$cpus CPUs are online" has_cpus \$cpus
$breakpoints
if [ \$cpus = 2 ]; then
	ip link set eth0 up
	holds "its network card has an address" ip addr add 192.168.77.2/24 dev eth0
else
	holds "it gets an address by DHCP" dhcp
fi
console_test
disk_test
net_test $server 8080
holds "sleeping threads wake in order, and not early" sleeper order $((200 * ${SLOWDOWN:-1}))
if [ \$cpus = 1 ]; then
	# Whoever opens it after the key was pressed finds it let go.
	exec 3</dev/input/event0
	say button
	# One event of the power key is 16 bytes.
	head -c 16 <&3 | od -An -tu2 -j8 >/tmp/key
	say "key \$(cat /tmp/key)"
fi
say "end"
SCRIPT

linux_start g --cpus "$cpus" --memory 192M --disk "$work/fs/a$direct" --disk "$work/b,ro" \
	--disk "$work/small/c" --net "$net" $extra

if [ "$cpus" = 1 ]; then
	check 'the guest reboots in place' guest_expect g 120 '@@ second boot'
fi
check 'the guest boots' guest_expect g 120 '@@ console'
guest_type g 'a line for the guest\n'
check 'a line reaches the guest' guest_expect g 20 '@@ line a line for the guest'
guest_expect g 20 '@@ bulk-input' >/dev/null
cat "$work/keys" >"$work/g.in"
check '8 KiB reach the guest' guest_expect g 60 '@@ sum console-in'
check '... as they were sent' same "$(guest_sum g console-in)" "$(sum <"$work/keys")"
check 'the guest prints 8 KiB' guest_expect g 60 '@@ bulk-output-end'
check '... and what comes is what it printed' same "$(guest_sum g console-out)" \
	"$(sed '1,/^@@ bulk-output/d; /^@@ bulk-output-end/,$d' "$work/g.out" | sum)"

check 'the guest fetches a file' guest_expect g 60 '@@ sum fetched'
check '... the whole of it, unchanged' same "$(guest_sum g fetched)" "$(sum <"$work/www/file")"
check 'the guest read what the host wrote' same "$(guest_sum g host-wrote)" "$a_before"
check 'the host reads what the guest wrote' same "$(guest_sum g guest-wrote)" \
	"$(dd if="$work/fs/a" bs=64k skip=64 count=64 2>/dev/null | sum)"
check 'and so does the guest' same "$(guest_sum g guest-wrote)" "$(guest_sum g guest-reads)"
check 'what the host wrote is untouched' same "$a_before" \
	"$(dd if="$work/fs/a" bs=64k count=64 2>/dev/null | sum)"
check 'the guest reads a read-only disk' same "$(guest_sum g readonly)" "$b_before"
check '... which stays as it is' same "$(guest_sum g readonly-after) $(sum <"$work/b")" "$b_before $b_before"
guest_expect g 60 '@@ serving' >/dev/null
# Input that does not end: nc leaves when either side has ended.
mkfifo "$work/hold"
sleep 10000 >"$work/hold" &
guests="$guests $!"
fetch() {
	scaled 20
	if [ "$cpus" = 2 ]; then
		timeout $_seconds nc 192.168.77.2 7000 <"$work/hold" >"$work/served"
	else
		timeout $_seconds nc 127.0.0.1 7001 <"$work/hold" >"$work/served"
	fi
	[ -s "$work/served" ]
}
check 'the host reaches a server in the guest' wait_for 60 fetch
check '... and gets what it serves' same "$(guest_sum g serves)" "$(sum <"$work/served")"
if [ "$cpus" = 2 ]; then
	scaled 10
	check 'the host pings the guest' ping -c 3 -W $_seconds 192.168.77.2
fi
if [ "$cpus" = 1 ]; then
	guest_expect g 60 '@@ button' >/dev/null
	kill -TERM "$pid"
	check 'SIGTERM is the power key to the guest' guest_expect g 30 '@@ key'
	check '... and no other' grep -Eq '^@@ key +1 +116 +1' "$work/g.out"
fi
check 'the guest came to its end' guest_expect g 60 '@@ end'
guest_end g 30
check 'it powers off: status 0' same "$status" 0
guest_cases g
[ $failed = 0 ] || sed 's/^/# guest: /' "$work/g.out" | tr -d '\r' | grep -av '^# guest: [A-Za-z0-9+/=]*$' | tail -n 40
if [ "$cpus" = 2 ]; then
	ip link set br0 down 2>/dev/null && brctl delbr br0
	tunctl -d tap0 >/dev/null
fi
finish
