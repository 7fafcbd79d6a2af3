//! Tokens, keys and issuers, the honest ones and the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, mpsc};
use std::thread;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const NOW: i64 = 1_800_000_000;
const HOUR: i64 = 3600;
const ISSUER: &str = "https://login.example.nl/realm";
const AUDIENCE: &str = "https://api.example.nl/v1";

const fn invalid(reason: &'static str) -> TokenError {
    TokenError::Invalid(reason)
}

// Keys and tokens as an issuer makes them.

fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

struct EdKey(Ed25519KeyPair, &'static str);

impl EdKey {
    fn new(kid: &'static str) -> Self {
        Self(Ed25519KeyPair::generate().unwrap(), kid)
    }

    fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.1, "use": "sig", "alg": "EdDSA", "x": x})
    }

    fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": "EdDSA", "kid": self.1, "typ": "at+jwt"}), claims)
    }

    fn token_with(&self, header: &Value, claims: &Value) -> String {
        signed(header, claims, |message| self.0.sign(message).as_ref().to_vec())
    }
}

fn rsa_jwk(key: &RsaKeyPair, kid: &str) -> Value {
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let n = number(key.public_key().modulus().big_endian_without_leading_zero());
    let e = number(key.public_key().exponent().big_endian_without_leading_zero());
    json!({"kty": "RSA", "kid": kid, "n": n, "e": e})
}

fn rsa_token(key: &RsaKeyPair, alg: &str, padding: &'static dyn RsaEncoding) -> String {
    signed(&json!({"alg": alg, "kid": "rsa"}), &claims(), |message| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    })
}

fn ec_key() -> (EcdsaKeyPair, Value) {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "x": x, "y": y});
    (key, jwk)
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "someone", "client_id": "portal",
        "scope": "advice:write internal:read", "councils": ["WR01"],
        "iat": NOW, "exp": NOW + HOUR,
    })
}

fn claims_with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn claims_without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn config(issuer: Option<IssuerConfig>, dev_tokens: bool, folder: &TempDir) -> AuthConfig {
    let data_dir = folder.path().to_owned();
    AuthConfig { issuer, dev_tokens, data_dir, audience: AUDIENCE.to_owned() }
}

fn issuer(jwks: JwksSource) -> IssuerConfig {
    IssuerConfig::new(ISSUER.to_owned(), AUDIENCE.to_owned(), jwks)
}

fn write_keys(folder: &TempDir, keys: &[Value]) -> PathBuf {
    let path = folder.path().join("jwks.json");
    fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
    path
}

fn file_verifier(folder: &TempDir, keys: &[Value]) -> Verifier {
    let jwks = JwksSource::File(write_keys(folder, keys));
    Verifier::new(config(Some(issuer(jwks)), false, folder)).unwrap()
}

fn url_verifier(url: String) -> Verifier {
    let folder = TempDir::new().unwrap();
    Verifier::new(config(Some(issuer(JwksSource::Url(url))), false, &folder)).unwrap()
}

/// What a verifier that trusts one Ed25519 key says about these claims.
fn verdict(claims: &Value) -> Result<Claims, TokenError> {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    file_verifier(&folder, &[key.jwk()]).verify(&key.token(claims), NOW)
}

fn verdict_on_header(header: &Value) -> Result<Claims, TokenError> {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    file_verifier(&folder, &[key.jwk()]).verify(&key.token_with(header, &claims()), NOW)
}

fn mint() -> Mint {
    Mint {
        subject: "someone".to_owned(),
        scope: "advice:write internal:read".to_owned(),
        councils: vec!["WR01".to_owned()],
        clusters: vec!["*".to_owned()],
        audience: AUDIENCE.to_owned(),
        client_id: "demo".to_owned(),
        lifetime_seconds: HOUR,
        issued_at: NOW,
    }
}

/// An issuer on the loopback: answers each request with what stands at its path in `answers`.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
}

const KEYS: &str = "/jwks";
const OAUTH: &str = "/.well-known/oauth-authorization-server/realm";
const OPENID: &str = "/realm/.well-known/openid-configuration";

impl Server {
    fn start(keys: &[Value], before_answer: impl Fn(usize) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), asked: Arc::default(), answers: Arc::default() };
        server.publish(keys);
        let (asked, answers) = (Arc::clone(&server.asked), Arc::clone(&server.answers));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(path) = path_asked(&mut stream) else { continue };
                let hit = {
                    let mut asked = asked.lock().unwrap();
                    asked.push(path.clone());
                    asked.len()
                };
                before_answer(hit);
                let answer = answers.lock().unwrap().get(&path).cloned();
                let (status, body) = answer.unwrap_or((404, String::new()));
                reply(stream, status, &body);
            }
        });
        server
    }

    fn publish(&self, keys: &[Value]) {
        self.answer(200, json!({ "keys": keys }).to_string());
    }

    fn answer(&self, status: u16, body: String) {
        self.answer_at(KEYS, status, body);
    }

    fn answer_at(&self, path: &str, status: u16, body: String) {
        self.answers.lock().unwrap().insert(path.to_owned(), (status, body));
    }

    /// Metadata at a path, honest but for the changes.
    fn describe_at(&self, path: &str, changes: Value) {
        let mut metadata = json!({"issuer": self.issuer(), "jwks_uri": self.at(KEYS)});
        for (name, value) in changes.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        self.answer_at(path, 200, metadata.to_string());
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn hits(&self) -> usize {
        self.asked().len()
    }

    fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn issuer(&self) -> String {
        self.at("/realm")
    }

    fn verifier(&self) -> Verifier {
        url_verifier(self.at(KEYS))
    }

    /// A verifier that knows nothing but the name of the issuer.
    fn finding_verifier(&self) -> Verifier {
        finding_verifier(&self.issuer()).unwrap()
    }

    fn claims(&self) -> Value {
        claims_with(json!({"iss": self.issuer()}))
    }
}

