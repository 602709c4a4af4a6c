/**
 * World 2 over any shop. Utility is a budget: each part has a share of the variance within a list, measured once on the shop's own lists, so that
 * "pictures are 15 % of what decides" is true by construction and the dose can be changed alone:
 *
 *   u = words + picture + looks + makers + price + rating + sales + contrast          (the true grade follows from u)
 *   at a position: u - sameness with the items just above                              (clicks follow from this)
 *
 * Whether words or pictures decide follows category and query, not the shopper alone. Price counts against products that are alike, and standing out
 * against the whole list: no input holds either. Thrift, trust in ratings, in sales, and the liking of what stands out have a sign and a size that are
 * drawn per shop, so that a model can take them from a log only.
 */
import { createRandom, type Random } from "../../../../demo/catalogue/random.ts";
import { mean } from "../../../../cli/evaluate/metrics.ts";
import { ALL_PARTS, attraction, conversion, type Parts, utilitiesInOrder } from "../attraction.ts";
import { clickProbabilities } from "../clicks.ts";
import { brandOf, type Shop, type ShopProduct, titleWordsOf, type Wish } from "../shop.ts";
import { drawShopper, pictureLiking, type Shopper } from "../shopper.ts";
import { type Before, SAMENESS, type World } from "../world.ts";
import { type ShownProduct, withGaps } from "./gaps.ts";
import { tunedEngine, WEIGHTS } from "./engine.ts";

/** Shares of the variance that pictures leave, and of the pictures' own. Each adds up to 1. */
const OTHERS = { words: 0.4, makers: 0.15, price: 0.14, rating: 0.08, sales: 0.08, contrast: 0.15 } as const;
const PICTURES = { picture: 0.65, looks: 0.35 } as const;
type Additive = keyof typeof OTHERS | keyof typeof PICTURES;
const ADDITIVE = ["words", "picture", "looks", "makers", "price", "rating", "sales", "contrast"] as const satisfies readonly Additive[];
const byPart = (of: (name: Additive) => number): Readonly<Record<Additive, number>> => ({
  words: of("words"),
  picture: of("picture"),
  looks: of("looks"),
  makers: of("makers"),
  price: of("price"),
  rating: of("rating"),
  sales: of("sales"),
  contrast: of("contrast"),
});

/** Of the variance within a list, where nothing else is said. */
export const USUAL_DOSE = 0.15;
export const DOSES = [0, 0.05, 0.15, 0.35] as const;

/** As in world 1, so that there is as much to click and to gain. */
const SPREAD = 1.3;
const LEVEL = -0.4;
const OUT_OF_STOCK = -0.5;
/** Another category or kind than the wanted one, against all words asked for. */
const WRONG = 1.2;

/** By which shoppers go in a category: above 0 looks, below 0 words. Others by chance of their name. */
const LEANINGS: Readonly<Record<string, number>> = {
  dress: 1.2,
  bag: 1,
  cushion: 1,
  hat: 0.8,
  vase: 0.8,
  sofa: 0.6,
  shoe: 0.6,
  shirt: 0.6,
  sunglasses: 0.5,
  lamp: 0.2,
  chair: 0.2,
  mug: 0,
  clock: -0.5,
  watch: -0.6,
  bottle: -1,
  headphones: -1.4,
  apparel: 1,
  topwear: 1,
  bottomwear: 0.6,
  footwear: 0.4,
  accessories: 0,
  innerwear: -0.6,
  "personal care": -1.4,
};
/** Who asks for a colour or a pattern wants to see it; who asks for a material reads. */
const ASKED_LEANING: Readonly<Record<string, number>> = { colour: 0.6, pattern: 0.6, style: 0.4, silhouette: 0, material: -1, audience: 0 };

