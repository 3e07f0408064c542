#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown() {
	exec 7>&-
	kill_all
}

needs() { command -v "$1" >/dev/null || skip "no $1 here"; }

# typed TEXT COMMAND...: runs the command on a terminal of its own and types TEXT when it asks for a passphrase.
# The terminal's output is in screen; the exit code is that of the command.
typed() {
	local text=$1 rc=0
	shift
	rm -f keys screen
	mkfifo keys
	script -qec "$*" /dev/null <keys >screen 2>&1 3>&- 7>&- &
	pids+=($!)
	exec 7>keys
	until_true 10 grep -q Passphrase screen || return 99
	printf '%s\n' "$text" >&7
	finish ${pids[-1]} || rc=$?
	exec 7>&-
	return $rc
}

@test "new makes a file of mode 0600 and prints its id, and id prints it again" {
	run -0 gn-key new k
	assert_output --regexp '^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$'
	made=$output
	assert_equal "$(stat -c %a k)" 600
	run -0 gn-key id k
	assert_output "$made"
}

@test "the file is the PrivateKey protobuf: type 1 (Ed25519), 64 bytes that end in the public key" {
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

@test "new uses mode 0600 under any umask" {
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

@test "new in a missing directory is an error" {
	run -1 gn-key new no/such/k
	assert_output --partial "no/such/k: No such file or directory"
}

@test "the key of the peer-ids specification is read" {
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

@test "the id contains the public key" {
	gn-key new k
	# base58btc of 00 24 and the 36 bytes begins with 12D3Koo; pub prints the same bytes
	assert_equal "$(gn-key pub --raw k | head -c 4 | od -An -tx1 | tr -d ' ')" 08011220
	assert_equal "$(gn-key pub --raw k | wc -c)" 36
}

@test "-j prints one JSON object with the id and the public key" {
	gn-key new k
	run -0 gn-key id -j k
	assert_equal "$(jq -r .id <<<"$output")" "$(gn-key id k)"
	assert_equal "$(jq -r .pub <<<"$output")" "$(gn-key pub k)"
	run -0 gn-key new -j 'a "b" \c'
	assert_equal "$(jq -r .file <<<"$output")" 'a "b" \c'
}

@test "a key that others can read is refused, and the message shows the command that fixes it" {
	gn-key new "my key"
	chmod 640 "my key"
	run -4 --separate-stderr gn-key id "my key"
	assert_output ""
	assert_equal "${#stderr_lines[@]}" 1
	command=${stderr#*accept it, or: }
	assert_equal "$command" "chmod 600 'my key'"
	eval "$command"
	run -0 gn-key id "my key"
}

@test "a key that is not a file is refused without advice to change its mode" {
	mkdir dir
	chmod 755 dir
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
	for f in /dev/null /dev/zero dir / socket; do
		for verb in id pub; do
			run -1 gn-key $verb $f
			case $f in
			/dev/*) assert_output "gn-key: key $f: is a device, not a key file" ;;
			socket) assert_output "gn-key: key $f: is a socket, not a key file" ;;
			*) assert_output "gn-key: key $f: is a directory, not a key file" ;;
			esac
		done
		run -1 gn-key convert $f new
		refute_output --partial chmod
		run -1 gn-key id --insecure-key-mode $f
		refute_output --partial chmod
	done
	mkfifo pipe
	chmod 644 pipe
	run -4 timeout 10 gn-key id pipe # and it does not wait for a writer
	refute_output --partial chmod
}

@test "a key is read from a pipe" {
	id=$(gn-key new k)
	run -0 bash -c 'gn-key id <(cat k)'
	assert_output "$id"
	mkfifo -m 600 pipe
	cat k >pipe 3>&- &
	run -0 gn-key id pipe
	assert_output "$id"
}

@test "for a key in another format the message names gn-key convert" {
	gn-key new k
	gn-key convert -F pem k k.pem
	run -2 gn-key id k.pem
	assert_output "gn-key: key k.pem: is in another program's format; gn-key convert makes a key file of it"
}

@test "a key that could not be written completely is removed" {
	[ "$MODE" != cov ] || skip "the files of gcov cannot be written, too, and it says so"
	mkdir dir
	run -1 bash -c 'ulimit -f 0; gn-key new dir/k'
	assert_output "gn-key: dir/k: File too large"
	gn-key new k
	run -1 bash -c 'ulimit -f 0; gn-key convert -F openssh k dir/k'
	assert_equal "$(ls -A dir)" ""
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

@test "a missing file is exit code 1" {
	run -1 gn-key id none
	assert_output "gn-key: key none: No such file or directory"
}

# ---- convert --------------------------------------------------------------------

@test "convert: every format converts to every other and back" {
	id=$(gn-key new k)
	for f in libp2p pem openssh; do
		run -0 gn-key convert -F $f k k.$f
		assert_output "$id"
		assert_equal "$(stat -c %a k.$f)" 600
		for g in libp2p pem openssh; do
			gn-key convert -F $g k.$f k.$f.$g
			gn-key convert k.$f.$g k.$f.$g.back
			cmp k k.$f.$g.back
		done
	done
	cmp k k.libp2p
	cmp k.pem k.openssh.pem
	run -0 gn-key convert -j k.pem k.j
	assert_equal "$(jq -r '.id + .file' <<<"$output")" "${id}k.j"
}

@test "convert and pub: PEM is exchanged with openssl in both directions" {
	needs openssl
	gn-key new k
	gn-key convert -F pem k k.pem
	run -0 openssl pkey -in k.pem -pubout
	assert_output "$(gn-key pub -F pem k)"
	openssl genpkey -algorithm ed25519 -out theirs.pem
	chmod 600 theirs.pem
	gn-key convert theirs.pem theirs
	assert_equal "$(gn-key pub -F pem theirs)" "$(openssl pkey -in theirs.pem -pubout)"
	gn-key convert -F pem theirs again.pem
	cmp again.pem theirs.pem
	openssl pkey -in theirs.pem -text -out verbose.pem
	chmod 600 verbose.pem
	gn-key convert verbose.pem verbose
	cmp verbose theirs
}

@test "convert and pub: files are exchanged with ssh-keygen in both directions" {
	needs ssh-keygen
	gn-key new k
	gn-key convert -F openssh k k.ssh
	run -0 ssh-keygen -y -f k.ssh
	assert_output "$(gn-key pub -F openssh k)"
	echo data >data
	ssh-keygen -q -Y sign -n file -f k.ssh data
	echo "me $(gn-key pub -F openssh k)" >allowed
	run -0 ssh-keygen -Y verify -n file -f allowed -I me -s data.sig <data
	ssh-keygen -q -t ed25519 -N '' -C 'a comment of some length' -f theirs
	gn-key convert theirs theirs.gn
	assert_equal "$(gn-key pub -F openssh theirs.gn) a comment of some length" "$(cat theirs.pub)"
}

@test "convert: empty lines, a byte order mark, comments and CRLF around a key are ignored" {
	id=$(gn-key new k)
	for f in pem openssh; do
		gn-key convert -F $f k k.$f
		for before in '\n' '\r\n \t\n' '\xef\xbb\xbf' '# a comment\n\n' 'Key Attributes: <No Attributes>\n'; do
			rm -f odd new
			(umask 077 && { printf "$before"; sed 's/$/\r/' k.$f; echo; } >odd)
			run -0 gn-key convert odd new
			assert_output "$id"
			cmp k new
		done
		rm -f new
		sed 's/^/    /' k.$f >odd # as in a YAML file
		run -0 gn-key convert odd new
		assert_output "$id"
	done
}

@test "convert: an encrypted file of ssh-keygen's asks for the passphrase at the terminal" {
	needs ssh-keygen
	for cipher in aes256-ctr aes256-cbc; do
		rm -f theirs* mine
		ssh-keygen -q -t ed25519 -a 4 -Z $cipher -N 'open  sesame!' -f theirs
		typed 'open  sesame!' gn-key convert theirs mine
		run -1 grep -q sesame screen
		assert_equal "$(gn-key pub -F openssh mine)" "$(cut -d' ' -f 1,2 theirs.pub)"
		run -9 typed 'open sesame!' gn-key convert theirs none
		assert_equal "$(tr -d '\r' <screen)" "Passphrase of theirs: "$'\n'"gn-key: key theirs: the passphrase is wrong, or the file is damaged"
		assert [ ! -e none ]
	done
	ssh-keygen -q -p -P 'open  sesame!' -N x -Z aes256-gcm@openssh.com -f theirs
	run -2 gn-key convert theirs none
	assert_output --partial "encrypted in a way not known here (ssh-keygen -p changes it)"
}

@test "convert: an encrypted file of openssl's asks for the passphrase at the terminal" {
	needs openssl
	openssl genpkey -algorithm ed25519 -out plain.pem
	openssl pkcs8 -topk8 -in plain.pem -passout 'pass:open sesame' -out pbkdf.pem
	openssl pkcs8 -topk8 -scrypt -in plain.pem -passout 'pass:open sesame' -out scrypt.pem
	chmod 600 ./*.pem
	for f in pbkdf scrypt; do
		typed 'open sesame' gn-key convert $f.pem $f
		gn-key convert -F pem $f $f.plain.pem
		cmp plain.pem $f.plain.pem
		run -9 typed sesame gn-key convert $f.pem none
		assert [ ! -e none ]
	done
}

@test "convert: a passphrase needs a terminal, which a signal leaves as it was" {
	needs ssh-keygen
	ssh-keygen -q -t ed25519 -N secret -f theirs
	run -1 setsid -w gn-key convert theirs none </dev/null
	assert_output "gn-key: key theirs: it is encrypted, and there is no terminal to ask for its passphrase at"
	run typed $'\x03' "sh -c 'trap : INT; gn-key convert theirs none; echo code \$?; stty -a'"
	run -0 tr -d '\r' <screen
	assert_output --partial "code 130"
	assert_output --regexp '[^-]echo '
	assert [ ! -e none ]
}

@test "convert: other types of keys, and files without a key, are exit code 2" {
	needs openssl
	openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out ec.pem 2>/dev/null
	openssl genpkey -algorithm x25519 -out x.pem
	chmod 600 ec.pem x.pem
	for f in ec.pem x.pem; do
		run -2 gn-key convert $f none
		assert_output --partial "key $f: not an Ed25519 key"
	done
	needs ssh-keygen
	ssh-keygen -q -t ecdsa -N secret -f ecdsa
	run -2 gn-key convert ecdsa none # and there is no prompt
	gn-key new k
	gn-key convert -F openssh k k.ssh
	head -c 200 k.ssh >cut
	(umask 077 && gn-key pub -F pem k >public && openssl rand 100 >noise && : >empty)
	chmod 600 cut
	for f in cut public noise empty; do
		run -2 gn-key convert $f none
		assert_output "gn-key: key $f: malformed"
	done
	assert [ ! -e none ]
}

@test "convert: readable, existing and missing files are refused" {
	gn-key new k
	gn-key convert -F pem k k.pem
	chmod 644 k.pem
	run -4 gn-key convert k.pem none
	assert_output --partial "accept it, or: chmod 600 k.pem"
	echo precious >new
	run -4 gn-key convert -F pem k new
	assert_output "gn-key: new is there already and is not overwritten"
	assert_equal "$(cat new)" precious
	run -4 gn-key convert k k
	run -0 gn-key convert --insecure-key-mode k.pem taken
	cmp k taken
	run -1 gn-key convert none new2
	run -1 gn-key convert k no/such/folder
	(umask 000 && gn-key convert -F openssh k loose)
	assert_equal "$(stat -c %a loose)" 600
}

@test "usage errors in commands, operands and options are exit code 2" {
	run -2 gn-key
	run -2 gn-key make k
	assert_output --partial "'make' is none of new, id, pub and convert"
	run -2 gn-key id
	assert_output --partial "FILE is missing, and there is no default key (gn-key new makes it)"
	run -2 gn-key convert
	assert_output --partial "FILE is missing"
	run -2 gn-key new --insecure-key-mode k
	run -2 gn-key new ""
	run -2 gn-key convert k ""
	run -2 gn-key id a b
	run -2 gn-key --no-such id k
	assert_output --partial "--no-such: there is no such option"
	run -2 gn-key -x id k
	assert_output --partial "-x: there is no such option"
	run -2 gn-key --json=yes id k
	run -2 gn-key id --raw k
	run -2 gn-key convert k
	assert_output --partial "NEW is missing"
	run -2 gn-key convert a b c
	run -2 gn-key convert -F der a b
	run -2 gn-key convert --raw a b
	run -2 gn-key id -F pem k
	run -2 gn-key pub -j -F pem k
	assert [ ! -e k ]
}

@test "an argument after -- is an operand" {
	run -0 gn-key new -- -k
	assert [ -s ./-k ]
	run -0 gn-key id -- -k
	chmod 644 ./-k
	run -4 gn-key id -- -k
	assert_output --partial "chmod 600 -- '-k'"
}

@test "a full disk and a closed stdout are exit code 1" {
	gn-key new k
	run -1 bash -c 'gn-key id k >/dev/full'
	assert_output --partial "standard output: No space left on device"
	[ "$GN_SLOW" = 1 ] || return 0 # valgrind's own files reuse the closed descriptors
	run -1 bash -c 'gn-key id k >&-'
}

@test "--help and --version are printed to stdout" {
	run -0 --separate-stderr gn-key --help
	assert_line --partial "usage: gn-key new"
	assert_equal "$stderr" ""
	run -0 gn-key --version
	assert_output --regexp '^gn-key [0-9]+\.[0-9]+\.[0-9]+$'
}
