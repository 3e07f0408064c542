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
	at=(-k srv -a /ip4/127.0.0.1/tcp/0)
	dial=(gn-dial -k cli)
}

teardown() {
	kill_all
}

lines_in() { [ "$(wc -l <"$2" 2>/dev/null || echo 0)" -ge "$1" ]; }

# send_to FIFO ARGS...: starts gn-dial with that fifo as its stdin; sets $peer.
send_to() {
	local from=$1
	shift
	mkfifo "$from"
	"${dial[@]}" "$@" <"$from" >"$from.out" 2>"$from.err" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- &
	peer=$!
	pids+=("$peer")
}

@test "addresses with the real port and the id are printed on stderr and on --ready-fd" {
	start gn-listen "${at[@]}" /x/1
	assert_regex "$addr" "^/ip4/127\.0\.0\.1/tcp/[1-9][0-9]*/p2p/$srv\$"
	until_true 10 grep -qxF "gn-listen: listening on $addr" err
}

@test "without -a it listens with IPv4 and IPv6 on a free port, and prints no wildcard" {
	start gn-listen -k srv /x/1
	grep -F "listening on" err >shown
	refute grep -qE '/ip4/0\.0\.0\.0/|/ip6/::/' shown
	grep -q '/ip4/' shown
	if [ -s /proc/net/if_inet6 ]; then grep -q '/ip6/' shown; fi
}

@test "without a key the identity is new, and -v prints a line about it" {
	start gn-listen -a /ip4/127.0.0.1/tcp/0 /x/1
	run -1 grep "no key given" err
	start gn-listen -v -a /ip4/127.0.0.1/tcp/0 /x/1
	grep -q "no key given" err
	refute [ "${addr##*/}" = "$srv" ]
}

@test "GN_KEY_FILE names the key" {
	export GN_KEY_FILE=srv
	start gn-listen -a /ip4/127.0.0.1/tcp/0 /x/1
	assert_equal "${addr##*/}" "$srv"
}

@test "streams are served one after the other, and their lines are written in order" {
	start gn-listen "${at[@]}" -F line /notes/1
	for i in 1 2 3; do
		printf 'a%d\nb%d\n' $i $i | "${dial[@]}" -F line "$addr" /notes/1
	done
	until_true 10 lines_in 6 out
	assert_equal "$(tr '\n' ' ' <out)" "a1 b1 a2 b2 a3 b3 "
}

@test "a second stream waits, and its data follows that of the first" {
	start gn-listen "${at[@]}" -F line /notes/1
	send_to first -F line "$addr" /notes/1
	one=$peer
	exec 6>first
	echo one >&6
	until_true 10 lines_in 1 out
	echo two >two
	"${dial[@]}" -v -F line "$addr" /notes/1 <two 2>second.err 3>&- 6>&- &
	two=$!
	pids+=("$two")
	until_true 10 grep -q opened second.err
	echo three >&6
	until_true 10 lines_in 2 out
	assert_equal "$(tr '\n' ' ' <out)" "one three "
	exec 6>&-
	ends_with 0 "$one"
	ends_with 0 "$two"
	until_true 10 lines_in 3 out
	assert_equal "$(tr '\n' ' ' <out)" "one three two "
}

@test "stdin is sent to the peer" {
	seq 3 >input
	input=input start gn-listen "${at[@]}" -F line /count/1
	run -0 --separate-stderr "${dial[@]}" -F line "$addr" /count/1 </dev/null
	assert_output $'1\n2\n3'
}

@test "a program serves each stream: echo of 5 MB, raw on both sides" {
	start gn-listen "${at[@]}" /echo/1 -- cat
	head -c 5000000 /dev/urandom >bytes
	"${dial[@]}" --wire raw "$addr" /echo/1 <bytes >back
	cmp bytes back
}

