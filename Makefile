# SPDX-License-Identifier: MIT
# golem-net: libgn.a, the gn-* tools, their tests.  `make help` lists what there is.
#
#   MODE=debug|release|asan|tsan|cov|fuzz   each has its own tree, build/MODE
#   STATIC=1                           tools without shared libraries, in build/MODE-static
#   CC=gcc|clang  CFLAGS=  LDFLAGS=    as usual; WERROR=1 makes warnings errors, V=1 shows commands
#   BUILD=DIR                          another place than build/
#   PREFIX= BINDIR= LIBDIR= INCLUDEDIR= MANDIR= DESTDIR=    where install puts things
#   PKG_CONFIG=aarch64-linux-gnu-pkg-config    another pkg-config, as for a cross build; none when empty

MODE ?= release
BUILD ?= build
B := $(BUILD)/$(MODE)$(if $(STATIC),-static)
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
PKG_CONFIG ?= pkg-config
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(MODE)),clang,gcc)
endif
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS) --no-builtin-rules
endif

# ---- flags ----------------------------------------------------------------------

CFLAGS.debug   = -Og -g3
CFLAGS.release = -O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
CFLAGS.asan    = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS.tsan    = -O1 -g -fno-omit-frame-pointer -fsanitize=thread
CFLAGS.cov     = -O0 -g --coverage -fprofile-abs-path
CFLAGS.fuzz    = -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined \
                 -fsanitize=fuzzer-no-link,address,undefined
LDFLAGS.asan   = -fsanitize=address,undefined
LDFLAGS.tsan   = -fsanitize=thread
LDFLAGS.cov    = --coverage
LDFLAGS.fuzz   = -fsanitize=fuzzer,address,undefined
ifeq ($(CFLAGS.$(MODE)),)
$(error MODE=$(MODE): there are debug, release, asan, tsan, cov and fuzz)
endif

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
       -Wundef -Wvla -Wcast-qual -Wwrite-strings -Wformat=2 $(if $(WERROR),-Werror)
# Position-independent, so that the archive can also be linked into a shared object.
BASE_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(if $(STATIC),-DGN_STATIC) -fPIC -ffunction-sections -fdata-sections \
              $(CFLAGS.$(MODE))
INCLUDES = -Ilib -I$(B)/proto
, := ,
# In a static program, cmd/common/static.c replaces the functions of the system that c-ares would call.
STATIC_LDFLAGS = -static-pie -Wl$(,)--wrap=getservbyname$(,)--wrap=getservbyport_r$(,)-u$(,)__wrap_getservbyname
ALL_LDFLAGS = $(if $(STATIC),$(STATIC_LDFLAGS),-pie) -Wl,-z,relro,-z,now,-z,noexecstack \
              -Wl,--as-needed -Wl,--gc-sections $(LDFLAGS.$(if $(filter fuzz,$(MODE)),asan,$(MODE))) $(LDFLAGS)
# pkg-config runs once, and only when a recipe needs it: in `make deps all` the libraries are not there before.
# libev has no .pc file.
NEEDS = libsodium libprotobuf-c libcares libcrypto
ask = $(shell $(PKG_CONFIG) $(1) $(NEEDS) 2>/dev/null)
NEEDS_CFLAGS = $(eval NEEDS_CFLAGS := $(if $(PKG_CONFIG),$(call ask,--cflags)))$(NEEDS_CFLAGS)
LIBS_FLAGS = $(if $(STATIC),--static) --libs
NEEDS_LIBS = $(eval NEEDS_LIBS := $(if $(PKG_CONFIG),$(call ask,$(LIBS_FLAGS)),$(NEEDS:lib%=-l%)))$(NEEDS_LIBS)
LDLIBS = -lev $(NEEDS_LIBS) -lm $(if $(STATIC),-ldl -pthread)
Q = $(if $V,,@echo '  $@';)
COMPILE = $(CC) $(BASE_CFLAGS) $(NEEDS_CFLAGS) -MMD -MP

# ---- sources and products----------------------------------------------------------

