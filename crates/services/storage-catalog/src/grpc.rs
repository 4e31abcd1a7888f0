//! Translates between the wire and the catalog. Decides nothing.

mod wire;

use std::sync::Arc;

use api::convert::{all_into, parsed, parsed_optional, required, time, time_optional};
use api::pb::storage_catalog as pb;
use api::pb::storage_catalog::storage_catalog_server::StorageCatalog;
use chassis::work::stream;
use futures::stream::{BoxStream, StreamExt};
use model::task::TransferLimits;
use model::{BackupRef, ClusterName, TaskId};
use tonic::{Request, Response, Status};

use crate::catalog::Catalog;
use crate::delete;
use crate::verify::VerifyLimits;
use wire::PinHolder;

/// The service on the wire.
pub struct StorageCatalogGrpc {
    catalog: Arc<Catalog>,
}

impl StorageCatalogGrpc {
    pub(crate) fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog }
    }

    fn limits_of(&self, task: TaskId) -> Arc<VerifyLimits> {
        let limits = &self.catalog.verify_limits;
        limits.of(&task.to_string(), VerifyLimits::default)
    }

    /// The backup that a message means; the cluster may be left out if the name is unique.
    async fn resolve(
        &self,
        backup: Option<api::pb::types::BackupRef>,
    ) -> Result<BackupRef, Status> {
        let (cluster, name) = wire::named(backup).map_err(api::status)?;
        self.catalog
            .resolve(cluster, name)
            .await
            .map_err(api::status)
    }

    /// Deletes as long as the stream is read.
    fn deletion(
        &self,
        backup: BackupRef,
        how: delete::Request,
    ) -> BoxStream<'static, Result<pb::DeleteBackupResponse, Status>> {
        let catalog = self.catalog.clone();
        stream(
            move |work| async move {
                let deleting = catalog.delete(&backup, &how, &work);
                work.or_stop(deleting).await?
            },
            wire::delete_message,
        )
    }
}

fn exact(backup: Option<api::pb::types::BackupRef>) -> Result<BackupRef, Status> {
    let exact = required("backup", backup).and_then(BackupRef::try_from);
    exact.map_err(api::status)
}

fn task(text: &str) -> Result<TaskId, Status> {
    parsed::<TaskId>("task_id", text).map_err(api::status)
}

#[tonic::async_trait]
impl StorageCatalog for StorageCatalogGrpc {
    async fn begin_backup(
        &self,
        request: Request<pb::BeginBackupRequest>,
    ) -> Result<Response<pb::BeginBackupResponse>, Status> {
        let request = wire::begin(request.into_inner())?;
        let intent = self.catalog.begin(request).await.map_err(api::status)?;
        let copy_from = self.catalog.copy_source(&intent).await;
        Ok(Response::new(pb::BeginBackupResponse {
            base: intent.base.map(String::from).unwrap_or_default(),
            started_at: time(intent.started_at),
            copy_from: copy_from.map(String::from).unwrap_or_default(),
        }))
    }

    async fn commit_backup(
        &self,
        request: Request<pb::CommitBackupRequest>,
    ) -> Result<Response<pb::CommitBackupResponse>, Status> {
        let request = wire::commit(request.into_inner()).map_err(api::status)?;
        let manifest = self.catalog.commit(request).await.map_err(api::status)?;
        Ok(Response::new(pb::CommitBackupResponse {
            backup: Some(manifest.into()),
        }))
    }

    async fn abandon_backup(
        &self,
        request: Request<pb::AbandonBackupRequest>,
    ) -> Result<Response<pb::AbandonBackupResponse>, Status> {
        let request = request.into_inner();
        let (backup, task) = (exact(request.backup)?, task(&request.task_id)?);
        let abandoned = self.catalog.abandon(&backup, &task, request.reason).await;
        abandoned.map_err(api::status)?;
        Ok(Response::new(pb::AbandonBackupResponse {}))
    }

    async fn list_backups(
        &self,
        request: Request<pb::ListBackupsRequest>,
    ) -> Result<Response<pb::ListBackupsResponse>, Status> {
        let cluster: Option<ClusterName> =
            parsed_optional("cluster", &request.into_inner().cluster).map_err(api::status)?;
        let backups = self
            .catalog
            .list(cluster.as_ref())
            .await
            .map_err(api::status)?;
        Ok(Response::new(pb::ListBackupsResponse { backups }))
    }

    async fn get_backup(
        &self,
        request: Request<pb::GetBackupRequest>,
    ) -> Result<Response<pb::GetBackupResponse>, Status> {
        let backup = self.resolve(request.into_inner().backup).await?;
        let got = self.catalog.get_verified(&backup).await;
        let (manifest, verifications) = got.map_err(api::status)?;
        let pins = self.catalog.all_pins(&backup).await;
        let shown = wire::backup(manifest, pins.map_err(api::status)?, &verifications);
        Ok(Response::new(pb::GetBackupResponse {
            backup: Some(shown),
            verifications: all_into(verifications),
        }))
    }

    async fn find_backup(
        &self,
        request: Request<pb::FindBackupRequest>,
    ) -> Result<Response<pb::FindBackupResponse>, Status> {
        let (cluster, name) = wire::named(request.into_inner().backup).map_err(api::status)?;
        let found = self.catalog.find(cluster, name).await;
        let (backup, started_at) = found.map_err(api::status)?;
        Ok(Response::new(pb::FindBackupResponse {
            backup: Some(backup.into()),
            started_at: time_optional(started_at),
        }))
    }

    type ListSstablesStream = BoxStream<'static, Result<pb::ListSstablesResponse, Status>>;

