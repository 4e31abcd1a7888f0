//! What a person agrees to with a plan, as a question.

use model::plan::{ShownPlan, ShownTable, TableAction};

use crate::wording;

/// Says what becomes of how many tables, and of how many of them the data is replaced.
pub fn question(plan: &ShownPlan) -> String {
    let count = |action: Option<TableAction>| {
        let alike = plan.tables.iter().filter(|table| table.action == action);
        alike.count() as u64
    };
    let known = |action| count(Some(action));
    let is_made = |table: &&ShownTable| table.missing && table.action == Some(TableAction::Swap);
    let made = plan.tables.iter().filter(is_made).count() as u64;
    let created = known(TableAction::Create) + made;
    let (emptied, recreated) = (known(TableAction::Truncate), known(TableAction::Recreate));
    let swapped = known(TableAction::Swap) - made;
    let (views, unknown) = (known(TableAction::RebuildView), count(None));
    let mut deeds = Vec::new();
    for (number, deed, noun) in [
        (created, "create", "table"),
        (emptied, "empty", "table"),
        (recreated, "drop and recreate", "table"),
        (swapped, "swap the files of", "table"),
        (views, "rebuild", "view"),
        (unknown, "change", "table"),
    ] {
        if number > 0 {
            deeds.push(format!("{deed} {}", of(number, noun)));
        }
    }
    if unknown > 0
        && let Some(change) = deeds.last_mut()
    {
        change.push_str(" (this release does not know how)");
    }
    let replaced = match emptied + recreated + swapped + unknown {
        0 => "no data that is there is replaced".to_owned(),
        tables => format!("the data of {} is replaced", of(tables, "table")),
    };
    format!(
        "{} in {}; {replaced}. Go on?",
        sentence(&deeds),
        plan.target
    )
}

fn of(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", wording::count(number))
}

/// `Create 1 table, empty 2 tables and rebuild 1 view`.
fn sentence(deeds: &[String]) -> String {
    let text = match deeds {
        [] => "restore nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(actions: &[Option<TableAction>], expected: &str) {
        let there = actions.iter().map(|action| (*action, false));
        check_all(&there.collect::<Vec<_>>(), expected);
    }

    /// With whether each table is missing.
    fn check_all(tables: &[(Option<TableAction>, bool)], expected: &str) {
        let tables = tables.iter().map(|(action, missing)| ShownTable {
            keyspace: "shop".into(),
            table: "orders".into(),
            source: None,
            source_id: None,
            target_id: None,
            action: *action,
            missing: *missing,
            bytes: 0,
        });
        let plan = ShownPlan {
            backup: "nightly".into(),
            cluster: "prod".into(),
            target: "prod".into(),
            mode: None,
            supported: true,
            findings: Vec::new(),
            nodes: Vec::new(),
            steps: Vec::new(),
            tables: tables.collect(),
            coverage: Vec::new(),
            schema_changes: Vec::new(),
            rewrites: Vec::new(),
            seconds: 0,
            number: 1,
        };
        assert_eq!(question(&plan), expected);
    }

    #[test]
    fn a_restore_of_new_tables_replaces_nothing() {
        check(
            &[Some(TableAction::Create), Some(TableAction::Create)],
            "Create 2 tables in prod; no data that is there is replaced. Go on?",
        );
        check(
            &[Some(TableAction::Create), Some(TableAction::RebuildView)],
            "Create 1 table and rebuild 1 view in prod; no data that is there is replaced. Go on?",
        );
    }

    #[test]
    fn what_makes_way_is_counted() {
        check(
            &[
                Some(TableAction::Create),
                Some(TableAction::Truncate),
                Some(TableAction::Truncate),
                Some(TableAction::Recreate),
            ],
            "Create 1 table, empty 2 tables and drop and recreate 1 table in prod; the data of 3 tables is replaced. Go on?",
        );
        check(
            &[Some(TableAction::Swap)],
            "Swap the files of 1 table in prod; the data of 1 table is replaced. Go on?",
        );
    }

    #[test]
    fn a_restore_in_place_replaces_nothing_of_tables_that_are_missing() {
        let (missing, there) = (
            (Some(TableAction::Swap), true),
            (Some(TableAction::Swap), false),
        );
        check_all(
            &[missing, missing],
            "Create 2 tables in prod; no data that is there is replaced. Go on?",
        );
        check_all(
            &[missing, there],
            "Create 1 table and swap the files of 1 table in prod; the data of 1 table is replaced. Go on?",
        );
    }

    #[test]
    fn what_is_not_known_counts_as_replaced() {
        check(
            &[None],
            "Change 1 table (this release does not know how) in prod; the data of 1 table is replaced. Go on?",
        );
    }
}
