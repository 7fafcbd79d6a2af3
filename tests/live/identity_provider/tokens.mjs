// Keys and tokens, made by hand, so that everything about them can be wrong.

import crypto from "node:crypto";

export const base64url = (data) => Buffer.from(data).toString("base64url");

/** A key pair as an issuer keeps it: a private JWK. */
export function newKey(kty, kid, options = {}) {
  const pair = {
    RSA: () => crypto.generateKeyPairSync("rsa", { modulusLength: options.bits ?? 2048, publicExponent: options.e ?? 65537 }),
    EC: () => crypto.generateKeyPairSync("ec", { namedCurve: options.curve ?? "P-256" }),
    OKP: () => crypto.generateKeyPairSync("ed25519"),
  }[kty]();
  return { ...pair.privateKey.export({ format: "jwk" }), kid, use: "sig" };
}

/** What may be published of it. */
export function publicPart({ kty, n, e, crv, x, y, kid, use }) {
  return JSON.parse(JSON.stringify({ kty, n, e, crv, x, y, kid, use }));
}

/** Signs with a private JWK as the algorithm asks; `der` leaves an ECDSA signature in the form of X.509. */
export function signature(message, jwk, alg, { der = false } = {}) {
  const key = crypto.createPrivateKey({ key: jwk, format: "jwk" });
  const data = Buffer.from(message);
  switch (alg) {
    case "RS256": return crypto.sign("sha256", data, key);
    case "PS256": return crypto.sign("sha256", data, { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case "ES256": return crypto.sign("sha256", data, { key, dsaEncoding: der ? "der" : "ieee-p1363" });
    case "EdDSA": return crypto.sign(null, data, key);
    default: throw new Error(`no ${alg} here`);
  }
}

/** Header and claims as objects, or as text where JSON itself is to be wrong. */
export function token(header, claims, sign) {
  const part = (value) => base64url(typeof value === "string" ? value : JSON.stringify(value));
  const message = `${part(header)}.${part(claims)}`;
  return `${message}.${base64url(sign(message))}`;
}
