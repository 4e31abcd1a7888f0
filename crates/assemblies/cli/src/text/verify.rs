//! What verifying a backup found.

use views::verify::VerifyView;

use crate::human;
use crate::screen::{Colour, Paint};

pub fn text(report: &VerifyView, paint: &Paint) -> String {
    let verdict = match report.ok {
        true => paint.word(Colour::Green, "good"),
        false => paint.word(Colour::Red, "DAMAGED"),
    };
    let checked = &report.checked;
    let sstables = match checked.sstables {
        0 => String::new(),
        sstables => format!(" and {}", human::count(sstables, "SSTable")),
    };
    let part = match &report.sample {
        None => String::new(),
        Some(sample) => format!("part {} of {} of ", sample.part, sample.parts),
    };
    let mut text = format!(
        "{part}backup {}/{} is {verdict}: {}{sstables} checked at level {}, {} of data\n",
        report.cluster,
        report.backup,
        human::count(checked.objects, "object"),
        report.level,
        human::bytes(checked.bytes),
    );
    if let Some(sample) = &report.sample {
        text.push_str(&match sample.parts_read.zip(sample.parts_clean) {
            Some((_, clean)) if clean == sample.parts => {
                "all parts were read and were clean\n".to_owned()
            }
            Some((read, clean)) => {
                format!(
                    "{read} of {} parts were read so far, {clean} of them were clean\n",
                    sample.parts
                )
            }
            None => "the result could not be kept, so the part will be read again\n".to_owned(),
        });
    }
    for damage in &report.damage {
        let place = [
            damage.node.clone(),
            damage
                .keyspace
                .as_ref()
                .map(|keyspace| format!("{keyspace}.{}", damage.table.as_deref().unwrap_or("?"))),
            damage.sstable.clone(),
            damage.component.clone(),
        ];
        let place: Vec<String> = place.into_iter().flatten().collect();
        text.push_str(&format!("\n{}\n", place.join(" ")));
        if let Some(object) = &damage.object {
            text.push_str(&format!("    object {object}\n"));
        }
        text.push_str(&match damage.offset {
            Some(offset) => format!("    at byte {offset}: {}\n", damage.what),
            None => format!("    {}\n", damage.what),
        });
    }
    if !report.not_checked.is_empty() {
        text.push_str("\nnot checked, so neither known to be damaged nor to be sound:\n");
    }
    for part in &report.not_checked {
        let sstables = human::count(part.sstables, "SSTable");
        text.push_str(&format!("    {sstables}: {}\n", part.reason));
    }
    text
}
