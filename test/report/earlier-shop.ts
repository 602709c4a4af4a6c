/** Simulated shoppers with tastes that last: searches before and in an experiment, with a known effect. */
import type { ActionRow, EarlierRows, Log, SearchRow } from "../../src/report/log.ts";
import { action, DAY_MS, logOf, search, START_MS } from "./rows.ts";
import { seeded } from "./statistics/random.ts";

export interface ShopOptions {
  readonly seed: number;
  readonly shoppers: number;
  /** Relative, on clicks. */
  readonly lift: number;
  readonly days: number;
  /** Share of shoppers who searched before. */
  readonly returning: number;
}

type Earlier = { readonly queryId: string; readonly unit: string; readonly atMs: number; readonly variant: string | undefined };

/** A shopper's clicks per search follow a taste between 0 and 1.6, before the experiment and in it. */
export function drawShop({ seed, shoppers, lift, days, returning }: ShopOptions) {
  const random = seeded(seed);
  const searches: SearchRow[] = [];
  const actions: ActionRow[] = [];
  const earlier: Earlier[] = [];
  const earlierActions: (ActionRow & { atMs: number })[] = [];
  const clicksOf = (mean: number): number => {
    let clicks = 0;
    for (let left = Math.exp(-mean), product = random(); product > left; product *= random()) clicks++;
    return clicks;
  };
  for (let n = 0; n < shoppers; n++) {
    const unit = `u${n}`;
    const isB = random() < 0.5;
    const taste = 1.6 * random();
    const first = START_MS + Math.floor(random() * days) * DAY_MS;
    if (random() < returning)
      for (let s = 0; s < 1 + Math.floor(random() * 6); s++) {
        const atMs = START_MS - DAY_MS * (1 + Math.floor(random() * 20));
        earlier.push({ queryId: `e${n}-${s}`, unit, atMs, variant: undefined });
        for (let c = clicksOf(taste); c > 0; c--) earlierActions.push({ ...action(`e${n}-${s}`, "click"), atMs: atMs + 60_000 });
      }
    for (let s = 0; s < 1 + Math.floor(random() * 3); s++) {
      const queryId = `q${n}-${s}`;
      searches.push(search(queryId, isB ? "armmt" : "control", { unit, atMs: first + s * 1000 }));
      for (let c = clicksOf(taste * (isB ? 1 + lift : 1)); c > 0; c--) actions.push(action(queryId, "click"));
    }
  }
  return { searches, actions, earlier, earlierActions };
}

export function withEarlier(log: Log, earlier: readonly Earlier[], actions: readonly (ActionRow & { atMs: number })[] = []): Log {
  return {
    ...log,
    earlier: (): EarlierRows => ({
      async *searches() {
        yield* earlier;
      },
      async *actions() {
        yield* actions;
      },
    }),
  };
}

export function shopLog(options: ShopOptions): Log {
  const { searches, actions, earlier, earlierActions } = drawShop(options);
  return withEarlier(logOf(searches, actions), earlier, earlierActions);
}
