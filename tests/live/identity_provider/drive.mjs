#!/usr/bin/env node
// Tries the API against a real identity provider, and against hostile tokens. Prints what was done and what came; ends with status 1
// if anything came otherwise. No part of CI: it needs npm, openssl and about five minutes, most of them spent waiting.
//
//     npm install --prefix /tmp/idp oidc-provider@8.8.1
//     cargo build
//     node tests/live/identity_provider/drive.mjs target/debug/wijkaanzet /tmp/idp/node_modules [FIRST_PORT [PART]]
//
// PART is provider, keys, tls or hanging; all of them when left out. Takes nine ports from FIRST_PORT (9100) on, all on the loopback, and a folder under the temporary one, which it removes.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { hostileHeaders, hostileTokens, oddKeys } from "./hostile.mjs";
import { newKey, publicPart, signature, token } from "./tokens.mjs";

const [binary, modules, firstPort = "9100", part] = process.argv.slice(2);
if (!modules) throw new Error("usage: drive.mjs WIJKAANZET NODE_MODULES [FIRST_PORT]");
const port = (offset) => Number(firstPort) + offset;
const here = dirname(fileURLToPath(import.meta.url));
const work = mkdtempSync(join(tmpdir(), "wijkaanzet-idp-"));
const running = new Set();
const sent = new Set();
let failures = 0;
const began = Date.now();

function say(what, expected, got) {
  const fits = String(expected) === String(got);
  if (!fits) failures += 1;
  const seconds = String(Math.round((Date.now() - began) / 1000)).padStart(4);
  console.log(`${seconds} s  ${what.padEnd(88)} ${String(got).padEnd(44)} ${fits ? "as expected" : `EXPECTED ${expected}`}`);
}

function title(text) {
  console.log(`\n== ${text} ==`);
}

// Programs.

function start(command, args, log) {
  const output = openSync(log, "a");
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TOKEN_|DATABASE_|DATA_DIR|LISTEN|PUBLIC_URL|LOG)/.test(name)));
  const child = spawn(command, args, { stdio: ["ignore", output, output], env: environment });
  running.add(child);
  child.gone = new Promise((resolve) => child.once("exit", resolve));
  child.gone.then(() => running.delete(child));
  return child;
}

async function stop(child) {
  child.kill("SIGTERM");
  await child.gone;
}

async function until(what, holds) {
  for (let round = 0; round < 300; round += 1) {
    if (await holds().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(`waited in vain for ${what}`);
}

let apis = 0;

/** An API of its own database; gives its process and base address. */
async function startApi(offset, issuer, ...more) {
  apis += 1;
  const base = `http://127.0.0.1:${port(offset)}`;
  const child = start(binary, ["serve", "--issuer", issuer, "--audience", `${base}/v1`, "--public-url", base, "--listen", `127.0.0.1:${port(offset)}`,
    "--data-dir", join(work, `data-${apis}`), "--rate-per-minute", "0", "--log", "trace", "--workers", "2", ...more], join(work, `api-${apis}.log`));
  await until(`the API on ${base}`, async () => (await call(`${base}/health/ready`)).status === 200);
  return { child, base, log: join(work, `api-${apis}.log`) };
}

// Requests.

function call(url, { method = "GET", bearer, authorization, headers = {}, body, form } = {}) {
  const given = bearer === undefined ? authorization : `Bearer ${bearer}`;
  if (given) sent.add(given);
  const content = form ? new URLSearchParams(form).toString() : body === undefined ? undefined : JSON.stringify(body);
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method,
      agent: false,
      headers: { ...(given ? { authorization: given } : {}), ...(content ? { "content-type": type, "content-length": Buffer.byteLength(content) } : {}), ...headers },
    }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        let json = null;
        try { json = JSON.parse(text); } catch { /* not every answer is JSON */ }
        resolve({ status: answer.statusCode, headers: answer.headers, challenge: answer.headers["www-authenticate"] ?? "", text, json });
      });
    });
    request.on("error", reject);
    request.end(content);
  });
}

/** A request as bytes, for what no client would send; gives the status. */
function rawCall(offset, lines) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port(offset), "127.0.0.1", () => socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1")));
    const chunks = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("end", () => resolve(Buffer.concat(chunks).toString()));
    socket.on("error", reject);
  });
}

