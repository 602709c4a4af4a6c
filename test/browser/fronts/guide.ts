/** The guide's diffs, applied to the stock pages: what the guide says is what is tested. */
import { readFileSync } from "node:fs";

const GUIDE = new URL("../../../docs/guide/your-own-page.md", import.meta.url);
const PAGES = new URL("pages/", import.meta.url);

interface Diff {
  readonly page: string;
  readonly before: string;
  readonly after: string;
}

/** Of every fenced block whose first lines name a file. */
export function guideDiffs(): readonly Diff[] {
  const guide = readFileSync(GUIDE, "utf8");
  return [...guide.matchAll(/```diff\n--- (\S+)\n\+\+\+ (\S+)\n(.*?)```/gs)].map(([, page = "", , body = ""]) => {
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
export function guidedPage(page: string): string {
  const diffs = guideDiffs().filter((diff) => diff.page === page);
  if (diffs.length === 0) throw new Error(`docs/guide/your-own-page.md has no diff of ${page}`);
  return diffs.reduce((text, { before, after }) => {
    if (text.split(before).length !== 2)
      throw new Error(`A diff of ${page} in docs/guide/your-own-page.md does not fit the page:\n${before}`);
    return text.replace(before, () => after);
  }, stockPage(page));
}
