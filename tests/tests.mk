# tests.mk - the tests, what they need, and the bench.
#
# A test is called ROOM/NAME. It is an executable that prints TAP: tests/ROOM/NAME.c, which is
# built to build/tests/ROOM/NAME; tests/ROOM/NAME.t, a script; or a line of tests/table, a
# command. The programs that tests run on the vDSO are in tests/programs, each linked in every
# possible way, because each way starts differently.
#
#   make test T=time                      the tests of a room
#   make test T='advance tests/run/gdb.t' some tests, by name or by file
#   make test TEST_LIMIT=20 TEST_JOBS=1   another limit per test (seconds), one at a time
#   CI=1 make test                        a skip that tests/skips-allowed does not list fails
#   make test ARCH=aarch64                what makes sense on another machine, emulated
#
# The last lines are prove's own. A run without a single test point fails, too.

.PHONY: test machine mutants attacks model faults uses faketime sanitize analyze random load storms fuzz test-list \
	test-programs i386-programs i386-built bench doctor coverage selftests corpus format

TEST_LIMIT ?= 150
TEST_JOBS ?= 2
SKIPS_ALLOWED ?= tests/skips-allowed
TEST_ENV := TEST_BUILD=$(P) $(if $(CROSS),TEST_EMULATOR='$(RUN)') $(if $(RUN),TEST_EMULATED=1) \
	$(if $(SANITIZE),TEST_SANITIZE='$(SANITIZE_FLAGS)')

