//! What is told about the running service: counters, figures of the business, logs and traces. Nothing of it holds a person, an
//! id, a token or what was asked, and nothing of it stands on the public listener.

mod counters;
mod figures;
mod listener;
pub mod log;
#[cfg(feature = "otel")]
mod otlp;
pub mod process;
mod spans;

pub use counters::{CacheUse, METRICS, Metrics, Open};
pub use listener::{Beside, serve_metrics};
pub use spans::{Exporting, Span, SpanIds, export_spans};
