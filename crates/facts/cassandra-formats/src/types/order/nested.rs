//! The order of values that are made of values.

use std::cmp::Ordering;

use super::ValueOrder;

/// Bytes from front to back; `None` if there are fewer.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn i32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// A value after its length; `None` for null, too, which no collection has.
    fn element(&mut self) -> Option<&'a [u8]> {
        let len = self.i32()?;
        self.take(usize::try_from(len).ok()?)
    }

    /// A value after its length, which is negative for null.
    fn field(&mut self) -> Option<Option<&'a [u8]>> {
        match usize::try_from(self.i32()?) {
            Ok(len) => Some(Some(self.take(len)?)),
            Err(_) => Some(None),
        }
    }
}

/// Lists and sets: element by element, then the shorter one first.
pub(super) fn elements(of: &ValueOrder, a: &[u8], b: &[u8]) -> Option<Ordering> {
    collections(&[of], a, b)
}

/// Maps: key and value of each entry, then the smaller one first.
pub(super) fn entries(
    key: &ValueOrder,
    value: &ValueOrder,
    a: &[u8],
    b: &[u8],
) -> Option<Ordering> {
    collections(&[key, value], a, b)
}

fn collections(parts: &[&ValueOrder], a: &[u8], b: &[u8]) -> Option<Ordering> {
    let (mut a, mut b) = (Parts(a), Parts(b));
    let (size_a, size_b) = (a.i32()?, b.i32()?);
    for _ in 0..size_a.min(size_b) {
        for part in parts {
            let order = part.compare(a.element()?, b.element()?)?;
            if order != Ordering::Equal {
                return Some(order);
            }
        }
    }
    Some(size_a.cmp(&size_b))
}

/// Tuples and user types: field by field, null first. Fields that are missing at the end are null.
pub(super) fn fields(of: &[ValueOrder], a: &[u8], b: &[u8]) -> Option<Ordering> {
    let (mut a, mut b) = (Parts(a), Parts(b));
    for field in of {
        // How trailing nulls compare with fields that are missing is not the same in all releases.
        if a.0.is_empty() || b.0.is_empty() {
            return trailing(a, b);
        }
        let order = match (a.field()?, b.field()?) {
            (Some(a), Some(b)) => field.compare(a, b)?,
            // 3.x compares what follows two nulls with the null field's order.
            (None, None) => return (a.0 == b.0).then_some(Ordering::Equal),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    (a.0.is_empty() && b.0.is_empty()).then_some(Ordering::Equal)
}

/// Of two tuples that are equal so far one has ended: the other one is greater if it has a field that is not null.
fn trailing<'a>(mut a: Parts<'a>, mut b: Parts<'a>) -> Option<Ordering> {
    for (rest, order) in [(&mut a, Ordering::Greater), (&mut b, Ordering::Less)] {
        while !rest.0.is_empty() {
            match rest.field()? {
                Some([]) => return None,
                Some(_) => return Some(order),
                None => {}
            }
        }
    }
    Some(Ordering::Equal)
}

/// Vectors of elements with `len` bytes each.
pub(super) fn vector(of: &ValueOrder, len: usize, a: &[u8], b: &[u8]) -> Option<Ordering> {
    if a.len() != b.len() {
        return None;
    }
    for (a, b) in a.chunks(len).zip(b.chunks(len)) {
        let order = of.compare(a, b)?;
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

/// `CompositeType`: component by component, each followed by a byte that makes bounds come before or behind.
pub(super) fn components(of: &[ValueOrder], a: &[u8], b: &[u8]) -> Option<Ordering> {
    const STATIC: &[u8] = &[0xff, 0xff];
    if a.starts_with(STATIC) || b.starts_with(STATIC) {
        return None;
    }
    let (mut a, mut b) = (Parts(a), Parts(b));
    for component in of {
        if a.0.is_empty() || b.0.is_empty() {
            break;
        }
        let (len_a, len_b) = (a.u16()?, b.u16()?);
        let (value_a, value_b) = (a.take(len_a.into())?, b.take(len_b.into())?);
        let ends = (a.take(1)?, b.take(1)?);
        let order = component.compare(value_a, value_b)?;
        let order = order.then_with(|| (ends.0[0] as i8).cmp(&(ends.1[0] as i8)));
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    match (a.0.is_empty(), b.0.is_empty()) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => None,
    }
}
