# `make help` explains every target. Needs Python 3.11 with venv, make and a package registry; nothing else.

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
VENV := .venv
TOOLS := .venv-tools
RUN := $(VENV)/bin/lecturebench
REFERENCE := reports/reference/error_table

# What `make reproduce` passes on, each only when set.
FLAGS = $(if $(PROFILE),--profile $(PROFILE)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs $(JOBS)) \
        $(if $(DATASET),--dataset $(DATASET)) $(if $(BACKEND),--backend $(BACKEND)) \
        $(if $(DEVICE),--device $(DEVICE)) $(if $(OUT),--out "$(OUT)") $(if $(STRICT),--strict)

INSTALLED := $(VENV)/.installed-default
BACKEND_INSTALLED = $(if $(filter jax torch,$(BACKEND)),$(VENV)/.installed-$(BACKEND),$(INSTALLED))

# uv does not read pip's configuration, so a mirror that is set there is passed on.
MIRROR = $(or $(UV_DEFAULT_INDEX),$(PIP_INDEX_URL),$(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null))
TOX = $(addprefix UV_DEFAULT_INDEX=,$(MIRROR)) $(TOOLS)/bin/tox run
LOCK = $(addprefix UV_DEFAULT_INDEX=,$(MIRROR)) $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 \
       --generate-hashes --fork-strategy fewest --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Results
.PHONY: reproduce
reproduce: $(BACKEND_INSTALLED)  ## measure the error table again: installs, gets MNIST, fits, judges, writes the page
	$(RUN) run error_table $(FLAGS)

.PHONY: reproduce-all
reproduce-all: $(BACKEND_INSTALLED)  ## the same for every benchmark
	$(RUN) run $(FLAGS)

.PHONY: report
report: $(INSTALLED)  ## write the tables, figures and page of OUT again from its records; fits nothing
	$(RUN) report "$(or $(OUT),reports/latest)"

.PHONY: verify
verify: $(INSTALLED)  ## recompute every number and verdict of OUT from the saved predictions
	$(RUN) verify "$(or $(OUT),reports/latest)"

.PHONY: readme
readme: $(INSTALLED)  ## put the committed reference table between README's markers
	$(VENV)/bin/python -m lecturebench report $(REFERENCE) --readme README.md

SAMPLE := docs/sample
.PHONY: sample
sample: $(INSTALLED)  ## write the page, slides and figures of the committed reference to docs/sample, for visitors
	$(RUN) report $(REFERENCE) --slides
	rm -rf $(SAMPLE)
	mkdir -p $(SAMPLE)/figures
	cp -R $(REFERENCE)/index.html $(REFERENCE)/slides.pdf $(REFERENCE)/slides $(SAMPLE)/
	grep -o 'figures/[^"]*\.[a-z]*"' $(SAMPLE)/index.html | tr -d '"' | sort -u \
	    | sed 's|.*|$(REFERENCE)/&|' | xargs -I{} cp {} $(SAMPLE)/figures/

.PHONY: speed
speed: $(VENV)/.installed-jax $(VENV)/.installed-torch  ## time the lecture's network beside Keras, PyTorch and scikit-learn, 25 min
	$(VENV)/bin/python -m benchmarks.speed $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(WORKS),--works $(WORKS)) \
	    $(if $(DEVICE),--device $(DEVICE)) $(if $(OUT),--out "$(OUT)")

##@ Checks
.PHONY: test
test: $(TOOLS)/.installed  ## lint, types, unit tests, and each benchmark on the smoke profile
	$(TOX) -e lint,types,tests,smoke

.PHONY: quick
quick: $(TOOLS)/.installed  ## the unit tests alone
	$(TOX) -e tests

.PHONY: golden
golden: $(TOOLS)/.installed  ## rewrite the golden tables; read the diff before you commit it
	$(TOX) -e golden

##@ Upkeep
.PHONY: lock
lock: $(TOOLS)/.installed  ## resolve requirements/*.txt again (UPGRADE=1: with the newest versions)
	$(LOCK) requirements/tools.in -o requirements/tools.txt
	$(LOCK) pyproject.toml -o requirements/default.txt
	for extra in jax cluster tensorboard mlflow dev; do \
	    $(LOCK) pyproject.toml --extra $$extra -c requirements/default.txt -o requirements/$$extra.txt || exit 1; \
	done

.PHONY: clean
clean:  ## remove what tests and tools left behind; keeps .venv, the data cache and reports
	rm -rf .tox $(TOOLS) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help:  ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "reproduce and reproduce-all take: SEEDS=10 JOBS=2 PROFILE=smoke|lecture|full DATASET=fashion_mnist"
	@echo "  BACKEND=tensorflow|jax|torch DEVICE=cpu|gpu OUT=folder STRICT=1 (missing data is an error)"
	@echo "speed takes: ROUNDS=5 WORKS=\"1 2 growth\" (2, the whole error table, half an hour a round) DEVICE=gpu OUT=folder"

# Stamps: an environment is made once, and again after its lock changed. Each lock holds all of default.txt too.
$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-%: requirements/%.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing $< into $(VENV): one to three minutes, once."
	$(VENV)/bin/python -m pip install --quiet --use-pep517 --require-hashes -r $<
	$(VENV)/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.installed-torch: requirements/torch.txt | $(INSTALLED)
	$(VENV)/bin/python -m pip install --quiet -r $<
	@touch $@

$(TOOLS)/.installed: requirements/tools.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@
