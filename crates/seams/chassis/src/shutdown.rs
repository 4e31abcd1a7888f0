//! The end of a process: the first signal asks for a graceful one, the second one ends it at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// A token that fires at the first SIGINT or SIGTERM. The second ends the process at once, with the exit code that
/// shells give to a process that the signal killed.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    let shutdown = CancellationToken::new();
    // Lives as long as the process: its owner is the runtime.
    tokio::spawn(watch(interrupt, terminate, shutdown.clone()));
    Ok(shutdown)
}

async fn watch(mut interrupt: Signal, mut terminate: Signal, shutdown: CancellationToken) {
    let name = next(&mut interrupt, &mut terminate).await.1;
    info!(signal = name, "shutting down");
    shutdown.cancel();
    let (number, name) = next(&mut interrupt, &mut terminate).await;
    warn!(signal = name, "ending at once");
    std::process::exit(128 + number);
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> (i32, &'static str) {
    tokio::select! {
        _ = interrupt.recv() => (SignalKind::interrupt().as_raw_value(), "SIGINT"),
        _ = terminate.recv() => (SignalKind::terminate().as_raw_value(), "SIGTERM"),
    }
}
