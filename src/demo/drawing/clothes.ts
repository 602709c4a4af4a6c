/** Shirts and tops, laid flat, and dresses on an invisible hanger. */
import { band, banded, bothSides, type Brush, emblem, type Family, hanging, sized } from "./brush.ts";
import { box, curve, ellipse, type Point, points, polygon } from "./outline.ts";
import { darken, lighten, THREAD } from "./palette.ts";

interface Cut {
  /** Half widths of shoulder, chest and hem. */
  readonly shoulder: number;
  readonly chest: number;
  readonly hem: number;
  /** Where the sleeve ends, and how wide it is there. */
  readonly sleeve?: readonly [x: number, y: number, width: number];
  /** Half width and depth of the neck. */
  readonly neck: readonly [width: number, depth: number];
}

const TOP = 34;
const HEM = 172;

const neckline = ([n, depth]: Cut["neck"]): string => `M${100 - n} ${TOP}Q100 ${TOP + depth * 2} ${100 + n} ${TOP}`;

function shirtOutline({ shoulder, chest, hem, sleeve, neck }: Cut): string {
  const side = (s: 1 | -1) => {
    const x = (v: number) => (100 + s * v).toFixed(1);
    if (sleeve === undefined) return `L${x(shoulder)} ${TOP + 3}Q${x(shoulder * 0.94)} 66 ${x(chest)} 78`;
    const [sx, sy, sw] = sleeve;
    const k = sw / Math.hypot(sx - shoulder, sy - TOP);
    const [ex, ey] = [sx - (sy - TOP) * k, sy + (sx - shoulder) * k];
    return `L${x(shoulder)} ${TOP + 8}L${x(sx)} ${sy}L${x(ex)} ${ey.toFixed(1)}L${x(chest)} 84`;
  };
  // The left side's corners the other way round: from hem to neck.
  const left = (side(-1).match(/-?[\d.]+ -?[\d.]+/g) ?? []).toReversed().map((corner) => `L${corner}`);
  return `${neckline(neck)}${side(1)}L${(100 + hem).toFixed(1)} ${HEM}Q100 ${HEM + 5} ${100 - hem} ${HEM}${left.join("")}Z`;
}

function shirt(brush: Brush, cut: Cut, details: (outline: string) => string): string {
  const outline = shirtOutline(cut);
  const { chest } = cut;
  const folds =
    `M${100 - chest} 86Q${100 - chest * 0.7} 92 ${100 - chest * 0.55} 108` +
    `M${100 + chest} 86Q${100 + chest * 0.7} 92 ${100 + chest * 0.55} 108`;
  return (
    hanging(outline) +
    banded(brush, outline, [100, 116], 14) +
    brush.line(folds, darken(brush.main, 0.55), 2, { opacity: 0.35 }) +
    details(outline)
  );
}

/** Bands along neck and cuffs are tonal on minimal shirts. */
const trimColour = (brush: Brush, share: number = 0.25): string => (brush.is("minimal") ? darken(brush.main, share) : brush.accent);

function ribbing(brush: Brush, outline: string, neck: Cut["neck"]): string {
  const d = neckline(neck);
  return brush.clip(outline, brush.line(d, trimColour(brush), 10)) + brush.line(d, darken(brush.main, 0.5), 1.6, { opacity: 0.6 });
}

const shortSleeve = (brush: Brush, reach: number) => [reach, brush.random.between(76, 84), 34] as const;

