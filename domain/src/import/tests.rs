use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::*;
use crate::attribution::CouncilIndex;
use crate::codes::AdviceKind;
use crate::ids::{AdviceId, CouncilCode};
use crate::reference::built_in;

/// Carries a plan out on a list of advice, as the database would.
fn carry_out(decisions: &[Decision], known: &mut Vec<KnownAdvice>) {
    let mut made: BTreeMap<usize, AdviceId> = BTreeMap::new();
    for (place, decision) in decisions.iter().enumerate() {
        let id_of = |target: &Target| match target {
            Target::Existing(id) => *id,
            Target::NewInThisFile(place) => made[place],
        };
        fn of(known: &mut [KnownAdvice], id: AdviceId) -> &mut KnownAdvice {
            known.iter_mut().find(|advice| advice.id == id).expect("a known advice")
        }
        match &decision.action {
            Action::Create(new) => {
                let id = AdviceId(Uuid::from_u128(1 + made.len() as u128 + 1000 * known.len() as u128));
                made.insert(place, id);
                known.push(KnownAdvice {
                    id,
                    lead: new.lead.clone(),
                    cosigners: new.cosigners.clone(),
                    kind: new.kind,
                    titles: vec![new.subject.clone()],
                    listed_on: new.listed_on,
                    references: (new.references.iter().cloned())
                        .map(|reference| KnownReference { reference, council: Some(new.lead.clone()) })
                        .collect(),
                    answer: new
                        .answered_on
                        .map(|answered_on| KnownAnswer { answered_on, references: Vec::new() }),
                    void: new.void_reason.is_some(),
                    registered: true,
                });
            }
            Action::JoinReference { advice, joined } => {
                let advice = of(known, id_of(advice));
                let Joined { reference, council, kind, subject, listed_on, cosigners, .. } = joined.as_ref();
                advice
                    .references
                    .push(KnownReference { reference: reference.clone(), council: Some(council.clone()) });
                advice.kind = kind.unwrap_or(advice.kind);
                advice.titles.extend(subject.clone());
                advice.listed_on = listed_on.or(advice.listed_on);
                advice.cosigners.extend(cosigners.iter().cloned());
            }
            Action::AddCosigner { advice, council, reference } => {
                let advice = of(known, id_of(advice));
                advice.cosigners.push(council.clone());
                advice
                    .references
                    .push(KnownReference { reference: reference.clone(), council: Some(council.clone()) });
            }
            Action::BecomesCosignature { advice, of: lead, council, reference } => {
                let gone = id_of(advice);
                let place = known.iter().position(|advice| advice.id == gone).expect("a known advice");
                let gone = known.remove(place);
                let lead = of(known, id_of(lead));
                lead.references.extend(gone.references);
                lead.references
                    .push(KnownReference { reference: reference.clone(), council: Some(council.clone()) });
                if !lead.cosigners.contains(council) {
                    lead.cosigners.push(council.clone());
                }
            }
            Action::Answer { advice, answered_on, answer_reference } => {
                let references = answer_reference.iter().cloned().collect();
                of(known, id_of(advice)).answer = Some(KnownAnswer { answered_on: *answered_on, references });
            }
            Action::AnswerReference { advice, answer_reference } => {
                if let Some(answer) = &mut of(known, id_of(advice)).answer {
                    answer.references.push(answer_reference.clone());
                }
            }
            Action::Withdraw { advice, .. } => of(known, id_of(advice)).void = true,
            Action::Unchanged { .. } | Action::Unplaced { .. } => {}
        }
    }
}

const RAAD: &str = "externalid,title,registrationdate,portefeuillehouder,url\n";
const WIJKRAAD: &str = "title,registrationdate,wijk,wethouder,datumantwoord,url\n";

fn index() -> CouncilIndex {
    CouncilIndex::new(&built_in().councils)
}

/// A row of the raad list; the last digits of number and guid are `n`.
fn raad(n: u32, title: &str, date: &str) -> String {
    format!(
        "27bb{n:06} ,\"{title}\",{date},A. Voorbeeld,https://raad.example/Item/00000000-0000-0000-0001-{n:012}\n"
    )
}

fn wijk(n: u32, title: &str, date: &str, council: &str) -> String {
    wijk_answered(n, title, date, council, "")
}

fn wijk_answered(n: u32, title: &str, date: &str, council: &str, answered: &str) -> String {
    format!(
        "\"{title}\",{date},\"{council}\",,{answered},https://wijk.example/Item/00000000-0000-0000-0002-{n:012}\n"
    )
}

fn raad_file(rows: &[String]) -> ListFile {
    parse_raad(format!("{RAAD}{}", rows.concat()).as_bytes()).expect("a readable file")
}

fn wijk_file(rows: &[String]) -> ListFile {
    parse_wijkraad(format!("{WIJKRAAD}{}", rows.concat()).as_bytes()).expect("a readable file")
}

fn answers(rows: &str) -> ListFile {
    parse_answers(format!("advice_reference,answer_reference,answered_on\n{rows}").as_bytes())
        .expect("a readable file")
}

/// Imports files one after the other; then all once more, which must change nothing and place nothing otherwise.
fn import(files: &[&ListFile]) -> (Vec<KnownAdvice>, Vec<Vec<Decision>>) {
    let index = index();
    let mut known = Vec::new();
    let mut plans = Vec::new();
    for file in files {
        let decisions = plan(file, &known, &index);
        carry_out(&decisions, &mut known);
        assert_rerun_is_quiet(file, &known, &decisions);
        plans.push(decisions);
    }
    (known, plans)
}

fn assert_rerun_is_quiet(file: &ListFile, known: &[KnownAdvice], first: &[Decision]) {
    for decision in plan(file, known, &index()) {
        match &decision.action {
            Action::Unchanged { .. } => {}
            Action::Unplaced { .. } => {
                let same = first.iter().any(|d| d.line == decision.line && d.action == decision.action);
                assert!(
                    same,
                    "second run: {decision:?}, first: {:?}",
                    first.iter().find(|d| d.line == decision.line)
                );
            }
            _ => panic!("a second run changes something: {decision:?}"),
        }
    }
}

/// What stands in the end, whatever ids it got.
fn summary(known: &[KnownAdvice]) -> BTreeSet<String> {
    (known.iter())
        .map(|advice| {
            let KnownAdvice {
                id: _,
                lead,
                cosigners,
                kind,
                titles: _,
                listed_on,
                references,
                answer,
                void,
                registered: _,
            } = advice;
            let cosigners: BTreeSet<_> = cosigners.iter().map(CouncilCode::as_str).collect();
            let references: BTreeSet<_> = references.iter().map(|k| k.reference.value.as_str()).collect();
            let answered = answer.as_ref().map(|a| a.answered_on);
            format!("{lead} {cosigners:?} {kind} {listed_on:?} {references:?} {answered:?} {void}")
        })
        .collect()
}

/// Imports both lists in both orders, which must end the same.
fn import_both(raad: &[String], wijk: &[String]) -> Vec<KnownAdvice> {
    let (raad, wijk) = (raad_file(raad), wijk_file(wijk));
    let (known, _) = import(&[&raad, &wijk]);
    let (other, _) = import(&[&wijk, &raad]);
    assert_eq!(summary(&known), summary(&other));
    known
}

fn reading(file: &ListFile) -> Result<RowReading, String> {
    match &file.rows[0].content {
        RowContent::Listed(row) => read_row(row, &index()),
        other => panic!("{other:?}"),
    }
}

fn read_raad(title: &str) -> RowReading {
    reading(&raad_file(&[raad(1, title, "2027-02-01")])).expect(title)
}

fn reasons(decisions: &[Decision]) -> Vec<(u64, &str)> {
    (decisions.iter())
        .filter_map(|d| match &d.action {
            Action::Unplaced { reason } => Some((d.line, reason.as_str())),
            _ => None,
        })
        .collect()
}

#[test]
fn the_kind_is_read_from_the_title() {
    for (title, kind) in [
        ("Afschrift brief wijkraad Ommoord over een hondenveld", AdviceKind::Letter),
        ("Afschrift brief wijkraad Ommoord over ongevraagd advies hondenveld", AdviceKind::Unsolicited),
        (
            "Afschrift brief wijkraad Ommoord met ongevraagd advies over een hondenveld",
            AdviceKind::Unsolicited,
        ),
        (
            "Afschriftbrief wijkraad Ommoord ea over gezamenlijk opgevraagd advies hondenveld",
            AdviceKind::Unsolicited,
        ),
        ("Afschrift brief wijkraad Ommoord over gevraagd advies inzake hondenveld", AdviceKind::Solicited),
        ("Brief wijkraad Ommoord met gevraagd advies hondenveld", AdviceKind::Solicited),
        ("Bijlage 4 behorende bij 27bb000777 - Advies wijkraad Ommoord", AdviceKind::Solicited),
        ("Brief wijkraad Ommoord over Consultatie wijkraden hondenveld", AdviceKind::Consultation),
        ("Brief wijkraad Ommoord over zienswijze ontwerpbesluit hondenveld", AdviceKind::Viewpoint),
        ("Zienswijze wijkraad Ommoord hondenveld", AdviceKind::Viewpoint),
        ("Afschrift brandbrief wijkraad Ommoord over een hondenveld", AdviceKind::UrgentLetter),
        (
            "Brief wijkraad Ommoord over het uitblijven van antwoord op ongevraagd advies hondenveld",
            AdviceKind::Letter,
        ),
        ("Brief wijkraad Ommoord over brandbrief van bewoners", AdviceKind::Letter),
        ("Advies wijkraad Ommoord over een hondenveld", AdviceKind::Unsolicited),
    ] {
        assert_eq!(read_raad(title).kind, kind, "{title}");
    }
}

#[test]
fn a_row_of_the_own_list_is_unsolicited_unless_it_says_otherwise() {
    let of = |title| reading(&wijk_file(&[wijk(1, title, "2027-02-01", "Ommoord")])).expect(title).kind;
    assert_eq!(of("Hondenveld aan de rand"), AdviceKind::Unsolicited);
    assert_eq!(of("Gevraagd advies hondenveld"), AdviceKind::Solicited);
}

#[test]
fn void_annex_and_second_round_are_seen() {
    let void = read_raad("VERVALLEN: Afschrift brief wijkraad Ommoord over een hondenveld");
    assert!(void.void);
    assert_eq!(void.subject, "Afschrift brief wijkraad Ommoord over een hondenveld");
    assert!(!read_raad("Afschrift brief wijkraad Ommoord over vervallen parkeerplaatsen").void);
    let annex = read_raad("Bijlage 4 behorende bij 27bb000777 - Advies wijkraad Ommoord");
    assert_eq!((annex.annex_to.as_deref(), annex.topic.as_str()), (Some("27bb000777"), ""));
    let again = read_raad("Brief wijkraad Ommoord met reactie op antwoord ongevraagd advies hondenveld");
    assert!(again.second_round);
    assert_eq!((again.kind, again.topic.as_str()), (AdviceKind::Unsolicited, "hondenveld"));
}

#[test]
fn the_field_counts_and_a_title_that_contradicts_it_is_unplaced() {
    let read = |title, field| reading(&wijk_file(&[wijk(1, title, "2027-02-01", field)]));
    assert_eq!(
        read("Ongevraagd advies WR OCW inzake een brug", "Oud Charlois-Wielewaal")
            .expect("one")
            .lead
            .as_str(),
        "oud-charlois-wielewaal"
    );
    assert_eq!(read("Advies wijkraad Ommoord inzake een brug", "").expect("one").lead.as_str(), "ommoord");
    assert_eq!(
        read("Terugkeer watertaxi Feijenoord-Kralingen", "Pernis").expect("one").lead.as_str(),
        "pernis"
    );
    assert!(read("Advies wijkraad Ommoord inzake een brug", "Zevenkamp").is_err());
    assert!(read("Terugkeer watertaxi Feijenoord-Kralingen", "").is_err());
    assert!(read("Een brug", "Charlois").is_err());
}

#[test]
fn the_two_records_of_one_advice_become_one_in_either_order() {
    let known = import_both(
        &[
            raad(
                1,
                "Afschrift brief van Wijkraad Zevenkamp over goedkoper zwemmen voor scholieren en een badmuts",
                "2027-03-04",
            ),
            raad(
                2,
                "Brief wijkraad Tarwewijk met ongevraagd advies inzake lekkage bij De Groot Metaal",
                "2027-03-05",
            ),
        ],
        &[
            wijk(1, "Goedkoper zwemmen voor scholieren en een badmuts", "2027-03-02", "Zevenkamp"),
            wijk(
                2,
                "Ongevraagd advies WR Tarwewijk inzake lekkage bij De Groot Metaal",
                "2027-03-15",
                "Tarwewijk",
            ),
        ],
    );
    assert_eq!(known.len(), 2);
    assert!(
        known.iter().all(|advice| advice.kind == AdviceKind::Unsolicited && advice.references.len() == 2)
    );
}

#[test]
fn a_cosignature_ends_the_same_in_either_order() {
    let lead = "meer haltes en langere rijtijden pendelbus Heijplaat-Pernis";
    let known = import_both(
        &[
            raad(3, &format!("Brief wijkraad Heijplaat met ongevraagd advies over {lead}"), "2027-05-06"),
            raad(4, "Brief wijkraad Pernis over opheffen fietspad Pernis", "2027-05-05"),
            raad(5, &format!("Brief wijkraad Pernis met ongevraagd advies over {lead}"), "2027-05-01"),
        ],
        &[
            wijk(
                6,
                "Medeondertekening door wijkraad Heijplaat: Ongevraagd advies Pendelbus Heijplaat-Pernis",
                "2027-05-06",
                "Heijplaat",
            ),
            wijk(7, "Meer haltes en langere rijtijden pendelbus Heijplaat-Pernis", "2027-05-01", "Pernis"),
        ],
    );
    assert_eq!(known.len(), 2);
    let bus = known.iter().find(|advice| advice.references.len() == 4).expect("all four rows on one advice");
    assert_eq!(
        (bus.lead.as_str(), bus.cosigners[0].as_str(), bus.cosigners.len()),
        ("pernis", "heijplaat", 1)
    );
}

#[test]
fn a_cosignature_ends_the_same_where_nobody_kept_whose_row_brought_a_reference() {
    let lists = [
        raad_file(&[
            raad(
                3,
                "Brief wijkraad Heijplaat met ongevraagd advies over langere rijtijden pendelbus",
                "2027-05-06",
            ),
            raad(
                5,
                "Brief wijkraad Pernis met ongevraagd advies over langere rijtijden pendelbus",
                "2027-05-01",
            ),
        ]),
        wijk_file(&[
            wijk(
                6,
                "Medeondertekening door wijkraad Heijplaat: Langere rijtijden pendelbus",
                "2027-05-06",
                "Heijplaat",
            ),
            wijk(7, "Langere rijtijden pendelbus", "2027-05-01", "Pernis"),
        ]),
    ];
    for order in [[0, 1], [1, 0]] {
        let mut known = Vec::new();
        for place in order {
            let decisions = plan(&lists[place], &known, &index());
            carry_out(&decisions, &mut known);
            known.iter_mut().flat_map(|advice| &mut advice.references).for_each(|known| known.council = None);
            assert_rerun_is_quiet(&lists[place], &known, &decisions);
        }
        assert_eq!(
            (known.len(), known[0].lead.as_str(), known[0].references.len()),
            (1, "pernis", 4),
            "{known:?}"
        );
    }
}

#[test]
fn a_cosignature_waits_for_its_advice() {
    let own = wijk_file(&[wijk(
        1,
        "Medeondertekening door wijkraad Ommoord: Ongevraagd advies hondenveld aan de plas",
        "2027-05-06",
        "Ommoord",
    )]);
    let list = raad_file(&[raad(
        1,
        "Brief wijkraad Zevenkamp met ongevraagd advies over hondenveld aan de plas",
        "2027-05-01",
    )]);
    let (known, plans) = import(&[&own, &list, &own]);
    assert_eq!(reasons(&plans[0]), [(2, "lead's advice not found")]);
    assert!(
        matches!(&plans[2][0].action, Action::AddCosigner { council, .. } if council.as_str() == "ommoord")
    );
    assert_eq!(known.len(), 1);
}

#[test]
fn councils_that_were_all_asked_answer_each_for_themselves() {
    let title = |council| {
        format!("Brief wijkraad {council} met gevraagd advies over nieuwe regels voor deelscooters")
    };
    let known = import_both(
        &[
            raad(1, &title("Ommoord"), "2027-06-01"),
            raad(2, &title("Zevenkamp"), "2027-06-01"),
            raad(3, &title("Pernis"), "2027-06-03"),
        ],
        &[wijk(4, "Nieuwe regels deelscooters", "2027-06-02", "Zevenkamp")],
    );
    assert_eq!(known.len(), 3);
    // Whose advice the fourth council co-signs cannot be told.
    let list =
        raad_file(&[raad(1, &title("Ommoord"), "2027-06-01"), raad(2, &title("Zevenkamp"), "2027-06-01")]);
    let own = wijk_file(&[wijk(
        9,
        "Medeondertekening door wijkraad Pernis: nieuwe regels deelscooters",
        "2027-06-02",
        "Pernis",
    )]);
    let (known, plans) = import(&[&list, &own]);
    assert!(reasons(&plans[1])[0].1.contains("27bb000001 (ommoord) or 27bb000002 (zevenkamp)"), "{plans:?}");
    assert_eq!(known.len(), 2);
}

#[test]
fn other_days_years_places_or_kinds_are_not_joined() {
    let far = import_both(
        &[raad(1, "Brief wijkraad Ommoord over hondenveld aan de plas", "2027-05-01")],
        &[wijk(1, "Hondenveld aan de plas", "2027-05-16", "Ommoord")],
    );
    assert_eq!(far.len(), 2);
    let year = import_both(
        &[raad(1, "Brief wijkraad Ommoord over onderhoud singel 2027", "2027-05-01")],
        &[wijk(1, "Onderhoud singel 2028", "2027-05-01", "Ommoord")],
    );
    assert_eq!(year.len(), 2);
    let place = import_both(
        &[raad(1, "Brief wijkraad Oud Charlois Wielewaal over fietspad Oud Charlois", "2027-05-01")],
        &[wijk(1, "Speeltuin Oud Charlois", "2027-05-01", "Oud Charlois-Wielewaal")],
    );
    assert_eq!(place.len(), 2);
    let list =
        raad_file(&[raad(1, "Brief wijkraad Ommoord over zienswijze hondenveld aan de plas", "2027-05-01")]);
    let own = wijk_file(&[wijk(1, "Ongevraagd advies hondenveld aan de plas", "2027-05-01", "Ommoord")]);
    let (_, plans) = import(&[&list, &own]);
    assert!(reasons(&plans[1])[0].1.contains("viewpoint"), "{plans:?}");
}

#[test]
fn rows_of_one_list_are_never_one_advice() {
    let list = raad_file(&[
        raad(1, "Brief wijkraad Ommoord over hondenveld aan de plas", "2027-05-01"),
        raad(2, "Brief wijkraad Ommoord over hondenveld aan de plas", "2027-05-02"),
    ]);
    let own = wijk_file(&[wijk(1, "Hondenveld aan de plas", "2027-05-01", "Ommoord")]);
    let (known, plans) = import(&[&list, &own]);
    assert_eq!(known.len(), 2);
    assert!(reasons(&plans[1])[0].1.contains("27bb000001 (ommoord) or 27bb000002 (ommoord)"), "{plans:?}");
}

#[test]
fn the_plainer_of_two_rows_wins_and_the_other_stays_apart() {
    let list = raad_file(&[raad(1, "Brief wijkraad Ommoord over hondenveld aan de plas", "2027-05-01")]);
    let own = wijk_file(&[
        wijk(1, "Hondenveld aan de plas en zwembad", "2027-05-01", "Ommoord"),
        wijk(2, "Hondenveld aan de plas", "2027-05-01", "Ommoord"),
    ]);
    let (known, plans) = import(&[&list, &own]);
    assert_eq!(known.len(), 2);
    assert!(
        plans[1].iter().any(|d| d.line == 3 && matches!(d.action, Action::JoinReference { .. })),
        "{plans:?}"
    );
}

#[test]
fn what_is_void_stays_by_itself() {
    let known = import_both(
        &[raad(1, "VERVALLEN: Brief wijkraad Ommoord over hondenveld aan de plas", "2027-05-01")],
        &[wijk(1, "Hondenveld aan de plas", "2027-05-01", "Ommoord")],
    );
    assert_eq!((known.len(), known.iter().filter(|a| a.void).count()), (2, 1));
}

#[test]
fn a_list_may_later_say_void_or_answered() {
    let before = wijk_file(&[
        wijk(1, "Hondenveld", "2027-05-01", "Ommoord"),
        wijk(2, "Zwembad", "2027-05-01", "Ommoord"),
    ]);
    let after = wijk_file(&[
        wijk_answered(1, "Hondenveld", "2027-05-01", "Ommoord", "2027-06-01"),
        wijk(2, "VERVALLEN: Zwembad", "2027-05-01", "Ommoord"),
    ]);
    let (known, plans) = import(&[&before, &after]);
    assert!(matches!(plans[1][0].action, Action::Answer { answer_reference: None, .. }));
    assert!(matches!(&plans[1][1].action, Action::Withdraw { reason, .. } if reason == "VERVALLEN"));
    assert_eq!((known[0].answer.is_some(), known[1].void), (true, true));
}

#[test]
fn an_answer_date_is_recorded_wherever_the_row_ends_up() {
    let list = raad_file(&[raad(1, "Brief wijkraad Ommoord over hondenveld aan de plas", "2027-05-01")]);
    let own = wijk_file(&[wijk_answered(1, "Hondenveld aan de plas", "2027-05-01", "Ommoord", "2027-06-01")]);
    for files in [[&list, &own], [&own, &list]] {
        let (known, _) = import(&files);
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].answer.as_ref().map(|a| a.answered_on), "2027-06-01".parse().ok());
    }
}

#[test]
fn answers_are_placed_by_number_and_only_once() {
    let list = raad_file(&[raad(1, "Brief wijkraad Ommoord over een hondenveld", "2027-05-01")]);
    let file = answers(
        "27bb000001 , 27bb000900,2027-06-01\n27bb000002,27bb000901,2027-06-01\n27bb000001,27bb000902,2027-06-02\n27bb000001,27bb000903,2027-06-01\n",
    );
    let (known, plans) = import(&[&list, &file]);
    assert_eq!(
        known[0].answer,
        Some(KnownAnswer {
            answered_on: "2027-06-01".parse().expect("a day"),
            references: vec!["27bb000900".to_owned()]
        })
    );
    assert_eq!(reasons(&plans[1]).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5]);
}

