/**
 * `armmt attributes`: queries for what photographs show (colour, kind, for whom) over the fashion catalogue, as a judged catalogue for
 * `armmt evaluate`. Ratings follow from the shop's own labels, the words of the queries are ours: nobody judged or typed them.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Command, Option } from "commander";
import { createRandom } from "../../demo/catalogue/random.ts";
import { createBm25 } from "../../cli/evaluate/bm25.ts";
import { readFashion, type FashionItem } from "./simulate/fashion/catalogue.ts";
import { shownTitle, vocabularyOf } from "./simulate/fashion/titles.ts";

/** Label → words that no label and, withheld or not, few titles have. The family is of colours that pass for each other. */
const COLOURS: Readonly<Record<string, readonly [family: string, other: string]>> = {
  Black: ["black", "ebony"],
  Charcoal: ["grey", "dark slate"],
  Grey: ["grey", "ash"],
  Silver: ["grey", "metallic"],
  White: ["white", "snowy"],
  "Off White": ["white", "eggshell"],
  Cream: ["white", "vanilla"],
  Blue: ["blue", "azure"],
  "Navy Blue": ["blue", "midnight"],
  "Turquoise Blue": ["blue", "aquamarine"],
  Teal: ["green", "petrol"],
  Green: ["green", "emerald"],
  Olive: ["green", "army"],
  Khaki: ["brown", "sand"],
  Brown: ["brown", "chocolate"],
  "Coffee Brown": ["brown", "mocha"],
  Tan: ["brown", "camel"],
  Beige: ["brown", "nude"],
  Red: ["red", "scarlet"],
  Maroon: ["red", "burgundy"],
  Pink: ["pink", "rose"],
  Magenta: ["pink", "fuchsia"],
  Peach: ["orange", "apricot"],
  Orange: ["orange", "tangerine"],
  Yellow: ["yellow", "lemon"],
  Mustard: ["yellow", "ochre"],
  Gold: ["yellow", "gilded"],
  Purple: ["purple", "plum"],
  Lavender: ["purple", "lilac"],
};

const KINDS: Readonly<Record<string, readonly [label: string, other: string]>> = {
  Tshirts: ["tshirt", "tee"],
  Shirts: ["shirt", "button down"],
  "Casual Shoes": ["casual shoes", "sneakers"],
  "Sports Shoes": ["sports shoes", "trainers"],
  "Formal Shoes": ["formal shoes", "oxfords"],
  Tops: ["top", "blouse"],
  Kurtas: ["kurta", "ethnic tunic"],
  Kurtis: ["kurti", "short ethnic tunic"],
  Handbags: ["handbag", "purse"],
  Backpacks: ["backpack", "rucksack"],
  Wallets: ["wallet", "billfold"],
  Watches: ["watch", "timepiece"],
  Sunglasses: ["sunglasses", "shades"],
  Heels: ["heels", "stilettos"],
  Flats: ["flats", "ballerinas"],
  Sandals: ["sandals", "strappy footwear"],
  "Flip Flops": ["flip flops", "beach slippers"],
  Jeans: ["jeans", "denims"],
  Trousers: ["trousers", "pants"],
  "Track Pants": ["track pants", "joggers"],
  Shorts: ["shorts", "bermudas"],
  Dresses: ["dress", "frock"],
  Sweatshirts: ["sweatshirt", "hoodie"],
  Sweaters: ["sweater", "pullover"],
  Jackets: ["jacket", "windcheater"],
  Ties: ["tie", "neckwear"],
  Belts: ["belt", "waist strap"],
  Socks: ["socks", "hosiery"],
  Briefs: ["briefs", "underwear"],
  Caps: ["cap", "headwear"],
};

const GENDERS: Readonly<Record<string, string>> = { Men: "men", Women: "women" };

/** Of a colour and kind, so that a list can be right or wrong. */
const FEWEST_ITEMS = 8;
const QUERIES = 320;
const LIST = 100;
const FEWEST_HITS = 10;

interface Asked {
  readonly text: string;
  readonly colour: string;
  readonly kind: string;
  readonly gender: string | undefined;
}

