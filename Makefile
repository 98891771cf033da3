# 问办. Two commands matter: `make run` and `make test`; the others are for those who change it.
# Settings are WENBAN_* variables (docs/settings.md), e.g.  WENBAN_PORT=8001 WENBAN_HOME=var2 make run

SETUP := scripts/with-python scripts/setup.py
BIN := .venv/bin
PARTS ?= all
SET ?= development
WORKERS ?= 2

.PHONY: help setup setup-dev run test lint format types imports check bench eval docs encoder clean distclean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1\t\2/p' Makefile | expand -t 20

run: setup  ## install what is missing, load the sample city, start everything (Ctrl-C stops it)
	@exec $(BIN)/wenban serve --sample-city

setup:  ## install both environments from their lock files (seconds when they are up to date)
	@$(SETUP)

setup-dev:
	@$(SETUP) --dev

test: setup-dev  ## install everything and run every test that needs no outside service
	@sh scripts/system-packages
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

check: lint types imports  ## lint, formatting, types, import rules

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup-dev  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup-dev
	$(BIN)/mypy

imports: setup-dev
	$(BIN)/lint-imports

bench: setup-dev  ## benchmark tables, JSON under var/bench/ (PARTS=sizes,turns runs only some)
	@exec $(BIN)/python -m bench --parts $(PARTS) $(BENCH)

eval: setup  ## score a catalogue never trained on: SET=development, test, check, unseen or blind, DOCS=--docs writes docs/evaluation.md
	@exec $(BIN)/wenban eval held-out $(SET) $(DOCS)

docs: setup-dev  ## write the generated page docs/settings.md
	@$(BIN)/python scripts/write_docs.py

encoder: setup-dev  ## remake index/models from scratch (three hours on two cores; see docs/encoder.md)
	@sh scripts/make-encoder

clean:  ## remove caches and what builds leave; data under WENBAN_HOME stay
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean  ## and the environments (data under WENBAN_HOME stay)
	rm -rf .venv .venv-rasa .venv-train .venv-tools
