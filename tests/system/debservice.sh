# SPDX-License-Identifier: GPL-2.0-only
# debservice.sh: a guest that is a service, while the packages of armvmm-run are upgraded, removed and
# purged under it. Run on a Debian 12 (scripts/guest/next.service), where /mnt is the folder of
# outside/deb-service: old/ and new/ have the packages, `versions` their versions, armvmm.ko the module,
# which is loaded by hand here; `out` gets what came of it.
cd /mnt || exit 1
exec >>out 2>&1
. ./cases.sh
read -r old new <versions
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

enable() {
	mkdir -p /etc/armvmm
	armvmm-run --kernel "/boot/vmlinuz-$(uname -r)" --initrd /srv/linux.cpio --memory 128M --net user \
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
program() { [ "$(readlink "/proc/$1/exe")" = "/usr/bin/armvmm-run$2" ]; }
restarts() {
	systemctl restart armvmm@web && guest=$(process) && program "$guest" && runs
}
ended() {
	journalctl -u armvmm@web | tail -n 20
	[ ! -e "/proc/$guest" ] && [ ! -e /run/armvmm/web.sock ] &&
		[ "$(systemctl is-active armvmm@web)" != active ] && [ -z "$(pgrep -x armvmm-run)" ]
}
forgotten() {
	systemctl list-units --all 'armvmm@*' && systemctl list-unit-files 'armvmm@*'
	[ -z "$(systemctl list-unit-files --no-legend 'armvmm@*')" ]
}

cp -r old new /var/tmp/
files >/mnt/before
cp linux.cpio /srv/ && insmod armvmm.ko && udevadm settle
cd /var/tmp/old || exit 1
check 'apt installs the packages' user_apt install ./armvmm_*.deb ./libarmvmm0_*.deb
check '... of the old version' version "$old"
cd /var/tmp || exit 1
check 'a guest is enabled and started as a service' enable
guest=$(process)
check '... and runs' runs
check '... to its init' prints
cd /var/tmp/new || exit 1
check 'apt upgrades the packages under it' user_apt install ./armvmm_*.deb ./libarmvmm0_*.deb
check '... to the new version' version "$new"
check '... the guest runs on, in the same process' runs
check '... which is the old program' program "$guest" ' (deleted)'
check '... and systemd has the new unit' reloaded
check 'systemctl restart gives it the new program' restarts
check 'apt removes the packages under it' user_apt remove armvmm libarmvmm0
check '... and says whom it ends' told '^armvmm: ends the guests that are services: web$'
check '... and they have ended' ended
check '... their start at boot is kept' test -L /etc/systemd/system/multi-user.target.wants/armvmm@web.service
# Of the library nothing is left that could be purged.
check 'apt purges the package' user_apt purge armvmm
rmmod armvmm
rm /srv/linux.cpio
files >/mnt/after
check '... and leaves no file' diff /mnt/before /mnt/after
check '... nor a unit' forgotten
echo '# end'
sync
poweroff
