//! What to do with the rows of a file, one after the other, against what is known.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use uuid::Uuid;

use super::rows::{AgreementKey, AgreementRow, CommitmentRow, File, MeasurementRow, Said};
use crate::accord::{Accord, AccordBody};
use crate::advice::Reference;
use crate::agreement::{Agreement, AgreementBody, JudgementBody, Owner, ProgressBody};
use crate::calendar;
use crate::codes::SettlementStep;
use crate::collegetarget::{Collegetarget, Measurement};
use crate::commitment::{Commitment, CommitmentBody, StepBody};
use crate::council::{Council, fold};
use crate::dossier::Dossier;
use crate::ids::{
    AccordId, AgreementId, ClusterCode, CollegetargetId, CommitmentId, CouncilCode, PartId, ThemeCode,
};
use crate::reference::{Cluster, TermOfOffice, Theme};

/// The system in the references of the file of agreements.
const REFERENCE_SYSTEM: &str = "wijkakkoord";

/// What is known before the import: reference tables and, as far as this kind of file needs them, items.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The councils.
    pub councils: Vec<Council>,
    /// The clusters.
    pub clusters: Vec<Cluster>,
    /// The themes.
    pub themes: Vec<Theme>,
    /// The terms of office.
    pub terms_of_office: Vec<TermOfOffice>,
    /// The accords.
    pub accords: Vec<Accord>,
    /// The agreements.
    pub agreements: Vec<Agreement>,
    /// The commitments.
    pub commitments: Vec<Commitment>,
    /// The collegetargets.
    pub targets: Vec<Collegetarget>,
}

/// When and how to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The day.
    pub today: NaiveDate,
    /// The moment at which measurements are recorded.
    pub moment: DateTime<Utc>,
    /// Whether to make an accord where a council has none on the day of an agreement.
    pub make_accords: bool,
}

/// What to do with a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What becomes of each row, in the order of the file.
    pub decisions: Vec<Decision>,
    /// Accords to write: new.
    pub accords: Vec<Accord>,
    /// Agreements to write: new or changed.
    pub agreements: Vec<Agreement>,
    /// Commitments to write: new or changed.
    pub commitments: Vec<Commitment>,
    /// Targets to write: changed.
    pub targets: Vec<Collegetarget>,
}

/// What becomes of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The line in the file.
    pub line: u64,
    /// By what people know the row.
    pub name: Option<String>,
    /// What becomes of it.
    pub action: Action,
    /// The item that it is about.
    pub item: Option<Uuid>,
    /// How this was found, one line each.
    pub why: Vec<String>,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A new item.
    Create,
    /// The text of an item is now as the row says.
    Change,
    /// Something is recorded of an item.
    Record,
    /// It stands there already.
    Unchanged,
    /// It has no place.
    Unplaced {
        /// Why not.
        reason: String,
    },
}

/// Says what to do with each row of a file. Ids come from outside.
pub fn plan(file: &File, known: Known, settings: Settings, new_id: &mut dyn FnMut() -> Uuid) -> Plan {
    let Known { councils, clusters, themes, terms_of_office, accords, agreements, commitments, targets } =
        known;
    let mut planner = Planner {
        names: Names { councils, clusters, themes, found: HashMap::new() },
        terms_of_office,
        by_number: HashMap::new(),
        by_commitment_number: HashMap::new(),
        accords: Kept::new(accords),
        agreements: Kept::new(agreements),
        commitments: Kept::new(commitments),
        targets: Kept::new(targets),
        told: HashMap::new(),
        settings,
        new_id,
    };
    for (place, agreement) in planner.agreements.items.iter().enumerate() {
        let key = number_of(agreement);
        planner.by_number.entry(key).or_default().push(place);
    }
    for (place, commitment) in planner.commitments.items.iter().enumerate() {
        let number = commitment.text.number.trim().to_owned();
        planner.by_commitment_number.entry(number).or_default().push(place);
    }
    let mut decisions = Vec::with_capacity(file.rows.len());
    for row in &file.rows {
        let placed = match &row.said {
            Ok(said) => planner.place(row.line, said),
            Err(reason) => Err(reason.clone()),
        };
        let (action, item, why) = match placed {
            Ok(Placed { action, item, why }) => (action, Some(item), why),
            Err(reason) => (Action::Unplaced { reason }, None, Vec::new()),
        };
        decisions.push(Decision { line: row.line, name: row.name.clone(), action, item, why });
    }
    Plan {
        decisions,
        accords: planner.accords.touched(),
        agreements: planner.agreements.touched(),
        commitments: planner.commitments.touched(),
        targets: planner.targets.touched(),
    }
}

