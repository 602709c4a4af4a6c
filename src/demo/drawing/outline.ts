/** Outlines as SVG path data, on a canvas of 200 x 200 with y downwards. */

export type Point = readonly [x: number, y: number];

const n = (value: number): string => String(Math.round(value * 10) / 10);
const at = ([x, y]: Point): string => `${n(x)} ${n(y)}`;

/** Straight lines through the points, closed. */
export function polygon(points: readonly Point[]): string {
  return `M${points.map(at).join("L")}Z`;
}

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

/** One Catmull–Rom segment, from the second of four points to the third. */
function bezier([p0, p1, p2, p3]: readonly [Point, Point, Point, Point]): string {
  const c1: Point = [p1[0] + (p2[0] - p0[0]) / 6, p1[1] + (p2[1] - p0[1]) / 6];
  const c2: Point = [p2[0] - (p3[0] - p1[0]) / 6, p2[1] - (p3[1] - p1[1]) / 6];
  return `C${at(c1)} ${at(c2)} ${at(p2)}`;
}

/** A smooth line through the points, without the leading move. */
function through(points: readonly Point[]): string {
  let d = "";
  for (let i = 0; i + 1 < points.length; i++) {
    const p1 = points[i]!;
    const p2 = points[i + 1]!;
    d += bezier([points[i - 1] ?? p1, p1, p2, points[i + 2] ?? p2]);
  }
  return d;
}

/** A smooth open line, at least one point. */
export function curve(points: readonly Point[]): string {
  return `M${at(points[0]!)}${through(points)}`;
}

/** A smooth closed line. */
export function blob(points: readonly Point[]): string {
  const first = points[0]!;
  const around: Point[] = [points.at(-1)!, ...points, first, points[1] ?? first];
  let d = `M${at(first)}`;
  for (let i = 1; i + 2 < around.length; i++) {
    d += bezier([around[i - 1]!, around[i]!, around[i + 1]!, around[i + 2]!]);
  }
  return `${d}Z`;
}

export interface TurnedOptions {
  /** Axis; default 100. */
  readonly x?: number;
  /** How far the rims bow downwards, as seen from a little above; default 0.12 of the half width. */
  readonly bow?: number;
}

/** Something turned on a lathe: half widths from top to bottom, mirrored on the axis. */
export function turned(profile: readonly Point[], options: TurnedOptions = {}): string {
  const { x = 100, bow = 0.12 } = options;
  const right = profile.map(([half, y]): Point => [x + half, y]);
  const left = profile.map(([half, y]): Point => [x - half, y]).toReversed();
  const [topHalf, top] = profile[0]!;
  const [bottomHalf, bottom] = profile.at(-1)!;
  return (
    `M${at([x - topHalf, top])}Q${at([x, top + topHalf * bow])} ${at([x + topHalf, top])}${through(right)}` +
    `Q${at([x, bottom + bottomHalf * bow * 2])} ${at([x - bottomHalf, bottom])}${through(left)}Z`
  );
}

/** Both halves of an outline given by its right half, top to bottom, straight lines. */
export function mirrored(half: readonly Point[], x: number = 100): string {
  return polygon([...half.map(([dx, y]): Point => [x + dx, y]), ...half.map(([dx, y]): Point => [x - dx, y]).toReversed()]);
}
