/** Watches (a strap of the product's material, case, dial) and clocks for wall and shelf. */
import { band, banded, type Brush, type Family, hanging, sized, standing } from "./brush.ts";
import { box, ellipse, mirrored, type Point, polygon } from "./outline.ts";
import { darken, GOLD, inkOn, lighten, SILVER, THREAD } from "./palette.ts";

/** Marks by style, hands at a random time. */
function dial({ random, is, line }: Brush, [x, y]: Point, r: number, ground: string): string {
  const ink = inkOn(ground);
  const at = (angle: number, radius: number, separator: string = " ") => {
    const a = (angle * Math.PI) / 180;
    return `${(x + Math.sin(a) * radius).toFixed(1)}${separator}${(y - Math.cos(a) * radius).toFixed(1)}`;
  };
  const mark = (angle: number) => {
    const colour = ["#e8622f", "#2a9a97", "#efb52f", "#c0458f"][(angle / 30) % 4]!;
    if (is("playful")) return `<circle cx="${at(angle, r * 0.8, '" cy="')}" r="${r * 0.09}" fill="${colour}"/>`;
    const isHeavy = is("sporty") || angle % 90 === 0;
    return line(`M${at(angle, r * (isHeavy ? 0.7 : 0.78))}L${at(angle, r * 0.88)}`, ink, r * (isHeavy ? 0.09 : 0.05));
  };
  const every = is("minimal", "elegant") ? 90 : 30;
  const marks = Array.from({ length: 360 / every }, (_, i) => mark(i * every));
  const hour = random.between(0, 360);
  const minute = hour * 12;
  const hand = (angle: number, length: number, width: number, colour: string) =>
    line(`M${at(angle + 180, r * 0.12)}L${at(angle, length)}`, colour, width);
  const strong = is("minimal") ? 0.06 : 0.1;
  return (
    marks.join("") +
    hand(hour, r * 0.48, r * strong, ink) +
    hand(minute, r * 0.72, r * strong * 0.75, ink) +
    (is("sporty", "retro") ? hand(minute * 3, r * 0.76, r * 0.03, "#e0482f") : "") +
    `<circle cx="${x}" cy="${y}" r="${r * 0.08}" fill="${ink}"/>`
  );
}

const roundDial = (brush: Brush, y: number, r: number, ground: string): string =>
  brush.part(ellipse(100, y, r), ground, "cotton") + dial(brush, [100, y], r, ground);

/** Watch cases are of steel, or of gold on elegant and some retro watches. */
function caseColour({ look, accent, random, is }: Brush): string {
  if (is("elegant")) return look.accent === "silver" ? SILVER : GOLD;
  if (is("playful")) return accent;
  if (is("rustic")) return "#a8794a";
  if (is("retro")) return random.chance(0.5) ? GOLD : SILVER;
  return is("sporty") ? "#3b3d43" : SILVER;
}

function dialColour({ main, accent, random, is }: Brush): string {
  if (is("minimal")) return random.pick(["#f6f5f2", "#26282d"]);
  if (is("sporty")) return random.pick(["#1f2126", accent]);
  if (is("retro")) return "#f3e4c3";
  return is("playful") ? "#fffaf0" : random.pick(["#f7f3ea", darken(main, 0.3), "#f7f3ea"]);
}

function strap(brush: Brush, w: number): string {
  const { look, main, is, line, body } = brush;
  const upper = mirrored(100, [w * 0.78, 8], [w, 70]);
  const lower = mirrored(100, [w, 130], [w * 0.74, 186], [w * 0.5, 194]);
  const dark = darken(main, 0.6);
  const links = [18, 31, 44, 57, 143, 156, 169, 182].map((y) => line(`M${100 - w} ${y}H${100 + w}`, dark, 2.4, { opacity: 0.6 }));
  const holes = [156, 166, 176].map((y) => `<circle cx="100" cy="${y}" r="2.2" fill="${dark}"/>`);
  const seams =
    `M${100 - w * 0.76} 12L${100 - w * 0.86} 70M${100 + w * 0.76} 12L${100 + w * 0.86} 70` +
    `M${100 - w * 0.86} 130L${100 - w * 0.66} 184M${100 + w * 0.86} 130L${100 + w * 0.66} 184`;
  return (
    hanging(upper + lower) +
    body(upper) +
    body(lower) +
    (look.material === "metal" ? links : holes).join("") +
    (is("rustic") ? line(seams, THREAD, 2, { dash: "5 4" }) : band(brush, upper, [100, 24], 11) + band(brush, lower, [100, 140], 9))
  );
}

/** Strap, crown or buttons at the right of the case, and the case. */
function watch(brush: Brush, strapWidth: number, buttons: () => string, outer: string): string {
  return strap(brush, strapWidth) + buttons() + hanging(outer) + brush.part(outer, caseColour(brush), "metal");
}

/** An activity ring, closed to `share`. */
const ring = (r: number, share: number, colour: string): string =>
  `<circle cx="100" cy="102" r="${r}" fill="none" stroke="${colour}" stroke-width="5" stroke-linecap="round"` +
  ` stroke-dasharray="${(2 * Math.PI * r * share).toFixed(0)} 400" transform="rotate(-90 100 102)"/>`;

