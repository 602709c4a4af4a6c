/** What simulated shoppers bought on the category pages of the drawn shop, for the demo: `armmt browsing --seeds 1 --table <file>` wrote it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { publishBrowse } from "../browse/store.ts";
import type { Namespace } from "../publish/namespace.ts";

const FILE = "src/demo/catalogue/browse-rates.txt";

export function publishDemoRates(namespace: Pick<Namespace, "place" | "get" | "put">, catalog: string) {
  const text = readFileSync(join(PACKAGE_ROOT, FILE), "utf8");
  return publishBrowse(namespace, { catalog, text, name: FILE, at: new Date() });
}
