# `make run` and `make test` are all a new machine needs; the rest are parts of them.
.PHONY: run setup test lint check clean
PYTHON ?= $(shell command -v python3 || command -v python)

run:
	@$(PYTHON) scripts/bootstrap.py
	@exec .venv/bin/zorgbrug up

setup:
	@$(PYTHON) scripts/bootstrap.py

test:
	@$(PYTHON) scripts/bootstrap.py --for-tests
	@$(MAKE) --no-print-directory check
	@.venv/bin/python -m pytest

check: lint
	@.venv/bin/zorgbrug kb check

lint:
	@.venv/bin/ruff format --check . 
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/yamllint -s compose.yaml compose.scale.yaml config.yml endpoints.yml endpoints-scale.yml credentials.yml data

clean:
	rm -rf .venv .venv-rasa var
