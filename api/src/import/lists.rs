//! Imports the portals' lists: `domain::import` says what to do, and this does it, all or nothing.

use std::collections::HashMap;

use domain::advice::{Advice, AdviceText, Cosigner, Councils, Listed, Listing, Reference};
use domain::attribution::CouncilIndex;
use domain::codes::Level;
use domain::ids::{AdviceId, CouncilCode, OfficeHolderId, PartId};
use domain::import::{
    Action, Decision, Joined, KnownAdvice, KnownAnswer, KnownReference, ListFile, ListSource, NewRegistered,
    Target,
};
use domain::office_holder::OfficeHolder;
use persistence::registry::{self, Table};
use persistence::{Store, Stored, Tx, advice};

use super::unplaced::{Notes, Place};
use super::{ImportError, Line, Manner, Outcome, all_or_nothing};
use crate::clock::{Now, new_id};

/// Imports a file. A second time it changes nothing.
pub fn run(
    store: &Store,
    now: Now,
    source: ListSource,
    bytes: &[u8],
    rehearse: bool,
) -> Result<Outcome, ImportError> {
    let file = domain::import::parse(source, bytes)?.without_future(now.today);
    all_or_nothing(store, now, rehearse, |tx| Importer::start(tx, now, source)?.import(tx, &file))
}

static MANNER: Manner = Manner {
    counted: &[
        ("advice made", &["created"]),
        ("joined to one that was there", &["joined"]),
        ("co-signatures", &["cosigner", "merged"]),
        ("answers", &["answered", "answer-reference"]),
        ("lapsed", &["lapsed"]),
        ("unchanged", &["unchanged"]),
        ("not placed", &["unplaced"]),
    ],
    columns: &[
        ("line", "/line"),
        ("url", "/url"),
        ("reference", "/reference"),
        ("action", "/action"),
        ("advice", "/item"),
        ("why", "/why"),
    ],
};

struct Importer {
    now: Now,
    /// Why what was there changes, for the journal.
    because: String,
    index: CouncilIndex,
    known: HashMap<AdviceId, Stored<Advice>>,
    holders: HashMap<String, OfficeHolderId>,
    notes: Notes,
    changes: usize,
}

impl Importer {
    fn start(tx: &mut Tx<'_>, now: Now, source: ListSource) -> Result<Self, ImportError> {
        // Two imports at once would each plan without the other.
        tx.lock()?;
        let councils: Vec<Stored<domain::council::Council>> = registry::all(tx.reading(), Table::Council)?;
        let councils: Vec<_> = councils.into_iter().map(|council| council.value).collect();
        let known = advice::imported(tx)?.into_iter().map(|stored| (stored.value.id, stored)).collect();
        let holders = registry::person_names(tx.reading())?
            .into_iter()
            .filter_map(|(person, name)| Some((name, person.parse().ok()?)))
            .collect();
        Ok(Self {
            now,
            because: format!("import of {}", source.as_str()),
            index: CouncilIndex::new(&councils),
            known,
            holders,
            notes: Notes::default(),
            changes: 0,
        })
    }