const PARTS: World["parts"] = [
  { name: "words", meaning: "what the title says of the words asked for" },
  { name: "picture", meaning: "what only the picture shows of the words asked for" },
  { name: "leaning", meaning: "whether words or pictures decide, by category and query", ofSearch: true },
  { name: "looks", meaning: "the looks that the shopper likes" },
  { name: "makers", meaning: "the makers that the shopper trusts" },
  { name: "price", meaning: "price against products of the list that are alike" },
  { name: "rating", meaning: "ratings, with this shop's sign" },
  { name: "sales", meaning: "sales, with this shop's sign" },
  { name: "contrast", meaning: "standing out from the list, with this shop's sign" },
  { name: SAMENESS, meaning: "likeness to what stands just above" },
];

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Invented effects; what is not one of them is 1. */
function shopEffects(seed: number): Readonly<Record<Additive, number>> {
  const random = createRandom(`shop effects:${seed}`);
  const draw = (): number => (random.chance(0.5) ? 1 : -1) * random.between(0.6, 1.4);
  const drawn = { price: draw(), rating: draw(), sales: draw(), contrast: draw() };
  return { ...byPart(() => 1), ...drawn };
}

/** Share of equal codes. */
function alike(a: readonly number[], b: readonly number[]): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}

interface HonestOptions {
  /** The pictures' share of the variance of utility within a list, 0..1. */
  readonly dose: number;
  /** Another number, another shop: other signs and sizes of its effects. */
  readonly seed: number;
}

type GappedShop = Omit<Shop, "products"> & Readonly<{ products: readonly ShownProduct[] }>;
export type HonestShop = GappedShop & Readonly<{ world: World }>;

/** Weight of the picture, 0..1. */
function modalityOf(shopper: Shopper, wish: Wish): number {
  const category = wish.category.toLowerCase();
  const own = LEANINGS[wish.kind ?? category] ?? LEANINGS[category] ?? createRandom(`leaning:${category}`).between(-1, 1);
  const asked = wish.asked.reduce((sum, { part }) => sum + (ASKED_LEANING[part] ?? 0), 0);
  return sigmoid(1.6 * (own + asked) + shopper.modality - 0.5);
}

/** Words asked for that the title names, or only the picture shows, and whether the product is another one, by words or by its look. */
function match({ kind, category, asked }: Wish, product: ShopProduct, seen: ShopProduct | undefined) {
  const title = titleWordsOf(product);
  let [named, shown] = [0, 0];
  for (const { part, word, typed } of asked) {
    if (product.look[part] === word && typed.every((spelling) => title.has(spelling))) named++;
    else if (seen?.look[part] === word) shown++;
  }
  const isOther = kind === undefined ? product.category !== category : product.look.kind !== kind;
  const isNamed = product.category !== category || product.namesKind !== false;
  const count = Math.max(1, asked.length);
  return { named: named / count, shown: shown / count, wrongByWords: isOther && isNamed ? 1 : 0, wrongByLook: isOther && !isNamed ? 1 : 0 };
}

