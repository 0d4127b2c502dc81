# make demo    the whole journey on this machine (ONCE=1 ends instead of serving, LOCAL=1 takes one
#              keeper and noise in each store)
# make install only what the programs need, in .venv
# make test    the whole suite but the exhaustive runs and newly drawn examples (make test-slow)
# make check   what a reviewer's machine would say: lint, types, imports, containers
# make lock    rewrite the lock files from pyproject.toml (needs uv)

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip --disable-pip-version-check --quiet
PACKAGES := carbon consents contributions personal_store coop_aggregator

.PHONY: demo install test test-slow check lock

install: $(VENV)/.runtime

demo: $(VENV)/.runtime
	$(BIN)/python demo/run.py $(if $(ONCE),--once) $(if $(LOCAL),--trust-mode local)

test: $(VENV)/.test
	$(BIN)/python -m pytest -m "not slow" \
	  --cov=carbon --cov=consents --cov=contributions --cov-fail-under=90

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile afresh

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES:%=-p %)
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; fi

lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-annotate --extra test pyproject.toml --output-file requirements-test.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-annotate --constraint requirements-test.lock pyproject.toml \
	  --output-file requirements.lock

$(VENV)/bin/python:
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "expected Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked packages (about 550 MB, once)"
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.runtime
	@echo "Installing the locked packages of the tests"
	$(PIP) install --require-hashes -r requirements-test.lock
	@touch $@
