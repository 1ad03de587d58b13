# All that is needed is Python 3.11 or newer; everything else goes into .venv.
#   make demo    a synthetic EMG outlet, recorded: on the screens, or headless where there is no terminal
#   make test    the tests, but for the long ones: make test-slow
#   make readers   what some of the tests open exports with: heavy libraries, without which those tests are skipped
#   make test-lowest, make test-newest    the tests, with the oldest versions that pyproject.toml takes, and the newest

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
RUNTIME := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
PYTEST_FLAGS ?= -n 6 --dist worksteal

.PHONY: demo test test-slow test-lowest test-newest lint docs screenshots clean constraints install readers

demo: $(RUNTIME)
	$(BIN)/myogestic-tui demo

test: $(DEV)
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

test-slow: $(DEV)
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m slow

test-lowest test-newest: test-%: .venv-%/.installed
	.venv-$*/bin/python -m pytest $(PYTEST_FLAGS)

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
	$(PIP) -e '.[docs]'
	$(BIN)/python screenshots/make.py
	$(BIN)/python screenshots/moving.py

clean:
	rm -rf $(VENV) .venv-lowest .venv-newest site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find myogestic_tui tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} +

# What the tests passed with, as name==version lines: run it after changing a dependency.
constraints: $(DEV)
	$(BIN)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9_.-]+==' > constraints.txt

install: $(DEV)

# What some tests open exports with; they are skipped without. Of MNELAB the readers only, which need none of its Qt.
readers: $(DEV)
	$(PIP) -e '.[dev,readers]'
	$(PIP) --no-deps mnelab pybvrf

# Environments of their own: the oldest version of each direct dependency, as uv finds them, and the newest of all.
.venv-lowest/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv --clear $(@D)
	$(@D)/bin/python -m pip install -q --disable-pip-version-check uv
	$(@D)/bin/uv pip compile -q --resolution lowest-direct --python $(@D)/bin/python --extra dev --extra zarrs \
	  pyproject.toml -o $(@D)/lowest.txt
	$(@D)/bin/python -m pip install -q --disable-pip-version-check -c $(@D)/lowest.txt -e '.[dev,zarrs]'
	@touch $@

.venv-newest/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv --clear $(@D)
	$(@D)/bin/python -m pip install -q --disable-pip-version-check -e '.[dev,zarrs]'
	@touch $@

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
