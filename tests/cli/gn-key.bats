#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "new makes a file of mode 0600 and prints its id; id prints it again" {
	run -0 gn-key new k
	assert_output --regexp '^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$'
	made=$output
	assert_equal "$(stat -c %a k)" 600
	run -0 gn-key id k
	assert_output "$made"
}

@test "the file is the PrivateKey protobuf: type 1 (Ed25519), 64 bytes whose tail is the public key" {
	gn-key new k
	assert_equal "$(stat -c %s k)" 68
	assert_equal "$(head -c 4 k | od -An -tx1 | tr -d ' ')" 08011240
	assert_equal "$(tail -c 32 k | od -An -tx1)" "$(gn-key pub --raw k | tail -c 32 | od -An -tx1)"
}

@test "two keys are two identities" {
	gn-key new a
	gn-key new b
	refute [ "$(gn-key id a)" = "$(gn-key id b)" ]
}

@test "new under a loose umask still makes 0600" {
	(umask 000 && gn-key new k)
	assert_equal "$(stat -c %a k)" 600
}

@test "new does not overwrite" {
	echo precious >k
	run -4 --separate-stderr gn-key new k
	assert_output ""
	assert_equal "$stderr" "gn-key: k is there already and is not overwritten"
	assert_equal "$(cat k)" precious
}

@test "new in a folder that is not there" {
	run -1 gn-key new no/such/k
	assert_output --partial "no/such/k: No such file or directory"
}

@test "a key of another program: the key of the peer-ids specification" {
	# specs peer-ids, "Test vectors": Ed25519
	hex=080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e
	printf "$(sed 's/../\\x&/g' <<<$hex)" >k
	chmod 600 k
	run -0 gn-key pub --raw k
	assert_equal "$(gn-key pub --raw k | od -An -tx1 | tr -d ' \n')" \
		080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e
}

@test "pub prints base64 of the PublicKey protobuf" {
	gn-key new k
	run -0 gn-key pub k
	assert_equal "$(base64 -d <<<"$output" | od -An -tx1)" "$(gn-key pub --raw k | od -An -tx1)"
}

@test "the id is the public key itself, inlined" {
	gn-key new k
	# base58btc of 00 24 and the 36 bytes begins 12D3Koo; the same in hex is what pub has
	assert_equal "$(gn-key pub --raw k | head -c 4 | od -An -tx1 | tr -d ' ')" 08011220
	assert_equal "$(gn-key pub --raw k | wc -c)" 36
}

@test "-j is one JSON object with both" {
	gn-key new k
	run -0 gn-key id -j k
	assert_equal "$(jq -r .id <<<"$output")" "$(gn-key id k)"
	assert_equal "$(jq -r .pub <<<"$output")" "$(gn-key pub k)"
	run -0 gn-key new -j 'a "b" \c'
	assert_equal "$(jq -r .file <<<"$output")" 'a "b" \c'
}

@test "a key that others may read is refused, with the command that mends it" {
	gn-key new "my key"
	chmod 640 "my key"
	run -4 --separate-stderr gn-key id "my key"
	assert_output ""
	assert_equal "${#stderr_lines[@]}" 1
	command=${stderr#*mended by: }
	assert_equal "$command" "chmod 600 'my key'"
	eval "$command"
	run -0 gn-key id "my key"
}

@test "a malformed key is a usage error that names the file" {
	head -c 68 /dev/zero >k
	chmod 600 k
	run -2 gn-key id k
	assert_output --partial "key k: "
	: >empty
	chmod 600 empty
	run -2 gn-key pub empty
	gn-key new whole
	head -c 40 whole >short
	chmod 600 short
	run -2 gn-key id short
}

@test "no file: 1" {
	run -1 gn-key id none
	assert_output "gn-key: key none: No such file or directory"
}

@test "usage: verbs, operands, options" {
	run -2 gn-key
	run -2 gn-key make k
	assert_output --partial "'make' is none of new, id and pub"
	run -2 gn-key id
	assert_output --partial "FILE is missing"
	run -2 gn-key id a b
	run -2 gn-key --no-such id k
	assert_output --partial "--no-such: there is no such option"
	run -2 gn-key -x id k
	assert_output --partial "-x: there is no such option"
	run -2 gn-key --json=yes id k
	run -2 gn-key id --raw k
	assert [ ! -e k ]
}

@test "what stands behind -- is an operand" {
	run -0 gn-key new -- -k
	assert [ -s ./-k ]
	run -0 gn-key id -- -k
	chmod 644 ./-k
	run -4 gn-key id -- -k
	assert_output --partial "chmod 600 -- '-k'"
}

@test "a full disk and a closed stdout" {
	gn-key new k
	run -1 bash -c 'gn-key id k >/dev/full'
	assert_output --partial "standard output: No space left on device"
	run -1 bash -c 'gn-key id k >&-'
}

@test "--help and --version are results" {
	run -0 --separate-stderr gn-key --help
	assert_line --partial "usage: gn-key new"
	assert_equal "$stderr" ""
	run -0 gn-key --version
	assert_output --regexp '^gn-key [0-9]+\.[0-9]+\.[0-9]+$'
}
