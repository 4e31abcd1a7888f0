//! How each course of events begins, and what must be so in its end.

use std::collections::BTreeSet;

use blob_store::BlobStore;
use bucket::keys;
use bytes::Bytes;
use model::BackupState;

use super::acts::{FLOOR, abandon, begin, collect, delete, list, make, upload};
use super::scene::{Scene, backup, base_of, needs};
use crate::catalog::Catalog;
use crate::delete::Request;

/// Two full backups, a differential, one whose task is dead, one that was given up, and what arrived late.
pub async fn prepare(scene: &Scene) {
    let catalog = &scene.catalogs[0];
    let made = ["f1", "f2", "d1.f1"];
    for name in made {
        make(scene, catalog, name).await;
    }
    assert_eq!(scene.oracle().wanted().len(), made.len());
    abandon(scene, catalog, "failed").await;
    begin(scene, catalog, "dead").await.expect("begins");
    upload(scene, "dead").await;
    let late = format!("{}late", keys::data(&backup("gone")));
    let put = scene.store.put(&late, Bytes::from_static(b"late")).await;
    put.expect("put");
}

/// Finds everything as it must be, removes what tasks have left that are dead, and collects: nothing else stays.
pub async fn end(scene: &Scene) {
    scene.store.all_arrive().await.expect("deletes");
    let catalog = &scene.catalogs[1];
    check_complete(scene, catalog).await;
    check_floor(scene);
    release_all(scene).await;
    for summary in list(catalog).await.expect("a list") {
        let is_left = matches!(
            summary.state,
            Some(BackupState::Running | BackupState::Deleting)
        );
        if is_left {
            let request = Request {
                even_if_running: true,
                earlier_are_dead: true,
                ..Request::default()
            };
            delete(scene, catalog, summary.backup.name.as_str(), request).await;
        }
    }
    collect(catalog).await;
    check_complete(scene, catalog).await;
    let left = catalog.garbage(None).await.expect("a list");
    assert_eq!(left, [], "not collected");
    check_nothing_else(scene);
}

async fn release_all(scene: &Scene) {
    scene.oracle().all_release();
    for key in scene.store.memory.keys() {
        if key.contains("/pins/") {
            scene.store.delete(&key).await.expect("released");
        }
    }
}

/// What can be restored is whole, what is wanted can be restored, and what is shown as complete is so.
async fn check_complete(scene: &Scene, catalog: &Catalog) {
    let listed = list(catalog).await.expect("a list");
    let listed = listed.into_iter();
    let shown = listed.filter(|summary| summary.state == Some(BackupState::Complete));
    let shown: Vec<String> = shown.map(|it| it.backup.name.to_string()).collect();
    let all: BTreeSet<String> = scene.store.memory.keys().into_iter().collect();
    let oracle = scene.oracle();
    let alive = oracle.alive();
    for name in &alive {
        let missing = needs(name).into_iter().find(|key| !all.contains(key));
        assert_eq!(missing, None, "{name} can be restored without it");
        let has_base = base_of(name).is_none_or(|base| alive.contains(&base));
        assert!(has_base, "{name} has lost its base");
    }
    for name in oracle.wanted() {
        assert!(alive.contains(&name), "{name} was complete and is lost");
        let is_shown = shown.iter().any(|shown| shown == name);
        assert!(is_shown, "{name} is not shown as complete");
    }
    for name in &shown {
        assert!(
            alive.contains(&name.as_str()),
            "{name} is shown as complete"
        );
    }
}

/// Retention leaves as many backups as its floor; each deletion by name takes one more at most.
fn check_floor(scene: &Scene) {
    let oracle = scene.oracle();
    let alive = oracle.alive();
    let by_name = oracle.gone_by_name();
    assert!(
        alive.len() + by_name >= FLOOR as usize,
        "{alive:?} are left, and {by_name} were deleted by name"
    );
}

/// Every object is of a backup that can be restored, or of none by its nature.
fn check_nothing_else(scene: &Scene) {
    let oracle = scene.oracle();
    let alive = oracle.alive();
    let needed: BTreeSet<String> = alive.iter().flat_map(|name| needs(name)).collect();
    let is_beside = |name: &&str, key: &str| {
        let backup = backup(name);
        let documents = [
            keys::backup_manifest(&backup),
            keys::intent(&backup),
            keys::failure(&backup),
        ];
        documents.iter().any(|document| document == key)
            || key.starts_with(&keys::samples(&backup))
            || key.starts_with(&keys::verifications(&backup))
    };
    let is_buried = |name: &&str, key: &str| key == keys::tombstone(&backup(name));
    for key in scene.store.memory.keys() {
        let is_fixed = key.ends_with("README.txt") || key.contains("/probes/");
        // A deletion whose mark was taken back may still bury the name, and deletes nothing then.
        let was_not_to_go = |name: &&str| !oracle.is_doomed(name);
        let mut kept = alive.iter().filter(|name| was_not_to_go(name));
        let is_tombstone = key.contains("/tombstones/") && !kept.any(|name| is_buried(name, &key));
        let is_of_alive = alive.iter().any(|name| is_beside(name, &key));
        assert!(
            needed.contains(&key) || is_of_alive || is_fixed || is_tombstone,
            "`{key}` is left of nothing"
        );
    }
}
