/**
 * Picture sources → bytes → pixels: reads files, draws SVG, fetches URLs, and resizes with sharp on a white ground.
 *
 * A picture that cannot be read throws a PictureError with the reason; the caller adds the product and the fix.
 */
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import type { Preprocessing } from "./image-encoder.ts";
import type { ImageSource } from "../catalog/file.ts";

/** Why a picture could not be used. The message is a clause: `no such file`. */
export class PictureError extends Error {
  override readonly name = "PictureError";
}

const FETCH_LIMITS = { timeoutMs: 15_000, maxBytes: 20 * 1024 * 1024 };

/** For messages. */
export function nameOf(image: ImageSource): string {
  if (image.kind === "file") return image.path;
  return image.kind === "url" ? image.url : "SVG in the catalogue";
}

/** The encoded picture as it is. Throws a PictureError. */
export async function readPicture(image: ImageSource, limits = FETCH_LIMITS): Promise<Uint8Array> {
  if (image.kind === "svg") return new TextEncoder().encode(image.svg());
  if (image.kind === "url") return fetchPicture(image.url, limits);
  try {
    return await readFile(image.path);
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw new PictureError(isMissing ? "no such file" : reasonOf(cause), { cause });
  }
}

async function fetchPicture(url: string, limits: typeof FETCH_LIMITS): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(limits.timeoutMs), headers: { accept: "image/*" } });
  } catch (cause) {
    const isLate = cause instanceof Error && cause.name === "TimeoutError";
    throw new PictureError(isLate ? `no answer within ${limits.timeoutMs} ms` : `not reachable: ${reasonOf(cause)}`, { cause });
  }
  if (!response.ok) throw new PictureError(`answer ${response.status}`);
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const part of response.body ?? []) {
      total += part.length;
      if (total > limits.maxBytes) throw new PictureError(`larger than ${limits.maxBytes} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    throw cause instanceof PictureError ? cause : new PictureError(`broken off: ${reasonOf(cause)}`, { cause });
  }
  return Buffer.concat(parts);
}

/** The innermost message: fetch says only "fetch failed" and keeps the reason as its cause. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error && cause.cause.message !== "" ? cause.cause.message : cause.message;
}

/** Before the first picture: one thread per picture, because several are decoded at a time, and no cache. */
export function setUpSharp(): void {
  sharp.concurrency(1);
  sharp.cache(false);
  sharp.simd(true);
}

/** 8-bit RGB [size, size, 3], transparent parts white. Throws a PictureError for other or damaged files. */
export async function toPixels(picture: Uint8Array, how: Preprocessing): Promise<Uint8Array> {
  const { size, shortestEdge, kernel } = how;
  try {
    const opened = sharp(picture).rotate().flatten({ background: "#ffffff" }).toColourspace("srgb");
    const resized =
      shortestEdge === undefined
        ? opened.resize(size, size, { fit: "fill", kernel })
        : opened.resize(shortestEdge, shortestEdge, { fit: "outside", kernel }).extract(await middle(picture, shortestEdge, size));
    const { data, info } = await resized.removeAlpha().raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new PictureError(`${info.channels} colour channels, expected 3`);
    return data;
  } catch (cause) {
    throw cause instanceof PictureError ? cause : new PictureError(reasonOf(cause).split("\n")[0] ?? "unknown", { cause });
  }
}

/** The square in the middle of a picture whose shorter side was resized to `shortestEdge`. */
async function middle(picture: Uint8Array, shortestEdge: number, size: number) {
  const { autoOrient } = await sharp(picture).metadata();
  const scale = shortestEdge / Math.min(autoOrient.width, autoOrient.height);
  const [width, height] = [autoOrient.width, autoOrient.height].map((side) => Math.max(shortestEdge, Math.round(side * scale)));
  return { left: Math.floor((width! - size) / 2), top: Math.floor((height! - size) / 2), width: size, height: size };
}
