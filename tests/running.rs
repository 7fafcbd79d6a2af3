//! The program itself, as an operator meets it: started, watched, overrun by slow callers, told to stop.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A server of its own, on SQLite, on ports that the system picks.
struct Running {
    child: Child,
    address: SocketAddr,
    metrics: SocketAddr,
    log: Arc<Mutex<Vec<Value>>>,
    folder: tempfile::TempDir,
}

impl Running {
    fn start(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_wijkaanzet"))
            .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--workers", "1"])
            .args(["--dev-tokens"])
            .arg("--data-dir")
            .arg(folder.path())
            .args(settings)
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), log.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
                kept.lock().unwrap().push(event);
            }
        });
        let address_in = |message: &str| {
            let event = wait_for(|| find(&log, message));
            event["address"].as_str().unwrap().parse().unwrap()
        };
        let (metrics, address) = (address_in("serving metrics"), address_in("started"));
        let running = Self { child, address, metrics, log, folder };
        wait_for(|| (running.get("/health/ready").0 == 200).then_some(()));
        running
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Status and whole text of an answer.
    fn get(&self, path: &str) -> (u16, String) {
        answer(self.address, "GET", path)
    }

    /// The head of a draft whose sender has a valid token: only of such a one a body is taken in.
    fn draft(&self, head: &str) -> String {
        let minted = Command::new(env!("CARGO_BIN_EXE_wijkaanzet"))
            .args(["token", "--scope", "advice:write", "--councils", "rozenburg", "--data-dir"])
            .arg(self.folder.path())
            .env_clear()
            .output()
            .unwrap();
        let token = String::from_utf8(minted.stdout).unwrap();
        let head = format!("Host: x\r\nContent-Type: application/json\r\n{head}");
        format!("POST /v1/advice HTTP/1.1\r\nAuthorization: Bearer {}\r\n{head}\r\n\r\n", token.trim())
    }

    fn tell(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn exit_code(&mut self) -> i32 {
        wait_for(|| self.child.try_wait().unwrap()).code().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails where it ended already, which is as good.
        if self.child.kill().is_ok() {
            self.child.wait().unwrap();
        }
    }
}

fn find(log: &Mutex<Vec<Value>>, message: &str) -> Option<Value> {
    log.lock().unwrap().iter().find(|event| event["message"] == message).cloned()
}

fn wait_for<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "it does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn answer(address: SocketAddr, method: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    (status_of(&text), text)
}

fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// What comes before the other side closes the connection, and how long that took; sends a byte now and then meanwhile.
fn drip(mut stream: TcpStream) -> (String, Duration) {
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let started = Instant::now();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        assert!(started.elapsed() < Duration::from_secs(20), "it is never closed");
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if stream.write_all(b"x").is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    (String::from_utf8(bytes).unwrap(), started.elapsed())
}

#[test]
fn told_to_stop_it_first_leaves_then_ends_what_runs_and_then_itself() {
    let mut server = Running::start(&["--drain-seconds", "1"]);
    let mut running = server.connect();
    write!(running, "{}{{", server.draft("Content-Length: 2")).unwrap();
    server.tell("-TERM");
    wait_for(|| (server.get("/health/ready").0 == 503).then_some(()));
    // Others may not have noticed yet: they are answered, and their connection closed.
    let mut late = server.connect();
    write!(late, "GET /v1/themes HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut text = String::new();
    late.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("connection: close"), "{text}");

    wait_for(|| TcpStream::connect(server.address).is_err().then_some(()));
    assert!(server.child.try_wait().unwrap().is_none(), "a request still runs");
    write!(running, "}}").unwrap();
    let mut text = String::new();
    running.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 400"), "{text}");
    assert_eq!(server.exit_code(), 0);
    wait_for(|| find(&server.log, "stopped: no request was left without an answer"));
}