    fn import(mut self, tx: &mut Tx<'_>, file: &ListFile) -> Result<Outcome, ImportError> {
        let mut existing: Vec<&Stored<Advice>> = self.known.values().collect();
        existing.sort_by_key(|stored| stored.value.id);
        let existing: Vec<KnownAdvice> =
            existing.into_iter().filter_map(|stored| known(&stored.value)).collect();
        let decisions = domain::import::plan(file, &existing, &self.index);
        let texts: HashMap<u64, String> = file.rows.iter().map(|row| (row.line, row.raw.clone())).collect();
        let mut made: Vec<Option<AdviceId>> = Vec::with_capacity(decisions.len());
        let mut lines = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let target = |target: Target| match target {
                Target::Existing(id) => Some(id),
                Target::NewInThisFile(place) => made.get(place).copied().flatten(),
            };
            let text = texts.get(&decision.line).cloned().unwrap_or_default();
            let (action, id) = self.apply(tx, file.source, &decision, &text, target)?;
            made.push(id);
            let mut why = decision.why.join("; ");
            if let Action::Unplaced { reason } = &decision.action {
                why = if why.is_empty() { reason.clone() } else { format!("{reason}; {why}") };
            }
            lines.push(Line {
                line: decision.line,
                url: decision.url.unwrap_or_default(),
                reference: decision.reference.unwrap_or_default(),
                action,
                item: id.map(|id| id.to_string()).unwrap_or_default(),
                why,
            });
        }
        let changes = self.changes + self.notes.keep(tx)?;
        Ok(Outcome { manner: &MANNER, rows: file.rows.len(), lines, notes: file.notes.clone(), changes })
    }

    fn apply(
        &mut self,
        tx: &mut Tx<'_>,
        source: ListSource,
        decision: &Decision,
        text: &str,
        target: impl Fn(Target) -> Option<AdviceId>,
    ) -> Result<(&'static str, Option<AdviceId>), ImportError> {
        let line = decision.line;
        let lost =
            || ImportError::Rule { line, problem: "the advice that it is about is not there".to_owned() };
        let of = |wanted: Target| target(wanted).ok_or_else(lost);
        let row = Place { source: source.as_str(), name: &name(decision), text };
        let (action, id) = match &decision.action {
            Action::Create(new) => {
                let second_round_of = new.second_round_of.and_then(&target);
                ("created", self.create(tx, line, new, second_round_of)?)
            }
            Action::JoinReference { advice, joined } => ("joined", self.join(tx, of(*advice)?, joined)?),
            Action::AddCosigner { advice, council, reference } => {
                let id = of(*advice)?;
                self.change(tx, id, |advice| {
                    advice
                        .with_listed_cosigner(council.clone())
                        .with_reference(reference.clone(), council.clone())
                })?;
                ("cosigner", id)
            }
            Action::BecomesCosignature { advice, of: lead, council, reference } => {
                let (id, lead) = (of(*advice)?, of(*lead)?);
                if !self.known.get(&lead).is_some_and(|lead| lead.value.is_published()) {
                    let reason =
                        "the lead's advice, of which it is a co-signature, is not public yet".to_owned();
                    self.notes.unplaced(&row, reason);
                    return Ok(("unplaced", None));
                }
                self.become_cosignature(tx, id, lead, council, reference)?;
                ("merged", lead)
            }
            Action::Answer { advice, answered_on, answer_reference } => {
                let id = of(*advice)?;
                let references: Vec<Reference> =
                    answer_reference.iter().map(|value| answer_of(value)).collect();
                let part = PartId(new_id());
                self.change(tx, id, |advice| {
                    advice.with_listed_answer(part, *answered_on, references.clone())
                })?;
                ("answered", id)
            }
            Action::AnswerReference { advice, answer_reference } => {
                let id = of(*advice)?;
                self.change(tx, id, |advice| advice.with_answer_reference(answer_of(answer_reference)))?;
                ("answer-reference", id)
            }
            Action::Withdraw { advice, reason } => {
                let id = of(*advice)?;
                self.change(tx, id, |advice| advice.lapsed_by_list(reason.clone()))?;
                ("lapsed", id)
            }
            Action::Unchanged { advice } => ("unchanged", of(*advice)?),
            Action::Unplaced { reason } => {
                self.notes.unplaced(&row, reason.clone());
                return Ok(("unplaced", None));
            }
        };
        self.notes.placed(&row);
        Ok((action, Some(id)))
    }

    fn create(
        &mut self,
        tx: &mut Tx<'_>,
        line: u64,
        new: &NewRegistered,
        second_round_of: Option<AdviceId>,
    ) -> Result<AdviceId, ImportError> {
        let id = AdviceId(new_id());
        let text = AdviceText {
            kind: new.kind,
            subject: new.subject.clone(),
            summary: None,
            // A list does not say how far an advice reaches; more than one council is more than one neighbourhood.
            level: if new.cosigners.is_empty() && !new.open_ended {
                Level::Neighbourhood
            } else {
                Level::CrossNeighbourhood
            },
            themes: Vec::new(),
            councils: Councils {
                lead: new.lead.clone(),
                cosigners: new
                    .cosigners
                    .iter()
                    .map(|council| Cosigner { council: council.clone(), signed_on: None })
                    .collect(),
            },
            points: Vec::new(),
            letter_on: None,
            listed_on: new.listed_on,
            references: new.references.clone(),
            second_round_of,
            request: None,
        };
        let listed = Listed {
            portfolio_holder: self.holder(tx, new.portfolio_holder.as_deref())?,
            titles: Vec::new(),
            unnamed_cosigners: new.open_ended,
            annex_to: new.annex_to.clone(),
            reference_councils: new
                .references
                .iter()
                .map(|reference| (reference.value.clone(), new.lead.clone()))
                .collect(),
        };
        let refused = |error: domain::RuleError| ImportError::Rule { line, problem: error.in_words() };
        let mut advice =
            Advice::registered(id, text, listed, new.void_reason.clone(), self.now.moment, self.now.today)
                .map_err(refused)?;
        if let Some(answered_on) = new.answered_on {
            advice = advice.with_listed_answer(PartId(new_id()), answered_on, Vec::new());
        }
        let stored = advice::add(tx, &advice, "import")?;
        self.changes += 1;
        self.known.insert(id, stored);
        Ok(id)
    }

    fn join(&mut self, tx: &mut Tx<'_>, id: AdviceId, joined: &Joined) -> Result<AdviceId, ImportError> {
        let Joined {
            reference,
            council,
            kind,
            subject,
            listed_on,
            portfolio_holder,
            cosigners,
            open_ended,
            annex_to,
        } = joined.clone();
        let portfolio_holder = self.holder(tx, portfolio_holder.as_deref())?;
        self.change(tx, id, move |mut advice| {
            for cosigner in &cosigners {
                advice = advice.with_listed_cosigner(cosigner.clone());
            }
            let listing = Listing {
                kind,
                subject: subject.clone(),
                listed_on,
                portfolio_holder,
                unnamed_cosigners: open_ended,
                annex_to: annex_to.clone(),
            };
            advice.with_reference(reference.clone(), council.clone()).with_listing(listing)
        })?;
        Ok(id)
    }

    fn become_cosignature(
        &mut self,
        tx: &mut Tx<'_>,
        id: AdviceId,
        lead: AdviceId,
        council: &CouncilCode,
        reference: &Reference,
    ) -> Result<(), ImportError> {
        let own: Vec<Reference> =
            self.known.get(&id).map(|stored| stored.value.text.references.clone()).unwrap_or_default();
        let answers: Vec<Reference> = self
            .known
            .get(&id)
            .and_then(|stored| stored.value.final_response().map(|response| response.references.clone()))
            .unwrap_or_default();
        let day = self.now.today;
        self.change(tx, lead, |advice| {
            let mut advice = advice.with_listed_cosigner(council.clone());
            for own in &own {
                advice = advice.with_reference(own.clone(), council.clone());
            }
            for answer in &answers {
                advice = advice.with_answer_reference(answer.clone());
            }
            advice.with_reference(reference.clone(), council.clone())
        })?;
        self.change(tx, id, |advice| advice.merged_by_list(lead, day))
    }

    /// Changes an advice and saves it; what stays the same is not written.
    fn change(
        &mut self,
        tx: &mut Tx<'_>,
        id: AdviceId,
        change: impl Fn(Advice) -> Advice,
    ) -> Result<(), ImportError> {
        let Some(before) = self.known.get(&id) else { return Ok(()) };
        let after = change(before.value.clone());
        if after != before.value {
            let saved = advice::save(tx, &after, before, "import", Some(self.because.clone()))?;
            self.changes += 1;
            self.known.insert(id, saved);
        }
        Ok(())
    }

    /// The office holder of this name; a new one where none is known.
    fn holder(&mut self, tx: &mut Tx<'_>, name: Option<&str>) -> Result<Option<OfficeHolderId>, ImportError> {
        let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { return Ok(None) };
        if let Some(known) = self.holders.get(name) {
            return Ok(Some(*known));
        }
        let id = OfficeHolderId(new_id());
        let holder = OfficeHolder { id, office: None, portfolio: None, from: None, to: None };
        registry::add(tx, Table::OfficeHolder, &id.to_string(), &holder, "import")?;
        registry::name_person(tx, &id.to_string(), name)?;
        self.changes += 1;
        self.holders.insert(name.to_owned(), id);
        Ok(Some(id))
    }
}

