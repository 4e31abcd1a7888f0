//! Chooses the tokens of a ring: balanced, irregular as real vnodes are, and the same again for the same name.

use crate::random::Random;

/// Tokens of each node. Every node gets one token out of each round of the ring, in an order of its own.
pub fn choose(cluster: &str, nodes: usize, num_tokens: usize) -> Vec<Vec<i64>> {
    let mut random = Random::named(cluster, 0);
    let count = (nodes * num_tokens) as u128;
    let width = (1u128 << 64) / count;
    let mut tokens = vec![Vec::with_capacity(num_tokens); nodes];
    for round in 0..num_tokens {
        let mut order: Vec<usize> = (0..nodes).collect();
        random.shuffle(&mut order);
        for (place, node) in order.into_iter().enumerate() {
            let slot = (round * nodes + place) as u128;
            // Within the middle half of its slot, so that no two tokens are near each other.
            let within = width / 4 + u128::from(random.draw()) % (width / 2);
            let position = slot * width + within;
            tokens[node].push((position as i128 + i128::from(i64::MIN)) as i64);
        }
    }
    tokens
}

/// As `initial_token` wants them. The ring of the random partitioner goes from 0 to 2^127: there each token stands for the same part
/// of the whole.
pub fn texts(tokens: &[i64], is_random: bool) -> Vec<String> {
    let above_minimum = |token: i64| token.abs_diff(i64::MIN);
    let text = |token: &i64| match is_random {
        true => (u128::from(above_minimum(*token)) << 63).to_string(),
        false => token.to_string(),
    };
    tokens.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tokens_are_distinct_and_repeatable_and_differ_by_name() {
        for (nodes, num_tokens) in [(1, 1), (1, 16), (3, 4), (6, 1), (20, 16)] {
            let ring = choose("demo", nodes, num_tokens);
            let all: BTreeSet<i64> = ring.iter().flatten().copied().collect();
            assert_eq!(all.len(), nodes * num_tokens);
            assert_eq!(ring, choose("demo", nodes, num_tokens));
            assert_ne!(ring, choose("other", nodes, num_tokens));
        }
    }

    #[test]
    fn a_token_stands_at_the_same_part_of_either_ring() {
        let tokens = [i64::MIN, 0, i64::MAX];
        assert_eq!(texts(&tokens, false)[1], "0");
        let half = (1_u128 << 126).to_string();
        let last = ((1_u128 << 127) - (1 << 63)).to_string();
        assert_eq!(texts(&tokens, true), ["0".to_owned(), half, last]);
    }
}
