# The Deepgram operator. `make help` lists the targets.
#
# Objects are built in two flavours from the same sources: build/release (optimised, hardened) and
# build/asan (AddressSanitizer and UBSan, what the tests run). Of a third, build/failpoints, there are
# only the few that let the crash tests end the process at a chosen request.

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

B ?= build
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION ?= 0.1.0
PYTHON := $(B)/venv/bin/python

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
  -Wswitch-enum -Wformat=2 -Wundef -Werror
HARDENING := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
  -fcf-protection -fPIE
COMMON := -std=gnu17 -D_GNU_SOURCE -g $(WARNINGS) -DDEEPGRAM_OPERATOR_VERSION='"$(VERSION)"' -MMD -MP
RELEASE := $(COMMON) -O2 $(HARDENING)
ASAN := $(COMMON) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK := -pie -Wl,-z,relro,-z,now
CURL ?= -lcurl
LIBRARIES := $(CURL) -lwebsockets -lcjson -lyaml -lssl -lcrypto

CONTROLLER := $(wildcard controller/*/*.c)
EMULATOR := $(wildcard tests/emulator/*.c)
UNIT := $(wildcard tests/unit/test_*.c)
FUZZ := $(wildcard tests/fuzz/fuzz_*.c)
SCENARIO := $(wildcard tests/scenario/*.c)
WITH_FAILPOINTS := controller/net/http.c controller/net/failpoint.c

release = $(patsubst %.c,$(B)/release/%.o,$(1))
asan = $(patsubst %.c,$(B)/asan/%.o,$(1))
failpoints = $(patsubst %.c,$(B)/failpoints/%.o,$(1))

.PHONY: all
all: $(B)/deepgram-operator $(B)/kubectl-deepgram $(B)/deepgram-emulator ## Build the operator, its kubectl plugin and the emulator

.PHONY: help
help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ---- what the machine must have -------------------------------------------------------------

.PHONY: deps
deps: $(B)/.deps ## Install the Debian packages that building and testing need (root or sudo)
$(B)/.deps: tests/packages.txt tests/packages.sh
	@mkdir -p $(B)
	@tests/packages.sh tests/packages.txt
	@touch $@

# ---- programs -------------------------------------------------------------------------------

$(B)/deepgram-operator: $(call release,controller/main.c $(CONTROLLER))
	$(CC) $(LINK) -o $@ $^ $(LIBRARIES)

# The plugin is the operator under another name.
$(B)/kubectl-deepgram: $(B)/deepgram-operator
	ln -sf $(notdir $<) $@

$(B)/deepgram-operator-asan: $(call asan,controller/main.c $(CONTROLLER))
	$(CC) -fsanitize=address,undefined -o $@ $^ $(LIBRARIES)

$(B)/deepgram-operator-failpoints: $(call failpoints,$(WITH_FAILPOINTS)) \
    $(call release,controller/main.c $(filter-out $(WITH_FAILPOINTS),$(CONTROLLER)))
	$(CC) $(LINK) -o $@ $^ $(LIBRARIES)

$(B)/deepgram-emulator: $(call release,$(EMULATOR))
	$(CC) $(LINK) -o $@ $^ -lwebsockets -lcjson -lcrypto -lssl

$(B)/release/%.o: %.c | $(B)/.deps
	@mkdir -p $(@D)
	$(CC) $(RELEASE) -Icontroller $(if $(filter tests/%,$<),-I$(dir $<)) -c -o $@ $<

$(B)/failpoints/%.o: %.c | $(B)/.deps
	@mkdir -p $(@D)
	$(CC) $(RELEASE) -DFAILPOINTS -Icontroller -c -o $@ $<

$(B)/asan/%.o: %.c | $(B)/.deps
	@mkdir -p $(@D)
	$(CC) $(ASAN) -Icontroller $(if $(filter tests/%,$<),-I$(dir $<)) -c -o $@ $<

# The program carries its CRDs and its rights.
carried = $(foreach flavour,release failpoints asan torture,$(B)/$(flavour)/controller/plugin/$(1).o)
$(call carried,schema): $(wildcard crds/*.yaml)
$(call carried,rights): manifests/rbac.yaml

# ---- unit tests and corpora -----------------------------------------------------------------

$(B)/asan/controller.a: $(call asan,$(CONTROLLER))
	@rm -f $@
	ar rcs $@ $^

$(B)/unit/%: $(B)/asan/tests/unit/%.o $(B)/asan/controller.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined -o $@ $^ $(LIBRARIES) -lssl -lcmocka

$(B)/fuzz/%: $(B)/asan/tests/fuzz/%.o $(B)/asan/tests/fuzz/replay.o $(B)/asan/controller.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined -o $@ $^ $(LIBRARIES)

UNIT_PROGRAMS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT))
FUZZ_PROGRAMS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ))

.PHONY: unit
unit: $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) ## Run the unit tests and replay the fuzz corpora (ASan, UBSan)
	@tests/unit/run.py $(UNIT_PROGRAMS) --replay $(FUZZ_PROGRAMS)

# The simulated world: the product's own objects, with what moves bytes replaced at link time. Fast
# with assertions for the many, ASan for a part.
TORTURE := $(COMMON) -O2
torture = $(patsubst %.c,$(B)/torture/%.o,$(1))

$(B)/torture/%.o: %.c | $(B)/.deps
	@mkdir -p $(@D)
	$(CC) $(TORTURE) -Icontroller $(if $(filter tests/%,$<),-I$(dir $<)) -c -o $@ $<

$(B)/torture/controller.a: $(call torture,$(CONTROLLER))
	@rm -f $@
	ar rcs $@ $^

$(B)/scenario: $(call torture,$(SCENARIO)) $(B)/torture/controller.a
	$(CC) -o $@ $^ $(LIBRARIES)

$(B)/scenario-asan: $(call asan,$(SCENARIO)) $(B)/asan/controller.a
	$(CC) -fsanitize=address,undefined -o $@ $^ $(LIBRARIES)

SEEDS ?= 1000000
ASAN_SEEDS ?= 5000
.PHONY: scenario torture
scenario: $(B)/scenario $(B)/scenario-asan ## Run the lifecycle under every single fault and 100,000 random schedules
	@tests/scenario/run.sh $(B) 100000 $(ASAN_SEEDS)
torture: $(B)/scenario $(B)/scenario-asan ## As many random schedules as SEEDS says (1,000,000), from SEED on
	@tests/scenario/run.sh $(B) $(SEEDS) $(ASAN_SEEDS)

EVERY ?= 1
.PHONY: pairs
pairs: $(B)/scenario ## Every pair of faults of each story (some 27 million, hours), or every so many-th: EVERY
	@tests/scenario/run.sh $(B) pairs $(EVERY)

.PHONY: mutations
mutations: $(B)/scenario ## Break the lifecycle in one place after the other: the simulated world has to notice each
	@tests/scenario/mutate.py $(B)

.PHONY: schedules
schedules: $(B)/scenario # what `make check` has time for
	@tests/scenario/run.sh $(B) 2000

# libFuzzer comes with clang only, in the package of its runtime. Findings are written to build/fuzz-findings.
FUZZ_SECONDS ?= 60
$(B)/libfuzzer/%: tests/fuzz/%.c $(CONTROLLER) | $(B)/.fuzz-deps
	@mkdir -p $(@D)
	clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -Icontroller \
	  -o $@ $< $(CONTROLLER) $(LIBRARIES)

$(B)/.fuzz-deps: $(B)/.deps
	@echo "libclang-rt-$$(clang -dumpversion | cut -d. -f1)-dev" >$(B)/fuzz-packages.txt
	@tests/packages.sh $(B)/fuzz-packages.txt
	@touch $@

.PHONY: fuzz
fuzz: $(B)/.fuzz-deps $(patsubst tests/fuzz/%.c,$(B)/libfuzzer/%,$(FUZZ)) ## Fuzz each parser for FUZZ_SECONDS (60)
	@mkdir -p $(B)/fuzz-findings
	@for target in $(filter $(B)/libfuzzer/%,$^); do name=$${target##*/fuzz_}; echo "== $$name"; \
	  mkdir -p $(B)/fuzz-corpus/$$name; \
	  $$target -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=$(B)/fuzz-findings/$$name- \
	    $(B)/fuzz-corpus/$$name tests/fuzz/corpus/$$name || exit 1; done

