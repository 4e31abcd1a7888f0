//! gRPC health and reflection, which every server has.

use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::listen::ServeError;
use super::services::Services;

/// The name of the health service itself, and of reflection, in reflection's list.
const ALWAYS_SERVED: &[&str] = &[
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
];

/// What health checks report, for the server as a whole and for each service.
pub(super) struct Health {
    reporter: HealthReporter,
    /// The services' names, and the empty one for the whole.
    names: Vec<String>,
}

impl Health {
    /// All are serving.
    pub(super) async fn serving(services: &Services) -> Self {
        let reporter = HealthReporter::new();
        let mut names = vec![String::new()];
        names.extend(services.names().iter().map(|&name| name.to_owned()));
        for name in &names {
            reporter
                .set_service_status(name, ServingStatus::Serving)
                .await;
        }
        Self { reporter, names }
    }

    /// Reports that nothing is served any more, and ends the streams of watchers, because they would hold up a drain.
    pub(super) async fn stop(mut self) {
        for name in &self.names {
            self.reporter
                .set_service_status(name, ServingStatus::NotServing)
                .await;
        }
        for name in &self.names {
            self.reporter.clear_service_status(name).await;
        }
    }

    /// Adds health and reflection to a server's routes.
    pub(super) fn add_to(&self, routes: Routes, services: &Services) -> Result<Routes, ServeError> {
        let health = HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()));
        Ok(routes
            .add_service(health)
            .add_service(
                reflection(services)
                    .build_v1()
                    .map_err(ServeError::reflection)?,
            )
            .add_service(
                reflection(services)
                    .build_v1alpha()
                    .map_err(ServeError::reflection)?,
            ))
    }
}

fn reflection(services: &Services) -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    let builder = services.descriptors().iter().fold(builder, |builder, set| {
        builder.register_encoded_file_descriptor_set(set)
    });
    // A service's file may describe others, which are not served here.
    ALWAYS_SERVED
        .iter()
        .chain(services.names())
        .fold(builder, |builder, &name| builder.with_service_name(name))
}