const kind = (answer) => (answer.json?.type ?? "").split("/").pop();

/** What is wrong with a refusal, if anything. */
function faultOf(answer, base, problem = "invalid-token") {
  const metadata = `resource_metadata="${base}/.well-known/oauth-protected-resource/v1"`;
  if (answer.status !== 401) return `status ${answer.status}`;
  if (answer.headers["content-type"] !== "application/problem+json") return `type ${answer.headers["content-type"]}`;
  if (kind(answer) !== problem || answer.json.status !== 401 || !answer.json.traceId) return `problem ${answer.text}`;
  if (!answer.challenge.startsWith('Bearer realm="wijkaanzet"') || !answer.challenge.endsWith(metadata)) return `challenge ${answer.challenge}`;
  if (answer.challenge.includes('error="invalid_token", error_description="') !== (problem === "invalid-token")) return `challenge ${answer.challenge}`;
  return null;
}

// The identity provider.

const resource = `http://127.0.0.1:${port(1)}/v1`;
const idp = { log: join(work, "idp.log"), settings: join(work, "idp.json"), child: null };
const issuer = `http://127.0.0.1:${port(0)}`;

function clientsWith(kids) {
  const client = (id, alg, kid, scope, claims) => ({ id, secret: `secret of ${id}`, alg, kid, scope, claims });
  return [
    client("coordinator", "RS256", kids.rsa, "advice:write internal:read", { councils: ["rozenburg"] }),
    client("cluster", "PS256", kids.rsa, "treatment:write", { clusters: ["so"] }),
    client("college-office", "ES256", kids.ec, "responses:write internal:read", { councils: ["*"], clusters: ["*"] }),
    client("bi", "EdDSA", kids.okp, "internal:read", { clusters: ["*"] }),
  ];
}

async function startIdp(keys, generation) {
  const of = (kty) => keys.find((key) => key.kty === kty && key.kid.endsWith(generation)).kid;
  const clients = clientsWith({ rsa: of("RSA"), ec: of("EC"), okp: of("OKP") });
  writeFileSync(idp.settings, JSON.stringify({ port: port(0), resource, jwks: { keys }, clients }));
  idp.child = start(process.execPath, [join(here, "server.mjs"), modules, idp.settings], idp.log);
  await until("the identity provider", async () => (await call(`${issuer}/.well-known/openid-configuration`, { headers: { "user-agent": "driver" } })).status === 200);
  return clients;
}

/** How often the API asked for the keys. */
const refreshes = () => readFileSync(idp.log, "utf8").split("\n").filter((line) => line === "GET /jwks").length;

