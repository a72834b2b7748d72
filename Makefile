# The two commands: `make acceptance` and `make test`. Both set up what is missing and may be run
# again at any time; the second run finds everything in place.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest
# The versions that are installed, each with its digest; `make lock` renews them. With LOCK= it is
# the newest of everything that pyproject.toml allows.
LOCK := requirements.lock

PIP := $(BIN)/pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup acceptance test check unit browser integration faults lowest \
  lock render docs pictures clean

help:
	@echo "make acceptance  set up, bring up a cluster, deploy Nova, verify it, write the report"
	@echo "make test        set up, then the project's own checks and tests"
	@echo "make faults      put known faults in, and see each caught and named (ALL=1: every one, by all tests)"
	@echo "make lock        renew the versions that are installed, in requirements.lock"
	@echo "make lowest      the unit tests with the lowest versions that pyproject.toml allows"
	@echo "make docs        write docs/diagnosis.md from the catalogue of causes"
	@echo "make pictures    take the pictures of the READMEs from the newest report (RUN=reports/...)"
	@echo "make render      print what would be applied (OVERLAY=multi-node)"
	@echo "make clean       remove the virtual environment; clusters: nova-cluster down, purge"

# Installs the Debian packages of $$missing, where the machine is a Debian with root.
INSTALL_MISSING = if [ -n "$$missing" ] && command -v apt-get >/dev/null; then \
	  if [ "$$(id -u)" != 0 ]; then echo "run as root: apt-get install$$missing" >&2; exit 1; fi; \
	  apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive \
	    apt-get install --yes --quiet=2 --no-install-recommends $$missing; \
	fi

setup: $(VENV)/.installed

# Only what is missing is installed.
$(VENV)/.installed: pyproject.toml Makefile $(LOCK)
	@missing=""; \
	{ command -v docker && command -v kind; } >/dev/null || command -v mmdebstrap >/dev/null \
	  || missing="$$missing mmdebstrap"; \
	python3 -c 'import ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	$(INSTALL_MISSING)
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed, this is $$(python3 --version)" >&2; exit 1; }
	python3 -m venv $(VENV)
ifeq ($(LOCK),)
	$(PIP) --upgrade --upgrade-strategy eager --editable '.[dev]'
else
	$(PIP) --require-hashes --requirement $(LOCK)
	$(PIP) --no-deps --no-build-isolation --editable .
endif
	@touch $@

$(VENV)-lowest/.installed: pyproject.toml Makefile | $(VENV)/.installed
	python3 -m venv --clear $(VENV)-lowest
	$(BIN)/uv pip install --quiet --python $(VENV)-lowest/bin/python \
	  --resolution lowest-direct --editable '.[dev]'
	@touch $@

# What reads the report in the tests and takes its pictures; a run of the acceptance needs neither.
$(VENV)/.chromium: $(VENV)/.installed
	@missing=""; \
	{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
	  || missing="$$missing chromium"; \
	fc-list :lang=zh-tw 2>/dev/null | grep -q . || missing="$$missing fonts-noto-cjk"; \
	$(INSTALL_MISSING)
	@touch $@

acceptance: setup
	$(PYTEST) --cluster local

test: check unit browser integration

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	cd examples/orders && ../../$(BIN)/mypy
	$(BIN)/lint-imports
	@# Without shellcheck, of which there is none for Linux on arm64, scripts are not looked into.
	$(BIN)/actionlint -pyflakes= -shellcheck="$$(command -v $(BIN)/shellcheck)" .github/workflows/*.yaml

unit: setup
	$(PYTEST) -c testing/pytest.ini --rootdir . -q -n auto --maxprocesses 4 testing/unit testing/plugin
	cd examples/orders && PYTHONPATH=. ../../$(PYTEST) -c ../../testing/pytest.ini --rootdir . -q tests

browser: setup $(VENV)/.chromium
	$(PYTEST) -c testing/pytest.ini --rootdir . -q testing/browser

integration: setup $(VENV)/.chromium
	$(if $(ALL),EVERY=1 MOMENTS=20) $(PYTEST) -c testing/pytest.ini --rootdir . -q testing/integration

lowest: $(VENV)-lowest/.installed
	$(VENV)-lowest/bin/pytest -c testing/pytest.ini --rootdir . -q testing/unit testing/plugin

# Of each package the newest version, for every Python and platform that is supported.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-annotate --custom-compile-command 'make lock' --quiet \
	  --output-file requirements.lock

# On a cluster of three nodes that is brought up where there is none; ALL=1 for the seldom ones, too.
# A verification waits as long as it works, so two clusters take less time than one after the other.
CLUSTERS ?= 2
faults: setup
	$(BIN)/python -m testing.faults --clusters $(CLUSTERS) $(if $(ALL),--all) $(NAMES)

render: setup
	@$(BIN)/nova-cluster render $(or $(OVERLAY),multi-node)

docs: setup
	$(BIN)/python -m nova_acceptance.diagnosis > docs/diagnosis.md

pictures: setup $(VENV)/.chromium
	$(BIN)/python -m testing.browser.pictures $(or $(RUN),reports/latest)

clean:
	rm -rf $(VENV) $(VENV)-lowest
