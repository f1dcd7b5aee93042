# tutorial.mk - the course, its site, and the demo.

.PHONY: demo learn start check hint diff solution reset watch tutorial node

DEMO_BINS := $(patsubst tutorial/demo/%.c,$(P)/demo/%,$(sort $(wildcard tutorial/demo/*.c)))

$(P)/demo/%: tutorial/demo/%.c $(P)/internal.a
	$(call program,$(USER_CFLAGS),$(P)/internal.a $(LDFLAGS) $(LIBS))

demo: $(P)/uvdso $(O)/vdso.so $(DEMO_BINS) ## Begin | the guided tour: real output on this machine, under 15 s
	@tutorial/demo/tour

learn: ## Learn | the course: its exercises, and how far you are
start: ## Learn | CH=06: begin an exercise; your copy is put into work/
check: ## Learn | CH=06: build your copy and run the tests of that exercise
hint: ## Learn | CH=06: a hint, and each time one that says more
diff: ## Learn | CH=06: your copy beside the finished file
solution: ## Learn | CH=06: the answer; asks once
reset: ## Learn | CH=06: begin again; the old copy is kept
watch: ## Learn | CH=06: check at every save, until all is true
learn start check hint diff solution reset watch:
	@tutorial/learn $@ $(CH)

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

tutorial: $(SITE)/.installed ## Learn | the course as a site, in build/tutorial; takes node and npm
	$(Q)tutorial/learn site $(SITE)
	$(Q)cd $(SITE) && node_modules/.bin/vitepress build >log 2>&1 || { cat log >&2; exit 1; }
	$(if $(silent),,@echo '  the course is in $(B)/tutorial; to read it: cd $(B)/tutorial && python3 -m http.server')
