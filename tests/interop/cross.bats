#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Runs the peers against each other, to show that they work before they are used against our own tools.
# CROSS_PEERS lists the peers (default: go js rust). A peer that cannot be built is skipped.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
	export DIR=$BATS_FILE_TMPDIR
	head -c $((10 * MIB)) /dev/urandom >"$DIR/in"
	sum <"$DIR/in" >"$DIR/in.sum"
	local peer
	for peer in ${CROSS_PEERS:-go js rust}; do
		"$INTEROP/build" "$peer" >"$DIR/$peer.path" 2>"$DIR/$peer.why" 3>&- || {
			rm "$DIR/$peer.path"
			continue
		}
		"$(cat "$DIR/$peer.path")" listen >"$DIR/$peer.addr" 2>"$DIR/$peer.err" 3>&- &
		echo $! >"$DIR/$peer.pid"
	done
	for peer in ${CROSS_PEERS:-go js rust}; do
		[ ! -e "$DIR/$peer.path" ] || within 30 has_line "$DIR/$peer.addr"
	done
}

teardown_file() {
	local f
	for f in "$DIR"/*.pid; do
		[ ! -e "$f" ] || stop "$(cat "$f")"
	done
}

need() {
	local peer
	for peer; do
		[ -e "$DIR/$peer.path" ] || skip "not run: $peer: $(tail -n 1 "$DIR/$peer.why" 2>/dev/null || echo 'not asked for')"
	done
}

# dials DIALER LISTENER: runs all commands of the dialer against the listener
dials() {
	need "$1" "$2"
	local p addr id
	p=$(cat "$DIR/$1.path")
	addr=$(cat "$DIR/$2.addr")

	run timeout 30 "$p" dial "$addr" ping 3
	assert_success
	assert_equal "${#lines[@]}" 3
	assert_line --regexp '^[0-9]+$'

	run timeout 30 "$p" dial "$addr" identify
	assert_success
	assert_output --partial "\"peer\":\"${addr##*/}\""
	assert_output --partial "\"agent\":\"interop-$2/"
	assert_output --partial '"/test/sink/1.0.0"'
	assert_output --partial "\"${addr%/p2p/*}\""

	run timeout 60 "$p" dial "$addr" raw /test/sink/1.0.0 <"$DIR/in"
	assert_success
	assert_output "$(cat "$DIR/in.sum")"

	timeout 60 "$p" dial "$addr" raw /test/echo/1.0.0 <"$DIR/in" >"$DIR/out"
	cmp "$DIR/in" "$DIR/out"

	echo $((10 * MIB)) | timeout 60 "$p" dial "$addr" raw /test/source/1.0.0 >"$DIR/out"
	assert_equal "$(sum <"$DIR/out")" "$PATTERN_10M"

	# stdin stays open, because rust detects a reset only while it can still write
	rm -f "$DIR/fifo"
	mkfifo "$DIR/fifo"
	exec 9<>"$DIR/fifo"
	echo >&9
	run timeout 30 "$p" dial "$addr" raw /test/reset/1.0.0 <"$DIR/fifo" 9>&-
	exec 9>&-
	assert_failure 8

	run timeout 30 "$p" dial "$addr" resetafter /test/sink/1.0.0 100000
	assert_success

	run timeout 60 "$p" dial "$addr" many /test/sink/1.0.0 20 $MIB
	assert_success
	assert_equal "$(printf '%s\n' "${lines[@]}" | sort | uniq -c | tr -s ' ')" " 20 $PATTERN_1M"

	run timeout 30 "$p" dial "$addr" raw /test/none/1.0.0 </dev/null
	assert_failure 7

	rm -f "$DIR/key"
	id=$("$p" newkey ed25519 "$DIR/key")
	assert_equal "$("$p" id "$DIR/key")" "$id"
	run timeout 30 "$p" dial "$(other_id "$addr" "$id")" ping 1
	assert_failure 4

	run timeout 30 "$p" dial "/ip4/127.0.0.1/tcp/1/p2p/$id" ping 1
	assert_failure 3
}