# The tests in C, and those that another machine runs. Not for another machine: what is about
# this machine's own instructions, what takes long and is the same C everywhere, and what an
# emulator cannot do. (i386 has no random numbers, and no 128-bit numbers, which fake needs.)
TESTS_C := $(patsubst tests/%.c,%,$(filter-out $(addprefix tests/,bench/% lib/% programs/% setup/%), \
	$(sort $(wildcard tests/*/*.c))))
TESTS_CROSS := image/counted libc/auxv libc/resolver libc/resolver-hostile libc/resolver-odd map/placement \
	map/pages map/protection map/timens time/timekeeping time/timeline time/bounds vdso/clocks vdso/counter vdso/seqcount \
	$(if $(filter i386,$(ARCH)),foreign/images) \
	$(if $(RUN),vdso/chacha vdso/fake vdso/getrandom vdso/getrandom-repeats vdso/getrandom-secrets machines/emulated)
# Those that a real kernel of that machine runs, of all that need nothing but themselves; and not those
# on the machine made for tests, which knows no kernel, nor storms, of other programs, nor halted, since a watchpoint of an emulated CPU
# can keep its kernel in the trap for ever (qemu 7.2: "soft lockup").
TESTS_MACHINE := box/starts box/clocks $(filter-out box/%,$(filter $(TESTS_C),$(TESTS_CROSS))) $(filter-out $(TESTS_CROSS),$(if $(CROSS),,$(filter-out \
	attack/% box/% course/% image/% self/% run/storms time/halted time/update $(addprefix vdso/,cycles fake fresh-keys interleave \
	offsets reader),$(TESTS_C))))
# The longest tests start first, so that none is left running alone at the end.
TESTS_SLOW := time/storm run/storms course/checker course/runs machines/machine-riscv64 machines/machine-i386 machines/matrix \
	machines/machine-aarch64 self/mutants course/03 course/capstone vdso/load course/05 course/10 \
	course/workspace self/demo self/bench self/anywhere self/environment course/07 run/signals course/change-the-vdso ptrace/follow time/halted course/08 course/09 course/13 course/16 course/12 course/17 course/all course/contributing

# T names tests; tests/lib/names knows the forms. It is asked before anything is built. Only the
# command line counts: a test that calls make for another machine has this T in its environment,
# and would start itself.
T := $(if $(filter command%,$(origin T)),$(T),$(if $(filter machine,$(MAKECMDGOALS)),$(TESTS_MACHINE),$(if \
	$(CROSS),$(TESTS_CROSS),all)))
CHOSEN := $(if $(filter test test-list machine,$(MAKECMDGOALS)),$(shell tests/lib/names $(T) || echo failed))
$(if $(filter failed,$(CHOSEN)),$(error no test is run))
CHOSEN := $(foreach test,$(TESTS_SLOW),$(filter $(test),$(CHOSEN))) $(filter-out $(TESTS_SLOW),$(CHOSEN))

# What is given to a goal of Proof is looked at as early: $(call choice,GOAL,VARIABLE,FORM). What is not has a
# default, further down. TIME counts on the command line alone: bash and time(1) know another one.
asked = $(if $(filter $(1),$(MAKECMDGOALS)),$(shell $(2) || echo failed))
choice = $(if $(filter-out undefined,$(origin $(2))),$(call asked,$(1),tests/lib/choice $(2) $(3) $(call quoted,$($(2)))))
REFUSED := $(call choice,faults,PART,part) $(call choice,load,READS,size) $(call choice,load storms,LIMIT,seconds) \
	$(call choice,storms attacks,N,count) $(call choice,mutants,JOBS,count) $(call choice,random,BYTES,size) \
	$(if $(filter command%,$(origin TIME)),$(call choice,random,TIME,seconds) $(call choice,fuzz,TIME,time)) \
	$(call asked,mutants,tests/mutants/run --fits $(call quoted,$(M)))
$(if $(filter failed,$(REFUSED)),$(error nothing is done))

TESTS_BUILT := $(if $(CROSS),$(filter $(TESTS_C),$(TESTS_CROSS) box/clocks),$(TESTS_C) vdso/interleave-halves)

# ---- tests in C -----------------------------------------------------------------
TEST_CFLAGS := $(USER_CFLAGS) -Itests/lib

# Objects of their own, which are kept: where only the loader has changed, as a mutant of it has and a
# learner's copy, linking takes a third of the time.
.PRECIOUS: $(P)/tests/%.o
$(P)/tests/%.o: tests/%.c $(O)/.config
	$(call compile,$(TEST_CFLAGS))

$(P)/tests/%: $(P)/tests/%.o $(P)/internal.a
	$(call step,LD,$(LINK) $< $(TEST_OBJS) $(P)/internal.a $(LIBS) -lm -o $@)

# The cipher exports no name, so its test is linked with the object itself. So is the bench's
# arithmetic, with a clock of the test's.
$(P)/tests/vdso/chacha: TEST_OBJS := $(O)/vdso/arch/$(ARCH)/chacha.o
$(P)/tests/vdso/chacha: $(O)/vdso/arch/$(ARCH)/chacha.o
$(P)/tests/self/measure: TEST_OBJS := $(O)/tests/bench/measure.o
$(P)/tests/self/measure: $(O)/tests/bench/measure.o
$(P)/tests/vdso/getrandom: | $(P)/uvdso
$(P)/tests/run/storms: | $(P)/uvdso $(P)/tests/programs/tree.pie

# The image's C on the machine made for tests (vdso-src/arch/fake): no image, only objects.
# Once more with each 64-bit field read in two halves, as 32-bit machines do it.
FAKE_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE $(PREFIX_MAP) $(WARNINGS) \
	-Ivdso-src/include -Ivdso-src/arch/fake -Itests/lib $(SANITIZE_FLAGS)
FAKE_BINS := $(addprefix $(P)/tests/vdso/,fake interleave reader cycles offsets)
FAKE_OBJS := $(addprefix $(P)/fake/,gettime.o getcpu.o)
HALVES := $(P)/tests/vdso/interleave-halves
HALVES_OBJS := $(addprefix $(P)/fake-halves/,gettime.o getcpu.o)
$(HALVES) $(HALVES_OBJS): FAKE_CFLAGS += -DVDSO_ONCE_HALVES

$(FAKE_OBJS): $(P)/fake/%.o: vdso-src/%.c $(O)/.config
	$(call compile,$(FAKE_CFLAGS))

$(HALVES_OBJS): $(P)/fake-halves/%.o: vdso-src/%.c $(O)/.config
	$(call compile,$(FAKE_CFLAGS))

$(FAKE_BINS:%=%.o) $(P)/tests/vdso/fresh-keys.o: $(P)/tests/%.o: tests/%.c $(O)/.config
	$(call compile,$(FAKE_CFLAGS))

$(FAKE_BINS): %: %.o $(FAKE_OBJS)
	$(call step,LD,$(CC_HERE) $(SANITIZE_FLAGS) $< $(FAKE_OBJS) -o $@)

# Random numbers on that machine, with a cipher and a kernel of the test's.
# Compilers make calls of memcpy() out of loops, and no image can be linked with one.
$(P)/fake/getrandom.o: $(P)/fake/%.o: vdso-src/%.c $(O)/.config
	$(call compile,$(FAKE_CFLAGS))
	$(Q)! $(CROSS)nm -u $@ | grep -q -w -e memcpy -e memset -e memmove || { rm -f $@; \
		echo '$<: it calls memcpy() or memset(), and a vDSO has no C library' >&2; exit 1; }

$(P)/tests/vdso/fresh-keys: %: %.o $(P)/fake/getrandom.o
	$(call step,LD,$(CC_HERE) $(SANITIZE_FLAGS) $< $(P)/fake/getrandom.o -o $@)

# The timekeeper on that machine: its own files, and the image's C for the readers.
UPDATE := $(P)/tests/time/update
UPDATE_OBJS := $(addprefix $(P)/fake/,timekeeper.o bases.o own.o timeline.o)
UPDATE_CFLAGS := $(FAKE_CFLAGS) -Iloader -Iloader/kernel/arch/$(ARCH) -include machine.h

$(UPDATE_OBJS): $(P)/fake/%.o: loader/kernel/time/%.c $(O)/.config
	$(call compile,$(UPDATE_CFLAGS))

$(P)/fake/mirror.o: loader/kernel/foreign/mirror.c $(O)/.config
	$(call compile,$(UPDATE_CFLAGS))

$(P)/fake/clock_map.o: loader/kernel/clock/clock_map.c $(O)/.config
	$(call compile,$(UPDATE_CFLAGS))

UPDATE_LINKED := $(FAKE_OBJS) $(UPDATE_OBJS) $(addprefix $(P)/fake/,mirror.o clock_map.o)
$(UPDATE).o: tests/time/update.c $(O)/.config
	$(call compile,$(UPDATE_CFLAGS))

$(UPDATE): $(UPDATE).o $(UPDATE_LINKED)
	$(call step,LD,$(CC_HERE) $(SANITIZE_FLAGS) $< $(UPDATE_LINKED) -lm -o $@)

$(HALVES): tests/vdso/interleave.c $(HALVES_OBJS)
	$(call program,$(FAKE_CFLAGS),$(HALVES_OBJS))

# ---- programs that tests run ------------------------------------------------------
# Not optimised: a program that is meant to use its stack must do so.
PROGRAM_CFLAGS := -std=gnu11 -O0 -g -D_GNU_SOURCE $(WARNINGS) -Iloader
# C++ for this machine, by any compiler that is there; an exception may come from a signal
# handler, so from any instruction.
PROGRAM_CXXFLAGS := -std=gnu++17 -O0 -g -Wall -Wextra -Werror -fnon-call-exceptions
CXX := $(if $(AWAY),$(shell command -v $(CXX_HERE)),$(or $(shell command -v g++),$(shell command -v clang++),g++))
MUSL_GCC := $(if $(CROSS)$(AWAY),,$(shell command -v musl-gcc))

# The ways to link a program. Debian's C library for riscv64 lacks what a static-pie starts
# with, and without musl's compiler the tests skip what needs it.
PROGRAM_KINDS := pie nopie static execstack \
	$(if $(findstring /,$(shell $(CC_HERE) -print-file-name=rcrt1.o)),static-pie) \
	$(if $(MUSL_GCC),musl musl-static)
FLAGS_pie := -fPIE -pie
# The layout of former times, with a hole between code and data. (On riscv64 such a program
# would begin at address 0, where the kernel maps nothing.)
FLAGS_nopie := -fno-PIE -no-pie -Wl,-z,noseparate-code$(if \
	$(filter x86_64 i386,$(ARCH)),$(COMMA)-z$(COMMA)max-page-size=0x200000)
FLAGS_static := -fno-PIE -static
FLAGS_static-pie := -fPIE -static-pie
FLAGS_execstack := -fPIE -pie -z execstack
FLAGS_musl := -fPIE -pie
FLAGS_musl-static := -fno-PIE -no-pie -static

SMALLS := small.static small.pie small.static-pie
PROBES := $(if $(filter i386,$(ARCH)),,probe.pie probe.static-pie $(if $(filter x86_64,$(ARCH)),probe.in-the-way)) probe.static

# These are linked in one way only. They are for this machine alone, and so are those in C++.
SINGLES := $(if $(CROSS),,bare booted mapped.pie fault.pie fault.so hostage $(PROBES) surroundings.pie filter.so \
	slow_waitid.so linker.pie tree.pie sandbox.pie asks.pie asks.static midst.pie opaque attacker.pie line.pie stranger.pie until.pie $(SMALLS))
NAMES_C := $(if $(CROSS),clocks compare end signals start,$(filter-out $(basename $(SINGLES)), \
	$(patsubst tests/programs/%.c,%,$(sort $(wildcard tests/programs/*.c)))))
NAMES_CXX := $(if $(CROSS)$(if $(CXX),,none),,$(patsubst tests/programs/%.cc,%,$(sort $(wildcard tests/programs/*.cc))))
PROGRAMS_CXX := $(foreach kind,pie static,$(NAMES_CXX:%=$(P)/tests/programs/%.$(kind)))
PROGRAMS := $(addprefix $(P)/tests/programs/,$(SINGLES) $(foreach kind,$(PROGRAM_KINDS), \
	$(NAMES_C:%=%.$(kind)))) $(PROGRAMS_CXX)
# Private: .config is not to change with what is made first.
$(PROGRAMS_CXX): private CXX_HERE := $(CXX)
$(filter %.musl %.musl-static,$(PROGRAMS)): private CC_HERE := musl-gcc

define PROGRAM_RULES
$(P)/tests/programs/%.$(1): tests/programs/%.c $(O)/.config
	$$(call program,$$(PROGRAM_CFLAGS) $$(FLAGS_$(1)),$$(LIBS))
$(P)/tests/programs/%.$(1): tests/programs/%.cc $(O)/.config
	$$(call program,$$(PROGRAM_CXXFLAGS) $$(FLAGS_$(1)),$$(LIBS))
endef
$(foreach kind,$(PROGRAM_KINDS),$(eval $(call PROGRAM_RULES,$(kind))))

$(P)/tests/programs/%.so: tests/programs/%.c $(O)/.config
	$(call program,$(PROGRAM_CFLAGS) -fPIC -shared)

# It makes requests as `uvdso clock` does.
$(P)/tests/programs/stranger.pie: private PROGRAM_CFLAGS += -Ivdso-src/include

# Without any C library: what the kernel hands over, as it is.
$(addprefix $(P)/tests/programs/,bare hostage): $(P)/tests/programs/%: tests/programs/%.c $(O)/.config
	$(call program,$(PROGRAM_CFLAGS) -fno-PIE -static -nostdlib -fno-stack-protector)
$(P)/tests/programs/opaque: tests/programs/opaque.c $(P)/internal.a
	$(call program,$(LOADER_CFLAGS),$(P)/internal.a)

# Where setarch -R lets position-independent programs begin, uvdso itself among them.
FLAGS_in-the-way := -fPIE -static -no-pie -Wl,-Ttext-segment=0x555555554000
BARE_CFLAGS := $(PROGRAM_CFLAGS) -ffreestanding -nostdlib -fno-stack-protector -fcf-protection=none
$(PROBES:%=$(P)/tests/programs/%): $(P)/tests/programs/probe.%: tests/programs/probe.c $(O)/.config
	$(call program,$(BARE_CFLAGS) $(FLAGS_$*))

# A function of your own, and who calls it. How long that takes is measured as the bench does it.
CALLER_OBJS := $(O)/tests/lib/caller.o $(O)/tests/bench/measure.o
CALLER_CFLAGS := $(PROGRAM_CFLAGS) -O2 -Itests/lib -Itests/bench -include caller.h

$(O)/tests/lib/caller.o: tests/lib/caller.c $(O)/.config
	$(call compile,$(CALLER_CFLAGS))

$(P)/tests/programs/own: vdso-src/own.c $(CALLER_OBJS)
	$(call program,$(CALLER_CFLAGS),$(CALLER_OBJS) $(LIBS) -lm)

# What has an interpreter finds it in the working directory.
$(SMALLS:%=$(P)/tests/programs/%): $(P)/tests/programs/small.%: tests/programs/small.c $(O)/.config
	$(call program,$(BARE_CFLAGS) $(FLAGS_$*) -Wl$(COMMA)--dynamic-linker=./interpreter)
$(P)/tests/attack/address: | $(P)/uvdso
$(P)/tests/attack/files: | $(P)/uvdso $(SMALLS:%=$(P)/tests/programs/%)

# With the library.
$(P)/tests/programs/booted: tests/programs/booted.c $(P)/internal.a
	$(call program,$(PROGRAM_CFLAGS) $(SANITIZE_FLAGS),$(P)/internal.a $(LIBS))

# On an emulated machine: what a debugger walks through, and a C++ exception from inside a
# signal handler. For the latter, clang makes the code, and only the library must be there.
LIBSTDCXX := $(wildcard /usr/$(TRIPLE)/lib/libstdc++.so.6)
PROGRAMS += $(if $(RUN),$(P)/tests/programs/calls $(P)/tests/programs/entry $(and $(filter signal,$(VDSO_PARTS)),$(LIBSTDCXX), \
	$(shell command -v clang++),$(P)/tests/programs/sigreturn))

# On a machine of that kind chapter 12 needs no emulator.
PROGRAMS += $(if $(CROSS),,$(if $(filter aarch64 riscv64,$(ARCH)),$(P)/tests/machines/emulated/port))

$(P)/tests/programs/calls: tests/machines/emulated/calls.c $(P)/internal.a
	$(call program,$(LOADER_CFLAGS),$(P)/internal.a $(LIBS))

$(P)/tests/programs/entry: tests/machines/emulated/entry.c $(O)/.config
	$(call program,$(PROGRAM_CFLAGS) $(FLAGS_static) -ffreestanding -nostdlib -fno-stack-protector)

$(P)/tests/programs/sigreturn: tests/machines/emulated/sigreturn.cc $(P)/internal.a
	$(call step,CXX,clang++ --target=$(TRIPLE) -std=c++17 -O0 -g -D_GNU_SOURCE -fPIE -Wall -Wextra -Werror \
		-Iloader -Itests/lib -MMD -MP -MF $@.dep -MT $@ -c $< -o $@.o)
	$(Q)$(CROSS)gcc -pie $@.o $(P)/internal.a $(LIBSTDCXX) $(LIBS) -o $@

# ---- 32-bit programs, which x86-64 runs, too -----------------------------------------
# Without i686-linux-gnu-gcc (in the version of CC, if that has one) and -g++ their tests are skipped.
I386_NAMES := $(foreach name,vsyscall sigreturn steps times waiting \
	$(and $(shell command -v i686-linux-gnu-g++),exception),$(name).pie $(name).static) \
	probe.static waits.static trampolines
I386 := $(if $(filter i386,$(ARCH)),$(addprefix $(P)/tests/machines/i386/,$(I386_NAMES)) $(P)/tests/vdso/load/reader, \
	$(and $(if $(CROSS),,$(filter x86_64,$(ARCH))),$(shell command -v i686-linux-gnu-$(or $(filter gcc-%,$(CC)),gcc)), \
	i386-programs))

# A writer and its readers: tests/vdso/load/load.c.
LOAD := $(addprefix $(P)/tests/vdso/load/,load reader) $(filter i386-programs,$(I386))

i386-programs:
	$(Q)$(MAKE) ARCH=i386 CC='$(CC)' LD='$(LD)' B=$(B) SANITIZE= CFLAGS= CPPFLAGS= LDFLAGS= i386-built

i386-built: all $(I386)
	@:

# Not optimised: they unwind stacks and look at registers.
define I386_RULES
$(P)/tests/machines/i386/%.$(1): tests/machines/i386/%.c $(P)/internal.a
	$$(call program,$$(PROGRAM_CFLAGS) $$(FLAGS_$(1)) -Iloader -Itests/lib,$(P)/internal.a $$(LIBS))
$(P)/tests/machines/i386/%.$(1): tests/machines/i386/%.cc $(P)/internal.a
	$$(call program,$$(PROGRAM_CXXFLAGS) $$(FLAGS_$(1)) -static-libstdc++ -static-libgcc -Iloader -Itests/lib,$(P)/internal.a)
endef
$(foreach kind,pie static,$(eval $(call I386_RULES,$(kind))))

# Nothing but the trampolines themselves is linked in.
$(P)/tests/machines/i386/trampolines: tests/machines/i386/trampolines.c $(O)/vdso/arch/i386/sigreturn.o
	$(call program,$(PROGRAM_CFLAGS) $(FLAGS_static) -Itests/lib,$(O)/vdso/arch/i386/sigreturn.o)

$(P)/tests/machines/i386/probe.static: tests/programs/probe.c $(O)/.config
	$(call program,$(BARE_CFLAGS) $(FLAGS_static))

$(P)/tests/machines/i386/waits.static: tests/programs/waits.c $(O)/.config
	$(call program,$(PROGRAM_CFLAGS) $(FLAGS_static),$(LIBS))

# ---- for chapters of the course about another machine, and tests of x86-64's image ------
# What they need of it, which is not all of it. Nothing without its compiler, or if it is this one.
COURSE_i386 := tests/machines/i386/trampolines
COURSE_aarch64 := vdso.so tests/machines/emulated/port
COURSE_riscv64 := vdso.so tests/machines/emulated/port
COURSE_x86_64 := vdso.so

COURSES := i386-course aarch64-course riscv64-course x86_64-course
.PHONY: $(COURSES) course-built
$(COURSES): %-course:
	$(Q)[ $* = $(HOST) ] || ! command -v $(subst i386,i686,$*)-linux-gnu-$(or $(filter gcc-%,$(CC)),gcc) >/dev/null || \
		$(MAKE) ARCH=$* CC='$(CC)' LD='$(LD)' B=$(B) SANITIZE= CFLAGS= CPPFLAGS= LDFLAGS= course-built

course-built: $(COURSE_$(ARCH):%=$(O)/%)
	@:

# The port's header, the two files that find a function in an image, and nothing of the loader.
PORT_OBJS := $(addprefix $(O)/loader/libc/,vdso_elf.o vdso_lookup.o vdso_symbol.o)
$(P)/tests/machines/emulated/port: tests/machines/emulated/port.c $(PORT_OBJS)
	$(call program,$(TEST_CFLAGS) -static,$(PORT_OBJS))

# ---- make test ----------------------------------------------------------------------
# What the chosen tests need: those in C only themselves, scripts the command, and most of
# them the programs.
SCRIPTS := $(filter-out $(TESTS_BUILT),$(CHOSEN))
ALL_PROGRAMS := $(PROGRAMS) $(if $(AWAY),,$(I386)) $(if $(CROSS),,$(if $(AWAY),,$(filter-out i386-%,$(COURSES))) $(P)/tests/uvdso-dynamic \
	$(P)/bench/bench $(addprefix $(P)/tests/,image/alternatives time/first map/timens))
NEEDED := $(patsubst %,$(P)/tests/%,$(filter $(TESTS_BUILT),$(CHOSEN))) $(if $(SCRIPTS),all) \
	$(if $(filter-out course/% vdso/%,$(SCRIPTS)),$(ALL_PROGRAMS)) $(if $(filter vdso/load,$(SCRIPTS)),$(LOAD))

# Of make's options the tests inherit the choices alone, CC=clang for instance: they call make as well,
# and look at what it says and does.
test: $(NEEDED) ## Test | all tests; T=ROOM or T=NAME for some; fails when no test ran
	$(Q)TMPDIR=$$(tests/lib/temporary) && export TMPDIR && MAKEFLAGS=$(call quoted,--no-print-directory$(if $(MAKEOVERRIDES), -- $(MAKEOVERRIDES))) $(TEST_ENV) PERL5LIB=tests/lib$${PERL5LIB:+:$$PERL5LIB} prove -PSkips=$(call quoted,$(SKIPS_ALLOWED)) -j$(TEST_JOBS) \
		--exec "timeout -k 5 $(TEST_LIMIT) tests/lib/run-test" $(CHOSEN)

# KERNEL, BOOT and so on: tests/setup/machine. Not part of `make test`: it fetches kernels. A script wants
# what there is on a machine of its own, so for another machine all is built as that would build it.
SYSTEM ?=
ifneq ($(and $(CROSS),$(filter-out box/%,$(SCRIPTS))$(SYSTEM)),)
machine:
	$(Q)$(MAKE) HOST=$(ARCH) CC=$(call quoted,$(CC_HERE)) LD=$(LD_HERE) AR=$(AR_HERE) OBJCOPY=$(OBJCOPY_HERE) \
		OBJDUMP=$(OBJDUMP_HERE) B=$(B)/home-$(ARCH) CHECK_IMAGE=no SYSTEM=$(or $(SYSTEM),trixie) $(if $(BOX_SHELL),SHELL=1) machine
else
machine: all $(if $(BOX_SHELL),$(PROGRAMS),$(NEEDED) $(PROGRAMS)) ## Test | tests in a real KERNEL=PACKAGE (ARCH=...), emulated; SHELL=1 for a shell there
	$(Q)SKIPS_ALLOWED=$(call quoted,$(SKIPS_ALLOWED)) $(TEST_ENV) CC_HERE=$(call quoted,$(CC_HERE)) SYSTEM=$(call quoted,$(SYSTEM)) \
		tests/setup/machine $(if $(BOX_SHELL),--shell) $(ARCH) $(if $(BOX_SHELL),,$(CHOSEN))
endif

# Some fifty thousand runs, an hour, as root with those of an ordinary user: `make test` tries a few of them (run/failing-calls).
PART ?= 1/1
faults: all $(ALL_PROGRAMS) ## Proof | each system call of each of our processes fails, in each way; PART=1/20, WAYS='follow trace', CALLS=ppoll
	$(Q)$(TEST_ENV) FAULTS=$(PART) FAULTS_WAYS=$(call quoted,$(WAYS)) FAULTS_CALLS=$(call quoted,$(CALLS)) \
		PERL5LIB=tests/lib$${PERL5LIB:+:$$PERL5LIB} prove -v tests/run/failing-calls.t

# Servers and run time systems in another time, which take large packages (make deps uses); and all that
# `make test` has of that room.
uses: all ## Proof | real uses: an expired certificate, timers of Java and Go, Redis, PostgreSQL, cron
	$(Q)$(TEST_ENV) PERL5LIB=tests/lib$${PERL5LIB:+:$$PERL5LIB} prove -v --exec tests/lib/run-test \
		$(shell tests/lib/names uses uses/large)

# The table of tutorial/faketime.md, by running it: some minutes. M=ROW for some rows, which only prints.
faketime: all ## Proof | programs in another time, by faketime, datefudge, unshare -T and ours: a table; M=ROW for some
	$(Q)tests/uses/matrix $(if $(M),$(call quoted,$(M)),--write)

# The same as vdso/load, for as long as you like; then how long the slowest calls take.
READS ?= 1e10
LIMIT ?= 7200
load: all $(LOAD) $(P)/bench/bench ## Proof | readers on every core beside a writer flat out, READS=1e10
	$(Q)$(TEST_ENV) PERL5LIB=tests/lib$${PERL5LIB:+:$$PERL5LIB} tests/vdso/load.t --reads $(call quoted,$(READS)) --limit $(call quoted,$(LIMIT))
	$(Q)$(P)/bench/bench --tail
	@tests/bench/chart $(P)/bench

# The same as run/storms and time/halted, at more steps.
storms: N ?= 10000
storms: $(P)/tests/run/storms $(P)/tests/time/halted ## Proof | timekeeper, tracer and programs stopped and killed at every step, N=10000 times
	$(Q)$(TEST_ENV) $(P)/tests/time/halted --kills 300
	$(Q)$(TEST_ENV) $(P)/tests/run/storms --number $(call quoted,$(N)) --limit $(call quoted,$(LIMIT)) --jobs 12

# Mistakes of one line, all of tests/mutants/table: some minutes. A sample is in `make test`.
mutants: test-programs ## Proof | mistakes of one line, each of which a test must notice: M=REGEX for some, JOBS=2
	$(Q)TMPDIR=$$(tests/lib/temporary) && export TMPDIR && $(TEST_ENV) JOBS='$(or $(JOBS),2)' V='$(V)' tests/mutants/run $(call quoted,$(M))

# Hostile programs and interpreters, N of them, beside the kernel's own exec; and everything else of
# the room. `make test` has a sample.
attacks: N ?= 2000
attacks: $(P)/tests/attack/files ## Proof | what SECURITY.md says is tried: N=2000 hostile ELF files beside the kernel's exec, and the rest
	$(Q)$(TEST_ENV) $< $(N)
	$(Q)$(MAKE) test T=attack

# The sequence counter in all orders of steps, as it is and without each of its guards: tests/model.
model: ## Proof | the sequence counter by SPIN: as it is, and without each guard; WITHOUT=name shows one trace
	$(Q)tests/model/model $(subst $(COMMA), ,$(WITHOUT))

# With what watches memory, arithmetic and threads; each pass in a build of its own.
sanitize: ## Proof | the tests under sanitizers and valgrind (PASSES='address thread memcheck', T=...)
	$(Q)MAKEFLAGS=$(call quoted,--no-print-directory$(if $(MAKEOVERRIDES), -- $(MAKEOVERRIDES))) \
		TESTS=$(call quoted,$(filter-out all,$(T))) tests/setup/sanitize $(PASSES)

# What one sanitizer must find in it.
$(P)/planted: tests/setup/planted.c $(O)/planted-image.o $(O)/.config
	$(call program,$(TEST_CFLAGS) -O0,$(O)/planted-image.o $(LIBS))

$(O)/planted-image.o: tests/setup/planted-image.c $(O)/.config
	$(call compile,$(VDSO_CFLAGS))

analyze: ## Proof | clang-tidy, cppcheck and gcc -fanalyzer (TOOLS='tidy cppcheck gcc')
	$(Q)ARCH=$(ARCH) tests/setup/analyze $(TOOLS)

random: $(P)/tests/vdso/getrandom-repeats ## Proof | BYTES=1e9 of our getrandom, searched for repeats; dieharder for TIME=600
	$(Q)BYTES=$(BYTES) TIME=$(if $(filter command%,$(origin TIME)),$(TIME)) tests/setup/random

# The checker and the resolver on images with wrong bytes, from a new seed on each time.
TIME ?= 60s
fuzz: $(P)/tests/image/image_fuzz ## Proof | checker and resolver on random broken images, for TIME=10m
	$(Q)$(RUN) $< $(TIME)

test-list: ## Test | the names of the tests
	@printf '%s\n' $(CHOSEN)

# For those who run some of them by hand.
test-programs: all $(ALL_PROGRAMS) $(TESTS_BUILT:%=$(P)/tests/%)

# ---- the bench --------------------------------------------------------------------
$(O)/tests/bench/%.o: tests/bench/%.c $(O)/.config
	$(call compile,$(TEST_CFLAGS))

$(P)/bench/bench: $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tests/bench/*.c))) $(P)/internal.a
	$(call step,CC,$(LINK) $^ $(LIBS) -lm -o $@)

bench: $(P)/uvdso $(P)/bench/bench ## Test | what a call costs: our vDSO, the kernel's, the system call (IMAGE=a.so,b.so)
	@$(P)/bench/bench $(if $(IMAGE),--image $(call quoted,$(IMAGE)))
	$(if $(IMAGE),,@tests/bench/chart $(P)/bench)

# ---- this machine, and the sources ---------------------------------------------------
doctor: ## Begin | what this machine has and lacks, and what each lack turns off
	@tests/setup/doctor

selftests: $(P)/uvdso $(filter i386-programs,$(I386)) ## Test | the kernel's own selftests on our vDSO (fetches 140 MB, 6 minutes)
	@tests/setup/selftests

corpus: $(P)/uvdso $(P)/tests/foreign/images ## Test | the vDSOs of real kernels, held against uvdso check (fetches 1 GB once)
	@tests/setup/corpus

coverage: ## Test | lines and branches of the image's clock code that its tests reach
	@tests/vdso/coverage.t

format: ## Test | put the sources into the project's format: C, Perl, shell
	@tests/setup/format
