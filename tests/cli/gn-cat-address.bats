#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Sources and formats of addresses, and where their tokens are visible.

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

@test "blanks and line ends around an address are ignored" {
	start gn-cat "${at[@]}" --keep $lo
	for a in "$addr " " $addr" "$addr"$'\n' "$addr"$'\r\n' $'\t'"$addr"; do
		run -0 "${cat[@]}" "$a" <<<data
	done
	run -0 gn-dial -k cli --ping=1 " $addr"$'\r\n'
	assert_equal "$(wc -l <out)" 5
}

@test "invisible characters around an address are ignored" {
	local nbsp=$'\xc2\xa0' zwsp=$'\xe2\x80\x8b' bom=$'\xef\xbb\xbf' isolate=$'\xe2\x81\xa6' pop=$'\xe2\x81\xa9'
	start gn-cat "${at[@]}" --keep $lo
	for a in "$nbsp$addr$nbsp " "$zwsp $addr" "$bom$addr" "$isolate$addr$pop"$'\r\n'; do
		run -0 "${cat[@]}" "$a" <<<data
	done
	printf '%s%s\r\n' "$bom" "$addr" >a
	run -0 "${cat[@]}" @a <<<data
	run -0 bash -c 'echo x | gn-seal -F raw -k cli -r "$1" | gn-open -F raw -k cli --from "$1"' - "$nbsp$cli$zwsp"
}

@test "an address is read from a file, from standard input before the data, or from a descriptor" {
	start gn-cat "${at[@]}" --keep $lo
	printf '%s\r\nmore\n' "$addr" >a
	run -0 "${cat[@]}" @a <<<file
	run -0 "${cat[@]}" @- < <(
		echo "$addr"
		echo stdin
	)
	{ echo "$addr" && echo regular; } >f
	run -0 "${cat[@]}" @- <f
	run -0 "${cat[@]}" @fd:7 7<a <<<descriptor
	run -0 "${cat[@]}" @<(echo "$addr") <<<fifo
	run -0 gn-dial -k cli --ping=1 @a
	run -0 gn-dial -k cli --identify @- <a
	until_true 10 test "$(cat out | wc -l)" = 5
	assert_equal "$(cat out)" "file
stdin
regular
descriptor
fifo"
}

@test "a listener reads its own addresses from a file" {
	echo $lo >a
	start gn-cat "${at[@]}" @a
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	start gn-listen -k srv -a @a --wire raw /echo/1 -- cat
	run -0 gn-dial -k cli --ping=1 "$addr"
}

@test "a missing file is exit code 1, a file without an address 2" {
	run -1 "${cat[@]}" @none </dev/null
	assert_output --partial "address @none: cannot be opened: No such file or directory"
	run -1 gn-dial -k cli --ping @none
	: >empty
	run -2 "${cat[@]}" @empty
	assert_output --partial "address @empty: it has no line with an address"
	run -2 "${cat[@]}" @- </dev/null
	run -2 "${cat[@]}" @fd:77
	assert_output --partial "descriptor 77 is not open"
	run -1 gn-cat "${at[@]}" @none
	run -1 gn-listen -k srv -a @none /x/1
}

# The command line of a process, as every local user can read it.
words_of() { tr '\0' ' ' <"/proc/$1/cmdline"; }
shows_no_token() { [[ "$(words_of "$1")" != *"#$2"* ]] && [[ "$(words_of "$1")" == *"#**"* ]]; }

@test "the token is removed from the command line" {
	start gn-cat "${at[@]}" --keep $lo
	mkfifo held
	exec 6<>held
	"${cat[@]}" "$addr" <held >back 2>err2 3>&- 6>&- &
	pids+=($!)
	until_true 10 shows_no_token $! "${addr#*#}"
	gn-dial -k cli --ping=0 "$addr" >pings 2>&1 3>&- 6>&- &
	pids+=($!)
	until_true 10 shows_no_token $! "${addr#*#}"
}

@test "the message for an address in another form shows the correct form" {
	a=/ip4/127.0.0.1/tcp/1/p2p/$srv
	for t in gn-cat "gn-dial --ping"; do
		run -2 $t 192.0.2.7:4040
		assert_output --partial "/ip4/192.0.2.7/tcp/4040/p2p/ID"
		run -2 $t host:4040
		assert_output --partial "/dns/host/tcp/4040/p2p/ID"
		run -2 $t '[2001:db8::1]:4040'
		assert_output --partial "/ip6/2001:db8::1/tcp/4040/p2p/ID"
		run -2 $t tcp://192.0.2.7:4040
		assert_output --partial "/ip4/192.0.2.7/tcp/4040/p2p/ID"
		run -2 $t "$a$a"
		assert_output --partial "a second address"
		run -2 $t "'$a'"
		assert_output --partial "quotes"
		run -2 $t "$a#ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		assert_output --partial "capitals"
		refute_output --partial "ABCDEFGH"
	done
	run -2 gn-cat -l 192.0.2.7:4040
	assert_output --partial "/ip4/192.0.2.7/tcp/4040 "
}

# ---- the token of a listener ------------------------------------------------------

