# loader.mk - the command uvdso and the library libuvdso.a, with the image inside.

.PHONY: all install uninstall symbols

# make ends with `uvdso check --house` on our image. Not where an emulator would run that, and not
# in the course, where the tests say what is wrong with a learner's (CHECK_IMAGE=no).
CHECK_IMAGE := yes
IMAGE_CHECKED := $(if $(RUN)$(filter no,$(CHECK_IMAGE)),,$(O)/.image-checked)

all: $(P)/uvdso $(addprefix $(P)/libuvdso.,a so pc) $(O)/vdso.so $(O)/.debug-data $(IMAGE_CHECKED) ## Build | image, command and library (default)

# CFLAGS, CPPFLAGS and LDFLAGS are for command, library and tests, where a warning that they bring
# about stops nothing. Programs that use the library, and the tests, have the time_t of their C library; the
# loader itself uses 64-bit times everywhere.
USER_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE $(PREFIX_MAP) $(WARNINGS) \
	-Iloader -Iloader/kernel/arch/$(ARCH) -Ivdso-src/include -Ivdso-src/arch/$(ARCH) $(LOADER_CFLAGS_MACHINE) \
	$(SANITIZE_FLAGS) $(if $(SANITIZE)$(CPPFLAGS)$(CFLAGS),-Wno-error $(CPPFLAGS) $(CFLAGS))
# What the caller's flags must not change comes last: libuvdso.a is one relocatable object.
LOADER_CFLAGS := $(USER_CFLAGS) -fPIC -fvisibility=hidden -fno-lto $(LOADER_TIME)
LINK = $(CC_HERE) $(SANITIZE_FLAGS) $(CFLAGS) $(LDFLAGS)
# Part of the C library itself since glibc 2.34.
LIBS := -pthread -ldl -lrt

# The sources of every room of the loader, and of one machine only.
rooms := loader loader/libc loader/kernel loader/kernel/*  loader/kernel/*/*
loader_sources = $(sort $(filter-out loader/kernel/arch/%,$(wildcard $(addsuffix /*.$(1),$(rooms)))) \
	$(wildcard loader/kernel/arch/$(ARCH)/*.$(1)))
LIB_OBJS := $(patsubst %,$(O)/%.o,$(basename $(call loader_sources,c) $(call loader_sources,S)))
CLI_OBJS := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard loader/cli/*.c)))

$(O)/loader/%.o: loader/%.c $(O)/.config
	$(call compile,$(LOADER_CFLAGS))

$(O)/loader/%.o: loader/%.S $(O)/.config
	$(call compile,$(LOADER_CFLAGS) -DVDSO_IMAGE='"$(O)/vdso.so"')

# The object that has the image inside.
$(filter %/image_blob.o,$(LIB_OBJS)): $(O)/vdso.so

# The whole loader but the command: what the command and the tests link with. They call what is
# inside, which no other program can: loader/uvdso.h marks what is public, the rest is hidden.
$(P)/internal.a: $(LIB_OBJS)
	$(call step,AR,rm -f $@ && $(AR_HERE) rcs $@ $^)

# The libraries hold uvdso.c and what it needs. In the static one this is a single object, so
# that hidden names can become local: a program may have an error() or a place() of its own.
$(O)/libuvdso.o: $(O)/loader/uvdso.o $(P)/internal.a
	$(call step,LD,$(CC_HERE) -r -nostdlib $^ -o $@ && $(OBJCOPY_HERE) --localize-hidden $@)

$(P)/libuvdso.a: $(O)/libuvdso.o
	$(call step,AR,rm -f $@ && $(AR_HERE) rcs $@ $^)

SONAME := libuvdso.so.0
$(P)/libuvdso.so: $(O)/loader/uvdso.o $(P)/internal.a loader/libuvdso.map
	$(call step,LD,$(LINK) -shared $(addprefix -Wl$(COMMA),-soname=$(SONAME) \
		--version-script=loader/libuvdso.map -z$(COMMA)defs -z$(COMMA)text -z$(COMMA)noexecstack) \
		$(filter %.o %.a,$^) $(LIBS) -o $@)
	$(Q)ln -sf $(@F) $(@D)/$(SONAME)

$(P)/libuvdso.pc: loader/libuvdso.pc.in loader/cli/version.h
	$(call step,SED,sed "s/@VERSION@/$$(sed -n 's/.*VERSION "\(.*\)"/\1/p' loader/cli/version.h)/" $< >$@)

# Without a dynamic linker it starts a third of a millisecond earlier. Not everybody has a static C
# library, and sanitizers want the other one; a real error is told by the second attempt. Not
# where qemu-user has to start it: under qemu 10 a static program that it becomes by hand dies.
STATIC_PIE := $(if $(filter x86_64 i386,$(ARCH)),-static-pie,-pie)
$(P)/uvdso: $(CLI_OBJS) $(P)/internal.a
	$(call step,CC,$(LINK) $(STATIC_PIE) $^ $(LIBS) -o $@ 2>/dev/null || $(LINK) -pie $^ $(LIBS) -o $@)

$(O)/.image-checked: $(P)/uvdso $(O)/vdso.so
	$(call step,CHECK,$(P)/uvdso check --house $(O)/vdso.so && touch $@)

# The same for tests that put a library in (LD_PRELOAD).
$(P)/tests/uvdso-dynamic: $(CLI_OBJS) $(P)/internal.a
	$(call step,CC,$(LINK) -pie $^ $(LIBS) -o $@)

# make install PREFIX=/usr DESTDIR=/tmp/package ARCH=...
PREFIX := /usr/local

install: all ## Build | install command, library, headers, manual and debug data (DESTDIR, PREFIX)
	@loader/cli/install $(call quoted,$(DESTDIR)) $(call quoted,$(PREFIX)) $(P) $(O)

uninstall: ## Build | remove what make install has put there, and nothing else
	@loader/cli/install --remove $(call quoted,$(DESTDIR)) $(call quoted,$(PREFIX))

symbols: $(P)/uvdso $(O)/vdso.so ## Read | the names that the image exports, each with its version
	@$(RUN) $(P)/uvdso symbols $(O)/vdso.so
