//! Metrics and health on a listener of their own, on a thread of its own: it answers also when those of callers have no time, or
//! no connection is left.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, Route, guard, web};

use super::figures::Figures;
use crate::health::{Health, ready};

/// Scrapes that are answered at once; more make no sense.
const THREADS: usize = 2;

/// What is served here.
pub struct Beside {
    /// What every request needs.
    pub app: web::Data<Arc<crate::app::App>>,
    /// What is known of the database.
    pub health: web::Data<Health>,
}

/// Serves `/metrics` and `/health/…` until the process ends.
pub fn serve_metrics(listener: TcpListener, beside: Beside) -> std::io::Result<()> {
    let Beside { app, health } = beside;
    let figures = web::Data::new(Arc::new(Figures::new(app.get_ref().clone())));
    let address = listener.local_addr()?;
    let serve = move || {
        tracing::info!(%address, "serving metrics");
        let server = HttpServer::new(move || {
            App::new()
                .app_data(figures.clone())
                .app_data(app.clone())
                .app_data(health.clone())
                .route("/metrics", get().to(metrics))
                .route("/health/live", get().to(live))
                .route("/health/ready", get().to(ready))
        });
        // It ends with the process, so that the end itself can be watched.
        let server = server.workers(1).worker_max_blocking_threads(THREADS).disable_signals();
        let ended = actix_web::rt::System::new().block_on(async { server.listen(listener)?.run().await });
        if let Err(error) = ended {
            tracing::error!(%error, "the metrics are not served any more");
        }
    };
    std::thread::Builder::new().name("metrics".to_owned()).spawn(serve).map(|_| ())
}

fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

async fn metrics(figures: web::Data<Arc<Figures>>) -> HttpResponse {
    let figures = figures.get_ref().clone();
    match web::block(move || figures.text()).await {
        Ok(Ok(text)) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, prometheus::TEXT_FORMAT))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(text),
        Ok(Err(error)) => {
            tracing::error!(%error, "the metrics cannot be written");
            HttpResponse::InternalServerError().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}
