//! What one row of a list says: who, what kind, about what.

use super::rows::{ListSource, ListedRow};
use crate::attribution::{
    Attribution, CouncilIndex, is_boilerplate, is_dash, is_document, is_marker, is_reference,
    is_second_round, opens_subject,
};
use crate::codes::AdviceKind;
use crate::council::{Word, words};
use crate::ids::CouncilCode;

/// What a row of a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReading {
    /// The council that sent it.
    pub lead: CouncilCode,
    /// Councils named beside it.
    pub cosigners: Vec<CouncilCode>,
    /// Whether more councils signed than are named.
    pub open_ended: bool,
    /// The kind of advice.
    pub kind: AdviceKind,
    /// Whether the title names the kind; otherwise it follows from the list.
    pub kind_is_named: bool,
    /// Whether it is void (vervallen).
    pub void: bool,
    /// Whether it reacts to an answer (reactie op antwoord).
    pub second_round: bool,
    /// Whether it co-signs another council's advice (medeondertekening).
    pub cosignature_of_other: bool,
    /// Whose advice it co-signs, if the row says so.
    pub cosignature_of: Option<CouncilCode>,
    /// The number of the proposal that it is an annex to (bijlage).
    pub annex_to: Option<String>,
    /// The title without the mark that it is void.
    pub subject: String,
    /// The words that say what it is about, for comparing.
    pub topic: String,
    /// How all this was found, one line each.
    pub why: Vec<String>,
}

/// Reads what a row says; an error is the reason why its council cannot be told.
pub fn read_row(row: &ListedRow, index: &CouncilIndex) -> Result<RowReading, String> {
    let (void, subject) = strip_void(&row.title);
    let text = words(subject);
    let from_title = index.find(subject, row.listed_on);
    let cosigns = is_cosignature(&text);
    let (senders, cosignature_of) = senders(row, index, from_title, cosigns)?;
    let Attribution { councils, open_ended, mut why, problem: _ } = senders;
    let mut councils = councils.into_iter();
    let lead = councils.next().ok_or("names no council")?;
    let cosigners: Vec<CouncilCode> = councils.filter(|council| *council != lead).collect();
    let annex_to = annex_to(&text);
    let second_round = is_second_round(&text);
    let (kind, kind_is_named) = kind_of(row.source, &text, index, &mut why);
    if void {
        why.push("marked VERVALLEN: void".to_owned());
    }
    if second_round {
        why.push("reacts to an answer: second round".to_owned());
    }
    if cosigns {
        why.push("co-signs the advice of another council".to_owned());
    }
    if let Some(number) = &annex_to {
        why.push(format!("is an annex to {number}"));
    }
    Ok(RowReading {
        lead,
        cosigners,
        open_ended,
        kind,
        kind_is_named,
        void,
        second_round,
        cosignature_of_other: cosigns,
        cosignature_of,
        annex_to,
        topic: topic_words(&text, index).join(" "),
        subject: subject.to_owned(),
        why,
    })
}

/// Weighs the field against the title. The second value is whose advice is co-signed, if told.
fn senders(
    row: &ListedRow,
    index: &CouncilIndex,
    title: Attribution,
    cosigns: bool,
) -> Result<(Attribution, Option<CouncilCode>), String> {
    let Some(field) = &row.council_field else {
        return match title.problem {
            None => Ok((title, None)),
            Some(problem) => Err(format!("title: {problem}")),
        };
    };
    let field = index.find(field, row.listed_on);
    match (field.councils.first().cloned(), title.councils.first().cloned()) {
        (None, None) => Err(format!("field wijk: {}", field.problem.unwrap_or_default())),
        (None, Some(_)) => {
            let mut title = title;
            title.why.push("found in the title, for the field wijk names no council".to_owned());
            Ok((title, None))
        }
        (Some(_), None) => {
            let mut field = field;
            field.why.push("found in the field wijk".to_owned());
            Ok((field, None))
        }
        (Some(of), Some(signer)) if cosigns && !field.councils.contains(&signer) => Ok((title, Some(of))),
        (Some(named), Some(_)) if title.councils.contains(&named) => {
            let mut title = title;
            title.open_ended |= field.open_ended;
            title.why.push("the field wijk agrees".to_owned());
            let missing: Vec<_> =
                field.councils.into_iter().filter(|c| !title.councils.contains(c)).collect();
            title.councils.extend(missing);
            Ok((title, None))
        }
        (Some(field), Some(title)) => {
            Err(format!("the field wijk names {field} and the title names {title}"))
        }
    }
}

