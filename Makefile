# make run    set up and start the demo        make test   all tests; those in tests/hostile one after the other
#             (at another address: make run ADDRESS=127.0.0.1:9999; only some tests: make test TESTS="tests/cloud -x")
# make lint   ruff, mypy, import-linter        make dist   sdist and wheel
# make docs   what is derived from the code    make lock   versions and hashes of what we depend on
# make pictures   of the demo, for the README (needs node, npm, chromium, prometheus; eight minutes)
# make soak   a simulated year (SOAK_DAYS=365) of tasks that come and go, and faults
# make bench  docs/performance.md, on this machine (four minutes; needs nginx)

PYTHON ?= python3
ADDRESS ?= 127.0.0.1:10826
BIN := .venv/bin

.PHONY: run test soak lint format docs bench pictures dist lock clean
.DELETE_ON_ERROR:

run: .venv/run.stamp
	@$(BIN)/drs-exporter demo --web.listen-address=$(ADDRESS)

test: .venv/dev.stamp
ifdef TESTS
	$(BIN)/pytest $(TESTS)
else
	$(BIN)/pytest -n auto --ignore=tests/hostile --cov --cov-report=term
ifneq ($(wildcard tests/hostile/test_*.py),)
	$(BIN)/pytest tests/hostile
endif
endif

soak: .venv/dev.stamp
	SOAK_DAYS=$${SOAK_DAYS:-365} $(BIN)/pytest tests/soak

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/dev.stamp
	$(BIN)/drs-exporter metrics > docs/metrics.md
	$(BIN)/python -m exporter.docs | cat - docs/parts/*.md > docs/operations.md
	$(BIN)/python deploy/grafana/build.py

pictures: .venv/dev.stamp
	$(BIN)/python scripts/pictures/draw.py
bench: .venv/dev.stamp
	$(BIN)/python -m tests.bench $(PARTS)

dist: .venv/dev.stamp
	$(BIN)/python -m build --no-isolation

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	  --no-annotate --group build pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	  --no-annotate --group dev pyproject.toml -o requirements/dev.txt

clean:
	rm -rf .venv dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/pip:
	@echo "setting up .venv (once; about a minute)"
	@PYTHON=$(PYTHON) sh scripts/venv.sh .venv

.venv/run.stamp: requirements/run.txt pyproject.toml scripts/install.sh | .venv/bin/pip
	@sh scripts/install.sh $(BIN)/pip requirements/run.txt -e .
	@touch $@

.venv/dev.stamp: requirements/dev.txt pyproject.toml scripts/install.sh | .venv/bin/pip
	@sh scripts/install.sh $(BIN)/pip requirements/dev.txt -e .
	@touch $@
