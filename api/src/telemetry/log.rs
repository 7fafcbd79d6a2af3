//! The log: a line of JSON for each event, with the trace of the request that it belongs to.

use tracing::Span;

use crate::config::LogFormat;

/// Starts the log, on standard error.
pub fn start(format: LogFormat, level: &str) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(level)
        .map_err(|_| format!("'{level}' is not a level of the log, such as info"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = match format {
        // The one span around a line is the request; a list of all of them would say it twice.
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => log.try_init(),
    };
    set.map_err(|error| format!("the log cannot be started: {error}"))
}

/// Work that stays in the request which it belongs to when it runs on another thread: `web::block(within(work))`.
pub fn within<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let span = Span::current();
    move || span.in_scope(work)
}