pub(super) fn strip_void(title: &str) -> (bool, &str) {
    let title = title.trim();
    let bare = title.trim_start_matches(['(', '[']);
    let Some(mark) = bare.get(..9).filter(|mark| mark.eq_ignore_ascii_case("vervallen")) else {
        return (false, title);
    };
    let rest = bare[9..].trim_start_matches([')', ']']);
    // "Vervallen parkeerplaatsen" is a subject.
    let marks = mark == "VERVALLEN" && !rest.starts_with(char::is_alphanumeric)
        || rest.trim_start().starts_with([':', '-', '–']);
    let subject = rest.trim_start_matches(|c: char| c == ':' || is_dash(c) || c.is_whitespace());
    match marks {
        true if subject.is_empty() => (true, title),
        true => (true, subject),
        false => (false, title),
    }
}

/// "Medeondertekening door …", before any council. Behind one, "mede ondertekend door" only names a further sender.
fn is_cosignature(text: &[Word]) -> bool {
    let Some(at) = text.iter().position(|w| w.folded.contains("ondertek")) else { return false };
    let jointly = text[at].folded.starts_with("medeondertek") || (at > 0 && text[at - 1].folded == "mede");
    jointly && text[..at].iter().all(|w| is_boilerplate(&w.folded) && !is_marker(&w.folded))
}

fn annex_to(text: &[Word]) -> Option<String> {
    if text.first()?.folded != "bylage" {
        return None;
    }
    let belongs = text.iter().take(8).position(|w| w.folded == "by")?;
    text.get(belongs + 1).filter(|w| is_reference(&w.folded)).map(|w| w.raw.to_lowercase())
}

/// The kind that the words name, else the one that follows from the list.
pub(super) fn kind_of(
    source: ListSource,
    text: &[Word],
    index: &CouncilIndex,
    why: &mut Vec<String>,
) -> (AdviceKind, bool) {
    let words = without_sender(text, index);
    let again = is_second_round(text);
    let leads = |i: usize| {
        let filler = |w: &&Word| {
            matches!(w.folded.as_str(), "de" | "het" | "een" | "onze" | "gezamenlyk" | "gezamenlyke")
        };
        let before = words[..i].iter().rev().copied().find(|w| !filler(w));
        let head = words[..i]
            .iter()
            .all(|w| is_boilerplate(&w.folded) || w.folded.chars().any(|c| c.is_ascii_digit()));
        head || before.is_some_and(|w| opens_subject(&w.folded) || w.folded == "met")
    };
    for (i, word) in words.iter().enumerate() {
        let next = |n: usize| words.get(i + n).map_or("", |w| w.folded.as_str());
        let of_advice = (1..=2).any(|n| next(n).starts_with("advie") || next(n) == "brief");
        let asked = asked_for(&word.folded).filter(|_| of_advice);
        match (word.folded.as_str(), asked) {
            (_, Some(kind)) if again || leads(i) || !speaks_of_another(&words[..i]) => {
                if !matches!(word.folded.as_str(), "ongevraagd" | "ongevraagde" | "gevraagd" | "gevraagde") {
                    why.push(format!("\"{}\" is read as a slip of the pen: {kind}", word.raw));
                }
                return (kind, true);
            }
            ("zienswyze" | "zienswyzen", _) if leads(i) => return (AdviceKind::Viewpoint, true),
            ("consultatie" | "consultaties", _) if leads(i) => return (AdviceKind::Consultation, true),
            ("brandbrief", _) if leads(i) && !words[..i].iter().any(|w| opens_subject(&w.folded)) => {
                return (AdviceKind::UrgentLetter, true);
            }
            _ => {}
        }
    }
    let bare = (0..words.len()).any(|i| words[i].folded.starts_with("advie") && leads(i));
    if bare && annex_to(text).is_some() {
        why.push("an advice in the annex to a proposal was asked for: solicited".to_owned());
        return (AdviceKind::Solicited, true);
    }
    match source {
        ListSource::Wijkraad => {
            why.push("stands in the list of unsolicited advice".to_owned());
            (AdviceKind::Unsolicited, false)
        }
        ListSource::Raad | ListSource::Answers if bare => {
            why.push("does not say whether the advice was asked for: taken as unsolicited".to_owned());
            (AdviceKind::Unsolicited, false)
        }
        ListSource::Raad | ListSource::Answers => {
            why.push("does not speak of advice: a letter".to_owned());
            (AdviceKind::Letter, false)
        }
    }
}

