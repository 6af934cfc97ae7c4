# `make demo` and `make test` are all that a newcomer needs; both install what they use into .venv first.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin

.PHONY: demo test check soak bench clean

demo: $(VENV)/.ready
	$(RUN)/sslpipe demo -o .demo

test: $(VENV)/.ready check
	$(RUN)/python -m pytest -m "not soak"

check: $(VENV)/.ready
	$(RUN)/ruff format --check sslpipe tests benchmarks
	$(RUN)/ruff check sslpipe tests benchmarks
	$(RUN)/mypy
	$(RUN)/lint-imports

soak: $(VENV)/.ready
	$(RUN)/python -m pytest -m soak
	$(RUN)/python tests/laws/without_simd.py

bench: $(VENV)/.ready
	$(RUN)/python -m benchmarks

# torch is pinned here, not in pyproject.toml, so that every checkout tests against one build of it; and torchvision, an oracle of
# tests, with it, whose newest release would bring another torch along.
$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check "torch==2.13.0"
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps "torchvision==0.28.0"
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
