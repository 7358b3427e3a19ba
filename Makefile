# make help       this text
# make run        set up and start the demo; at another address: make run ADDRESS=127.0.0.1:9999
# make test       all tests but the soak; only some: make test TESTS="tests/unit/cloud -x"
# make unit       the tests in tests/unit, tests/daemon, tests/deploy and tests/simulator
# make lint       ruff, mypy, import-linter
# make format     ruff, which repairs what it can
# make coverage   the tests of `make unit`, with the lines and branches that all but simulations reach
# make stress     the tests that start processes, ten times (RUNS=10): four workers, random order, a busy processor
# make soak       a simulated year (SOAK_DAYS=365) of tasks that come and go, and faults; a day (SOAK_HOURS=24) of polls,
#                 and 200 times (SOAK_KILLS=200) kill -9 of a process that writes to the storage
# make bench      docs/performance.md, measured on this machine in seven minutes; needs nginx
# make docs       the documents and dashboards that are generated from the code
# make pictures   docs/pictures, in ten minutes; needs node, npm, chromium and prometheus; only the report: PARTS=report
# make dist       sdist and wheel, with an SBOM (CycloneDX), the licences of all packages, and checksums
# make chart      the Helm chart with alerts and dashboards, in build/chart/drs-exporter
# make lock       the lock files in requirements/, from pyproject.toml; needs uv
# make clean      remove the virtual environments, caches and packages

PYTHON ?= python3
ADDRESS ?= 127.0.0.1:10826
VENV ?= .venv
BIN := $(VENV)/bin
# More than two processors: many tests wait for processes.
WORKERS ?= 4

# The tests without other processes, crowds, measurements and simulations of whole days.
UNIT := $(addprefix tests/,unit daemon deploy simulator)

# Each process of the tests would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test unit coverage stress soak lint format docs bench pictures dist chart lock clean
.DELETE_ON_ERROR:

# Prints the comment at the top of this file.
help:
	@sed -n '/^$$/q; s/^# //p' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/run.stamp
	@$(BIN)/drs-exporter demo --web.listen-address=$(ADDRESS)

test: $(VENV)/dev.stamp
ifdef TESTS
	$(BIN)/pytest $(TESTS)
else
	$(BIN)/pytest -n $(WORKERS) --ignore=tests/hostile --ignore=tests/soak
	$(BIN)/pytest -n 2 tests/hostile
endif

# Fails below `fail_under` in pyproject.toml. On another Python: make coverage VENV=.venv-3.13 PYTHON=python3.13
coverage: $(VENV)/dev.stamp
	$(BIN)/pytest -n $(WORKERS) $(UNIT) --cov --cov-report=term

unit: $(VENV)/dev.stamp
	$(BIN)/pytest -n $(WORKERS) $(UNIT)

stress: $(VENV)/dev.stamp
	$(BIN)/python -m tests.stress $(RUNS)

soak: $(VENV)/dev.stamp
	SOAK_DAYS=$${SOAK_DAYS:-365} SOAK_HOURS=$${SOAK_HOURS:-24} SOAK_KILLS=$${SOAK_KILLS:-200} $(BIN)/pytest tests/soak

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.stamp
	$(BIN)/drs-exporter metrics > docs/metrics.md
	$(BIN)/python -m exporter.docs.coverage > docs/api-coverage.md
	$(BIN)/python -m exporter.docs.operations | cat - docs/parts/*.md > docs/operations.md
	$(BIN)/python deploy/grafana/build.py
	$(BIN)/python scripts/chart_schema.py

pictures: $(VENV)/dev.stamp
	$(BIN)/python scripts/pictures/draw.py $(PARTS)

bench: $(VENV)/dev.stamp
	$(BIN)/python -m tests.bench $(PARTS)

# The wheel is built from the sdist, which is thereby known to be complete.
dist: $(VENV)/run.stamp
	rm -rf dist
	$(BIN)/python -m hatchling build --target sdist
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist dist/*.tar.gz
	$(BIN)/python scripts/inventory.py dist

# The chart alone contains no copy of the rules and dashboards.
CHART := build/chart/drs-exporter
chart:
	@rm -rf $(CHART)
	@mkdir -p $(CHART)/files/rules $(CHART)/files/dashboards
	@cp -R deploy/helm/drs-exporter/. $(CHART)
	@cp deploy/prometheus/drs-*.yml $(CHART)/files/rules
	@cp deploy/grafana/*.json $(CHART)/files/dashboards
	@url=$$(sh scripts/project_url.sh) && { [ -z "$$url" ] || printf 'home: %s\nsources: [%s]\n' "$$url" "$$url"; } >>$(CHART)/Chart.yaml
	@echo $(CHART)

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	  --no-annotate --group build pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	  --no-annotate --group dev pyproject.toml -o requirements/dev.txt

clean:
	rm -rf .venv .venv-* build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/pip:
	@echo "setting up $(VENV) (once; about a minute)"
	@PYTHON=$(PYTHON) sh scripts/venv.sh $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml scripts/install.sh | $(VENV)/bin/pip
	@sh scripts/install.sh $(BIN)/pip requirements/run.txt -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml scripts/install.sh | $(VENV)/bin/pip
	@sh scripts/install.sh $(BIN)/pip requirements/dev.txt -e .
	@touch $@
