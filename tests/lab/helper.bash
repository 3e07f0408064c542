# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Shared by the lab's tests: gn-cat on hosts of the lab.

load ../cli/helper
# shellcheck source=tests/lab/lib.sh
. "$BATS_TEST_DIRNAME/lib.sh"
: "${B:=$TOP/build/release}"
LAB_AID=$B/tests/lab

# lab_begin, in setup_file: makes an empty lab.  If that is not possible it fails, and test_begin skips every test with the reason.
lab_begin() {
	lab_start >"$BATS_FILE_TMPDIR/why" && return
	NO_LAB=$(cat "$BATS_FILE_TMPDIR/why")
	export NO_LAB=${NO_LAB:-no network lab here}
	return 1
}
# in setup
test_begin() { [ -z "${NO_LAB-}" ] || skip "$NO_LAB"; }

# listen_on HOST NAME ARGS...: starts gn-cat -l on HOST with stdout in NAME.out (or $output) in $dir and stdin from $input.  Sets
# $pid, and the array $addrs to all addresses that it prints.
listen_on() {
	local host=$1 name=$2 fd AT
	shift 2
	: "${dir:=$BATS_TEST_TMPDIR}"
	rm -f "$dir/$name.ready"
	mkfifo "$dir/$name.ready"
	exec {fd}<>"$dir/$name.ready"
	at "$host"
	"${AT[@]}" gn-cat -l --ready-fd 9 "$@" >"${output:-$dir/$name.out}" 2>"$dir/$name.err" <"${input:-/dev/null}" 9>&"$fd" 3>&- &
	pid=$!
	pids+=("$pid")
	addrs=()
	read -rt $((10 * GN_SLOW)) 'addrs[0]' <&"$fd" || {
		cat "$dir/$name.err" >&2
		return 1
	}
	while read -rt 0.01 'addrs[${#addrs[@]}]' <&"$fd"; do :; done
	exec {fd}<&-
}

# address_with TEXT: sets $addr to the element of $addrs that contains TEXT
address_with() {
	local a
	addr=
	for a in "${addrs[@]}"; do [[ $a != *"$1"* ]] || addr=$a; done
	[ -n "$addr" ] || { echo "no address with $1 among ${addrs[*]}" >&2; return 1; }
}

# dial_on HOST ARGS...: runs gn-cat on HOST in the foreground for at most 60 s
dial_on() {
	local host=$1
	shift
	on "$host" timeout 60 gn-cat "$@"
}

sum_of() { sha256sum <"$1" | cut -c1-64; }
has_size() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -ge "$2" ]; }
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
