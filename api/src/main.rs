//! `wijkaanzet`: one binary for serving, importing and checking.

#![forbid(unsafe_code)]

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::app::{App, Limits, seed};
use api::auth::{AuthConfig, DevKey, IssuerConfig, JwksSource, Mint, Verifier};
use api::clock::Clock;
use api::config::{
    BackupArgs, CheckArgs, Cli, Command, ImportArgs, ImportSource, IssuerArgs, OpenapiArgs, RestoreArgs,
    ServeArgs, StoreArgs, TokenArgs,
};
use api::contract::Contract;
use api::discovery::DiscoveryConfig;
use api::import::dossiers::Options;
use api::server::{Ended, Parts, Serving, serve};
use api::telemetry::process::file_limit;
use api::telemetry::{export_spans, log, serve_metrics};
use api::wire::{Pace, WireConfig};
use api::{demo, import, openapi};
use clap::Parser;
use clap::error::ErrorKind;
use domain::import::dossiers::Source;
use persistence::Store;
use persistence::backup::{self, Backup, Contents, RestoreOptions, Restored};
use persistence::check::{Report, Wanted};
use persistence::roots::Root;
use socket2::{Domain, Protocol, Socket, Type};

/// Threads of each worker that wait for the database. Turns at its connections bound the work; a thread too many costs nothing.
const BLOCKING_THREADS: usize = 16;

/// Scrapes that wait.
const METRICS_BACKLOG: u16 = 16;
/// Bytes of answers that the kernel buffers for a connection, at least; it takes up to twice as many.
const SEND_BUFFER: usize = 128 * 1024;
/// Files that are not connections of callers: the database, the log, sockets of the runtime.
const OTHER_FILES: usize = 256;

const DEMO_WITH_ISSUER: &str = "--demo is for trying things out and does not go with an issuer of tokens";

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            error.exit()
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        Err(error) => return fail(&one_line(&error.to_string())),
    };
    let done = match cli.command {
        Command::Serve(args) => run_serve(args),
        Command::Import(args) => run_import(&args),
        Command::Token(args) => run_token(args),
        Command::Openapi(args) => run_openapi(&args),
        Command::Migrate(args) => run_migrate(&args),
        Command::Check(args) => run_check(&args),
        Command::Backup(args) => run_backup(&args),
        Command::Restore(args) => run_restore(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&problem),
    }
}

fn fail(problem: &str) -> ExitCode {
    eprintln!("wijkaanzet: {problem}");
    ExitCode::from(2)
}

/// What clap says over several lines, in one.
fn one_line(text: &str) -> String {
    let before_usage = text.split("\n\nUsage:").next().unwrap_or(text);
    let before_hint = before_usage.split("\n\nFor more information").next().unwrap_or(before_usage);
    let words: Vec<&str> = before_hint.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text.replace('\n', " ")
}

fn open(args: &StoreArgs) -> Result<Store, String> {
    let url = args.url()?;
    let store = Store::open(&url, args.database_connections)
        .map_err(|error| format!("the database {url} cannot be opened: {}", chain(&error)))?;
    seed(&store, Clock::System.now())
        .map_err(|error| format!("the reference data cannot be written: {}", chain(&error)))?;
    persistence::roots::fill(&store, Clock::System.now().moment)
        .map_err(|error| format!("the daily roots of the journal cannot be written: {}", chain(&error)))?;
    Ok(store)
}

fn run_migrate(args: &StoreArgs) -> Result<(), String> {
    open(args)?;
    println!("The tables of {} are up to date.", args.url()?);
    Ok(())
}

fn verifier(issuer: &IssuerArgs, store: &StoreArgs, dev_tokens: bool) -> Result<Verifier, String> {
    let IssuerArgs { issuer, jwks, issuer_ca, token_algorithms, audience } = issuer;
    let configured = issuer.as_ref().map(|name| {
        let source = match jwks {
            None => JwksSource::Metadata,
            Some(address) if address.contains("://") => JwksSource::Url(address.clone()),
            Some(file) => JwksSource::File(file.into()),
        };
        IssuerConfig {
            authorities: issuer_ca.clone(),
            algorithms: token_algorithms.clone(),
            ..IssuerConfig::new(name.clone(), audience.clone(), source)
        }
    });
    Verifier::new(AuthConfig {
        issuer: configured,
        dev_tokens,
        data_dir: store.data_dir.clone(),
        audience: audience.clone(),
    })
    .map_err(|error| chain(&error))
}

