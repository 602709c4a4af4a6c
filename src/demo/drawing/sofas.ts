/** Sofas, seen from the front. */
import { standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band } from "./motif.ts";
import { box } from "./outline.ts";
import { colourOf, darken } from "./palette.ts";

interface Shape {
  readonly left: number;
  readonly width: number;
  readonly seats: number;
  /** The chaise of a corner sofa takes this share of the width. */
  readonly chaise?: number;
}

function sofa(brush: Brush, { left, width, seats, chaise }: Shape): string {
  const { random, look, main, accent } = brush;
  const top = random.between(66, 80);
  const armWidth = random.between(14, 22);
  const armTop = random.between(92, 104);
  const r = random.pick([5, 11, 18]);
  const legColour = look.style === "elegant" ? colourOf("gold") : look.style === "minimal" ? "#3a3c42" : "#7a4f30";
  const inner = width - 2 * armWidth;
  const seatWidth = inner / seats;
  const x = (i: number) => left + armWidth + i * seatWidth;
  const each = (draw: (i: number) => string) => Array.from({ length: seats }, (_, i) => draw(i)).join("");
  const back = box(left + 6, top, width - 12, 76, r);
  const foot = (at: number) =>
    brush.part(box(at - 3.5, 156, 7, 18, 2), legColour, look.style === "minimal" || look.style === "elegant" ? "metal" : "wood");
  const pillow = (at: number, turn: number) =>
    `<g transform="rotate(${turn} ${at} 116)">${brush.part(box(at - 15, 98, 30, 28, 8), accent, "cotton")}</g>`;
  return (
    standing(brush, 174, width) +
    foot(left + 12) +
    foot(left + width - 12) +
    brush.plain(back) +
    each((i) => brush.body(box(x(i) + 1, top + 6, seatWidth - 2, 62, r))) +
    band(brush, back, { x: left + width / 2, y: top + 10, size: 8 }) +
    brush.part(box(left + 4, 138, width - 8, 22, 5), darken(main, 0.2)) +
    each((i) => brush.body(box(x(i), 122, seatWidth, 22, Math.min(9, r)))) +
    pillow(x(0) + 18, -9) +
    (seats > 2 ? pillow(x(seats) - 18, 8) : "") +
    brush.body(box(left, armTop, armWidth + 2, 158 - armTop, r)) +
    (chaise === undefined ? brush.body(box(left + width - armWidth - 2, armTop, armWidth + 2, 158 - armTop, r)) : "") +
    (chaise === undefined ? "" : brush.body(box(left + width * (1 - chaise), 126, width * chaise + 2, 40, 8)))
  );
}

const two: Draw = (brush) => sofa(brush, { left: 36, width: 128, seats: 2 });
const three: Draw = (brush) => sofa(brush, { left: 16, width: 168, seats: 3 });
const corner: Draw = (brush) => sofa(brush, { left: 14, width: 172, seats: 3, chaise: 0.36 });

export const SOFAS: Family<"two-seat sofa" | "three-seat sofa" | "corner sofa"> = {
  "two-seat sofa": two,
  "three-seat sofa": three,
  "corner sofa": corner,
};
