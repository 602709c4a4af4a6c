/**
 * The simulated scenarios of the study: shop, numbers of shoppers and searches, click model of the log, and the part of the shoppers'
 * preferences that is switched off. Each becomes a folder {simulation, lists}.
 */
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Catalog } from "../../../cli/catalog/file.ts";
import { embedCatalog } from "../../../cli/embed.ts";
import { BUILTIN, loadImageEncoder } from "../../../cli/embed/encoder.ts";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";
import { makeLists } from "../lists.ts";
import { openStages } from "../pipeline/stages.ts";
import { SIMULATED_SHOP, writeSimulation } from "../simulate.ts";
import { ALL_PARTS } from "../simulate/attraction.ts";
import type { LogModel } from "../simulate/clicks.ts";
import { drawnShopCatalog } from "../simulate/drawn-shop.ts";
import { fashionCatalog, openFashionShop } from "../simulate/fashion/shop.ts";
import type { Shop } from "../simulate/shop.ts";
import type { Level } from "./benchmark-file.ts";
import { UserError } from "../../../web.ts";

/** Data that may not be redistributed, beside the checkout. */
export const SHARED = join(PACKAGE_ROOT, "../shared/data");

export interface Scenario {
  readonly level: Level;
  readonly shop: "drawn" | "fashion";
  readonly shoppers: number;
  readonly searches: number;
  readonly clickModel: LogModel;
  readonly without?: "picture" | "context" | "personal";
}

const FASHION: Scenario = { level: "fashion", shop: "fashion", shoppers: 20_000, searches: 200_000, clickModel: "pbm" };
const DRAWN: Scenario = { level: "drawn", shop: "drawn", shoppers: 8000, searches: 40_000, clickModel: "pbm" };

/** The same scenario without one part of the shoppers' preferences, with a share of its shoppers and searches. */
function control(scenario: Scenario, level: Level, without: Scenario["without"] & string, share: number): Scenario {
  return { ...scenario, level, without, shoppers: Math.round(scenario.shoppers * share), searches: Math.round(scenario.searches * share) };
}

/** Three more scenarios of 200,000 searches would take days; the drawn level's controls are as large as its main table. */
const FASHION_CONTROL = 0.2;

export const SCENARIOS = {
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
} satisfies Record<string, Scenario | readonly Scenario[]>;

/** A pretrained encoder by others, beside the photographs. */
const PHOTO_ENCODER = join(SHARED, "encoders/mobilenet-v2/model.onnx");

/** Folder name of a scenario: its level, and its click model unless that is PBM. */
export function slugOf({ level, clickModel }: Scenario): string {
  return `${level.replaceAll(" ", "-")}${clickModel === "pbm" ? "" : `-${clickModel}-log`}`;
}

/** True when this machine has the scenario's data. */
export function isPossible({ shop }: Scenario): boolean {
  return shop === "drawn" || (existsSync(join(SHARED, "fashion")) && existsSync(PHOTO_ENCODER));
}

interface Opened {
  readonly shop: Shop | undefined;
  readonly catalog: Catalog;
  readonly encoder: string;
}

async function openShop(scenario: Scenario): Promise<Opened> {
  if (scenario.shop === "drawn") return { shop: undefined, catalog: drawnShopCatalog(SIMULATED_SHOP), encoder: "builtin" };
  if (!isPossible(scenario)) {
    throw new UserError(`Level "${scenario.level}" needs ${SHARED}/fashion and ${PHOTO_ENCODER}, which are not there`);
  }
  const shop = await openFashionShop(join(SHARED, "fashion"));
  return { shop, catalog: fashionCatalog(shop), encoder: PHOTO_ENCODER };
}

/**
 * Embeds the scenario's shop (once for all scenarios that share it), simulates its searches and makes its lists, all below `data`. Returns
 * the scenario's folder.
 */
export async function makeScenario(scenario: Scenario, data: string, json: boolean): Promise<string> {
  const embeddings = join(data, "embeddings", scenario.shop);
  const folder = join(data, slugOf(scenario));
  const simulation = join(folder, "simulation");
  let opened: Promise<Opened> | undefined;
  const open = (): Promise<Opened> => (opened ??= openShop(scenario));
  const embedding = openStages(embeddings, { fresh: false, sources: "data" });
  const encoder = hash("sha256", readFileSync(scenario.shop === "fashion" ? PHOTO_ENCODER : BUILTIN));
  await embedding.run("embed", { shop: scenario.shop, encoder, ...SIMULATED_SHOP }, async () => {
    const { catalog, encoder: name } = await open();
    await embedCatalog({ catalog: catalog.name, items: catalog, imageEncoder: await loadImageEncoder(name), out: embeddings, json });
  });
  const stages = openStages(folder, { fresh: false, sources: "data" });
  await stages.run("simulate", scenario, async () => {
    const { shoppers, searches, clickModel, without } = scenario;
    const parts = without === undefined ? ALL_PARTS : { ...ALL_PARTS, [without]: false };
    writeSimulation({ out: simulation, shop: (await open()).shop, shoppers, searches, clickModel, parts, json });
  });
  await stages.run("lists", { embeddings: embedding.key() }, async () => {
    await makeLists({ events: simulation, embeddings, out: join(folder, "lists"), json });
  });
  return folder;
}
