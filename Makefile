# Two commands do everything: `cargo run --release -- demo` and `make test`.

TOOLS := target/tools
PYTHON := $(TOOLS)/venv/bin/python
EXPORTER := target/debug/cloudtrail-exporter

.DEFAULT_GOAL := help
.PHONY: help demo test lint fmt unit stack-test check generate test-release bench compare soak stack tools

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: ## Run the exporter on a simulated AWS with a sample fleet
	cargo run --release -- demo

test: lint unit stack-test ## Run everything, installing what is missing (apt, pip in a venv, npm)
	@echo "passed: lints, $$(cargo test --workspace -- --list 2>/dev/null | grep -c ': test$$') cargo tests, all judges of the stack test"

lint: ## Formatting and lints, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	! cargo tree --workspace -i rustls@0.21 2>/dev/null
	! cargo tree --workspace -i hyper@0.14 2>/dev/null

fmt: ## Format the code
	cargo fmt --all

unit: ## Every test that needs cargo alone
	cargo test --workspace

test-release: tools ## Run what is too slow for each change: packages, image, FIPS build, all faults, fuzzing, soak
	tests/stack/dependencies.sh
	FAULTS=all cargo test --test faults
	tests/package/release.sh target/test-release $(PYTHON)
	SIMULATED_TIME_SEQUENCES=1000000 cargo test --release --test simulated_time -- --nocapture
	fuzz/run.sh $(or $(FUZZ),600)
	$(MAKE) soak
	@echo "passed: dependencies, all faults, packages, image, FIPS build, simulated time, fuzzing, soak"

generate: tools ## Write what is generated: the configuration's schema, the chart's README, manifests
	cargo run --quiet --example generate_docs -- target/generated
	cp target/generated/cloudtrail-exporter.schema.json deploy/
	$(PYTHON) deploy/helm/generate.py

bench: tools ## Measure speed and size beside their peers (PART="polls sweep start memory curve")
	cargo build --release -p cloudtrail-exporter -p aws-simulator -p fleet-bench
	$(PYTHON) benches/bench.py $(PART)

compare: ## Measure this build beside another one: make compare BEFORE=its/cloudtrail-exporter
	cargo build --release -p cloudtrail-exporter -p aws-simulator
	python3 benches/compare.py $(BEFORE)

soak: tools ## Keep 200 sessions turning over and see that nothing grows (SOAK="--minutes 50")
	cargo build --release -p cloudtrail-exporter -p aws-simulator
	$(PYTHON) benches/soak.py $(SOAK)

tools: ## Install the judges: Prometheus, Alertmanager, moto, the aws CLI, Chromium
	tests/stack/tools.sh $(TOOLS)

stack-test: tools ## Judge the real binary with programs nobody here wrote
	cargo test --workspace --no-run --quiet # the binaries the tests were built with; building them alone would build every dependency anew
	EXPORTER=$(EXPORTER) tests/stack/run.sh $(PYTHON)

stack: tools ## Play: demo, Prometheus and Alertmanager with the shipped rules, sixty times as fast; SPEED=1 for real time
	cargo build
	EXPORTER=$(abspath $(EXPORTER)) $(PYTHON) tests/stack/stack_up.py --speed $(or $(SPEED),60)

check: ## Poll the accounts of a configuration once: make check CONFIG=file
	cargo run --release -- check $(if $(CONFIG),--config.file=$(CONFIG))
