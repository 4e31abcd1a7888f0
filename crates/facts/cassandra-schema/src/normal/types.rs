//! The normal form of types, without an implied `frozen`.

use super::class::TYPES;
use crate::cql_type::{CqlType, Native};

/// The type of a column or field. A tuple is always frozen, and so is everything inside a frozen type.
pub(crate) fn normal_type(of: &CqlType) -> CqlType {
    normal(of, false)
}

/// The type of a dropped column. HCD distinguishes tuples that were frozen from those that were not.
pub(super) fn normal_dropped(of: &CqlType) -> CqlType {
    match of {
        CqlType::Tuple(parts) => {
            CqlType::Tuple(parts.iter().map(|part| normal(part, true)).collect())
        }
        _ => normal(of, false),
    }
}

/// The type of an argument of a function, which is always frozen.
pub(crate) fn normal_argument(of: &CqlType) -> CqlType {
    thawed(&normal_type(of))
}

fn normal(of: &CqlType, frozen: bool) -> CqlType {
    let inner = |of: &CqlType| Box::new(normal(of, frozen));
    let made = match of {
        CqlType::Native(Native::Varchar) => return CqlType::Native(Native::Text),
        CqlType::Native(_) => return of.clone(),
        CqlType::Custom(class) => return CqlType::Custom(class.replace(TYPES, "")),
        CqlType::Vector(of, dimension) => {
            return CqlType::Vector(Box::new(normal(of, true)), *dimension);
        }
        CqlType::Frozen(of) => return normal(of, true),
        CqlType::Tuple(parts) => {
            let parts = parts.iter().map(|part| normal(part, true)).collect();
            return CqlType::frozen(CqlType::Tuple(parts));
        }
        CqlType::List(of) => CqlType::List(inner(of)),
        CqlType::Set(of) => CqlType::Set(inner(of)),
        CqlType::Map(key, value) => CqlType::Map(inner(key), inner(value)),
        CqlType::User { name, .. } => CqlType::user(name),
    };
    if frozen { CqlType::frozen(made) } else { made }
}

fn thawed(of: &CqlType) -> CqlType {
    let inner = |of: &CqlType| Box::new(thawed(of));
    match of {
        CqlType::Native(_) | CqlType::Custom(_) | CqlType::User { .. } => of.clone(),
        CqlType::Frozen(of) => thawed(of),
        CqlType::List(of) => CqlType::List(inner(of)),
        CqlType::Set(of) => CqlType::Set(inner(of)),
        CqlType::Map(key, value) => CqlType::Map(inner(key), inner(value)),
        CqlType::Tuple(parts) => CqlType::Tuple(parts.iter().map(thawed).collect()),
        CqlType::Vector(of, dimension) => CqlType::Vector(inner(of), *dimension),
    }
}
