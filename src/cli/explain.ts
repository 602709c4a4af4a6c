/** `armmt explain`: why a hit stands where it stands, for support desks. A running edge says it, and the history of rules says who. */
import { dirname, join } from "node:path";
import { Command } from "commander";
import { CONTEXT_HEADER, HISTORY_HEADER, SESSION_HEADER, SLOTS_HEADER } from "../protocol.ts";
import { errorText, UserError } from "../web.ts";
import { secretsBeside } from "./doctor/secrets.ts";
import { composerOf, settingsOf } from "./evaluate/ask-engine.ts";
import { addNamespaceFlags, type NamespaceFlags, withNamespace } from "./publish.ts";
import { describeWhy } from "../rules/why.ts";
import { askExplanation, whyIsHere } from "./rules/why.ts";

interface ExplainFlags extends Omit<NamespaceFlags, "catalog"> {
  readonly catalog: string;
  readonly edge: string;
  readonly index: string;
  readonly query: string;
  readonly id: string;
  readonly search?: string;
  readonly history: boolean;
  readonly session?: string;
  readonly viewed?: string;
  readonly context?: string;
  readonly slots?: string;
  readonly header: readonly string[];
}

/** Hits that are asked for, where the application's own search is not given. */
const MOST_HITS = 100;

const EXAMPLES = `
ADMIN_TOKEN is read from the environment, or from .dev.vars beside wrangler.toml.

Examples:
  armmt explain --edge https://search.shop.example --query "red shoes" --id 4711
  armmt explain --edge http://127.0.0.1:8787 --local --query "red shoes" --id 4711 --json
  armmt explain --edge https://search.shop.example --search search.json --query "red shoes" --id 4711 --no-history`;

export function createExplainCommand(): Command {
  const command = new Command("explain")
    .description("Why a hit stands where it stands: engine, meaning, model, each rule, from whom, since when")
    .requiredOption("--edge <url>", "the running edge")
    .requiredOption("--id <id>", "the item")
    .option("--query <words>", "what the shopper typed (default: nothing)", "")
    .option("--index <name>", "the index that is searched", "products")
    .option("--search <file>", 'your application\'s search as one line of JSON, "{query}" for the words')
    .option("--session <id>", "the shopper's session or user id: their arm of an experiment, their share of rules")
    .option("--viewed <ids>", "items that the shopper viewed, with commas")
    .option("--context <words>", "x-armmt-context, with commas")
    .option("--slots <ids>", "x-armmt-slots, with commas")
    .option("--header <header>", '"name: value" of the request, such as the engine\'s key; may be repeated', collect, [])
    .option("--no-history", "do not look up who published the rules");
  return addNamespaceFlags(command)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: ExplainFlags) => {
      const { index, query, id } = flags;
      const { config } = settingsOf(flags.config);
      const own = config.indexes.get(index);
      const compose = composerOf({ ...flags, json: true }, config, Math.min(MOST_HITS, own?.window ?? MOST_HITS));
      const explained = await askExplanation(compose(query), {
        url: flags.edge,
        token: tokenOf(flags.config),
        fetch: (url, init) => fetch(url, init),
        headers: headersOf(flags),
      });
      const asked = { index, query, id };
      const isMoved = explained.items.some((item) => item.id === id && item.rules.length > 0);
      const catalog = own?.catalog ?? flags.catalog;
      const why =
        flags.history && isMoved
          ? await withNamespace({ ...flags, catalog }, (store) => whyIsHere(explained, asked, { store, catalog })).catch(
              (cause: unknown) => {
                throw new UserError(
                  `Who published the rules cannot be read: ${errorText(cause)}. Say where they are (--local, --folder <folder>), or leave it out with --no-history`,
                  { cause },
                );
              },
            )
          : await whyIsHere(explained, asked);
      process.stdout.write(`${flags.json === true ? JSON.stringify(why, undefined, 2) : describeWhy(why)}\n`);
    });
}

const collect = (one: string, all: readonly string[]): readonly string[] => [...all, one];

function tokenOf(config: string): string {
  const token = process.env["ADMIN_TOKEN"] || secretsBeside(config)["ADMIN_TOKEN"];
  if (token) return token;
  throw new UserError(`No ADMIN_TOKEN: set it in the environment, or in ${join(dirname(config), ".dev.vars")}`);
}

/** Ids in headers are URL-encoded. */
const encoded = (ids: string): string =>
  ids
    .split(",")
    .map((one) => encodeURIComponent(one.trim()))
    .join(",");

function headersOf({ session, viewed, context, slots, header }: ExplainFlags): Readonly<Record<string, string>> {
  const own = header.map((text) => {
    const at = text.indexOf(":");
    if (at < 1) throw new UserError(`--header "${text}" is no header: write "name: value"`);
    return [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()] as const;
  });
  return {
    ...Object.fromEntries(own),
    ...(session !== undefined && { [SESSION_HEADER]: session }),
    ...(viewed !== undefined && { [HISTORY_HEADER]: encoded(viewed) }),
    ...(context !== undefined && { [CONTEXT_HEADER]: context }),
    ...(slots !== undefined && { [SLOTS_HEADER]: encoded(slots) }),
  };
}
