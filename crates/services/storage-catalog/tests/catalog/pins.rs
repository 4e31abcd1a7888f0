//! Pins.

use std::sync::Arc;

use api::pb::storage_catalog::BackupState;
use blob_store::BlobStore;
use blob_store::testing::{Gate, Stop};
use bucket::keys;
use jiff::Timestamp;

use crate::world::{World, backup, memory_world, refused, task};

#[tokio::test]
async fn a_pinned_backup_is_not_deleted_until_it_is_released() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    for _ in 0..2 {
        world.pin("f1", task(7)).await.expect("pins");
    }
    let error = refused(world.delete("f1").await, "BACKUP_PINNED");
    assert!(error.message.contains(&task(7).to_string()), "{error}");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
    for _ in 0..2 {
        world.unpin("f1", task(7)).await.expect("releases");
    }
    world.delete("f1").await.expect("deletes");
}

#[tokio::test]
async fn only_a_complete_backup_can_be_pinned() {
    let (memory, world) = memory_world();
    refused(world.pin("nothing", task(1)).await, "BACKUP_NOT_FOUND");
    world.begin("r1", None, task(1)).await.expect("begins");
    refused(world.pin("r1", task(2)).await, "BACKUP_NOT_COMPLETE");
    assert!(!memory.keys().iter().any(|key| key.contains("/pins/")));
}

#[tokio::test]
async fn a_backup_that_is_being_deleted_is_not_pinned_and_no_pin_stays_behind() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let mark = keys::deletion_mark(&backup("f1"), 1, &uuid::Uuid::from_u128(1));
    world.put(&mark, "a mark").await;
    refused(world.pin("f1", task(2)).await, "BACKUP_DELETING");
    assert!(!memory.keys().iter().any(|key| key.contains("/pins/")));
    refused(world.get("f1").await, "BACKUP_DELETING");
    assert_eq!(world.state("f1").await, Some(BackupState::Deleting));
}

#[tokio::test]
async fn a_pin_of_an_earlier_try_does_not_outlive_its_backup() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    // The first try's reply is lost, and the backup is gone before the second one looks.
    let pin = keys::pin(&backup("f1"), &task(2));
    world.pin("f1", task(2)).await.expect("pins");
    let manifest = keys::backup_manifest(&backup("f1"));
    let gate = Arc::new(Gate::new(
        Arc::new(memory.clone()),
        Stop::BeforePut(pin.clone()),
    ));
    let held = World::on(gate.clone());
    let second = tokio::spawn(async move { held.pin("f1", task(2)).await });
    gate.reached().await;
    memory.delete(&manifest).await.expect("deletes");
    gate.open();
    second.await.expect("runs").expect_err("it is gone");
    assert!(!memory.keys().contains(&pin));
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[tokio::test]
async fn what_people_keep_is_not_deleted_until_they_let_go() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    for _ in 0..2 {
        world.keep("f1", "audit", None).await.expect("pins");
    }
    world.keep("f1", "law", None).await.expect("pins");
    let error = refused(world.delete("f1").await, "BACKUP_PINNED");
    assert!(
        error.message.contains("audit") && error.message.contains("law"),
        "{error}"
    );
    assert!(error.hint.expect("a hint").contains("backup unpin"));
    let listed = world.list().await;
    let mut pins = listed[0].pins.clone();
    pins.sort_by(|one, other| one.reason.cmp(&other.reason));
    let reasons: Vec<(&str, bool)> = pins
        .iter()
        .map(|pin| (pin.reason.as_str(), pin.by_people))
        .collect();
    assert_eq!(
        reasons,
        [("audit", true), ("law", true)],
        "the same pin is one"
    );
    let shown = world.get("f1").await.expect("a backup").summary;
    assert_eq!(shown.expect("a summary").pins.len(), 2);
    world.pin("f1", task(7)).await.expect("pins");
    assert_eq!(world.let_go("f1").await.expect("releases"), 2);
    assert_eq!(world.let_go("f1").await.expect("releases"), 0);
    let error = refused(world.delete("f1").await, "BACKUP_PINNED");
    assert!(
        error.message.contains(&task(7).to_string()),
        "pins of tasks stay: {error}"
    );
    world.unpin("f1", task(7)).await.expect("releases");
    world.delete("f1").await.expect("deletes");
    assert!(!memory.keys().iter().any(|key| key.contains("/pins/")));
}

#[tokio::test]
async fn a_pin_that_has_ended_protects_no_more() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let past = time("2020-01-01T00:00:00Z");
    let error = world.keep("f1", "audit", Some(past)).await;
    refused(error, "PIN_ENDED");
    assert!(!memory.keys().iter().any(|key| key.contains("/pins/")));
    let later = time("2999-01-01T00:00:00Z");
    world.keep("f1", "audit", Some(later)).await.expect("pins");
    refused(world.delete("f1").await, "BACKUP_PINNED");
    let other = World::at(Arc::new(memory.clone()), later);
    assert_eq!(
        other.list().await[0].pins.len(),
        1,
        "it is shown all the same"
    );
    // The clock of the one process, and the date of one backup, may be wrong.
    refused(other.delete("f1").await, "BACKUP_PINNED");
    other.full("f2", task(2)).await;
    refused(other.delete("f1").await, "BACKUP_PINNED");
    let date_of = |name: &'static str, date: Timestamp| {
        let memory = memory.clone();
        async move { World::at(Arc::new(memory), date).full(name, task(9)).await }
    };
    // That of a few may be, too.
    date_of("f3", later).await;
    refused(other.delete("f1").await, "BACKUP_PINNED");
    let day = jiff::SignedDuration::from_hours(24);
    date_of("f4", later.checked_add(day * 33).expect("a time")).await;
    let last = later.checked_add(day * 34).expect("a time");
    let last = World::at(Arc::new(memory.clone()), last);
    last.delete("f1").await.expect("deletes");
}

#[tokio::test]
async fn the_reason_of_a_pin_is_short() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    let long = "x".repeat(1025);
    let error = world.keep("f1", &long, None).await.expect_err("too long");
    assert_eq!(error.kind, api::ErrorKind::InvalidArgument);
    world.keep("f1", &long[1..], None).await.expect("pins");
}

#[tokio::test]
async fn a_pin_that_cannot_be_read_protects() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    world
        .put(&keys::pin(&backup("f1"), &task(9)), "damaged")
        .await;
    refused(world.delete("f1").await, "BACKUP_PINNED");
}
