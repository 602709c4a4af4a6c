/** A model from its folder into a server's data folder, and from there into a running server: no deployment, no restart. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import golden from "../../../model/golden.json";
import manifest from "../../../model/manifest.json";
import { publishModel } from "../../../src/cli/publish/model.ts";
import { openFolderNamespace } from "../../../src/cli/publish/namespace.ts";
import { writeRanking } from "../../../src/cli/publish/ranking.ts";
import { pointerKey, setKey } from "../../../src/embeddings/store.ts";
import { parseGolden } from "../../../src/inference/golden.ts";
import { ITEM_FEATURES } from "../../../src/ranking/candidate.ts";
import { folderKv } from "../../../src/runtimes/node/folder-kv.ts";
import { openPublished } from "../../../src/runtimes/node/models.ts";
import { bypass } from "../../../src/result.ts";
import { createLiveModels } from "../../../src/search/live-models.ts";
import { UserError } from "../../../src/web.ts";

const root = mkdtempSync(join(tmpdir(), "armmt-model-"));
afterAll(() => rmSync(root, { recursive: true }));

function modelFolder(version: string, edit: (folder: string) => void = () => undefined): string {
  const folder = join(root, version);
  for (const file of ["student.onnx", "golden.json"]) cpSync(new URL(`../../../model/${file}`, import.meta.url), join(folder, file));
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, version }));
  edit(folder);
  return folder;
}

const kv = join(root, "kv");
const store = openFolderNamespace(kv);
const options = (folder: string) => ({ folder, catalog: "products", isForServer: true, json: true, at: new Date(0) });

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error("expected a UserError", { cause: error });
  return error.message;
}

describe("publishModel()", () => {
  it("serves on a running server within a minute, and a second run writes nothing", async () => {
    let at = 0;
    const after: Promise<unknown>[] = [];
    const models = createLiveModels({
      catalogs: ["products"],
      kv: folderKv(kv),
      deployed: () => bypass("model_unavailable", "none"),
      open: openPublished,
      now: () => at,
      log: () => undefined,
    });
    expect(models.scorer("own-1")).toMatchObject({ ok: false, error: { reason: "model_unavailable" } });
    const folder = modelFolder("own-1");
    expect(await publishModel(store, options(folder))).toMatchObject({ model: "own-1", changed: true, written: 2 });
    expect(await publishModel(store, options(folder))).toMatchObject({ changed: false, written: 0 });
    await writeRanking(store, "products", { model: "own-1", trust: 0.3, evidence: "a test", at: new Date(0) });
    at += 60_001;
    models.refresh((work) => void after.push(work));
    await Promise.all(after);
    const scorer = models.scorer("own-1");
    if (!scorer.ok) throw new Error(scorer.error.detail);
    const [first] = parseGolden(golden).cases;
    const scored = await scorer.value.score(first!.list);
    expect(scored.ok && Math.abs(scored.value.score[0]! - first!.score[0]!)).toBeLessThan(1e-4);
    expect(models.rankingOf("products")).toMatchObject({ model: "own-1", trust: 0.3 });
  });

  it("refuses a version that has another graph already", async () => {
    const folder = modelFolder("own-2");
    await publishModel(store, options(folder));
    const key = join(kv, "models/own-2/model");
    writeFileSync(key, readFileSync(key, "utf8").replace(manifest.sha256, "0".repeat(64)));
    expect(await refusal(publishModel(store, options(folder)))).toMatch(
      /own-2 is published in .* with another graph: .*give this model another one/,
    );
  });

  it.each<[string, (folder: string) => void, RegExp]>([
    ["no golden scores", (folder) => rmSync(join(folder, "golden.json")), /has no golden\.json/],
    [
      "golden scores of another graph",
      (folder) => writeFileSync(join(folder, "golden.json"), JSON.stringify({ ...golden, sha256: "00" })),
      /belongs to a graph with SHA-256 00/,
    ],
    ["a graph that is cut off", (folder) => writeFileSync(join(folder, "student.onnx"), "x"), /they do not belong together/],
    [
      "other features",
      (folder) => writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, features: [{ name: "x", mean: 0, std: 1 }] })),
      /computes no feature "x"/,
    ],
  ])("refuses a folder with %s", async (name, edit, why) => {
    expect(await refusal(publishModel(store, options(modelFolder(name.replaceAll(" ", "-"), edit))))).toMatch(why);
  });

  it("refuses a model whose vectors are not the catalogue's", async () => {
    const set = {
      format: 1,
      version: "s1",
      shardCount: 1,
      itemCount: 1,
      imageDim: 64,
      textDim: 32,
      imageEncoder: manifest.encoders.image,
      textEncoder: manifest.encoders.text,
      itemFeatures: [...ITEM_FEATURES],
      shards: [{ bytes: 1, checksum: 1 }],
    };
    await store.put([
      { key: pointerKey("other"), value: JSON.stringify({ version: "s1", previous: null, publishedAt: "" }) },
      { key: setKey("other", "s1"), value: JSON.stringify(set) },
    ]);
    const why = await refusal(publishModel(store, { ...options(modelFolder("own-3")), catalog: "other" }));
    expect(why).toMatch(/needs text dim 64 or more, the published set has 32 \(catalogue other\)/);
  });
});
