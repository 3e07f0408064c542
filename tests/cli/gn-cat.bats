#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	srv=$id
	new_key cli
	cli=$id
	at=(-l -k srv)
	lo=/ip4/127.0.0.1/tcp/0
	cat=(gn-cat -k cli)
}

teardown() {
	kill_all
}

# bg IN OUT ARGS...: starts gn-cat in the background with stderr in err2; sets $peer.
bg() {
	local in=$1 out=$2
	shift 2
	env --default-signal=INT,HUP "$@" <"$in" >"$out" 2>err2 3>&- 6>&- 7>&- &
	peer=$!
	pids+=("$peer")
}

# Starts a dialer that has sent a line and keeps its stream open; fd 6 is its stdin.
hold() {
	mkfifo held
	bg held held.out "${cat[@]}" "$@"
	exec 6>held
	echo hold >&6
}

some() { head -c "$1" /dev/urandom; }

# ---- data -----------------------------------------------------------------------

@test "chunks of any size are whole at a reader that takes few bytes at a time" {
	some 5000000 >f
	mkfifo out
	dd bs=97 <out >copy 2>/dev/null 3>&- &
	reader=$!
	pids+=("$reader")
	start gn-cat "${at[@]}" $lo
	dd if=f bs=1000 2>/dev/null | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	ends_with 0 "$reader"
	cmp f copy
}

@test "a file goes from the dialer to the listener" {
	some 20000000 >f
	start gn-cat "${at[@]}" $lo
	run -0 --separate-stderr "${cat[@]}" "$addr" <f
	assert_output ""
	ends_with 0 "$pid"
	cmp f out
}

@test "a file goes from the listener to the dialer" {
	some 20000000 >f
	input=f start gn-cat "${at[@]}" $lo
	"${cat[@]}" "$addr" </dev/null >back
	ends_with 0 "$pid"
	cmp f back
}

@test "data goes both ways at once" {
	some 9000000 >f
	some 12345678 >g
	input=f start gn-cat "${at[@]}" $lo
	"${cat[@]}" "$addr" <g >back
	ends_with 0 "$pid"
	cmp f back
	cmp g out
}

@test "an empty transfer in both directions is exit code 0" {
	start gn-cat "${at[@]}" $lo
	run -0 --separate-stderr "${cat[@]}" "$addr" </dev/null
	assert_output ""
	ends_with 0 "$pid"
	assert_equal "$(wc -c <out)" 0
}

@test "sizes around those of the buffers go through pipes unchanged" {
	start gn-cat "${at[@]}" --keep $lo
	: >all
	for n in 1 127 128 65503 65507 65508 131072 262023 262024 262025 262144 524048 1048577; do
		some $n >f
		cat f >>all
		cat f | "${cat[@]}" "$addr"
	done
	kill -TERM "$pid"
	ends_with 0 "$pid"
	cmp all out
}

@test "a byte is delivered as soon as it is read" {
	mkfifo in
	start gn-cat "${at[@]}" $lo
	bg in out2 "${cat[@]}" "$addr"
	exec 6>in
	for w in one two three; do
		echo $w >&6
		until_true 10 grep -q $w out
	done
	exec 6>&-
	ends_with 0 "$peer"
	ends_with 0 "$pid"
}

@test "after a half-close the answer is still received" {
	mkfifo answer
	exec 7<>answer
	input=answer start gn-cat "${at[@]}" $lo 7>&-
	some 3000000 >f
	bg f back "${cat[@]}" "$addr"
	until_true 10 cmp -s f out
	echo answer >&7
	exec 7>&-
	ends_with 0 "$peer"
	ends_with 0 "$pid"
	assert_equal "$(cat back)" answer
}

@test "a slow reader delays the sender and gets everything" {
	mkfifo out
	exec 7<>out
	some 30000000 >f
	start gn-cat "${at[@]}" $lo
	bg f out2 "${cat[@]}" "$addr"
	head -c 100000 <&7 >got
	refute is_gone "$peer"
	head -c 29900000 <&7 >>got
	ends_with 0 "$peer"
	ends_with 0 "$pid"
	cmp f got
}

