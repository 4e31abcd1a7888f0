//! Reads a table range by range and hashes its partitions.

use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use blake3::Hasher;
use futures::stream::{self, StreamExt, TryStreamExt};
use scylla::client::session::Session;
use scylla::deserialize::row::ColumnIterator;
use scylla::response::PagingState;
use scylla::response::query_result::QueryRowsResult;
use scylla::statement::prepared::PreparedStatement;

use super::table::{Meaning, Table};
use super::{Reading, TableDigest};
use crate::release::Release;

/// Ranges that the token circle is cut into.
const RANGES: i128 = 8;
const RANGES_AT_ONCE: usize = 2;
/// Small enough that a page seldom straddles the turn of a second.
const PAGE_ROWS: i32 = 1000;
/// A page that always straddles it means a machine too slow for this reading.
const PAGE_TRIES_MAX: usize = 20;

/// The content of one table.
pub async fn scan(
    session: &Session,
    release: Release,
    table: &Table,
    reading: Reading,
) -> Result<TableDigest> {
    let (query, meanings) = table.query(release);
    let mut statement = session
        .prepare(query)
        .await
        .with_context(|| format!("could not read {}", table.name))?;
    statement.set_consistency(reading.consistency);
    statement.set_page_size(PAGE_ROWS);
    let (statement, meanings) = (&statement, &meanings);
    let parts: Vec<TableDigest> = stream::iter(ranges())
        .map(|range| scan_range(session, statement, meanings, range))
        .buffer_unordered(RANGES_AT_ONCE)
        .try_collect()
        .await
        .with_context(|| format!("could not read {}", table.name))?;
    let mut whole = TableDigest::default();
    for part in parts {
        whole.rows += part.rows;
        whole.partitions.extend(part.partitions);
    }
    Ok(whole)
}

/// Ranges `(start, end]` that cover the circle. No key has the lowest token of all.
fn ranges() -> Vec<(i64, i64)> {
    let width = (1i128 << 64) / RANGES;
    let bound = |number: i128| (i128::from(i64::MIN) + number * width).min(i64::MAX.into()) as i64;
    (0..RANGES)
        .map(|number| (bound(number), bound(number + 1)))
        .collect()
}

async fn scan_range(
    session: &Session,
    statement: &PreparedStatement,
    meanings: &[Meaning],
    range: (i64, i64),
) -> Result<TableDigest> {
    let mut partitions = Partitions::default();
    let mut state = PagingState::start();
    loop {
        let (page, next) = read_page(session, statement, meanings, range, state).await?;
        page.add_to(&mut partitions, meanings)?;
        match next {
            ControlFlow::Break(()) => return Ok(partitions.finish()),
            ControlFlow::Continue(next) => state = next,
        }
    }
}

/// A page, and the second in which the server has computed its TTLs.
struct Page {
    result: QueryRowsResult,
    second: i64,
}

/// Reads a page again as long as it has TTLs and the clock has turned meanwhile.
async fn read_page(
    session: &Session,
    statement: &PreparedStatement,
    meanings: &[Meaning],
    range: (i64, i64),
    state: PagingState,
) -> Result<(Page, ControlFlow<(), PagingState>)> {
    for _ in 0..PAGE_TRIES_MAX {
        let second = now()?;
        let (result, next) = session
            .execute_single_page(statement, range, state.clone())
            .await?;
        let page = Page {
            result: result.into_rows_result()?,
            second,
        };
        if now()? == second || !page.has_ttl(meanings)? {
            return Ok((page, next.into_paging_control_flow()));
        }
    }
    bail!("no page of {PAGE_ROWS} rows was read within one second: the machine is too busy")
}

fn now() -> Result<i64> {
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?
        .as_secs() as i64)
}

