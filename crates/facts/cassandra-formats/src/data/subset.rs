//! Which of the header's columns a row has: a bitmap of the missing ones, or a list if there are 64 or more.

use super::input::{Input, Stop};

/// One bit for each column that the row lacks, of fewer than 64.
#[inline]
pub(super) fn read_missing<I: Input>(input: &mut I, columns: usize) -> Result<u64, Stop> {
    let start = input.offset();
    let missing = input.uvint()?;
    if missing >> columns != 0 {
        let what = format!("the row misses columns {missing:#x} of {columns}");
        return Err(input.damage_at(start, what));
    }
    Ok(missing)
}

/// For each of 64 columns or more, whether the row has it.
pub(super) fn read_large<I: Input>(
    input: &mut I,
    columns: usize,
    present: &mut Vec<bool>,
) -> Result<(), Stop> {
    let start = input.offset();
    let missing = input.uvint()?;
    let Some(count) = usize::try_from(missing)
        .ok()
        .and_then(|missing| columns.checked_sub(missing))
    else {
        let what = format!("the row misses {missing} columns of {columns}");
        return Err(input.damage_at(start, what));
    };
    // The fewer of the two are listed.
    let lists_present = count < columns / 2;
    let listed = if lists_present {
        count
    } else {
        columns - count
    };
    present.clear();
    present.resize(columns, !lists_present);
    let mut next = 0;
    for _ in 0..listed {
        let start = input.offset();
        let index = input.uvint()?;
        let place = usize::try_from(index)
            .ok()
            .filter(|index| *index >= next)
            .and_then(|index| present.get_mut(index));
        let Some(place) = place else {
            let what = format!("column {index} of {columns} is out of order");
            return Err(input.damage_at(start, what));
        };
        *place = lists_present;
        next = index as usize + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::input::Bytes;
    use super::*;

    fn large(columns: usize, bytes: &[u8]) -> Option<Vec<usize>> {
        let mut present = Vec::new();
        let mut input = Bytes::new("Data.db", bytes, 0);
        read_large(&mut input, columns, &mut present).ok()?;
        assert_eq!(input.remaining(), 0);
        Some((0..columns).filter(|i| present[*i]).collect())
    }

    #[test]
    fn a_bitmap_names_the_missing_columns_and_no_others() {
        let read = |columns, byte: u8| {
            let bytes = [byte];
            read_missing(&mut Bytes::new("Data.db", &bytes, 0), columns).ok()
        };
        assert_eq!(read(3, 0b101), Some(0b101));
        assert_eq!(read(2, 0b101), None);
        assert_eq!(read(0, 0), Some(0));
    }

    #[test]
    fn of_many_columns_the_fewer_are_listed() {
        // 62 of 64 are missing: the two that are there are listed.
        assert_eq!(large(64, &[62, 3, 9]), Some(vec![3, 9]));
        let without_3 = (0..64).filter(|i| *i != 3).collect();
        assert_eq!(large(64, &[1, 3]), Some(without_3));
        assert_eq!(large(64, &[0]), Some((0..64).collect()));
        assert_eq!(large(64, &[62, 9, 3]), None, "out of order");
        assert_eq!(large(64, &[62, 3, 3]), None, "twice");
        assert_eq!(large(64, &[1, 64]), None, "beyond the last");
        assert_eq!(large(64, &[65]), None, "more than there are");
    }
}
