# Everything runs from a virtual environment in the checkout; the first target that needs it makes it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint types tables docs licences check clean

demo: $(READY)
	$(BIN)/ihcscore demo --out ihcscore-demo --overwrite

test: $(READY)
	$(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

tables: $(READY)
	$(BIN)/python -c "from ihcscore.schema import tables_page; print(tables_page(), end='')" > docs/tables.md

docs: $(VENV)/.docs tables
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

licences: $(READY)
	$(BIN)/python docs/tools/licences.py

$(VENV)/.docs: $(READY) pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

check: lint types test

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ihcscore needs Python 3.11 or newer; call make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) docs/_build docs/generated ihcscore-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
