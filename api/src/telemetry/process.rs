//! What the process takes of its machine, where that says so (Linux); elsewhere nothing is told.

use std::fs;
use std::sync::OnceLock;

use prometheus::{Gauge, IntGauge, Registry};

static STARTED: OnceLock<f64> = OnceLock::new();

/// Remembers when the process started, in seconds since 1970.
pub(super) fn started(at: f64) {
    STARTED.get_or_init(|| at);
}

/// How many files and connections the process may have open, as far as known.
pub fn file_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

/// Adds what is known; the names are those that Prometheus gives such metrics in every program.
pub(super) fn add_to(registry: &Registry) -> prometheus::Result<()> {
    let whole = |name: &str, help: &str, value: Option<u64>| -> prometheus::Result<()> {
        let Some(value) = value.and_then(|value| i64::try_from(value).ok()) else { return Ok(()) };
        let gauge = IntGauge::new(name, help)?;
        gauge.set(value);
        registry.register(Box::new(gauge))
    };
    whole("process_resident_memory_bytes", "Resident memory size in bytes.", status_bytes("VmRSS:"))?;
    whole("process_virtual_memory_bytes", "Virtual memory size in bytes.", status_bytes("VmSize:"))?;
    whole("process_threads", "Number of OS threads in the process.", status("Threads:"))?;
    whole("process_open_fds", "Number of open file descriptors.", open_files())?;
    whole("process_max_fds", "Maximum number of open file descriptors.", file_limit())?;
    if let Some(at) = STARTED.get() {
        let gauge = Gauge::new(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
        )?;
        gauge.set(*at);
        registry.register(Box::new(gauge))?;
    }
    Ok(())
}

fn status(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn status_bytes(field: &str) -> Option<u64> {
    Some(status(field)? * 1024)
}

fn open_files() -> Option<u64> {
    u64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}
