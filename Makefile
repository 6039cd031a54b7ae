# `make` alone prints what there is to make. Everything is made in this folder: .venv/ and .birchtar/.

.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .birchtar/ready
MASTER ?= local[2]
JOBS := conf/jobs/flights.yaml conf/jobs/countries.yaml

.PHONY: help setup run test lint data submit shell doctor clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Install Python packages, Java if there is none, and Spark's extra jars, all into this folder

# The lock file and the list of jars decide when set-up has to run again.
$(READY): pyproject.toml uv.lock birchtar/runtime/jars.toml
	@$(PYTHON) -c 'import sys; sys.exit("Birchtar needs Python 3.11 or newer, not " + sys.version.split()[0] + ". Name one: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else 0'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@command -v uv > /dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@UV=$$(command -v uv || echo $(BIN)/uv); $$UV sync --quiet --frozen --inexact --python $(BIN)/python
	@$(BIN)/birchtar setup
	@mkdir -p $(@D) && touch $@

run: $(READY) ## Run the main job: raw flights and countries become curated tables
	@$(BIN)/birchtar run $(JOBS) --show 3

test: $(READY) ## Run all tests, in three processes that share one Spark
	@$(BIN)/pytest -q --numprocesses 3 --dist loadfile --no-loadscope-reorder

lint: $(READY) ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

data: $(READY) ## Get all 336,776 flights of 2013, beside January's that are here
	@UV=$$(command -v uv || echo $(BIN)/uv); $$UV run --quiet --frozen --group data data/download.py full

submit: $(READY) ## Run the main job through spark-submit; MASTER=spark://host:7077 names a cluster
	@$(BIN)/birchtar submit $(JOBS) --master '$(MASTER)'

shell: $(READY) ## Open a PySpark shell with Delta, Avro and Birchtar on its paths
	@$(BIN)/birchtar shell

doctor: $(READY) ## Print what was found on this machine, and what is wrong
	@$(BIN)/birchtar doctor

clean: ## Remove everything that was made here, curated tables too
	rm -rf .venv .birchtar data/curated data/full data/quarantine .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
