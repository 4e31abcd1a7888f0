//! Starts and stops Cassandra, and determines whether it is up or down.

mod error;

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::clients;
use crate::control::ControlError;
use crate::node::CassandraNode;
use crate::process::{Action, Attempt, ProcessError};

pub use error::LifecycleError;

const BOOTSTRAPPED: &str = "SELECT bootstrapped FROM system.local";
/// How often the node is checked while it starts or stops.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How often Cassandra is started before this fails.
const START_TRIES_MAX: u32 = 4;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Starts Cassandra, and waits until it serves CQL and has joined. Succeeds if it is up; if it runs with its clients cut
/// off, they are let in again.
pub async fn start(node: &CassandraNode) -> Result<(), LifecycleError> {
    if !node.process.supports(Action::Start) {
        let action = Action::Start;
        return Err(ProcessError::Unsupported { action }.into());
    }
    let let_in = clients::let_in_again(node).await?;
    if check_up(node).await.is_ok() {
        return Ok(());
    }
    if let_in {
        return wait_until_done(node, Action::Start, None).await;
    }
    stop_drained(node).await?;
    let mut tries = 1;
    // If a whole cluster is started at once, a node may give up because no seed replies yet; a little later one does.
    while let Err(error) = run_until_done(node, Action::Start).await {
        let has_failed = matches!(error, LifecycleError::Process(ProcessError::Failed { .. }));
        if tries == START_TRIES_MAX || !has_failed {
            return Err(error);
        }
        warn!(tries, %error, "Cassandra did not start; it is started again");
        tries += 1;
        tokio::time::sleep(node.start_interval).await;
    }
    Ok(())
}

/// A drained process still runs, and never serves again: a start command would find it running and do nothing.
async fn stop_drained(node: &CassandraNode) -> Result<(), LifecycleError> {
    let mode = node.control.mode().await;
    let is_drained = mode.is_ok_and(|mode| mode == "DRAINED" || mode == "DRAINING");
    if is_drained && node.process.supports(Action::Stop) {
        run_until_done(node, Action::Stop).await?;
    }
    Ok(())
}

/// Stops Cassandra, and waits until it is down for certain. Drains nothing.
pub async fn stop(node: &CassandraNode) -> Result<(), LifecycleError> {
    run_until_done(node, Action::Stop).await
}

/// Fails unless Cassandra is down for certain: nothing listens at the ports for CQL and for other nodes, and its control
/// is unreachable. A drained node has only the last, and still holds its files.
pub async fn check_down(node: &CassandraNode) -> Result<(), LifecycleError> {
    let storage = node.yaml.storage_address.as_deref();
    for address in [Some(node.cql.address()), storage].into_iter().flatten() {
        let how = match listens(address).await {
            Ok(false) => continue,
            Ok(true) => format!("something listens at {address}"),
            Err(error) => format!("something may listen at {address}: {error}"),
        };
        return Err(LifecycleError::Running { how });
    }
    match node.control.mode().await {
        Err(ControlError::Unreachable { .. }) => Ok(()),
        Ok(mode) => Err(LifecycleError::Running {
            how: format!("it reports that it is {mode}"),
        }),
        Err(error) => Err(LifecycleError::Unknown(error)),
    }
}

/// Why Cassandra is not up yet.
async fn check_up(node: &CassandraNode) -> Result<(), String> {
    let rows = node.cql.query(BOOTSTRAPPED).await;
    let rows = rows.map_err(|error| error.to_string())?;
    let bootstrapped = rows
        .first()
        .and_then(|row| row.optional_text("bootstrapped"));
    if bootstrapped != Some("COMPLETED") {
        return Err(format!(
            "its bootstrap is {}",
            bootstrapped.unwrap_or("unknown")
        ));
    }
    match node.control.mode().await {
        Ok(mode) if mode == "NORMAL" => Ok(()),
        Ok(mode) => Err(format!("it is {mode}")),
        Err(error) => Err(error.to_string()),
    }
}

/// An error may be a fault of this host, such as a lack of file descriptors, and says nothing of Cassandra.
async fn listens(address: &str) -> io::Result<bool> {
    let connecting = TcpStream::connect(address);
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(Ok(_)) => Ok(true),
        Ok(Err(error)) if is_absence(&error) => Ok(false),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
    )
}

/// Why the node is not yet as the action makes it.
async fn check_done(node: &CassandraNode, action: Action) -> Result<(), String> {
    match action {
        Action::Start => check_up(node).await,
        Action::Stop => check_down(node).await.map_err(|error| error.to_string()),
    }
}

/// Begins the action and waits until the node is as it makes it. One that runs on in the foreground is fine, one that
/// fails is not.
async fn run_until_done(node: &CassandraNode, action: Action) -> Result<(), LifecycleError> {
    let attempt = node.process.begin(action).await?;
    wait_until_done(node, action, Some(attempt)).await
}

async fn wait_until_done(
    node: &CassandraNode,
    action: Action,
    mut attempt: Option<Box<dyn Attempt>>,
) -> Result<(), LifecycleError> {
    let limit = node.start_timeout();
    let deadline = Instant::now() + limit;
    loop {
        if let Some(attempt) = &mut attempt
            && let Some(error) = attempt.failure().await
        {
            return Err(error.into());
        }
        let why = match check_done(node, action).await {
            Ok(()) => {
                info!("Cassandra is {}", action.result());
                return Ok(());
            }
            Err(why) => why,
        };
        if Instant::now() >= deadline {
            return Err(LifecycleError::Timeout {
                action,
                seconds: limit.as_secs(),
                why,
            });
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests;
