//! The root of the host: what this is and where to go, for people and for programs; and the frame of every page.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::problem::{ApiError, KINDS};
use crate::wire::{API_VERSION, resource};

const NAME: &str = "Wijk aan Zet API";
const PROMISE: &str = "What Rotterdam’s 39 neighbourhood councils advise, what the college answers, by when an answer is expected, \
     and where each advice stands.";
const LINKSET: &str = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

/// Where to go: name, path, what is there.
const DOORS: &[(&str, &str, &str)] = &[
    (
        "advice",
        "/v1/advice",
        "Every published advice, with its status, its answer and the date by which that is expected.",
    ),
    ("councils", "/v1/councils", "The councils: 37 wijkraden and 2 dorpsraden."),
    (
        "changes",
        "/v1/changes",
        "What changed since you last asked, in order and without holes: keep a copy in step.",
    ),
    ("docs", "/docs", "The reference, to read."),
    ("openapi", "/v1/openapi.json", "The same for programs: OpenAPI 3.1."),
];

/// What a deployment says about itself.
#[derive(Debug, Clone)]
pub struct DiscoveryConfig {
    /// Our own address, without a slash at the end.
    pub public_url: String,
    /// Who issues our tokens.
    pub issuer: Option<String>,
    /// The scopes that a token may carry, and what each is for.
    pub scopes: Vec<(String, String)>,
    /// The data are made up, and every page and search engine should know.
    pub demo: bool,
    /// Where to report a vulnerability: a `https:` or `mailto:` address.
    pub security_contact: String,
    /// Until when that holds (RFC 3339).
    pub security_expires: String,
}

/// The routes. They read a `web::Data<DiscoveryConfig>`.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(resource("/").get(root))
        .service(resource("/robots.txt").get(robots))
        .service(resource("/.well-known/api-catalog").get(api_catalog))
        .service(resource("/.well-known/oauth-protected-resource/v1").get(protected_resource))
        .service(resource("/.well-known/security.txt").get(security))
        .service(resource("/problems").get(problems))
        .service(resource("/problems/{code}").get(problem))
        .service(resource("/health/live").get(live));
}

/// A page in its frame. `body` is HTML; `title` is text.
pub fn page(title: &str, body: &str) -> String {
    frame(title, "", body)
}

/// A page with an index at its side. `index` and `body` are HTML; `title` is text.
pub fn page_with_index(title: &str, index: &str, body: &str) -> String {
    frame(title, &format!("<nav class=\"index\" aria-label=\"On this page\">{index}</nav>"), body)
}

/// An answer with a page, and the policy that lets its style through and nothing else.
pub fn html(page: impl Into<web::Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .body(page.into())
}

/// Text as it stands in HTML, also within quotes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text with blank lines between its paragraphs and backticks around its code, as HTML.
pub fn prose(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| format!("<p>{}</p>", phrase(paragraph)))
        .collect()
}

/// One paragraph of [`prose`], without its tags.
pub fn phrase(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, behind)) = after.split_once('`') else { break };
        html.push_str(&format!("{}<code>{}</code>", escape(before), escape(code)));
        rest = behind;
    }
    html + &escape(rest)
}

async fn root(req: HttpRequest, config: web::Data<DiscoveryConfig>) -> Result<HttpResponse, ApiError> {
    let accept = req.headers().get(header::ACCEPT).map_or(Ok("*/*"), |value| value.to_str()).unwrap_or("*/*");
    let (as_html, as_json) = (quality(accept, "text", "html"), quality(accept, "application", "json"));
    if as_html == 0.0 && as_json == 0.0 {
        return Err(ApiError::NotAcceptable);
    }
    let mut response = if as_json > as_html {
        HttpResponse::Ok().json(root_links(&config))
    } else {
        html(root_page(config.demo))
    };
    let links = "</.well-known/api-catalog>; rel=\"api-catalog\", </v1/openapi.json>; rel=\"service-desc\", \
                 </docs>; rel=\"service-doc\"";
    for (name, value) in [(header::VARY, "Accept"), (header::LINK, links)] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    Ok(response)
}

/// How much a caller likes a media type: the range that fits most closely decides (RFC 9110, 12.5.1).
fn quality(accept: &str, kind: &str, subtype: &str) -> f32 {
    let mut best = (0, 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let Some((range_kind, range_subtype)) = parts.next().and_then(|range| range.split_once('/')) else {
            continue;
        };
        let closeness =
            match (range_kind.eq_ignore_ascii_case(kind), range_subtype.eq_ignore_ascii_case(subtype)) {
                (true, true) => 3,
                (true, false) if range_subtype == "*" => 2,
                _ if (range_kind, range_subtype) == ("*", "*") => 1,
                _ => continue,
            };
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        if closeness > best.0 {
            best = (closeness, weight);
        }
    }
    best.1
}