# ---- layers and lint ------------------------------------------------------------------------

.PHONY: check-layers
check-layers: $(call release,$(CONTROLLER)) ## Hold the layers of controller/README.md
	@tests/check_layers.py $(B)/release

.PHONY: lint
lint: | $(B)/.deps ## Format, banned functions, callers of secret_reveal, clang warnings
	@tests/lint.py

# ---- control plane and integration ----------------------------------------------------------

.PHONY: controlplane
controlplane: ## Build etcd, kube-apiserver, kubectl, kwok, helm … (once, about ten minutes)
	@tests/controlplane/build.sh $(B)/controlplane

.PHONY: venv
venv: | $(B)/.deps
	@tests/venv.sh $(B)/venv

.PHONY: tools
tools:
	@tests/tools/build.sh $(B)/tools

$(B)/real-timerfd.so: tests/integration/real_timerfd.c | $(B)/.deps
	@mkdir -p $(B)
	$(CC) $(COMMON) -shared -fPIC -o $@ $<

.PHONY: integration
integration: all $(B)/deepgram-operator-asan $(B)/deepgram-operator-failpoints $(B)/real-timerfd.so controlplane tools venv ## Tests on a real control plane
	@tests/integration/run.sh $(B)

.PHONY: soak
soak: all $(B)/deepgram-operator-asan controlplane venv ## Fifty rotations under random kills of the operator, and fifty failovers (some 16 minutes)
	@tests/soak/run.sh $(B)

