//! Imports agreements, progress, judgements, commitments and measurements.

use std::collections::HashMap;

use domain::dossier::Dossier;
use domain::import::dossiers::{Action, Known, Plan, Settings, Source, parse, plan};
use persistence::dossier::{self as storage, Filter};
use persistence::registry::{self, Table};
use persistence::{Store, StoreError, Stored, Tx};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::unplaced::{Notes, Place};
use super::{ImportError, Line, Manner, Outcome, all_or_nothing};
use crate::clock::{Now, new_id};

/// How to import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Make an accord where a council has none on the day of an agreement.
    pub make_accords: bool,
    /// Only say what would be done.
    pub rehearse: bool,
}

static MANNER: Manner = Manner {
    counted: &[
        ("made", &["created"]),
        ("changed", &["changed"]),
        ("recorded", &["recorded"]),
        ("unchanged", &["unchanged"]),
        ("not placed", &["unplaced"]),
    ],
    columns: &[
        ("line", "/line"),
        ("row", "/reference"),
        ("action", "/action"),
        ("item", "/item"),
        ("why", "/why"),
    ],
};

/// Imports a file. A second time it changes nothing.
pub fn run(
    store: &Store,
    now: Now,
    source: Source,
    bytes: &[u8],
    options: Options,
) -> Result<Outcome, ImportError> {
    let file = parse(source, bytes)?;
    let Options { make_accords, rehearse } = options;
    all_or_nothing(store, now, rehearse, |tx| {
        // Two imports at once would each plan without the other.
        tx.lock()?;
        let before = Before::read(tx, source)?;
        let settings = Settings { today: now.today, moment: tx.moment()?, make_accords };
        let Plan { decisions, accords, agreements, commitments, targets } =
            plan(&file, before.known(tx)?, settings, &mut new_id);
        // Accords first: who follows the journal knows an accord before its agreements.
        let because = format!("import of {}", source.as_str());
        let mut changes = write(tx, accords, &before.accords, &because)?
            + write(tx, agreements, &before.agreements, &because)?
            + write(tx, commitments, &before.commitments, &because)?
            + write(tx, targets, &before.targets, &because)?;
        let mut notes = Notes::default();
        let mut lines = Vec::with_capacity(decisions.len());
        for (row, decision) in file.rows.iter().zip(decisions) {
            let name = decision.name.unwrap_or_else(|| format!("line {}", decision.line));
            let place = Place { source: source.as_str(), name: &name, text: &row.raw };
            let mut why = decision.why;
            let action = match decision.action {
                Action::Create => "created",
                Action::Change => "changed",
                Action::Record => "recorded",
                Action::Unchanged => "unchanged",
                Action::Unplaced { reason } => {
                    why.insert(0, reason.clone());
                    notes.unplaced(&place, reason);
                    "unplaced"
                }
            };
            if action != "unplaced" {
                notes.placed(&place);
            }
            lines.push(Line {
                line: decision.line,
                url: String::new(),
                reference: name,
                action,
                item: decision.item.map(|id| id.to_string()).unwrap_or_default(),
                why: why.join("; "),
            });
        }
        changes += notes.keep(tx)?;
        Ok(Outcome { manner: &MANNER, rows: file.rows.len(), lines, notes: file.notes, changes })
    })
}

type ById<D> = HashMap<Uuid, Stored<D>>;

/// What is there before the import, as far as a kind of file needs it.
struct Before {
    accords: ById<domain::accord::Accord>,
    agreements: ById<domain::agreement::Agreement>,
    commitments: ById<domain::commitment::Commitment>,
    targets: ById<domain::collegetarget::Collegetarget>,
}

impl Before {
    fn read(tx: &mut Tx<'_>, source: Source) -> Result<Self, StoreError> {
        let (accords, agreements, commitments, targets) = match source {
            Source::Agreements => (true, true, false, false),
            Source::Progress | Source::Judgements => (false, true, false, false),
            Source::Commitments => (false, false, true, false),
            Source::Measurements => (false, false, false, true),
        };
        Ok(Self {
            accords: all(tx, accords)?,
            agreements: all(tx, agreements)?,
            commitments: all(tx, commitments)?,
            targets: all(tx, targets)?,
        })
    }

    fn known(&self, tx: &mut Tx<'_>) -> Result<Known, StoreError> {
        Ok(Known {
            councils: table(tx, Table::Council)?,
            clusters: table(tx, Table::Cluster)?,
            themes: table(tx, Table::Theme)?,
            terms_of_office: table(tx, Table::TermOfOffice)?,
            accords: values(&self.accords),
            agreements: values(&self.agreements),
            commitments: values(&self.commitments),
            targets: values(&self.targets),
        })
    }
}

fn table<T: DeserializeOwned>(tx: &mut Tx<'_>, table: Table) -> Result<Vec<T>, StoreError> {
    let rows: Vec<Stored<T>> = registry::all(tx.reading(), table)?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

fn all<D: Dossier>(tx: &mut Tx<'_>, is_needed: bool) -> Result<ById<D>, StoreError> {
    if !is_needed {
        return Ok(ById::new());
    }
    let items = storage::all::<D>(tx.reading(), &Filter::default())?;
    Ok(items.into_iter().map(|stored| (stored.value.id(), stored)).collect())
}

fn values<D: Dossier>(items: &ById<D>) -> Vec<D> {
    let mut values: Vec<D> = items.values().map(|stored| stored.value.clone()).collect();
    values.sort_by_key(Dossier::id);
    values
}

/// Writes each item once, be it new or changed; gives how many. What changes says why, for the journal.
fn write<D: Dossier>(
    tx: &mut Tx<'_>,
    items: Vec<D>,
    before: &ById<D>,
    because: &str,
) -> Result<usize, StoreError> {
    for item in &items {
        match before.get(&item.id()) {
            Some(before) => storage::save(tx, item, before, "import", Some(because.to_owned()))?,
            None => storage::add(tx, item, "import")?,
        };
    }
    Ok(items.len())
}
