//! What a server serves: the names and the descriptors of its services.

use api::Described;

/// The services of a server, for health checks and reflection.
#[derive(Debug, Clone, Default)]
pub struct Services {
    names: Vec<&'static str>,
    descriptors: Vec<&'static [u8]>,
}

impl Services {
    pub(crate) fn add<S: Described>(&mut self) {
        self.names.push(S::NAME);
        self.descriptors.push(S::DESCRIPTORS);
    }

    /// Their names on the wire.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Encoded descriptor sets, which may have files in common.
    pub(super) fn descriptors(&self) -> &[&'static [u8]] {
        &self.descriptors
    }
}