#[test]
fn told_twice_it_ends_at_once() {
    let mut server = Running::start(&["--drain-seconds", "600"]);
    server.tell("-INT");
    wait_for(|| (server.get("/health/ready").0 == 503).then_some(()));
    server.tell("-TERM");
    assert_eq!(server.exit_code(), 2);
}

#[test]
fn what_runs_longer_than_the_time_to_stop_is_cut_off_and_told() {
    let mut server = Running::start(&["--drain-seconds", "0", "--stop-timeout", "1"]);
    let mut running = server.connect();
    write!(running, "{}{{", server.draft("Content-Length: 2")).unwrap();
    wait_for(|| metric(&server, "wijkaanzet_http_requests_in_flight 1").then_some(()));
    server.tell("-TERM");
    assert_eq!(server.exit_code(), 0);
    let told = wait_for(|| find(&server.log, "stopped: requests were cut off after their time"));
    assert_eq!(told["requests"], 1);
}

fn metric(server: &Running, line: &str) -> bool {
    answer(server.metrics, "GET", "/metrics").1.lines().any(|known| known == line)
}

#[test]
fn who_drips_is_cut_off_wherever_he_does_it() {
    let server = Running::start(&["--header-timeout", "1", "--request-timeout", "2", "--keep-alive", "2"]);
    let open = |begin: &str| {
        let mut stream = server.connect();
        stream.write_all(begin.as_bytes()).unwrap();
        stream
    };
    let second_head = || {
        let mut stream = open("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut first = [0; 16];
        stream.read_exact(&mut first).unwrap();
        stream.write_all(b"GET /v1/themes HTTP/1.1\r\nX: ").unwrap();
        stream
    };
    let chunked = "Host: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n";
    let cases = [
        ("a first head", open("GET /v1/themes HTTP/1.1\r\nX: "), 408, ""),
        ("a second head", second_head(), 0, "status"),
        ("a body", open(&server.draft("Content-Length: 60")), 408, "too-slow"),
        ("a chunk", open(&format!("{}40\r\n", server.draft("Transfer-Encoding: chunked"))), 408, "too-slow"),
        ("a chunk without a token", open(&format!("POST /v1/advice HTTP/1.1\r\n{chunked}")), 401, ""),
        ("a chunk for nobody", open(&format!("POST /v1/nothing HTTP/1.1\r\n{chunked}")), 404, "not-found"),
    ];
    let waiting = cases
        .map(|(name, stream, status, text)| (name, status, text, std::thread::spawn(move || drip(stream))));
    for (name, status, text, dripping) in waiting {
        let (got, elapsed) = dripping.join().unwrap();
        assert!(elapsed < Duration::from_secs(10), "{name}: {elapsed:?}");
        if status > 0 {
            assert_eq!(status_of(&got), status, "{name}: {got}");
        }
        assert!(got.contains(text), "{name}: {got}");
    }
    assert_eq!(server.get("/v1/themes").0, 200);
}

#[test]
fn a_connection_that_rests_is_kept_for_its_time_and_one_that_is_used_longer() {
    let server = Running::start(&["--header-timeout", "1", "--keep-alive", "3"]);
    let mut stream = server.connect();
    let mut ask = || {
        stream.write_all(b"HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).unwrap();
        assert!(bytes[..count].starts_with(b"HTTP/1.1 200"), "{count}");
    };
    for _ in 0..4 {
        ask();
        // Longer than a head may take, shorter than a rest.
        std::thread::sleep(Duration::from_millis(1500));
    }
    ask();
    let started = Instant::now();
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "closed");
    assert!(started.elapsed() > Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn who_takes_nothing_of_an_answer_is_cut_off() {
    let server = Running::start(&["--write-timeout", "1"]);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let cut_off = r#"wijkaanzet_http_connections_cut_off_total{direction="write"} 1"#;
    wait_for(|| metric(&server, cut_off).then_some(()));
    let mut taken = Vec::new();
    let end = stream.read_to_end(&mut taken);
    let whole = server.get("/v1/openapi.json").1.len();
    assert!(end.is_err() || taken.len() < whole, "{} of {whole}", taken.len());
    wait_for(|| metric(&server, "wijkaanzet_http_connections 0").then_some(()));
}

#[test]
fn metrics_stand_on_a_listener_of_their_own_and_name_no_one() {
    let server = Running::start(&["--demo"]);
    let id = "0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11";
    assert_eq!(server.get(&format!("/v1/advice/{id}")).0, 404);
    assert_eq!(server.get("/v1/councils?name=jansen").0, 200);
    assert_eq!(server.get("/jansen").0, 404);
    assert_eq!(answer(server.address, "JANSEN", "/v1/advice").0, 405);
    let mut token = server.connect();
    write!(
        token,
        "GET /v1/advice HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer jansen\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    token.read_to_string(&mut String::new()).unwrap();

    assert_eq!(server.get("/metrics").0, 404);
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(answer(server.metrics, "GET", path).0, 200, "{path}");
    }
    // What figures are made from is loaded after the start.
    let until = Instant::now() + Duration::from_secs(20);
    let mut scraped = answer(server.metrics, "GET", "/metrics");
    while !scraped.1.contains("wijkaanzet_advice_open ") && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
        scraped = answer(server.metrics, "GET", "/metrics");
    }
    let (status, text) = scraped;
    assert_eq!(status, 200);
    for line in [
        r#"wijkaanzet_http_requests_total{method="GET",route="/v1/advice/{id}",status="4xx"} 1"#,
        r#"wijkaanzet_http_requests_total{method="GET",route="unmatched",status="4xx"} 2"#,
        r#"wijkaanzet_http_requests_total{method="other",route="/v1/advice",status="4xx"} 1"#,
        r#"wijkaanzet_authentication_failures_total{reason="malformed token or unknown algorithm"} 1"#,
        "wijkaanzet_database_up 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    // The same figure as callers get.
    let figure = server.get("/v1/metrics/open-late").1;
    let figure: Value = serde_json::from_str(figure.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let open_late = figure["total"]["count"].as_f64().unwrap_or_else(|| panic!("{figure}"));
    assert!((value("wijkaanzet_advice_open_late") - open_late).abs() < 0.5 && open_late > 0.5);
    assert!(value("wijkaanzet_advice_open") >= open_late);
    assert!(value("wijkaanzet_journal_entries_total") > 0.5 && value("process_open_fds") > 0.5);
    assert!(!text.contains("jansen") && !text.to_lowercase().contains("bearer") && !text.contains(id));
    assert!(!format!("{:?}", server.log.lock().unwrap()).contains("jansen"));
}

#[test]
fn every_line_of_the_log_about_a_request_has_its_trace() {
    // A replica that is not there is told from a thread that waits for databases.
    let server = Running::start(&[
        "--database-read",
        "sqlite:///no/such/copy.sqlite",
        "--log",
        "api=info,persistence=debug",
    ]);
    server.get("/v1/themes");
    server.get("/v1/nothing");
    let of = |message: &str| -> Option<Vec<Value>> {
        let log = server.log.lock().unwrap();
        let lines: Vec<Value> = log.iter().filter(|event| event["message"] == message).cloned().collect();
        (!lines.is_empty()).then_some(lines)
    };
    for message in ["answered", "the replica cannot be read"] {
        for event in wait_for(|| of(message)) {
            let trace = event["span"]["trace_id"].as_str().unwrap_or_default();
            assert_eq!(trace.len(), 32, "{event}");
        }
    }
    let started = find(&server.log, "started").unwrap();
    assert_eq!(started["version"], env!("CARGO_PKG_VERSION"));
}

#[cfg(not(feature = "otel"))]
#[test]
fn spans_are_refused_where_the_build_cannot_export_them() {
    let output = Command::new(env!("CARGO_BIN_EXE_wijkaanzet"))
        .args(["serve", "--otlp-endpoint", "http://127.0.0.1:4318"])
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("--otlp-endpoint takes a build with --features api/otel"), "{text}");
}
