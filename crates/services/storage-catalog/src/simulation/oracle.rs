//! What the simulation knows by itself: who has asked for what, which object which backup needs, and which requests the store was
//! sent. It never reads marks, tombstones, pins or failures, because these are means of what is tested.

use std::collections::BTreeMap;

use bucket::keys;

use super::scene::{base_of, needs};

/// What has been asked for and seen of one backup.
#[derive(Debug, Default, Clone)]
struct Story {
    /// A task may have begun it.
    begun: bool,
    /// A task was told that it has begun it, and that its base is held.
    holds_base: bool,
    /// Its task has asked to give it up.
    given_up: bool,
    /// A commit has been asked for and was not told that it is complete: it may take its manifest back.
    committing: bool,
    completed: bool,
    /// Its deletion was asked for, perhaps in vain.
    doomed: bool,
    /// The same by name, and not because retention lets it go.
    named: bool,
    /// Requests to delete it that were not refused: their senders may be dead, and others may finish them.
    open_deletions: u32,
    /// Tasks and people that were told that it is pinned, and have not released it.
    pins: u32,
    has_manifest: bool,
    /// It could be restored at some time.
    has_lived: bool,
    /// A deletion of something of it was sent to the store.
    is_going: bool,
    /// Its manifest was created although something that it needs goes: it must never be called complete.
    hollow: bool,
}

impl Story {
    /// Whether it is complete, and nothing that it needs may go. Not so if it was to be deleted before it was called complete:
    /// its commit then takes the manifest back.
    fn is_protected(&self) -> bool {
        let may_be_taken_back = self.committing && self.open_deletions > 0;
        self.is_alive() && !may_be_taken_back
    }

    fn is_alive(&self) -> bool {
        self.has_manifest && !self.is_going && !self.hollow
    }
}

#[derive(Debug, Default, Clone)]
pub struct Oracle {
    stories: BTreeMap<String, Story>,
}

/// What acts do and are told.
impl Oracle {
    fn of(&mut self, name: &str) -> &mut Story {
        self.stories.entry(name.to_owned()).or_default()
    }

    pub fn begins(&mut self, name: &str) {
        self.of(name).begun = true;
    }

    pub fn has_begun(&mut self, name: &str) {
        self.of(name).holds_base = true;
    }

    pub fn commits(&mut self, name: &str) {
        self.of(name).committing = true;
    }

    pub fn was_called_complete(&mut self, name: &str) {
        let story = self.of(name);
        assert!(!story.hollow, "{name} is called complete and is hollow");
        story.completed = true;
        story.committing = false;
    }

    pub fn gives_up(&mut self, name: &str) {
        self.of(name).given_up = true;
    }

    /// It could not be given up, because it is committed.
    pub fn was_committed(&mut self, name: &str) {
        let story = self.of(name);
        // No one was told that it is complete, and a deletion that was asked for meanwhile may have found no manifest: then it
        // deletes the data first, and the manifest at its end.
        story.committing &= story.open_deletions > 0;
    }

    pub fn asks_to_delete(&mut self, name: &str) {
        let story = self.of(name);
        story.doomed = true;
        story.open_deletions += 1;
    }

    /// The last request was not because retention lets the backup go.
    pub fn by_name(&mut self, name: &str) {
        self.of(name).named = true;
    }

    pub fn was_refused(&mut self, name: &str) {
        self.of(name).open_deletions -= 1;
    }

    pub fn was_pinned(&mut self, name: &str) {
        self.of(name).pins += 1;
    }

    pub fn releases(&mut self, name: &str) {
        self.of(name).pins -= 1;
    }

    pub fn all_release(&mut self) {
        self.stories.values_mut().for_each(|story| story.pins = 0);
    }
}

/// What the store is sent.
impl Oracle {
    /// An object was created.
    pub fn created(&mut self, key: &str) {
        let Some(backup) = keys::parse_backup_key("backups", key) else {
            return;
        };
        let name = backup.name.as_str();
        let base_goes = base_of(name).is_some_and(|base| self.of(base).is_going);
        let story = self.of(name);
        story.has_manifest = true;
        story.hollow = story.is_going || base_goes;
        story.has_lived |= !story.hollow;
    }

    /// A request to delete an object that is there was sent, or arrives.
    pub fn deletes(&mut self, key: &str) {
        if let Some(backup) = keys::parse_backup_key("backups", key) {
            self.deletes_manifest(backup.name.as_str());
            return;
        }
        let content = ["data", "nodes"].iter();
        let content = content.map(|tree| format!("{}/{tree}/", keys::ROOT));
        let owner = content.filter_map(|root| keys::parse_key_below(&root, key));
        for owner in owner {
            self.deletes_content(owner.name.as_str(), key);
        }
    }

    fn deletes_manifest(&mut self, name: &str) {
        let base_is_doomed = base_of(name).is_some_and(|base| self.of(base).doomed);
        let story = self.of(name);
        let is_taken_back =
            story.committing && (story.doomed || story.given_up || base_is_doomed || story.hollow);
        assert!(
            story.open_deletions > 0 || is_taken_back,
            "the manifest of {name} goes, and no one has asked for that"
        );
        assert_eq!(
            story.pins, 0,
            "the manifest of {name} goes, which is pinned"
        );
        story.is_going = true;
        story.has_manifest = false;
        for (other, story) in &mut self.stories {
            if base_of(other) != Some(name) {
                continue;
            }
            assert!(!story.is_protected(), "{name} goes, the base of {other}");
            let is_being_made = story.holds_base && !story.given_up && !story.doomed;
            assert!(
                story.completed || !is_being_made,
                "{name} goes, on which {other} is being made"
            );
            story.hollow |= story.has_manifest;
        }
    }

    fn deletes_content(&mut self, owner: &str, key: &str) {
        let story = self.of(owner);
        assert!(
            story.open_deletions > 0 || story.given_up || !story.begun,
            "`{key}` goes, and no one has asked for that"
        );
        story.is_going |= !story.is_protected();
        for (other, story) in &mut self.stories {
            if !needs(other).iter().any(|needed| needed == key) {
                continue;
            }
            assert!(!story.is_protected(), "`{key}` goes, and {other} needs it");
            assert_eq!(story.pins, 0, "`{key}` goes, and {other} is pinned");
            story.hollow |= story.has_manifest;
        }
        assert!(
            self.of(owner).is_going,
            "`{key}` goes before the manifest of {owner}"
        );
    }
}

/// What must be so.
impl Oracle {
    /// Whether a deletion of it was asked for, perhaps in vain.
    pub fn is_doomed(&self, name: &str) -> bool {
        self.stories.get(name).is_some_and(|story| story.doomed)
    }

    fn with(&self, is_so: impl Fn(&Story) -> bool) -> Vec<&str> {
        let stories = self.stories.iter();
        let found = stories.filter(|(_, story)| is_so(story));
        found.map(|(name, _)| name.as_str()).collect()
    }

    /// Backups that can be restored.
    pub fn alive(&self) -> Vec<&str> {
        self.with(Story::is_alive)
    }

    /// Backups that were called complete, and that no one has asked to delete.
    pub fn wanted(&self) -> Vec<&str> {
        self.with(|story| story.completed && !story.doomed)
    }

    /// Backups that could be restored, and are gone perhaps because someone asked for that by name.
    pub fn gone_by_name(&self) -> usize {
        self.with(|story| story.has_lived && story.named && !story.is_alive())
            .len()
    }
}
