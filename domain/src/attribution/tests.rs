use proptest::prelude::*;

use super::*;
use crate::reference::built_in;

fn find(text: &str) -> Attribution {
    CouncilIndex::new(&built_in().councils).find(text, None)
}

fn codes(found: &Attribution) -> Vec<&str> {
    found.councils.iter().map(CouncilCode::as_str).collect()
}

#[track_caller]
fn names(text: &str, expected: &[&str]) {
    let found = find(text);
    assert_eq!(codes(&found), expected, "{text}: {found:?}");
    assert_eq!(found.problem, None, "{text}");
    assert!(!found.open_ended, "{text}: {found:?}");
}

#[track_caller]
fn names_nobody(text: &str) {
    let found = find(text);
    assert_eq!(codes(&found), [""; 0], "{text}: {found:?}");
    assert!(found.problem.is_some(), "{text}");
}

#[test]
fn a_council_is_found_before_its_subject() {
    names("Afschrift brief wijkraad Ommoord over een speeltuin", &["ommoord"]);
    names("Afschriftbrief van Wijkraad Tarwewijk inzake zwerfvuil", &["tarwewijk"]);
    names("Brief dorpsraad Hoek van Holland met gevraagd advies strandopgangen", &["hoek-van-holland"]);
    names("VERVALLEN: Afschrift brief van de wijkraad Pernis betreffende fijnstof", &["pernis"]);
    names("Bijlage 3 behorende bij 27bb000123 - Advies wijkraad Bloemhof", &["bloemhof"]);
    names("Ongevraagd advies van Beverwaard over de tramhalte", &["beverwaard"]);
    names("Advies speelplekken - wijkraad Vreewijk", &["vreewijk"]);
    names("Ongevraagd advies inzake speelplekken (wijkraad Vreewijk)", &["vreewijk"]);
    names("Wijkraad Hillesluis: meer bankjes", &["hillesluis"]);
    names(
        "Medeondertekening door wijkraad Feijenoord: Ongevraagd advies brug Noordereiland",
        &["feijenoord"],
    );
}

#[test]
fn a_list_of_parts_is_read_as_councils() {
    names(
        "brief wijkraad Cool, Scheepvaartkwartier, Stadsdriehoek, Oude Westen en Dijkzigt over terrassen",
        &["cool-scheepvaartkwartier-stadsdriehoek", "dijkzigt-oude-westen"],
    );
    names(
        "Brief wijkraad Zuidplein, Zuiderpark, Carnisse, Wielewaal en Oud Charlois over een zwembad",
        &["carnisse-zuidplein-zuiderpark", "oud-charlois-wielewaal"],
    );
    names(
        "Brief wijkraad Liskwartier, Blijdorp, Bergpolder, Provenierswijk, Agniesebuurt en Oude Noorden over bomen",
        &["blijdorp-bergpolder-liskwartier", "agniesebuurt-provenierswijk", "oude-noorden"],
    );
    names("wijkraden Kralingen en Crooswijk over de plas", &["kralingen", "crooswijk"]);
    names("wijkraden Hillegersberg-Schiebroek over de rotonde", &["hillegersberg", "schiebroek"]);
    names("brief wijkraad Pernis en dorpsraad Rozenburg over geluid", &["pernis", "rozenburg"]);
    names("brief wijkraad Pernis, mede namens wijkraad Hoogvliet, over geluid", &["pernis", "hoogvliet"]);
    names("brief wijkraad Pernis samen met wijkraad Hoogvliet over geluid", &["pernis", "hoogvliet"]);
    names(
        "Afschrift brief wijkraad Groot- en Oud-IJsselmonde over bomen",
        &["groot-ijsselmonde-en-oud-ijsselmonde"],
    );
}

