//! What the serialization header says, made ready for decoding rows.

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
    /// The lower 32 bits: differences to it are made in them.
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
    /// The cells' paths, where the column has many cells in a row.
    pub(super) path: Option<ValueShape>,
}

impl Schema {
    pub fn new(header: &SerializationHeader, version: Version) -> Result<Self, Damage> {
        Self::build(header, version, false)
    }

    /// For SSTables that Cassandra 3.0 wrote, which had no user types but frozen ones and did not say so.
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
            .map(|text| Ok(ValueShape::of(&class(text)?)))
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

    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether a user type may be frozen although the header does not say so: then damage that is found in rows may
    /// come from reading them wrongly, and [`Self::with_frozen_user_types`] may read them rightly.
    pub fn user_types_are_ambiguous(&self) -> bool {
        self.user_types_are_ambiguous
    }
}

fn class(text: &str) -> Result<TypeClass, Damage> {
    TypeClass::parse(text).map_err(|e| Damage::whole("Statistics.db", e.to_string()))
}

/// The columns' shapes in the header's order, which is that of their cells, and whether one may be frozen unsaid.
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
    // Columns with many cells come last. So whatever comes before one that has not is not one of them.
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
                value: ValueShape::of(class),
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
    fn user_types_of_3_0_and_3_11_are_told_apart_where_their_place_tells() {
        let user = "UserType(ks,75,61:Int32Type)";
        // Behind it stands a simple column, so it is one.
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
