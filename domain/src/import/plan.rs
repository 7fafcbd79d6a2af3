//! What to do about each row of a file, given what is there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::reading::{RowReading, kind_of, read_row, strip_void, topic_words};
use super::rows::{AnswerRow, ListFile, ListSource, ListedRow, Row, RowContent};
use crate::advice::Reference;
use crate::attribution::{CouncilIndex, is_second_round};
use crate::codes::AdviceKind;
use crate::council::{Word, words};
use crate::ids::{AdviceId, CouncilCode};

/// Two rows of one advice stand at most this many days apart in the lists.
pub const DAYS_APART: i64 = 14;

/// An advice that is already there. Merged ones are left out: their references stand on the one they were merged into.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownAdvice {
    /// Its id.
    pub id: AdviceId,
    /// The lead.
    pub lead: CouncilCode,
    /// The co-signers.
    pub cosigners: Vec<CouncilCode>,
    /// The kind.
    pub kind: AdviceKind,
    /// Its subject, and the titles of its rows in the lists where they were kept.
    pub titles: Vec<String>,
    /// The day a list showed it first.
    pub listed_on: Option<NaiveDate>,
    /// Its references.
    pub references: Vec<KnownReference>,
    /// The answer, if one is recorded.
    pub answer: Option<KnownAnswer>,
    /// Whether it is withdrawn or void.
    pub void: bool,
    /// Whether it came from a list and nothing was recorded since (status `registered`): only then may an import change its kind,
    /// its subject, or make it part of another.
    pub registered: bool,
}

/// A reference that is already there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownReference {
    /// The reference.
    pub reference: Reference,
    /// The council whose row brought it; none if not recorded.
    pub council: Option<CouncilCode>,
}

/// An answer that is already there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAnswer {
    /// The day of the answer.
    pub answered_on: NaiveDate,
    /// Its numbers.
    pub references: Vec<String>,
}

/// What to do about one row. A row may need two decisions, such as joining it and recording its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The line of the row.
    pub line: u64,
    /// Its address on the portal.
    pub url: Option<String>,
    /// Its number.
    pub reference: Option<String>,
    /// What to do.
    pub action: Action,
    /// Why, one line each.
    pub why: Vec<String>,
}

/// What to do about a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Register an advice.
    Create(Box<NewRegistered>),
    /// The row is the other list's record of this advice.
    JoinReference {
        /// The advice.
        advice: Target,
        /// What it gets.
        joined: Box<Joined>,
    },
    /// The row is a co-signature: the council becomes a co-signer. Its day is not known.
    AddCosigner {
        /// The lead's advice.
        advice: Target,
        /// Who signed.
        council: CouncilCode,
        /// The reference of the co-signing row.
        reference: Reference,
    },
    /// The row shows that an advice registered earlier is a co-signature: it is merged into the lead's, which gets all its references,
    /// those of its answer included, and the council as a co-signer.
    BecomesCosignature {
        /// The advice that is none of its own.
        advice: Target,
        /// The lead's advice.
        of: Target,
        /// Who signed.
        council: CouncilCode,
        /// The reference of the co-signing row.
        reference: Reference,
    },
    /// Record that the advice was answered.
    Answer {
        /// The advice.
        advice: Target,
        /// The day of the answer.
        answered_on: NaiveDate,
        /// The number of the answer.
        answer_reference: Option<String>,
    },
    /// An answer is there already; it gets this number.
    AnswerReference {
        /// The advice.
        advice: Target,
        /// The number of the answer.
        answer_reference: String,
    },
    /// The list has since marked the advice as void (vervallen).
    Withdraw {
        /// The advice.
        advice: Target,
        /// The reason to record.
        reason: String,
    },
    /// There is nothing to do.
    Unchanged {
        /// The advice that holds the row already.
        advice: Target,
    },
    /// It cannot be told what the row is; keep it with the reason.
    Unplaced {
        /// Why.
        reason: String,
    },
}

/// An advice that a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// It is there already.
    Existing(AdviceId),
    /// An earlier decision of the same plan creates it: its place in the list of decisions.
    NewInThisFile(usize),
}

