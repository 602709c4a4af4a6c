/** Bags, from the front. */
import { standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { box, curve, ellipse, mirrored, polygon } from "./outline.ts";
import { colourOf, darken, lighten } from "./palette.ts";

/** A strap or handle. */
function strap(brush: Brush, d: string, width: number): string {
  const { style } = brush.look;
  const colour =
    style === "minimal"
      ? darken(brush.main, 0.25)
      : style === "elegant"
        ? darken(brush.main, 0.35)
        : style === "rustic"
          ? "#9a6b42"
          : brush.accent;
  return (
    brush.line(d, { colour: darken(colour, 0.5), width: width + 1.6 }) +
    brush.line(d, { colour, width }) +
    brush.line(d, { colour: lighten(colour, 0.5), width: width * 0.2, opacity: 0.5 })
  );
}

function seams(brush: Brush, d: string): string {
  const { style } = brush.look;
  if (style === "rustic") return brush.line(d, { colour: "#f0dcb8", width: 2.4, dash: "6 4.5" });
  return style === "minimal" ? "" : brush.line(d, { colour: darken(brush.main, 0.5), width: 1.5, opacity: 0.45 });
}

function clasp(brush: Brush, x: number, y: number): string {
  if (brush.look.style === "minimal") return "";
  const metal = brush.look.accent === "silver" ? colourOf("silver") : colourOf("gold");
  return brush.part(box(x - 7, y - 6, 14, 15, 4), metal, "metal");
}

const tote: Draw = (brush) => {
  const { random } = brush;
  const [top, w] = [random.between(72, 88), random.between(50, 60)];
  const outline = mirrored([
    [w, top],
    [w * random.between(0.86, 1.12), 172],
  ]);
  const arc = (k: number, y: number) =>
    `M${100 - w * 0.5} ${top + 14}C${100 - w * 0.5} ${y} ${100 + w * 0.5} ${y} ${100 + w * 0.5} ${top + 14 + k}`;
  return (
    standing(brush, 174, 2 * w) +
    `<g opacity=".75">${strap(brush, arc(-4, top - 74), 6)}</g>` +
    brush.body(outline) +
    band(brush, outline, { x: 100, y: 142, size: 14 }) +
    strap(brush, arc(0, top - 58), 6.5) +
    seams(brush, `M${100 - w + 4} ${top + 7}H${100 + w - 4}`) +
    emblem(brush, { x: 100, y: top + 44, size: 15 })
  );
};

const backpack: Draw = (brush) => {
  const { random } = brush;
  const w = random.between(46, 54);
  const outline = `M${100 - w} 168V${random.between(70, 84)}Q${100 - w} 34 100 34Q${100 + w} 34 ${100 + w} 84V168Q100 176 ${100 - w} 168Z`;
  const pocket = box(100 - w * 0.72, 114, w * 1.44, 48, 10);
  return (
    standing(brush, 172, 2 * w) +
    strap(brush, "M86 38Q86 18 100 18Q114 18 114 38", 6) +
    strap(brush, `M${100 - w + 3} 96Q${100 - w - 16} 120 ${100 - w + 2} 156`, 8) +
    strap(brush, `M${100 + w - 3} 96Q${100 + w + 16} 120 ${100 + w - 2} 156`, 8) +
    brush.body(outline) +
    band(brush, outline, { x: 100, y: 80, size: 13 }) +
    brush.line(
      curve([
        [100 - w * 0.8, 74],
        [100, 62],
        [100 + w * 0.8, 74],
      ]),
      { colour: darken(brush.main, 0.5), width: 3 },
    ) +
    (brush.look.style === "minimal" ? brush.plain(pocket) : brush.look.pattern === "plain" ? brush.trim(pocket) : brush.plain(pocket)) +
    brush.line(`M${100 - w * 0.6} 126H${100 + w * 0.6}`, { colour: darken(brush.accent, 0.5), width: 3, opacity: 0.7 }) +
    seams(brush, box(100 - w * 0.62, 132, w * 1.24, 25, 7)) +
    emblem(brush, { x: 100, y: 96, size: 12 })
  );
};

const handbag: Draw = (brush) => {
  const { random } = brush;
  const w = random.between(56, 66);
  const [top, k] = [random.between(84, 96), random.between(0.72, 0.86)];
  const outline =
    `M${100 - w * k} ${top}H${100 + w * k}Q${100 + w} 150 ${100 + w * 0.98} 162` +
    `Q${100 + w * 0.9} 172 ${100 + w * 0.7} 172H${100 - w * 0.7}Q${100 - w * 0.9} 172 ${100 - w * 0.98} 162` +
    `Q${100 - w} 150 ${100 - w * k} ${top}Z`;
  const flap = `M${100 - w * k} ${top}H${100 + w * k}L${100 + w * 0.7} ${top + 30}Q100 ${top + 52} ${100 - w * 0.7} ${top + 30}Z`;
  return (
    standing(brush, 173, 2 * w) +
    strap(
      brush,
      `M${100 - w * 0.46} ${top + 4}C${100 - w * 0.5} ${top - 62} ${100 + w * 0.5} ${top - 62} ${100 + w * 0.46} ${top + 4}`,
      7.5,
    ) +
    brush.body(outline) +
    band(brush, outline, { x: 100, y: 148, size: 12 }) +
    (random.chance(0.6)
      ? brush.body(flap) + seams(brush, `M${100 - w * 0.68} ${top + 25}Q100 ${top + 46} ${100 + w * 0.68} ${top + 25}`)
      : seams(brush, `M${100 - w * k} ${top + 9}H${100 + w * k}`)) +
    clasp(brush, 100, top + 38) +
    (brush.look.style === "sporty" || brush.look.style === "playful" || brush.look.style === "retro"
      ? emblem(brush, { x: 136, y: 140, size: 11 })
      : "")
  );
};

const satchel: Draw = (brush) => {
  const { random } = brush;
  const w = random.between(60, 68);
  const top = random.between(78, 90);
  const body = box(100 - w, top, 2 * w, 172 - top, 9);
  const flap =
    `M${100 - w - 2} ${top + 8}Q${100 - w - 2} ${top - 4} ${100 - w + 8} ${top - 4}H${100 + w - 8}` +
    `Q${100 + w + 2} ${top - 4} ${100 + w + 2} ${top + 8}V${top + 46}` +
    `Q${100 + w} ${top + 56} ${100 + w - 12} ${top + 56}H${100 - w + 12}` +
    `Q${100 - w} ${top + 56} ${100 - w - 2} ${top + 46}Z`;
  const buckle = (x: number) =>
    strap(brush, `M${x} ${top + 22}V${top + 68}`, 8) +
    (brush.look.style === "minimal"
      ? ""
      : brush.line(box(x - 7, top + 50, 14, 12, 2), { colour: colourOf(brush.look.accent === "silver" ? "silver" : "gold"), width: 3 }));
  return (
    standing(brush, 173, 2 * w) +
    strap(brush, `M${100 - w + 6} ${top + 4}C${100 - w + 20} ${top - 78} ${100 + w - 20} ${top - 78} ${100 + w - 6} ${top + 4}`, 6) +
    brush.plain(body) +
    brush.body(flap) +
    band(brush, flap, { x: 100, y: top + 26, size: 12 }) +
    seams(brush, `M${100 - w + 6} ${top + 49}H${100 + w - 6}`) +
    buckle(100 - w * 0.5) +
    buckle(100 + w * 0.5)
  );
};

const duffel: Draw = (brush) => {
  const { random } = brush;
  const w = random.between(70, 78);
  const [top, bottom] = [random.between(86, 94), 170];
  const outline = box(100 - w, top, 2 * w, bottom - top, 32);
  const panel = (x: number) =>
    polygon([
      [x - 8, top],
      [x + 8, top],
      [x + 8, bottom],
      [x - 8, bottom],
    ]);
  const far = `M${100 - w * 0.42} ${top + 6}C${100 - w * 0.4} ${top - 46} ${100 + w * 0.4} ${top - 46} ${100 + w * 0.42} ${top + 6}`;
  return (
    standing(brush, 172, 2 * w) +
    `<g opacity=".8">${strap(brush, far, 6)}</g>` +
    brush.body(outline) +
    band(brush, outline, { x: 100, y: 142, size: 12 }) +
    (brush.look.style === "minimal"
      ? ""
      : brush.clip(
          outline,
          brush.trim(`M0 ${top}H${100 - w + 20}V${bottom}H0Z`) + brush.trim(`M200 ${top}H${100 + w - 20}V${bottom}H200Z`),
        )) +
    strap(
      brush,
      `M${100 - w * 0.42} ${bottom - 4}V${top + 26}` +
        `C${100 - w * 0.4} ${top - 34} ${100 + w * 0.4} ${top - 34} ${100 + w * 0.42} ${top + 26}V${bottom - 4}`,
      7,
    ) +
    brush.line(`M${100 - w * 0.7} ${top + 9}H${100 + w * 0.7}`, { colour: darken(brush.main, 0.5), width: 3, opacity: 0.6 }) +
    seams(brush, panel(100 - w + 24)) +
    emblem(brush, { x: 100, y: top + 42, size: 13 }) +
    brush.line(ellipse(100, top + 9, 3), { colour: colourOf("silver"), width: 3 })
  );
};

export const BAGS: Family<"tote" | "backpack" | "handbag" | "satchel" | "duffel"> = { tote, backpack, handbag, satchel, duffel };
