# make run    set up and start the demo        make test   all tests but the soak; those in tests/hostile serially
#             (at another address: make run ADDRESS=127.0.0.1:9999; only some tests: make test TESTS="tests/unit/cloud -x")
# make lint   ruff, mypy, import-linter        make dist   sdist and wheel
# make docs   what is derived from the code    make lock   versions and hashes of what we depend on
# make pictures   of the demo, for the README (needs node, npm, chromium, prometheus; eight minutes)
# make coverage   the unit tests, and which lines and branches they reach
# make stress     the tests that start processes, ten times (RUNS=10): four workers, random order, a busy processor
# make soak   a simulated year (SOAK_DAYS=365) of tasks that come and go, and faults
# make bench  docs/performance.md, on this machine (four minutes; needs nginx)

PYTHON ?= python3
ADDRESS ?= 127.0.0.1:10826
VENV ?= .venv
BIN := $(VENV)/bin
# More than two processors: many tests wait for processes.
WORKERS ?= 4

# The tests without other processes, crowds, measurements and simulations of whole days.
UNIT := $(addprefix tests/,unit daemon deploy simulator)

.PHONY: run test unit coverage stress soak lint format docs bench pictures dist lock clean
.DELETE_ON_ERROR:

run: $(VENV)/run.stamp
	@$(BIN)/drs-exporter demo --web.listen-address=$(ADDRESS)

test: $(VENV)/dev.stamp
ifdef TESTS
	$(BIN)/pytest $(TESTS)
else
	$(BIN)/pytest -n $(WORKERS) --ignore=tests/hostile --ignore=tests/soak
	$(BIN)/pytest tests/hostile
endif

# Not part of `make test`: measuring takes as much time again.
coverage: $(VENV)/dev.stamp
	$(BIN)/pytest -n $(WORKERS) $(UNIT) --cov --cov-report=term

# The same tests without measuring, for another Python: make unit VENV=.venv-3.13 PYTHON=python3.13
unit: $(VENV)/dev.stamp
	$(BIN)/pytest -n $(WORKERS) $(UNIT)

stress: $(VENV)/dev.stamp
	$(BIN)/python -m tests.stress $(RUNS)

soak: $(VENV)/dev.stamp
	SOAK_DAYS=$${SOAK_DAYS:-365} $(BIN)/pytest tests/soak

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
	$(BIN)/python -m exporter.docs.markdown | cat - docs/parts/*.md > docs/operations.md
	$(BIN)/python deploy/grafana/build.py

pictures: $(VENV)/dev.stamp
	$(BIN)/python scripts/pictures/draw.py

bench: $(VENV)/dev.stamp
	$(BIN)/python -m tests.bench $(PARTS)

dist: $(VENV)/dev.stamp
	$(BIN)/python -m build --no-isolation

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	  --no-annotate --group build pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	  --no-annotate --group dev pyproject.toml -o requirements/dev.txt

clean:
	rm -rf .venv .venv-* dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/pip:
	@echo "setting up $(VENV) (once; about a minute)"
	@PYTHON=$(PYTHON) sh scripts/venv.sh $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml scripts/install.sh | $(VENV)/bin/pip
	@sh scripts/install.sh $(BIN)/pip requirements/run.txt -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml scripts/install.sh | $(VENV)/bin/pip
	@sh scripts/install.sh $(BIN)/pip requirements/dev.txt -e .
	@touch $@