@test "go dials go" { dials go go; }
@test "go dials js" { dials go js; }
@test "go dials rust" { dials go rust; }
@test "js dials go" { dials js go; }
@test "js dials js" { dials js js; }
@test "js dials rust" { dials js rust; }
@test "rust dials go" { dials rust go; }
@test "rust dials js" { dials rust js; }
@test "rust dials rust" { dials rust rust; }

# keys MAKER READER TYPE: the reader gets the same identity from a key file as its maker
keys() {
	need "$1" "$2"
	local id
	rm -f "$DIR/key"
	id=$("$(cat "$DIR/$1.path")" newkey "$3" "$DIR/key")
	assert_equal "$("$(cat "$DIR/$2.path")" id "$DIR/key")" "$id"
}

@test "key files: go and js agree" {
	keys go js ed25519
	keys js go ed25519
	keys go js rsa
	keys js go rsa
	keys go js secp256k1
	keys js go secp256k1
}

@test "key files: go and rust agree" {
	keys go rust ed25519
	keys rust go ed25519
	keys go rust rsa
	keys go rust secp256k1
	keys rust go secp256k1
	keys go rust ecdsa
	keys rust go ecdsa
}

# identity TYPE DIALER LISTENER: keys of that type are accepted of dialers and listeners
identity() {
	need "$2" "$3"
	local pid code=0
	rm -f "$DIR/key"
	"$(cat "$DIR/go.path")" newkey "$1" "$DIR/key"
	timeout 30 "$(cat "$DIR/$2.path")" dial --key "$DIR/key" "$(cat "$DIR/$3.addr")" ping 1
	"$(cat "$DIR/$3.path")" listen --key "$DIR/key" >"$DIR/key.addr" 3>&- &
	pid=$!
	within 30 has_line "$DIR/key.addr" && timeout 30 "$(cat "$DIR/$2.path")" dial "$(cat "$DIR/key.addr")" ping 1 || code=$?
	kill "$pid"
	ended "$pid" 8
	rm "$DIR/key.addr"
	return $code
}

@test "RSA identities are accepted" {
	need go
	identity rsa go js
	identity rsa js go
	identity rsa go rust
	identity rsa rust go
}

@test "secp256k1 identities are accepted" {
	need go
	identity secp256k1 go js
	identity secp256k1 js go
	identity secp256k1 go rust
	identity secp256k1 rust go
}

@test "ECDSA identities are accepted (js-libp2p has none)" {
	need go rust
	identity ecdsa go rust
	identity ecdsa rust go
}

# once LISTENER DIALER: the listener writes the stream to stdout and exits with 0
once() {
	need "$1" "$2"
	local pid
	"$(cat "$DIR/$1.path")" listen --once-out /test/bulk/1.0.0 >"$DIR/once" 3>&- &
	pid=$!
	within 30 has_line "$DIR/once"
	timeout 60 "$(cat "$DIR/$2.path")" dial "$(head -n 1 "$DIR/once")" raw /test/bulk/1.0.0 <"$DIR/in"
	ended "$pid" 15
	assert_equal "$(tail -n +2 "$DIR/once" | sum)" "$(cat "$DIR/in.sum")"
	rm "$DIR/once"
}

@test "listen --once-out serves one stream and exits" {
	once go js
	once js go
	once rust go
	once go rust
}

@test "idle holds connections of many identities until SIGTERM" {
	local peer addr pid pid2
	for peer in go js rust; do
		need "$peer"
		"$(cat "$DIR/$peer.path")" listen >"$DIR/idle.addr" 3>&- &
		pid=$!
		within 30 has_line "$DIR/idle.addr"
		addr=$(cat "$DIR/idle.addr")
		"$(cat "$DIR/$peer.path")" idle "$addr" 5 >"$DIR/idle" 3>&- &
		pid2=$!
		within 30 has_line "$DIR/idle"
		assert_equal "$(cat "$DIR/idle")" ready
		kill "$pid2"
		ended "$pid2" 8
		kill "$pid"
		ended "$pid" 8
		rm "$DIR/idle" "$DIR/idle.addr"
	done
}
