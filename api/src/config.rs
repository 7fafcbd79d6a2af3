//! The command line and the settings: by flag or by environment, the flag first.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::import::{ListSource, dossiers};
use persistence::DatabaseUrl;

use crate::auth::{ALGORITHMS, Algorithm};

/// Wijk aan Zet: the public, real-time overview of the advice of Rotterdam's neighbourhood councils, the answers, the
/// expected answer date and the status, as a JSON API.
#[derive(Debug, Parser)]
#[command(name = "wijkaanzet", version, about, long_about = None)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server. Makes the database on its first start, and brings its tables up to date.
    Serve(ServeArgs),
    /// Import a file: all or nothing. A second time it changes nothing.
    ///
    /// Files are CSV in UTF-8 with a header, separated by commas or semicolons; columns are found by name. The kinds are:
    ///   raad          the municipal council's list of advice
    ///   wijkraad      the neighbourhood councils' own list of advice
    ///   answers       which advice was answered by which letter, and when
    ///   agreements    agreements of accords (afspraken); key: council, planYear, number
    ///   progress      what the organisation says of agreements (voortgang)
    ///   judgements    what the councils say of agreements (oordelen)
    ///   commitments   motions and undertakings (moties en toezeggingen); key: number
    ///   measurements  what was measured of collegetargets (metingen)
    /// Their columns stand in docs/import.md. A row that cannot be placed is kept with the reason (GET /v1/unplaced-rows)
    /// until a later run places it.
    #[command(verbatim_doc_comment)]
    Import(ImportArgs),
    /// Print a token for trying things out, signed with the key of the data folder.
    ///
    /// A server accepts it only with --dev-tokens or --demo, and only where no issuer is configured.
    Token(TokenArgs),
    /// Print the OpenAPI document.
    Openapi(OpenapiArgs),
    /// Make the database where there is none and bring its tables up to date, then stop.
    Migrate(StoreArgs),
    /// Check settings and database: read the whole journal, verify its chain of hashes and its daily roots, and compare every row
    /// with it.
    ///
    /// Ends with status 0 only if all is well.
    Check(CheckArgs),
    /// Copy the database into a new file while the server serves and writes, and check the copy (SQLite).
    ///
    /// The copy is the database as it was at one moment. PostgreSQL has tools of its own; docs/backup.md has both.
    Backup(BackupArgs),
    /// Check a backup and put it in the place of the database, whole or not at all (SQLite).
    ///
    /// The server is stopped for it. PostgreSQL has tools of its own; docs/backup.md has both.
    Restore(RestoreArgs),
}

/// Where the data are.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// The database: sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME. Without it a SQLite file in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database: Option<String>,
    /// The folder for the SQLite file and the key for trying things out.
    #[arg(long, env = "DATA_DIR", default_value = "data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Connections to the database at most.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub database_connections: u32,
}

impl StoreArgs {
    /// The database, or the file in the data folder. What is wrong with it is said without repeating it: a password may
    /// stand in it.
    pub fn url(&self) -> Result<DatabaseUrl, String> {
        match &self.database {
            Some(url) => url.parse().map_err(|problem| format!("--database: {problem}")),
            None => Ok(DatabaseUrl::Sqlite(self.data_dir.join("wijkaanzet.sqlite"))),
        }
    }
}

