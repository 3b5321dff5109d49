# Everything installs itself into .venv; the only thing asked for is Python 3.11 or newer.
PYTHON ?= $(shell test -x .venv/bin/python && echo .venv/bin/python || echo python3)
BIN := .venv/bin
# of the tests: two more than there are cores, since they wait for servers, pages and commands
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
# else each start compiles all that it imports (tests/conftest.py)
unexport PYTHONDONTWRITEBYTECODE

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Each is brought to what its lock names, if it is not there already.
ENVIRONMENT = @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }; \
  $(PYTHON) tools/environment.py

.venv/cli .venv/eval .venv/dev:
	$(ENVIRONMENT) $(@F)

demo: .venv/cli ## draw sample pictures, caption them, show what came out
	@$(BIN)/captions demo

eval: .venv/eval ## measure captions of sample pictures, with your key or without one
	@$(BIN)/captions eval

.venv-pip:
	$(ENVIRONMENT) oldest-pip

# The first time, one process writes the bytecode that all workers would write at once.
test: .venv/dev .venv-pip ## lint, types and tests, with both emulators
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@mkdir -p build
	$(BIN)/mypy >build/types.log 2>&1 & types=$$!; \
	test -d tests/browser/__pycache__ || $(BIN)/pytest --collect-only -qqq >/dev/null; \
	$(BIN)/pytest -n $(WORKERS) --dist worksteal; tests=$$?; \
	wait $$types; types=$$?; cat build/types.log; exit $$((tests | types))

programs: .venv/dev .venv-pip ## bring the programs that the tests drive and that are not here: browser, emulators
	@tools/programs.sh && $(MAKE) --no-print-directory browser-libraries

fuzz: .venv/dev ## the properties with new examples, fifty times as many
	HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest -n $(WORKERS) -m hypothesis

shake: .venv/dev .venv-pip ## the tests, with threads that begin late and in any order
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -p tests.support.shaken

browser-libraries: tests/browser/node_modules/.package-lock.json ## what alt.js is tried with

tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed: install Node.js 20 or newer" >&2; exit 1; }
	@npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

scan: .venv/dev ## secrets in the tree and its history, unsafe code, the workflow; offline
	$(BIN)/kingfisher scan . "$$(git rev-parse --git-common-dir)" --git-history full --redact \
	  --exclude '**/.venv*/**' --exclude '**/.*_cache/**' \
	  --exclude '**/node_modules/**' --no-validate --no-update-check --quiet
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive functions main.py
	$(BIN)/zizmor --offline --quiet --persona pedantic .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec infra/compose.yaml

audit: scan ## scan, and known vulnerabilities of what is deployed; fails where it cannot look
	@$(BIN)/python -m tools.bundled
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	  -r requirements.lock || { echo "make audit: NOT cleared. Either a package above has a known" \
	  "vulnerability: raise it (make lock UPGRADE=1); or the database could not be asked about" \
	  "every package: run this where the internet can be reached" >&2; exit 1; }

lock: ## write all locks anew; UPGRADE=1 takes the newest of all, pins and what is under them
	$(ENVIRONMENT) lock
	@.venv-lock/bin/python tools/lock.py $(if $(UPGRADE),--upgrade)

source: ## build/source, the folder to deploy: the functions, and the lock as their requirements
	@rm -rf build/source && mkdir -p build/source
	@cp -R main.py functions $(wildcard captions.toml) build/source
	@rm -r $(addprefix build/source/functions/,cli evals local sites)
	@find build/source -name __pycache__ -prune -exec rm -r {} +
	@cp requirements.lock build/source/requirements.txt

# RECORD=1 writes the figures into docs/benchmarks.md
RECORDED := $(if $(RECORD),--record)
bench: .venv/dev ## cold start, one event, 160 uploads at once, beside a plain sample
	$(BIN)/python -m tools.bench.bench $(RECORDED)

bench-lookups: .venv/dev ## lookups of alt text a second, beside a plain handler
	$(BIN)/python -m tools.bench.bench_lookups $(RECORDED)

bench-growth: .venv/dev ## time and memory against the size of each thing that grows
	$(BIN)/python -m tools.bench.growth $(RECORDED)

