/** `armmt publish` and `armmt rollback` against the KV of a real workerd, and through wrangler's own commands. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getPlatformProxy } from "wrangler";
import { packSet, readSet, writeSet } from "../../src/cli/embed/pack.ts";
import { publishLocally, publishTo, rollBack } from "../../src/cli/publish.ts";
import { type Namespace, openLocalNamespace, openWranglerNamespace } from "../../src/cli/publish/namespace.ts";
import { createItemStore, type KvReader, pointerKey, setKey, ShardCache } from "../../src/embeddings/store.ts";
import { UserError } from "../../src/web.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NAMESPACE = { config: join(ROOT, "wrangler.toml"), binding: "EMBEDDINGS" };

let folder = "";
let state = "";
let local: Namespace;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "armmt-publish-"));
  state = join(folder, "state");
  local = await openLocalNamespace({ ...NAMESPACE, stateDir: state });
});
afterAll(async () => {
  await local.close();
  rmSync(folder, { recursive: true });
});

/** Embeds nothing: writes a set of `count` items whose price tells versions apart. */
function written(name: string, price: number, count = 20): { readonly from: string; readonly version: string } {
  const from = join(folder, name);
  const image = Float32Array.from({ length: 64 }, () => 0.125);
  const records = Array.from({ length: count }, (_, i) => ({
    itemId: `item-${i}`,
    image,
    text: undefined,
    features: [price, undefined, undefined, undefined, undefined, undefined],
  }));
  const packed = packSet(records, { imageDim: 64, textDim: 64, imageEncoder: "image", textEncoder: "text" });
  writeSet(from, packed);
  return { from, version: packed.set.version };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error("expected a UserError", { cause: error });
  return error.message;
}

describe("publishTo()", () => {
  it("makes a set live, and a second run writes nothing", async () => {
    const { from, version } = written("first", 1);
    const report = await publishTo(local, { from, catalog: "one", json: true });
    expect(report).toMatchObject({ catalog: "one", version, previous: null, items: 20, shards: 1, written: 1, changed: true });
    expect(await publishTo(local, { from, catalog: "one", json: true })).toMatchObject({
      version,
      written: 0,
      changed: false,
      previous: null,
    });
  });

  it("keeps the version before, and rollback goes back to it and forth again", async () => {
    const [a, b] = [written("a", 1), written("b", 2)];
    await publishTo(local, { from: a.from, catalog: "two", json: true });
    expect(await publishTo(local, { from: b.from, catalog: "two", json: true })).toMatchObject({ version: b.version, previous: a.version });
    expect(await rollBack(local, "two")).toMatchObject({ version: a.version, previous: b.version });
    expect(await rollBack(local, "two")).toMatchObject({ version: b.version, previous: a.version });
  });

  it("is what the store at the edge reads, through a workerd of its own on the same state", async () => {
    const { from, version } = written("edge", 5, 6000);
    const report = await publishLocally({ from, catalog: "three", config: NAMESPACE.config, stateDir: state, json: true });
    expect(report.shards).toBeGreaterThan(1);
    const proxy = await getPlatformProxy<{ EMBEDDINGS: KvReader }>({ configPath: NAMESPACE.config, persist: { path: join(state, "v3") } });
    const kv = proxy.env.EMBEDDINGS;
    const store = createItemStore({ kv, catalog: "three", shards: new ShardCache(1e7), timeoutMs: 5000, now: () => Date.now() });
    const found = await store.lookup(["item-0", "item-5999", "nobody"]);
    await proxy.dispose();
    expect(found).toMatchObject({ ok: true, value: { set: { version, itemCount: 6000 } } });
    expect(found.ok && found.value.items.map((item) => item?.features[0])).toEqual([5, 5, undefined]);
  });

  it("goes through wrangler's own commands too, which see the same keys and bytes", { timeout: 180_000 }, async () => {
    const wrangler = openWranglerNamespace({ ...NAMESPACE, where: ["--local", "--persist-to", state] });
    const { from, version } = written("wrangler", 7);
    const { shards } = readSet(from);
    await wrangler.put([
      { key: `four/${version}/shard/0`, value: shards[0]! },
      { key: "four/note", value: "grün" },
    ]);
    expect(await wrangler.get("four/note")).toBe("grün");
    expect(await local.get("four/note")).toBe("grün");
    // The shard that wrangler wrote need not be written again, and serves.
    expect(await publishTo(local, { from, catalog: "four", json: true })).toMatchObject({ written: 0, changed: true });
    expect(await wrangler.keys("four/")).toEqual(new Set(["four/live", "four/note", setKey("four", version), `four/${version}/shard/0`]));
  });
});

