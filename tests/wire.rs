//! What every caller meets, whatever it asks: headers, problems, limits, tokens, caching, pages of a list.

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode};
use api::auth::{DevKey, Mint};
use api::wire::API_VERSION;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{AUDIENCE, PUBLIC_URL, Reply, TestApp, draft_of, final_response};

const NOBODY: &str = "0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11";

/// The whole problem that an answer is.
fn assert_problem(reply: &Reply, status: StatusCode, kind: &str, path: &str) {
    assert_eq!(reply.status, status, "{path}: {}", reply.text());
    assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
    let problem = reply.json();
    assert_eq!(problem["type"], format!("https://api.wijkaanzet.rotterdam.nl/problems/{kind}"), "{path}");
    assert_eq!(problem["status"], status.as_u16(), "{path}");
    assert_eq!(problem["instance"], path.split('?').next().unwrap(), "{path}");
    for field in ["title", "detail"] {
        assert!(!problem[field].as_str().unwrap_or_default().is_empty(), "{path}: {field}");
    }
    let trace = problem["traceId"].as_str().unwrap_or_default();
    assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}: {trace}");
}

/// The faults as a set: their order says nothing.
fn faults(reply: &Reply) -> BTreeSet<(String, String)> {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text());
    reply.faults().into_iter().collect()
}

fn expected(faults: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    faults.iter().map(|(location, code)| ((*location).to_owned(), (*code).to_owned())).collect()
}

/// Published advice of as many days of receipt, with as many subjects; gives the ids.
async fn published(app: &TestApp, subjects: &[(&str, &str)]) -> Vec<String> {
    let mut ids = Vec::new();
    for (subject, received_on) in subjects {
        let mut draft = draft_of("rozenburg");
        draft["subject"] = json!(subject);
        let id = app.draft(draft).await;
        let meeting = json!({"meetingOn": received_on, "quorum": true, "votesFor": 7, "votesAgainst": 0});
        app.record(&id, "adoption", meeting).await;
        app.record(&id, "submission", json!({"submittedOn": received_on})).await;
        app.record(&id, "receipt", json!({"receivedOn": received_on, "cluster": "so"})).await;
        app.record(&id, "publication", json!({})).await;
        ids.push(id);
    }
    ids
}

/// All items of a list, page by page, and how many pages there were.
async fn walk(app: &TestApp, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages) = (Vec::new(), 0);
    let mut next = Some(format!("{PUBLIC_URL}{path}"));
    while let Some(address) = next {
        let page = app.get(address.strip_prefix(PUBLIC_URL).unwrap()).send().await;
        assert_eq!(page.status, StatusCode::OK, "{address}: {}", page.text());
        let body = page.json();
        items.extend(body["items"].as_array().unwrap().clone());
        next = body["next"].as_str().map(str::to_owned);
        let link = page.header("link");
        assert!(link.contains("; rel=\"first\""), "{link}");
        match &next {
            Some(next) => assert!(link.contains(&format!("<{next}>; rel=\"next\"")), "{link}"),
            None => assert!(!link.contains("rel=\"next\""), "{link}"),
        }
        pages += 1;
        assert!(pages < 100, "{path} does not end");
    }
    (items, pages)
}

