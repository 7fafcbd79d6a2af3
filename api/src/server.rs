//! The routes, and the server that answers them.

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, HttpServer};
use persistence::journal;

use crate::app::App;
use crate::discovery::{self, DiscoveryConfig};
use crate::docs::{self, Reference};
use crate::incoming::Incoming;
use crate::problem::ApiError;
use crate::wire::{self, Wire, WireConfig, resource};
use crate::{advice, advice_request, changes, paging, registry};

/// All that the server is made of, shared by its threads.
#[derive(Clone)]
pub struct Parts {
    app: Data<Arc<App>>,
    wire: Data<Wire>,
    discovery: Data<DiscoveryConfig>,
    reference: Data<Reference>,
}

impl Parts {
    /// Puts the parts together.
    pub fn new(
        app: Arc<App>,
        wire: WireConfig,
        discovery: DiscoveryConfig,
        document: &serde_json::Value,
    ) -> Self {
        Self {
            app: Data::new(app),
            wire: Data::new(Wire::new(wire)),
            discovery: Data::new(discovery),
            reference: Data::new(Reference::new(document)),
        }
    }

    /// Data and routes, for a server and for tests; `from_fn(wire::wire)` goes around it.
    pub fn configure(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.app.clone())
            .app_data(self.wire.clone())
            .app_data(self.discovery.clone())
            .app_data(self.reference.clone())
            .configure(discovery::configure)
            .configure(docs::configure)
            .service(resource("/health/ready").get(ready))
            .service(web::scope("/v1").configure(v1))
            .default_service(web::to(wire::not_found));
    }
}

fn v1(config: &mut ServiceConfig) {
    config
        .service(resource("/openapi.json").get(openapi_json))
        .service(resource("/openapi.yaml").get(openapi_yaml))
        .service(resource("/changes").get(changes::list_changes))
        .service(resource("/advice").get(advice::list_advice).post(advice::draft_advice))
        .service(
            resource("/advice/{id}")
                .get(advice::get_advice)
                .patch(advice::change_advice)
                .delete(advice::delete_draft),
        )
        .service(resource("/advice/{id}/term").get(advice::get_advice_term))
        .service(resource("/advice/{id}/timeline").get(advice::get_advice_timeline))
        .service(resource("/advice/{id}/history").get(advice::get_advice_history))
        .service(resource("/advice/{id}/adoption").post(advice::adopt_advice))
        .service(resource("/advice/{id}/ratification").post(advice::ratify_advice))
        .service(resource("/advice/{id}/cosignatures").post(advice::cosign_advice))
        .service(resource("/advice/{id}/submission").post(advice::submit_advice))
        .service(resource("/advice/{id}/receipt").post(advice::receive_advice))
        .service(resource("/advice/{id}/treatment").post(advice::treat_advice))
        .service(resource("/advice/{id}/suspensions").post(advice::suspend_advice))
        .service(resource("/advice/{id}/suspensions/{suspensionId}").patch(advice::end_suspension))
        .service(resource("/advice/{id}/extensions").post(advice::extend_advice))
        .service(resource("/advice/{id}/responses").post(advice::respond_to_advice))
        .service(
            resource("/advice/{id}/response-draft")
                .get(advice::get_response_draft)
                .put(advice::put_response_draft),
        )
        .service(resource("/advice/{id}/withdrawal").post(advice::withdraw_advice))
        .service(resource("/advice/{id}/merge").post(advice::merge_advice))
        .service(resource("/advice/{id}/forwarding").post(advice::forward_advice))
        .service(resource("/advice/{id}/follow-ups").post(advice::follow_up_advice))
        .service(resource("/advice/{id}/ratings").post(advice::rate_advice))
        .service(resource("/advice/{id}/closure").post(advice::close_advice))
        .service(resource("/advice/{id}/corrections").post(advice::correct_advice))
        .service(resource("/advice/{id}/publication").post(advice::publish_advice))
        .service(resource("/advice/{id}/unpublication").post(advice::unpublish_advice))
        .service(
            resource("/advice-requests")
                .get(advice_request::list_advice_requests)
                .post(advice_request::request_advice),
        )
        .service(resource("/advice-requests/{id}").get(advice_request::get_advice_request))
        .service(resource("/advice-requests/{id}/refusals").post(advice_request::refuse_advice_request))
        .service(resource("/councils").get(registry::list_councils))
        .service(resource("/councils/{code}").get(registry::get_council))
        .service(resource("/areas").get(registry::list_areas))
        .service(resource("/areas/{code}").get(registry::get_area))
        .service(resource("/neighbourhoods").get(registry::list_neighbourhoods))
        .service(resource("/neighbourhoods/{code}").get(registry::get_neighbourhood))
        .service(resource("/clusters").get(registry::list_clusters))
        .service(resource("/clusters/{code}").get(registry::get_cluster))
        .service(resource("/themes").get(registry::list_themes))
        .service(resource("/themes/{code}").get(registry::get_theme))
        .service(resource("/terms-of-office").get(registry::list_terms_of_office))
        .service(resource("/terms-of-office/{code}").get(registry::get_term_of_office))
        .service(resource("/term-rules").get(registry::list_term_rules).post(registry::add_term_rule))
        .service(resource("/term-rules/{id}").get(registry::get_term_rule).patch(registry::end_term_rule))
        .service(resource("/term-rules/{id}/calculation").get(registry::calculate_term))
        .service(
            resource("/office-holders").get(registry::list_office_holders).post(registry::add_office_holder),
        )
        .service(resource("/office-holders/{id}").get(registry::get_office_holder))
        .service(resource("/codes").get(registry::list_codes))
        .service(resource("/calendar").get(registry::list_holidays))
        .service(resource("/unplaced-rows").get(registry::list_unplaced_rows));
}

async fn openapi_json(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getOpenApiJson").await?;
    call.no_query()?;
    let media = paging::accepted(&call, &["application/json", "application/vnd.oai.openapi+json"])?;
    let body = call.app.contract.json.clone().into_bytes();
    Ok(paging::readable(&call, crate::etag::of_body(&body), media, body, None))
}

async fn openapi_yaml(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getOpenApiYaml").await?;
    call.no_query()?;
    let media = paging::accepted(&call, &["application/yaml", "application/vnd.oai.openapi"])?;
    let body = call.app.contract.yaml.clone().into_bytes();
    Ok(paging::readable(&call, crate::etag::of_body(&body), media, body, None))
}

/// Ready when the database answers.
async fn ready(app: Data<Arc<App>>) -> Result<HttpResponse, ApiError> {
    // What the journal counts is nobody's business: it counts drafts too.
    app.read(|_, connection| Ok(journal::head(connection)?)).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ok"})))
}

/// Serves until it is told to stop; then lets requests that run come to their end.
pub async fn serve(
    parts: Parts,
    listener: std::net::TcpListener,
    workers: usize,
    blocking: usize,
) -> std::io::Result<()> {
    HttpServer::new(move || {
        let parts = parts.clone();
        actix_web::App::new().wrap(from_fn(wire::wire)).configure(move |config| parts.configure(config))
    })
    .workers(workers)
    .worker_max_blocking_threads(blocking)
    .shutdown_timeout(10)
    .listen(listener)?
    .run()
    .await
}
