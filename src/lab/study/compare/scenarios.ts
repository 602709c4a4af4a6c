/** The study's simulated scenarios: shop, sizes, click model, the preferences that are off. Each becomes a folder {simulation, lists}. */
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Catalog } from "../../../cli/catalog/file.ts";
import { embedCatalog } from "../../../cli/embed.ts";
import { BUILTIN, loadImageEncoder } from "../../../cli/embed/encoder.ts";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";
import { makeLists } from "../../../cli/lists.ts";
import { openStages } from "../pipeline/stages.ts";
import { inWorld, SIMULATED_SHOP, writeSimulation } from "../simulate.ts";
import { ALL_PARTS } from "../simulate/attraction.ts";
import type { LogModel } from "../simulate/clicks.ts";
import { drawnCatalogOf, drawnShop, drawnShopCatalog } from "../simulate/drawn-shop.ts";
import { fashionCatalog, fashionCatalogOf, openFashionShop } from "../simulate/fashion/shop.ts";
import { DOSES, USUAL_DOSE } from "../simulate/honest/shop.ts";
import { type Searched, simulate } from "../simulate/scenario.ts";
import type { Shop } from "../simulate/shop.ts";
import type { PeopledShop } from "../simulate/world.ts";
import { type Level, LEVELS } from "./benchmark-file.ts";

/** Data that may not be redistributed, beside the checkout. */
export const SHARED = join(PACKAGE_ROOT, "../shared/data");

export interface Scenario {
  readonly level: Level;
  readonly shop: "drawn" | "fashion";
  readonly shoppers: number;
  readonly searches: number;
  readonly clickModel: LogModel;
  readonly without?: "picture" | "context" | "personal";
  /** Default: world 1, in which these settings are not named. */
  readonly world?: 2;
  /** The pictures' share of what decides in world 2. */
  readonly dose?: number;
}

const FASHION: Scenario = { level: "fashion", shop: "fashion", shoppers: 20_000, searches: 200_000, clickModel: "pbm" };
const DRAWN: Scenario = { level: "drawn", shop: "drawn", shoppers: 8000, searches: 40_000, clickModel: "pbm" };

/** The same scenario without one part of the shoppers' preferences each, with a share of its shoppers and searches. */
function controlsOf(scenario: Scenario, share: number): Scenario[] {
  return (["picture", "context", "personal"] as const).map((without) => ({
    ...scenario,
    level: `${scenario.shop} without ${without}`,
    without,
    shoppers: scenario.shoppers * share,
    searches: scenario.searches * share,
  }));
}

/** World 2 at its usual dose of pictures has the shop's own level. */
function inWorldTwo(scenario: Scenario, dose: number, share = 1): Scenario {
  const { shop, shoppers, searches } = scenario;
  const level = dose === USUAL_DOSE ? (`${shop} world 2` as const) : levelOfDose(shop, dose);
  return { ...scenario, level, world: 2, dose, shoppers: shoppers * share, searches: searches * share };
}

function levelOfDose(shop: Scenario["shop"], dose: number): Level {
  const level = LEVELS.find((name) => name === `${shop} world 2 dose ${dose}`);
  if (level === undefined) throw new Error(`No level is named for the dose ${dose}`);
  return level;
}

export const SCENARIOS = {
  fashion: FASHION,
  /** Three more scenarios of 200,000 searches would take days. */
  fashionControls: controlsOf(FASHION, 0.2),
  drawn: DRAWN,
  /** As large as the level's main table. */
  drawnControls: controlsOf(DRAWN, 1),
  drawnTwo: inWorldTwo(DRAWN, USUAL_DOSE),
  drawnDoses: DOSES.map((dose) => inWorldTwo(DRAWN, dose)),
  fashionTwo: inWorldTwo(FASHION, USUAL_DOSE),
  fashionDoses: DOSES.map((dose) => inWorldTwo(FASHION, dose, 0.2)),
  /** As `drawn`, but every position is examined: labels without position bias. */
  drawnFullLog: { ...DRAWN, clickModel: "full" },
} satisfies Record<string, Scenario | readonly Scenario[]>;

