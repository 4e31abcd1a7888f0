//! Uploads the files of a snapshot: what the bucket has already is found first, then small files travel in packs and
//! others alone.

use std::sync::Arc;

use bucket::Packing;
use cassandra_node::files::blocking;
use cassandra_node::sstables;
use chassis::work::Work;
use model::TableId;

use super::file::{Known, Uploader};
use super::pack::Piece;
use super::{Kept, Stored, UploadError};
use crate::agent::Agent;
use crate::limits::TaskLimits;
use crate::snapshot::SnapshotTable;

/// What is stored at once.
enum Job {
    File(Piece),
    Pack(Vec<Piece>),
}

pub(super) async fn upload_files(
    agent: &Agent,
    limits: &TaskLimits,
    uploader: &Uploader,
    tables: &[SnapshotTable],
    work: &Work,
) -> Result<Stored, UploadError> {
    let tables = tables.to_vec();
    let pieces = blocking(move || pieces(tables)).await;
    work.update(|progress| {
        progress.bytes_total = pieces.iter().map(|piece| piece.file.bytes).sum();
        progress.items_total = pieces.len() as u64;
    });
    let memory_bytes = agent.budget.total_bytes() as u64;
    let packing = Packing::new(agent.config.packed_file_bytes_max, memory_bytes);
    let (small, large) = pieces
        .into_iter()
        .partition::<Vec<_>, _>(|piece| packing.takes(piece.file.bytes));
    let mut stored = Stored::default();
    let packs = settle(agent, limits, uploader, small, &packing, |table, kept| {
        work.update(|progress| progress.items_done += 1);
        stored.add(table, kept);
    })
    .await?;
    let jobs = packs.into_iter().chain(large.into_iter().map(Job::File));
    let run = |job| async move {
        match job {
            Job::Pack(pieces) => uploader.store_pack(pieces).await,
            Job::File(piece) => {
                let table = piece.table.id;
                let kept = uploader.store_file(&piece.table, piece.file, piece.sstable);
                Ok(vec![(table, kept.await?)])
            }
        }
    };
    let parallel = agent.config.parallel_files;
    let ended = |files: Vec<(TableId, Kept)>| {
        work.update(|progress| progress.items_done += files.len() as u64);
        for (table, kept) in files {
            stored.add(table, kept);
        }
    };
    limits
        .for_each(&uploader.work, parallel, jobs.collect(), run, ended)
        .await?;
    Ok(stored)
}

/// All files, SSTable by SSTable, so that what is restored together is stored together. The order depends on nothing but
/// the snapshot.
fn pieces(tables: Vec<SnapshotTable>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for SnapshotTable { table, files } in tables {
        let of = Arc::new(table);
        let files = sstables::with_sstables(files);
        let mut files: Vec<Piece> = files
            .into_iter()
            .map(|(file, sstable)| Piece {
                table: of.clone(),
                file,
                sstable,
            })
            .collect();
        files.sort_by(|a, b| {
            let (a, b) = (&a.file, &b.file);
            let sstables = (&a.index, &a.descriptor).cmp(&(&b.index, &b.descriptor));
            sstables.then_with(|| a.path.cmp(&b.path))
        });
        pieces.extend(files);
    }
    pieces
}

/// Finds out which small files the bucket has, and lays the others into packs. Those that an earlier try of this upload has
/// stored keep their places, so that the packs are the same in every try.
async fn settle(
    agent: &Agent,
    limits: &TaskLimits,
    uploader: &Uploader,
    small: Vec<Piece>,
    packing: &Packing,
    mut found: impl FnMut(TableId, Kept),
) -> Result<Vec<Job>, UploadError> {
    let mut known: Vec<Known> = small.iter().map(|_| Known::No).collect();
    let look = |(at, piece): (usize, &Piece)| {
        let piece = piece.clone();
        async move {
            let is_known = uploader.known(&piece.table, &piece.file, &piece.sstable);
            Ok::<_, UploadError>((at, is_known.await?))
        }
    };
    let (all, parallel) = (
        small.iter().enumerate().collect(),
        agent.config.parallel_files,
    );
    let note = |(at, is_known): (usize, Known)| known[at] = is_known;
    limits
        .for_each(&uploader.work, parallel, all, look, note)
        .await?;
    // What was copied is done; the rest is laid out like new files.
    let copied = uploader.copy_packs(limits, &small, &known, parallel);
    for (at, kept) in copied.await? {
        known[at] = Known::Done(kept);
    }
    let mut laid: Vec<(Piece, Option<Kept>)> = Vec::new();
    for (piece, known) in small.into_iter().zip(known) {
        match known {
            Known::OfBase(kept) => found(piece.table.id, kept),
            // It never had a place among those that are uploaded.
            Known::Done(kept) if is_of_copied_pack(&kept) => found(piece.table.id, kept),
            Known::Done(kept) => laid.push((piece, Some(kept))),
            Known::Copyable(_) | Known::Changed | Known::No => laid.push((piece, None)),
        }
    }
    let sizes: Vec<u64> = laid.iter().map(|(piece, _)| piece.file.bytes).collect();
    let mut laid = laid.into_iter();
    let mut jobs = Vec::new();
    for pack in packing.lay_out(&sizes) {
        let mut open = Vec::new();
        for (piece, kept) in laid.by_ref().take(pack.len()) {
            match kept {
                Some(kept) => found(piece.table.id, kept),
                None => open.push(piece),
            }
        }
        match open.len() {
            0 => {}
            // Nothing travels with it.
            1 => jobs.extend(open.pop().map(Job::File)),
            _ => jobs.push(Job::Pack(open)),
        }
    }
    Ok(jobs)
}

fn is_of_copied_pack(kept: &Kept) -> bool {
    kept.file.copied_from.is_some() && kept.file.offset.is_some()
}
