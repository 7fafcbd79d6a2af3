//! The routes, and the server that answers them.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, rt};

use crate::app::App;
use crate::discovery::{self, DiscoveryConfig};
use crate::docs::{self, Reference};
use crate::dossier::{
    accord, agreement, assignment, collegetarget, commitment, participation_plan, policy_track, talk,
};
use crate::health::{Health, ready};
use crate::incoming::Incoming;
use crate::latest::Desk;
use crate::problem::ApiError;
use crate::telemetry::{Beside, METRICS};
use crate::wire::{self, Pace, Paced, Wire, WireConfig, resource};
use crate::{advice, advice_request, bi, changes, coverage, history, journal, metrics, paging, registry};

/// How long a connection is read out after an answer that came before the whole request did.
const LINGER: Duration = Duration::from_secs(1);

/// All that the server is made of, shared by its threads.
#[derive(Clone)]
pub struct Parts {
    app: Data<Arc<App>>,
    wire: Data<Wire>,
    discovery: Data<DiscoveryConfig>,
    reference: Data<Reference>,
    health: Data<Health>,
}

impl Parts {
    /// Puts the parts together.
    pub fn new(
        app: Arc<App>,
        wire: WireConfig,
        discovery: DiscoveryConfig,
        document: &serde_json::Value,
    ) -> Self {
        let health = Data::new(Health::default());
        Self {
            wire: Data::new(Wire::new(wire, app.stopping.clone())),
            health,
            app: Data::new(app),
            discovery: Data::new(discovery),
            reference: Data::new(Reference::new(document)),
        }
    }

    /// What is served beside the public listener.
    pub fn beside(&self) -> Beside {
        Beside { app: self.app.clone(), health: self.health.clone() }
    }

    /// Data and routes, for a server and for tests; `from_fn(wire::wire)` goes around it.
    pub fn configure(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.app.clone())
            .app_data(self.wire.clone())
            .app_data(self.discovery.clone())
            .app_data(self.reference.clone())
            .app_data(self.health.clone())
            // Each thread is configured by itself.
            .app_data(Data::new(Desk::new(self.app.latest.clone())))
            .configure(discovery::configure)
            .configure(docs::configure)
            .service(resource("/health/ready").get(ready))
            .service(web::scope("/v1").configure(v1))
            .default_service(web::to(wire::not_found));
    }
}