/** A pretrained encoder by others, beside the photographs. */
const PHOTO_ENCODER = join(SHARED, "encoders/mobilenet-v2/model.onnx");

/** Folder name of a scenario: its level, its world unless that is 1, and its click model unless that is PBM. */
export function slugOf({ level, clickModel, world, dose }: Scenario): string {
  const where = world === undefined ? "" : `-world-${world}${dose === undefined ? "" : `-dose-${dose}`}`;
  return `${level.replace(/ world 2.*/, "").replaceAll(" ", "-")}${where}${clickModel === "pbm" ? "" : `-${clickModel}-log`}`;
}

/** True when this machine has the scenario's data. */
export function isPossible({ shop }: Scenario): boolean {
  return shop === "drawn" || (existsSync(join(SHARED, "fashion")) && existsSync(PHOTO_ENCODER));
}

/** The shop as it is, and the catalogue that its world shows. */
async function openShop({ shop: name, world }: Scenario): Promise<{ shop: Shop; catalog: Catalog }> {
  const shop = name === "drawn" ? drawnShop(SIMULATED_SHOP) : await openFashionShop(join(SHARED, "fashion"));
  if ("folder" in shop) return { shop, catalog: world === 2 ? fashionCatalogOf(shop) : fashionCatalog(shop) };
  return { shop, catalog: world === 2 ? drawnCatalogOf(shop) : drawnShopCatalog(SIMULATED_SHOP) };
}

/** The simulation of a scenario, again: the same searches. */
export async function searchesOf(scenario: Scenario, onSearch: (search: Searched, shop: PeopledShop) => void): Promise<void> {
  const shop = inWorld((await openShop(scenario)).shop, { ...scenario, seed: SEED });
  const { shoppers, searches, clickModel } = scenario;
  const sessions = simulate({
    shop,
    shoppers,
    searches,
    clickModel,
    parts: ALL_PARTS,
    seed: SEED,
    onSearch: (search) => onSearch(search, shop),
  });
  while (sessions.next().done !== true);
}

const SEED = 1;

/** Embeds the shop (once per shop), simulates its searches and makes its lists, all below `data`. Returns the scenario's folder. */
export async function makeScenario(scenario: Scenario, data: string, json: boolean): Promise<string> {
  const embeddings = join(data, "embeddings", `${scenario.shop}${scenario.world === undefined ? "" : `-world-${scenario.world}`}`);
  const folder = join(data, slugOf(scenario));
  const simulation = join(folder, "simulation");
  let opened: ReturnType<typeof openShop> | undefined;
  const open = () => (opened ??= openShop(scenario));
  const embedding = openStages(embeddings, { fresh: false, sources: "data" });
  const encoder = scenario.shop === "fashion" ? PHOTO_ENCODER : BUILTIN;
  const settings = { shop: scenario.shop, world: scenario.world, encoder: hash("sha256", readFileSync(encoder)), ...SIMULATED_SHOP };
  await embedding.run("embed", settings, async () => {
    const { catalog } = await open();
    const imageEncoder = await loadImageEncoder(encoder === BUILTIN ? "builtin" : encoder);
    await embedCatalog({ catalog: catalog.name, items: catalog, imageEncoder, textEncoder: "builtin", out: embeddings, json });
  });
  const stages = openStages(folder, { fresh: false, sources: "data" });
  await stages.run("simulate", scenario, async () => {
    const { shoppers, searches, clickModel, without, world, dose } = scenario;
    const parts = without === undefined ? ALL_PARTS : { ...ALL_PARTS, [without]: false };
    writeSimulation({ out: simulation, shop: (await open()).shop, shoppers, searches, clickModel, parts, json, world, dose, seed: SEED });
  });
  await stages.run("lists", { embeddings: embedding.key() }, async () => {
    await makeLists({ from: simulation, embeddings, out: join(folder, "lists"), json });
  });
  return folder;
}
