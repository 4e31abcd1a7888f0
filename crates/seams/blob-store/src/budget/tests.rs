use futures::FutureExt;

use super::*;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn what_is_held_stays_within_the_budget_whatever_is_asked_for() {
    let budget = Budget::new(3 * MIB as u64);
    let sizes = [1, 100, 4096, 70_000, MIB, MIB + 1, 3 * MIB, 100 * MIB];
    let tasks = (0..64).map(|number: usize| {
        let budget = budget.clone();
        tokio::spawn(async move {
            for step in 0..20 {
                let bytes = sizes[(number + step * 3) % sizes.len()];
                if step % 4 == 0 {
                    let _held = budget.reserve(bytes).await;
                    tokio::task::yield_now().await;
                } else {
                    let mut buffer = budget.buffer(bytes).await;
                    assert!(buffer.space().len() >= bytes.min(3 * MIB));
                    buffer.space()[0] = 1;
                    tokio::task::yield_now().await;
                }
            }
        })
    });
    futures::future::try_join_all(tasks).await.unwrap();
    assert!(budget.peak_bytes() <= 3 * MIB, "{}", budget.peak_bytes());
    assert_eq!(budget.granted_bytes(), 0);
}

#[tokio::test]
async fn a_large_request_is_not_starved_by_small_ones() {
    let budget = Budget::new(4 * MIB as u64);
    let held = budget.reserve(MIB).await;
    let mut large = Box::pin(budget.reserve(4 * MIB));
    assert!((&mut large).now_or_never().is_none());
    let mut small = Box::pin(budget.reserve(1));
    assert!((&mut small).now_or_never().is_none(), "it came later");
    drop(held);
    let large = large.now_or_never().expect("everything is free");
    assert!((&mut small).now_or_never().is_none());
    drop(large);
    assert!(small.now_or_never().is_some());
}

#[tokio::test]
async fn a_wait_that_is_given_up_holds_nothing() {
    let budget = Budget::new(MIB as u64);
    let held = budget.reserve(MIB).await;
    let mut waiting = Box::pin(budget.buffer(MIB));
    assert!((&mut waiting).now_or_never().is_none());
    drop(waiting);
    drop(held);
    assert_eq!(budget.granted_bytes(), 0);
    assert!(budget.reserve(MIB).now_or_never().is_some());
}

#[tokio::test]
async fn a_buffer_comes_back_with_the_last_clone_of_its_bytes_and_is_used_again() {
    let budget = Budget::new(2 * MIB as u64);
    let _transfer = budget.reserve(1).await;
    let mut buffer = budget.buffer(MIB).await;
    buffer.space()[..3].copy_from_slice(b"abc");
    let place = buffer.space().as_ptr();
    let bytes = buffer.into_bytes(3);
    let clone = bytes.slice(1..);
    assert_eq!((&bytes[..], &clone[..]), (&b"abc"[..], &b"bc"[..]));
    drop(bytes);
    assert!(budget.granted_bytes() > MIB, "a clone is left");
    drop(clone);
    let mut again = budget.buffer(MIB).await;
    assert_eq!(again.space().as_ptr(), place);
}

#[tokio::test]
async fn free_buffers_make_room_for_what_needs_it() {
    let budget = Budget::new(2 * MIB as u64);
    let _transfer = budget.reserve(1).await;
    drop(budget.buffer(MIB).await);
    drop(budget.reserve(MIB + MIB / 2).await);
    assert!(budget.peak_bytes() <= 2 * MIB);
}

#[tokio::test]
async fn a_share_is_given_back_when_the_last_of_its_buffers_is() {
    let budget = Budget::new(4 * UNIT_BYTES as u64);
    let share = Budget::within(budget.reserve(3 * UNIT_BYTES).await);
    assert_eq!(share.total_bytes(), 3 * UNIT_BYTES);
    let bytes = share.buffer(1).await.into_bytes(1);
    // Nothing is left of the whole, and the share has room.
    let _rest = budget.reserve(UNIT_BYTES).await;
    drop(share.buffer(2 * UNIT_BYTES).await);
    drop(share);
    assert_eq!(budget.granted_bytes(), 4 * UNIT_BYTES);
    drop(bytes);
    assert_eq!(budget.granted_bytes(), UNIT_BYTES);
}
