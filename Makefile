# surveylake: 'make run' goes from a CSV to tables, charts and a report; 'make test' runs every test. 'make' alone helps.
.DEFAULT_GOAL := help
.PHONY: help run draft test quick faults soak bench picture docs standards check setup setup-dev verify lock clean

# A CSV, a contract, the tables' folder, the exports' folder, a running Kafka, and a conf file; 1 to let answers cross a network
# unencrypted, 1 to add to what the lake holds, and 1 to leave out lines of the CSV that are no rows. Only what is given is passed on: the defaults are in jobs/run.py.
INPUT =
SURVEY =
LAKE =
OUT =
BOOTSTRAP =
CONF =
INSECURE =
ADD =
SKIP_BAD =
# make verify: 1 to read every data file, and 1 for one JSON object in place of the lines.
DEEP =
JSON =
# What pytest gets beside its defaults: make test ARGS="-k broker -x"
ARGS =
# make bench: records of the main topic, rounds, and which parts, such as ONLY=throughput,startup; all else by ARGS.
ROWS =
REPEATS =
ONLY =
# make soak: how long.
MINUTES =
# make setup: s3, to fetch what lakes at s3a:// need too.
STORE =
# Which Python makes .venv; else the one that made it, else the first of these that is 3.11 to 3.13.
PYTHON =
PYTHONS = $(or $(PYTHON),.venv/bin/python python3 python3.13 python3.12 python3.11)

BIN := .venv/bin
# $(call option,--name,value): quoted for the shell, blanks and quotes and all; nothing when there is no value.
quote = '$(subst ','\'',$(1))'
option = $(if $(2),$(1) $(call quote,$(2)))
# $(call switch,--name,value): for 1, and not for 0 or no.
switch = $(if $(filter-out 0 no false off,$(2)),$(1))

# Python files that differ from where this branch left origin/main, new ones too; everything when that is not known.
CHANGED = { base=$$(git merge-base HEAD origin/main 2>/dev/null) \
  && git diff -z --name-only --relative --diff-filter=d $$base -- '*.py' '*.ipynb' \
  && git ls-files -z --others --exclude-standard -- '*.py' '*.ipynb' || printf '.\0'; }

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{printf "%-18s%s\n", $$1, $$2}'
	@echo '  with make run:  INPUT=answers.csv  SURVEY=contract.toml  LAKE=dir  OUT=dir  BOOTSTRAP=host:port  CONF=conf.toml'
	@echo '                  ADD=1  SKIP_BAD=1  INSECURE=1'
	@echo '  with make verify:  SURVEY=, LAKE=, OUT=, BOOTSTRAP=, CONF=, INSECURE= as above  DEEP=1  JSON=1'
	@echo '  with make bench:  ROWS=1000000  REPEATS=3  ONLY=throughput,startup'

run: setup ## CSV -> Kafka -> tables -> counts, charts and report
	@$(BIN)/python jobs/run.py $(call option,--input,$(INPUT)) $(call option,--survey,$(SURVEY)) \
	  $(call option,--lake,$(LAKE)) $(call option,--out,$(OUT)) $(call option,--bootstrap,$(BOOTSTRAP)) \
	  $(call option,--conf,$(CONF)) $(call switch,--add,$(ADD)) \
	  $(call switch,--skip-bad-lines,$(SKIP_BAD)) $(call switch,--insecure,$(INSECURE))

draft: setup ## INPUT=answers.csv: a first contract for it, beside it or at SURVEY=
	@$(BIN)/python jobs/draft.py $(call quote,$(INPUT)) $(call option,--out,$(SURVEY))

test: setup-dev ## every test, on a real Kafka and a real Spark
	@$(BIN)/python -m pytest tests -n 2 $(ARGS)