#[test]
fn others_who_are_not_named_leave_the_list_open() {
    for text in [
        "Brief wijkraad Ommoord e.a. over de metro",
        "Brief Wijkraad Ommoord ea over de metro",
        "Brief wijkraad Ommoord en anderen over de metro",
        "Brief wijkraad Ommoord over gezamenlijk ongevraagd advies metro",
        "Gezamenlijke brief wijkraad Ommoord over de metro",
        "Brief wijkraden Ommoord over de metro",
        "Brief wijkraad Ommoord en de bewonersvereniging over de metro",
        "Brief wijkraad Ommoord ea en bewoners over de metro",
        "Ommoord e.a.",
    ] {
        let found = find(text);
        assert_eq!(codes(&found), ["ommoord"], "{text}: {found:?}");
        assert!(found.open_ended, "{text}: {found:?}");
    }
    let several = find("Brief wijkraad Ommoord, Nesselande en bewonersvereniging over de metro");
    assert_eq!((codes(&several), several.open_ended), (vec!["ommoord", "nesselande"], true));
    names("Brief wijkraad Ommoord over een gezamenlijke tuin", &["ommoord"]);
    names("Gezamenlijke brief wijkraden Ommoord en Nesselande over de metro", &["ommoord", "nesselande"]);
}

#[test]
fn abbreviations_are_known() {
    names("Ongevraagd advies WR OCW inzake een brug", &["oud-charlois-wielewaal"]);
    names("Advies WROCW inzake een brug", &["oud-charlois-wielewaal"]);
    names("Advies DRRb over geluid", &["rozenburg"]);
    names("Advies DR HvH over duinen", &["hoek-van-holland"]);
    names("Advies wijkraad BST over fietsen", &["bospolder-spangen-tussendijken"]);
    names("Advies wijkraad bst over fietsen", &["bospolder-spangen-tussendijken"]);
    names(
        "Advies WR OCW en WR CZZ over fietsen",
        &["oud-charlois-wielewaal", "carnisse-zuidplein-zuiderpark"],
    );
    names_nobody("Brief dr. Jansen over fietsen");
    names_nobody("Advies OCW over fietsen");
    names_nobody("Advies WR QXZ over fietsen");
}

#[test]
fn a_slip_of_the_pen_is_forgiven_where_only_one_council_is_near() {
    names(
        "wijkraden Tussenwijken Bospolder Spangen gevraagd advies over bomen",
        &["bospolder-spangen-tussendijken"],
    );
    names("Brief wijkraad Omoord over de metro", &["ommoord"]);
    names("Brief wijkraat Ommoord over de metro", &["ommoord"]);
    names("Brief wijkraad Agniesbuurt Provenierwijk over de metro", &["agniesebuurt-provenierswijk"]);
    names_nobody("Brief wijkraad Slangen over de metro");
    names_nobody("Brief wijkraad Barendrecht over de metro");
}

#[test]
fn places_in_the_subject_are_no_senders() {
    for text in [
        "Ongevraagd advies over verplaatsen tramhalte Lombardijen",
        "Advies inzake samenvoeging Witte Dorp en (nieuw-) Mathenesse",
        "Terugkeer watertaxi Feijenoord-Kralingen",
        "Brief van bewoners over de wijkraad Hoogvliet",
        "Brief van het college aan wijkraad Ommoord over bomen",
        "Beantwoording ongevraagd advies wijkraad Pernis",
        "Antwoord op advies wijkraad Pernis over geluid",
        "Reactie college op advies wijkraad Pernis",
        "Motie wijkraad Ommoord",
        "Herinrichting Rozenburg",
        "Pernis 2040",
        "",
        "wijkraad",
        "Brief gezamenlijke wijkraden over de begroting",
    ] {
        names_nobody(text);
    }
    names("Brief wijkraad Ommoord over samenwerking met wijkraad Zevenkamp", &["ommoord"]);
    names("Brief wijkraad Ommoord met advies over bushalte Beverwaard", &["ommoord"]);
    names("Brief wijkraad Ommoord: bushalte Beverwaard", &["ommoord"]);
    names("Reactie wijkraad Ommoord op antwoord over bomen", &["ommoord"]);
    names("Reactie op antwoord van wijkraad Ommoord over bomen", &["ommoord"]);
}