/// A row that has its place.
struct Placed {
    action: Action,
    item: Uuid,
    why: Vec<String>,
}

impl Placed {
    fn new(action: Action, item: Uuid, why: impl Into<String>) -> Self {
        Self { action, item, why: vec![why.into()] }
    }
}

/// Items as they will be, and which of them are to be written.
struct Kept<D> {
    items: Vec<D>,
    touched: BTreeSet<usize>,
}

impl<D: Dossier> Kept<D> {
    fn new(items: Vec<D>) -> Self {
        Self { items, touched: BTreeSet::new() }
    }

    fn add(&mut self, item: D) -> usize {
        self.items.push(item);
        let place = self.items.len() - 1;
        self.touched.insert(place);
        place
    }

    fn set(&mut self, place: usize, item: D) {
        self.items[place] = item;
        self.touched.insert(place);
    }

    fn touched(self) -> Vec<D> {
        let Self { items, touched } = self;
        let all = items.into_iter().enumerate();
        all.filter(|(place, _)| touched.contains(place)).map(|(_, item)| item).collect()
    }
}

type AgreementNumber = (CouncilCode, u16, String);

fn number_of(agreement: &Agreement) -> AgreementNumber {
    (agreement.council.clone(), agreement.text.plan_year, agreement.text.number.clone())
}

struct Planner<'a> {
    names: Names,
    terms_of_office: Vec<TermOfOffice>,
    by_number: HashMap<AgreementNumber, Vec<usize>>,
    by_commitment_number: HashMap<String, Vec<usize>>,
    accords: Kept<Accord>,
    agreements: Kept<Agreement>,
    commitments: Kept<Commitment>,
    targets: Kept<Collegetarget>,
    /// By which line the text of an item was told: a later line of the file does not overrule it.
    told: HashMap<Uuid, u64>,
    settings: Settings,
    new_id: &'a mut dyn FnMut() -> Uuid,
}

