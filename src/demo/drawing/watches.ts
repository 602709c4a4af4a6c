/** Watches: strap of the product's material, case, dial. */
import { hanging } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import { dial } from "./dial.ts";
import type { Draw, Family } from "./family.ts";
import { band } from "./motif.ts";
import { box, ellipse, mirrored } from "./outline.ts";
import { colourOf, darken, lighten } from "./palette.ts";

/** Watch cases are of steel, or of gold on elegant and some retro watches. */
function caseColour(brush: Brush): string {
  const { style, accent } = brush.look;
  if (style === "elegant") return colourOf(accent === "silver" ? "silver" : "gold");
  if (style === "playful") return brush.accent;
  if (style === "rustic") return "#a8794a";
  if (style === "retro") return brush.random.chance(0.5) ? colourOf("gold") : colourOf("silver");
  return style === "sporty" ? "#3b3d43" : colourOf("silver");
}

function dialColour(brush: Brush): string {
  const { style } = brush.look;
  if (style === "minimal") return brush.random.pick(["#f6f5f2", "#26282d"]);
  if (style === "sporty") return brush.random.pick(["#1f2126", brush.accent]);
  if (style === "retro") return "#f3e4c3";
  return style === "playful" ? "#fffaf0" : brush.random.pick(["#f7f3ea", darken(brush.main, 0.3), "#f7f3ea"]);
}

function straps(brush: Brush, w: number): string {
  const upper = mirrored([
    [w * 0.78, 8],
    [w, 70],
  ]);
  const lower = mirrored([
    [w, 130],
    [w * 0.74, 186],
    [w * 0.5, 194],
  ]);
  const links =
    brush.look.material === "metal"
      ? [18, 31, 44, 57, 143, 156, 169, 182]
          .map((y) => brush.line(`M${100 - w} ${y}H${100 + w}`, { colour: darken(brush.main, 0.6), width: 2.4, opacity: 0.6 }))
          .join("")
      : "";
  const holes =
    brush.look.material === "metal"
      ? ""
      : [156, 166, 176].map((y) => `<circle cx="100" cy="${y}" r="2.2" fill="${darken(brush.main, 0.6)}"/>`).join("");
  const rows =
    brush.look.style === "rustic"
      ? brush.line(
          `M${100 - w * 0.76} 12L${100 - w * 0.86} 70M${100 + w * 0.76} 12L${100 + w * 0.86} 70` +
            `M${100 - w * 0.86} 130L${100 - w * 0.66} 184M${100 + w * 0.86} 130L${100 + w * 0.66} 184`,
          { colour: "#f0dcb8", width: 2, dash: "5 4" },
        )
      : "";
  const outline = `${upper}${lower}`;
  return (
    hanging(outline) +
    brush.body(upper) +
    brush.body(lower) +
    links +
    holes +
    rows +
    (brush.look.style === "rustic" ? "" : band(brush, upper, { x: 100, y: 24, size: 11 }) + band(brush, lower, { x: 100, y: 140, size: 9 }))
  );
}

const roundWatch: Draw = (brush) => {
  const r = brush.random.between(38, 46);
  const ground = dialColour(brush);
  return (
    straps(brush, 22) +
    brush.part(box(98 + r, 94, 9, 12, 2), caseColour(brush), "metal") +
    hanging(ellipse(100, 100, r)) +
    brush.part(ellipse(100, 100, r), caseColour(brush), "metal") +
    brush.part(ellipse(100, 100, r * 0.82), ground, "cotton") +
    dial(brush, { x: 100, y: 100, r: r * 0.82, ground })
  );
};

const squareWatch: Draw = (brush) => {
  const w = brush.random.between(32, 38);
  const h = w * brush.random.between(1, 1.25);
  const ground = dialColour(brush);
  const outer = box(100 - w, 100 - h, 2 * w, 2 * h, 8);
  return (
    straps(brush, 23) +
    brush.part(box(98 + w, 94, 8, 12, 2), caseColour(brush), "metal") +
    hanging(outer) +
    brush.part(outer, caseColour(brush), "metal") +
    brush.part(box(106 - w, 106 - h, 2 * w - 12, 2 * h - 12, 4), ground, "cotton") +
    dial(brush, { x: 100, y: 100, r: w - 5, ground })
  );
};

const diver: Draw = (brush) => {
  const r = brush.random.between(45, 50);
  const ground = brush.random.pick(["#1f2126", darken(brush.main, 0.2)]);
  const ticks = Array.from({ length: 12 }, (_, i) => {
    const a = (i * Math.PI) / 6;
    const at = (k: number) => `${(100 + Math.sin(a) * r * k).toFixed(1)} ${(100 - Math.cos(a) * r * k).toFixed(1)}`;
    return brush.line(`M${at(0.82)}L${at(0.93)}`, { colour: "#f6f3ee", width: i % 3 === 0 ? 5 : 2.4 });
  });
  return (
    straps(brush, 25) +
    [78, 100, 122].map((y) => brush.part(box(96 + r, y - 5, 10, 10, 2), "#9aa0a8", "metal")).join("") +
    hanging(ellipse(100, 100, r)) +
    brush.part(ellipse(100, 100, r), caseColour(brush), "metal") +
    brush.part(ellipse(100, 100, r * 0.95), brush.look.style === "sporty" ? darken(brush.accent, 0.1) : "#2a2c33", "ceramic") +
    ticks.join("") +
    brush.part(ellipse(100, 100, r * 0.74), ground, "cotton") +
    dial(brush, { x: 100, y: 100, r: r * 0.74, ground })
  );
};

/** An activity ring, closed to `share`. */
function ring(r: number, share: number, colour: string): string {
  const length = (2 * Math.PI * r * share).toFixed(0);
  return (
    `<circle cx="100" cy="102" r="${r}" fill="none" stroke="${colour}" stroke-width="5" stroke-linecap="round"` +
    ` stroke-dasharray="${length} 400" transform="rotate(-90 100 102)"/>`
  );
}

const smart: Draw = (brush) => {
  const w = brush.random.between(34, 40);
  const outer = box(100 - w, 100 - w * 1.16, 2 * w, 2.32 * w, w * 0.5);
  const [a, b, c] = [brush.random.between(0.5, 0.95), brush.random.between(0.4, 0.9), brush.random.between(0.3, 0.8)];
  return (
    straps(brush, 24) +
    brush.part(box(99 + w, 84, 6, 18, 3), caseColour(brush), "metal") +
    hanging(outer) +
    brush.part(outer, caseColour(brush), "metal") +
    brush.part(box(105 - w, 105 - w * 1.16, 2 * w - 10, 2.32 * w - 10, w * 0.4), "#17181c", "plastic") +
    ring(w * 0.6, a, brush.accent) +
    ring(w * 0.42, b, lighten(brush.accent, 0.4)) +
    ring(w * 0.24, c, "#f6f3ee")
  );
};

export const WATCHES: Family<"round watch" | "square watch" | "diver watch" | "smart watch"> = {
  "round watch": roundWatch,
  "square watch": squareWatch,
  "diver watch": diver,
  "smart watch": smart,
};
