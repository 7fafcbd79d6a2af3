//! The figures of the business at a scrape: what is open, late, waiting. Made of the same facts as the metrics that callers get,
//! at most four times a minute, and anew only when the journal went on or the day turned.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use domain::metrics::workload::{Workload, workload};
use persistence::registry::{self, Table};
use persistence::{AnyConnection, Stored, Usage, journal};
use prometheus::{Encoder, Gauge, IntCounter, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use super::counters::METRICS;
use super::process;
use crate::app::App;
use crate::problem::ApiError;
use crate::registry::UnplacedRow;

/// How long what was read of the database is told again.
const KEPT: Duration = Duration::from_secs(15);

/// What a scrape tells.
pub struct Figures {
    app: Arc<App>,
    known: Mutex<Known>,
    /// Held by the one scrape that reads the database.
    reading: Mutex<()>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    read_at: Option<Instant>,
    /// Whether the database answered when it was last asked.
    is_up: bool,
    head: Option<Head>,
    /// The number and moment of the last entry that the replica held, where there is one and it answered.
    replica: Option<(i64, DateTime<Utc>)>,
}

/// Where the journal stood, and what was open then.
#[derive(Debug, Clone, Copy)]
struct Head {
    sequence: i64,
    moment: DateTime<Utc>,
    today: NaiveDate,
    registry: i64,
    workload: Workload,
    awaiting_receipt: i64,
    unplaced_rows: u64,
}

impl Figures {
    /// The figures of this app.
    pub fn new(app: Arc<App>) -> Self {
        let now = app.clock.now().moment;
        process::started(seconds(now));
        Self { app, known: Mutex::default(), reading: Mutex::default() }
    }

    /// Everything, as Prometheus reads it. Reads the database, so it is not for a thread that serves requests.
    pub fn text(&self) -> prometheus::Result<Vec<u8>> {
        let known = self.known();
        let registry = Registry::new();
        process::add_to(&registry)?;
        self.add_to(&registry, known)?;
        let mut families = METRICS.registry.gather();
        families.extend(registry.gather());
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text)?;
        Ok(text)
    }

    /// What is known of the database. While one scrape reads it, another tells what was known before.
    fn known(&self) -> Known {
        let before = *hold(&self.known);
        let _reading = match self.reading.try_lock() {
            Ok(reading) => reading,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return before,
        };
        if before.read_at.is_some_and(|at| at.elapsed() < KEPT) {
            return before;
        }
        // While the facts are being loaded at the start there is no more to tell yet; loading them a second time would tell it no sooner.
        if self.app.known_facts.is_loading() {
            let is_up = self.app.store.look(&BTreeMap::new()).is_ok();
            return Known { read_at: Some(Instant::now()), is_up, ..before };
        }
        let read = self.app.store.read(|connection| head(&self.app, connection, before.head));
        let is_up = read.is_ok();
        let head = read
            .inspect_err(|error| tracing::warn!(%error, "the figures for Prometheus cannot be read"))
            .ok()
            .or(before.head);
        let replica = self.app.store.replica().and_then(|replica| {
            let read = replica.head();
            read.inspect_err(|error| tracing::warn!(%error, "the replica cannot be read")).ok()
        });
        let known = Known { read_at: Some(Instant::now()), is_up, head, replica };
        *hold(&self.known) = known;
        known
    }

    fn add_to(&self, registry: &Registry, known: Known) -> prometheus::Result<()> {
        let help = "The version that runs.";
        let build = IntGaugeVec::new(Opts::new("wijkaanzet_build_info", help), &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(build))?;
        let Known { read_at, is_up, head, replica } = known;
        self.add_pools(registry)?;
        if read_at.is_none() {
            return Ok(());
        }
        let whole = |name: &str, help: &str, value: i64| -> prometheus::Result<()> {
            let gauge = IntGauge::new(format!("wijkaanzet_{name}"), help)?;
            gauge.set(value);
            registry.register(Box::new(gauge))
        };
        whole("database_up", "Whether the database answered when it was last asked.", is_up.into())?;
        if self.app.store.replica().is_some() {
            whole(
                "replica_up",
                "Whether the replica answered when it was last asked.",
                replica.is_some().into(),
            )?;
        }
        let Some(head) = head else { return Ok(()) };
        let Head { sequence, moment, today: _, registry: _, workload, awaiting_receipt, unplaced_rows } =
            head;
        let Workload { open, open_late, open_very_late, oldest_open_days, agreements_due_this_year } =
            workload;
        let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        whole("advice_open", "Advice received and without a final response.", count(open))?;
        whole(
            "advice_open_late",
            "Open advice past its deadline, the very late included.",
            count(open_late),
        )?;
        whole("advice_open_very_late", "Open advice that is very late.", count(open_very_late))?;
        whole(
            "advice_oldest_open_age_seconds",
            "Whole days since the oldest open advice was received, in seconds.",
            count(oldest_open_days * 24 * 60 * 60),
        )?;
        whole("advice_awaiting_receipt", "Advice submitted and not received yet.", awaiting_receipt)?;
        whole("unplaced_rows", "Rows of imported lists that could not be placed.", count(unplaced_rows))?;
        whole(
            "agreements_due_this_year",
            "Agreements to be realised in this year.",
            count(agreements_due_this_year),
        )?;
        if let Some((reached, at)) = replica {
            whole(
                "replica_behind_entries",
                "Entries that the replica does not hold yet.",
                (sequence - reached).max(0),
            )?;
            let lag = Gauge::new(
                "wijkaanzet_replica_lag_seconds",
                "Time between the last entry of the journal and the last that the replica holds.",
            )?;
            lag.set((seconds(moment) - seconds(at)).max(0.0));
            registry.register(Box::new(lag))?;
        }
        let entries = IntCounter::new("wijkaanzet_journal_entries_total", "Entries written to the journal.")?;
        entries.inc_by(u64::try_from(sequence).unwrap_or(0));
        registry.register(Box::new(entries))?;
        let moments = [
            ("journal_head_timestamp_seconds", "Moment of the journal's last entry.", seconds(moment)),
            (
                "feed_lag_seconds",
                "Age of the journal's last entry that this process knows of.",
                seconds(self.app.clock.now().moment) - seconds(moment),
            ),
        ];
        for (name, help, value) in moments {
            let gauge = Gauge::new(format!("wijkaanzet_{name}"), help)?;
            gauge.set(value);
            registry.register(Box::new(gauge))?;
        }
        Ok(())
    }
}