fn v1(config: &mut ServiceConfig) {
    config
        // Routes are tried in order, so what is asked most stands first.
        .service(resource("/advice").get(advice::list_advice).post(advice::draft_advice))
        .service(
            resource("/advice/{id}")
                .get(advice::get_advice)
                .patch(advice::change_advice)
                .delete(advice::delete_draft),
        )
        .service(resource("/changes").get(changes::list_changes))
        .service(resource("/openapi.json").get(openapi_json))
        .service(resource("/openapi.yaml").get(openapi_yaml))
        .service(resource("/journal").get(journal::list_journal))
        .service(resource("/journal-roots").get(journal::list_journal_roots))
        .service(resource("/advice-requests/{id}/history").get(history::get_advice_request_history))
        .service(resource("/accords/{id}/history").get(history::get_accord_history))
        .service(resource("/agreements/{id}/history").get(history::get_agreement_history))
        .service(resource("/policy-tracks/{id}/history").get(history::get_policy_track_history))
        .service(resource("/participation-plans/{id}/history").get(history::get_participation_plan_history))
        .service(resource("/commitments/{id}/history").get(history::get_commitment_history))
        .service(resource("/collegetargets/{id}/history").get(history::get_collegetarget_history))
        .service(resource("/talks/{id}/history").get(history::get_talk_history))
        .service(resource("/assignments/{id}/history").get(history::get_assignment_history))
        .service(resource("/councils/{code}/history").get(history::get_council_history))
        .service(resource("/areas/{code}/history").get(history::get_area_history))
        .service(resource("/neighbourhoods/{code}/history").get(history::get_neighbourhood_history))
        .service(resource("/clusters/{code}/history").get(history::get_cluster_history))
        .service(resource("/themes/{code}/history").get(history::get_theme_history))
        .service(resource("/terms-of-office/{code}/history").get(history::get_term_of_office_history))
        .service(resource("/obligations/{code}/history").get(history::get_obligation_history))
        .service(resource("/term-rules/{id}/history").get(history::get_term_rule_history))
        .service(resource("/office-holders/{id}/history").get(history::get_office_holder_history))
        .service(resource("/advice/{id}/term").get(advice::get_advice_term))
        .service(resource("/advice/{id}/timeline").get(advice::get_advice_timeline))
        .service(resource("/advice/{id}/history").get(history::get_advice_history))
        .service(resource("/advice/{id}/response-draft/history").get(history::get_response_draft_history))
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
        .service(resource("/accords").get(accord::list_accords).post(accord::add_accord))
        .service(resource("/accords/{id}").get(accord::get_accord).patch(accord::change_accord))
        .service(resource("/accords/{id}/publication").post(accord::publish_accord))
        .service(resource("/accords/{id}/unpublication").post(accord::unpublish_accord))
        .service(resource("/agreements").get(agreement::list_agreements).post(agreement::add_agreement))
        .service(
            resource("/agreements/{id}").get(agreement::get_agreement).patch(agreement::change_agreement),
        )
        .service(
            resource("/agreements/{id}/progress")
                .get(agreement::list_progress)
                .post(agreement::report_progress),
        )
        .service(
            resource("/agreements/{id}/judgements")
                .get(agreement::list_judgements)
                .post(agreement::judge_agreement),
        )
        .service(resource("/agreements/{id}/watch").post(agreement::watch_agreement))
        .service(resource("/agreements/{id}/escalations").post(agreement::escalate_agreement))
        .service(
            resource("/policy-tracks")
                .get(policy_track::list_policy_tracks)
                .post(policy_track::add_policy_track),
        )
        .service(
            resource("/policy-tracks/{id}")
                .get(policy_track::get_policy_track)
                .patch(policy_track::change_policy_track),
        )
        .service(resource("/policy-tracks/{id}/phases").post(policy_track::record_phase))
        .service(resource("/policy-tracks/{id}/councils").post(policy_track::inform_council))
        .service(resource("/policy-tracks/{id}/publication").post(policy_track::publish_policy_track))
        .service(resource("/policy-tracks/{id}/unpublication").post(policy_track::unpublish_policy_track))
        .service(
            resource("/participation-plans")
                .get(participation_plan::list_participation_plans)
                .post(participation_plan::add_participation_plan),
        )
        .service(
            resource("/participation-plans/{id}")
                .get(participation_plan::get_participation_plan)
                .patch(participation_plan::change_participation_plan),
        )
        .service(
            resource("/participation-plans/{id}/adoption").post(participation_plan::adopt_participation_plan),
        )
        .service(
            resource("/participation-plans/{id}/publication")
                .post(participation_plan::publish_participation_plan),
        )
        .service(
            resource("/participation-plans/{id}/unpublication")
                .post(participation_plan::unpublish_participation_plan),
        )
        .service(
            resource("/participation-plans/{id}/findings")
                .get(participation_plan::list_findings)
                .post(participation_plan::record_finding),
        )
        .service(
            resource("/participation-plans/{id}/findings/{findingId}/reply")
                .post(participation_plan::reply_to_finding),
        )
        .service(resource("/commitments").get(commitment::list_commitments).post(commitment::add_commitment))
        .service(
            resource("/commitments/{id}")
                .get(commitment::get_commitment)
                .patch(commitment::change_commitment),
        )
        .service(resource("/commitments/{id}/steps").post(commitment::settle_commitment))
        .service(
            resource("/collegetargets")
                .get(collegetarget::list_collegetargets)
                .post(collegetarget::add_collegetarget),
        )
        .service(
            resource("/collegetargets/{id}")
                .get(collegetarget::get_collegetarget)
                .patch(collegetarget::change_collegetarget),
        )
        .service(
            resource("/collegetargets/{id}/measurements")
                .get(collegetarget::list_measurements)
                .post(collegetarget::record_measurement),
        )
        .service(resource("/talks").get(talk::list_talks).post(talk::add_talk))
        .service(resource("/talks/{id}").get(talk::get_talk).patch(talk::correct_talk))
        .service(resource("/talks/{id}/lessons").post(talk::add_lesson))
        .service(resource("/talks/{id}/lessons/{number}/closure").post(talk::close_lesson))
        .service(resource("/talks/{id}/publication").post(talk::publish_talk))
        .service(resource("/talks/{id}/unpublication").post(talk::unpublish_talk))
        .service(resource("/assignments").get(assignment::list_assignments).post(assignment::add_assignment))
        .service(
            resource("/assignments/{id}").get(assignment::get_assignment).patch(assignment::end_assignment),
        )
        .service(resource("/metrics").get(metrics::list_metrics))
        .service(resource("/metrics/{code}").get(metrics::get_metric))
        .service(resource("/metrics/{code}/items").get(metrics::list_metric_items))
        .service(resource("/obligations").get(registry::list_obligations))
        .service(
            resource("/obligations/{code}").get(registry::get_obligation).patch(registry::change_obligation),
        )
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
        .service(resource("/office-holders/{id}/erasure").post(registry::erase_office_holder))
        .service(resource("/office-holders/{id}").get(registry::get_office_holder))
        .service(resource("/codes").get(registry::list_codes))
        .service(resource("/bi").get(bi::list_bi_columns))
        .service(resource("/bi/advice").get(bi::get_bi_advice))
        .service(resource("/bi/advice-councils").get(bi::get_bi_advice_councils))
        .service(resource("/bi/advice-themes").get(bi::get_bi_advice_themes))
        .service(resource("/bi/points").get(bi::get_bi_points))
        .service(resource("/bi/responses").get(bi::get_bi_responses))
        .service(resource("/bi/agreements").get(bi::get_bi_agreements))
        .service(resource("/bi/progress").get(bi::get_bi_progress))
        .service(resource("/bi/judgements").get(bi::get_bi_judgements))
        .service(resource("/bi/findings").get(bi::get_bi_findings))
        .service(resource("/bi/councils").get(bi::get_bi_councils))
        .service(resource("/bi/areas").get(bi::get_bi_areas))
        .service(resource("/bi/clusters").get(bi::get_bi_clusters))
        .service(resource("/bi/themes").get(bi::get_bi_themes))
        .service(resource("/bi/office-holders").get(bi::get_bi_office_holders))
        .service(resource("/bi/dates").get(bi::get_bi_dates))
        .service(resource("/coverage").get(coverage::list_coverage))
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

/// How the server serves.
#[derive(Debug, Clone, Copy)]
pub struct Serving {
    /// Threads that serve requests.
    pub workers: usize,
    /// Threads of each of them that wait for the database.
    pub blocking: usize,
    /// Connections that are taken at once, in all threads.
    pub connections: usize,
    /// How fast callers must be.
    pub pace: Pace,
    /// How long it goes on answering after it was told to stop, so that others notice that it leaves.
    pub drain: Duration,
    /// How long requests that run then have to come to their end, in whole seconds.
    pub stop: Duration,
}

/// How the server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every request that was taken was answered, or had its time.
    Gracefully,
    /// It was told a second time, and left what ran.
    AtOnce,
}

