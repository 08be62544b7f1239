# tickwire: make run | test | bench | setup | clean
#
# Needs Python 3.11+; `make test` Node 20+ as well. Everything lands in .venv/, tests/web/node_modules/ and
# .artifacts/. The wheel built from the checkout is installed, not linked, and again whenever a source changed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += -j2 # pip and npm don't wait for each other

PYTHON ?=
HOST ?= 127.0.0.1
PORT ?= 8000
BOTS ?= 6

VENV := .venv
STAMPS := $(VENV)/stamps
COMMA := ,
# What is imported is compiled then: most of what the tools bring along never is.
PIP_INSTALL := $(VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-compile

# Folders are listed as well: their time changes when a file in them comes or goes.
SOURCES := $(shell find server shared client_demo -name __pycache__ -prune -o -print) pyproject.toml README.md LICENSE

.PHONY: help run setup test bench format clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 16

run: setup ## set up, and serve the demo with bots (PORT=8000 HOST=127.0.0.1 BOTS=6)
	@exec $(VENV)/bin/tickwire serve --host $(HOST) --port $(PORT) --bots $(BOTS)

setup: $(STAMPS)/package ## set up .venv with tickwire in it

test format: EXTRA := [dev]
test: $(STAMPS)/package $(STAMPS)/dev $(STAMPS)/web ## set up, and run every check and test
	@.ci/check

# Each argument that is given, even an empty one, is passed on: PEERS= measures tickwire alone.
given = $(if $(filter undefined,$(origin $(1))),,$(2) '$($(1))')

bench: $(STAMPS)/package ## measure beside peers (SCENARIOS="S1 S2" PEERS="colyseus floor" REPEAT=3 JSON=file CHART=file BENCH_ARGS=)
	@$(VENV)/bin/python -m tests.bench $(call given,SCENARIOS,--scenarios) $(call given,PEERS,--peers) \
	  $(call given,REPEAT,--repeat) $(call given,JSON,--json) $(call given,CHART,--chart) $(BENCH_ARGS)

format: $(STAMPS)/dev ## put the Python code into its standard form
	$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

clean: ## remove all that make made
	rm -rf $(VENV) tests/web/node_modules .artifacts dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(STAMPS)/venv:
	@PYTHON='$(PYTHON)' .ci/make-venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# In one call with the development tools where those are wanted: what pip does first costs more than they do.
$(STAMPS)/package: $(SOURCES) $(STAMPS)/venv
	@echo 'installing tickwire into $(VENV)$(if $(EXTRA),$(COMMA) with the development tools)'
	@touch $@.begun # what changes during the installation is newer
	@$(PIP_INSTALL) '.$(EXTRA)'
	@mv $@.begun $@
	@$(if $(EXTRA),touch $(STAMPS)/dev)

$(STAMPS)/dev: pyproject.toml $(STAMPS)/venv | $(STAMPS)/package
	@[ $@ -nt pyproject.toml ] || $(PIP_INSTALL) '.[dev]'
	@touch $@

$(STAMPS)/web: tests/web/package-lock.json $(STAMPS)/venv
	@.ci/need-node
	@echo 'installing the npm packages of tests/web'
	@npm ci --prefix tests/web --no-audit --no-fund --loglevel=error
	@touch $@
