//! The secondary indexes of the workload return what a scan of their table finds.

use anyhow::{Context, Result, ensure};
use lab::Release;
use lab::session::{CqlValue, rows};

use crate::World;

/// Asks every index of `shop.products`.
pub async fn check_indexes(world: &World) -> Result<()> {
    let session = world.cluster.session().await?;
    let scanned = rows(&session, "SELECT maker, price FROM shop.products").await?;
    let makers = scanned.iter().filter_map(|row| row[0].as_ref()?.as_text());
    let makers: Vec<&String> = makers.collect();
    let maker = makers.first().context("a maker")?;
    let query = format!("SELECT maker FROM shop.products WHERE maker = '{maker}'");
    let indexed = rows(&session, &query).await?;
    let of_maker = makers.iter().filter(|other| other == &maker).count();
    ensure!(
        indexed.len() == of_maker,
        "{} rows of {maker}, {of_maker} by a scan",
        indexed.len()
    );
    if world.cluster.release() == Release::C50 {
        let query = "SELECT price FROM shop.products WHERE price >= 0";
        let indexed = rows(&session, query).await?.len();
        let is_priced = |row: &&Vec<Option<CqlValue>>| row[1].is_some();
        let priced = scanned.iter().filter(is_priced).count();
        ensure!(
            priced > 0 && indexed == priced,
            "{indexed} rows by the storage-attached index, {priced} by a scan"
        );
    }
    Ok(())
}
