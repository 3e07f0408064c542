#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key a
	a=$id
	new_key b
	b=$id
	seal=(gn-seal -k a -r "$b")
	open=(gn-open -k b --from "$a")
}

teardown() {
	exec 6>&- 7>&-
	kill_all
}

some() { head -c "$1" /dev/urandom; }
holds() { [ "$(wc -c <"$1")" -ge "$2" ]; }

# ---- messages -------------------------------------------------------------------

@test "lines are carried in both directions" {
	seq 1000 >lines
	"${seal[@]}" -F line <lines >sealed
	run -0 gn-frame count <sealed
	assert_output --regexp '^1001 ' # the last message ends the sequence
	"${open[@]}" -F line <sealed >back
	cmp lines back
}

@test "frames of every size around a chunk, also empty ones, are sealed and opened" {
	for n in 0 1 100 16384 1048575 1048576; do some $n >"$(printf 'f%08d' $n)"; done
	gn-frame join f* >frames
	"${seal[@]}" <frames | "${open[@]}" >back
	cmp frames back
}

@test "messages longer than a chunk are sealed and opened" {
	some 5000000 | gn-frame encode -w --max-frame 8M >frames
	run -9 "${seal[@]}" <frames
	assert_output --partial "frame 1, at byte 0: longer than 1048576 bytes (--max-frame)"
	"${seal[@]}" --max-frame 8M <frames >sealed
	"${open[@]}" --max-frame 5000000 <sealed >back
	cmp frames back
	run -9 "${open[@]}" --max-frame 4999999 <sealed
	assert_output "gn-open: frame 1, at byte 0: longer than 4999999 bytes (--max-frame)"
	run -9 "${open[@]}" <sealed
	assert_output --partial "longer than"
}

@test "empty input is a sequence with only its end" {
	"${seal[@]}" </dev/null >sealed
	run -0 gn-frame count <sealed
	assert_output --regexp '^1 '
	run -0 "${open[@]}" <sealed
	assert_output ""
}

@test "two seals of the same message differ and do not contain it" {
	printf 'abracadabra\nabracadabra\n' | "${seal[@]}" -F line --context place --type kind >sealed
	gn-frame split <sealed
	run -1 cmp frame-000000 frame-000001
	run -1 grep -aE "abra|place|kind" sealed
}

@test "a message is written as soon as it is read" {
	mkfifo in
	"${seal[@]}" -F line <in 2>err 3>&- | "${open[@]}" -F line >out 2>>err 3>&- &
	exec 7>in
	echo one >&7
	until_true 10 test -s out
	assert_equal "$(cat out)" one
	echo two >&7
	until_true 10 holds out 8
	exec 7>&-
	wait
	assert_equal "$(cat out err)" $'one\ntwo'
}

@test "malformed input is exit code 9, and the opener sees that the end is missing" {
	printf 'one\n' | gn-frame encode >f
	printf '\x05abc' >>f
	run -9 --separate-stderr bash -c '"$@" <f >sealed' - "${seal[@]}"
	assert_equal "$stderr" "gn-seal: frame 2, at byte 4: the input ends in the middle of it"
	run -9 --separate-stderr "${open[@]}" -F line <sealed
	assert_output one
	assert_equal "$stderr" "gn-open: the end of the sequence is missing; other messages may be missing, too"
}

# ---- a stream -------------------------------------------------------------------

@test "streams of every size around a chunk are sealed and opened" {
	some 3000000 >all
	for n in 0 1 1048575 1048576 1048577 2097152 3000000; do
		head -c $n all >f
		"${seal[@]}" -F raw <f >sealed
		"${open[@]}" -F raw <sealed >back
		cmp f back
		"${seal[@]}" -F raw <f | "${open[@]}" -F raw | cmp f -
	done
}

@test "a file is cut into whole chunks, with a small overhead per MiB" {
	head -c 10M /dev/zero | "${seal[@]}" -F raw >sealed
	assert [ "$(wc -c <sealed)" -lt $((10 * 1048576 + 2000)) ]
}

@test "input that pauses or trickles is sealed without delay" {
	mkfifo in
	"${seal[@]}" -F raw <in 2>err 3>&- | "${open[@]}" -F raw --info-fd 5 5>info >out 2>>err 3>&- &
	exec 7>in
	until_true 10 test -s info # the sender is known before the first byte of the message
	refute [ -s out ]
	for i in 1 2 3 4 5; do
		printf 'part %d\n' $i >&7
		until_true 10 holds out $((7 * i))
	done
	exec 7>&-
	wait
	assert_equal "$(cat out)" "$(printf 'part %d\n' 1 2 3 4 5)"
	assert_equal "$(cat err)" ""
}

