# Every command sets .venv up first; where nothing changed that takes no time.
SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
PIPELINE ?= taxi
ARGS ?=
# Where Python is told to keep no bytecode, each of pytest's processes rewrites all tests anew: 3.5 s of the unit tests.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help set-up run test unit contracts integration e2e compatibility torture mutants bench check format lock wheel clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

set-up: ## Make .venv from the tested lock file that fits this machine
	@sh requirements/set_up.sh

run: set-up ## Run the taxi pipeline on real data (PIPELINE=penguin for another, ARGS=... for options)
	@$(BIN)/headrace run $(PIPELINE) $(ARGS)

# Whole files go to one process each: their tests share what took long to make. They begin in the order in which they
# are collected, whose last are short, so that no process is left alone with a long one.
PARALLEL = -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: unit set-up ## Run the tests: unit, then e2e, compatibility, integration and contracts, but for those that take minutes each
	@$(BIN)/python -m pytest tests/e2e tests/compatibility tests/integration tests/contracts -m "not long" $(PARALLEL) $(ARGS)

unit: set-up ## Run the tests that need no heavy library
	@$(BIN)/python -m pytest tests/unit -n auto --maxprocesses 4 $(ARGS)

contracts: set-up ## Run the tests of what is built on of other libraries' private parts
	@$(BIN)/python -m pytest tests/contracts $(ARGS)

integration: set-up ## Run the tests with the real libraries
	@$(BIN)/python -m pytest tests/integration $(PARALLEL) $(ARGS)

e2e: set-up ## Run the tests of whole pipelines
	@$(BIN)/python -m pytest tests/e2e $(PARALLEL) $(ARGS)

compatibility: set-up ## Run TFX's examples, and its and its libraries' own tests, on Headrace: also what takes minutes
	@$(BIN)/python -m pytest tests/compatibility $(PARALLEL) $(ARGS)

torture: set-up ## Disturb pipelines at random moments for 10 minutes (ARGS="--minutes 60 --seed 7"; ARGS=--help)
	@$(BIN)/python tests/torture $(ARGS)

mutants: set-up ## Plant faults one at a time and see that tests notice (ARGS="--area plan metadata"; ARGS=--help)
	@$(BIN)/python tests/mutants $(ARGS)

ROWS ?= 15002
STAGES ?= all
bench: set-up ## Time the stages beside stock TFX and compare results (ROWS=1000000 STAGES=data for the long form)
	@$(BIN)/python tests/benchmarks/stages.py --rows $(ROWS) --stages $(STAGES) $(ARGS)

check: set-up ## Check formatting, lint, types and layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: set-up ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

COMPILE = $(BIN)/uv pip compile --quiet --upgrade --no-header --no-emit-index-url --no-emit-find-links \
	--extra dev pyproject.toml

lock: set-up ## Resolve both lock files anew; run the tests on both generations afterwards
	$(COMPILE) --python-version 3.10 -o requirements/tfx-1.16-py3.10.txt
	$(COMPILE) --python-version 3.11 --universal -o requirements/tfx-1.21.txt

wheel: set-up ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation

clean: ## Remove .venv and what the tools left behind; .headrace/ stays
	rm -rf .venv build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
