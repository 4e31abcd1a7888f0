//! The backends of Azure and Google Cloud Storage against emulators, and against a fake for faults that those do not
//! have.

mod azure;
mod azure_faults;
mod azure_replies;
#[allow(dead_code, reason = "half of it is about S3")]
#[path = "../s3/fake.rs"]
mod fake;
mod gcs;
mod gcs_faults;
mod gcs_replies;
mod server;
