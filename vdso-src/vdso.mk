# vdso.mk - the image: vdso-src/ and linker-scripts/, built for every machine.

.PHONY: sections disasm own matrix matrix-images

# A change of tools or flags rebuilds everything that was made with them. The place of the
# tree does not count: no byte depends on it, so a copy of the tree can reuse what is built.
CONFIG = $(CC_HERE) $(LD_HERE) $(VDSO_PARTS) $(VDSO_CFLAGS) $(VDSO_LDFLAGS) $(LOADER_CFLAGS) \
	$(LDFLAGS) $(PROGRAM_CFLAGS) $(CXX) $(PROGRAM_CXXFLAGS)
$(O)/.config: FORCE
	@mkdir -p $(O)
	@for tool in $(firstword $(CC_HERE)) $(firstword $(LD_HERE)) $(firstword $(OBJCOPY_HERE)); do \
		command -v $$tool >/dev/null || { \
			echo "uvdso: ARCH=$(ARCH): there is no $$tool; make deps installs it" >&2; exit 1; }; done
	@echo $(call quoted,$(CONFIG)) | cmp -s - $@ || echo $(call quoted,$(CONFIG)) >$@

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
# No path of this machine in any byte: the image is the same wherever it is built. The shell
# puts the directory in, by the name that the compiler knows it by, whatever is in that name.
PREFIX_MAP := -ffile-prefix-map="$$PWD"=.

# The image has no C library (freestanding, no builtins, no stack protector, whose canary is
# thread-local), runs at any address (PIC), exports only what is marked, and can be unwound
# from every instruction.
VDSO_CFLAGS := -std=gnu11 -O2 -g -fPIC -ffreestanding -fno-builtin -fno-common \
	-fno-stack-protector -fvisibility=hidden -fasynchronous-unwind-tables \
	-fno-lto $(PREFIX_MAP) $(WARNINGS) -Ivdso-src/include -Ivdso-src/arch/$(ARCH)
# The image is small: no functions split in two, each half with unwind data of its own, and
# no padding inside functions. It uses general registers only: combining two words in a vector
# register to store them at once made a call a nanosecond slower. Not every compiler knows these
# options.
cc_option = $(shell $(CC_HERE) -Werror $(1) -x c -S /dev/null -o /dev/null 2>/dev/null && echo $(1))
VDSO_CFLAGS += $(foreach flag,-fno-reorder-blocks-and-partition -falign-jumps=1 \
	-falign-loops=1 -falign-labels=1 -mgeneral-regs-only,$(call cc_option,$(flag)))
VDSO_CFLAGS += $(VDSO_CFLAGS_MACHINE)
# A trap needs no runtime, and a budget is for the image that is used.
VDSO_CFLAGS += $(if $(filter address,$(SANITIZE)),-fsanitize=undefined $(if \
	$(filter clang%,$(notdir $(CC))),-fsanitize-trap=all,-fsanitize-undefined-trap-on-error))

# VDSO_PARTS, in port.mk, says which parts of the image are built. Each part is a complete set
# of functions, with its objects in VDSO_OBJS_part:
#	make VDSO_PARTS=time B=/tmp/b /tmp/b/x86_64/vdso.so
# makes an image of the time functions alone, which fits into one page of memory (VDSO_BUDGET).
# The random functions bring a cipher and need a second one.
VDSO_PARTS_CPPFLAGS := $(foreach part,$(VDSO_PARTS),-DVDSO_HAS_$(part))
VDSO_OBJS := $(addprefix $(O)/vdso/,$(foreach part,$(VDSO_PARTS),$(VDSO_OBJS_$(part))) note.o identity.o)

# Toolchains differ in every one of these defaults. An image exports nothing but functions, so
# -Bsymbolic-functions binds what -Bsymbolic would, and leaves two entries of .dynamic out that
# nobody reads (DT_SYMBOLIC, DT_FLAGS).
VDSO_LDFLAGS := -shared -nostdlib -soname=$(or $(VDSO_SONAME),linux-vdso.so.1) --hash-style=both \
	--build-id=sha1 -Bsymbolic-functions --no-undefined --no-undefined-version --fatal-warnings \
	-z max-page-size=4096 -z noexecstack --eh-frame-hdr
# GNU ld leaves five entries of .dynamic free for tools that nobody runs on an image.
VDSO_LDFLAGS += $(if $(findstring lld,$(LD)),,--spare-dynamic-tags=0)

$(O)/vdso/%.o: vdso-src/%.c $(O)/.config
	$(call compile,$(VDSO_CFLAGS))