/// Gevraagd or ongevraagd, one slip of the pen allowed.
fn asked_for(word: &str) -> Option<AdviceKind> {
    let distance = |wanted: &str| {
        [strsim::osa_distance(word, wanted), strsim::osa_distance(word, &format!("{wanted}e"))]
            .into_iter()
            .min()
    };
    match (distance("ongevraagd")?, distance("gevraagd")?) {
        (far, near) if near.min(far) > 1 => None,
        (unasked, asked) if unasked < asked => Some(AdviceKind::Unsolicited),
        _ => Some(AdviceKind::Solicited),
    }
}

/// "het uitblijven van een antwoord op het ongevraagd advies" is about an advice and is none.
fn speaks_of_another(before: &[&Word]) -> bool {
    before.iter().rev().take(3).any(|w| {
        matches!(
            w.folded.as_str(),
            "op" | "uitblyven"
                | "antwoord"
                | "reactie"
                | "eerder"
                | "eerdere"
                | "vorig"
                | "vorige"
                | "opvolging"
        )
    })
}

/// The words that name neither the senders nor the proposal that it is an annex to.
fn without_sender<'a>(text: &'a [Word], index: &CouncilIndex) -> Vec<&'a Word> {
    let span = index.sender_span(text).unwrap_or(0..0);
    let annex = annex_to(text).and_then(|_| text.iter().position(|w| is_reference(&w.folded)));
    let start = annex.map_or(0, |place| place + 1);
    text.iter().enumerate().skip(start).filter(|(i, _)| !span.contains(i)).map(|(_, word)| word).collect()
}

/// The words that say what a text is about, each once, in order.
pub(super) fn topic_words(text: &[Word], index: &CouncilIndex) -> Vec<String> {
    let mut topic: Vec<String> = Vec::new();
    for word in without_sender(text, index) {
        let word = &word.folded;
        let says_something = (word.len() >= 2 || word.bytes().all(|b| b.is_ascii_digit()))
            && !(is_boilerplate(word) || opens_subject(word) || is_document(word) || is_reference(word))
            && !FILLERS.split(' ').any(|filler| filler == word)
            && asked_for(word).is_none();
        if says_something && !topic.contains(word) {
            topic.push(word.clone());
        }
    }
    topic
}

/// Dutch words that say nothing about a subject.
const FILLERS: &str = "aan al alle als antwoord b bestaande binnen buiten college cs dan dat die dit ea eigen en \
    er gemeente gemeenteraad geen haar hun in is kan maar meer met mogelyke na naar niet nieuw \
    nieuwe nog of om onder ons onze ook op per raad rond rotterdam rotterdamse te tegen ten \
    ter tot tussen tydens uit uw vanaf vanuit via voor voorgenomen voornemen waar wat \
    wethouder wel wyk wyken zich zonder zyn";