@test "1 GiB goes through pipes in constant memory" {
	[ "$GN_SLOW" = 1 ] || skip "takes hours under a checker"
	timed=${GN_BIN%/bin}/tests/bench/timed size=1G most=16384
	[ -x "$timed" ] || skip "make aids makes what measures memory"
	[ "${MODE:-release}" = release ] || size=64M most=999999999
	"$timed" seal.cost "${seal[@]}" -F raw < <(head -c $size /dev/zero) |
		"$timed" open.cost "${open[@]}" -F raw | cmp - <(head -c $size /dev/zero)
	for tool in seal open; do
		read -r _ _ _ kib code <$tool.cost
		assert_equal "$code" 0
		assert [ "$kib" -gt 0 ]
		assert [ "$kib" -le "$most" ]
	done
}

@test "a directory is carried by a host that is not trusted" {
	mkdir dir new
	some 300000 >dir/large
	ln -s large dir/link
	tar c dir | "${seal[@]}" -F raw >expected.sealed
	start gn-cat -l --open /ip4/127.0.0.1/tcp/0
	tar c dir | "${seal[@]}" -F raw | gn-cat "$addr" 2>err
	ends_with 0 "$pid"
	run -1 grep -qa large out
	"${open[@]}" -F raw <out | tar x -C new
	cmp dir/large new/dir/large
	assert_equal "$(readlink new/dir/link)" large
}

@test "sealed frames are carried by a service that is not trusted" {
	start gn-listen /ip4/127.0.0.1/tcp/0 /echo/1.0.0 -- cat
	run -0 --separate-stderr bash -c 'seq 3 | gn-seal -k a -r "$1" -F line | gn-dial "$2" /echo/1.0.0 2>/dev/null |
		gn-open -k b --from "$3" -F line' - "$b" "$addr" "$a"
	assert_output $'1\n2\n3'
}

# ---- keys and recipients --------------------------------------------------------

@test "every recipient can open a message, and nobody else" {
	new_key c
	echo secret >f
	gn-seal -k a -r "$b" -r "$id" -F raw <f >sealed
	for k in b c; do
		run -0 gn-open -F raw -k $k --from "$a" <sealed
		assert_output secret
	done
	run -9 gn-open -F raw -k a --from "$a" <sealed
	assert_output "gn-open: the stream: not sealed for this key, or damaged"
}

@test "64 recipients are accepted, and 65 are not" {
	to=() ids=()
	for i in $(seq 64); do
		new_key k$i
		to+=(-r "$id")
	done
	echo hello | gn-seal -k a "${to[@]}" -F raw >sealed
	for i in 1 32 64; do
		run -0 gn-open -F raw -k k$i --from "$a" <sealed
		assert_output hello
	done
	run -2 --separate-stderr gn-seal -k a "${to[@]}" -r "$b" -F raw </dev/null
	assert_equal "$output" ""
	assert_regex "$stderr" "-r: at most 64 recipients"
}

@test "an id is accepted in each of its formats" {
	# CIDv1 in base16: f, then version, libp2p-key, the multihash
	cid=f0172$(gn-key pub --raw b | od -An -v -tx1 | tr -d ' \n' | sed 's/^/0024/')
	echo x | gn-seal -k a -r "$cid" -F raw | "${open[@]}" -F raw
	run -2 gn-seal -k a -r "$b" -r "$cid" </dev/null
	assert_output --partial "is given twice"
}

@test "a public key of gn-key pub or ssh-keygen is accepted in place of an id" {
	new_key c
	gn-key pub -F openssh b >b.pub
	gn-key pub -F pem b >b.pem
	for r in "$(gn-key pub b)" "$(gn-key pub -F openssh b)" "$(gn-key pub -F openssh b) bob@host" "$(gn-key pub -F pem b)" \
		@b.pub @b.pem; do
		echo x | gn-seal -k a -r "$r" -F raw >sealed
		run -0 "${open[@]}" -F raw <sealed
		assert_output x
	done
	gn-key pub -F pem a >a.pem
	for from in "$(gn-key pub a)" "$(gn-key pub -F openssh a)" "$(gn-key pub -F pem a)" @a.pem; do
		run -0 gn-open -k b --from "$from" -F raw <sealed
		assert_output x
		run -4 gn-open -k b --from "$(gn-key pub c)" -F raw <sealed
	done
	if command -v ssh-keygen; then
		ssh-keygen -q -t ed25519 -N '' -C 'a comment' -f theirs
		gn-key convert theirs theirs.gn
		echo x | gn-seal -k a -r @theirs.pub -F raw | gn-open -k theirs.gn --from "$a" -F raw
	fi
}

