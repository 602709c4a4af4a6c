/**
 * Titles of drawn products, as shops write them: an invented brand, sometimes a model name, and only some of what the picture shows.
 */
import type { Random } from "./random.ts";
import { CATEGORY_LIST, type Colour, type Look } from "./vocabulary.ts";

/** Shares of titles that name a part of the look (`plain` is never named). `colour` counts those in the language of catalogues, too. */
export const NAMED_SHARE = { colour: 0.45, material: 0.35, pattern: 0.2, style: 0.12, silhouette: 0.65 } as const;

/** Invented names; none is a colour, material, style or noun of the vocabulary. */
const BRANDS = (
  "Norvik, Talora, Belmara, Quenna, Osterly, Fjellby, Lumero, Tavio, Kestrin, Marrowfield, Ondine & Fay, Hollis Tor, Pellandra, " +
  "Vantry, Corvello, Saltmarsh, Odelle, Brackwater, Junipero, Mirande, Tusk & Thorn, Elverby, Zandoli, Perrault Mill, Nimbra, " +
  "Halden, Ruskova, Fennimore, Castellane, Drayhouse, Ikaya, Lindqvo"
).split(", ");

const MODELS = (
  "Aria, Juno, Atlas, Otto, Iris, Milo, Vega, Nora, Hugo, Lark, Ravi, Tilda, Ines, Bruno, Kaia, Arlo, Mara, Finn, Greta, Sol, " +
  "Wren, Esme, Theo, Alma"
).split(", ");

/** A share of titles that name the colour do so in the language of catalogues, which no search for the plain word finds. */
const FANCY_SHARE = 0.25;
const FANCY: Readonly<Record<Colour, readonly string[]>> = {
  red: ["ember", "cherry"],
  orange: ["tangerine", "apricot"],
  yellow: ["honey", "lemon"],
  green: ["moss", "fern"],
  teal: ["lagoon", "petrol"],
  blue: ["cobalt", "sky"],
  navy: ["midnight", "ink"],
  purple: ["plum", "lilac"],
  pink: ["blush", "rosé"],
  brown: ["cocoa", "chestnut"],
  beige: ["sand", "oat"],
  grey: ["ash", "fog"],
  black: ["onyx", "raven"],
  white: ["ivory", "chalk"],
};

const capitals = (text: string): string => text.replace(/(?<=^|\s)\p{L}/gu, (letter) => letter.toUpperCase());

export function writeTitle({ category, look }: { readonly category: string; readonly look: Look }, random: Random): string {
  const parts: string[] = [random.pick(BRANDS)];
  if (random.chance(0.5)) parts.push(random.pick(MODELS));
  // Drawn whether used or not, so that one part's presence does not shift the chance of the next.
  const style = random.chance(NAMED_SHARE.style);
  const colour = random.chance(NAMED_SHARE.colour);
  const fancy = random.chance(FANCY_SHARE) ? random.pick(FANCY[look.colour]) : undefined;
  const pattern = random.chance(NAMED_SHARE.pattern);
  const material = random.chance(NAMED_SHARE.material);
  const silhouette = CATEGORY_LIST.find(({ name }) => name === category)?.silhouettes.find(({ name }) => name === look.silhouette);
  const noun = silhouette !== undefined && random.chance(NAMED_SHARE.silhouette) ? random.pick(silhouette.titles) : category;
  if (style) parts.push(look.style);
  if (colour) parts.push(fancy ?? look.colour);
  if (pattern && look.pattern !== "plain") parts.push(look.pattern);
  if (material) parts.push(look.material);
  parts.push(noun);
  return parts.map(capitals).join(" ");
}
