# SPDX-License-Identifier: GPL-2.0-only
# debservice.sh: the packages on a machine whose kernel has no module, which DKMS is kept from building;
# then, with one, a guest that is a service, while the packages of armvmm-run are upgraded, removed and
# purged under it. Run at each start of a Debian 12 (scripts/guest/next.service), where /mnt is the folder
# of outside/deb-service: old/ and new/ have the packages, `versions` their versions, armvmm.ko the
# module, `step` what to do next; `out` gets what came of it.
cd /mnt || exit 1
exec >>out 2>&1
. ./cases.sh
read -r old new <versions
step=$(cat step 2>/dev/null || echo 1)
log=/tmp/log

user_apt() {
	apt-get -q -y "$@" >$log.tty 2>&1
	status=$?
	tr -d '\r' <$log.tty | tee $log
	return $status
}

told() { cat $log; grep -qE -- "$1" $log; }

# All files but those that a machine writes all the time.
files() {
	find / -xdev \( -path /var/cache -o -path /var/log -o -path /var/tmp -o -path /tmp -o -path /mnt \
		-o -path /var/lib/systemd -o -path /var/lib/apt -o -path '/var/lib/dpkg/*-old' \
		-o -path '/etc/armvmm' \) -prune -o -print | sort
}

version() {
	dpkg-query -W -f '${Package} ${db:Status-Abbrev}${Version}\n' armvmm libarmvmm0
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}${Version} ' armvmm libarmvmm0)" = "ii $1 ii $1 " ] &&
		armvmm-run --version | grep -F "$1"
}

# What loads the module at boot was there and found none.
no_module() {
	systemctl status modprobe@armvmm
	[ ! -e /sys/module/armvmm ] && [ "$(systemctl show -P ExecMainStatus modprobe@armvmm)" = 1 ] &&
		systemctl show -P Wants sysinit.target | grep -w modprobe@armvmm.service
}
module() {
	mkdir -p "/lib/modules/$(uname -r)/updates"
	cp /mnt/armvmm.ko "/lib/modules/$(uname -r)/updates/" && depmod
}
module_gone() {
	rm -r "/lib/modules/$(uname -r)/updates" && depmod && [ ! -e /sys/module/armvmm ] && [ ! -e /dev/armvmm ]
}
# That of the package of DKMS: armvmm's has no part in it.
node() {
	udevadm settle
	stat -c '%A %U %G' /dev/armvmm
	[ "$(stat -c '%A %U %G' /dev/armvmm)" = 'crw-rw---- root kvm' ]
}

# With all that the host's kernel does for guests, which takes devices of its own, and a port that is root's.
enable() {
	mkdir -p /etc/armvmm
	# Who waits for the network to come up would wait for the tap to, if it were there.
	systemctl start network-online.target && ip tuntap add dev tap0 mode tap &&
		armvmm-run --kernel "/boot/vmlinuz-$(uname -r)" --initrd /srv/linux.cpio --memory 128M \
		--net user,hostfwd=tcp:127.0.0.1:80-:80 --net tap=tap0,vhost=on --vsock cid=42,vhost=on \
		--append 'console=ttyAMA0 quiet panic=-1 report.seconds=100000' \
		--dump-config /etc/armvmm/web.conf && systemctl enable armvmm@web && systemctl start armvmm@web
}