/// Serves until it is told to stop (SIGTERM or SIGINT): then it is not ready any more, later it takes nothing new, and lets
/// requests that run come to their end. Told twice it ends at once.
pub async fn serve(parts: Parts, listener: TcpListener, serving: Serving) -> std::io::Result<Ended> {
    let Serving { workers, blocking, connections, pace, drain, stop } = serving;
    let (app, stopping) = (parts.app.get_ref().clone(), parts.app.stopping.clone());
    let mut told = signals()?;
    let builder = actix_server::Server::build();
    let ending = builder.graceful_shutdown_signal();
    let address = listener.local_addr()?;
    // What `HttpServer` does, but with connections that are watched.
    let service = move || {
        let (parts, ending) = (parts.clone(), ending.clone());
        let app = actix_web::App::new()
            .wrap(from_fn(wire::wire))
            .configure(move |config| parts.configure(config))
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let ending = ending.clone();
                async move { ending.notified().await }
            })
            .keep_alive(pace.keep_alive)
            .client_request_timeout(pace.head)
            .client_disconnect_timeout(LINGER)
            .local_addr(address)
            .on_connect_ext(|connection: &Paced, data| {
                data.insert(connection.line().clone());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| async move {
            let connection = Paced::new(stream, pace);
            let peer = connection.peer();
            Ok((connection, Protocol::Http1, peer))
        })
        .and_then(http)
    };
    let server = builder
        .workers(workers)
        .worker_max_blocking_threads(blocking)
        .max_concurrent_connections(connections.div_ceil(workers))
        .shutdown_timeout(stop.as_secs())
        .disable_signals()
        .listen("http", listener, service)?
        .run();
    let handle = server.handle();
    let mut ended = rt::spawn(server);
    rt::spawn(metrics::load_ahead(app));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, workers, "started");

    let signal = tokio::select! {
        signal = told.recv() => signal,
        ended = &mut ended => {
            ended.map_err(std::io::Error::other)??;
            return Err(std::io::Error::other("it ended without being told to"));
        }
    };
    stopping.leave();
    tracing::info!(signal, seconds = drain.as_secs(), "told to stop: not ready any more");
    if !waits(drain, &mut told).await {
        return Ok(Ended::AtOnce);
    }
    stopping.request();
    tracing::info!(running = METRICS.in_flight(), "nothing new is taken any more");
    let abandoned = METRICS.abandoned();
    tokio::select! {
        () = handle.stop(true) => {}
        _ = told.recv() => return Ok(Ended::AtOnce),
    }
    // Some of them may have been left by their callers.
    match METRICS.in_flight() + METRICS.abandoned() - abandoned {
        0 => tracing::info!("stopped: no request was left without an answer"),
        requests => tracing::warn!(requests, "stopped: requests were cut off after their time"),
    }
    ended.await.map_err(std::io::Error::other)??;
    Ok(Ended::Gracefully)
}

/// Waits so long; not if it is told again meanwhile.
async fn waits(duration: Duration, told: &mut Signals) -> bool {
    tokio::select! {
        () = rt::time::sleep(duration) => true,
        _ = told.recv() => false,
    }
}

/// The signals that tell to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

fn signals() -> std::io::Result<Signals> {
    Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
}

impl Signals {
    async fn recv(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
