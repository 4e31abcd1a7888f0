//! The normal form of indexes.

use super::Normal;
use crate::index::{Index, IndexKind, IndexTarget, TargetKind};
use crate::option::Literal;

impl Normal for Index {
    fn normal(&self) -> Self {
        let class = match self.kind() {
            IndexKind::Legacy => None,
            IndexKind::Sai => Some("sai".to_owned()),
            IndexKind::Sasi => Some("SASIIndex".to_owned()),
            IndexKind::Search | IndexKind::Custom(_) => self.class.clone(),
        };
        let targets = self.targets.iter().map(|target| IndexTarget {
            // A collection without a target kind is indexed by its values.
            kind: match target.kind {
                TargetKind::Values => TargetKind::Simple,
                kind => kind,
            },
            column: target.column.clone(),
        });
        let texts = self.options.iter();
        Self {
            targets: targets.collect(),
            is_custom: matches!(self.kind(), IndexKind::Search | IndexKind::Custom(_)),
            class,
            options: texts
                .map(|(key, value)| (key.clone(), Literal::text(value.content())))
                .collect(),
            properties: super::normal_options(&self.properties),
            search_statements: self
                .search_statements
                .iter()
                .map(|text| super::view::without_blanks(text))
                .collect(),
            ..self.clone()
        }
    }
}