# Without -g: clang 14 writes the directory it runs in into the line table of assembly in
# spite of the prefix map, and the build id would depend on it. And the source of assembly
# itself says which registers it uses.
$(O)/vdso/%.o: vdso-src/%.S $(O)/.config
	$(call compile,$(filter-out -g -mgeneral-regs-only,$(VDSO_CFLAGS)))

$(O)/vdso/vdso.lds: linker-scripts/$(ARCH).lds.S $(O)/.config
	$(call step,CPP,$(CC_HERE) -E -P -x assembler-with-cpp -MMD -MP -MT $@ -MF $@.dep -Ivdso-src/include \
		$(VDSO_PARTS_CPPFLAGS) $< -o $@)

$(O)/vdso.so.dbg: $(O)/vdso/vdso.lds $(VDSO_OBJS)
	$(call step,LD,$(LD_HERE) $(VDSO_LDFLAGS) -T $< $(VDSO_OBJS) -o $@)

# The tools that the budgets in port.mk are stated for, those of Debian 12. linker-scripts/budget
# says what happens with others.
VDSO_BUDGET_CC := gcc 12
VDSO_BUDGET_LD := GNU ld 2.40

# ld.lld keeps the headers of the sections that must be empty, and GNU ld the reserved words of a
# global offset table that nothing uses. The script has made sure that there is no more in them.
$(O)/vdso.so: $(O)/vdso.so.dbg linker-scripts/cover-headers linker-scripts/budget
	$(call step,STRIP,$(OBJCOPY_HERE) -S $(addprefix -R ,.data .bss .got .got.plt) $< $(O)/vdso/stripped.so)
	$(Q)linker-scripts/cover-headers $(O)/vdso/stripped.so $@
	$(Q)$(if $(SANITIZE),: )linker-scripts/budget $@ $(VDSO_BUDGET) '$(VDSO_BUDGET_CC)' '$(VDSO_BUDGET_LD)' '$(CC_HERE)' '$(LD_HERE)'

# The image with a function of your own (own.c), and a program that calls it.
OWN := $(O)/own
ifdef VDSO_OBJS_own
own: $(P)/tests/programs/own
	$(Q)$(MAKE) VDSO_PARTS='$(VDSO_PARTS) own' B=$(OWN) $(OWN)/$(ARCH)/vdso.so
else
own:
	@echo 'uvdso: ARCH=$(ARCH): own.c is for x86_64 alone' >&2; exit 1
endif

# Debuggers and profilers find the symbols of a stripped file by its build id, and uvdso gdb the source
# by a link.
$(O)/.debug-data: $(O)/vdso.so.dbg
	$(Q)rm -rf $(P)/debug
	$(Q)id=$$(LC_ALL=C readelf -n $< | sed -n 's/^ *Build ID: //p') && \
		file=$(P)/debug/.build-id/$$(printf %.2s $$id)/$${id#??}.debug && \
		mkdir -p $${file%/*} && ln -sr $< $$file && ln -sr . $(P)/debug/source
	$(Q)touch $@

# These tools do not notice that their output cannot be written; the shell does.
shown = said=$$($(1)) && printf '%s\n' "$$said"

sections: $(O)/vdso.so ## Read | segments and sections of the image
	@$(call shown,readelf -W -l -S $(O)/vdso.so)

disasm: $(O)/vdso.so.dbg ## Read | the machine code of the image, with its source
	@$(call shown,$(OBJDUMP_HERE) -d -S --no-show-raw-insn $(O)/vdso.so.dbg)

# build/matrix/CC-LD/ARCH/vdso.so: the image of every machine by every compiler and linker.
MATRIX := $(foreach arch,$(ARCHES),$(foreach cc,gcc clang,$(foreach ld,ld.bfd ld.lld, \
	$(B)/matrix/$(cc)-$(ld)/$(arch)/vdso.so)))
.PHONY: $(MATRIX)

# The machine of a path in MATRIX, and its compiler and linker, separated by a hyphen.
matrix_arch = $(notdir $(patsubst %/,%,$(dir $(1))))
matrix_tools = $(subst -, ,$(notdir $(patsubst %/$(matrix_arch)/vdso.so,%,$(1))))

$(MATRIX):
	$(Q)$(MAKE) -s --no-print-directory ARCH=$(call matrix_arch,$@) CC=$(word 1,$(call matrix_tools,$@)) \
		LD=$(word 2,$(call matrix_tools,$@)) B=$(patsubst %/$(call matrix_arch,$@)/vdso.so,%,$@) $@

matrix-images: $(MATRIX)

matrix: $(MATRIX) ## Read | sizes of the image of every machine, by every compiler and linker
	@tests/lib/matrix-table $(MATRIX)
