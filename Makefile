# Every target makes the environment it needs with plain venv and pip, and remakes it when
# pyproject.toml changes. PYTHON=python3.12 chooses the interpreter; EXTRAS=1 also installs what the
# optional parts need (torch is large), so that their tests run instead of being skipped.

PYTHON ?= python3
ENV ?= .venv
BIN := $(ENV)/bin
TOOLS := $(ENV)/tools$(if $(EXTRAS),-extras)
TIMED := bash scripts/timed

# Threaded BLAS on vectors this small is slower, and may round differently from run to run.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

.PHONY: demo test lint types unit wheel docs site bench validate harden clean
.NOTPARALLEL:

demo: $(ENV)/installed
	$(BIN)/losslaw demo

test: lint types unit wheel

lint: $(TOOLS)
	$(TIMED) lint $(BIN)/ruff check .
	$(TIMED) format $(BIN)/ruff format --check .

types: $(TOOLS)
	$(TIMED) types $(BIN)/python scripts/check_types.py

unit: $(TOOLS)
	$(TIMED) tests $(BIN)/pytest -q -n 2 --dist loadfile

wheel: $(TOOLS)
	$(TIMED) wheel bash scripts/wheel_smoke $(BIN)/python

# What README and docs show, printed and drawn again; the tests compare it with what is printed.
# Then the site, in build/site.
docs: $(ENV)/docs
	$(BIN)/python scripts/renew_docs.py
	$(BIN)/python scripts/gallery.py
	$(BIN)/python scripts/schemas_page.py
	$(MAKE) --no-print-directory site

# Warnings are errors. The site needs no network, nor a server: open build/site/index.html.
site: $(ENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

$(ENV)/docs: $(TOOLS)
	$(TIMED) docs bash scripts/install_group $(BIN)/python docs
	touch $@

bench: $(ENV)/installed
	$(BIN)/python -m benchmarks

validate: $(ENV)/installed
	$(BIN)/python -m validation

# What accidents and enemies do to logs: some minutes, and the tables are written at the end.
harden: $(TOOLS)
	$(TIMED) tools bash scripts/install_group $(BIN)/python hardening || true
	$(BIN)/python -m hardening

clean:
	rm -rf $(ENV) build dist losslaw-demo .pytest_cache .ruff_cache .hypothesis
	find src tests validation benchmarks hardening -name __pycache__ -prune -exec rm -rf {} +

$(ENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(ENV)
	$(TIMED) install $(BIN)/python -m pip install -qq --disable-pip-version-check -e .
	touch $@

# A stamp of its own with extras, so that asking for them later adds them.
$(TOOLS): $(ENV)/installed
	$(TIMED) tools bash scripts/install_group $(BIN)/python dev
	$(if $(EXTRAS),$(TIMED) extras bash scripts/install_group $(BIN)/python extras || true)
	$(if $(EXTRAS),$(TIMED) docs bash scripts/install_group $(BIN)/python docs || true)
	touch $@
