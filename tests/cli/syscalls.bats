#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The system calls of gn-cat, counted by tests/bench/syscalls.  Those of `gn-cat -V`, which are the loader's, are subtracted.
# Recorded at the commit in tests/bench/BASE and at this test's: to the first byte 80 to 85 at the listener; in a whole
# transfer of one byte 122 to 125 at the listener and 114 to 120 at the dialer; per MiB 6 to 10, and 11 to 13.

bats_require_minimum_version 1.5.0
load helper

setup() {
	: "${B:=$TOP/build/release}"
	cd "$BATS_TEST_TMPDIR" || exit 1
	[ "${MODE:-release}" = release ] || return 0
	"$B/tests/bench/syscalls" version gn-cat -V >/dev/null || skip "programs cannot be traced here"
	read -r loader _ <version
}
teardown() { kill_all; }

# transfer FILE: sets $dialer, $listener and $first (of the listener), without the loader's
transfer() {
	local to fd
	rm -f ready
	mkfifo ready
	exec {fd}<>ready
	"$B/tests/bench/syscalls" listened gn-cat -l --ready-fd 9 /ip4/127.0.0.1/tcp/0 </dev/null >out 2>listener.err 9>&"$fd" 3>&- &
	pids+=("$!")
	read -rt 10 to <&"$fd"
	exec {fd}<&-
	"$B/tests/bench/syscalls" dialled gn-cat "$to" <"$1" >/dev/null 2>dialer.err
	wait "${pids[-1]}"
	cmp "$1" out
	read -r listener first <listened
	read -r dialer _ <dialled
	listener=$((listener - loader)) first=$((first - loader)) dialer=$((dialer - loader))
}

@test "one-shot tools need as few system calls as recorded" {
	local first listener dialer small_listener small_dialer
	[ "${MODE:-release}" = release ] || return 0 # sanitizers make calls of their own
	printf x >one
	head -c 32M /dev/urandom >many
	transfer one
	echo "one byte: listener $listener, of them $first to the first byte; dialer $dialer"
	[ "$first" -gt 0 ] && [ "$first" -le 95 ]
	[ "$listener" -le 140 ]
	[ "$dialer" -le 135 ]
	small_listener=$listener small_dialer=$dialer
	transfer many
	listener=$(((listener - small_listener) / 32)) dialer=$(((dialer - small_dialer) / 32))
	echo "per MiB: listener $listener, dialer $dialer"
	[ "$listener" -le 15 ]
	[ "$dialer" -le 20 ]
}