# ---- chart, manifests, image ----------------------------------------------------------------

CHART := helm/deepgram-operator
HELM := $(B)/controlplane/helm

.PHONY: chart
chart: controlplane ## Copy the CRDs into the chart, lint it, package it as build/deepgram-operator-VERSION.tgz
	@cp crds/*.yaml $(CHART)/files/crds/
	@$(HELM) lint --strict $(CHART)
	@$(HELM) package --destination $(B) $(CHART)

.PHONY: manifests
manifests: chart ## Generate manifests/install.yaml and manifests/rbac.yaml from the chart
	@manifests/generate.sh $(HELM) manifests

.PHONY: helm
helm: all controlplane tools venv ## Test the chart and the manifests on a real control plane
	@cd tests/helm && $(abspath $(PYTHON)) -m pytest -p no:cacheprovider -q --durations=5 \
	  --numprocesses 2 --dist loadfile --ignore=test_image.py

IMAGE := $(abspath $(B))/deepgram-operator-$(VERSION).oci.tar

.PHONY: image
image: venv ## Build the image as an OCI archive, with its bill of materials (root)
	@VERSION=$(VERSION) tests/image/build.sh $(IMAGE)
	@$(PYTHON) tests/image/sbom.py $(IMAGE) $(IMAGE:.tar=.spdx.json)

.PHONY: image-test
image-test: all image controlplane ## Build the image twice, look into it and run it on a real control plane
	@cd tests/helm && IMAGE=$(IMAGE) VERSION=$(VERSION) $(abspath $(PYTHON)) -m pytest -p no:cacheprovider -q test_image.py

# ---- measurements ---------------------------------------------------------------------------

$(B)/bare-writer: tests/bench/bare_writer.c | $(B)/.deps
	@mkdir -p $(B)
	$(CC) $(RELEASE) $(LINK) -o $@ $< -lcurl

.PHONY: bench
bench: all $(B)/bare-writer controlplane venv ## Time, CPU, memory and requests of BENCH_N ("100 1000") resources
	@BENCH_BUILD=$(abspath $(B)) $(PYTHON) tests/bench/bench.py

# ---- the three that people use --------------------------------------------------------------

.PHONY: demo
demo: all controlplane venv ## Show it: from nothing to live credentials and back (KEEP=1 leaves it up)
	@$(PYTHON) tests/demo/demo.py

.PHONY: check
check: all check-layers lint unit schedules ## Build, layers, lint, unit, 2,000 schedules, corpora: under a minute

.PHONY: test
test: ## Everything that CI runs; ends in "N passed, N failed, N skipped"
	@tests/test.sh

.PHONY: clean
clean: ## Remove build/
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
