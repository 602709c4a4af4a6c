/** The dial of watches and clocks: marks by style, hands at a time of their own. */
import type { Brush } from "./brush.ts";
import { inkOn } from "./palette.ts";

export interface Dial {
  readonly x: number;
  readonly y: number;
  readonly r: number;
  readonly ground: string;
}

/** Marks and hands; the style decides which marks. */
export function dial(brush: Brush, { x, y, r, ground }: Dial): string {
  const { style } = brush.look;
  const ink = inkOn(ground);
  const at = (angle: number, radius: number) => {
    const a = (angle * Math.PI) / 180;
    return `${(x + Math.sin(a) * radius).toFixed(1)} ${(y - Math.cos(a) * radius).toFixed(1)}`;
  };
  const every = style === "minimal" || style === "elegant" ? 90 : 30;
  const hours = Array.from({ length: 360 / every }, (_, i) => i * every);
  const marks = hours.map((angle) => {
    const [cx = "0", cy = "0"] = at(angle, r * 0.8).split(" ");
    if (style === "playful")
      return `<circle cx="${cx}" cy="${cy}" r="${r * 0.09}" fill="${["#e8622f", "#2a9a97", "#efb52f", "#c0458f"][(angle / 30) % 4]}"/>`;
    const heavy = style === "sporty" || angle % 90 === 0;
    return brush.line(`M${at(angle, r * (heavy ? 0.7 : 0.78))}L${at(angle, r * 0.88)}`, { colour: ink, width: r * (heavy ? 0.09 : 0.05) });
  });
  const hour = brush.random.between(0, 360);
  const minute = hour * 12;
  const hand = (angle: number, length: number, width: number, colour: string) =>
    brush.line(`M${at(angle + 180, r * 0.12)}L${at(angle, length)}`, { colour, width });
  const strong = style === "minimal" ? 0.06 : 0.1;
  return (
    marks.join("") +
    hand(hour, r * 0.48, r * strong, ink) +
    hand(minute, r * 0.72, r * strong * 0.75, ink) +
    (style === "sporty" || style === "retro" ? hand(minute * 3, r * 0.76, r * 0.03, "#e0482f") : "") +
    `<circle cx="${x}" cy="${y}" r="${r * 0.08}" fill="${ink}"/>`
  );
}