function createWorld(shop: GappedShop, { dose, seed }: HonestOptions) {
  const effects = shopEffects(seed);
  const pictured = new Map(shop.products.map((product) => [product.id, product.pictured]));
  const seenOf = (product: ShopProduct): ShopProduct | undefined => pictured.get(product.id);
  const makers = new Map([...new Set(shop.products.map(brandOf))].map((maker, code) => [maker, code]));
  const [kindPart] = shop.likeness;
  const looks = [kindPart, "colour", "pattern"] as const;
  const codes = looks.map((part) => new Map([...new Set(shop.products.map(({ look }) => look[part]))].map((word, code) => [word, code])));
  // Without pictures, makers alone are alike: pictures must be of no use at dose 0. A missing picture is like no other.
  const kinds = new Map(
    shop.products.map((product, row): [string, number[]] => {
      const maker = makers.get(brandOf(product)) ?? -1;
      if (dose === 0) return [product.id, [maker, maker, maker, maker]];
      const look = product.pictured?.look;
      return [product.id, [...codes.map((words, i) => (look === undefined ? -1 - row : words.get(look[looks[i]!])!)), maker]];
    }),
  );
  const kindOf = ({ id }: ShopProduct): number[] => kinds.get(id) ?? [];

  /** What of a list does not depend on who looks at it; the same array of candidates is asked for again and again. */
  const surroundings = new WeakMap<readonly ShopProduct[], { dearer: number[]; likeness: number[] }>();
  function around(candidates: readonly ShopProduct[]): { dearer: number[]; likeness: number[] } {
    const known = surroundings.get(candidates);
    if (known !== undefined) return known;
    const codesHere = candidates.map(kindOf);
    const prices = candidates.map(({ price }) => Math.log(price));
    const found = { dearer: [] as number[], likeness: [] as number[] };
    for (const [i, own] of codesHere.entries()) {
      let [weighed, weight, total] = [0, 0, 0];
      for (const [j, other] of codesHere.entries()) {
        const share = alike(own, other);
        const near = share ** 3; // mostly what is alike in all
        weighed += near * prices[j]!;
        weight += near;
        total += share;
      }
      found.dearer.push(prices[i]! - weighed / weight);
      found.likeness.push(total / codesHere.length);
    }
    surroundings.set(candidates, found);
    return found;
  }

  /** Parts before they are scaled; where `modality` is 0.5, words and pictures weigh the same. */
  function raw(shopper: Shopper, wish: Wish, candidates: readonly ShopProduct[], modality: number): Readonly<Record<Additive, number>>[] {
    const { dearer, likeness } = around(candidates);
    const [ofWords, ofPictures] = [2 * (1 - modality), 2 * modality];
    return candidates.map((product, i) => {
      const seen = seenOf(product);
      const { named, shown, wrongByWords, wrongByLook } = match(wish, product, seen);
      return {
        words: ofWords * named - WRONG * wrongByWords,
        picture: ofPictures * shown - WRONG * wrongByLook,
        looks: seen === undefined ? 0 : ofPictures * pictureLiking(shopper, seen),
        makers: ofWords * shopper.brandLiking(product),
        price: -effects.price * shopper.thrift * dearer[i]!,
        rating: effects.rating * (product.rating - 4),
        sales: effects.sales * (Math.log1p(product.popularity) - 3),
        contrast: -effects.contrast * likeness[i]!,
      };
    });
  }

  const ofPart = { ...OTHERS, ...PICTURES };
  const shares = byPart((name) => ofPart[name] * (name in PICTURES ? dose : 1 - dose));
  let scales = byPart(() => 1);
  let level = 0;

  const world: World = {
    parts: PARTS,
    utilities(shopper, wish, candidates, off) {
      const on = ADDITIVE.filter((name) => !off.has(name));
      return raw(shopper, wish, candidates, off.has("leaning") ? 0.5 : modalityOf(shopper, wish)).map((parts, i) =>
        on.reduce((sum, name) => sum + scales[name] * parts[name], level + (candidates[i]!.inStock ? 0 : OUT_OF_STOCK)),
      );
    },
    offIn: (parts) => new Set(OFF_WITHOUT.flatMap(([part, names]) => (parts[part] ? [] : names))),
    variableOf: (_, shopper, wish) => modalityOf(shopper, wish),
    kindOf,
    modalityOf,
    before: (shopper, products, random) => beforeSearching(shopper, products, seenOf, random),
  };
  return {
    world,
    /** Measures each part's spread within lists, and sets its scale so that it has its share of the variance. */
    calibrate: (lists: readonly (readonly [Shopper, Wish, readonly ShopProduct[]])[]): void => {
      const parts = lists.map(([shopper, wish, candidates]) => raw(shopper, wish, candidates, modalityOf(shopper, wish)));
      // The effects' drawn sizes come on top of the shares.
      scales = byPart((name) => {
        const spread = Math.sqrt(mean(parts.map((list) => variance(list.map((part) => part[name])))));
        return spread === 0 ? 0 : (SPREAD * Math.sqrt(shares[name]) * Math.abs(effects[name])) / spread;
      });
      level = LEVEL - mean(parts.flat().map((part) => ADDITIVE.reduce((sum, name) => sum + scales[name] * part[name], 0)));
    },
  };
}

