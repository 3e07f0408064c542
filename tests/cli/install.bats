#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install: the files under PREFIX; programs build against them with pkg-config alone.

bats_require_minimum_version 1.5.0
load helper

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

@test "BINDIR, LIBDIR, INCLUDEDIR and MANDIR are used, and uninstall finds the files there" {
	dest=$BATS_TEST_TMPDIR/dest
	dirs=(PREFIX=/opt/gn BINDIR=/opt/gn/sbin LIBDIR=/opt/gn/lib/x86 INCLUDEDIR=/usr/include/gn MANDIR=/opt/man)
	make -s -C "$TOP" MODE="$MODE" DESTDIR="$dest" "${dirs[@]}" install
	"$dest/opt/gn/sbin/gn-key" --version
	[ -s "$dest/opt/gn/lib/x86/libgn.a" ]
	[ -s "$dest/usr/include/gn/gn_sealed.h" ]
	[ -s "$dest/opt/man/man5/gn-frames.5" ]
	pc=$dest/opt/gn/lib/x86/pkgconfig/golem-net.pc
	grep -qx 'libdir=${prefix}/lib/x86' "$pc"
	grep -qx 'includedir=/usr/include/gn' "$pc"
	make -s -C "$TOP" MODE="$MODE" DESTDIR="$dest" "${dirs[@]}" uninstall
	[ -z "$(find "$dest" -type f)" ]
}

# only_pkg_config MISSING: a pkg-config that does not know that library, as tool
only_pkg_config() {
	printf '#!/bin/sh\ncase "$*" in *--exists*%s*) exit 1 ;; esac\nexec pkg-config "$@"\n' "$1" >"$BATS_TEST_TMPDIR/tool"
	chmod +x "$BATS_TEST_TMPDIR/tool"
}

@test "a missing library is one line that names the Debian package" {
	for pair in libsodium:libsodium-dev libprotobuf-c:libprotobuf-c-dev libcares:libc-ares-dev libcrypto:libssl-dev; do
		only_pkg_config "${pair%:*}"
		run -2 --separate-stderr make -s -C "$TOP" MODE=release BUILD="$BATS_TEST_TMPDIR/b" PKG_CONFIG="$BATS_TEST_TMPDIR/tool" all
		assert_equal "${stderr_lines[0]}" "make: the library ${pair%:*} is missing; on Debian: apt-get install ${pair#*:}, or make deps"
		refute [ -e "$BATS_TEST_TMPDIR/b/release/.flags" ]
	done
	run -2 --separate-stderr make -s -C "$TOP" MODE=release BUILD="$BATS_TEST_TMPDIR/b" PKG_CONFIG=no-such-pkg-config all
	assert_equal "${stderr_lines[0]}" "make: no-such-pkg-config is missing; on Debian: apt-get install pkg-config, or make deps"
}

@test "PKG_CONFIG names the pkg-config of a cross build, or none" {
	printf '#!/bin/sh\ncase "$*" in *--cflags*) echo -I/cross/include ;; *--libs*) echo -L/cross -lcrypto ;; esac\n' >"$BATS_TEST_TMPDIR/tool"
	chmod +x "$BATS_TEST_TMPDIR/tool"
	b=$BATS_TEST_TMPDIR/b
	make -s -C "$TOP" MODE=release BUILD="$b" PKG_CONFIG="$BATS_TEST_TMPDIR/tool" "$b/release/.flags"
	grep -q -- ' -I/cross/include .* -lev -L/cross -lcrypto ' "$b/release/.flags"
	make -s -C "$TOP" MODE=release BUILD="$b" PKG_CONFIG= "$b/release/.flags"
	grep -q -- ' -lev -lsodium -lprotobuf-c -lcares -lcrypto ' "$b/release/.flags"
}
