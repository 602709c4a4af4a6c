/**
 * `armmt publish --model`: a model beside those that were deployed, under `models/<version>/` in the namespace of the item vectors; running edges
 * take it up within a minute. Parts first, the description last, so that no edge reads of a part that is not there.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseGolden } from "../../inference/golden.ts";
import { type ManifestIdentity, matchShards } from "../../inference/manifest.ts";
import {
  MAX_PART_BYTES,
  modelKey,
  type Part,
  parsePublishedModel,
  type PartName,
  partKey,
  type PublishedModel,
} from "../../inference/published-model.ts";
import { errorText, UserError } from "../../web.ts";
import { buildSession, readModel } from "../build/edge-build.ts";
import type { Namespace } from "./namespace.ts";
import { readLiveSet } from "./order.ts";

type Store = Pick<Namespace, "place" | "get" | "keys" | "put">;

export interface ModelOptions {
  /** With student.onnx, manifest.json and golden.json. */
  readonly folder: string;
  /** The catalogue that is to follow it, where its set is published. */
  readonly catalog: string;
  /** A server opens graphs itself. */
  readonly isForServer: boolean;
  readonly json: boolean;
  readonly at: Date;
}

/** Throws a UserError, and writes nothing, where the model cannot serve. */
export async function publishModel(store: Store, { folder, catalog, isForServer, json, at }: ModelOptions) {
  const path = resolve(folder);
  const model = readModel(path);
  const { manifest, graph } = model;
  const golden = readGolden(path, manifest.sha256);
  await matchCatalog(store, catalog, manifest);
  const known = await readPublished(store, manifest.version);
  if (known !== undefined && shaIn(known.manifest) !== manifest.sha256) {
    throw new UserError(
      `Version ${manifest.version} is published in ${store.place} with another graph: experiments and logs go by the version, so give this model another one (version in ${join(path, "manifest.json")})`,
    );
  }
  const edge = isForServer ? undefined : await orRefuse(manifest.version, () => buildSession(model, json));
  const contents: readonly (readonly [PartName, Uint8Array])[] = [
    ["graph", graph],
    ["golden", golden],
    ...(edge === undefined ? [] : [["edge", edge] as const]),
  ];
  const described = contents.map(([name, value]) => ({ name, value, part: partOf(value) }));
  for (const { name, part } of described) {
    if (part.bytes > MAX_PART_BYTES) {
      throw new UserError(
        `The ${name} of model ${manifest.version} has ${part.bytes} bytes, at most ${MAX_PART_BYTES} can be published: make it smaller`,
      );
    }
  }
  const keyed = described.map(({ name, value, part }) => ({ key: partKey(manifest.version, name, part), value }));
  const existing = await store.keys(`models/${manifest.version}/`);
  const missing = keyed.filter(({ key }) => !existing.has(key));
  if (missing.length > 0) await store.put(missing);
  const parts = { ...known?.parts, ...Object.fromEntries(described.map(({ name, part }) => [name, part])) };
  const description = { format: 1, version: manifest.version, publishedAt: at.toISOString(), manifest, parts };
  const changed = known === undefined || JSON.stringify(known.parts) !== JSON.stringify(parts);
  if (changed) await store.put([{ key: modelKey(manifest.version), value: JSON.stringify(description) }]);
  const bytes = described.reduce((sum, { part }) => sum + part.bytes, 0);
  return { model: manifest.version, changed, written: missing.length, bytes, place: store.place };
}

/** `undefined` where nothing is published under this version. */
export async function readPublished(store: Store, version: string): Promise<PublishedModel | undefined> {
  const text = await store.get(modelKey(version));
  if (text === undefined) return undefined;
  const parsed = parsePublishedModel(text);
  // What cannot be read is replaced.
  return parsed.ok ? parsed.value : undefined;
}

function shaIn(manifest: unknown): unknown {
  return typeof manifest === "object" && manifest !== null && "sha256" in manifest ? manifest.sha256 : undefined;
}

function partOf(value: Uint8Array): Part {
  return { bytes: value.length, sha256: createHash("sha256").update(value).digest("hex") };
}

function readGolden(path: string, sha256: string): Uint8Array {
  const file = join(path, "golden.json");
  if (!existsSync(file)) {
    throw new UserError(`${path} has no golden.json: an edge takes up no model whose scores it cannot prove; the training writes it`);
  }
  const bytes = readFileSync(file);
  try {
    const golden = parseGolden(JSON.parse(bytes.toString("utf8")));
    if (golden.sha256 !== sha256) throw new Error(`it belongs to a graph with SHA-256 ${golden.sha256}, the manifest says ${sha256}`);
  } catch (cause) {
    throw new UserError(`${file}: ${errorText(cause)}`, { cause });
  }
  return bytes;
}

/** Dims and encoders of the catalogue's live set, where there is one. */
async function matchCatalog(store: Store, catalog: string, manifest: ManifestIdentity): Promise<void> {
  const set = await readLiveSet(store, catalog);
  const fits = set && matchShards(manifest, set);
  if (fits?.ok === false)
    throw new UserError(`${fits.error.detail} (catalogue ${catalog}): embed it with the model's encoders, or name another with --catalog`);
}

async function orRefuse<T>(version: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new UserError(`Model ${version} cannot be opened as a Worker does: ${errorText(cause)}`, { cause });
  }
}