process() { systemctl show -P MainPID armvmm@web; }
# The guest of process $guest is the service, and root controls it.
runs() {
	systemctl status armvmm@web
	[ "$(systemctl is-active armvmm@web)" = active ] && [ "$(process)" = "$guest" ] &&
		[ "$(armvmm-ctl web status)" = running ] && [ "$(systemctl show -P NRestarts armvmm@web)" = 0 ]
}
prints() {
	i=0
	until journalctl -u armvmm@web | grep -F '@@ linux'; do
		i=$((i + 1))
		[ $i -lt 300 ] || return 1
		sleep 1
	done
}
# systemd has the unit as the package has it now.
reloaded() {
	systemctl show -P NeedDaemonReload armvmm@web
	[ "$(systemctl show -P NeedDaemonReload armvmm@web)" = no ]
}
# The link has the path in the unit's own mount of /usr, which the sandbox has left.
old_program() {
	ls -l "/proc/$1/exe"
	case $(readlink "/proc/$1/exe") in */bin/armvmm-run' (deleted)') return 0 ;; esac
	return 1
}
new_program() {
	ls -li -L "/proc/$1/exe" /usr/bin/armvmm-run
	[ "/proc/$1/exe" -ef /usr/bin/armvmm-run ]
}
restarts() {
	systemctl restart armvmm@web && guest=$(process) && new_program "$guest" && runs
}
ended() {
	journalctl -u armvmm@web | tail -n 20
	[ ! -e "/proc/$guest" ] && [ ! -e /run/armvmm/web.sock ] &&
		[ "$(systemctl is-active armvmm@web)" != active ] && [ -z "$(pgrep -x armvmm-run)" ]
}
# A second guest goes on from a snapshot, lazily, for which the kernel has to wait for pages.
later() {
	armvmm-run --kernel "/boot/vmlinuz-$(uname -r)" --initrd /srv/linux.cpio --memory 96M "$@" \
		--append 'console=ttyAMA0 quiet panic=-1 report.seconds=100000' --dump-config /etc/armvmm/later.conf
}
# The service is over for good: systemd has not started it again, nor is it about to, well after RestartSec=.
stays_over() {
	i=0
	until [ "$(systemctl show -P SubState "$1")" = dead ]; do
		i=$((i + 1))
		[ $i -lt 120 ] || break
		sleep 1
	done
	sleep 20
	systemctl status "$1"
	[ "$(systemctl show -P ActiveState "$1")" = inactive ] && [ "$(systemctl show -P Result "$1")" = success ] &&
		[ "$(systemctl show -P NRestarts "$1")" = 0 ]
}
quits() {
	later && systemctl start armvmm@later && armvmm-ctl later quit && stays_over armvmm@later
}
# Its guest goes to another service, which is up while it waits for one, and runs there alone.
leaves() {
	later --incoming unix:/srv/there.sock && mv /etc/armvmm/later.conf /etc/armvmm/there.conf &&
		later && systemctl start armvmm@later armvmm@there && armvmm-ctl later migrate unix:/srv/there.sock &&
		stays_over armvmm@later && [ "$(armvmm-ctl there status)" = running ] &&
		[ "$(systemctl show -P StatusText armvmm@there)" = 'The guest runs' ] &&
		armvmm-ctl there quit && stays_over armvmm@there
	status=$?
	systemctl status armvmm@there
	systemctl stop armvmm@later armvmm@there
	rm -f /etc/armvmm/later.conf /etc/armvmm/there.conf
	return $status
}
lazily() {
	later && systemctl start armvmm@later && armvmm-ctl later snapshot /srv/later.snap &&
		armvmm-ctl later quit && systemctl stop armvmm@later && later --restore /srv/later.snap --lazy-restore &&
		systemctl start armvmm@later && [ "$(armvmm-ctl later status)" = running ] && armvmm-ctl later quit
	status=$?
	systemctl status armvmm@later
	systemctl stop armvmm@later
	rm -f /etc/armvmm/later.conf /srv/later.snap
	return $status
}
forgotten() {
	systemctl list-units --all 'armvmm@*' && systemctl list-unit-files 'armvmm@*'
	[ -z "$(systemctl list-unit-files --no-legend 'armvmm@*')" ]
}

case $step in
1)
	cp -r old new /var/tmp/
	touch /etc/dkms/no-autoinstall
	files >/mnt/before
	cd /var/tmp/old || exit 1
	check 'apt installs the packages' user_apt install ./*.deb
	check '... of the old version' version "$old"
	check '... and says that the kernel has no module' told '^armvmm-dkms: there is no module for the kernel that runs, '
	next 2 reboot
	;;
esac
check 'without a module the machine starts well' state
check '... although it was to be loaded' no_module
cp linux.cpio /srv/
check 'the kernel gets a module' module
cd /var/tmp || exit 1
check 'a guest is enabled and started as a service, which loads it' enable
check '... and its node is for the group' node
guest=$(process)
check '... and runs' runs
check '... to its init' prints
check 'another one that quits is not started again' quits
check '... nor is one that was sent to another service' leaves
check '... and one goes on from a snapshot, lazily' lazily
cd /var/tmp/new || exit 1
check 'apt upgrades the packages under it' user_apt install ./armvmm_*.deb ./libarmvmm0_*.deb
check '... to the new version' version "$new"
check '... the guest runs on, in the same process' runs
check '... which is the old program' old_program "$guest"
check '... and systemd has the new unit' reloaded
check 'systemctl restart gives it the new program' restarts
check 'apt removes the packages under it' user_apt remove armvmm libarmvmm0
check '... and says whom it ends' told '^armvmm: ends the guests that are services: web$'
check '... and they have ended' ended
check '... their start at boot is kept' test -L /etc/systemd/system/multi-user.target.wants/armvmm@web.service
# Of the library nothing is left that could be purged.
check 'apt purges the packages' user_apt purge armvmm armvmm-dkms
check '... and with them the module goes' module_gone
rm /srv/linux.cpio
files >/mnt/after
check '... and leaves no file' diff /mnt/before /mnt/after
check '... nor a unit' forgotten
echo '# end'
sync
poweroff
