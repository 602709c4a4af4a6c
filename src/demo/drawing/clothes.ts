/** Shirts and tops, laid flat; dresses on an invisible hanger; shoes in profile with the toe to the right. */
import type { Style } from "../catalogue/vocabulary.ts";
import { band, banded, bothSides, type Brush, emblem, type Family, hanging, sized, standing } from "./brush.ts";
import { box, curve, ellipse, type Point, points, polygon } from "./outline.ts";
import { darken, GOLD, lighten, THREAD } from "./palette.ts";

/** Half widths of shoulder, chest and hem. `sleeve`: its end, and its width there. `neck`: half width and depth. */
interface Cut extends Readonly<Record<"shoulder" | "chest" | "hem", number>> {
  readonly sleeve?: readonly [x: number, y: number, width: number];
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
        [-1, 1].map(collar).join("") +
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
  "a-line dress": sized("82..92 50..60 150..166", (brush, waist, h, hem) => dress(brush, waist, [24, 34, h], hem, 3)),
  "sheath dress": sized("26..31 152..168", (brush, h, hem) => dress(brush, 92, [25, 32, h], hem, 0)),
  "maxi dress": sized("74..84 44..52", (brush, waist, h) => dress(brush, waist, [23, 31, h], 188, 4)),
  "skater dress": sized("84..92 68..78 134..146", (brush, waist, h, hem) => dress(brush, waist, [23, 58, h], hem, 6)),
} satisfies Family;

/** Soles are white on sporty shoes, gum on retro ones, dark or wooden otherwise. */
function soleColour({ look, main, accent }: Brush): string {
  const colours: Readonly<Record<Style, string>> = {
    sporty: "#f7f6f3",
    playful: accent,
    retro: "#c08a52",
    rustic: "#8a5d3a",
    elegant: "#2d2628",
    minimal: lighten(main, 0.75),
  };
  return colours[look.style];
}

/** Rustic shoes show their seams. */
function seam({ main, is, line }: Brush, d: string): string {
  return is("rustic") ? line(d, THREAD, 2.2, { dash: "5 4" }) : line(d, darken(main, 0.55), 1.6, { opacity: 0.5 });
}

function laces({ main, accent, is, tube }: Brush, from: Point, to: Point, count: number): string {
  const colour = is("minimal") ? lighten(main, 0.5) : is("elegant") ? accent : lighten(accent, 0.5);
  const lace = (k: number) => {
    const [x, y] = [from[0] + (to[0] - from[0]) * k, from[1] + (to[1] - from[1]) * k];
    return tube(`M${x - 9} ${y + 8}L${x + 3} ${y - 1}`, colour, 3.4, 1.6, 0.35);
  };
  return Array.from({ length: count }, (_, i) => lace(i / (count - 1))).join("");
}

function sole(brush: Brush, thickness: number): string {
  const top = 160 - thickness;
  const d = `M24 ${top}Q22 164 34 164H170Q184 164 182 ${top + 2}Q176 ${top + 6} 168 ${top + 4}H36Q28 ${top + 4} 24 ${top}Z`;
  const groove = brush.is("sporty") ? brush.line(`M30 ${top + 9}H176`, brush.accent, 3) : "";
  return brush.part(d, soleColour(brush), "rubber") + groove;
}

