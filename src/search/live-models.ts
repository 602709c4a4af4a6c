/**
 * Models that came without a deployment, and how far each catalogue follows which of them: `models/<version>/…` and `<catalog>/ranking` in the
 * namespace of the item vectors.
 *
 * Read once per isolate and minute, after a reply. A model is proven on its golden cases before anybody gets its order; until then, and where
 * it is refused, what served before goes on. Nothing here rejects, and no search waits for it.
 */
import { parseJson, type KvReader } from "../embeddings/store.ts";
import type { AfterReply } from "../events/sink.ts";
import {
  checkPart,
  MAX_PART_BYTES,
  modelKey,
  type OpenedModel,
  type OpenPublished,
  parsePublishedModel,
  partKey,
  proveGolden,
  type ReadPart,
} from "../inference/published-model.ts";
import type { Scorer, Scorers } from "../inference/scorer.ts";
import { type CatalogRanking, followed, rankingKey, rankingSchema } from "../inference/ranking.ts";
import { type Bypass, bypass, ok, type Result } from "../result.ts";
import { errorText, isRecent, type Log, withTimeout } from "../web.ts";

const FRESH_MS = 60_000;

/** Of one key. */
const READ_MS = 10_000;

/** A request of workerd that has ended says nothing about its work. */
const FORGOTTEN_MS = 60_000;

/** Beside those that were deployed. */
export const MAX_MODELS = 3;

/** A model that nobody has asked for so long makes room for another. */
const UNUSED_MS = 600_000;

/** A version that is not here and that nobody has asked for so long is not looked for any more. */
const FORGET_MS = 3_600_000;

/** Versions that searches ask for come from the configuration; a bound all the same. */
const MAX_ASKED = 16;

export interface LiveModels {
  /** The models that were deployed, then those that were published. */
  readonly scorer: Scorers;
  /** What a catalogue follows, once its model is ready. */
  rankingOf(catalog: string): CatalogRanking | undefined;
  /** Starts what is due; called by every request. */
  refresh(afterReply: AfterReply): void;
  /** For /armmt/status. */
  snapshot(): object;
}

interface Options {
  readonly catalogs: readonly string[];
  readonly kv: KvReader;
  readonly deployed: Scorers;
  readonly open: OpenPublished;
  readonly now: () => number;
  readonly log: Log;
}

type Entry =
  | { readonly state: "ready"; readonly since: number; readonly model: OpenedModel; readonly scorer: Result<Scorer, Bypass> }
  /** `text`: of the description that was refused; absent where another try may go better. */
  | { readonly state: "refused"; readonly since: number; readonly why: Bypass; readonly text?: string };