/// By what a row is known among those without a place.
fn name(decision: &Decision) -> String {
    let Decision { line, url, reference, .. } = decision;
    url.clone().or_else(|| reference.clone()).unwrap_or_else(|| format!("line {line}"))
}

/// What the plan needs to know of an advice. A draft is nobody's business, and what was merged goes on in another.
fn known(advice: &Advice) -> Option<KnownAdvice> {
    let hidden = advice.deleted || (advice.submitted_on.is_none() && !advice.may_be_published());
    if hidden || advice.merge.is_some() {
        return None;
    }
    let listed = advice.listed.clone().unwrap_or_default();
    let council_of = |reference: &Reference| {
        let known = listed.reference_councils.iter().find(|(value, _)| *value == reference.value);
        known.map(|(_, council)| council.clone())
    };
    Some(KnownAdvice {
        id: advice.id,
        lead: advice.text.councils.lead.clone(),
        cosigners: advice.text.councils.cosigners.iter().map(|cosigner| cosigner.council.clone()).collect(),
        kind: advice.text.kind,
        titles: std::iter::once(advice.text.subject.clone()).chain(listed.titles.iter().cloned()).collect(),
        listed_on: advice.text.listed_on,
        references: advice
            .text
            .references
            .iter()
            .map(|reference| KnownReference { reference: reference.clone(), council: council_of(reference) })
            .collect(),
        answer: advice.final_response().and_then(|response| {
            Some(KnownAnswer {
                answered_on: response.sent_on?,
                references: response.references.iter().map(|reference| reference.value.clone()).collect(),
            })
        }),
        void: advice.withdrawal.is_some(),
        registered: advice.is_as_listed(),
    })
}

fn answer_of(value: &str) -> Reference {
    Reference { system: ListSource::Answers.system().to_owned(), value: value.to_owned(), url: None }
}
