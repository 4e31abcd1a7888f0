//! How a node's product was recognised, between wire and model.

use cassandra_versions::{Confidence, Recognition};
use model::ShownRecognition;

use crate::pb::types as pb;

impl From<Confidence> for pb::Confidence {
    fn from(confidence: Confidence) -> Self {
        match confidence {
            Confidence::NotReported => Self::Unspecified,
            Confidence::Unknown => Self::Unknown,
            Confidence::Contradicted => Self::Contradicted,
            Confidence::Inferred => Self::Inferred,
            Confidence::Reported => Self::Reported,
            Confidence::Stated => Self::Stated,
        }
    }
}

impl From<pb::Confidence> for Confidence {
    fn from(confidence: pb::Confidence) -> Self {
        match confidence {
            pb::Confidence::Unspecified => Self::NotReported,
            pb::Confidence::Unknown => Self::Unknown,
            pb::Confidence::Contradicted => Self::Contradicted,
            pb::Confidence::Inferred => Self::Inferred,
            pb::Confidence::Reported => Self::Reported,
            pb::Confidence::Stated => Self::Stated,
        }
    }
}

impl From<Recognition> for pb::Recognition {
    fn from(recognition: Recognition) -> Self {
        Self {
            confidence: pb::Confidence::from(recognition.confidence).into(),
            seen: recognition.seen,
            contradictions: recognition.contradictions,
        }
    }
}

impl From<pb::Recognition> for Recognition {
    /// A word of a newer agent makes an unknown build: it may mean anything, and such a build is never trusted.
    fn from(recognition: pb::Recognition) -> Self {
        let confidence = pb::Confidence::try_from(recognition.confidence);
        Self {
            confidence: confidence.map_or(Confidence::Unknown, Confidence::from),
            seen: recognition.seen,
            contradictions: recognition.contradictions,
        }
    }
}

impl From<pb::Recognition> for ShownRecognition {
    fn from(recognition: pb::Recognition) -> Self {
        let confidence = pb::Confidence::try_from(recognition.confidence);
        Self {
            confidence: confidence.ok().map(Confidence::from),
            seen: recognition.seen,
            contradictions: recognition.contradictions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_confidence_survives_the_wire() {
        for confidence in Confidence::all() {
            let recognition = Recognition {
                confidence,
                seen: vec!["view local_node".into()],
                contradictions: vec!["the setting says cassandra".into()],
            };
            let wire = pb::Recognition::from(recognition.clone());
            assert_eq!(Recognition::from(wire.clone()), recognition);
            assert_eq!(ShownRecognition::from(wire).confidence, Some(confidence));
        }
    }

    #[test]
    fn a_word_of_a_newer_agent_is_not_trusted() {
        let wire = pb::Recognition {
            confidence: 99,
            ..pb::Recognition::default()
        };
        assert_eq!(ShownRecognition::from(wire.clone()).confidence, None);
        assert_eq!(Recognition::from(wire).confidence, Confidence::Unknown);
    }
}
