/**
 * Where the command line publishes: the KV namespace of the edge Worker on this machine (`wrangler dev --persist-to`) or at Cloudflare
 * (`wrangler kv`), or the folder that a server reads.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import * as v from "valibot";
import { folderKv, listKeys, writeKey } from "../../runtimes/node/folder-kv.ts";
import { errorText, UserError } from "../../web.ts";
import { loadWrangler } from "../wrangler.ts";
import { findJson, jsonTextIn } from "../wrangler-output.ts";

export interface Namespace {
  /** For messages. */
  readonly place: string;
  /** A text value; `undefined` when there is none. */
  get(key: string): Promise<string | undefined>;
  /** All keys that begin with `prefix`. */
  keys(prefix: string): Promise<ReadonlySet<string>>;
  /** Returns when all are written, in no particular order. */
  put(entries: readonly Entry[]): Promise<void>;
  close(): Promise<void>;
}

interface Entry {
  readonly key: string;
  readonly value: string | Uint8Array;
}

/** `config`: wrangler.toml with the binding. */
type BindingOptions = Readonly<Record<"config" | "binding", string>>;

/** `stateDir`: `--persist-to` of `wrangler dev`. */
export type LocalOptions = BindingOptions & { readonly stateDir: string };

/** `where` is `--remote`, or `--local --persist-to <folder>` for the same commands on this machine. */
export type WranglerOptions = BindingOptions & {
  readonly where: readonly string[];
  /** Default: the installed one. */
  readonly run?: typeof wrangler;
};

/** The parts of a KV binding that are used; wrangler's proxy gives the real one of a workerd that it starts. */
interface KvBinding {
  get(key: string, type: "text"): Promise<string | null>;
  list(options: { prefix: string; cursor?: string }): Promise<{ keys: { name: string }[]; list_complete: boolean; cursor?: string }>;
  put(key: string, value: string | ArrayBuffer): Promise<void>;
}

export async function openLocalNamespace({ config, binding, stateDir }: LocalOptions): Promise<Namespace> {
  const { getPlatformProxy } = await loadWrangler();
  // wrangler itself appends the version of its folder layout to --persist-to, the proxy does not.
  const persist = { path: join(resolve(stateDir), "v3") };
  const proxy = await getPlatformProxy<Record<string, KvBinding | undefined>>({ configPath: config, persist, remoteBindings: false });
  const kv = proxy.env[binding];
  if (kv === undefined) {
    await proxy.dispose();
    throw new UserError(`No KV namespace "${binding}" in ${config}: add it, or name the right one with --binding`);
  }
  return {
    place: stateDir,
    get: async (key) => (await kv.get(key, "text")) ?? undefined,
    async keys(prefix) {
      const names = new Set<string>();
      let cursor: string | undefined;
      do {
        const page = await kv.list(cursor === undefined ? { prefix } : { prefix, cursor }); // oxlint-disable-line no-await-in-loop
        for (const { name } of page.keys) names.add(name);
        cursor = page.list_complete ? undefined : page.cursor;
      } while (cursor !== undefined);
      return names;
    },
    put: async (entries) => {
      await Promise.all(entries.map(({ key, value }) => kv.put(key, typeof value === "string" ? value : Uint8Array.from(value).buffer)));
    },
    close: () => proxy.dispose(),
  };
}

/** Bytes of one upload; wrangler takes at most 100 MB. */
const UPLOAD_BYTES = 40 * 1024 * 1024;

export function openWranglerNamespace({ config, binding, where, run = wrangler }: WranglerOptions): Namespace {
  const scope = ["--binding", binding, "--config", config, ...where];
  const keys = async (prefix: string): Promise<ReadonlySet<string>> => {
    const output = await run(["kv", "key", "list", "--prefix", prefix, ...scope]);
    const found = findJson(output, keysSchema);
    if (found === undefined)
      throw new UserError(`wrangler kv key list answered ${JSON.stringify(output.slice(0, 200))}, expected a list of keys`);
    return new Set(found.map(({ name }) => name));
  };
  return {
    place: where.includes("--remote") ? "Cloudflare" : where.join(" "),
    keys,
    // For a missing key wrangler prints a sentence. Values that are read are JSON.
    get: async (key) => {
      if (!(await keys(key)).has(key)) return undefined;
      return jsonTextIn(await run(["kv", "key", "get", key, "--text", ...scope])).replace(/\n$/, "");
    },
    async put(entries) {
      const folder = mkdtempSync(join(tmpdir(), "armmt-publish-"));
      try {
        for (const [n, part] of uploads(entries).entries()) {
          const file = join(folder, `${n}.json`);
          writeFileSync(file, JSON.stringify(part));
          await run(["kv", "bulk", "put", file, ...scope]); // oxlint-disable-line no-await-in-loop
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    close: () => Promise.resolve(),
  };
}

const keysSchema = v.array(v.object({ name: v.string() }));

function uploads(entries: readonly Entry[]): object[][] {
  const parts: object[][] = [[]];
  let bytes = 0;
  for (const { key, value } of entries) {
    const upload = { key, value: Buffer.from(value).toString("base64"), base64: true };
    if (bytes > 0 && bytes + upload.value.length > UPLOAD_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(upload);
    bytes += upload.value.length;
  }
  return parts;
}

/** Runs the installed wrangler. Its own output is the error: it names the fix (log in, create the namespace). */
export function wrangler(args: readonly string[]): Promise<string> {
  const binary = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "../bin/wrangler.js");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
  return new Promise((done, fail) => {
    execFile(process.execPath, [binary, ...args], { env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else
        fail(new UserError(`wrangler ${args.slice(0, 3).join(" ")} failed:\n${stripVTControlCharacters(`${stderr}\n${stdout}`).trim()}`));
    });
  });
}

/** A server's folder `kv`, made by the first write. Throws a UserError for keys that cannot be files. */
export function openFolderNamespace(folder: string): Namespace {
  const kv = folderKv(folder);
  const place = resolve(folder);
  return {
    place,
    get: (key) => orExplain(place, async () => (await kv.get(key, "text")) ?? undefined),
    keys: (prefix) => orExplain(place, () => listKeys(folder, prefix)),
    put: (entries) =>
      orExplain(place, async () => {
        await Promise.all(entries.map(({ key, value }) => writeKey(folder, key, value)));
      }),
    close: () => Promise.resolve(),
  };
}

async function orExplain<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const said = errorText(error);
    throw new UserError(`Cannot use the folder ${place}: ${said}. Name another with --folder <folder>`, { cause: error });
  }
}
