//! The circle cut at every boundary of two rings: within a piece neither ring's replicas change.

use crate::Ring;
use crate::circle::Interval;

/// A piece that does not wrap, with the primary range of each ring that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) interval: Interval,
    pub(crate) source: usize,
    pub(crate) target: usize,
}

/// All pieces, ascending, from the minimum token to the ring's end. Empty if a ring has no tokens.
pub(crate) fn pieces(source: &Ring, target: &Ring) -> Vec<Piece> {
    let (sources, targets) = (&source.positions, &target.positions);
    if sources.is_empty() || targets.is_empty() {
        return Vec::new();
    }
    let end = source.circle.end();
    let mut pieces = Vec::with_capacity(sources.len() + targets.len() + 1);
    let (mut from, mut to, mut left) = (0, 0, 0);
    while left < end {
        let next = |positions: &[u128], at: usize| positions.get(at).copied().unwrap_or(end);
        let right = next(sources, from).min(next(targets, to));
        if left < right {
            pieces.push(Piece {
                interval: (left, right),
                source: from % sources.len(),
                target: to % targets.len(),
            });
        }
        // A token at the minimum ends the ring's last piece.
        from += usize::from(sources.get(from) == Some(&right));
        to += usize::from(targets.get(to) == Some(&right));
        left = right;
    }
    pieces
}
