# Every target does its own set-up. On a fresh machine: `make demo`, `make test`.
#   VENV       where the environment goes           (default .venv)
#   PYTHON     the interpreter that makes it        (default python3; 3.11 or newer)
#   PIP_FLAGS  more flags for pip install

VENV ?= .venv
PYTHON ?= python3
PIP_FLAGS ?=
BIN := $(VENV)/bin
CORES ?= all

# The pins were made on one Python; on another one the ranges of pyproject.toml hold.
PINS := constraints/py311.txt
CONSTRAIN = $(shell $(BIN)/python -c 'import sys; print("-c $(PINS)" if sys.version_info[:2] == (3, 11) else "")')

.PHONY: help setup demo test test-all lint format schema page constraints clean

help:
	@sed -n '1,5p' Makefile
	@echo "targets: setup demo test test-all lint format schema page constraints clean"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: axonet needs Python 3.11 or newer; say which with: make PYTHON=python3.11 ..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "error: Python's venv module is missing (Debian, Ubuntu: apt install python3-venv)" >&2; exit 2; }

$(VENV)/.setup: $(BIN)/python pyproject.toml $(PINS)
	@test -n "$(CONSTRAIN)" || echo "note: the pins are for Python 3.11; installing by the ranges of pyproject.toml"
	$(BIN)/python -m pip install $(PIP_FLAGS) --quiet --disable-pip-version-check $(CONSTRAIN) -e '.[demo]'
	@touch $@

$(VENV)/.setup-dev: $(VENV)/.setup
	$(BIN)/python -m pip install $(PIP_FLAGS) --quiet --disable-pip-version-check $(CONSTRAIN) -e '.[all,dev]'
	@touch $@

# What tests need of the system: installed where that is possible, else they skip and say why.
GL_PACKAGES := libegl1 libgl1 libgl1-mesa-dri libfontconfig1
SLURM_PACKAGES := slurmctld slurmd slurm-client munge
IMAGE_PACKAGES := buildah fuse-overlayfs crun debootstrap

# $(call install,PACKAGES,WHAT IS LACKING WITHOUT)
define install
@if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
  dpkg -s $(1) > /dev/null 2>&1 \
    || { apt-get update -qq \
         && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) > /dev/null; } \
    || echo "note: $(2) could not be installed; tests that need it are skipped"; \
fi
endef

$(VENV)/.system: $(VENV)/.setup Makefile
	$(call install,$(GL_PACKAGES),software OpenGL)
	$(call install,$(SLURM_PACKAGES),Slurm)
	@touch $@

$(VENV)/.system-all: $(VENV)/.system
	$(call install,$(IMAGE_PACKAGES),buildah)
	@touch $@

setup: $(VENV)/.setup  ## what the demo needs

demo: $(VENV)/.setup  ## the whole workflow on real neurons, in minutes
	$(BIN)/axonet demo --out . $(if $(filter all,$(CORES)),,--cores $(CORES))

test: lint $(VENV)/.system  ## everything that a change must pass
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-all: lint $(VENV)/.system-all  ## the long tests too
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(BIN):$$PATH" $(BIN)/lint-imports
	$(BIN)/snakefmt --check --compact-diff Snakefile workflow
	$(BIN)/python -m snakemake --lint --quiet all

format: $(VENV)/.setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

schema: $(VENV)/.setup-dev  ## the generated files: config schema, settings reference
	$(BIN)/python -m axonet.pipeline.generate

page:  ## the explorer's page, from its TypeScript sources (needs Node; only for who changes it)
	cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent check && npm run --silent build

constraints: $(VENV)/.setup-dev  ## pin what is installed now
	{ head -1 $(PINS); $(BIN)/python -m pip freeze --exclude-editable; } > $(PINS).new && mv $(PINS).new $(PINS)

clean:
	rm -rf results .snakemake
