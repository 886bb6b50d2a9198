# Short names for commands that work without make. `make help` prints them.
PYTHON ?= python3
UV = .venv/uv/bin/uv
LOCK = $(UV) pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help run demo test fast heavy bench format lock

help: ## print this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

run: ## start the product on http://localhost:8501 (python3 -m dashboard)
	$(PYTHON) -m dashboard

demo: ## start it with the Demo workspaces (python3 -m dashboard --demo)
	$(PYTHON) -m dashboard --demo

test: ## everything that must hold (python3 -m tests)
	$(PYTHON) -m tests

fast: ## the same without the browser (python3 -m tests --fast)
	$(PYTHON) -m tests --fast

heavy: ## the same and the proofs of minutes (python3 -m tests --heavy)
	$(PYTHON) -m tests --heavy

bench: ## rerun cost of each page (python3 -m bench pages)
	$(PYTHON) -m bench pages

format: ## put the code into form
	.venv/bin/python -m ruff format .
	.venv/bin/python -m ruff check --fix .

lock: ## write the locks anew from pyproject.toml, keeping pins that still fit
	$(LOCK) --output-file requirements.txt
	$(LOCK) --group test --constraint requirements.txt --output-file requirements-test.txt
