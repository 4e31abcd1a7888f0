use super::*;

fn order(types: &[&str]) -> PrefixOrder {
    PrefixOrder::new(&SerializationHeader {
        min_timestamp: 0,
        min_local_deletion_time: 0,
        min_ttl: 0,
        key_type: "UTF8Type".into(),
        clustering_types: types.iter().map(|text| (*text).to_owned()).collect(),
        static_columns: Vec::new(),
        regular_columns: Vec::new(),
    })
    .expect("types")
}

/// A prefix of 32-bit integers; a bound has its size written.
fn prefix(kind: ClusteringKind, values: &[i32]) -> Vec<u8> {
    let mut bytes = vec![kind as u8];
    if kind != ClusteringKind::Clustering {
        bytes.extend_from_slice(&[0, values.len() as u8]);
    }
    if !values.is_empty() {
        bytes.push(0);
    }
    values
        .iter()
        .for_each(|value| bytes.extend_from_slice(&value.to_be_bytes()));
    bytes
}

#[track_caller]
fn check_ascending(order: &PrefixOrder, ascending: &[Vec<u8>]) {
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(order.compare(a, b), Some(i.cmp(&j)), "{a:?} {b:?}");
        }
    }
}

#[test]
fn bounds_are_before_at_or_behind_the_rows_that_begin_with_them() {
    use ClusteringKind::*;
    let ascending = [
        prefix(InclStartBound, &[]),
        prefix(InclStartBound, &[-1]),
        prefix(Clustering, &[-1, 7]),
        prefix(InclStartBound, &[1]),
        prefix(ExclEndBound, &[1, 5]),
        prefix(Clustering, &[1, 5]),
        prefix(ExclStartBound, &[1, 5]),
        prefix(Clustering, &[1, 6]),
        prefix(InclEndBound, &[1]),
        prefix(ExclEndInclStartBoundary, &[2]),
        prefix(Clustering, &[2, -9]),
        prefix(InclEndExclStartBoundary, &[2]),
        prefix(InclEndBound, &[]),
    ];
    check_ascending(&order(&["Int32Type", "Int32Type"]), &ascending);
    let equal = [
        prefix(InclEndBound, &[1]),
        prefix(ExclStartBound, &[1]),
        prefix(InclEndExclStartBoundary, &[1]),
    ];
    for bound in &equal {
        let found = order(&["Int32Type"]).compare(&equal[0], bound);
        assert_eq!(found, Some(Ordering::Equal));
    }
}

#[test]
fn a_reversed_column_descends() {
    use ClusteringKind::*;
    let ascending = [
        prefix(Clustering, &[1, 5]),
        prefix(Clustering, &[1, -5]),
        prefix(InclEndBound, &[1]),
        prefix(Clustering, &[2, 9]),
    ];
    let types = ["Int32Type", "ReversedType(Int32Type)"];
    check_ascending(&order(&types), &ascending);
}

#[test]
fn null_comes_first_and_an_empty_value_next() {
    let order = order(&["UTF8Type"]);
    let ascending = [vec![4, 2], vec![4, 1], vec![4, 0, 1, b'a']];
    check_ascending(&order, &ascending);
}

#[test]
fn equal_bytes_are_equal_whatever_the_order_is() {
    let order = order(&["Int32Type", "com.example.Custom"]);
    assert_eq!(order.unknown(), ["com.example.Custom"]);
    let a = [&[4, 0][..], &[0, 0, 0, 1], &[1, 7]].concat();
    let b = [&[4, 0][..], &[0, 0, 0, 1], &[1, 8]].concat();
    let c = [&[4, 0][..], &[0, 0, 0, 2], &[1, 0]].concat();
    assert_eq!(order.compare(&a, &a), Some(Ordering::Equal));
    assert_eq!(order.compare(&a, &b), None);
    assert_eq!(order.compare(&b, &c), Some(Ordering::Less));
}

#[test]
fn values_beyond_32_have_marks_of_their_own() {
    let order = order(&["UTF8Type"; 40]);
    let prefix = |last: u8| {
        let mut bytes = vec![4];
        crate::bytes::put_uvint(&mut bytes, 0x5555_5555_5555_5555);
        crate::bytes::put_uvint(&mut bytes, 0x1555);
        bytes.extend_from_slice(&[1, last]);
        bytes
    };
    check_ascending(&order, &[prefix(1), prefix(2)]);
}

#[test]
fn what_is_no_prefix_is_not_compared() {
    let order = order(&["Int32Type"]);
    let whole = prefix(ClusteringKind::Clustering, &[1]);
    for bytes in [&[][..], &[3, 0], &[4], &[4, 0, 0]] {
        assert_eq!(order.compare(bytes, &whole), None, "{bytes:?}");
    }
}