async function tokenOf(client, scope = client.scope, asked = resource) {
  const authorization = `Basic ${Buffer.from(`${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`).toString("base64")}`;
  const metadata = await call(`${issuer}/.well-known/openid-configuration`);
  const answer = await call(metadata.json.token_endpoint, { method: "POST", headers: { authorization }, form: { grant_type: "client_credentials", scope, ...(asked ? { resource: asked } : {}) } });
  if (answer.status !== 200) throw new Error(`no token for ${client.id}: ${answer.text}`);
  return answer.json.access_token;
}

const generation = (name) => [newKey("RSA", `rsa-${name}`), newKey("EC", `ec-${name}`), newKey("OKP", `okp-${name}`)];
const draft = (council) => ({ kind: "unsolicited", subject: "Oversteek bij de school", level: "neighbourhood", councils: { lead: council }, points: [{ number: 1, text: "Maak een zebrapad" }] });
const today = new Date().toISOString().slice(0, 10);

async function honestRoles(api, clients) {
  title("A client that knows only the address of the API");
  say("requests at the identity provider by the API before any token", 0, refreshes());
  const refused = await call(`${api.base}/v1/advice`, { method: "POST", body: draft("rozenburg") });
  const metadataUrl = /resource_metadata="([^"]+)"/.exec(refused.challenge)?.[1];
  say("POST /v1/advice without a token", "401 unauthenticated, where to look", `${refused.status} ${kind(refused)}${metadataUrl ? ", where to look" : ""}`);
  const metadata = (await call(metadataUrl)).json;
  say("metadata of the resource name the issuer", issuer, metadata.authorization_servers[0]);
  say("metadata of the resource name the resource", resource, metadata.resource);
  say("metadata of the resource: members", "authorization_servers bearer_methods_supported resource resource_documentation resource_name scopes_supported", Object.keys(metadata).sort().join(" "));

  title("Roles, each with its own algorithm");
  const [coordinator, cluster, office, bi] = clients;
  const tokens = {};
  for (const client of clients) {
    tokens[client.id] = await tokenOf(client, client.scope, metadata.resource);
    const [head] = tokens[client.id].split(".").map((part) => Buffer.from(part, "base64url").toString());
    say(`token of ${client.id}`, `${client.alg} ${client.kid} at+jwt`, (({ alg, kid, typ }) => `${alg} ${kid} ${typ}`)(JSON.parse(head)));
  }
  const write = async (client, path, body, etag) => {
    const headers = etag ? { "if-match": etag } : {};
    return call(`${api.base}/v1${path}`, { method: "POST", bearer: tokens[client.id], body, headers });
  };
  const drafted = await write(coordinator, "/advice", draft("rozenburg"));
  say("coordinator (RS256) drafts an advice of rozenburg", 201, drafted.status);
  const elsewhere = await write(coordinator, "/advice", draft("hoogvliet"));
  say("coordinator (RS256) drafts one of another council", "403 not-yours", `${elsewhere.status} ${kind(elsewhere)}`);
  const item = `/advice/${drafted.json.id}`;
  let { etag } = drafted.headers;
  const step = async (client, event, body, expected) => {
    const answer = await write(client, `${item}/${event}`, body, etag);
    say(`${client.id} (${client.alg}) records ${event}`, expected, `${answer.status}${answer.status < 400 ? "" : ` ${kind(answer)}`}`);
    if (answer.status < 400) etag = answer.headers.etag;
    return answer;
  };
  await step(coordinator, "adoption", { meetingOn: today, quorum: true, votesFor: 7, votesAgainst: 0 }, 200);
  await step(coordinator, "submission", { submittedOn: today }, 200);
  const denied = await step(coordinator, "receipt", { receivedOn: today, cluster: "so" }, "403 insufficient-scope");
  say("... and hears which scope, and where to get it", true, /error="insufficient_scope", scope="treatment:write", resource_metadata="/.test(denied.challenge));
  etag = (await call(`${api.base}/v1${item}`, { bearer: tokens.cluster })).headers.etag;
  await step(cluster, "receipt", { receivedOn: today, cluster: "so" }, 200);
  etag = (await call(`${api.base}/v1${item}`, { bearer: tokens["college-office"] })).headers.etag;
  await step(office, "responses", { kind: "final", decidedOn: today, sentOn: today, by: "alderman", points: [{ number: 1, outcome: "adopted" }] }, 200);
  const seen = await call(`${api.base}/v1${item}`, { bearer: tokens.bi });
  say("bi (EdDSA) reads it, unpublished", "200 answered", `${seen.status} ${seen.json.status}`);
  say("nobody reads it without a token", 404, (await call(`${api.base}/v1${item}`)).status);
  const narrow = await tokenOf(coordinator, "internal:read");
  const less = await call(`${api.base}/v1/advice`, { method: "POST", bearer: narrow, body: draft("rozenburg") });
  say("coordinator with less scope asked for", "403 insufficient-scope", `${less.status} ${kind(less)}`);
  const opaque = await call(`${api.base}/v1/advice`, { bearer: await tokenOf(coordinator, coordinator.scope, null) });
  say("a token of the same issuer that is not for us (opaque)", "401 invalid-token", `${opaque.status} ${kind(opaque)}`);
  say("refreshes of the keys so far", 1, refreshes());
  return tokens;
}