fn root_links(config: &DiscoveryConfig) -> Value {
    let links: serde_json::Map<String, Value> = DOORS
        .iter()
        .map(|(name, path, _)| ((*name).to_owned(), format!("{}{path}", config.public_url).into()))
        .collect();
    json!({ "name": NAME, "description": PROMISE, "version": API_VERSION, "demo": config.demo, "links": links })
}

fn root_page(demo: bool) -> String {
    let warning = if demo {
        "<p class=\"warning\"><strong>Demonstration.</strong> The advice, answers and figures here are made up. \
         Nothing here is a statement of the municipality or of a council.</p>"
    } else {
        ""
    };
    let doors: String = DOORS
        .iter()
        .map(|(_, path, what)| {
            format!("<dt><a href=\"{path}\"><code>{path}</code></a></dt><dd>{}</dd>", escape(what))
        })
        .collect();
    let body = format!(
        "<p class=\"kicker\">City of Rotterdam · version {API_VERSION}</p><h1>Wijk aan Zet</h1>\
         <p class=\"lede\">{PROMISE}</p>{warning}\
         <p>The municipal council asked for this in motion 25bb004228: a public, real-time overview of council advice, \
         the answers, the expected answer date and the status. No status here is typed in: each follows from what \
         happened. What is published anybody may read, without a key.</p>\
         <h2>Where to go</h2><dl class=\"doors\">{doors}</dl>\
         <p class=\"small\">Also: <a href=\"/problems\">the problems</a> that an answer may name, \
         <a href=\"/.well-known/api-catalog\">the catalogue</a> for programs, \
         <a href=\"/.well-known/security.txt\">where to report a vulnerability</a>.</p>"
    );
    page(NAME, &body)
}

async fn robots(config: web::Data<DiscoveryConfig>) -> HttpResponse {
    let rule = if config.demo {
        "# The data are made up.\nUser-agent: *\nDisallow: /\n"
    } else {
        "User-agent: *\nAllow: /\n"
    };
    text(rule.to_owned())
}

async fn api_catalog(config: web::Data<DiscoveryConfig>) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", config.public_url);
    let catalog = at("/.well-known/api-catalog");
    let linkset = json!({ "linkset": [
        { "anchor": catalog, "item": [{ "href": at("/v1"), "title": NAME }] },
        {
            "anchor": at("/v1"),
            "service-desc": [
                { "href": at("/v1/openapi.json"), "type": "application/json" },
                { "href": at("/v1/openapi.yaml"), "type": "application/yaml" },
            ],
            "service-doc": [{ "href": at("/docs"), "type": "text/html", "hreflang": ["en"] }],
            "service-meta": [{ "href": at("/.well-known/oauth-protected-resource/v1"), "type": "application/json" }],
            "status": [{ "href": at("/health/ready"), "type": "application/json" }],
        },
    ]});
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, LINKSET))
        .insert_header((header::LINK, format!("<{catalog}>; rel=\"api-catalog\"")))
        .body(linkset.to_string())
}

async fn protected_resource(config: web::Data<DiscoveryConfig>) -> HttpResponse {
    let scopes: Vec<&str> = config.scopes.iter().map(|(scope, _)| scope.as_str()).collect();
    let mut metadata = json!({
        "resource": format!("{}/v1", config.public_url),
        "resource_name": NAME,
        "resource_documentation": format!("{}/docs", config.public_url),
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
    });
    // RFC 9728: a member without a value is left out.
    if let Some(issuer) = &config.issuer {
        metadata["authorization_servers"] = json!([issuer]);
    }
    HttpResponse::Ok().json(metadata)
}

async fn security(config: web::Data<DiscoveryConfig>) -> HttpResponse {
    let DiscoveryConfig { public_url, security_contact, security_expires, .. } = config.as_ref();
    text(format!(
        "Contact: {security_contact}\nExpires: {security_expires}\nPreferred-Languages: nl, en\n\
         Canonical: {public_url}/.well-known/security.txt\n"
    ))
}

