# SPDX-License-Identifier: GPL-2.0-only
# Functions of the shell scripts: folders, messages, retries, locks, private apt.
# Sourced, never run; the caller has `set -euo pipefail`.

ARMVMM_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ARMVMM_CACHE=${ARMVMM_CACHE:-${XDG_CACHE_HOME:-${HOME:-~}/.cache}/armvmm}
# The hosts' kernels: Debian's own, and those that are built from Debian's sources.
ARMVMM_HOSTS_ALL='5.10 5.10-lpae 6.1 6.1-lpae 6.1-rt 6.12 6.12-lpae 6.12-rt 7.2 7.2-lpae'
ARMVMM_HOSTS_SOURCE='6.1-debug 6.1-gcov 6.1-odd 6.1-up 6.12-armbian 6.12-openwrt 7.2-thumb'
# A host of the first list, by other names, whose module is built to check more (build-module.sh).
ARMVMM_HOSTS_CHECKING='6.1-shadow 6.1-race'
CROSS_COMPILE=${CROSS_COMPILE:-arm-linux-gnueabihf-}
# make's variables for a test host's kernel. NM is gcc's: where clang is installed, the other nm
# loads all of LLVM for each file.
ARMVMM_KERNEL_VARS=(ARCH=arm CROSS_COMPILE="$CROSS_COMPILE" CC="${CROSS_COMPILE}gcc-12"
	NM="${CROSS_COMPILE}gcc-nm-12")
export ARMVMM_CACHE
# Debian keeps depmod and mke2fs in folders that a plain user's PATH does not have.
export PATH=$PATH:/usr/sbin:/sbin
# Use ccache, as scripts/ccache.mk does for make.
if [ -d /usr/lib/ccache ]; then
	case $PATH in /usr/lib/ccache:*) ;; *) PATH=/usr/lib/ccache:$PATH ;; esac
	export CCACHE_DIR=${CCACHE_DIR:-$ARMVMM_CACHE/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-2G} \
		CCACHE_DEPEND=${CCACHE_DEPEND:-1}
fi

# sign_module KO KERNEL: where KERNEL, a folder of the cache, loads signed modules only, KO is signed
# with the key that KERNEL's build made.
sign_module() {
	local build=$2/build
	grep -qx CONFIG_MODULE_SIG_FORCE=y "$build/.config" || return 0
	"$build/scripts/sign-file" sha256 "$build"/certs/signing_key.{pem,x509} "$1"
}

# All messages go to stderr: stdout is for the command's own output.
say() { printf '[armvmm] %s\n' "$*" >&2; }
warn() { printf '[armvmm] warning: %s\n' "$*" >&2; }
die() {
	printf '[armvmm] error: %s\n' "$*" >&2
	exit 1
}

# plain PATH: can make and the kernel's build system use PATH? They cannot if it has a blank.
plain() { [[ $1 =~ ^[[:alnum:]_./+@-]+$ ]]; }