# ---- admission ------------------------------------------------------------------

@test "by default the address contains a token, and is one word" {
	start gn-cat "${at[@]}" --keep $lo
	assert_regex "$addr" "^/ip4/127\.0\.0\.1/tcp/[1-9][0-9]*/p2p/$srv#[a-z2-7]{26}\$"
	grep -qF "listening on $addr" err
	run -7 "${cat[@]}" "${addr%#*}" </dev/null
	assert_output --partial "wants a token"
	run -7 "${cat[@]}" "${addr%#*}#aaaaaaaaaaaaaaaaaaaaaaaaaa" </dev/null
	assert_output --partial "token is wrong"
	run -0 gn-dial -k cli --identify "$addr"
	refute_output --partial "/gn/cat/"
	echo right | "${cat[@]}" "$addr"
	assert_equal "$(cat out)" right
	token=${addr#*#}
	kill_all
	start gn-cat "${at[@]}" $lo
	refute [ "${addr#*#}" = "$token" ]
}

@test "--open uses no token, and prints that everyone is let in" {
	start gn-cat "${at[@]}" --keep --open $lo
	assert_regex "$addr" "/p2p/$srv\$"
	run -0 gn-dial -k cli --identify "$addr"
	assert_line "protocol /gn/cat/1.0.0"
	echo hi | "${cat[@]}" "$addr"
	assert_equal "$(cat out)" hi
}

@test "--allow refuses other peers with exit code 4 and a line, and the listener continues" {
	start gn-cat "${at[@]}" --allow "$cli" $lo
	assert_regex "$addr" "/p2p/$srv\$"
	new_key other
	run -4 gn-cat -k other "$addr" </dev/null
	until_true 10 grep -q "refused $id at /ip4/127.0.0.1/tcp/" err
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	assert_equal "$(cat out)" hi
}

@test "--allow may be repeated" {
	new_key other
	start gn-cat "${at[@]}" --keep --allow "$id" --allow "$cli" $lo
	echo a | gn-cat -k other "$addr"
	echo b | "${cat[@]}" "$addr"
	run -4 gn-cat "$addr" </dev/null
	until_true 10 test "$(wc -l <out)" = 2
}

@test "a connection that fails does not end the listener" {
	start gn-cat "${at[@]}" $lo
	port=${addr#*/tcp/}
	port=${port%%/*}
	echo GET / | socat -t 0.1 - TCP:127.0.0.1:"$port" >/dev/null || :
	socat -u /dev/null TCP:127.0.0.1:"$port"
	run -7 "${cat[@]}" "${addr%#*}" </dev/null
	run -0 gn-dial -k cli --ping=1 "$addr"
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	assert_equal "$(cat out)" hi
}

# ---- one stream, and --keep -------------------------------------------------------

@test "-l serves one stream and then closes the port" {
	start gn-cat "${at[@]}" $lo
	hold "$addr"
	until_true 10 test -s out
	run -3 "${cat[@]}" "$addr" </dev/null
	exec 6>&-
	ends_with 0 "$peer"
	ends_with 0 "$pid"
}

@test "with --keep other streams are accepted, wait, and get their turn" {
	start gn-cat "${at[@]}" --keep $lo
	hold "$addr"
	first=$peer
	until_true 10 grep -q hold out
	bg <(echo second) out3 "${cat[@]}" -v -w 5 "$addr"
	until_true 10 grep -q opened err2
	refute grep -q second out
	exec 6>&-
	ends_with 0 "$first"
	ends_with 0 "$peer"
	assert_equal "$(cat out)" "hold
second"
	kill -TERM "$pid"
	ends_with 0 "$pid"
}

@test "with --keep a waiting stream that left is skipped, and one that is cut off is a line" {
	start gn-cat "${at[@]}" --keep $lo
	hold "$addr"
	first=$peer
	until_true 10 grep -q hold out
	bg <(echo second) out3 "${cat[@]}" -v "$addr"
	until_true 10 grep -q opened err2
	kill -TERM "$peer"
	ends_with 143 "$peer"
	kill -9 "$first"
	until_true 10 grep -q "cut off, data may be short" err
	echo third | "${cat[@]}" "$addr"
	assert_equal "$(cat out)" "hold
third"
}

# ---- raw, for any libp2p program --------------------------------------------------

@test "-p carries raw bytes to a program at the other end" {
	start gn-listen -k srv -a $lo --wire raw /echo/1 -- cat
	some 5000000 >f
	"${cat[@]}" -p /echo/1 "$addr" <f >back
	cmp f back
	run -7 "${cat[@]}" -p /other/1 "$addr" <f
}

@test "-l -p carries raw bytes without a token" {
	some 3000000 >f
	input=f start gn-cat "${at[@]}" -p /x/1 $lo
	assert_regex "$addr" "/p2p/$srv\$"
	some 4000000 >g
	gn-dial -k cli --wire raw -F raw "$addr" /x/1 <g >back
	ends_with 0 "$pid"
	cmp f back
	cmp g out
}

@test "-p at both ends allows a half-close in each direction" {
	some 3000000 >f
	start gn-cat "${at[@]}" --keep -p /x/1 $lo
	"${cat[@]}" -p /x/1 "$addr" <f
	until_true 10 cmp -s f out
	kill_all
	input=f start gn-cat "${at[@]}" -p /x/1 $lo
	"${cat[@]}" -p /x/1 "$addr" </dev/null >back
	ends_with 0 "$pid"
	cmp f back
}

@test "-p: a reset is exit code 8" {
	start gn-listen -k srv -a $lo --wire raw /bad/1 -- sh -c 'echo some; exit 3'
	run -8 --separate-stderr "${cat[@]}" -p /bad/1 "$addr" </dev/null
	assert_regex "$stderr" "cut off, data may be short"
}

# ---- addresses ---------------------------------------------------------------------

@test "without ADDR it listens on all interfaces and prints complete addresses" {
	start gn-cat -l -k srv
	assert_regex "$addr" "^/ip[46]/[^/]+/tcp/[1-9][0-9]*/p2p/$srv#"
	run -0 grep -c "listening on /ip4/127.0.0.1/tcp/[1-9]" err
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	assert_equal "$(cat out)" hi
}

@test "several ADDR are listened on, and one that fails is named in a line" {
	start gn-cat "${at[@]}" --keep $lo $lo
	assert_equal "$(grep -c 'listening on' err)" 2
	port=${addr#*/tcp/}
	run -1 gn-cat "${at[@]}" "/ip4/127.0.0.1/tcp/${port%%/*}"
	assert_output --partial "cannot listen on /ip4/127.0.0.1/tcp/${port%%/*}"
	run -1 gn-cat "${at[@]}" /ip4/192.0.2.1/tcp/0
	assert_equal "${#lines[@]}" 1
}

@test "an IPv6 address works" {
	[ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || skip "this host has no IPv6"
	start gn-cat "${at[@]}" /ip6/::1/tcp/0
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	assert_equal "$(cat out)" hi
}

# ---- terminals -----------------------------------------------------------------------

# on_tty COMMAND: runs it with a terminal for all descriptors that it does not redirect; the terminal's output is in tty.
on_tty() { script -qfec "$1" tty </dev/null >/dev/null; }
# The same in the background.  When it is killed, the terminal of the command hangs up.
on_tty_bg() {
	script -qfec "$1" tty </dev/null >/dev/null 3>&- &
	peer=$!
	pids+=("$peer")
}

@test "on a terminal -l prints the command for the other host" {
	on_tty_bg "gn-cat -l -k srv $lo"
	until_true 10 grep -q "^    gn-cat /ip4" tty
	line=$(grep "^    gn-cat" tty | tr -d '\r')
	echo hi | $line -k cli
	ends_with 0 "$peer"
	grep -q "^hi" tty
}

@test "on a terminal -l -p prints the command, too" {
	on_tty_bg "gn-cat -l -p /x/1 -k srv $lo"
	until_true 10 grep -q "^    gn-cat -p /x/1 /ip4" tty
}

@test "with a terminal only on stdin it only receives" {
	start gn-cat "${at[@]}" $lo
	kill_all
	echo data >f
	input=f start gn-cat "${at[@]}" $lo
	# the terminal's input never ends, which does not matter here
	run -0 on_tty "gn-cat -k cli '$addr' >back"
	ends_with 0 "$pid"
	assert_equal "$(cat back)" data
}

@test "with a terminal only on stdout it only sends" {
	some 100000 >f
	mkfifo never
	exec 7<>never
	input=never start gn-cat "${at[@]}" --recv-only $lo
	run -0 on_tty "gn-cat -k cli '$addr' <f"
	ends_with 0 "$pid"
	cmp f out
}

@test "--recv-only does not read standard input" {
	echo data >f
	mkfifo never
	exec 7<>never
	input=f start gn-cat "${at[@]}" $lo
	bg never back "${cat[@]}" --recv-only "$addr"
	ends_with 0 "$peer"
	ends_with 0 "$pid"
	assert_equal "$(cat back)" data
}

@test "--send-only ends when all data is written out, and the peer is notified of data that it lost" {
	some 100000 >f
	echo lost >g
	input=g start gn-cat "${at[@]}" $lo
	run -0 --separate-stderr "${cat[@]}" --send-only "$addr" <f
	assert_output ""
	ends_with 8 "$pid"
	cmp f out
	grep -q "the peer only sends" err
}

@test "--progress shows the bytes and the rate" {
	some 3000000 >f
	start gn-cat "${at[@]}" $lo
	run -0 --separate-stderr "${cat[@]}" --progress "$addr" <f
	assert_regex "$stderr" "2\.86M [0-9.]+[KMG]/s [0-9:]+ direct"
	kill_all
	start gn-cat "${at[@]}" $lo
	run -0 --separate-stderr "${cat[@]}" "$addr" <f
	assert_equal "$stderr" ""
}

@test "progress is shown by default only on a terminal that carries no data" {
	some 3000000 >f
	start gn-cat "${at[@]}" --keep $lo
	on_tty "gn-cat -k cli '$addr' <f"
	grep -q "2.86M .* direct" tty
	on_tty "gn-cat -v -k cli '$addr'"
	grep -q "opened, direct" tty
	refute grep -q "B/s" tty
}

# ---- ends ------------------------------------------------------------------------------

@test "a full disk at the listener is exit code 1 there and 8 at the dialer, with a line at both" {
	ln -s /dev/full out
	some 3000000 >f
	start gn-cat "${at[@]}" $lo
	run -8 "${cat[@]}" "$addr" <f
	assert_output --partial "no space left"
	ends_with 1 "$pid"
	grep -q "standard output: No space left on device" err
}

@test "a full disk at the dialer is exit code 1 there and 8 at the listener" {
	some 3000000 >f
	input=f start gn-cat "${at[@]}" $lo
	run -1 --separate-stderr bash -c "gn-cat -k cli '$addr' </dev/null >/dev/full"
	assert_regex "$stderr" "standard output: No space left on device"
	ends_with 8 "$pid"
	grep -q "no space left" err
}

@test "a full disk is reported at once even if the input does not end" {
	ln -s /dev/full out
	mkfifo never
	exec 7<>never
	input=never start gn-cat "${at[@]}" $lo
	hold "$addr"
	ends_with 1 "$pid"
	ends_with 8 "$peer"
}

@test "a full disk ends --keep with exit code 1" {
	ln -s /dev/full out
	start gn-cat "${at[@]}" --keep $lo
	run -8 "${cat[@]}" "$addr" <<<data
	ends_with 1 "$pid"
}

@test "a closed stdout is exit code 1 without a message, and 8 at the other end" {
	some 3000000 >f
	input=f start gn-cat "${at[@]}" $lo
	run -0 bash -c "{ gn-cat -k cli '$addr' </dev/null 2>messages; echo \$? >code; } | head -c 10 >/dev/null"
	assert_equal "$(cat code)" 1
	assert_equal "$(cat messages)" ""
	ends_with 8 "$pid"
	grep -q "output has no reader any more" err
}

@test "a stdin that cannot be read is exit code 1, and 8 at the other end" {
	start gn-cat "${at[@]}" $lo
	run -1 "${cat[@]}" "$addr" <.
	assert_output --partial "standard input: Is a directory"
	ends_with 8 "$pid"
}

@test "on SIGTERM, SIGINT and SIGHUP a dialer resets the stream and is terminated by the signal" {
	for sig in TERM:143 INT:130 HUP:129; do
		rm -f held
		start gn-cat "${at[@]}" $lo
		hold "$addr"
		until_true 10 test -s out
		kill "-${sig%:*}" "$peer"
		ends_with "${sig#*:}" "$peer"
		exec 6>&-
		ends_with 8 "$pid"
		grep -q "cut off, data may be short" err
	done
}

@test "SIGTERM during a dial terminates the dialer" {
	socat -u TCP-LISTEN:0,bind=127.0.0.1,fork OPEN:/dev/null 2>/dev/null 3>&- &
	pids+=($!)
	until_true 10 has_port "$!"
	bg /dev/null out2 "${cat[@]}" "/ip4/127.0.0.1/tcp/$port/p2p/$srv"
	until_true 10 is_connected "$port"
	kill -TERM "$peer"
	ends_with 143 "$peer"
}

# port_of PID: sets $port to the port on which the process listens.
has_port() {
	local inode
	inode=$(readlink /proc/"$1"/fd/* 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p' | paste -sd '|')
	[ -n "$inode" ] || return 1
	port=$(awk -v want="^($inode)\$" '$4 == "0A" && $10 ~ want { split($2, a, ":"); print a[2]; exit }' /proc/net/tcp)
	[ -n "$port" ] || return 1
	port=$((16#$port))
}

is_connected() { awk -v p="$(printf ':%04X' "$1")" '$4 == "01" && $3 ~ p "$" { n++ } END { exit !n }' /proc/net/tcp; }

# Starts a listener with default signal actions, whatever those of the test are; sets $pid and $addr.
start_default() {
	rm -f ready
	mkfifo ready
	exec 8<>ready
	env --default-signal=INT,HUP gn-cat "$@" --ready-fd 9 9>ready </dev/null >out 2>err 3>&- 8>&- &
	pid=$!
	pids+=("$pid")
	read -rt $((10 * GN_SLOW)) addr <&8
	exec 8<&-
}

@test "a listener that has served no stream is terminated by SIGTERM, SIGINT and SIGHUP" {
	for sig in TERM:143 INT:130 HUP:129; do
		for keep in "" --keep; do
			start_default "${at[@]}" $keep $lo
			run -7 "${cat[@]}" "${addr%#*}" </dev/null # a peer without the token does not count as served
			kill "-${sig%:*}" "$pid"
			ends_with "${sig#*:}" "$pid"
		done
	done
}

@test "with --keep SIGTERM, SIGINT and SIGHUP are exit code 0 after streams were served" {
	for sig in TERM INT HUP; do
		start_default "${at[@]}" --keep $lo
		echo data | "${cat[@]}" "$addr"
		kill -$sig "$pid"
		ends_with 0 "$pid"
	done
}

@test "a stream that does not end in time after a signal is exit code 8, also with --keep" {
	for keep in "" --keep; do
		rm -f held
		start_default "${at[@]}" $keep $lo
		hold "$addr"
		until_true 10 test -s out
		kill -INT "$pid"
		ends_with 8 "$pid"
		ends_with 8 "$peer"
		exec 6>&-
	done
}

@test "a script does not continue after an interrupted receiver" {
	cat >script <<-'E'
		gn-cat -l -k srv /ip4/127.0.0.1/tcp/0 >backup 2>messages && touch went
	E
	cat >on_pty.py <<-'E'
		import os, pty, select, signal, time
		pid, fd = pty.fork()
		if pid == 0:
		    signal.signal(signal.SIGINT, signal.SIG_DFL)
		    os.execvp("bash", ["bash", "script"])
		end, sent = time.time() + 20, False
		while time.time() < end:
		    if not sent and os.path.exists("messages") and b"listening" in open("messages", "rb").read():
		        os.write(fd, b"\x03")
		        sent = True
		    if select.select([fd], [], [], 0.05)[0]:
		        try:
		            if not os.read(fd, 4096):
		                break
		        except OSError:
		            break
		os._exit(0 if sent else 1)
	E
	run -0 python3 on_pty.py
	refute [ -e went ]
}

@test "after SIGTERM a listener lets its stream end and accepts no other" {
	start gn-cat "${at[@]}" $lo
	hold "$addr"
	until_true 10 test -s out
	kill -TERM "$pid"
	run -3 "${cat[@]}" "$addr" </dev/null
	echo more >&6
	exec 6>&-
	ends_with 0 "$peer"
	ends_with 0 "$pid"
	assert_equal "$(cat out)" "hold
more"
}

@test "a second signal ends a listener at once" {
	start gn-cat "${at[@]}" -v $lo
	hold "$addr"
	until_true 10 test -s out
	kill -TERM "$pid"
	until_true 10 grep -q "ending:" err
	kill -TERM "$pid"
	ends_with 143 "$pid"
	exec 6>&-
	ends_with 8 "$peer"
}

@test "a killed listener is exit code 8 at the dialer" {
	start gn-cat "${at[@]}" $lo
	hold "$addr"
	until_true 10 test -s out
	kill -9 "$pid"
	ends_with 8 "$peer"
	exec 6>&-
	grep -q "cut off, data may be short" err2
}

@test "a killed dialer is exit code 8 at the listener, and received data is written" {
	start gn-cat "${at[@]}" $lo
	hold "$addr"
	until_true 10 test -s out
	kill -9 "$peer"
	ends_with 8 "$pid"
	exec 6>&-
	assert_equal "$(cat out)" hold
}

@test "a peer that is stopped and continued loses no data" {
	# tests/soak tests a peer that is not continued
	start gn-cat "${at[@]}" $lo
	hold "$addr"
	until_true 10 test -s out
	kill -STOP "$pid"
	some 3000000 >f
	cat f >&6 3>&- &
	pids+=($!)
	exec 6>&-
	until_true 10 test "$(wc -c <out)" -gt 0
	kill -CONT "$pid"
	ends_with 0 "$peer"
	ends_with 0 "$pid"
	tail -c 3000000 out | cmp - f
}

@test "-i is exit code 5 when no data moves, and 8 at the other end" {
	start gn-cat "${at[@]}" $lo
	hold -i 0.2 "$addr"
	ends_with 5 "$peer"
	exec 6>&-
	ends_with 8 "$pid"
	grep -q "no byte has moved" err2
}

@test "-w is exit code 5 when the port is silent" {
	socat -u TCP-LISTEN:0,bind=127.0.0.1,fork OPEN:/dev/null 2>/dev/null 3>&- &
	pids+=($!)
	until_true 10 has_port "$!"
	run -5 "${cat[@]}" -w 0.3 "/ip4/127.0.0.1/tcp/$port/p2p/$srv" </dev/null
}

@test "an unreachable peer is exit code 3, and -v prints what was tried" {
	start gn-cat "${at[@]}" $lo
	kill -TERM "$pid"
	ends_with 143 "$pid"
	run -3 --separate-stderr "${cat[@]}" "$addr" </dev/null
	assert_equal "${#stderr_lines[@]}" 1
	run -3 --separate-stderr "${cat[@]}" -v "$addr" </dev/null
	assert_regex "$stderr" "tried ${addr%/p2p/*}.*Connection refused"
	run -3 --separate-stderr "${cat[@]}" -j "$addr" </dev/null
	assert_equal "$(jq -r '.code, .tried[0].error' <<<"$stderr" | tr '\n' ' ')" "3 ECONNREFUSED "
}

@test "several addresses of a peer are raced, and one that is dead costs no time" {
	start gn-cat "${at[@]}" $lo
	dead="/ip4/127.0.0.1/tcp/1/p2p/$srv"
	run -0 --separate-stderr timeout 5 "${cat[@]}" -v "$dead" "$addr" <<<data
	assert_regex "$stderr" "tried $dead .*Connection refused"
	assert_regex "$stderr" "tried ${addr%/p2p/*}.* connected"
	ends_with 0 "$pid"
	assert_equal "$(cat out)" data
}

@test "the token of one of several addresses is used for all" {
	start gn-cat "${at[@]}" $lo
	run -0 timeout 5 "${cat[@]}" "/ip4/127.0.0.1/tcp/1/p2p/$srv#${addr#*#}" "${addr%#*}" <<<data
	ends_with 0 "$pid"
	assert_equal "$(cat out)" data
}

@test "several dead addresses are exit code 3, and -v prints each attempt" {
	dead=("/ip4/127.0.0.1/tcp/1/p2p/$srv" "/ip4/127.0.0.2/tcp/1/p2p/$srv")
	run -3 --separate-stderr timeout 5 "${cat[@]}" -v "${dead[@]}" </dev/null
	assert_regex "$stderr" "${dead[0]} \(and 1 more\): Connection refused"
	assert_equal "$(grep -c 'tried .*Connection refused' <<<"$stderr")" 2
}

@test "another identity than the requested one is exit code 4, and the listener continues" {
	start gn-cat "${at[@]}" $lo
	new_key other
	run -4 "${cat[@]}" "${addr%/p2p/*}/p2p/$id#${addr#*#}" </dev/null
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
}

@test "a violation of the protocol is exit code 9" {
	start gn-listen -k srv -a $lo --wire raw /gn/cat/1.0.0 -- printf '\001\003abc\377'
	run -9 --separate-stderr "${cat[@]}" "$addr" </dev/null
	assert_output abc
	assert_regex "$stderr" "broke the protocol"
}

@test "a peer that ends without a report, or with a false one, is exit code 8" {
	start gn-listen -k srv -a $lo --wire raw /gn/cat/1.0.0 -- printf '\001\003abc'
	run -8 --separate-stderr "${cat[@]}" "$addr" </dev/null
	assert_output abc
	kill_all
	start gn-listen -k srv -a $lo --wire raw /gn/cat/1.0.0 -- sh -c 'head -c 7 >/dev/null; printf "\002\000\003\003"'
	run -8 --separate-stderr "${cat[@]}" "$addr" <<<data
	assert_regex "$stderr" "data may be short"
	kill_all
	start gn-listen -k srv -a $lo --wire raw /gn/cat/1.0.0 -- sh -c 'head -c 9 >/dev/null; printf "\002\000\003\005"'
	run -0 --separate-stderr "${cat[@]}" "$addr" <<<data
}

# ---- the rest -----------------------------------------------------------------------------

@test "-v prints how the peer was reached and how much was received" {
	start gn-cat "${at[@]}" -v $lo
	run -0 "${cat[@]}" -v "$addr" <<<data
	assert_output --regexp "tried /ip4/127.0.0.1/tcp/.* connected"
	assert_output --partial "to $srv at /ip4/127.0.0.1/tcp/"
	assert_output --partial "0 bytes in, 5 out"
	ends_with 0 "$pid"
	grep -q "from $cli at /ip4/127.0.0.1/tcp/.* opened, direct" err
	grep -q "5 bytes in, 0 out" err
}

@test "-j prints the same as JSON objects" {
	start gn-cat "${at[@]}" -j $lo
	run -0 --separate-stderr "${cat[@]}" -j "$addr" <<<data
	assert_equal "$(jq -r '[.event, .code, .bytes_out] | @csv' <<<"$stderr" | tr '\n' ' ')" '"connected",, "open",, "close",0,5 "gone",, '
	ends_with 0 "$pid"
	# The first stream may open before the event of its connection is delivered.
	assert_equal "$(jq -r '.event' <err | grep -vx -e '.*-.*' -e connected | tr '\n' ' ')" "listening open close gone "
	assert_equal "$(jq -r '.event' <err | grep -cx connected)" 1
	assert_equal "$(jq -r 'select(.event == "addr-new").addr' <err)" "${addr%#*}"
	assert_equal "$(jq -r 'select(.event == "listening").addrs[0]' <err)" "$addr"
}

@test "inherited descriptors stay blocking, and pipes are enlarged" {
	mkfifo in
	start gn-cat "${at[@]}" $lo
	exec 6<>in
	bg in out2 "${cat[@]}" "$addr"
	echo data >&6
	until_true 10 test -s out
	flags=$(sed -n 's/^flags:[[:space:]]*//p' /proc/$$/fdinfo/6)
	assert_equal $((flags & 04000)) 0
}

@test "a closed stdin is empty, and a closed stdout is an error and is not reused" {
	[ "$GN_SLOW" = 1 ] || skip "valgrind opens what is closed itself"
	echo data >f
	input=f start gn-cat "${at[@]}" $lo
	run -0 --separate-stderr bash -c "gn-cat -k cli '$addr' <&-"
	assert_output data
	ends_with 0 "$pid"
	input=f start gn-cat "${at[@]}" $lo
	run -1 --separate-stderr bash -c "gn-cat -k cli '$addr' </dev/null >&-"
	assert_regex "$stderr" "standard output: Bad file descriptor"
	ends_with 8 "$pid"
	start gn-cat "${at[@]}" $lo
	run -0 bash -c "echo data | gn-cat -k cli '$addr' 2>&-"
	ends_with 0 "$pid"
	assert_equal "$(cat out)" data
}

@test "stdin and stdout may be a socket" {
	start gn-cat "${at[@]}" --keep $lo
	socat -t 5 "EXEC:'gn-cat -k cli $addr',socktype=1" - <<<hello
	assert_equal "$(cat out)" hello
}

@test "without a key one is made for this run, and -v prints a line about it" {
	start gn-cat -l -v $lo
	grep -q "no key given" err
	start gn-cat -l $lo
	run -1 grep "no key given" err
	GN_KEY_FILE=cli run -0 --separate-stderr gn-cat "$addr" <<<data
	assert_equal "$stderr" ""
	chmod 644 cli
	run -4 gn-cat -k cli "$addr"
	assert_output --partial "chmod 600 cli"
}

@test "usage errors are exit code 2" {
	a=/ip4/127.0.0.1/tcp/1/p2p/$srv
	run -2 gn-cat
	assert_output --partial "ADDR is missing"
	new_key other
	run -2 gn-cat $a "${a%/p2p/*}/p2p/$id"
	assert_output --partial "the addresses are of different peers: $srv and $id"
	run -2 gn-cat $a#aaaa $a#bbbb
	assert_output --partial "the addresses have different tokens"
	run -2 gn-cat /ip4/127.0.0.1/tcp/1
	assert_output --partial "does not end in /p2p/ID"
	run -2 gn-cat /ip4/127.0.0.700/tcp/1/p2p/$srv
	assert_output --partial "wrong at character 6"
	run -2 gn-cat "$a#A"
	assert_output --partial "a token has only a-z and 2-7"
	for o in --keep --open "--allow $srv" "--ready-fd 1"; do
		run -2 gn-cat $o $a
		assert_output --partial "${o%% *} goes with -l only"
	done
	run -2 gn-cat -l -w 1
	assert_output --partial "-w is for the side that dials"
	run -2 gn-cat --recv-only --send-only $a
	run -2 gn-cat -p proto $a
	assert_output --partial "does not begin with a '/'"
	run -2 gn-cat -l --allow me
	assert_output --partial "'me' is not a peer id"
	run -2 gn-cat -i soon $a
	assert_output --partial "'soon' is not a time"
	run -2 gn-cat -l nonsense
	run -2 gn-cat --no-such $a
	run -0 gn-cat --help
	assert_output --partial "usage: gn-cat -l"
	run -0 gn-cat --version
	assert_output --regexp "^gn-cat .*[0-9]+\.[0-9]+\.[0-9]+"
}