export const SHOES = {
  sneaker: sized("12..20 84..94", (brush, t, rise) => {
    const b = 163 - t;
    const upper =
      `M30 ${b}C26 132 26 ${rise + 22} 34 ${rise}Q44 ${rise - 6} 52 ${rise + 6}Q64 ${rise + 14} 78 ${rise - 4}` +
      `Q86 ${rise - 12} 94 ${rise - 4}C108 ${rise + 16} 128 ${rise + 24} 150 ${rise + 30}` +
      `Q178 ${rise + 38} 178 ${b}Z`;
    const toe = `M144 ${b}Q146 ${rise + 34} 154 ${rise + 31}Q179 ${rise + 39} 178 ${b}Z`;
    return (
      standing(brush, 165, 156) +
      brush.body(upper) +
      brush.clip(upper, brush.is("minimal") ? "" : brush.trim(toe) + brush.trim(`M22 ${rise - 6}h20v40h-20Z`)) +
      band(brush, `M56 ${rise + 18}L104 ${rise + 20}L132 ${b}H56Z`, [92, rise + 34], 11) +
      seam(brush, `M44 ${b - 3}Q52 ${rise + 34} 80 ${rise + 28}Q100 ${rise + 26} 118 ${rise + 26}`) +
      laces(brush, [92, rise + 2], [126, rise + 24], 4) +
      sole(brush, t)
    );
  }),
  "high-top": sized("12..18 38..50", (brush, t, c) => {
    const b = 163 - t;
    const upper = `M32 ${b}C28 120 34 80 30 ${c}Q52 ${c - 10} 86 ${c - 2}C86 78 100 104 126 114Q178 122 178 ${b}Z`;
    const toe = `M144 ${b}Q144 122 152 119Q179 126 178 ${b}Z`;
    return (
      standing(brush, 165, 156) +
      brush.body(upper) +
      brush.clip(upper, brush.is("minimal") ? "" : brush.trim(toe) + brush.trim(`M22 ${c - 12}h70v15h-70Z`)) +
      band(brush, `M30 60H84L120 ${b}H34Z`, [70, 112], 11) +
      emblem(brush, [52, c + 38], 11) +
      seam(brush, `M48 ${b - 3}Q50 116 84 112`) +
      laces(brush, [84, c + 12], [122, 112], 7) +
      sole(brush, t)
    );
  }),
  "ankle boot": sized("28..44 12..22", (brush, c, heel) => {
    const { main, is, trim, part, clip } = brush;
    const upper = `M40 150C36 120 40 80 38 ${c}Q62 ${c - 7} 92 ${c}C92 76 92 96 108 110Q140 116 160 126Q178 134 178 152Z`;
    const colour = soleColour(brush);
    return (
      standing(brush, 172, 150) +
      part(`M38 148h38v${heel + 4}q0 3-3 3h-32q-3 0-3-3Z`, colour, "rubber") +
      part("M38 150H180Q184 158 176 161H84Q74 161 72 156H40Z", colour, "rubber") +
      brush.body(upper) +
      (is("elegant", "minimal")
        ? part(`M54 ${c + 10}h24l-5 58h-14Z`, darken(main, 0.4), "wool")
        : laces(brush, [92, c + 22], [118, 112], 6) + clip(upper, trim(`M30 ${c - 10}h70v16h-70Z`))) +
      band(brush, upper, [80, 116], 11) +
      seam(brush, "M44 128Q70 122 80 146M108 112Q112 130 132 148") +
      (is("elegant") ? trim(`M40 112H106v7H40Z`) : "") +
      brush.line(curve([38, c], [64, c - 4], [92, c]), darken(main, 0.5), 2)
    );
  }),
  heel: sized("92..108", (brush, tall) => {
    const { main, accent, is, line } = brush;
    const isStiletto = brush.random.chance(0.6);
    const upper =
      `M32 ${tall}Q28 ${tall + 22} 40 ${tall + 34}Q74 ${tall + 36} 96 146Q112 166 150 166H176Q184 158 172 150` +
      `C150 140 128 138 116 124Q100 ${tall + 14} 60 ${tall + 18}Q46 ${tall + 16} 44 ${tall - 4}Z`;
    const heel = isStiletto
      ? `M34 ${tall + 28}L52 ${tall + 32}Q46 140 42 168h-6Q36 140 32 ${tall + 30}Z`
      : `M33 ${tall + 26}L64 ${tall + 33}Q56 140 58 168H34Z`;
    const strap = curve([42, tall + 4], [66, tall - 10], [84, tall + 20]);
    const edge = curve([60, tall + 18], [98, tall + 24], [116, 124], [146, 142]);
    const hasStrap = brush.random.chance(0.4);
    return (
      standing(brush, 169, 150) +
      brush.part(heel, is("minimal") ? darken(main, 0.25) : accent, is("elegant") ? "metal" : "leather") +
      brush.body(upper) +
      (hasStrap ? line(strap, darken(main, 0.2), 5) : "") +
      band(brush, upper, [108, 140], 10) +
      line(edge, darken(main, 0.55), 2, { opacity: 0.6 }) +
      emblem(brush, [150, 150], is("rustic") ? 7 : 9) +
      line("M98 150Q112 167 150 167H176", darken(soleColour(brush), 0.1), 4)
    );
  }),
  sandal: sized("9..22", (brush, t) => {
    const { main, is, part, line } = brush;
    const colour = is("minimal") ? darken(main, 0.35) : soleColour(brush);
    const [y, w] = [160 - t, brush.random.between(14, 20)];
    const bed = `M26 ${y}Q22 164 34 164H170Q186 160 178 ${y}Q150 ${y - 4} 110 ${y}Q60 ${y - 6} 26 ${y}Z`;
    // One wide strap, or two arches with a loop round the heel.
    const isWide = brush.random.chance(0.4);
    const wide = `M86 ${y}C90 ${y - 40} 108 ${y - 56} 126 ${y - 50}Q156 ${y - 40} 170 ${y}Z`;
    const inside = `<path d="M88 ${y}C92 ${y - 30} 102 ${y - 44} 112 ${y - 49}Q100 ${y - 24} 104 ${y}Z" fill="${darken(main, 0.65)}"/>`;
    const loop =
      `M32 ${y}C28 ${y - 34} 32 ${y - 52} 42 ${y - 54}Q74 ${y - 60} 104 ${y - 50}L100 ${y - 38}` +
      `Q74 ${y - 46} 50 ${y - 42}Q42 ${y - 24} 48 ${y}Z`;
    const instep =
      `M80 ${y}C84 ${y - 36} 96 ${y - 52} 106 ${y - 51}Q122 ${y - 48} 130 ${y}H${130 - w}` +
      `Q114 ${y - 30} 106 ${y - 31}Q98 ${y - 30} 96 ${y}Z`;
    const front =
      `M128 ${y}C130 ${y - 22} 138 ${y - 32} 146 ${y - 31}Q160 ${y - 29} 170 ${y}H${170 - w * 0.9}` +
      `Q154 ${y - 15} 147 ${y - 15}Q143 ${y - 14} 142 ${y}Z`;
    return (
      standing(brush, 165, 156) +
      part(bed, colour, is("rustic") ? "straw" : "rubber") +
      line(`M30 ${y + 1}Q70 ${y - 6} 110 ${y + 1}Q150 ${y - 4} 176 ${y + 1}`, lighten(colour, 0.4), 3) +
      (isWide ? [wide] : [loop, instep, front]).map((d) => brush.body(d) + seam(brush, d)).join("") +
      (isWide ? inside + emblem(brush, [130, y - 24], 12) : emblem(brush, [76, y - 50], 7)) +
      (!isWide && is("elegant", "rustic") ? line(box(99, y - 47, 13, 13, 3), GOLD, 3) : "")
    );
  }),
  loafer: (brush) => {
    const { main, accent, is, line, part } = brush;
    return (
      standing(brush, 165, 156) +
      part("M26 148H182Q184 162 172 162H76V158H66V164H32Q24 162 26 148Z", soleColour(brush), "rubber") +
      brush.body("M30 150C26 132 24 112 34 98Q40 94 50 104Q74 118 98 106Q104 98 112 104Q136 116 160 122Q180 130 178 150Z") +
      (is("minimal") ? "" : brush.trim("M88 108Q100 98 112 104L126 112Q128 132 122 150H92Q84 130 88 108Z")) +
      seam(brush, "M124 114Q144 118 156 128Q164 138 164 147") +
      band(brush, "M34 110L86 116V150H30Z", [60, 124], 10) +
      (is("elegant") ? line("M96 122H120", GOLD, 5) + line(ellipse(108, 122, 5), GOLD, 3) : "") +
      (is("retro") ? [98, 104, 110, 116].map((x) => line(`M${x} 126l-4 14`, darken(accent, 0.4), 3)).join("") : "") +
      (is("playful") ? part(ellipse(108, 120, 10), "#f4cc4d", "wool") : "") +
      line(curve([34, 98], [50, 104], [74, 112], [98, 106]), darken(main, 0.5), 2.4)
    );
  },
} satisfies Family;
