//! What each process of Ringkeep needs besides its own work: settings, telemetry, a gRPC server, TLS, a graceful end, long
//! work as a stream of progress, locks by name, messages to webhooks.
//!
//! A service's `main.rs` hands its arguments and a `build` function to [`run_main`]; standalone and tests use the same
//! parts one by one. Nothing here knows a service: each brings its name and its descriptors.

mod certificate;
pub mod config;
mod locks;
pub mod prometheus;
mod run;
pub mod server;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
pub mod webhook;
pub mod work;

pub use config::{ConfigArgs, ConfigError};
pub use locks::Locks;
pub use run::{App, Context, ProcessConfig, run_main, run_with};
pub use server::{CallerRoles, ServerConfig, Services, in_memory};
pub use telemetry::TelemetryConfig;
pub use tls::{ClientTlsSettings, Dialer};
