# Each target makes what it needs: a virtual environment in .venv, with pip. Python 3.11 or newer is all it assumes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

TSC = $(or $(wildcard clients/node/node_modules/.bin/tsc),tsc)

.PHONY: help serve test test-clients clients client-types check format bench fonts clean

help:
	@echo "make serve    start the HTTP service and the web page on http://127.0.0.1:5000/ocr/webui"
	@echo "make test     all tests; as root on Debian it installs the Debian packages they need"
	@echo "make clients  build the Python, Node and Java clients of the service; make test-clients tests them too"
	@echo "make check    format, lint, types and the fast tests"
	@echo "make format   put the code into its format"
	@echo "make fonts    collect the typefaces that training draws with into fonts/"
	@echo "make bench    measure shizi against RapidOCR and Tesseract (BENCH=folder of labelled pictures)"

serve: $(VENV)/.installed-run
	$(BIN)/shizi serve

test: $(VENV)/.installed-test
	bash tests/prepare.sh
	$(PYTEST)

# The clients as packages: a wheel, JavaScript with types, a jar. On Debian as root nothing has to be there before.
clients: $(VENV)/.installed-test
	bash tests/prepare.sh
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir clients/python/dist ./clients/python
	$(TSC) --project clients/node
	javac --release 11 -encoding UTF-8 -d clients/java/build/classes clients/java/src/main/java/shizi/client/*.java
	jar --create --file clients/java/build/shizi-client-0.1.0.jar -C clients/java/build/classes .

test-clients: clients
	$(PYTEST) tests/clients

# After a change of the contract: the clients' types, made of what the service says of itself.
client-types: $(VENV)/.installed-test
	PYTHONPATH=tests $(BIN)/python tests/described.py | $(BIN)/python clients/generate

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) -m 'not slow and not training' --ignore=tests/training

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-run
	$(BIN)/python bench/against.py $(BENCH)

fonts: $(VENV)/.installed-test
	$(BIN)/python -m shizi.training.fonts

clean:
	rm -rf clients/*/build clients/*/dist
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

# One stamp for each set of packages; pip runs again only when pyproject.toml has changed since.
$(VENV)/.installed-run: EXTRAS :=
$(VENV)/.installed-test: EXTRAS := [test,training]
$(VENV)/.installed-dev: EXTRAS := [dev,training]
$(VENV)/.installed-%: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.$(EXTRAS)'
	@touch $@

# Debian's python3 comes without what venv needs; root can get it, others are told.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or newer is needed"'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || test -x $(BIN)/pip || \
		{ test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq python3-venv; } || \
		{ echo "python3 -m venv does not work here; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
