# The front door. Everything real is in Rust: `cargo run -p lab -- doctor` says what a machine lacks.

CARGO ?= cargo
# One profile for demo and tests, so that a fresh machine builds once.
BIN := target/debug

.PHONY: help
help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: doctor build ## Back up a real Cassandra 5.0, break it, bring it back, prove it
	@$(BIN)/demo

.PHONY: test
test: doctor ## Every test of the project, real Cassandra and S3 included
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) build --workspace --bins
	$(BIN)/lab fetch 5.0 4.1 4.0 3.11 minio grpcurl
	$(CARGO) test --workspace --exclude e2e
	$(CARGO) test -p e2e -- --test-threads=1

.PHONY: unit
unit: ## The tests that need neither Cassandra nor S3 nor the network
	$(CARGO) test --workspace --exclude e2e --exclude lab

.PHONY: build
build:
	$(CARGO) build --workspace --bins

.PHONY: doctor
doctor:
	@command -v $(CARGO) >/dev/null || { echo "cargo is missing: install Rust with rustup, then run this again" >&2; exit 1; }
	@$(CARGO) run --quiet -p lab -- doctor

.PHONY: fmt
fmt: ## Format everything
	$(CARGO) fmt --all
