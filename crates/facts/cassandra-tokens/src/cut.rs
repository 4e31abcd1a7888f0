//! How much of an SSTable a set of ranges takes. Planner and agents must decide the same, so both decide it here.

use super::{Token, TokenRanges};

/// How much of an SSTable belongs to a set of ranges, by its first and last token.
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
    /// How an SSTable whose partitions have tokens from `first` to `last`, both included, is cut. Ends in the wrong
    /// order are swapped first.
    pub fn cut(&self, first: &Token, last: &Token) -> Cut {
        let (first, last) = (first.min(last), first.max(last));
        if !self.intersects(first, last) {
            Cut::None
        } else if self.covers(first, last) {
            Cut::Whole
        } else {
            Cut::Part
        }
    }
}
