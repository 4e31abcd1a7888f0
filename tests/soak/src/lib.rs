//! Long matrices on real clusters: every release, every step at which a process can be killed, every shape of ring.
//!
//! `make soak` runs them; `make test` runs a part of each in `tests/e2e` and leaves the rest to here.
