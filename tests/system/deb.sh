# SPDX-License-Identifier: GPL-2.0-only
# deb.sh: the life of the Debian packages on a Debian 12 that has never seen them, as its user has it:
# they are installed, the machine is started again, guests run, the packages are replaced by later
# ones and purged. Run at each start of the machine (scripts/guest/next.service), where /mnt is the
# folder of outside/deb: old/ and new/ have the packages, `versions` their versions, `step` what to do
# next, `out` what came of it.
cd /mnt || exit 1
exec >>out 2>&1
. ./cases.sh
read -r old new <versions
step=$(cat step 2>/dev/null || echo 1)
packages='armvmm armvmm-dkms libarmvmm0 libarmvmm-dev'
log=/tmp/log

took() {
	now=$(cut -d. -f1 /proc/uptime)
	echo "# $1: $((now - since)) s"
	since=$now
}
since=0

# Whether a text is in the last command's output, on one line.
told() {
	grep -qE -- "$1" $log || {
		cat $log
		false
	}
}

# There is nothing to fetch: what the packages need is in the image. dpkg has a terminal of apt's.
user_apt() {
	apt-get -q -y "$@" >$log.tty 2>&1
	status=$?
	tr -d '\r' <$log.tty >$log
	return $status
}

failed() { [ "$status" != 0 ]; }

# DKMS signs by a key of its user's, as docs/packages.md has it.
own_key() {
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 36500 -subj /CN=own -keyout /var/tmp/mine.key \
		-outform DER -out /var/tmp/mine.der &&
		printf 'mok_signing_key=/var/tmp/mine.key\nmok_certificate=/var/tmp/mine.der\n' \
			>>/etc/dkms/framework.conf
}
signed() {
	modinfo -F signer armvmm
	[ "$(modinfo -F signer armvmm)" = own ]
}

# Every file but those that a machine writes all the time.
files() {
	find / -xdev \( -path /var/cache -o -path /var/log -o -path /var/tmp -o -path /tmp -o -path /mnt \
		-o -path /var/lib/systemd -o -path /var/lib/apt -o -path '/var/lib/dpkg/*-old' \
		-o -path /home \) -prune -o -print | sort
}

# installed VERSION PACKAGE...: with nothing of another version.
installed() {
	version=$1
	shift
	dkms status -m armvmm
	dpkg-query -W -f '${Package} ${db:Status-Abbrev} ${Version}\n' 'armvmm*' 'libarmvmm*'
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Abbrev}${Version}' "$p")" = "ii $version" ] || return 1
	done
	dpkg --audit && [ -z "$(dpkg --audit)" ] && dpkg -V "$@" && ls -d /usr/src/armvmm-* &&
		[ "$(echo /usr/src/armvmm-*)" = "/usr/src/armvmm-$version" ] &&
		[ "$(dkms status -m armvmm)" = "armvmm/$version, $(uname -r), armv7l: installed" ] &&
		[ "$(modinfo -F version armvmm)" = "$version" ]
}

loaded() {
	udevadm settle
	ls -ld /sys/module/armvmm /dev/armvmm
	[ "$(cat /sys/module/armvmm/version)" = "$1" ] &&
		[ "$(stat -c '%A %U %G' /dev/armvmm)" = 'crw-rw---- root kvm' ]
}

not_loaded() { [ ! -e /sys/module/armvmm ] && [ ! -e /dev/armvmm ]; }

# linux USER SECONDS: a Linux guest, which checks its memory for so long and ends.
linux() {
	su - "$1" -c "exec armvmm-run --kernel /boot/vmlinuz-$(uname -r) --initrd /usr/lib/armvmm/linux.cpio \
		--cpus 2 --memory 128M --no-reboot \
		--append 'console=ttyAMA0 quiet panic=-1 report.seconds=$2'" </dev/null
}

a_guest() {
	linux user 1 >$log 2>&1 || {
		cat $log
		return 1
	}
	told '^@@ memory is unchanged' && told '^@@ linux .*, 2 CPUs, '
}

guest_start() {
	linux user 100000 >/tmp/guest 2>&1 &
	started=$!
	i=0
	until grep -q '^@@ linux' /tmp/guest; do
		i=$((i + 1))
		[ $i -lt 600 ] && kill -0 $started || {
			cat /tmp/guest
			return 1
		}
		sleep 1
	done
	guest=$(pgrep -xo armvmm-run)
}

guest=
# The same process, and its CPUs are at work.
guest_lives() {
	before=$(awk '{ print $14 + $15 }' "/proc/$guest/stat") && sleep 3 &&
		[ "$(awk '{ print $14 + $15 }' "/proc/$guest/stat")" -gt "$before" ]
}

guest_end() {
	[ -n "$guest" ] || return
	kill "$guest"
	i=0
	while [ -e "/proc/$guest" ] && [ $i -lt 90 ]; do
		i=$((i + 1))
		[ $i != 60 ] || kill -9 "$guest"
		sleep 1
	done
}