/// Who issues tokens.
#[derive(Debug, Clone, Args)]
pub struct IssuerArgs {
    /// The issuer of tokens (claim `iss`). With it the key of the data folder is never accepted. Its metadata say where its
    /// keys are.
    #[arg(long, env = "TOKEN_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,
    /// The issuer's keys (JWKS) in place of those that its metadata name: a file, or an https:// address.
    #[arg(long, env = "TOKEN_JWKS", value_name = "FILE|URL", requires = "issuer")]
    pub jwks: Option<String>,
    /// Certificate authorities (PEM) for connections to the issuer, in place of those built in.
    #[arg(long, env = "TOKEN_ISSUER_CA", value_name = "FILE", requires = "issuer")]
    pub issuer_ca: Option<PathBuf>,
    /// The algorithms that the issuer may sign with, by commas.
    #[arg(
        long,
        env = "TOKEN_ALGORITHMS",
        value_delimiter = ',',
        default_value = "RS256,PS256,ES256,EdDSA",
        value_name = "ALG,…",
        value_parser = token_algorithm
    )]
    pub token_algorithms: Vec<Algorithm>,
    /// What tokens must name in `aud`.
    #[arg(
        long,
        env = "TOKEN_AUDIENCE",
        default_value = "https://api.wijkaanzet.rotterdam.nl/v1",
        value_name = "URI"
    )]
    pub audience: String,
}

/// Settings of the server.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where the data are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// A copy of the database that follows it, for reading. Who may write, and who names a Journal-Position that the copy has not
    /// reached, is read to from the database itself.
    #[arg(long, env = "DATABASE_READ_URL", hide_env_values = true, value_name = "URL")]
    pub database_read: Option<String>,
    /// Who issues tokens.
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// The address to listen on.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Our own public address, without a slash at the end; http:// and the listening address when left out.
    #[arg(long, env = "PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Put a demonstration set into an empty database: made up, and marked as such in every item. Implies --dev-tokens.
    #[arg(long)]
    pub demo: bool,
    /// Accept tokens signed with the key of the data folder. Not together with an issuer.
    #[arg(long, conflicts_with = "issuer")]
    pub dev_tokens: bool,
    /// Origins whose scripts may use a token, by commas.
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGIN,…", value_parser = origin)]
    pub cors_origins: Vec<String>,
    /// Requests per minute and client; 0 for no limit.
    #[arg(long, env = "RATE_PER_MINUTE", default_value_t = 600, value_name = "N")]
    pub rate_per_minute: u32,
    /// Seconds that a request may take, its body included; a reader of the feed who waits has his `wait` more.
    #[arg(long, env = "REQUEST_TIMEOUT", default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub request_timeout: u64,
    /// Bytes that a body may have.
    #[arg(long, env = "BODY_LIMIT", default_value_t = 1024 * 1024, value_name = "BYTES")]
    pub body_limit: usize,
    /// Count requests by the last address of X-Forwarded-For; only behind one proxy of your own.
    #[arg(long, env = "TRUST_FORWARDED")]
    pub trust_forwarded: bool,
    /// Threads that serve requests; the number of cores when left out.
    #[arg(long, env = "WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// How connections are held.
    #[command(flatten)]
    pub connections: ConnectionArgs,
    /// Requests that are worked on at once; who comes on top of that is turned away with 503. 0 for no limit.
    #[arg(long, env = "MAX_REQUESTS", default_value_t = 128, value_name = "N")]
    pub max_requests: usize,
    /// Bytes of big answers (64 KiB and more) that wait to be sent at once; a read on top of that is turned away with 503.
    /// 0 for no limit.
    #[arg(long, env = "SEND_MEMORY", default_value_t = 256 * 1024 * 1024, value_name = "BYTES")]
    pub send_memory: usize,
    /// Bytes of bodies that arrive or are worked on, at most; 0 for no limit.
    #[arg(long, env = "RECEIVE_MEMORY", default_value_t = 128 * 1024 * 1024, value_name = "BYTES")]
    pub receive_memory: usize,
    /// Bytes that may be kept: half of answers to anonymous reads, for as long as nothing is written, half of advice as it was
    /// shown, for as long as it is the same; 0 keeps none.
    #[arg(long, env = "CACHE_MEMORY", default_value_t = 32 * 1024 * 1024, value_name = "BYTES")]
    pub cache_memory: usize,
    /// Seconds between the signal to stop, which /health/ready tells at once, and the moment from which nothing new is taken.
    #[arg(long, env = "DRAIN_SECONDS", default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=600))]
    pub drain_seconds: u64,
    /// Seconds that requests which run then have to come to their end.
    #[arg(long, env = "STOP_TIMEOUT", default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub stop_timeout: u64,
    /// The address to serve /metrics on for Prometheus; nowhere when left out. Not for the public.
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,
    /// The OTLP collector to send a span of each request to, over HTTP, such as http://127.0.0.1:4318. Takes a build with
    /// the feature otel.
    #[arg(long, env = "OTLP_ENDPOINT", value_name = "URL", value_parser = public_url)]
    pub otlp_endpoint: Option<String>,
    /// Where to report a vulnerability, for security.txt.
    #[arg(
        long,
        env = "SECURITY_CONTACT",
        default_value = "https://www.rotterdam.nl/contact",
        value_name = "URI"
    )]
    pub security_contact: String,
    /// How the log is written.
    #[arg(long, env = "LOG_FORMAT", default_value = "json", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// What is logged, such as info, warn or debug.
    #[arg(long, env = "LOG", default_value = "info", value_name = "LEVEL", value_parser = log_filter)]
    pub log: String,
}