quick: setup-dev ## in less than a minute: every test that starts no JVM, and lint of what changed
	@$(CHANGED) | xargs -0 -r $(BIN)/ruff check --force-exclude
	@$(CHANGED) | xargs -0 -r $(BIN)/ruff format --check --force-exclude
	@PYTHONPATH=jobs $(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest tests --quick -n 2 $(ARGS)

faults: setup-dev ## every fault of docs/reliability.md, injected; writes its table (about an hour)
	@$(BIN)/python -m pytest tests/faults --all-faults --fault-table $(ARGS)

soak: setup-dev ## MINUTES of load while driver and broker are killed, then every acknowledged record is counted
	@$(BIN)/python tests/faults/soak.py --minutes $(or $(MINUTES),30) $(ARGS)

bench: setup-dev ## speed as ratios, beside the peers, into benchmarks/results (over an hour)
	@$(BIN)/python benchmarks/run.py $(call option,--rows,$(ROWS)) $(call option,--repeats,$(REPEATS)) \
	  $(call option,--only,$(ONLY)) $(ARGS)

picture: setup-dev ## docs/report.png: the report on the sample, as a browser shows it (needs chromium)
	@command -v chromium >/dev/null || { echo 'error: chromium is needed' >&2; exit 3; }
	@rm -rf var/picture
	@SURVEYLAKE_VAR=var/picture $(BIN)/python jobs/run.py --lake var/picture/lake --out var/picture/out
	@chromium --headless --no-sandbox --hide-scrollbars --window-size=1200,2640 \
	  --screenshot=var/picture/report.png "file://$$PWD/var/picture/out/report.html" 2>var/picture/chromium.log
	@$(BIN)/python -c "from PIL import Image as I; \
	  I.open('var/picture/report.png').convert('RGB').quantize(128).save('docs/report.png', optimize=True)"

docs: setup-dev ## after changing a contract's keys: the tables of docs/contract.md and conf/contract.schema.json
	@PYTHONPATH=jobs $(BIN)/python -m surveylake.standards.key_reference

standards: setup-dev var/datacontract/made ## datacontract-cli judges our data contracts, and tests a lake's tables by one
	@SURVEYLAKE_DATACONTRACT=$$PWD/var/datacontract $(BIN)/python -m pytest tests/standards/test_datacontract_cli.py $(ARGS)

var/datacontract/made: requirements-standards.lock
	@$(BIN)/python -m venv --clear var/datacontract
	@var/datacontract/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
	  --only-binary :all: -r requirements-standards.lock
	@touch $@

check: setup-dev ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=jobs $(BIN)/lint-imports --no-logo

verify: setup ## prove that the lake holds every offset of the topic exactly once
	@$(BIN)/python jobs/verify.py $(call option,--survey,$(SURVEY)) $(call option,--lake,$(LAKE)) \
	  $(call option,--bootstrap,$(BOOTSTRAP)) $(call option,--out,$(OUT)) $(call option,--conf,$(CONF)) \
	  $(call switch,--deep,$(DEEP)) $(call switch,--json,$(JSON)) $(call switch,--insecure,$(INSECURE))

# One search for a Python, one for the jars; with everything there both together take less than half a second.
define SET_UP
@for python in $(PYTHONS); do \
  if "$$python" -IS -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
    PYTHONPATH=jobs "$$python" -m surveylake.runtime.virtualenv $(1) && exec $(BIN)/python jobs/jars.py --quiet $(call option,--store,$(STORE)); \
    exit $$?; \
  fi; \
done; \
echo 'error: Python 3.11 to 3.13 is needed; none of these is one: $(or $(PYTHON),$(filter-out .venv%,$(PYTHONS)))' >&2; \
echo '  next: install one, then: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; exit 3
endef

setup: ## Java, .venv and the jars (STORE=s3: also for s3a://); the other targets do it when it is needed
	$(call SET_UP,)

setup-dev: ## the same, with what the tests need
	$(call SET_UP,--dev)

UV_COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links
lock: ## after changing requirements*.in: resolve anew (needs uv on the PATH)
	@for name in requirements-build requirements requirements-dev requirements-jupyter requirements-standards; do \
	  $(UV_COMPILE) $$name.in -o $$name.lock || exit 1; done

clean: ## what set-up and tests made; the lake, the exports and Kafka's data stay
	@rm -rf .venv var/jars var/cds var/log var/tmp build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find jobs tests -name __pycache__ -type d -prune -exec rm -rf {} +
