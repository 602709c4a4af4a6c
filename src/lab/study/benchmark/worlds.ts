/**
 * The simulated worlds of the study: which shop, how many shoppers and searches, which click model makes the log, which part of the
 * shoppers' liking is switched off. Each becomes a folder {embeddings, simulation, lists}.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Catalog } from "../../../cli/catalog/file.ts";
import { embedCatalog } from "../../../cli/embed.ts";
import { BUILTIN, loadImageEncoder, ROOT } from "../../../cli/embed/encoder.ts";
import { makeLists } from "../lists.ts";
import { openStages, type Stages } from "../model/stages.ts";
import { SIMULATED_SHOP, writeSimulation } from "../simulate.ts";
import type { LogModel } from "../simulate/clicks.ts";
import { drawnShopCatalog } from "../simulate/drawn-shop.ts";
import { fashionCatalog, openFashionShop } from "../simulate/fashion/shop.ts";
import type { Shop } from "../simulate/shop.ts";
import type { Level } from "./benchmark-file.ts";
import { UserError } from "../../../web.ts";

/** Data that may not be redistributed lie beside the checkout. */
export const SHARED = join(ROOT, "../shared/data");

export interface World {
  readonly level: Level;
  readonly shop: "drawn" | "fashion";
  readonly shoppers: number;
  readonly searches: number;
  readonly clickModel: LogModel;
  readonly without?: "picture" | "context" | "personal";
}

const FASHION: World = { level: "fashion", shop: "fashion", shoppers: 20_000, searches: 200_000, clickModel: "pbm" };
const DRAWN: World = { level: "drawn", shop: "drawn", shoppers: 8000, searches: 40_000, clickModel: "pbm" };

/** The same world with a part of the shoppers' liking switched off, and a share of its shoppers and searches. */
function control(world: World, level: Level, without: World["without"] & string, share: number): World {
  return { ...world, level, without, shoppers: Math.round(world.shoppers * share), searches: Math.round(world.searches * share) };
}

/** Three more worlds of 200,000 searches would take days; the drawn level's controls are as large as its main table. */
const FASHION_CONTROL = 0.2;

export const WORLDS = {
  fashion: FASHION,
  fashionControls: [
    control(FASHION, "fashion without picture", "picture", FASHION_CONTROL),
    control(FASHION, "fashion without context", "context", FASHION_CONTROL),
    control(FASHION, "fashion without personal", "personal", FASHION_CONTROL),
  ],
  drawn: DRAWN,
  drawnControls: [
    control(DRAWN, "drawn without picture", "picture", 1),
    control(DRAWN, "drawn without context", "context", 1),
    control(DRAWN, "drawn without personal", "personal", 1),
  ],
  /** As `drawn`, but every position is examined: labels without position bias. */
  drawnFullLog: { ...DRAWN, clickModel: "full" },
} satisfies Record<string, World | readonly World[]>;

/** Pretrained, and not ours; beside the photographs. */
const PHOTO_ENCODER = join(SHARED, "encoders/mobilenet-v2/model.onnx");

/** Folder name of a world: its level, and how clicks were logged where that is not the level's usual way. */
export function slugOf({ level, clickModel }: World): string {
  return `${level.replaceAll(" ", "-")}${clickModel === "pbm" ? "" : `-${clickModel}-log`}`;
}

/** True when everything that the world needs is on this machine. */
export function isPossible({ shop }: World): boolean {
  return shop === "drawn" || (existsSync(join(SHARED, "fashion")) && existsSync(PHOTO_ENCODER));
}

interface Opened {
  readonly shop: Shop | undefined;
  readonly catalog: Catalog;
  readonly encoder: string;
}

async function openShop(world: World): Promise<Opened> {
  if (world.shop === "fashion") {
    if (!isPossible(world)) throw new UserError(`Level "${world.level}" needs ${SHARED}/fashion and ${PHOTO_ENCODER}, which are not there`);
    const shop = await openFashionShop(join(SHARED, "fashion"));
    return { shop, catalog: fashionCatalog(shop), encoder: PHOTO_ENCODER };
  }
  return { shop: undefined, catalog: drawnShopCatalog(SIMULATED_SHOP), encoder: "builtin" };
}

interface Making {
  /** Of all the study's data. */
  readonly data: string;
  readonly json: boolean;
}

/** Embeds the world's shop (once for all worlds that share it), simulates its searches and makes its lists. Returns the world's folder. */
export async function makeWorld(world: World, { data, json }: Making): Promise<string> {
  const embeddings = join(data, "embeddings", world.shop);
  const folder = join(data, slugOf(world));
  const simulation = join(folder, "simulation");
  let opened: Promise<Opened> | undefined;
  const shop = (): Promise<Opened> => (opened ??= openShop(world));
  const embedding: Stages = openStages(embeddings, { fresh: false, sources: "data" });
  const encoder = createHash("sha256")
    .update(readFileSync(world.shop === "fashion" ? PHOTO_ENCODER : BUILTIN))
    .digest("hex");
  await embedding.run("embed", { shop: world.shop, encoder, ...SIMULATED_SHOP }, async () => {
    const { catalog, encoder: name } = await shop();
    await embedCatalog({ catalog: catalog.name, items: catalog, imageEncoder: await loadImageEncoder(name), out: embeddings, json });
  });
  const stages = openStages(folder, { fresh: false, sources: "data" });
  await stages.run("simulate", world, async () => {
    const { shoppers, searches, clickModel, without } = world;
    writeSimulation({
      out: simulation,
      shop: (await shop()).shop,
      items: SIMULATED_SHOP.count,
      catalogSeed: SIMULATED_SHOP.seed,
      shoppers,
      searches,
      clickModel,
      seed: 1,
      withText: true,
      withPicture: without !== "picture",
      withPersonal: without !== "personal",
      withContext: without !== "context",
      json,
    });
  });
  await stages.run("lists", { embeddings: embedding.key() }, async () => {
    await makeLists({ events: simulation, embeddings, out: join(folder, "lists"), json });
  });
  return folder;
}