async function rotation(api, firstUse) {
  title("Rotation, with tokens in flight");
  const [old, next] = [idp.keys, generation("2")];
  const before = await tokenOf((await idp.clients)[3]);
  const flights = { 200: 0 };
  let flying = true;
  const flight = (async () => {
    while (flying) {
      const { status } = await call(`${api.base}/v1/advice?limit=1`, { bearer: before });
      flights[status] = (flights[status] ?? 0) + 1;
      await sleep(50);
    }
  })();
  await stop(idp.child);
  idp.clients = await startIdp([...next, ...old], "2");
  const after = await Promise.all(idp.clients.map((client) => tokenOf(client)));
  const statuses = async (bearers) => (await Promise.all(bearers.map((bearer) => call(`${api.base}/v1/advice?limit=1`, { bearer })))).map(({ status }) => status).join(" ");
  say("new keys, within a minute of the last refresh", "401 401 401 401", await statuses(after));
  say("refreshes of the keys so far", 1, refreshes());
  await sleep(Math.max(0, firstUse + 61_000 - Date.now()));
  const crowd = await statuses(Array(10).fill(after).flat());
  say("new keys, 40 requests at once, a minute later", "200", [...new Set(crowd.split(" "))].join(" "));
  say("refreshes of the keys so far", 2, refreshes());
  const refreshed = Date.now();
  say("old key beside the new ones", 200, await statuses([before]));
  flying = false;
  await flight;
  say("requests in flight with the old key, by status", "200", Object.keys(flights).join(" "));
  console.log(`        ${flights[200]} requests in flight`);

  await stop(idp.child);
  idp.clients = await startIdp(next, "2");
  say("old key removed by the issuer, not yet known here", 200, await statuses([before]));
  await sleep(Math.max(0, refreshed + 61_000 - Date.now()));
  const unknown = token({ alg: "EdDSA", kid: "unknown", typ: "at+jwt" }, { iss: issuer }, () => Buffer.alloc(64));
  say("a key that nobody has makes for a refresh", 401, await statuses([unknown]));
  say("old key after that refresh", 401, await statuses([before]));
  say("new keys", "200 200 200 200", await statuses(after));
  say("refreshes of the keys so far", 3, refreshes());
  const end = Date.now();
  await Promise.all(Array.from({ length: 200 }, (_, index) => call(`${api.base}/v1/advice`, { bearer: token({ alg: "EdDSA", kid: `unknown-${index}` }, { iss: issuer }, () => Buffer.alloc(64)) })));
  say("200 more unknown keys at once: refreshes so far", 3, refreshes());
  idp.keys = next;
  return { after, end };
}

async function outage(api, tokens, lastRefresh) {
  title("The identity provider is down");
  await stop(idp.child);
  const answer = async (base, bearer) => {
    const { status, headers } = await call(`${base}/v1/advice?limit=1`, { bearer });
    return `${status}${headers["retry-after"] ? ` Retry-After ${headers["retry-after"]}` : ""}`;
  };
  const unknown = token({ alg: "EdDSA", kid: "unknown", typ: "at+jwt" }, { iss: issuer }, () => Buffer.alloc(64));
  say("known key", 200, await answer(api.base, tokens[3]));
  await sleep(Math.max(0, lastRefresh + 61_000 - Date.now()));
  say("unknown key, after a refresh that failed", 401, await answer(api.base, unknown));
  say("known key, after a refresh that failed", 200, await answer(api.base, tokens[3]));
  say("no token", 200, await answer(api.base));

  await stop(api.child);
  const fresh = await startApi(1, issuer);
  say("a fresh API starts and is ready", 200, (await call(`${fresh.base}/health/ready`)).status);
  say("no token", 200, await answer(fresh.base));
  const attempted = Date.now();
  say("any token", "503 Retry-After 60", await answer(fresh.base, tokens[3]));
  say("a malformed token", 401, await answer(fresh.base, "x"));
  idp.clients = await startIdp(idp.keys, "2");
  say("the identity provider is back, within the minute", "503 Retry-After 60", await answer(fresh.base, tokens[3]));
  await sleep(Math.max(0, attempted + 61_000 - Date.now()));
  say("a minute after the failure", 200, await answer(fresh.base, tokens[3]));
  return fresh;
}

// Hostile tokens.