fn finding_verifier(name: &str) -> Result<Verifier, AuthSetupError> {
    let folder = TempDir::new().unwrap();
    let issuer = IssuerConfig::new(name.to_owned(), AUDIENCE.to_owned(), JwksSource::Metadata);
    Verifier::new(config(Some(issuer), false, &folder))
}

fn path_asked(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(length) => request.extend_from_slice(&chunk[..length]),
        }
    }
    String::from_utf8(request).ok()?.split(' ').nth(1).map(str::to_owned)
}

fn reply(mut stream: TcpStream, status: u16, body: &str) {
    let length = body.len();
    let location = match status {
        302 => format!("Location: {body}\r\n"),
        _ => String::new(),
    };
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{location}Connection: close\r\n\r\n");
    // A client that has read enough hangs up.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

// The header.

#[test]
fn a_bearer_token_is_found_whatever_the_case_of_the_scheme() {
    for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"] {
        assert_eq!(bearer_from_header(value), Ok("a.b.c"), "{value}");
    }
}

#[test]
fn anything_but_one_bearer_token_is_refused() {
    for value in ["", "Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Basic abc", "a.b.c", "Bearera"] {
        assert!(bearer_from_header(value).is_err(), "{value}");
    }
    assert_eq!(bearer_from_header("Basic abc"), Err(TokenError::OtherScheme));
}

// The local key.

#[test]
fn a_minted_token_is_accepted() {
    let folder = TempDir::new().unwrap();
    let verifier = Verifier::new(config(None, true, &folder)).unwrap();
    let token = DevKey::load_or_create(folder.path()).unwrap().mint(mint()).unwrap();
    let claims = verifier.verify(&token, NOW).unwrap();
    let expected = Claims {
        sub: "someone".to_owned(),
        client: "demo".to_owned(),
        scopes: ["advice:write", "internal:read"].map(str::to_owned).into(),
        councils: vec!["WR01".to_owned()],
        clusters: vec!["*".to_owned()],
    };
    assert_eq!(claims, expected);
    assert_eq!(verifier.verify_from_cache(&token, NOW), Some(Ok(expected)));
}

#[test]
fn a_minted_token_tells_its_type_key_and_a_unique_id() {
    let folder = TempDir::new().unwrap();
    let key = DevKey::load_or_create(folder.path()).unwrap();
    let tokens = [key.mint(mint()).unwrap(), key.mint(mint()).unwrap()];
    let header = jsonwebtoken::decode_header(&tokens[0]).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(header.kid.as_deref(), Some(key.kid()));
    let [one, other] = tokens.map(|token| {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&payload).unwrap()
    });
    assert_eq!(one["iss"], DEV_ISSUER);
    assert_eq!(one["exp"], NOW + HOUR);
    assert_ne!(one["jti"], other["jti"]);
    let jti: uuid::Uuid = one["jti"].as_str().unwrap().parse().unwrap();
    assert_eq!(jti.get_version_num(), 7);
}

#[test]
fn no_token_is_minted_that_would_be_refused() {
    let folder = TempDir::new().unwrap();
    let key = DevKey::load_or_create(folder.path()).unwrap();
    for lifetime_seconds in [0, -1, MAX_LIFETIME_SECONDS + 1] {
        let refused = key.mint(Mint { lifetime_seconds, ..mint() });
        assert!(matches!(refused, Err(MintError::Lifetime)));
    }
    let longest = Mint { lifetime_seconds: MAX_LIFETIME_SECONDS, ..mint() };
    let verifier = Verifier::new(config(None, true, &folder)).unwrap();
    assert!(verifier.verify(&key.mint(longest).unwrap(), NOW).is_ok());
    let nameless = Mint { subject: String::new(), ..mint() };
    assert!(matches!(key.mint(nameless), Err(MintError::Name)));
    let endless = Mint { scope: "x".repeat(MAX_TOKEN_BYTES), ..mint() };
    assert!(matches!(key.mint(endless), Err(MintError::TooLong)));
}

#[test]
fn the_local_key_is_refused_when_an_issuer_is_configured() {
    let folder = TempDir::new().unwrap();
    let token = DevKey::load_or_create(folder.path()).unwrap().mint(mint()).unwrap();
    let jwks = JwksSource::File(write_keys(&folder, &[EdKey::new("ed").jwk()]));
    let verifier = Verifier::new(config(Some(issuer(jwks)), true, &folder)).unwrap();
    assert_eq!(verifier.verify(&token, NOW), Err(invalid("the key is not known")));
}

#[test]
fn without_issuer_and_dev_tokens_every_token_is_refused() {
    let folder = TempDir::new().unwrap();
    let token = DevKey::load_or_create(folder.path()).unwrap().mint(mint()).unwrap();
    let verifier = Verifier::new(config(None, false, &folder)).unwrap();
    let refused = Err(invalid("this server accepts no tokens"));
    assert_eq!(verifier.verify(&token, NOW), refused);
    assert_eq!(verifier.verify_from_cache(&token, NOW), Some(refused));
}

