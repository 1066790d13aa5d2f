# Two commands: `make app` opens the dashboard, `make test` runs the tests. Each installs what it needs first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: app test e2e lint clean

app: $(VENV)/app-installed
	$(BIN)/streamlit run app/main.py

test: $(VENV)/test-installed
	$(BIN)/python -m pytest -m "not e2e" -n auto --dist loadfile

# Needs a Chromium or Chrome; CHROMIUM=/path/to/it where it is not found by name.
e2e: $(VENV)/test-installed
	$(BIN)/python -m pytest -m e2e tests/e2e

lint: $(VENV)/test-installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with PYTHON=... (this is $$($(PYTHON) --version))."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are written last: an installation that was broken off is taken up again.
$(VENV)/app-installed: requirements.txt | $(BIN)/python
	$(PIP) --requirement requirements.txt
	touch $@

$(VENV)/test-installed: requirements-test.txt requirements.txt | $(BIN)/python
	$(PIP) --requirement requirements-test.txt
	touch $@ $(VENV)/app-installed
