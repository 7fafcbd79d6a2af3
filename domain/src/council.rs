//! The neighbourhood councils: their dated names, and how a name is compared.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{AssignmentRole, CouncilKind};
use crate::ids::{AreaCode, CouncilCode, OfficeHolderId};

/// A neighbourhood council (wijkraad) or village council (dorpsraad).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Council {
    /// Stable code; it stays the same when the name changes.
    pub code: CouncilCode,
    /// The official name (officiële naam): the current one, or the one of the day that was asked for.
    #[schema(example = "Blijdorp-Bergpolder-Liskwartier")]
    pub name: String,
    /// Wijkraad or dorpsraad: a label, no rule depends on it.
    pub kind: CouncilKind,
    /// The area (gebied) in which the council lies.
    pub area: AreaCode,
    /// The official names, oldest first.
    pub names: Vec<DatedName>,
    /// Other spellings (schrijfwijzen) of the name that were seen in use.
    pub spellings: Vec<String>,
    /// The neighbourhoods (CBS-buurten) that make up the council.
    pub neighbourhoods: Vec<CouncilNeighbourhood>,
    /// Its wijkwethouder, and the roles in its support (ondersteuning), with their days.
    #[serde(default)]
    pub assignments: Vec<CouncilAssignment>,
}

/// Somebody who supports a council: a wijkwethouder by id, an official by role alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CouncilAssignment {
    /// The role.
    pub role: AssignmentRole,
    /// The wijkwethouder; null in any other role.
    pub office_holder: Option<OfficeHolderId>,
    /// First day.
    pub from: NaiveDate,
    /// Last day; null while it goes on.
    pub to: Option<NaiveDate>,
}

/// An official name (officiële naam) and the days on which it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatedName {
    /// The name.
    #[schema(example = "Bergpolder-Blijdorp-Liskwartier")]
    pub name: String,
    /// First day on which the name held.
    pub from: NaiveDate,
    /// Last day on which the name held; null while it holds.
    pub to: Option<NaiveDate>,
}

/// A neighbourhood (CBS-buurt) as part of a council, and the days on which it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CouncilNeighbourhood {
    /// Code of the neighbourhood (buurtcode).
    #[schema(example = "BU05992704")]
    pub code: String,
    /// First day on which it belonged to the council.
    pub from: NaiveDate,
    /// Last day on which it belonged to the council; null while it does.
    pub to: Option<NaiveDate>,
}

impl Council {
    /// The official name on a day, if the council existed then.
    pub fn name_on(&self, date: NaiveDate) -> Option<&str> {
        self.names.iter().find(|name| holds(date, name.from, name.to)).map(|name| name.name.as_str())
    }

    /// The council as it was on a day: its name then, the names up to then, and its neighbourhoods then.
    pub fn as_on(&self, date: NaiveDate) -> Option<Council> {
        let name = self.name_on(date)?.to_owned();
        Some(Council {
            name,
            names: self.names.iter().filter(|name| name.from <= date).cloned().collect(),
            neighbourhoods: self
                .neighbourhoods
                .iter()
                .filter(|n| holds(date, n.from, n.to))
                .cloned()
                .collect(),
            assignments: self.assignments.iter().filter(|a| holds(date, a.from, a.to)).cloned().collect(),
            ..self.clone()
        })
    }

    /// Whether this text is one of the council's names, present or former, in any spelling.
    pub fn is_called(&self, text: &str) -> bool {
        let wanted = name_key(text);
        !wanted.is_empty()
            && (self.names.iter().map(|dated| dated.name.as_str()))
                .chain(self.spellings.iter().map(String::as_str))
                .chain([self.name.as_str(), self.code.as_str()])
                .any(|name| name_key(name) == wanted)
    }
}

fn holds(date: NaiveDate, from: NaiveDate, to: Option<NaiveDate>) -> bool {
    from <= date && to.is_none_or(|to| date <= to)
}

/// What remains of a name when case, accents, punctuation, "en", a leading article and the word wijkraad or dorpsraad are taken away.
fn name_key(text: &str) -> String {
    let words = words(text);
    let mut rest = words.as_slice();
    while let [first, tail @ ..] = rest
        && matches!(first.folded.as_str(), "wykraad" | "dorpsraad" | "de" | "het" | "van")
    {
        rest = tail;
    }
    // A leading article can also stand inside, before the first part: "Wijkraad Het Lage Land".
    rest.iter().filter(|word| word.folded != "en").map(|word| word.folded.as_str()).collect()
}

/// A word of a text, and what stood before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// Lower case, without accents, ij as y.
    pub folded: String,
    /// As it was written.
    pub raw: String,
    /// What stands between the word before and this one.
    pub gap: String,
}