impl ServeArgs {
    /// The copy to read from, where there is one.
    pub fn database_read_url(&self) -> Result<Option<DatabaseUrl>, String> {
        let url = self.database_read.as_ref().map(|url| url.parse());
        url.transpose().map_err(|problem: String| format!("--database-read: {problem}"))
    }
}

/// How connections are held.
#[derive(Debug, Clone, Copy, Args)]
pub struct ConnectionArgs {
    /// Connections at once, in all threads; fewer where the process may not open so many files.
    #[arg(long, env = "MAX_CONNECTIONS", default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// Connections that wait to be taken; the system may have a lower limit.
    #[arg(long, env = "BACKLOG", default_value_t = 1024, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub backlog: u16,
    /// Seconds that the head of a request may take.
    #[arg(long, env = "HEADER_TIMEOUT", default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub header_timeout: u64,
    /// Seconds that a connection is held for a next request. Longer than the proxy before it does.
    #[arg(long, env = "KEEP_ALIVE", default_value_t = 75, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub keep_alive: u64,
    /// Seconds in which a caller must take 16 KiB of an answer that it takes slower than it is given.
    #[arg(long, env = "WRITE_TIMEOUT", default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub write_timeout: u64,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What a file that is imported holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportSource {
    /// A list of one of the portals, or of answers.
    List(ListSource),
    /// Agreements, what was said of them, commitments or measurements.
    Dossiers(dossiers::Source),
}

/// What to import.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Where the data are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// What the file holds.
    #[arg(long, value_parser = import_source, value_name = "KIND")]
    pub source: ImportSource,
    /// The file, as CSV.
    pub file: PathBuf,
    /// Only with agreements: where a council has no accord on the day of an agreement, make one for the term of office
    /// that the day lies in, unpublished.
    #[arg(long)]
    pub accords: bool,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Write what was done with each row, and why, into this file.
    #[arg(long, value_name = "FILE.csv")]
    pub report: Option<PathBuf>,
}

/// What the token may.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The folder with the key; it is made where there is none.
    #[arg(long, env = "DATA_DIR", default_value = "data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Scopes, by spaces, such as "advice:write internal:read".
    #[arg(long, default_value = "", value_parser = scopes)]
    pub scope: String,
    /// Councils for which it speaks, by commas, or '*'.
    #[arg(long, value_delimiter = ',', value_parser = code_or_all)]
    pub councils: Vec<String>,
    /// Clusters for which it speaks, by commas, or '*'.
    #[arg(long, value_delimiter = ',', value_parser = code_or_all)]
    pub clusters: Vec<String>,
    /// Who it is (claim `sub`).
    #[arg(long, default_value = "developer")]
    pub subject: String,
    /// Hours that it is valid, 6 at most.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=6))]
    pub hours: u8,
    /// What it names in `aud`.
    #[arg(
        long,
        env = "TOKEN_AUDIENCE",
        default_value = "https://api.wijkaanzet.rotterdam.nl/v1",
        value_name = "URI"
    )]
    pub audience: String,
}

