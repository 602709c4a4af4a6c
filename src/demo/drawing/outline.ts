/** Outlines as SVG path data, on a canvas of 200 x 200 with y downwards. */

export type Point = readonly [x: number, y: number];

/** A list of points. */
export const points = (...list: readonly Point[]): readonly Point[] => list;

const n = (value: number): string => String(Math.round(value * 10) / 10);
const at = ([x, y]: Point): string => `${n(x)} ${n(y)}`;

/** Straight lines through the points, closed. */
export const polygon = (...corners: readonly Point[]): string => `M${corners.map(at).join("L")}Z`;

export function ellipse(cx: number, cy: number, rx: number, ry: number = rx): string {
  return `M${n(cx - rx)} ${n(cy)}a${n(rx)} ${n(ry)} 0 1 1 ${n(2 * rx)} 0a${n(rx)} ${n(ry)} 0 1 1 ${n(-2 * rx)} 0Z`;
}

/** A box with corners of radius `r`, at most half the shorter side. */
export function box(x: number, y: number, width: number, height: number, r: number = 0): string {
  const c = Math.max(0, Math.min(r, width / 2, height / 2));
  const arc = (dx: number, dy: number) => `a${n(c)} ${n(c)} 0 0 1 ${n(dx)} ${n(dy)}`;
  return (
    `M${n(x + c)} ${n(y)}h${n(width - 2 * c)}${arc(c, c)}v${n(height - 2 * c)}${arc(-c, c)}` +
    `h${n(2 * c - width)}${arc(-c, -c)}v${n(2 * c - height)}${arc(c, -c)}Z`
  );
}

/** Catmull–Rom segments from the second of the points to the last but one. */
function segments(around: readonly Point[]): string {
  let d = "";
  for (let i = 1; i + 2 < around.length; i++) {
    const [p0, p1, p2, p3] = [around[i - 1]!, around[i]!, around[i + 1]!, around[i + 2]!];
    const c1: Point = [p1[0] + (p2[0] - p0[0]) / 6, p1[1] + (p2[1] - p0[1]) / 6];
    const c2: Point = [p2[0] - (p3[0] - p1[0]) / 6, p2[1] - (p3[1] - p1[1]) / 6];
    d += `C${at(c1)} ${at(c2)} ${at(p2)}`;
  }
  return d;
}

/** A smooth line through the points, without the leading move. */
const through = (list: readonly Point[]): string => segments([list[0]!, ...list, list.at(-1)!]);

/** A smooth open line, at least one point. */
export const curve = (...list: readonly Point[]): string => `M${at(list[0]!)}${through(list)}`;

/** A smooth closed line. */
export function blob(...list: readonly Point[]): string {
  const first = list[0]!;
  return `M${at(first)}${segments([list.at(-1)!, ...list, first, list[1] ?? first])}Z`;
}

/**
 * Something turned on a lathe: half widths from top to bottom, mirrored on the axis `x`. `bow`: how far the rims bow downwards, as seen from
 * a little above, as a share of the half width.
 */
export function turned(profile: readonly Point[], { x = 100, bow = 0.12 }: { readonly x?: number; readonly bow?: number } = {}): string {
  const right = profile.map(([half, y]): Point => [x + half, y]);
  const left = profile.map(([half, y]): Point => [x - half, y]).toReversed();
  const [topHalf, top] = profile[0]!;
  const [bottomHalf, bottom] = profile.at(-1)!;
  return (
    `M${at([x - topHalf, top])}Q${at([x, top + topHalf * bow])} ${at([x + topHalf, top])}${through(right)}` +
    `Q${at([x, bottom + bottomHalf * bow * 2])} ${at([x - bottomHalf, bottom])}${through(left)}Z`
  );
}

/** Straight lines through half widths from top to bottom, mirrored on the axis `x`. */
export function mirrored(x: number, ...half: readonly Point[]): string {
  return polygon(...half.map(([dx, y]): Point => [x + dx, y]), ...half.map(([dx, y]): Point => [x - dx, y]).toReversed());
}
