//! A whole API in process, on a database of its own, with a clock that stands where the test puts it.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Request;
use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use api::app::{App, Limits, seed};
use api::auth::{AuthConfig, DevKey, IssuerConfig, Mint, Verifier};
use api::clock::{Clock, new_id};
use api::contract::Contract;
use api::discovery::DiscoveryConfig;
use api::openapi;
use api::server::Parts;
use api::wire::{self, WireConfig};
use chrono::{DateTime, Utc};
use persistence::{DatabaseUrl, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What tokens name in `aud`.
pub const AUDIENCE: &str = "https://api.test/v1";
/// Where the API says it is.
pub const PUBLIC_URL: &str = "https://api.test";

type Respond = Rc<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Reply>>>>;

/// An API with a database of its own.
#[derive(Clone)]
pub struct TestApp {
    pub store: Store,
    pub clock: Clock,
    key: Rc<DevKey>,
    respond: Respond,
    pub url: DatabaseUrl,
    folder: Rc<TempDir>,
}

/// Runs each test on SQLite, and on PostgreSQL where one is given.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$doc:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {
        $(
            $(#[$doc])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn holds($app: $crate::support::TestApp) $body

                #[actix_web::test]
                async fn sqlite() {
                    holds($crate::support::TestApp::on_sqlite().await).await;
                }

                #[actix_web::test]
                #[ignore = "needs PostgreSQL"]
                async fn postgres() {
                    holds($crate::support::TestApp::on_postgres().await).await;
                }
            }
        )+
    };
}

/// The moment at which every test begins.
pub fn noon() -> DateTime<Utc> {
    "2026-11-23T11:00:00Z".parse().unwrap()
}

impl TestApp {
    pub async fn on_sqlite() -> Self {
        Self::start(fresh_file(), Clock::standing(noon()), Setup::default()).await
    }

    /// One that trusts an issuer in place of the key of its data folder.
    pub async fn trusting(issuer: IssuerConfig) -> Self {
        let setup = Setup { issuer: Some(issuer), ..Setup::default() };
        Self::start(fresh_file(), Clock::standing(noon()), setup).await
    }

    /// A schema of its own in the database that `TEST_POSTGRES_URL` names.
    pub async fn on_postgres() -> Self {
        let folder = Rc::new(tempfile::tempdir().unwrap());
        Self::start((folder, fresh_schema()), Clock::standing(noon()), Setup::default()).await
    }

    /// The same database under a program that starts anew: it remembers nothing.
    pub async fn restarted(&self) -> Self {
        self.started_with(Setup::default()).await
    }

    /// The same database under a program that also reads from a copy, which holds what every database begins with and follows
    /// no further. Gives the copy's address too.
    pub async fn beside_a_copy(&self) -> (Self, DatabaseUrl) {
        let copy = match &self.url {
            DatabaseUrl::Sqlite(_) => DatabaseUrl::Sqlite(self.folder.path().join("copy.sqlite")),
            DatabaseUrl::Postgres(_) => fresh_schema(),
        };
        seed(&Store::open(&copy, 1).unwrap(), self.clock.now()).unwrap();
        let setup = Setup { replica: Some(copy.clone()), ..Setup::default() };
        (self.started_with(setup).await, copy)
    }

    async fn started_with(&self, setup: Setup) -> Self {
        Self::start((self.folder.clone(), self.url.clone()), self.clock.clone(), setup).await
    }

