# kindred: what a newcomer, a developer and a machine run. Each target installs what it needs.

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
SYNC := $(UV) sync --quiet --frozen --inexact

.PHONY: demo test coverage check gates bench docs clean

demo: .venv/.run  ## three demos: answers in the terminal, pages on 127.0.0.1 (DEMO_SERVE=0 ends after writing)
	@$(BIN)/kindred demo

test: .venv/.dev browser neo4j  ## every test
	@$(BIN)/python -m pytest -m "not gates and not wheel"

coverage: .venv/.dev browser neo4j  ## the same with branch coverage, a quarter slower
	@$(BIN)/python -m pytest --cov --cov-report=term:skip-covered -m "not gates and not wheel"

check: .venv/.dev  ## lint, format, types, import contracts, lock file, docs, wheel
	$(UV) lock --check --quiet
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.reference --check
	$(BIN)/zensical build --strict --clean
	$(BIN)/python -m pytest -q -m wheel

gates: .venv/.dev  ## full-size checks of the measure
	@$(BIN)/python -m pytest -m gates

bench: .venv/.bench  ## speed beside peers, in one run
	@$(BIN)/python -m tests.bench

docs: .venv/.dev  ## the documentation, into site/
	$(BIN)/python -m docs.reference
	$(BIN)/zensical build --strict --clean

clean:  ## everything made here
	rm -rf .venv site dist demo-out kindred-data .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv is installed into the environment it fills, so that nothing outside is needed or touched.
$(UV):
	@echo "making .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/.run: pyproject.toml uv.lock | $(UV)
	@echo "installing kindred"
	@$(SYNC)
	@touch $@

.venv/.dev: pyproject.toml uv.lock | $(UV)
	@echo "installing kindred with its development tools"
	@$(SYNC) --extra dev
	@touch $@ .venv/.run

.venv/.bench: pyproject.toml uv.lock | $(UV)
	@echo "installing kindred with its benchmark peers"
	@$(SYNC) --extra dev --extra bench
	@touch $@ .venv/.dev .venv/.run

.PHONY: browser
browser:
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 \
	  || command -v google-chrome >/dev/null 2>&1 \
	  || { echo "installing a browser from the system's packages"; \
	       apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
	  || echo "no browser: the tests of the pages will be skipped, with a line"

.PHONY: neo4j
neo4j:
	@[ -n "$$KINDRED_NEO4J_URL" ] || { command -v java >/dev/null 2>&1 && command -v mvn >/dev/null 2>&1; } \
	  || ( echo "installing Java and Maven from the system's packages, for a Neo4j server"; \
	       apt-get update -qq && for java in openjdk-17-jre-headless default-jre-headless; do \
	         apt-get install -y -qq --no-install-recommends $$java maven >/dev/null && exit 0; done; exit 1 ) \
	  || echo "no Java and Maven: the tests on a Neo4j server will be skipped, with a line"
