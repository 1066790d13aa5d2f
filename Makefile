# `make app` opens the dashboard, `make test` runs the tests; `make` alone lists everything. Each target installs what it
# needs first, into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# A worker a core is enough: threads of BLAS and TensorFlow beside them only crowd.
THREADS := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
PYTEST := $(THREADS) $(BIN)/python -m pytest
PARALLEL := --numprocesses auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help app serve test test-all e2e lint coverage clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

app: $(VENV)/app-installed ## Install everything and open the dashboard
	$(BIN)/streamlit run app/main.py

serve: $(VENV)/serve-installed ## Install only what serves, without TensorFlow, and open the dashboard
	$(BIN)/streamlit run app/main.py

test: $(VENV)/test-installed ## Run the tests, but for those that take long or drive a browser
	$(PYTEST) -m "not slow and not e2e" $(PARALLEL) --durations=15

test-all: $(VENV)/test-installed ## Run all tests that need no browser
	$(PYTEST) -m "not e2e" $(PARALLEL) --durations=15

# Needs a Chromium or Chrome; CHROMIUM=/path/to/it where it is not found by name.
e2e: $(VENV)/test-installed ## Run the tests in a headless Chromium
	$(PYTEST) -m e2e tests/e2e

lint: $(VENV)/test-installed ## Check style, types and the floors of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: $(VENV)/test-installed ## Measure which lines the tests run
	$(PYTEST) -m "not e2e" $(PARALLEL) --cov --cov-report=term-missing:skip-covered

clean: ## Remove .venv
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed: TensorFlow comes for no other. This is $$($(PYTHON) --version);" \
		  "name another with PYTHON=python3.13."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp is written last: an installation that was broken off is taken up again.
$(VENV)/serve-installed: requirements-serve.txt pyproject.toml | $(BIN)/python
	$(PIP) --no-compile --requirement requirements-serve.txt
	$(PIP) --no-deps --editable .
	touch $@

$(VENV)/app-installed: requirements.txt requirements-serve.txt pyproject.toml | $(BIN)/python
	$(PIP) --requirement requirements.txt
	$(PIP) --no-deps --editable .
	touch $@ $(VENV)/serve-installed

$(VENV)/test-installed: requirements-test.txt requirements.txt requirements-serve.txt pyproject.toml | $(BIN)/python
	$(PIP) --requirement requirements-test.txt
	$(PIP) --no-deps --editable .
	touch $@ $(VENV)/app-installed $(VENV)/serve-installed
