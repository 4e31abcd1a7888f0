//! Rewrites options that the target's release refuses or has under another name.

use cassandra_versions::Release;

use super::Rewrite;
use crate::normal::is_default;
use crate::option::{Literal, OptionValue, Options};

/// A rewriting, with the CQL before and after it.
type Done = (Rewrite, String, String);

/// Only safe rewritings, which are always done.
pub(super) fn rewrite(options: &mut Options, release: &Release) -> Vec<Done> {
    let mut done = Vec::new();
    rename_compression(options, &mut done);
    move_crc_check_chance(options, &mut done);
    let refused: Vec<String> = options
        .iter()
        .filter(|(name, value)| !accepts(name, value, release))
        .map(|(name, _)| name.clone())
        .collect();
    for name in refused {
        if let Some(value) = options.remove(&name) {
            let rewrite = match name.as_str() {
                "memtable" if !is_default(&name, &value) => Rewrite::DropMemtable,
                _ => Rewrite::DropOption,
            };
            done.push((rewrite, format!("{name} = {value}"), String::new()));
        }
    }
    done
}

fn accepts(name: &str, value: &OptionValue, release: &Release) -> bool {
    let is_map = value.as_map().is_some();
    match name {
        "memtable" => is_map == release.has_memtable_maps() && release.accepts_table_option(name),
        _ => release.accepts_table_option(name),
    }
}

/// Every known release line understands the present names.
fn rename_compression(options: &mut Options, done: &mut Vec<Done>) {
    let Some(value) = options.get_mut("compression") else {
        return;
    };
    let before = value.to_string();
    let OptionValue::Map(map) = value else {
        return;
    };
    for (old, new) in [
        ("sstable_compression", "class"),
        ("chunk_length_kb", "chunk_length_in_kb"),
    ] {
        if let Some(found) = map.remove(old) {
            map.entry(new.to_owned()).or_insert(found);
        }
    }
    // An empty class is the old way to turn compression off.
    if map.get("class").map(Literal::content) == Some("") {
        map.retain(|key, _| key == "crc_check_chance");
        map.insert("enabled".to_owned(), Literal::text("false"));
    }
    let after = value.to_string();
    if before != after {
        let line = |value: &str| format!("compression = {value}");
        done.push((Rewrite::RenameCompression, line(&before), line(&after)));
    }
}

fn move_crc_check_chance(options: &mut Options, done: &mut Vec<Done>) {
    let Some(OptionValue::Map(map)) = options.get_mut("compression") else {
        return;
    };
    let Some(check) = map.remove("crc_check_chance") else {
        return;
    };
    let before = format!("compression = {{'crc_check_chance': {check}}}");
    let value = OptionValue::bare(check.content());
    let value = options
        .entry("crc_check_chance".to_owned())
        .or_insert(value);
    let after = format!("crc_check_chance = {value}");
    done.push((Rewrite::MoveCrcCheckChance, before, after));
}
