/**
 * `armmt forget <user>`: removes the rows of a shopper from D1, or from the SQLite file of a Node or Deno server, found by the hashes of their ids as client and as unit (and
 * by the id itself, which older versions stored). Lists the other stores that may hold records of the shopper.
 */
import { Command } from "commander";
import * as v from "valibot";
import { createUnitHash, isUnitHash } from "../events/keys.ts";
import { userTokenOf } from "../protocol.ts";
import { type EventDatabase, quote } from "../report/sql-log.ts";
import { openDatabaseFile, openLocalDatabase, openWranglerDatabase } from "./report/database.ts";
import { addPlaces, type DatabaseFlags } from "./places.ts";
import { loadWrangler, readDevVars } from "./wrangler.ts";
import { UserError, errorText } from "../web.ts";

const TABLES = ["ubi_queries", "ubi_events"] as const;

interface ForgetOptions {
  /** A client id or a unit as clients send it, or the hash of one. */
  readonly user: string;
  /** The edge's secret; without it only rows of older versions are found, and those of a hash. */
  readonly secret: string | undefined;
  /** Counts rows without removing them. */
  readonly isTrial: boolean;
  /** Stores that this command cannot reach, in words. */
  readonly elsewhere: readonly string[];
}

export async function forgetUser(database: EventDatabase, { user: given, secret, isTrial, elsewhere }: ForgetOptions) {
  // A page may have the token as its engine's clients send it, with the word of consent before the id.
  const user = userTokenOf(given).id ?? "";
  if (user === "" || user.includes("\0")) throw new UserError("The user is empty: give the client id or the unit as the shop sends it");
  const hashed = isUnitHash(user) ? user : secret === undefined ? undefined : await createUnitHash(secret)(user);
  const removed = { ubi_queries: 0, ubi_events: 0 };
  for (const table of TABLES) {
    removed[table] = await removeFrom(database, table, { user, hashed, isTrial }); // oxlint-disable-line no-await-in-loop
  }
  /** `removed`: rows, or those that would be. `isUnitKnown`: rows were searched by the hash of the user. */
  return { user, hash: hashed, place: database.place, removed, isTrial, isUnitKnown: hashed !== undefined, elsewhere };
}

type Removal = Pick<ForgetOptions, "user" | "isTrial"> & { readonly hashed: string | undefined };

async function removeFrom(database: EventDatabase, table: string, { user, hashed, isTrial }: Removal): Promise<number> {
  const byClient = `client_id = ${quote(user)}`;
  const conditions = hashed === undefined ? byClient : `(client_id IN (${quote(user)}, ${quote(hashed)}) OR unit = ${quote(hashed)})`;
  try {
    const found = await countRows(database, table, conditions);
    if (isTrial || found === 0) return found;
    await database.all(`DELETE FROM ${table} WHERE ${conditions}`);
    const left = await countRows(database, table, conditions);
    if (left > 0) throw new UserError(`${left} rows of "${user}" came to ${table} meanwhile: run this again`);
    return found;
  } catch (error) {
    const message = errorText(error);
    if (/no such table/i.test(message)) return 0;
    // An older table: the edge adds the column with its next exposure.
    if (/no such column: unit/i.test(message)) return removeFrom(database, table, { user, hashed: undefined, isTrial });
    throw error;
  }
}

async function countRows(database: EventDatabase, table: string, condition: string): Promise<number> {
  const [row] = await database.all(`SELECT count(*) AS n FROM ${table} WHERE ${condition}`);
  return typeof row === "object" && row !== null && "n" in row ? Number(row.n) : 0;
}

/** From the environment, or from the file that `wrangler dev` reads; a deployed secret cannot be read. */
function findSecret(config: string, isLocal: boolean): string | undefined {
  const given = process.env["EVENT_SECRET"];
  if (given !== undefined && given !== "") return given;
  return isLocal ? readDevVars(config)["EVENT_SECRET"] : undefined;
}

const bindings = v.optional(v.array(v.looseObject({ binding: v.optional(v.string()) })), []);

const configSchema = v.looseObject({
  r2_buckets: bindings,
  kv_namespaces: bindings,
  pipelines: bindings,
  analytics_engine_datasets: bindings,
  queues: v.optional(v.looseObject({ producers: bindings }), {}),
});