/// What an advice gets from the other list's record of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// The reference.
    pub reference: Reference,
    /// The council whose row it is.
    pub council: CouncilCode,
    /// The kind, where this list knows better.
    pub kind: Option<AdviceKind>,
    /// The subject, where this list has the plainer one.
    pub subject: Option<String>,
    /// The day it was listed, where this list was earlier.
    pub listed_on: Option<NaiveDate>,
    /// The portfolio holder as written, if the list gives one; it fills a gap only.
    pub portfolio_holder: Option<String>,
    /// Councils that only this list names.
    pub cosigners: Vec<CouncilCode>,
    /// Whether this list says that others signed too.
    pub open_ended: bool,
    /// The proposal it is an annex to.
    pub annex_to: Option<String>,
}

/// An advice as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRegistered {
    /// The lead.
    pub lead: CouncilCode,
    /// The co-signers that are named.
    pub cosigners: Vec<CouncilCode>,
    /// Whether others signed too.
    pub open_ended: bool,
    /// The kind.
    pub kind: AdviceKind,
    /// What it is about.
    pub subject: String,
    /// The words of the subject, for comparing.
    pub topic: String,
    /// The day the list showed it.
    pub listed_on: Option<NaiveDate>,
    /// The portfolio holder, as written.
    pub portfolio_holder: Option<String>,
    /// The proposal it is an annex to.
    pub annex_to: Option<String>,
    /// Whether it reacts to an answer.
    pub second_round: bool,
    /// The advice to whose answer it reacts, where that is plain.
    pub second_round_of: Option<Target>,
    /// Why it is void, if it is.
    pub void_reason: Option<String>,
    /// The day it was answered, where known.
    pub answered_on: Option<NaiveDate>,
    /// Its references.
    pub references: Vec<Reference>,
}

/// What the void mark becomes as the reason of a withdrawal.
pub const VOID_REASON: &str = "VERVALLEN";

/// Decides what to do about each row of a file. Decisions stand in the order in which they can be carried out.
pub fn plan(file: &ListFile, existing: &[KnownAdvice], index: &CouncilIndex) -> Vec<Decision> {
    let mut plan = Plan {
        index,
        items: existing.iter().map(|known| Item::known(known, index)).collect(),
        decisions: Vec::new(),
    };
    let mut ordinary = Vec::new();
    let mut cosigning = Vec::new();
    let mut repeated = Vec::new();
    let mut seen: Vec<&Reference> = Vec::new();
    for row in &file.rows {
        match &row.content {
            RowContent::Broken { reason } => plan.unplaced(row, reason.clone(), Vec::new()),
            RowContent::Answer(answer) => plan.answer(row, answer),
            RowContent::Listed(listed) => {
                if plan.settle_known(row, listed) {
                    continue;
                }
                if seen.iter().any(|other| is_same(other, &listed.reference)) {
                    repeated.push((row, listed));
                    continue;
                }
                seen.push(&listed.reference);
                match read_row(listed, index) {
                    Err(reason) => plan.unplaced(row, reason, Vec::new()),
                    Ok(reading) => {
                        let topic = topic_words(&words(&reading.subject), index).into_iter().collect();
                        let pending = Pending { row, listed, reading, topic };
                        match pending.reading.cosignature_of_other {
                            true => cosigning.push(pending),
                            false => ordinary.push(pending),
                        }
                    }
                }
            }
        }
    }
    plan.join(&mut ordinary);
    plan.create(ordinary);
    for pending in cosigning {
        plan.cosign(pending);
    }
    for (row, listed) in repeated {
        if !plan.settle_known(row, listed) {
            plan.unplaced(row, "repeats an earlier row, which was not placed".to_owned(), Vec::new());
        }
    }
    plan.decisions
}

/// A row that still waits for its decision.
struct Pending<'a> {
    row: &'a Row,
    listed: &'a ListedRow,
    reading: RowReading,
    topic: BTreeSet<String>,
}

/// An advice as the plan sees it so far.
struct Item {
    target: Target,
    lead: CouncilCode,
    cosigners: Vec<CouncilCode>,
    kind: AdviceKind,
    kind_is_named: bool,
    topics: Vec<BTreeSet<String>>,
    listed_on: Option<NaiveDate>,
    references: Vec<KnownReference>,
    answer: Option<KnownAnswer>,
    void: bool,
    registered: bool,
    second_round: bool,
    merged: bool,
}

