//! Which backup the nodes of a full backup may copy unchanged objects from.
//!
//! It is not pinned: an agent copies what is there, and uploads the rest. So the choice decides about cost alone, and a
//! backup is begun without one if it cannot be made in time.

use std::time::Duration;

use api::convert::ConversionError;
use api::pb::storage_catalog::BackupSummary;
use model::manifest::{BackupKind, Intent};
use model::{BackupName, BackupRef, Covers, Selection};
use retention::{Backup, Standing};

use crate::catalog::Catalog;

/// How long a backup waits for the choice. What was read by then is remembered, so that the next one gets further.
const CHOICE_WITHIN: Duration = Duration::from_secs(10);

impl Catalog {
    /// The newest complete backup of the cluster in which no verification has found damage, preferably one that covers what
    /// the new one will; none for a differential.
    pub async fn copy_source(&self, intent: &Intent) -> Option<BackupName> {
        if intent.kind != BackupKind::Full {
            return None;
        }
        let BackupRef { cluster, .. } = &intent.backup;
        let listed = tokio::time::timeout(CHOICE_WITHIN, self.list(Some(cluster))).await;
        let backup = &intent.backup;
        match listed {
            Ok(Ok(listed)) => choose(&listed, &intent.selection),
            Ok(Err(error)) => {
                let error = api::error::chain(&error);
                tracing::warn!(%backup, error, "everything is uploaded: no backup to copy from was found");
                None
            }
            Err(_) => {
                tracing::warn!(%backup, "everything is uploaded: no backup to copy from was found in time");
                None
            }
        }
    }
}

/// Of backups that are listed newest first. A copy of damage would be damage: a backup is a source only if retention counts it
/// as good, with regard to all that it shares files with and to all that it was copied from.
fn choose(listed: &[BackupSummary], selection: &Selection) -> Option<BackupName> {
    let known: Result<Vec<Backup>, _> = listed.iter().map(judged).collect();
    let known = known
        .inspect_err(
            |error| tracing::warn!(%error, "everything is uploaded: a backup cannot be judged"),
        )
        .ok()?;
    let standings = retention::standings(&known);
    let covers = |summary: &BackupSummary| {
        let covers = summary.covers.clone();
        covers
            .and_then(|covers| Covers::try_from(covers).ok())
            .is_some_and(|covers| {
                let held = covers.selection();
                held.is_everything() || held == Covers::new(selection, Vec::new()).selection()
            })
    };
    let listed = listed.iter().zip(&known).zip(standings);
    let mut sound = listed.filter(|(_, standing)| *standing == Standing::Good);
    let newest = sound.clone().next();
    let chosen = sound.find(|((summary, _), _)| covers(summary)).or(newest);
    chosen.map(|((_, backup), _)| backup.name.clone())
}

fn judged(summary: &BackupSummary) -> Result<Backup, ConversionError> {
    let summary = model::BackupSummary::try_from(summary.clone())?;
    Ok(Backup::from(&summary))
}

#[cfg(test)]
mod tests {
    use api::pb::storage_catalog::{BackupState, VerifyLevel};
    use model::TableRef;

    use super::*;

    fn summary(name: &str, base: &str, state: BackupState, keyspaces: &[&str]) -> BackupSummary {
        let selection = Selection {
            keyspaces: keyspaces.iter().map(|name| (*name).to_owned()).collect(),
            tables: Vec::new(),
        };
        let backup = BackupRef {
            cluster: "c".parse().expect("a name"),
            name: name.parse().expect("a name"),
        };
        BackupSummary {
            backup: Some(backup.into()),
            base: base.to_owned(),
            started_at: "2026-11-22T10:00:00.000Z".to_owned(),
            state: state as i32,
            covers: Some(Covers::new(&selection, Vec::new()).into()),
            ..BackupSummary::default()
        }
    }

    fn chosen(listed: &[BackupSummary], selection: &Selection) -> Option<String> {
        choose(listed, selection).map(String::from)
    }

    #[test]
    fn the_newest_is_chosen_that_is_complete_and_covers_what_is_backed_up() {
        use BackupState::{Complete, Deleting, Failed, Running, Unreadable};
        let everything = Selection::default();
        let listed = [
            summary("running", "", Running, &[]),
            summary("failed", "", Failed, &[]),
            summary("unreadable", "", Unreadable, &[]),
            summary("deleting", "", Deleting, &[]),
            summary("shop", "", Complete, &["shop"]),
            summary("newest", "full", Complete, &[]),
            summary("full", "", Complete, &[]),
        ];
        assert_eq!(chosen(&listed, &everything).as_deref(), Some("newest"));
        let shop = Selection {
            keyspaces: vec!["shop".to_owned()],
            tables: Vec::new(),
        };
        assert_eq!(chosen(&listed, &shop).as_deref(), Some("shop"));
        // Better a part than nothing.
        assert_eq!(chosen(&listed[..5], &everything).as_deref(), Some("shop"));
        let table = Selection {
            keyspaces: Vec::new(),
            tables: vec![TableRef::new("shop", "orders")],
        };
        assert_eq!(chosen(&listed[..5], &table).as_deref(), Some("shop"));
        assert_eq!(chosen(&listed[..4], &everything), None);
    }

    #[test]
    fn damage_that_a_verification_has_found_is_not_copied() {
        let mut listed = [
            summary("differential", "full", BackupState::Complete, &[]),
            summary("full", "", BackupState::Complete, &[]),
            summary("older", "", BackupState::Complete, &[]),
        ];
        let everything = Selection::default();
        // What the differential has may be in the base, and the other way round.
        for damaged in [0, 1] {
            let mut listed = listed.clone();
            listed[damaged].damage_found = 1;
            assert_eq!(chosen(&listed, &everything).as_deref(), Some("older"));
        }
        listed[0].damage_found = 1;
        // Of what descends from the base there may be more.
        listed[2].copied_from.push("full".to_owned());
        assert_eq!(chosen(&listed, &everything), None);
        listed[0].damage_found_at = "2026-11-23T10:00:00.000Z".to_owned();
        listed[0].damage_level = VerifyLevel::Objects as i32;
        listed[2].read_clean_at = "2026-11-24T10:00:00.000Z".to_owned();
        assert_eq!(chosen(&listed, &everything).as_deref(), Some("older"));
    }
}