#[test]
fn an_area_or_half_a_name_is_not_guessed() {
    for text in [
        "Brief wijkraad Charlois over bomen",
        "Brief wijkraad Noord over bomen",
        "Brief wijkraad Zuid over bomen",
        "Brief wijkraad IJsselmonde over bomen",
        "Brief wijkraad Delfshaven over bomen",
        "Brief wijkraad Nieuw Mathenesse over bomen",
        "Brief wijkraad Oud Mathenesse over bomen",
        "Brief wijkraad Kralingen-Crooswijk over bomen",
        "Brief wijkraad Hillegersberg-Schiebroek over bomen",
        "Brief wijkraad Prins Alexander over bomen",
        "Brief wijkraad Hoogvliet Zuid over bomen",
        "Brief wijkraad Oude over bomen",
        "Brief wijkraad Ommoord-centrum over bomen",
        "Brief wijkraad Ommoord - Nesselande strand schoon",
        "Brief wijkraad Ommoord, Zwvenkqmp en Nesselande over bomen",
        "Kralingen-Crooswijk",
        "Charlois",
        "Katendrecht",
        "Cool",
    ] {
        names_nobody(text);
    }
    names("Brief wijkraad Kralingseveer over bomen", &["kralingseveer"]);
    names("Brief wijkraad Kralingen over bomen", &["kralingen"]);
    names("Brief wijkraad Mathenesse over bomen", &["mathenesse"]);
    names("Brief wijkraad Feijenoord over bomen", &["feijenoord"]);
}

#[test]
fn one_part_is_enough_where_it_is_nobody_elses_and_the_reason_says_so() {
    for (text, code) in [
        ("Brief wijkraad Spangen over bomen", "bospolder-spangen-tussendijken"),
        ("Brief wijkraad Groot-IJsselmonde over bomen", "groot-ijsselmonde-en-oud-ijsselmonde"),
        ("Brief wijkraad Het Lage Land over bomen", "lage-land-prinsenland-en-s-gravenland"),
    ] {
        let found = find(text);
        assert_eq!(codes(&found), [code], "{text}: {found:?}");
        assert!(found.why[0].contains("part of its name"), "{found:?}");
    }
}

#[test]
fn a_council_that_did_not_exist_on_the_day_sent_nothing() {
    let index = CouncilIndex::new(&built_in().councils);
    assert!(index.find("Brief wijkraad Pernis over geluid", "2021-06-01".parse().ok()).problem.is_some());
    assert_eq!(index.find("Brief wijkraad Pernis over geluid", "2022-06-01".parse().ok()).problem, None);
}

fn parts(code: &str) -> Vec<String> {
    let council = built_in().councils.into_iter().find(|c| c.code.as_str() == code).expect(code);
    let listed = council.name.contains(',') || council.name.contains(" en ");
    let separators: &[&str] = if listed { &[", ", " en "] } else { &["-"] };
    let mut parts = vec![council.name];
    for separator in separators {
        parts =
            parts.iter().flat_map(|p| p.split(separator).map(str::to_owned).collect::<Vec<_>>()).collect();
    }
    parts
}

fn permutations(of: &[String]) -> Vec<Vec<String>> {
    if of.len() <= 1 {
        return vec![of.to_vec()];
    }
    (0..of.len())
        .flat_map(|i| {
            let mut rest = of.to_vec();
            let first = rest.remove(i);
            permutations(&rest).into_iter().map(move |mut tail| {
                tail.insert(0, first.clone());
                tail
            })
        })
        .collect()
}

#[test]
fn every_council_is_found_however_its_name_is_written() {
    let councils = built_in().councils;
    let index = CouncilIndex::new(&councils);
    for council in &councils {
        for order in permutations(&parts(council.code.as_str())) {
            for separator in
                ["-", " - ", " – ", "–", "—", ", ", ",", " ", "/", " / ", " & ", " en ", " , ", "; "]
            {
                let name = order.join(separator);
                for name in
                    [name.clone(), name.to_uppercase(), name.to_lowercase(), name.replace("'s-", "’s ")]
                {
                    for text in [
                        name.clone(),
                        format!("Dorpsraad {name}"),
                        format!("Afschrift brief Wijkraad {name} over bushalte Slikveld"),
                        format!("WIJKRAAD {name}: zwerfvuil"),
                    ] {
                        let found = index.find(&text, None);
                        assert_eq!(codes(&found), [council.code.as_str()], "{text}: {found:?}");
                        assert!(!found.open_ended, "{text}");
                    }
                }
            }
        }
        for name in council.names.iter().map(|n| &n.name).chain(&council.spellings) {
            assert_eq!(codes(&index.find(name, None)), [council.code.as_str()], "{name}");
        }
    }
}

