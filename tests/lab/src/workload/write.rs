//! Writes rows quickly: prepared, in batches of one partition, many at a time.

use anyhow::{Context, Result};
use futures::stream::{self, StreamExt, TryStreamExt};
use scylla::client::session::Session;
use scylla::statement::Consistency;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement;

use super::rows::{Bulk, HALVES};
use super::schema::TTL_SECONDS;

const WRITES_AT_ONCE: usize = 48;

/// A run of rows of one partition.
struct Chunk {
    partition: u64,
    first: u64,
    rows: u64,
    expires: bool,
}

/// Writes every second chunk of the bulk: the even ones in the first half, the odd ones in the second.
pub async fn write(session: &Session, bulk: &Bulk, half: u64) -> Result<()> {
    let lasting = prepare(session, bulk.insert).await?;
    let expiring = prepare(session, &format!("{} USING TTL {TTL_SECONDS}", bulk.insert)).await?;
    let (lasting, expiring) = (&lasting, &expiring);
    stream::iter(chunks(bulk, half))
        .map(Ok)
        .try_for_each_concurrent(WRITES_AT_ONCE, |chunk| async move {
            let statement = if chunk.expires { expiring } else { lasting };
            write_chunk(session, statement, bulk, &chunk).await
        })
        .await
        .with_context(|| format!("`{}` failed", bulk.insert))
}

/// Runs statements without values, many at a time and in no order.
pub async fn run_all(session: &Session, statements: Vec<String>) -> Result<()> {
    stream::iter(statements)
        .map(Ok)
        .try_for_each_concurrent(WRITES_AT_ONCE, |text| async move {
            let mut statement = Statement::new(text.as_str());
            statement.set_consistency(Consistency::All);
            session
                .query_unpaged(statement, ())
                .await
                .with_context(|| format!("`{text}` failed"))?;
            Ok(())
        })
        .await
}

fn chunks(bulk: &Bulk, half: u64) -> impl Iterator<Item = Chunk> {
    let mut number = 0;
    (0..bulk.partitions)
        .flat_map(move |partition| {
            let rows = (bulk.rows_of)(partition);
            (0..rows)
                .step_by(bulk.chunk_rows as usize)
                .map(move |first| Chunk {
                    partition,
                    first,
                    rows: bulk.chunk_rows.min(rows - first),
                    expires: false,
                })
        })
        .map(move |chunk| {
            number += 1;
            let expires = bulk.expiring_one_in > 0 && number % bulk.expiring_one_in == 0;
            (number, Chunk { expires, ..chunk })
        })
        .filter(move |(number, _)| number % HALVES == half)
        .map(|(_, chunk)| chunk)
}

async fn prepare(session: &Session, insert: &str) -> Result<PreparedStatement> {
    let mut statement = session
        .prepare(insert)
        .await
        .with_context(|| format!("could not prepare `{insert}`"))?;
    statement.set_consistency(Consistency::All);
    Ok(statement)
}

async fn write_chunk(
    session: &Session,
    statement: &PreparedStatement,
    bulk: &Bulk,
    chunk: &Chunk,
) -> Result<()> {
    let rows: Vec<_> = (chunk.first..chunk.first + chunk.rows)
        .map(|row| (bulk.row)(chunk.partition, row))
        .collect();
    if let [row] = rows.as_slice() {
        session.execute_unpaged(statement, row).await?;
        return Ok(());
    }
    let mut batch = Batch::new(BatchType::Unlogged);
    batch.set_consistency(Consistency::All);
    for _ in &rows {
        batch.append_statement(statement.clone());
    }
    session.batch(&batch, rows).await?;
    Ok(())
}
