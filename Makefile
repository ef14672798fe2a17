# Every command people and CI run. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV := scripts/uv
RUN := $(UV) run --no-sync
# Extra words for pytest, for example: make unit ARGS="-k position -x"
ARGS ?=
# Worker processes of the whole suite; 0 runs it in one.
JOBS ?= auto
PYTEST := $(RUN) pytest
READY := .venv/.ready

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): uv.lock pyproject.toml $(wildcard packages/*/pyproject.toml apps/*/pyproject.toml)
	@$(UV) sync --locked --quiet
	@touch $@

.PHONY: setup
setup: $(READY) ## make the environment (installs uv when it is missing)

.PHONY: demo
demo: setup ## a seeded market and signals through the whole pipeline, without keys or servers
	@$(RUN) order-manager demo $(ARGS)

.PHONY: simulator
simulator: setup ## a local Bybit that any V5 client can trade on
	@$(RUN) order-manager simulator serve $(ARGS)

.PHONY: test
test: setup ## every test
	$(PYTEST) tests -n $(JOBS) --maxprocesses 8 $(ARGS)

.PHONY: check
check: lint types imports test ## lint, types, import contracts, every test; CI adds strangers

.PHONY: fmt
fmt: setup ## format, and mend what lint can mend
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

.PHONY: lint
lint: setup ## ruff (lint and format), spelling, and the compose files by the Compose Specification
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) codespell
	@$(RUN) check-jsonschema --builtin-schema vendor.compose-spec compose.yaml docker/compose.yaml

.PHONY: types
types: setup ## mypy --strict
	$(RUN) mypy

.PHONY: imports
imports: setup ## who may import whom
	$(RUN) lint-imports --no-logo

.PHONY: arch
arch: imports ## import contracts, purity of the domain, sizes of files and functions
	$(PYTEST) tests/architecture $(ARGS)

.PHONY: unit contract integration property
unit: setup ## tests of one thing at a time
	$(PYTEST) tests/unit $(ARGS)
contract: setup ## what every adapter of a port must do
	$(PYTEST) tests/contract $(ARGS)
integration: setup ## the parts together: runtime, command line, service, crashes
	$(PYTEST) tests/integration $(ARGS)
property: setup ## stateful and random tests, with many examples
	HYPOTHESIS_PROFILE=thorough $(PYTEST) tests/property $(ARGS)

# In an environment of its own: the clients of strangers never enter the one we develop in.
.PHONY: strangers
strangers: ## unmodified pybit and ccxt trade on our simulator server
	$(UV) run --locked --isolated --no-default-groups --group test --group strangers \
		pytest tests/strangers -n $(JOBS) --maxprocesses 8 $(ARGS)

# The oldest versions that our bounds allow, in an environment of its own; nothing is locked.
LOWEST := .lowest
.PHONY: lowest-direct
lowest-direct: ## unit and contract tests on the oldest versions of every dependency we name
	@$(UV) venv --quiet --clear $(LOWEST)
	@$(UV) pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
		-e packages/order_domain -e 'packages/adapters[bybit,codec,gateway,postgres,rabbitmq,server,testing]' \
		-e apps/service -e apps/cli --group test --group examples
	$(LOWEST)/bin/python -m pytest tests/unit tests/contract -n $(JOBS) --maxprocesses 8 $(ARGS)

KILLS ?= 20
TIMERS ?= fast
# For example: make crash-matrix RESULTS=matrix.json; the same command again goes on where it was stopped.
RESULTS ?=
.PHONY: crash-matrix
crash-matrix: setup ## kill the real service at every crash point, KILLS=20 each (TIMERS=fast or production), and judge
	$(RUN) python -m tests.crash_matrix --kills $(KILLS) --timers $(TIMERS) $(if $(RESULTS),--results $(RESULTS)) $(ARGS)

.PHONY: faults
faults: setup ## kill and freeze servers, cut networks, under a live service (Debian: postgresql, rabbitmq-server)
	$(RUN) python -m tests.faults $(ARGS)

# For example: make replicas ARGS="--accounts 3", or make soak MINUTES=60
.PHONY: replicas soak
MINUTES ?= 30
replicas: setup ## three services on one account: owners killed, frozen, cut off at random
	$(RUN) python -m tests.replicas $(ARGS)
soak: setup ## the same for MINUTES=30, with servers killed, memory and open files watched
	$(RUN) python -m tests.replicas --minutes $(MINUTES) $(ARGS)

.PHONY: alerts
alerts: ## check the alert rules and try them (Debian: prometheus)
	promtool check config docker/prometheus/prometheus.yml
	promtool test rules docker/prometheus/alerts_test.yml

