// PostGraphile over the same tables, in two processes; PORT, DSN.

import cluster from "node:cluster";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

if (cluster.isPrimary) {
  for (let worker = 0; worker < 2; worker++) cluster.fork();
} else {
  // The modules stand in the folder from which it is started.
  const find = createRequire(process.cwd() + "/package.json").resolve;
  const load = (name) => import(pathToFileURL(find(name)));
  const { postgraphile } = await load("postgraphile");
  const { PostGraphileAmberPreset } = await load("postgraphile/presets/amber");
  const { makePgService } = await load("postgraphile/adaptors/pg");
  const { grafserv } = await load("postgraphile/grafserv/node");
  const instance = postgraphile({
    extends: [PostGraphileAmberPreset],
    pgServices: [makePgService({ connectionString: process.env.DSN, schemas: ["rival"], poolConfig: { max: 8 } })],
    grafserv: { graphiql: false },
    grafast: { explain: false },
  });
  const server = createServer();
  await instance.createServ(grafserv).addTo(server);
  server.listen(Number(process.env.PORT), "127.0.0.1");
}