@test "-v and -j print a token only in the listener's addresses" {
	for o in -v -vv -j; do
		start gn-cat "${at[@]}" $o --keep $lo
		token=${addr#*#}
		run -0 --separate-stderr "${cat[@]}" $o "$addr" <<<data
		refute_regex "$stderr" "$token"
		run -7 --separate-stderr "${cat[@]}" $o "${addr%#*}#aaaaaaaaaaaaaaaaaaaaaaaaaa" <<<data
		refute_regex "$stderr" "aaaaaaaa"
		kill -TERM "$pid"
		ends_with 0 "$pid"
		grep -F "$token" err >with
		refute grep -v "listening" with
		refute grep -q aaaaaaaa err
	done
}

@test "a wrong token is one line at the listener, without -v, that does not contain the token" {
	start gn-cat "${at[@]}" $lo
	run -7 "${cat[@]}" "${addr%#*}#aaaaaaaaaaaaaaaaaaaaaaaaaa" </dev/null
	until_true 10 grep -Eq "a caller from /ip4/127.0.0.1/tcp/[0-9]+, $cli, had a wrong token" err
	assert_equal "$(grep -c "a caller from" err)" 1
	refute grep -q aaaaaaa err
	run -7 "${cat[@]}" "${addr%#*}" </dev/null
	until_true 10 grep -q "$cli, had no token" err
	run -7 "${cat[@]}" -p /other/1 "$addr" </dev/null
	until_true 10 grep -q "$cli, asked for /other/1; here is /gn/cat/1.0.0" err
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	assert_equal "$(grep -c "a caller from" err)" 3
}

@test "a needless token, and another protocol, are lines at the listener" {
	start gn-cat "${at[@]}" --open $lo
	run -7 "${cat[@]}" "$addr#aaaaaaaaaaaaaaaaaaaaaaaaaa" </dev/null
	until_true 10 grep -q "had a token, but this listener has none" err
	kill_all
	start gn-cat "${at[@]}" -j -p /x/1 $lo
	run -7 "${cat[@]}" "$addr#aaaaaaaaaaaaaaaaaaaaaaaaaa" </dev/null
	until_true 10 grep -q refused err
	assert_equal "$(jq -r 'select(.event == "refused") | [.peer, .text] | join(" ")' err)" \
		"$cli asked for /gn/cat/1.0.0; here is /x/1"
}

@test "lines about wrong tokens are limited" {
	start gn-cat "${at[@]}" $lo
	for _ in {1..14}; do
		"${cat[@]}" "${addr%#*}#aaaaaaaaaaaaaaaaaaaaaaaaaa" </dev/null 2>/dev/null || :
	done
	assert [ "$(grep -c "a caller from" err)" -le 13 ]
}

@test "a truncated token is detected" {
	start gn-cat "${at[@]}" $lo
	run -7 "${cat[@]}" "${addr%??}" </dev/null
	assert_output --partial "it has 24 characters, is it whole?"
}

@test "--token-file is created once, with mode 0600, and reused" {
	umask 022
	start gn-cat "${at[@]}" --token-file tok $lo
	token=${addr#*#}
	assert_equal "$(stat -c %a tok)" 600
	assert_equal "$(cat tok)" "$token"
	kill -TERM "$pid"
	ends_with 143 "$pid"
	start gn-cat "${at[@]}" --token-file tok $lo
	assert_equal "${addr#*#}" "$token"
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
	# with --allow, both the id and the token are required
	start gn-cat "${at[@]}" --token-file tok --allow "$cli" $lo
	assert_equal "${addr#*#}" "$token"
	run -7 "${cat[@]}" "${addr%#*}" </dev/null
	new_key other
	run -4 gn-cat -k other "$addr" </dev/null
	echo hi | "${cat[@]}" "$addr"
	ends_with 0 "$pid"
}

@test "--token-file refuses a malformed or readable file" {
	echo gezdgnbvgy3tqojqgezdgnbvgy >tok
	chmod 644 tok
	run -4 gn-cat "${at[@]}" --token-file tok $lo
	assert_output --partial "others than its owner may read it"
	assert_output --partial "--insecure-key-mode"
	start gn-cat "${at[@]}" --token-file tok --insecure-key-mode $lo
	assert_equal "${addr#*#}" gezdgnbvgy3tqojqgezdgnbvgy
	chmod 600 tok
	for bad in "" short "two words" NOTCAPITALSNOTCAPITALS; do
		echo "$bad" >tok
		run -2 gn-cat "${at[@]}" --token-file tok $lo
		assert_output --partial "token file tok:"
	done
	: >tok
	run -2 gn-cat "${at[@]}" --token-file tok $lo
	assert_output --partial "remove it"
	for device in /dev/null /dev/zero; do # the message must not advise to remove or change a device
		run -1 timeout $((10 * GN_SLOW)) gn-cat "${at[@]}" --token-file "$device" $lo
		assert_output --partial "token file $device: is a device"
		refute_output --partial "remove"
		refute_output --partial "chmod"
	done
	run -2 gn-cat "${at[@]}" --token-file <(:) $lo
	refute_output --partial "remove"
	run -1 gn-cat "${at[@]}" --token-file no/such/folder $lo
	run -1 gn-cat "${at[@]}" --token-file . $lo
	run -2 gn-cat "${at[@]}" --token-file tok --open $lo
	run -2 gn-cat "${at[@]}" --token-file tok -p /x/1 $lo
	run -2 gn-cat --token-file tok "$addr"
	assert_output --partial "--token-file goes with -l only"
}