impl Planner<'_> {
    fn place(&mut self, line: u64, said: &Said) -> Result<Placed, String> {
        match said {
            Said::Agreement(row) => self.agreement(line, row),
            Said::Progress { of, body } => self.progress(of, body),
            Said::Judgement { of, body } => self.judgement(of, body),
            Said::Commitment(row) => self.commitment(line, row),
            Said::Measurement(row) => self.measurement(row),
        }
    }

    fn agreement(&mut self, line: u64, row: &AgreementRow) -> Result<Placed, String> {
        let owner = Owner {
            cluster: row.cluster.as_deref().map(|cluster| self.names.cluster(cluster)).transpose()?,
            party: row.party.clone(),
        };
        let themes = match &row.themes {
            Some(themes) => {
                Some(themes.iter().map(|theme| self.names.theme(theme)).collect::<Result<Vec<_>, _>>()?)
            }
            None => None,
        };
        match self.find_agreement(&row.of)? {
            (_, Some(place)) => self.agreement_again(line, place, row, owner, themes),
            (council, None) => self.new_agreement(line, council, row, owner, themes),
        }
    }

    fn new_agreement(
        &mut self,
        line: u64,
        council: CouncilCode,
        row: &AgreementRow,
        owner: Owner,
        themes: Option<Vec<ThemeCode>>,
    ) -> Result<Placed, String> {
        let mut why = vec!["not yet known: a new agreement".to_owned()];
        let (accord, accord_is_new) = match self.accord_on(&council, row.agreed_on)? {
            Some(accord) => (accord, false),
            None if self.settings.make_accords => (self.new_accord(&council, row.agreed_on, &mut why)?, true),
            None => return Err("no accord of the council on that day; add it first".to_owned()),
        };
        let id = AgreementId((self.new_id)());
        let text = AgreementBody {
            accord: accord.id,
            number: row.of.number.clone(),
            title: row.title.clone(),
            description: None,
            size: row.size,
            owner,
            partners: Vec::new(),
            plan_year: row.of.plan_year,
            agreed_on: row.agreed_on,
            due_on: row.due_on,
            ongoing_reason: row.ongoing_reason.clone(),
            carried_over_from: None,
            policy_track: None,
            advice_point: None,
            themes: themes.unwrap_or_default(),
            references: with_reference(&[], row.reference.as_ref()),
        };
        let agreement = Agreement::new(id, council, accord.publication.clone(), text, self.settings.today)
            .map_err(|error| error.in_words())?;
        // Only now: an agreement that breaks a rule makes no accord.
        if accord_is_new {
            self.accords.add(accord);
        }
        let key = number_of(&agreement);
        let place = self.agreements.add(agreement);
        self.by_number.entry(key).or_default().push(place);
        self.told.insert(id.0, line);
        Ok(Placed { action: Action::Create, item: id.0, why })
    }

    fn agreement_again(
        &mut self,
        line: u64,
        place: usize,
        row: &AgreementRow,
        owner: Owner,
        themes: Option<Vec<ThemeCode>>,
    ) -> Result<Placed, String> {
        let before = self.agreements.items[place].clone();
        let own = self.accords.items.iter().find(|accord| accord.id == before.text.accord);
        let moves = row.agreed_on != before.text.agreed_on;
        if moves && !own.is_some_and(|accord| holds_on(accord, row.agreed_on)) {
            return Err("the agreement stands in an accord that does not hold on agreedOn".to_owned());
        }
        let text = AgreementBody {
            title: row.title.clone(),
            size: row.size,
            owner,
            agreed_on: row.agreed_on,
            due_on: row.due_on,
            ongoing_reason: row.ongoing_reason.clone(),
            themes: themes.unwrap_or_else(|| before.text.themes.clone()),
            references: with_reference(&before.text.references, row.reference.as_ref()),
            ..before.text.clone()
        };
        let id = before.id.0;
        let differing = [
            ("title", text.title != before.text.title),
            ("size", text.size != before.text.size),
            ("cluster", text.owner.cluster != before.text.owner.cluster),
            ("party", text.owner.party != before.text.owner.party),
            ("agreedOn", text.agreed_on != before.text.agreed_on),
            ("dueOn", text.due_on != before.text.due_on),
            ("ongoingReason", text.ongoing_reason != before.text.ongoing_reason),
            ("themes", text.themes != before.text.themes),
            ("reference", text.references != before.text.references),
        ];
        let Some(differing) = self.differing(line, id, &differing)? else {
            return Ok(Placed::new(Action::Unchanged, id, "stands there already"));
        };
        let after = before.changed(text, self.settings.today).map_err(|error| error.in_words())?;
        self.agreements.set(place, after);
        self.told.insert(id, line);
        Ok(Placed::new(Action::Change, id, differing))
    }

    /// What of an item a row says otherwise, in words; an error where an earlier line of the file said it already.
    fn differing(&mut self, line: u64, id: Uuid, fields: &[(&str, bool)]) -> Result<Option<String>, String> {
        let differing: Vec<&str> =
            fields.iter().filter(|(_, differs)| *differs).map(|(field, _)| *field).collect();
        if differing.is_empty() {
            self.told.entry(id).or_insert(line);
            return Ok(None);
        }
        let differing = differing.join(", ");
        match self.told.get(&id) {
            Some(earlier) => Err(format!("line {earlier} has the same number and another {differing}")),
            None => Ok(Some(format!("the row has another {differing}"))),
        }
    }

    fn progress(&mut self, of: &AgreementKey, body: &ProgressBody) -> Result<Placed, String> {
        let place = self.known_agreement(of)?;
        let agreement = &self.agreements.items[place];
        let same = agreement.progress.iter().find(|known| known.state == body.state && known.on == body.on);
        if let Some(same) = same {
            let differs = (same.reason.as_ref(), same.evidence_url.as_ref())
                != (body.reason.as_ref(), body.evidence_url.as_ref());
            let left = if differs { "; another reason or evidence was not taken over" } else { "" };
            let why = format!("the same state on the same day stands there already{left}");
            return Ok(Placed::new(Action::Unchanged, agreement.id.0, why));
        }
        let id = agreement.id.0;
        let part = PartId((self.new_id)());
        let after = agreement
            .clone()
            .with_progress(part, body.clone(), self.settings.today)
            .map_err(|error| error.in_words())?;
        self.agreements.set(place, after);
        Ok(Placed::new(Action::Record, id, format!("{} on {}", body.state, body.on)))
    }

    fn judgement(&mut self, of: &AgreementKey, body: &JudgementBody) -> Result<Placed, String> {
        let place = self.known_agreement(of)?;
        let agreement = &self.agreements.items[place];
        let same = agreement.judgements.iter().find(|known| {
            known.colour == body.colour && known.realised == body.realised && known.on == body.on
        });
        if let Some(same) = same {
            let left = if same.note != body.note { "; another note was not taken over" } else { "" };
            let why = format!("the same judgement on the same day stands there already{left}");
            return Ok(Placed::new(Action::Unchanged, agreement.id.0, why));
        }
        let id = agreement.id.0;
        let part = PartId((self.new_id)());
        let after = agreement
            .clone()
            .with_judgement(part, body.clone(), self.settings.today)
            .map_err(|error| error.in_words())?;
        self.agreements.set(place, after);
        let realised = if body.realised { "realised" } else { "not realised" };
        Ok(Placed::new(Action::Record, id, format!("{}, {realised}, on {}", body.colour, body.on)))
    }

    fn commitment(&mut self, line: u64, row: &CommitmentRow) -> Result<Placed, String> {
        let cluster = row.cluster.as_deref().map(|cluster| self.names.cluster(cluster)).transpose()?;
        let today = self.settings.today;
        let place = match self.by_commitment_number.get(&row.number).map(Vec::as_slice) {
            None | Some([]) => None,
            Some([place]) => Some(*place),
            Some(_) => return Err("more than one commitment has that number".to_owned()),
        };
        let Some(place) = place else {
            let id = CommitmentId((self.new_id)());
            let text = CommitmentBody {
                kind: row.kind,
                number: row.number.clone(),
                title: row.title.clone(),
                text: None,
                made_on: row.made_on,
                expected_on: row.expected_on,
                portfolio_holder: None,
                cluster,
                advice: Vec::new(),
                references: Vec::new(),
            };
            let made = Commitment::new(id, text, today).map_err(|error| error.in_words())?;
            let (made, _) = settled(made, row.settled_on, today)?;
            let place = self.commitments.add(made);
            self.by_commitment_number.insert(row.number.clone(), vec![place]);
            self.told.insert(id.0, line);
            return Ok(Placed::new(Action::Create, id.0, "not yet known: a new commitment"));
        };
        let before = self.commitments.items[place].clone();
        let text = CommitmentBody {
            kind: row.kind,
            title: row.title.clone(),
            made_on: row.made_on,
            // An empty cell says that the file does not know, and not that there is none.
            expected_on: row.expected_on.or(before.text.expected_on),
            cluster: cluster.or_else(|| before.text.cluster.clone()),
            ..before.text.clone()
        };
        let id = before.id.0;
        let differing = [
            ("kind", text.kind != before.text.kind),
            ("title", text.title != before.text.title),
            ("madeOn", text.made_on != before.text.made_on),
            ("expectedOn", text.expected_on != before.text.expected_on),
            ("cluster", text.cluster != before.text.cluster),
        ];
        let differing = self.differing(line, id, &differing)?;
        let changed = match &differing {
            Some(_) => before.changed(text, today).map_err(|error| error.in_words())?,
            None => before,
        };
        let (after, newly_settled) = settled(changed, row.settled_on, today)?;
        let action = match (&differing, newly_settled) {
            (None, false) => return Ok(Placed::new(Action::Unchanged, id, "stands there already")),
            (None, true) => Action::Record,
            (Some(_), _) => Action::Change,
        };
        let mut why: Vec<String> = differing.into_iter().collect();
        why.extend(row.settled_on.filter(|_| newly_settled).map(|on| format!("settled on {on}")));
        self.commitments.set(place, after);
        self.told.insert(id, line);
        Ok(Placed { action, item: id, why })
    }

    fn measurement(&mut self, row: &MeasurementRow) -> Result<Placed, String> {
        let MeasurementRow { target, body } = row;
        let place = self.find_target(target)?;
        let target = &self.targets.items[place];
        let id = target.id.0;
        let same = target.measurements.iter().find(|Measurement { measured: known, .. }| {
            known.reference_on == body.reference_on
                && known.definition_version == body.definition_version
                && known.source.trim() == body.source
        });
        if let Some(Measurement { measured: known, .. }) = same {
            let is_same = known.known_at == body.known_at
                && known.agreements == body.agreements
                && known.realised_permille == body.realised_permille
                && known.running_permille == body.running_permille
                && known.not_realised_permille == body.not_realised_permille;
            if is_same {
                return Ok(Placed::new(Action::Unchanged, id, "the same measurement stands there already"));
            }
            return Err(
                "that source gave other figures for that day already; a measurement is not overwritten"
                    .to_owned(),
            );
        }
        let part = PartId((self.new_id)());
        let Settings { today, moment, make_accords: _ } = self.settings;
        let after = target
            .clone()
            .with_measurement(part, body.clone(), moment, today)
            .map_err(|error| error.in_words())?;
        self.targets.set(place, after);
        Ok(Placed::new(Action::Record, id, format!("measured for {}", body.reference_on)))
    }

    /// The council of a key, and its agreement where there is one.
    fn find_agreement(&mut self, of: &AgreementKey) -> Result<(CouncilCode, Option<usize>), String> {
        let council = self.names.council(&of.council)?;
        let key = (council, of.plan_year, of.number.clone());
        let found = self.by_number.get(&key).map(Vec::as_slice).unwrap_or_default();
        match found {
            [] => Ok((key.0, None)),
            [one] => Ok((key.0, Some(*one))),
            _ => Err("more than one agreement of the council has that number in that plan year".to_owned()),
        }
    }

    fn known_agreement(&mut self, of: &AgreementKey) -> Result<usize, String> {
        self.find_agreement(of)?.1.ok_or_else(|| {
            "the council has no agreement with that number in that plan year; import it first".to_owned()
        })
    }

    /// The one accord of a council that holds on a day.
    fn accord_on(&self, council: &CouncilCode, on: NaiveDate) -> Result<Option<Accord>, String> {
        let mut holding = self
            .accords
            .items
            .iter()
            .filter(|accord| accord.text.council == *council && holds_on(accord, on));
        match (holding.next(), holding.next()) {
            (_, Some(_)) => Err("more than one accord of the council holds on that day".to_owned()),
            (one, None) => Ok(one.cloned()),
        }
    }

    /// An accord for the term of office that a day lies in.
    fn new_accord(
        &mut self,
        council: &CouncilCode,
        on: NaiveDate,
        why: &mut Vec<String>,
    ) -> Result<Accord, String> {
        let holds = |term: &&TermOfOffice| term.from <= on && term.to.is_none_or(|to| on <= to);
        let term = self.terms_of_office.iter().find(holds).ok_or("no term of office holds on that day")?;
        let from = term.from;
        let to = match term.to {
            Some(to) => to,
            None => {
                why.push("the last day of the term of office is not known: four years are taken".to_owned());
                let after = from.checked_add_months(Months::new(48)).unwrap_or(from);
                calendar::add_days(after, -1)
            }
        };
        let overlaps = |accord: &Accord| {
            accord.text.council == *council && accord.text.from <= to && from <= accord.text.to
        };
        if self.accords.items.iter().any(overlaps) {
            return Err(
                "no accord of the council on that day, but one on other days of that term of office; \
                        add it first"
                    .to_owned(),
            );
        }
        let title = format!("Wijkakkoord {} {}-{}", self.names.name_of(council), from.year(), to.year());
        why.push(format!("made for it: {title}, unpublished"));
        let text = AccordBody {
            council: council.clone(),
            from,
            to,
            title,
            vision: None,
            goals: Vec::new(),
            year_plans: Vec::new(),
            references: Vec::new(),
        };
        Accord::new(AccordId((self.new_id)()), text, self.settings.today).map_err(|error| error.in_words())
    }

    /// The one target of this id or statement.
    fn find_target(&self, target: &str) -> Result<usize, String> {
        let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let id = target.parse::<CollegetargetId>().ok();
        let mut found = (0..self.targets.items.len()).filter(|place| {
            let known = &self.targets.items[*place];
            id.map_or_else(|| in_one_line(&known.text.statement) == target, |id| known.id == id)
        });
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err("more than one target has that statement; give its id".to_owned()),
            (None, _) => Err("target is neither the id nor the statement of a target".to_owned()),
        }
    }
}

