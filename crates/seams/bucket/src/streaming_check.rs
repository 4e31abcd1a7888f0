//! The check of a component while its bytes pass by, on their way into the bucket or out of it.

use std::borrow::Cow;
use std::io;

use cassandra_formats::source::Components;
use cassandra_formats::verify::ComponentCheck;
use cassandra_formats::{Damage, Descriptor, Error};

/// A component that the check needs beside the one that it checks could not be read. It says nothing about damage.
#[derive(Debug, thiserror::Error)]
#[error("the component {component} could not be read")]
pub struct UnreadableComponent {
    /// Its name, for example `Statistics.db`.
    pub component: Cow<'static, str>,
    /// Why.
    pub source: io::Error,
}

/// The check of one component whose bytes pass by in order. What is not understood (an unknown version, encryption)
/// passes unchecked. After an error it checks nothing more, and still returns the damage that it had found.
#[derive(Default)]
pub struct StreamingCheck {
    check: Option<Box<ComponentCheck>>,
    damage: Vec<Damage>,
}

impl StreamingCheck {
    /// Reads the small components that are needed beside it. Blocks.
    pub fn begin(
        sstable: &dyn Components,
        descriptor: &Descriptor,
        component: &str,
    ) -> Result<Self, UnreadableComponent> {
        let mut check = Self::default();
        let begun = ComponentCheck::begin(sstable, descriptor, component);
        check.check = check.note(begun.map(Box::new))?;
        Ok(check)
    }

    /// Checks the next bytes. Blocks.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), UnreadableComponent> {
        let Some(mut check) = self.check.take() else {
            return Ok(());
        };
        let updated = check.update(bytes);
        self.check = self.note(updated)?.map(|()| check);
        Ok(())
    }

    /// Checks what can be known at the end only. Blocks.
    pub fn finish(&mut self) -> Result<(), UnreadableComponent> {
        if let Some(check) = self.check.take() {
            let found = self.note(check.finish())?;
            self.damage.extend(found.unwrap_or_default());
        }
        Ok(())
    }

    /// All damage that was found.
    pub fn into_damage(self) -> Vec<Damage> {
        self.damage
    }

    /// Whether further bytes are of interest.
    pub fn is_checking(&self) -> bool {
        self.check.is_some()
    }

    fn note<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, UnreadableComponent> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Damaged(damage)) => {
                self.damage.push(damage);
                Ok(None)
            }
            Err(Error::Unsupported { .. }) => Ok(None),
            Err(Error::Read { component, source } | Error::Write { component, source }) => {
                Err(UnreadableComponent { component, source })
            }
        }
    }
}

#[cfg(test)]
mod tests;