@test "@FILE: has one recipient per line in any format, and each can open the message" {
	new_key c
	new_key d
	new_key e
	{
		printf '\xef\xbb\xbf# the team\r\n\r\n'
		printf '%s\r\n' "$b"
		echo "  $(gn-key pub c)  "
		gn-key pub -F pem d
		echo
		echo "no-pty,command=\"echo hello\" $(gn-key pub -F openssh e) eve@host"
	} >team
	echo hello | gn-seal -k a -r "$a" -r @team -F raw >sealed
	for k in a b c d e; do
		run -0 gn-open -F raw -k $k --from @team --from "$a" <sealed
		assert_output hello
	done
	echo x | gn-seal -k a -r @<(gn-key pub b) -F raw | "${open[@]}" -F raw
	gn-key pub b >b.pub
	echo x | gn-seal -k a -r @fd:5 -F raw 5<b.pub | "${open[@]}" -F raw
}

@test "@FILE: the message names what is wrong and where, and shows no private key" {
	gn-key convert -F pem b b.pem
	gn-key convert -F openssh b b.ssh
	: >empty
	{ echo "$a"; echo "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== ann"; } >rsa
	{ echo; echo "$a"; echo nonsense; } >bad
	{ echo "$b"; gn-key pub b; } >twice
	for t in "rsa:-r @rsa, line 2: is neither a peer id nor an Ed25519 public key" \
		"bad:-r @bad, line 3: is neither a peer id nor an Ed25519 public key" \
		"empty:-r @empty: contains no peer id" \
		"twice:-r @twice, line 2: is given twice, also as @twice, line 1" \
		"b:-r @b: is a private key; gn-key pub shows the public one" \
		"b.pem:-r @b.pem: holds a private key instead of a public one" \
		"b.ssh:-r @b.ssh: holds a private key instead of a public one"; do
		run -2 --separate-stderr gn-seal -k a -r "@${t%%:*}" </dev/null
		assert_output ""
		assert_regex "$stderr" "^gn-seal: ${t#*:}"
	done
	run -1 gn-seal -k a -r @none </dev/null
	assert_output "gn-seal: -r @none: No such file or directory"
	run -1 gn-seal -k a -r @. </dev/null
	run -2 gn-seal -k a -r @- <rsa
	assert_output --partial "-r @-: standard input has the messages"
	run -1 gn-seal -k a -r @fd:77 </dev/null
	for private in "$(cat b.pem)" "$(cat b.ssh)" "$(base64 -w 0 b)"; do
		run -2 gn-seal -k a -r "$private" </dev/null
		assert_output --partial "-r: a private key was given instead of a public one (gn-key pub shows it)"
	done
	run -1 gn-open -k b --from @none </dev/null
	run -2 gn-seal -k a -r team </dev/null
	refute_output --partial "behind an @"
	echo "$b" >team
	run -2 gn-seal -k a -r team </dev/null
	assert_output --partial "-r: 'team' is not a peer id, nor a public key; write @ in front of a file's name"
	for i in $(seq 65); do gn-key new "k$i"; done >many
	run -2 gn-seal -k a -r @many </dev/null
	assert_output --partial "-r: at most 64 recipients"
}

@test "for input without frames the message names -F raw" {
	for input in "some text"$'\n' "A longer text, which has more than the bytes that its first one says. And so on, and on, and on" "#!/bin/sh"; do
		run -9 --separate-stderr "${seal[@]}" < <(printf '%s' "$input")
		assert_regex "$stderr" "if these are no frames: -F raw seals any input as one stream, -F line each line"
	done
	seq 100000 >text
	run -9 bash -c '"$@" <text >/dev/null' - "${seal[@]}"
	assert_output --partial "-F raw seals any input"
	tar c text | gzip >archive
	run -9 bash -c '"$@" <archive >/dev/null' - "${seal[@]}"
	assert_output --partial "-F raw seals any input"
	head -c 2000000 /dev/zero >zeros
	run -9 bash -c '"$@" <zeros >/dev/null' - "${seal[@]}" -F line
	assert_output --partial "-F raw seals any input as one stream"
	"${seal[@]}" -F raw <archive | "${open[@]}" -F raw | cmp archive -
}