LIB_SRC    := $(sort $(shell find lib -name '*.c'))
PROTO      := $(wildcard proto/*.proto)
PROTO_C    := $(PROTO:proto/%.proto=$(B)/proto/%.pb-c.c)
COMMON_SRC := $(wildcard cmd/common/*.c)
TOOLS      := $(patsubst cmd/%/main.c,%,$(wildcard cmd/gn-*/main.c))
PAGES      := $(wildcard man/*.[1357])
TEST_SRC   := $(wildcard tests/unit/*.c tests/conform/*.c)
AID_SRC    := $(wildcard tests/bench/*.c tests/lab/*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)
objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

LIB       = $(B)/lib/libgn.a
LIB_OBJ  := $(call objs,$(LIB_SRC)) $(PROTO_C:.c=.o)
TESTS    := $(TEST_SRC:tests/%.c=$(B)/tests/%)
LATE     := gn-key gn-seal gn-open gn-frame gn-dial
AIDS     := $(AID_SRC:tests/%.c=$(B)/tests/%) $(LATE:%=$(B)/tests/late/%)
FUZZERS  := $(FUZZ_SRC:tests/%.c=$(B)/tests/%)

.PHONY: all tests aids fuzzers deps deps-dev demo check unit conform cli lab soak layers headers man-lint fresh lint \
        format static interop asan check-asan tsan check-tsan valgrind fuzz bench cov install uninstall clean help FORCE
.SECONDEXPANSION:
.SECONDARY:
.DELETE_ON_ERROR:

all: $(LIB) $(TOOLS:%=$(B)/bin/%)
tests: $(TESTS)
aids: $(AIDS)
fuzzers: $(FUZZERS)

# ---- rules ----------------------------------------------------------------------

# Every object depends on .flags, so that other flags or another compiler rebuild it, after a look at the libraries.
# The archives depend on .list, so that a removed source file leaves them.  In `make deps check` deps comes first.
$(B)/.flags: TEXT = $(CC) $(BASE_CFLAGS) $(NEEDS_CFLAGS) $(WARN) $(CFLAGS) $(ALL_LDFLAGS) $(LDLIBS)
$(B)/.flags: CHECK = PKG_CONFIG='$(PKG_CONFIG)' CC='$(CC) $(CFLAGS)' tests/tools/libs $(NEEDS)
$(B)/.list: TEXT = $(LIB_SRC) $(PROTO) $(SUPPORT_SRC)
$(B)/.list: CHECK = :
$(B)/.flags $(B)/.list: FORCE | $(filter clean deps deps-dev,$(MAKECMDGOALS))
	@mkdir -p $(@D); echo '$(TEXT)' >$@.$$$$; if cmp -s $@.$$$$ $@; then rm -f $@.$$$$; \
	elif $(CHECK); then mv -f $@.$$$$ $@; else rm -f $@.$$$$; exit 1; fi

$(B)/proto/%.pb-c.c: proto/%.proto $(B)/.flags
	@mkdir -p $(@D)
	$Q protoc-c --proto_path=proto --c_out=$(@D) $<

# Generated code is compiled without the strict warnings.
$(B)/proto/%.o: $(B)/proto/%.c
	$Q $(COMPILE) -I$(B)/proto $(CFLAGS) -c -o $@ $<

$(call objs,$(COMMON_SRC) $(wildcard cmd/gn-*/*.c)): INCLUDES += -Icmd
$(B)/obj/tests/%.o: INCLUDES += -Itests -Icmd -DGN_VECTORS='"$(CURDIR)/tests/vectors"'
$(B)/obj/%.o: %.c $(B)/.flags | $(PROTO_C)
	@mkdir -p $(@D)
	$Q $(COMPILE) $(INCLUDES) $(WARN) $(CFLAGS) -c -o $@ $<

# q, not r, because files of the same name in two folders are two members.
$(LIB): $(LIB_OBJ)
$(B)/lib/libcommon.a: $(call objs,$(COMMON_SRC))
$(B)/lib/libsupport.a: $(call objs,$(SUPPORT_SRC))
$(B)/lib/%.a: $(B)/.list
	@mkdir -p $(@D); rm -f $@
	$Q ar qcsD $@ $(filter %.o,$^)

LINK = @mkdir -p $(@D); $(if $V,set -x;,echo '  $@';) $(CC) $(BASE_CFLAGS) $(CFLAGS) -o $@ $(filter %.o %.a,$^)
$(B)/bin/%: $$(call objs,$$(wildcard cmd/$$*/*.c)) $(B)/lib/libcommon.a $(LIB)
	$(LINK) $(ALL_LDFLAGS) $(LDLIBS)
$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/lib/libsupport.a $(B)/lib/libcommon.a $(LIB)
	$(LINK) $(ALL_LDFLAGS) $(LDFLAGS.fuzz) $(LDLIBS)
$(B)/tests/late/%: $$(call objs,$$(wildcard cmd/$$*/*.c)) $(B)/obj/tests/late/close.o $(B)/lib/libcommon.a $(LIB)
	$(LINK) $(ALL_LDFLAGS) -Wl,--wrap=close $(LDLIBS)
# Tests that make allocations or system calls fail wrap these functions.
$(B)/tests/unit/alloc $(B)/tests/unit/idle_size $(B)/tests/unit/nested_size: ALL_LDFLAGS += \
                      -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=strdup,--wrap=free