/// The form of the document.
#[derive(Debug, Args)]
pub struct OpenapiArgs {
    /// As JSON instead of YAML.
    #[arg(long)]
    pub json: bool,
}

/// What to check.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The settings of the server, which are checked too.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Read only what was written on this day or later: the chain from the last daily root before it, and the rows that were
    /// written about since. The rest is left alone.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from_day: Option<NaiveDate>,
    /// A daily root that somebody noted: it must be what stands there. May be given more than once.
    #[arg(long = "root", value_name = "YYYY-MM-DD=HASH", value_parser = noted_root)]
    pub roots: Vec<(NaiveDate, String)>,
}

fn noted_root(text: &str) -> Result<(NaiveDate, String), String> {
    let wanted = "wants a day and a hash of 64 hexadecimals, such as 2026-11-23=9f86…";
    let (day, hash) = text.split_once('=').ok_or(wanted)?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match day.parse() {
        Ok(day) if is_hash => Ok((day, hash.to_ascii_lowercase())),
        _ => Err(wanted.to_owned()),
    }
}

/// What to copy, and where to.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Where the data are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The file to make; it must not be there yet. It holds what is not public too, so its owner alone may read it.
    pub file: PathBuf,
}

/// What to put in place, and where.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Where the data are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The backup.
    pub file: PathBuf,
    /// Where a database is already: first copy it beside itself, under a name that tells the moment.
    #[arg(long)]
    pub replace: bool,
    /// The SHA-256 that was printed when the backup was made: any other file is refused.
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
}

fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.contains('/') || !host.chars().all(|c| c.is_ascii_graphic()) {
        return Err("wants https://HOST or http://HOST:PORT, without a path".to_owned());
    }
    Ok(text.to_owned())
}

fn token_algorithm(text: &str) -> Result<Algorithm, String> {
    let known = ALGORITHMS.map(|algorithm| (format!("{algorithm:?}"), algorithm));
    known.iter().find(|(name, _)| name == text).map(|(_, algorithm)| *algorithm).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        format!("there are {}", names.join(", "))
    })
}

fn log_filter(text: &str) -> Result<String, String> {
    let known = ["off", "error", "warn", "info", "debug", "trace"];
    if known.contains(&text) || text.contains('=') {
        return Ok(text.to_owned());
    }
    Err(format!("is not a level of the log; there are {}", known.join(", ")))
}

fn public_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '?' | '#' | '\\');
    if host.is_empty() || host.ends_with('/') || !host.chars().all(plain) {
        return Err("wants http:// or https://, a host, and no slash at the end".to_owned());
    }
    Ok(text.to_owned())
}

fn import_source(text: &str) -> Result<ImportSource, String> {
    let lists = [ListSource::Raad, ListSource::Wijkraad, ListSource::Answers];
    let lists = lists.map(|source| (source.as_str(), ImportSource::List(source)));
    let dossiers = dossiers::Source::ALL.map(|source| (source.as_str(), ImportSource::Dossiers(source)));
    let known: Vec<(&str, ImportSource)> = lists.into_iter().chain(dossiers).collect();
    known.iter().find(|(name, _)| *name == text).map(|(_, source)| *source).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        format!("wants one of {}", names.join(", "))
    })
}

fn scopes(text: &str) -> Result<String, String> {
    for scope in text.split_whitespace() {
        if scope.parse::<domain::access::Scope>().is_err() {
            let known: Vec<&str> = domain::access::Scope::ALL.iter().map(|(_, name, _)| *name).collect();
            return Err(format!("there is no scope '{scope}'; there are {}", known.join(" ")));
        }
    }
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn code_or_all(text: &str) -> Result<String, String> {
    if text == "*" || text.parse::<domain::ids::CouncilCode>().is_ok() {
        return Ok(text.to_owned());
    }
    Err("wants '*' or codes such as rozenburg".to_owned())
}
