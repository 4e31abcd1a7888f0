//! The bytes of a stream that are left, taken from the front.

use super::ReadError;
use crate::java::text;

/// Bytes that are left.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn byte(&mut self) -> Result<u8, ReadError> {
        Ok(self.fixed::<1>()?[0])
    }

    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(ReadError::Cut)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub fn int(&mut self) -> Result<i32, ReadError> {
        self.fixed().map(i32::from_be_bytes)
    }

    /// An `int` that counts.
    pub fn length(&mut self) -> Result<usize, ReadError> {
        usize::try_from(self.int()?).map_err(|_| ReadError::Cut)
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], ReadError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(ReadError::Cut)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A text with its length in two bytes.
    pub fn text(&mut self) -> Result<String, ReadError> {
        let length = usize::from(u16::from_be_bytes(self.fixed()?));
        self.text_of(length)
    }

    /// A text with its length in eight bytes.
    pub fn long_text(&mut self) -> Result<String, ReadError> {
        let length = i64::from_be_bytes(self.fixed()?);
        self.text_of(usize::try_from(length).map_err(|_| ReadError::Cut)?)
    }

    fn text_of(&mut self, length: usize) -> Result<String, ReadError> {
        text::decode(self.take(length)?).ok_or(ReadError::Text)
    }
}
