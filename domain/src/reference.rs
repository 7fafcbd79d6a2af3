//! Reference data that comes with the software: councils, areas, neighbourhoods, clusters, themes and terms of office.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{CouncilKind, RuleStatus};
use crate::council::{Council, CouncilNeighbourhood, DatedName};
use crate::ids::{AreaCode, ClusterCode, CouncilCode, ThemeCode};

/// An area (gebied) of the city in which people live; there are fourteen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Area {
    /// Stable code.
    pub code: AreaCode,
    /// The name.
    #[schema(example = "Rotterdam Centrum")]
    pub name: String,
}

/// A neighbourhood (CBS-buurt).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Neighbourhood {
    /// Code of the national statistics office (buurtcode).
    #[schema(example = "BU05990110")]
    pub code: String,
    /// The name.
    #[schema(example = "Stadsdriehoek")]
    pub name: String,
    /// Code of the statistical district (wijkcode) in which it lies.
    #[schema(example = "WK059901")]
    pub wijk_code: String,
    /// The area (gebied); null in a port or business area.
    pub area: Option<AreaCode>,
    /// Name of the port or business area (haven- of bedrijvengebied); null elsewhere.
    #[schema(example = "Waalhaven-Eemhaven")]
    pub port_area: Option<String>,
    /// The council (wijkraad) it belongs to now; null where nobody is represented by one.
    pub council: Option<CouncilCode>,
    /// Whether the assignment to the council is in doubt (onzeker).
    pub doubtful: bool,
    /// Why it is in doubt, or another remark (toelichting).
    pub note: Option<String>,
}

/// A cluster of the municipal organisation (cluster).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Stable code.
    pub code: ClusterCode,
    /// The Dutch name.
    #[schema(example = "Stadsontwikkeling")]
    pub name: String,
}

/// What an advice is about (thema).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Theme {
    /// Stable code.
    pub code: ThemeCode,
    /// Dutch label (Nederlands).
    #[schema(example = "Mobiliteit en openbaar vervoer")]
    pub dutch: String,
    /// English label.
    #[schema(example = "Mobility and public transport")]
    pub english: String,
}

/// A term of office of the councils (zittingsperiode).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermOfOffice {
    /// Stable code.
    #[schema(example = "2022-2026")]
    pub code: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day; null while it is not known.
    pub to: Option<NaiveDate>,
}

/// An obligation and its first day (verplichting), as data: the day an ordinance brings it, and whether it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Obligation {
    /// Stable code.
    #[schema(example = "participation-plan")]
    pub code: String,
    /// First day: it holds for what began on it or later.
    pub from: NaiveDate,
    /// The legal ground (grondslag).
    pub ground: String,
    /// On what it rests.
    pub status: RuleStatus,
}

/// The code of the obligation to make a participation plan for new policy.
pub const PARTICIPATION_PLAN: &str = "participation-plan";

/// The obligations that a register starts with.
pub fn built_in_obligations() -> Vec<Obligation> {
    vec![Obligation {
        code: PARTICIPATION_PLAN.to_owned(),
        // The day of the letter that announces it.
        from: NaiveDate::from_ymd_opt(2025, 4, 22).unwrap_or(crate::calendar::FIRST_DAY),
        ground: "Assumption: the letter of 22 April 2025 (M2404-1809) proposes to make a participation plan mandatory for new \
                 policy in the new participation ordinance; the day on which that ordinance comes into force is not known."
            .to_owned(),
        status: RuleStatus::Assumption,
    }]
}

/// All reference data that comes with the software.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The councils (wijkraden en dorpsraden).
    pub councils: Vec<Council>,
    /// The areas (gebieden).
    pub areas: Vec<Area>,
    /// The neighbourhoods (CBS-buurten).
    pub neighbourhoods: Vec<Neighbourhood>,
    /// The clusters of the organisation.
    pub clusters: Vec<Cluster>,
    /// The themes (thema's).
    pub themes: Vec<Theme>,
    /// The terms of office (zittingsperiodes), oldest first.
    pub terms_of_office: Vec<TermOfOffice>,
}

/// The reference data of the first start.
pub fn built_in() -> Reference {
    let neighbourhoods =
        read::<NeighbourhoodRecord>("neighbourhoods.csv", include_str!("../data/neighbourhoods.csv"));
    let mut names: BTreeMap<CouncilCode, Vec<DatedName>> = BTreeMap::new();
    let mut spellings: BTreeMap<CouncilCode, Vec<String>> = BTreeMap::new();
    for record in read::<NameRecord>("council_names.csv", include_str!("../data/council_names.csv")) {
        let NameRecord { council, name, from, to, kind } = record;
        match (kind, from) {
            (NameKind::Official, Some(from)) => {
                names.entry(council).or_default().push(DatedName { name, from, to })
            }
            (NameKind::Official, None) => {
                panic!("council_names.csv: {name} is official and has no first day")
            }
            (NameKind::Spelling, _) => spellings.entry(council).or_default().push(name),
        }
    }
    let councils = read::<CouncilRecord>("councils.csv", include_str!("../data/councils.csv"))
        .into_iter()
        .map(|CouncilRecord { code, name, kind, area }| Council {
            names: names.remove(&code).unwrap_or_default(),
            spellings: spellings.remove(&code).unwrap_or_default(),
            neighbourhoods: (neighbourhoods.iter())
                .filter(|n| n.council.as_ref() == Some(&code))
                .filter_map(|n| {
                    Some(CouncilNeighbourhood { code: n.code.clone(), from: n.council_from?, to: None })
                })
                .collect(),
            assignments: Vec::new(),
            code,
            name,
            kind,
            area,
        })
        .collect();
    Reference {
        councils,
        areas: read("areas.csv", include_str!("../data/areas.csv")),
        neighbourhoods: neighbourhoods.into_iter().map(Neighbourhood::from).collect(),
        clusters: read("clusters.csv", include_str!("../data/clusters.csv")),
        themes: read("themes.csv", include_str!("../data/themes.csv")),
        terms_of_office: read("terms_of_office.csv", include_str!("../data/terms_of_office.csv")),
    }
}

