//! For fuzzing: reads what a server may have sent.

/// Reads the bytes as a reply, and all that a caller could ask of it.
pub fn read_reply(bytes: &[u8]) {
    if let Ok(reply) = crate::rmi::read_reply(bytes) {
        let _ = (reply.text(), reply.bool(), reply.int());
        let _ = (reply.texts(), reply.maps());
    }
}