async function hostile(api) {
  title("Hostile tokens, signed by the issuer's own keys where the signature is not the point");
  const calls = [];
  const attacker = http.createServer((request, response) => { calls.push(request.url); response.end("{}"); }).listen(port(8), "127.0.0.1");
  const client = idp.clients[0];
  const honest = () => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: issuer, aud: resource, sub: "someone", client_id: client.id, scope: "advice:write publish", councils: ["*"], clusters: ["*"], iat: now - 5, exp: now + 600 };
  };
  const [jwk, ec] = idp.keys;
  const { good, cases } = hostileTokens({ jwk, ec, honest, attacker: `http://127.0.0.1:${port(8)}` });
  const accepted = await call(`${api.base}/v1/advice`, { bearer: good });
  say("the honest token that all others are made from", 200, accepted.status);
  const leeway = token({ alg: "RS256", kid: jwk.kid }, { ...honest(), iat: Math.floor(Date.now() / 1000) - 3600, exp: Math.floor(Date.now() / 1000) - 50 }, (m) => signature(m, jwk, "RS256"));
  say("expired for 50 seconds: within the leeway", 200, (await call(`${api.base}/v1/advice`, { bearer: leeway })).status);
  const several = token({ alg: "RS256", kid: jwk.kid }, { ...honest(), aud: ["https://other.test", resource], nbf: Math.floor(Date.now() / 1000) + 50 }, (m) => signature(m, jwk, "RS256"));
  say("aud a list with ours, nbf within the leeway", 200, (await call(`${api.base}/v1/advice`, { bearer: several })).status);
  const before = refreshes();

  let requests = 0;
  let wrong = 0;
  const reasons = new Map();
  for (const { name, value } of cases) {
    for (const [method, path, body] of [["GET", "/v1/advice"], ["GET", "/v1/councils?x=1"], ["POST", "/v1/advice", {}]]) {
      const answer = await call(`${api.base}${path}`, { method, bearer: value, body });
      requests += 1;
      const fault = faultOf(answer, api.base);
      if (fault) {
        wrong += 1;
        say(`${method} ${path}: ${name}`, "401 invalid-token", fault);
      } else if (method === "POST") {
        const why = answer.json.detail;
        reasons.set(why, [...(reasons.get(why) ?? []), name]);
      }
    }
  }
  say(`${cases.length} tokens, ${requests} requests: answered otherwise than by 401 and its challenge`, 0, wrong);
  for (const [why, names] of [...reasons].sort((one, other) => other[1].length - one[1].length)) {
    console.log(`        ${String(names.length).padStart(4)}  ${why}`);
  }
  for (const [name, value, problem] of hostileHeaders(good)) {
    // As bytes: a client library refuses to send some of these.
    const text = await rawCall(1, ["GET /v1/advice HTTP/1.1", `Host: 127.0.0.1:${port(1)}`, `Authorization: ${value}`, "Connection: close"]);
    sent.add(value);
    const status = `${text.split(" ")[1]} ${/problems\/([a-z-]+)"/.exec(text)?.[1] ?? ""}`;
    say(`Authorization: ${name}`, `401 ${problem ?? "invalid-token"}`, status);
  }
  const plain = (...lines) => rawCall(1, ["GET /v1/advice HTTP/1.1", `Host: 127.0.0.1:${port(1)}`, ...lines, "Connection: close"]);
  say("two Authorization headers", 401, (await plain(`Authorization: Bearer ${good}`, `Authorization: Bearer ${good}`)).split(" ")[1]);
  say("a token over two lines", 400, (await plain(`Authorization: Bearer ${good.slice(0, 50)}`, ` ${good.slice(50)}`)).split(" ")[1]);
  for (const path of ["/v1/advice", "/v1/councils", `/v1/advice/${"0".repeat(8)}-0000-7000-8000-000000000000/history`]) {
    const inQuery = await call(`${api.base}${path}?access_token=${good}`);
    say(`GET ${path.slice(0, 40)}?access_token=`, "400 invalid-input", `${inQuery.status} ${kind(inQuery)}`);
  }
  const both = await call(`${api.base}/v1/advice?access_token=${good}`, { method: "POST", bearer: good, body: draft("rozenburg") });
  say("POST /v1/advice?access_token= beside a good header", "400 invalid-input", `${both.status} ${kind(both)}`);
  say("requests at the attacker's address", 0, calls.length);
  say("refreshes of the keys by all of these: one at most", true, refreshes() - before <= 1);
  say("the honest token afterwards", 200, (await call(`${api.base}/v1/advice`, { bearer: good })).status);
  attacker.close();
}

/** An issuer made by hand: answers its metadata and its keys. */
function makeIssuer(server, offset, name, keys) {
  const documents = { "/.well-known/oauth-authorization-server": { issuer: name, jwks_uri: `${name}/keys` }, "/keys": { keys } };
  server.on("request", (request, response) => {
    const document = documents[request.url];
    response.writeHead(document ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(document ?? {}));
  });
  return new Promise((resolve) => server.listen(port(offset), "127.0.0.1", resolve));
}

function tokenFor(base, name, kid, alg, sign) {
  const now = Math.floor(Date.now() / 1000);
  return token({ alg, kid, typ: "at+jwt" }, { iss: name, aud: `${base}/v1`, sub: "someone", client_id: "client", scope: "internal:read", iat: now, exp: now + 600 }, sign);
}

async function odd() {
  title("Keys that no issuer should publish");
  const name = `http://127.0.0.1:${port(2)}`;
  const keys = oddKeys();
  const good = newKey("EC", "good");
  const server = http.createServer();
  await makeIssuer(server, 2, name, [...keys.map(({ jwk }) => jwk), { kty: "future", kid: "future" }, "nonsense", publicPart(good)]);
  const api = await startApi(3, name);
  for (const { name: what, alg, kid, sign, accepted } of keys) {
    const answer = await call(`${api.base}/v1/advice`, { bearer: tokenFor(api.base, name, kid, alg, sign) });
    say(what, accepted ? 200 : 401, answer.status);
  }
  const answer = await call(`${api.base}/v1/advice`, { bearer: tokenFor(api.base, name, "good", "ES256", (m) => signature(m, good, "ES256")) });
  say("the good key in the midst of them", 200, answer.status);
  await stop(api.child);

  const narrowed = await startApi(3, name, "--token-algorithms", "RS256,PS256");
  const other = await call(`${narrowed.base}/v1/advice`, { bearer: tokenFor(narrowed.base, name, "good", "ES256", (m) => signature(m, good, "ES256")) });
  say("the good key where --token-algorithms leaves it out", 401, other.status);
  await stop(narrowed.child);
  server.close();
}

