//! Tokens as plain numbers: a ring's positions count up from the minimum token at 0, which is also where the ring ends.

use cassandra_tokens::{Partitioner, Token, TokenRange};

/// A token's place on the circle. 0 is the minimum token; [`Circle::end`] is the same place, reached from the other
/// side.
pub(crate) type Position = u128;

/// `(left, right]` with `left < right`: never wraps, and may end with the ring.
pub(crate) type Interval = (Position, Position);

/// A partitioner for which placement is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Circle {
    Murmur3,
    Random,
}

const RANDOM_MAX: u128 = 1 << 127;

impl Circle {
    pub(crate) fn for_partitioner(partitioner: &Partitioner) -> Option<Self> {
        match partitioner {
            Partitioner::Murmur3 => Some(Self::Murmur3),
            Partitioner::Random => Some(Self::Random),
            Partitioner::ByteOrdered | Partitioner::OrderPreserving | Partitioner::Local(_) => None,
        }
    }

    pub(crate) fn partitioner(self) -> Partitioner {
        match self {
            Self::Murmur3 => Partitioner::Murmur3,
            Self::Random => Partitioner::Random,
        }
    }

    /// One past the highest token.
    pub(crate) fn end(self) -> Position {
        match self {
            Self::Murmur3 => 1 << 64,
            Self::Random => RANDOM_MAX + 2,
        }
    }

    /// `None` for a token of another partitioner.
    pub(crate) fn position(self, token: &Token) -> Option<Position> {
        match (self, token) {
            (Self::Murmur3, Token::Murmur3(value)) => {
                Some(Position::from(value.abs_diff(i64::MIN)))
            }
            (Self::Random, Token::Random(None)) => Some(0),
            (Self::Random, Token::Random(Some(value))) if *value <= RANDOM_MAX => Some(value + 1),
            _ => None,
        }
    }

    /// The token at a position. The ring's end is the minimum token, as in [`TokenRange`].
    pub(crate) fn token(self, position: Position) -> Token {
        match self {
            Self::Murmur3 => Token::Murmur3(i64::MIN.wrapping_add(position as i64)),
            Self::Random if position == 0 || position == self.end() => Token::Random(None),
            Self::Random => Token::Random(Some(position - 1)),
        }
    }

    pub(crate) fn range(self, (left, right): Interval) -> TokenRange {
        TokenRange::new(self.token(left), self.token(right))
    }

    /// The interval of a range of a merged set, which wraps at most by ending with the ring. `None` for one of
    /// another partitioner.
    pub(crate) fn interval(self, range: &TokenRange) -> Option<Interval> {
        let right = match self.position(&range.right)? {
            0 => self.end(),
            right => right,
        };
        Some((self.position(&range.left)?, right))
    }

    pub(crate) fn fraction(self, (left, right): Interval) -> f64 {
        (right - left) as f64 / self.end() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_back_as_their_tokens_in_order() {
        let random = |value: u128| Token::Random(Some(value));
        for (circle, tokens) in [
            (
                Circle::Murmur3,
                [i64::MIN, -1, 0, 1, i64::MAX].map(Token::Murmur3).to_vec(),
            ),
            (
                Circle::Random,
                vec![
                    Token::Random(None),
                    random(0),
                    random(1),
                    random(RANDOM_MAX),
                ],
            ),
        ] {
            let positions: Vec<Position> = tokens
                .iter()
                .filter_map(|token| circle.position(token))
                .collect();
            assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
            assert_eq!(positions[0], 0);
            assert_eq!(positions[positions.len() - 1] + 1, circle.end());
            let back: Vec<Token> = positions.iter().map(|at| circle.token(*at)).collect();
            assert_eq!(back, tokens);
            assert!(circle.token(circle.end()).is_minimum());
        }
        assert_eq!(Circle::Random.position(&random(RANDOM_MAX + 1)), None);
        assert_eq!(Circle::Murmur3.position(&random(1)), None);
    }
}
