// Directus in two processes, as its own image runs it under pm2; started from the folder that it is installed in.

import cluster from "node:cluster";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

if (cluster.isPrimary) {
  for (let worker = 0; worker < 2; worker++) cluster.fork();
} else {
  const home = dirname(createRequire(process.cwd() + "/package.json").resolve("directus/package.json"));
  process.argv = [process.argv[0], "directus", "start"];
  await import(pathToFileURL(home + "/cli.js"));
}
