# The front door. Everything real is in Rust; this only knows the order.

CARGO ?= cargo
BIN := target/debug

.PHONY: help
help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: need-demo build ## Back up a real Cassandra 5.0, break it, bring it back, prove it
	@$(BIN)/lab doctor 5.0 >/dev/null
	@$(BIN)/demo

.PHONY: test
test: need-test build-all ## Every test of the project, real Cassandra and S3 included
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(BIN)/lab doctor
	$(BIN)/lab fetch
	$(CARGO) test --workspace --exclude soak --no-fail-fast

.PHONY: soak
soak: need-test build-all tools ## The long matrices, for a change that is about to be called done; not a part of test
	$(BIN)/lab fetch
	RINGKEEP_SIMULATION_SEEDS=10000 $(CARGO) test --workspace --lib --test runner -- simulation
	$(CARGO) test --workspace --test deploy $(addprefix --test ,$(basename $(notdir $(wildcard tests/soak/tests/*)))) --no-fail-fast

# Some minutes the first time, and gigabytes of Go's cache, so that `test` uses them only if they are there.
.PHONY: tools
tools: build-all ## Build promtool and kustomize, with which the tests of deploy/ check the alerts and the manifests
	$(BIN)/lab tools

.PHONY: bench
bench: need-test ## Time planning, small files, copies, lists, and verify and slice beside the machine's limits and Cassandra's own tools
	$(CARGO) build --release --package bench
	target/release/bench-planning
	target/release/bench-small-files
	target/release/bench-copies
	target/release/bench-listing
	$(CARGO) build --workspace --bins
	$(BIN)/lab bench --program target/release/bench

.PHONY: unit
unit: ## The tests that need neither Cassandra nor S3; an etcd is built with Go
	$(CARGO) test --workspace --exclude e2e --exclude lab --exclude soak --exclude blob-store

.PHONY: fuzz
fuzz: ## Fuzz what reads SSTables, FUZZ_SECONDS (60) for each target; not a part of test
	@CARGO="$(CARGO)" fuzz/run.sh

# Always the whole workspace: with fewer packages cargo picks other features and builds the same libraries twice.
.PHONY: build
build:
	$(CARGO) build --workspace --bins

# Binaries and tests in one build, for the same reason: the tests add features to the libraries.
.PHONY: build-all
build-all:
	$(CARGO) build --workspace --all-targets

.PHONY: fmt
fmt: ## Format everything
	$(CARGO) fmt --all

# What each front door needs of the machine: named if it is missing, and installed on Debian and Ubuntu with leave
# (YES=1 gives it). `lab doctor` then looks at what the lab itself will fetch.
.PHONY: need-demo need-test
need-demo:
	@tests/lab/prerequisites.sh $(CARGO) cc java mvn setsid flock
need-test:
	@tests/lab/prerequisites.sh $(CARGO) cc java mvn setsid flock go
