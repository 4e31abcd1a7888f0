//! Assigns rows to columns evenly, so that the sum of their scores is highest.

/// With more rows, the best assignment would take too long; then each row in turn takes the column with its highest
/// score among those that are left.
const BEST_ROWS_MAX: usize = 16;
/// More than any sum of scores, so that no column gets too few rows.
const MUST_BE_USED: i64 = 1 << 50;
/// The highest score that is allowed.
pub(crate) const SCORE_MAX: i64 = 1 << 44;

/// Returns the column of each row. There must be at least as many rows as columns; each column gets as many rows as
/// any other, or one more.
pub(crate) fn spread_evenly(
    rows: usize,
    columns: usize,
    score: &dyn Fn(usize, usize) -> i64,
) -> Vec<usize> {
    debug_assert!(columns > 0 && rows >= columns);
    match rows {
        0..=BEST_ROWS_MAX => best(rows, columns, score),
        _ => greedy(rows, columns, score),
    }
}

/// The Hungarian method, by rows: each new row is added along the cheapest path of rows that move.
fn best(rows: usize, columns: usize, score: &dyn Fn(usize, usize) -> i64) -> Vec<usize> {
    let full = columns * (rows / columns);
    let slots = columns * rows.div_ceil(columns);
    let cost = |row: usize, slot: usize| {
        let used = if slot < full { MUST_BE_USED } else { 0 };
        -(used + score(row, slot % columns))
    };
    let mut row_price = vec![0; rows];
    let mut slot_price = vec![0; slots];
    let mut holder: Vec<Option<usize>> = vec![None; slots];
    for new_row in 0..rows {
        let mut distance = vec![i64::MAX; slots];
        // The slot before it on the cheapest path; `None` if the new row goes there itself.
        let mut before: Vec<Option<usize>> = vec![None; slots];
        let mut settled = vec![false; slots];
        let (mut row, mut from) = (new_row, None);
        let free = loop {
            let mut nearest: Option<usize> = None;
            for slot in (0..slots).filter(|slot| !settled[*slot]) {
                let reduced = cost(row, slot) - row_price[row] - slot_price[slot];
                if reduced < distance[slot] {
                    distance[slot] = reduced;
                    before[slot] = from;
                }
                if nearest.is_none_or(|nearest| distance[slot] < distance[nearest]) {
                    nearest = Some(slot);
                }
            }
            // There are at least as many slots as rows, so a free one is found before they run out.
            let Some(nearest) = nearest else { break None };
            let step = distance[nearest];
            row_price[new_row] += step;
            for slot in 0..slots {
                match (settled[slot], holder[slot]) {
                    (true, Some(held)) => {
                        row_price[held] += step;
                        slot_price[slot] -= step;
                    }
                    _ if distance[slot] < i64::MAX => distance[slot] -= step,
                    _ => {}
                }
            }
            settled[nearest] = true;
            match holder[nearest] {
                None => break Some(nearest),
                Some(held) => (row, from) = (held, Some(nearest)),
            }
        };
        let mut at = free;
        while let Some(slot) = at {
            at = before[slot];
            holder[slot] = at.map_or(Some(new_row), |previous| holder[previous]);
        }
    }
    let mut column_of = vec![0; rows];
    for (slot, row) in holder.iter().enumerate() {
        if let Some(row) = row {
            column_of[*row] = slot % columns;
        }
    }
    column_of
}

/// Rows with the highest score for any column choose first.
fn greedy(rows: usize, columns: usize, score: &dyn Fn(usize, usize) -> i64) -> Vec<usize> {
    let highest = |row: usize| (0..columns).map(|column| score(row, column)).max();
    let mut order: Vec<(std::cmp::Reverse<Option<i64>>, usize)> = (0..rows)
        .map(|row| (std::cmp::Reverse(highest(row)), row))
        .collect();
    order.sort_unstable();
    let each = rows / columns;
    let mut one_more = rows % columns;
    let mut used = vec![0; columns];
    let mut column_of = vec![0; rows];
    for (_, row) in order {
        let open = |column: &usize| used[*column] < each || (used[*column] == each && one_more > 0);
        let best = (0..columns)
            .filter(open)
            .max_by_key(|column| (score(row, *column), std::cmp::Reverse(*column)));
        let Some(column) = best else { continue };
        one_more -= usize::from(used[column] == each);
        used[column] += 1;
        column_of[row] = column;
    }
    column_of
}

#[cfg(test)]
mod tests;
