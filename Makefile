# uvdso: build your own vDSO in userspace. `make help` lists what can be made.
#
# The page (vdso-src/ through linker-scripts/) is built with flags of its own:
# it runs inside other programs, without a C library. The loader (loader/) is an
# ordinary program, and carries the finished page inside it.

# The machine that the page, the loader and the tests are for: the one that this runs on,
# or another one that there is a port for. What differs is in its port.mk.
HOST := $(patsubst i%86,i386,$(shell uname -m))
ARCH ?= $(HOST)
ifeq ($(wildcard vdso-src/arch/$(ARCH)/port.mk),)
$(error ARCH=$(ARCH): no port for this machine; there is \
	$(patsubst vdso-src/arch/%/port.mk,%,$(wildcard vdso-src/arch/*/port.mk)))
endif
include vdso-src/arch/$(ARCH)/port.mk

# CC and LD say which family: gcc or clang, ld.bfd or ld.lld, a version behind it perhaps.
# For another machine GNU's tools have another name each, clang another option, and
# ld.lld knows all machines. Whatever else is said is taken as it is.
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin LD),default)
LD := ld.bfd
endif
CROSS := $(if $(filter-out $(HOST),$(ARCH)),$(TRIPLE)-)
CC_HERE := $(if $(filter clang%,$(notdir $(CC))),$(CC) $(if $(CROSS),--target=$(TRIPLE)),$(if \
	$(filter gcc gcc-%,$(CC)),$(CROSS)$(CC),$(CC)))
CXX_HERE := $(subst clang,clang++,$(subst gcc,g++,$(firstword $(CC_HERE)))) $(wordlist 2,9,$(CC_HERE))
LD_HERE := $(if $(filter ld ld.bfd,$(LD)),$(CROSS)$(LD),$(LD))
AR_HERE := $(CROSS)$(if $(filter default undefined,$(origin AR)),ar,$(AR))
OBJCOPY ?= $(CROSS)objcopy
OBJDUMP ?= $(CROSS)objdump
# What runs a program of that machine here. i386 is no other machine for x86-64.
RUN := $(if $(filter-out $(HOST) $(if $(filter x86_64,$(HOST)),i386),$(ARCH)),$(EMULATOR))

.DEFAULT_GOAL := all

# The site takes node and npm, its test a browser: only where they are asked for.
deps: ## install what the other goals need from Debian's packages; instant when all is there
	@tests/deps $(if $(filter tutorial,$(MAKECMDGOALS)),tutorial $(if $(filter test,$(MAKECMDGOALS)),browser)) $(if $(filter bench,$(MAKECMDGOALS)),bench)

# What deps installs changes what can be built. So `make deps demo` is two runs: this
# file is read again for the rest.
REST := $(and $(filter deps,$(MAKECMDGOALS)),$(filter-out deps,$(MAKECMDGOALS)))
ifneq ($(REST),)
.PHONY: deps $(REST)
$(firstword $(REST)): deps
	@$(MAKE) --no-print-directory $(REST)
$(wordlist 2,99,$(REST)): $(firstword $(REST)) ;
else

MAKEFLAGS += --no-builtin-rules
ARCHES := $(patsubst vdso-src/arch/%/port.mk,%,$(wildcard vdso-src/arch/*/port.mk))
SPACE := $() $()
COMMA := ,
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all install uninstall matrix test-programs test-list help deps doctor symbols sections disasm demo bench test coverage format clean FORCE
.PHONY: learn start check hint diff solution reset watch

# One short line a step; `make V=1` prints the commands themselves, `make -s` nothing.
Q := $(if $(V),,@)
silent := $(V)$(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(silent),,@printf '  %-7s %s\n' $(1) $@)

# What is made: objects and page of a machine in build/ARCH. Command, library and tests of
# this machine are in build itself, those of another in build/ARCH, too.
B := build
O := $(B)/$(ARCH)
P := $(if $(CROSS),$(O),$(B))

all: $(P)/uvdso $(P)/libuvdso.a $(O)/vdso.so $(O)/.debug ## build the page, the command uvdso and libuvdso.a (default)

help: ## this list
	@echo 'make TARGET [ARCH=$(subst $(SPACE),|,$(ARCHES))] [CC=gcc|clang] [LD=ld.bfd|ld.lld]'
	@sed -n 's/^\([a-z]*\):[^#]*## /  \1 - /p' Makefile | \
		while IFS= read -r l; do printf '  %-10s %s\n' "$${l%% - *}" "$${l#* - }"; done

# A change of compiler, linker or flags rebuilds everything that they made. Not the place
# of the tree: it is in no byte, so that copies of a tree can begin with what it has built.
CONFIG = $(CC_HERE) $(LD_HERE) $(VDSO_PARTS) $(VDSO_CFLAGS) $(VDSO_LDFLAGS) $(LOADER_CFLAGS) $(PROGRAM_CFLAGS) \
	$(CXX) $(PROGRAM_CXXFLAGS)
$(O)/.config: FORCE
	@mkdir -p $(O)
	@for tool in $(firstword $(CC_HERE)) $(firstword $(LD_HERE)) $(firstword $(OBJCOPY)); do \
		command -v $$tool >/dev/null || { \
			echo "uvdso: ARCH=$(ARCH): there is no $$tool; make deps installs it" >&2; exit 1; }; done
	@echo '$(filter-out $(PREFIX_MAP),$(CONFIG))' | cmp -s - $@ || \
		echo '$(filter-out $(PREFIX_MAP),$(CONFIG))' >$@

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
# No path of this machine in any byte: the image is the same wherever it is built.
PREFIX_MAP := -ffile-prefix-map=$(CURDIR)=.

# ---- the page ---------------------------------------------------------------
# Why each flag of the page: it has no C library (freestanding, no builtins, no
# stack protector, whose canary is thread-local), it may lie anywhere (PIC), only
# what is marked is visible, and a debugger must be able to unwind from every
# instruction of it. Where a machine can be told (port.mk), general registers only: two
# words put together in a vector register, to be stored at once, made a call slower by a
# nanosecond.
VDSO_CFLAGS := -std=gnu11 -O2 -g -fPIC -ffreestanding -fno-builtin -fno-common \
	-fno-stack-protector -fvisibility=hidden -fasynchronous-unwind-tables \
	-fno-lto $(PREFIX_MAP) $(WARNINGS) -Ivdso-src/include -Ivdso-src/arch/$(ARCH)
# A page is small: no functions cut in two, each half with unwind data of its own, and
# no padding inside of them. Not every compiler knows these.
cc_option = $(shell $(CC_HERE) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(1))
VDSO_CFLAGS += $(foreach flag,-fno-reorder-blocks-and-partition -falign-jumps=1 \
	-falign-loops=1 -falign-labels=1,$(call cc_option,$(flag)))
VDSO_CFLAGS += $(VDSO_CFLAGS_MACHINE)
# What of the page is built: VDSO_PARTS, in port.mk. Each part is a set of functions that
# is complete in itself, with its objects in VDSO_OBJS_part:
#	make VDSO_PARTS=time B=/tmp/b /tmp/b/x86_64/vdso.so
# makes a page of the time functions alone, which must fit into one page of memory. With
# random comes a cipher, and needs a second one.
VDSO_PARTS_CPPFLAGS := $(foreach part,$(VDSO_PARTS),-DVDSO_HAS_$(part))
# Why each flag of the link: toolchains differ in every one of these defaults.
VDSO_LDFLAGS := -shared -nostdlib -soname=$(or $(VDSO_SONAME),linux-vdso.so.1) --hash-style=both \
	--build-id=sha1 -Bsymbolic --no-undefined --no-undefined-version --fatal-warnings \
	-z max-page-size=4096 -z noexecstack --eh-frame-hdr
# GNU ld leaves five entries of .dynamic free for tools that nobody runs on a page.
VDSO_LDFLAGS += $(if $(findstring bfd,$(LD)),--spare-dynamic-tags=0)

VDSO_OBJS := $(addprefix $(O)/vdso/,$(foreach part,$(VDSO_PARTS),$(VDSO_OBJS_$(part))) note.o)

$(O)/vdso/%.o: vdso-src/%.c $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(VDSO_CFLAGS) -MMD -MP -c $< -o $@

# Without -g: clang 14 writes the directory it runs in into the line table of assembly,
# past the prefix map, and the build id of the page would depend on it. And assembly says
# itself which registers it uses.
$(O)/vdso/%.o: vdso-src/%.S $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(filter-out -g -mgeneral-regs-only,$(VDSO_CFLAGS)) -MMD -MP -c $< -o $@

$(O)/vdso/vdso.lds: linker-scripts/$(ARCH).lds.S $(O)/.config
	@mkdir -p $(@D)
	$(call say,CPP)
	$(Q)$(CC_HERE) -E -P -x assembler-with-cpp -MMD -MP -MT $@ -MF $@.d -Ivdso-src/include $(VDSO_PARTS_CPPFLAGS) \
		-DVDSO_BUDGET=$(VDSO_BUDGET) $< -o $@

$(O)/vdso.so.dbg: $(O)/vdso/vdso.lds $(VDSO_OBJS)
	$(call say,LD)
	$(Q)$(LD_HERE) $(VDSO_LDFLAGS) -T $< $(VDSO_OBJS) -o $@

# ld.lld keeps the headers of the sections that must be empty; they are dropped here.
$(O)/vdso.so: $(O)/vdso.so.dbg linker-scripts/cover-headers
	$(call say,STRIP)
	$(Q)$(OBJCOPY) -S -R .data -R .bss $< $(O)/vdso/stripped.so
	$(Q)linker-scripts/cover-headers $(O)/vdso/stripped.so $@ $(VDSO_BUDGET)

# Where a debugger or a profiler looks for what was stripped: by build id.
$(O)/.debug: $(O)/vdso.so.dbg
	$(Q)rm -rf $(P)/debug
	$(Q)id=$$(readelf -n $< | sed -n 's/^ *Build ID: //p') && \
		file=$(P)/debug/.build-id/$$(printf %.2s $$id)/$${id#??}.debug && \
		mkdir -p $${file%/*} && ln -sr $< $$file
	$(Q)touch $@

# ---- the loader -------------------------------------------------------------
LOADER_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE $(PREFIX_MAP) $(WARNINGS) \
	-Iloader -Iloader/kernel/arch/$(ARCH) -Ivdso-src/include -Ivdso-src/arch/$(ARCH) $(LOADER_CFLAGS_MACHINE)

# Programs that use the library, and the tests, have the times of their C library; the
# loader itself knows times of 64 bits everywhere.
TEST_CFLAGS := $(LOADER_CFLAGS)
LOADER_CFLAGS += $(LOADER_TIME)

LIB_SRCS := $(sort $(wildcard $(addsuffix /*.c,loader loader/libc loader/kernel/* loader/kernel/image/check \
	loader/kernel/arch/$(ARCH))))
LIB_OBJS := $(LIB_SRCS:%.c=$(O)/%.o) $(O)/loader/kernel/image/image_blob.o \
	$(O)/loader/kernel/arch/$(ARCH)/jump.o
CLI_SRCS := $(sort $(wildcard loader/cli/*.c))
CLI_OBJS := $(CLI_SRCS:%.c=$(O)/%.o)

$(O)/loader/%.o: loader/%.c $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

$(O)/loader/%.o: loader/%.S $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

$(O)/loader/kernel/image/image_blob.o: loader/kernel/image/image_blob.S $(O)/vdso.so
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(LOADER_CFLAGS) -DVDSO_IMAGE='"$(O)/vdso.so"' -c $< -o $@

$(P)/libuvdso.a: $(LIB_OBJS)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR_HERE) rcs $@ $^

$(P)/uvdso: $(CLI_OBJS) $(P)/libuvdso.a
	$(call say,CC)
	$(Q)$(CC_HERE) -pie $^ -o $@

# ---- installation -----------------------------------------------------------
# make install PREFIX=/usr DESTDIR=/tmp/package ARCH=...
PREFIX := /usr/local

install: all ## command, library, headers, manual and debug data below DESTDIR and PREFIX
	@loader/cli/install '$(DESTDIR)' '$(PREFIX)' $(P) $(O)

uninstall: ## remove what make install has put there, and nothing else
	@loader/cli/install --remove '$(DESTDIR)' '$(PREFIX)'

# ---- reading aids -----------------------------------------------------------
symbols: $(P)/uvdso $(O)/vdso.so ## the names the page exports, each with its version
	@$(RUN) $(P)/uvdso symbols $(O)/vdso.so

sections: $(O)/vdso.so ## segments and sections of the page
	@readelf -W -l -S $(O)/vdso.so

disasm: $(O)/vdso.so.dbg ## the page's machine code with its source
	@$(OBJDUMP) -d -S --no-show-raw-insn $(O)/vdso.so.dbg

# ---- every machine, compiler and linker -------------------------------------------
# build/matrix/CC-LD/ARCH/vdso.so: one source, the same page.
MATRIX := $(foreach arch,$(ARCHES),$(foreach cc,gcc clang,$(foreach ld,ld.bfd ld.lld, \
	$(B)/matrix/$(cc)-$(ld)/$(arch)/vdso.so)))
.PHONY: $(MATRIX) matrix-images

# Of a path in MATRIX: its machine; and compiler and linker, which a hyphen parts.
matrix_arch = $(notdir $(patsubst %/,%,$(dir $(1))))
matrix_tools = $(subst -, ,$(notdir $(patsubst %/$(matrix_arch)/vdso.so,%,$(1))))

$(MATRIX):
	$(Q)$(MAKE) -s --no-print-directory ARCH=$(call matrix_arch,$@) CC=$(word 1,$(call matrix_tools,$@)) \
		LD=$(word 2,$(call matrix_tools,$@)) B=$(patsubst %/$(call matrix_arch,$@)/vdso.so,%,$@) $@

matrix-images: $(MATRIX)

matrix: $(MATRIX) ## the page of every machine, by every compiler and linker, as a table
	@tests/lib/matrix-table $(MATRIX)

# ---- the demo ---------------------------------------------------------------
DEMO_SRCS := $(sort $(wildcard tutorial/demo/*.c))
DEMO_BINS := $(DEMO_SRCS:tutorial/demo/%.c=$(P)/demo/%)

$(P)/demo/%: tutorial/demo/%.c $(P)/libuvdso.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(TEST_CFLAGS) -MMD -MP $< $(P)/libuvdso.a -o $@

demo: $(P)/uvdso $(O)/vdso.so $(DEMO_BINS) ## the guided tour: real output on this machine, under 15 s
	@tutorial/demo/tour

# ---- the course -------------------------------------------------------------
learn: ## the course: its exercises, and how far you are
start: ## CH=06: begin an exercise; your copy is put into work/
check: ## CH=06: build your copy, and run the tests of that exercise
hint: ## CH=06: a hint, and one that says more each time
diff: ## CH=06: your copy beside the finished file
solution: ## CH=06: the answer; asks once
reset: ## CH=06: begin again; the old copy is kept
watch: ## CH=06: check at every save, until all is true
learn start check hint diff solution reset watch:
	@tutorial/learn $@ $(CH)

# The site: its own packages come from npm, as the lockfile says. Whoever has no node gets it
# from deps, or is told how.
SITE := $(B)/site
.PHONY: tutorial node
node:
	@tests/deps tutorial

$(SITE)/.installed: tutorial/site/package.json tutorial/site/package-lock.json | node
	@mkdir -p $(@D)
	$(call say,NPM)
	@cp $^ $(@D)
	$(Q)cd $(@D) && npm ci --loglevel=error --no-audit --no-fund >log 2>&1 || { cat log >&2; exit 1; }
	@touch $@

tutorial: $(SITE)/.installed ## the course as a site, in build/tutorial; takes node and npm
	$(Q)tutorial/learn site $(SITE)
	$(Q)cd $(SITE) && node_modules/.bin/vitepress build >log 2>&1 || { cat log >&2; exit 1; }
	$(if $(silent),,@echo '  the course is in $(B)/tutorial; to read it: cd $(B)/tutorial && python3 -m http.server')

# ---- the bench --------------------------------------------------------------
# tests/bench/*.c make one program, build/bench/bench.
BENCH_OBJS := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tests/bench/*.c)))

$(O)/tests/bench/%.o: tests/bench/%.c $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(TEST_CFLAGS) -MMD -MP -c $< -o $@

$(P)/bench/bench: $(BENCH_OBJS) $(P)/libuvdso.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $^ -lm -o $@

bench: $(P)/uvdso $(P)/bench/bench ## what a call costs: our page, the kernel's, the system call
	@$(P)/bench/bench
	@tests/bench/chart $(P)/bench

# ---- this machine -----------------------------------------------------------

doctor: ## what this machine has and lacks, and what each lack turns off
	@tests/doctor

# ---- tests ------------------------------------------------------------------
# tests/NAME.t is a test: an executable that prints TAP, in any language. Those in C
# are tests/NAME.c, built to build/tests/NAME, and NAME.t executes that. What programs
# a test runs on the page lies in tests/programs; each is linked in every way that
# there is, because each way starts differently.
#
#   make test T='tests/a.t tests/b.t'     only these
#   make test TEST_LIMIT=20 TEST_JOBS=1   another limit for each test (seconds), one at a time
#   CI=1 make test                        a skip that tests/skips-allowed does not list fails
#
# The lines at the end are prove's own; a run without a single test point fails, too.
#   make test ARCH=aarch64                those that make sense on another machine, emulated
TEST_SRCS := $(sort $(wildcard tests/*.c))
ifneq ($(CROSS),)
# Not: what is about this machine's own instructions, what takes long and is the same C
# everywhere, and what an emulator cannot do. (i386 has no random numbers, and no numbers of
# 128 bits, which fake reckons with.)
TEST_SRCS := $(patsubst %,tests/%.c,auxv clocks counter placement protection resolver \
	resolver-hostile resolver-odd seqcount timekeeping timeline timens \
	$(if $(RUN),chacha fake getrandom getrandom-secrets))
T = $(TEST_SRCS:.c=.t) $(if $(RUN),$(sort $(wildcard tests/emulated/*.t)))
TEST_EXEC := tests/lib/emulated
TEST_ENV := $(if $(RUN),TEST_EMULATED=1) TEST_EMULATOR='$(RUN)' TEST_BUILD=$(P)
else
T = $(sort $(wildcard tests/*.t))
endif
TEST_BINS := $(TEST_SRCS:tests/%.c=$(P)/tests/%)
TEST_LIMIT ?= 150
TEST_JOBS ?= 2
SKIPS_ALLOWED ?= tests/skips-allowed

# Not optimised: a program that is to use its stack must not have that taken away.
PROGRAM_CFLAGS := -std=gnu11 -O0 -g -D_GNU_SOURCE $(WARNINGS)
PROGRAM_KINDS := pie nopie static execstack
# Debian's C library for riscv64 lacks what such a program starts with.
PROGRAM_KINDS += $(if $(findstring /,$(shell $(CC_HERE) -print-file-name=rcrt1.o)),static-pie)
PROGRAM_FLAGS_pie := -fPIE -pie
# The layout of former times, with a hole between code and data. (On riscv64 such a program
# would begin at address 0, where the kernel lets nobody be.)
PROGRAM_FLAGS_nopie := -fno-PIE -no-pie -Wl,-z,noseparate-code$(if \
	$(filter x86_64 i386,$(ARCH)),$(COMMA)-z$(COMMA)max-page-size=0x200000)
PROGRAM_FLAGS_static := -fno-PIE -static
PROGRAM_FLAGS_static-pie := -fPIE -static-pie
PROGRAM_FLAGS_execstack := -fPIE -pie -z execstack
PROGRAM_FLAGS_musl := -fPIE -pie
PROGRAM_FLAGS_musl-static := -fno-PIE -no-pie -static
# musl's compiler is not everywhere; without it the tests skip what needs it.
MUSL_GCC := $(if $(CROSS),,$(shell command -v musl-gcc))
PROGRAM_KINDS += $(if $(MUSL_GCC),musl musl-static)
# These stand for themselves, and are linked in one way. They are for this machine alone, and
# so are those in C++.
PROGRAM_SINGLES := bare filter.so linker.pie sandbox.pie
PROGRAM_SRCS := $(filter-out $(patsubst %,tests/programs/%.c,$(basename $(PROGRAM_SINGLES))), \
	$(sort $(wildcard tests/programs/*.c)))
ifneq ($(CROSS),)
PROGRAM_SRCS := $(patsubst %,tests/programs/%.c,clocks compare end signals start)
endif
PROGRAMS := $(addprefix $(P)/tests/programs/,$(if $(CROSS),,$(PROGRAM_SINGLES)) \
	$(foreach kind,$(PROGRAM_KINDS),$(PROGRAM_SRCS:tests/programs/%.c=%.$(kind))))

# Debian's clang can compile C++, too. An exception may come from a signal handler, so from
# any instruction.
CXX := $(or $(shell command -v g++),$(shell command -v clang++),g++)
PROGRAM_CXXFLAGS := -std=gnu++17 -O0 -g -Wall -Wextra -Werror -fnon-call-exceptions
PROGRAM_CXX_KINDS := $(if $(CROSS),,pie static)
PROGRAMS += $(foreach kind,$(PROGRAM_CXX_KINDS), \
	$(patsubst tests/programs/%.cc,$(P)/tests/programs/%.$(kind),$(sort $(wildcard tests/programs/*.cc))))

# A C++ exception from inside a signal handler. Neither a C++ compiler nor headers of its own
# does another machine need: clang makes code for all, and the library is there to link with.
LIBSTDCXX := $(wildcard /usr/$(TRIPLE)/lib/libstdc++.so.6)
PROGRAMS += $(and $(RUN),$(filter signal,$(VDSO_PARTS)),$(LIBSTDCXX),$(shell command -v clang++), \
	$(P)/tests/programs/sigreturn)

# What a debugger walks through.
PROGRAMS += $(if $(RUN),$(P)/tests/programs/calls)

test-programs: all $(TEST_BINS) $(PROGRAMS) $(if $(CROSS),,$(P)/bench/bench)

test: test-programs ## every test, under prove; T=tests/x.t for some; fails when no test ran
	$(if $(strip $(T)),,$(error no test to run: T is empty))
	$(Q)$(TEST_ENV) PERL5LIB=tests/lib$${PERL5LIB:+:$$PERL5LIB} prove -PSkips=$(SKIPS_ALLOWED) -j$(TEST_JOBS) \
		--exec "timeout -k 5 $(TEST_LIMIT) $(TEST_EXEC)" $(T)

test-list: # for those who want to run them one by one
	@echo $(T)

# 32-bit programs, for tests/i386*.t: x86-64 runs them, too. Their machine's compiler is
# not everywhere; without it the tests say so.
I386_PROGRAMS := $(foreach name,vsyscall sigreturn steps times waiting \
	$(and $(shell command -v i686-linux-gnu-g++),exception),$(name).pie $(name).static) reader
ifeq ($(ARCH),i386)
test: $(I386_PROGRAMS:%=$(P)/tests/i386/%)
else ifneq ($(and $(if $(CROSS),,$(filter x86_64,$(ARCH))),$(shell command -v i686-linux-gnu-gcc)),)
test: i386-programs $(P)/tests/i386/reader $(P)/tests/i386/shared-page
endif
.PHONY: i386-programs
i386-programs:
	$(Q)$(MAKE) --no-print-directory ARCH=i386 CC='$(CC)' LD='$(LD)' B=$(B) all $(I386_PROGRAMS:%=$(B)/i386/tests/i386/%)

$(P)/tests/i386/%: tests/i386/%.c tests/tap.h $(P)/libuvdso.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(TEST_CFLAGS) -MMD -MP $< $(P)/libuvdso.a -o $@

# What unwinds stacks and looks at registers is better left as it was written.
define I386_RULE
$(P)/tests/i386/%.$(1): tests/i386/%.c tests/tap.h $(P)/libuvdso.a
	@mkdir -p $$(@D)
	$$(call say,CC)
	$$(Q)$$(CC_HERE) $$(PROGRAM_CFLAGS) $$(PROGRAM_FLAGS_$(1)) -Iloader -MMD -MP $$< $(P)/libuvdso.a -pthread -o $$@

$(P)/tests/i386/%.$(1): tests/i386/%.cc tests/tap.h $(P)/libuvdso.a
	@mkdir -p $$(@D)
	$$(call say,CXX)
	$$(Q)$$(CXX_HERE) -std=gnu++17 -O0 -g -Wall -Wextra -Werror -fnon-call-exceptions $$(PROGRAM_FLAGS_$(1)) \
		-static-libstdc++ -static-libgcc -Iloader -MMD -MP $$< $(P)/libuvdso.a -o $$@
endef
$(foreach kind,pie static,$(eval $(call I386_RULE,$(kind))))

# The page's cipher has no exported name: its test is linked with the object itself.
$(P)/tests/chacha: TEST_OBJS := $(O)/vdso/arch/$(ARCH)/chacha.o
$(P)/tests/chacha: $(O)/vdso/arch/$(ARCH)/chacha.o

# The bench's arithmetic, with a clock of the test's.
$(P)/tests/measure: TEST_OBJS := $(O)/tests/bench/measure.o
$(P)/tests/measure: $(O)/tests/bench/measure.o

$(P)/tests/%: tests/%.c tests/tap.h $(P)/libuvdso.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(TEST_CFLAGS) -MMD -MP $< $(TEST_OBJS) $(P)/libuvdso.a -pthread -lm -o $@

define PROGRAM_RULE
$(P)/tests/programs/%.$(1): tests/programs/%.c $(O)/.config
	@mkdir -p $$(@D)
	$$(call say,CC)
	$$(Q)$(if $(filter musl%,$(1)),musl-gcc,$(CC_HERE)) $(PROGRAM_CFLAGS) $(PROGRAM_FLAGS_$(1)) $$< -o $$@
endef
$(foreach kind,$(PROGRAM_KINDS),$(eval $(call PROGRAM_RULE,$(kind))))

define PROGRAM_CXX_RULE
$(P)/tests/programs/%.$(1): tests/programs/%.cc $(O)/.config
	@mkdir -p $$(@D)
	$$(call say,CXX)
	$$(Q)$(CXX) $(PROGRAM_CXXFLAGS) $(PROGRAM_FLAGS_$(1)) $$< -o $$@
endef
$(foreach kind,$(PROGRAM_CXX_KINDS),$(eval $(call PROGRAM_CXX_RULE,$(kind))))

$(P)/tests/programs/filter.so: tests/programs/filter.c $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(PROGRAM_CFLAGS) -fPIC -shared $< -o $@

$(addprefix $(P)/tests/programs/,filter.so sandbox.pie): tests/programs/clock_filter.h

$(P)/tests/programs/sigreturn: tests/emulated/sigreturn.cc $(P)/libuvdso.a
	@mkdir -p $(@D)
	$(call say,CXX)
	$(Q)clang++ --target=$(TRIPLE) -std=c++17 -O0 -g -D_GNU_SOURCE -fPIE -Wall -Wextra -Werror -Iloader -c $< -o $@.o
	$(Q)$(CROSS)gcc -pie $@.o $(P)/libuvdso.a $(LIBSTDCXX) -o $@

$(P)/tests/programs/calls: tests/emulated/calls.c $(P)/libuvdso.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(LOADER_CFLAGS) $< $(P)/libuvdso.a -o $@

# Without any C library: what the kernel hands over, as it is.
$(P)/tests/programs/bare: tests/programs/bare.c $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(PROGRAM_CFLAGS) -fno-PIE -static -nostdlib -fno-stack-protector $< -o $@

# The page's C on the machine made for tests (vdso-src/arch/fake): no page, just objects.
FAKE_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE $(PREFIX_MAP) $(WARNINGS) \
	-Ivdso-src/include -Ivdso-src/arch/fake
FAKE_BINS := $(addprefix $(P)/tests/,fake interleave reader cycles)
FAKE_OBJS := $(P)/fake/gettime.o $(P)/fake/getcpu.o

$(FAKE_OBJS): $(P)/fake/%.o: vdso-src/%.c $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(FAKE_CFLAGS) -MMD -MP -c $< -o $@

$(FAKE_BINS): $(P)/tests/%: tests/%.c tests/tap.h $(FAKE_OBJS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(FAKE_CFLAGS) -MMD -MP $< $(FAKE_OBJS) -o $@

# Once more with each field of 64 bits read in two halves, as 32-bit machines do it.
HALVES_OBJS := $(P)/fake-halves/gettime.o $(P)/fake-halves/getcpu.o

$(HALVES_OBJS): $(P)/fake-halves/%.o: vdso-src/%.c $(O)/.config
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(FAKE_CFLAGS) -DVDSO_ONCE_HALVES -MMD -MP -c $< -o $@

$(P)/tests/interleave-halves: tests/interleave.c tests/tap.h $(HALVES_OBJS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC_HERE) $(FAKE_CFLAGS) -DVDSO_ONCE_HALVES -MMD -MP $< $(HALVES_OBJS) -o $@

test: $(if $(CROSS),,$(P)/tests/interleave-halves)

coverage: ## lines and branches of the page's clock code that its tests reach
	@tests/coverage.t

format: ## put the C sources into the project's format
	clang-format -i $$(git ls-files '*.c' '*.cc' '*.h' ':!linker-scripts')

clean: ## remove everything that was built
	rm -rf $(B) work/.trees

-include $(shell find $(B) -name '*.d' 2>/dev/null)

endif