#[test]
fn every_pair_of_councils_is_found_in_the_order_of_the_text() {
    let councils = built_in().councils;
    let index = CouncilIndex::new(&councils);
    for first in &councils {
        for second in councils.iter().filter(|second| second.code != first.code) {
            for text in [
                format!("brief wijkraden {} en {} over bomen", first.name, second.name),
                format!("brief wijkraad {}, wijkraad {} inzake bomen", first.name, second.name),
            ] {
                let found = index.find(&text, None);
                assert_eq!(found.councils, [first.code.clone(), second.code.clone()], "{text}: {found:?}");
            }
        }
    }
}

/// All texts that differ from this one by one letter in a word of at least six.
fn slips_of(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let long = |at: usize| {
        let start = (0..at).rev().take_while(|&i| letters[i].is_alphabetic()).last().unwrap_or(at);
        letters[start..].iter().take_while(|c| c.is_alphabetic()).count() >= 6
    };
    let mut slips = Vec::new();
    for at in (0..letters.len()).filter(|&at| letters[at].is_alphabetic() && long(at)) {
        let text = |middle: &str| {
            letters[..at].iter().collect::<String>() + middle + &letters[at + 1..].iter().collect::<String>()
        };
        slips.push(text(""));
        for other in ['a', 'e', 'j', 'k', 'm', 'n', 's', 'z'] {
            slips.push(text(&other.to_string()));
            slips.push(text(&format!("{}{other}", letters[at])));
        }
    }
    slips
}

#[test]
fn a_wrong_letter_never_makes_it_another_council() {
    let councils = built_in().councils;
    let index = CouncilIndex::new(&councils);
    let (mut found_count, mut all) = (0, 0);
    for council in &councils {
        for slip in slips_of(&council.name) {
            for text in [format!("Brief wijkraad {slip} over bomen"), slip.clone()] {
                let found = index.find(&text, None);
                assert!(found.councils.iter().all(|code| *code == council.code), "{text}: {found:?}");
                found_count += found.councils.len();
                all += 1;
            }
        }
    }
    assert!(found_count * 10 > all * 8, "only {found_count} of {all} slips were forgiven");
}

const DUTCH: &str = "fiets zuiden park plein polder dorp eiland haven spoor overschot \
    bloemen krap veer kamer wijk buurt schoolplein vergunning winkelstraat ouderen \
    jongeren parkeren landje hoek holland oost west nieuwe oude groot lage bergen liskant \
    spannen pendel kathedraal vrijheid omwonenden zevende nestkast rozen perron heilig \
    beverrat afrika prinses cultuur gravel middel mattheus schiereiland hooggelegen \
    kern carnaval zuidrand dijken bosbes entree";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn other_words_name_nobody(chosen in proptest::collection::vec(proptest::sample::select(DUTCH.split(' ').collect::<Vec<_>>()), 1..5)) {
        let text = chosen.join(" ");
        for text in [text.clone(), format!("Brief wijkraad {text} over bomen"), format!("Advies over {text}"), format!("Wijkraad {text}")] {
            let found = find(&text);
            prop_assert!(found.councils.is_empty(), "{text}: {found:?}");
            prop_assert!(found.problem.is_some());
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,80}", tail in "[a-zA-Z'’.,:()& -]{0,60}") {
        for text in [text.clone(), format!("wijkraad {text}"), format!("wijkraad Ommoord {tail}"), format!("{tail} WR {text}")] {
            let found = find(&text);
            prop_assert_eq!(found.councils.is_empty(), found.problem.is_some());
        }
    }
}
