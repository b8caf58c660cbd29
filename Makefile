# Two commands do all their own set-up: `make demo` and `make check`. The rest is for developers.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo check test evidence fmt map picture lock help

help:            ## what can be made
	@grep -E '^[a-z]+: .*##|^[a-z]+:  *##' Makefile | sed -E 's/:.*## */\t/'

demo: $(VENV)/.ready-to-run   ## start medtwin with a generated hospital at 127.0.0.1:8000
	@$(BIN)/medtwin demo $(ARGS)

check: $(VENV)/.ready-to-check   ## the gate: format, lint, types, contracts, tests, doc examples
	@$(BIN)/python tools/gate.py

test: $(VENV)/.ready-to-check   ## the tests alone; choose with ARGS="tests/record"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -q $(ARGS)

evidence: $(VENV)/.ready-for-evidence   ## rebuild every published figure and benchmark (long)
	@for one in evidence/[a-z]*.py; do echo "== $$one"; $(BIN)/python $$one || exit 1; done
	@$(BIN)/python -m evidence.models --json > evidence/results/models.jsonl
	@$(BIN)/python -m evidence.record --out evidence/record.json

fmt: $(VENV)/.ready-to-check   ## format, and mend what lint can mend
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

map: $(VENV)/.ready-to-run   ## write docs/map.md from the modules' own first lines
	@$(BIN)/python tools/map.py

picture:   ## take the README's picture anew from what the browser tests saw
	@mkdir -p docs/img && cp artefacts/patient-light.png docs/img/twin.png

GATE := --extra build --extra dev --extra gpu --extra bayes --extra cluster --extra oracles \
  --extra analytics --extra linkage --extra postgres

lock:   ## resolve the dependencies anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -q --extra build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -q $(GATE) -c requirements.lock pyproject.toml \
	  -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -q $(GATE) --extra evidence -c requirements-dev.lock \
	  pyproject.toml -o evidence/requirements.lock

# Each stamp says that what stands before the colon has been done for these very files.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "medtwin needs Python 3.11 or later as $(PYTHON); say which: make PYTHON=python3 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-to-run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@$(PYTHON) tools/system.py openmp
	@echo "installing what medtwin runs on ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.ready-to-check: requirements-dev.lock $(VENV)/.ready-to-run
	@echo "installing what the gate needs ..."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(BIN)/python tools/system.py browser
	@touch $@

$(VENV)/.ready-for-evidence: evidence/requirements.lock $(VENV)/.ready-to-check
	@$(PIP) --require-hashes -r evidence/requirements.lock
	@touch $@
