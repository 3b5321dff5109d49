# Everything installs itself into .venv; the only thing asked for is Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/.demo: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Setting up .venv (about half a minute, once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[cli]'
	@touch $@

.venv/.dev: .venv/.demo
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[cli,dev]'
	@touch $@

demo: .venv/.demo ## draw sample pictures, caption them, show what came out
	@$(BIN)/captions demo

test: .venv/.dev ## lint, types and tests, with both emulators
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

bench: .venv/.dev ## cold start, one event, 160 uploads at once, beside a plain sample
	$(BIN)/python -m tests.bench.bench

bench-images: .venv/.dev ## time and memory of each picture format
	$(BIN)/python -m tests.bench.bench_pictures

chaos: .venv/.dev ## crashes, storms, outages and wrong clocks, with figures
	$(BIN)/python -m tests.chaos

mutants: .venv/.dev ## plant bugs one at a time and see each one caught
	$(BIN)/python -m tests.mutants

clean: ## remove what the other targets made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache build *.egg-info

.PHONY: help demo test bench bench-images chaos mutants clean
