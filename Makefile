# All that is needed is Python 3.11 or newer; everything else goes into .venv.
#   make demo    a synthetic EMG outlet, recorded: on the screens, or headless where there is no terminal
#   make test    the tests

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_FLAGS ?=

.PHONY: demo test lint docs screenshots clean constraints install

demo: $(STAMP)
	$(BIN)/myogestic-tui demo

test: $(STAMP)
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[docs]' -c constraints.txt
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs site
	@echo "site/index.html"

screenshots: $(STAMP)
	$(BIN)/python screenshots/make.py

clean:
	rm -rf $(VENV) site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find myogestic_tui tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} +

# What the tests passed with, as name==version lines: run it after changing a dependency.
constraints: $(STAMP)
	$(BIN)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9_.-]+==' > constraints.txt

install: $(STAMP)

# PYTHON=... chooses the interpreter; else the first that is new enough and can make virtual environments.
$(STAMP): pyproject.toml constraints.txt
	@set -e; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  old="$$python"; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null || continue; \
	  found="$$python"; break; \
	done; \
	if [ -x $(BIN)/python ] && $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then :; \
	elif [ -n "$$found" ]; then "$$found" -m venv --clear $(VENV); \
	elif [ -n "$$old" ]; then \
	  echo "$$old cannot make virtual environments. On Debian, Ubuntu and Raspberry Pi OS: sudo apt install python3-venv" >&2; exit 1; \
	else \
	  echo "No Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $(STAMP)
