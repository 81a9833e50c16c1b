# tolk: a tiny Transformer encoder–decoder in C. `make help` lists the targets.

BUILD    ?= build
CC       ?= cc
CXX      ?= c++
PYTHON   ?= python3
# The sanitizers watch, they need no speed; at -O3 the kernels would take minutes to compile.
CFLAGS   ?= $(if $(SANITIZE),-O1,-O3) -g
CXXFLAGS ?= $(if $(SANITIZE),-O1,-O2) -g

# Variants, each in a build folder of its own:
#   make BUILD=build/double REAL=double                   gradient checks run in double precision
#   make BUILD=build/sanitize SANITIZE=address,undefined  the sanitizer build
REAL     ?= float
SANITIZE ?=

PACKAGES      := sentencepiece jansson zlib libutf8proc
TEST_PACKAGES := check
PKG_CONFIG    ?= pkg-config

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wpointer-arith -Wcast-qual -Wundef -Wformat=2 \
            -Wwrite-strings
CWARNINGS := $(WARNINGS) -Wstrict-prototypes -Wmissing-prototypes
CPPFLAGS += -I. -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE
MODE     := -fopenmp -fno-math-errno -fno-trapping-math -ffp-contract=off
ifeq ($(REAL),double)
CPPFLAGS += -DTOLK_REAL_DOUBLE
endif
ifneq ($(SANITIZE),)
MODE     += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

all_cflags   = -std=gnu11 $(CFLAGS) $(CWARNINGS) $(MODE)
all_cxxflags = -std=c++17 $(CXXFLAGS) $(WARNINGS) $(MODE)
package_cflags = $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
package_libs   = $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)
test_cflags    = $(shell $(PKG_CONFIG) --cflags $(TEST_PACKAGES) 2>/dev/null)
test_libs      = $(shell $(PKG_CONFIG) --libs $(TEST_PACKAGES) 2>/dev/null)

# ---- what is built ------------------------------------------------------------------------------

