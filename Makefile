# Everything a person or CI types. Nothing is needed beforehand but Python 3.11 to 3.13 and make.
PYTHON ?= python3
# The tested build; any torch from 2.4 on should do for use.
TORCH ?= torch==2.13.0
PYTEST_FLAGS ?=
BIN := .venv/bin
ALLENNLP := src/pytorch_elmo/allennlp_plugin/packages.toml

TUTORIALS := 000 001 002 004

.PHONY: setup setup-full demo check test bench tutorials $(TUTORIALS) clean

setup: .venv/.ready

# The light size has what ELMo work needs; the full one adds spaCy, for raw text and SQuAD, and TensorBoard logs.
setup-full: .venv/.ready-full

.venv/.ready: pyproject.toml Makefile $(ALLENNLP)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	$(BIN)/python -m pytorch_elmo.setup_allennlp
	touch $@

.venv/.ready-full: .venv/.ready
	$(BIN)/python -m pytorch_elmo.setup_allennlp --full
	touch $@

demo: setup
	$(BIN)/python scripts/demo.py

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/build_docs.py

test: check
	$(BIN)/python -m pytest -n 2 $(PYTEST_FLAGS)

bench: setup
	$(BIN)/python scripts/bench_embed.py
	$(BIN)/python scripts/bench_pretrain.py

# DATA holds imdb/ and scicite/; docs/tutorials.md says where they are had. `make -j2 tutorials` runs two at a time.
DATA ?= data
tutorials: $(TUTORIALS)

$(TUTORIALS): setup
	$(BIN)/python scripts/run_tutorials.py $@ --data $(DATA)

clean:
	rm -rf .venv build dist