async fn problems() -> HttpResponse {
    let rows: String = KINDS
        .iter()
        .map(|(code, status, title, detail)| {
            format!(
                "<tr><td>{status}</td><td><a href=\"/problems/{code}\">{}</a></td><td>{}</td></tr>",
                escape(title),
                phrase(detail)
            )
        })
        .collect();
    let body = format!(
        "<p class=\"kicker\"><a href=\"/\">Wijk aan Zet</a></p><h1>Problems</h1>\
         <p class=\"lede\">Every error is a problem (RFC 9457) of one of these kinds.</p>\
         <div class=\"wide\"><table><thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Kind</th>\
         <th scope=\"col\">What to do</th></tr></thead><tbody>{rows}</tbody></table></div>"
    );
    html(page("Problems · Wijk aan Zet API", &body))
}

async fn problem(code: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let (code, status, title, detail) =
        KINDS.iter().find(|(known, ..)| *known == code.as_str()).ok_or(ApiError::NotFound)?;
    let body = format!(
        "<p class=\"kicker\"><a href=\"/\">Wijk aan Zet</a> · <a href=\"/problems\">Problems</a></p><h1>{}</h1>\
         <p class=\"lede\">{}</p><p>The answer has status {status}, and its <code>type</code> ends in \
         <code>{code}</code>. Its <code>detail</code> says what is wrong this time, and its <code>traceId</code> finds \
         the request in our logs: name it when you write to us.</p>",
        escape(title),
        phrase(detail)
    );
    Ok(html(page(&format!("{title} · Wijk aan Zet API"), &body)))
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

fn text(body: String) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body(body)
}

