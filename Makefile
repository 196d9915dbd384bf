.DEFAULT_GOAL := help
.PHONY: help run test check bench faults lock studio clean
COMPILE := uv pip compile --universal --generate-hashes --no-emit-index-url --no-header -q pyproject.toml

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

run: .venv/.warm ## set up and serve chat, API and docs on http://127.0.0.1:8000 (ARGS="--port 9000")
	@exec .venv/bin/quantum-trader serve $(ARGS)

test: .venv/.dev .venv/.warm ## set up and run every test (ARGS="tests/engines -x")
	.venv/bin/python -m pytest -n auto --dist loadfile $(ARGS)

check: .venv/.dev ## format, lint, types, import direction
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports --no-cache
	.venv/bin/mypy

bench: .venv-bench/.done .venv/.warm ## measure start, memory, engines beside their peers, storage and orders (ARGS="cipher")
	.venv-bench/bin/python tests/benchmarks $(ARGS)

faults: .venv/.dev .venv/.warm ## kill the desk at every step under every fault of a venue, then 10,000 tickets (ARGS="--sample --tickets 200")
	.venv/bin/python tests/faults/siege $(ARGS)

lock: ## resolve the newest versions that pyproject.toml allows, with hashes (needs uv)
	$(COMPILE) --group build -o requirements.lock
	$(COMPILE) --group build --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --group build --group bench -c requirements-dev.lock -o requirements-bench.lock
	$(COMPILE) --group build --group studio -o requirements-studio.lock

studio: .venv-studio/.done ## serve the graph for LangGraph Studio, offline
	LANGGRAPH_CLI_NO_ANALYTICS=1 .venv-studio/bin/langgraph dev --no-browser --no-reload --port $(or $(PORT),2024)

clean: ## remove what `run`, `test` and `check` installed and cached
	rm -rf .venv .venv-studio .venv-bench .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .langgraph_api
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/.run: requirements.lock pyproject.toml bootstrap.sh
	./bootstrap.sh requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml bootstrap.sh
	./bootstrap.sh requirements-dev.lock
	@touch $@ .venv/.run

.venv/.warm: .venv/.run $(shell find engines -name '*.py')
	.venv/bin/quantum-trader warm
	@touch $@

# An environment of its own: nothing but the benchmarks may see the peers.
.venv-bench/.done: requirements-bench.lock pyproject.toml bootstrap.sh
	./bootstrap.sh requirements-bench.lock .venv-bench
	@touch $@

# An environment of its own: the Studio server needs an older protobuf than the desk.
.venv-studio/.done: requirements-studio.lock pyproject.toml bootstrap.sh
	./bootstrap.sh requirements-studio.lock .venv-studio
	@touch $@
