# Every command a person types. `make up` and `make test` install what they need.
SHELL := /bin/sh
UV := sh scripts/uv.sh
BIN := .venv/bin
SOURCES := libs services cli tests bench scripts
TYPED := $(wildcard libs/*/src services/*/src) cli/src scripts
UNIT := $(wildcard libs services cli tests/contract tests/conventions tests/simulation)
LOCKED := uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml)
MISSING := "The packages were not installed. If the lines above name a wheel that is missing for this machine: Lumora runs from wheels on Linux (glibc) and macOS, x86-64 or ARM64; other machines have no wheels."
CACHES := .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.DEFAULT_GOAL := help
.PHONY: help up down install sync clean check test fmt lint types unit integration e2e chaos bench bench-retrieval bench-ingest contracts contracts-check browser

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: install ## Run the whole platform on this machine; Ctrl-C drains. Options: make up ARGS="--gateways 2"
	@$(BIN)/lumora up $(ARGS)

down: ## Stop the platform; all data is kept. Says what it stops
	@if [ -x $(BIN)/lumora ]; then $(BIN)/lumora down; else echo "Nothing is installed, so nothing runs."; fi

install: .venv/installed ## Install what running needs, and build the embedding model
	@$(BIN)/python -m compileall -q libs services cli
	@$(BIN)/python -m ingest_service.build_model

.venv/installed: $(LOCKED)
	@$(UV) sync --frozen --no-dev --inexact --compile-bytecode || { echo $(MISSING); exit 1; }
	@touch $@

sync: .venv/synced
.venv/synced: $(LOCKED)
	@$(UV) sync --frozen --compile-bytecode || { echo $(MISSING); exit 1; }
	@touch .venv/installed $@

clean: ## Stop the platform; delete all data, the environment and the caches. Says what it deletes
	@if [ -x $(BIN)/lumora ]; then $(BIN)/lumora down && $(BIN)/lumora clean --yes; \
	elif [ -f .lumora/lumora-data.txt ]; then echo "Deleting .lumora, all data"; rm -rf .lumora; fi
	@for folder in .venv .tools $(CACHES); do \
	  if [ -e $$folder ]; then echo "Deleting $$folder ($$(du -sh $$folder | cut -f1))"; rm -rf $$folder; fi; done
	@find libs services cli tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} +

test: sync ## Everything that CI runs, two parts at a time
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) check integration e2e browser

check: sync lint types unit contracts-check ## Format, lint, types, unit tests, contracts, conventions

fmt: sync ## Format, and mend what the linter can
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

lint: sync ## Check format and lint
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

types: sync ## Check types
	@$(BIN)/mypy $(TYPED)

unit: sync install ## Unit, contract and convention tests: no server
	@$(BIN)/pytest $(UNIT) -m "not integration and not e2e and not chaos"

integration: sync install ## One service at a time on real NATS and Postgres
	@$(BIN)/pytest tests/integration

e2e: sync install ## Every service as a process of its own
	@$(BIN)/pytest tests/e2e

browser: sync install ## The page in this machine's Chromium, where it has one
	@$(BIN)/pytest tests/browser -rs

chaos: sync install ## Kill, pause and cut real processes; one case alone: make chaos k=case_8
	@$(BIN)/pytest tests/chaos $(if $(k),-k "$(k)")

bench: sync install ## The token path, shortly; another measurement: make bench b=idle
	@if [ -z "$(b)" ]; then $(BIN)/python bench/token_path.py --short $(ARGS); \
	elif [ ! -f "bench/$(b).py" ]; then echo "There is no $(b). There are:"; ls bench/*.py | sed 's,bench/,  ,; s,\.py$$,,'; exit 1; \
	else PYTHONPATH=. $(BIN)/python bench/$(b).py $(ARGS); fi

bench-retrieval: sync install ## Quality and speed of search; with SciFact and XQuAD: make bench-retrieval DATA=DIR
	@PYTHONPATH=. $(BIN)/python bench/retrieval.py $(if $(DATA),--data $(DATA)) $(ARGS)

bench-ingest: sync install ## From upload to ready beside the bare parts, memory, and what a chat notices of it
	@PYTHONPATH=. $(BIN)/python bench/ingest.py $(ARGS)

contracts: sync ## Write schemas and AsyncAPI from the contracts
	@$(BIN)/python -m contracts.export

contracts-check: sync ## Refuse stale files and breaking changes of contracts
	@$(BIN)/python -m contracts.export --check