@test "an invalid recipient is exit code 2, and nothing is written" {
	run -2 --separate-stderr gn-seal -k a -r nonsense </dev/null
	assert_output ""
	assert_regex "$stderr" "-r: 'nonsense' is not a peer id"
	# of a key that is too long to be inlined: RSA
	run -2 --separate-stderr gn-seal -k a -r QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N </dev/null
	assert_output ""
	assert_regex "$stderr" "its key is not Ed25519, and nothing can be sealed to it"
	# the neutral element of Ed25519, which is not a valid key
	run -2 --separate-stderr gn-seal -k a -r "f01720024080112200100000000000000000000000000000000000000000000000000000000000000" </dev/null
	assert_output ""
	assert_regex "$stderr" "there is no such key"
}

@test "a missing key is exit code 2, and GN_KEY_FILE names one" {
	run -2 --separate-stderr gn-seal -r "$b" </dev/null
	assert_output ""
	assert_regex "$stderr" "no key given .-k, GN_KEY_FILE.: sealing needs a key that the recipient can check"
	echo x | GN_KEY_FILE=a gn-seal -r "$b" -F raw | GN_KEY_FILE=b gn-open --from "$a" -F raw
	chmod 644 a
	run -4 "${seal[@]}" </dev/null
	assert_output --partial "chmod 600 a"
	run -1 gn-seal -k none -r "$b" </dev/null
}

@test "context and type are at most 255 bytes of UTF-8 without control characters" {
	long=$(printf '%255s' x)
	echo x | "${seal[@]}" -F raw --context "$long" --type "$long" | "${open[@]}" -F raw --context "$long"
	for bad in "x$long" $'a\tb' $'a\x7f' $'\xff'; do
		run -2 "${seal[@]}" --context "$bad" </dev/null
		run -2 "${seal[@]}" --type "$bad" </dev/null
		run -2 "${open[@]}" --context "$bad" </dev/null
	done
}

# ---- in general ------------------------------------------------------------------

@test "usage errors are exit code 2" {
	run -2 gn-seal -k a </dev/null
	assert_output --partial "-r ID is missing"
	run -2 "${seal[@]}" file </dev/null
	assert_output --partial "takes no operand"
	run -2 "${seal[@]}" -F nul </dev/null
	run -2 "${seal[@]}" -F raw --max-frame 10 </dev/null
	run -2 "${seal[@]}" --context "" </dev/null
	run -0 gn-seal --help
	assert_line --partial "usage: gn-seal"
}

@test "a full disk is exit code 1 with a message, a closed pipe without" {
	for form in raw line; do
		run -1 bash -c '"$@" </dev/zero >/dev/full' - gn-seal -k a -r "$b" -F raw
		assert_output "gn-seal: standard output: No space left on device"
		run -0 bash -c 'yes | { "$@"; echo $? >code; } | head -c 1 >/dev/null' - "${seal[@]}" -F $form
		assert_output ""
		assert_equal "$(cat code)" 1
		[ "$GN_SLOW" = 1 ] || continue # valgrind's own files reuse the closed descriptors
		run -1 bash -c '"$@" </dev/null >&-' - "${seal[@]}" -F $form
		"${seal[@]}" -F $form <&- >sealed # empty input
		run -0 "${open[@]}" -F $form <sealed
		assert_output ""
	done
	run -1 "${seal[@]}" -F raw <.
}

@test "output that was interrupted by SIGTERM is recognised as truncated" {
	mkfifo in
	"${seal[@]}" -F raw </dev/null >empty
	"${seal[@]}" -F raw <in >sealed 3>&- &
	pid=$!
	pids+=("$pid")
	exec 7>in
	echo hello >&7
	until_true 10 holds sealed $(($(wc -c <empty) + 1)) # longer than a sequence with only its end
	kill -TERM "$pid"
	ends_with 143 "$pid"
	exec 7>&-
	run -9 --separate-stderr "${open[@]}" -F raw <sealed
	assert_equal "$stderr" "gn-open: the stream: its end is missing"
}