    async fn start((folder, url): (Rc<TempDir>, DatabaseUrl), clock: Clock, setup: Setup) -> Self {
        let Setup { issuer, replica } = setup;
        let mut store = Store::open(&url, 4).unwrap();
        seed(&store, clock.now()).unwrap();
        if let Some(replica) = replica {
            store = store.with_replica(&replica, 2).unwrap();
        }
        let key = DevKey::load_or_create(folder.path()).unwrap();
        let verifier = Verifier::new(AuthConfig {
            dev_tokens: issuer.is_none(),
            issuer,
            data_dir: folder.path().to_owned(),
            audience: AUDIENCE.to_owned(),
        })
        .unwrap();
        // Made once for all tests: it is the same for each.
        static CONTRACT: std::sync::LazyLock<(Value, Arc<Contract>)> = std::sync::LazyLock::new(|| {
            let document = openapi::document().unwrap();
            let contract = Arc::new(Contract::new(&document).unwrap());
            (document, contract)
        });
        let (document, contract) = &*CONTRACT;
        let app = App::new(
            store.clone(),
            clock.clone(),
            contract.clone(),
            Arc::new(verifier),
            Limits { body: 1024 * 1024, shelf: 16 * 1024 * 1024 },
            PUBLIC_URL.to_owned(),
        );
        let app = Arc::new(app.unwrap());
        let wire = WireConfig {
            public_url: PUBLIC_URL.to_owned(),
            cors_origins: vec!["https://mijn.rotterdam.test".to_owned()],
            rate_per_minute: None,
            request_timeout: Duration::from_secs(60),
            max_requests: 0,
            send_memory: 0,
            receive_memory: 0,
            cache_memory: 16 * 1024 * 1024,
            trust_forwarded: false,
        };
        let discovery = DiscoveryConfig {
            public_url: PUBLIC_URL.to_owned(),
            issuer: None,
            scopes: Vec::new(),
            demo: false,
            security_contact: "https://api.test/contact".to_owned(),
            security_expires: "2027-11-23T00:00:00Z".to_owned(),
        };
        let parts = Parts::new(app.clone(), wire, discovery, document);
        let service = Rc::new(
            init_service(
                actix_web::App::new().wrap(from_fn(wire::wire)).configure(|config| parts.configure(config)),
            )
            .await,
        );
        let respond: Respond = Rc::new(move |request| {
            let service = service.clone();
            Box::pin(async move {
                match service.call(request).await {
                    Ok(response) => Reply::of(response.map_into_boxed_body().into_parts().1).await,
                    Err(error) => Reply::of(error.error_response()).await,
                }
            })
        });
        Self { store, clock, key: Rc::new(key), respond, url, folder }
    }

    /// A token, valid now.
    pub fn token(&self, scope: &str, councils: &[&str], clusters: &[&str]) -> String {
        let texts = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
        self.key
            .mint(Mint {
                subject: format!("test {scope}"),
                scope: scope.to_owned(),
                councils: texts(councils),
                clusters: texts(clusters),
                audience: AUDIENCE.to_owned(),
                client_id: "tests".to_owned(),
                lifetime_seconds: 3600,
                issued_at: self.clock.now().moment.timestamp(),
            })
            .unwrap()
    }

    /// A token that may do everything.
    pub fn almighty(&self) -> String {
        let all: Vec<&str> = domain::access::Scope::ALL.iter().map(|(_, name, _)| *name).collect();
        self.token(&all.join(" "), &["*"], &["*"])
    }

    /// Puts the clock at noon of a day in Amsterdam.
    pub fn on_day(&self, day: &str) {
        self.clock.set(format!("{day}T11:00:00Z").parse().unwrap());
    }

