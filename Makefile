# The commands are a contract (README): each exits non-zero on failure and prints the next step.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps python venv plugins software preflight up down test test-all unit coverage daemons drills benchmark lint preview status check

CACHE := $(or $(LAYERED_CLOUD_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/layered-cloud)
REQUIREMENTS := requirements.txt requirements-lab.txt constraints.txt
VENV := $(CACHE)/venv-$(shell cat $(REQUIREMENTS) | sha256sum | cut -c1-12)
PYTHON := $(VENV)/bin/python
PYTHON3 ?= python3
STACK ?= dev
BASE ?=
FULL ?=
PROFILE ?=
RUNS ?= 20
DISTRIBUTION ?= trixie
DAEMONS := $(addprefix tests/components/,routers/linux loadbalancers host/pair test_distributions.py)
CORES := $(shell n=$$(nproc); echo $$((n > 4 ? 4 : n)))
# Their modules are compiled once, not by every process that a test starts.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(PYTHON) -m pytest
# A file's tests stay together: they share what the first of them sets up. Half of the time goes by
# in waiting for daemons. The order is that of tests/conftest.py.
ABREAST := -n $(shell echo $$((2 * $(CORES)))) --dist loadfile --no-loadscope-reorder
export PYTHONDONTWRITEBYTECODE := 1

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

python: venv ## the path of the Python that has everything
	@echo $(PYTHON)

preflight: ## can this machine run the lab? answers within five seconds
	@$(PYTHON3) -m lab.hypervisor.preflight

deps: ## install the Debian packages the lab runs on (as root; elsewhere it names them)
	@PYTHON3=$(PYTHON3) bash lab/deps.sh

venv: $(VENV)/.done
# The name holds the requirements' hash: their dates say nothing, and a clone's are always new.
$(VENV)/.done:
	@command -v $(PYTHON3) >/dev/null || { echo "python3 (3.11 or newer) is needed"; exit 1; }
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON3"; exit 1; }
	@mkdir -p $(CACHE)
# Two at once, in two checkouts say, take turns; the second finds it made.
	@exec 9>$(VENV).lock; ! command -v flock >/dev/null || flock 9; test ! -e $@ || exit 0; \
	rm -rf $(VENV); \
	$(PYTHON3) -m venv $(VENV) || { echo "python3 -m venv fails: install the package python3-venv"; exit 1; }; \
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-lab.txt && touch $@

up: preflight deps venv ## the whole chain on this machine, from nothing to an answered request
	@$(PYTHON) -m lab up $(if $(PROFILE),--profile $(PROFILE))

down: venv ## destroy the stack and the lab; nothing is left
	@$(PYTHON) -m lab down

status: venv ## state of every layer
	@$(PYTHON) -m lab status

check: venv ## probe every promise of the running lab
	@$(PYTHON) -m lab check

drills: preflight deps venv ## bring a lab up, run every drill RUNS=20 times, write docs/failures.md, take the lab down; goes on where it stopped
	@trap '$(PYTHON) -m lab down --quiet || true' EXIT; $(PYTHON) -m lab up; $(PYTHON) -m lab drill --runs $(RUNS)

benchmark: deps venv ## measure pushes beside ansible-core, and large stacks; write docs/benchmark.md; goes on where it stopped
	@$(PYTHON) -m lab.software build --only pulumi --only checkers
	@$(PYTHON) -m benchmark pushes
	@$(PYTHON) -m benchmark previews

preview: venv ## the plan of STACK=NAME (dev, prod, lab, or yours) on one screen, offline, and whether it keeps the rules; FULL=1 all of it; BASE=REV compares
	@plan=$$(mktemp); trap 'rm -f "$$plan"' EXIT; \
	$(PYTHON) -m lab.engine preview --stack $(STACK) $(if $(BASE),--base $(BASE)) $(if $(FULL),--full) --plan-to "$$plan"; \
	echo; $(PYTHON) -m policy.judge "$$plan"

lint: venv
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy --no-error-summary
	@told=$$($(VENV)/bin/lint-imports --no-logo --no-cache) || { echo "$$told"; exit 1; }
	@$(PYTHON) -m tests.dead_code
	@$(PYTHON) -m tests.documented
	@git ls-files -co --exclude-standard '*.sh' .ci/run | xargs shellcheck
	@$(PYTHON) -m settings check Pulumi.*.yaml
	@$(PYTHON) -m lab.software run actionlint

unit: venv ## the tests that need no lab
	@$(PYTEST) $(ABREAST) tests -m "not lab"

coverage: venv ## make unit, and which lines of the program none of them runs
	@$(PYTEST) $(ABREAST) tests -m "not lab" --cov=settings --cov=components --cov-report=term:skip-covered

daemons: deps venv ## test routers and balancers with the daemons of DISTRIBUTION, any row of settings/models/distributions.py
	@$(PYTHON) -m lab.software build --only checkers-$(DISTRIBUTION)
	@LAYERED_CLOUD_TEST_DISTRIBUTION=$(DISTRIBUTION) $(PYTEST) $(ABREAST) -m root $(DAEMONS)

plugins: venv ## fetch the providers' real plugins, where the machine has a way to them; then none is built
	@$(PYTHON) -m lab.engine plugins

software: deps venv ## build what the lab is made of (the first time: half an hour to three quarters)
	@$(PYTHON) -m lab.software build

# What takes longer (other datacentres, whole updates cut off, each drill many times) is test-all's.
test: preflight deps venv lint software ## lint, the tests of make unit, then the default datacentre's (brings a lab up and takes it down)
	@trap '$(PYTHON) -m lab down --quiet || true' EXIT; \
	$(PYTEST) $(ABREAST) tests -m "not lab"; \
	$(PYTHON) -m pytest tests -m "lab and not profile and not long"

test-all: preflight deps venv ## make test, other distributions, every other datacentre and drill; goes on where it stopped; PROFILE=NAME only one
	@trap '$(PYTHON) -m lab down --quiet || true' EXIT; $(PYTHON) -m lab.trials $(PROFILE)
