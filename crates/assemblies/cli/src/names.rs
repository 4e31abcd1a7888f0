//! Names as they are written on the command line, parsed before anything is called.

use std::fmt;
use std::str::FromStr;

use api::clients::NamedBackup;
use model::plan::Rename;
use model::{BackupName, ClusterName, NameError, Selection, TableRef};

/// A backup as NAME, if that is unique in the bucket, or as CLUSTER/NAME.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupArg {
    pub cluster: Option<ClusterName>,
    pub name: BackupName,
}

impl FromStr for BackupArg {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once('/') {
            Some((cluster, name)) => Ok(Self {
                cluster: Some(cluster.parse()?),
                name: name.parse()?,
            }),
            None => Ok(Self {
                cluster: None,
                name: text.parse()?,
            }),
        }
    }
}

impl fmt::Display for BackupArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cluster {
            Some(cluster) => write!(f, "{cluster}/{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

impl From<BackupArg> for NamedBackup {
    fn from(backup: BackupArg) -> Self {
        Self {
            cluster: backup.cluster,
            name: backup.name,
        }
    }
}

/// Why a text is not a table or an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgError {
    #[error("write it like KEYSPACE.TABLE")]
    Table,
    #[error("write names as Cassandra stores them, without quotes")]
    Quotes,
    #[error("a keyspace's name has no dot; a table is given with --table")]
    Keyspace,
    #[error(
        "write it like KEYSPACE=NEW_KEYSPACE or KEYSPACE.TABLE=NEW_KEYSPACE.NEW_TABLE, for example shop=shop_copy"
    )]
    Rename,
    #[error("write it like HOST:PORT, for example 10.0.0.5:7401")]
    Address,
}

fn check_unquoted(text: &str) -> Result<(), ArgError> {
    if text.contains(['"', '\'']) {
        return Err(ArgError::Quotes);
    }
    Ok(())
}

/// KEYSPACE.TABLE, as Cassandra stores the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableArg(pub String, pub String);

impl FromStr for TableArg {
    type Err = ArgError;

    fn from_str(text: &str) -> Result<Self, ArgError> {
        check_unquoted(text)?;
        match text.split_once('.') {
            Some((keyspace, table))
                if !keyspace.is_empty() && !table.is_empty() && !table.contains('.') =>
            {
                Ok(Self(keyspace.to_owned(), table.to_owned()))
            }
            _ => Err(ArgError::Table),
        }
    }
}

/// A keyspace's name, as Cassandra stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyspaceArg(pub String);

impl FromStr for KeyspaceArg {
    type Err = ArgError;

    fn from_str(text: &str) -> Result<Self, ArgError> {
        check_unquoted(text)?;
        match text.is_empty() || text.contains('.') {
            true => Err(ArgError::Keyspace),
            false => Ok(Self(text.to_owned())),
        }
    }
}

/// KEYSPACE=NEW or KEYSPACE.TABLE=NEW.TABLE, as Cassandra stores the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameArg(pub Rename);

impl FromStr for RenameArg {
    type Err = ArgError;

    fn from_str(text: &str) -> Result<Self, ArgError> {
        check_unquoted(text)?;
        let (from, to) = text.split_once('=').ok_or(ArgError::Rename)?;
        if let (Ok(TableArg(keyspace, table)), Ok(TableArg(new_keyspace, new_table))) =
            (from.parse(), to.parse())
        {
            return Ok(Self(Rename::Table {
                from: TableRef::new(keyspace, table),
                to: TableRef::new(new_keyspace, new_table),
            }));
        }
        match (from.parse(), to.parse()) {
            (Ok(KeyspaceArg(from)), Ok(KeyspaceArg(to))) => Ok(Self(Rename::Keyspace { from, to })),
            _ => Err(ArgError::Rename),
        }
    }
}

/// HOST:PORT of an agent, with `https://` in front if it must be TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentArg(pub String);

impl FromStr for AgentArg {
    type Err = ArgError;

    fn from_str(text: &str) -> Result<Self, ArgError> {
        let bare = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .unwrap_or(text);
        match bare.rsplit_once(':') {
            Some((host, port))
                if !host.is_empty()
                    && !host.contains(['/', '@', ' '])
                    && port.parse::<u16>().is_ok_and(|port| port > 0) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(ArgError::Address),
        }
    }
}

/// Which tables a command is about; none given means all of every user keyspace.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SelectionArgs {
    /// Only this keyspace; may be given several times. Without it and --table: every user keyspace.
    #[arg(long = "keyspace", value_name = "K", help_heading = "What")]
    keyspaces: Vec<KeyspaceArg>,
    /// Only this table, or materialized view; may be given several times, together with --keyspace or not.
    #[arg(long = "table", value_name = "K.T", help_heading = "What")]
    tables: Vec<TableArg>,
}

impl SelectionArgs {
    pub fn to_model(&self) -> Selection {
        let tables = self.tables.iter();
        Selection {
            keyspaces: self.keyspaces.iter().map(|name| name.0.clone()).collect(),
            tables: tables
                .map(|TableArg(keyspace, table)| TableRef::new(keyspace, table))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_named_alone_or_with_its_cluster() {
        for good in ["nightly", "prod/nightly", "2026-11-22T10.00Z"] {
            assert_eq!(good.parse::<BackupArg>().expect(good).to_string(), good);
        }
        for bad in ["", "/", "prod/", "/nightly", "a/b/c", "../b", "a b"] {
            assert!(bad.parse::<BackupArg>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_table_needs_its_keyspace() {
        assert_eq!("ks.t".parse(), Ok(TableArg("ks".into(), "t".into())));
        for bad in ["t", ".t", "ks.", "a.b.c", "\"Ks\".t"] {
            assert!(bad.parse::<TableArg>().is_err(), "{bad}");
        }
        assert!("ks.t".parse::<KeyspaceArg>().is_err());
    }

    #[test]
    fn a_rename_is_of_a_keyspace_or_of_a_table_on_both_sides() {
        for good in ["shop=shop_copy", "shop.orders=Copy.orders", "a.t=a.u"] {
            let rename: RenameArg = good.parse().expect(good);
            assert_eq!(rename.0.to_string(), good);
        }
        for bad in [
            "",
            "shop",
            "=",
            "shop=",
            "=copy",
            "shop.orders=copy",
            "shop=copy.orders",
            "shop.orders.x=a.b",
            "a=b=c.d",
            "a.b=c.d=e.f",
            "\"Shop\"=copy",
        ] {
            assert!(bad.parse::<RenameArg>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_agent_needs_a_port() {
        for good in ["10.0.0.5:7401", "[::1]:7401", "https://db1.example:7401"] {
            assert!(good.parse::<AgentArg>().is_ok(), "{good}");
        }
        for bad in [
            "10.0.0.5",
            "host:",
            ":7401",
            "host:99999",
            "ftp://host:1",
            "h/x:1",
        ] {
            assert!(bad.parse::<AgentArg>().is_err(), "{bad}");
        }
    }
}