refused() {
	check "$1 under a guest is refused" failed
	check '... in words, with what to do' told '^armvmm-dkms: end them, and try again'
	check '... and with who it is' told "^  armvmm-run, process $guest\$"
	check '... the guest runs on' guest_lives
	check '... on the module that it had' loaded "$old"
}

# A guest as a service, which its file describes. It powers off after some seconds.
service_start() {
	mkdir -p /etc/armvmm
	armvmm-run --kernel "/boot/vmlinuz-$(uname -r)" --initrd /usr/lib/armvmm/linux.cpio --cpus 2 \
		--memory 128M --no-reboot --balloon --net user \
		--append 'console=ttyAMA0 quiet panic=-1 report.seconds=60' \
		--dump-config /etc/armvmm/web.conf && cat /etc/armvmm/web.conf &&
		systemctl start armvmm@web
}

service_runs() {
	systemctl status armvmm@web
	[ "$(systemctl show -P StatusText armvmm@web)" = 'The guest runs' ] &&
		[ "$(systemctl show -P ActiveState armvmm@web)" = active ] &&
		[ "$(armvmm-ctl web status)" = running ] &&
		[ "$(stat -c %U "/proc/$(systemctl show -P MainPID armvmm@web)/task")" = nobody ]
}

service_ends() {
	i=0
	while [ "$(systemctl is-active armvmm@web)" = active ] && [ $i -lt 600 ]; do
		i=$((i + 1))
		sleep 1
	done
	systemctl status armvmm@web
	journalctl -u armvmm@web | grep -F '@@ memory is unchanged' &&
		[ "$(systemctl show -P Result armvmm@web)" = success ] && [ ! -e /run/armvmm/web.sock ]
}

service_wrong() {
	printf '[guest]\nkernel=/vmlinuz\ncpus=9\n' >/etc/armvmm/bad.conf
	! systemctl start armvmm@bad && journalctl -u armvmm@bad >$log &&
		told '/etc/armvmm/bad.conf: --cpus 9: must be 1 to 8' &&
		[ "$(systemctl show -P NRestarts armvmm@bad)" = 0 ] && systemctl reset-failed armvmm@bad &&
		rm -r /etc/armvmm
}

case $step in
1)
	check 'the machine starts' state
	took 'start'
	adduser -q --disabled-password --gecos '' user && adduser -q user kvm &&
		adduser -q --disabled-password --gecos '' other || echo 'not ok 1 users are made'
	check 'DKMS gets a key to sign by' own_key
	cp -r old new /var/tmp/
	files >/mnt/before
	cd /var/tmp/old || exit 1
	check 'apt installs the packages' user_apt install ./*.deb
	[ "$status" = 0 ] || sed 's/^/# /' $log
	took 'installing'
	cd /mnt || exit 1
	check '... and the module is built for this kernel' installed "$old" $packages
	check '... and signed by our key' signed
	find /var/lib/dkms/armvmm -name make.log -exec cp {} . \;
	next 2 reboot
	;;
2)
	check 'the machine starts again, well' state
	took 'start'
	check 'the module was loaded, and members of kvm may use it' loaded "$old"
	check 'a member of kvm starts Linux' a_guest
	took 'a guest'
	linux other 1 >$log 2>&1
	status=$?
	check 'who is no member does not' failed
	check '... and is told what is missing' told '^armvmm-run: /dev/armvmm: Permission denied: its group is usually kvm'
	check 'a guest starts as a service' service_start
	check '... its manager knows that it runs, and root controls it' service_runs
	check '... it ends well' service_ends
	check '... what its file has wrong is told, and not tried again' service_wrong
	took 'a service'
	check 'a guest goes on in the background' guest_start
	cd /var/tmp/new || exit 1
	user_apt install ./*.deb
	refused 'an upgrade'
	took 'the refused upgrade'
	user_apt purge armvmm-dkms
	refused 'a removal'
	guest_end
	# dpkg may have unpacked others of the four by then.
	user_apt -f install
	check 'the module of before is still installed' installed "$old" armvmm-dkms
	check 'when the guest has ended, it upgrades' user_apt install ./*.deb
	took 'the upgrade'
	cd /mnt || exit 1
	check '... to all that is new' installed "$new" $packages
	check '... and loads the new module' loaded "$new"
	check '... of which a member starts Linux' a_guest
	check '... by the new program' grep -qF "$new" <<-VERSION
		$(armvmm-run --version)
	VERSION
	took 'a guest'
	check 'apt purges the packages' user_apt purge $packages
	check '... and with them the module goes' not_loaded
	files >after
	check '... and every file' diff before after
	check '... also from the list of modules' sh -c '! modinfo armvmm'
	check '... and DKMS has forgotten it' test -z "$(dkms status)"
	took 'purging'
	next 3 reboot
	;;
3)
	check 'the machine starts as it did before' state
	check '... without a module' not_loaded
	echo '# end'
	next 4 poweroff
	;;
esac
