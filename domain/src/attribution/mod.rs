//! Finds the councils that sent something, in a free title or in a field.
//!
//! The portals have no field for the sender that can be relied on, so the title must tell. Only the words where a sender
//! stands count: places after "over" or "inzake" are the subject. What cannot be told is said to be so, never guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::NaiveDate;

use crate::council::{Council, Word, fold, words};
use crate::ids::CouncilCode;

/// What a text says about who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attribution {
    /// The councils named as senders, in order of appearance; the first leads.
    pub councils: Vec<CouncilCode>,
    /// Whether others signed too whom the text does not name ("e.a.", "gezamenlijk").
    pub open_ended: bool,
    /// How the councils were found, one line each.
    pub why: Vec<String>,
    /// Why no council can be told; then `councils` is empty.
    pub problem: Option<String>,
}

impl Attribution {
    fn unknown(problem: impl Into<String>) -> Self {
        Self { problem: Some(problem.into()), ..Self::default() }
    }
}

/// The names of all councils, made ready for search.
#[derive(Debug, Clone)]
pub struct CouncilIndex {
    councils: Vec<Entry>,
    /// What a name, a part of one or a spelling stands for.
    names: BTreeMap<String, Named>,
    /// Initials such as OCW, and whose they are.
    initials: BTreeMap<String, BTreeSet<usize>>,
    /// Abbreviations that hold the word for council, such as DRRb.
    marked: BTreeMap<String, usize>,
    areas: BTreeSet<String>,
    name_words: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Entry {
    code: CouncilCode,
    /// The parts of each official name.
    names: Vec<Vec<String>>,
    known: Vec<(NaiveDate, Option<NaiveDate>)>,
    words: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Named {
    owners: BTreeSet<usize>,
    /// How many words it is written in.
    length: usize,
    /// The parts it stands for; a spelling stands for all of them.
    parts: Vec<String>,
}

/// A name found in a text.
#[derive(Debug)]
struct Hit {
    owner: usize,
    parts: Vec<String>,
    used: usize,
    /// The words as written.
    written: String,
    distance: usize,
    initials: bool,
}

impl CouncilIndex {
    /// Makes the names of these councils ready for search.
    pub fn new(councils: &[Council]) -> Self {
        let mut index = Self {
            councils: Vec::new(),
            names: BTreeMap::new(),
            initials: BTreeMap::new(),
            marked: BTreeMap::new(),
            areas: councils.iter().map(|c| fold(c.area.as_str())).collect(),
            name_words: BTreeSet::new(),
        };
        for (owner, council) in councils.iter().enumerate() {
            let mut official: Vec<&str> = council.names.iter().map(|n| n.name.as_str()).collect();
            if !official.contains(&council.name.as_str()) {
                official.push(&council.name);
            }
            let names: Vec<Vec<String>> = official.iter().map(|name| index.learn(owner, name)).collect();
            let all = names.last().cloned().unwrap_or_default();
            for spelling in &council.spellings {
                index.learn_spelling(owner, spelling, &all);
            }
            let own: BTreeSet<String> = (official.iter().copied())
                .chain(council.spellings.iter().map(String::as_str))
                .flat_map(words)
                .map(|word| word.folded)
                .collect();
            index.name_words.extend(own.iter().cloned());
            index.councils.push(Entry {
                code: council.code.clone(),
                names,
                known: council.names.iter().map(|n| (n.from, n.to)).collect(),
                words: own,
            });
        }
        index
    }

    /// The councils that this title or field names as senders. `on` is the day of the text, if known: a council that did
    /// not exist then did not send it.
    pub fn find(&self, title_or_field: &str, on: Option<NaiveDate>) -> Attribution {
        let text = words(title_or_field);
        let found = match self.sender(&text) {
            Ok(sender) => self.judge(&text, sender),
            Err(problem) => Attribution::unknown(problem),
        };
        let Some(day) = on else { return found };
        match found.councils.iter().find(|code| !self.existed(code, day)) {
            Some(code) => Attribution::unknown(format!("names {code}, which did not exist on {day}")),
            None => found,
        }
    }

    /// The words of a council's names: they tell whose an advice is, not what it is about.
    pub(crate) fn words_of(&self, council: &CouncilCode) -> BTreeSet<String> {
        (self.councils.iter().find(|entry| entry.code == *council))
            .map(|entry| entry.words.clone())
            .unwrap_or_default()
    }

    /// Whether a word occurs in the name of any council.
    pub(crate) fn is_name_word(&self, word: &str) -> bool {
        self.name_words.contains(word)
    }

    /// The words that name the senders, if the text names them by the word for council.
    pub(crate) fn sender_span(&self, text: &[Word]) -> Option<Range<usize>> {
        let sender = self.sender(text).ok()?;
        sender.marked.then_some(sender.start..sender.end)
    }

    fn existed(&self, code: &CouncilCode, day: NaiveDate) -> bool {
        (self.councils.iter().filter(|entry| entry.code == *code)).any(|entry| {
            entry.known.is_empty()
                || entry.known.iter().any(|(from, to)| *from <= day && to.is_none_or(|to| day <= to))
        })
    }

    fn learn(&mut self, owner: usize, name: &str) -> Vec<String> {
        let parts = split_name(name);
        let keys: Vec<String> = parts.iter().map(|part| key(part)).collect();
        for (part, own) in parts.iter().zip(&keys) {
            self.add(owner, own.clone(), part.len(), vec![own.clone()]);
            // 's-Gravenland is also written without its 's.
            if let [first, rest @ ..] = part.as_slice()
                && first.len() == 1
                && !rest.is_empty()
            {
                self.add(owner, key(rest), rest.len(), vec![own.clone()]);
            }
        }
        let all: Vec<String> = parts.concat();
        self.add(owner, key(&all), all.len(), keys.clone());
        // "Groot- en Oud-IJsselmonde": parts that end in the same word share it.
        if let [a, b] = parts.as_slice()
            && let ([first, last], [second, same]) = (a.as_slice(), b.as_slice())
            && last == same
        {
            for (x, y) in [(first, second), (second, first)] {
                for joined in [vec![x, y, last], vec![x, &"en".to_owned(), y, last]] {
                    let joined: Vec<String> = joined.into_iter().cloned().collect();
                    self.add(owner, key(&joined), joined.len(), keys.clone());
                }
            }
        }
        self.learn_initials(owner, &parts);
        keys
    }

    fn learn_spelling(&mut self, owner: usize, spelling: &str, parts: &[String]) {
        let all: Vec<String> =
            words(spelling).into_iter().map(|w| w.folded).filter(|w| !is_marker(w) && w != "het").collect();
        match all.as_slice() {
            [] => {}
            [one]
                if (one.starts_with("wr") || one.starts_with("dr"))
                    && (spelling.starts_with("WR") || spelling.starts_with("DR")) =>
            {
                self.marked.insert(one.clone(), owner);
            }
            _ => self.add(owner, key(&all), all.len(), parts.to_vec()),
        }
    }

    fn learn_initials(&mut self, owner: usize, parts: &[Vec<String>]) {
        let initial = |word: &String| word.chars().take(1).collect::<String>();
        let particle =
            |word: &String| word.len() == 1 || matches!(word.as_str(), "van" | "en" | "het" | "de");
        let all: Vec<&String> = parts.iter().flatten().collect();
        let whole: String = all.iter().map(|w| initial(w)).collect();
        let plain: String = all.iter().filter(|w| !particle(w)).map(|w| initial(w)).collect();
        let of_parts: String =
            parts.iter().filter_map(|p| p.iter().find(|w| !particle(w))).map(initial).collect();
        for letters in [whole, plain, of_parts] {
            if letters.len() >= 2 && letters != "en" {
                self.initials.entry(letters).or_default().insert(owner);
            }
        }
    }

    fn add(&mut self, owner: usize, key: String, length: usize, parts: Vec<String>) {
        let named = self.names.entry(key).or_insert_with(|| Named {
            owners: BTreeSet::new(),
            length,
            parts: parts.clone(),
        });
        named.owners.insert(owner);
        if parts.len() > named.parts.len() {
            named.parts = parts;
        }
    }

    /// Where the senders stand.
    fn sender(&self, text: &[Word]) -> Result<Sender, String> {
        let subject = text.iter().position(|w| opens_subject(&w.folded)).unwrap_or(text.len());
        let marks: Vec<usize> = (0..text.len()).filter(|&i| self.marks_at(text, i)).collect();
        let mut last_problem = None;
        for &mark in marks.iter().filter(|&&mark| mark < subject) {
            if let Err(problem) = may_send(text, mark) {
                last_problem = Some(problem);
                continue;
            }
            let list = self.list(text, mark);
            if list.hits.is_empty() && matches!(text[mark].folded.as_str(), "wr" | "dr") {
                last_problem = Some(format!("\"{}\" is followed by no known council", text[mark].raw));
                continue;
            }
            return Ok(Sender { marked: true, ..list });
        }
        // At the very end, set off from the subject: "… inzake parkeren (wijkraad Ommoord)".
        if last_problem.is_none()
            && let [mark] = marks.as_slice()
            && (set_off(&text[*mark].gap) || before(text, *mark) == Some("door"))
        {
            let list = self.list(text, *mark);
            if list.end == text.len() && !list.hits.is_empty() {
                return Ok(Sender { marked: true, ..list });
            }
        }
        if let Some(problem) = last_problem {
            return Err(problem);
        }
        if !marks.is_empty() {
            return Err("a council is named only in the words about the subject".to_owned());
        }
        self.unmarked(text)
    }

    /// A name without the word wijkraad: only as the whole of a field, or after "brief van", "advies van".
    fn unmarked(&self, text: &[Word]) -> Result<Sender, String> {
        let start = (text
            .windows(2)
            .position(|w| is_document(&w[0].folded) && matches!(w[1].folded.as_str(), "van" | "namens")))
        .filter(|&i| text[..i].iter().all(|w| is_boilerplate(&w.folded)))
        .map(|i| i + 2);
        let list = self.list_from(text, start.unwrap_or(0), false);
        let ends_well = match start {
            Some(_) => list.clean,
            None => list.end == text.len() && !text.is_empty(),
        };
        if list.hits.is_empty() || !ends_well {
            return Err("names no council as its sender".to_owned());
        }
        let whole = list.hits.iter().all(|hit| hit.distance == 0 || hit.parts.concat().len() >= 8);
        let complete = self.group(&list.hits).iter().all(|(owner, parts)| self.is_complete(*owner, parts));
        if !whole || !complete || list.hits.iter().any(|hit| hit.initials) {
            return Err(
                "may name a council, but not by its whole name and without the word wijkraad or dorpsraad"
                    .to_owned(),
            );
        }
        Ok(Sender { marked: false, ..list })
    }

    fn marks_at(&self, text: &[Word], at: usize) -> bool {
        let word = &text[at].folded;
        let next = text.get(at + 1);
        is_marker(word)
            || (matches!(word.as_str(), "wr" | "dr")
                && next.is_some_and(|n| {
                    n.raw.starts_with(char::is_uppercase) || self.initials.contains_key(&n.folded)
                }))
            || self.marked.contains_key(word)
            || self.glued_initials(&text[at]).is_some()
    }

    /// WROCW.
    fn glued_initials(&self, word: &Word) -> Option<usize> {
        let letters = word.folded.strip_prefix("wr").or_else(|| word.folded.strip_prefix("dr"))?;
        if letters.len() < 2 || !word.raw.starts_with("WR") && !word.raw.starts_with("DR") {
            return None;
        }
        only(self.initials.get(letters)?)
    }

    fn list(&self, text: &[Word], mark: usize) -> Sender {
        let plural = matches!(text[mark].folded.as_str(), "wykraden" | "dorpsraden");
        let own = self.marked.get(&text[mark].folded).copied().or_else(|| self.glued_initials(&text[mark]));
        match own {
            Some(_) => self.list_from(text, mark, plural),
            None => self.list_from(text, mark + 1, plural),
        }
    }

    /// Reads names and the words that join them, as far as they go.
    fn list_from(&self, text: &[Word], start: usize, plural: bool) -> Sender {
        let mut sender = Sender { start, end: start, plural, ..Sender::default() };
        let mut at = start;
        loop {
            // Where the text goes on after words that only join names.
            let (next, joined) = joins(text, at, at == start);
            sender.plural |= text[at.min(next)..next]
                .iter()
                .any(|w| matches!(w.folded.as_str(), "wykraden" | "dorpsraden"));
            let stops = next >= text.len() || (at > start && closes(&text[at].gap, next > at));
            match if stops { None } else { self.name_at(text, next) } {
                Some(hit) => {
                    sender.named_apart |= at > start && joined;
                    at = next + hit.used;
                    sender.hits.push(hit);
                    sender.end = at;
                }
                None => {
                    let Some(word) = text.get(at) else {
                        sender.clean = true;
                        return sender;
                    };
                    let others = others_at(text, at);
                    sender.others |= others > 0;
                    sender.end = at + others;
                    let stuck = word.gap.chars().all(is_dash) && !word.gap.is_empty();
                    sender.clean = others > 0 || closes(&word.gap, false) || ends_names(&word.folded);
                    sender.lost_name =
                        !sender.clean && joined && next < text.len() && ends_in_subject(text, next);
                    sender.broken =
                        !sender.clean && (stuck || (sender.lost_name && self.names_more(text, next)));
                    sender.clean |= set_off(&word.gap) && !sender.lost_name;
                    return sender;
                }
            }
        }
    }

    /// Whether another council is named before the subject begins.
    fn names_more(&self, text: &[Word], from: usize) -> bool {
        (from..text.len())
            .take_while(|&i| !opens_subject(&text[i].folded))
            .any(|i| self.name_at(text, i).is_some_and(|hit| hit.distance == 0))
    }

    /// The name that begins at this word: exact and longest first, else the one best misspelling.
    fn name_at(&self, text: &[Word], at: usize) -> Option<Hit> {
        let word = text.get(at)?;
        if let Some(owner) = self.marked.get(&word.folded).copied().or_else(|| self.glued_initials(word)) {
            return Some(Hit {
                owner,
                parts: self.councils[owner].names.last()?.clone(),
                used: 1,
                written: word.raw.clone(),
                distance: 0,
                initials: true,
            });
        }
        let reach =
            text[at..].iter().skip(1).take_while(|w| !w.gap.contains([':', '(', ')', ';'])).count() + 1;
        for used in (1..=reach.min(8)).rev() {
            let written: String = text[at..at + used].iter().map(|w| w.folded.as_str()).collect();
            if let Some(named) = self.names.get(&written)
                && let Some(owner) = only(&named.owners)
            {
                return Some(Hit {
                    owner,
                    parts: named.parts.clone(),
                    used,
                    written: read(&text[at..at + used]),
                    distance: 0,
                    initials: false,
                });
            }
        }
        if let Some(owner) = self.initials_at(text, at) {
            return Some(Hit {
                owner,
                parts: self.councils[owner].names.last()?.clone(),
                used: 1,
                written: word.raw.clone(),
                distance: 0,
                initials: true,
            });
        }
        self.misspelling_at(text, at, reach)
    }

    /// Initials in capitals, such as OCW or HvH; after the word for council also in small letters.
    fn initials_at(&self, text: &[Word], at: usize) -> Option<usize> {
        let word = &text[at];
        let capitals = word.raw.starts_with(char::is_uppercase) && word.raw.ends_with(char::is_uppercase);
        let after_mark = at > 0
            && (is_marker(&text[at - 1].folded) || matches!(text[at - 1].folded.as_str(), "wr" | "dr"));
        let long = word.folded.len() >= 3;
        if !(capitals && (long || after_mark) || long && after_mark) {
            return None;
        }
        only(self.initials.get(&word.folded)?)
    }

    fn misspelling_at(&self, text: &[Word], at: usize, reach: usize) -> Option<Hit> {
        let mut best: Vec<(usize, usize, &String, &Named)> = Vec::new();
        let mut written = Vec::new();
        for used in 1..=reach.min(8) {
            let stretch = &text[at..at + used];
            if stretch.iter().any(|w| ends_names(&w.folded)) {
                break;
            }
            written.push(stretch.iter().map(|w| w.folded.as_str()).collect::<String>());
        }
        for (name, named) in &self.names {
            // As many words as the name has, else "Oud" could vanish in a long word.
            let Some(written) = named.length.checked_sub(1).and_then(|i| written.get(i)) else { continue };
            if written.len().abs_diff(name.len()) > 4 {
                continue;
            }
            let distance = strsim::osa_distance(written, name);
            if distance > 0 && distance <= slips(name).min(slips(written)) {
                best.push((distance, usize::MAX - named.length, name, named));
            }
        }
        best.sort_by_key(|(distance, length, ..)| (*distance, *length));
        let (distance, _, _, named) = *best.first()?;
        // A second council within reach makes the first a guess.
        let owners: BTreeSet<usize> =
            best.iter().flat_map(|(.., other)| other.owners.iter().copied()).collect();
        let owner = only(&owners)?;
        Some(Hit {
            owner,
            parts: named.parts.clone(),
            used: named.length,
            written: read(&text[at..at + named.length]),
            distance,
            initials: false,
        })
    }

    /// The councils of a list in order of appearance, each with the parts of its name that were named.
    fn group(&self, hits: &[Hit]) -> Vec<(usize, BTreeSet<String>)> {
        let mut found: Vec<(usize, BTreeSet<String>)> = Vec::new();
        for hit in hits {
            match found.iter_mut().find(|(owner, _)| *owner == hit.owner) {
                Some((_, parts)) => parts.extend(hit.parts.iter().cloned()),
                None => found.push((hit.owner, hit.parts.iter().cloned().collect())),
            }
        }
        found
    }

    fn is_complete(&self, owner: usize, parts: &BTreeSet<String>) -> bool {
        self.councils[owner].names.iter().any(|name| name.iter().all(|part| parts.contains(part)))
    }

    fn judge(&self, text: &[Word], sender: Sender) -> Attribution {
        let councils = self.group(&sender.hits);
        if councils.is_empty() {
            let (next, _) = joins(text, sender.start, true);
            return Attribution::unknown(match text.get(next) {
                Some(word) if self.area_at(text, next) => {
                    format!("\"{}\" is an area (gebied) and names no council", word.raw)
                }
                Some(word) if !ends_names(&word.folded) => {
                    format!("\"{}\" is not the name of a council", word.raw)
                }
                _ => "names no council".to_owned(),
            });
        }
        let mut why = Vec::new();
        for (owner, parts) in &councils {
            let code = &self.councils[*owner].code;
            let hits: Vec<&Hit> = sender.hits.iter().filter(|hit| hit.owner == *owner).collect();
            if hits.iter().any(|hit| hit.initials) {
                why.push(format!("{code}: found by its abbreviation"));
            } else if self.is_complete(*owner, parts) {
                match hits.iter().any(|hit| hit.distance > 0) {
                    true => why.push(format!("{code}: found by its whole name, misspelt")),
                    false => why.push(format!("{code}: found by its whole name")),
                }
            } else if parts.len() == 1 && parts.iter().any(|part| self.areas.contains(part)) {
                let area = &hits[0].written;
                return Attribution::unknown(format!(
                    "\"{area}\" is an area (gebied) and only a part of the name of {code}"
                ));
            } else if hits.iter().all(|hit| hit.distance > 0) {
                return Attribution::unknown(format!(
                    "a misspelt part of a name is not enough to know {code} by"
                ));
            } else {
                why.push(format!(
                    "{code}: found by a part of its name ({}), which no other council has",
                    hits.iter().map(|hit| hit.written.as_str()).collect::<Vec<_>>().join(", ")
                ));
            }
        }
        if sender.broken {
            return Attribution::unknown(
                "between or behind the names of councils stands one that is not known".to_owned(),
            );
        }
        if councils.len() > 1
            && !sender.plural
            && !sender.named_apart
            && self.areas.contains(&self.written(text, &sender))
        {
            return Attribution::unknown(format!(
                "\"{}\" is an area (gebied) of several councils",
                read(&text[sender.start..sender.end])
            ));
        }
        let next = text.get(sender.end);
        if !sender.clean
            && !sender.plural
            && next.is_some_and(|w| matches!(w.folded.as_str(), "noord" | "oost" | "zuid" | "west"))
        {
            return Attribution::unknown(format!(
                "\"{}\" names a neighbourhood rather than a council",
                read(&text[sender.start..sender.end + 1])
            ));
        }
        let bounded = sender.clean || sender.lost_name || (sender.plural && sender.named_apart);
        if councils.len() > 1 && !bounded {
            return Attribution::unknown(
                "cannot tell where the names of the councils end and the subject begins".to_owned(),
            );
        }
        let mut open_ended = false;
        if sender.others {
            why.push("others signed too, who are not named".to_owned());
            open_ended = true;
        } else if sender.lost_name {
            why.push("another sender stands there who is not a known council".to_owned());
            open_ended = true;
        } else if councils.len() == 1 && sender.plural && sender.hits.len() == 1 {
            why.push("speaks of several councils and names only one".to_owned());
            open_ended = true;
        } else if councils.len() == 1 && says_joint(text) {
            why.push("says that it is joint (gezamenlijk) and names only one council".to_owned());
            open_ended = true;
        }
        let councils = councils.into_iter().map(|(owner, _)| self.councils[owner].code.clone()).collect();
        Attribution { councils, open_ended, why, problem: None }
    }

    fn written(&self, text: &[Word], sender: &Sender) -> String {
        let (next, _) = joins(text, sender.start, true);
        text[next..sender.end].iter().map(|w| w.folded.as_str()).collect()
    }

    /// Whether an area is named here.
    fn area_at(&self, text: &[Word], at: usize) -> bool {
        (1..=3.min(text.len() - at)).any(|used| {
            self.areas.contains(&text[at..at + used].iter().map(|w| w.folded.as_str()).collect::<String>())
        })
    }
}

/// The stretch of a text where senders stand.
#[derive(Debug, Default)]
struct Sender {
    hits: Vec<Hit>,
    start: usize,
    end: usize,
    /// The word for council stands before it.
    marked: bool,
    /// It says councils, not council.
    plural: bool,
    /// What follows cannot belong to a name.
    clean: bool,
    /// Some names are joined by more than a hyphen or a blank.
    named_apart: bool,
    /// "e.a." follows.
    others: bool,
    /// After "en" or a comma something stands that was not understood.
    lost_name: bool,
    /// What was not understood leaves the known names in doubt.
    broken: bool,
}

/// The parts of an official name: at commas and "en" where there are any, else at hyphens.
fn split_name(name: &str) -> Vec<Vec<String>> {
    let all = words(name);
    let listed = all.iter().any(|w| w.folded == "en" || w.gap.contains(','));
    let mut parts: Vec<Vec<String>> = vec![Vec::new()];
    for (i, word) in all.iter().enumerate() {
        let ends =
            if listed { word.gap.contains(',') || word.folded == "en" } else { word.gap.contains(is_dash) };
        if i > 0 && ends {
            parts.push(Vec::new());
        }
        let article = word.folded == "het" || (listed && word.folded == "en");
        if !article && let Some(part) = parts.last_mut() {
            part.push(word.folded.clone());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn key(words: &[String]) -> String {
    words.concat()
}

fn only(owners: &BTreeSet<usize>) -> Option<usize> {
    match owners.len() {
        1 => owners.first().copied(),
        _ => None,
    }
}

fn read(words: &[Word]) -> String {
    words.iter().map(|w| w.raw.as_str()).collect::<Vec<_>>().join(" ")
}

/// How many slips of the pen a name of this length may hold.
fn slips(name: &str) -> usize {
    match name.chars().count() {
        0..=5 => 0,
        6..=11 => 1,
        _ => 2,
    }
}

pub(crate) fn is_dash(letter: char) -> bool {
    matches!(letter, '-' | '‐' | '‑' | '‒' | '–' | '—' | '−')
}

/// Punctuation after which no further name belongs to the list. A bracket may go on with "en" or "mede namens".
fn closes(gap: &str, joined: bool) -> bool {
    gap.contains([':', ')', '.']) || (gap.contains('(') && !joined)
}

/// A dash with a blank beside it, or a bracket: what follows stands apart.
fn set_off(gap: &str) -> bool {
    gap.contains('(') || (gap.contains(is_dash) && gap.contains(' '))
}

fn before(text: &[Word], at: usize) -> Option<&str> {
    at.checked_sub(1).map(|i| text[i].folded.as_str())
}

/// The word for a council, small slips included.
pub(crate) fn is_marker(word: &str) -> bool {
    ["wykraad", "wykraden", "dorpsraad", "dorpsraden", "wykraads"].iter().any(|marker| {
        *marker == word
            || (word.len() >= 6 && word.starts_with(['w', 'd']) && strsim::osa_distance(marker, word) == 1)
    })
}

/// Words after which the subject stands, and no sender.
pub(crate) fn opens_subject(word: &str) -> bool {
    matches!(
        word,
        "over"
            | "inzake"
            | "betreffende"
            | "betreft"
            | "aangaande"
            | "omtrent"
            | "mbt"
            | "nav"
            | "rondom"
            | "betrekking"
            | "aanleiding"
    )
}

/// What a council sends.
pub(crate) fn is_document(word: &str) -> bool {
    matches!(
        word,
        "brief"
            | "afschriftbrief"
            | "brandbrief"
            | "advies"
            | "adviezen"
            | "zienswyze"
            | "consultatie"
            | "reactie"
            | "aanbeveling"
            | "medeondertekening"
            | "notitie"
            | "memo"
            | "verzoek"
            | "oproep"
            | "standpunt"
            | "inspraakreactie"
            | "aanvulling"
    )
}

/// Words that stand around a sender and say nothing about the subject.
pub(crate) fn is_boilerplate(word: &str) -> bool {
    is_document(word)
        || is_marker(word)
        || matches!(
            word,
            "afschrift"
                | "van"
                | "de"
                | "het"
                | "een"
                | "door"
                | "namens"
                | "ongevraagd"
                | "ongevraagde"
                | "gevraagd"
                | "gevraagde"
                | "opgevraagd"
                | "gezamenlyk"
                | "gezamenlyke"
                | "vervallen"
                | "concept"
                | "definitief"
                | "aangepast"
                | "aangepaste"
                | "tweede"
                | "mede"
                | "ondertekening"
                | "medeondertekend"
                | "ondertekend"
                | "bylage"
                | "behorende"
                | "by"
                | "kopie"
                | "ingekomen"
                | "stuk"
                | "uitgebracht"
                | "integraal"
        )
}

/// Words with which the names of senders certainly end.
fn ends_names(word: &str) -> bool {
    opens_subject(word)
        || is_document(word)
        || matches!(
            word,
            "met"
                | "op"
                | "aan"
                | "voor"
                | "tegen"
                | "om"
                | "rond"
                | "tot"
                | "ongevraagd"
                | "ongevraagde"
                | "gevraagd"
                | "gevraagde"
                | "opgevraagd"
                | "gezamenlyk"
                | "gezamenlyke"
                | "ea"
                | "cs"
                | "dd"
                | "d"
                | "gemeente"
                | "rotterdam"
                | "wil"
                | "vraagt"
        )
}

/// How many words here say that others signed too.
fn others_at(text: &[Word], at: usize) -> usize {
    let word = |i: usize| text.get(at + i).map_or("", |w| w.folded.as_str());
    match (word(0), word(1)) {
        ("ea" | "cs", _) => 1,
        ("e", "a") | ("c", "s") | ("et", "al") => 2,
        (
            "en" | "met",
            "ander" | "andere" | "anderen" | "overige" | "diverse" | "meerdere" | "omliggende",
        ) => 2,
        ("en", "ea") => 2,
        _ => 0,
    }
}

/// Passes over words that only join names; says whether they are more than a hyphen or a blank.
fn joins(text: &[Word], from: usize, first: bool) -> (usize, bool) {
    let mut at = from;
    let mut apart = text.get(at).is_some_and(|w| w.gap.contains([',', '&', '/', '+', ';']));
    while let Some(word) = text.get(at) {
        let next = |i: usize| text.get(at + i).map_or("", |w| w.folded.as_str());
        let used = match word.folded.as_str() {
            "en" | "alsmede" | "plus" if !first => 1,
            "samen" if next(1) == "met" => 2,
            "in" if next(1) == "samenwerking" && next(2) == "met" => 3,
            "mede" | "ook" if next(1) == "namens" => 2,
            "mede" if next(1) == "ondertekend" && next(2) == "door" => 3,
            "medeondertekend" if next(1) == "door" => 2,
            "mede" | "gesteund" if next(1) == "door" => 2,
            "het" | "de" => 1,
            "van" if first || apart => 1,
            "wr" | "dr" if !first && word.raw.chars().all(char::is_uppercase) => 1,
            marker if is_marker(marker) => 1,
            _ => break,
        };
        apart |= !matches!(word.folded.as_str(), "het" | "de" | "van");
        at += used;
        apart |= text.get(at).is_some_and(|w| w.gap.contains([',', '&', '/', '+', ';']));
    }
    (at, apart)
}

/// Whether the words from here run into "over", "inzake" or the like before anything else ends them.
fn ends_in_subject(text: &[Word], from: usize) -> bool {
    (text[from..].iter().take(4))
        .any(|w| opens_subject(&w.folded) || matches!(w.folded.as_str(), "met" | "ongevraagd" | "gevraagd"))
}

/// Whether what stands before the word for council lets it be a sender.
fn may_send(text: &[Word], mark: usize) -> Result<(), String> {
    let head = &text[..mark];
    let about = head.iter().rposition(|w| !matches!(w.folded.as_str(), "de" | "het" | "onze" | "uw"));
    let Some(about) = about else { return Ok(()) };
    match head[about].folded.as_str() {
        "aan" | "tussen" | "voor" | "naar" | "met" | "by" | "tegen" => {
            return Err("the council is the one written to or about, not the sender".to_owned());
        }
        _ => {}
    }
    let again = is_second_round(text);
    let answers = head.iter().enumerate().any(|(i, word)| {
        let next = |n: usize| head.get(i + n).map_or("", |w| w.folded.as_str());
        match word.folded.as_str() {
            "beantwoording" | "collegereactie" | "antwoordbrief" | "afdoening" => !again,
            "antwoord" | "reactie" => {
                matches!(next(1), "college" | "wethouder")
                    || (next(1) == "op" && !again)
                    || (next(1) == "van" && (next(2) == "college" || next(3) == "college"))
            }
            _ => false,
        }
    });
    if answers {
        return Err("seems to be an answer to the council, not something it sent".to_owned());
    }
    let known = is_boilerplate(&head[about].folded) || is_reference(&head[about].folded);
    match known || text[mark].gap.contains([':', '(', ',', ';', '.']) || set_off(&text[mark].gap) {
        true => Ok(()),
        false => {
            Err(format!("\"{}\" before the council does not say that the council sent this", head[about].raw))
        }
    }
}

/// A bb number.
pub(crate) fn is_reference(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    word.split_once("bb").is_some_and(|(year, number)| digits(year) && digits(number))
}

/// Whether a council reacts here to the answer it got (reactie op antwoord).
pub(crate) fn is_second_round(text: &[Word]) -> bool {
    (0..text.len()).any(|i| {
        let word = |n: usize| text.get(i + n).map_or("", |w| w.folded.as_str());
        let answer = |n: usize| {
            matches!(
                word(n),
                "antwoord" | "antwoorden" | "antwoordbrief" | "beantwoording" | "collegereactie"
            )
        };
        matches!(word(0), "reactie" | "respons" | "repliek" | "weerwoord")
            && word(1) == "op"
            && (answer(2) || answer(3) || answer(4))
    })
}

/// Whether "gezamenlijk" belongs to the letter or advice and not to the subject.
fn says_joint(text: &[Word]) -> bool {
    (0..text.len()).filter(|&i| text[i].folded.starts_with("gezamenlyk")).any(|i| {
        text[i + 1..].iter().take(2).any(|w| is_document(&w.folded) || w.folded.ends_with("gevraagd"))
    })
}

#[cfg(test)]
mod tests;