.PHONY: page-test
page-test: setup ## the operator's page in headless Chromium (Debian: chromium, chromium-driver)
	$(UV) run --locked --isolated --no-default-groups --group test --group browser \
		pytest tests/page -n 2 $(ARGS)

.PHONY: fuzz-api
fuzz-api: setup ## requests nobody would think of, to every route of a running service
	$(UV) run --locked --isolated --no-default-groups --group fuzz scripts/fuzz_api $(ARGS)

.PHONY: targets
targets: setup ## the specification's times at 50 signals/s while broker and stream are cut once
	$(PYTEST) tests/targets -s $(ARGS)

.PHONY: outages
outages: setup ## a broker of its own killed, frozen, starved, cut off (Debian: rabbitmq-server)
	$(PYTEST) tests/outages --timeout 300 $(ARGS)

.PHONY: simulate planted-bugs
SEEDS ?= 500
TWICE ?= 25
# For example: make simulate SEED=4711, or as often as there is time for it, going on where it ended:
# make simulate SEEDS=20000 FROM=1000000 RESUME=range.json ARGS=--go-on
simulate: setup ## the whole runtime in seeded worlds of faults, in virtual time
	@$(RUN) python -m tests.simulation --seeds $(SEEDS) --twice $(TWICE) $(if $(SEED),--seed $(SEED)) \
		$(if $(FROM),--from $(FROM)) $(if $(RESUME),--state $(RESUME)) $(ARGS)
planted-bugs: setup ## every planted bug: its seed breaks with it, and not without (ARGS=--search seeks others)
	@$(RUN) python -m tests.simulation --plant --seeds 1000 $(ARGS)

.PHONY: mutants
N ?= 0
# For example: make mutants N=300 SEED=7, or make mutants ARGS="lifecycle position"
mutants: setup ## mistakes in the core, one at a time (N=300 of them by chance): the unit tests must notice each
	$(RUN) python -m tests.mutation --number $(N) --seed $(or $(SEED),1) $(ARGS)

.PHONY: cover
cover: setup ## every branch of the domain must be run by its tests
	$(PYTEST) tests/unit tests/property tests/contract -n $(JOBS) --maxprocesses 8 \
		--cov --cov-branch --cov-report= $(ARGS)
	$(RUN) coverage report --include='packages/order_domain/*' --show-missing --skip-covered \
		--fail-under=100

# Each puts its part into docs/benchmarks.json and writes docs/benchmarks.md anew. The last three
# need PostgreSQL, the pipeline RabbitMQ too; they make databases of their own and drop them.
.PHONY: bench bench-peers bench-order-entry bench-pipeline bench-restart bench-http bench-nightly
POSTGRES ?= postgresql://postgres@127.0.0.1:5432/postgres
bench: setup ## orders per second beside a bare Python floor
	$(RUN) python -m benchmarks $(ARGS)
bench-peers: setup ## the same in nautilus_trader, vnpy, backtesting.py and hftbacktest, in environments of their own
	$(RUN) python -m benchmarks.peers $(ARGS)
bench-order-entry: setup ## order entry beside bare connections, aiohttp, ccxt, pybit and nautilus_trader
	$(RUN) python -m benchmarks.order_entry $(ARGS)
bench-pipeline: setup ## signals a second with PostgreSQL and RabbitMQ beside straight-line floors
	$(RUN) python -m benchmarks.pipeline $(ARGS)
bench-restart: setup ## a restart with 10,000 open orders and a million closed ones, on both stores
	$(RUN) python -m benchmarks.restart $(ARGS)
bench-http: setup ## the listing of orders beside a bare route, on both stores
	$(RUN) python -m benchmarks.http --postgres $(POSTGRES) $(ARGS)
bench-nightly: setup ## our ratios anew: fails where one is 10 % worse than in docs/benchmarks.json
	$(RUN) python -m benchmarks.nightly $(ARGS)

.PHONY: docs
docs: setup ## write the generated pages again (a test compares them)
	$(RUN) python -m scripts.generate_docs

.PHONY: recording
recording: setup ## run the demo on a terminal and draw it again: docs/images/demo.svg (a test compares it)
	@$(RUN) python -m scripts.record_demo

.PHONY: site
site: setup ## the documentation as a site, every warning an error: .site
	$(UV) run --locked --isolated --no-default-groups --group docs sphinx-build -W -q -n -b html docs .site

.PHONY: hooks
hooks: setup ## run the same checks before every commit
	$(UV) tool run pre-commit install

.PHONY: clean
clean: ## remove the environment and every cache
	rm -rf .venv .uv .lowest dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find apps packages tests benchmarks examples scripts -name __pycache__ -type d -prune -exec rm -rf {} +
