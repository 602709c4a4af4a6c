/** Mugs and cups, vases (some with a sprig in them), and drinking bottles: all turned on a lathe. Profiles run from rim to foot. */
import { band, banded, type Brush, emblem, type Family, sized, standing } from "./brush.ts";
import { box, curve, ellipse, type Point, points, turned } from "./outline.ts";
import { darken, lighten, SILVER } from "./palette.ts";

/** Half widths and heights of rim and foot. */
const endsOf = (profile: readonly Point[]): readonly [rim: Point, foot: Point] => [profile[0]!, profile.at(-1)!];

/** `reach`: how far the handle stands out. */
type Handle = readonly [top: number, bottom: number, reach: number];

function drawHandle({ random, plain }: Brush, x: number, [top, bottom, reach]: Handle): string {
  const t = random.between(10, 13);
  const h = bottom - top;
  // A square grip or a round one.
  const k = random.pick([0.15, 0.5]);
  const r = reach * 1.3;
  return plain(
    `M${x - 6} ${top}C${x + r * (1 + k * 0.3)} ${top - h * (0.3 - k * 0.4)} ${x + r * (1 + k * 0.3)} ${bottom + h * (0.3 - k * 0.4)} ` +
      `${x - 6} ${bottom}L${x - 6} ${bottom - t}` +
      `C${x + reach * 0.92} ${bottom - t * 0.6} ${x + reach * 0.92} ${top + t * 0.6} ${x - 6} ${top + t}Z`,
  );
}

function mug(brush: Brush, profile: readonly Point[], handle: Handle, hasSaucer: boolean = false): string {
  const { look, main, accent, part, line } = brush;
  const axis = hasSaucer ? 100 : 88;
  const [[rim, top], [foot, bottom]] = endsOf(profile);
  const outline = turned(profile, { x: axis, bow: 0.1 });
  const opening = ellipse(axis, top, rim, rim * 0.16);
  const saucer = () =>
    part(ellipse(axis, bottom + 1, rim * 1.55, rim * 0.3), lighten(main, 0.1)) +
    part(ellipse(axis, bottom - 1, rim * 1.05, rim * 0.16), darken(main, 0.12));
  return (
    standing(brush, bottom + 3, foot * 2 + 34, axis + 4) +
    (hasSaucer ? saucer() : "") +
    drawHandle(brush, axis + rim * 0.97, handle) +
    banded(brush, outline, [axis, bottom - (bottom - top) * 0.24], 11) +
    (look.pattern === "plain" ? emblem(brush, [axis - 4, (top + bottom) / 2 - 2], 15) : "") +
    part(opening, lighten(main, look.material === "glass" ? 0.5 : 0.35), "cotton") +
    `<path d="${ellipse(axis, top + 2, rim * 0.9, rim * 0.12)}" fill="${darken(main, 0.5)}" fill-opacity=".55"/>` +
    (look.material === "enamel" ? line(opening, accent, 3.4) : "")
  );
}

export const MUGS = {
  "straight mug": sized("40..48 58..70", (brush, w, top) =>
    mug(brush, points([w, top], [w, 120], [w * 0.97, 150], [w * 0.86, 164]), [top + 16, 148, 30]),
  ),
  "round mug": sized("46..54", (brush, w) =>
    mug(brush, points([w * 0.82, 66], [w * 0.9, 84], [w, 116], [w * 0.88, 148], [w * 0.6, 164]), [86, 142, 30]),
  ),
  "tall mug": sized("34..40", (brush, w) => mug(brush, points([w, 30], [w * 0.96, 70], [w * 0.86, 124], [w * 0.74, 164]), [58, 128, 28])),
  "espresso cup": sized("38..44", (brush, w) =>
    mug(brush, points([w, 92], [w * 0.97, 112], [w * 0.8, 138], [w * 0.5, 156]), [100, 132, 22], true),
  ),
} satisfies Family;

function sprig({ random, line }: Brush, top: number): string {
  const green = random.pick(["#6d9a62", "#8aa876", "#557f5b"]);
  const stems = random.pick([[-16, 8], [-8, 14, 4], [12]]);
  const stem = (lean: number): string => {
    const height = random.between(8, 24);
    const d = curve([100, top + 4], [100 + lean * 0.5, (top + height) / 2], [100 + lean * 1.6, height]);
    const leaves = [0.35, 0.6, 0.85, 1].map((k, i) => {
      const [x, y] = [100 + lean * 1.6 * k, top + (height - top) * k];
      const turn = (i % 2 === 0 ? -50 : 50) + lean;
      return `<ellipse cx="${x}" cy="${y}" rx="3.2" ry="8.5" fill="${green}" transform="rotate(${turn} ${x} ${y}) translate(0 -6)"/>`;
    });
    return line(d, darken(green, 0.2), 2.2) + leaves.join("");
  };
  return stems.map(stem).join("");
}

