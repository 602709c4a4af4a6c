/** A front end's two pages, at the engine and at the edge: the same way through both, and what must be alike. */
import type { Browser } from "playwright-core";
import { expect } from "vitest";
import type { Front } from "./fronts.ts";
import type { Place, Shops } from "./shops.ts";
import { type Diary, walk } from "./walk.ts";

/** Events of crawlers, and of headless browsers, do not count. */
export const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

/** One after the other. */
export async function walkBoth(browser: Browser, shops: Shops, front: Front): Promise<readonly [engine: Diary, edge: Diary]> {
  return [await walkAt("engine"), await walkAt("edge")];

  async function walkAt(place: Place): Promise<Diary> {
    const context = await browser.newContext({ userAgent: USER_AGENT });
    // On a busy machine.
    context.setDefaultTimeout(120_000);
    try {
      if (place === "engine") await shops.answerAsEngine(context, front);
      return await walk(await context.newPage(), shops.addressOf(front, place), front, shops.lag);
    } finally {
      await context.close();
    }
  }
}

const sorted = (ids: readonly string[]): readonly string[] => ids.toSorted();

export function expectSameShop(engine: Diary, edge: Diary): void {
  for (const { complaints } of [engine, edge]) expect(complaints).toEqual([]);
  // Without words, sorted, and whatever no order can change.
  expect(edge.home).toEqual(engine.home);
  expect(edge.sorted).toEqual(engine.sorted);
  expect(edge.foundFacets).toEqual(engine.foundFacets);
  expect([edge.typed.count, edge.typed.facets, edge.offers.length]).toEqual([
    engine.typed.count,
    engine.typed.facets,
    engine.offers.length,
  ]);
  expect(edge.pages.map(({ length }) => length)).toEqual(engine.pages.map(({ length }) => length));
  // The same hits, each once.
  expect(sorted(edge.pages.flat())).toEqual(sorted(engine.pages.flat()));
  expect(edge.infinite.length).toBe(engine.infinite.length);
  expect(sorted(edge.infinite)).toEqual(sorted(engine.infinite));
  expect({ ...edge.refined, ids: sorted(edge.refined?.ids ?? []) }).toEqual({
    ...engine.refined,
    ids: sorted(engine.refined?.ids ?? []),
  });
  // In another order, which lasts.
  expect(edge.typed.ids).not.toEqual(engine.typed.ids);
  if (edge.back !== undefined) expect(edge.back).toEqual(edge.typed);
  if (edge.infinite.length > 0) expect(edge.infinite).toEqual(edge.pages.flat());
}
