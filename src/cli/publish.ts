/**
 * `armmt publish`: an embedded set → KV, and live; `armmt rollback`: the previous one live again. Shards and query table are written
 * first, then the set's description, then the pointer, so that no reader follows a pointer to a missing key.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { parsePointer, parsePublishedSet, type Pointer, pointerKey, queryTableKey, setKey, shardKey } from "../embeddings/store.ts";
import { describeOrder } from "../inference/trust.ts";
import { progressBar } from "./command.ts";
import { embeddingsFolder, readSet } from "./embed/pack.ts";
import { type LocalOptions, type Namespace, openFolderNamespace, openLocalNamespace, openWranglerNamespace } from "./publish/namespace.ts";
import { isDeployed, orderOf, readLiveSet } from "./publish/order.ts";
import { readRanking, rollBackRanking, writeRanking } from "./publish/ranking.ts";
import { UserError } from "../web.ts";
import { addPlaces } from "./places.ts";

/** Concurrent writes of shards. */
const PUT_AT_ONCE = 16;

export interface PublishOptions {
  /** Folder that `armmt embed` has written. */
  readonly from: string;
  /** Name under which the edge looks for it (`catalog` in its INDEXES). */
  readonly catalog: string;
  readonly json?: boolean | undefined;
}

/** Throws a UserError, and writes nothing, when the folder holds no complete, valid set. */
export async function publishTo(namespace: Namespace, options: PublishOptions) {
  const { catalog } = options;
  requireCatalogName(catalog);
  const { set, shards, queryTable } = readSet(options.from);
  const current = await readPointer(namespace, catalog);
  const existing = await namespace.keys(`${catalog}/${set.version}/`);
  const parts = shards.map((value, n) => ({ key: shardKey(catalog, set.version, n), value }));
  if (queryTable !== undefined) parts.push({ key: queryTableKey(catalog, set.version), value: queryTable });
  const missing = parts.filter((entry) => !existing.has(entry.key));
  const bar = progressBar(`Publishing ${parts.length} values`, missing.length, { json: options.json });
  for (let start = 0; start < missing.length; start += PUT_AT_ONCE) {
    const part = missing.slice(start, start + PUT_AT_ONCE);
    await namespace.put(part); // oxlint-disable-line no-await-in-loop
    bar.increment(part.length);
  }
  bar.stop();
  if (!existing.has(setKey(catalog, set.version))) {
    await namespace.put([{ key: setKey(catalog, set.version), value: JSON.stringify(set) }]);
  }
  const changed = current?.version !== set.version;
  const previous = changed ? (current?.version ?? null) : (current?.previous ?? null);
  if (changed) await writePointer(namespace, catalog, { version: set.version, previous, publishedAt: new Date().toISOString() });
  return {
    catalog,
    version: set.version,
    previous,
    items: set.itemCount,
    shards: set.shardCount,
    /** Shards, and the query table, written in this run; the others existed. */
    written: missing.length,
    bytes: shards.reduce((sum, shard) => sum + shard.length, 0),
    /** 0 without a query table. */
    queryTableBytes: queryTable?.length ?? 0,
    /** False when this version was live before. */
    changed,
    place: namespace.place,
  };
}

/** Publishes to the state of `wrangler dev` on this machine. `more`: what else goes there. */
export async function publishLocally(
  options: PublishOptions & Omit<LocalOptions, "binding">,
  more: (namespace: Namespace) => Promise<unknown> = async () => undefined,
) {
  const namespace = await openLocalNamespace({ ...options, binding: BINDING });
  try {
    const published = await publishTo(namespace, options);
    await more(namespace);
    return published;
  } finally {
    await namespace.close();
  }
}

const BINDING = "EMBEDDINGS";

/** Keys and folders contain it. Throws a UserError. */
function requireCatalogName(catalog: string): void {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(catalog)) {
    throw new UserError(`"${catalog}" cannot name a catalogue: use 1 to 64 letters, digits, dots, dashes or underscores`);
  }
}

async function readPointer(namespace: Namespace, catalog: string): Promise<Pointer | undefined> {
  const key = pointerKey(catalog);
  const text = await namespace.get(key);
  if (text === undefined) return undefined;
  const pointer = parsePointer(text);
  if (!pointer.ok)
    throw new UserError(`Key ${key} in ${namespace.place} is no pointer: ${pointer.error}. Delete the key and publish again`);
  return pointer.value;
}

async function writePointer(namespace: Namespace, catalog: string, pointer: Pointer): Promise<void> {
  await namespace.put([{ key: pointerKey(catalog), value: JSON.stringify(pointer) }]);
}

