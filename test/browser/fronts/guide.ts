/** The guide's diffs, applied to the stock pages: what the guide says is what is tested. */
import { readFileSync } from "node:fs";

const NAME = "docs/guide/your-own-page.md";
export const GUIDE = readFileSync(new URL(`../../../${NAME}`, import.meta.url), "utf8");
const PAGES = new URL("pages/", import.meta.url);

interface Diff {
  readonly page: string;
  readonly before: string;
  readonly after: string;
}

/** Of every fenced block of a diff. Throws where its first lines do not name a file. */
export function guideDiffs(guide: string = GUIDE): readonly Diff[] {
  return [...guide.matchAll(/^```diff\n(.*?)^```/gms)].map(([, block = ""]) => {
    const [, page, body = ""] = /^--- (\S+)\n\+\+\+ \1\n(.*)$/s.exec(block) ?? [];
    if (page === undefined) throw new Error(`A diff in ${NAME} names no file in its first two lines:\n${block}`);
    const lines = body.trimEnd().split("\n");
    const side = (mark: string): string =>
      lines
        .filter((line) => line.startsWith(mark) || line.startsWith(" "))
        .map((line) => line.slice(1))
        .join("\n");
    return { page, before: side("-"), after: side("+") };
  });
}

export const stockPage = (page: string): string => readFileSync(new URL(page, PAGES), "utf8");

/** The stock page with the guide's diffs; throws where one does not fit. */
export function guidedPage(page: string, guide?: string): string {
  const diffs = guideDiffs(guide).filter((diff) => diff.page === page);
  if (diffs.length === 0) throw new Error(`${NAME} has no diff of ${page}`);
  return diffs.reduce((text, { before, after }) => {
    if (before === "" || text.split(before).length !== 2) throw new Error(`A diff of ${page} in ${NAME} does not fit the page:\n${before}`);
    return text.replace(before, () => after);
  }, stockPage(page));
}
