# All that is needed is Python 3.11 or newer; everything else goes into .venv.
#   make demo    a synthetic EMG outlet, recorded: on the screens, or headless where there is no terminal
#   make test    the tests

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
RUNTIME := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
PYTEST_FLAGS ?= -n 4

.PHONY: demo test lint docs screenshots clean constraints install

demo: $(RUNTIME)
	$(BIN)/myogestic-tui demo

test: $(DEV)
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DEV)
	$(PIP) -e '.[docs]'
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs site
	@echo "site/index.html"

screenshots: $(DEV)
	$(BIN)/python screenshots/make.py

clean:
	rm -rf $(VENV) site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find myogestic_tui tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} +

# What the tests passed with, as name==version lines: run it after changing a dependency.
constraints: $(DEV)
	$(BIN)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9_.-]+==' > constraints.txt

install: $(DEV)

# PYTHON=... chooses the interpreter; else the first that is new enough and can make virtual environments.
$(BIN)/python:
	@set -e; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  new="$$python"; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null || continue; \
	  exec "$$python" -m venv --clear $(VENV); \
	done; \
	if [ -n "$$new" ]; then \
	  echo "$$new cannot make virtual environments. On Debian, Ubuntu, Raspberry Pi OS: sudo apt install python3-venv" >&2; \
	else \
	  echo "No Python 3.11 or newer is here. Install one, or name it: make PYTHON=/path/to/python3.11" >&2; \
	fi; \
	exit 1

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV): once, for a minute or two" >&2
	@$(PIP) -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV), tests included: once, for a minute or two" >&2
	@$(PIP) -e '.[dev]'
	@touch $@ $(RUNTIME)
