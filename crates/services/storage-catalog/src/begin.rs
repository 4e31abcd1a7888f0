//! Begins a backup: reserves its name and holds its base.
//!
//! The intent is the gate: it is created once, it is there as long as anything of the backup is, and while the backup
//! is being made it counts as a reference to the base, as the pin does that follows it.

use blob_store::Put;
use bucket::keys;
use model::manifest::{BackupKind, Intent, KindWithBase};
use model::{BackupName, BackupRef, Selection, TaskId};

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// How often another base is chosen when the one chosen is deleted at that moment.
const BASE_CHOICES_MAX: u32 = 3;

pub struct Request {
    pub backup: BackupRef,
    /// A differential without a base gets the newest full backup.
    pub kind: KindWithBase,
    pub task: TaskId,
    pub selection: Selection,
}

impl Catalog {
    /// Begins a backup. Repeated with the same task it returns what was begun.
    pub async fn begin(&self, request: Request) -> Result<Intent, CatalogError> {
        let _lock = self.locks.lock(&request.backup).await;
        self.check_creates_once().await?;
        for _ in 0..BASE_CHOICES_MAX {
            if let Some(intent) = self.try_begin(&request).await? {
                tracing::info!(backup = %request.backup, task_id = %request.task, "backup begun");
                return Ok(intent);
            }
        }
        Err(CatalogError::NoBase {
            cluster: request.backup.cluster,
        })
    }

    /// `None`: the chosen base is being deleted; choose again.
    async fn try_begin(&self, request: &Request) -> Result<Option<Intent>, CatalogError> {
        let backup = &request.backup;
        if let Some(intent) = self.begun_before(request).await? {
            return self.hold_base(request, intent).await;
        }
        let base = match &request.kind {
            KindWithBase::Full => None,
            KindWithBase::Differential { base } => Some(self.choose_base(backup, base).await?),
        };
        let intent = Intent {
            backup: backup.clone(),
            kind: request.kind.kind(),
            base,
            task_id: request.task,
            started_at: self.now(),
            selection: request.selection.clone(),
        };
        let created = self.create(&keys::intent(backup), intent).await?;
        let intent = match created.put {
            Put::Created => created.document,
            // Another catalog, or an earlier try of ours whose reply was lost.
            Put::Exists => match self.begun_before(request).await? {
                Some(intent) => intent,
                None => return Ok(None),
            },
        };
        // A deletion that was at its very end when the name was looked up removes its mark last; its tombstone stays.
        if !self.marks(backup).await?.is_empty() {
            self.tidy(&keys::intent(backup)).await?;
            return Err(CatalogError::AnotherDeletion {
                backup: backup.clone(),
            });
        }
        if self.exists(&keys::tombstone(backup)).await? {
            self.tidy(&keys::intent(backup)).await?;
            return Err(CatalogError::Buried {
                backup: backup.clone(),
            });
        }
        self.hold_base(request, intent).await
    }

    /// The intent of an earlier call of the same task; refuses a name that is taken.
    async fn begun_before(&self, request: &Request) -> Result<Option<Intent>, CatalogError> {
        let backup = &request.backup;
        let taken = |by: String| CatalogError::Exists {
            backup: backup.clone(),
            by,
        };
        if !self.marks(backup).await?.is_empty() {
            return Err(taken("a backup of that name is being deleted".to_owned()));
        }
        if self.exists(&keys::tombstone(backup)).await? {
            return Err(CatalogError::Buried {
                backup: backup.clone(),
            });
        }
        if self.exists(&keys::failure(backup)).await? {
            return Err(taken("a backup of that name was given up".to_owned()));
        }
        let intent = match self.read_intent(backup).await {
            Err(error) if error.is_unreadable() => {
                return Err(taken("something of that name cannot be read".to_owned()));
            }
            read => read?,
        };
        match intent {
            Some(intent) if intent.task_id == request.task => Ok(Some(intent)),
            Some(intent) => Err(taken(format!("task {} made it", intent.task_id))),
            None if self.exists(&keys::backup_manifest(backup)).await? => {
                Err(taken("there is a backup of that name".to_owned()))
            }
            // An agent would find them in its way, in the middle of the backup.
            None if self.has_folder(backup).await? => Err(taken(
                "objects of a deleted backup of that name arrived after its deletion".to_owned(),
            )),
            None => Ok(None),
        }
    }

