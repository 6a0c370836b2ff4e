PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := -m pip install --quiet --disable-pip-version-check
LOCK := requirements.lock
PIP := $(BIN)/python $(INSTALL) --constraint $(LOCK)
RELEASE := .venv-release/bin
# What test-lowest and test-newest run: the tests that meet other libraries; and whose versions they print.
LIBRARY_TESTS := tests/api tests/config tests/data tests/engine tests/export tests/io/test_tables.py tests/plugins \
	tests/prediction tests/tuning tests/analysis/comparison tests/analysis/leaderboard tests/analysis/stats
LIBRARIES := torch|torchvision|timm|open_clip_torch|peft|transformers|numpy|scipy|pandas|pyarrow|scikit-learn|onnx|onnxruntime|onnxscript|optuna

.PHONY: api attack bench bench-gpu board demo ranks test test-full test-ranks test-ray test-slow test-slurm lint types docs figures photos results site check clean

demo: $(VENV)/.installed  ## LIFT+ on the data and backbone that come with ltbench
	$(BIN)/ltbench run

test: $(VENV)/.dev  ## the tests of every day: at most four minutes on two idle cores
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not full and not slow"

test-full: $(VENV)/.dev  ## what they leave out: every method on every backbone, wheels, browser, scaffold
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "full and not slow"

test-slow: $(VENV)/.dev  ## the tests that take minutes each
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

test-ranks: $(VENV)/.dev  ## runs by 2 and 3 processes against one, killed and interrupted ones: minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 0 -m "slow or full" tests/ranks

ranks: $(VENV)/.dev  ## the table of agreement of docs/ranks.md, measured again
	$(BIN)/python -m benchmarks.ranks

test-slurm: $(VENV)/.dev  ## grids on a small real Slurm cluster, which it installs where it may: twelve minutes
	tests/cluster/slurm.sh install
	$(BIN)/python -m pytest -n 0 -m slow tests/cluster/test_slurm.py

test-ray: $(VENV)/.ray  ## grids through a real Ray of two nodes on this machine, and the Dask example
	$(BIN)/python -m pytest -n 0 tests/cluster/test_ray.py
	cd examples/ltbench-dask && ../../$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

bench: $(VENV)/.bench  ## speed, beside that of what else would be used: an hour on two idle cores
	$(BIN)/python -m benchmarks.throughput $(BENCH)

bench-gpu: $(VENV)/.bench  ## what a GPU changes, in parts of nine minutes: GPU="training-b16", GPU="--pack FOLDER"
	$(BIN)/python -m benchmarks.gpu $(GPU)

attack: $(VENV)/.dev  ## hostile input, signals and file systems: an hour; ATTACK="--hours 0.1 --seed 1"
	$(BIN)/python -m benchmarks.attack $(ATTACK)

board: $(VENV)/.installed  ## the public leaderboard, in build/board; fails where a pack is refused
	$(BIN)/ltbench board build benchmarks/board --out build/board

docs: $(VENV)/.installed  ## the pages that are made from the code
	$(BIN)/python -m docs.generate

results: $(VENV)/.dev  ## what pages quote of digits_lt and glyphs_lt, measured again: an hour or two; then figures
	$(BIN)/python -m benchmarks.remeasure $(RESULTS)
	$(MAKE) figures

photos: $(VENV)/.dev  ## heavy and light fine-tuning on grocery_store in DATA: two hours of one core; then figures
	$(BIN)/python -m benchmarks.photos --data-root $(or $(DATA),data)
	$(MAKE) figures

figures: $(VENV)/.dev  ## what shows stored results: tables, reports, figures, pictures of reports; then docs
	$(BIN)/python -m docs.results
	$(BIN)/python -m docs.generate

site: $(VENV)/.dev  ## the documentation as a site of files, build/site/index.html; nothing is fetched
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

api: $(VENV)/.dev  ## the listing of the public API, which a test compares
	$(BIN)/python -m tests.public_api

check: lint types site board test test-full  ## all that has to pass before a change lands

clean:
	rm -rf $(VENV) build/site build/board .mypy_cache .pytest_cache .ruff_cache

.PHONY: lock test-lowest test-newest release-check

lock: $(RELEASE)/.installed  ## the newest versions, into the file that everything is installed from
	$(RELEASE)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
		--constraint requirements.caps --no-annotate --custom-compile-command "make lock" \
		--output-file $(LOCK) pyproject.toml

test-lowest: .venv-lowest/.installed  ## what meets other libraries, with the lowest versions of them
	$(call test_libraries,.venv-lowest)

test-newest:  ## the same with the newest that pip takes without the lock
	$(call environment,.venv-newest)
	.venv-newest/bin/python $(INSTALL) --upgrade --upgrade-strategy eager --editable ".[dev]"
	$(call test_libraries,.venv-newest)

release-check: $(RELEASE)/.installed  ## wheel and sdist, and the wheel in a fresh environment
	rm -rf build/release && mkdir -p build/release/empty
	$(RELEASE)/python -m build --outdir build/release/dist .
	$(RELEASE)/twine check --strict build/release/dist/*
	$(PYTHON) -m venv build/release/venv
	build/release/venv/bin/python $(INSTALL) --constraint $(LOCK) build/release/dist/*.whl
	cd build/release/empty && ../venv/bin/ltbench run && ../venv/bin/ltbench grid plan digits/methods
	rm -rf build/release/venv

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(LOCK) | $(BIN)/python
	@echo "installing ltbench into $(VENV): torch alone is 2 to 6 GB, so this takes minutes"
	$(PIP) --editable .
	touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(PIP) --editable ".[bench]"
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) --editable ".[dev]"
	touch $@

$(VENV)/.ray: $(VENV)/.dev
	$(PIP) --editable ".[ray]" "ray[default]" distributed
	$(PIP) --no-deps --editable examples/ltbench-dask
	touch $@

$(RELEASE)/.installed: pyproject.toml | $(LOCK)
	$(call environment,.venv-release)
	$(RELEASE)/python $(INSTALL) --constraint $(LOCK) build twine uv
	touch $@

.venv-lowest/.installed: pyproject.toml tests/bounds.py | $(RELEASE)/.installed
	mkdir -p build && $(RELEASE)/python -m tests.bounds > build/bounds.txt
	$(RELEASE)/uv pip compile --quiet --python-version 3.11 --resolution lowest-direct --extra dev \
		--constraint build/bounds.txt --no-annotate --output-file build/lowest.txt pyproject.toml
	$(call environment,.venv-lowest)
	.venv-lowest/bin/python $(INSTALL) --requirement build/lowest.txt --editable .
	touch $@

define environment
test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
endef

define test_libraries
$(1)/bin/python -m pip freeze --disable-pip-version-check | grep --extended-regexp "^($(LIBRARIES))=="
$(1)/bin/python -m pytest -n 2 -m "not slow" $(LIBRARY_TESTS)
endef
