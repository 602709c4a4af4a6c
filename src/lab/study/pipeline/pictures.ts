/** Drawn products that no shop of this project sells, as 64 px pixels with the words of what each shows, to train the image encoder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { drawCatalogue, type DrawnProduct } from "../../../demo/catalogue/catalogue.ts";
import { drawPicture } from "../../../demo/drawing/picture.ts";
import { progressBar } from "../../../cli/command.ts";
import { writeNpy } from "../../../cli/lists/npy.ts";

const SIZE = 64;

/** Ids of this seed begin with "s7-": none is in the demo's catalogue or in the shop of the simulated shoppers. */
const SEED = 7;

/** The labels that the encoder learns, in the order of the columns. */
const TASKS = ["category", "silhouette", "colour", "accent", "pattern", "material", "style"] as const;

function wordFor(product: DrawnProduct, task: (typeof TASKS)[number]): string {
  return task === "category" ? product.category : product.look[task];
}

/** One product → SIZE x SIZE RGB bytes on white. */
async function rasterise(product: DrawnProduct): Promise<Buffer> {
  return sharp(Buffer.from(drawPicture(product)))
    .resize(SIZE, SIZE, { fit: "contain", background: "#ffffff" })
    .flatten({ background: "#ffffff" })
    .removeAlpha()
    .raw()
    .toBuffer();
}

/** Writes pixels.npy [count, 64, 64, 3] uint8, labels.npy [count, 7] int32 and labels.json (the words behind the numbers) into `out`. */
export async function writePictures(out: string, options: { readonly count: number; readonly json: boolean }): Promise<void> {
  mkdirSync(out, { recursive: true });
  const products = drawCatalogue({ count: options.count, seed: SEED });
  const words = TASKS.map((task) => [...new Set(products.map((product) => wordFor(product, task)))].toSorted());
  const pixels = new Uint8Array(products.length * SIZE * SIZE * 3);
  const labels = products.flatMap((product) => TASKS.map((task, t) => words[t]!.indexOf(wordFor(product, task))));
  const bar = progressBar("Drawing pictures", products.length, options);
  const BATCH = 32; // enough to keep libvips' threads busy
  for (let from = 0; from < products.length; from += BATCH) {
    const batch = products.slice(from, from + BATCH);
    const drawn = await Promise.all(batch.map(rasterise));
    drawn.forEach((bytes, i) => pixels.set(bytes, (from + i) * SIZE * SIZE * 3));
    bar.increment(batch.length);
  }
  bar.stop();
  writeNpy(join(out, "pixels.npy"), pixels, [products.length, SIZE, SIZE, 3]);
  writeNpy(join(out, "labels.npy"), Int32Array.from(labels), [products.length, TASKS.length]);
  writeFileSync(join(out, "labels.json"), JSON.stringify(TASKS.map((task, t) => ({ task, words: words[t] }))));
}