    async fn list_sstables(
        &self,
        request: Request<pb::ListSstablesRequest>,
    ) -> Result<Response<Self::ListSstablesStream>, Status> {
        let request = request.into_inner();
        let backup = self.resolve(request.backup).await?;
        let selection = request.selection.unwrap_or_default().try_into();
        let selection = selection.map_err(api::status)?;
        let listed = self.catalog.clone().list_sstables(backup, selection).await;
        let listed = listed.map_err(api::status)?;
        let messages = listed.map(|node| match node {
            Ok(node) => Ok(pb::ListSstablesResponse {
                node: Some(node.into()),
            }),
            Err(error) => Err(api::status(error)),
        });
        Ok(Response::new(messages.boxed()))
    }

    type VerifyBackupStream = BoxStream<'static, Result<pb::VerifyBackupResponse, Status>>;

    async fn verify_backup(
        &self,
        request: Request<pb::VerifyBackupRequest>,
    ) -> Result<Response<Self::VerifyBackupStream>, Status> {
        let request = request.into_inner();
        let level = request.level().try_into().map_err(api::status)?;
        let parts = wire::next_sample(&request, level).map_err(api::status)?;
        let task: Option<TaskId> =
            parsed_optional("task_id", &request.task_id).map_err(api::status)?;
        let backup = self.resolve(request.backup).await?;
        let catalog = self.catalog.clone();
        let limits = match task {
            Some(task) => self.limits_of(task),
            None => Arc::default(),
        };
        let messages = stream(
            move |work| async move {
                let verifying = async {
                    if request.discard_result {
                        let examined = catalog.examine(&backup, level, None, &limits, &work);
                        return Ok(examined.await?.0);
                    }
                    catalog.verify(&backup, level, parts, &limits, &work).await
                };
                work.or_stop(verifying).await?
            },
            wire::verify_message,
        );
        Ok(Response::new(messages))
    }

    async fn set_verify_limits(
        &self,
        request: Request<pb::SetVerifyLimitsRequest>,
    ) -> Result<Response<pb::SetVerifyLimitsResponse>, Status> {
        let request = request.into_inner();
        let task = parsed("task_id", &request.task_id).map_err(api::status)?;
        let set = self.limits_of(task).set(TransferLimits {
            bandwidth_bytes_per_second: request.bandwidth_bytes_per_second,
            parallel_files: request.parallel_files,
        });
        Ok(Response::new(pb::SetVerifyLimitsResponse {
            bandwidth_bytes_per_second: set.bandwidth_bytes_per_second,
            parallel_files: set.parallel_files,
        }))
    }

    type DeleteBackupStream = BoxStream<'static, Result<pb::DeleteBackupResponse, Status>>;

    async fn delete_backup(
        &self,
        request: Request<pb::DeleteBackupRequest>,
    ) -> Result<Response<Self::DeleteBackupStream>, Status> {
        let request = request.into_inner();
        let how = wire::delete(&request);
        let backup = self.resolve(request.backup).await?;
        Ok(Response::new(self.deletion(backup, how)))
    }

    type DeleteBackupIfStream = BoxStream<'static, Result<pb::DeleteBackupResponse, Status>>;

    async fn delete_backup_if(
        &self,
        request: Request<pb::DeleteBackupIfRequest>,
    ) -> Result<Response<Self::DeleteBackupIfStream>, Status> {
        let request = request.into_inner();
        let how = wire::delete_if(&request).map_err(api::status)?;
        let backup = self.resolve(request.backup).await?;
        Ok(Response::new(self.deletion(backup, how)))
    }

    async fn find_garbage(
        &self,
        request: Request<pb::FindGarbageRequest>,
    ) -> Result<Response<pb::FindGarbageResponse>, Status> {
        let cluster: Option<ClusterName> =
            parsed_optional("cluster", &request.into_inner().cluster).map_err(api::status)?;
        let garbage = self.catalog.garbage(cluster.as_ref()).await;
        Ok(Response::new(pb::FindGarbageResponse {
            garbage: all_into(garbage.map_err(api::status)?),
        }))
    }

    async fn pin_backup(
        &self,
        request: Request<pb::PinBackupRequest>,
    ) -> Result<Response<pb::PinBackupResponse>, Status> {
        let request = request.into_inner();
        let holder = wire::pin_holder(&request).map_err(api::status)?;
        let backup = exact(request.backup)?;
        let pinned = match holder {
            PinHolder::Task(task) => self.catalog.pin(&backup, &task).await,
            PinHolder::People { reason, until } => {
                self.catalog.pin_by_people(&backup, reason, until).await
            }
        };
        pinned.map_err(api::status)?;
        Ok(Response::new(pb::PinBackupResponse {}))
    }

    async fn unpin_backup(
        &self,
        request: Request<pb::UnpinBackupRequest>,
    ) -> Result<Response<pb::UnpinBackupResponse>, Status> {
        let request = request.into_inner();
        let task = wire::unpinned_task(&request).map_err(api::status)?;
        let backup = exact(request.backup)?;
        let released = match task {
            Some(task) => self.catalog.unpin(&backup, &task).await.map(|()| 0),
            None => self.catalog.unpin_by_people(&backup).await,
        };
        let released = released.map_err(api::status)?;
        Ok(Response::new(pb::UnpinBackupResponse { released }))
    }

    async fn get_store_status(
        &self,
        _request: Request<pb::GetStoreStatusRequest>,
    ) -> Result<Response<pb::GetStoreStatusResponse>, Status> {
        let reached = self.catalog.reach().await;
        Ok(Response::new(pb::GetStoreStatusResponse {
            store: self.catalog.store.describe(),
            reachable: reached.is_ok(),
            detail: reached.err().map(wire::detail).unwrap_or_default(),
        }))
    }
}