export interface NamespaceFlags extends Record<"catalog" | "persistTo" | "config" | "binding", string> {
  readonly local?: true;
  readonly folder?: string;
  readonly json?: true;
}

/** Options that publish and rollback share. */
export function addNamespaceFlags(command: Command): Command {
  command.option("--catalog <name>", "name under which the edge looks for it", "products");
  return addPlaces(command, { keys: "--binding" }).option("--json", "print the summary as JSON and no progress");
}

/** Closes the namespace after `work`. */
export async function withNamespace<T>(flags: NamespaceFlags, work: (namespace: Namespace) => Promise<T>): Promise<T> {
  requireCatalogName(flags.catalog);
  const namespace = await openNamespace(flags);
  try {
    return await work(namespace);
  } finally {
    await namespace.close();
  }
}

async function openNamespace({ config, binding, persistTo, local, folder }: NamespaceFlags): Promise<Namespace> {
  if (folder === undefined) {
    if (local === true) return openLocalNamespace({ config, binding, stateDir: resolve(persistTo) });
    return openWranglerNamespace({ config, binding, where: ["--remote"] });
  }
  if (local === true) throw new UserError(`--local and --folder ${folder} are two places: give one of them`);
  return openFolderNamespace(folder);
}

interface PublishFlags extends NamespaceFlags {
  readonly from?: string;
  readonly model?: string;
  readonly trust?: number;
  readonly because: string;
}

const MODEL_EXAMPLES = `
Examples:
  $ armmt publish --catalog products                            the shards of armmt embed
  $ armmt publish --model model-2                               beside the deployed model: armmt@<version>:<trust> in experiments
  $ armmt publish --model model-2 --trust 0.3 --because "gate passed"
  $ armmt publish --model model-2 --folder .armmt/server/kv     for a Node or Deno server

Edges read models only with LIVE_MODELS = true. Back: armmt rollback --model.`;

function shareOption(text: string): number {
  const share = Number(text);
  if (text.trim() === "" || !(share >= 0 && share <= 1)) throw new InvalidArgumentError("Use a number from 0 to 1.");
  return share;
}

async function publishOneModel(model: string, flags: PublishFlags): Promise<void> {
  const { catalog, folder, trust, because, json = false } = flags;
  const [at, isFolder] = [new Date(), existsSync(model)];
  if (!isFolder && trust === undefined)
    throw new UserError(`${model} is no folder: name one with student.onnx, manifest.json and golden.json`);
  const { publishModel, readPublished } = await import("./publish/model.ts");
  const report = await withNamespace(flags, async (namespace) => {
    const options = { folder: model, catalog, isForServer: folder !== undefined, json, at };
    const published = isFolder ? await publishModel(namespace, options) : undefined;
    const version = published?.model ?? model;
    if (!isFolder && (await readPublished(namespace, version)) === undefined && !isDeployed(version)) {
      throw new UserError(`Model ${version} is neither a folder, nor published in ${namespace.place}, nor in models.json`);
    }
    const change = { model: version, trust: trust ?? 0, evidence: because, at };
    const ranking = trust === undefined ? await readRanking(namespace, catalog) : (await writeRanking(namespace, catalog, change)).ranking;
    const hasSet = (await readLiveSet(namespace, catalog)) !== undefined;
    return { catalog, ...published, model: version, ranking: ranking ?? null, hasSet, place: namespace.place };
  });
  if (json) {
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return;
  }
  const { ranking, place } = report;
  const size = report.bytes === undefined ? "" : `: ${report.bytes} bytes, ${report.written} parts written`;
  const follows = ranking === null ? "as its published set says" : `${ranking.model} by ${ranking.trust} (${ranking.evidence})`;
  process.stdout.write(
    `Model ${report.model} is in ${place}${size}. Edges with LIVE_MODELS = true have it within a minute, as armmt@${report.model}:<trust>\n` +
      (report.hasSet
        ? `${catalog} follows ${follows}\n`
        : `No vectors of "${catalog}" are published there, and without them no search of it is re-ranked: is this the right place and name?\n`),
  );
}