impl Page {
    fn has_ttl(&self, meanings: &[Meaning]) -> Result<bool> {
        for row in self.result.rows::<ColumnIterator>()? {
            for (column, meaning) in row?.zip(meanings) {
                let is_ttl = matches!(meaning, Meaning::Ttl | Meaning::TtlList);
                if is_ttl && column?.slice.is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn add_to(&self, partitions: &mut Partitions, meanings: &[Meaning]) -> Result<()> {
        for row in self.result.rows::<ColumnIterator>()? {
            let mut key = String::new();
            let mut values: Vec<Option<&[u8]>> = Vec::with_capacity(meanings.len());
            for (column, meaning) in row?.zip(meanings) {
                let bytes = column?.slice.map(|slice| slice.as_slice());
                if *meaning == Meaning::PartitionKey {
                    push_key(&mut key, bytes.unwrap_or_default());
                }
                values.push(bytes);
            }
            partitions.enter(key);
            partitions.rows += 1;
            for (bytes, meaning) in values.into_iter().zip(meanings) {
                match (bytes, meaning) {
                    (Some(bytes), Meaning::Ttl) => {
                        partitions.hash(Some(&expiry(bytes, self.second)?.to_be_bytes()));
                    }
                    (Some(bytes), Meaning::TtlList) => {
                        partitions.hash(Some(&expiries(bytes, self.second)?));
                    }
                    (bytes, _) => partitions.hash(bytes),
                }
            }
        }
        Ok(())
    }
}

/// The partitions of one range. Rows of a partition come one after the other, in clustering order.
#[derive(Default)]
struct Partitions {
    done: TableDigest,
    rows: u64,
    current: Option<(String, Hasher)>,
}

impl Partitions {
    fn enter(&mut self, key: String) {
        if self
            .current
            .as_ref()
            .is_none_or(|(current, _)| *current != key)
        {
            self.close();
            self.current = Some((key, Hasher::new()));
        }
    }

    /// The length goes first, so that neighbours cannot swap bytes; null has a length of its own.
    fn hash(&mut self, bytes: Option<&[u8]>) {
        if let Some((_, hasher)) = &mut self.current {
            let length = bytes.map_or(-1, |bytes| bytes.len() as i64);
            hasher
                .update(&length.to_be_bytes())
                .update(bytes.unwrap_or_default());
        }
    }

    fn close(&mut self) {
        if let Some((key, hasher)) = self.current.take() {
            // 128 bits tell partitions apart well enough and keep the file half the size.
            let hash = hasher.finalize().to_hex()[..32].to_owned();
            self.done.partitions.insert(key, hash);
        }
    }

    fn finish(mut self) -> TableDigest {
        self.close();
        self.done.rows = self.rows;
        self.done
    }
}

fn push_key(key: &mut String, bytes: &[u8]) {
    if !key.is_empty() {
        key.push(':');
    }
    for byte in bytes {
        key.push_str(&format!("{byte:02x}"));
    }
}

fn expiry(ttl: &[u8], second: i64) -> Result<i64> {
    let ttl: [u8; 4] = ttl.try_into().context("a TTL is not four bytes long")?;
    Ok(second + i64::from(i32::from_be_bytes(ttl)))
}

/// A CQL list of ints: a count, then each element behind its length, which is negative for null.
fn expiries(list: &[u8], second: i64) -> Result<Vec<u8>> {
    let mut hashed = Vec::new();
    let mut rest = list.get(4..).context("a list of TTLs has no count")?;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        let (element, after) = after
            .split_at_checked(length)
            .context("a list of TTLs is cut short")?;
        let expiry = if element.is_empty() {
            -1
        } else {
            expiry(element, second)?
        };
        hashed.extend(expiry.to_be_bytes());
        rest = after;
    }
    Ok(hashed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_the_circle_without_overlap() {
        let ranges = ranges();
        assert_eq!(ranges.first().unwrap().0, i64::MIN);
        assert_eq!(ranges.last().unwrap().1, i64::MAX);
        assert!(
            ranges
                .windows(2)
                .all(|pair| pair[0].1 == pair[1].0 && pair[0].0 < pair[0].1)
        );
    }

    #[test]
    fn a_ttl_becomes_a_time_whenever_it_is_read() {
        assert_eq!(expiry(&100i32.to_be_bytes(), 1000).unwrap(), 1100);
        assert_eq!(expiry(&90i32.to_be_bytes(), 1010).unwrap(), 1100);
        let list = |ttl: i32| {
            let mut bytes = vec![0, 0, 0, 2, 0, 0, 0, 4];
            bytes.extend(ttl.to_be_bytes());
            bytes.extend((-1i32).to_be_bytes());
            bytes
        };
        assert_eq!(
            expiries(&list(100), 1000).unwrap(),
            expiries(&list(90), 1010).unwrap()
        );
        assert_ne!(
            expiries(&list(100), 1000).unwrap(),
            expiries(&list(90), 1000).unwrap()
        );
    }

    #[test]
    fn a_null_is_not_an_empty_value() {
        let hash = |bytes: Option<&[u8]>| {
            let mut partitions = Partitions::default();
            partitions.enter("00".to_owned());
            partitions.hash(bytes);
            partitions.finish().partitions["00"].clone()
        };
        assert_ne!(hash(None), hash(Some(&[])));
    }
}
