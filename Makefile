# The front door. Everything real is in Rust; this only knows the order.

CARGO ?= cargo
BIN := target/debug

.PHONY: help
help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: doctor build ## Back up a real Cassandra 5.0, break it, bring it back, prove it
	@$(BIN)/demo

.PHONY: test
test: doctor build-all ## Every test of the project, real Cassandra and S3 included
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(BIN)/lab fetch
	$(CARGO) test --workspace --exclude soak --no-fail-fast

.PHONY: soak
soak: doctor build-all ## The long matrices, for a change that is about to be called done; not a part of test
	$(BIN)/lab fetch
	$(CARGO) test --workspace $(addprefix --test ,$(basename $(notdir $(wildcard tests/soak/tests/*)))) --no-fail-fast

.PHONY: bench
bench: doctor ## Time planning, and verify and slice beside the machine's limits and Cassandra's own tools
	$(CARGO) build --release --package bench
	target/release/bench-planning
	$(CARGO) build --workspace --bins
	$(BIN)/lab bench --program target/release/bench

.PHONY: unit
unit: ## The tests that need neither Cassandra nor S3
	$(CARGO) test --workspace --exclude e2e --exclude lab --exclude soak --exclude blob-store

.PHONY: fuzz
fuzz: ## Fuzz what reads SSTables, FUZZ_SECONDS (60) for each target; not a part of test
	@CARGO="$(CARGO)" fuzz/run.sh

# Always the whole workspace: with fewer packages cargo picks other features and builds the same libraries twice.
.PHONY: build
build:
	$(CARGO) build --workspace --bins
	@$(BIN)/lab doctor >/dev/null

# Binaries and tests in one build, for the same reason: the tests add features to the libraries.
.PHONY: build-all
build-all:
	$(CARGO) build --workspace --all-targets
	@$(BIN)/lab doctor >/dev/null

# What the build itself needs; `lab doctor` then looks at the rest.
.PHONY: doctor
doctor:
	@command -v $(CARGO) >/dev/null || { echo "cargo is missing: install Rust with rustup (https://rustup.rs)" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing: apt-get install build-essential" >&2; exit 1; }
	@command -v java >/dev/null || { echo "java is missing: apt-get install openjdk-17-jre-headless" >&2; exit 1; }
	@command -v mvn >/dev/null || { echo "mvn is missing: apt-get install maven" >&2; exit 1; }
	@command -v go >/dev/null || { echo "go is missing: install Go 1.24 or newer (https://go.dev/dl)" >&2; exit 1; }

.PHONY: fmt
fmt: ## Format everything
	$(CARGO) fmt --all
