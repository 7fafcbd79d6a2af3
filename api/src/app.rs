//! What every request needs, and the routes.

use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use persistence::registry::{self, Table};
use persistence::{AnyConnection, Store, StoreError, Stored, Tx, dossier};
use tokio::sync::Semaphore;

use domain::collegetarget::Collegetarget;
use domain::council::Council;
use domain::ids::{AreaCode, ClusterCode, CouncilCode, OfficeHolderId, ThemeCode};
use domain::office_holder::OfficeHolder;
use domain::reference::{Area, Cluster, Neighbourhood, Obligation, PARTICIPATION_PLAN, TermOfOffice, Theme};
use domain::term::TermRule;

use crate::auth::Verifier;
use crate::clock::{Clock, Now};
use crate::contract::Contract;
use crate::problem::ApiError;
use crate::stopping::Stopping;

/// What every request needs.
pub struct App {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The contract that requests are checked against.
    pub contract: Arc<Contract>,
    /// Who checks tokens.
    pub verifier: Arc<Verifier>,
    /// The limits on what a caller may send.
    pub limits: Limits,
    /// Our own public address, without a slash at the end.
    pub public_url: String,
    /// Turns for answers that stream: each keeps a connection for as long as its caller reads.
    pub streams: Arc<Semaphore>,
    /// Told when the server comes to its end; a long poll waits for it beside what it waits for.
    pub stopping: Stopping,
    registry: Mutex<Option<Arc<Registry>>>,
    /// The facts that figures are made from.
    pub known_facts: crate::metrics::KnownFacts,
}

/// Limits on what a caller may send.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
}

/// The reference tables as they are now.
pub struct Registry {
    sequence: i64,
    /// Councils.
    pub councils: Vec<Stored<Council>>,
    /// Areas.
    pub areas: Vec<Stored<Area>>,
    /// Neighbourhoods.
    pub neighbourhoods: Vec<Stored<Neighbourhood>>,
    /// Clusters.
    pub clusters: Vec<Stored<Cluster>>,
    /// Themes.
    pub themes: Vec<Stored<Theme>>,
    /// Terms of office.
    pub terms_of_office: Vec<Stored<TermOfOffice>>,
    /// Term rules.
    pub term_rules: Vec<Stored<TermRule>>,
    /// Office holders.
    pub office_holders: Vec<Stored<OfficeHolder>>,
    /// Obligations.
    pub obligations: Vec<Stored<Obligation>>,
    /// Names of office holders, by id.
    pub names: std::collections::HashMap<String, String>,
}

impl Registry {
    fn load(connection: &mut AnyConnection, sequence: i64) -> Result<Self, StoreError> {
        Ok(Self {
            sequence,
            councils: registry::all(connection, Table::Council)?,
            areas: registry::all(connection, Table::Area)?,
            neighbourhoods: registry::all(connection, Table::Neighbourhood)?,
            clusters: registry::all(connection, Table::Cluster)?,
            themes: registry::all(connection, Table::Theme)?,
            terms_of_office: registry::all(connection, Table::TermOfOffice)?,
            term_rules: registry::all(connection, Table::TermRule)?,
            office_holders: registry::all(connection, Table::OfficeHolder)?,
            obligations: registry::all(connection, Table::Obligation)?,
            names: registry::person_names(connection)?.into_iter().collect(),
        })
    }

    /// The council of this code.
    pub fn council(&self, code: &CouncilCode) -> Option<&Stored<Council>> {
        self.councils.iter().find(|council| council.value.code == *code)
    }

    /// Whether there is such a cluster.
    pub fn has_cluster(&self, code: &ClusterCode) -> bool {
        self.clusters.iter().any(|cluster| cluster.value.code == *code)
    }

    /// Whether there is such a theme.
    pub fn has_theme(&self, code: &ThemeCode) -> bool {
        self.themes.iter().any(|theme| theme.value.code == *code)
    }

    /// Whether there is such an office holder.
    pub fn has_office_holder(&self, id: OfficeHolderId) -> bool {
        self.office_holders.iter().any(|holder| holder.value.id == id)
    }

    /// The councils of an area; none where there is no such area.
    pub fn councils_of(&self, area: &AreaCode) -> Option<Vec<CouncilCode>> {
        self.areas.iter().find(|known| known.value.code == *area)?;
        let of_area = self.councils.iter().filter(|council| council.value.area == *area);
        Some(of_area.map(|council| council.value.code.clone()).collect())
    }

    /// The first day of the obligation to make a participation plan for new policy.
    pub fn plan_obligation_from(&self) -> Option<NaiveDate> {
        let known = self.obligations.iter().find(|obligation| obligation.value.code == PARTICIPATION_PLAN)?;
        Some(known.value.from)
    }