fn run_serve(args: ServeArgs) -> Result<(), String> {
    let started = Instant::now();
    log::start(args.log_format, &args.log)?;
    let _exporting = args.otlp_endpoint.as_deref().map(export_spans).transpose()?;
    if args.demo && args.issuer.issuer.is_some() {
        return Err(DEMO_WITH_ISSUER.to_owned());
    }
    let dev_tokens = args.dev_tokens || args.demo;
    let public_url = args.public_url.clone().unwrap_or_else(|| format!("http://{}", args.listen));
    let verifier = verifier(&args.issuer, &args.store, dev_tokens)?;
    let mut store = open(&args.store)?;
    if let Some(url) = args.database_read_url()? {
        store = store
            .with_replica(&url, args.store.database_connections)
            .map_err(|error| format!("the database cannot be read: {}", chain(&error)))?;
    }
    let clock = Clock::System;
    if args.demo {
        demo::fill(&store, clock.now())
            .map_err(|error| format!("the demonstration set cannot be written: {error}"))?;
    }
    let document = openapi::document()?;
    let contract = Arc::new(Contract::new(&document)?);
    // Half for whole answers, half for advice in any answer.
    let cache_memory = args.cache_memory / 2;
    let limits = Limits { body: args.body_limit, shelf: cache_memory };
    let app = App::new(store, clock, contract, Arc::new(verifier), limits, public_url.clone())?;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let workers = args.workers.map_or(cores, usize::from);
    let listener = listen(args.listen, args.connections.backlog)?;
    let metrics = args.metrics_listen.map(|address| listen(address, METRICS_BACKLOG)).transpose()?;
    let wire = WireConfig {
        public_url: public_url.clone(),
        cors_origins: args.cors_origins.clone(),
        rate_per_minute: (args.rate_per_minute > 0).then_some(args.rate_per_minute),
        request_timeout: Duration::from_secs(args.request_timeout),
        max_requests: args.max_requests,
        send_memory: args.send_memory,
        receive_memory: args.receive_memory,
        cache_memory,
        trust_forwarded: args.trust_forwarded,
    };
    let serving = Serving {
        workers,
        blocking: BLOCKING_THREADS,
        connections: connections(args.connections.max_connections),
        pace: Pace {
            head: Duration::from_secs(args.connections.header_timeout),
            keep_alive: Duration::from_secs(args.connections.keep_alive),
            write: Duration::from_secs(args.connections.write_timeout),
        },
        drain: Duration::from_secs(args.drain_seconds),
        stop: Duration::from_secs(args.stop_timeout),
    };
    let discovery = DiscoveryConfig {
        public_url: public_url.clone(),
        issuer: args.issuer.issuer.clone(),
        scopes: domain::access::Scope::ALL
            .iter()
            .map(|(_, name, meaning)| ((*name).to_owned(), (*meaning).to_owned()))
            .collect(),
        demo: args.demo,
        security_contact: args.security_contact.clone(),
        security_expires: expires_in_a_year(),
    };
    print_settings(&args, &public_url, dev_tokens)?;
    let parts = Parts::new(Arc::new(app), wire, discovery, &document);
    if let Some(listener) = metrics {
        serve_metrics(listener, parts.beside())
            .map_err(|error| format!("the metrics cannot be served: {error}"))?;
    }
    println!("Ready after {} ms. Open:", started.elapsed().as_millis());
    for path in ["/", "/docs", "/v1/advice", "/v1/councils", "/v1/openapi.json"] {
        println!("  {public_url}{path}");
    }
    let ended = actix_web::rt::System::new()
        .block_on(serve(parts, listener, serving))
        .map_err(|error| format!("the server stopped: {error}"))?;
    match ended {
        Ended::Gracefully => Ok(()),
        Ended::AtOnce => Err("told twice to stop: it left what was running".to_owned()),
    }
}

