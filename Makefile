# Every command sets .venv up first; where nothing changed that takes no time.
SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
PIPELINE ?= taxi
ARGS ?=

.PHONY: help set-up run test test-all core unit integration e2e bench check format lock wheel clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

set-up: ## Make .venv from the tested lock file that fits this machine
	@sh requirements/set_up.sh

run: set-up ## Run the taxi pipeline on real data (PIPELINE=penguin for another, ARGS=... for options)
	@$(BIN)/headrace run $(PIPELINE) $(ARGS)

# What every change must pass, in some minutes: the engine, and the main job from end to end.
CORE = tests/integration/test_run.py tests/integration/test_schema_gen.py tests/e2e/test_taxi.py

test: unit core ## Run the tests that every change must pass (ARGS=... for pytest)

test-all: unit integration e2e ## Run all tests: unit, then integration, then e2e (half an hour and more)

core: set-up ## Run the core of the tests with the real libraries
	@$(BIN)/python -m pytest $(CORE) $(ARGS)

unit: set-up ## Run the tests that need no heavy library
	@$(BIN)/python -m pytest tests/unit $(ARGS)

integration: set-up ## Run the tests with the real libraries
	@$(BIN)/python -m pytest tests/integration $(ARGS)

e2e: set-up ## Run the tests of whole pipelines
	@$(BIN)/python -m pytest tests/e2e $(ARGS)

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
	--extra dev --python-version 3.10

lock: set-up ## Resolve both lock files anew; run the tests on both generations afterwards
	$(COMPILE) pyproject.toml -c requirements/tfx-1.16.in -o requirements/tfx-1.16-py3.10.txt
	$(COMPILE) pyproject.toml -c requirements/tfx-1.21.in --universal -o requirements/tfx-1.21.txt

wheel: set-up ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation

clean: ## Remove .venv and what the tools left behind; .headrace/ stays
	rm -rf .venv build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
