#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install: the files under PREFIX; programs build against them with pkg-config alone.

setup_file() {
	export ROOT=$BATS_FILE_TMPDIR/usr
	make -s -C "$TOP" MODE="$MODE" PREFIX="$ROOT" install >"$BATS_FILE_TMPDIR/log" 2>&1 || {
		cat "$BATS_FILE_TMPDIR/log" >&2
		return 1
	}
	export PKG_CONFIG_PATH=$ROOT/lib/pkgconfig
}

# An archive that was built with a sanitizer requires the sanitizer in the program, too.
flags() {
	case $MODE in
	asan) echo "-fsanitize=address,undefined" ;;
	cov) echo "--coverage" ;;
	esac
}

program() {
	cat >"$BATS_TEST_TMPDIR/p.c" <<-END
		#include <gn.h>
		#include <stdio.h>
		int main(void)
		{
			struct gn_key *key;
			struct gn_peer_id id;
			char text[GN_PEER_ID_TEXT_MAX];

			if (gn_key_new(&key) != 0)
				return 1;
			gn_key_id(key, &id);
			puts(gn_peer_id_format(&id, text));
			gn_key_free(key);
			return 0;
		}
	END
	echo "$BATS_TEST_TMPDIR/p.c"
}

@test "every tool is installed, runs, and has its page" {
	for tool in "$B"/bin/gn-*; do
		"$ROOT/bin/${tool##*/}" --version
		[ -s "$ROOT/share/man/man1/${tool##*/}.1" ]
	done
	[ -s "$ROOT/share/man/man7/gn-address.7" ]
	[ -s "$ROOT/share/man/man3/libgn.3" ]
}

@test "a program builds with pkg-config --cflags --libs" {
	gcc $(flags) "$(program)" -o "$BATS_TEST_TMPDIR/p" $(pkg-config --cflags --libs golem-net)
	run "$BATS_TEST_TMPDIR/p"
	[ "$status" -eq 0 ]
	[[ $output == 12D3KooW* ]]
}

@test "a program builds with pkg-config --static" {
	gcc $(flags) "$(program)" -o "$BATS_TEST_TMPDIR/p" $(pkg-config --cflags --libs --static golem-net)
	"$BATS_TEST_TMPDIR/p"
}

@test "the header works from C++" {
	command -v g++ >/dev/null || skip "g++ is not installed"
	cp "$(program)" "$BATS_TEST_TMPDIR/p.cc"
	g++ $(flags) "$BATS_TEST_TMPDIR/p.cc" -o "$BATS_TEST_TMPDIR/p" $(pkg-config --cflags --libs golem-net)
	"$BATS_TEST_TMPDIR/p"
}

@test "the examples build against the installed library, without a warning" {
	found=0
	for c in "$TOP"/examples/*.c; do
		gcc -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror $(flags) "$c" \
			-o "$BATS_TEST_TMPDIR/$(basename "$c" .c)" $(pkg-config --cflags --libs golem-net)
		[ "$(wc -l <"$c")" -lt 100 ]
		found=$((found + 1))
	done
	[ "$found" -gt 0 ]
}

@test "DESTDIR stays out of the pkg-config file, and uninstall leaves nothing" {
	dest=$BATS_TEST_TMPDIR/dest
	make -s -C "$TOP" MODE="$MODE" PREFIX=/opt/gn DESTDIR="$dest" install
	grep -qx 'prefix=/opt/gn' "$dest/opt/gn/lib/pkgconfig/golem-net.pc"
	make -s -C "$TOP" MODE="$MODE" PREFIX=/opt/gn DESTDIR="$dest" uninstall
	[ -z "$(find "$dest" -type f)" ]
}
