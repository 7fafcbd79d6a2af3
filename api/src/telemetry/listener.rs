//! Prometheus on a listener of its own, on a thread of its own: it answers also when those of callers have no time.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, web};

use super::figures::Figures;

/// Scrapes that are answered at once; more make no sense.
const THREADS: usize = 2;

/// Serves `/metrics` until the process ends.
pub fn serve_metrics(listener: TcpListener, figures: Figures) -> std::io::Result<()> {
    let figures = web::Data::new(Arc::new(figures));
    let serve = move || {
        let server = HttpServer::new(move || {
            App::new().app_data(figures.clone()).route("/metrics", web::get().to(metrics))
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