/// What a CSV says, cell by cell: the header first.
fn cells(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

on_both_databases! {
    async fn every_answer_carries_the_same_headers(app: TestApp) {
        let reader = app.token("internal:read", &[], &[]);
        let writer = app.token("advice:write", &["rozenburg"], &[]);
        let huge = vec![b' '; 1024 * 1024 + 1];
        let item = format!("/v1/advice/{NOBODY}");
        let asks = [
            (StatusCode::OK, "", "/v1/councils", app.get("/v1/councils")),
            (StatusCode::OK, "", "/v1/openapi.json", app.get("/v1/openapi.json")),
            (StatusCode::OK, "", "/", app.get("/")),
            (StatusCode::OK, "", "/health/live", app.get("/health/live")),
            (StatusCode::BAD_REQUEST, "invalid-input", "/v1/advice?limit=0", app.get("/v1/advice?limit=0")),
            (StatusCode::UNAUTHORIZED, "unauthenticated", "/v1/advice", app.post("/v1/advice", json!({}))),
            (
                StatusCode::FORBIDDEN,
                "insufficient-scope",
                "/v1/advice",
                app.post("/v1/advice", json!({})).token(&reader),
            ),
            (StatusCode::NOT_FOUND, "not-found", "/v1/nothing", app.get("/v1/nothing")),
            (StatusCode::NOT_FOUND, "not-found", "/nothing", app.get("/nothing")),
            (StatusCode::NOT_FOUND, "not-found", &item, app.get(&item)),
            (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "/v1/councils",
                app.ask(Method::DELETE, "/v1/councils"),
            ),
            (
                StatusCode::NOT_ACCEPTABLE,
                "not-acceptable",
                "/v1/councils",
                app.get("/v1/councils").header("accept", "image/png"),
            ),
            (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "/v1/advice",
                app.ask(Method::POST, "/v1/advice").token(&writer).body("application/json", &huge),
            ),
            (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "/v1/advice",
                app.ask(Method::POST, "/v1/advice").token(&writer).body("text/plain", b"{}"),
            ),
        ];
        for (status, kind, path, ask) in asks {
            let reply = ask.send().await;
            if status.is_client_error() {
                assert_problem(&reply, status, kind, path);
                assert_eq!(reply.header("cache-control"), "no-store", "{path}");
            }
            assert_eq!(reply.status, status, "{path}: {}", reply.text());
            for (name, value) in [
                ("api-version", API_VERSION),
                ("strict-transport-security", "max-age=31536000; includeSubDomains"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(reply.header(name), value, "{path}: {name}");
            }
            let policy = reply.header("content-security-policy");
            match reply.header("content-type").starts_with("text/html") {
                true => {
                    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{path}: {policy}")
                }
                false => assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{path}"),
            }
            for name in ["server", "set-cookie", "x-powered-by"] {
                assert_eq!(reply.header(name), "", "{path}: {name}");
            }
        }
    }

    async fn head_works_wherever_get_works(app: TestApp) {
        let id = published(&app, &[("Oversteek", "2026-10-01")]).await.remove(0);
        for path in [
            "/",
            "/docs",
            "/robots.txt",
            "/health/live",
            "/health/ready",
            "/v1/openapi.json",
            "/v1/openapi.yaml",
            "/v1/advice",
            "/v1/changes",
            "/v1/councils",
            "/v1/councils/rozenburg",
            "/v1/codes",
            "/v1/calendar",
            "/v1/nothing",
            "/v1/advice?format=csv",
            "/v1/advice?limit=0",
            &format!("/v1/advice/{id}"),
            &format!("/v1/advice/{id}/term"),
            &format!("/v1/advice/{id}/timeline"),
            &format!("/v1/advice/{id}/history"),
            &format!("/v1/advice/{NOBODY}"),
        ] {
            let (get, head) = (app.get(path).send().await, app.ask(Method::HEAD, path).send().await);
            assert_eq!(head.status, get.status, "{path}");
            assert!(head.body.is_empty(), "{path}");
            for name in
                ["content-type", "etag", "cache-control", "link", "vary", "www-authenticate", "api-version"]
            {
                assert_eq!(head.header(name), get.header(name), "{path}: {name}");
            }
        }
    }

    async fn a_wrong_method_hears_exactly_which_are_there(app: TestApp) {
        let item = format!("/v1/advice/{NOBODY}");
        let draft = format!("{item}/response-draft");
        let (adoption, suspension) = (format!("{item}/adoption"), format!("{item}/suspensions/{NOBODY}"));
        for (method, path, allow) in [
            (Method::DELETE, "/v1/advice", "GET, HEAD, POST"),
            (Method::PUT, &item, "GET, HEAD, PATCH, DELETE"),
            (Method::GET, &adoption, "POST"),
            (Method::GET, &suspension, "PATCH"),
            (Method::POST, &draft, "GET, HEAD, PUT"),
            (Method::POST, "/v1/councils", "GET, HEAD"),
            (Method::OPTIONS, "/v1/councils", "GET, HEAD"),
            (Method::TRACE, "/v1/councils", "GET, HEAD"),
            (Method::POST, "/", "GET, HEAD"),
            (Method::DELETE, "/v1/openapi.json", "GET, HEAD"),
        ] {
            let reply = app.ask(method, path).send().await;
            assert_problem(&reply, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", path);
            assert_eq!(reply.header("allow"), allow, "{path}");
        }
    }

    async fn the_caller_gets_a_type_that_it_accepts(app: TestApp) {
        let id = published(&app, &[("Oversteek", "2026-10-01")]).await.remove(0);
        let item = format!("/v1/advice/{id}");
        let json = "application/json";
        let csv = "text/csv; charset=utf-8; header=present";
        let html = "text/html; charset=utf-8";
        for (path, accept, given) in [
            ("/v1/advice", "*/*", json),
            ("/v1/advice", "application/*", json),
            ("/v1/advice", "text/csv", csv),
            ("/v1/advice", "text/*;q=0.9, application/json;q=0.1", csv),
            ("/v1/advice", "application/json;q=0, */*", csv),
            ("/v1/advice?format=json", "text/csv", json),
            ("/v1/advice", "image/png", ""),
            ("/v1/advice", "application/json;q=0", ""),
            (&item, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", html),
            (&item, "application/json, text/html;q=0.5", json),
            (&item, "text/csv", ""),
            ("/v1/changes", "text/csv", ""),
            ("/v1/openapi.yaml", json, ""),
        ] {
            let reply = app.get(path).header("accept", accept).send().await;
            if given.is_empty() {
                assert_problem(&reply, StatusCode::NOT_ACCEPTABLE, "not-acceptable", path);
            } else {
                assert_eq!(
                    (reply.status, reply.header("content-type").as_str()),
                    (StatusCode::OK, given),
                    "{path} {accept}"
                );
            }
        }
    }

    async fn a_body_has_the_type_that_the_contract_names(app: TestApp) {
        let token = app.almighty();
        let id = app.draft(draft_of("rozenburg")).await;
        let item = format!("/v1/advice/{id}");
        let etag = app.etag(&id).await;
        for media in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "application/merge-patch+json",
            "",
        ] {
            let reply = app
                .ask(Method::POST, "/v1/advice")
                .token(&token)
                .body(media, draft_of("rozenburg").to_string().as_bytes())
                .send()
                .await;
            assert_problem(
                &reply,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "/v1/advice",
            );
            assert_eq!(reply.header("accept-patch"), "", "{media}");
        }
        let bare = app.ask(Method::POST, "/v1/advice").token(&token).send().await;
        assert_problem(&bare, StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "/v1/advice");
        let patch = json!({"subject": "Zebrapad"});
        let wrong =
            app.ask(Method::PATCH, &item).token(&token).if_match(&etag).json(patch.clone()).send().await;
        assert_problem(&wrong, StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", &item);
        assert_eq!(wrong.header("accept-patch"), "application/merge-patch+json");
        let right = app
            .ask(Method::PATCH, &item)
            .token(&token)
            .if_match(&etag)
            .body("Application/Merge-Patch+JSON; charset=\"UTF-8\"", patch.to_string().as_bytes())
            .send()
            .await;
        assert_eq!((right.status, &right.json()["subject"]), (StatusCode::OK, &json!("Zebrapad")));
        let list = app
            .ask(Method::PATCH, &item)
            .token(&token)
            .if_match(&right.header("etag"))
            .patch(json!([]))
            .send()
            .await;
        assert_eq!(faults(&list), expected(&[("", "type")]));
    }

    async fn an_address_has_one_spelling(app: TestApp) {
        let id = published(&app, &[("Oversteek", "2026-10-01")]).await.remove(0);
        for path in [
            "/v1/advice/",
            "/v1/advice//",
            "/v1/councils/",
            "/v1/councils/rozenburg/",
            "//v1/councils",
            "/V1/councils",
            "/v1/Councils",
            "/v1",
            "/v1/",
            "/health/live/",
            "/docs/",
            &format!("/v1/advice/{id}/"),
            &format!("/v1/advice/{id}/term/"),
            "/v1/openapi.json/",
        ] {
            let reply = app.get(path).send().await;
            assert_problem(&reply, StatusCode::NOT_FOUND, "not-found", path);
            assert_eq!(reply.header("location"), "", "{path}");
        }
        let upper = id.to_uppercase();
        for wrong in [
            "1",
            "abc",
            "%00",
            "%ff",
            &upper,
            &id.replace('-', ""),
            &format!("%7B{id}%7D"),
            &format!("urn:uuid:{id}"),
        ] {
            for rest in ["", "/term", "/timeline"] {
                let reply = app.get(&format!("/v1/advice/{wrong}{rest}")).send().await;
                assert_eq!(faults(&reply), expected(&[("id", "uuid.format")]), "{wrong}{rest}");
                assert_eq!(reply.json()["errors"][0]["in"], "path");
            }
        }
    }

    async fn all_that_is_wrong_with_a_query_is_told_at_once(app: TestApp) {
        let query = "/v1/advice?foo=1&limit=0&kind=letter,postcard&count=yes&receivedFrom=1-1-2026\
                     &secondRoundOf=1\
                     &modifiedSince=2026-11-23T10:00:00&council=Rozenburg&format=xml";
        let reply = app.get(query).send().await;
        assert_eq!(
            faults(&reply),
            expected(&[
                ("foo", "unknown"),
                ("limit", "range"),
                ("kind", "enum"),
                ("count", "type"),
                ("receivedFrom", "date.format"),
                ("secondRoundOf", "uuid.format"),
                ("modifiedSince", "date_time.format"),
                ("council", "pattern"),
                ("format", "enum"),
            ])
        );
        assert!(reply.json()["errors"].as_array().unwrap().iter().all(|error| error["in"] == "query"));
        let query = "/v1/advice?council=delft&theme=weather&cluster=x&area=delft&receivedFrom=2026-02-01\
                     &receivedTo=2026-01-01";
        let unknown = app.get(query).send().await;
        assert_eq!(
            faults(&unknown),
            expected(&[
                ("council", "unknown"),
                ("theme", "unknown"),
                ("cluster", "unknown"),
                ("area", "unknown"),
                ("receivedTo", "date.order")
            ])
        );
        for (query, location, code) in [
            ("limit=1001", "limit", "range"),
            ("limit=-1", "limit", "range"),
            ("limit=9223372036854775808", "limit", "type"),
            ("limit=1.5", "limit", "type"),
            ("limit=", "limit", "type"),
            ("limit=5&limit=5", "limit", "duplicate"),
            ("Limit=5", "Limit", "unknown"),
            ("search=", "search", "length"),
            ("sort=subject", "sort", "pattern"),
            ("sort=receivedOn,-receivedOn", "sort", "duplicate"),
            ("sort=receivedOn;drop", "sort", "pattern"),
            ("modifiedSince=2026-11-23T10:00:00%2B25:00", "modifiedSince", "date_time.format"),
            ("modifiedSince=2026-11-23", "modifiedSince", "date_time.format"),
            ("receivedFrom=2026-02-30", "receivedFrom", "date.format"),
            ("on=0001-01-01", "on", "date.range"),
            ("access_token=x", "access_token", "unknown"),
        ] {
            let reply = app.get(&format!("/v1/advice?{query}")).send().await;
            assert_eq!(faults(&reply), expected(&[(location, code)]), "{query}");
        }
        let control = app.get("/v1/advice?search=a%00b").send().await;
        assert_eq!(faults(&control), expected(&[("search", "text.control")]));
        // Operations without a query take none, and neither do those that write.
        let token = app.almighty();
        for ask in
            [app.get("/v1/openapi.json?x=1"), app.post("/v1/advice?x=1", draft_of("rozenburg")).token(&token)]
        {
            assert_eq!(faults(&ask.send().await), expected(&[("x", "unknown")]));
        }
        // Not a query at all is the caller's fault too.
        let broken = app.get("/v1/advice?search=%ff%fe").send().await;
        assert!(matches!(broken.status.as_u16(), 200 | 400), "{}", broken.text());
    }

    async fn all_that_is_wrong_with_a_body_is_told_at_once(app: TestApp) {
        let token = app.almighty();
        let body = json!({
            "kind": "postcard",
            "subject": "",
            "summary": 7,
            "level": null,
            "themes": "mobility",
            "colour": "red",
            "councils": {
                "lead": "Rozenburg",
                "cosigners": [{"council": "hoogvliet", "signedOn": "vandaag", "by": "x"}]
            },
            "points": [{"number": 0, "text": "Maak een zebrapad"}, {"number": "2"}],
            "letterOn": "2026-13-01",
            "references": [{"system": "ibabs-raad", "value": " 26bb000001", "url": "javascript:alert(1)"}]
        });
        let reply = app.post("/v1/advice", body).token(&token).send().await;
        assert_eq!(
            faults(&reply),
            expected(&[
                ("/kind", "enum"),
                ("/subject", "length"),
                ("/subject", "pattern"),
                ("/summary", "type"),
                ("/level", "enum"),
                ("/level", "type"),
                ("/themes", "type"),
                ("/colour", "unknown"),
                ("/councils/lead", "pattern"),
                ("/councils/cosigners/0/signedOn", "date.format"),
                ("/councils/cosigners/0/by", "unknown"),
                ("/points/0/number", "range"),
                ("/points/1/number", "type"),
                ("/points/1/text", "required"),
                ("/letterOn", "date.format"),
                ("/references/0/value", "pattern"),
                ("/references/0/url", "pattern"),
            ])
        );
        assert!(reply.json()["errors"].as_array().unwrap().iter().all(|error| error["in"] == "body"));
        let empty = app.post("/v1/advice", json!({})).token(&token).send().await;
        assert_eq!(
            faults(&empty),
            expected(&[
                ("/kind", "required"),
                ("/subject", "required"),
                ("/level", "required"),
                ("/councils", "required")
            ])
        );
        for (body, code) in [(json!([]), "type"), (json!(null), "type"), (json!("text"), "type")] {
            let reply = app.post("/v1/advice", body).token(&token).send().await;
            assert_eq!(faults(&reply), expected(&[("", code)]));
        }
        let mut control = draft_of("rozenburg");
        control["subject"] = json!("Zebra\u{0}pad");
        control["points"][0]["text"] = json!("Maak\u{1b}[31m een zebrapad");
        let reply = app.post("/v1/advice", control).token(&token).send().await;
        assert_eq!(
            faults(&reply),
            expected(&[
                ("/subject", "text.control"),
                ("/points/0/text", "text.control"),
            ])
        );
    }

    /// Neither the parser's words nor what was sent come back.
    async fn what_is_no_json_is_refused_without_echo(app: TestApp) {
        let token = app.almighty();
        let deep = "[".repeat(10_000);
        let deep_object = "{\"subject\":".repeat(10_000);
        for body in [
            b"".as_slice(),
            b"{",
            b"{\"subject\": \"\xff\xfe\"}",
            b"\xef\xbb\xbf{}",
            b"{\"subject\": \"\\ud800\"}",
            b"{\"a\": 1e999}",
            b"{} {}",
            b"{'geheim': 1}",
            b"{\"a\": NaN}",
            deep.as_bytes(),
            deep_object.as_bytes(),
        ] {
            let reply =
                app.ask(Method::POST, "/v1/advice").token(&token).body("application/json", body).send().await;
            assert_problem(&reply, StatusCode::BAD_REQUEST, "invalid-input", "/v1/advice");
            let codes: Vec<String> = reply.faults().into_iter().map(|(_, code)| code).collect();
            assert_eq!(codes, ["json.syntax"], "{}", String::from_utf8_lossy(&body[..body.len().min(40)]));
            for word in ["expected", "recursion", "geheim", "serde"] {
                assert!(!reply.text().contains(word), "{}", reply.text());
            }
        }
        assert_eq!(app.get("/v1/advice?count=true").token(&token).send().await.json()["total"], 0);
    }

    async fn a_cursor_belongs_to_its_list(app: TestApp) {
        let subjects: Vec<(&str, &str)> =
            vec![("Een", "2026-10-01"), ("Twee", "2026-10-02"), ("Drie", "2026-10-03")];
        published(&app, &subjects).await;
        let cursor_of = |reply: Reply| {
            let next = reply.json()["next"].as_str().unwrap().to_owned();
            next.split("cursor=").nth(1).unwrap().to_owned()
        };
        let advice = cursor_of(app.get("/v1/advice?limit=1&sort=receivedOn").send().await);
        let councils = cursor_of(app.get("/v1/councils?limit=1").send().await);
        let same = app.get(&format!("/v1/advice?limit=2&sort=receivedOn&cursor={advice}")).send().await;
        assert_eq!(same.json()["items"].as_array().unwrap().len(), 2);
        let tampered = {
            let mut cursor: Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&advice).unwrap()).unwrap();
            cursor["values"] = json!([1, 2, 3]);
            URL_SAFE_NO_PAD.encode(cursor.to_string())
        };
        for path in [
            format!("/v1/advice?cursor={advice}"),
            format!("/v1/advice?sort=-receivedOn&cursor={advice}"),
            format!("/v1/advice?sort=receivedOn&kind=letter&cursor={advice}"),
            format!("/v1/advice?sort=receivedOn&cursor={councils}"),
            format!("/v1/advice?sort=receivedOn&cursor={tampered}"),
            format!("/v1/areas?cursor={councils}"),
            "/v1/advice?cursor=abc".to_owned(),
            "/v1/advice?cursor=".to_owned(),
            "/v1/advice?cursor=%00".to_owned(),
        ] {
            let reply = app.get(&path).send().await;
            assert_problem(&reply, StatusCode::BAD_REQUEST, "invalid-input", &path);
            assert_eq!(reply.json()["errors"][0]["location"], "cursor", "{path}");
        }
        for after in ["abc", "cy0x", "", &advice] {
            let reply = app.get(&format!("/v1/changes?after={after}")).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{after}");
            assert_eq!(reply.json()["errors"][0]["location"], "after", "{after}");
        }
    }

    async fn a_token_is_judged_before_anything_else(app: TestApp) {
        let good = app.token("internal:read", &["*"], &["*"]);
        let item = format!("/v1/advice/{NOBODY}");
        assert_eq!(app.get(&item).token(&good).send().await.status, StatusCode::NOT_FOUND);
        let parts: Vec<&str> = good.split('.').collect();
        let recoded = |part: &str, change: &dyn Fn(&mut Value)| {
            let mut value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
            change(&mut value);
            URL_SAFE_NO_PAD.encode(value.to_string())
        };
        let no_algorithm = recoded(parts[0], &|header| header["alg"] = json!("none"));
        let secret = recoded(parts[0], &|header| header["alg"] = json!("HS256"));
        let more = recoded(parts[1], &|claims| claims["scope"] = json!("internal:read publish"));
        let elsewhere = recoded(parts[1], &|claims| claims["aud"] = json!("https://other.test"));
        let folder = tempfile::tempdir().unwrap();
        let stranger = DevKey::load_or_create(folder.path()).unwrap();
        let strange = stranger
            .mint(Mint {
                subject: "stranger".to_owned(),
                scope: "internal:read".to_owned(),
                councils: vec!["*".to_owned()],
                clusters: vec!["*".to_owned()],
                audience: AUDIENCE.to_owned(),
                client_id: "tests".to_owned(),
                lifetime_seconds: 3600,
                issued_at: app.clock.now().moment.timestamp(),
            })
            .unwrap();
        let bearer = |token: &str| format!("Bearer {token}");
        for authorization in [
            bearer(&format!("{}.{}.", parts[0], parts[1])),
            bearer(&format!("{}.{}", parts[0], parts[1])),
            bearer(&format!("{no_algorithm}.{}.", parts[1])),
            bearer(&format!("{no_algorithm}.{}.{}", parts[1], parts[2])),
            bearer(&format!("{secret}.{}.{}", parts[1], parts[2])),
            bearer(&format!("{}.{more}.{}", parts[0], parts[2])),
            bearer(&format!("{}.{elsewhere}.{}", parts[0], parts[2])),
            bearer(&strange),
            bearer("x"),
            bearer(""),
            bearer(&"x".repeat(10_000)),
            format!("Bearer {good} {good}"),
        ] {
            // Also where an anonymous caller would be answered, and before the query is looked at.
            for path in ["/v1/councils", "/v1/councils?x=1", &item] {
                let reply = app.get(path).header("authorization", &authorization).send().await;
                assert_problem(&reply, StatusCode::UNAUTHORIZED, "invalid-token", path);
                let challenge = reply.header("www-authenticate");
                assert!(
                    challenge.starts_with("Bearer realm=\"wijkaanzet\", error=\"invalid_token\""),
                    "{challenge}"
                );
                assert!(
                    challenge.ends_with(
                        "resource_metadata=\"https://api.test/.well-known/oauth-protected-resource/v1\""
                    ),
                    "{challenge}"
                );
            }
        }
        // Another scheme is no token at all (RFC 6750, 3.1), but never taken for an anonymous caller.
        for authorization in [format!("Basic {good}"), good.clone()] {
            let reply = app.get("/v1/councils").header("authorization", &authorization).send().await;
            assert_problem(&reply, StatusCode::UNAUTHORIZED, "unauthenticated", "/v1/councils");
            assert!(!reply.header("www-authenticate").contains("error"));
        }
        let twice = app.get("/v1/councils").token(&good).token(&good).send().await;
        assert_problem(&twice, StatusCode::UNAUTHORIZED, "invalid-token", "/v1/councils");
        let in_query = app.get(&format!("/v1/councils?access_token={good}")).send().await;
        assert_problem(&in_query, StatusCode::BAD_REQUEST, "invalid-input", "/v1/councils");
        assert!(!in_query.text().contains(&good));
        let none = app.post("/v1/advice", json!({})).send().await;
        assert_eq!(
            none.header("www-authenticate"),
            "Bearer realm=\"wijkaanzet\", \
             resource_metadata=\"https://api.test/.well-known/oauth-protected-resource/v1\""
        );
        // An hour and the leeway later it has expired.
        app.clock.set("2026-11-23T12:00:59Z".parse().unwrap());
        assert_eq!(app.get("/v1/councils").token(&good).send().await.status, StatusCode::OK);
        app.clock.set("2026-11-23T12:01:00Z".parse().unwrap());
        let expired = app.get("/v1/councils").token(&good).send().await;
        assert_problem(&expired, StatusCode::UNAUTHORIZED, "invalid-token", "/v1/councils");
        // One that is not yet issued is no good either.
        app.clock.set("2026-11-23T10:58:59Z".parse().unwrap());
        assert_eq!(app.get("/v1/councils").token(&good).send().await.status, StatusCode::UNAUTHORIZED);
    }

    async fn a_trace_goes_on_and_a_malformed_one_starts_anew(app: TestApp) {
        const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let known =
            app.get("/v1/nothing").header("traceparent", TRACE).header("tracestate", "a=1").send().await;
        assert_eq!(known.json()["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(known.header("traceparent").starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert_eq!(known.header("tracestate"), "a=1");
        for malformed in ["", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "\"><script>"]
        {
            let reply = app.get("/v1/nothing").header("traceparent", malformed).send().await;
            assert_problem(&reply, StatusCode::NOT_FOUND, "not-found", "/v1/nothing");
            assert_ne!(reply.json()["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        }
    }

    async fn scripts_of_listed_origins_may_use_a_token(app: TestApp) {
        const LISTED: &str = "https://mijn.rotterdam.test";
        let token = app.token("internal:read", &["*"], &["*"]);
        for (origin, with_token, allowed) in [
            (LISTED, true, LISTED),
            (LISTED, false, LISTED),
            ("https://other.test", true, ""),
            ("https://other.test", false, "*"),
            ("https://mijn.rotterdam.test.evil.test", true, ""),
            ("http://mijn.rotterdam.test", true, ""),
        ] {
            let ask = app.get("/v1/advice").header("origin", origin);
            let reply = if with_token { ask.token(&token) } else { ask }.send().await;
            assert_eq!(reply.header("access-control-allow-origin"), allowed, "{origin}");
            assert!(reply.header("vary").contains("Origin"), "{origin}");
            assert_eq!(reply.header("access-control-allow-credentials"), "");
            if !allowed.is_empty() {
                assert_eq!(
                    reply.header("access-control-expose-headers"),
                    "API-Version, ETag, Journal-Position, Link, Location, RateLimit, RateLimit-Policy, Retry-After"
                );
            }
        }
        let preflight = |origin: &str| {
            app.ask(Method::OPTIONS, "/v1/advice")
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, if-match, idempotency-key")
        };
        let listed = preflight(LISTED).send().await;
        assert_eq!((listed.status, listed.body.len()), (StatusCode::NO_CONTENT, 0));
        assert_eq!(listed.header("access-control-allow-origin"), LISTED);
        let headers = listed.header("access-control-allow-headers").to_lowercase();
        for name in ["authorization", "if-match", "if-none-match", "idempotency-key", "content-type"] {
            assert!(headers.contains(name), "{name} in {headers}");
        }
        let other = preflight("https://other.test").send().await;
        assert!(!other.header("access-control-allow-headers").to_lowercase().contains("authorization"));
        assert_eq!(other.header("access-control-allow-methods"), "GET, HEAD");
    }

    async fn what_was_read_is_not_sent_again(app: TestApp) {
        let id = published(&app, &[("Oversteek", "2026-10-01")]).await.remove(0);
        let token = app.token("internal:read", &["*"], &["*"]);
        for path in [
            "/v1/advice",
            "/v1/advice?format=csv",
            "/v1/changes",
            "/v1/councils",
            "/v1/councils/rozenburg",
            "/v1/openapi.json",
            "/v1/openapi.yaml",
            &format!("/v1/advice/{id}"),
            &format!("/v1/advice/{id}/term"),
            &format!("/v1/advice/{id}/timeline"),
        ] {
            let first = app.get(path).send().await;
            let etag = first.header("etag");
            assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2, "{path}: {etag}");
            assert_eq!(first.header("cache-control"), "public, max-age=0, must-revalidate", "{path}");
            for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
                let again = app.get(path).header("if-none-match", &known).send().await;
                assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path} {known}");
                assert_eq!(again.header("etag"), etag, "{path}");
                assert_eq!(again.header("cache-control"), first.header("cache-control"), "{path}");
                assert_eq!(again.header("vary"), first.header("vary"), "{path}");
                assert_eq!(again.header("api-version"), API_VERSION);
            }
            let other = app.get(path).header("if-none-match", "\"other\"").send().await;
            assert_eq!((other.status, other.body == first.body), (StatusCode::OK, true), "{path}");
            let internal = app.get(path).token(&token).send().await;
            assert_eq!(internal.header("cache-control"), "no-store", "{path}");
        }
        // What another reader sees, on another day or in another form, has another tag.
        let item = format!("/v1/advice/{id}");
        let mut tags = BTreeSet::new();
        tags.insert(app.get(&item).send().await.header("etag"));
        tags.insert(app.get(&item).token(&token).send().await.header("etag"));
        tags.insert(app.get(&format!("{item}?on=2026-11-22")).send().await.header("etag"));
        tags.insert(app.get(&item).header("accept", "text/html").send().await.header("etag"));
        assert_eq!(tags.len(), 4, "{tags:?}");
        // The term turns at midnight without a write.
        let today = app.get(&item).send().await.header("etag");
        app.clock.set("2026-11-23T23:00:01Z".parse().unwrap());
        let tomorrow = app.get(&item).header("if-none-match", &today).send().await;
        assert_eq!((tomorrow.status, &tomorrow.json()["term"]["on"]), (StatusCode::OK, &json!("2026-11-24")));
    }

    async fn a_change_names_the_version_that_was_read(app: TestApp) {
        let token = app.almighty();
        let id = app.draft(draft_of("rozenburg")).await;
        let item = format!("/v1/advice/{id}");
        let adoption = json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        let (adopt, etag) = (format!("{item}/adoption"), app.etag(&id).await);
        assert!(etag.starts_with("\"1."), "{etag}");
        let missing = app.post(&adopt, adoption.clone()).token(&token).send().await;
        assert_problem(&missing, StatusCode::PRECONDITION_REQUIRED, "if-match-required", &adopt);
        for stale in ["\"2\"", "\"x\"", "1", "\"\"", "", &format!("W/{etag}")] {
            let reply = app.post(&adopt, adoption.clone()).token(&token).if_match(stale).send().await;
            assert_problem(&reply, StatusCode::PRECONDITION_FAILED, "stale", &adopt);
        }
        let patched =
            app.ask(Method::PATCH, &item).token(&token).patch(json!({"subject": "Zebrapad"})).send().await;
        assert_problem(&patched, StatusCode::PRECONDITION_REQUIRED, "if-match-required", &item);
        let deleted = app.ask(Method::DELETE, &item).token(&token).send().await;
        assert_problem(&deleted, StatusCode::PRECONDITION_REQUIRED, "if-match-required", &item);
        // Another view counts other versions, so its tag names nothing here.
        let own = "\"1.2026-11-23.own\"";
        let reply = app.post(&adopt, adoption.clone()).token(&token).if_match(own).send().await;
        assert_problem(&reply, StatusCode::PRECONDITION_FAILED, "stale", &adopt);
        // Of one's own view the version alone is compared: the tag of another day is as good, and so is one of several.
        app.on_day("2026-11-24");
        let token = app.almighty();
        let several = "\"0\", \"1.2026-11-23.internal\"";
        let done = app.post(&adopt, adoption).token(&token).if_match(several).send().await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
        assert_eq!(done.header("etag"), app.etag(&id).await);
        assert_eq!(done.json()["version"], 2);
    }

    async fn an_idempotency_key_is_a_uuid(app: TestApp) {
        let token = app.almighty();
        for key in [
            "",
            "1",
            "\"1\"",
            "\"0199b0c4-7d1e-7c3a-9a51\"",
            "\"0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11",
            "a, b",
        ] {
            let reply = app
                .post("/v1/advice", draft_of("rozenburg"))
                .token(&token)
                .header("idempotency-key", key)
                .send()
                .await;
            assert_eq!(faults(&reply), expected(&[("Idempotency-Key", "uuid.format")]), "{key}");
            assert_eq!(reply.json()["errors"][0]["in"], "header");
        }
        let key = format!("\"{NOBODY}\"");
        let ask = |body: Value| app.post("/v1/advice", body).token(&token).header("idempotency-key", &key);
        let first = ask(draft_of("rozenburg")).send().await;
        let again = ask(draft_of("rozenburg")).send().await;
        assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
        assert_eq!(
            (again.header("location"), again.header("etag")),
            (first.header("location"), first.header("etag"))
        );
        let other = ask(draft_of("pernis")).send().await;
        assert_problem(&other, StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch", "/v1/advice");
    }

    async fn a_list_as_csv_has_the_same_rows(app: TestApp) {
        let empty = app.get("/v1/advice?format=csv").send().await;
        let columns = cells(&empty.text(), b',');
        assert_eq!(columns.len(), 1);
        let id = published(
            &app,
            &[
                ("=HYPERLINK(\"https://evil.test\")", "2026-10-01"),
                ("Straat; plein, \"hof\" en\nlaan", "2026-10-02"),
                ("+31 10 267", "2026-09-01"),
            ],
        )
        .await
        .remove(0);
        app.record(&id, "responses", final_response("2026-10-20")).await;
        let rows = app.get("/v1/advice?sort=-receivedOn").send().await.json();
        let rows = rows["items"].as_array().unwrap();
        let reply = app.get("/v1/advice?sort=-receivedOn&format=csv").send().await;
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert!(reply.text().ends_with("\r\n"));
        let table = cells(&reply.text(), b',');
        assert_eq!(table[0], columns[0]);
        assert_eq!(table.len(), rows.len() + 1);
        let place = |name: &str| columns[0].iter().position(|column| column == name).unwrap();
        for (row, line) in rows.iter().zip(&table[1..]) {
            for (column, value) in [
                ("id", &row["id"]),
                ("lead", &row["councils"]["lead"]),
                ("receivedOn", &row["receivedOn"]),
                ("status", &row["status"]),
                ("outcome", &row["outcome"]),
                ("termState", &row["term"]["state"]),
                ("dueOn", &row["term"]["dueOn"]),
                ("modifiedAt", &row["modifiedAt"]),
            ] {
                assert_eq!(line[place(column)], value.as_str().unwrap_or_default(), "{column}");
            }
            assert_eq!(line[place("daysOver")], row["term"]["daysOver"].to_string());
            assert_eq!(line[place("version")], row["version"].to_string());
            let subject = line[place("subject")].clone();
            let meant = row["subject"].as_str().unwrap();
            assert!(subject == meant || subject == format!("'{meant}"), "{subject}");
            assert!(!subject.starts_with(['=', '+', '-', '@', '\t', '\r']), "{subject}");
        }
        let excel = app.get("/v1/advice?sort=-receivedOn&csv=nl-excel").send().await;
        let text = excel.text();
        let table_excel = cells(text.strip_prefix('\u{feff}').expect("a byte order mark"), b';');
        assert_eq!(table_excel, table);
        // A page of CSV tells where the next one is, as JSON does.
        let page = app.get("/v1/advice?limit=2&format=csv").send().await;
        assert!(page.header("link").contains("format=csv") && page.header("link").contains("rel=\"next\""));
    }

    async fn pages_show_every_item_once(app: TestApp) {
        let days = ["2026-10-01", "2026-10-02", "2026-10-01", "2026-10-03", "2026-10-02"];
        let ids: BTreeSet<String> =
            published(&app, &days.map(|day| ("Oversteek", day))).await.into_iter().collect();
        let first = ids.first().unwrap();
        app.record(first, "responses", final_response("2026-11-01")).await;
        for sort in [
            "",
            "receivedOn",
            "-receivedOn",
            "dueOn,-receivedOn",
            "answeredOn",
            "-answeredOn",
            "-daysOver,answeredOn,letterOn",
        ] {
            let query = if sort.is_empty() { String::new() } else { format!("&sort={sort}") };
            let (items, pages) = walk(&app, &format!("/v1/advice?limit=2&kind=unsolicited{query}")).await;
            let seen: BTreeSet<String> =
                items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!((items.len(), seen, pages), (5, ids.clone(), 3), "{sort}");
            let received: Vec<&str> = items.iter().map(|item| item["receivedOn"].as_str().unwrap()).collect();
            match sort {
                "receivedOn" => assert!(received.is_sorted(), "{received:?}"),
                "-receivedOn" => assert!(received.iter().rev().is_sorted(), "{received:?}"),
                // What has no value stands last, either way.
                "answeredOn" | "-answeredOn" => assert_eq!(items[0]["id"], **first),
                _ => {}
            }
            let whole = app.get(&format!("/v1/advice?kind=unsolicited{query}")).send().await.json();
            assert_eq!(whole["items"], json!(items), "{sort}");
            assert_eq!(whole["next"], Value::Null);
        }
        let counted = app.get("/v1/advice?limit=1&count=true").send().await.json();
        assert_eq!((&counted["total"], counted["items"].as_array().unwrap().len()), (&json!(5), 1));
        assert!(app.get("/v1/advice").send().await.json().get("total").is_none());
        assert_eq!(walk(&app, "/v1/councils?limit=7").await.0.len(), 39);
        assert_eq!(walk(&app, "/v1/neighbourhoods?limit=50&count=true").await.0.len(), 91);
        assert_eq!(walk(&app, "/v1/codes?limit=20").await.0.len(), domain::codes::all().len());
    }

    async fn moments_have_an_offset_and_come_back_in_utc(app: TestApp) {
        let id = published(&app, &[("Oversteek", "2026-10-01")]).await.remove(0);
        let found = async |since: &str| {
            let reply = app.get(&format!("/v1/advice?modifiedSince={since}")).send().await;
            assert_eq!(reply.status, StatusCode::OK, "{since}: {}", reply.text());
            reply.json()["items"].as_array().unwrap().len()
        };
        assert_eq!(found("2026-11-23T11:00:00Z").await, 1);
        assert_eq!(found("2026-11-23T12:00:00%2B01:00").await, 1);
        assert_eq!(found("2026-11-23T06:00:00.000-05:00").await, 1);
        assert_eq!(found("2026-11-23T12:00:00-01:00").await, 0);
        for moment in
            ["2026-11-23T11:00:00", "2026-11-23T11:00:00+01:00", "2026-11-23T25:00:00Z", "1795431600"]
        {
            let reply = app.get(&format!("/v1/advice?modifiedSince={moment}")).send().await;
            assert_eq!(faults(&reply), expected(&[("modifiedSince", "date_time.format")]), "{moment}");
        }
        let item = app.get(&format!("/v1/advice/{id}")).send().await.json();
        for moment in [&item["createdAt"], &item["modifiedAt"], &item["publication"]["publishedAt"]] {
            let text = moment.as_str().unwrap();
            assert!(text.starts_with("2026-11-23T11:00:00") && text.ends_with('Z'), "{text}");
        }
    }

    async fn an_advice_is_a_page_that_holds_no_markup_of_its_own(app: TestApp) {
        let id = published(&app, &[("<script>alert('x')</script> & \"zo\"", "2026-10-01")]).await.remove(0);
        let mut response = final_response("2026-10-20");
        response["text"] = json!("</p><img src=x onerror=alert(1)>");
        app.record(&id, "responses", response).await;
        let page = app.get(&format!("/v1/advice/{id}")).header("accept", "text/html").send().await;
        assert_eq!(
            (page.status, page.header("content-type").as_str()),
            (StatusCode::OK, "text/html; charset=utf-8")
        );
        let text = page.text();
        assert!(
            text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;zo&quot;"),
            "{text}"
        );
        assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
        assert!(text.contains("Maak een zebrapad") && text.contains("overgenomen"));
        assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src "));
        assert!(page.header("vary").contains("Accept"));
        let missing = app.get(&format!("/v1/advice/{NOBODY}")).header("accept", "text/html").send().await;
        assert_problem(&missing, StatusCode::NOT_FOUND, "not-found", &format!("/v1/advice/{NOBODY}"));
    }

    async fn the_root_of_the_host_says_what_this_is(app: TestApp) {
        let found = async |path: &str, media: &str| {
            let reply = app.get(path).send().await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
            assert!(
                reply.header("content-type").starts_with(media),
                "{path}: {}",
                reply.header("content-type")
            );
            reply
        };
        found("/", "text/html").await;
        let docs = found("/docs", "text/html").await.text();
        assert!(docs.contains("listAdvice") || docs.contains("/advice/{id}"), "{docs}");
        assert!(!docs.contains("<script") && !docs.contains("src=\"http"));
        assert_eq!(found("/health/live", "application/json").await.json()["status"], "ok");
        assert_eq!(found("/health/ready", "application/json").await.json()["status"], "ok");
        assert!(found("/robots.txt", "text/plain").await.text().starts_with("User-agent: *"));
        assert!(found("/problems/invalid-input", "text/html").await.text().contains("invalid-input"));
        assert_eq!(app.get("/problems/nothing").send().await.status, StatusCode::NOT_FOUND);
        let security = found("/.well-known/security.txt", "text/plain").await.text();
        assert!(
            security.contains("Contact: https://api.test/contact")
                && security.contains("Expires: 2027-11-23T00:00:00Z")
        );
        let catalog = found("/.well-known/api-catalog", "application/linkset+json").await;
        assert_eq!(catalog.header("access-control-allow-origin"), "*");
        let resource = found("/.well-known/oauth-protected-resource/v1", "application/json").await.json();
        assert_eq!(resource["resource"], "https://api.test/v1");
        // Every address that the catalogue and the root name is there.
        let root = app.get("/").header("accept", "application/json").send().await.json();
        let links = root["links"].as_object().unwrap().values().cloned();
        let services = catalog.json()["linkset"][1].clone();
        let services = services
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_array)
            .flatten()
            .map(|link| link["href"].clone());
        for link in links.chain(services) {
            let path = link.as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap().to_owned();
            assert_eq!(app.get(&path).send().await.status, StatusCode::OK, "{path}");
        }
    }
}
