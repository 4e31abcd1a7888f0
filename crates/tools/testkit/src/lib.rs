//! What tests of several rooms share; never a dependency of anything that ships.

pub mod certificates;
pub mod eventually;
pub mod proxy;
pub mod sample;

use tonic::transport::Channel;

pub use certificates::{Authority, PemFiles};
pub use eventually::eventually;
pub use proxy::TcpProxy;

/// A folder that is gone at the end of the test.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("tests can make folders")
}

/// One service in this process, and a channel to it through the layers that it has over TCP.
pub fn in_memory(app: chassis::App) -> Channel {
    chassis::in_memory(app.into_parts().0)
}
