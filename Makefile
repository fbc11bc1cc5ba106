# Everything Compaan needs is installed into .venv from the pinned lists; `make help` prints the recipes.
PORT ?= 8000
# The first Python on this machine that fits; `make PYTHON=/path/to/python3 …` chooses another.
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(FITS)' 2>/dev/null && { echo $$python; break; }; done)
BIN := .venv/bin
RUN := $(BIN)/python -m
UV := $(BIN)/uv
export UV_PYTHON := $(BIN)/python
# Containers often set it. The tests start the program some hundred times: compiling it
# each time takes longer than what it then does.
unexport PYTHONDONTWRITEBYTECODE
PINS := requirements-uv.txt requirements.txt requirements-dev.txt
# What the benchmarks compare with; two of these install a module of the same name, so each has its own environment.
PEERS := networkx matching mentor-match
# What puts load on the service; it brings an event loop of its own.
LOAD := locust
BENCHED := $(PEERS) $(LOAD)

.PHONY: help setup demo quick test all-tests release-check check static audit browser bench lock map clean
.DELETE_ON_ERROR:

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1	/' | expand -t 20

setup: .venv/.all ## prepare .venv, and nothing more

.venv/.uv: requirements-uv.txt
	@$(or $(PYTHON),false) -c '$(FITS)' || { \
		echo 'Compaan needs Python 3.11, 3.12, 3.13 or 3.14 with venv; this machine offers: $(or $(PYTHON),none).'; \
		echo 'On Debian and Ubuntu: apt-get install python3 python3-venv. Elsewhere: https://www.python.org/downloads/'; \
		echo 'Another one: make PYTHON=/path/to/python3'; exit 1; }
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(RUN) pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-uv.txt
	@touch $@

# What the program needs: adds to what is there, so the tools of the tests stay.
.venv/.run: .venv/.uv requirements.txt pyproject.toml
	@$(UV) pip install -q --require-hashes --no-deps --no-build -r requirements.txt
	@$(UV) pip install -q --no-deps -e .
	@touch $@

# What the tests need as well: exactly this and nothing else.
.venv/.all: .venv/.uv requirements-dev.txt pyproject.toml
	@$(UV) pip sync -q --require-hashes --no-build requirements-dev.txt
	@$(UV) pip install -q --no-deps -e .
	@touch $@ .venv/.run

demo: .venv/.run ## load the IncluCities round, propose pairings, serve (PORT=8000, FRESH=1 to begin again)
	@$(BIN)/compaan demo --port $(PORT) $(if $(FRESH),--fresh)

quick: static ## after each change: what needs no browser, no server, no PostgreSQL
	$(RUN) pytest -q -n auto --dist worksteal -m "not slow" --db sqlite

test: .venv/.all ## every check that needs no more than Python and a browser
	@$(RUN) tests.fixtures.cost $(MAKE) --no-print-directory all-tests

all-tests: check browser
	$(RUN) pytest -n auto --dist worksteal

release-check: test audit ## before a release: test, and what takes half an hour or more tools
	$(RUN) pytest -n auto --dist worksteal -m release

check: static ## the checks that run no code of ours
	@$(RUN) tests.fixtures.audit --if-reachable

static: .venv/.all
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(BIN)/lint-imports

audit: .venv/.all ## look up known holes in what is installed; needs the network
	@$(RUN) tests.fixtures.audit

browser: .venv/.all ## see that there is a Chromium for the browser tests
	@$(RUN) tests.fixtures.browser

# A peer that cannot be installed is no reason to measure nothing: the table says that it is missing.
.venv-bench/%/.all: requirements-bench-%.txt .venv/.uv
	-@$(UV) venv -q --clear .venv-bench/$*
	-@$(UV) pip sync -q --python .venv-bench/$* --require-hashes --no-build requirements-bench-$*.txt && touch $@

bench: .venv/.all $(if $(filter-out peers,$(PART)),,$(PEERS:%=.venv-bench/%/.all)) $(if $(filter-out service,$(PART)),,$(LOAD:%=.venv-bench/%/.all)) ## print the figures that docs/engine.md quotes (PART=engine|peers|prices|backtest|service|hostile)
	@$(RUN) benchmarks $(PART)

lock: .venv/.all ## renew the pins
	$(UV) pip compile -q --universal --generate-hashes --no-header --upgrade -o requirements.txt pyproject.toml
	$(UV) pip compile -q --universal --generate-hashes --no-header --upgrade --group dev -c requirements.txt -o requirements-dev.txt pyproject.toml
	$(foreach peer,$(BENCHED),$(UV) pip compile -q --universal --generate-hashes --no-header --upgrade \
		--group bench-$(peer) -c requirements.txt -o requirements-bench-$(peer).txt &&) true
	@! grep -nE '(https?|file)://|index-url|find-links' $(PINS) $(BENCHED:%=requirements-bench-%.txt)

map: .venv/.all ## make the map of Europe again, from the npm package world-atlas (needs npm)
	@mkdir -p .cache/map && cd .cache/map && npm pack --silent world-atlas@2.0.2 >/dev/null && tar xf world-atlas-2.0.2.tgz
	@$(BIN)/python app/data/base_map.py .cache/map/package/countries-50m.json app/data/base_map.json

clean: ## remove what the recipes made
	rm -rf .venv .venv-bench .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