async function tls() {
  title("An issuer with a certificate of a private authority");
  const at = (file) => join(work, file);
  const openssl = (...args) => execFileSync("openssl", args, { stdio: "pipe" });
  for (const authority of ["ca", "other-ca"]) {
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", `/CN=${authority}`, "-keyout", at(`${authority}.key`), "-out", at(`${authority}.pem`));
  }
  const certify = (name, subject) => {
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=issuer", "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`));
    writeFileSync(at(`${name}.ext`), `subjectAltName=${subject}\nbasicConstraints=CA:FALSE\n`);
    openssl("x509", "-req", "-in", at(`${name}.csr`), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", at(`${name}.ext`), "-out", at(`${name}.pem`));
    return { key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) };
  };
  writeFileSync(at("both.pem"), Buffer.concat([readFileSync(at("other-ca.pem")), readFileSync(at("ca.pem"))]));
  const key = newKey("OKP", "okp");
  const right = certify("right", "IP:127.0.0.1");
  const elsewhere = certify("elsewhere", "DNS:login.example.nl");
  for (const [what, certificate, more, expected] of [
    ["--issuer-ca with its authority", right, ["--issuer-ca", at("ca.pem")], 200],
    ["--issuer-ca with two authorities", right, ["--issuer-ca", at("both.pem")], 200],
    ["--issuer-ca with another authority", right, ["--issuer-ca", at("other-ca.pem")], 503],
    ["the authorities built in", right, [], 503],
    ["its authority, but a certificate for another host", elsewhere, ["--issuer-ca", at("ca.pem")], 503],
  ]) {
    const server = https.createServer(certificate);
    const name = `https://127.0.0.1:${port(4)}`;
    await makeIssuer(server, 4, name, [publicPart(key)]);
    const api = await startApi(5, name, ...more);
    const answer = await call(`${api.base}/v1/advice`, { bearer: tokenFor(api.base, name, "okp", "EdDSA", (m) => signature(m, key, "EdDSA")) });
    say(what, expected, answer.status);
    say("... reading without a token", 200, (await call(`${api.base}/v1/advice`)).status);
    await stop(api.child);
    const why = readFileSync(api.log, "utf8").split("\n").filter((line) => line.includes("cannot read the keys")).map((line) => JSON.parse(line).error);
    if (expected !== 200) console.log(`        log: ${why[0]}`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  for (const [what, file, content] of [["a file that is not there", "absent.pem"], ["a file without a certificate", "empty.pem", "nothing"]]) {
    if (content) writeFileSync(at(file), content);
    const child = start(binary, ["serve", "--issuer", "https://127.0.0.1:1", "--issuer-ca", at(file), "--data-dir", at("none"), "--listen", `127.0.0.1:${port(5)}`], at("refused.log"));
    say(`--issuer-ca with ${what}: ends at once with status`, 2, await child.gone);
  }
}

async function hanging() {
  title("An issuer that answers a byte each half second");
  await slow((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const drip = setInterval(() => socket.write(" "), 500);
    socket.on("close", () => clearInterval(drip));
  });
  title("An issuer that takes requests and never answers");
  await slow(() => {});
}

async function slow(answer) {
  const server = net.createServer((socket) => { socket.on("error", () => {}); answer(socket); }).listen(port(6), "127.0.0.1");
  const name = `http://127.0.0.1:${port(6)}`;
  const api = await startApi(7, name);
  const asked = performance.now();
  const strangers = Array.from({ length: 64 }, (_, index) => call(`${api.base}/v1/advice`, { bearer: tokenFor(api.base, name, `k${index}`, "EdDSA", () => Buffer.alloc(64)) }));
  await sleep(200);
  const times = [];
  for (let round = 0; round < 100; round += 1) {
    const from = performance.now();
    await call(`${api.base}/v1/councils?limit=1`);
    times.push(performance.now() - from);
  }
  const answers = await Promise.all(strangers);
  say("64 tokens of unknown keys at once", "503", [...new Set(answers.map(({ status }) => status))].join(" "));
  say("... all told within six seconds", true, performance.now() - asked < 6000);
  say("100 reads without a token meanwhile: none waits a second", true, Math.max(...times) < 1000);
  console.log(`        slowest ${Math.max(...times).toFixed(0)} ms`);
  await stop(api.child);
  server.close();
}

function logs() {
  title("The logs, at level trace");
  const text = readdirSync(work).filter((file) => file.startsWith("api-")).map((file) => readFileSync(join(work, file), "utf8")).join("\n");
  // Parts long enough that they cannot stand there by chance.
  const parts = [...sent].flatMap((value) => value.split(/[^A-Za-z0-9_-]+/)).filter((part) => part.length >= 20);
  const found = [...new Set(parts)].filter((part) => text.includes(part));
  say(`${text.length} characters of log, ${new Set(parts).size} parts of tokens: found in it`, 0, found.length);
  const failed = text.split("\n").filter((line) => /"level":"ERROR"|panicked/.test(line) && !/cannot read the keys of the issuer|request parse error/.test(line));
  say("errors in it, other than keys that cannot be read and requests that are no HTTP", 0, failed.length);
  for (const line of failed) console.log(`        ${line}`);
}

async function provider() {
  idp.keys = generation("1");
  idp.clients = await startIdp(idp.keys, "1");
  const api = await startApi(1, issuer);
  await honestRoles(api, idp.clients);
  const { after, end } = await rotation(api, Date.now());
  const fresh = await outage(api, after, end);
  await hostile(fresh);
  await stop(fresh.child);
  await stop(idp.child);
}

try {
  const parts = { provider, keys: odd, tls, hanging };
  for (const [name, run] of Object.entries(parts)) {
    if (!part || part === name) await run();
  }
  logs();
  console.log(`\n${failures === 0 ? "all as expected" : `${failures} otherwise than expected`}`);
} finally {
  for (const child of running) child.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
}
process.exit(failures === 0 ? 0 : 1);
