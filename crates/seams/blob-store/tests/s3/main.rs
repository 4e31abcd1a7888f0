//! The S3 backend against a real MinIO.

mod conformance;
mod faults;
mod server;
mod tls;
