/** What scores a list: the forms of a model beside the order of engine and meaning. */
import { describe, expect, it } from "vitest";
import type { ModelManifest } from "../../src/inference/manifest.ts";
import type { ListTensors } from "../../src/ranking/features.ts";
import { blend, readByMeaning } from "../../src/ranking/meaning.ts";
import { TOKEN_TABLE_ROWS, TOKENIZER } from "../../src/ranking/tokenizer.ts";
import { hashWord, wordHashes } from "../../src/ranking/words.ts";
import { ok } from "../../src/result.ts";
import { type Followed, scoreList } from "../../src/search/follow.ts";

const TITLES = ["blue mug", "red rug", "red mug", "fork", "red mug with 8 forks"];
const list = {
  queryText: "red mug",
  candidates: TITLES.map((_, i) => ({ itemId: `i${i}`, rank: i + 1, score: 10 - i })),
  items: TITLES.map((title, i) => ({
    itemId: `i${i}`,
    image: Float32Array.of(1, 0),
    text: /mug/.test(title) ? Float32Array.of(1, 0) : Float32Array.of(0, 1),
    features: [],
    words: wordHashes([title]),
  })),
  history: [],
  nowDay: 0,
};
const isPinned = TITLES.map(() => false);

let reads = 0;
const table: NonNullable<Followed["table"]> = {
  textEncoder: "t",
  textDim: 2,
  pictureDim: 0,
  pictureWeight: 0,
  itemCount: 5,
  byteLength: 0,
  checksum: 0,
  itemsWith: () => 1,
  encodeQuery(text) {
    reads++;
    const words = text.split(" ").map((word) => ({ hash: hashWord(word), rarity: 1, itemCount: 1 }));
    return { text: Float32Array.of(1, 0), picture: undefined, words, codes: [] };
  },
};

const MANIFEST: ModelManifest = {
  format: 1,
  version: "m",
  sha256: "0".repeat(64),
  dims: { image: 2, text: 2 },
  features: [{ name: "rank_log", mean: 0, std: 1 }],
  tokenizer: { name: TOKENIZER, rows: TOKEN_TABLE_ROWS },
  encoders: { image: "i", text: "t" },
  trainedOn: "nothing",
  metrics: {},
  parameters: { total: 0, tokenTable: 0 },
  licence: "Apache-2.0",
};

/** A model whose graph says `own` of the candidates; the tensors that it was given are in `asked`. */
function model(own: readonly number[], over: Partial<ModelManifest> = {}) {
  const asked: ListTensors[] = [];
  const scorer = {
    manifest: { ...MANIFEST, ...over },
    async score(tensors: ListTensors) {
      asked.push(tensors);
      return ok({ score: Float32Array.from(own), gate: new Float32Array(2 * own.length) });
    },
  };
  return { scorer, asked };
}

async function scoresOf(followed: Partial<Followed>, pinned = isPinned): Promise<readonly number[]> {
  const whole = { scorer: undefined, trust: 1, version: "v", table, ...followed };
  const scores = await scoreList(
    list,
    pinned,
    whole,
    () => true,
    (run) => run(),
  );
  if (!scores.ok) throw new Error(scores.error.detail);
  return Array.from(scores.value.score);
}

const ZERO = TITLES.map(() => 0);
const OWN = [0.5, -1, 0.25, 2, 0];

describe("a model of form delta", () => {
  it("is engine and meaning, to the last bit, as long as it has learned nothing", async () => {
    const semantic = await scoresOf({ trust: 0 });
    expect(semantic).toEqual([...readByMeaning(list, table).scores]);
    for (const trust of [0.3, 1]) expect(await scoresOf({ ...model(ZERO, { form: "delta" }), trust })).toEqual(semantic);
  });

  it("adds its delta times the trust, on no other scale", async () => {
    const semantic = await scoresOf({ trust: 0 });
    for (const trust of [0.3, 1]) {
      const scores = await scoresOf({ ...model(OWN, { form: "delta" }), trust });
      scores.forEach((score, i) => expect(score).toBeCloseTo(semantic[i]! + trust * OWN[i]!, 12));
    }
  });

  it("adds it to the engine's part where the catalogue has no query table", async () => {
    const scores = await scoresOf({ ...model(ZERO, { form: "delta" }), table: undefined });
    expect(scores).toEqual([1, 0.9, 0.8, 0.7, 0.6]);
  });

  it("takes nothing from a pinned hit's score", async () => {
    const pinned = [true, false, false, false, false];
    expect(await scoresOf(model(ZERO, { form: "delta" }), pinned)).toEqual([...readByMeaning(list, table, pinned).scores]);
  });
});

describe("a model of form score", () => {
  it("is served as it is at full trust, and blended below", async () => {
    reads = 0;
    expect(await scoresOf(model(OWN))).toEqual(OWN);
    expect(await scoresOf(model(OWN, { form: "score" }))).toEqual(OWN);
    // Nothing that the model does not read is computed.
    expect(reads).toBe(0);
    const semantic = await scoresOf({ trust: 0 });
    expect(await scoresOf({ ...model(OWN), trust: 0.3 })).toEqual([...blend(semantic, OWN, 0.3)]);
  });

  it("reads meaning where its manifest names it", async () => {
    const features = (["prior", "word_coverage", "has_meaning"] as const).map((name) => ({ name, mean: 0, std: 1 }));
    const { scorer, asked } = model(OWN, { features });
    expect(await scoresOf({ scorer })).toEqual(OWN);
    const { scores, coverage } = readByMeaning(list, table);
    const expected = TITLES.flatMap((_, i) => [scores[i]!, coverage[i]!, 1]);
    expect(Array.from(asked[0]!.features)).toEqual(Array.from(Float32Array.from(expected)));
  });
});
