/** What lamps have in common: the shade with its light, and the colour of undyed parts. */
import type { Brush } from "./brush.ts";
import { band } from "./motif.ts";
import { turned } from "./outline.ts";
import { colourOf, lighten } from "./palette.ts";

/** The material's own colour, for parts that are not dyed. */
export function raw({ look, main, random }: Brush): string {
  if (look.material === "brass") return colourOf("gold");
  if (look.material === "wood") return random.pick(["#9a6b42", "#7a4f30", "#c79b68"]);
  if (look.material === "metal") return random.pick(["#8d939b", "#3b3d43"]);
  return lighten(main, 0.15);
}

export function glow(brush: Brush, x: number, y: number, r: number): string {
  const fill = brush.define(
    "glow",
    (id) =>
      `<radialGradient id="${id}"><stop offset="0" stop-color="#fff3c4" stop-opacity=".95"/><stop offset=".5"` +
      ` stop-color="#ffe9a8" stop-opacity=".4"/><stop offset="1" stop-color="#ffe9a8" stop-opacity="0"/>` +
      `</radialGradient>`,
  );
  return `<ellipse cx="${x}" cy="${y}" rx="${r}" ry="${r * 0.62}" fill="${fill}"/>`;
}

/** A shade between two heights: cone, drum or bell. */
export function shade(brush: Brush, [top, bottom]: readonly [number, number], width: number): string {
  const kind = brush.random.pick(["cone", "drum", "bell"]);
  const narrow = kind === "drum" ? 0.88 : kind === "cone" ? 0.5 : 0.36;
  const outline =
    kind === "bell"
      ? turned(
          [
            [width * narrow, top],
            [width * 0.5, top + (bottom - top) * 0.45],
            [width * 0.74, top + (bottom - top) * 0.8],
            [width, bottom],
          ],
          { bow: 0.06 },
        )
      : `M${100 - width * narrow} ${top}Q100 ${top - 5} ${100 + width * narrow} ${top}L${100 + width} ${bottom}` +
        `Q100 ${bottom + 10} ${100 - width} ${bottom}Z`;
  // A fabric shade, lit from inside; brass and metal lamps keep theirs of metal half of the time.
  const fabric =
    brush.look.material === "brass" || brush.look.material === "metal"
      ? brush.random.pick(["cotton", brush.look.material] as const)
      : "linen";
  const light = brush.clip(outline, glow(brush, 100, bottom - (bottom - top) * 0.3, width * 0.8));
  return (
    brush.body(outline, fabric) +
    (fabric === "linen" || fabric === "cotton" ? `<g opacity=".6">${light}</g>` : "") +
    band(brush, outline, { x: 100, y: bottom - 15, size: 11 })
  );
}
