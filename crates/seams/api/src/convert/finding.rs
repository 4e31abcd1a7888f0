//! Findings between wire and model.

use model::{Finding, Severity, When};

use super::{ConversionError, word};
use crate::pb::types as pb;

impl From<Finding> for pb::Finding {
    fn from(finding: Finding) -> Self {
        Self {
            code: finding.code,
            severity: match finding.severity {
                Severity::Refusal => pb::Severity::Refusal,
                Severity::Warning => pb::Severity::Warning,
                Severity::Advice => pb::Severity::Advice,
            } as i32,
            when: match finding.when {
                When::Before => pb::When::Before,
                When::During => pb::When::During,
                When::After => pb::When::After,
            } as i32,
            subject: finding.subject,
            message: finding.message,
            hint: finding.hint,
        }
    }
}

impl TryFrom<pb::Severity> for Severity {
    type Error = ConversionError;

    fn try_from(severity: pb::Severity) -> Result<Self, ConversionError> {
        match severity {
            pb::Severity::Refusal => Ok(Self::Refusal),
            pb::Severity::Warning => Ok(Self::Warning),
            pb::Severity::Advice => Ok(Self::Advice),
            pb::Severity::Unspecified => Err(ConversionError::missing("finding.severity")),
        }
    }
}

impl TryFrom<pb::When> for When {
    type Error = ConversionError;

    fn try_from(when: pb::When) -> Result<Self, ConversionError> {
        match when {
            pb::When::Before => Ok(Self::Before),
            pb::When::During => Ok(Self::During),
            pb::When::After => Ok(Self::After),
            pb::When::Unspecified => Err(ConversionError::missing("finding.when")),
        }
    }
}

impl TryFrom<pb::Finding> for Finding {
    type Error = ConversionError;

    /// A severity of a newer release is taken for a warning, and a time for `before`: the plan itself has whether it is
    /// refused.
    fn try_from(finding: pb::Finding) -> Result<Self, ConversionError> {
        let severity = word::<pb::Severity, _>(finding.severity)?.unwrap_or(Severity::Warning);
        let when = word::<pb::When, _>(finding.when)?.unwrap_or(When::Before);
        Ok(Self {
            code: finding.code,
            severity,
            when,
            subject: finding.subject,
            message: finding.message,
            hint: finding.hint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_survives_the_wire() {
        let finding = Finding {
            code: "DISK_SPACE".into(),
            severity: Severity::Refusal,
            when: When::Before,
            subject: "127.0.0.1".into(),
            message: "too small".into(),
            hint: "add a disk".into(),
        };
        let wire = pb::Finding::from(finding.clone());
        assert_eq!(Finding::try_from(wire), Ok(finding));
    }

    #[test]
    fn a_finding_of_a_newer_release_is_a_warning_and_one_without_a_severity_is_refused() {
        let newer = pb::Finding {
            severity: 99,
            when: 99,
            ..pb::Finding::default()
        };
        let finding = Finding::try_from(newer.clone()).expect("a finding");
        assert_eq!(
            (finding.severity, finding.when),
            (Severity::Warning, When::Before)
        );
        let without = pb::Finding {
            severity: 0,
            ..newer
        };
        let error = Finding::try_from(without).expect_err("no severity");
        assert_eq!(error.field, "finding.severity");
    }
}