export const WATCHES = {
  "round watch": sized("38..46", (brush, r) => {
    const ground = dialColour(brush);
    const crown = () => brush.part(box(98 + r, 94, 9, 12, 2), caseColour(brush), "metal");
    return watch(brush, 22, crown, ellipse(100, 100, r)) + roundDial(brush, 100, r * 0.82, ground);
  }),
  "square watch": sized("32..38 1..1.25", (brush, w, ratio) => {
    const h = w * ratio;
    const ground = dialColour(brush);
    const crown = () => brush.part(box(98 + w, 94, 8, 12, 2), caseColour(brush), "metal");
    return (
      watch(brush, 23, crown, box(100 - w, 100 - h, 2 * w, 2 * h, 8)) +
      brush.part(box(106 - w, 106 - h, 2 * w - 12, 2 * h - 12, 4), ground, "cotton") +
      dial(brush, [100, 100], w - 5, ground)
    );
  }),
  "diver watch": sized("45..50", (brush, r) => {
    const { part } = brush;
    const ground = brush.random.pick(["#1f2126", darken(brush.main, 0.2)]);
    const ticks = Array.from({ length: 12 }, (_, i) => {
      const a = (i * Math.PI) / 6;
      const at = (k: number) => `${(100 + Math.sin(a) * r * k).toFixed(1)} ${(100 - Math.cos(a) * r * k).toFixed(1)}`;
      return brush.line(`M${at(0.82)}L${at(0.93)}`, "#f6f3ee", i % 3 === 0 ? 5 : 2.4);
    });
    const button = (y: number) => part(box(96 + r, y - 5, 10, 10, 2), "#9aa0a8", "metal");
    return (
      watch(brush, 25, () => [78, 100, 122].map(button).join(""), ellipse(100, 100, r)) +
      part(ellipse(100, 100, r * 0.95), brush.is("sporty") ? darken(brush.accent, 0.1) : "#2a2c33", "ceramic") +
      ticks.join("") +
      roundDial(brush, 100, r * 0.74, ground)
    );
  }),
  "smart watch": sized("34..40 0.5..0.95 0.4..0.9 0.3..0.8", (brush, w, a, b, c) => {
    const { accent, part } = brush;
    const crown = () => part(box(99 + w, 84, 6, 18, 3), caseColour(brush), "metal");
    return (
      watch(brush, 24, crown, box(100 - w, 100 - w * 1.16, 2 * w, 2.32 * w, w * 0.5)) +
      part(box(105 - w, 105 - w * 1.16, 2 * w - 10, 2.32 * w - 10, w * 0.4), "#17181c", "plastic") +
      ring(w * 0.6, a, accent) +
      ring(w * 0.42, b, lighten(accent, 0.4)) +
      ring(w * 0.24, c, "#f6f3ee")
    );
  }),
} satisfies Family;

function face(brush: Brush, y: number, r: number): string {
  const ground = brush.is("elegant") ? darken(brush.main, 0.55) : brush.is("retro") ? "#f6e8c8" : "#fbf8f1";
  return roundDial(brush, y, r, ground);
}

export const CLOCKS = {
  "wall clock": sized("60..70", (brush, r) => {
    const d = brush.random.chance(0.3) ? box(100 - r, 96 - r, 2 * r, 2 * r, 18) : ellipse(100, 96, r);
    return (
      hanging(d) +
      brush.body(d) +
      (brush.is("minimal") ? "" : brush.trim(ellipse(100, 96, r * 0.8))) +
      face(brush, 96, r * (brush.look.pattern === "plain" ? 0.76 : 0.62))
    );
  }),
  "alarm clock": sized("48..54", (brush, r) => {
    const bell = (x: number, turn: number) => `<g transform="rotate(${turn} ${x} 46)">${brush.trim(`M${x - 20} 52a20 18 0 0 1 40 0Z`)}</g>`;
    const foot = (x: number) => brush.line(`M${x < 100 ? 66 : 134} 150L${x} 172`, darken(brush.main, 0.4), 8);
    return (
      standing(brush, 174, 100) +
      [56, 144].map(foot).join("") +
      brush.line("M84 38Q100 16 116 38", darken(brush.accent, 0.2), 5) +
      bell(66, -26) +
      bell(134, 26) +
      brush.body(ellipse(100, 112, r + 6)) +
      face(brush, 112, r * 0.78)
    );
  }),
  "mantel clock": sized("46..58", (brush, w) => {
    const d = brush.random.chance(0.5)
      ? `M${100 - w} 164V96a${w} ${w * 0.95} 0 0 1 ${2 * w} 0V164Z`
      : polygon([100 - w * 0.7, 52], [100 + w * 0.7, 52], [100 + w, 164], [100 - w, 164]);
    return (
      standing(brush, 174, 2 * w + 20) +
      banded(brush, d, [100, 142], 11) +
      brush.part(box(100 - w - 8, 162, 2 * w + 16, 11, 3), darken(brush.main, 0.25)) +
      brush.trim(ellipse(100, 100, w * 0.74)) +
      face(brush, 100, w * 0.66)
    );
  }),
  "sunburst clock": sized("28..36", (brush, r) => {
    const count = brush.random.pick([12, 16, 20]);
    const long = brush.random.between(74, 82);
    const rays = Array.from({ length: count }, (_, i) => {
      const tip = 96 - (i % 2 === 0 ? long : long * 0.78);
      const d = polygon([95, 96 - r * 0.9], [105, 96 - r * 0.9], [101.4, tip], [98.6, tip]);
      return `<g transform="rotate(${(i * 360) / count} 100 96)">${i % 2 === 0 ? brush.part(d, brush.main) : brush.trim(d)}</g>`;
    });
    return rays.join("") + hanging(ellipse(100, 96, r + 10)) + brush.body(ellipse(100, 96, r + 12)) + face(brush, 96, r);
  }),
} satisfies Family;
