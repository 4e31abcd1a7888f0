use super::*;

/// The time until the last of these takes may pass, each requested as soon as the one before has passed.
fn passed_after(limit: &Bandwidth, takes: &[u64], start: Instant) -> Duration {
    let mut now = start;
    for &bytes in takes {
        now = now.max(
            limit
                .grant(&mut limit.rate.subscribe(), bytes, now)
                .unwrap(),
        );
    }
    now - start
}

#[track_caller]
fn assert_about(took: Duration, seconds: u64) {
    let expected = Duration::from_secs(seconds);
    assert!(took <= expected && took + BURST >= expected, "{took:?}");
}

#[test]
fn ten_seconds_of_bytes_take_ten_seconds() {
    let start = Instant::now();
    assert_about(passed_after(&Bandwidth::new(1000), &[100; 100], start), 10);
    assert_about(passed_after(&Bandwidth::new(1000), &[10_000], start), 10);
}

#[test]
fn a_pause_earns_no_credit() {
    let (limit, start) = (Bandwidth::new(1000), Instant::now());
    limit.grant(&mut limit.rate.subscribe(), 100, start);
    let later = start + Duration::from_secs(60);
    assert_about(passed_after(&limit, &[5000], later), 5);
}

#[tokio::test]
async fn two_tasks_share_one_limit() {
    let limit = Bandwidth::new(1000);
    let start = Instant::now();
    let half = || async {
        for _ in 0..5 {
            limit.take(100).await;
        }
    };
    futures::join!(half(), half());
    assert!(
        start.elapsed() + BURST >= Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

/// Whether the call is still waiting once everything else has had its turn.
async fn waits(taking: &tokio::task::JoinHandle<()>) -> bool {
    tokio::task::yield_now().await;
    !taking.is_finished()
}

#[tokio::test(start_paused = true)]
async fn a_higher_rate_is_in_force_for_those_that_wait_already() {
    let limit = Arc::new(Bandwidth::new(1));
    let start = Instant::now();
    let taking = tokio::spawn({
        let limit = limit.clone();
        async move { limit.take(100_000).await }
    });
    assert!(waits(&taking).await);
    limit.set_rate(1000);
    taking.await.unwrap();
    assert_about(start.elapsed(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lifted_lets_pass_what_waits() {
    let limit = Arc::new(Bandwidth::new(1));
    let start = Instant::now();
    let taking = tokio::spawn({
        let limit = limit.clone();
        async move { limit.take(100_000).await }
    });
    assert!(waits(&taking).await);
    limit.set_rate(0);
    taking.await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_lower_rate_is_in_force_at_once() {
    let limit = Bandwidth::unlimited(None);
    let start = Instant::now();
    limit.take(100_000).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    limit.set_rate(1000);
    limit.take(10_000).await;
    assert_about(start.elapsed(), 10);
}

#[test]
fn a_rate_that_is_set_again_grants_nothing() {
    let (limit, start) = (Bandwidth::new(1000), Instant::now());
    limit.grant(&mut limit.rate.subscribe(), 10_000, start);
    limit.set_rate(1000);
    assert_about(passed_after(&limit, &[1000], start), 11);
}

#[tokio::test(start_paused = true)]
async fn a_limit_never_exceeds_the_one_that_it_is_within() {
    let whole = Arc::new(Bandwidth::new(1000));
    let start = Instant::now();
    let parts = [0, 1_000_000].map(|rate| {
        let part = Bandwidth::unlimited(Some(whole.clone()));
        part.set_rate(rate);
        part
    });
    futures::join!(parts[0].take(5_000), parts[1].take(5_000));
    let expected = Duration::from_secs(10);
    let took = start.elapsed();
    assert!(took <= expected && took + 2 * BURST >= expected, "{took:?}");
}
