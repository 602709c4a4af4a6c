/** What shoes have in common: soles, seams and laces, by style. */
import type { Brush } from "./brush.ts";
import { darken, lighten } from "./palette.ts";

/** Soles are white on sporty and playful shoes, gum on retro ones, dark or wooden otherwise. */
export function soleColour(brush: Brush): string {
  switch (brush.look.style) {
    case "sporty":
      return "#f7f6f3";
    case "playful":
      return brush.accent;
    case "retro":
      return "#c08a52";
    case "rustic":
      return "#8a5d3a";
    case "elegant":
      return "#2d2628";
    case "minimal":
      return lighten(brush.main, 0.75);
  }
  return brush.look.style satisfies never;
}

/** Rustic shoes show their seams. */
export function seam(brush: Brush, d: string): string {
  const { style } = brush.look;
  if (style === "rustic") return brush.line(d, { colour: "#f0dcb8", width: 2.2, dash: "5 4" });
  return brush.line(d, { colour: darken(brush.main, 0.55), width: 1.6, opacity: 0.5 });
}

export function laces(brush: Brush, from: readonly [number, number], to: readonly [number, number], count: number): string {
  const colour =
    brush.look.style === "minimal" ? lighten(brush.main, 0.5) : brush.look.style === "elegant" ? brush.accent : lighten(brush.accent, 0.5);
  return Array.from({ length: count }, (_, i) => {
    const k = i / (count - 1);
    const [x, y] = [from[0] + (to[0] - from[0]) * k, from[1] + (to[1] - from[1]) * k];
    return (
      brush.line(`M${x - 9} ${y + 8}L${x + 3} ${y - 1}`, { colour: darken(colour, 0.35), width: 5 }) +
      brush.line(`M${x - 9} ${y + 8}L${x + 3} ${y - 1}`, { colour, width: 3.4 })
    );
  }).join("");
}

export function sole(brush: Brush, thickness: number): string {
  const colour = soleColour(brush);
  const top = 160 - thickness;
  const d = `M24 ${top}Q22 164 34 164H170Q184 164 182 ${top + 2}Q176 ${top + 6} 168 ${top + 4}H36Q28 ${top + 4} 24 ${top}Z`;
  const groove = brush.look.style === "sporty" ? brush.line(`M30 ${top + 9}H176`, { colour: brush.accent, width: 3 }) : "";
  return brush.part(d, colour, "rubber") + groove;
}