/** Half in the labels' words, half in others; a third names for whom. */
function queriesOf(items: readonly FashionItem[], seed: string): readonly Asked[] {
  const random = createRandom(`attributes:${seed}`);
  const groups = [...Map.groupBy(items, ({ baseColour, articleType }) => JSON.stringify([baseColour, articleType])).values()]
    .filter(
      ([first, ...more]) =>
        COLOURS[first!.baseColour] !== undefined && KINDS[first!.articleType] !== undefined && more.length >= FEWEST_ITEMS - 1,
    )
    .toSorted(([a], [b]) => (a!.id < b!.id ? -1 : 1));
  const asked = groups.flatMap((group): Asked[] => {
    const { baseColour: colour, articleType: kind } = group[0]!;
    const [, otherColour] = COLOURS[colour]!;
    const [label, otherKind] = KINDS[kind]!;
    return [
      [colour.toLowerCase(), label],
      [otherColour, otherKind],
    ].map(([colourWords = "", kindWords = ""]) => {
      const genders = Object.keys(GENDERS).filter((name) => group.filter(({ gender }) => gender === name).length >= FEWEST_ITEMS);
      const gender = random.chance(1 / 3) && genders.length > 0 ? random.pick(genders) : undefined;
      const words = [...(gender === undefined ? [] : [GENDERS[gender]]), colourWords, kindWords].join(" ");
      return { text: random.chance(0.2) && gender === undefined ? `${kindWords} in ${colourWords}` : words, colour, kind, gender };
    });
  });
  const shuffled = asked.map((one) => ({ one, at: random.next() })).toSorted((a, b) => a.at - b.at);
  return shuffled.slice(0, QUERIES).map(({ one }) => one);
}

/** 3: all that the query names; 2: another colour of the same family; 1: another colour; 0: another kind, or for others. */
function ratingOf({ colour, kind, gender }: Asked, item: FashionItem): number {
  if (item.articleType !== kind) return 0;
  if (gender !== undefined && item.gender !== gender && item.gender !== "Unisex") return 0;
  if (item.baseColour === colour) return 3;
  return COLOURS[item.baseColour]?.[0] === COLOURS[colour]![0] ? 2 : 1;
}

interface AttributeOptions {
  readonly data: string;
  readonly out: string;
  readonly titles: "stripped" | "whole";
  readonly seed: string;
}

/** Writes products.jsonl, judgments.csv and bm25.jsonl into `out`; returns how many queries there are, and how many were left out. */
export function writeAttributeQueries({ data, out, titles, seed }: AttributeOptions): { queries: number; leftOut: number } {
  const items = readFashion(data);
  const vocabulary = vocabularyOf(items);
  const products = items.map((item) => {
    const title = titles === "whole" ? item.title : shownTitle(item, vocabulary).title;
    return {
      id: item.id,
      title: title === "" ? item.masterCategory : title,
      category: item.masterCategory,
      image: relative(resolve(out), resolve(item.image)),
    };
  });
  const engine = createBm25(products.map(({ title, category }) => `${title} ${category}`));
  const lists: string[] = [];
  const judgments = ["query,product_id,rating"];
  const asked = queriesOf(items, seed);
  const texts = new Set<string>();
  for (const one of asked) {
    const scores = engine.score(one.text);
    const hits = [...scores.keys()]
      .filter((i) => scores[i]! > 0)
      .toSorted((a, b) => scores[b]! - scores[a]! || a - b)
      .slice(0, LIST);
    if (texts.has(one.text) || hits.length < FEWEST_HITS || hits.every((i) => ratingOf(one, items[i]!) === 0)) continue;
    texts.add(one.text);
    lists.push(JSON.stringify({ query: one.text, hits: hits.map((i) => ({ id: items[i]!.id, score: scores[i]! })) }));
    for (const item of items) {
      const rating = ratingOf(one, item);
      if (rating > 0) judgments.push(`${one.text},${item.id},${rating}`);
    }
  }
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "products.jsonl"), products.map((product) => `${JSON.stringify(product)}\n`).join(""));
  writeFileSync(join(out, "judgments.csv"), `${judgments.join("\n")}\n`);
  writeFileSync(join(out, "bm25.jsonl"), `${lists.join("\n")}\n`);
  return { queries: lists.length, leftOut: asked.length - lists.length };
}

const EXAMPLES = `
Example:
  armmt attributes --data ../shared/data/fashion --out .armmt/attributes
  armmt embed --catalog .armmt/attributes --text-encoder minilm --image-encoder mobilenet-v2
  armmt evaluate --catalog .armmt/attributes --judgments .armmt/attributes/judgments.csv --lists .armmt/attributes/bm25.jsonl`;

export function createAttributesCommand(): Command {
  return new Command("attributes")
    .description("Queries for what photographs show, rated by a catalogue's own labels → a judged catalogue for `evaluate`")
    .requiredOption("--data <folder>", "the fashion photographs, with products.csv and images")
    .requiredOption("--out <folder>", "products.jsonl, judgments.csv and bm25.jsonl go there")
    .addOption(
      new Option("--titles <which>", "stripped: colour and kind each withheld from 60 %, as in the simulator")
        .choices(["stripped", "whole"])
        .default("stripped"),
    )
    .option("--seed <text>", "of the choice of queries", "1")
    .addHelpText("after", EXAMPLES)
    .action((options: AttributeOptions) => {
      const { queries, leftOut } = writeAttributeQueries(options);
      process.stdout.write(
        `Wrote ${queries} queries to ${options.out}; left out ${leftOut} with fewer than ${FEWEST_HITS} hits, none that is right, or the same words\n`,
      );
    });
}
