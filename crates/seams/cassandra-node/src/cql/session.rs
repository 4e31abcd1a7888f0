//! CQL through the scylla driver, held to the one node on this host.
//!
//! The driver would find the whole ring and spread its requests over it. Here only this node may answer,
//! because system tables are about the node that is asked.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use scylla::client::PoolSize;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::{ExecutionError, RequestAttemptError};
use scylla::policies::host_filter::AllowListHostFilter;
use scylla::statement::Consistency;
use scylla::statement::unprepared::Statement;
use serde_json::{Map, Value};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tracing::{debug, info};

use super::tls::client_tls;
use super::value::to_json;
use super::{Cql, CqlError, Row};
use crate::config::CqlTls;

/// One for short statements, one so that a long statement does not block them.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
/// On the same machine a connection is accepted at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where and how to connect.
#[derive(Clone)]
pub struct CqlSettings {
    /// host:port
    pub address: String,
    /// User and password.
    pub login: Option<(String, String)>,
    /// PEM files, if the node requires TLS.
    pub tls: Option<CqlTls>,
    /// The most that one statement may take.
    pub timeout: Duration,
}

/// A session that connects when first used, and again whenever it broke.
pub struct CqlSession {
    settings: CqlSettings,
    session: Mutex<Option<Arc<Session>>>,
}

impl CqlSession {
    /// Connects to nothing yet.
    pub fn new(settings: CqlSettings) -> Self {
        Self {
            settings,
            session: Mutex::new(None),
        }
    }

    async fn session(&self) -> Result<Arc<Session>, CqlError> {
        let mut held = self.session.lock().await;
        if let Some(session) = held.as_ref() {
            return Ok(session.clone());
        }
        let session = Arc::new(self.connect().await?);
        *held = Some(session.clone());
        Ok(session)
    }

    fn down(&self, why: impl ToString) -> CqlError {
        CqlError::Down {
            address: self.settings.address.clone(),
            why: why.to_string(),
        }
    }

    /// The first address at which something listens; the driver itself would try for minutes.
    async fn listening(&self) -> Result<SocketAddr, CqlError> {
        let found = tokio::net::lookup_host(&self.settings.address)
            .await
            .map_err(|error| self.down(error))?;
        let mut last = self.down("the name has no address");
        for address in found {
            match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(_)) => return Ok(address),
                Ok(Err(error)) => last = self.down(error),
                Err(_) => last = self.down("nothing replied in time"),
            }
        }
        Err(last)
    }

    async fn connect(&self) -> Result<Session, CqlError> {
        let address = self.listening().await?;
        let filter = AllowListHostFilter::new([address]).map_err(|error| self.down(error))?;
        let mut builder = SessionBuilder::new()
            .known_node_addr(address)
            .host_filter(Arc::new(filter))
            .pool_size(PoolSize::PerHost(CONNECTIONS))
            .disallow_shard_aware_port(true)
            .fetch_schema_metadata(false)
            .auto_await_schema_agreement(false)
            .connection_timeout(CONNECT_TIMEOUT);
        if let Some((user, password)) = &self.settings.login {
            builder = builder.user(user, password);
        }
        if let Some(tls) = &self.settings.tls {
            builder = builder.tls_context(Some(Arc::new(client_tls(tls, &self.settings.address)?)));
        }
        let session = builder.build().await.map_err(|error| {
            let why = error.to_string();
            if why.to_lowercase().contains("authenticat") {
                CqlError::Login {
                    address: self.settings.address.clone(),
                    why,
                }
            } else if why.contains("certificate") {
                CqlError::Certificate {
                    address: self.settings.address.clone(),
                    why,
                }
            } else {
                self.down(why)
            }
        })?;
        info!(address = %self.settings.address, "connected to Cassandra by CQL");
        Ok(session)
    }

    async fn run(&self, session: &Session, statement: &str) -> Result<Vec<Row>, Failure> {
        let mut prepared = Statement::new(statement);
        // Reads are of local system tables. What a plan has executed is schema and TRUNCATE, which have no level.
        prepared.set_consistency(Consistency::One);
        prepared.set_request_timeout(Some(self.settings.timeout));
        let result = session
            .query_unpaged(prepared, ())
            .await
            .map_err(|error| self.failure(statement, error))?;
        if !result.is_rows() {
            return Ok(Vec::new());
        }
        let odd = |error: &dyn std::fmt::Display| {
            Failure::Refused(CqlError::Statement {
                statement: statement.to_owned(),
                why: format!("the result cannot be read: {error}"),
            })
        };
        let rows = result.into_rows_result().map_err(|error| odd(&error))?;
        let names: Vec<String> = rows
            .column_specs()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        rows.rows::<scylla::value::Row>()
            .map_err(|error| odd(&error))?
            .map(|row| {
                let row = row.map_err(|error| odd(&error))?;
                let values = row
                    .columns
                    .into_iter()
                    .map(|value| value.map_or(Value::Null, to_json));
                Ok(Row(names
                    .iter()
                    .cloned()
                    .zip(values)
                    .collect::<Map<_, _>>()))
            })
            .collect()
    }

    fn failure(&self, statement: &str, error: ExecutionError) -> Failure {
        match error {
            ExecutionError::RequestTimeout(limit) => Failure::Refused(CqlError::Timeout {
                statement: statement.to_owned(),
                seconds: limit.as_secs(),
            }),
            ExecutionError::LastAttemptError(RequestAttemptError::DbError(_, why)) => {
                Failure::Refused(CqlError::Statement {
                    statement: statement.to_owned(),
                    why,
                })
            }
            other => Failure::Broken(self.down(other)),
        }
    }

    /// Forgets a session whose connections broke, unless another call has made a new one since.
    async fn forget(&self, broken: &Arc<Session>) {
        let mut held = self.session.lock().await;
        if held
            .as_ref()
            .is_some_and(|session| Arc::ptr_eq(session, broken))
        {
            debug!("the CQL session broke");
            *held = None;
        }
    }
}

/// Whether Cassandra refused, or the connection to it broke.
enum Failure {
    Refused(CqlError),
    Broken(CqlError),
}

#[async_trait]
impl Cql for CqlSession {
    fn address(&self) -> &str {
        &self.settings.address
    }

    async fn query(&self, statement: &str) -> Result<Vec<Row>, CqlError> {
        let session = self.session().await?;
        match self.run(&session, statement).await {
            Ok(rows) => return Ok(rows),
            Err(Failure::Refused(error)) => return Err(error),
            // Cassandra may have been restarted since: a new connection shows.
            Err(Failure::Broken(_)) => self.forget(&session).await,
        }
        drop(session);
        let session = self.session().await?;
        match self.run(&session, statement).await {
            Ok(rows) => Ok(rows),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Broken(error)) => {
                self.forget(&session).await;
                Err(error)
            }
        }
    }

    async fn execute(&self, statement: &str) -> Result<(), CqlError> {
        // A cheap query first, so that a session that has long been broken is not what the statement fails on.
        self.query("SELECT key FROM system.local").await?;
        let session = self.session().await?;
        match self.run(&session, statement).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Broken(error)) => {
                self.forget(&session).await;
                Err(error)
            }
        }
    }
}