#[test]
fn the_key_of_another_data_folder_is_refused() {
    let (ours, theirs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let token = DevKey::load_or_create(theirs.path()).unwrap().mint(mint()).unwrap();
    let verifier = Verifier::new(config(None, true, &ours)).unwrap();
    assert_eq!(verifier.verify(&token, NOW), Err(invalid("the key is not known")));
}

#[test]
fn all_who_start_at_once_get_the_same_key() {
    let folder = TempDir::new().unwrap();
    let data_dir = folder.path().join("not/yet/there");
    let start = std::sync::Barrier::new(8);
    let kids: BTreeSet<String> = thread::scope(|scope| {
        let load = || {
            start.wait();
            DevKey::load_or_create(&data_dir).unwrap().kid().to_owned()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(kids.len(), 1);
    let files: Vec<_> = fs::read_dir(&data_dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, [DEV_KEY_FILE], "no draft stays behind");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(data_dir.join(DEV_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_damaged_key_file_is_reported_and_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(DEV_KEY_FILE);
    fs::write(&path, "not a key").unwrap();
    let refused = DevKey::load_or_create(folder.path());
    assert!(matches!(refused, Err(AuthSetupError::DevKeyFormat { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"not a key");
}

// The claims.

#[test]
fn a_token_is_valid_from_its_issue_to_its_end_with_a_minute_of_leeway() {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    let verifier = file_verifier(&folder, &[key.jwk()]);
    let token = key.token(&claims());
    let at = |now| verifier.verify(&token, now).map(|_| ());
    assert_eq!(at(NOW - LEEWAY_SECONDS - 1), Err(invalid("issued in the future")));
    assert_eq!(at(NOW - LEEWAY_SECONDS), Ok(()));
    assert_eq!(at(NOW + HOUR + LEEWAY_SECONDS - 1), Ok(()));
    assert_eq!(at(NOW + HOUR + LEEWAY_SECONDS), Err(TokenError::Expired));
}

#[test]
fn a_token_is_refused_before_nbf() {
    let early = verdict(&claims_with(json!({"nbf": NOW + LEEWAY_SECONDS + 1})));
    assert_eq!(early, Err(invalid("not valid yet")));
    assert!(verdict(&claims_with(json!({"nbf": NOW + LEEWAY_SECONDS}))).is_ok());
}

#[test]
fn a_lifetime_over_six_hours_or_none_is_refused() {
    let refused = Err(invalid("the lifetime must be 1 second to 6 hours"));
    for exp in [NOW + MAX_LIFETIME_SECONDS + 1, NOW, NOW - 1, i64::MAX, i64::MIN] {
        assert_eq!(verdict(&claims_with(json!({"exp": exp}))), refused, "{exp}");
    }
    assert_eq!(verdict(&claims_with(json!({"iat": i64::MIN}))), refused);
    assert!(verdict(&claims_with(json!({"exp": NOW + MAX_LIFETIME_SECONDS}))).is_ok());
}

#[test]
fn a_moment_may_have_a_fraction() {
    let exp = NOW as f64 + 10.5;
    assert!(verdict(&claims_with(json!({"iat": NOW as f64 + 0.5, "exp": exp}))).is_ok());
}

#[test]
fn a_missing_claim_is_refused() {
    for name in ["iss", "aud", "sub", "exp", "iat"] {
        let refused = Err(invalid("a claim is missing or of the wrong type"));
        assert_eq!(verdict(&claims_without(name)), refused, "{name}");
    }
    let refused = Err(invalid("client_id or azp is missing"));
    assert_eq!(verdict(&claims_without("client_id")), refused);
}

#[test]
fn a_claim_of_the_wrong_type_is_refused() {
    for wrong in [
        json!({"iss": [ISSUER]}),
        json!({"aud": 1}),
        json!({"exp": "tomorrow"}),
        json!({"exp": 1e300}),
        json!({"iat": null}),
        json!({"nbf": null}),
        json!({"sub": 7}),
        json!({"client_id": null}),
        json!({"scope": ["advice:write"]}),
        json!({"councils": "WR01"}),
        json!({"councils": [1]}),
        json!({"clusters": null}),
        json!({"clusters": {"code": "*"}}),
    ] {
        let refused = Err(invalid("a claim is missing or of the wrong type"));
        assert_eq!(verdict(&claims_with(wrong.clone())), refused, "{wrong}");
    }
}

#[test]
fn a_claim_given_twice_is_refused() {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    let payload = claims().to_string().replacen('{', r#"{"sub":"another","#, 1);
    let header = json!({"alg": "EdDSA", "kid": "ed"}).to_string();
    let message = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let signature = URL_SAFE_NO_PAD.encode(key.0.sign(message.as_bytes()));
    let refused = file_verifier(&folder, &[key.jwk()]).verify(&format!("{message}.{signature}"), NOW);
    assert_eq!(refused, Err(invalid("a claim is missing or of the wrong type")));
}

#[test]
fn another_issuer_is_refused_however_alike() {
    for iss in ["https://login.example.nl/realm/", "https://LOGIN.example.nl/realm", ""] {
        let refused = Err(invalid("the issuer is not ours"));
        assert_eq!(verdict(&claims_with(json!({"iss": iss}))), refused, "{iss}");
    }
}

#[test]
fn our_audience_must_be_among_those_named() {
    let refused = Err(invalid("the audience is not this server"));
    for aud in [json!("https://api.example.nl"), json!([]), json!(["a", "b"])] {
        assert_eq!(verdict(&claims_with(json!({"aud": aud}))), refused, "{aud}");
    }
    assert!(verdict(&claims_with(json!({"aud": ["a", AUDIENCE]}))).is_ok());
}

#[test]
fn the_client_is_client_id_or_azp_and_both_must_agree() {
    let client = |claims: Value| verdict(&claims).map(|claims| claims.client);
    let mut only_azp = claims_without("client_id");
    only_azp["azp"] = json!("portal");
    assert_eq!(client(only_azp), Ok("portal".to_owned()));
    assert_eq!(client(claims_with(json!({"azp": "portal"}))), Ok("portal".to_owned()));
    let differ = Err(invalid("client_id and azp differ"));
    assert_eq!(client(claims_with(json!({"azp": "other"}))), differ);
}

#[test]
fn names_are_bounded_and_visible() {
    for sub in ["", " ", "a\nb", " a", "a\u{85}b", &"x".repeat(256)] {
        let refused = Err(invalid("sub must be 1 to 255 visible characters"));
        assert_eq!(verdict(&claims_with(json!({"sub": sub}))), refused, "{sub:?}");
    }
    assert!(verdict(&claims_with(json!({"sub": "é".repeat(255)}))).is_ok());
    let refused = Err(invalid("the client must be 1 to 255 visible characters"));
    assert_eq!(verdict(&claims_with(json!({"client_id": "a\tb"}))), refused);
}

#[test]
fn absent_rights_are_no_rights() {
    let mut bare = claims_without("scope");
    bare.as_object_mut().unwrap().remove("councils");
    let claims = verdict(&bare).unwrap();
    assert!(claims.scopes.is_empty());
    assert!(claims.councils.is_empty());
    assert!(claims.clusters.is_empty());
}

#[test]
fn a_token_that_gives_itself_away_as_another_kind_is_refused() {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    let verifier = file_verifier(&folder, &[key.jwk()]);
    let said = |typ: &str, claims: &Value| {
        let header = json!({"alg": "EdDSA", "kid": "ed", "typ": typ});
        verifier.verify(&key.token_with(&header, claims), NOW).map(|_| ())
    };
    for of_another in [
        json!({"nonce": "n"}),
        json!({"at_hash": "h"}),
        json!({"c_hash": "h"}),
        json!({"s_hash": "h"}),
        json!({"events": {}}),
        json!({"typ": "ID"}),
        json!({"typ": "Refresh"}),
    ] {
        let claims = claims_with(of_another.clone());
        assert_eq!(said("JWT", &claims), Err(invalid("not an access token")), "{of_another}");
        assert_eq!(said("at+jwt", &claims), Ok(()), "{of_another}");
    }
    assert_eq!(said("JWT", &claims_with(json!({"typ": "Bearer"}))), Ok(()));
}

#[test]
fn a_scope_holds_nothing_that_only_looks_right() {
    for scope in
        ["advice:write\u{a0}publish", "advice:wr\u{456}te", "publish\t", "a\nb", "a\"b", "a\\b", "\u{200b}"]
    {
        let refused = Err(invalid("the scope is malformed"));
        assert_eq!(verdict(&claims_with(json!({"scope": scope}))), refused, "{scope:?}");
    }
    let spaced = verdict(&claims_with(json!({"scope": "  publish   audit:read "}))).unwrap();
    assert_eq!(spaced.scopes, ["audit:read", "publish"].map(str::to_owned).into());
}

// The signature.

#[test]
fn a_tampered_token_is_refused() {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    let verifier = file_verifier(&folder, &[key.jwk()]);
    let token = key.token(&claims());
    let more = key.token(&claims_with(json!({"councils": ["*"]})));
    let parts: Vec<&str> = token.split('.').collect();
    let payload = more.split('.').nth(1).unwrap();
    let tampered = [parts[0], payload, parts[2]].join(".");
    assert_eq!(verifier.verify(&tampered, NOW), Err(invalid("the signature is wrong")));
    let bare = [parts[0], parts[1], ""].join(".");
    assert_eq!(verifier.verify(&bare, NOW), Err(invalid("the signature is wrong")));
    let stranger = EdKey::new("ed").token(&claims());
    assert_eq!(verifier.verify(&stranger, NOW), Err(invalid("the signature is wrong")));
}

#[test]
fn a_token_changed_or_cut_anywhere_is_refused() {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    let verifier = file_verifier(&folder, &[key.jwk()]);
    let token = key.token(&claims());
    assert!(verifier.verify(&token, NOW).is_ok());
    for place in 0..token.len() {
        assert!(verifier.verify(&token[..place], NOW).is_err(), "cut at {place}");
        for other in ["A", "_", "=", ".", " "] {
            let mut changed = token.clone();
            changed.replace_range(place..=place, other);
            assert!(changed == token || verifier.verify(&changed, NOW).is_err(), "{other} at {place}");
        }
    }
}

proptest::proptest! {
    /// What anybody sends is judged without a panic, and never believed.
    #[test]
    fn nothing_unsigned_is_believed(
        parts in proptest::collection::vec(r#"(\{"alg":"(EdDSA|RS256|ES256|HS256|none)","kid":"ed"\}|\{("(alg|kid|typ|crit|exp|aud)":("[a-zA-Z0-9+]{0,9}"|[0-9e.-]{1,9}|null|\[\]),?){0,6}\}|.{0,40})"#, 1..5),
        is_encoded in proptest::bool::ANY,
    ) {
        static VERIFIER: std::sync::LazyLock<Verifier> = std::sync::LazyLock::new(|| {
            let folder = TempDir::new().unwrap();
            file_verifier(&folder, &[EdKey::new("ed").jwk()])
        });
        let parts = parts.iter().map(|part| if is_encoded { URL_SAFE_NO_PAD.encode(part) } else { part.clone() });
        let token = parts.collect::<Vec<_>>().join(".");
        proptest::prop_assert!(VERIFIER.verify(&token, NOW).is_err());
        if let Ok(token) = bearer_from_header(&format!("Bearer {token}")) {
            proptest::prop_assert!(VERIFIER.verify(token, NOW).is_err());
        }
    }

    /// Metadata and key sets come from outside too.
    #[test]
    fn no_document_of_an_issuer_breaks_us(document in r#"(\{("(keys|issuer|jwks_uri|kty|n|e|x|y|crv|kid|use)":("[a-zA-Z0-9+/:.]{0,20}"|[0-9e.-]{1,9}|null|\[(\{"(kty|n|crv)":"(RSA|EC|OKP|P-256|[A-Z]{0,9})"\})?\]),?){0,6}\}|.{0,60})"#) {
        let place = fetch::Address::parse("https://login.example.nl/").unwrap();
        proptest::prop_assert!(source::jwks_address(document.as_bytes(), ISSUER, &place).is_err());
        if let Ok(keys) = KeySet::parse(document.as_bytes(), &ALGORITHMS) {
            proptest::prop_assert!(keys.is_empty());
        }
    }
}

#[test]
fn no_signature_and_unknown_algorithms_are_refused() {
    for alg in ["none", "None", "NONE", "", "ES512"] {
        let refused = verdict_on_header(&json!({"alg": alg, "kid": "ed"}));
        let reason = "malformed token or unknown algorithm";
        assert_eq!(refused, Err(invalid(reason)), "{alg}");
    }
}

#[test]
fn a_public_key_used_as_secret_is_refused() {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    let verifier = file_verifier(&folder, &[key.jwk()]);
    let secret = EncodingKey::from_secret(key.0.public_key().as_ref());
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("ed".to_owned());
    let token = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
    assert_eq!(verifier.verify(&token, NOW), Err(invalid("the algorithm is not allowed")));
}

#[test]
fn signatures_in_another_form_are_refused() {
    let folder = TempDir::new().unwrap();
    let (_, ec_jwk) = ec_key();
    let der_key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let (x, y) = der_key.public_key().as_ref()[1..].split_at(32);
    let mut der_jwk = ec_jwk;
    der_jwk["x"] = json!(URL_SAFE_NO_PAD.encode(x));
    der_jwk["y"] = json!(URL_SAFE_NO_PAD.encode(y));
    let verifier = file_verifier(&folder, &[der_jwk]);
    let header = json!({"alg": "ES256", "kid": "ec"});
    let der = signed(&header, &claims(), |message| {
        der_key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    });
    let refused = Err(invalid("the signature is wrong"));
    assert_eq!(verifier.verify(&der, NOW), refused);
    for zeros in [0, 63, 64, 65] {
        let psychic = signed(&header, &claims(), |_| vec![0; zeros]);
        assert_eq!(verifier.verify(&psychic, NOW), refused, "{zeros}");
    }
}

#[test]
fn the_algorithm_must_fit_the_key() {
    let refused = Err(invalid("the algorithm does not fit the key"));
    assert_eq!(verdict_on_header(&json!({"alg": "RS256", "kid": "ed"})), refused);
    let refused = Err(invalid("the algorithm is not allowed"));
    assert_eq!(verdict_on_header(&json!({"alg": "RS512", "kid": "ed"})), refused);
}

#[test]
fn the_key_id_must_be_there_and_known() {
    let missing = verdict_on_header(&json!({"alg": "EdDSA"}));
    assert_eq!(missing, Err(invalid("the key id is missing")));
    let unknown = verdict_on_header(&json!({"alg": "EdDSA", "kid": "another"}));
    assert_eq!(unknown, Err(invalid("the key is not known")));
}

#[test]
fn other_kinds_of_token_are_refused() {
    for typ in ["logout+jwt", "dpop+jwt", "secevent+jwt", ""] {
        let refused = verdict_on_header(&json!({"alg": "EdDSA", "kid": "ed", "typ": typ}));
        assert_eq!(refused, Err(invalid("not an access token")), "{typ}");
    }
    for typ in ["JWT", "at+jwt", "application/at+jwt"] {
        let header = json!({"alg": "EdDSA", "kid": "ed", "typ": typ});
        assert!(verdict_on_header(&header).is_ok(), "{typ}");
    }
    assert!(verdict_on_header(&json!({"alg": "EdDSA", "kid": "ed"})).is_ok());
    for named in ["jku", "x5u"] {
        let header = json!({"alg": "EdDSA", "kid": "ed", named: "https://attacker.test/"});
        assert!(verdict_on_header(&header).is_ok(), "{named} is nothing to go by");
    }
    let critical = json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false});
    let refused = Err(invalid("a critical header is not understood"));
    assert_eq!(verdict_on_header(&critical), refused);
}

#[test]
fn junk_is_refused() {
    let folder = TempDir::new().unwrap();
    let verifier = file_verifier(&folder, &[EdKey::new("ed").jwk()]);
    for junk in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "e30.e30.e30"] {
        let refused = verifier.verify(junk, NOW);
        assert_eq!(refused, Err(invalid("malformed token or unknown algorithm")), "{junk}");
    }
    let long = verifier.verify(&"a".repeat(MAX_TOKEN_BYTES + 1), NOW);
    assert_eq!(long, Err(invalid("the token is too long")));
}

#[test]
fn rsa_and_elliptic_curve_keys_are_accepted() {
    let folder = TempDir::new().unwrap();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let (ec, ec_jwk) = ec_key();
    let ec_token = signed(&json!({"alg": "ES256", "kid": "ec"}), &claims(), |message| {
        ec.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    });
    let rs256 = rsa_token(&rsa, "RS256", &RSA_PKCS1_SHA256);
    let ps256 = rsa_token(&rsa, "PS256", &RSA_PSS_SHA256);

    let verifier = file_verifier(&folder, &[rsa_jwk(&rsa, "rsa"), ec_jwk]);
    for token in [&ec_token, &rs256, &ps256] {
        assert!(verifier.verify(token, NOW).is_ok(), "{token}");
    }
    let mislabelled = rsa_token(&rsa, "RS256", &RSA_PSS_SHA256);
    assert_eq!(verifier.verify(&mislabelled, NOW), Err(invalid("the signature is wrong")));

    let mut meant_for_pss = rsa_jwk(&rsa, "rsa");
    meant_for_pss["alg"] = json!("PS256");
    let verifier = file_verifier(&folder, &[meant_for_pss]);
    assert!(verifier.verify(&ps256, NOW).is_ok());
    let refused = Err(invalid("the algorithm does not fit the key"));
    assert_eq!(verifier.verify(&rs256, NOW), refused);

    let jwks = JwksSource::File(write_keys(&folder, &[rsa_jwk(&rsa, "rsa")]));
    let only_ps256 = IssuerConfig { algorithms: vec![Algorithm::PS256], ..issuer(jwks) };
    let verifier = Verifier::new(config(Some(only_ps256), false, &folder)).unwrap();
    assert_eq!(verifier.verify(&rs256, NOW), Err(invalid("the algorithm is not allowed")));
}

// The key set.

#[test]
fn keys_that_are_not_for_verifying_are_passed_over() {
    let key = EdKey::new("ed");
    let (_, ec) = ec_key();
    let with = |mut jwk: Value, name: &str, value: Value| {
        jwk[name] = value;
        jwk
    };
    let unfit = [
        with(key.jwk(), "use", json!("enc")),
        with(key.jwk(), "use", json!("other")),
        with(key.jwk(), "key_ops", json!(["sign"])),
        with(key.jwk(), "alg", json!("RS256")),
        with(key.jwk(), "alg", json!("ECDH-ES")),
        with(key.jwk(), "crv", json!("X25519")),
        with(key.jwk(), "x", json!("AAAA")),
        with(key.jwk(), "kid", Value::Null),
        with(ec.clone(), "crv", json!("P-384")),
        with(ec, "y", json!("AAAA")),
        json!({"kty": "RSA", "kid": "short", "n": URL_SAFE_NO_PAD.encode([255; 128]), "e": "AQAB"}),
        json!({"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}),
        json!({"kty": "AKP", "kid": "later", "alg": "ML-DSA-44", "pub": "AAAA"}),
        json!("not a key"),
    ];
    for jwk in &unfit {
        assert!(VerificationKey::from_jwk(jwk.clone(), &ALGORITHMS).is_none(), "{jwk}");
    }
    let folder = TempDir::new().unwrap();
    let all = [&unfit[..], &[with(key.jwk(), "key_ops", json!(["verify"]))]].concat();
    assert!(file_verifier(&folder, &all).verify(&key.token(&claims()), NOW).is_ok());
}

#[test]
fn a_wrong_set_up_is_refused_at_start() {
    let folder = TempDir::new().unwrap();
    let start = |issuer| Verifier::new(config(Some(issuer), false, &folder)).unwrap_err();
    let absent = JwksSource::File(folder.path().join("absent.json"));
    assert!(matches!(start(issuer(absent)), AuthSetupError::JwksFile { .. }));
    let empty = JwksSource::File(write_keys(&folder, &[]));
    let no_key =
        AuthSetupError::JwksFile { path: folder.path().join("jwks.json"), source: JwksError::NoUsableKey };
    assert_eq!(format!("{:?}", start(issuer(empty))), format!("{no_key:?}"));
    for url in [
        "http://login.example.nl/jwks",
        "http://127.0.0.1.example.nl/jwks",
        "http://10.0.0.1/jwks",
        "https://user:secret@login.example.nl/jwks",
        "ftp://localhost/jwks",
        "/jwks",
        "",
    ] {
        let refused = start(issuer(JwksSource::Url(url.to_owned())));
        assert!(matches!(refused, AuthSetupError::JwksAddress), "{url}");
    }
    let url = || JwksSource::Url("https://login.example.nl/jwks".to_owned());
    let secret = IssuerConfig { algorithms: vec![Algorithm::HS256], ..issuer(url()) };
    assert!(matches!(start(secret), AuthSetupError::Algorithm(Algorithm::HS256)));
    let none = IssuerConfig { algorithms: vec![], ..issuer(url()) };
    assert!(matches!(start(none), AuthSetupError::Empty(_)));
    let nameless = IssuerConfig { issuer: String::new(), ..issuer(url()) };
    assert!(matches!(start(nameless), AuthSetupError::Empty("issuer")));
}

#[test]
fn loopback_hosts_may_do_without_tls() {
    for host in ["localhost", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"] {
        url_verifier(format!("http://{host}/jwks"));
    }
}

#[test]
fn a_key_file_is_read_again_for_an_unknown_key_once_a_minute() {
    let folder = TempDir::new().unwrap();
    let (old, new, newest) = (EdKey::new("old"), EdKey::new("new"), EdKey::new("newest"));
    let verifier = file_verifier(&folder, &[old.jwk()]);
    let accepts = |key: &EdKey, now| verifier.verify(&key.token(&claims()), now).is_ok();
    assert!(accepts(&old, NOW));
    assert!(!accepts(&new, NOW));
    write_keys(&folder, &[old.jwk(), new.jwk()]);
    assert!(!accepts(&new, NOW + 59));
    assert!(accepts(&new, NOW + 60));
    write_keys(&folder, &[newest.jwk()]);
    assert!(!accepts(&newest, NOW + 119));
    assert!(accepts(&newest, NOW + 120));
    assert!(!accepts(&old, NOW + 120));
}

#[test]
fn a_half_written_key_file_leaves_the_old_keys() {
    let folder = TempDir::new().unwrap();
    let key = EdKey::new("ed");
    let verifier = file_verifier(&folder, &[key.jwk()]);
    fs::write(folder.path().join("jwks.json"), "{\"keys\":[").unwrap();
    assert!(verifier.verify(&key.token(&claims()), NOW).is_ok());
    assert!(verifier.verify(&EdKey::new("other").token(&claims()), NOW + 60).is_err());
    assert!(verifier.verify(&key.token(&claims()), NOW + 120).is_ok());
}

#[test]
fn keys_are_fetched_when_first_needed_and_again_when_old() {
    let (key, next) = (EdKey::new("ed"), EdKey::new("next"));
    let server = Server::start(&[key.jwk()], |_| {});
    let verifier = server.verifier();
    let token = key.token(&claims());
    assert_eq!(server.hits(), 0);
    assert_eq!(verifier.verify_from_cache(&token, NOW), None);
    assert!(verifier.verify(&token, NOW).is_ok());
    assert!(verifier.verify_from_cache(&token, NOW + 599).unwrap().is_ok());
    assert!(verifier.verify(&token, NOW + 599).is_ok());
    assert_eq!(server.hits(), 1);

    server.publish(&[next.jwk()]);
    assert_eq!(verifier.verify_from_cache(&token, NOW + 600), None);
    assert_eq!(verifier.verify(&token, NOW + 600), Err(invalid("the key is not known")));
    assert!(verifier.verify(&next.token(&claims()), NOW + 600).is_ok());
    assert_eq!(server.hits(), 2);
}

#[test]
fn an_unknown_key_causes_at_most_one_fetch_a_minute() {
    let (key, stranger) = (EdKey::new("ed"), EdKey::new("stranger"));
    let server = Server::start(&[key.jwk()], |_| {});
    let verifier = server.verifier();
    assert!(verifier.verify(&key.token(&claims()), NOW).is_ok());
    let token = stranger.token(&claims());
    let refused = Err(invalid("the key is not known"));
    for now in [NOW, NOW + 1, NOW + 59, NOW - 59] {
        assert_eq!(verifier.verify_from_cache(&token, now), Some(refused.clone()), "{now}");
        assert_eq!(verifier.verify(&token, now), refused);
    }
    assert_eq!(server.hits(), 1);
    assert_eq!(verifier.verify_from_cache(&token, NOW + 60), None);
    assert_eq!(verifier.verify(&token, NOW + 60), refused);
    assert_eq!(verifier.verify(&token, NOW + 61), refused);
    assert_eq!(server.hits(), 2);
    // A clock that was set back does not stop the fetching.
    assert_eq!(verifier.verify(&token, NOW - HOUR), Err(invalid("the key is not known")));
    assert_eq!(server.hits(), 3);
}

#[test]
fn junk_never_causes_a_fetch() {
    let server = Server::start(&[], |_| {});
    let verifier = server.verifier();
    let key = EdKey::new("ed");
    for header in
        [json!({"alg": "none", "kid": "x"}), json!({"alg": "HS256", "kid": "x"}), json!({"alg": "EdDSA"})]
    {
        assert!(verifier.verify(&key.token_with(&header, &claims()), NOW).is_err());
    }
    assert_eq!(server.hits(), 0);
}

#[test]
fn threads_that_need_the_first_keys_share_one_fetch() {
    let key = EdKey::new("ed");
    let server = Server::start(&[key.jwk()], |_| {});
    let (verifier, token) = (server.verifier(), key.token(&claims()));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(verifier.verify(&token, NOW).is_ok()));
        }
    });
    assert_eq!(server.hits(), 1);
}

#[test]
fn a_known_key_does_not_wait_for_a_fetch() {
    let (key, new) = (EdKey::new("ed"), EdKey::new("new"));
    let (asked, is_asked) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let server = Server::start(&[key.jwk()], move |hit| {
        if hit > 1 {
            asked.send(()).unwrap();
            may_go.recv().unwrap();
        }
    });
    let verifier = server.verifier();
    assert!(verifier.verify(&key.token(&claims()), NOW).is_ok());
    server.publish(&[key.jwk(), new.jwk()]);
    let token = new.token(&claims());
    thread::scope(|scope| {
        let slow = scope.spawn(|| verifier.verify(&token, NOW + 60));
        is_asked.recv().unwrap();
        // Known: judged at once, also when the keys have become old in the meantime.
        for now in [NOW + 60, NOW + 700] {
            assert!(verifier.verify_from_cache(&key.token(&claims()), now).unwrap().is_ok());
            assert!(verifier.verify(&key.token(&claims()), now).is_ok());
        }
        // Unknown: only the fetch can tell.
        assert_eq!(verifier.verify_from_cache(&new.token(&claims()), NOW + 60), None);
        go.send(()).unwrap();
        assert!(slow.join().unwrap().is_ok());
    });
    assert_eq!(server.hits(), 2);
}

#[test]
fn when_a_fetch_fails_the_old_keys_stay() {
    let key = EdKey::new("ed");
    let server = Server::start(&[key.jwk()], |_| {});
    let verifier = server.verifier();
    let token = key.token(&claims());
    assert!(verifier.verify(&token, NOW).is_ok());
    let too_large = format!("{{\"keys\":[]}}{}", " ".repeat(1024 * 1024));
    for (round, (status, body)) in [
        (500, "oops".to_owned()),
        (302, "/elsewhere".to_owned()),
        (204, String::new()),
        (200, "<html>".to_owned()),
        (200, too_large),
    ]
    .into_iter()
    .enumerate()
    {
        server.answer(status, body);
        let now = NOW + 600 + 60 * round as i64;
        assert!(verifier.verify(&token, now).is_ok(), "{status}");
        assert_eq!(server.hits(), 2 + round);
    }
    server.publish(&[]);
    assert_eq!(verifier.verify(&token, NOW + 900), Err(TokenError::NoKeys));
}

#[test]
fn keys_that_cannot_be_read_again_end_after_six_hours() {
    let key = EdKey::new("ed");
    let server = Server::start(&[key.jwk()], |_| {});
    let verifier = server.verifier();
    let at = |now| verifier.verify(&key.token(&claims_with(json!({"iat": now, "exp": now + HOUR}))), now);
    assert!(at(NOW).is_ok());
    server.answer(500, String::new());
    let end = NOW + 6 * HOUR;
    for now in [NOW + HOUR, end - 1] {
        assert!(at(now).is_ok(), "{now}");
    }
    assert_eq!(at(end), Err(TokenError::NoKeys));
    // And begin again as soon as they can be read.
    server.publish(&[key.jwk()]);
    assert_eq!(at(end + 1), Err(TokenError::NoKeys));
    assert!(at(end + 60).is_ok());

    // Those of a file count from the first time that it cannot be read.
    let folder = TempDir::new().unwrap();
    let verifier = file_verifier(&folder, &[key.jwk()]);
    fs::remove_file(folder.path().join("jwks.json")).unwrap();
    let at = |now| verifier.verify(&key.token(&claims_with(json!({"iat": now, "exp": now + HOUR}))), now);
    assert!(at(NOW).is_ok() && at(end - 1).is_ok());
    assert_eq!(at(end), Err(TokenError::NoKeys));
}

// Where the keys are.

#[test]
fn the_keys_are_found_by_the_name_of_the_issuer() {
    let (key, next) = (EdKey::new("ed"), EdKey::new("next"));
    let server = Server::start(&[key.jwk()], |_| {});
    server.describe_at(OAUTH, json!({}));
    let verifier = server.finding_verifier();
    assert_eq!(server.hits(), 0);
    let token = key.token(&server.claims());
    assert_eq!(verifier.verify_from_cache(&token, NOW), None);
    assert!(verifier.verify(&token, NOW).is_ok());
    assert!(verifier.verify_from_cache(&token, NOW + 599).unwrap().is_ok());
    assert_eq!(server.asked(), [OAUTH, KEYS]);

    // The metadata are read again with the keys: these may have moved.
    server.answer_at("/moved", 200, json!({"keys": [next.jwk()]}).to_string());
    server.describe_at(OAUTH, json!({"jwks_uri": server.at("/moved")}));
    assert!(verifier.verify(&next.token(&server.claims()), NOW + 60).is_ok());
    assert_eq!(server.asked()[2..], [OAUTH, "/moved"]);
    assert_eq!(verifier.verify(&token, NOW + 60), Err(invalid("the key is not known")));
}

#[test]
fn openid_metadata_will_do_where_the_others_are_no_good() {
    let key = EdKey::new("ed");
    for other in [
        (404, String::new()),
        (500, String::new()),
        (200, "<html>".to_owned()),
        (200, json!({"issuer": "https://attacker.test"}).to_string()),
        (200, json!({"issuer": "https://attacker.test", "jwks_uri": "https://attacker.test/"}).to_string()),
    ] {
        let server = Server::start(&[key.jwk()], |_| {});
        server.answer_at(OAUTH, other.0, other.1);
        server.describe_at(OPENID, json!({}));
        assert!(server.finding_verifier().verify(&key.token(&server.claims()), NOW).is_ok());
        assert_eq!(server.asked(), [OAUTH, OPENID, KEYS]);
    }
}

#[test]
fn metadata_of_another_issuer_or_with_another_kind_of_address_are_not_used() {
    let key = EdKey::new("ed");
    let server = Server::start(&[key.jwk()], |_| {});
    let issuer = server.issuer();
    for change in [
        json!({"issuer": format!("{issuer}/")}),
        json!({"issuer": issuer.to_uppercase()}),
        json!({"issuer": [issuer]}),
        json!({"issuer": null}),
        json!({"jwks_uri": null}),
        json!({"jwks_uri": "/jwks"}),
        json!({"jwks_uri": "file:///etc/passwd"}),
        json!({"jwks_uri": "http://login.example.nl/jwks"}),
        json!({"jwks_uri": format!("http://user@{}/jwks", server.address)}),
    ] {
        server.describe_at(OAUTH, change.clone());
        server.describe_at(OPENID, change.clone());
        let refused = server.finding_verifier().verify(&key.token(&server.claims()), NOW);
        assert_eq!(refused, Err(TokenError::NoKeys), "{change}");
    }
    assert!(!server.asked().contains(&KEYS.to_owned()));

    let with_tls = fetch::Address::parse("https://login.example.nl/metadata").unwrap();
    let metadata = |jwks: &str| json!({"issuer": ISSUER, "jwks_uri": jwks}).to_string();
    let found = |jwks| source::jwks_address(metadata(jwks).as_bytes(), ISSUER, &with_tls);
    assert!(found("https://keys.example.nl/jwks").is_ok());
    assert!(matches!(found("http://127.0.0.1:8080/jwks"), Err(JwksError::JwksAddress)));
}

#[test]
fn a_slash_at_the_end_of_the_issuer_is_part_of_its_name_only() {
    let key = EdKey::new("ed");
    let server = Server::start(&[key.jwk()], |_| {});
    let name = format!("{}/", server.issuer());
    server.describe_at(OAUTH, json!({"issuer": name}));
    let verifier = finding_verifier(&name).unwrap();
    assert!(verifier.verify(&key.token(&claims_with(json!({"iss": name}))), NOW).is_ok());
    let other = verifier.verify(&key.token(&server.claims()), NOW);
    assert_eq!(other, Err(invalid("the issuer is not ours")));
}

#[test]
fn an_issuer_whose_metadata_nobody_may_fetch_is_refused_at_start() {
    for name in [
        "http://login.example.nl",
        "https://user@login.example.nl",
        "https://login.example.nl?tenant=1",
        "https://login.example.nl/#1",
        "login.example.nl",
        "login",
    ] {
        assert!(matches!(finding_verifier(name), Err(AuthSetupError::IssuerAddress)), "{name}");
    }
    assert!(matches!(finding_verifier(""), Err(AuthSetupError::Empty("issuer"))));
    for name in ["https://login.example.nl", "https://login.example.nl:8443/a/b/", "http://localhost:8080"] {
        assert!(finding_verifier(name).is_ok(), "{name}");
    }
}

#[test]
fn certificate_authorities_must_be_certificates() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ca.pem");
    let start = || {
        let issuer = IssuerConfig { authorities: Some(path.clone()), ..issuer(JwksSource::Metadata) };
        Verifier::new(config(Some(issuer), false, &folder)).map(|_| ())
    };
    assert!(matches!(start(), Err(AuthSetupError::AuthoritiesFile { .. })));
    for unusable in [
        "",
        "not PEM",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        fs::write(&path, unusable).unwrap();
        assert!(matches!(start(), Err(AuthSetupError::AuthoritiesFormat { .. })), "{unusable}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let key = EdKey::new("ed");
    let elsewhere = Server::start(&[key.jwk()], |_| {});
    let server = Server::start(&[], |_| {});
    server.answer(302, elsewhere.at(KEYS));
    let refused = server.verifier().verify(&key.token(&claims()), NOW);
    assert_eq!(refused, Err(TokenError::NoKeys));
    assert_eq!((server.hits(), elsewhere.hits()), (1, 0));
}

#[test]
fn without_any_key_nothing_can_be_judged() {
    let key = EdKey::new("ed");
    let server = Server::start(&[], |_| {});
    server.answer(503, String::new());
    let (verifier, token) = (server.verifier(), key.token(&claims()));
    assert_eq!(verifier.verify(&token, NOW), Err(TokenError::NoKeys));
    assert_eq!(verifier.verify_from_cache(&token, NOW + 1), Some(Err(TokenError::NoKeys)));
    assert_eq!(server.hits(), 1);
    server.publish(&[key.jwk()]);
    assert!(verifier.verify(&token, NOW + 60).is_ok());
}

#[test]
fn an_issuer_that_does_not_speak_tls_gives_no_keys() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let verifier = url_verifier(format!("https://{}/jwks", listener.local_addr().unwrap()));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 1];
        stream.read_exact(&mut hello).unwrap();
        // 22: a TLS handshake begins.
        assert_eq!(hello, [22]);
        stream.write_all(b"HTTP/1.1 400 X\r\n\r\n").unwrap();
    });
    let token = EdKey::new("ed").token(&claims());
    assert_eq!(verifier.verify(&token, NOW), Err(TokenError::NoKeys));
    server.join().unwrap();
}