export const SHIRTS = {
  "t-shirt": sized("42..50 42..54", (brush, chest, hem) => {
    const cut: Cut = { shoulder: 44, chest, hem, sleeve: shortSleeve(brush, 80), neck: [18, brush.random.between(7, 16)] };
    const size = brush.look.pattern === "plain" ? 19 : 12;
    return shirt(brush, cut, (outline) => ribbing(brush, outline, cut.neck) + emblem(brush, [100, 92], size));
  }),
  "polo shirt": sized("42..48 42..50", (brush, chest, hem) => {
    const cut: Cut = { shoulder: 44, chest, hem, sleeve: shortSleeve(brush, 78), neck: [18, 8] };
    const colour = trimColour(brush, 0.12);
    const collar = (s: number) =>
      brush.part(polygon([100, 50], [100 + s * 20, TOP - 4], [100 + s * 27, 44], [100 + s * 9, 63]), colour, "cotton");
    const buttons = [58, 70, 82].map((y) => `<circle cx="100" cy="${y}" r="2.4" fill="#fbf7ee" stroke="#5a4a44" stroke-width=".8"/>`);
    const placket = brush.part(box(94, 48, 12, 40, 2), lighten(colour, 0.1), "cotton") + buttons.join("");
    return shirt(brush, cut, () => placket + collar(-1) + collar(1) + emblem(brush, [124, 88], 9));
  }),
  "button-up shirt": sized("40..46 42..48", (brush, chest, hem) => {
    const { random, is, plain } = brush;
    const sleeve = random.chance(0.65) ? ([72, 138, 24] as const) : shortSleeve(brush, 78);
    const collar = (s: number) =>
      brush.part(polygon([100, 46], [100 + s * 18, TOP - 7], [100 + s * 27, 42], [100 + s * 14, 64]), lighten(brush.main, 0.18));
    const button = (y: number) =>
      `<circle cx="100" cy="${y}" r="2.8" fill="${is("elegant") ? brush.accent : "#fbf7ee"}" stroke="#4a3c38" stroke-width="1"/>`;
    const pocket = plain(box(112, 80, 22, 26, 3)) + (is("rustic") ? brush.line(box(114, 82, 18, 22, 2), THREAD, 1.8, { dash: "4 3" }) : "");
    return shirt(
      brush,
      { shoulder: 44, chest, hem, sleeve, neck: [16, 8] },
      () =>
        plain(box(94, 44, 12, 129, 1)) +
        [66, 86, 106, 126, 146].map(button).join("") +
        pocket +
        collar(-1) +
        collar(1) +
        (is("sporty", "playful") ? emblem(brush, [74, 90], 9) : ""),
    );
  }),
  hoodie: sized("46..52 46..52", (brush, chest, hem) => {
    const { main, accent, line } = brush;
    const hood = `M74 50Q64 16 100 15Q136 16 126 50Q100 74 74 50Z`;
    const details = (outline: string) =>
      brush.clip(outline, line(`M0 ${HEM - 4}H200`, darken(main, 0.3), 12, { opacity: 0.7 })) +
      brush.plain(polygon([76, 128], [124, 128], [136, 160], [64, 160])) +
      brush.body(hood) +
      `<path d="${ellipse(100, 46, 17, 15)}" fill="${darken(main, 0.6)}"/>` +
      line("M90 56Q88 74 90 88M110 56Q112 74 110 84", lighten(accent, 0.2), 4) +
      emblem(brush, [100, 104], 14);
    return hanging(hood) + shirt(brush, { shoulder: 46, chest, hem, sleeve: [76, 144, 27], neck: [20, 6] }, details);
  }),
  "tank top": sized("42..48 40..54", (brush, chest, hem) => {
    const cut: Cut = { shoulder: 30, chest, hem, neck: [17, brush.random.between(16, 26)] };
    const edge = (s: number) => brush.line(curve([100 + s * 30, TOP + 3], [100 + s * 29, 60], [100 + s * chest, 78]), trimColour(brush), 8);
    const size = brush.look.pattern === "plain" ? 17 : 11;
    return shirt(
      brush,
      cut,
      (outline) => ribbing(brush, outline, cut.neck) + brush.clip(outline, bothSides(edge)) + emblem(brush, [100, 100], size),
    );
  }),
} satisfies Family;