profile: .venv/dev ## where the processor time of a warm event goes: build/flame.svg
	$(BIN)/python -m tools.bench.profile

bench-pages: .venv/dev ## captions html over sites of 1, 100 and 10,000 pages
	$(BIN)/python -m tools.bench.bench_pages

bench-videos: .venv/dev ## time, bytes read and memory of finding a video's moments
	$(BIN)/python -m tools.bench.bench_videos

bench-images: .venv/dev ## time and memory of each picture format
	$(BIN)/python -m tools.bench.bench_pictures
	$(BIN)/python -m tools.bench.bench_pictures --mix

sweep-images: .venv/dev ## every image file of this machine, judged by ImageMagick and ExifTool, and hostile ones
	$(BIN)/python -m tools.bench.sweep_pictures --judge /usr .venv

fuzz-images: .venv/dev ## ten minutes of broken files for all that reads them outside a decoder
	$(BIN)/python -m tools.fuzz_pictures

film: .venv/dev ## take the pictures of the review page anew
	@$(BIN)/python -m tools.film

bench-review: .venv/dev ## the review page among 100,000 captions: waits, reads, memory
	$(BIN)/python -m tools.bench.bench_review
	$(BIN)/python -m tools.bench.bench_review --folder

screenshots: .venv/dev ## take the pictures in README anew
	@$(BIN)/python -m tools.screenshots

worst-model: .venv/dev ## forty bad answers, and what stands in the document then
	@$(BIN)/python -m tools.worst_model

chaos: .venv/dev ## crashes, storms, outages and wrong clocks, with figures
	$(BIN)/python -m tests.chaos

simulate-quota: .venv/dev ## a bulk beyond the provider's quota: calls, refusals, time
	$(BIN)/python -m tools.simulated_quota
	$(BIN)/python -m tools.simulate_quota

walk: .venv/dev ## both ways of docs/deploy.md from nothing to the first caption, on this machine
	@$(BIN)/python -m tools.walk

mutants: .venv/dev ## plant bugs one at a time and see each one caught
	$(BIN)/python -m tools.mutants

# google-generativeai cannot be installed beside the current clients, nor with protobuf 5 on Python
# 3.14; api-core warns of old Pythons.
OLD := .venv-generativeai
test-generativeai: ## the contracts with google-generativeai, apart from the rest
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 14))'; then \
	  echo "make test-generativeai: left out, that SDK does not install on Python 3.14"; else \
	  $(PYTHON) tools/environment.py google-generativeai && \
	  $(OLD)/bin/pytest -W ignore::FutureWarning tests/contracts \
	    --ignore tests/contracts/test_embedder.py; fi # it has no embedder

infra: .venv/dev ## format infra/, write the tables of its README, plan and apply it on a stand-in
	terraform -chdir=infra fmt -recursive
	$(BIN)/python -m tools.infra_tables
	$(BIN)/pytest tests/infra

infra-validate: ## terraform validate by the providers themselves; downloads them
	terraform -chdir=infra init -backend=false -input=false
	terraform -chdir=infra validate

# checkov pins two hundred packages, so it has an environment of its own.
SCAN := .venv-scan
scan-infra: ## static security scan of infra/
	$(ENVIRONMENT) scan
	@mkdir -p build # a file that it cannot read is no failure to it
	$(SCAN)/bin/checkov -d infra --framework terraform --skip-download --quiet --compact \
	  >build/scan.log; failed=$$?; cat build/scan.log; \
	  exit $$((failed | $$(grep -c "Parsing errors" build/scan.log)))

.PHONY: infra infra-validate scan-infra

clean: ## remove what the other targets made
	rm -rf .venv .venv-lock .venv-pip $(OLD) $(SCAN) .pytest_cache .mypy_cache .ruff_cache build *.egg-info

.PHONY: .venv-pip programs fuzz shake browser-libraries .venv/cli .venv/eval .venv/dev help demo eval test test-generativeai scan audit lock source bench bench-growth bench-images bench-videos bench-lookups bench-pages profile bench-review film sweep-images fuzz-images screenshots worst-model chaos simulate-quota walk mutants clean
