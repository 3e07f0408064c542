#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every example of the manual pages and of README.md is run, with both of its hosts.  examples.py describes how.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	examples=$BATS_TEST_DIRNAME/examples.py
}

teardown() {
	kill_all
}

# run_all PAGE: runs each example of the page in a directory of its own.
run_all() {
	local page n ran=0
	while read -r page n; do
		mkdir "$n"
		(cd "$n" && "$examples" run "$page" "$n" >log 2>&1 3>&-) || {
			cat "$n/log"
			return 1
		}
		ran=$((ran + 1))
	done < <("$examples" list "$TOP/$1")
	[ "$ran" -gt 0 ]
}

@test "gn-cat(1)" { run_all man/gn-cat.1; }
@test "gn-dial(1)" { run_all man/gn-dial.1; }
@test "gn-frame(1)" { run_all man/gn-frame.1; }
@test "gn-frames(5)" { run_all man/gn-frames.5; }
@test "gn-key(1)" { run_all man/gn-key.1; }
@test "gn-limits(7)" { run_all man/gn-limits.7; }
@test "gn-listen(1)" { run_all man/gn-listen.1; }
@test "gn-open(1)" { run_all man/gn-open.1; }
@test "gn-seal(1)" { run_all man/gn-seal.1; }
@test "README.md" { run_all README.md; }

# The example program, and then the shell commands that use it.
@test "libgn(3)" {
	sed -n '/^#include <gn.h>/,/^.Ed/p' "$TOP/man/libgn.3" | sed '/^.Ed/,$d; s/\\e/\\/g' >echo.c
	case $MODE in
	asan) flags=-fsanitize=address,undefined ;;
	cov) flags=--coverage ;;
	esac
	needs=$(sed -n 's/^Requires: *//p' "$TOP/lib/golem-net.pc.in")
	${CC:-cc} -Wall -Werror $flags -I"$TOP/lib" echo.c -o echo "$B/lib/libgn.a" -lev $(pkg-config --libs $needs) -lm
	./echo >addr 3>&- &
	pids+=("$!")
	until_true 10 test -s addr
	"$examples" commands "$TOP/man/libgn.3" 1 >commands
	ADDR=$(cat addr) run -0 bash commands
	assert_output $'one\ntwo'
}

@test "the examples of every page are run here" {
	for page in "$TOP"/man/*.[1357]; do
		grep -q '^\.Sh EXAMPLES' "$page" || continue
		name=${page##*/}
		[ "$name" != gn-sealed.5 ] || continue # it shows bytes, no commands
		grep -q "@test \"${name%.*}(${name##*.})\"" "$BATS_TEST_FILENAME" || fail "$name is not run"
	done
	# That page's example has no commands, so there is nothing to run.
	refute grep -q '\$ ' <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$TOP/man/gn-sealed.5")
}

@test "an example whose command fails, or prints something else, fails" {
	printf '.Sh EXAMPLES\n.Bd -literal -offset indent\n%s\n.Ed\n.Sh SEE ALSO\n' '$ gn-key id no.such.key' >page.1
	mkdir a b c && cd a
	run -1 "$examples" run ../page.1 0
	cd ../b
	printf '.Sh EXAMPLES\n.Bd -literal -offset indent\n%s\n%s\n.Ed\n.Sh SEE ALSO\n' '$ gn-key id me.key' 'something else' >page.1
	run -1 "$examples" run page.1 0
	assert_output --partial 'does not show: something else'
	cd ../c
	printf '.Sh EXAMPLES\n.Bd -literal -offset indent\n%s\n.Ed\n.Sh SEE ALSO\n' 'no command' >page.1
	run -1 "$examples" run page.1 0
}
