//! What every request needs, and the routes.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use persistence::registry::{self, Table};
use persistence::{AnyConnection, Look, Position, State, Store, StoreError, Stored, Tx, dossier, journal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use domain::collegetarget::Collegetarget;
use domain::council::Council;
use domain::ids::{AdviceId, AreaCode, ClusterCode, CouncilCode, OfficeHolderId, ThemeCode};
use domain::metrics::Facts;
use domain::office_holder::OfficeHolder;
use domain::reference::{Area, Cluster, Neighbourhood, Obligation, PARTICIPATION_PLAN, TermOfOffice, Theme};
use domain::term::TermRule;

use crate::advice::Shelf;
use crate::auth::Verifier;
use crate::clock::{Clock, Now};
use crate::contract::Contract;
use crate::latest::{Desk, Latest};
use crate::news::News;
use crate::problem::ApiError;
use crate::seal::Seal;
use crate::stopping::Stopping;
use crate::telemetry::log;

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
    /// The limits on what a caller may send and on what is kept.
    pub limits: Limits,
    /// Our own public address, without a slash at the end.
    pub public_url: String,
    /// Turns for answers that stream: each keeps a connection for as long as its caller reads.
    pub streams: Arc<Semaphore>,
    /// Seals positions in the journal.
    pub seal: Seal,
    /// How the database stands now.
    pub latest: Arc<Latest>,
    /// Advice as it was shown before.
    pub shelf: Shelf,
    /// Who waits for the next change.
    pub news: News,
    turns: Turns,
    /// Told when the server comes to its end; a long poll waits for it beside what it waits for.
    pub stopping: Stopping,
    registry: Mutex<Option<(Position, Arc<Registry>)>>,
    /// The facts that figures are made from.
    pub known_facts: crate::metrics::KnownFacts,
}

/// Turns at the connections of the database. Who waits for one waits without a thread; who has one finds a connection free.
struct Turns {
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
    reading_replica: Arc<Semaphore>,
}

/// How long a request waits for its turn to read.
const READING_TURN: Duration = Duration::from_secs(5);
/// How long a request waits for its turn to write: writers follow each other through the journal.
const WRITING_TURN: Duration = Duration::from_secs(10);
/// When to come back, in seconds, after waiting in vain.
const COME_BACK: u64 = 2;

/// Limits on what a caller may send and on what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of advice as it was shown; zero keeps none.
    pub shelf: usize,
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

    /// The number of the last change of any of them.
    pub fn sequence(&self) -> i64 {
        self.sequence
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
    ) -> Result<Self, String> {
        let seal = Seal::new(store.seal())?;
        let turns_at = |size: u32| Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        let turns = Turns {
            reading: turns_at(store.readers().size),
            writing: turns_at(store.writers().size),
            reading_replica: turns_at(store.replica().map_or(0, |replica| replica.readers().size)),
        };
        // Those that stream leave half of the connections to everybody else.
        let streams = turns_at((store.readers().size / 2).max(1));
        Ok(Self {
            latest: Arc::new(Latest::new(store.clone())),
            shelf: Shelf::new(limits.shelf),
            store,
            clock,
            contract,
            verifier,
            limits,
            public_url,
            streams,
            seal,
            news: News::default(),
            turns,
            stopping: Stopping::default(),
            registry: Mutex::new(None),
            known_facts: Default::default(),
        })
    }

    /// The reference tables as they are in this state of the database, if they were read before.
    pub fn registry_in(&self, state: State) -> Option<Arc<Registry>> {
        let known = self.known_registry();
        known.as_ref().map(|(_, known)| known).filter(|known| known.sequence == state.registry).cloned()
    }

    /// The reference tables as they were when they were last read.
    pub fn last_registry(&self) -> Option<Arc<Registry>> {
        self.known_registry().as_ref().map(|(_, known)| known.clone())
    }

    /// The reference tables, read by somebody who does not know where the journal ends.
    pub fn registry(&self, connection: &mut AnyConnection) -> Result<Arc<Registry>, StoreError> {
        let sequence = registry::sequence(connection)?;
        if let Some(known) = self.last_registry().filter(|known| known.sequence == sequence) {
            return Ok(known);
        }
        let position = journal::position(connection)?;
        self.registry_at(position, connection)
    }

    /// The reference tables as they are where the journal ends there. Read again only when the journal's number of their last
    /// change is another, so that every instance sees what any of them wrote.
    fn registry_at(
        &self,
        position: Position,
        connection: &mut AnyConnection,
    ) -> Result<Arc<Registry>, StoreError> {
        let known = self.known_registry().clone();
        if let Some((at, known)) = &known
            && *at == position
        {
            return Ok(known.clone());
        }
        let sequence = registry::sequence(connection)?;
        let fresh = match known {
            Some((_, known)) if known.sequence == sequence => known,
            _ => Arc::new(Registry::load(connection, sequence)?),
        };
        *self.known_registry() = Some((position, fresh.clone()));
        Ok(fresh)
    }

    fn known_registry(&self) -> MutexGuard<'_, Option<(Position, Arc<Registry>)>> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The app on one snapshot of the database.
