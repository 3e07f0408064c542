#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How streams and their programs end: when the exit code is 0, and what a program sees of a stream that is cut off.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	here=$BATS_TEST_DIRNAME
	new_key srv
	srv=$id
	new_key cli
	at=(-k srv -a /ip4/127.0.0.1/tcp/0)
	dial=(timeout $((30 * GN_SLOW)) gn-dial -k cli)
}

teardown() {
	exec 6>&- 7>&-
	kill_all
}

has_size() { [ "$(stat -c %s "$2" 2>/dev/null || echo 0)" -ge "$1" ]; }
is_empty_group() { ! kill -0 -- "-$1" 2>/dev/null; }

# slow_path RATE: sets $slow to an address that leads to $addr over a path with that many bytes per second.
slow_path() {
	local port=${addr#*/tcp/} own
	mkfifo path
	python3 "$here/slow_path.py" "${port%%/*}" "$1" >path 3>&- &
	pids+=($!)
	read -rt $((10 * GN_SLOW)) own <path
	slow=${addr/"/tcp/${port%%/*}/"/"/tcp/$own/"}
}

# dial_from FIFO ARGS...: starts gn-dial in the background with that fifo, open as 6, as its stdin; sets $peer.
dial_from() {
	local from=$1
	shift
	mkfifo "$from"
	gn-dial -k cli "$@" <"$from" >"$from.out" 2>"$from.err" 3>&- 6>&- 7>&- &
	peer=$!
	pids+=("$peer")
	exec 6>"$from"
}

# ---- success is acknowledged ------------------------------------------------------

@test "an upload on a slow path to a peer that has ended its side is complete, exit code 0" {
	head -c 400000 /dev/urandom >data
	for wire in "--wire raw -F raw" "-F raw"; do
		start gn-listen "${at[@]}" $wire /up/1
		rm -f path
		slow_path 120000
		run -0 --separate-stderr "${dial[@]}" $wire "$slow" /up/1 <data
		until_true 10 has_size 400000 out
		cmp data out
		kill_all
	done
}

@test "an upload that is cut off is exit code 8, with the number of bytes that are not acknowledged" {
	head -c 400000 /dev/urandom >data
	start gn-listen "${at[@]}" --wire raw -F raw /up/1
	slow_path 20000
	gn-dial -k cli --wire raw -F raw "$slow" /up/1 <data 2>dial.err 3>&- &
	peer=$!
	pids+=("$peer")
	until_true 10 has_size 8000 out
	kill -9 "$pid"
	ends_with 8 "$peer"
	assert_regex "$(cat dial.err)" "cut off.* [1-9][0-9]* of 400000 bytes sent are not confirmed|cut off.* [1-9][0-9]* of [0-9]+ bytes sent"
	assert [ "$(sed -n 's/.*but \([0-9]*\) of.*/\1/p' dial.err)" -ge 250000 ]
}

@test "Ctrl-C before the end is acknowledged terminates gn-dial by the signal" {
	head -c 400000 /dev/urandom >data
	start gn-listen "${at[@]}" --wire raw -F raw /up/1
	slow_path 20000
	env --default-signal=INT gn-dial -k cli --wire raw -F raw "$slow" /up/1 <data 2>dial.err 3>&- &
	peer=$!
	pids+=("$peer")
	until_true 10 has_size 8000 out
	kill -INT "$peer"
	ends_with 130 "$peer"
}

# ---- the peer ends its side and leaves ---------------------------------------------

@test "a program gets all of a complete upload even if its sender has left" {
	head -c 200000 /dev/urandom >data
	for signal in TERM KILL; do
		rm -rf go got done in*
		start gn-listen "${at[@]}" /up/1 -- sh -c 'echo up; until [ -e go ]; do sleep .05; done; head -c 70000 >got; sleep .2; cat >>got; : >done'
		gn-dial -k cli --wire raw "$addr" /up/1 <data >in.out 2>in.err 3>&- &
		peer=$!
		pids+=("$peer")
		until_true 10 has_size 3 in.out
		until_true 10 grep -q '^pos:.200000' "/proc/$peer/fdinfo/0" || :
		read -rt $((GN_SLOW / 2)).5 <> <(:) || : # until the rest has reached the peer
		kill "-$signal" "$peer"
		: >go
		until_true 10 test -e done
		cmp data got
		kill_all
	done
}

@test "output for a peer that has left does not end the program, and is counted" {
	start gn-listen "${at[@]}" /up/1 -- sh -c 'cat >got; until [ -e go ]; do sleep .05; done; head -c 300000 /dev/zero && : >done'
	dial_from in --wire raw "$addr" /up/1
	echo all >&6
	exec 6>&-
	until_true 10 has_size 4 got
	read -rt 0.3 <> <(:) || :
	kill -9 "$peer"
	until_true 10 is_gone "$peer"
	: >go
	until_true 10 test -e done
	until_true 10 grep -qE 'all received data is complete, but [1-9][0-9]{5} of [0-9]+ bytes sent are not confirmed' err
}

@test "a program that sends ends when a peer that has sent no data leaves" {
	start gn-listen "${at[@]}" /feed/1 -- sh -c 'echo $$ >group; echo up; exec sleep 1000'
	for signal in KILL TERM; do # the connection breaks; the stream is reset after its end
		gn-dial -k cli --wire raw "$addr" /feed/1 </dev/null >feed 2>/dev/null 3>&- &
		peer=$!
		pids+=("$peer")
		until_true 10 has_size 3 feed
		kill "-$signal" "$peer"
		until_true 10 is_empty_group "$(cat group)"
	done
}

@test "a program that has written nothing ends when a peer that has sent no data leaves" {
	start gn-listen "${at[@]}" /wait/1 -- sh -c 'echo $$ >group; exec sleep 1000'
	for signal in KILL TERM; do
		rm -f group
		gn-dial -k cli --wire raw "$addr" /wait/1 </dev/null 2>/dev/null 3>&- &
		peer=$!
		pids+=("$peer")
		until_true 10 has_size 2 group
		read -rt 0.3 <> <(:) || : # until the end of its side is received
		kill "-$signal" "$peer"
		until_true 10 is_empty_group "$(cat group)"
	done
}

# ---- a reset is not an end-----------------------------------------------------------

@test "a program never takes a truncated upload for a complete one, nor do its children" {
	local programs=(
		'cat >part && mv part complete'
		'cat | (cat >part && mv part complete)'
		'trap "" TERM; cat >part && mv part complete'
		'trap "exit 0" TERM; exec 3<&0; (cat <&3 >part && mv part complete) & wait'
		'exec 3<&0; (cat <&3 >part && mv part complete) & exec >&-; exit 0'
		'exec 3<&0; (trap "" TERM; cat <&3 >part && mv part complete) & cat >/dev/null'
		'exec 3<&0; (cat <&3 >part && mv part complete) & while [ ! -s part ]; do sleep .05; done; exit 7'
		'(sleep .1; kill -STOP 0) & cat >part && mv part complete'
	)
	for program in "${programs[@]}"; do
		for signal in TERM KILL; do
			rm -f part complete group in*
			start gn-listen "${at[@]}" /up/1 -- sh -c "echo \$\$ >group; $program"
			dial_from in --wire raw "$addr" /up/1
			echo "half of it" >&6
			until_true 10 has_size 2 group
			until_true 10 has_size 1 part || [ "${program#exec}" != "$program" ] || fail "not begun: $program"
			kill "-$signal" "$peer" 2>/dev/null || : # it may have ended, because some of the programs fail
			until_true 10 is_gone "$peer" # it is gone before its input ends
			exec 6>&-
			until_true 10 is_empty_group "$(cat group)" || fail "left: $program"
			[ ! -e complete ] || fail "taken for whole, $signal: $program"
			kill -TERM "$pid"
			ends_with 0 "$pid"
			is_empty_group "$(cat group)"
			[ ! -e complete ] || fail "taken for whole at the end, $signal: $program"
			kill_all
		done
	done
}

@test "gn-dial's program never takes a truncated answer for a complete one, nor do its children" {
	start gn-listen "${at[@]}" /half/1 -- sh -c 'echo half; until [ -e cut ]; do sleep .05; done; exit 3'
	for program in 'cat <&6 >part && mv part complete' 'cat <&6 | (cat >part && mv part complete)' \
		'trap "" TERM; cat <&6 >part && mv part complete' '(cat <&6 >part && mv part complete) & wait'; do
		rm -f cut part complete
		gn-dial -k cli "$addr" /half/1 -- sh -c "$program" 2>/dev/null 3>&- &
		peer=$!
		pids+=("$peer")
		until_true 10 has_size 5 part
		: >cut
		ends_with 8 "$peer"
		refute [ -e complete ]
	done
}

@test "when gn-dial gets a signal its program has ended before its input closes" {
	start gn-listen "${at[@]}" /half/1 -- sh -c 'echo half; sleep 1000'
	gn-dial -k cli "$addr" /half/1 -- sh -c 'trap "" TERM; cat <&6 | (cat >part && mv part complete)' 2>/dev/null 3>&- &
	peer=$!
	pids+=("$peer")
	until_true 10 has_size 5 part
	kill -TERM "$peer"
	ends_with 143 "$peer"
	refute [ -e complete ]
}

# ---- a terminal ----------------------------------------------------------------------

# on_terminal NAME COMMAND...: starts the command in the background on a terminal; each line to 7 types a Ctrl-C; sets $pid.
on_terminal() {
	local name=$1
	shift
	mkfifo "$name.keys"
	python3 "$here/on_terminal.py" "$@" <"$name.keys" >"$name.screen" 2>"$name.err" 3>&- 6>&- 7>&- &
	pid=$!
	pids+=("$pid")
	exec 7>"$name.keys"
}

listen_on_terminal() {
	on_terminal listen gn-listen "${at[@]}" "$@"
	until_true 10 grep -q 'listening on' listen.screen
	addr=$(sed -n 's/.*listening on \(\S*\).*/\1/p' listen.screen | head -n1 | tr -d '\r')
}

@test "after Ctrl-C at gn-listen's terminal the programs may end by themselves" {
	listen_on_terminal --drain 60 /slow/1 -- sh -c 'echo start; until [ -e go ]; do sleep .05; done; echo end'
	gn-dial -k cli --wire raw "$addr" /slow/1 </dev/null >got 2>got.err 3>&- 7>&- &
	peer=$!
	pids+=("$peer")
	until_true 10 has_size 6 got
	refute grep -q ending listen.screen
	echo >&7
	until_true 10 grep -q 'ending: open streams have 60.0 s; a second signal resets them' listen.screen
	until_true 10 refused
	: >go
	ends_with 0 "$peer"
	assert_equal "$(cat got)" $'start\nend'
	ends_with 0 "$pid"
}

refused() { ! gn-dial -k cli -w 2 --ping=1 "$addr" >/dev/null 2>&1; }

@test "a second Ctrl-C ends the programs and all of their processes" {
	listen_on_terminal --drain 60 /slow/1 -- sh -c 'echo $$ >group; echo start; trap "" TERM; sleep 1000 | cat'
	gn-dial -k cli --wire raw "$addr" /slow/1 </dev/null >got 2>got.err 3>&- 7>&- &
	peer=$!
	pids+=("$peer")
	until_true 10 has_size 6 got
	echo >&7
	until_true 10 refused
	kill -0 -- "-$(cat group)"
	echo >&7
	ends_with 130 "$pid"
	is_empty_group "$(cat group)"
	ends_with 8 "$peer"
}

@test "gn-dial on a terminal ends soon after the peer's program without waiting for input" {
	start gn-listen "${at[@]}" /time/1 -- date
	on_terminal dial gn-dial -k cli --wire raw -F raw "$addr" /time/1
	ends_with 0 "$pid"
	grep -q : dial.screen
}

# ---- programs that stop reading --------------------------------------------------------

@test "gn-dial ends with 8 and a line when the peer's program stops reading" {
	start gn-listen "${at[@]}" /one/1 -- head -n1
	run -0 --separate-stderr bash -c "yes | { timeout $((20 * GN_SLOW)) gn-dial -k cli --wire raw -F raw $addr /one/1; echo \$? >code; }"
	assert_output y
	assert_equal "$(cat code)" 8
	assert_regex "$stderr" "the program at the other end stopped reading: [1-9][0-9]* bytes were not delivered"
}

@test "an open input to a program that has ended is exit code 0 if everything was acknowledged" {
	start gn-listen "${at[@]}" /one/1 -- head -n1
	dial_from in --wire raw "$addr" /one/1
	echo one >&6
	ends_with 0 "$peer"
	assert_equal "$(cat in.out)" one
}

@test "the end of a program frees its place at once, even if the peer's side stays open" {
	start gn-listen "${at[@]}" -c 1 /one/1 -- head -n1
	dial_from in --wire raw "$addr" /one/1
	echo one >&6
	until_true 10 has_size 4 in.out
	for word in two three four; do
		run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /one/1 <<<"$word"
		assert_output "$word"
	done
}

# ---- child processes of programs ---------------------------------------------------------

@test "a process that a program leaves behind outlives the stream and ends with gn-listen" {
	start gn-listen "${at[@]}" /job/1 -- sh -c 'echo $$ >group; sleep 1000 </dev/null >/dev/null 2>&1 & cat'
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /job/1 <<<hello
	assert_output hello
	kill -0 -- "-$(cat group)"
	kill -TERM "$pid"
	ends_with 0 "$pid"
	is_empty_group "$(cat group)"
}

@test "after SIGTERM a program whose peer has left has the time of --drain to end" {
	start gn-listen "${at[@]}" --drain 60 /up/1 -- sh -c 'cat >got; until [ -e go ]; do sleep .05; done; : >done'
	dial_from in --wire raw "$addr" /up/1
	echo all >&6
	exec 6>&-
	until_true 10 has_size 4 got
	read -rt 0.3 <> <(:) || :
	kill -9 "$peer"
	kill -TERM "$pid"
	read -rt 0.5 <> <(:) || :
	kill -0 "$pid"
	: >go
	ends_with 0 "$pid"
	[ -e done ]
}

# ---- --recv-only ---------------------------------------------------------------------------

@test "--recv-only ends this side after the peer's, and no data is lost" {
	head -c 3000000 /dev/urandom >data
	start gn-listen "${at[@]}" --recv-only --wire raw -F raw /up/1
	run -0 "${dial[@]}" --wire raw "$addr" /up/1 -- bash -c \
		'read -rt 0.5 <&6; [ $? -gt 128 ] || exit 9; cat data >&7; exec 7>&-; cat <&6'
	until_true 10 has_size 3000000 out
	cmp data out
	kill_all
	start gn-listen "${at[@]}" /down/1 -- bash -c \
		'read -rt 0.5; [ $? -gt 128 ] && echo open >seen; cat data; exec >&-; cat >/dev/null'
	run -0 --separate-stderr bash -c "${dial[*]} --recv-only --wire raw -F raw $addr /down/1 >got </dev/null"
	cmp data got
	[ -e seen ]
}

@test "--recv-only works with frames and is refused with a program" {
	start gn-listen "${at[@]}" --recv-only -F line /notes/1
	for i in 1 2; do
		run -0 "${dial[@]}" -F line "$addr" /notes/1 <<<"line $i"
	done
	until_true 10 has_size 14 out
	run -2 gn-listen --recv-only /x/1 -- cat
	run -2 gn-dial --recv-only "$addr" /x/1 -- cat
}

@test "an empty stdin ends this side at once" {
	start gn-listen "${at[@]}" /sort/1 -- sh -c 'cat; echo answer'
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /sort/1 </dev/null
	assert_output answer
}