/** Stores that this command cannot reach and that may hold records of a shopper, by the bindings in the edge's wrangler.toml; one line each. */
export async function placesElsewhere(config: string): Promise<readonly string[]> {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const bound = v.parse(configSchema, readConfig({ config }));
  const { r2_buckets: buckets, kv_namespaces: namespaces, queues, pipelines } = bound;
  const stores: readonly (readonly [boolean, string])[] = [
    [isBound(queues.producers, "EVENTS_QUEUE"), "Queue (EVENTS_QUEUE): records under way; run this again when it is empty"],
    [
      isBound(namespaces, "DEAD_LETTERS") || isBound(buckets, "DEAD_LETTERS"),
      "DEAD_LETTERS: records that wait for a sink; run this again when there are none",
    ],
    [
      isBound(buckets, "EVENTS_BUCKET"),
      "R2 (EVENTS_BUCKET): lines of ubi_queries/ and ubi_events/ that are written; delete or rewrite those objects",
    ],
    [pipelines.length > 0, "Pipelines (EVENTS_PIPELINE): files or tables that it has written; delete there by client_id and unit"],
    [bound.analytics_engine_datasets.length > 0, "Analytics Engine (EVENTS_ANALYTICS): nothing to remove, no shopper is written there"],
    [true, "D1 Time Travel: the database as it was can be restored for 7 days (30 on a paid plan)"],
    [true, COPIES],
  ];
  return stores.flatMap(([isThere, store]) => (isThere ? [store] : []));
}

const COPIES = "Copies that you made: exports, lists of armmt lists, reports";

/** The same for the file of a server, which has no other store. */
const BESIDE_A_FILE: readonly string[] = [
  "The server's memory: records that wait because the file is locked; run this again when /armmt/status says that none does",
  "Backups of the file",
  COPIES,
];

function isBound(list: readonly { readonly binding?: string | undefined }[], name: string): boolean {
  return list.some(({ binding }) => binding === name);
}

type ForgetFlags = DatabaseFlags & Partial<Record<"dryRun" | "json", true>>;

export function createForgetCommand(): Command {
  const command = new Command("forget")
    .description("Remove a shopper's rows from D1 or a server's SQLite file, and list other stores that may hold records")
    .argument("<user>", "client id or unit as the shop sends it, or a unit's hash as it is stored");
  return addPlaces(command, { log: "tables" })
    .option("--dry-run", "count the rows and remove nothing")
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      "\nRows hold hashes of ids: they are found with the edge's EVENT_SECRET in the environment (or in .dev.vars, with --local).",
    )
    .action(async (user: string, flags: ForgetFlags) => {
      const { config, binding, persistTo, local = false, dryRun: isTrial = false, database: file } = flags;
      if (local && file !== undefined) throw new UserError("--local and --database name two databases: use one of them");
      const elsewhere = file === undefined ? await placesElsewhere(config) : BESIDE_A_FILE;
      const options = { user, secret: findSecret(config, local), isTrial, elsewhere };
      const database = await openDatabase({ config, binding, stateDir: persistTo, local, file });
      try {
        const report = await forgetUser(database, options);
        process.stdout.write(flags.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : describe(report));
      } finally {
        await database.close();
      }
    });
}

interface Place {
  readonly config: string;
  readonly binding: string;
  readonly stateDir: string;
  readonly local: boolean;
  readonly file: string | undefined;
}

async function openDatabase({ config, binding, stateDir, local, file }: Place): Promise<EventDatabase> {
  if (file !== undefined) return openDatabaseFile(file, { isWritten: true });
  return local ? openLocalDatabase({ config, binding, stateDir }) : openWranglerDatabase({ config, binding, where: ["--remote"] });
}

function describe({ user, hash, place, removed, isTrial, isUnitKnown, elsewhere }: Awaited<ReturnType<typeof forgetUser>>): string {
  const counts = TABLES.map((table) => `${removed[table]} of ${table}`).join(", ");
  const lines = [
    isTrial ? `Would remove the rows of "${user}" from ${place}: ${counts}` : `Removed the rows of "${user}" from ${place}: ${counts}`,
    ...(isUnitKnown
      ? []
      : ["Rows hold hashes of ids, which were not searched for: set EVENT_SECRET to the edge's secret and run this again"]),
    hash === undefined ? "Not reached by this command:" : `Not reached by this command, where the shopper is ${hash}:`,
    ...elsewhere.map((store) => `- ${store}`),
  ];
  return `${lines.join("\n")}\n`;
}
