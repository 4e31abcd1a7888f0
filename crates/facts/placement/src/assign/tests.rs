use proptest::prelude::*;

use super::*;

/// The best sum over all ways to spread evenly.
fn best_sum(rows: usize, columns: usize, scores: &[i64]) -> i64 {
    fn search(row: usize, used: &mut [usize], rows: usize, scores: &[i64]) -> Option<i64> {
        let columns = used.len();
        if row == rows {
            let even = |used: &usize| *used >= rows / columns && *used <= rows.div_ceil(columns);
            return used.iter().all(even).then_some(0);
        }
        (0..columns)
            .filter_map(|column| {
                used[column] += 1;
                let rest = search(row + 1, used, rows, scores);
                used[column] -= 1;
                Some(rest? + scores[row * columns + column])
            })
            .max()
    }
    search(0, &mut vec![0; columns], rows, scores).expect("a spread")
}

fn even(chosen: &[usize], columns: usize) -> bool {
    let mut used = vec![0; columns];
    chosen.iter().for_each(|column| used[*column] += 1);
    let (least, most) = (used.iter().min(), used.iter().max());
    least
        .zip(most)
        .is_some_and(|(least, most)| most - least <= 1)
}

proptest! {
    #[test]
    fn the_best_even_spread_is_found(
        (rows, columns) in (1..=6_usize).prop_flat_map(|rows| (Just(rows), 1..=rows)),
        scores in proptest::collection::vec(0..100_i64, 36),
    ) {
        let score = |row: usize, column: usize| scores[row * columns + column];
        let chosen = spread_evenly(rows, columns, &score);
        prop_assert!(even(&chosen, columns));
        let sum: i64 = chosen.iter().enumerate().map(|(row, column)| score(row, *column)).sum();
        prop_assert_eq!(sum, best_sum(rows, columns, &scores));
    }

    #[test]
    fn many_rows_are_spread_evenly_and_each_gets_what_no_other_wants(
        rows in 17..80_usize,
        columns in 1..17_usize,
    ) {
        let liked = |row: usize, column: usize| if row == column { 5 } else { 1 };
        let chosen = spread_evenly(rows, columns, &liked);
        prop_assert!(even(&chosen, columns));
        prop_assert!((0..columns).all(|at| chosen[at] == at));
    }
}
