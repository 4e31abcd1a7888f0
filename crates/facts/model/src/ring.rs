//! The ring: who owns which tokens, where.

use serde::{Deserialize, Serialize};

use crate::HostId;

/// A member of the ring, as system.local and system.peers show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingMember {
    pub host_id: HostId,
    pub address: String,
    pub datacenter: String,
    pub rack: String,
    /// Decimal, ascending as numbers.
    pub tokens: Vec<String>,
}

/// Orders decimal tokens as numbers, so that two views of one node compare equal.
pub fn sort_tokens(tokens: &mut [String]) {
    tokens.sort_by(|a, b| (place(a), a).cmp(&(place(b), b)));
}

/// The place of a token: first those below zero, then the others, last what is no number. The last token of
/// RandomPartitioner, 2^127, is beyond the signed numbers.
fn place(token: &str) -> (u8, u128) {
    match (token.parse::<i128>(), token.parse::<u128>()) {
        (Ok(number), _) if number < 0 => (0, u128::MAX - number.unsigned_abs()),
        (_, Ok(number)) => (1, number),
        _ => (2, 0),
    }
}

/// A hash over who owns what where. Two equal hashes mean that a plan made for one ring holds for the other.
pub fn fingerprint(ring: &[RingMember]) -> String {
    let mut lines: Vec<String> = ring
        .iter()
        .map(|member| {
            format!(
                "{}\t{}\t{}\t{}",
                member.host_id,
                member.datacenter,
                member.rack,
                member.tokens.join(",")
            )
        })
        .collect();
    lines.sort();
    blake3::hash(lines.join("\n").as_bytes())
        .to_hex()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_ordered_as_numbers_of_any_size() {
        let last = (1_u128 << 127).to_string();
        let mut tokens: Vec<String> = ["3", "bb", &last, "-1", "20", "aa", "-30", "0"]
            .map(str::to_owned)
            .into();
        sort_tokens(&mut tokens);
        assert_eq!(tokens, ["-30", "-1", "0", "3", "20", &last, "aa", "bb"]);
    }

    fn member(id: u128, rack: &str) -> RingMember {
        RingMember {
            host_id: HostId(uuid::Uuid::from_u128(id)),
            address: format!("127.0.0.{id}"),
            datacenter: "dc1".into(),
            rack: rack.into(),
            tokens: vec![id.to_string()],
        }
    }

    #[test]
    fn the_fingerprint_sees_racks_but_not_order_or_addresses() {
        let (a, b) = (member(1, "r1"), member(2, "r2"));
        let mut moved = b.clone();
        moved.address = "10.0.0.9".into();
        let first = fingerprint(&[a.clone(), b]);
        assert_eq!(first, fingerprint(&[moved, a.clone()]));
        assert_ne!(first, fingerprint(&[a, member(2, "r1")]));
    }

    #[test]
    fn tokens_sort_as_numbers() {
        let mut tokens: Vec<String> = ["10", "-5", "9"].map(String::from).into();
        sort_tokens(&mut tokens);
        assert_eq!(tokens, ["-5", "9", "10"]);
    }
}
