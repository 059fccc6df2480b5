.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYSPARK_PYTHON := $(CURDIR)/$(PYTHON)
export PYTHONPATH := $(CURDIR)
unexport PYTHONDONTWRITEBYTECODE  # else every process of the tests compiles the checkout anew

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: bootstrap
bootstrap: ## Install what is missing: two virtual environments, PostgreSQL, Java. The other targets do this themselves.
	@scripts/bootstrap.sh

.PHONY: demo
demo: bootstrap ## Start the local stack, seed it, run two days, show the result.
	@$(PYTHON) scripts/demo.py

.PHONY: test
test: bootstrap ## Run every check: lint, types, generated files, tests; the former beside the latter.
	@$(MAKE) --no-print-directory --jobs 2 lint every-test

.PHONY: every-test
every-test: bootstrap
	$(PYTHON) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations=25 --durations-min=1

.PHONY: test-quick
test-quick: bootstrap ## Run the tests that one shared stack can answer; under two minutes once warm. For the desk.
	$(PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "not long and not deploy and not exports and not browser"

.PHONY: site-check
site-check: ## Look at the site in headless Chromium: requests, links, search, charts, accessibility, widths, print.
	@scripts/bootstrap.sh site
	$(PYTHON) -m pytest -m browser tests/etl/site

.PHONY: deploy-check
deploy-check: ## Prove offline what can be proven of the deployment: Terraform, state machine, rights, package.
	@scripts/bootstrap.sh deploy
	$(PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "deploy or not deploy" tests/scripts/deploy tests/jobs/test_smoke.py

.PHONY: exports-check
exports-check: ## Prove that other tools read our exports: dbt parses sources.yml, OpenLineage's client takes the events.
	@scripts/bootstrap.sh exports
	$(PYTHON) -m pytest -m exports tests/etl/exports

.PHONY: package
package: bootstrap ## Build what Glue runs into dist/deploy; RDS_BUNDLE=FILE adds the certificates of RDS.
	$(PYTHON) scripts/deploy/package.py build $(if $(RDS_BUNDLE),--rds-bundle $(RDS_BUNDLE))

.PHONY: lint
lint: bootstrap ## Check style, types and that generated files are up to date.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	@shopt -s nullglob; for script in scripts/generate_*.py; do echo "$$script --check"; $(PYTHON) "$$script" --check; done

.PHONY: bench
bench: bootstrap bench-masking ## Measure whole runs and staging beside peers, reading alone, small tables, masking kernels.
	@scripts/bootstrap.sh peers
	$(PYTHON) scripts/bench.py
	$(PYTHON) scripts/bench_source.py
	$(PYTHON) scripts/bench_publish.py

.PHONY: bench-keep
bench-keep: bootstrap ## Put the last figures of `make bench` into scripts/benchmarks: measured.json, SCALE.md, speed.svg.
	$(PYTHON) scripts/bench.py --keep
	$(PYTHON) scripts/generate_scale.py

.PHONY: bench-masking
bench-masking: bootstrap ## Measure the masking kernels alone, beside their peers.
	$(PYTHON) scripts/bench_masking.py

.PHONY: bench-scale
bench-scale: bootstrap ## Measure growth: 300 tables, 5,000 slices, 300 days, 1,000 earlier runs; what one more costs.
	$(PYTHON) scripts/bench_scale.py

.PHONY: faults
faults: bootstrap ## Disturb a load at every named point, run it again, compare; writes .local/faults.json.
	$(PYTHON) scripts/faults.py

.PHONY: faults-random
faults-random: bootstrap ## Disturb loads by N random schedules of SEED (500 and 1 unless said otherwise), run again, compare.
	$(PYTHON) scripts/faults.py --random $(or $(N),500) --seed $(or $(SEED),1)

.PHONY: matrix
matrix: bootstrap ## Try every runtime that the README names: tests, one day, equal values; writes .local/matrix.json.
	$(PYTHON) scripts/matrix/matrix.py

.PHONY: lock
lock: bootstrap ## Renew the lock files after an edit of requirements*.in or scripts/matrix/*.txt.
	@scripts/lock.sh

.PHONY: clean
clean: ## Stop the local stack; remove its data, build output and caches. The virtual environments stay.
	@if [ -x $(PYTHON) ]; then $(PYTHON) scripts/local_stack/stack.py reset; fi
	rm -rf .local build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis spark-warehouse metastore_db derby.log
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