/** `waist` and `hem`: heights. `widths`: half widths at the waist, the hip and the hem. */
function dress(brush: Brush, waist: number, [w, hip, h]: readonly [number, number, number], hem: number, pleats: number): string {
  const { random, main, is, line, body, trim } = brush;
  const neck = random.pick(["round", "deep", "straps"] as const);
  const hasStraps = neck === "straps";
  const sleeve = hasStraps ? "none" : random.pick(["none", "cap", "long"] as const);
  const [top, shoulder] = hasStraps ? [46, 25] : [29, 29];
  const shoulders = hasStraps
    ? `M${100 - shoulder} ${top}Q88 40 100 50Q112 40 ${100 + shoulder} ${top}`
    : `M${100 - shoulder} ${top}L86 24Q100 ${neck === "deep" ? 70 : 44} 114 24L${100 + shoulder} ${top}`;
  const mid = (waist + hem) / 2;
  const outline =
    `${shoulders}Q${100 + shoulder + 1} 56 130 62Q${100 + w + 2} ${waist - 12} ${100 + w} ${waist}` +
    `C${100 + hip * 0.9} ${waist + 14} ${100 + hip} ${mid} ${100 + h} ${hem}Q100 ${hem + 10} ${100 - h} ${hem}` +
    `C${100 - hip} ${mid} ${100 - hip * 0.9} ${waist + 14} ${100 - w} ${waist}` +
    `Q${100 - w - 2} ${waist - 12} 70 62Q${100 - shoulder - 1} 56 ${100 - shoulder} ${top}Z`;
  const cap = points([26, 27], [44, 44], [36, 62], [28, 60]);
  const long = points([26, 27], [40, 36], [60, 112], [46, 118], [30, 66]);
  const arm = (s: number) => body(polygon(...(sleeve === "cap" ? cap : long).map(([x, y]): Point => [100 + s * x, y])));
  const fold = (k: number) =>
    line(
      `M${(100 + k * w * 0.75).toFixed(1)} ${waist + 6}` +
        `Q${(100 + k * (w + h) * 0.42).toFixed(1)} ${mid} ${(100 + k * h * 0.82).toFixed(1)} ${hem}`,
      darken(main, 0.6),
      2.2,
      { opacity: 0.3 },
    );
  const sash = is("minimal")
    ? line(`M${100 - w} ${waist}H${100 + w}`, darken(main, 0.5), 1.6, { opacity: 0.5 })
    : trim(box(100 - w - 1, waist - 4, 2 * w + 2, 9, 2));
  const gem = polygon([100, waist - 8], [108, waist], [100, waist + 9], [92, waist]);
  return (
    hanging(outline) +
    (hasStraps ? line("M78 48L84 16M122 48L116 16", darken(main, 0.15), 5) : "") +
    (sleeve === "none" ? "" : arm(-1) + arm(1)) +
    body(outline) +
    Array.from({ length: pleats }, (_, i) => fold((i / (pleats - 1)) * 2 - 1)).join("") +
    band(brush, outline, [100, hem - 18], 13) +
    sash +
    (is("elegant") ? trim(gem) : "") +
    (is("sporty", "playful") ? emblem(brush, [100, 74], 10) : "") +
    (is("rustic") ? [58, 70, 82].map((y) => `<circle cx="100" cy="${y}" r="3" fill="#8a5d3a"/>`).join("") : "")
  );
}

export const DRESSES = {
  "a-line dress": (brush) => {
    const { between } = brush.random;
    return dress(brush, between(82, 92), [24, 34, between(50, 60)], between(150, 166), 3);
  },
  "sheath dress": (brush) => dress(brush, 92, [25, 32, brush.random.between(26, 31)], brush.random.between(152, 168), 0),
  "maxi dress": (brush) => dress(brush, brush.random.between(74, 84), [23, 31, brush.random.between(44, 52)], 188, 4),
  "skater dress": (brush) => {
    const { between } = brush.random;
    return dress(brush, between(84, 92), [23, 58, between(68, 78)], between(134, 146), 6);
  },
} satisfies Family;
