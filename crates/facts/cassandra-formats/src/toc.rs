//! TOC.txt: the names of an SSTable's components, one on each line.

use crate::TOC;
use crate::error::Damage;

/// The names in the order of the file, each once: Cassandra appends to the file, so a name may be in it twice.
pub fn parse_toc(bytes: &[u8]) -> Result<Vec<String>, Damage> {
    let mut names: Vec<String> = Vec::new();
    let mut offset = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if !line.ends_with(b"\n") {
            return Err(Damage::at(TOC, offset, "the last line is not finished"));
        }
        let name = line.trim_ascii_end();
        if !is_component(name) {
            let what = format!("`{}` is not a component's name", name.escape_ascii());
            return Err(Damage::at(TOC, offset, what));
        }
        let name: String = name.iter().copied().map(char::from).collect();
        if !names.contains(&name) {
            names.push(name);
        }
        offset += line.len() as u64;
    }
    if names.is_empty() {
        return Err(Damage::whole(TOC, "no component is named"));
    }
    Ok(names)
}

/// The whole component for these names, in their order.
pub fn encode_toc<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut out = Vec::new();
    for name in names {
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out
}

/// Whether a name can be the part of a file name behind the third hyphen.
fn is_component(name: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &str, expected: Result<&[&str], u64>) {
        let found = parse_toc(bytes.as_bytes()).map_err(|damage| damage.offset.unwrap_or(0));
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(found, expected, "{bytes:?}");
    }

    #[test]
    fn each_line_names_a_component() {
        check("Data.db\nTOC.txt\n", Ok(&["Data.db", "TOC.txt"]));
        check("Data.db\r\nTOC.txt\r\n", Ok(&["Data.db", "TOC.txt"]));
        check(
            "SAI+aa+i_1+Meta.db\nData.db\nData.db\n",
            Ok(&["SAI+aa+i_1+Meta.db", "Data.db"]),
        );
        check(
            "Data.db\nSAI+db+GroupMeta.db\nSAI+db+one_v+PQ.db\n",
            Ok(&["Data.db", "SAI+db+GroupMeta.db", "SAI+db+one_v+PQ.db"]),
        );
    }

    #[test]
    fn what_is_cut_or_garbled_is_damage_at_its_line() {
        check("", Err(0));
        check("Data.db\nTOC.t", Err(8));
        check("Data.db\n\n", Err(8));
        check("Data.db\nTO\u{fe}C.txt\n", Err(8));
        check("../Data.db\n", Err(0));
    }

    #[test]
    fn names_read_back_as_written() {
        let names = ["Data.db", "Index.db", "TOC.txt"];
        assert_eq!(parse_toc(&encode_toc(names)).expect("whole"), names);
    }
}
