# Two commands on a fresh machine with Python 3.11 or newer: `make run` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
# ENGINE=1 starts the reference engine client beside the demo.
ENGINE ?=
# What is handed on to pytest, such as ARGS="-k sign_in".
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test coverage lint bench lock screenshots

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r name words; do printf '  make %-13s%s\n' "$$name" "$$words"; done

run: ## Start the demo: portal, workers, simulated exchange, mailbox; with ENGINE=1 a trading engine. Ctrl-C ends all
	@PYTHON="$(PYTHON)" scripts/install requirements.txt
	@ENGINE="$(ENGINE)" exec $(BIN)/python -m demo

# Three at once on two processors, since the longer tests mostly wait: for processes, for claims to end. Files stay
# in the order of tests/conftest.py, the long ones first.
test: ## Run the whole suite, browser tests included
	@PYTHON="$(PYTHON)" scripts/install requirements-dev.txt
	@scripts/browser
	@exec $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: ## Run the suite and show which lines no test reaches
	@PYTHON="$(PYTHON)" scripts/install requirements-dev.txt
	@scripts/browser
	@exec $(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

lint: ## Check style, types, import directions and templates
	@PYTHON="$(PYTHON)" scripts/install requirements-dev.txt
	@scripts/lint

bench: ## Run the benchmarks, print a table, write var/bench.json
	@PYTHON="$(PYTHON)" scripts/install requirements-dev.txt
	@exec $(BIN)/python -m bench $(ARGS)

lock: ## Compile requirements*.in into requirements*.txt, for the oldest Python we run on
	@PYTHON="$(PYTHON)" scripts/install requirements-dev.txt
	@scripts/lock $(ARGS)

screenshots: ## Take the pictures of docs/screenshots from a running demo
	@PYTHON="$(PYTHON)" scripts/install requirements-dev.txt
	@scripts/browser
	@exec $(BIN)/python -m demo.screenshots
