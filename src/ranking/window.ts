/**
 * The arithmetic of paging: which hits to ask the engine for, and which of them a page shows once the first W are re-ranked.
 *
 * W is fixed per index and independent of the page, so that all pages of one search cut the same list.
 */

/** A page as the shopper asked for it: hits [offset, offset + limit). */
export interface Page {
  readonly offset: number;
  /** At least 1. */
  readonly limit: number;
}

export interface WindowRequest {
  /** The engine is asked for hits [0, size). */
  readonly size: number;
  /** Whether that differs from the shopper's own page. */
  readonly isWidened: boolean;
}

/** `undefined` when the page begins at or past the window: there is nothing to re-rank in it. */
export function windowRequest(page: Page, window: number): WindowRequest | undefined {
  if (page.offset >= window) return undefined;
  // A page that straddles the window needs the hits behind it too.
  const size = Math.max(window, page.offset + page.limit);
  return { size, isWidened: page.offset !== 0 || page.limit !== size };
}

/**
 * The hits that a page shows, as 0-based indices of the engine's order. `order` is the re-ranked window, a permutation of 0..order.length-1; hits behind
 * it, up to `hitCount`, follow in the engine's order. Pages at the end are short or empty, as the engine's are.
 */
export function pageIndices(order: readonly number[], hitCount: number, page: Page): number[] {
  const positions = Array.from({ length: hitCount }, (_, position) => order[position] ?? position);
  return positions.slice(page.offset, page.offset + page.limit);
}
