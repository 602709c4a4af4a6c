/**
 * Bypass codes in a shopper's words. A code without a sentence of its own is shown as it is.
 */
const SENTENCES: Readonly<Record<string, string>> = {
  explicit_sort: "You asked for an order of your own, so {place} passed the engine’s answer through untouched.",
  no_query_text: "There is no query to rank for, so {place} passed the engine’s answer through untouched.",
  too_few_hits: "There are too few products to reorder.",
  beyond_window: "These results lie past the re-ranked window and keep the engine’s order.",
  engine_order: "This visit is in the arm of the experiment that shows the engine's own order.",
  nothing_published: "No item vectors are published, so the engine’s order is shown.",
  no_item_vectors: "None of these products has item vectors, so the engine’s order is shown.",
  model_mismatch: "The model does not fit the published item vectors, so the engine’s order is shown.",
  over_budget: "Ranking would have taken too long this time, so the engine’s order is shown.",
};

/** `place`: who re-ranks, "the edge" or "this device". */
export function explainReason(reason: string, place: string): string {
  const sentence = SENTENCES[reason] ?? "{Place} could not re-rank this search and passed the engine’s answer on.";
  return sentence.replace("{place}", place).replace("{Place}", `${place.slice(0, 1).toUpperCase()}${place.slice(1)}`);
}