describe("publishTo() refuses, and writes nothing", () => {
  it("a folder without a set", async () => {
    expect(await refusal(publishTo(local, { from: join(folder, "void"), catalog: "x" }))).toContain("run armmt embed first");
  });

  it("a shard that was changed or lost", async () => {
    const { from, version } = written("damaged", 3);
    const file = join(from, "shards", version, "0.bin");
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    expect(await refusal(publishTo(local, { from, catalog: "damaged" }))).toMatch(
      /0\.bin: Cannot decode shard: checksum .+: run armmt embed again$/,
    );
    rmSync(file);
    expect(await refusal(publishTo(local, { from, catalog: "damaged" }))).toContain("is missing: run armmt embed again");
    expect(await local.keys("damaged/")).toEqual(new Set());
  });

  it("a set whose dims are not those of its shards", async () => {
    const { from } = written("dims", 3);
    const path = join(from, "set.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('"imageDim": 64', '"imageDim": 128'));
    expect(await refusal(publishTo(local, { from, catalog: "dims" }))).toContain("image dim 64, expected 128");
  });

  it("a name that is no key", async () => {
    const { from } = written("named", 3);
    expect(await refusal(publishTo(local, { from, catalog: "a/b" }))).toContain('"a/b" cannot name a catalogue');
  });

  it("a pointer that somebody else wrote", async () => {
    await local.put([{ key: pointerKey("foreign"), value: "hello" }]);
    const message = await refusal(publishTo(local, { from: written("foreign", 3).from, catalog: "foreign" }));
    expect(message).toContain("Key foreign/live in");
    expect(message).toContain('not JSON: "hello"');
  });

  it("a binding that is not there", async () => {
    expect(await refusal(openLocalNamespace({ ...NAMESPACE, binding: "VECTORS", stateDir: state }))).toMatch(
      /^No KV namespace "VECTORS" in .+--binding$/,
    );
  });
});

describe("rollBack() refuses", () => {
  it("when nothing or only one version was published, or the one before is gone", async () => {
    expect(await refusal(rollBack(local, "never"))).toContain('Nothing is published for "never"');
    const only = written("only", 1);
    await publishTo(local, { from: only.from, catalog: "only", json: true });
    expect(await refusal(rollBack(local, "only"))).toContain(`Version ${only.version} of "only" is the first one published`);
    const pointer = { version: only.version, previous: "0000", publishedAt: "2026-11-01T00:00:00.000Z" };
    await local.put([{ key: pointerKey("only"), value: JSON.stringify(pointer) }]);
    expect(await refusal(rollBack(local, "only"))).toContain('Version 0000 of "only" is no longer in');
  });
});

function armmt(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, CLOUDFLARE_API_TOKEN: "", CLOUDFLARE_API_KEY: "", HOME: folder, XDG_CONFIG_HOME: folder };
  return new Promise((done) => {
    execFile(process.execPath, [join(ROOT, "src/lab/main.ts"), ...args], { env }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("armmt publish", { timeout: 180_000 }, () => {
  it("publishes locally and says what is live; rollback without an earlier version fails", async () => {
    const { from, version } = written("command", 9);
    const flags = ["--local", "--persist-to", join(folder, "state-2"), "--catalog", "shoes"];
    const published = await armmt("publish", "--from", from, ...flags, "--json");
    expect(published).toMatchObject({ code: 0 });
    expect(JSON.parse(published.stdout)).toMatchObject({ catalog: "shoes", version, changed: true });
    const rolled = await armmt("rollback", ...flags);
    expect(rolled).toMatchObject({ code: 1, stdout: "" });
    expect(rolled.stderr).toContain("there is none to go back to");
  });

  it("without an account fails with wrangler's own words", async () => {
    const { from } = written("remote", 9);
    const { code, stderr } = await armmt("publish", "--from", from);
    expect(code).toBe(1);
    expect(stderr).toContain("Error: wrangler kv key list failed:");
    expect(stderr).toContain("CLOUDFLARE_API_TOKEN");
  });
});
