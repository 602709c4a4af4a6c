/** What the order of a list follows: a model as far as its catalogue trusts it, and meaning for the rest. */
import type { QueryTable } from "../embeddings/query-table.ts";
import type { ItemLookup } from "../embeddings/store.ts";
import { matchShards } from "../inference/manifest.ts";
import type { Scorer } from "../inference/scorer.ts";
import { semanticVersion, servedOrder } from "../inference/trust.ts";
import type { ListItem } from "../ranking/candidate.ts";
import { buildTensors, type ListInput, readsMeaning } from "../ranking/features.ts";
import { addDelta, blend, readByMeaning } from "../ranking/meaning.ts";
import { type Bypass, bypass, ok, type Result } from "../result.ts";
import type { WindowScores } from "./contract.ts";

export interface Followed {
  /** `undefined` where meaning alone decides. */
  readonly scorer: Scorer | undefined;
  /** 0 to 1. */
  readonly trust: number;
  /** Of the model, or of the order by meaning. */
  readonly version: string;
  readonly table: QueryTable | undefined;
}

/** `scorer`: `undefined` where no model is asked for. Reasons: model_mismatch, no_query_table. */
export function followedBy(scorer: Scorer | undefined, { set, queryTable: table }: ItemLookup): Result<Followed, Bypass> {
  const served = scorer && servedOrder(scorer.manifest, set);
  if (scorer !== undefined && served !== undefined && served.trust > 0) {
    return ok({ scorer, trust: served.trust, version: scorer.manifest.version, table });
  }
  if (table !== undefined) return ok({ scorer: undefined, trust: 0, version: semanticVersion(set), table });
  const fit = scorer === undefined ? ok(true) : matchShards(scorer.manifest, set);
  if (!fit.ok) return fit;
  return bypass("no_query_table", `Published set ${set.version} has no query table${served === undefined ? "" : `, and ${served.why}`}`);
}

/** All that a list depends on besides the search itself. */
export function identityOf({ scorer, trust, version, table }: Followed): readonly unknown[] {
  return [version, scorer?.manifest.sha256, trust, table?.checksum];
}

/** Without any vector there is nothing to order by. */
export function vectorsMissing(items: readonly (ListItem | undefined)[], version: string): Bypass | undefined {
  if (items.some((item) => item?.image !== undefined || item?.text !== undefined)) return undefined;
  return { reason: "no_item_vectors", detail: `None of ${items.length} hits has a vector in published set ${version}` };
}

/** How a model runs: at once, or when its turn has come; `undefined` where it no longer may. */
type Run = (run: () => ReturnType<Scorer["score"]>) => Promise<Awaited<ReturnType<Scorer["score"]>> | undefined>;

/** Meaning takes less than a fifth of a millisecond, so it waits for nobody. */
export async function scoreList(
  list: ListInput,
  isPinned: readonly boolean[],
  { scorer, trust, table }: Followed,
  isWanted: () => boolean,
  run: Run,
): Promise<Result<WindowScores, Bypass>> {
  if (scorer === undefined) return ok({ score: readByMeaning(list, table, isPinned).scores });
  const { dims, features: scaling, form } = scorer.manifest;
  const isBeside = trust < 1 || form === "delta";
  const meaning = isBeside || readsMeaning(scaling) ? readByMeaning(list, table, isPinned) : undefined;
  const input = meaning === undefined ? list : { ...list, meaning };
  const scores = await run(() => scorer.score(buildTensors(input, { imageDim: dims.image, textDim: dims.text, scaling }), isWanted));
  if (scores === undefined) return bypass("over_budget", "The budget was over when the list's turn came");
  // A wrong number of scores is refused by its own name.
  if (!scores.ok || meaning === undefined || !isBeside || scores.value.score.length !== meaning.scores.length) return scores;
  const combine = form === "delta" ? addDelta : blend;
  return ok({ score: combine(meaning.scores, scores.value.score, trust) });
}
