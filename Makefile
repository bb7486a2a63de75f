# Every command a developer needs. `make` alone lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
T      ?= tests
RUNTIME_STAMP := $(VENV)/.runtime-installed
DEV_STAMP     := $(VENV)/.development-installed

.PHONY: help setup demo test lint check fix bench faults docs clean

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "recon-streams needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

# The build back end is in the lock too, so that nothing is fetched without a hash.
$(RUNTIME_STAMP): requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements/development.txt $(RUNTIME_STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.txt
	@touch $@

setup: $(DEV_STAMP) ## create the environment, install the commit hooks
	@if [ -d .git ] && [ -z "$$CI" ]; then $(BIN)/pre-commit install >/dev/null || true; fi

demo: $(RUNTIME_STAMP) ## play a scripted day on real bank messages; everything embedded, Ctrl-C removes it
	@$(BIN)/recon-streams demo

test: $(DEV_STAMP) ## all tests; starts PostgreSQL and Apache Kafka by itself (make test T=tests/positions for some)
	$(BIN)/pytest $(T)

lint: $(DEV_STAMP) ## style, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## lint, and the tests that need no server: about three minutes
	$(BIN)/pytest -q -m "not kafka and not postgres and not storm" tests

fix: $(DEV_STAMP) ## format and apply safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEV_STAMP) ## write the generated references again
	$(BIN)/python -m topics.contracts write
	$(BIN)/python -m agents.cli.reference write

bench: $(DEV_STAMP) ## the speed goals, as ratios to baselines of the same run
	$(BIN)/python -m benchmarks

faults: $(DEV_STAMP) ## the long storms: kill, stop and cut things for many minutes; writes docs/reliability.md
	RECON_STORM=long RECON_FAULT_TABLE=docs/reliability.md $(BIN)/pytest -m storm tests/faults

clean: ## remove the environment
	rm -rf $(VENV)