/** What falls away with each of attraction.ts's parts. */
const OFF_WITHOUT: readonly (readonly [keyof Parts, readonly string[]])[] = [
  ["text", ["words", "makers"]],
  ["picture", ["picture", "looks"]],
  ["personal", ["looks", "makers"]],
  ["context", ["price", "contrast", SAMENESS]],
];

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
}

/** Views are half curiosity; what went into the cart or was bought, the shopper likes. */
function beforeSearching(
  shopper: Shopper,
  products: readonly ShopProduct[],
  seenOf: (product: ShopProduct) => ShopProduct | undefined,
  random: Random,
): Before[] {
  const count = random.chance(0.15) ? 0 : 3 + Math.floor(random.next() * 15);
  return Array.from({ length: count }, () => {
    const draw = random.next();
    const action = draw < 0.12 ? "purchase" : draw < 0.3 ? "add_to_cart" : "view";
    const steepness = action === "view" ? 2 : action === "add_to_cart" ? 4 : 6;
    const noticed = Array.from({ length: 40 }, () => random.pick(products));
    const product = random.pickWeighted(noticed, (one) => {
      const seen = seenOf(one);
      const looks = seen === undefined ? 0 : pictureLiking(shopper, seen);
      return Math.exp(steepness * (shopper.modality * looks + (1 - shopper.modality) * shopper.brandLiking(one)));
    });
    return { product, action };
  });
}

const TRIED = 150;
const DEPTH = 10;

/** Searches of training shoppers at the shop's own engine: for scales and weights, and never counted. */
function trainingSearches(shop: Shop, seed: number): [Shopper, Wish][] {
  const found: [Shopper, Wish][] = [];
  for (let i = 0; found.length < TRIED; i++) {
    const shopper = drawShopper(`calibration-${i + 1}`, seed, shop);
    if (shopper.split !== "train") continue;
    const random = createRandom(`${seed}:calibration:${i}`);
    found.push([shopper, shop.makeWish(shopper.interests, (word) => 1 + 3 * Math.max(0, shopper.taste.get(word) ?? 0), random)]);
  }
  return found;
}

/** World 2 over a shop: gaps in its catalogue, an engine that is tuned, shoppers who choose by the budget. A few seconds. */
export function honestShop(shop: Shop, { dose, seed }: HonestOptions): HonestShop {
  const products = withGaps(shop.products);
  const gapped = { ...shop, products };
  const { world, calibrate } = createWorld(gapped, { dose, seed });
  const byId = new Map(products.map((product) => [product.id, product]));
  const listOf = (hits: readonly { id: string }[]): ShownProduct[] => hits.flatMap(({ id }) => byId.get(id) ?? []);
  const searches = trainingSearches(gapped, seed);
  const engine = tunedEngine(shop, products);
  const size = Math.max(...shop.windows);
  const lists = (weights: (typeof WEIGHTS)[number]) =>
    searches
      .map(([shopper, wish]) => [shopper, wish, listOf(engine(weights).hits(wish.text, size))] as const)
      .filter(([, , list]) => list.length > 0);
  calibrate(lists(WEIGHTS[0]!));
  const purchases = (weights: (typeof WEIGHTS)[number]): number =>
    mean(
      lists(weights).map(([shopper, wish, list]) => {
        const top = list.slice(0, DEPTH);
        const u = world.utilities(shopper, wish, list, new Set()).slice(0, DEPTH);
        const shown = utilitiesInOrder(
          u,
          top.map((product) => world.kindOf?.(product) ?? []),
          ALL_PARTS,
        );
        const clicks = clickProbabilities("pbm", shown.map(attraction));
        return clicks.reduce((sum, p, i) => sum + p * conversion(shown[i]!, top[i]!.inStock), 0);
      }),
    );
  const tried = WEIGHTS.map((weights) => ({ weights, purchases: purchases(weights) }));
  const { weights } = tried.reduce((best, one) => (one.purchases > best.purchases ? one : best));
  return { ...gapped, world, openEngine: (some) => tunedEngine(shop, some)(weights) };
}