impl Item {
    fn known(known: &KnownAdvice, index: &CouncilIndex) -> Self {
        let KnownAdvice {
            id,
            lead,
            cosigners,
            kind,
            titles,
            listed_on,
            references,
            answer,
            void,
            registered,
        } = known;
        let texts: Vec<Vec<Word>> = titles.iter().map(|title| words(strip_void(title).1)).collect();
        Self {
            target: Target::Existing(*id),
            lead: lead.clone(),
            cosigners: cosigners.clone(),
            kind: *kind,
            kind_is_named: !*registered
                || texts
                    .iter()
                    .any(|text| kind_of(ListSource::Raad, text, index, &mut Vec::new()) == (*kind, true)),
            topics: texts.iter().map(|text| topic_words(text, index).into_iter().collect()).collect(),
            listed_on: *listed_on,
            references: references.clone(),
            answer: answer.clone(),
            void: *void,
            registered: *registered,
            second_round: texts.iter().any(|text| is_second_round(text)),
            merged: false,
        }
    }

    fn holds(&self, reference: &Reference) -> bool {
        self.references.iter().any(|known| is_same(&known.reference, reference))
    }

    /// What people may call it, the same in every run.
    fn label(&self) -> String {
        let numbers: Vec<&str> = self.references.iter().map(|known| known.reference.value.as_str()).collect();
        match numbers.iter().min() {
            Some(number) => format!("{} ({})", number, self.lead),
            None => format!("an advice of {}", self.lead),
        }
    }

    fn in_list(&self, system: &str) -> usize {
        self.references.iter().filter(|known| known.reference.system == system).count()
    }

    /// Whether a row of this council in this list may be a further record of the advice.
    fn is_open_to(&self, council: &CouncilCode, system: &str) -> bool {
        let own = |known: &&KnownReference| known.council.as_ref() == Some(council);
        if self.references.iter().filter(own).any(|known| known.reference.system == system) {
            return false;
        }
        let unknown =
            self.references.iter().filter(|k| k.reference.system == system && k.council.is_none()).count();
        if *council == self.lead {
            return unknown == 0 || self.in_list(system) <= self.cosigned_elsewhere(system);
        }
        // A co-signer has a row of its own only where the other list shows that it co-signed by a row of its own.
        self.in_list(system) == 0
            || self.references.iter().any(|k| k.council.as_ref() == Some(council))
            || (self.references.iter().any(|k| k.council.is_none())
                && self.in_list(system) <= self.cosigned_elsewhere(system))
    }

    /// How many co-signing rows the other list has, as far as can be told from its references.
    fn cosigned_elsewhere(&self, system: &str) -> usize {
        let elsewhere = self.references.len() - self.in_list(system);
        elsewhere.saturating_sub(1).min(self.cosigners.len())
    }
}

/// How much alike two topics are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// The same words.
    Same,
    /// At least two shared words, and three fifths of the shorter topic.
    Similar,
}

/// Compares two topics. `own` are the words of a council's name: they tell whose it is and do not count.
fn likeness(
    a: &BTreeSet<String>,
    b: &BTreeSet<String>,
    own: &BTreeSet<String>,
    index: &CouncilIndex,
) -> Option<Likeness> {
    let counts = |topic: &BTreeSet<String>| -> Vec<String> {
        topic.iter().filter(|w| !own.contains(*w)).cloned().collect()
    };
    let (a, b) = (counts(a), counts(b));
    let numbers = |topic: &[String]| -> BTreeSet<String> {
        topic.iter().filter(|w| w.bytes().any(|b| b.is_ascii_digit())).cloned().collect()
    };
    let (in_a, in_b) = (numbers(&a), numbers(&b));
    // "Jaarplan 2026" and "Jaarplan 2027" are two.
    if !in_a.is_empty() && !in_b.is_empty() && in_a.is_disjoint(&in_b) {
        return None;
    }
    let shared: Vec<&String> =
        a.iter().filter(|word| b.iter().any(|other| is_same_word(word, other))).collect();
    // Places alone do not make a subject.
    if !shared.iter().any(|word| !index.is_name_word(word)) {
        return None;
    }
    let smaller = a.len().min(b.len());
    if shared.len() == a.len() && shared.len() == b.len() {
        return Some(Likeness::Same);
    }
    (shared.len() >= 2 && shared.len() * 5 >= smaller * 3).then_some(Likeness::Similar)
}