pub struct Reading<'a> {
    app: &'a App,
    /// Where the journal of the snapshot ends.
    pub position: Position,
}

impl Deref for Reading<'_> {
    type Target = App;

    fn deref(&self) -> &App {
        self.app
    }
}

impl Reading<'_> {
    /// The reference tables of the snapshot.
    pub fn registry(&self, connection: &mut AnyConnection) -> Result<Arc<Registry>, StoreError> {
        self.app.registry_at(self.position, connection)
    }
}

/// What a request read, and whether all of it was of one state of the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum ReadAt {
    #[default]
    Nothing,
    One(Position),
    Several,
}

/// The app as one request uses it: what is read is never older than what its caller must know of.
#[derive(Clone)]
pub struct Session {
    app: Arc<App>,
    replica_from: Option<i64>,
    read_at: Arc<Mutex<ReadAt>>,
}

impl Deref for Session {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Session {
    /// A session that reads from the replica, where there is one that has come to this entry of the journal; without a number
    /// only from the database that is written to.
    pub fn new(app: Arc<App>, replica_from: Option<i64>) -> Self {
        Self { app, replica_from, read_at: Arc::default() }
    }

    /// Where the journal ended in all that was read so far; none where nothing was, or of several states of the database.
    pub fn read_at(&self) -> Option<Position> {
        match *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) {
            ReadAt::One(position) => Some(position),
            ReadAt::Nothing | ReadAt::Several => None,
        }
    }

    /// The same, reading nothing older than this entry.
    pub fn not_before(&self, sequence: i64) -> Self {
        let replica_from = self.replica_from.map(|from| from.max(sequence));
        Self { replica_from, ..self.clone() }
    }

    /// The same, reading from the database that is written to only.
    pub fn on_primary(&self) -> Self {
        Self { replica_from: None, ..self.clone() }
    }

    /// The facts as they are known now, where in the journal that is, and its moment, by a look that many share. None where it takes
    /// more than that: a replica to read from, or facts to be brought up to date first.
    pub async fn facts_now(&self, desk: &Desk) -> Option<(i64, Option<DateTime<Utc>>, Arc<Facts>)> {
        let look = self.shared_look(desk, None).await?;
        let position = look.state.position;
        let (_, facts) = self.known_facts.newest().filter(|(at, _)| *at == position.sequence)?;
        self.note(position);
        Some((position.sequence, look.moment, facts))
    }

    /// An advice, with its text if that is wanted, and the reference tables, of one state of the database, by a look that many share.
    /// None where it takes more than that: a replica to read from, or tables to be read first.
    pub async fn look(
        &self,
        desk: &Desk,
        id: AdviceId,
        with_text: bool,
    ) -> Option<(Arc<Look>, Arc<Registry>)> {
        let look = self.shared_look(desk, Some((id, with_text))).await?;
        let registry = self.registry_in(look.state)?;
        self.note(look.state.position);
        Some((look, registry))
    }

    /// A look that many share. None where there is a replica: from that is read, and looked at is the database that is written to.
    async fn shared_look(&self, desk: &Desk, advice: Option<(AdviceId, bool)>) -> Option<Arc<Look>> {
        if self.store.replica().is_some() {
            return None;
        }
        desk.look(advice).await
    }

