# make demo: set up, then turn an example task into a program, a submission and a report.
# make test: set up, then lint, type-check and test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LINGUACODUS := $(BIN)/linguacodus

.PHONY: demo test setup setup-dev bubblewrap clean

demo: setup
	$(LINGUACODUS) example breast-cancer demo/task
	$(LINGUACODUS) generate demo/task --out demo/result --time-limit 240
	$(LINGUACODUS) score demo/result demo/task

test: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(LINGUACODUS) models pull smollm2-135m-instruct-q4_1
	$(BIN)/pytest -m 'not flow' -n 2 --dist loadfile
	$(BIN)/pytest -m flow

setup: $(VENV)/.user bubblewrap

setup-dev: $(VENV)/.dev bubblewrap

$(VENV)/.user: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[local,programs]'
	touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.user
	$(BIN)/pip install --quiet --editable '.[local,programs,dev]'
	touch $@

# Generated programs run isolated by bubblewrap: from Debian's packages, where it is missing and we may.
bubblewrap:
	@command -v bwrap >/dev/null || { \
	  become=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$become apt-get update -q && $$become apt-get install -y -q bubblewrap; \
	} || echo 'bubblewrap is missing and could not be installed: apt-get install bubblewrap'

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache
