//! Councils, areas and the other tables that everything refers to.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp, draft_of};

fn items(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()["items"].as_array().unwrap().clone()
}

/// The codes that a list gives.
async fn codes(app: &TestApp, path: &str) -> Vec<String> {
    let reply = app.get(path).send().await;
    items(&reply).iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect()
}

fn is_sound(item: &Value) -> bool {
    item["version"] == 1
        && item["references"] == json!([])
        && item["createdAt"].is_string()
        && item["modifiedAt"].is_string()
}

on_both_databases! {
    async fn there_are_39_councils_of_which_two_are_dorpsraden(app: TestApp) {
        let all = app.get("/v1/councils?count=true").send().await;
        assert_eq!(all.json()["total"], 39);
        let all = items(&all);
        assert_eq!(all.len(), 39);
        assert!(all.iter().all(is_sound));
        assert!(all.iter().all(|council| !council["neighbourhoods"].as_array().unwrap().is_empty()));
        assert_eq!(codes(&app, "/v1/councils?kind=wijkraad").await.len(), 37);
        assert_eq!(codes(&app, "/v1/councils?kind=dorpsraad").await, ["hoek-van-holland", "rozenburg"]);
        assert_eq!(codes(&app, "/v1/councils?area=rozenburg").await, ["rozenburg"]);
    }

    async fn a_council_is_found_by_any_name_it_ever_had(app: TestApp) {
        for (name, code) in [
            ("Bergpolder-Blijdorp-Liskwartier", "blijdorp-bergpolder-liskwartier"),
            ("wijkraad%20blijdorp%20bergpolder%20liskwartier", "blijdorp-bergpolder-liskwartier"),
            ("Carnisse-Zuiderpark", "carnisse-zuidplein-zuiderpark"),
            ("heyplaat", "heijplaat"),
            ("de%20dorpsraad%20ROZENBURG", "rozenburg"),
            ("DRRb", "rozenburg"),
            ("Groot%20IJsselmonde%20-%20Oud%20%C4%B2sselmonde", "groot-ijsselmonde-en-oud-ijsselmonde"),
        ] {
            assert_eq!(codes(&app, &format!("/v1/councils?name={name}")).await, [code], "{name}");
        }
        assert!(codes(&app, "/v1/councils?name=wijkraad").await.is_empty());
        assert!(codes(&app, "/v1/councils?name=kralingse").await.is_empty());
    }

    async fn a_council_is_shown_as_it_was_on_the_day_that_is_asked(app: TestApp) {
        let named = |reply: Reply| reply.json()["name"].as_str().unwrap_or_default().to_owned();
        let path = "/v1/councils/blijdorp-bergpolder-liskwartier";
        assert_eq!(named(app.get(path).send().await), "Blijdorp-Bergpolder-Liskwartier");
        let before = app.get(&format!("{path}?on=2023-10-31")).send().await;
        assert_eq!(named(before), "Bergpolder-Blijdorp-Liskwartier");
        let after = app.get(&format!("{path}?on=2023-11-01")).send().await;
        assert_eq!(named(after), "Blijdorp-Bergpolder-Liskwartier");
        let whole = app.get(path).send().await.json();
        assert_eq!(whole["names"].as_array().unwrap().len(), 2);
        // Before 16 March 2022 there was none of them.
        assert_eq!(app.get(&format!("{path}?on=2022-03-15")).send().await.status, StatusCode::NOT_FOUND);
        assert!(codes(&app, "/v1/councils?on=2022-03-15").await.is_empty());
        assert_eq!(codes(&app, "/v1/councils?on=2022-03-16").await.len(), 39);
        let far = app.get("/v1/councils?on=9999-01-01").send().await;
        assert_eq!(
            (far.status, far.faults()),
            (StatusCode::BAD_REQUEST, vec![("on".to_owned(), "date.range".to_owned())])
        );
    }

    async fn a_council_is_found_by_its_neighbourhood_and_never_by_a_postcode(app: TestApp) {
        assert_eq!(codes(&app, "/v1/councils?buurt=BU05990111").await, ["dijkzigt-oude-westen"]);
        // In the docks nobody is represented.
        let all = items(&app.get("/v1/neighbourhoods").send().await);
        let port =
            all.iter().find(|item| item["council"].is_null()).unwrap()["code"].as_str().unwrap().to_owned();
        assert!(codes(&app, &format!("/v1/councils?buurt={port}")).await.is_empty());
        let malformed = app.get("/v1/councils?buurt=5990111").send().await;
        assert_eq!(malformed.faults(), [("buurt".to_owned(), "pattern".to_owned())]);
        let refused = app.get("/v1/councils?postcode=3011AD").send().await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.faults(), [("postcode".to_owned(), "not_imported".to_owned())]);
        assert!(!refused.text().contains("3011AD"));
    }

    async fn an_unknown_council_is_404_and_a_code_that_is_none_is_400(app: TestApp) {
        assert_eq!(app.get("/v1/councils/delft").send().await.status, StatusCode::NOT_FOUND);
        for path in ["/v1/councils/Rozenburg", "/v1/councils/hoek%20van%20holland", "/v1/councils/%00"] {
            let reply = app.get(path).send().await;
            assert_eq!(
                (reply.status, reply.problem().as_str()),
                (StatusCode::BAD_REQUEST, "invalid-input"),
                "{path}"
            );
            assert_eq!(reply.faults(), [("code".to_owned(), "code.format".to_owned())], "{path}");
        }
        let area = app.get("/v1/councils?area=delft").send().await;
        assert_eq!(area.faults(), [("area".to_owned(), "unknown".to_owned())]);
    }

    async fn the_areas_and_neighbourhoods_are_those_of_the_city(app: TestApp) {
        let areas = items(&app.get("/v1/areas").send().await);
        assert_eq!(areas.len(), 14);
        assert!(areas.iter().all(is_sound));
        let all = items(&app.get("/v1/neighbourhoods").send().await);
        assert_eq!(all.len(), 91);
        assert!(all.iter().all(is_sound));
        assert_eq!(all.iter().filter(|item| item["council"].is_null()).count(), 14);
        assert!(all.iter().all(|item| item["area"].is_null() == item["portArea"].is_string()));
        assert!(all.iter().filter(|item| item["doubtful"] == true).count() >= 2);
        let one = app.get("/v1/neighbourhoods/BU05990111").send().await.json();
        assert_eq!((&one["name"], &one["council"]), (&json!("Oude Westen"), &json!("dijkzigt-oude-westen")));
        // What a neighbourhood says of its council, the council says of its neighbourhood.
        let councils = items(&app.get("/v1/councils").send().await);
        let mut of_councils: Vec<(String, String)> = councils
            .iter()
            .flat_map(|council| {
                let code = council["code"].as_str().unwrap();
                let own = council["neighbourhoods"].as_array().unwrap();
                own.iter().map(move |buurt| (buurt["code"].as_str().unwrap().to_owned(), code.to_owned()))
            })
            .collect();
        of_councils.sort();
        let of_neighbourhoods: Vec<(String, String)> = all
            .iter()
            .filter_map(|item| {
                Some((item["code"].as_str()?.to_owned(), item["council"].as_str()?.to_owned()))
            })
            .collect();
        assert_eq!(of_councils, of_neighbourhoods);
    }

    async fn the_small_tables_are_there(app: TestApp) {
        let mut clusters = codes(&app, "/v1/clusters").await;
        clusters.sort();
        assert_eq!(clusters.len(), 7);
        for code in ["so", "sb", "mo", "bco"] {
            assert!(clusters.iter().any(|known| known == code), "{code} in {clusters:?}");
        }
        let themes = items(&app.get("/v1/themes").send().await);
        assert!(themes.iter().all(|theme| theme["dutch"].is_string() && theme["english"].is_string()));
        assert!(themes.iter().any(|theme| theme["code"] == "mobility"));
        let terms = items(&app.get("/v1/terms-of-office").send().await);
        assert_eq!(terms[0]["to"], "2026-03-17");
        assert_eq!(terms[1]["from"], "2026-03-18");
        assert!(items(&app.get("/v1/office-holders").send().await).is_empty());
        for path in
            ["/v1/clusters/x", "/v1/themes/x", "/v1/areas/x", "/v1/neighbourhoods/x", "/v1/terms-of-office/x"]
        {
            assert_eq!(app.get(path).send().await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }

    /// The one built-in rule says of itself that it is an assumption.
    async fn the_built_in_term_rule_is_an_assumption(app: TestApp) {
        let rules = items(&app.get("/v1/term-rules").send().await);
        let of = |subject: &str| -> Vec<&Value> {
            rules.iter().filter(|rule| rule["days"] == 42 && rule["appliesTo"] == subject).collect()
        };
        assert_eq!(of("finding").len(), 1);
        let normal = of("advice");
        assert_eq!(normal.len(), 1);
        let rule = normal[0];
        assert_eq!(
            (&rule["unit"], &rule["dueSoonDays"], &rule["veryLateDays"], &rule["status"]),
            (&json!("calendar_days"), &json!(7), &json!(28), &json!("assumption"))
        );
        assert!(rules.iter().any(|rule| rule["days"].is_null() && rule["kinds"] == json!(["letter"])));
        let id = rule["id"].as_str().unwrap();
        let path = format!("/v1/term-rules/{id}/calculation");
        let sum = app.get(&format!("{path}?receivedOn=2025-03-07")).send().await.json();
        assert_eq!(sum["term"]["dueOn"], "2025-04-22", "{sum}");
        let missing = app.get(&path).send().await;
        assert_eq!(missing.faults(), [("receivedOn".to_owned(), "required".to_owned())]);
    }

    async fn every_code_has_a_dutch_and_an_english_label(app: TestApp) {
        let codes = items(&app.get("/v1/codes?limit=1000").send().await);
        for code in &codes {
            for field in ["list", "code", "dutch", "english"] {
                assert!(!code[field].as_str().unwrap().is_empty(), "{code}");
            }
        }
        let dutch = |list: &str, code: &str| {
            let found = codes.iter().find(|label| label["list"] == list && label["code"] == code);
            found.map(|label| label["dutch"].as_str().unwrap().to_owned()).unwrap_or_default()
        };
        assert_eq!(dutch("kind", "urgent_letter"), "brandbrief");
        assert_eq!(dutch("status", "in_treatment"), "in behandeling");
        assert_eq!(dutch("points.outcome", "partly_adopted"), "deels overgenomen");
        assert_eq!(dutch("term.state", "very_late"), "veel te laat");
        let document = api::openapi::document().unwrap();
        for schema in
            ["AdviceKind", "AdviceStatus", "Outcome", "PointOutcome", "TermState", "Level", "ResponseKind"]
        {
            for code in document["components"]["schemas"][schema]["enum"].as_array().unwrap() {
                assert!(codes.iter().any(|label| label["code"] == *code), "{schema}: {code}");
            }
        }
    }

    async fn the_calendar_knows_the_public_holidays(app: TestApp) {
        let days = items(&app.get("/v1/calendar?year=2025").send().await);
        let days: Vec<&str> = days.iter().map(|day| day["on"].as_str().unwrap()).collect();
        assert_eq!(
            days,
            [
                "2025-01-01",
                "2025-04-18",
                "2025-04-21",
                "2025-04-26",
                "2025-05-05",
                "2025-05-29",
                "2025-06-09",
                "2025-12-25",
                "2025-12-26"
            ]
        );
        let now = items(&app.get("/v1/calendar").send().await);
        assert!(now.iter().all(|day| day["on"].as_str().unwrap().starts_with("2026-")));
        let csv = app.get("/v1/calendar?year=2025&format=csv").send().await.text();
        assert!(csv.starts_with("on,dutch,english,ground\r\n2025-01-01,"), "{csv}");
        let far = app.get("/v1/calendar?year=3000").send().await;
        assert_eq!(far.faults(), [("year".to_owned(), "range".to_owned())]);
    }

    async fn the_registry_is_kept_by_those_who_may(app: TestApp) {
        let rule = json!({
            "days": 28,
            "unit": "calendar_days",
            "kinds": ["urgent_letter"],
            "dueSoonDays": 5,
            "veryLateDays": 14,
            "validFrom": "2027-01-01",
            "ground": "Verzonnen besluit",
            "status": "adopted"
        });
        let holder = json!({"name": "A. Voorbeeld", "office": "alderman"});
        let others = app.token(
            "internal:read advice:write treatment:write responses:write publish import audit:read",
            &["*"],
            &["*"],
        );
        let registrar = app.token("registry:write", &[], &[]);
        for (path, body) in [("/v1/term-rules", &rule), ("/v1/office-holders", &holder)] {
            assert_eq!(app.post(path, body.clone()).send().await.status, StatusCode::UNAUTHORIZED);
            let refused = app.post(path, body.clone()).token(&others).send().await;
            assert_eq!(
                (refused.status, refused.problem().as_str()),
                (StatusCode::FORBIDDEN, "insufficient-scope")
            );
            assert!(refused.header("www-authenticate").contains("scope=\"registry:write\""));
            let before = items(&app.get(path).send().await).len();
            let made = app.post(path, body.clone()).token(&registrar).send().await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
            let location = made.header("location");
            let read = app.get(location.strip_prefix("https://api.test").unwrap()).send().await;
            assert_eq!(read.json(), made.json());
            assert_eq!(read.header("etag"), made.header("etag"));
            assert_eq!(items(&app.get(path).send().await).len(), before + 1);
        }
        let late =
            json!({"name": "B. Voorbeeld", "office": "alderman", "from": "2026-02-01", "to": "2026-01-01"});
        let refused = app.post("/v1/office-holders", late).token(&registrar).send().await;
        assert_eq!(refused.faults(), [("/to".to_owned(), "date.order".to_owned())]);
        // The new rule is there for what comes after, in the feed as well.
        let mut path = "/v1/changes?limit=1000".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = app.get(&path).send().await.json();
            seen.extend(page["items"].as_array().unwrap().clone());
            if page["more"] == false {
                break;
            }
            path = format!("/v1/changes?limit=1000&after={}", page["next"].as_str().unwrap());
        }
        assert!(seen.iter().any(|change| change["item"]["ground"] == "Verzonnen besluit"));
        assert!(seen.iter().any(|change| change["item"]["name"] == "A. Voorbeeld"));
    }

    async fn a_name_that_is_erased_stands_nowhere_any_more(app: TestApp) {
        let name = "V. Vergeetmij";
        let registrar = app.token("registry:write", &[], &[]);
        let key = "\"0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b77\"";
        let add = || {
            let body = json!({"name": name, "office": "alderman"});
            app.post("/v1/office-holders", body).token(&registrar).header("idempotency-key", key)
        };
        let holder = add().send().await;
        let item = format!("/v1/office-holders/{}", holder.json()["id"].as_str().unwrap());
        let advice = app.draft(draft_of("rozenburg")).await;
        let adoption = json!({"meetingOn": "2026-11-20", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        app.record(&advice, "adoption", adoption).await;
        app.record(&advice, "submission", json!({"submittedOn": "2026-11-20"})).await;
        let receipt =
            json!({"receivedOn": "2026-11-20", "cluster": "so", "portfolioHolder": holder.json()["id"]});
        app.record(&advice, "receipt", receipt).await;
        app.record(&advice, "publication", json!({})).await;
        let everywhere = async || {
            let mut found = Vec::new();
            for path in [
                item.clone(),
                format!("{item}/history"),
                format!("/v1/advice/{advice}"),
                format!("/v1/advice/{advice}/history"),
                "/v1/office-holders".to_owned(),
                "/v1/advice".to_owned(),
                "/v1/bi/office-holders".to_owned(),
                "/v1/changes?limit=1000".to_owned(),
                "/v1/journal?limit=1000".to_owned(),
            ] {
                let reply = app.get(&path).token(&app.almighty()).send().await;
                assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
                if reply.text().contains(name) {
                    found.push(path);
                }
            }
            found
        };
        assert!(everywhere().await.len() > 4, "the name is there before");
        let end = app.get("/v1/changes?limit=1000").send().await.json()["next"].as_str().unwrap().to_owned();

        let erase = |etag: &str, body: Value| {
            app.post(&format!("{item}/erasure"), body).token(&registrar).if_match(etag).send()
        };
        let unsaid = erase(&holder.header("etag"), json!({})).await;
        assert_eq!(unsaid.faults(), [("/reason".to_owned(), "required".to_owned())]);
        let erased = erase(&holder.header("etag"), json!({"reason": "Verzoek van de betrokkene"})).await;
        assert_eq!(erased.status, StatusCode::OK, "{}", erased.text());
        assert_eq!(erased.json()["name"], Value::Null);
        assert_eq!(everywhere().await, Vec::<String>::new());

        // Who keeps a copy hears of both.
        let told = app.get(&format!("/v1/changes?after={end}")).send().await.json();
        let told: Vec<&str> =
            told["items"].as_array().unwrap().iter().map(|change| change["resource"].as_str().unwrap()).collect();
        assert_eq!(told, ["office-holder", "advice"]);
        // Nor does the answer that was kept for a repeated request bring it back.
        let again = add().send().await;
        assert_ne!(again.json()["id"], holder.json()["id"]);
        let twice = erase(&erased.header("etag"), json!({"reason": "Nog eens"})).await;
        assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.text());
    }
}
