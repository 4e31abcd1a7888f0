//! The S3 backend against a real MinIO, and against a fake of S3 for faults that MinIO does not have.

mod conformance;
mod copying;
mod dead;
mod fake;
mod faults;
mod headers;
mod kept;
mod left;
mod memory;
mod paced;
mod policy;
mod ranges;
mod resume;
mod server;
mod tls;
mod tokens;
mod uploads;