$(B)/tests/unit/book_limits $(B)/tests/unit/own $(B)/tests/unit/peers $(B)/tests/unit/tags: ALL_LDFLAGS += -Wl,--wrap=calloc
$(B)/tests/unit/listener_retry: ALL_LDFLAGS += -Wl,--wrap=gn_ifaddrs_get
$(B)/tests/unit/host_watch: ALL_LDFLAGS += -Wl,--wrap=gn_ifaddrs_get,--wrap=gn_interfaces_get \
                                           -Wl,--wrap=gn_interfaces_watch_new,--wrap=gn_interfaces_watch_free
$(B)/tests/unit/key_file: ALL_LDFLAGS += -Wl,--wrap=close,--wrap=fsync,--wrap=link
$(B)/tests/unit/nested_copies: ALL_LDFLAGS += -Wl,--wrap=memcpy,--wrap=memmove
$(B)/tests/unit/outfile: ALL_LDFLAGS += -Wl,--wrap=open,--wrap=close
$(B)/tests/unit/results: ALL_LDFLAGS += -Wl,--wrap=close
$(B)/tests/%: $(B)/obj/tests/%.o $(B)/lib/libsupport.a $(B)/lib/libcommon.a $(LIB)
	$(LINK) $(ALL_LDFLAGS) $(LDLIBS) -lcmocka

-include $(shell test -d $(B) && find $(B) -name '*.d')

# ---- checks, which end with their count ----------------------------------------

RUN = MODE=$(MODE) BUILD=$(BUILD) B=$(abspath $(B)) CC='$(CC)' JOBS=$(JOBS) tests/tools

deps deps-dev:
	@tests/tools/$@
demo: all
	@$(RUN)/demo
check: all tests aids
	@$(RUN)/check unit conform cli lab layers headers man-lint
unit conform: tests
	@$(RUN)/check $@
cli lab man-lint: all aids
	@$(RUN)/check $@
layers headers: $(PROTO_C)
	@$(RUN)/check $@
# SOAK=short leaves out the cases that take more than a minute; CASES="a b" runs only those.
soak: all
	@GN_BIN=$(abspath $(B))/bin SOAK_SECONDS=$(if $(filter short,$(SOAK)),60,$(SOAK_SECONDS)) tests/soak/run $(CASES)
fresh:
	@tests/tools/fresh
lint: $(PROTO_C)
	@$(RUN)/lint
format:
	@$(RUN)/lint format
static:
	+@BUILD=$(BUILD) tests/tools/static
interop: all
	@$(RUN)/../interop/run $(PEERS)
asan:
	@$(MAKE) --no-print-directory MODE=asan all tests aids
	@$(MAKE) --no-print-directory MODE=asan check-asan
check-asan:
	@$(RUN)/check unit conform cli
tsan:
	@$(MAKE) --no-print-directory MODE=tsan tests
	@$(MAKE) --no-print-directory MODE=tsan check-tsan
check-tsan:
	@$(RUN)/check unit conform
valgrind: all
	@$(RUN)/check valgrind
fuzz:
	@$(MAKE) --no-print-directory MODE=fuzz fuzzers
	@MODE=fuzz B=$(abspath $(BUILD))/fuzz JOBS=$(JOBS) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/tools/fuzz $(TARGETS)
bench: all aids
	@$(RUN)/../bench/run
cov:
	@$(MAKE) --no-print-directory MODE=cov all tests aids
	@B=$(abspath $(BUILD))/cov JOBS=$(JOBS) tests/tools/cov

# ---- installing -----------------------------------------------------------------

D = $(DESTDIR)
VERSION = $(shell sed -n 's/^.define GN_VERSION "\(.*\)"/\1/p' lib/gn.h)
HEADERS = $(wildcard lib/gn*.h)
page = $(D)$(MANDIR)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
# A directory below PREFIX is written relative to it, so that pkg-config --define-prefix works.
below = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

install: all
	install -d $(D)$(BINDIR) $(D)$(LIBDIR)/pkgconfig $(D)$(INCLUDEDIR)
	$(if $(TOOLS),install -m 755 $(TOOLS:%=$(B)/bin/%) $(D)$(BINDIR))
	install -m 644 $(LIB) $(D)$(LIBDIR)
	install -m 644 $(HEADERS) $(D)$(INCLUDEDIR)
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(call below,$(LIBDIR))|; s|@VERSION@|$(VERSION)|' \
		-e 's|@INCLUDEDIR@|$(call below,$(INCLUDEDIR))|' lib/golem-net.pc.in >$(D)$(LIBDIR)/pkgconfig/golem-net.pc
	$(foreach p,$(PAGES),install -D -m 644 $(p) $(call page,$(p)) &&) :

uninstall:
	rm -f $(TOOLS:%=$(D)$(BINDIR)/%) $(D)$(LIBDIR)/libgn.a $(D)$(LIBDIR)/pkgconfig/golem-net.pc \
		$(HEADERS:lib/%=$(D)$(INCLUDEDIR)/%) $(foreach p,$(PAGES),$(call page,$(p)))

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^# \{0,1\}//; 2,9p' Makefile
	@cat tests/tools/help