// The files are part of the program: a fault in them is a fault in the program, and a test holds that there is none.
fn read<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Vec<T> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap_or_else(|fault| panic!("{file}: {fault}"))
}

#[derive(Deserialize)]
struct CouncilRecord {
    code: CouncilCode,
    name: String,
    kind: CouncilKind,
    area: AreaCode,
}

#[derive(Deserialize)]
struct NameRecord {
    council: CouncilCode,
    name: String,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    kind: NameKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum NameKind {
    Official,
    Spelling,
}

#[derive(Deserialize)]
struct NeighbourhoodRecord {
    code: String,
    name: String,
    wijk_code: String,
    area: Option<AreaCode>,
    port_area: Option<String>,
    council: Option<CouncilCode>,
    council_from: Option<NaiveDate>,
    doubtful: Option<Doubtful>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Doubtful {
    Yes,
}

impl From<NeighbourhoodRecord> for Neighbourhood {
    fn from(record: NeighbourhoodRecord) -> Self {
        let NeighbourhoodRecord {
            code,
            name,
            wijk_code,
            area,
            port_area,
            council,
            council_from: _,
            doubtful,
            note,
        } = record;
        Self { code, name, wijk_code, area, port_area, council, doubtful: doubtful.is_some(), note }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_city_has_39_councils_of_which_two_are_dorpsraden() {
        let Reference { councils, areas, neighbourhoods, clusters, themes, terms_of_office } = built_in();
        assert_eq!(councils.len(), 39);
        assert_eq!(councils.iter().filter(|c| c.kind == CouncilKind::Wijkraad).count(), 37);
        assert_eq!(areas.len(), 14);
        assert_eq!(neighbourhoods.len(), 91);
        assert_eq!(neighbourhoods.iter().filter(|n| n.council.is_none()).count(), 14);
        assert_eq!(clusters.len(), 7);
        assert_eq!(themes.len(), 13);
        assert_eq!(terms_of_office.len(), 2);
    }

    #[test]
    fn every_council_has_buurten_and_they_lie_in_its_area() {
        let reference = built_in();
        for council in &reference.councils {
            assert!(!council.neighbourhoods.is_empty(), "{}", council.code);
            for part in &council.neighbourhoods {
                let buurt =
                    reference.neighbourhoods.iter().find(|n| n.code == part.code).expect("a known buurt");
                assert_eq!(buurt.area.as_ref(), Some(&council.area), "{}", buurt.name);
                assert_eq!(buurt.council.as_ref(), Some(&council.code));
            }
        }
    }

    #[test]
    fn every_buurt_lies_in_a_known_area_or_in_a_port_area() {
        let reference = built_in();
        let areas: BTreeSet<_> = reference.areas.iter().map(|a| &a.code).collect();
        let councils: BTreeSet<_> = reference.councils.iter().map(|c| &c.code).collect();
        for buurt in &reference.neighbourhoods {
            assert_ne!(buurt.area.is_some(), buurt.port_area.is_some(), "{}", buurt.name);
            assert!(buurt.area.iter().all(|area| areas.contains(area)), "{}", buurt.name);
            assert!(buurt.council.iter().all(|council| councils.contains(council)), "{}", buurt.name);
            assert_eq!(buurt.doubtful, buurt.note.is_some(), "{}", buurt.name);
        }
        assert_eq!(reference.neighbourhoods.iter().filter(|n| n.doubtful).count(), 2);
    }

    #[test]
    fn codes_are_unique() {
        let Reference { councils, areas, neighbourhoods, clusters, themes, terms_of_office } = built_in();
        fn unique<T: Ord>(codes: Vec<T>) {
            let all = codes.len();
            assert_eq!(codes.into_iter().collect::<BTreeSet<_>>().len(), all);
        }
        unique(councils.iter().map(|c| &c.code).collect());
        unique(areas.iter().map(|c| &c.code).collect());
        unique(neighbourhoods.iter().map(|c| &c.code).collect());
        unique(clusters.iter().map(|c| &c.code).collect());
        unique(themes.iter().map(|c| &c.code).collect());
        unique(terms_of_office.iter().map(|c| &c.code).collect());
    }

    #[test]
    fn names_follow_each_other_without_hole_or_overlap_and_the_last_is_current() {
        for council in built_in().councils {
            let last = council.names.last().expect("a name");
            assert_eq!((last.name.as_str(), last.to), (council.name.as_str(), None));
            assert_eq!(council.names[0].from, built_in().terms_of_office[0].from);
            for pair in council.names.windows(2) {
                assert_eq!(pair[0].to.and_then(|to| to.succ_opt()), Some(pair[1].from), "{}", council.code);
            }
        }
    }

    #[test]
    fn no_spelling_is_of_two_councils() {
        let reference = built_in();
        for council in &reference.councils {
            for name in council.spellings.iter().chain([&council.name]) {
                let called: Vec<_> =
                    reference.councils.iter().filter(|c| c.is_called(name)).map(|c| &c.code).collect();
                assert_eq!(called, [&council.code], "{name}");
            }
        }
    }
}