#[test]
fn an_answer_known_by_its_day_alone_gets_its_number() {
    let own = wijk_file(&[wijk_answered(1, "Hondenveld", "2027-05-01", "Ommoord", "2027-06-01")]);
    let list = answers("00000000-0000-0000-0002-000000000001,27bb000900,2027-06-01\n");
    let (known, _) = import(&[&own, &list]);
    assert_eq!(known[0].answer.as_ref().map(|a| a.references.len()), Some(1));
}

#[test]
fn a_second_round_points_to_the_first() {
    let list = raad_file(&[
        raad(
            1,
            "Brief wijkraad Ommoord met reactie op antwoord ongevraagd advies hondenveld aan de plas",
            "2027-09-01",
        ),
        raad(2, "Brief wijkraad Ommoord met ongevraagd advies over hondenveld aan de plas", "2027-05-01"),
    ]);
    let (_, plans) = import(&[&list]);
    let Action::Create(second) = &plans[0][1].action else { panic!("{plans:?}") };
    assert_eq!(second.second_round_of, Some(Target::NewInThisFile(0)));
}

#[test]
fn a_joint_advice_takes_the_rows_of_all_its_councils_only_where_that_is_certain() {
    let list = raad_file(&[
        raad(
            1,
            "Brief wijkraden Ommoord en Zevenkamp met ongevraagd advies over hondenveld aan de plas",
            "2027-05-01",
        ),
        raad(2, "Brief wijkraad Zevenkamp over hondenveld aan de plas", "2027-05-02"),
    ]);
    let own = wijk_file(&[wijk(1, "Hondenveld aan de plas", "2027-05-01", "Zevenkamp")]);
    let (known, plans) = import(&[&list, &own]);
    assert_eq!(reasons(&plans[0]).len(), 1, "{plans:?}");
    assert_eq!((known.len(), known[0].references.len()), (1, 2), "{plans:?}");
}

#[test]
fn a_row_that_stands_twice_is_one() {
    let list = raad_file(&[
        raad(1, "Brief wijkraad Ommoord over een hondenveld", "2027-05-01"),
        raad(1, "Brief wijkraad Ommoord over een hondenveld", "2027-05-01"),
        raad(2, "Brief wijkraad Noord over een hondenveld", "2027-05-01"),
        raad(2, "Brief wijkraad Noord over een hondenveld", "2027-05-01"),
    ]);
    let (known, plans) = import(&[&list]);
    assert_eq!(known.len(), 1);
    assert_eq!(reasons(&plans[0]).len(), 2);
    assert!(plans[0].iter().any(|d| d.line == 3 && matches!(d.action, Action::Unchanged { .. })));
}

#[test]
fn every_row_gets_a_decision() {
    let mut bytes =
        "\u{feff}url,title,externalid,extra,portefeuillehouder,registrationdate\n".as_bytes().to_vec();
    bytes.extend(b"https://raad.example/1,Brief wijkraad Ommoord over a,27bb000001,x,,2027-01-01\n");
    bytes.extend(b"https://raad.example/2,Brief wijkraad Pernis \xff over b,27bb000002,x,,2027-01-01\n");
    bytes.extend(b"https://raad.example/3,Brief wijkraad Pernis over c,27bb000003,x,,31-01-2027\n");
    bytes.extend(b"https://raad.example/4,Brief wijkraad Pernis over d,27bb000004,x\n");
    bytes.extend(
        format!(
            "https://raad.example/5,Brief wijkraad Pernis over {},27bb000005,x,,2027-01-01\n",
            "e".repeat(300)
        )
        .bytes(),
    );
    bytes.extend(b"javascript:x,Brief wijkraad Pernis over f,27bb000006,x,,2027-01-01\n");
    bytes.extend(b"https://raad.example/7,,27bb000007,x,,2027-01-01\n");
    bytes.extend(b",,,,,\n");
    bytes.extend(b"https://raad.example/9,Brief wijkraad Pernis over g,27bb000009,x,,\n");
    let file = parse_raad(&bytes).expect("a readable file");
    assert_eq!(file.notes, ["the column \"extra\" is not known and was ignored"]);
    let (known, plans) = import(&[&file]);
    assert_eq!(known.len(), 2);
    assert_eq!(
        reasons(&plans[0]),
        [
            (3, "title is not text in UTF-8"),
            (4, "registrationdate is no date like 2026-01-31"),
            (5, "has 4 fields where the header has 6"),
            (6, "title is longer than 300 characters"),
            (7, "url is no web address"),
            (8, "title is empty"),
            (9, "the row is empty"),
        ]
    );
    assert_eq!(plans[0][0].reference.as_deref(), Some("27bb000002"));
}

#[test]
fn a_file_without_its_columns_is_refused_by_name() {
    assert_eq!(parse_raad(b" \n"), Err(FileProblem::Empty));
    assert_eq!(parse_raad(b""), Err(FileProblem::Empty));
    assert_eq!(parse_raad(b"\xff\xfe,title\n"), Err(FileProblem::NotText));
    let missing = parse_wijkraad(RAAD.as_bytes()).expect_err("the other list");
    assert_eq!(
        missing,
        FileProblem::MissingColumn {
            column: "wijk",
            needed: "title, registrationdate, wijk, wethouder, datumantwoord, url".to_owned()
        }
    );
    assert_eq!(
        parse_raad(b"url,url,title,externalid,portefeuillehouder,registrationdate\n"),
        Err(FileProblem::DoubleColumn { column: "url" })
    );
    assert!(parse_raad(RAAD.replace(',', ";").as_bytes()).is_ok_and(|file| file.rows.is_empty()));
}

#[test]
fn an_advice_that_was_entered_gets_references_and_keeps_the_rest() {
    let entered = KnownAdvice {
        id: AdviceId(Uuid::from_u128(1)),
        lead: "ommoord".parse().expect("a code"),
        cosigners: Vec::new(),
        kind: AdviceKind::Solicited,
        titles: vec!["Hondenveld aan de plas".to_owned()],
        listed_on: "2027-05-02".parse().ok(),
        references: Vec::new(),
        answer: None,
        void: false,
        registered: false,
    };
    let own = wijk_file(&[wijk(1, "Hondenveld aan de plas", "2027-05-01", "Ommoord")]);
    let decisions = plan(&own, &[entered], &index());
    let Action::JoinReference { advice, joined } = &decisions[0].action else { panic!("{decisions:?}") };
    assert_eq!(*advice, Target::Existing(AdviceId(Uuid::from_u128(1))));
    assert_eq!((joined.kind, &joined.subject, joined.listed_on), (None, &None, None));
}

#[test]
fn a_year_of_rows_is_planned_in_a_moment() {
    let councils = built_in().councils;
    let subjects =
        ["zwembad", "speeltuin", "fietsenstalling", "bibliotheek", "hondenveld", "containers", "buslijn"];
    let rows = |make: &dyn Fn(u32, &str, &str, &str) -> String| -> Vec<String> {
        (0..400_u32)
            .map(|n| {
                let subject =
                    format!("{} aan de {}weg", subjects[n as usize % 7], subjects[(n as usize / 7) % 7]);
                make(
                    n,
                    &councils[n as usize % 39].name,
                    &subject,
                    &format!("2027-{:02}-{:02}", n % 12 + 1, n % 28 + 1),
                )
            })
            .collect()
    };
    let list = raad_file(&rows(&|n, council, subject, day| {
        raad(n, &format!("Brief wijkraad {council} over {subject}"), day)
    }));
    let own = wijk_file(&rows(&|n, council, subject, day| wijk(n, subject, day, council)));
    let (known, _) = import(&[&list, &own]);
    assert_eq!(known.len(), 400);
}