    pub fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: Value) -> Ask {
        self.ask(Method::POST, path).json(body)
    }

    pub fn ask(&self, method: Method, path: &str) -> Ask {
        Ask { app: self.clone(), method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// Records an event of an advice with the version that stands there, and expects it to be taken.
    pub async fn record(&self, id: &str, event: &str, body: Value) -> Value {
        let token = self.almighty();
        let etag = self.etag(id).await;
        let reply =
            self.post(&format!("/v1/advice/{id}/{event}"), body).token(&token).if_match(&etag).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{event}: {}", reply.text());
        reply.json()
    }

    /// The ETag of an advice for somebody who sees all of it.
    pub async fn etag(&self, id: &str) -> String {
        let reply = self.get(&format!("/v1/advice/{id}")).token(&self.almighty()).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        reply.header("etag")
    }

    /// A draft; gives its id.
    pub async fn draft(&self, body: Value) -> String {
        let reply = self.post("/v1/advice", body).token(&self.almighty()).send().await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// An advice of a council that was received on a day; gives its id. The clock must stand on or after it.
    pub async fn received(&self, council: &str, received_on: &str) -> String {
        let id = self.draft(draft_of(council)).await;
        let adoption = json!({"meetingOn": received_on, "quorum": true, "votesFor": 7, "votesAgainst": 0});
        self.record(&id, "adoption", adoption).await;
        self.record(&id, "submission", json!({"submittedOn": received_on})).await;
        self.record(&id, "receipt", json!({"receivedOn": received_on, "cluster": "so"})).await;
        id
    }
}

/// What a test may set beside the database.
#[derive(Default)]
struct Setup {
    issuer: Option<IssuerConfig>,
    replica: Option<DatabaseUrl>,
}

fn fresh_file() -> (Rc<TempDir>, DatabaseUrl) {
    let folder = Rc::new(tempfile::tempdir().unwrap());
    let url = DatabaseUrl::Sqlite(folder.path().join("test.sqlite"));
    (folder, url)
}

fn fresh_schema() -> DatabaseUrl {
    use diesel::connection::SimpleConnection;
    let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a PostgreSQL for tests");
    let schema = format!("test_{}", new_id().simple());
    let mut connection: diesel::PgConnection = diesel::Connection::establish(&server).unwrap();
    connection.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
    let sign = if server.contains('?') { '&' } else { '?' };
    // By its name the connections of one test are told from those of others.
    DatabaseUrl::Postgres(format!("{server}{sign}options=-csearch_path%3D{schema}&application_name={schema}"))
}

/// What else is kept: accords, agreements, policy tracks, plans, commitments, talks, assignments, targets.
impl TestApp {
    /// Adds an item to a list and gives it.
    pub async fn add(&self, list: &str, body: Value) -> Value {
        let reply = self.post(&format!("/v1/{list}"), body).token(&self.almighty()).send().await;
        assert_eq!(reply.status, StatusCode::CREATED, "{list}: {}", reply.text());
        reply.json()
    }

    /// Adds an item to a list and gives its address, such as `/v1/accords/…`.
    pub async fn added(&self, list: &str, body: Value) -> String {
        let item = self.add(list, body).await;
        format!("/v1/{list}/{}", item["id"].as_str().unwrap())
    }

    /// What stands at an address for somebody who sees all of it.
    pub async fn whole(&self, item: &str) -> Reply {
        let reply = self.get(item).token(&self.almighty()).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{item}: {}", reply.text());
        reply
    }

    /// Sends what happened to an item, with the version that stands there.
    pub async fn event(&self, token: &str, item: &str, event: &str, body: Value) -> Reply {
        let etag = self.whole(item).await.header("etag");
        self.post(&format!("{item}/{event}"), body).token(token).if_match(&etag).send().await
    }

    /// The same as somebody who may do everything, and expects it to be taken.
    pub async fn tell(&self, item: &str, event: &str, body: Value) -> Value {
        let reply = self.event(&self.almighty(), item, event, body).await;
        assert_eq!(reply.status, StatusCode::OK, "{item} {event}: {}", reply.text());
        reply.json()
    }

    /// Sends a merge patch of an item, with the version that stands there, and a reason unless the patch speaks of one.
    pub async fn patched(&self, token: &str, item: &str, mut patch: Value) -> Reply {
        if patch.get("reason").is_none() {
            patch["reason"] = json!("verschreven");
        }
        let etag = self.whole(item).await.header("etag");
        self.ask(Method::PATCH, item).patch(patch).token(token).if_match(&etag).send().await
    }

    /// The ids on the first page of a list for everybody; of what is gone, with a `-` before it.
    pub async fn public_ids(&self, list: &str) -> Vec<String> {
        let reply = self.get(list).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{list}: {}", reply.text());
        let page = reply.json();
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| {
                let sign = if item["deleted"] == true { "-" } else { "" };
                format!("{sign}{}", item["id"].as_str().unwrap())
            })
            .collect()
    }

    /// An office holder; gives the id.
    pub async fn alderman(&self) -> String {
        let holder = self.add("office-holders", json!({"name": "A. Voorbeeld", "office": "alderman"})).await;
        holder["id"].as_str().unwrap().to_owned()
    }

    /// Ends every connection to PostgreSQL, as a restart of it does. Gives how many there were.
    pub fn lose_connections(&self) -> i64 {
        use diesel::RunQueryDsl;
        #[derive(diesel::QueryableByName)]
        struct Ended {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            ended: i64,
        }
        let DatabaseUrl::Postgres(url) = &self.url else { panic!("it is on SQLite") };
        let (_, name) = url.rsplit_once('=').unwrap();
        let mut connection: diesel::PgConnection = diesel::Connection::establish(url).unwrap();
        let query = format!(
            "SELECT count(pg_terminate_backend(pid, 5000)) AS ended FROM pg_stat_activity \
             WHERE application_name = '{name}' AND pid <> pg_backend_pid()"
        );
        diesel::sql_query(query).get_result::<Ended>(&mut connection).unwrap().ended
    }

    /// What the store's own check finds wrong.
    pub fn problems(&self) -> Vec<String> {
        self.store.read::<_, persistence::StoreError>(persistence::check::all).unwrap().problems
    }
}

/// The id at the end of an address.
pub fn id_of(item: &str) -> &str {
    item.rsplit('/').next().unwrap()
}

/// The smallest accord of a council.
pub fn accord_of(council: &str) -> Value {
    json!({"council": council, "from": "2026-01-01", "to": "2030-12-31", "title": "Wijkakkoord"})
}

/// The smallest agreement of an accord at an address, for the plan of 2026, owned by cluster so.
pub fn agreement_of(accord: &str, number: &str) -> Value {
    json!({
        "accord": id_of(accord), "number": number, "title": "Zebrapad bij de school", "size": "small",
        "owner": {"cluster": "so"}, "planYear": 2026, "agreedOn": "2026-01-15", "dueOn": "2026-12-31"
    })
}

/// A track of new policy, led by cluster so.
pub fn track() -> Value {
    json!({"title": "Mobiliteitsplan Noord", "cluster": "so", "newPolicy": true, "startedOn": "2026-02-01"})
}

/// The smallest plan for a track at an address.
pub fn plan_of(track: &str) -> Value {
    json!({
        "policyTrack": id_of(track),
        "promises": [{
            "number": 1, "phase": "design", "targetGroup": "bewoners", "method": "wijkgesprek",
            "dueOn": "2026-12-01", "influence": "consult"
        }]
    })
}

/// A motion.
pub fn motion(number: &str) -> Value {
    json!({"kind": "motion", "number": number, "title": "Openbaar overzicht", "madeOn": "2026-03-01"})
}

/// A target of the next term.
pub fn target() -> Value {
    json!({
        "statement": "75 % van de acties is gerealiseerd", "metric": "collegetarget", "definitionVersion": 1,
        "from": "2026-03-18", "to": "2030-03-13", "path": [{"year": 2027, "permille": 500}],
        "status": "proposed", "source": "Collegeprogramma"
    })
}

/// A measurement whose buckets add up.
pub fn measurement() -> Value {
    json!({
        "referenceOn": "2026-10-31", "definitionVersion": 1, "realisedPermille": 620,
        "runningPermille": 350, "notRealisedPermille": 30, "source": "Rapportage"
    })
}

/// The smallest draft of a council, with one point.
pub fn draft_of(council: &str) -> Value {
    json!({
        "kind": "unsolicited",
        "subject": "Oversteek bij de school",
        "level": "neighbourhood",
        "councils": {"lead": council},
        "points": [{"number": 1, "text": "Maak een zebrapad"}]
    })
}

/// The smallest final response, sent on a day, that adopts the one point.
pub fn final_response(sent_on: &str) -> Value {
    json!({
        "kind": "final",
        "decidedOn": sent_on,
        "sentOn": sent_on,
        "by": "alderman",
        "points": [{"number": 1, "outcome": "adopted"}]
    })
}

/// A request on its way.
pub struct Ask {
    app: TestApp,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
}

impl Ask {
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
        self
    }

    /// A header of any bytes; those that no header can hold are left out.
    pub fn raw_header(mut self, name: &str, value: &[u8]) -> Self {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            self.headers.push((name.parse().unwrap(), value));
        }
        self
    }

    pub fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    pub fn patch(self, body: Value) -> Self {
        self.body("application/merge-patch+json", body.to_string().as_bytes())
    }

    pub fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-type", content_type)
    }

    pub async fn send(self) -> Reply {
        let Self { app, method, path, headers, body } = self;
        let mut request = TestRequest::with_uri(&path).method(method).set_payload(body);
        for header in headers {
            request = request.append_header(header);
        }
        (app.respond)(request.to_request()).await
    }
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    async fn of(response: actix_web::HttpResponse) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap_or_default().to_vec();
        Self { status, headers, body }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    /// The kind of the problem, without its address.
    pub fn problem(&self) -> String {
        self.json()["type"].as_str().and_then(|kind| kind.rsplit('/').next()).unwrap_or_default().to_owned()
    }

    /// The codes of the errors of a problem, each with its location.
    pub fn faults(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let json = self.json();
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (text(&error["location"]), text(&error["code"]))).collect()
    }
}
