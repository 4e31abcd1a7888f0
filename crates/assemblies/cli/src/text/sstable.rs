//! SSTables as `ringkeep sstable` shows them.

use views::sstable::SstableView;

use crate::failure::Failure;
use crate::human;
use crate::screen::{Colour, Paint};

/// Success, or that something is damaged, or could not be read.
pub fn verdict(views: &[SstableView]) -> Result<(), Failure> {
    let damaged = views.iter().filter(|view| view.damaged).count();
    if damaged > 0 {
        return Err(Failure::DamagedSstables {
            damaged,
            of: views.len(),
        });
    }
    let failed = views.iter().filter(|view| view.error.is_some()).count();
    if failed > 0 {
        return Err(Failure::UnreadSstables {
            failed,
            of: views.len(),
        });
    }
    Ok(())
}

/// A line of "name: value" if there is a value.
fn line(text: &mut String, name: &str, value: Option<String>) {
    if let Some(value) = value {
        text.push_str(&format!("  {name:<14} {value}\n"));
    }
}

#[allow(clippy::ptr_arg)] // The screen's `result` gives what it was given.
pub fn inspect_text(views: &Vec<SstableView>, paint: &Paint) -> String {
    let shown: Vec<String> = views.iter().map(|view| facts_text(view, paint)).collect();
    shown.join("\n")
}

fn facts_text(view: &SstableView, paint: &Paint) -> String {
    let mut text = format!("{}  {}-{}\n", view.path, view.format, view.version);
    let table = view.keyspace.as_ref().zip(view.table.as_ref());
    line(
        &mut text,
        "table",
        table.map(|(keyspace, table)| format!("{keyspace}.{table}")),
    );
    line(&mut text, "data", data_text(view));
    line(&mut text, "partitioner", view.partitioner.clone());
    line(
        &mut text,
        "tokens",
        range(&view.first_token, &view.last_token),
    );
    line(&mut text, "keys", range(&view.first_key, &view.last_key));
    line(
        &mut text,
        "timestamps",
        range(
            &view.min_timestamp.map(|at| at.to_string()),
            &view.max_timestamp.map(|at| at.to_string()),
        ),
    );
    line(&mut text, "rows", view.rows.map(|rows| rows.to_string()));
    line(
        &mut text,
        "level",
        view.level.map(|level| level.to_string()),
    );
    let repaired = view.repaired_at.map(|at| match at {
        0 => "no".to_owned(),
        at => format!("at {at} ms"),
    });
    line(&mut text, "repaired", repaired);
    line(&mut text, "written by", view.originating_host_id.clone());
    line(
        &mut text,
        "digest",
        view.digest.map(|digest| digest.to_string()),
    );
    line(&mut text, "components", Some(view.components.join(" ")));
    if let Some(error) = &view.error {
        line(
            &mut text,
            &paint.word(Colour::Red, "error"),
            Some(error.clone()),
        );
    }
    text
}

fn data_text(view: &SstableView) -> Option<String> {
    let stored = human::bytes(view.data_bytes?);
    Some(match (&view.compressor, view.uncompressed_bytes) {
        (Some(compressor), Some(bytes)) => {
            format!(
                "{stored}, {} uncompressed, {compressor}",
                human::bytes(bytes)
            )
        }
        (None, Some(_)) => format!("{stored}, not compressed"),
        _ => stored,
    })
}

fn range(first: &Option<String>, last: &Option<String>) -> Option<String> {
    match (first, last) {
        (Some(first), Some(last)) => Some(format!("{first} to {last}")),
        _ => None,
    }
}

#[allow(clippy::ptr_arg)] // The screen's `result` gives what it was given.
pub fn verify_text(views: &Vec<SstableView>, paint: &Paint) -> String {
    let mut text = String::new();
    for view in views {
        let Some(verification) = &view.verification else {
            continue;
        };
        let verdict = match (verification.ok, view.damaged) {
            (true, _) => paint.word(Colour::Green, "ok"),
            (false, true) => paint.word(Colour::Red, "DAMAGED"),
            (false, false) => paint.word(Colour::Yellow, "NOT VERIFIED"),
        };
        text.push_str(&format!("{verdict}  {}\n", view.path));
        for damage in &verification.damage {
            let place = match damage.offset {
                Some(offset) => format!("{} at byte {offset}", damage.component),
                None => damage.component.clone(),
            };
            text.push_str(&format!("    {place}: {}\n", damage.what));
        }
        for warning in &verification.warnings {
            text.push_str(&format!("    note: {warning}\n"));
        }
        if let (Some(error), true) = (&view.error, verification.damage.is_empty()) {
            text.push_str(&format!("    {error}\n"));
        }
    }
    let bytes: u64 = views.iter().filter_map(|view| view.data_bytes).sum();
    let damaged = views.iter().filter(|view| view.damaged).count();
    text.push_str(&format!(
        "{}, {} of data, {} damaged\n",
        human::count(views.len() as u64, "SSTable"),
        human::bytes(bytes),
        damaged
    ));
    text
}
