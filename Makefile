# make demo: set up, then turn an example task into a program, a submission and a report.
# make test: set up, then lint, type-check and test.
# make finetune-demo: set up with the training stack, then tune the small model for a few steps and gate it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LINGUACODUS := $(BIN)/linguacodus

# Installed first and by itself, so that a machine with a GPU gets the build that its index gives (PyPI's has CUDA,
# download.pytorch.org/whl/cpu has none) and nothing after it takes another.
TORCH ?= torch==2.13.0

.PHONY: demo test finetune-demo setup setup-train setup-dev debian clean

demo: setup
	@test -e demo/task/description.md || $(LINGUACODUS) example breast-cancer demo/task
	$(LINGUACODUS) generate demo/task --out demo/result --time-limit 300
	$(LINGUACODUS) score demo/result demo/task

test: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(LINGUACODUS) models pull smollm2-135m-instruct-q4_1
	$(BIN)/pytest -m 'not flow' -n 2 --dist loadfile
	$(BIN)/pytest -m flow

# Some ten minutes on two cores, most of them to measure. The gate may refuse what so few steps give (exit status 3):
# that, too, is shown and is no failure of the demo.
finetune-demo: setup-train
	$(LINGUACODUS) dataset rebuild --source sample
	$(LINGUACODUS) finetune --config smollm2-135m-cpu --max-steps 20 || [ $$? = 3 ]

setup: debian $(VENV)/.user

setup-train: debian $(VENV)/.train

setup-dev: debian $(VENV)/.dev

$(VENV)/.pip: | debian
	@echo 'setting up $(VENV): the packages take 1.4 GB (with the training stack 3 GB, for a GPU more), and a minute or more'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	touch $@

$(VENV)/.user: pyproject.toml | $(VENV)/.pip
	$(BIN)/pip install --quiet --editable '.[local,programs]'
	touch $@

$(VENV)/.train: pyproject.toml | $(VENV)/.pip
	$(BIN)/pip install --quiet '$(TORCH)'
	$(BIN)/pip install --quiet --editable '.[local,programs,train]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.pip
	$(BIN)/pip install --quiet '$(TORCH)'
	$(BIN)/pip install --quiet --editable '.[local,programs,train,dev]'
	touch $@

# What Debian has to bring, where it is missing and we may: bubblewrap isolates generated programs,
# LightGBM and llama.cpp need the OpenMP runtime, and a virtual environment needs ensurepip.
debian:
	@missing=$$( \
	  command -v bwrap >/dev/null || echo bubblewrap; \
	  ldconfig -p 2>/dev/null | grep -q libgomp.so.1 || /sbin/ldconfig -p 2>/dev/null | grep -q libgomp.so.1 || echo libgomp1; \
	  [ -x $(BIN)/python ] || $(PYTHON) -c 'import ensurepip' 2>/dev/null || echo python3-venv); \
	[ -z "$$missing" ] || { \
	  become=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$become apt-get update -q && $$become apt-get install -y -q $$missing; \
	} || echo "missing, and could not be installed: apt-get install $$missing"

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache
