// A real OpenID provider (npm oidc-provider) that issues JWT access tokens for the API. Started by drive.mjs:
//
//     node server.mjs NODE_MODULES SETTINGS.json
//
// SETTINGS holds: port, resource, jwks (private keys), clients ({id, secret, scope, alg, kid, claims}). One line on standard output
// for each request that it gets.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(modules, "oidc-provider/lib/index.js")));
const { port, resource, jwks, clients } = JSON.parse(readFileSync(file, "utf8"));
const known = (client) => clients.find(({ id }) => id === client.clientId);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks,
  scopes: [...new Set(clients.flatMap(({ scope }) => scope.split(" ")))],
  clients: clients.map(({ id, secret, scope }) => ({
    client_id: id,
    client_secret: secret,
    scope,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
  })),
  extraTokenClaims: (_, token) => known(token.client)?.claims,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, asked, client) => {
        if (asked !== resource) throw new Error(`there is no resource ${asked}`);
        const { alg, kid, scope } = known(client);
        return { scope, audience: resource, accessTokenFormat: "jwt", accessTokenTTL: 3600, jwt: { sign: { alg, kid } } };
      },
    },
  },
});
provider.use((ctx, next) => {
  console.log(`${ctx.method} ${ctx.path}`);
  return next();
});
provider.listen(port, "127.0.0.1", () => console.log("listening"));
