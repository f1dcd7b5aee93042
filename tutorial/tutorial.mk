# tutorial.mk - the course, its site, and the demo.

LEARN := learn start check run hint diff update break solution reset watch mine
.PHONY: demo $(LEARN) tutorial node

DEMO_BINS := $(patsubst tutorial/demo/%.c,$(P)/demo/%,$(sort $(wildcard tutorial/demo/*.c)))

$(P)/demo/%: tutorial/demo/%.c $(P)/internal.a
	$(call program,$(USER_CFLAGS),$(P)/internal.a $(LDFLAGS) $(LIBS))

demo: $(P)/uvdso $(O)/vdso.so $(DEMO_BINS) ## Begin | the guided tour: real output on this machine, under 15 s
	@tutorial/demo/tour

# What make run has to show. 04 and 05 have no C library, 06 runs on the machine made for tests.
RUN_BARE := $(addprefix $(P)/run/,04-auxv 05-resolve)
RUN_LIBC := $(patsubst loader/libc/%.c,$(P)/run/libc/%.o,$(wildcard loader/libc/*.c))

$(P)/run/%: tutorial/run/%.c $(P)/internal.a
	$(call program,$(USER_CFLAGS),$(RUN_OBJS) $(P)/internal.a $(LDFLAGS) $(LIBS) -lm)

$(P)/run/01-system-call: RUN_OBJS := $(O)/tests/bench/measure.o
$(P)/run/01-system-call: $(O)/tests/bench/measure.o

# A timekeeper of one's own. Its arithmetic is chapter 17's, and tests/clock has its tests.
SHOWN_LINE := $(O)/tutorial/shown_line.o
$(SHOWN_LINE): tutorial/run/shown_line.c $(O)/.config
	$(call compile,$(USER_CFLAGS))

$(P)/run/17-own-clock: RUN_OBJS := $(SHOWN_LINE)
$(addprefix $(P)/tests/clock/,shown-line other-rate): TEST_OBJS := $(SHOWN_LINE)
$(P)/run/17-own-clock $(addprefix $(P)/tests/clock/,shown-line other-rate): $(SHOWN_LINE)

$(RUN_LIBC): $(P)/run/libc/%.o: loader/libc/%.c $(O)/.config
	$(call compile,$(BARE_CFLAGS) -O2 -Iloader)

$(RUN_BARE): $(P)/run/%: tutorial/run/%.c $(RUN_LIBC)
	$(call program,$(BARE_CFLAGS) -static -Iloader,$(RUN_LIBC))

$(P)/run/06-seqlock: tutorial/run/06-seqlock.c $(FAKE_OBJS)
	$(call program,$(FAKE_CFLAGS),$(FAKE_OBJS))

learn: ## Learn | the course: its exercises, and how far you are
start: ## Learn | CH=06: begin an exercise; your copy is put into work/
check: ## Learn | CH=06: build your copy and run the tests of that exercise
run: ## Learn | CH=06: let what you have built do something real
hint: ## Learn | CH=06: a hint, and each time one that says more
diff: ## Learn | CH=06: what you have changed since the beginning
update: ## Learn | CH=06: after git pull: the project's changes, into your copy
break: ## Learn | CH=06:NAME: your answer with a mistake in it, and what the tests say
solution: ## Learn | CH=06: the answer; asks once
reset: ## Learn | CH=06: begin again; the old copy is kept
watch: ## Learn | CH=06: check at every save, until all is true
mine: ## Learn | all that you have solved, put together, and programs that run on it
# CH goes through the environment, as whatever was typed: no shell reads it.
$(LEARN):
	@tutorial/learn $@

# The packages of the site come from npm, as the lockfile says. Without node, tests/setup/deps
# installs it or says how.
SITE := $(B)/site
node:
	@tests/setup/deps tutorial

$(SITE)/.installed: tutorial/site/package.json tutorial/site/package-lock.json | node
	@mkdir -p $(@D)
	@cp $^ $(@D)
	$(call step,NPM,cd $(@D) && npm ci --loglevel=error --no-audit --no-fund >log 2>&1 || { cat log >&2; exit 1; })
	@touch $@

tutorial: $(SITE)/.installed $(O)/vdso.so ## Learn | the course as a site, in build/tutorial; takes node and npm
	$(Q)ARCH=$(ARCH) tutorial/learn site $(SITE)
	$(Q)cd $(SITE) && node_modules/.bin/vitepress build >log 2>&1 || { cat log >&2; exit 1; }
	$(if $(silent),,@echo '  the course is in $(B)/tutorial; to read it: cd $(B)/tutorial && python3 -m http.server')
