/** Drinking bottles, flasks and tumblers. */
import { standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { box, curve, ellipse, type Point, turned } from "./outline.ts";
import { darken, lighten } from "./palette.ts";

function bottle(brush: Brush, profile: readonly Point[], top: string): string {
  const [foot, bottom] = profile.at(-1)!;
  const [, start] = profile[0]!;
  const outline = turned(profile, { bow: 0.12 });
  const low = start + (bottom - start) * 0.72;
  const mark = brush.look.pattern === "plain" ? emblem(brush, { x: 100, y: start + (bottom - start) * 0.48, size: 14 }) : "";
  return standing(brush, bottom + 3, foot * 2 + 26) + brush.body(outline) + band(brush, outline, { x: 100, y: low, size: 12 }) + mark + top;
}

const sport: Draw = (brush) => {
  const w = brush.random.between(30, 36);
  const cap =
    brush.part(box(100 - w * 0.72, 44, w * 1.44, 18, 4), darken(brush.main, 0.35), "plastic") +
    brush.trim(box(89, 24, 22, 22, 5)) +
    brush.trim(box(94, 16, 12, 12, 4));
  return bottle(
    brush,
    [
      [w * 0.8, 60],
      [w, 74],
      [w, 96],
      [w * 0.86, 112],
      [w, 128],
      [w, 158],
      [w * 0.9, 168],
    ],
    cap,
  );
};

const flask: Draw = (brush) => {
  const w = brush.random.between(26, 33);
  const loop = brush.line(
    curve([
      [86, 34],
      [100, 12],
      [114, 34],
    ]),
    { colour: darken(brush.accent, 0.2), width: 6 },
  );
  const cap = loop + brush.trim(box(82, 30, 36, 24, 6)) + brush.part(box(84, 54, 32, 6), "#b9bfc7", "metal");
  return bottle(
    brush,
    [
      [17, 60],
      [19, 66],
      [w, 86],
      [w, 120],
      [w, 158],
      [w * 0.94, 168],
    ],
    cap,
  );
};

const tumbler: Draw = (brush) => {
  const w = brush.random.between(40, 46);
  const straw = brush.random.chance(0.6)
    ? brush.line("M108 50L120 14", { colour: darken(brush.accent, 0.15), width: 7.5 }) +
      brush.line("M108 50L120 14", { colour: lighten(brush.accent, 0.2), width: 5 })
    : "";
  const lid =
    straw +
    brush.trim(box(100 - w - 3, 46, 2 * w + 6, 13, 6)) +
    brush.part(ellipse(100, 47, w * 0.9, 5), lighten(brush.accent, 0.2), "cotton");
  return bottle(
    brush,
    [
      [w, 58],
      [w * 0.93, 96],
      [w * 0.78, 150],
      [w * 0.72, 168],
    ],
    lid,
  );
};

const swingTop: Draw = (brush) => {
  const w = brush.random.between(30, 38);
  const wire = { colour: "#7c828a", width: 3 };
  const cap =
    brush.part(box(86, 22, 28, 14, 6), "#f1ece2", "ceramic") +
    brush.part(box(84, 36, 32, 6, 2), "#c9563a", "rubber") +
    brush.line("M82 32V62M118 32V62M82 32H118", wire) +
    brush.line("M80 60H120", { ...wire, width: 4 });
  return bottle(
    brush,
    [
      [12, 42],
      [13, 62],
      [16, 78],
      [w * 0.86, 100],
      [w, 116],
      [w, 158],
      [w * 0.92, 168],
    ],
    cap,
  );
};

export const BOTTLES: Family<"sport bottle" | "flask" | "tumbler" | "swing-top bottle"> = {
  "sport bottle": sport,
  flask,
  tumbler,
  "swing-top bottle": swingTop,
};
