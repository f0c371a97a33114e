# Factwatch: everything a person does with a checkout. `make` alone lists it.
#
# The scripts behind `setup` and `test` are .ci/venv (the Python environment) and .ci/packages (the
# Debian packages that tests drive). All of it is safe to run again.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.DEFAULT_GOAL := help

# One thread for BLAS and OpenMP: here a small model is 9 times faster so.
export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
ARGS ?=
# Of `make test`, which mostly waits for servers: each starts its own. A Kafka of yours serves one process.
PROCESSES ?= $(if $(FACTWATCH_TEST_KAFKA),0,2)

.PHONY: help setup run demo test test-unit check bench bench-posts bench-kafka train dashboards clean

help: ## this list
	@echo 'Factwatch: which facts on Wikimedia are contested or were just vandalised.'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "ARGS='…' is passed on, as in: make run ARGS='--help', make test-unit ARGS='-k diff'"

setup: $(READY) ## the Python environment in .venv (the first time a minute or two)
	@:

# The stamp says where it was made: a checkout that was copied or moved gets an environment of its own.
ifneq ($(file < $(READY)),$(CURDIR))
.PHONY: $(READY)
endif
$(READY): pyproject.toml .ci/venv
	@.ci/venv $(VENV)
	@echo '$(CURDIR)' > $(READY)
	@echo '==> ready: make run, make demo, make test'

run: setup ## watch Wikimedia's recent changes; page at http://127.0.0.1:8080 (Ctrl-C ends it)
	@exec $(VENV)/bin/factwatch run $(ARGS)

demo: setup ## the same program on a scripted scenario, without a network
	@exec $(VENV)/bin/factwatch demo $(ARGS)

test: setup ## all tests, with a real MediaWiki and a real browser (about a quarter of an hour)
	@.ci/packages
	@echo '==> all tests: about a quarter of an hour'
	@$(PY) -m pytest --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder $(ARGS)

# Named by folder, and only those that are there: git keeps no empty ones.
test-unit: setup ## the quick tests: nothing but Python (under a minute)
	@echo '==> quick tests: under a minute'
	@$(PY) -m pytest $(wildcard tests/unit tests/property) $(ARGS)

check: setup ## format, lint, types, and the line between pure code and I/O (under a minute)
	@echo '==> ruff: format';  $(PY) -m ruff format --check --quiet .
	@echo '==> ruff: lint';    $(PY) -m ruff check --quiet .
	@echo '==> mypy --strict'; $(PY) -m mypy --no-error-summary
	@echo '==> import-linter'; $(VENV)/bin/lint-imports --no-logo

bench: setup ## measure throughput, latency and memory (several minutes; wants an idle machine)
	@$(PY) -m tests.benchmarks.run $(ARGS)

bench-posts: setup ## the same of posts against hot facts (some minutes)
	@$(PY) -m tests.benchmarks.bench_posts $(ARGS)

bench-kafka: setup ## the same of one worker on a real Kafka (some minutes; needs Java and Maven)
	@$(PY) -m tests.benchmarks.bench_kafka $(ARGS)

train: setup ## train the classifier on ../shared/data (several minutes)
	@exec $(VENV)/bin/factwatch train $(ARGS)

dashboards: setup ## write Grafana's dashboards from grafana/definitions
	@$(PY) -m grafana.definitions

clean: ## remove .venv, caches and builds (not what factwatch stored)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