ROOMS    := base model tokenizer corpora align infer train
SOURCES  := $(filter-out %/main.c,$(wildcard $(addsuffix /*.c,$(ROOMS))))
CXX_SOURCES := $(wildcard tokenizer/*.cc)
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(CXX_SOURCES:%.cc=$(BUILD)/%.o)

# Kernel sources are compiled once for each instruction set, with vector flags and leave to contract
# a multiplication and an addition into one, that no other source has; model/isa.c chooses among them.
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(filter x86_64-%,$(MACHINE)),)
ISAS := baseline avx2 avx512
else ifneq ($(filter aarch64-%,$(MACHINE)),)
ISAS := neon
else
ISAS := baseline
endif
isa_flags_baseline :=
isa_flags_neon     := # every processor of that machine has it
isa_flags_avx2     := -mavx2 -mfma -mf16c -mtune=haswell
isa_flags_avx512   := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mprefer-vector-width=512
KERNEL_FLAGS := -ffp-contract=fast
# Products of 8-bit integers begin and end with floats; a build on doubles has none.
KERNELS := $(filter-out %_bfloat16.c %_amx.c $(if $(filter double,$(REAL)),%/int8.c),$(wildcard model/kernels/*.c))
OBJECTS += $(foreach isa,$(ISAS),$(KERNELS:%.c=$(BUILD)/%.$(isa).o))

# Instruction sets that only add products of 8-bit integers or of bfloat16 to the one before them.
ifneq ($(filter x86_64-%,$(MACHINE)),)
ifneq ($(REAL),double)
INT8_ISAS     := avx512vnni
BFLOAT16_ISAS := avx512bf16
AMX_ISAS      := $(if $(findstring linux,$(MACHINE)),amx)# another system lends the tiles otherwise
endif
endif
isa_flags_avx512vnni := $(isa_flags_avx512) -mavx512vnni
OBJECTS += $(INT8_ISAS:%=$(BUILD)/model/kernels/int8.%.o)
isa_flags_avx512bf16 := $(isa_flags_avx512) -mavx512bf16
OBJECTS += $(BFLOAT16_ISAS:%=$(BUILD)/model/kernels/gemm_bfloat16.%.o)
isa_flags_amx := $(isa_flags_avx512bf16) -mavx512vnni -mamx-tile -mamx-bf16 -mamx-int8
OBJECTS += $(foreach isa,$(AMX_ISAS),$(patsubst %.c,$(BUILD)/%.$(isa).o,$(wildcard model/kernels/*_amx.c)))

PROGRAMS := $(BUILD)/tolk $(BUILD)/tolk-train $(BUILD)/tolk-corpus
main_of_tolk        := infer/main.c
main_of_tolk-train  := train/main.c
main_of_tolk-corpus := corpora/main.c

all: $(foreach p,$(PROGRAMS),$(if $(wildcard $(main_of_$(notdir $(p)))),$(p))) ## build the programs

$(BUILD)/libtolk.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/tolk: $(BUILD)/infer/main.o
$(BUILD)/tolk-train: $(BUILD)/train/main.o
$(BUILD)/tolk-corpus: $(BUILD)/corpora/main.o
$(PROGRAMS): $(BUILD)/libtolk.a
	$(CXX) $(all_cxxflags) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libtolk.a $(package_libs) -lm

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(package_cflags) $(all_cflags) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.cc Makefile
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(package_cflags) $(all_cxxflags) -MMD -MP -c -o $@ $<

define kernel_rule
$(BUILD)/model/kernels/%.$(1).o: model/kernels/%.c Makefile
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) -DTOLK_KERNEL_ISA=$(1) $$(all_cflags) $$(KERNEL_FLAGS) $$(isa_flags_$(1)) -MMD -MP -c -o $$@ $$<
endef
$(foreach isa,$(ISAS) $(INT8_ISAS) $(BFLOAT16_ISAS) $(AMX_ISAS),$(eval $(call kernel_rule,$(isa))))
$(BUILD)/model/isa.o $(BUILD)/bench/peak.o: CPPFLAGS += $(foreach isa,$(ISAS) $(INT8_ISAS) $(BFLOAT16_ISAS) $(AMX_ISAS),-DTOLK_HAVE_$(isa)=1)

# The program carries the files of its page (.incbin), which the compiler does not see.
$(BUILD)/infer/page_files.o: $(wildcard infer/page/*)

# ---- measuring ----------------------------------------------------------------------------------

BENCH_SUPPORT  := $(patsubst %,$(BUILD)/bench/%.o,blas measure peak work)
# The limit is that of multiplication and addition in one, as the kernels use it.
$(BUILD)/bench/peak.o: MODE += $(KERNEL_FLAGS)
BENCH_PROGRAMS := $(patsubst %,$(BUILD)/bench/%,epoch gemm machine plot step translate)
$(BUILD)/bench/%: $(BUILD)/bench/%.o $(BENCH_SUPPORT) $(BUILD)/libtolk.a
	$(CXX) $(all_cxxflags) $(LDFLAGS) -o $@ $^ $(package_libs) -lm

# ---- tests --------------------------------------------------------------------------------------

# Each tests/<room>/test_*.c is one program; those under tests/gradients are built on doubles.
TEST_SOURCES     := $(wildcard $(foreach r,$(ROOMS) bench,tests/$(r)/test_*.c))
GRADIENT_SOURCES := $(wildcard tests/gradients/test_*.c)
TESTS            := $(TEST_SOURCES:tests/%.c=$(BUILD)/tests/%)
GRADIENT_TESTS   := $(GRADIENT_SOURCES:tests/%.c=$(BUILD)/double/tests/%)
TEST_SUPPORT     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))

$(BUILD)/tests/%.o: package_cflags += $(test_cflags)
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_SUPPORT) $(BUILD)/libtolk.a
	$(CXX) $(all_cxxflags) $(LDFLAGS) -o $@ $^ $(package_libs) $(test_libs) -lm
$(BUILD)/tests/bench/test_work: $(BUILD)/bench/work.o
.SECONDARY:

tests: $(TESTS) $(BUILD)/bench/plot neon-tests ## build the test programs

# The tests of model/ that need no package: those of what reads JSON stay behind, tests/portable
# stands in for Check. A cross-compiler builds them for aarch64, tests/portable/test_neon.sh runs them.
NEON_CC          := aarch64-linux-gnu-gcc
JSON_SOURCES     := $(patsubst %,model/%.c,config_read config_write load safetensors save)
JSON_TESTS       := config load oracle safetensors
PORTABLE_SOURCES := $(filter-out $(JSON_SOURCES),$(wildcard model/*.c)) base/error.c base/file.c base/memory.c base/random.c
PORTABLE_OBJECTS := $(PORTABLE_SOURCES:%.c=$(BUILD)/%.o) $(filter $(BUILD)/model/kernels/%,$(OBJECTS))
PORTABLE_HEADERS := $(wildcard tests/portable/*.h tests/support/*.h model/*.h model/kernels/*.h)
PORTABLE_TESTS   := $(patsubst tests/model/%.c,$(BUILD)/portable/%,$(filter-out $(JSON_TESTS:%=tests/model/test_%.c), \
                    $(wildcard tests/model/test_*.c)))
portable_link     = $(CC) $(CPPFLAGS) -Itests/portable $(all_cflags) $(LDFLAGS) -o $@ $(filter %.c %.o,$^) -lm
$(BUILD)/portable/test_%: tests/model/test_%.c tests/portable/suite.c tests/support/reference.c $(PORTABLE_OBJECTS) $(PORTABLE_HEADERS)
	@mkdir -p $(@D)
	$(portable_link)
$(BUILD)/portable/step: tests/portable/step.c $(PORTABLE_OBJECTS) $(PORTABLE_HEADERS)
	@mkdir -p $(@D)
	$(portable_link)
portable-tests: $(PORTABLE_TESTS) $(BUILD)/portable/step

ifneq ($(and $(filter x86_64-%,$(MACHINE)),$(filter float,$(REAL)),$(shell command -v $(NEON_CC))),)
neon-tests: $(BUILD)/portable/step
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/neon CC=$(NEON_CC) CFLAGS=-O1 KERNEL_FLAGS='-O3 $(KERNEL_FLAGS)' SANITIZE= PACKAGES= \
	    portable-tests
endif

$(GRADIENT_TESTS): FORCE
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/double REAL=double $@
ifeq ($(REAL),float)
gradient-tests: ## build the gradient checks (double precision)
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/double REAL=double \
	    $(GRADIENT_SOURCES:tests/%.c=$(BUILD)/double/tests/%)
endif

# As many jobs as processors, unless the caller says otherwise.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))

check: packages ## install what the tests need and run all of them
	@$(MAKE) --no-print-directory $(JOBS) all tests
	@$(MAKE) --no-print-directory $(JOBS) gradient-tests
	@BUILD=$(BUILD) tests/run.sh $(TESTS) $(GRADIENT_TESTS) $(wildcard tests/*/test_*.sh)

# ---- oracles: programs that others wrote ---------------------------------------------------------

VENV := $(BUILD)/venv
$(VENV)/ready: tests/oracle/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -r tests/oracle/requirements.txt
	@touch $@

fixtures: $(VENV)/ready ## make the stored numbers of transformers, PyTorch and sacreBLEU again
	$(VENV)/bin/python tests/oracle/make_fixtures.py
	$(VENV)/bin/python tests/oracle/make_optimizer.py
	$(VENV)/bin/python tests/fixtures/make_metrics.py

MODEL ?= $(BUILD)/demo/model
SENTENCES ?= tests/oracle/sentences.txt
$(BUILD)/tests/oracle/dump_logits: $(BUILD)/tests/oracle/dump_logits.o $(BUILD)/libtolk.a
	$(CXX) $(all_cxxflags) $(LDFLAGS) -o $@ $^ $(package_libs) -lm
check-oracle: all $(VENV)/ready $(BUILD)/tests/oracle/dump_logits ## compare MODEL=DIR with transformers and CTranslate2
	$(VENV)/bin/python tests/oracle/check_model.py $(MODEL) --build $(BUILD) --sentences $(SENTENCES)

# ---- benchmarks and installation ------------------------------------------------------------------

# The model that translates: MODEL=DIR, else one that is trained on the spot.
BENCH_MODEL := $(if $(filter command environment,$(firstword $(origin MODEL))),$(MODEL),$(BUILD)/bench/model)
PEERS_VENV  ?= $(VENV)

bench-programs: build-packages
	@$(MAKE) --no-print-directory $(JOBS) all $(BENCH_PROGRAMS)

bench: bench-programs ## products, training steps, translation against the machine's limits
	bench/prepare.sh $(BUILD) $(BENCH_MODEL)
	bench/run.sh $(BUILD) $(BENCH_MODEL)

bench-peers: bench-programs ## the same beside PyTorch, CTranslate2, oneDNN, OpenBLAS (PARTS="gemm step …")
	@tools/packages.sh peers || echo "some peers are not on this system and will be left out" >&2
	@[ -n "$(filter-out $(VENV),$(PEERS_VENV))" ] || $(MAKE) --no-print-directory $(VENV)/ready
	bench/prepare.sh $(BUILD) $(BENCH_MODEL)
	$(PEERS_VENV)/bin/python bench/peers/run.py --build $(BUILD) --venv $(PEERS_VENV) --model $(BENCH_MODEL) $(PARTS)

PREFIX ?= /usr/local
install: all ## put the programs under PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin

# ---- habits -------------------------------------------------------------------------------------

packages: ## install the Debian packages that building and testing need
	@tools/packages.sh build test

build-packages:
	@tools/packages.sh build

demo: build-packages ## from a grammar to a translator and its attention, in three minutes
	@$(MAKE) --no-print-directory $(JOBS) all
	@tools/demo.sh $(BUILD)

pictures: all ## docs/page.png, the page of the demo's model (after make demo; needs chromium)
	@tools/pictures.sh $(BUILD)

demo-summaries: build-packages ## the same programs learn to summarise, in two minutes
	@$(MAKE) --no-print-directory $(JOBS) all
	@tools/demo-summaries.sh $(BUILD)

sanitize: packages ## the suite under address and undefined behaviour sanitizers
	@TOLK_TEST_SLOW=1 $(MAKE) --no-print-directory check BUILD=$(BUILD)/sanitize SANITIZE=address,undefined

# The programs would start themselves anew (base/threads.h) and escape; the policy given, they stay.
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
valgrind: packages ## the suite under valgrind
	@$(MAKE) --no-print-directory $(JOBS) all tests
	@$(MAKE) --no-print-directory $(JOBS) gradient-tests
	@BUILD=$(BUILD) $(if $(filter avx2,$(ISAS)),TOLK_ISA=avx2) OMP_WAIT_POLICY=passive TOLK_TEST_SLOW=1 CK_TIMEOUT_MULTIPLIER=10 WRAPPER="$(VALGRIND)" \
	    tests/run.sh $(TESTS) $(GRADIENT_TESTS) $(wildcard tests/*/test_*.sh)

OWN_FILES = $(wildcard $(foreach r,$(ROOMS) model/kernels bench tests/support tests/gradients tests/oracle tests/bench \
            tests/portable $(ROOMS:%=tests/%),$(r)/*.[ch] $(r)/*.cc))

format: ## rewrite the sources with clang-format
	clang-format -i $(sort $(OWN_FILES))

lint-packages:
	@tools/packages.sh build lint

lint: lint-packages ## clang-format, clang-tidy and cppcheck, without a finding
	clang-format --dry-run -Werror $(sort $(OWN_FILES))
	printf '%s\n' $(SOURCES) $(wildcard */main.c) | xargs -P 2 -n 4 sh -c 'clang-tidy --quiet "$$@" -- \
	    -std=gnu11 $(CPPFLAGS) $(package_cflags) -fopenmp' tidy
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr -I. \
	    --enable=warning,performance,portability --suppress=missingIncludeSystem $(SOURCES)

clean: ## remove the build folder
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26

FORCE:
.PHONY: all tests portable-tests neon-tests gradient-tests check packages build-packages demo demo-summaries pictures sanitize valgrind fixtures check-oracle bench bench-programs bench-peers install format lint lint-packages clean help FORCE
.DEFAULT_GOAL := all

# The variants below $(BUILD) and the environment of the oracles have their own.
-include $(shell find $(BUILD) \( -path $(BUILD)/double -o -path $(BUILD)/sanitize -o -path $(BUILD)/neon -o -path $(VENV) \) -prune -o -name '*.d' -print 2>/dev/null)
