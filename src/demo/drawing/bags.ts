/** Bags, from the front. */
import { banded, type Brush, emblem, type Family, sized, standing } from "./brush.ts";
import { box, curve, ellipse, mirrored, polygon } from "./outline.ts";
import { darken, GOLD, lighten, SILVER, THREAD } from "./palette.ts";

/** A strap or handle. */
function strap({ main, accent, is, tube, line }: Brush, d: string, width: number): string {
  const colour = is("minimal") ? darken(main, 0.25) : is("elegant") ? darken(main, 0.35) : is("rustic") ? "#9a6b42" : accent;
  return tube(d, colour, width, 1.6, 0.5) + line(d, lighten(colour, 0.5), width * 0.2, { opacity: 0.5 });
}

function seams({ main, is, line }: Brush, d: string): string {
  if (is("rustic")) return line(d, THREAD, 2.4, { dash: "6 4.5" });
  return is("minimal") ? "" : line(d, darken(main, 0.5), 1.5, { opacity: 0.45 });
}

const metalOf = ({ look }: Brush): string => (look.accent === "silver" ? SILVER : GOLD);

export const BAGS = {
  tote: sized("72..88 50..60 0.86..1.12", (brush, top, w, taper) => {
    const outline = mirrored(100, [w, top], [w * taper, 172]);
    const arc = (k: number, y: number) =>
      `M${100 - w * 0.5} ${top + 14}C${100 - w * 0.5} ${y} ${100 + w * 0.5} ${y} ${100 + w * 0.5} ${top + 14 + k}`;
    return (
      standing(brush, 174, 2 * w) +
      `<g opacity=".75">${strap(brush, arc(-4, top - 74), 6)}</g>` +
      banded(brush, outline, [100, 142], 14) +
      strap(brush, arc(0, top - 58), 6.5) +
      seams(brush, `M${100 - w + 4} ${top + 7}H${100 + w - 4}`) +
      emblem(brush, [100, top + 44], 15)
    );
  }),
  backpack: sized("46..54 70..84", (brush, w, shoulder) => {
    const { main, accent, is, line, plain, trim } = brush;
    const outline = `M${100 - w} 168V${shoulder}Q${100 - w} 34 100 34Q${100 + w} 34 ${100 + w} 84V168Q100 176 ${100 - w} 168Z`;
    const pocket = box(100 - w * 0.72, 114, w * 1.44, 48, 10);
    return (
      standing(brush, 172, 2 * w) +
      strap(brush, "M86 38Q86 18 100 18Q114 18 114 38", 6) +
      strap(brush, `M${100 - w + 3} 96Q${100 - w - 16} 120 ${100 - w + 2} 156`, 8) +
      strap(brush, `M${100 + w - 3} 96Q${100 + w + 16} 120 ${100 + w - 2} 156`, 8) +
      banded(brush, outline, [100, 80], 13) +
      line(curve([100 - w * 0.8, 74], [100, 62], [100 + w * 0.8, 74]), darken(main, 0.5), 3) +
      (is("minimal") || brush.look.pattern !== "plain" ? plain(pocket) : trim(pocket)) +
      line(`M${100 - w * 0.6} 126H${100 + w * 0.6}`, darken(accent, 0.5), 3, { opacity: 0.7 }) +
      seams(brush, box(100 - w * 0.62, 132, w * 1.24, 25, 7)) +
      emblem(brush, [100, 96], 12)
    );
  }),
  handbag: sized("56..66 84..96 0.72..0.86", (brush, w, top, k) => {
    const { random, is, body } = brush;
    const outline =
      `M${100 - w * k} ${top}H${100 + w * k}Q${100 + w} 150 ${100 + w * 0.98} 162` +
      `Q${100 + w * 0.9} 172 ${100 + w * 0.7} 172H${100 - w * 0.7}Q${100 - w * 0.9} 172 ${100 - w * 0.98} 162` +
      `Q${100 - w} 150 ${100 - w * k} ${top}Z`;
    const flap = `M${100 - w * k} ${top}H${100 + w * k}L${100 + w * 0.7} ${top + 30}Q100 ${top + 52} ${100 - w * 0.7} ${top + 30}Z`;
    const grip = `M${100 - w * 0.46} ${top + 4}C${100 - w * 0.5} ${top - 62} ${100 + w * 0.5} ${top - 62} ${100 + w * 0.46} ${top + 4}`;
    return (
      standing(brush, 173, 2 * w) +
      strap(brush, grip, 7.5) +
      banded(brush, outline, [100, 148], 12) +
      (random.chance(0.6)
        ? body(flap) + seams(brush, `M${100 - w * 0.68} ${top + 25}Q100 ${top + 46} ${100 + w * 0.68} ${top + 25}`)
        : seams(brush, `M${100 - w * k} ${top + 9}H${100 + w * k}`)) +
      (is("minimal") ? "" : brush.part(box(93, top + 32, 14, 15, 4), metalOf(brush), "metal")) +
      (is("sporty", "playful", "retro") ? emblem(brush, [136, 140], 11) : "")
    );
  }),
  satchel: sized("60..68 78..90", (brush, w, top) => {
    const { is, line } = brush;
    const flap =
      `M${100 - w - 2} ${top + 8}Q${100 - w - 2} ${top - 4} ${100 - w + 8} ${top - 4}H${100 + w - 8}` +
      `Q${100 + w + 2} ${top - 4} ${100 + w + 2} ${top + 8}V${top + 46}` +
      `Q${100 + w} ${top + 56} ${100 + w - 12} ${top + 56}H${100 - w + 12}` +
      `Q${100 - w} ${top + 56} ${100 - w - 2} ${top + 46}Z`;
    const buckle = (x: number) =>
      strap(brush, `M${x} ${top + 22}V${top + 68}`, 8) + (is("minimal") ? "" : line(box(x - 7, top + 50, 14, 12, 2), metalOf(brush), 3));
    return (
      standing(brush, 173, 2 * w) +
      strap(brush, `M${100 - w + 6} ${top + 4}C${100 - w + 20} ${top - 78} ${100 + w - 20} ${top - 78} ${100 + w - 6} ${top + 4}`, 6) +
      brush.plain(box(100 - w, top, 2 * w, 172 - top, 9)) +
      banded(brush, flap, [100, top + 26], 12) +
      seams(brush, `M${100 - w + 6} ${top + 49}H${100 + w - 6}`) +
      [100 - w * 0.5, 100 + w * 0.5].map(buckle).join("")
    );
  }),
  duffel: sized("70..78 86..94", (brush, w, top) => {
    const { is, line, trim } = brush;
    const bottom = 170;
    const outline = box(100 - w, top, 2 * w, bottom - top, 32);
    const x = 100 - w + 24;
    const panel = polygon([x - 8, top], [x + 8, top], [x + 8, bottom], [x - 8, bottom]);
    const far = `M${100 - w * 0.42} ${top + 6}C${100 - w * 0.4} ${top - 46} ${100 + w * 0.4} ${top - 46} ${100 + w * 0.42} ${top + 6}`;
    const near =
      `M${100 - w * 0.42} ${bottom - 4}V${top + 26}` +
      `C${100 - w * 0.4} ${top - 34} ${100 + w * 0.4} ${top - 34} ${100 + w * 0.42} ${top + 26}V${bottom - 4}`;
    const ends = () => trim(`M0 ${top}H${100 - w + 20}V${bottom}H0Z`) + trim(`M200 ${top}H${100 + w - 20}V${bottom}H200Z`);
    return (
      standing(brush, 172, 2 * w) +
      `<g opacity=".8">${strap(brush, far, 6)}</g>` +
      banded(brush, outline, [100, 142], 12) +
      (is("minimal") ? "" : brush.clip(outline, ends())) +
      strap(brush, near, 7) +
      line(`M${100 - w * 0.7} ${top + 9}H${100 + w * 0.7}`, darken(brush.main, 0.5), 3, { opacity: 0.6 }) +
      seams(brush, panel) +
      emblem(brush, [100, top + 42], 13) +
      line(ellipse(100, top + 9, 3), SILVER, 3)
    );
  }),
} satisfies Family;
