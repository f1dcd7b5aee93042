# uvdso: build your own vDSO in userspace. `make help` lists what can be made.
#
# This file makes the choices: which machine, which tools, where the results go. The rules
# are in one fragment per room: vdso-src/vdso.mk (the image), loader/loader.mk,
# tests/tests.mk and tutorial/tutorial.mk.

# From the environment come ARCH, CC, LD, AR, OBJCOPY and OBJDUMP, and for command, library and tests
# CFLAGS, CPPFLAGS and LDFLAGS. The image has its own flags: it must be the same for everybody. So
# nobody's linker hears of these, which would add to it or change its format; and the others change
# what grep, cd and all tools of GNU do for our scripts.
unexport LD_RUN_PATH LDEMULATION GNUTARGET
# Perl tells of a locale that is not installed each time that it starts.
export PERL_BADLANG := 0
unexport GREP_OPTIONS GREP_COLOR CDPATH POSIXLY_CORRECT BASH_ENV ENV

# `make machine SHELL=1` means a shell in that machine; make itself takes the word for what runs recipes.
BOX_SHELL := $(if $(filter-out /%,$(SHELL)),yes)
override SHELL := $(if $(BOX_SHELL),/bin/sh,$(SHELL))

# The machine to build for: this one by default, or any other that has a port.mk. With HOST all is built as
# it would be on that machine, which takes its compiler (make machine does that).
HERE := $(patsubst i%86,i386,$(shell uname -m))
HOST := $(HERE)
AWAY := $(filter-out $(HERE),$(HOST))
ARCH ?= $(HOST)
ARCHES := $(patsubst vdso-src/arch/%/port.mk,%,$(wildcard vdso-src/arch/*/port.mk))
$(if $(filter $(ARCH),$(ARCHES)),,$(error ARCH=$(ARCH): no port for this machine; there is $(ARCHES)))
include vdso-src/arch/$(ARCH)/port.mk

# CC and LD name a family: gcc or clang, ld.bfd or ld.lld, possibly with a version suffix. To
# build for another machine, GNU tools take a prefix and clang an option; ld.lld knows every
# machine. Any other value is used as given.
# (Without built-in variables, make -R, there is not even a default.)
unset = $(filter default undefined,$(origin $(1)))
CC := $(if $(call unset,CC),gcc,$(CC))
LD := $(if $(call unset,LD),ld.bfd,$(LD))
CROSS := $(if $(filter-out $(HOST),$(ARCH)),$(TRIPLE)-)
CC_HERE := $(if $(filter clang%,$(notdir $(CC))),$(CC) $(if $(CROSS),--target=$(TRIPLE)),$(if \
	$(filter gcc gcc-%,$(CC)),$(CROSS)$(CC),$(CC)))
CXX_HERE := $(subst clang,clang++,$(subst gcc,g++,$(firstword $(CC_HERE)))) $(wordlist 2,9,$(CC_HERE))
LD_HERE := $(if $(filter ld ld.bfd,$(LD)),$(CROSS)$(LD),$(LD))
binutil = $(if $(call unset,$(1)),$(CROSS)$(2),$(if $(filter $(2),$($(1))),$(CROSS))$($(1)))
AR_HERE := $(call binutil,AR,ar)
OBJCOPY_HERE := $(call binutil,OBJCOPY,objcopy)
OBJDUMP_HERE := $(call binutil,OBJDUMP,objdump)
# SANITIZE=address (and undefined) or thread: command, library, tests and the machine made for tests
# with the compiler's own checks. The image has no room for them: what is undefined traps there.
SANITIZE_address := -fsanitize=address,undefined -fno-sanitize-recover=all
# (It knows no fences, gcc says: what is shared is atomic here, with or without them.)
SANITIZE_thread := -fsanitize=thread $(if $(filter clang%,$(notdir $(CC))),,-Wno-tsan)
SANITIZERS := address thread
$(if $(filter-out $(SANITIZERS),$(SANITIZE)),$(error SANITIZE=$(SANITIZE): there is $(SANITIZERS)))
SANITIZE_FLAGS := $(if $(SANITIZE),$(SANITIZE_$(SANITIZE)) -fno-omit-frame-pointer)
# Runs a program of that machine here; empty if the CPU does, as x86-64 does for i386.
RUN := $(if $(filter-out $(HOST) $(if $(filter x86_64,$(HOST)),i386),$(ARCH)),$(EMULATOR))

# Objects and image of a machine go to $(O), build/ARCH. Command, library and tests go to $(P):
# build itself for this machine, build/ARCH for another one.
B := build
# A path with a blank is several targets to make, and other characters are special to make or to a
# shell. And clean removes B.
SPECIAL := ' " ` \ * ? [ ] ~ ( ) { } < > | & ; ! = % : $$ \#
$(if $(filter 1,$(words $(B))),,$(error B='$(B)': make needs one word without blanks))
$(foreach c,$(SPECIAL),$(if $(findstring $c,$(B)),$(error B='$(B)': make or a shell takes $c for its own)))
$(if $(filter -%,$(B)),$(error B='$(B)': every tool takes it for an option))
$(if $(findstring |$(abspath $(B))/,|$(CURDIR)/)$(filter /,$(B)),$(error B='$(B)': this project lies in it, and make clean removes B))
override B := $(patsubst %/,%,$(B))
O := $(B)/$(ARCH)
P := $(if $(CROSS),$(O),$(B))
# What recipes start finds it by this.
export UVDSO_BUILD := $(B)

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all help deps clean FORCE
MAKEFLAGS += --no-builtin-rules --no-print-directory

COMMA := ,
# One word for a shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'

# `make V=1` prints the commands; by default each step prints one short line, and with -s none.
Q := $(if $(V),,@)
silent := $(V)$(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(silent),,@printf '  %-7s %s\n' $(1) $@)
# The recipe of every step, $(call step,WORD,COMMAND), and of C, C++ and assembly:
# $(call compile,FLAGS) makes an object, $(call program,FLAGS,OBJECTS) links one with OBJECTS.
# LENIENT=-w is for mutants (tests/lib/Mutants.pm), which leave things unused, and builds nothing anew.
define step
@mkdir -p $(@D)
$(call say,$(1))
$(Q)$(2)
endef
compiler = $(if $(filter %.cc,$<),CXX,CC)
compile = $(call step,$(compiler),$($(compiler)_HERE) $(1) $(LENIENT) -MMD -MP -MF $@.dep -c $< -o $@)
program = $(call step,$(compiler),$($(compiler)_HERE) $(1) $(LENIENT) -MMD -MP -MF $@.dep $< $(2) -o $@)

# Each goal gets what it needs. These are content with a compiler, a linker and perl, as they are
# for this machine with the default tools; all others get everything that the tests need. Node, a
# browser and gnuplot are large, and only for those who name the goal.
CORE := all demo learn start check run hint diff update break solution reset watch mine install uninstall symbols sections \
	disasm own bench tutorial node clean help doctor
deps: ## Begin | install what the other goals need from Debian's packages
	@tests/setup/deps $(if $(REST),$(if $(filter-out $(CORE),$(REST))$(CROSS)$(filter-out gcc ld.bfd,$(CC) $(LD)),,core)) \
		$(if $(filter tutorial,$(MAKECMDGOALS)),tutorial $(if $(filter test,$(MAKECMDGOALS)),browser)) \
		$(filter bench machine sanitize analyze random uses faketime,$(MAKECMDGOALS)) $(if $(if $(REST),$(filter test format,$(REST)),alone),format)

clean: ## Build | remove everything that was built
	rm -rf $(B) work/.trees

help: ## Begin | show this list
	@echo 'make TARGET [ARCH=$(subst $() ,|,$(ARCHES))] [CC=gcc|clang] [LD=ld.bfd|ld.lld]'
	@for group in Begin Build Read Test Proof Learn; do printf '\n%s\n' $$group; \
		sed -n "s/^\([a-z]*\):[^#]*## $$group | /\1 - /p" $(filter-out %.dep,$(MAKEFILE_LIST)) | \
		while IFS= read -r l; do printf '  %-10s %s\n' "$${l%% - *}" "$${l#* - }"; done; done

# deps changes what can be built: after it, make starts anew for the other goals.
REST := $(and $(filter deps,$(MAKECMDGOALS)),$(filter-out deps,$(MAKECMDGOALS)))
ifeq ($(REST),)
include $(wildcard vdso-src/vdso.mk loader/loader.mk tests/tests.mk tutorial/tutorial.mk)
-include $(shell find $(B) -name '*.dep' 2>/dev/null)
else
.PHONY: $(REST)
$(firstword $(REST)): deps
	@$(MAKE) --no-print-directory $(REST)
$(wordlist 2,99,$(REST)): $(firstword $(REST)) ;
endif