impl Figures {
    fn add_pools(&self, registry: &Registry) -> prometheus::Result<()> {
        let help = "Connections to the database, by pool and what they do.";
        let connections =
            IntGaugeVec::new(Opts::new("wijkaanzet_database_connections", help), &["pool", "state"])?;
        let store = &self.app.store;
        let replica = store.replica().map(|replica| ("replica", replica.readers()));
        for (pool, usage) in
            [("read", store.readers()), ("write", store.writers())].into_iter().chain(replica)
        {
            let Usage { size, in_use, idle } = usage;
            for (state, value) in [("in_use", in_use), ("idle", idle), ("most", size)] {
                connections.with_label_values(&[pool, state]).set(value.into());
            }
        }
        registry.register(Box::new(connections))
    }
}

fn hold(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn seconds(moment: DateTime<Utc>) -> f64 {
    moment.timestamp_millis() as f64 / 1000.0
}

fn head(app: &App, connection: &mut AnyConnection, before: Option<Head>) -> Result<Head, ApiError> {
    let (sequence, moment) = journal::head(connection)?;
    let today = app.clock.now().today;
    if let Some(before) = before
        && before.sequence == sequence
        && before.today == today
    {
        return Ok(before);
    }
    let facts = app.facts(connection, sequence)?;
    let of_registry = registry::sequence(connection)?;
    let unplaced_rows = match before {
        Some(before) if before.registry == of_registry => before.unplaced_rows,
        _ => unplaced_rows(connection)?,
    };
    Ok(Head {
        sequence,
        moment,
        today,
        registry: of_registry,
        workload: workload(&facts, today),
        awaiting_receipt: persistence::workload::awaiting_receipt(connection)?,
        unplaced_rows,
    })
}

/// A row that found its place later is kept, without a reason.
fn unplaced_rows(connection: &mut AnyConnection) -> Result<u64, ApiError> {
    let rows: Vec<Stored<UnplacedRow>> = registry::all(connection, Table::UnplacedRow)?;
    Ok(rows.iter().filter(|row| row.value.reason.is_some()).fold(0, |count, _| count + 1))
}
