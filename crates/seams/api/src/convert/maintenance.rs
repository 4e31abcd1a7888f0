//! Maintenance jobs between wire and model.

use model::{MaintenanceArgs, MaintenanceCommand, MaintenanceJob};

use super::{ConversionError, required, some};
use crate::pb::types as pb;

impl From<MaintenanceCommand> for pb::MaintenanceCommand {
    fn from(command: MaintenanceCommand) -> Self {
        use MaintenanceCommand as C;
        match command {
            C::UpgradeSstables => Self::Upgradesstables,
            C::Cleanup => Self::Cleanup,
            C::Scrub => Self::Scrub,
            C::Compact => Self::Compact,
            C::Flush => Self::Flush,
            C::GarbageCollect => Self::Garbagecollect,
            C::Rebuild => Self::Rebuild,
            C::Refresh => Self::Refresh,
            C::Repair => Self::Repair,
            C::Restart => Self::Restart,
        }
    }
}

impl TryFrom<pb::MaintenanceCommand> for MaintenanceCommand {
    type Error = ConversionError;

    fn try_from(command: pb::MaintenanceCommand) -> Result<Self, ConversionError> {
        use pb::MaintenanceCommand as C;
        Ok(match command {
            C::Upgradesstables => Self::UpgradeSstables,
            C::Cleanup => Self::Cleanup,
            C::Scrub => Self::Scrub,
            C::Compact => Self::Compact,
            C::Flush => Self::Flush,
            C::Garbagecollect => Self::GarbageCollect,
            C::Rebuild => Self::Rebuild,
            C::Refresh => Self::Refresh,
            C::Repair => Self::Repair,
            C::Restart => Self::Restart,
            C::Unspecified => return Err(ConversionError::missing("job.command")),
        })
    }
}

impl From<MaintenanceJob> for pb::MaintenanceJob {
    fn from(job: MaintenanceJob) -> Self {
        let args = job.args;
        Self {
            command: pb::MaintenanceCommand::from(job.command) as i32,
            selection: Some(job.selection.into()),
            jobs: args.jobs,
            no_validate: args.no_validate,
            no_snapshot: args.no_snapshot,
            skip_corrupted: args.skip_corrupted,
            split_output: args.split_output,
            start_token: args.start_token.unwrap_or_default(),
            end_token: args.end_token.unwrap_or_default(),
            source_datacenter: args.source_datacenter.unwrap_or_default(),
            primary_range: args.primary_range,
        }
    }
}

/// A job that can be run: an argument that its command does not have is an error.
impl TryFrom<pb::MaintenanceJob> for MaintenanceJob {
    type Error = ConversionError;

    fn try_from(job: pb::MaintenanceJob) -> Result<Self, ConversionError> {
        let command = pb::MaintenanceCommand::try_from(job.command)
            .map_err(|_| ConversionError::invalid("job.command", "is not known here"))?;
        let job = Self {
            command: command.try_into()?,
            selection: required("job.selection", job.selection)?.try_into()?,
            args: MaintenanceArgs {
                jobs: job.jobs,
                no_validate: job.no_validate,
                no_snapshot: job.no_snapshot,
                skip_corrupted: job.skip_corrupted,
                split_output: job.split_output,
                start_token: some(job.start_token),
                end_token: some(job.end_token),
                source_datacenter: some(job.source_datacenter),
                primary_range: job.primary_range,
            },
        };
        match job.problems() {
            problems if problems.is_empty() => Ok(job),
            problems => Err(ConversionError::invalid("job", problems.join("; "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_survives_the_wire_with_its_arguments() {
        for (command, word) in MaintenanceCommand::ALL {
            let mut job = MaintenanceJob::new(command);
            if command == MaintenanceCommand::Rebuild {
                job.args.source_datacenter = Some("dc2".into());
            }
            if command == MaintenanceCommand::Refresh {
                let table = model::TableRef::new("shop", "orders");
                job.selection.tables.push(table);
            }
            if command == MaintenanceCommand::Repair {
                job.args.jobs = Some(2);
                job.args.primary_range = Some(false);
            }
            let wire = pb::MaintenanceJob::from(job.clone());
            assert_eq!(wire.try_into(), Ok(job), "{word}");
        }
    }

    #[test]
    fn what_is_left_out_or_foreign_is_refused_by_name() {
        let cleanup = pb::MaintenanceJob::from(MaintenanceJob::new(MaintenanceCommand::Cleanup));
        for (change, why) in [
            (
                (|job| job.selection = None) as fn(&mut pb::MaintenanceJob),
                "field `job.selection`: is missing",
            ),
            (|job| job.command = 0, "field `job.command`: is missing"),
            (
                |job| job.command = 99,
                "field `job.command`: is not known here",
            ),
            (
                |job| job.split_output = true,
                "field `job`: `split_output` is no argument of cleanup; it is one of compact",
            ),
        ] {
            let mut wire = cleanup.clone();
            change(&mut wire);
            let error = MaintenanceJob::try_from(wire).expect_err(why);
            assert_eq!(error.to_string(), why);
        }
    }
}
