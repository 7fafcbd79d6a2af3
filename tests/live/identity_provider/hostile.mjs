// Tokens that must be refused, each with a name; signed by the issuer's own key wherever the signature is not the point.

import crypto from "node:crypto";
import { base64url, newKey, publicPart, signature, token } from "./tokens.mjs";

/** `jwk` is an RSA key and `ec` a P-256 key of the issuer; `honest` gives claims that are accepted; `attacker` is an address. */
export function hostileTokens({ jwk, ec, honest, attacker }) {
  const cases = [];
  const add = (name, value) => cases.push({ name, value });
  const header = { alg: "RS256", kid: jwk.kid, typ: "at+jwt" };
  const rs256 = (message) => signature(message, jwk, "RS256");
  const good = token(header, honest(), rs256);
  const [head, body, sealed] = good.split(".");
  const withHeader = (changes, key = jwk) => token({ ...header, ...changes }, honest(), (m) => signature(m, key, "RS256"));
  const withClaims = (changes, typ = "at+jwt") => token({ ...header, typ }, { ...honest(), ...changes }, rs256);
  const now = Math.floor(Date.now() / 1000);

  for (const alg of ["none", "None", "NONE", "nOnE", "none ", "", null, 0, ["none"], "null"]) {
    const unsigned = `${base64url(JSON.stringify({ ...header, alg }))}.${body}.`;
    add(`alg ${JSON.stringify(alg)}, no signature`, unsigned);
    add(`alg ${JSON.stringify(alg)}, signature of another algorithm`, unsigned + sealed);
  }
  add("no alg", withHeader({ alg: undefined }));
  add("alg given twice", token(`{"alg":"none","alg":"RS256","kid":"${jwk.kid}"}`, honest(), rs256));

  const publicKey = crypto.createPublicKey({ key: jwk, format: "jwk" });
  const secrets = {
    "PEM": publicKey.export({ type: "spki", format: "pem" }),
    "PEM without its last line end": publicKey.export({ type: "spki", format: "pem" }).trim(),
    "PKCS#1 PEM": publicKey.export({ type: "pkcs1", format: "pem" }),
    "DER": publicKey.export({ type: "spki", format: "der" }),
    "JWK": JSON.stringify(publicPart(jwk)),
    "modulus": Buffer.from(jwk.n, "base64url"),
    "empty": "",
  };
  for (const [form, secret] of Object.entries(secrets)) {
    for (const [alg, hash] of [["HS256", "sha256"], ["HS384", "sha384"], ["HS512", "sha512"]]) {
      add(`${alg} with the public key as secret, ${form}`,
        token({ ...header, alg }, honest(), (m) => crypto.createHmac(hash, secret).update(m).digest()));
    }
  }

  const stranger = newKey("RSA", "stranger");
  for (const kid of ["stranger", "../../../../dev/null", "/dev/null", "file:///etc/passwd", "' OR '1'='1", "x' UNION SELECT 'k'--",
    "| id", "$(id)", "\u0000", `${jwk.kid}\u0000`, `${jwk.kid} `, jwk.kid.toUpperCase(), "", "k".repeat(4000), `${attacker}/jwks.json`]) {
    add(`kid ${kid.length > 40 ? "of 4000 characters" : JSON.stringify(kid)}`, withHeader({ kid }, stranger));
  }
  for (const kid of [null, 1, {}, [jwk.kid], undefined]) {
    add(`kid ${JSON.stringify(kid)}`, withHeader({ kid }));
  }
  add("the kid of another key of the issuer", withHeader({ kid: ec.kid }));
  add("the right kid over a stranger's signature", withHeader({}, stranger));

  const foreign = { ...publicPart(stranger), kid: jwk.kid };
  for (const [name, changes] of Object.entries({
    jku: { jku: `${attacker}/jwks.json` },
    x5u: { x5u: `${attacker}/chain.pem` },
    jwk: { jwk: foreign },
    x5c: { x5c: [base64url("certificate")] },
    "jku and jwk": { jku: `${attacker}/jwks.json`, jwk: foreign },
    "jku, with a kid of its own": { jku: `${attacker}/jwks.json`, kid: "attacker" },
  })) {
    add(`${name} of an attacker`, withHeader(changes, stranger));
  }

  for (const [name, changes] of Object.entries({
    "crit exp": { crit: ["exp"], exp: 1 },
    "crit b64": { crit: ["b64"], b64: false },
    "crit empty": { crit: [] },
    "crit with null": { crit: null, typ: "crit+jwt" },
  })) {
    add(name, withHeader(changes));
  }
  add("b64 false, claims not encoded", (() => {
    const first = base64url(JSON.stringify({ ...header, b64: false, crit: ["b64"] }));
    const plain = JSON.stringify(honest()).replaceAll(/[ ",]/g, "");
    return `${first}.${plain}.${base64url(rs256(`${first}.${plain}`))}`;
  })());
  add("zip", token({ ...header, zip: "DEF" }, base64url("deflated"), rs256));
  add("nested: a token within a token", token({ ...header, cty: "JWT" }, good, rs256));
  add("nested, as a JSON string", token({ ...header, cty: "JWT" }, JSON.stringify(good), rs256));
  add("JWE of five parts", `${base64url('{"alg":"RSA-OAEP","enc":"A256GCM"}')}.${base64url("key")}.${base64url("iv")}.${base64url("text")}.${base64url("tag")}`);
  add("JWE, dir", `${base64url('{"alg":"dir","enc":"A128GCM"}')}..${base64url("iv")}.${base64url("text")}.${base64url("tag")}`);
  add("JWS as JSON", base64url(JSON.stringify({ payload: body, signatures: [{ protected: head, signature: sealed }] })));

  const raw = (text) => token(header, text, rs256);
  const json = JSON.stringify(honest());
  for (const claim of ["iss", "aud", "sub", "exp", "iat", "client_id", "scope", "councils", "clusters"]) {
    add(`${claim} given twice`, raw(json.replace("{", `{${JSON.stringify(claim)}:${JSON.stringify(honest()[claim])},`)));
  }
  add("claims that are no JSON", raw("{"));
  add("claims that are a list", raw(`[${json}]`));
  add("claims that are a string", raw(JSON.stringify(json)));
  add("claims behind a BOM", raw(`\ufeff${json}`));
  add("something behind the claims", raw(`${json}{}`));
  add("claims nested 2000 deep", raw(`{"a":${"[".repeat(2000)}${"]".repeat(2000)}}`));

  for (const claim of ["iss", "aud", "sub", "exp", "iat", "client_id"]) {
    add(`${claim} missing`, withClaims({ [claim]: undefined }));
    add(`${claim} null`, withClaims({ [claim]: null }));
    add(`${claim} an object`, withClaims({ [claim]: {} }));
  }
  for (const exp of [`"${now + 600}"`, "1e400", "-1e400", "-1", "0", "NaN", "1e30", "true", "[]", `${now - 61}`, `${now - 3600}`]) {
    add(`exp ${exp}`, raw(json.replace(/"exp":\d+/, `"exp":${exp}`)));
  }
  add("expired a minute and a second ago", withClaims({ iat: now - 3600, exp: now - 61 }));
  add("issued in ten minutes", withClaims({ iat: now + 600, exp: now + 1200 }));
  add("issued two minutes ahead", withClaims({ iat: now + 120, exp: now + 1200 }));
  add("not before two minutes ahead", withClaims({ nbf: now + 120 }));
  add("nbf as text", withClaims({ nbf: "now" }));
  add("lifetime of six hours and a second", withClaims({ iat: now, exp: now + 21601 }));
  add("lifetime of a year", withClaims({ iat: now, exp: now + 31536000 }));
  add("expires before it is issued", withClaims({ iat: now, exp: now - 1 }));

  const { aud, iss } = honest();
  for (const other of [`${aud}/`, aud.slice(0, -1), aud.slice(0, -3), aud.toUpperCase(), `${aud}x`, `${aud}/advice`, ` ${aud}`, "*", "", [], [[aud]],
    [aud, 1], { [aud]: true }, ["https://other.test"], `${aud} https://other.test`]) {
    add(`aud ${JSON.stringify(other)}`, withClaims({ aud: other }));
  }
  for (const other of [`${iss}/`, iss.toUpperCase(), iss.replace("http:", "https:"), iss.replace("127.0.0.1", "localhost"), ` ${iss}`, `${iss}#`, [iss], ""]) {
    add(`iss ${JSON.stringify(other)}`, withClaims({ iss: other }));
  }
  add("client_id and azp differ", withClaims({ azp: "another" }));
  add("azp a list", withClaims({ azp: ["another"] }));
  add("client_id empty", withClaims({ client_id: "" }));
  add("sub empty", withClaims({ sub: "" }));
  add("sub with a line end", withClaims({ sub: "a\nb" }));
  add("sub of 300 characters", withClaims({ sub: "s".repeat(300) }));

  add("ID token by its nonce", withClaims({ nonce: "n" }, "JWT"));
  add("ID token by its at_hash", withClaims({ at_hash: "h" }, "JWT"));
  add("ID token for the client", withClaims({ aud: honest().client_id, nonce: "n" }, "JWT"));
  add("ID token as Keycloak names it", withClaims({ typ: "ID" }, "JWT"));
  add("refresh token as Keycloak names it", withClaims({ typ: "Refresh" }, "JWT"));
  add("refresh token, opaque", crypto.randomBytes(32).toString("base64url"));
  for (const typ of ["id_token+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "oauth-authz-req+jwt", "token-introspection+jwt", "application/x", ""]) {
    add(`typ ${JSON.stringify(typ)}`, withClaims({}, typ));
  }

  const es256 = { alg: "ES256", kid: ec.kid, typ: "at+jwt" };
  add("ES256 in the form of X.509 (DER)", token(es256, honest(), (m) => signature(m, ec, "ES256", { der: true })));
  for (const length of [0, 1, 63, 64, 65, 128]) {
    add(`ES256, ${length} zero bytes (psychic)`, token(es256, honest(), () => Buffer.alloc(length)));
  }
  const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
  add("ES256, r and s of the order of the curve", token(es256, honest(), () => Buffer.concat([order, order])));
  add("RS256, zero bytes", token(header, honest(), () => Buffer.alloc(256)));
  add("PS256 over RS256's padding", withHeader({ alg: "PS256" }));
  add("RS512 named over RS256", withHeader({ alg: "RS512" }));
  add("ES256K", withHeader({ alg: "ES256K", kid: ec.kid }));
  add("signature cut short", good.slice(0, -4));
  add("signature followed by more", `${good}AAAA`);
  add("signature padded", `${good}==`);
  add("a last character that decodes to the same bytes", good.slice(0, -1) + sameBits(good.at(-1)));
  add("claims changed", `${head}.${base64url(JSON.stringify({ ...honest(), sub: "another" }))}.${sealed}`);

  for (const scope of ["advice:write\u00a0publish", "advice:wr\u0456te", "advice:write\u200b", "advice:write\tpublish", "advice:write\npublish", 'a"b', "a\\b"]) {
    add(`scope ${JSON.stringify(scope)}`, withClaims({ scope }));
  }
  for (const [claim, wrong] of [["scope", ["advice:write"]], ["scope", 1], ["scope", {}], ["councils", "*"], ["councils", "rozenburg"], ["councils", [1]],
    ["councils", null], ["councils", { 0: "*" }], ["clusters", "so"], ["clusters", [["so"]]]]) {
    add(`${claim} ${JSON.stringify(wrong)}`, withClaims({ [claim]: wrong }));
  }

  const filler = (length) => withClaims({ filler: "f".repeat(length) });
  let length = 5000;
  while (filler(length).length <= 8192) length += 1;
  add(`token of ${filler(length).length} bytes`, filler(length));
  add("token of 60000 bytes", filler(44000));
  for (const value of [".", "..", "...", "a.b.c", `${head}.${body}`, `${head}.${body}.${sealed}.`, `.${body}.${sealed}`, `${head}..${sealed}`,
    `${good},${good}`, `${good} ${good}`, `"${good}"`, `${good}\t`.replace("\t", "%09"), `${head}=.${body}.${sealed}`, `${head}+.${body}.${sealed}`]) {
    add(`shape ${value.length > 60 ? `of ${value.split(".").length} parts, ${value.length} bytes, with ${[...new Set(value.match(/[^A-Za-z0-9_.-]/g) ?? ["nothing else"])].join(" ")}` : value}`, value);
  }
  return { good, cases };
}

/** Another last character with the same significant bits: 256 bytes leave four bits of the last one unused. */
function sameBits(character) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(character) ^ 1];
}

/** Values of the whole header, which no client library would send. */
export function hostileHeaders(good) {
  return [
    ["a tab for the space", `Bearer\t${good}`, "unauthenticated"],
    ["no scheme but the token", good, "unauthenticated"],
    ["a token in another scheme", `Basic ${good}`, "unauthenticated"],
    ["DPoP", `DPoP ${good}`, "unauthenticated"],
    ["no token", "Bearer"],
    ["a space for a token", "Bearer  "],
    ["non-ASCII in the token", `Bearer ${good}\u00e9`],
    ["a no-break space", `Bearer\u00a0${good}`],
    ["two tokens", `Bearer ${good}, Bearer ${good}`],
    ["a parameter", `Bearer realm="x", token="${good}"`],
  ];
}

/** Keys that no issuer should publish; `sign` says how a token by each is signed. */
export function oddKeys() {
  const weak = newKey("RSA", "weak", { bits: 1024 });
  const small = newKey("RSA", "exponent-3", { e: 3 });
  const p384 = newKey("EC", "p384", { curve: "P-384" });
  const k256 = newKey("EC", "k256", { curve: "secp256k1" });
  const encryption = newKey("RSA", "encryption");
  const [first, second] = [newKey("OKP", "twice"), newKey("OKP", "twice")];
  const secret = crypto.randomBytes(32);
  const off = newKey("EC", "off-curve");
  const ecdsa = (key) => (m) => crypto.sign("sha256", Buffer.from(m), { key: crypto.createPrivateKey({ key, format: "jwk" }), dsaEncoding: "ieee-p1363" });
  return [
    { name: "RSA of 1024 bits", alg: "RS256", kid: "weak", jwk: publicPart(weak), sign: (m) => signature(m, weak, "RS256") },
    { name: "P-384 for ES256", alg: "ES256", kid: "p384", jwk: publicPart(p384), sign: ecdsa(p384) },
    { name: "P-384 that says P-256", alg: "ES256", kid: "p384-lies", jwk: { ...publicPart(p384), crv: "P-256", kid: "p384-lies" }, sign: ecdsa(p384) },
    { name: "secp256k1 that says P-256", alg: "ES256", kid: "k256", jwk: { ...publicPart(k256), crv: "P-256" }, sign: ecdsa(k256) },
    { name: "a point off the curve", alg: "ES256", kid: "off-curve", jwk: { ...publicPart(off), y: off.x }, sign: ecdsa(off) },
    { name: "oct, HS256", alg: "HS256", kid: "secret", jwk: { kty: "oct", k: base64url(secret), kid: "secret", alg: "HS256" }, sign: (m) => crypto.createHmac("sha256", secret).update(m).digest() },
    { name: "oct that says EdDSA", alg: "EdDSA", kid: "secret-lies", jwk: { kty: "oct", k: base64url(secret), kid: "secret-lies", alg: "EdDSA" }, sign: (m) => crypto.createHmac("sha256", secret).update(m).digest() },
    { name: "for encryption", alg: "RS256", kid: "encryption", jwk: { ...publicPart(encryption), use: "enc" }, sign: (m) => signature(m, encryption, "RS256") },
    { name: "meant for another algorithm", alg: "RS256", kid: "pss", jwk: { ...publicPart(encryption), kid: "pss", alg: "PS256" }, sign: (m) => signature(m, encryption, "RS256") },
    { name: "without kid", alg: "RS256", kid: "undefined", jwk: { ...publicPart(small), kid: undefined }, sign: (m) => signature(m, small, "RS256") },
    { name: "the first of two with one kid", alg: "EdDSA", kid: "twice", jwk: publicPart(first), sign: (m) => signature(m, first, "EdDSA"), accepted: true },
    { name: "the second of two with one kid", alg: "EdDSA", kid: "twice", jwk: publicPart(second), sign: (m) => signature(m, second, "EdDSA") },
  ];
}