export function createPublishCommand(): Command {
  const command = new Command("publish")
    .description("Put embedded shards into KV and make them live; with --model a model, which edges take up without a deployment")
    .addOption(new Option("--from <folder>", "what armmt embed has written (default: .armmt/embeddings/<catalogue>)").conflicts("model"))
    .option(
      "--model <folder>",
      "a model instead: student.onnx, manifest.json, golden.json; with --trust also the version of one that is there",
    )
    .addOption(new Option("--trust <share>", "with --model: the catalogue follows it so far, 0 to 1").argParser(shareOption))
    .option("--because <text>", "with --trust: by which evidence", "set by hand")
    .addHelpText("after", MODEL_EXAMPLES);
  return addNamespaceFlags(command).action(async (flags: PublishFlags) => {
    if (flags.model !== undefined) {
      await publishOneModel(flags.model, flags);
      return;
    }
    if (flags.trust !== undefined) throw new UserError("--trust is how far a catalogue follows a model: name the model with --model");
    const from = flags.from === undefined ? embeddingsFolder(flags.catalog) : resolve(flags.from);
    // Fails before a namespace is opened, which may take seconds or an account.
    const order = orderOf(readSet(from).set);
    const report = await withNamespace(flags, (namespace) => publishTo(namespace, { from, catalog: flags.catalog, json: flags.json }));
    const served = order === undefined ? "" : `${describeOrder(order)}\n`;
    process.stdout.write(
      flags.json === true ? `${JSON.stringify({ ...report, order }, undefined, 2)}\n` : `${describe(report)}\n${served}`,
    );
  });
}

function describe(report: Awaited<ReturnType<typeof publishTo>>): string {
  const { catalog, version, previous, items, shards, written, bytes, queryTableBytes, changed, place } = report;
  const table = queryTableBytes === 0 ? "" : ` and a query table (${queryTableBytes} bytes)`;
  const size = `${items} items in ${shards} shards (${bytes} bytes)${table}, ${written} written`;
  if (!changed) return `${catalog}: version ${version} is live already in ${place}: ${size}`;
  return `${catalog}: version ${version} is live in ${place}: ${size}${previous === null ? "" : `; before it ${previous}`}`;
}

/** The previous set live again, by one write of the pointer; a second rollback undoes the first. Throws a UserError where no previous set exists or its keys are gone. */
export async function rollBack(namespace: Namespace, catalog: string) {
  const current = await readPointer(namespace, catalog);
  if (current === undefined) {
    throw new UserError(`Nothing is published for "${catalog}" in ${namespace.place}: run armmt publish, or name another with --catalog`);
  }
  const { version, previous } = current;
  if (previous === null) {
    throw new UserError(`Version ${version} of "${catalog}" is the first one published in ${namespace.place}: there is none to go back to`);
  }
  const gone = await missingKey(namespace, catalog, previous);
  if (gone !== undefined) {
    throw new UserError(
      `Version ${previous} of "${catalog}" is no longer in ${namespace.place} (no key ${gone}): publish its folder again`,
    );
  }
  await writePointer(namespace, catalog, { version: previous, previous: version, publishedAt: new Date().toISOString() });
  return { catalog, version: previous, previous: version, place: namespace.place };
}

/** The first key of a published set that is not there; `undefined` where all are. */
async function missingKey(namespace: Namespace, catalog: string, version: string): Promise<string | undefined> {
  const keys = await namespace.keys(`${catalog}/${version}/`);
  const text = keys.has(setKey(catalog, version)) ? await namespace.get(setKey(catalog, version)) : undefined;
  if (text === undefined) return setKey(catalog, version);
  const set = parsePublishedSet(text);
  // A set of another release is not this one's to judge.
  if (!set.ok) return undefined;
  const needed = Array.from({ length: set.value.shardCount }, (_, n) => shardKey(catalog, version, n));
  if (set.value.queryTable !== undefined) needed.push(queryTableKey(catalog, version));
  return needed.find((key) => !keys.has(key));
}

export function createRollbackCommand(): Command {
  return addNamespaceFlags(
    new Command("rollback")
      .description("Make the set published before live again; with --model the model and trust of before")
      .option("--model", "what the catalogue followed before, instead of its set"),
  ).action(async (flags: NamespaceFlags & { readonly model?: true }) => {
    if (flags.model === true) {
      const [catalog, at] = [flags.catalog, new Date()];
      const ranking = await withNamespace(flags, (namespace) => rollBackRanking(namespace, catalog, at));
      const follows = ranking.model === null ? "what its published set says" : `${ranking.model} by ${ranking.trust}`;
      const said = `${catalog} follows ${follows} again, within a minute; a second rollback undoes this\n`;
      process.stdout.write(flags.json === true ? `${JSON.stringify({ catalog, ranking }, undefined, 2)}\n` : said);
      return;
    }
    const report = await withNamespace(flags, (namespace) => rollBack(namespace, flags.catalog));
    const { catalog, version, previous, place } = report;
    process.stdout.write(
      flags.json === true
        ? `${JSON.stringify(report, undefined, 2)}\n`
        : `${catalog}: version ${version} is live again in ${place}, ${previous} is not; a second rollback undoes this\n`,
    );
  });
}