    /// The term rules, without their versions.
    pub fn rules(&self) -> Vec<TermRule> {
        self.term_rules.iter().map(|rule| rule.value.clone()).collect()
    }
}

impl App {
    /// Puts it together.
    pub fn new(
        store: Store,
        clock: Clock,
        contract: Arc<Contract>,
        verifier: Arc<Verifier>,
        limits: Limits,
        public_url: String,
    ) -> Self {
        // Those that stream leave half of the connections to everybody else.
        let streams = Arc::new(Semaphore::new(usize::try_from(store.readers() / 2).unwrap_or(1).max(1)));
        Self {
            store,
            clock,
            contract,
            verifier,
            limits,
            public_url,
            streams,
            stopping: Stopping::default(),
            registry: Mutex::new(None),
            known_facts: Default::default(),
        }
    }

    /// The reference tables. Read again only when the journal's number of their last change is another, so that every
    /// instance sees what any of them wrote.
    pub fn registry(&self, connection: &mut AnyConnection) -> Result<Arc<Registry>, StoreError> {
        let sequence = registry::sequence(connection)?;
        let known = self.registry.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        if let Some(known) = known.filter(|known| known.sequence == sequence) {
            return Ok(known);
        }
        let fresh = Arc::new(Registry::load(connection, sequence)?);
        *self.registry.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(fresh.clone());
        Ok(fresh)
    }

    /// Reads on one snapshot, off the threads that serve requests. The one place where a request waits for the database to read.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App, &mut AnyConnection) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = self.clone();
        actix_web::web::block(move || app.store.read(|connection| work(&app, connection)))
            .await
            .map_err(|_| ApiError::Unavailable("the pool of threads is gone".to_owned(), 2))?
    }

    /// Writes, all or nothing, off the threads that serve requests. The one place where a request waits for the database to write.
    pub async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        actor: String,
        now: Now,
        work: impl FnOnce(&App, &mut Tx<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = self.clone();
        actix_web::web::block(move || app.store.write(&actor, now.moment, |tx| work(&app, tx)))
            .await
            .map_err(|_| ApiError::Unavailable("the pool of threads is gone".to_owned(), 2))?
    }
}

/// Writes the built-in reference data on the first start, and what a later release added to it on the first start of that. Others
/// that start at the same time wait and find it done.
pub fn seed(store: &Store, now: Now) -> Result<bool, StoreError> {
    store.write("wijkaanzet", now.moment, |tx| {
        let is_first = tx.is_first()?;
        if is_first {
            seed_tables(tx)?;
        }
        for rule in &domain::term::built_in_rules() {
            let code = rule.id.to_string();
            if registry::find::<TermRule>(tx.reading(), Table::TermRule, &code)?.is_none() {
                registry::add(tx, Table::TermRule, &code, rule, "built-in")?;
            }
        }
        for obligation in &domain::reference::built_in_obligations() {
            let code = &obligation.code;
            if registry::find::<Obligation>(tx.reading(), Table::Obligation, code)?.is_none() {
                registry::add(tx, Table::Obligation, code, obligation, "built-in")?;
            }
        }
        let moment = tx.moment()?;
        let target = domain::collegetarget::built_in(moment);
        if dossier::load::<Collegetarget>(tx.reading(), target.id.0)?.is_none() {
            dossier::add(tx, &target, "built-in")?;
        }
        Ok(is_first)
    })
}

fn seed_tables(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let built_in = domain::reference::built_in();
    for item in &built_in.areas {
        registry::add(tx, Table::Area, item.code.as_str(), item, "built-in")?;
    }
    for item in &built_in.councils {
        registry::add(tx, Table::Council, item.code.as_str(), item, "built-in")?;
    }
    for item in &built_in.neighbourhoods {
        registry::add(tx, Table::Neighbourhood, &item.code, item, "built-in")?;
    }
    for item in &built_in.clusters {
        registry::add(tx, Table::Cluster, item.code.as_str(), item, "built-in")?;
    }
    for item in &built_in.themes {
        registry::add(tx, Table::Theme, item.code.as_str(), item, "built-in")?;
    }
    for item in &built_in.terms_of_office {
        registry::add(tx, Table::TermOfOffice, &item.code, item, "built-in")?;
    }
    Ok(())
}

/// A day in a request, held to the years that the calendar knows.
pub fn supported_day(on: Option<NaiveDate>, today: NaiveDate) -> Result<NaiveDate, ApiError> {
    let on = on.unwrap_or(today);
    if domain::calendar::is_supported(on) {
        return Ok(on);
    }
    let (first, last) = (domain::calendar::FIRST_DAY, domain::calendar::LAST_DAY);
    Err(ApiError::invalid("query", "on", "date.range", format!("must lie from {first} to {last}")))
}
