/** Which model a variant means in a catalogue, and how far its order follows it: by the variant's name, the catalogue's ranking, or the published set. */
import type { PublishedSet } from "../embeddings/store.ts";
import { modelIn, type Ranker, type Treatment } from "../experiment/treatment.ts";
import type { Scorer } from "../inference/scorer.ts";
import type { Bypass, Result } from "../result.ts";
import type { EdgeDeps, IndexDeps } from "./contract.ts";

type ModelRanker = Extract<Ranker, { readonly kind: "model" }>;

interface Place {
  readonly deps: Pick<EdgeDeps, "scorer">;
  readonly index: Pick<IndexDeps, "ranking">;
}

export function scorerOf({ version, trust }: ModelRanker, { deps, index }: Place): Result<Scorer, Bypass> {
  const ranking = index.ranking?.();
  // Where nothing is followed no model has to be here.
  const isFollowed = ranking !== undefined && (trust ?? ranking.trust) > 0;
  return deps.scorer(version ?? (isFollowed ? ranking.model : undefined));
}

/** Of a treatment's model, the first of two; the live one where it names none. */
export function treatmentScorer(treatment: Treatment, place: Place): Result<Scorer, Bypass> {
  const model = modelIn(treatment);
  return model === undefined ? place.deps.scorer() : scorerOf(model, place);
}

/** The set with the trust that holds for this variant and model; the same object for the same trust. */
export function trustedSet(ranker: ModelRanker, scorer: Scorer, { index }: Pick<Place, "index">, set: PublishedSet): PublishedSet {
  if (ranker.trust !== undefined) return withTrust(set, ranker.trust, "the variant's name");
  const ranking = index.ranking?.();
  if (ranking === undefined) return set;
  const { version } = scorer.manifest;
  if (version !== ranking.model) return withTrust(set, 0, "");
  return withTrust(set, ranking.trust, `the catalogue's ranking, since ${ranking.since} (${ranking.evidence}),`);
}

function withTrust(set: PublishedSet, trust: number, trustedBy: string): PublishedSet {
  let known = derived.get(set);
  if (known === undefined) derived.set(set, (known = new Map()));
  const key = `${trust} ${trustedBy}`;
  let found = known.get(key);
  if (found === undefined) {
    // A trust changes a few times in the life of a set.
    if (known.size >= MAX_DERIVED) known.clear();
    known.set(key, (found = Object.assign({ ...set, trust }, { trustedBy })));
  }
  return found;
}

const MAX_DERIVED = 16;

const derived = new WeakMap<PublishedSet, Map<string, PublishedSet>>();
