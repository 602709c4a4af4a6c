/** Tells the story part by part; each is told once. */
import { hash } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { openStages, readJson, writeJson } from "../../cli/train/stages.ts";
import { withLock } from "../../cli/train/lock.ts";
import { preparePython } from "../../cli/train/python.ts";
import { drawCatalogue } from "../../demo/catalogue/catalogue.ts";
import { UserError } from "../../web.ts";
import { hashSources } from "../study/pipeline/stages.ts";
import { placesOf, startShop, writeConfig } from "./edge.ts";
import { CATALOG_SEED, SEEDS, type Sizes } from "./plan.ts";
import { PARTS, type Part } from "./story.ts";

interface TellOptions {
  readonly home: string;
  readonly size: string;
  readonly sizes: Sizes;
  readonly isFresh: boolean;
  readonly afterPart: () => void;
  /** Default: all. */
  readonly parts?: readonly Part[];
}

export const storySchema = v.object({ key: v.string(), size: v.string(), begun: v.string() });

/** Throws a UserError where the folder holds a story of other sources or sizes, or a part fails; the next run goes on with that part. */
export async function tellStory({ home, size, sizes, isFresh, afterPart, parts = PARTS }: TellOptions): Promise<void> {
  if (isFresh) rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  await withLock(home, async () => {
    const key = hash("sha256", JSON.stringify([hashSources("training"), sizes, SEEDS, CATALOG_SEED]));
    const file = join(home, "story.json");
    if (!existsSync(file)) writeJson(file, { key, size, begun: new Date().toISOString() });
    if (readJson(file, storySchema).key !== key)
      throw new UserError(`${home} holds a story of other sources or sizes: begin anew with --fresh, or name another folder with --out`);
    await preparePython();
    const products = drawCatalogue({ count: sizes.items, seed: CATALOG_SEED });
    const [story, shop] = [placesOf(home), await startShop(products)];
    try {
      // The engine has another port in every run.
      writeConfig(story, shop.url);
      const stages = openStages(home, { fresh: false, key });
      for (const { name, work } of parts) {
        await stages.run(name, {}, () => work({ story, shop, products, sizes })); // oxlint-disable-line no-await-in-loop
        afterPart();
        if (name === sizes.until) break;
      }
    } finally {
      shop.stop();
    }
  });
}
