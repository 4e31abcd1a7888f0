//! The serialization header, prepared for decoding rows.

use super::clustering::ValueShape;
use crate::error::Damage;
use crate::statistics::header::{Column, SerializationHeader};
use crate::types::TypeClass;
use crate::version::Version;

/// The layout of an SSTable's rows.
#[derive(Debug)]
pub struct Schema {
    pub(crate) version: Version,
    pub(super) min_timestamp: i64,
    /// The lower 32 bits, in which Cassandra computes the differences to it.
    pub(super) min_local_deletion_time: u32,
    pub(super) min_ttl: i32,
    pub(crate) clustering: Vec<ValueShape>,
    pub(super) statics: Vec<ColumnShape>,
    pub(super) regulars: Vec<ColumnShape>,
    user_types_are_ambiguous: bool,
}

#[derive(Debug, Clone)]
pub(super) struct ColumnShape {
    pub(super) value: ValueShape,
    /// The shape of the cells' paths, if the column has many cells in a row.
    pub(super) path: Option<ValueShape>,
}

impl Schema {
    /// Prepares a serialization header for decoding. Damage is a type that cannot be parsed.
    pub fn new(header: &SerializationHeader, version: Version) -> Result<Self, Damage> {
        Self::build(header, version, false)
    }

    /// For SSTables of Cassandra 3.0, whose user types are all frozen although the header does not say so.
    pub fn with_frozen_user_types(
        header: &SerializationHeader,
        version: Version,
    ) -> Result<Self, Damage> {
        Self::build(header, version, true)
    }

    fn build(header: &SerializationHeader, version: Version, frozen: bool) -> Result<Self, Damage> {
        let clustering = header
            .clustering_types
            .iter()
            .map(|text| Ok(ValueShape::new(&class(text)?)))
            .collect::<Result<_, Damage>>()?;
        let (statics, some) = columns(&header.static_columns, version, frozen)?;
        let (regulars, more) = columns(&header.regular_columns, version, frozen)?;
        Ok(Self {
            version,
            min_timestamp: header.min_timestamp,
            min_local_deletion_time: header.min_local_deletion_time as u32,
            min_ttl: header.min_ttl as i32,
            clustering,
            statics,
            regulars,
            user_types_are_ambiguous: some || more,
        })
    }

    /// The version that the rows were written in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether a user type may be frozen although the header does not say so. Then damage in rows may only mean that
    /// they were decoded wrongly, and [`Self::with_frozen_user_types`] may decode them.
    pub fn user_types_are_ambiguous(&self) -> bool {
        self.user_types_are_ambiguous
    }
}

fn class(text: &str) -> Result<TypeClass, Damage> {
    TypeClass::parse(text).map_err(|e| Damage::whole("Statistics.db", e.to_string()))
}

/// The columns' shapes in the header's order, which is that of their cells, and whether a column may be frozen
/// although the header does not say so.
fn columns(
    columns: &[Column],
    version: Version,
    frozen: bool,
) -> Result<(Vec<ColumnShape>, bool), Damage> {
    let tuples_too = version.to_string() == "bti-cc";
    let before_four = !version.is_bti() && !version.has_pending_repair();
    let classes = columns
        .iter()
        .map(|column| class(&column.type_class))
        .collect::<Result<Vec<_>, _>>()?;
    let is_complex = |class: &TypeClass| class.multi_cell(tuples_too).is_some();
    // Columns with many cells come last, so a column before one with a single cell has a single cell too.
    let last_simple = classes.iter().rposition(|class| !is_complex(class));
    let mut ambiguous = false;
    let mut shapes = Vec::with_capacity(classes.len());
    for (i, class) in classes.iter().enumerate() {
        let mut many = class.multi_cell(tuples_too);
        if before_four && class.is_user_type() {
            let certain = last_simple.is_some_and(|last| i < last);
            ambiguous |= !certain;
            if certain || frozen {
                many = None;
            }
        }
        shapes.push(match many {
            Some(many) => ColumnShape {
                value: ValueShape::variable(many.value),
                path: Some(ValueShape::variable(many.path)),
            },
            None => ColumnShape {
                value: ValueShape::new(class),
                path: None,
            },
        });
    }
    Ok((shapes, ambiguous))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complex(version: &str, types: &[&str], frozen: bool) -> (Vec<bool>, bool) {
        let version = Version::known(&version.parse().expect("a version")).expect("known");
        let named: Vec<Column> = types
            .iter()
            .map(|text| Column {
                name: b"c".to_vec(),
                type_class: (*text).to_owned(),
            })
            .collect();
        let (shapes, ambiguous) = columns(&named, version, frozen).expect("types");
        (
            shapes.iter().map(|shape| shape.path.is_some()).collect(),
            ambiguous,
        )
    }

    #[test]
    fn user_types_of_3_0_and_3_11_are_distinguished_by_their_position_if_possible() {
        let user = "UserType(ks,75,61:Int32Type)";
        // A simple column follows it, so it is one.
        assert_eq!(
            complex("big-mc", &[user, "Int32Type"], false),
            (vec![false, false], false)
        );
        // It may be either.
        assert_eq!(
            complex("big-me", &["Int32Type", user], false),
            (vec![false, true], true)
        );
        assert_eq!(
            complex("big-me", &["Int32Type", user], true),
            (vec![false, false], true)
        );
        // From 4.0 on the header says it.
        assert_eq!(
            complex("big-nb", &["Int32Type", user], true),
            (vec![false, true], false)
        );
    }

    #[test]
    fn tuples_have_many_cells_in_hcds_last_version_alone() {
        let tuple = ["TupleType(Int32Type)"];
        assert_eq!(complex("bti-cc", &tuple, false).0, [true]);
        for version in ["bti-cb", "bti-da", "big-oa", "bti-bb"] {
            assert_eq!(complex(version, &tuple, false).0, [false], "{version}");
        }
    }
}