/// A listener whose connections buffer no more than they need in the kernel, so that a caller who takes nothing is noticed.
fn listen(address: SocketAddr, backlog: u16) -> Result<TcpListener, String> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        // Connections have it from their listener. Without it the end of a big answer waits 40 ms for the other side to confirm.
        socket.set_tcp_nodelay(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog.into())?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|error: std::io::Error| format!("cannot listen on {address}: {error}"))
}

/// How many connections to take: never so many that no file is left for the database and whatever else is opened.
fn connections(wanted: u32) -> usize {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let files = file_limit().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let possible = files.saturating_sub(OTHER_FILES).max(1);
    if possible < wanted {
        tracing::warn!(wanted, possible, "fewer connections than wanted: raise the limit on open files");
    }
    wanted.min(possible)
}

/// security.txt names a day until which it holds (RFC 9116); a restart within the year renews it.
fn expires_in_a_year() -> String {
    let moment = Clock::System.now().moment + chrono::Duration::days(365);
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn print_settings(args: &ServeArgs, public_url: &str, dev_tokens: bool) -> Result<(), String> {
    println!("wijkaanzet {}", env!("CARGO_PKG_VERSION"));
    println!("  database          {}", args.store.url()?);
    if let Some(url) = args.database_read_url()? {
        println!("  database-read     {url}");
    }
    println!("  data-dir          {}", args.store.data_dir.display());
    println!("  listen            {}", args.listen);
    println!("  public-url        {public_url}");
    println!(
        "  tokens            {}",
        match (&args.issuer.issuer, dev_tokens) {
            (Some(issuer), _) => format!("of {issuer}, for {}", args.issuer.audience),
            (None, true) => "signed with the key of the data folder (for trying things out)".to_owned(),
            (None, false) => "none: reading what is public works, nothing else".to_owned(),
        }
    );
    if args.issuer.issuer.is_some() && args.issuer.audience != format!("{public_url}/v1") {
        println!("                    but our metadata name {public_url}/v1 as what to ask a token for");
    }
    println!("  demonstration set {}", if args.demo { "yes: all advice is made up" } else { "no" });
    println!(
        "  cors-origins      {}",
        if args.cors_origins.is_empty() { "none".to_owned() } else { args.cors_origins.join(", ") }
    );
    println!(
        "  limits            {} requests a minute, {} s a request, {} bytes a body",
        args.rate_per_minute, args.request_timeout, args.body_limit
    );
    if let Some(address) = args.metrics_listen {
        println!("  metrics           http://{address}/metrics");
    }
    Ok(())
}

fn run_import(args: &ImportArgs) -> Result<(), String> {
    if args.accords && args.source != ImportSource::Dossiers(Source::Agreements) {
        return Err("--accords goes with --source agreements only".to_owned());
    }
    let bytes =
        std::fs::read(&args.file).map_err(|error| format!("cannot read {}: {error}", args.file.display()))?;
    // Before anything is imported: a report that cannot be written is found out now.
    let report = match &args.report {
        Some(path) => Some(
            std::fs::File::create(path)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?,
        ),
        None => None,
    };
    let store = open(&args.store)?;
    let now = Clock::System.now();
    let outcome = match args.source {
        ImportSource::List(source) => import::run(&store, now, source, &bytes, args.dry_run),
        ImportSource::Dossiers(source) => {
            let options = Options { make_accords: args.accords, rehearse: args.dry_run };
            import::dossiers::run(&store, now, source, &bytes, options)
        }
    };
    let outcome = outcome.map_err(|error| format!("nothing was imported: {error}"))?;
    if let Some(mut report) = report {
        let unwritten =
            |error: String| format!("all was imported, but the report cannot be written: {error}");
        let text = import::report(&outcome).map_err(|error| unwritten(error.to_string()))?;
        std::io::Write::write_all(&mut report, &text).map_err(|error| unwritten(error.to_string()))?;
    }
    for note in &outcome.notes {
        println!("note: {note}");
    }
    for line in outcome.lines.iter().filter(|line| line.action == "unplaced") {
        println!("not placed: line {}: {}", line.line, line.why);
    }
    println!("{}{outcome}", if args.dry_run { "dry run, nothing was written: " } else { "" });
    Ok(())
}

fn run_token(args: TokenArgs) -> Result<(), String> {
    let key = DevKey::load_or_create(&args.data_dir).map_err(|error| chain(&error))?;
    let TokenArgs { data_dir: _, scope, councils, clusters, subject, hours, audience } = args;
    let token = key
        .mint(Mint {
            subject,
            scope,
            councils,
            clusters,
            audience,
            client_id: "wijkaanzet-token".to_owned(),
            lifetime_seconds: i64::from(hours) * 3600,
            issued_at: Clock::System.now().moment.timestamp(),
        })
        .map_err(|error| chain(&error))?;
    println!("{token}");
    Ok(())
}

fn run_openapi(args: &OpenapiArgs) -> Result<(), String> {
    let contract = Contract::new(&openapi::document()?)?;
    print!("{}", if args.json { contract.json } else { contract.yaml });
    Ok(())
}

fn run_check(args: &CheckArgs) -> Result<(), String> {
    let serve = &args.serve;
    if serve.demo && serve.issuer.issuer.is_some() {
        return Err(DEMO_WITH_ISSUER.to_owned());
    }
    verifier(&serve.issuer, &serve.store, false)?;
    let url = serve.store.url()?;
    let wanted = Wanted { from_day: args.from_day, roots: args.roots.clone() };
    let report = persistence::check_existing_from(&url, &wanted)
        .map_err(|error| format!("the database {url} cannot be checked: {}", chain(&error)))?;
    let Report { entries, after, roots, rows, left, problems } = report;
    match &after {
        None => println!("{url}: {entries} entries of the journal, {rows} rows compared with it"),
        Some(Root { day, sequence, .. }) => println!(
            "{url}: {entries} entries of the journal after entry {sequence}, the root of {day}; \
             {rows} rows compared with it, {left} left alone: nothing was written about them since"
        ),
    }
    println!("daily roots compared with the entries: {roots}");
    if entries == 0 && after.is_none() {
        return Err(format!("the database {url} is empty"));
    }
    if problems.is_empty() {
        println!("all is well");
        return Ok(());
    }
    for problem in &problems {
        println!("problem: {problem}");
    }
    Err(format!("{} problems", problems.len()))
}

fn run_backup(args: &BackupArgs) -> Result<(), String> {
    let BackupArgs { store, file } = args;
    let url = store.url()?;
    let made =
        backup::backup(&url, file).map_err(|error| format!("{url} cannot be copied: {}", chain(&error)))?;
    let Backup { contents, bytes, sha256 } = made;
    println!("{}: a backup of {url}", file.display());
    print_contents(&contents);
    println!("  bytes        {bytes}");
    println!("  sha256       {sha256}");
    Ok(())
}

fn run_restore(args: &RestoreArgs) -> Result<(), String> {
    let RestoreArgs { store, file, replace, sha256 } = args;
    let url = store.url()?;
    let options = RestoreOptions { replace: *replace, sha256: sha256.clone() };
    let restored = backup::restore(&url, file, &options, Clock::System.now().moment)
        .map_err(|error| format!("{url} cannot be restored: {}", chain(&error)))?;
    let Restored { contents, set_aside, migrated } = restored;
    println!("{url}: restored from {}", file.display());
    print_contents(&contents);
    if migrated {
        println!("  tables       of an earlier release, brought up to date");
    }
    if let Some(path) = set_aside {
        println!("  set aside    {}", path.display());
    }
    Ok(())
}

fn print_contents(contents: &Contents) {
    let Contents { entries, rows, last_moment, head_hash } = contents;
    println!("  entries      {entries}");
    println!("  rows         {rows}, each compared with the journal");
    println!("  last moment  {}", last_moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
    println!("  head hash    {head_hash}");
}
