//! Limits of verifications that run.

use std::time::Duration;

use api::pb::storage_catalog as pb;
use tokio::time::{Instant, sleep};

use crate::world::{World, memory_world, task, wire_ref};

/// The bytes of the backup that is verified.
const BYTES: u64 = 40;

async fn set(world: &World, bandwidth_bytes_per_second: u64, parallel_files: u32) -> u32 {
    let request = pb::SetVerifyLimitsRequest {
        task_id: task(9).to_string(),
        bandwidth_bytes_per_second,
        parallel_files,
    };
    let set = world.client.clone().set_verify_limits(request).await;
    let set = set.expect("set").into_inner();
    assert_eq!(set.bandwidth_bytes_per_second, bandwidth_bytes_per_second);
    set.parallel_files
}

/// How long a verification for the task takes.
async fn verify(world: &World) -> Duration {
    let start = Instant::now();
    let verified = world.verify_with(pb::VerifyBackupRequest {
        backup: wire_ref("d1"),
        level: pb::VerifyLevel::Objects as i32,
        task_id: task(9).to_string(),
        ..pb::VerifyBackupRequest::default()
    });
    let report = verified.await.expect("verified");
    assert!(report.ok);
    assert_eq!(report.bytes_checked, BYTES);
    start.elapsed()
}

async fn world() -> World {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_verification_takes_the_time_that_its_bandwidth_gives_it() {
    let world = world().await;
    // Its own limits are those of the catalog.
    assert_eq!(set(&world, 1, 99).await, 32);
    let took = verify(&world).await;
    assert!(took >= Duration::from_secs(BYTES - 1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_verification_that_runs_goes_by_its_new_bandwidth_at_once() {
    let world = world().await;
    set(&world, 1, 1).await;
    let lift = async {
        sleep(Duration::from_secs(5)).await;
        set(&world, 0, 0).await;
    };
    let (took, ()) = futures::join!(verify(&world), lift);
    assert!(took < Duration::from_secs(7), "{took:?}");
    assert!(took >= Duration::from_secs(5), "{took:?}");
}
