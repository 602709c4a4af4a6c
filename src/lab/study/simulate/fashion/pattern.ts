/**
 * Busyness of a photograph: the mean brightness step between neighbouring pixels in the middle of the picture, a statistic that no encoder
 * shares. Part of the shoppers' taste follows it, so that some preferences are visible and named nowhere.
 */
import sharp from "sharp";
import { setUpSharp } from "../../../../cli/embed/pictures.ts";
import type { FashionItem } from "./catalogue.ts";

/** From the calmest third of a kind's photographs to the busiest. */
export const PATTERNS = ["plain", "textured", "busy"] as const;
type FashionPattern = (typeof PATTERNS)[number];

const SIZE = 128;
/** Studio photographs have an empty rim. */
const RIM = 24;
const AT_ONCE = 64;

/** Mean of |horizontal| + |vertical| step of brightness (0..255) inside the rim; `grey` is [SIZE, SIZE]. */
export function edgeEnergy(grey: Uint8Array): number {
  let sum = 0;
  for (let y = RIM; y < SIZE - RIM; y++) {
    for (let x = RIM; x < SIZE - RIM; x++) {
      const at = y * SIZE + x;
      sum += Math.abs(grey[at + 1]! - grey[at]!) + Math.abs(grey[at + SIZE]! - grey[at]!);
    }
  }
  return sum / (SIZE - 2 * RIM) ** 2;
}

async function energyOf(path: string): Promise<number> {
  return edgeEnergy(await sharp(path).resize(SIZE, SIZE, { fit: "fill" }).greyscale().raw().toBuffer());
}

/** One pattern per item: the third of its kind's photographs by edge energy. Parallel to `items`. */
export async function readPatterns(items: readonly FashionItem[]): Promise<FashionPattern[]> {
  setUpSharp();
  const energies: number[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE) {
    energies.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map(({ image }) => energyOf(image)))));
  }
  return thirds(
    items.map(({ articleType }) => articleType),
    energies,
  );
}

/** Ranks within each group, cut into as many equal parts as there are patterns. */
export function thirds(groups: readonly string[], values: readonly number[]): FashionPattern[] {
  const patterns: FashionPattern[] = groups.map(() => PATTERNS[0]);
  for (const indices of Map.groupBy(groups.keys(), (i) => groups[i]).values()) {
    indices
      .toSorted((a, b) => values[a]! - values[b]! || a - b)
      .forEach((index, rank) => {
        patterns[index] = PATTERNS[Math.floor((rank * PATTERNS.length) / indices.length)] ?? PATTERNS[0];
      });
  }
  return patterns;
}