# build_folder: prints the folder to build in: build/ of the tree. If the tree's own path is not
# plain, build/ is a link to a folder in the cache, and make reaches the sources by relative paths
# or by links.
build_folder() {
	local link=$ARMVMM_TOP/build dest tree
	if plain "$link"; then
		echo "$link"
		return
	fi
	# In options of the emulator and of testhost a colon ends a file's name.
	[[ $ARMVMM_TOP != *:* ]] || die "armvmm cannot be built in a folder with a colon in its path: $ARMVMM_TOP"
	dest=$ARMVMM_CACHE/build/$(printf %s "$ARMVMM_TOP" | sha256sum | cut -c1-16)
	if [ ! -e "$dest/tree" ]; then
		mkdir -p "$dest"
		printf '%s\n' "$ARMVMM_TOP" >"$dest/tree"
	fi
	# Remove the folders of trees that are gone.
	for tree in "$ARMVMM_CACHE"/build/*/tree; do
		[ -d "$(cat "$tree")" ] || rm -rf "${tree%/tree}"
	done
	[ -e "$link" ] && [ ! -L "$link" ] || ln -sfn "$dest" "$link"
	echo "$dest"
}
plain "$ARMVMM_CACHE" ||
	die "the cache cannot be in a folder with such a name: set XDG_CACHE_HOME to one without blanks (it is $ARMVMM_CACHE)"
ARMVMM_BUILD=${ARMVMM_BUILD:-$(build_folder)} || exit 1
plain "$ARMVMM_BUILD" || die "nothing can be built in a folder with such a name: $ARMVMM_BUILD"
mkdir -p "$ARMVMM_BUILD" || exit 1

# tree_files: prints the files of the tree, each with a NUL after it: those that git tracks or, in an
# unpacked tarball, all that was not built.
tree_files() {
	if [ "$(git -C "$ARMVMM_TOP" rev-parse --show-toplevel 2>/dev/null)" = "$(cd "$ARMVMM_TOP" && pwd -P)" ]; then
		git -C "$ARMVMM_TOP" ls-files -z
	else
		find "$ARMVMM_TOP" \( -path "$ARMVMM_TOP/.git" -o -path "$ARMVMM_TOP/build" -o -path "$ARMVMM_BUILD" \) -prune -o \
			\( -type f -o -type l \) -printf '%P\0'
	fi
}

# What programs say of a full disk, dpkg and tar among them.
armvmm_full='No space left on device|Disk quota exceeded|failed to write \(|Wrote only [0-9]+ of '

# least_free: prints, of the folders that a step writes to, the one whose disk has the least room, and
# how many MiB that is.
least_free() {
	local dir
	for dir in "$ARMVMM_CACHE" "$ARMVMM_BUILD" "${TMPDIR:-/tmp}" "$PWD"; do
		[ ! -d "$dir" ] || echo "$(df --output=avail -k "$dir" | tail -n 1) $dir"
	done | sort -snk 1,1 | awk 'NR == 1 { free = int($1 / 1024); $1 = ""; print free $0 }'
}

# step TEXT CMD...: says TEXT and runs CMD, in a subshell; shows CMD's output only if it fails, and
# one line instead if a disk is full.
step() {
	local text=$1 log rc=0 start=$SECONDS pid traps ended= why free dir
	shift
	log=$(mktemp)
	say "$text ..."
	# In a process group of its own: mmdebstrap, when it cannot write, kills all of its group.
	traps=$(trap -p INT TERM HUP)
	set -m
	(
		set +m
		armvmm_temps=()
		# It ends after the program that it runs.
		trap 'exit 143' TERM HUP
		"$@" || exit $?
	) >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	# shellcheck disable=SC2064
	trap "ended=1; kill -- -$pid 2>/dev/null || true" INT TERM HUP
	# Where a signal ended CMD, bash says so.
	{
		wait "$pid" || rc=$?
		[ -z "$ended" ] || wait "$pid" || true
	} 2>/dev/null
	trap - INT TERM HUP
	eval "$traps"
	[ -z "$ended" ] || {
		rm -f "$log"
		exit 143
	}
	if [ "$rc" -ne 0 ]; then
		if why=$(grep -m 1 -E "$armvmm_full" "$log"); then
			rm -f "$log"
			read -r free dir < <(least_free)
			die "$text: the disk of $dir is full ($free MiB are free): make room there and run this again (${why:0:200})"
		fi
		tail -n 60 "$log" >&2
		rm -f "$log"
		die "$text: failed (status $rc): $*"
	fi
	rm -f "$log"
	[ $((SECONDS - start)) -lt 5 ] || say "$text: done in $((SECONDS - start)) s"
}

# every_ten CMD...: runs CMD every ten seconds until it fails. For the background: ends when killed.
every_ten() {
	trap 'kill $! 2>/dev/null; exit 0' TERM
	while sleep 10 & wait $!; do
		"$@" || exit 0
	done
} >/dev/null

# retry N CMD...: tries CMD up to N times, with growing pauses of ARMVMM_RETRY_PAUSE (5) seconds,
# twice that, and so on.
retry() {
	local n=$1 i
	shift
	for ((i = 1; i <= n; i++)); do
		"$@" && return 0
		[ "$i" -eq "$n" ] || sleep $((i * ${ARMVMM_RETRY_PAUSE:-5}))
	done
	return 1
}

# temp_dir VAR: makes a folder in the cache and sets VAR to its path. The folder is removed when
# this script ends, unless it was renamed by then.
armvmm_temps=()
temp_dir() {
	local _new
	mkdir -p "$ARMVMM_CACHE"
	# Remove what killed runs left behind.
	find "$ARMVMM_CACHE" -maxdepth 1 -name 'tmp.??????' -mmin +2880 -exec rm -rf {} + || true
	_new=$(mktemp -d "$ARMVMM_CACHE/tmp.XXXXXX") || die "cannot make a folder in $ARMVMM_CACHE"
	chmod 755 "$_new"
	armvmm_temps+=("$_new")
	printf -v "$1" %s "$_new"
	trap 'rm -rf "${armvmm_temps[@]}"' EXIT
}

# hash_of FILE...: prints one hash over the contents (not names or times) of files.
hash_of() { cat "$@" | sha256sum | cut -c1-16; }

# forget_old PREFIX KEEP [SUFFIX]: removes from the cache what KEEP replaces: whatever lies beside
# it, is called PREFIX, a hash and SUFFIX, and was last in use over two days ago.
forget_old() {
	find "$(dirname "$2")" -mindepth 1 -maxdepth 1 -name "$1????????????????${3-}" \
		! -name "$(basename "$2")" -mmin +2880 -exec rm -rf {} + || true
}

# in_use PATH: prints PATH, which is in the cache, and marks it as in use today if we may.
in_use() {
	touch -c "$1" 2>/dev/null || true
	echo "$1"
}

# host_suite HOST: prints the Debian suite that a host's kernel, or its source, comes from.
host_suite() {
	case $1 in
	5.10*) echo bullseye ;;
	6.12*) echo trixie ;;
	6.1*) echo bookworm ;;
	7.2*) echo trixie-backports ;;
	esac
}

# take_lock NAME: waits until no other run is at work on NAME in the cache. Holds the lock until
# this script ends.
take_lock() {
	local fd
	mkdir -p "$ARMVMM_CACHE/lock"
	exec {fd}>"$ARMVMM_CACHE/lock/$1"
	flock -n "$fd" || {
		say "waiting for another run that is at work on $1"
		flock "$fd"
	}
}

# debian_mirror: prints the Debian mirror that this machine's own apt uses for its main archive.
debian_mirror() {
	if [ -n "${ARMVMM_MIRROR:-}" ]; then
		echo "$ARMVMM_MIRROR"
		return
	fi
	# The label is known only after an index was fetched; until then, go by the address's end.
	apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' 2>/dev/null |
		awk '$1 !~ /security|backports|file:/ && ($2 == "Debian" || $1 ~ /\/debian\/?$/) {
			print $1; exit }'
}

# apt_suite SUITE TOOL ARG...: runs an apt tool with a private state for SUITE, which has the
# packages of armhf and amd64, and does not depend on what is installed here.
apt_suite() {
	local suite=$1 dir=$ARMVMM_CACHE/apt/$1 tool=$2
	shift 2
	"$tool" -o Dir::State="$dir/state" -o Dir::State::status="$dir/status" \
		-o Dir::Cache="$dir/cache" -o Dir::Etc::sourcelist="$dir/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null -o APT::Architecture=armhf \
		-o APT::Architectures::=armhf -o APT::Architectures::=amd64 \
		-o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root \
		-o APT::Update::Error-Mode=any -o Acquire::Check-Valid-Until=false "$@"
}

# apt_suite_sources SUITE ARCHES [src]: writes the suite's one-line source list.
apt_suite_sources() {
	local dir=$ARMVMM_CACHE/apt/$1 key=/usr/share/keyrings/debian-archive-keyring.gpg mirror type
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || die "this machine's apt names no Debian mirror; set ARMVMM_MIRROR"
	[ ! -e "$key" ] && key= || key=" signed-by=$key"
	for type in deb ${3:+deb-src}; do
		echo "$type [arch=$2$key] $mirror $1 main"
	done >"$dir/sources.list"
}

# apt_suite_stale SUITE: fetches the armhf index of a mirror that is out of step: its index is not
# the one that the signed Release names. The index is taken as it is, but over TLS only: the
# packages' checksums then depend on the mirror's certificate instead of on Debian's signature.
apt_suite_stale() {
	local suite=$1 dir=$ARMVMM_CACHE/apt/$1 mirror tmp name
	mirror=$(debian_mirror)
	mirror=https://${mirror#*://}
	temp_dir tmp
	warn "the armhf index of $suite is out of step with its Release file on this mirror:"
	warn "taking the index the mirror has, over TLS"
	apt_suite_sources "$suite" amd64
	apt_suite "$suite" apt-get -q update &&
		apt_suite "$suite" /usr/lib/apt/apt-helper download-file \
			"${mirror%/}/dists/$suite/main/binary-armhf/Packages.xz" "$tmp/Packages.xz" &&
		name=$(find "$dir/state/lists" -name '*_binary-amd64_Packages*' | head -n 1) &&
		name=${name%_binary-amd64_Packages*}_binary-armhf_Packages &&
		xz -dc "$tmp/Packages.xz" >"$name.new" && mv "$name.new" "$name"
	local rc=$?
	apt_suite_sources "$suite" armhf,amd64
	return "$rc"
}

# apt_suite_why LOG: prints why apt failed, in a few words.
apt_suite_why() {
	local why
	if grep -qE "$armvmm_full" "$1" ||
		[ "$(df --output=avail -k "$ARMVMM_CACHE" | tail -n 1)" -lt 64 ]; then
		why="the disk of $ARMVMM_CACHE is full"
	else
		why=$(grep -oE 'Could not (connect|resolve|open|get lock).*' "$1" | head -n 1) || true
		: "${why:=$(sed -n 's/^E: //p' "$1" | head -n 1)}"
	fi
	echo "${why:-see $1}"
}

# apt_suite_update SUITE [src]: fetches the suite's indices, at most once a day. Status 2: no mirror
# offers the suite.
apt_suite_update() {
	local suite=$1 src=${2:-} dir=$ARMVMM_CACHE/apt/$1 rc=0
	apt_suite_today() { [ -n "$(find "$dir/updated${src:+-src}" -mmin -1440 2>/dev/null)" ]; }
	# In a subshell, so that its end drops the lock.
	apt_suite_today || (
		armvmm_temps=()
		take_lock "apt-$suite"
		apt_suite_today || apt_suite_fetch "$suite" "$src"
	) || rc=$?
	[ "$rc" -eq 0 ] || [ "$rc" -eq 2 ] || exit "$rc"
	return "$rc"
}

# apt_suite_fetch SUITE SRC: fetches the indices in any case.
apt_suite_fetch() {
	local suite=$1 src=$2 dir=$ARMVMM_CACHE/apt/$1 log=$ARMVMM_CACHE/apt/$1/update.log
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" && : >"$dir/status" &&
		apt_suite_sources "$suite" armhf,amd64 $src || die "nothing can be written to $dir"
	say "fetching the package index of Debian $suite"
	if ! retry 2 apt_suite "$suite" apt-get -q update >"$log" 2>&1 </dev/null; then
		if grep -qE '404|does not have a Release' "$log" && ! grep -q 'Could not connect' "$log"; then
			return 2
		elif ! grep -qE 'Hash Sum mismatch|unexpected size' "$log" ||
			! apt_suite_stale "$suite" >>"$log" 2> >(tee -a "$log" >&2); then
			die "the package index of Debian $suite could not be fetched: $(apt_suite_why "$log")"
		fi
	fi
	touch "$dir/updated" "$dir/updated${src:+-src}"
}

# apt_suite_get SUITE DEST PACKAGE...: downloads packages (apt verifies them against the index) and
# unpacks them into DEST. Ends the script if it cannot.
apt_suite_get() {
	local suite=$1 dest=$2 dir deb log ticker rc=0
	shift 2
	temp_dir dir
	log=$dir.log
	armvmm_temps+=("$log")
	fetched() { [ -d "$dir" ] && say "fetched $(find "$dir" -name '*.deb' | wc -l) of $1 packages so far"; }
	every_ten fetched $# &
	ticker=$!
	(cd "$dir" && retry 3 apt_suite "$suite" apt-get -q download "$@" </dev/null) >"$log" 2>&1 || rc=$?
	kill "$ticker" 2>/dev/null || true
	[ "$rc" -eq 0 ] ||
		die "packages of Debian $suite could not be fetched: $(apt_suite_why "$log")"
	for deb in "$dir"/*.deb; do
		dpkg-deb -x "$deb" "$dest" >"$log" 2>&1 ||
			die "${deb##*/} could not be unpacked: $(apt_suite_why "$log")"
	done
}
