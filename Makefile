# Every target is explained by `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PROFILE ?= embedded
DATA ?= data/local
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q
# one session for each group: what one kills and restarts does not disturb the next
# the first beside the next two (one core each), its output when it has ended; then what needs the machine for itself
define in_groups
	@mkdir -p build; \
	$(1) services gateway --ignore services/ops --ignore services/archive --ignore services/documents \
		>build/rooms.log 2>&1 & rooms=$$!; \
	$(1) services/archive services/documents scanning tests/architecture && $(1) services/ops; beside=$$?; \
	wait $$rooms; ended=$$?; cat build/rooms.log; exit $$((ended || beside))
	$(1) tests --ignore tests/architecture --ignore tests/faults
	$(1) tests/faults
endef
CODE := services gateway scanning tests conftest.py

.PHONY: help install system proto portal up down status doctor demo test test-long lint lock bench clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n  PROFILE=full  MinIO and Elasticsearch as well    DATA=folder  another installation beside\n'

install: ## set up .venv (Python 3.11) from requirements.lock, the generated code and the command `anjuan`
	@services/ops/install.sh

system: install ## system packages (broker, LibreOffice, fonts, browser): installs them as root, else says what to type
	@$(BIN)/python -m services.ops.system

proto: install ## build the protobuf code into build/gen, when proto/ changed
	@$(BIN)/python -m services.ops.protos

portal: install ## build the portal into build/portal, when gateway/portal changed
	@$(BIN)/python -m services.ops.portal

up: install portal ## start the platform on this machine and wait until it answers
	@$(BIN)/anjuan up --profile $(PROFILE) --data $(DATA)

down: install ## stop what `make up` or `make demo` started
	@$(BIN)/anjuan down --all

status: install ## what runs: pids, ports, memory, health
	@$(BIN)/anjuan status --data $(DATA)

doctor: install ## check this machine and the platform; every bad line says its mend
	@$(BIN)/anjuan doctor --data $(DATA)

demo: install system portal ## play the scripted cases through the public API, then leave the platform running (unless CI)
	@$(BIN)/anjuan demo

test: install system portal ## everything but the long tests, on real parts that it starts and stops itself
	$(call in_groups,$(PYTEST) -m "not long")

test-long: install system portal ## all tests: 300 faults, every example over HTTP
	$(call in_groups,ANJUAN_FAULTS=300 $(PYTEST))

lint: proto ## ruff, mypy --strict, import rules, buf
	$(BIN)/ruff check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --config .importlinter
	cd proto && ../$(BIN)/buf lint

lock: ## write requirements.lock anew from pyproject.toml (newest versions that fit)
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --upgrade --python-version 3.11 --python-platform linux \
		--no-header --no-annotate --quiet --output-file requirements.lock
	@! grep -nE '://|^-' requirements.lock || { echo 'requirements.lock names a host' >&2; exit 1; }

bench: install system ## measure, with everything running, and write docs/benchmarks.md
	@$(BIN)/anjuan bench

clean: ## stop the platform and remove what was built and its data (not .venv, not the cache of tools)
	@for data in data/*/environment.json; do \
		[ ! -f "$$data" ] || $(BIN)/anjuan erase --data "$${data%/environment.json}" --yes || exit 1; done
	rm -rf build data dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
