//! How much of an SSTable a set of ranges takes. Who plans and who downloads must decide the same, so both ask here.

use super::{Token, TokenRanges};

/// What of an SSTable belongs to a set of ranges, by its first and last token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cut {
    /// No token of the span is wanted: it is not taken.
    None,
    /// Every token of the span is wanted, its ends included: it is taken as it is.
    Whole,
    /// Some are wanted: it is sliced.
    Part,
}

impl TokenRanges {
    /// How an SSTable whose partitions have tokens from `first` to `last`, both included, is cut. Ends in the wrong order are
    /// taken as if they stood right.
    pub fn cut(&self, first: &Token, last: &Token) -> Cut {
        let (first, last) = (first.min(last), first.max(last));
        match self.intersects(first, last) {
            false => Cut::None,
            true if self.covers(first, last) => Cut::Whole,
            true => Cut::Part,
        }
    }
}