fn frame(title: &str, index: &str, body: &str) -> String {
    let class = if index.is_empty() { "single" } else { "indexed" };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body class=\"{class}\">\n<a class=\"skip\" href=\"#main\">Skip to the text</a>\n{index}\n\
         <main id=\"main\" tabindex=\"-1\">\n{body}\n</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// Only this very style may be applied, and nothing be loaded, sent or framed.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

const STYLE: &str = r#"
:root {
  --paper: #fdfcf9; --ink: #1d211f; --soft: #565e5a; --line: #dcdad2; --tint: #f3f1ea; --accent: #00651b; --warn: #fff3d1;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #151817; --ink: #e7e5df; --soft: #a9b0ab; --line: #363c39; --tint: #1e2321; --accent: #7bd696; --warn: #3b3110; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 var(--sans); }
main { max-width: 46rem; margin: 0 auto; padding: clamp(2rem, 8vh, 6rem) 1.5rem 4rem; outline: none; }
h1, h2, h3, h4, .lede { font-family: var(--serif); text-wrap: balance; }
h1 { font-size: clamp(2.25rem, 6vw, 3.25rem); line-height: 1.1; font-weight: 600; letter-spacing: -0.015em; margin: 0 0 1rem; }
h2 { font-size: 1.6rem; line-height: 1.25; font-weight: 600; margin: 3rem 0 0.75rem; }
h3 { font-size: 1.2rem; line-height: 1.35; font-weight: 600; margin: 2rem 0 0.5rem; }
h4 { font: 600 0.8125rem/1.4 var(--sans); letter-spacing: 0.04em; color: var(--soft); margin: 1.5rem 0 0.4rem; }
p { margin: 0 0 1rem; max-width: 42rem; }
.kicker { font-size: 0.875rem; color: var(--soft); margin-bottom: 0.75rem; }
.lede { font-size: 1.3rem; line-height: 1.5; color: var(--soft); margin-bottom: 1.75rem; text-wrap: pretty; }
.small { font-size: 0.9rem; color: var(--soft); }
.warning { background: var(--warn); border-left: 4px solid #b07a00; padding: 0.75rem 1rem; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -100rem; top: 0; background: var(--accent); color: var(--paper); padding: 0.6rem 1rem; z-index: 1; }
.skip:focus { left: 0; }
code, pre { font-family: var(--mono); font-size: 0.875em; }
code { overflow-wrap: anywhere; }
p code, td code, dd code { background: var(--tint); padding: 0.1em 0.3em; border-radius: 3px; }
a code { background: none; padding: 0; }
pre { background: var(--tint); padding: 1rem; border-radius: 4px; overflow-x: auto; line-height: 1.45; margin: 0.5rem 0 1rem; }
.doors { display: grid; grid-template-columns: max-content 1fr; gap: 0; margin: 0 0 2rem; border-top: 1px solid var(--line); }
.doors dt, .doors dd { margin: 0; padding: 0.7rem 0; border-bottom: 1px solid var(--line); }
.doors dt { padding-right: 2rem; }
.wide { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; line-height: 1.5; }
th, td { text-align: left; vertical-align: top; padding: 0.55rem 1rem 0.55rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: 0.8125rem; color: var(--soft); white-space: nowrap; }
td { min-width: 5rem; }
td p { margin: 0 0 0.4rem; }
td p:last-child { margin-bottom: 0; }
td .small { font-size: 0.8125rem; }
.required { color: var(--soft); font-size: 0.8125rem; display: block; }
details { margin: 0 0 1rem; }
summary { cursor: pointer; color: var(--accent); font-size: 0.9rem; }
article { border-top: 1px solid var(--line); padding-top: 1.5rem; margin-top: 2rem; }
article h3 { margin-top: 0; }
.call { font-family: var(--mono); font-size: 0.9rem; background: var(--tint); padding: 0.6rem 0.9rem; border-radius: 4px; overflow-wrap: anywhere; max-width: none; }
.call code { background: none; padding: 0; font-size: 1em; }
.call b { display: inline-block; min-width: 4.5em; color: var(--accent); }
.deprecated { text-decoration: line-through; }
.index { font-size: 0.875rem; line-height: 1.45; padding: 1.5rem; border-bottom: 1px solid var(--line); max-height: 45vh; overflow-y: auto; }
.index ul { list-style: none; margin: 0 0 1.25rem; padding: 0; }
.index li { padding: 0.15rem 0; }
.index a { text-decoration: none; overflow-wrap: anywhere; }
.index a:hover { text-decoration: underline; }
.index p { font-weight: 600; margin: 0 0 0.3rem; }
.indexed main { max-width: 58rem; }
@media (min-width: 64rem) {
  .indexed { display: grid; grid-template-columns: 18rem minmax(0, 1fr); }
  .index { position: sticky; top: 0; height: 100vh; max-height: none; border-bottom: 0; border-right: 1px solid var(--line); padding: 2.5rem 1.5rem; }
  .indexed main { margin: 0; padding-left: 3rem; padding-right: 3rem; padding-top: 2.5rem; width: 100%; }
}
@media (max-width: 40rem) {
  .doors { grid-template-columns: 1fr; }
  .doors dt { border-bottom: 0; padding-bottom: 0; }
  .doors dd { padding-top: 0.2rem; }
}
@media print { .index, .skip { display: none; } body { background: none; } }
"#;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use actix_web::App;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    use super::*;
    use crate::wire::{Wire, WireConfig, not_found, wire};

    fn config() -> DiscoveryConfig {
        DiscoveryConfig {
            public_url: "https://api.test".to_owned(),
            issuer: Some("https://login.test".to_owned()),
            scopes: vec![("publish".to_owned(), "Publish and withdraw.".to_owned())],
            demo: false,
            security_contact: "https://www.rotterdam.nl/contact".to_owned(),
            security_expires: "2027-01-01T00:00:00Z".to_owned(),
        }
    }

    type Headers = BTreeMap<String, String>;

    async fn ask_of(config: DiscoveryConfig, path: &str, accept: &str) -> (u16, Headers, String) {
        let wire_config = WireConfig {
            public_url: config.public_url.clone(),
            cors_origins: Vec::new(),
            rate_per_minute: None,
            request_timeout: Duration::from_secs(5),
            trust_forwarded: false,
            max_requests: 0,
            send_memory: 0,
            receive_memory: 0,
            cache_memory: 0,
        };
        let app = App::new()
            .app_data(web::Data::new(Wire::new(wire_config, crate::stopping::Stopping::default())))
            .app_data(web::Data::new(config))
            .wrap(from_fn(wire))
            .configure(configure)
            .default_service(web::to(not_found));
        let req = TestRequest::with_uri(path).insert_header(("Accept", accept)).to_request();
        let answer = call_service(&init_service(app).await, req).await;
        let status = answer.status().as_u16();
        let line = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let headers = answer.headers().iter().map(line).collect();
        (status, headers, String::from_utf8(read_body(answer).await.to_vec()).unwrap())
    }

    async fn ask(path: &str) -> (u16, Headers, String) {
        ask_of(config(), path, "*/*").await
    }

    #[actix_web::test]
    async fn the_root_says_where_to_go() {
        let (status, headers, body) = ask("/").await;
        assert_eq!((status, headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
        for text in [
            "25bb004228",
            "href=\"/v1/advice\"",
            "href=\"/v1/councils\"",
            "href=\"/docs\"",
            "href=\"/v1/changes\"",
        ] {
            assert!(body.contains(text), "{text}");
        }
        assert!(body.contains("href=\"/v1/openapi.json\"") && !body.contains("made up"));
        let demo = ask_of(DiscoveryConfig { demo: true, ..config() }, "/", "text/html").await;
        assert!(demo.2.contains("made up"));
    }

    #[actix_web::test]
    async fn the_root_speaks_json_when_asked() {
        let (_, headers, body) = ask_of(config(), "/", "application/json").await;
        let links: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(links["links"]["advice"], "https://api.test/v1/advice");
        assert_eq!(links["version"], API_VERSION);
        assert_eq!(headers["vary"], "Accept, Origin");
        assert_eq!(ask_of(config(), "/", "image/png").await.0, 406);
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(ask_of(config(), "/", browser).await.2.starts_with("<!doctype html>"));
    }

    #[test]
    fn the_closest_range_decides() {
        assert_eq!(quality("text/html;q=0.5, */*", "text", "html"), 0.5);
        assert_eq!(quality("text/*;q=0.3, */*;q=0.9", "text", "html"), 0.3);
        assert_eq!(quality("application/json;q=0, */*", "application", "json"), 0.0);
        assert_eq!(quality("nonsense", "text", "html"), 0.0);
    }

    #[actix_web::test]
    async fn a_page_applies_its_own_style_and_no_other() {
        let (_, headers, body) = ask("/").await;
        let policy = headers["content-security-policy"].as_str();
        let style = body.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(style));
        assert!(
            policy.contains(&format!("style-src 'sha256-{hash}'"))
                && policy.starts_with("default-src 'none'")
        );
        assert!(!policy.contains("unsafe") && !body.contains("style=") && !body.contains("<script"));
        assert!(!body.contains("src="));
    }

    #[actix_web::test]
    async fn programs_find_the_documents() {
        let (_, headers, body) = ask("/.well-known/api-catalog").await;
        assert_eq!(headers["content-type"], LINKSET);
        let catalog: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(catalog["linkset"][1]["service-desc"][0]["href"], "https://api.test/v1/openapi.json");
        assert_eq!(headers["access-control-allow-origin"], "*");

        let (_, _, body) = ask("/.well-known/oauth-protected-resource/v1").await;
        let metadata: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(metadata["resource"], "https://api.test/v1");
        assert_eq!(metadata["authorization_servers"], json!(["https://login.test"]));
        assert_eq!(metadata["scopes_supported"], json!(["publish"]));
        assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
        assert_eq!(metadata["resource_documentation"], "https://api.test/docs");
        assert_eq!(metadata["resource_name"], NAME);
        // The keys of the issuer are the issuer's to publish, and nothing here is signed.
        assert_eq!(metadata.as_object().unwrap().len(), 6);
        let without = DiscoveryConfig { issuer: None, ..config() };
        let (_, _, body) = ask_of(without, "/.well-known/oauth-protected-resource/v1", "*/*").await;
        assert!(!body.contains("authorization_servers"));
    }

    #[actix_web::test]
    async fn the_plain_files_are_there() {
        let (_, _, security) = ask("/.well-known/security.txt").await;
        assert!(
            security
                .starts_with("Contact: https://www.rotterdam.nl/contact\nExpires: 2027-01-01T00:00:00Z\n")
        );
        assert!(ask("/robots.txt").await.2.contains("Allow: /\n"));
        let demo = ask_of(DiscoveryConfig { demo: true, ..config() }, "/robots.txt", "*/*").await;
        assert!(demo.2.contains("Disallow: /\n"));
        assert_eq!(ask("/health/live").await.2, "{\"status\":\"ok\"}");
    }

    #[actix_web::test]
    async fn every_problem_has_its_page() {
        let (_, _, all) = ask("/problems").await;
        for (code, _, title, _) in KINDS {
            let (status, _, body) = ask(&format!("/problems/{code}")).await;
            assert_eq!(status, 200);
            assert!(body.contains(&escape(title)) && all.contains(&format!("/problems/{code}")));
        }
        assert!(ask("/problems/invalid-input").await.2.contains("<code>errors</code>"));
        assert_eq!(ask("/problems/nothing").await.0, 404);
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
        assert_eq!(
            prose("One `<b>`.\n\n\n\nTwo ` <i>"),
            "<p>One <code>&lt;b&gt;</code>.</p><p>Two ` &lt;i&gt;</p>"
        );
        assert_eq!(prose(" "), "");
    }
}
