//! The CRC32C that the store checks before it accepts an object.

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};

use crate::twice::PartSum;

#[derive(Clone)]
pub struct Crc32c(Digest);

impl Default for Crc32c {
    fn default() -> Self {
        Self(Digest::new(CrcAlgorithm::Crc32Iscsi))
    }
}

impl PartSum for Crc32c {
    type Sum = u64;

    fn pass(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn end(self) -> u64 {
        self.0.finalize()
    }
}

impl Crc32c {
    /// As the store writes it: base64 of four bytes, the highest first.
    pub fn encoded(&self) -> String {
        let sum = self.clone().end().to_be_bytes();
        aws_smithy_types::base64::encode(&sum[4..])
    }

    /// Goes on with bytes, beside the async threads.
    pub async fn after(self, bytes: &Bytes) -> Self {
        let pass = |mut sum: Self, bytes: Bytes| {
            sum.pass(&bytes);
            sum
        };
        let (before, chunk) = (self.clone(), bytes.clone());
        match tokio::task::spawn_blocking(move || pass(before, chunk)).await {
            Ok(sum) => sum,
            // The runtime is ending.
            Err(_) => pass(self, bytes.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_crc32c_in_the_order_of_the_store() {
        let mut sum = Crc32c::default();
        sum.pass(b"1234");
        sum.pass(b"56789");
        // The check value of CRC-32C, 0xE3069283.
        assert_eq!(sum.encoded(), "4waSgw==");
        assert_eq!(Crc32c::default().encoded(), "AAAAAA==");
    }
}
