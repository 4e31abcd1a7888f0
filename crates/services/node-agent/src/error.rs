//! Why an agent cannot be built.

use blob_store::StoreError;

use crate::yaml::YamlError;

/// Why an agent cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the settings of Cassandra cannot be used")]
    Yaml(#[from] YamlError),
    #[error("the object store cannot be opened")]
    Store(#[from] StoreError),
    #[error("cql_username and cql_password in [cassandra] are given together or not at all")]
    Login,
    #[error("`nodetool` in [cassandra] is empty")]
    Nodetool,
    #[error("staging_dir_name `{0}` in [agent] is no name of one folder")]
    StagingName(String),
}