    async fn choose_base(
        &self,
        backup: &BackupRef,
        wanted: &Option<BackupName>,
    ) -> Result<BackupName, CatalogError> {
        let cluster = &backup.cluster;
        if let Some(name) = wanted {
            let base = BackupRef {
                cluster: cluster.clone(),
                name: name.clone(),
            };
            self.check_base(&base).await?;
            return Ok(base.name);
        }
        let survey = self.survey(Some(cluster)).await?;
        self.recall(&survey).await;
        let mut newest: Option<(jiff::Timestamp, &BackupName)> = None;
        for (other, meta) in &survey.manifests {
            if survey.marked.contains(other) || survey.remnants.contains(other) {
                continue;
            }
            let known = match self.known_in_short(other, meta).await {
                Ok(known) => known.summary,
                Err(CatalogError::NotFound { .. }) => continue,
                // What cannot be read can be no base, and must not keep the next backup from being made.
                Err(error) if error.is_unreadable() => continue,
                Err(error) => return Err(error),
            };
            let is_newer = newest.is_none_or(|(at, _)| known.started_at > at);
            if known.kind == BackupKind::Full && is_newer {
                newest = Some((known.started_at, &other.name));
            }
        }
        match newest {
            Some((_, name)) => Ok(name.clone()),
            None => Err(CatalogError::NoBase {
                cluster: cluster.clone(),
            }),
        }
    }

    /// Refuses what cannot be a base, and says why.
    pub async fn check_base(&self, base: &BackupRef) -> Result<(), CatalogError> {
        let unsuitable = |why: String| CatalogError::BaseUnsuitable {
            base: base.clone(),
            why,
        };
        match self.get(base).await {
            Ok(manifest) if manifest.kind == BackupKind::Full => Ok(()),
            Ok(_) => Err(unsuitable("it is a differential backup itself".to_owned())),
            Err(error @ CatalogError::Store { .. }) => Err(error),
            Err(error) => Err(unsuitable(api::error::chain(&error))),
        }
    }

    /// Pins the base. `None`: it is being deleted and was chosen by us, so the intent is taken back.
    async fn hold_base(
        &self,
        request: &Request,
        intent: Intent,
    ) -> Result<Option<Intent>, CatalogError> {
        let Some(base) = base_of(&intent) else {
            return Ok(Some(intent));
        };
        // Repeated after the commit: the manifest holds the base from there on.
        if self.exists(&keys::backup_manifest(&intent.backup)).await? {
            return Ok(Some(intent));
        }
        match self.pin(&base, &intent.task_id).await {
            Ok(()) => Ok(Some(intent)),
            Err(error @ (CatalogError::Store { .. } | CatalogError::AnotherDeletion { .. })) => {
                Err(error)
            }
            Err(error) => {
                self.tidy(&keys::intent(&intent.backup)).await?;
                match request.kind.base() {
                    None => Ok(None),
                    Some(_) => Err(CatalogError::BaseUnsuitable {
                        base,
                        why: api::error::chain(&error),
                    }),
                }
            }
        }
    }

    /// Releases the pin that [`begin`](Self::begin) put on the base.
    pub async fn release_base(&self, intent: &Intent) -> Result<(), CatalogError> {
        match base_of(intent) {
            Some(base) => self.unpin(&base, &intent.task_id).await,
            None => Ok(()),
        }
    }
}

pub fn base_of(intent: &Intent) -> Option<BackupRef> {
    intent.base.clone().map(|name| BackupRef {
        cluster: intent.backup.cluster.clone(),
        name,
    })
}
