//! A login to a server of JMX, and the calls under it.

use std::io;

use secret::Secret;

use crate::argument::Argument;
use crate::error::JmxError;
use crate::java::write::Writer;
use crate::reply::Reply;
use crate::rmi::{Method, Reference, ReferenceError, call};

/// The name under which the registry has the connector.
const CONNECTOR: &str = "jmxrmi";
/// `Registry.lookup`.
const LOOKUP: Method = Method {
    number: 2,
    hash: 4_905_912_898_345_647_071,
};
/// `RMIServer.newClient`.
const NEW_CLIENT: Method = Method::hashed(-1_089_742_558_549_201_240);
/// `RMIConnection.getAttribute`.
const GET_ATTRIBUTE: Method = Method::hashed(-1_089_783_104_982_388_203);
/// `RMIConnection.invoke`.
const INVOKE: Method = Method::hashed(1_434_350_937_885_235_744);
/// `RMIConnection.close`.
const CLOSE: Method = Method::hashed(-4_742_752_445_160_157_748);
/// What a server throws that refuses a login.
const REFUSALS: [&str; 2] = [
    "java.lang.SecurityException",
    "javax.security.auth.login.FailedLoginException",
];

/// A server of JMX.
#[derive(Debug, Clone)]
pub struct Server {
    registry: Reference,
    login: Option<(String, Secret)>,
}

/// A login to a server. Calls of it may run at the same time.
#[derive(Debug)]
pub struct Session {
    connection: Reference,
}

impl Server {
    /// The server whose RMI registry listens at host and port.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            registry: Reference::registry(host, port),
            login: None,
        }
    }

    /// Logs in as a user.
    pub fn with_login(mut self, login: Option<(String, Secret)>) -> Self {
        self.login = login;
        self
    }

    /// Only a registry that refuses the connection is a sign that nothing runs: a connector may be at a host that cannot be
    /// reached from here.
    async fn lookup(&self) -> Result<Reply, JmxError> {
        let lookup = call(&self.registry, LOOKUP, |writer| writer.text(CONNECTOR));
        lookup.await.map_err(|error| match error {
            JmxError::Connection { address, source }
                if source.kind() == io::ErrorKind::ConnectionRefused =>
            {
                JmxError::Down { address }
            }
            other => other,
        })
    }

    /// Looks the connector up, and logs in. Takes three connections; limits no time.
    pub async fn connect(&self) -> Result<Session, JmxError> {
        let connector = remote(&self.registry, &self.lookup().await?)?;
        let login = |writer: &mut Writer| match &self.login {
            Some((user, password)) => writer.texts(&[user.as_str(), password.expose()]),
            None => writer.null(),
        };
        let connection = match call(&connector, NEW_CLIENT, login).await {
            Err(JmxError::Thrown(chain))
                if chain.iter().any(|it| REFUSALS.contains(&it.class.as_str())) =>
            {
                return Err(JmxError::Login(chain));
            }
            connection => connection?,
        };
        Ok(Session {
            connection: remote(&connector, &connection)?,
        })
    }
}

impl Session {
    /// The value of an attribute of an MBean.
    pub async fn attribute(&self, mbean: &str, attribute: &str) -> Result<Reply, JmxError> {
        let arguments = |writer: &mut Writer| {
            writer.object_name(mbean);
            writer.text(attribute);
            writer.null();
        };
        call(&self.connection, GET_ATTRIBUTE, arguments).await
    }

    /// Invokes an operation of an MBean, and waits for its end. The types of the arguments choose among operations of the
    /// same name.
    pub async fn invoke(
        &self,
        mbean: &str,
        operation: &str,
        arguments: &[Argument],
    ) -> Result<Reply, JmxError> {
        let types: Vec<&str> = arguments.iter().map(Argument::java_type).collect();
        let arguments = |writer: &mut Writer| {
            writer.object_name(mbean);
            writer.text(operation);
            writer.marshalled(&Argument::marshalled(arguments));
            writer.texts(&types);
            writer.null();
        };
        call(&self.connection, INVOKE, arguments).await
    }

    /// Ends the login. A session that is not closed is dropped by the server after some minutes.
    pub async fn close(self) -> Result<(), JmxError> {
        call(&self.connection, CLOSE, |_| ()).await.map(drop)
    }
}

/// The remote object that a reply is.
fn remote(from: &Reference, reply: &Reply) -> Result<Reference, JmxError> {
    let address = from.to_string();
    Reference::of_stub(&reply.tree, reply.value).map_err(|error| match error {
        ReferenceError::None => JmxError::Reply {
            address,
            why: "no remote object".to_owned(),
        },
        ReferenceError::SocketFactory => JmxError::Unsupported {
            address,
            why: "it is reached through TLS or another kind of socket".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests;
