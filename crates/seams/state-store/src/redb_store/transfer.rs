//! What makes versions and tokens grow over a move from another state.

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};

use super::entries::VERSION;
use super::inner::{COUNTERS, Inner, LEASES, backend};
use super::leases::token_of;
use crate::StateError;

const TOKEN_FLOOR: &str = "token floor";

impl Inner {
    /// A number that no version and no token was above so far.
    pub fn floor(&self) -> Result<u64, StateError> {
        const ACTION: &str = "read the version of the state";
        let transaction = self.database.begin_read().map_err(backend(ACTION))?;
        let counters = transaction.open_table(COUNTERS).map_err(backend(ACTION))?;
        let mut floor = 0;
        for counter in [VERSION, TOKEN_FLOOR] {
            let row = counters.get(counter).map_err(backend(ACTION))?;
            floor = floor.max(row.map_or(0, |row| row.value()));
        }
        let leases = transaction.open_table(LEASES).map_err(backend(ACTION))?;
        for row in leases.iter().map_err(backend(ACTION))? {
            let (key, bytes) = row.map_err(backend(ACTION))?;
            floor = floor.max(token_of(key.value(), bytes.value())?);
        }
        Ok(floor)
    }

    /// Makes all later versions and tokens higher than the floor.
    pub fn raise(&self, floor: u64) -> Result<(), StateError> {
        const ACTION: &str = "raise the versions of the state";
        self.transaction(ACTION, |transaction| {
            let mut counters = transaction.open_table(COUNTERS).map_err(backend(ACTION))?;
            for counter in [VERSION, TOKEN_FLOOR] {
                let row = counters.get(counter).map_err(backend(ACTION))?;
                let raised = floor.max(row.map_or(0, |row| row.value()));
                counters.insert(counter, raised).map_err(backend(ACTION))?;
            }
            drop(counters);
            Ok(((), Vec::new()))
        })
    }
}

/// Tokens are above it.
pub(super) fn token_floor(transaction: &WriteTransaction) -> Result<u64, StateError> {
    const ACTION: &str = "read the lowest token";
    let counters = transaction.open_table(COUNTERS).map_err(backend(ACTION))?;
    let row = counters.get(TOKEN_FLOOR).map_err(backend(ACTION))?;
    Ok(row.map_or(0, |row| row.value()))
}