    /// Reads on one snapshot, off the threads that serve requests. The one place where a request waits for the database to read.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reading<'_>, &mut AnyConnection) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let session = self.clone();
        let work = match self.replica_turn() {
            Some((turn, from)) => {
                let session = self.clone();
                let tried = off_the_request(move || {
                    let _turn = turn;
                    session.read_replica(from, work)
                });
                match tried.await? {
                    Ok(outcome) => return outcome,
                    Err(work) => work,
                }
            }
            None => work,
        };
        let turn = turn_at(&self.turns.reading, READING_TURN).await?;
        off_the_request(move || {
            let _turn = turn;
            session.read_primary(work)
        })
        .await?
    }

    /// Reads without a transaction, where `glance` finds all that there is to say of one state; otherwise as [`Session::read`] does.
    pub async fn read_at_once<T: Send + 'static>(
        &self,
        glance: impl Fn(&App, &mut AnyConnection) -> Result<Option<(Position, T)>, StoreError> + Send + 'static,
        work: impl FnOnce(&Reading<'_>, &mut AnyConnection) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        if self.replica_from.is_some() && self.store.replica().is_some() {
            return self.read(work).await;
        }
        let session = self.clone();
        let turn = turn_at(&self.turns.reading, READING_TURN).await?;
        off_the_request(move || {
            let _turn = turn;
            match session.store.read_at_once(|connection| glance(&session, connection))? {
                Some((position, found)) => {
                    session.reading(position);
                    Ok(found)
                }
                None => session.read_primary(work),
            }
        })
        .await?
    }

    /// Reads on one snapshot, on this thread, which must be one that may wait.
    pub fn read_here<T, E: From<StoreError> + From<ApiError>>(
        &self,
        runtime: &tokio::runtime::Handle,
        work: impl FnOnce(&Reading<'_>, &mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let work = match self.replica_turn() {
            Some((_turn, from)) => match self.read_replica(from, work) {
                Ok(outcome) => return outcome,
                Err(work) => work,
            },
            None => work,
        };
        let _turn = runtime.block_on(turn_at(&self.turns.reading, READING_TURN))?;
        self.read_primary(work)
    }

    fn read_primary<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reading<'_>, &mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.store.read(|connection| {
            let position = journal::position(connection)?;
            work(&self.reading(position), connection)
        })
    }

    /// What was read from the replica; or the work back, when that cannot be reached or has not come so far.
    fn read_replica<T, E, W>(&self, from: i64, work: W) -> Result<Result<T, E>, W>
    where
        E: From<StoreError>,
        W: FnOnce(&Reading<'_>, &mut AnyConnection) -> Result<T, E>,
    {
        match self.store.replica().and_then(|replica| replica.snapshot(from)) {
            Some(snapshot) => {
                let reading = self.reading(snapshot.position());
                Ok(snapshot.read(|connection| work(&reading, connection)))
            }
            None => Err(work),
        }
    }

    fn reading(&self, position: Position) -> Reading<'_> {
        self.note(position);
        Reading { app: &self.app, position }
    }

    /// Takes down of which state of the database something was read.
    fn note(&self, position: Position) {
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        *read_at = match *read_at {
            ReadAt::Nothing => ReadAt::One(position),
            ReadAt::One(known) if known == position => ReadAt::One(position),
            ReadAt::One(_) | ReadAt::Several => ReadAt::Several,
        };
    }

    /// Writes, all or nothing, off the threads that serve requests. The one place where a request waits for the database to write.
    pub async fn write<T: Send + 'static>(
        &self,
        actor: String,
        now: Now,
        work: impl FnOnce(&App, &mut Tx<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = turn_at(&self.turns.writing, WRITING_TURN).await?;
        let app = self.app.clone();
        let (done, position) = off_the_request(move || {
            let _turn = turn;
            app.store.write(&actor, now.moment, |tx| {
                let done = work(&app, tx)?;
                Ok::<_, ApiError>((done, tx.position()?))
            })
        })
        .await??;
        self.news.tell(position.sequence);
        Ok(done)
    }

    /// A turn at the replica, and from which entry on it may be read. Nobody waits for one: there is another database.
    fn replica_turn(&self) -> Option<(OwnedSemaphorePermit, i64)> {
        let from = self.replica_from?;
        self.store.replica()?;
        let turn = self.turns.reading_replica.clone().try_acquire_owned().ok()?;
        Some((turn, from))
    }
}

async fn turn_at(turns: &Arc<Semaphore>, longest: Duration) -> Result<OwnedSemaphorePermit, ApiError> {
    let busy = || ApiError::Unavailable("the database has its hands full".to_owned(), COME_BACK);
    let turn = tokio::time::timeout(longest, turns.clone().acquire_owned()).await;
    turn.map_err(|_| busy())?.map_err(|_| busy())
}

/// Runs what blocks on a thread that may wait, with the request's trace in its log lines.
async fn off_the_request<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    actix_web::web::block(log::within(work))
        .await
        .map_err(|_| ApiError::Unavailable("the pool of threads is gone".to_owned(), COME_BACK))
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
