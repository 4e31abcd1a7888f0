//! The normal form of options: present names, and none that has its default.

use std::collections::BTreeMap;

use super::class::{COMPACTION, COMPRESSION, simple_class};
use crate::option::{Literal, OptionValue, Options};

type Map = BTreeMap<String, Literal>;

/// The defaults that all release lines share. Options whose default differs between release lines, such as
/// `chunk_length_in_kb`, are not listed.
const DEFAULTS: &[(&str, &str)] = &[
    ("additional_write_policy", "99p"),
    ("allow_auto_snapshot", "true"),
    ("cdc", "false"),
    ("comment", ""),
    ("crc_check_chance", "1"),
    ("dclocal_read_repair_chance", "0.1"),
    ("default_time_to_live", "0"),
    ("gc_grace_seconds", "864000"),
    ("incremental_backups", "true"),
    ("max_index_interval", "2048"),
    ("memtable", "default"),
    ("memtable_flush_period_in_ms", "0"),
    ("min_index_interval", "128"),
    ("read_repair", "blocking"),
    ("read_repair_chance", "0"),
    ("speculative_retry", "99p"),
];

const NUMBERS: &[&str] = &[
    "bloom_filter_fp_chance",
    "crc_check_chance",
    "dclocal_read_repair_chance",
    "default_time_to_live",
    "gc_grace_seconds",
    "max_index_interval",
    "memtable_flush_period_in_ms",
    "min_index_interval",
    "read_repair_chance",
];

/// Options whose text means the same in upper and lower case.
const WORDS: &[&str] = &[
    "allow_auto_snapshot",
    "cdc",
    "incremental_backups",
    "read_repair",
];

const SIZE_TIERED: &str = "SizeTieredCompactionStrategy";

pub(crate) fn normal_options(options: &Options) -> Options {
    let mut normal: Options = options
        .iter()
        .map(|(name, value)| (name.clone(), normal_value(name, value)))
        .collect();
    lift_crc_check_chance(&mut normal);
    normal.retain(|name, value| !is_default(name, value));
    normal
}

/// The options of a table or view. The default of the Bloom filter depends on the compaction strategy that the table
/// was created with, and does not follow it later, so it is always written.
pub(crate) fn normal_table_options(options: &Options) -> Options {
    let mut normal = normal_options(options);
    let bloom = bloom_default(&compaction_class(&normal));
    normal
        .entry("bloom_filter_fp_chance".to_owned())
        .or_insert_with(|| OptionValue::text(bloom));
    normal
}

/// The value that sets an option to its default.
pub(crate) fn default_of(name: &str) -> Option<OptionValue> {
    match name {
        "caching" => Some(OptionValue::Map(caching(&Map::new()))),
        "extensions" => Some(OptionValue::Map(Map::new())),
        "compaction" => Some(OptionValue::map([("class", SIZE_TIERED)])),
        // Cassandra also accepts text for a number or a word.
        _ => DEFAULTS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, default)| OptionValue::text(*default)),
    }
}

fn normal_value(name: &str, value: &OptionValue) -> OptionValue {
    match value {
        OptionValue::Literal(literal) => OptionValue::text(normal_literal(name, literal)),
        OptionValue::Map(map) => OptionValue::Map(match name {
            "compression" => compression(map),
            "compaction" => compaction(map),
            "caching" => caching(map),
            _ => texts(map),
        }),
        OptionValue::Raw(text) => OptionValue::Raw(text.clone()),
    }
}

fn normal_literal(name: &str, literal: &Literal) -> String {
    let content = literal.content();
    match name {
        "speculative_retry" | "additional_write_policy" => retry(content),
        _ if NUMBERS.contains(&name) => number(content),
        _ if WORDS.contains(&name) => content.to_lowercase(),
        _ => plain(literal),
    }
}

/// Bare words mean the same in any case; text in quotes does not.
fn plain(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => text.clone(),
        Literal::Bare(text) => text.to_lowercase(),
    }
}

fn texts(map: &Map) -> Map {
    let texts = map.iter();
    texts
        .map(|(key, value)| (key.clone(), Literal::Text(plain(value))))
        .collect()
}

/// `0.10` is `0.1`, and `1.0` is `1`; a text that is not a number stays as it is.
fn number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => number.to_string(),
        _ => text.to_owned(),
    }
}

