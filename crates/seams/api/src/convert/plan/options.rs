//! The options of a restore between wire and model: the one place for the runner's and the planner's requests.

use model::plan::{Completeness, RequestedMode, RestoreOptions};

use crate::convert::ConversionError;
use crate::pb::planner as pb;

/// All but the renames, which are beside the options of a request.
pub(super) fn to_wire(options: RestoreOptions) -> pb::RestoreOptions {
    pb::RestoreOptions {
        selection: Some(options.selection.into()),
        mode: pb::RestoreMode::from(options.mode) as i32,
        allow_unlisted_version: options.allow_unlisted_version,
        datacenters: options.datacenters.into_iter().collect(),
        completeness: pb::Completeness::from(options.completeness) as i32,
        rewrite_schema: options.rewrite_schema,
        skip_trial: options.skip_trial,
    }
}

/// All but the renames.
pub(super) fn of_wire(options: pb::RestoreOptions) -> Result<RestoreOptions, ConversionError> {
    let (mode, completeness) = (options.mode().into(), options.completeness().into());
    Ok(RestoreOptions {
        // None is the empty one: everything.
        selection: options.selection.unwrap_or_default().try_into()?,
        mode,
        allow_unlisted_version: options.allow_unlisted_version,
        datacenters: options.datacenters.into_iter().collect(),
        completeness,
        rewrite_schema: options.rewrite_schema,
        skip_trial: options.skip_trial,
        renames: Vec::new(),
    })
}

impl From<RequestedMode> for pb::RestoreMode {
    fn from(mode: RequestedMode) -> Self {
        match mode {
            RequestedMode::Auto => Self::Auto,
            RequestedMode::Online => Self::Online,
            RequestedMode::InPlace => Self::InPlace,
        }
    }
}

impl From<pb::RestoreMode> for RequestedMode {
    fn from(mode: pb::RestoreMode) -> Self {
        match mode {
            pb::RestoreMode::Unspecified | pb::RestoreMode::Auto => Self::Auto,
            pb::RestoreMode::Online => Self::Online,
            pb::RestoreMode::InPlace => Self::InPlace,
        }
    }
}

impl From<Completeness> for pb::Completeness {
    fn from(completeness: Completeness) -> Self {
        match completeness {
            Completeness::All => Self::All,
            Completeness::Quorum => Self::Quorum,
            Completeness::One => Self::One,
            Completeness::Any => Self::Any,
        }
    }
}

impl From<pb::Completeness> for Completeness {
    fn from(completeness: pb::Completeness) -> Self {
        match completeness {
            pb::Completeness::Unspecified | pb::Completeness::All => Self::All,
            pb::Completeness::Quorum => Self::Quorum,
            pb::Completeness::One => Self::One,
            pb::Completeness::Any => Self::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Selection, TableRef};

    use super::*;

    #[test]
    fn the_options_survive_the_wire_and_absent_ones_are_the_defaults() {
        let options = RestoreOptions {
            selection: Selection {
                keyspaces: vec!["shop".into()],
                tables: vec![TableRef::new("crm", "people")],
            },
            mode: RequestedMode::InPlace,
            allow_unlisted_version: true,
            datacenters: [("dc1".to_owned(), "east,west".to_owned())].into(),
            completeness: Completeness::Quorum,
            rewrite_schema: true,
            skip_trial: true,
            renames: Vec::new(),
        };
        for options in [options, RestoreOptions::default()] {
            let wire = to_wire(options.clone());
            assert_eq!(of_wire(wire), Ok(options));
        }
        let absent = of_wire(pb::RestoreOptions::default());
        assert_eq!(absent, Ok(RestoreOptions::default()));
    }
}