fn is_same_word(a: &str, b: &str) -> bool {
    a == b
        || (a.len().min(b.len()) >= 7
            && !a.bytes().any(|b| b.is_ascii_digit())
            && strsim::osa_distance(a, b) <= 1)
}

fn is_same(a: &Reference, b: &Reference) -> bool {
    let page = |reference: &Reference| {
        reference.url.as_deref().map(|url| url.trim().trim_end_matches('/').to_lowercase())
    };
    (a.system == b.system && a.value.trim() == b.value.trim()) || (page(a).is_some() && page(a) == page(b))
}

fn days_apart(a: Option<NaiveDate>, b: Option<NaiveDate>) -> Option<i64> {
    Some((a? - b?).num_days().abs())
}

/// What a row finds among the advice that is there.
enum Search {
    Nothing,
    One(usize, Likeness),
    Unclear(String),
}

struct Plan<'a> {
    index: &'a CouncilIndex,
    items: Vec<Item>,
    decisions: Vec<Decision>,
}

impl Plan<'_> {
    fn decide(&mut self, row: &Row, action: Action, why: Vec<String>) -> usize {
        let Row { line, url, reference, content: _, raw: _ } = row;
        self.decisions.push(Decision {
            line: *line,
            url: url.clone(),
            reference: reference.clone(),
            action,
            why,
        });
        self.decisions.len() - 1
    }

    fn unplaced(&mut self, row: &Row, reason: String, why: Vec<String>) {
        self.decide(row, Action::Unplaced { reason }, why);
    }

    /// A row that is already there needs nothing, unless its list has since recorded an answer or made it void.
    fn settle_known(&mut self, row: &Row, listed: &ListedRow) -> bool {
        let holders: Vec<usize> = (0..self.items.len())
            .filter(|&i| !self.items[i].merged && self.items[i].holds(&listed.reference))
            .collect();
        let [place] = holders.as_slice() else {
            if !holders.is_empty() {
                let labels: Vec<String> = holders.iter().map(|&i| self.items[i].label()).collect();
                self.unplaced(
                    row,
                    format!("known as more than one advice: {}", labels.join(", ")),
                    Vec::new(),
                );
            }
            return !holders.is_empty();
        };
        let item = &self.items[*place];
        let advice = item.target;
        let mut why = vec!["already imported".to_owned()];
        let exact = item.references.iter().any(|known| {
            known.reference.value.trim() == listed.reference.value
                && (known.reference.url.is_none() || known.reference.url == listed.reference.url)
        });
        if !exact {
            why.push("known by its number or its address; the other differs".to_owned());
        }
        if strip_void(&listed.title).0 && !item.void {
            let own = read_row(listed, self.index)
                .is_ok_and(|reading| reading.lead == item.lead && !reading.cosignature_of_other);
            if own {
                why.push("its list has since marked it as void".to_owned());
                self.items[*place].void = true;
                self.decide(row, Action::Withdraw { advice, reason: VOID_REASON.to_owned() }, why);
            } else {
                self.unplaced(row, format!("a co-signature of {} was marked as void", item.label()), why);
            }
            return true;
        }
        match self.new_answer(*place, listed.answered_on, &mut why) {
            Some(answered_on) => {
                self.decide(row, Action::Answer { advice, answered_on, answer_reference: None }, why)
            }
            None => self.decide(row, Action::Unchanged { advice }, why),
        };
        true
    }

    /// The day of an answer that is not yet recorded.
    fn new_answer(
        &mut self,
        place: usize,
        answered_on: Option<NaiveDate>,
        why: &mut Vec<String>,
    ) -> Option<NaiveDate> {
        let day = answered_on?;
        let item = &mut self.items[place];
        match &item.answer {
            None if !item.registered => {
                why.push("it is treated in this system: the answer of the list is not taken over".to_owned());
                None
            }
            None => {
                why.push(format!("its list says that it was answered on {day}"));
                item.answer = Some(KnownAnswer { answered_on: day, references: Vec::new() });
                Some(day)
            }
            Some(known) if known.answered_on != day => {
                why.push(format!(
                    "its list says that it was answered on {day}, recorded is {}",
                    known.answered_on
                ));
                None
            }
            Some(_) => None,
        }
    }

    fn answer(&mut self, row: &Row, answer: &AnswerRow) {
        let AnswerRow { advice_reference, answer_reference, answered_on } = answer;
        let found: Vec<usize> = (0..self.items.len())
            .filter(|&i| {
                self.items[i].references.iter().any(|known| known.reference.value.trim() == advice_reference)
            })
            .collect();
        let place = match found.as_slice() {
            [] => {
                return self.unplaced(
                    row,
                    format!("no advice with the number {advice_reference} is known"),
                    Vec::new(),
                );
            }
            [one] => *one,
            _ => {
                return self.unplaced(
                    row,
                    format!("more than one advice has the number {advice_reference}"),
                    Vec::new(),
                );
            }
        };
        let item = &mut self.items[place];
        if item.answer.is_none() && !item.registered {
            let reason =
                format!("{advice_reference} is treated in this system: its answer is recorded there");
            return self.unplaced(row, reason, Vec::new());
        }
        let advice = item.target;
        let answered_on = *answered_on;
        let why = vec![format!("{answer_reference} of {answered_on} answers {advice_reference}")];
        let action = match &mut item.answer {
            None => {
                item.answer = Some(KnownAnswer { answered_on, references: vec![answer_reference.clone()] });
                Action::Answer { advice, answered_on, answer_reference: Some(answer_reference.clone()) }
            }
            Some(known) if known.answered_on != answered_on => Action::Unplaced {
                reason: format!("an answer of {} is recorded, the row says {answered_on}", known.answered_on),
            },
            Some(known) if known.references.iter().any(|number| number.trim() == answer_reference) => {
                Action::Unchanged { advice }
            }
            Some(known) if known.references.is_empty() => {
                known.references.push(answer_reference.clone());
                Action::AnswerReference { advice, answer_reference: answer_reference.clone() }
            }
            Some(known) => Action::Unplaced {
                reason: format!(
                    "the answer is recorded under another number: {}",
                    known.references.join(", ")
                ),
            },
        };
        self.decide(row, action, why);
    }

    /// Joins rows to what is there, until nothing more can be told. Rows that found their advice leave the list.
    fn join(&mut self, pending: &mut Vec<Pending<'_>>) {
        loop {
            let mut claims: BTreeMap<(usize, CouncilCode), Vec<(usize, Likeness)>> = BTreeMap::new();
            for (at, row) in pending.iter().enumerate() {
                if let Search::One(place, likeness) = self.other_record(row) {
                    claims.entry((place, row.reading.lead.clone())).or_default().push((at, likeness));
                }
            }
            let mut winners: Vec<(bool, usize, usize)> = (claims.into_iter())
                .filter_map(|((place, council), rows)| {
                    let same: Vec<usize> =
                        rows.iter().filter(|(_, l)| *l == Likeness::Same).map(|(at, _)| *at).collect();
                    let at = match (rows.as_slice(), same.as_slice()) {
                        ([(only, _)], _) => *only,
                        (_, [only]) => *only,
                        _ => return None,
                    };
                    Some((self.items[place].lead != council, at, place))
                })
                .collect();
            if winners.is_empty() {
                return;
            }
            // A lead's row goes before a co-signer's; each join may settle or block another, so each is asked again.
            winners.sort_unstable();
            let mut rows: Vec<Option<Pending<'_>>> = std::mem::take(pending).into_iter().map(Some).collect();
            for (_, at, place) in winners {
                if let Some(row) =
                    rows[at].take_if(|row| matches!(self.other_record(row), Search::One(p, _) if p == place))
                {
                    self.join_one(row, place);
                }
            }
            pending.extend(rows.into_iter().flatten());
        }
    }

    fn join_one(&mut self, pending: Pending<'_>, place: usize) {
        let Pending { row, listed, reading, topic } = pending;
        let item = &mut self.items[place];
        let advice = item.target;
        let mut why = reading.why;
        why.push(format!("the same council, topic and days as {}: one advice in two lists", item.label()));
        let own = reading.lead == item.lead;
        let better_kind = own && item.registered && !item.kind_is_named && reading.kind != item.kind;
        let kind = (better_kind && (reading.kind_is_named || item.kind == AdviceKind::Letter))
            .then_some(reading.kind);
        if let Some(kind) = kind {
            why.push(format!("this list knows the kind better: {kind}"));
            item.kind = kind;
        }
        item.kind_is_named |= own && reading.kind_is_named;
        let plainer = own && item.registered && listed.source == ListSource::Wijkraad;
        let earlier = (own && item.registered)
            .then_some(listed.listed_on)
            .flatten()
            .filter(|day| item.listed_on.is_none_or(|known| *day < known));
        if earlier.is_some() {
            item.listed_on = earlier;
        }
        let cosigners: Vec<CouncilCode> = reading
            .cosigners
            .into_iter()
            .filter(|c| *c != item.lead && !item.cosigners.contains(c))
            .collect();
        item.cosigners.extend(cosigners.iter().cloned());
        item.topics.push(topic);
        item.references.push(KnownReference {
            reference: listed.reference.clone(),
            council: Some(reading.lead.clone()),
        });
        let joined = Joined {
            reference: listed.reference.clone(),
            council: reading.lead,
            kind,
            subject: plainer.then_some(reading.subject),
            listed_on: earlier,
            portfolio_holder: listed.portfolio_holder.clone().filter(|_| own),
            cosigners,
            open_ended: reading.open_ended,
            annex_to: reading.annex_to,
        };
        self.decide(row, Action::JoinReference { advice, joined: Box::new(joined) }, why);
        let mut why = Vec::new();
        if let Some(answered_on) = self.new_answer(place, listed.answered_on, &mut why) {
            self.decide(row, Action::Answer { advice, answered_on, answer_reference: None }, why);
        }
    }

    /// The other list's record of the advice of a row.
    fn other_record(&self, pending: &Pending<'_>) -> Search {
        let Pending { listed, reading, topic, row: _ } = pending;
        if reading.void {
            return Search::Nothing;
        }
        let system = listed.source.system();
        let own = self.index.words_of(&reading.lead);
        let found = self.alike(topic, &own, reading.second_round, listed.listed_on, |item| {
            (item.lead == reading.lead || item.cosigners.contains(&reading.lead))
                && item.is_open_to(&reading.lead, system)
        });
        let Search::One(place, _) = &found else { return found };
        let item = &self.items[*place];
        let differs = reading.kind != item.kind
            && reading.kind_is_named
            && item.kind_is_named
            && item.lead == reading.lead;
        match differs {
            true => Search::Unclear(format!(
                "the same council, topic and days as {}, but that is {} and this {}",
                item.label(),
                item.kind,
                reading.kind
            )),
            false => found,
        }
    }

    /// The one advice that is like this topic and about as old.
    fn alike(
        &self,
        topic: &BTreeSet<String>,
        own: &BTreeSet<String>,
        second_round: bool,
        listed_on: Option<NaiveDate>,
        fits: impl Fn(&Item) -> bool,
    ) -> Search {
        let mut found: Vec<(usize, Likeness)> = Vec::new();
        let mut unclear = None;
        for (place, item) in self.items.iter().enumerate() {
            if item.merged || item.void || item.second_round != second_round || !fits(item) {
                continue;
            }
            let best = item
                .topics
                .iter()
                .filter_map(|other| Some((likeness(topic, other, own, self.index)?, other)))
                .min_by_key(|(l, _)| *l != Likeness::Same);
            let Some((likeness, other)) = best else { continue };
            let days = days_apart(listed_on, item.listed_on);
            // One word is little: it must be the very same day.
            let few = topic.intersection(other).filter(|w| !own.contains(*w)).count() < 2;
            match days {
                Some(days) if days > DAYS_APART => {}
                Some(0) => found.push((place, likeness)),
                Some(_) if !few => found.push((place, likeness)),
                Some(_) => {
                    unclear = Some(format!(
                        "has one word in common with {}, which is too little to tell",
                        item.label()
                    ))
                }
                None => unclear = Some(format!("may be the same as {}, but a date is missing", item.label())),
            }
        }
        let same: Vec<usize> =
            found.iter().filter(|(_, l)| *l == Likeness::Same).map(|(place, _)| *place).collect();
        match (found.as_slice(), same.as_slice(), unclear) {
            ([(one, likeness)], _, _) => Search::One(*one, *likeness),
            (_, [one], _) => Search::One(*one, Likeness::Same),
            ([], _, Some(reason)) => Search::Unclear(reason),
            ([], _, None) => Search::Nothing,
            (several, ..) => {
                let mut labels: Vec<String> =
                    several.iter().map(|(place, _)| self.items[*place].label()).collect();
                labels.sort();
                Search::Unclear(format!("may belong to {}", labels.join(" or ")))
            }
        }
    }

    /// What was not joined is an advice of its own, unless that is in doubt.
    fn create(&mut self, mut pending: Vec<Pending<'_>>) {
        // Joint advice first and second rounds last: others may turn out to belong to them, or they to others.
        pending.sort_by_key(|row| (row.reading.second_round, row.reading.cosigners.is_empty()));
        for row in pending {
            let doubt = match self.other_record(&row) {
                Search::Nothing => self.blocked(&row),
                Search::One(place, _) => Some(format!(
                    "more than one row of this list may belong to {}",
                    self.items[place].label()
                )),
                Search::Unclear(reason) => Some(reason),
            };
            match doubt {
                Some(reason) => self.unplaced(row.row, reason, row.reading.why),
                None => self.create_one(row),
            }
        }
    }

    /// A row of a council that co-signed, by its title, the same thing in the same list.
    fn blocked(&self, pending: &Pending<'_>) -> Option<String> {
        let Pending { listed, reading, topic, row: _ } = pending;
        if reading.void {
            return None;
        }
        let own = self.index.words_of(&reading.lead);
        match self.alike(topic, &own, reading.second_round, listed.listed_on, |item| {
            item.cosigners.contains(&reading.lead) && item.in_list(listed.source.system()) > 0
        }) {
            Search::Nothing => None,
            Search::One(place, _) => Some(format!(
                "the council co-signed {} of the same list: cannot tell whether this is another advice",
                self.items[place].label()
            )),
            Search::Unclear(reason) => Some(reason),
        }
    }

    fn create_one(&mut self, pending: Pending<'_>) {
        let Pending { row, listed, reading, topic } = pending;
        let second_round_of = if reading.second_round {
            self.first_round(&reading.lead, &topic, listed.listed_on)
        } else {
            None
        };
        let RowReading {
            lead,
            cosigners,
            open_ended,
            kind,
            kind_is_named,
            void,
            second_round,
            annex_to,
            subject,
            topic: spelled,
            mut why,
            ..
        } = reading;
        why.push("not yet known: a new advice".to_owned());
        if second_round && second_round_of.is_none() {
            why.push("the advice to whose answer it reacts is not plain".to_owned());
        }
        let known = KnownReference { reference: listed.reference.clone(), council: Some(lead.clone()) };
        let new = NewRegistered {
            lead: lead.clone(),
            cosigners: cosigners.clone(),
            open_ended,
            kind,
            subject,
            topic: spelled,
            listed_on: listed.listed_on,
            portfolio_holder: listed.portfolio_holder.clone(),
            annex_to,
            second_round,
            second_round_of,
            void_reason: void.then(|| VOID_REASON.to_owned()),
            answered_on: listed.answered_on,
            references: vec![listed.reference.clone()],
        };
        let place = self.decide(row, Action::Create(Box::new(new)), why);
        self.items.push(Item {
            target: Target::NewInThisFile(place),
            lead,
            cosigners,
            kind,
            kind_is_named,
            topics: vec![topic],
            listed_on: listed.listed_on,
            references: vec![known],
            answer: listed.answered_on.map(|answered_on| KnownAnswer { answered_on, references: Vec::new() }),
            void,
            registered: true,
            second_round,
            merged: false,
        });
    }

    /// The one earlier advice of this council with the same topic.
    fn first_round(
        &self,
        lead: &CouncilCode,
        topic: &BTreeSet<String>,
        listed_on: Option<NaiveDate>,
    ) -> Option<Target> {
        let own = self.index.words_of(lead);
        let mut earlier = self.items.iter().filter(|item| {
            item.lead == *lead
                && !item.merged
                && !item.void
                && !item.second_round
                && item.listed_on.zip(listed_on).is_some_and(|(first, second)| first < second)
                && item.topics.iter().any(|other| likeness(topic, other, &own, self.index).is_some())
        });
        let first = earlier.next()?;
        earlier.next().is_none().then_some(first.target)
    }

    fn cosign(&mut self, pending: Pending<'_>) {
        let Pending { row, listed, reading, topic } = pending;
        let signer = reading.lead;
        let mut why = reading.why;
        if reading.void {
            return self.unplaced(row, "a co-signature that was marked as void".to_owned(), why);
        }
        let own = self.index.words_of(&signer);
        let lead = self.alike(&topic, &own, reading.second_round, listed.listed_on, |item| {
            item.lead != signer && reading.cosignature_of.as_ref().is_none_or(|of| *of == item.lead)
        });
        let lead = match lead {
            Search::One(place, _) => place,
            Search::Nothing => return self.unplaced(row, "lead's advice not found".to_owned(), why),
            Search::Unclear(reason) => {
                return self.unplaced(row, format!("lead's advice not certain: {reason}"), why);
            }
        };
        let system = listed.source.system();
        let by_signer = |item: &Item| {
            item.references
                .iter()
                .any(|k| k.reference.system == system && k.council.as_ref() == Some(&signer))
        };
        let of = self.items[lead].target;
        why.push(format!("the same topic and days as {}", self.items[lead].label()));
        if by_signer(&self.items[lead]) {
            return self.unplaced(
                row,
                format!("{} has a co-signing row of this council already", self.items[lead].label()),
                why,
            );
        }
        let separate = self.alike(&topic, &own, reading.second_round, listed.listed_on, |item| {
            item.lead == signer && item.registered && item.cosigners.is_empty() && item.in_list(system) == 0
        });
        let separate = match separate {
            Search::Nothing => None,
            Search::One(place, _) => Some(place),
            Search::Unclear(reason) => {
                return self.unplaced(row, format!("the council's own record is not certain: {reason}"), why);
            }
        };
        let reference = listed.reference.clone();
        let signed = self.items[lead].cosigners.contains(&signer);
        let mut gained = vec![KnownReference { reference: reference.clone(), council: Some(signer.clone()) }];
        let action = match separate {
            Some(place) => {
                why.push(format!(
                    "{} was registered as an advice of its own and is this co-signature",
                    self.items[place].label()
                ));
                let item = &mut self.items[place];
                item.merged = true;
                gained.append(&mut item.references);
                Action::BecomesCosignature { advice: item.target, of, council: signer.clone(), reference }
            }
            None if signed => {
                why.push("the council is a co-signer already".to_owned());
                let joined = Joined {
                    reference,
                    council: signer.clone(),
                    kind: None,
                    subject: None,
                    listed_on: None,
                    portfolio_holder: None,
                    cosigners: Vec::new(),
                    open_ended: false,
                    annex_to: None,
                };
                Action::JoinReference { advice: of, joined: Box::new(joined) }
            }
            None => Action::AddCosigner { advice: of, council: signer.clone(), reference },
        };
        if !signed {
            self.items[lead].cosigners.push(signer);
        }
        self.items[lead].references.append(&mut gained);
        self.decide(row, action, why);
        let mut why = Vec::new();
        if let Some(answered_on) = self.new_answer(lead, listed.answered_on, &mut why) {
            self.decide(row, Action::Answer { advice: of, answered_on, answer_reference: None }, why);
        }
    }
}