/// `99PERCENTILE` of 3.11 is `99p` of 4.0, and `NONE` is `NEVER`.
fn retry(text: &str) -> String {
    let text = text.to_lowercase();
    let percentile = text.strip_suffix("percentile").or(text.strip_suffix('p'));
    if let Some(percentile) = percentile.filter(|rest| rest.parse::<f64>().is_ok()) {
        return format!("{}p", number(percentile));
    }
    match text.strip_suffix("ms") {
        Some(millis) if millis.parse::<f64>().is_ok() => format!("{}ms", number(millis)),
        _ if text == "none" => "never".to_owned(),
        _ => text.replace(' ', ""),
    }
}

fn compression(map: &Map) -> Map {
    let mut map = texts(map);
    for (old, new) in [
        ("sstable_compression", "class"),
        ("chunk_length_kb", "chunk_length_in_kb"),
    ] {
        if let Some(value) = map.remove(old) {
            map.entry(new.to_owned()).or_insert(value);
        }
    }
    let content = |key: &str| map.get(key).map(Literal::content);
    let is_off = content("enabled").is_some_and(|text| text.eq_ignore_ascii_case("false"))
        || content("class") == Some("");
    if is_off {
        let check = map.remove("crc_check_chance");
        let mut off = Map::from([("enabled".to_owned(), Literal::text("false"))]);
        off.extend(check.map(|check| ("crc_check_chance".to_owned(), check)));
        return off;
    }
    map.remove("enabled");
    shorten_class(&mut map, COMPRESSION);
    let is_none = |ratio: &Literal| number(ratio.content()) == "0";
    if map.get("min_compress_ratio").is_some_and(is_none) {
        map.remove("min_compress_ratio");
    }
    map
}

/// Cassandra 3.0 has `crc_check_chance` among the compression options.
fn lift_crc_check_chance(options: &mut Options) {
    let Some(OptionValue::Map(map)) = options.get_mut("compression") else {
        return;
    };
    if let Some(check) = map.remove("crc_check_chance") {
        let check = OptionValue::text(number(check.content()));
        options
            .entry("crc_check_chance".to_owned())
            .or_insert(check);
    }
}

fn compaction(map: &Map) -> Map {
    let mut map = texts(map);
    shorten_class(&mut map, COMPACTION);
    for (key, default) in [
        ("max_threshold", "32"),
        ("min_threshold", "4"),
        ("enabled", "true"),
    ] {
        if map.get(key).is_some_and(|value| value.content() == default) {
            map.remove(key);
        }
    }
    map
}

fn shorten_class(map: &mut Map, package: &str) {
    if let Some(class) = map.get_mut("class") {
        *class = Literal::text(simple_class(class.content(), package));
    }
}

fn caching(map: &Map) -> Map {
    let mut full = Map::from([
        ("keys".to_owned(), Literal::text("ALL")),
        ("rows_per_partition".to_owned(), Literal::text("NONE")),
    ]);
    for (key, value) in map {
        full.insert(key.clone(), Literal::text(value.content().to_uppercase()));
    }
    full
}

fn compaction_class(options: &Options) -> String {
    let class = crate::option::entry(options, "compaction", "class");
    simple_class(class.unwrap_or(SIZE_TIERED), COMPACTION).to_owned()
}

fn bloom_default(compaction: &str) -> &'static str {
    match compaction {
        "LeveledCompactionStrategy" => "0.1",
        _ => "0.01",
    }
}

/// Whether a value in its normal form is the option's default.
pub(crate) fn is_default(name: &str, value: &OptionValue) -> bool {
    let default = match (name, value) {
        ("extensions" | "memtable", OptionValue::Map(map)) => return map.is_empty(),
        ("caching", OptionValue::Map(map)) => return *map == caching(&Map::new()),
        ("compaction", OptionValue::Map(map)) => {
            let class = map.get("class").map(Literal::content);
            return map.len() == 1 && class == Some(SIZE_TIERED);
        }
        _ => match DEFAULTS.iter().find(|(known, _)| *known == name) {
            Some((_, default)) => default,
            None => return false,
        },
    };
    value
        .as_literal()
        .is_some_and(|literal| literal.content() == *default)
}