@test "the program's environment describes the peer" {
	start gn-listen "${at[@]}" /env/1 -- env
	"${dial[@]}" --wire raw "$addr" /env/1 </dev/null >env
	grep -x "PROTO=GN" env
	grep -x "GNREMOTEPEER=$cli" env
	grep -xE "GNREMOTEADDR=/ip4/127\.0\.0\.1/tcp/[0-9]+" env
	grep -x "GNLOCALPEER=$srv" env
	grep -x "GNLOCALADDR=${addr%/p2p/*}" env
	grep -x "GNPROTOCOL=/env/1" env
	grep -x "GNPATH=direct" env
}

@test "a program sees no descriptor but 0, 1 and 2, and no signal blocked or ignored" {
	start gn-listen "${at[@]}" /fds/1 -- ls /proc/self/fd
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /fds/1 </dev/null
	# valgrind has open files of its own
	[ "$GN_SLOW" != 1 ] || assert_equal "${lines[*]}" "$(echo $(ls /proc/self/fd 3>&-))"
	kill_all
	start gn-listen "${at[@]}" /signals/1 -- cat /proc/self/status
	"${dial[@]}" --wire raw "$addr" /signals/1 </dev/null >seen
	assert_equal "$(sed -n 's/^SigBlk:\s*//p' seen)" 0000000000000000
	# the shell of the tests may ignore others; 13 is SIGPIPE
	ignored=$(sed -n 's/^SigIgn:\s*//p' seen)
	assert_equal $((16#$ignored >> 12 & 1)) 0
}

@test "one program serves several protocols" {
	start gn-listen "${at[@]}" /a/1 /b/1 -- sh -c 'echo "$GNPROTOCOL"'
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /a/1 </dev/null
	assert_output /a/1
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /b/1 </dev/null
	assert_output /b/1
}

@test "a program that fails resets its own stream only" {
	start gn-listen "${at[@]}" /fail/1 -- sh -c 'read -r n; echo "got $n"; exit "$n"'
	echo 0 >zero
	echo 3 >three
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /fail/1 <zero
	assert_output "got 0"
	run -8 "${dial[@]}" --wire raw "$addr" /fail/1 <three
	until_true 10 grep -q 'the program ended with 3' err
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /fail/1 <zero
}

@test "a program that does not read its input is not a failure" {
	start gn-listen "${at[@]}" /head/1 -- head -c 10
	head -c 3000000 /dev/zero | tr '\0' x >much
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /head/1 <much
	assert_output xxxxxxxxxx
}

@test "a program may close its output and go on reading" {
	start gn-listen "${at[@]}" /half/1 -- sh -c 'echo first; exec >&-; cat >late'
	send_to in --wire raw "$addr" /half/1
	exec 6>in
	until_true 10 lines_in 1 in.out
	echo more >&6
	exec 6>&-
	ends_with 0 "$peer"
	until_true 10 lines_in 1 late
	assert_equal "$(cat late)" more
}

@test "a program whose stream is reset gets a SIGTERM before the end of its input" {
	start gn-listen "${at[@]}" /reset/1 -- bash -c 'trap "echo term >>log; exit 1" TERM; echo up >>log; while read -r l; do :; done; echo end >>log'
	send_to in --wire raw "$addr" /reset/1
	exec 6>in
	until_true 10 lines_in 1 log
	kill "$peer"
	ends_with 143 "$peer"
	exec 6>&-
	until_true 10 lines_in 2 log
	assert_equal "$(tr '\n' ' ' <log)" "up term "
}

@test "-c limits the number of programs, and other streams wait" {
	start gn-listen "${at[@]}" -c 2 /wait/1 -- sh -c 'echo x >>started; cat'
	for i in 1 2 3; do
		send_to in$i --wire raw -v "$addr" /wait/1
		eval "p$i=$peer"
		eval "exec $((3 + i))>in$i" # 4, 5, 6
		until_true 10 grep -q opened in$i.err
	done
	until_true 10 lines_in 2 started
	echo hello >&6
	run -1 lines_in 3 started
	exec 4>&-
	ends_with 0 "$p1"
	until_true 10 lines_in 3 started
	until_true 10 lines_in 1 in3.out
	exec 5>&- 6>&-
	ends_with 0 "$p2"
	ends_with 0 "$p3"
}

@test "if a program cannot be run, the stream is reset and a line explains why" {
	start gn-listen "${at[@]}" /none/1 -- ./no-such-program
	run -8 "${dial[@]}" --wire raw "$addr" /none/1 </dev/null
	# under valgrind the program exits with 127
	until_true 10 grep -qE 'no-such-program: No such file or directory|the program ended with 127' err
	assert kill -0 "$pid"
}

@test "--allow refuses other peers, with a line here and exit code 4 there" {
	start gn-listen "${at[@]}" --allow "$cli" -F line /x/1
	echo hi | "${dial[@]}" -F line "$addr" /x/1
	new_key other
	run -4 gn-dial -k other -F line "$addr" /x/1 </dev/null
	until_true 10 grep -q "refused $id at /ip4/127.0.0.1/tcp/[0-9]*: not in --allow" err
	echo again | "${dial[@]}" -F line "$addr" /x/1
	until_true 10 lines_in 2 out
	assert_equal "$(cat out)" $'hi\nagain'
}

@test "a frame that contains a line end cannot be written as a line, and the listener continues" {
	start gn-listen "${at[@]}" -F line /x/1
	printf 'good\0bad\nframe\0' | gn-frame encode -0 >frames
	run -8 "${dial[@]}" "$addr" /x/1 <frames
	until_true 10 grep -q 'a frame with a line end inside' err
	assert_equal "$(cat out)" good
	echo again | "${dial[@]}" -F line "$addr" /x/1
	until_true 10 lines_in 2 out
}

@test "an oversized frame resets the stream, is reported, and is not written" {
	start gn-listen "${at[@]}" --max-frame 10 -F line /x/1
	printf 'short\nfar too long for it\n' >lines
	run -8 "${dial[@]}" -F line "$addr" /x/1 <lines
	until_true 10 grep -q 'longer than --max-frame' err
	assert_equal "$(cat out)" short
}

@test "nothing of a truncated frame is written" {
	# The dialer's direction stays open, because a stream that has ended in both directions cannot be reset any more.
	mkfifo hold
	exec 7<>hold
	input=hold start gn-listen "${at[@]}" /x/1
	printf '\x03one\x05fo' >cut
	run -8 "${dial[@]}" --wire raw "$addr" /x/1 <cut
	until_true 10 grep -q 'it ends in the middle of a frame' err
	assert_equal "$(od -An -c out | tr -d ' ')" '003one'
}

@test "an idle listener exits 0 on SIGTERM" {
	start gn-listen "${at[@]}" /x/1
	kill -TERM "$pid"
	ends_with 0 "$pid"
}

@test "after SIGINT an open stream may end, new ones are refused, and the exit code is 0" {
	start gn-listen "${at[@]}" --drain 60 /slow/1 -- cat
	send_to in --wire raw "$addr" /slow/1
	exec 6>in
	echo before >&6
	until_true 10 lines_in 1 in.out
	kill -TERM "$pid"
	until_true 10 refused_at "$addr"
	echo after >&6
	exec 6>&-
	ends_with 0 "$peer"
	assert_equal "$(cat in.out)" $'before\nafter'
	ends_with 0 "$pid"
}

refused_at() {
	! gn-dial -k cli --wire raw -w 2 "$1" /slow/1 </dev/null >/dev/null 2>&1
}

@test "after SIGTERM a stream that does not end in time is reset, and the exit code is 0" {
	start gn-listen "${at[@]}" --drain 0.1 /slow/1 -- cat
	send_to in --wire raw "$addr" /slow/1
	exec 6>in
	echo before >&6
	until_true 10 lines_in 1 in.out
	kill -TERM "$pid"
	ends_with 0 "$pid"
	ends_with 8 "$peer"
	exec 6>&-
}

@test "a second signal terminates the listener at once" {
	start gn-listen "${at[@]}" -v --drain 60 /slow/1 -- cat
	send_to in --wire raw "$addr" /slow/1
	exec 6>in
	echo before >&6
	until_true 10 lines_in 1 in.out
	kill -TERM "$pid"
	until_true 10 grep -q 'ending: ' err
	kill -TERM "$pid"
	ends_with 143 "$pid"
	ends_with 8 "$peer"
	exec 6>&-
}

@test "a full disk at stdout is exit code 1 and a line here, and 8 there" {
	gn-listen "${at[@]}" --ready-fd 9 -F line /x/1 9>ready >/dev/full 2>err 3>&- &
	pids+=($!)
	pid=$!
	until_true 10 test -s ready
	seq 100000 >many
	run -8 "${dial[@]}" -F line "$(cat ready)" /x/1 <many
	ends_with 1 "$pid"
	grep -q 'standard output: No space left on device' err
}

@test "a closed stdout is exit code 1 without a message" {
	mkfifo pipe
	gn-listen "${at[@]}" --ready-fd 9 -F line /x/1 9>ready >pipe 2>err 3>&- &
	pids+=($!)
	pid=$!
	: <pipe
	until_true 10 test -s ready
	seq 100000 >many
	run -8 "${dial[@]}" -F line "$(cat ready)" /x/1 <many
	ends_with 1 "$pid"
	refute grep -qi 'pipe' err
}

@test "malformed frames on stdin are exit code 9" {
	printf '\x81\x00' >bad
	input=bad start gn-listen "${at[@]}" /x/1
	run -8 "${dial[@]}" "$addr" /x/1 </dev/null
	ends_with 9 "$pid"
	grep -q 'standard input: a malformed frame' err
}

@test "-j prints events as objects on stderr" {
	start gn-listen "${at[@]}" -j -F line /x/1
	seq 3 | "${dial[@]}" -F line "$addr" /x/1
	until_true 10 grep -q '"close"' err
	assert_equal "$(jq -r 'select(.event == "listening").addrs[0]' err)" "$addr"
	assert_equal "$(jq -r 'select(.event == "open") | .peer, .protocol, .path, .inbound' err | tr '\n' ' ')" "$cli /x/1 direct true "
	assert_equal "$(jq -r 'select(.event == "close") | .peer, .code, .frames_in' err | tr '\n' ' ')" "$cli 0 3 "
}

@test "-j prints the events of peers, listeners and own addresses" {
	start gn-listen "${at[@]}" -j -F line /x/1
	seq 3 | "${dial[@]}" -j -F line "$addr" /x/1 2>dialed
	until_true 10 grep -q '"gone"' err
	kill "$pid"
	wait "$pid" || true
	assert_equal "$(jq -r 'select(.event == "listener-up").addr' err)" "${addr%/p2p/*}"
	assert_equal "$(jq -r 'select(.event == "addr-new").addr' err)" "$addr"
	assert_equal "$(jq -r 'select(.event == "connected") | .peer, .path, .inbound' err | tr '\n' ' ')" "$cli direct true "
	assert_equal "$(jq -r 'select(.event == "gone") | .peer, .path, .inbound' err | tr '\n' ' ')" "$cli direct true "
	assert_equal "$(jq -r 'select(.event == "listener-down") | .addr, .error' err | tr '\n' ' ')" "${addr%/p2p/*} GN_ECLOSED "
	assert_equal "$(jq -r 'select(.event == "addr-lost").addr' err)" "$addr"
	assert_equal "$(jq -r '.event' dialed | tr '\n' ' ')" "connected open close gone "
	assert_equal "$(jq -r 'select(.event == "gone") | .addr, .error' dialed | tr '\n' ' ')" "${addr%/p2p/*} GN_ECLOSED "
}

@test "inherited descriptors stay blocking" {
	mkfifo in out2
	gn-listen "${at[@]}" --ready-fd 9 -F line /x/1 <>in >out2 2>err 9>ready 3>&- &
	pids+=($!)
	exec 6<>in 7<out2
	until_true 10 test -s ready
	echo hi | "${dial[@]}" -F line "$(cat ready)" /x/1 >got 3>&- &
	read -rt $((10 * GN_SLOW)) line <&7
	assert_equal "$line" hi
	# O_NONBLOCK is 04000
	for fd in 6 7; do
		flags=$(sed -n 's/^flags:\s*//p' /proc/$BASHPID/fdinfo/$fd)
		assert_equal $(((8#$flags & 8#4000) != 0)) 0
	done
	exec 6>&- 7>&-
}

@test "usage errors are exit code 2" {
	run -2 gn-listen
	assert_output --partial "PROTO is missing"
	run -2 gn-listen proto
	assert_output --partial "does not begin with a '/'"
	run -2 gn-listen -a /ip4/127.0.0.300/tcp/0 /x/1
	assert_output --partial "wrong at character 6"
	run -2 gn-listen -a nonsense /x/1
	run -2 gn-listen --allow 12D3nonsense /x/1
	assert_output --partial "--allow: '12D3nonsense' is not a peer id"
	run -2 gn-listen -F lines /x/1
	assert_output --partial "-F: 'lines' is none of varint|line|raw"
	run -2 gn-listen -F line --wire raw /x/1
	run -2 gn-listen -c 0 /x/1
	run -2 gn-listen --ready-fd 77 /x/1
	assert_output --partial "descriptor 77 is not open"
	run -2 gn-listen --drain soon /x/1
	run -2 gn-listen /x/1 --
	run -2 gn-listen /x/1 /x/1
	run -4 bash -c 'chmod 644 srv; gn-listen -k srv /x/1'
}

@test "an address that is in use is exit code 1, and the line names it" {
	start gn-listen "${at[@]}" /x/1
	run -1 gn-listen -k cli -a "${addr%/p2p/*}" /x/1
	assert_output --partial "cannot listen on ${addr%/p2p/*}: Address already in use"
}

@test "an address of --announce is printed first, and identify shows it to a peer" {
	start gn-listen "${at[@]}" --announce /dns/example.org/tcp/4001 --announce "/ip4/8.8.8.8/tcp/4002/p2p/$srv" /x/1
	assert_equal "$addr" "/dns/example.org/tcp/4001/p2p/$srv"
	until_true 10 grep -qxF "gn-listen: listening on /ip4/8.8.8.8/tcp/4002/p2p/$srv" err
	run -0 --separate-stderr "${dial[@]}" --identify "$(grep -o '/ip4/127.0.0.1/.*' err)"
	assert_line --regexp '/dns/example\.org/tcp/4001$'
	assert_line --regexp '/ip4/8\.8\.8\.8/tcp/4002$'
	assert_line --regexp '/ip4/127\.0\.0\.1/tcp/[0-9]+$'
}

@test "--announce refuses what is no address of this listener" {
	run -2 gn-listen "${at[@]}" --announce "/ip4/8.8.8.8/tcp/1/p2p/$cli" /x/1
	assert_output --partial "the address ends in another peer's id"
	run -2 gn-listen "${at[@]}" --announce "/p2p/$srv" /x/1
	run -2 gn-listen "${at[@]}" --announce "/ip4/8.8.8.8/tcp/1#abcdefghijklmnop" /x/1
	assert_output --partial "without # and token"
	run -2 gn-listen "${at[@]}" --announce /ip4/8.8.8.8 /x/1
	assert_output --partial "--announce /ip4/8.8.8.8: the port is missing, as in /ip4/192.0.2.7/tcp/4040"
	run -2 gn-listen "${at[@]}" --announce 8.8.8.8:1 /x/1
}
