# `make run` and `make test` need only Python >= 3.11, make and a package index; a C++17 compiler makes them faster.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
NATIVE := $(shell find native -type f)

.PHONY: help setup run test soak unit check format docs bench lock clean
help:            ## show this list
	@grep -E '^[a-z]+: .*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

setup: $(STAMP)  ## make .venv with pinned, hashed packages (fast the second time)

$(STAMP): pyproject.toml requirements.txt $(NATIVE)
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Quantum Fabric needs Python 3.11 or newer, found %d.%d; name one with: make PYTHON=python3.12 ..." % v[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

run: setup       ## the main job on the bundled Chicago network
	@$(BIN)/qfabric run

test: setup      ## every test but the soak
	@$(BIN)/python -m pytest -n auto --maxprocesses 8

soak: setup      ## hours of crashes and random networks
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 -m soak

unit: setup      ## the unit tests alone (under a minute)
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 tests/unit tests/test_architecture.py

check: setup     ## lint, format, types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup    ## put the sources into the house format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup      ## write docs/reference from the code, and the outputs that pages and examples show
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/execute.py --update

bench: setup     ## benchmarks, with peers where they are installed
	@$(BIN)/python -m benchmarks

lock: setup      ## pin the newest allowed packages, with hashes and without addresses
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --group dev pyproject.toml -o requirements.txt

clean:           ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
