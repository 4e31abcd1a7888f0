//! Results of verifications, as they are kept with a backup, between wire and model.

use model::manifest::VerificationResult;

use super::{ConversionError, parsed, time};
use crate::pb::storage_catalog as pb;

impl From<VerificationResult> for pb::Verification {
    fn from(result: VerificationResult) -> Self {
        Self {
            level: pb::VerifyLevel::from(result.level) as i32,
            verified_at: time(result.verified_at),
            objects_checked: result.objects,
            bytes_checked: result.bytes,
            sstables_checked: result.sstables,
            damaged: result.damaged,
            sample: result.sample.map(Into::into),
        }
    }
}

impl TryFrom<pb::Verification> for VerificationResult {
    type Error = ConversionError;

    fn try_from(result: pb::Verification) -> Result<Self, ConversionError> {
        Ok(Self {
            level: result.level().try_into()?,
            verified_at: parsed("verified_at", &result.verified_at)?,
            objects: result.objects_checked,
            bytes: result.bytes_checked,
            sstables: result.sstables_checked,
            damaged: result.damaged,
            sample: result.sample.map(TryInto::try_into).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use model::{Sample, SampleParts, VerifyLevel};

    use super::*;

    #[test]
    fn a_result_comes_back_as_it_was() {
        for level in VerifyLevel::ALL {
            let result = VerificationResult {
                level,
                verified_at: "2026-01-02T03:04:05.678Z".parse().expect("a time"),
                objects: 1,
                bytes: 2,
                sstables: 3,
                damaged: 4,
                sample: Some(Sample {
                    part: 2,
                    of: SampleParts::new(3).expect("parts"),
                }),
            };
            let wire = pb::Verification::from(result.clone());
            assert_eq!(VerificationResult::try_from(wire).expect("reads"), result);
        }
    }

    #[test]
    fn a_result_without_a_level_is_refused() {
        assert!(VerificationResult::try_from(pb::Verification::default()).is_err());
    }
}