fn holds_on(accord: &Accord, on: NaiveDate) -> bool {
    (accord.text.from..=accord.text.to).contains(&on)
}

/// The references with the one of this file put in; untouched where the file has no such column.
fn with_reference(known: &[Reference], told: Option<&Option<String>>) -> Vec<Reference> {
    let Some(told) = told else { return known.to_vec() };
    let is_ours = |reference: &Reference| reference.system == REFERENCE_SYSTEM;
    let is_same = known.iter().filter(|reference| is_ours(reference)).map(|reference| &reference.value);
    if is_same.eq(told.iter()) {
        return known.to_vec();
    }
    let others = known.iter().filter(|reference| !is_ours(reference)).cloned();
    let ours = told.iter().map(|value| Reference {
        system: REFERENCE_SYSTEM.to_owned(),
        value: value.clone(),
        url: None,
    });
    others.chain(ours).collect()
}

/// The commitment settled on this day, and whether it was not so yet.
fn settled(
    commitment: Commitment,
    on: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<(Commitment, bool), String> {
    let Some(on) = on.filter(|on| commitment.settled_on() != Some(*on)) else {
        return Ok((commitment, false));
    };
    if let Some(known) = commitment.settled_on() {
        return Err(format!("is settled already, on {known}"));
    }
    let step = StepBody { step: SettlementStep::Settled, on, note: None, reference: None };
    Ok((commitment.with_step(step, today).map_err(|error| error.in_words())?, true))
}

/// Codes, by whatever they were called.
struct Names {
    councils: Vec<Council>,
    clusters: Vec<Cluster>,
    themes: Vec<Theme>,
    /// Councils that were looked for already: a large file names the same few over and over.
    found: HashMap<String, Result<CouncilCode, String>>,
}

impl Names {
    fn council(&mut self, text: &str) -> Result<CouncilCode, String> {
        if let Some(found) = self.found.get(text) {
            return found.clone();
        }
        let called: Vec<&Council> = self.councils.iter().filter(|council| council.is_called(text)).collect();
        let found = match called.as_slice() {
            [one] => Ok(one.code.clone()),
            [] => Err("council is not the code or a name of a council; see /v1/councils".to_owned()),
            _ => Err("more than one council is called so; give the code".to_owned()),
        };
        self.found.insert(text.to_owned(), found.clone());
        found
    }

    fn name_of(&self, code: &CouncilCode) -> String {
        let council = self.councils.iter().find(|council| council.code == *code);
        council.map_or_else(|| code.to_string(), |council| council.name.clone())
    }

    fn cluster(&self, text: &str) -> Result<ClusterCode, String> {
        let wanted = fold(text);
        let called = |cluster: &&Cluster| [cluster.code.as_str(), &cluster.name].map(fold).contains(&wanted);
        let found = self.clusters.iter().find(called).map(|cluster| cluster.code.clone());
        found.ok_or_else(|| "cluster is not the code or name of a cluster; see /v1/clusters".to_owned())
    }

    fn theme(&self, text: &str) -> Result<ThemeCode, String> {
        let wanted = fold(text);
        let called =
            |theme: &&Theme| [theme.code.as_str(), &theme.dutch, &theme.english].map(fold).contains(&wanted);
        let found = self.themes.iter().find(called).map(|theme| theme.code.clone());
        found.ok_or_else(|| format!("the theme '{text}' is not the code or name of one; see /v1/themes"))
    }
}
