/**
 * The treatment of a search by its variant. The variant's name defines it, so that a log can be read without the configuration of that day:
 *
 * `control` · `semantic` · `armmt` · `armmt@<version>` · `interleave(<a>, <b>)` · `shadow(<a>)` · `explore(<a>)`, where a and b are one of the
 * first four, with a trust where they are a model (`armmt:0.3`, `armmt@<version>:1`), and a shadow or an exploration is not of `control`.
 */
import { err, ok, type Result } from "../result.ts";

/** Whose order: the engine's; that of the engine and of meaning; or that of a model, without a version of the one that is live. */
export type Ranker =
  | { readonly kind: "engine" }
  | { readonly kind: "semantic" }
  | {
      readonly kind: "model";
      readonly version: string | undefined;
      /** 0 to 1, how far the order follows the model; absent: as far as the catalogue does. */
      readonly trust?: number;
    };

export type Treatment =
  /** One order is shown. */
  | { readonly kind: "serve"; readonly ranker: Ranker }
  /** Two orders are merged by team draft: a click is a vote. */
  | { readonly kind: "interleave"; readonly a: Ranker; readonly b: Ranker }
  /** The engine's order is shown, the other is recorded. */
  | { readonly kind: "shadow"; readonly ranker: Ranker }
  /** One pair of neighbours is swapped with a known probability. */
  | { readonly kind: "explore"; readonly ranker: Ranker };

const MODEL = /^armmt(?:@([A-Za-z0-9][A-Za-z0-9._-]{0,63}))?(?::(0|1|0\.\d{1,3}))?$/;
const CALL = /^(interleave|shadow|explore)\((.*)\)$/;

const EXPECTED =
  'use "control", "armmt", "armmt@<version>", "armmt@<version>:<trust>", "semantic", "interleave(control, armmt)", "shadow(armmt)" or "explore(armmt)"';

/** The error names the problem of `name` and the fix. */
export function parseTreatment(name: string): Result<Treatment, string> {
  const [, call, inner = ""] = CALL.exec(name) ?? [];
  if (call === undefined) {
    const ranker = parseRanker(name);
    return ranker === undefined ? err(`"${name}" is not a variant: ${EXPECTED}`) : ok({ kind: "serve", ranker });
  }
  const names = inner.split(",").map((part) => part.trim());
  const [a, b] = names.map(parseRanker);
  if (call === "interleave") {
    if (names.length !== 2 || a === undefined || b === undefined) return err(`"${name}" does not name two orders: ${EXPECTED}`);
    if (names[0] === names[1]) return err(`"${name}" interleaves an order with itself: name two`);
    return ok({ kind: "interleave", a, b });
  }
  if (names.length !== 1 || a === undefined) return err(`"${name}" does not name an order: ${EXPECTED}`);
  if (a.kind === "engine") return err(`"${name}" needs no model, and the engine's order alone is never asked for a window: name a model`);
  return ok({ kind: call === "explore" ? "explore" : "shadow", ranker: a });
}

function parseRanker(name: string): Ranker | undefined {
  if (name === "control") return { kind: "engine" };
  if (name === "semantic") return { kind: "semantic" };
  const model = MODEL.exec(name);
  if (model === null) return undefined;
  const [, version, trust] = model;
  return { kind: "model", version, ...(trust !== undefined && { trust: Number(trust) }) };
}

/** The model of a treatment, the first of two; `undefined` without a model. */
export function modelIn(treatment: Treatment): Extract<Ranker, { readonly kind: "model" }> | undefined {
  const model = rankersOf(treatment).find((ranker) => ranker.kind === "model");
  return model?.kind === "model" ? model : undefined;
}

/** The rankers of a treatment, in the order in which it names them. */
export function rankersOf(treatment: Treatment): readonly Ranker[] {
  return treatment.kind === "interleave" ? [treatment.a, treatment.b] : [treatment.ranker];
}
