PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: api bench demo test test-full test-slow lint types docs site check clean

demo: $(VENV)/.installed  ## LIFT+ on the data and backbone that come with ltbench
	$(BIN)/ltbench run

test: $(VENV)/.dev  ## the tests of every day: at most four minutes on two idle cores
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not full and not slow"

test-full: $(VENV)/.dev  ## what they leave out: every method on every backbone, wheels, browser, scaffold
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "full and not slow"

test-slow: $(VENV)/.dev  ## the tests that take minutes each
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

bench: $(VENV)/.bench  ## speed, beside that of what else would be used: an hour on two idle cores
	$(BIN)/python -m benchmarks.throughput $(BENCH)

docs: $(VENV)/.installed  ## the pages that are made from the code
	$(BIN)/python -m docs.generate

site: $(VENV)/.dev  ## the documentation as a site, in build/site; nothing is fetched
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

api: $(VENV)/.dev  ## the listing of the public API, which a test compares
	$(BIN)/python -m tests.api

check: lint types site test test-full  ## all that has to pass before a change lands

clean:
	rm -rf $(VENV) build/site .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing ltbench into $(VENV): torch alone is 2 to 6 GB, so this takes minutes"
	$(PIP) --editable .
	touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(PIP) --editable ".[bench]"
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) --editable ".[dev]"
	touch $@