function vase(brush: Brush, profile: readonly Point[], hasHandles: boolean = false): string {
  const { random, look, main, tube } = brush;
  const [[rim, top], [foot, bottom]] = endsOf(profile);
  const belly = profile.reduce((widest, point) => (point[0] > widest[0] ? point : widest));
  const outline = turned(profile, { bow: 0.14 });
  const arm = (side: number) => {
    const out: Point = [100 + side * (rim + 28), top + 18];
    return tube(curve([100 + side * rim * 0.9, top + 12], out, [100 + side * belly[0] * 0.86, belly[1] - 20]), main, 6.5, 2.5, 0.45);
  };
  return (
    standing(brush, bottom + 3, foot * 2 + 24) +
    (random.chance(0.45) ? sprig(brush, top) : "") +
    (hasHandles ? arm(-1) + arm(1) : "") +
    brush.body(outline) +
    band(brush, outline, [100, belly[1] - 5], 12) +
    (look.pattern === "plain" && look.style === "playful" ? emblem(brush, [100, belly[1] + 24], 12) : "") +
    brush.part(ellipse(100, top, rim, rim * 0.2), main, "cotton") +
    `<path d="${ellipse(100, top + 0.6, rim * 0.8, rim * 0.14)}" fill="${darken(main, 0.65)}"/>`
  );
}

export const VASES = {
  "bottle vase": sized("9..13 36..46", (brush, neck, w) => {
    const shoulder = points([neck * 1.25, 46], [neck, 60], [neck * 1.05, 84]);
    return vase(brush, [...shoulder, ...points([w * 0.85, 112], [w, 134], [w * 0.86, 156], [w * 0.66, 168])]);
  }),
  "amphora vase": sized("42..50", (brush, w) =>
    vase(brush, points([22, 50], [16, 62], [20, 74], [w, 98], [w * 0.9, 126], [w * 0.5, 154], [w * 0.42, 168]), true),
  ),
  "cylinder vase": sized("26..36", (brush, w) =>
    vase(brush, points([w, brush.random.between(42, 60)], [w, 100], [w, 150], [w * 0.96, 168])),
  ),
  "round vase": sized("50..58", (brush, w) =>
    vase(brush, points([w * 0.4, 66], [w * 0.38, 74], [w * 0.86, 94], [w, 122], [w * 0.84, 150], [w * 0.5, 168])),
  ),
  "hourglass vase": sized("36..44", (brush, w) =>
    vase(brush, points([w, 46], [w * 0.86, 64], [w * 0.46, 100], [w * 0.8, 140], [w * 0.96, 158], [w * 0.9, 168])),
  ),
} satisfies Family;

function bottle(brush: Brush, profile: readonly Point[], cap: string): string {
  const [[, top], [foot, bottom]] = endsOf(profile);
  const outline = turned(profile, { bow: 0.12 });
  const mark = brush.look.pattern === "plain" ? emblem(brush, [100, top + (bottom - top) * 0.48], 14) : "";
  return standing(brush, bottom + 3, foot * 2 + 26) + banded(brush, outline, [100, top + (bottom - top) * 0.72], 12) + mark + cap;
}

export const BOTTLES = {
  "sport bottle": sized("30..36", (brush, w) => {
    const { main, part, trim } = brush;
    const base = part(box(100 - w * 0.72, 44, w * 1.44, 18, 4), darken(main, 0.35), "plastic");
    const profile = points([w * 0.8, 60], [w, 74], [w, 96], [w * 0.86, 112], [w, 128], [w, 158], [w * 0.9, 168]);
    return bottle(brush, profile, base + trim(box(89, 24, 22, 22, 5)) + trim(box(94, 16, 12, 12, 4)));
  }),
  flask: sized("26..33", (brush, w) => {
    const { accent, part, trim, line } = brush;
    const loop = line(curve([86, 34], [100, 12], [114, 34]), darken(accent, 0.2), 6);
    const cap = loop + trim(box(82, 30, 36, 24, 6)) + part(box(84, 54, 32, 6), SILVER, "metal");
    return bottle(brush, points([17, 60], [19, 66], [w, 86], [w, 120], [w, 158], [w * 0.94, 168]), cap);
  }),
  tumbler: sized("40..46", (brush, w) => {
    const { accent, part, trim, line } = brush;
    const straw = brush.random.chance(0.6)
      ? line("M108 50L120 14", darken(accent, 0.15), 7.5) + line("M108 50L120 14", lighten(accent, 0.2), 5)
      : "";
    const lid = trim(box(100 - w - 3, 46, 2 * w + 6, 13, 6)) + part(ellipse(100, 47, w * 0.9, 5), lighten(accent, 0.2), "cotton");
    return bottle(brush, points([w, 58], [w * 0.93, 96], [w * 0.78, 150], [w * 0.72, 168]), straw + lid);
  }),
  "swing-top bottle": sized("30..38", (brush, w) => {
    const { part, line } = brush;
    const wire = "#7c828a";
    const cap =
      part(box(86, 22, 28, 14, 6), "#f1ece2", "ceramic") +
      part(box(84, 36, 32, 6, 2), "#c9563a", "rubber") +
      line("M82 32V62M118 32V62M82 32H118", wire, 3) +
      line("M80 60H120", wire, 4);
    return bottle(brush, points([12, 42], [13, 62], [16, 78], [w * 0.86, 100], [w, 116], [w, 158], [w * 0.92, 168]), cap);
  }),
} satisfies Family;