/// The words of a text. "e.a." and "m.b.t." are one word, and so is "auto's".
pub(crate) fn words(text: &str) -> Vec<Word> {
    let letters: Vec<char> = text.chars().collect();
    let at = |i: usize| letters.get(i).copied().unwrap_or(' ');
    let is_word = |c: char| c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c);
    let is_quote = |c: char| matches!(c, '\'' | '’' | '‘' | '`' | '´');
    let mut found: Vec<Word> = Vec::new();
    let mut gap = String::new();
    let mut i = 0;
    while i < letters.len() {
        if !is_word(at(i)) {
            gap.push(at(i));
            i += 1;
            continue;
        }
        let mut raw = String::new();
        while i < letters.len() {
            let single = raw.chars().count() == 1 || raw.contains('.');
            if is_word(at(i)) {
                raw.push(at(i));
            } else if is_quote(at(i)) && is_word(at(i + 1)) {
                // An apostrophe inside a word.
            } else if at(i) == '.' && single && at(i + 1).is_alphabetic() && !is_word(at(i + 2)) {
                raw.push('.');
            } else {
                break;
            }
            i += 1;
        }
        let folded = fold(&raw);
        if !folded.is_empty() {
            found.push(Word { folded, raw, gap: std::mem::take(&mut gap) });
        }
    }
    found
}

/// Letters and digits in lower case, without accents, and ij written as y (Heijplaat, Heyplaat).
pub(crate) fn fold(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => plain.push('a'),
            'è' | 'é' | 'ê' | 'ë' => plain.push('e'),
            'ì' | 'í' | 'î' | 'ï' => plain.push('i'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => plain.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => plain.push('u'),
            'ý' | 'ÿ' => plain.push('y'),
            'ç' => plain.push('c'),
            'ñ' => plain.push('n'),
            'ĳ' => plain.push_str("ij"),
            other if other.is_alphanumeric() => plain.push(other),
            _ => {}
        }
    }
    plain.replace("ij", "y")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::built_in;

    fn council(code: &str) -> Council {
        built_in().councils.into_iter().find(|c| c.code.as_str() == code).expect(code)
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect(text)
    }

    #[test]
    fn a_renamed_council_has_the_name_of_the_day() {
        let council = council("blijdorp-bergpolder-liskwartier");
        assert_eq!(council.name_on(day("2022-03-15")), None);
        assert_eq!(council.name_on(day("2023-10-31")), Some("Bergpolder-Blijdorp-Liskwartier"));
        assert_eq!(council.name_on(day("2023-11-01")), Some("Blijdorp-Bergpolder-Liskwartier"));
    }

    #[test]
    fn a_council_as_it_was_knows_no_later_name() {
        let council = council("carnisse-zuidplein-zuiderpark");
        let then = council.as_on(day("2023-01-01")).expect("it existed");
        assert_eq!(then.name, "Carnisse-Zuiderpark");
        assert_eq!(then.names.len(), 1);
        assert_eq!(then.neighbourhoods, council.neighbourhoods);
        assert_eq!(council.as_on(day("2021-01-01")), None);
    }

    #[test]
    fn a_council_is_called_by_any_spelling_or_former_name() {
        for (code, name) in [
            ("carnisse-zuidplein-zuiderpark", "carnisse zuiderpark"),
            ("carnisse-zuidplein-zuiderpark", "Wijkraad Carnisse – Zuidplein – Zuiderpark"),
            ("lage-land-prinsenland-en-s-gravenland", "HET LAGE LAND, PRINSENLAND EN ’S-GRAVENLAND"),
            ("lage-land-prinsenland-en-s-gravenland", "Lage Land Prinsenland s-gravenland"),
            ("heijplaat", "wijkraad Heyplaat"),
            ("groot-ijsselmonde-en-oud-ijsselmonde", "Groot IJsselmonde - Oud Ĳsselmonde"),
            ("rozenburg", "DRRb"),
            ("rozenburg", "de dorpsraad Rozenburg"),
            ("hoek-van-holland", "hoek-van-holland"),
        ] {
            assert!(council(code).is_called(name), "{name}");
        }
    }

    #[test]
    fn a_council_is_not_called_by_less_than_its_name() {
        for (code, name) in [
            ("kralingen", "Kralingseveer"),
            ("mathenesse", "Nieuw Mathenesse"),
            ("oud-charlois-wielewaal", "Charlois"),
            ("rozenburg", "wijkraad"),
            ("rozenburg", ""),
        ] {
            assert!(!council(code).is_called(name), "{name}");
        }
    }

    #[test]
    fn abbreviations_with_points_are_one_word() {
        let found: Vec<String> =
            words("Ommoord e.a. m.b.t. auto's in 's-Gravenland.").into_iter().map(|w| w.folded).collect();
        assert_eq!(found, ["ommoord", "ea", "mbt", "autos", "in", "s", "gravenland"]);
    }
}