export function createLiveModels({ catalogs, kv, deployed, open, now, log }: Options): LiveModels {
  const entries = new Map<string, Entry>();
  const asked = new Map<string, number>();
  const wanted = new Map<string, CatalogRanking>();
  const current = new Map<string, CatalogRanking>();
  const problems = new Map<string, string>();
  const dropped: string[] = [];
  let readAt: number | undefined;
  let busySince: number | undefined;
  let turn = 0;
  let hasNew = false;

  const scorers: Scorers = (version) => {
    const entry = version === undefined ? undefined : entries.get(version);
    if (version === undefined || (entry === undefined && !asked.has(version))) {
      const own = deployed(version);
      if (version === undefined || own.ok || asked.size >= MAX_ASKED) return own;
      hasNew = true;
    }
    asked.set(version, now());
    if (entry?.state === "ready") return entry.scorer;
    return entry === undefined ? bypass("model_unavailable", `Model ${version} is not here yet`) : { ok: false, error: entry.why };
  };

  function isHere(version: string): boolean {
    return entries.get(version)?.state === "ready" || deployed(version).ok;
  }

  const readText = (key: string) => kv.get(key, "text");

  async function readRanking(catalog: string): Promise<void> {
    const key = rankingKey(catalog);
    const found = await read(key, readText);
    const parsed = !found.ok || found.value === null ? undefined : parseJson(rankingSchema, found.value);
    const problem = found.ok ? (parsed?.ok === false ? `Cannot read ${key}: ${parsed.error}` : undefined) : found.error.detail;
    if (problem !== undefined) {
      problems.set(catalog, problem);
      log({ level: "warn", event: "ranking_unread", catalog, detail: problem });
      return;
    }
    problems.delete(catalog);
    const ranking = followed(parsed?.ok === true ? parsed.value : undefined);
    if (ranking !== undefined) wanted.set(catalog, ranking);
    else {
      wanted.delete(catalog);
      current.delete(catalog);
    }
  }

  /** Those whose model is ready; none is needed to follow none. */
  function adopt(): void {
    for (const [catalog, ranking] of wanted) {
      const last = current.get(catalog);
      if (last?.model === ranking.model && last.trust === ranking.trust && last.since === ranking.since) continue;
      if (ranking.trust > 0 && !isHere(ranking.model)) continue;
      current.set(catalog, ranking);
      log({ level: "info", event: "ranking", catalog, model: ranking.model, trust: ranking.trust, detail: ranking.evidence });
    }
  }

  function isProtected(version: string): boolean {
    return [...current.values(), ...wanted.values()].some(({ model }) => model === version);
  }

  /** Whether there is room for one more; the one that nobody has asked for longest goes first. */
  async function makeRoom(bytes: number): Promise<boolean> {
    for (;;) {
      const held = readyOf(entries);
      const sum = held.reduce((all, { entry }) => all + entry.model.bytes, bytes);
      if (held.length < MAX_MODELS && sum <= MAX_PART_BYTES) return true;
      const [oldest] = held
        .filter(({ version }) => !isProtected(version) && !isRecent(asked.get(version) ?? 0, UNUSED_MS, now()))
        .toSorted((a, b) => (asked.get(a.version) ?? 0) - (asked.get(b.version) ?? 0));
      if (oldest === undefined) return false;
      entries.delete(oldest.version);
      asked.delete(oldest.version);
      dropped.push(oldest.version);
      if (dropped.length > MAX_ASKED) dropped.shift();
      log({ level: "info", event: "model_dropped", model: oldest.version, detail: "Others are used, and there is no room for all" });
      await oldest.entry.model.close(); // oxlint-disable-line no-await-in-loop
    }
  }

  async function load(version: string): Promise<Entry | undefined> {
    const since = now();
    const refuse = (why: Bypass, text?: string): Entry => ({
      state: "refused",
      since,
      why,
      ...(text !== undefined && why.reason === "model_mismatch" && { text }),
    });
    const known = entries.get(version);
    const found = await read(modelKey(version), readText);
    if (!found.ok) return refuse(found.error);
    if (found.value === null) {
      return refuse({
        reason: "model_unavailable",
        detail: `Model ${version} is neither deployed nor published: run armmt publish --model`,
      });
    }
    // Nothing has changed since it was refused.
    if (known?.state === "refused" && known.text === found.value) return undefined;
    const parsed = parsePublishedModel(found.value);
    if (!parsed.ok) return refuse({ reason: "model_mismatch", detail: `Cannot read ${modelKey(version)}: ${parsed.error}` }, found.value);
    const description = parsed.value;
    if (description.version !== version) {
      return refuse({ reason: "model_mismatch", detail: `${modelKey(version)} describes model ${description.version}` }, found.value);
    }
    const largest = Math.max(description.parts.edge?.bytes ?? 0, description.parts.graph.bytes);
    if (!(await makeRoom(largest))) {
      const detail = `No room for model ${version}: at most ${MAX_MODELS} models of ${MAX_PART_BYTES} bytes together, and all that are here are used`;
      return refuse({ reason: "model_unavailable", detail });
    }
    const readPart: ReadPart = async (name) => {
      const part = description.parts[name];
      if (part === undefined) return bypass("model_mismatch", `Model ${version} was published without its ${name}: publish it again`);
      const key = partKey(version, name, part);
      const bytes = await read(key, (of) => kv.get(of, "arrayBuffer"));
      return bytes.ok ? checkPart(key, bytes.value, part) : bytes;
    };
    const golden = await readPart("golden");
    if (!golden.ok) return refuse(golden.error, found.value);
    const opened = await open(description, readPart);
    if (!opened.ok) return refuse(opened.error, found.value);
    const proven = await proveGolden(opened.value.scorer, golden.value);
    if (proven.ok) return { state: "ready", since: now(), model: opened.value, scorer: watched(version, opened.value.scorer) };
    await opened.value.close();
    return refuse(proven.error, found.value);
  }

  /** As the deployed ones: one that has trapped is gone. */
  function watched(version: string, scorer: Scorer): Result<Scorer, Bypass> {
    return ok({
      manifest: scorer.manifest,
      async score(list, isWanted) {
        const scores = await scorer.score(list, isWanted);
        if (!scores.ok && scores.error.reason === "model_trapped")
          entries.set(version, { state: "refused", since: now(), why: scores.error });
        return scores;
      },
    });
  }

  async function work(mine: number): Promise<void> {
    try {
      await Promise.all(catalogs.map(readRanking));
      adopt();
      for (const [version, at] of asked) if (!isRecent(at, FORGET_MS, now())) asked.delete(version);
      const due = new Set([...asked.keys(), ...[...wanted.values()].flatMap(({ model, trust }) => (trust > 0 ? model : []))]);
      for (const version of due) {
        if (isHere(version)) continue;
        const trapped = entries.get(version);
        if (trapped?.state === "refused" && trapped.why.reason === "model_trapped") continue;
        const entry = await load(version); // oxlint-disable-line no-await-in-loop
        // One that hung must not replace what came after it.
        if (mine !== turn) return await (entry?.state === "ready" ? entry.model.close() : undefined);
        if (entry === undefined) continue;
        entries.set(version, entry);
        const said =
          entry.state === "ready" ? { level: "info", event: "model_ready" } : { level: "error", event: "model_refused", ...entry.why };
        log({ ...said, model: version });
      }
      adopt();
    } catch (cause) {
      log({ level: "error", event: "live_models", detail: errorText(cause) });
    } finally {
      if (mine === turn) busySince = undefined;
    }
  }

  return {
    scorer: scorers,
    rankingOf: (catalog) => current.get(catalog),
    refresh(afterReply) {
      const at = now();
      if (!hasNew && readAt !== undefined && isRecent(readAt, FRESH_MS, at)) return;
      if (busySince !== undefined && isRecent(busySince, FORGOTTEN_MS, at)) return;
      readAt = at;
      busySince = at;
      hasNew = false;
      afterReply(work(++turn));
    },
    snapshot: () => ({
      models: Object.fromEntries([...entries].map(([version, entry]) => [version, describe(entry)])),
      limits: { models: MAX_MODELS, bytes: MAX_PART_BYTES },
      dropped,
      rankings: Object.fromEntries(
        catalogs.flatMap((catalog) => {
          const [follows, next, problem] = [current.get(catalog), wanted.get(catalog), problems.get(catalog)];
          if (follows === undefined && next === undefined && problem === undefined) return [];
          return [[catalog, { follows, ...(next !== follows && { next }), ...(problem !== undefined && { problem }) }]];
        }),
      ),
    }),
  };
}

function describe(entry: Entry): object {
  const since = new Date(entry.since).toISOString();
  if (entry.state === "refused") return { state: entry.state, since, ...entry.why };
  const { trainedOn, sha256 } = entry.model.scorer.manifest;
  return { state: entry.state, since, bytes: entry.model.bytes, sha256, trainedOn };
}

async function read<T>(key: string, get: (key: string) => Promise<T>): Promise<Result<T, Bypass>> {
  try {
    return await withTimeout(get(key).then(ok), READ_MS, () => bypass("store_timeout", `Key ${key} took longer than ${READ_MS} ms`));
  } catch (cause) {
    return bypass("store_unavailable", `Cannot read ${key}: ${errorText(cause)}`);
  }
}

function readyOf(entries: ReadonlyMap<string, Entry>) {
  return [...entries].flatMap(([version, entry]) => (entry.state === "ready" ? [{ version, entry }] : []));
}
