# Cambist: `make help` lists what can be asked.
# Needs only python3.11+ (with venv) and make; everything else lands in .venv.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do "$$p" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
READY := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install up demo test check types contracts-and-docs docs bench format lock hooks clean

help:  ## list what can be asked
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

install: $(READY)  ## make .venv from the lock (done by the other targets when needed)

$(READY): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Cambist needs Python 3.11, 3.12 or 3.13 on PATH (or: make PYTHON=/path/to/python3.12 ...)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -q --disable-pip-version-check uv
	@echo "Installing what Cambist needs into .venv, once: a minute or two"
	@$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

up: $(READY)  ## start the trading floor: a made-up market, two bots on paper, a live view; offline
	@$(BIN)/cambist up

demo: $(READY)  ## synthetic market, sample strategies, one HTML report; offline
	@$(BIN)/cambist demo

# bytecode is kept even where the environment forbids it: tests start many processes, which would all compile it anew
test: $(READY)  ## run every test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --dist loadgroup

check: $(READY)  ## all that CI checks: format, lint, types, contracts, sizes, docs, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(MAKE) --no-print-directory -j2 --output-sync types contracts-and-docs
	@$(MAKE) --no-print-directory test

types: $(READY)
	@$(BIN)/mypy

contracts-and-docs: $(READY)
	@$(BIN)/lint-imports
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q --strict

docs: $(READY)  ## write the generated pages anew and build the documentation into site/
	@$(BIN)/python -m tests.docs.generated
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q --strict

bench: $(READY)  ## measure against the peers, in their own environments, same data, same run
	@$(BIN)/python -m bench

format: $(READY)  ## format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(READY)  ## compile requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile -q --universal --group dev --no-emit-index-url --no-header --no-annotate --python-version 3.11 -o requirements.lock pyproject.toml

hooks: $(READY)  ## run the same check before each commit
	@$(BIN)/pre-commit install

clean:  ## remove what was built
	@rm -rf .venv build dist site .mypy_cache .ruff_cache .hypothesis .envs
