#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Exit code 0 means that all of standard input was delivered: input that the peer does not take is exit code 8, whenever
# it arrives.  The last part tests what exit code 0 means with raw streams.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	new_key cli
	at=(-l -k srv)
	lo=/ip4/127.0.0.1/tcp/0
	cat=(gn-cat -k cli)
	echo from-listener >f
	mkfifo in
}

teardown() {
	kill_all
}

# Starts a dialer whose stdin is fd 6, which stays open without data; sets $peer.  Its output is in back, its stderr in err2.
silent() {
	exec 6<>in
	"$@" <in >back 2>err2 3>&- 6>&- &
	peer=$!
	pids+=("$peer")
	exec 7>in 6>&-
}

on_tty() { script -qfec "$1" tty </dev/null >/dev/null; }

# ---- a peer that only sends ------------------------------------------------------

@test "a byte that is read after a send-only peer has ended is exit code 8" {
	input=f start gn-cat "${at[@]}" --send-only $lo
	silent "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	until_true 10 grep -q "waiting for standard input to end" err2
	refute is_gone "$peer"
	echo late >&7
	ends_with 8 "$peer"
	exec 7>&-
	grep -q "only sends; what standard input has was not taken" err2
	assert_equal "$(cat back)" from-listener
}

@test "an empty standard input that ends late is exit code 0" {
	input=f start gn-cat "${at[@]}" --send-only $lo
	silent "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	refute is_gone "$peer"
	exec 7>&-
	ends_with 0 "$peer"
	assert_equal "$(cat back)" from-listener
}

@test "a byte that is read before a send-only peer has ended is exit code 8" {
	input=f start gn-cat "${at[@]}" --send-only $lo
	silent "${cat[@]}" "$addr"
	echo early >&7
	ends_with 8 "$peer"
	exec 7>&-
}

@test "a listener whose dialer only sends behaves the same" {
	exec 6<>in
	input=in start gn-cat "${at[@]}" $lo 6>&-
	exec 7>in 6>&-
	run -0 "${cat[@]}" --send-only "$addr" <f
	refute is_gone "$pid"
	echo late >&7
	ends_with 8 "$pid"
	exec 7>&-
	assert_equal "$(cat out)" from-listener
}

@test "with --keep unread input goes to the next stream" {
	exec 6<>in
	input=in start gn-cat "${at[@]}" --keep $lo 6>&-
	exec 7>in 6>&-
	run -0 "${cat[@]}" --send-only "$addr" <f
	echo for-the-next >&7
	exec 7>&-
	run -0 "${cat[@]}" --recv-only "$addr"
	assert_output for-the-next
}

@test "the end of a terminal's input is not awaited" {
	input=f start gn-cat "${at[@]}" --send-only $lo
	run -0 on_tty "gn-cat -k cli '$addr'"
	ends_with 0 "$pid"
}

@test "while standard input is awaited, -i is exit code 5 and a signal terminates" {
	input=f start gn-cat "${at[@]}" --send-only $lo
	silent "${cat[@]}" -i 0.5 "$addr"
	ends_with 5 "$peer"
	exec 7>&-
	input=f start gn-cat "${at[@]}" --send-only $lo
	silent "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	kill -TERM "$peer"
	ends_with 143 "$peer"
	exec 7>&-
}

# ---- raw streams: 0 is an acknowledgement -----------------------------------------

# has_written PID BYTES: the process has written more than that many bytes.
has_written() { [ "$(sed -n 's/^wchar: //p' "/proc/$1/io")" -gt "$2" ]; }

# Starts a listener whose program writes a line, closes its output and does not read.  Starts the dialer with stdin from
# fd 7 and waits until it has received the program's end.
half_ended() {
	start gn-listen -k srv -a $lo --wire raw /x/1 -- sh -c 'echo some; exec >&-; exec sleep 60'
	mkfifo got
	exec 6<>in
	"${cat[@]}" -p /x/1 "$addr" <in >got 2>err2 3>&- 6>&- &
	peer=$!
	pids+=("$peer")
	exec 7>in 6>&-
	assert_equal "$(cat got)" some # standard output was closed, so the end was received
}

@test "-p: a peer that ends and stops reading before it acknowledged everything is exit code 8, with the numbers" {
	half_ended
	head -c 10000000 /dev/zero >&7 3>&- &
	pids+=($!)
	exec 7>&-
	until_true 10 has_written "$!" 500000
	kill -9 "$pid"
	ends_with 8 "$peer"
	grep -Eq "the peer stopped reading: it has confirmed [0-9]+ of [1-9][0-9]* bytes" err2
}

@test "-p: a peer that ends and leaves is exit code 0 if standard input was empty" {
	half_ended
	kill -9 "$pid"
	until_true 10 grep -q "waiting for standard input to end" err2
	exec 7>&-
	ends_with 0 "$peer"
}

@test "-p: a byte that is read after the peer has ended and left is exit code 8" {
	half_ended
	kill -9 "$pid"
	until_true 10 grep -q "waiting for standard input to end" err2
	echo late >&7
	ends_with 8 "$peer"
	exec 7>&-
}

@test "-p: a peer that acknowledges everything, ends and leaves is exit code 0 without further input" {
	half_ended
	echo early >&7
	# the acknowledgement is requested only once, which cannot be observed from outside
	until_true 10 test "$(gn-dial -k cli --ping=1 "$addr" | wc -l)" -gt 0
	kill -9 "$pid"
	until_true 10 grep -q "waiting for standard input to end" err2
	exec 7>&-
	ends_with 0 "$peer"
}

@test "-p: the loss of a peer that has not ended is exit code 8, with the numbers" {
	start gn-listen -k srv -a $lo --wire raw /x/1 -- sh -c 'exec sleep 60'
	silent "${cat[@]}" -v -p /x/1 "$addr"
	echo data >&7
	exec 7>&-
	until_true 10 grep -q opened err2
	until_true 10 pgrep -P "$pid" sleep
	kill -9 "$pid"
	ends_with 8 "$peer"
	grep -Eq "data may be short: .*confirmed [05] of 5 bytes" err2
}

# The peer's program records what it sees on its stdin while it still writes.
asks='rc=0; read -rt 0.5 || rc=$?; [ "$rc" -gt 128 ] && echo open || echo ended; exec >&-; cat >rest; echo came >came'

@test "-p --recv-only: this side ends only when everything was received" {
	start gn-listen -k srv -a $lo --wire raw /x/1 -- bash -c "$asks"
	run -0 "${cat[@]}" -p /x/1 --recv-only "$addr"
	assert_output open
	until_true 10 grep -q came came
	rm came
	# the same with a terminal as stdin
	run -0 on_tty "gn-cat -k cli -p /x/1 '$addr' >back"
	assert_equal "$(cat back)" open
	until_true 10 grep -q came came
	# without --recv-only the end of an empty input is sent at once
	run -0 "${cat[@]}" -p /x/1 "$addr" </dev/null
	assert_output ended
}

@test "-l -p --recv-only: a listener's side ends only when everything was received" {
	start gn-cat "${at[@]}" -p /x/1 --recv-only $lo
	run -0 gn-dial -k cli --wire raw -F raw "$addr" /x/1 -- bash -c 'rc=0; read -rt 0.5 <&6 || rc=$?; [ "$rc" -gt 128 ] && echo open >&7 || echo ended >&7'
	ends_with 0 "$pid"
	assert_equal "$(cat out)" open
}
