//! CQL sessions to the nodes of a lab.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
pub use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::host_filter::AllowListHostFilter;
pub use scylla::value::CqlValue;
use scylla::value::Row;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::node::Node;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The superuser is made some time after a node listens.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
const SUPERUSER: &str = "cassandra";

/// Connects to these nodes of the cluster and to no others.
pub(crate) async fn connect(cluster: &Cluster, nodes: &[Node]) -> Result<Session> {
    let deadline = Instant::now() + LOGIN_TIMEOUT;
    loop {
        match try_connect(cluster, nodes).await {
            Ok(session) => return Ok(session),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => sleep(Duration::from_millis(300)).await,
        }
    }
}

/// Succeeds when the node answers CQL now.
pub(crate) async fn answers(cluster: &Cluster, node: &Node) -> Result<()> {
    let session = try_connect(cluster, std::slice::from_ref(node)).await?;
    rows(&session, "SELECT key FROM system.local")
        .await
        .map(drop)
}

/// All rows of a query whose answer fits one page of memory.
pub async fn rows(session: &Session, query: &str) -> Result<Vec<Vec<Option<CqlValue>>>> {
    let result = session
        .query_unpaged(query, ())
        .await
        .with_context(|| format!("`{query}` failed"))?;
    let result = result
        .into_rows_result()
        .with_context(|| format!("`{query}` gave no rows"))?;
    let rows = result.rows::<Row>()?.collect::<Result<Vec<Row>, _>>()?;
    Ok(rows.into_iter().map(|row| row.columns).collect())
}

/// Runs one statement that has no answer.
pub async fn run(session: &Session, statement: &str) -> Result<()> {
    let done = session.query_unpaged(statement, ()).await;
    done.map(drop)
        .with_context(|| format!("`{statement}` failed"))
}

/// Puts the roles on every node: by default one node has them, and nobody logs in while it is down.
pub(crate) async fn spread_roles(cluster: &Cluster) -> Result<()> {
    if !cluster.has_authenticator() || cluster.nodes().len() == 1 {
        return Ok(());
    }
    let replicas: Vec<String> = cluster
        .datacenters()
        .iter()
        .map(|(name, nodes)| format!("'{name}': {nodes}"))
        .collect();
    let alter = format!(
        "ALTER KEYSPACE system_auth WITH replication = {{'class': 'NetworkTopologyStrategy', {}}}",
        replicas.join(", ")
    );
    run(&cluster.session().await?, &alter).await?;
    cluster
        .node(0)
        .nodetool(&["repair", "--full", "system_auth"])
        .await
        .map(drop)
}

async fn try_connect(cluster: &Cluster, nodes: &[Node]) -> Result<Session> {
    let addresses: Vec<_> = nodes.iter().map(Node::cql).collect();
    let profile = ExecutionProfile::builder()
        .request_timeout(Some(REQUEST_TIMEOUT))
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes_addr(&addresses)
        .host_filter(Arc::new(AllowListHostFilter::new(&addresses)?))
        .pool_size(PoolSize::PerHost(
            const { std::num::NonZeroUsize::new(2).expect("two is not zero") },
        ))
        // Routing needs the names of the tables, and nothing here needs more.
        .fetch_full_schema_metadata(false)
        .disallow_shard_aware_port(true)
        .schema_agreement_timeout(REQUEST_TIMEOUT)
        .default_execution_profile_handle(profile.into_handle());
    if cluster.has_authenticator() {
        builder = builder.user(SUPERUSER, SUPERUSER);
    }
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    builder.build().await.with_context(|| {
        format!(
            "could not connect to {} of cluster `{}`",
            names.join(", "),
            cluster.name()
        )
    })
}
