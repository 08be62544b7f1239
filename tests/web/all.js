// @ts-check
// Every test in one process: starting Node anew for each file takes longer than the tests do.
import { readdirSync } from "node:fs";

for (const name of readdirSync(new URL(".", import.meta.url)).sort()) {
  if (name.endsWith(".test.js")) await import(`./${name}`);
}
