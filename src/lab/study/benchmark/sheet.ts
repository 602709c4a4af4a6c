/** The sheet a chart is drawn on, and text on it that covers nothing. */

export const WIDTH = 760;
export const HEIGHT = 440;
export const AREA = { left: 78, right: 24, top: 92, bottom: 58 } as const;
export const RIGHT = WIDTH - AREA.right;
export const BOTTOM = HEIGHT - AREA.bottom;

export const escape = (content: string): string => content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
export const at = (value: number): string => String(Math.round(value * 10) / 10);

export function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${at(x)}" y="${at(y)}"${more}>${escape(content)}</text>`;
}

export interface Placed {
  readonly x: number;
  readonly y: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const overlap = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const LINE = 15;
const LETTER = 7.2;
/** Where a label may stand, relative to its mark: [to the right?, lines down], best first. */
const SPOTS = [0, 1, -1, 2, -2, 3, -3, 4, -4].flatMap((down) => [true, false].map((isRight) => ({ isRight, down })));

/** Each label where it covers neither a mark nor another label, tied to its mark where it had to move away. */
export function labelsOf(labelled: readonly (Placed & { readonly label: string })[], marks: readonly Placed[]): string {
  const taken = marks.map(({ x, y }): Box => ({ left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 }));
  return labelled
    .map(({ x, y, label }) => {
      const width = label.length * LETTER;
      const boxes = SPOTS.map(({ isRight, down }) => {
        const left = isRight ? x + 10 : x - 10 - width;
        const middle = y + down * LINE;
        return { isRight, down, box: { left, right: left + width, top: middle - 7, bottom: middle + 7 } };
      });
      const inside = boxes.filter(({ box }) => box.left >= AREA.left && box.right <= WIDTH && box.top >= AREA.top && box.bottom <= BOTTOM);
      const spot = inside.find(({ box }) => !taken.some((other) => overlap(box, other))) ?? inside[0] ?? boxes[0];
      if (spot === undefined) return "";
      taken.push(spot.box);
      const end = spot.isRight ? spot.box.left - 2 : spot.box.right + 2;
      const tie = spot.down === 0 ? "" : `<path class="axis tie" d="M${at(x)} ${at(y)}L${at(end)} ${at(y + spot.down * LINE)}"/>`;
      return tie + text(spot.isRight ? x + 10 : x - 10, y + spot.down * LINE + 4, label, spot.isRight ? "" : ' text-anchor="end"');
    })
    .join("");
}
