#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The choice of the key, which is the same in every tool: -k, GN_KEY_FILE, the default key, a new one for this run.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown() {
	kill_all
}

lo=/ip4/127.0.0.1/tcp/0
default() { echo "$XDG_CONFIG_HOME/golem-net/key"; }
# used_by TOOL ARGS...: prints the id that the tool uses, as its peer sees it
used_by() {
	start gn-listen --insecure-key-mode -v -k peer -a $lo /x/1 >&2
	case $1 in
	gn-dial) echo | "$@" --wire raw "$addr" /x/1 >&2 || : ;;
	gn-cat) "$@" -p /x/1 "$addr" </dev/null >&2 || : ;;
	esac
	sed -n 's/.*from \(12D3[0-9A-Za-z]*\) at .*opened.*/\1/p' err
	kill_all
}

@test "gn-key new without FILE makes the default key, which id, pub and convert use" {
	run -0 --separate-stderr gn-key new
	id=$output
	assert_equal "$stderr" "gn-key: made the default key, $(default)"
	assert_equal "$(stat -c %a "$(default)")" 600
	for d in golem-net . ..; do assert_equal "$(stat -c %a "$XDG_CONFIG_HOME/$d")" 700; done
	run -0 gn-key id
	assert_output "$id"
	run -0 gn-key id -j
	assert_equal "$(jq -r .file <<<"$output")" "$(default)"
	run -0 gn-key pub
	assert_output "$(gn-key pub "$(default)")"
	new_key other
	GN_KEY_FILE=other run -0 gn-key id
	assert_output "$id"
}

@test "gn-key new does not overwrite the default key, and explains how to print its id" {
	gn-key new
	cp "$(default)" before
	run -4 --separate-stderr gn-key new
	assert_output ""
	assert_equal "$stderr" "gn-key: $(default) is there already and is not overwritten; its peer id is shown by: gn-key id"
	cmp before "$(default)"
	run -0 ${stderr##*: }
	assert_output "$(gn-key id before)"
}

@test "without an absolute XDG_CONFIG_HOME it is ~/.config, and without HOME there is no default key" {
	for config in unset "" relative/path; do
		rm -rf home
		mkdir home
		if [ "$config" = unset ]; then unset XDG_CONFIG_HOME; else export XDG_CONFIG_HOME=$config; fi
		HOME=$PWD/home run -0 gn-key new
		assert [ -s home/.config/golem-net/key ]
		run -0 env HOME="$PWD/home" gn-key id
		for home in "" relative; do
			HOME=$home run -2 gn-key new
			assert_output --partial "HOME is not set"
			HOME=$home run -2 gn-key id
		done
	done
	run -2 env -u HOME gn-key new
	assert [ ! -e relative ]
}

@test "every tool uses -k, then GN_KEY_FILE, then the default key" {
	new_key peer
	new_key a
	a=$id
	new_key b
	b=$id
	default_id=$(gn-key new 2>/dev/null)
	for tool in gn-dial gn-cat; do
		assert_equal "$(used_by $tool)" "$default_id"
		assert_equal "$(GN_KEY_FILE=a used_by $tool)" "$a"
		assert_equal "$(GN_KEY_FILE=a used_by $tool -k b)" "$b"
		assert_equal "$(GN_KEY_FILE="" used_by $tool)" "$default_id"
	done
	start gn-listen -a $lo /x/1
	assert_equal "${addr##*/}" "$default_id"
	start gn-cat -l $lo
	assert_regex "$addr" "/p2p/$default_id"
	echo hello | gn-seal -r "$default_id" -F raw >sealed
	run -0 gn-open --from "$default_id" -F raw <sealed
	assert_output hello
	GN_KEY_FILE=a run -9 gn-open --from "$default_id" -F raw <sealed
}

@test "a default key that cannot be used is an error, not replaced by a new identity" {
	gn-key new
	chmod 644 "$(default)"
	for t in "gn-dial --ping $lo/p2p/12D3KooWLyM1jaZZMVs5u6YPk6KGE4dMwhqWSkPBz6iHKXBmNHDX" "gn-listen -a $lo /x/1" "gn-cat -l $lo" "gn-open --from any" "gn-key id"; do
		# shellcheck disable=SC2086
		run -4 $t </dev/null
		assert_output --partial "accept it, or: chmod 600 $(default)"
	done
	rm "$(default)"
	ln -s nowhere "$(default)"
	run -1 gn-listen -a $lo /x/1
	assert_output --partial "key $(default): No such file or directory"
}

@test "a key in a mounted secret is refused, and the option that the message names admits it" {
	new_key peer
	mine=$(gn-key new k)
	for mode in 440 444 640; do
		chmod $mode k
		for t in "gn-key id k" "gn-dial -k k --ping $lo/p2p/$mine" "gn-listen -k k -a $lo /x/1" "gn-cat -k k -l $lo" \
			"gn-seal -k k -r $mine" "gn-open -k k --from any"; do
			# shellcheck disable=SC2086
			run -4 $t </dev/null
			assert_output --regexp "^${t%% *}: key k: .*--insecure-key-mode"
		done
		assert_equal "$(gn-key id --insecure-key-mode k)" "$mine"
		for tool in gn-dial gn-cat; do
			assert_equal "$(used_by $tool --insecure-key-mode -k k)" "$mine"
		done
		start gn-listen --insecure-key-mode -k k -a $lo /x/1
		assert_equal "${addr##*/}" "$mine"
		start gn-cat --insecure-key-mode -k k -l $lo
		assert_regex "$addr" "/p2p/$mine"
		echo hello | gn-seal --insecure-key-mode -k k -r "$mine" -F raw >sealed
		run -0 gn-open --insecure-key-mode -k k --from "$mine" -F raw <sealed
		assert_output hello
		kill_all
	done
}

@test "--allow accepts a public key in place of an id" {
	new_key peer
	new_key a
	new_key b
	for pub in "$(gn-key pub a)" "$(gn-key pub -F openssh a) ann@host" "$(gn-key pub -F pem a)"; do
		start gn-listen -k peer --allow "$pub" -a $lo /x/1
		run -0 gn-dial -k a --ping=1 "$addr"
		run -4 gn-dial -k b --ping=1 "$addr"
	done
}
