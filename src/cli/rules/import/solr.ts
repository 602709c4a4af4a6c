/**
 * Solr's `elevate.xml`: queries with the documents on top of them. Documentation:
 * https://solr.apache.org/guide/solr/9_5/query-guide/query-elevation-component.html.
 */
import { UserError } from "../../../web.ts";
import { addActions, createCollector, type Imported } from "./report.ts";

const TAG = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g;
const ATTRIBUTE = /([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replaceAll(/&(#x?[\da-f]+|\w+);/gi, (whole, name: string) => {
    const code = name.startsWith("#") ? Number(name.startsWith("#x") ? `0${name.slice(1)}` : name.slice(1)) : Number.NaN;
    return Number.isInteger(code) && code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : (ENTITIES[name] ?? whole);
  });
}

/** Of a file as Solr reads it: no namespaces, no text. Comments are left out. */
export function importSolr(xml: string): Imported {
  const to = createCollector();
  const text = xml.replaceAll(/<!--[\s\S]*?-->/g, "");
  if (!/<elevate[\s>]/.test(text)) throw new UserError("The file has no element <elevate>: give Solr's elevate.xml");
  let current: { readonly text: string; readonly match: string; readonly pins: string[]; readonly hidden: string[] } | undefined;
  const close = (): void => {
    if (current === undefined) return;
    const { text: words, match, pins, hidden } = current;
    current = undefined;
    const phrase = match === "subset" ? { contains: words } : { is: words };
    if (words.trim() === "") return to.refused("(empty)", "a query without text");
    to.ask(words, "Solr compares as the field type of queryFieldType says; here case, accents and spaces make no difference");
    to.changed(words, "elevated documents were shown for words that they do not match; here they must be among the hits of the window");
    addActions(to, words, { when: { query: [phrase] } }, { pins: pins.map((id, i) => ({ id, position: i + 1 })), hidden, gap: "close" });
  };
  for (const [, isEnd, name, written = "", isEmpty] of text.matchAll(TAG)) {
    const attributes = new Map(
      [...written.matchAll(ATTRIBUTE)].map(([, key = "", double, single]) => [key, unescape(double ?? single ?? "")]),
    );
    if (name === "query") {
      close();
      if (isEnd === "") current = { text: attributes.get("text") ?? "", match: attributes.get("match") ?? "exact", pins: [], hidden: [] };
      if (isEmpty === "/") close();
    } else if (name === "doc" && isEnd === "" && current !== undefined) {
      const id = attributes.get("id");
      if (id === undefined || id === "") to.refused(current.text, "a document without id");
      else (attributes.get("exclude") === "true" ? current.hidden : current.pins).push(id);
    }
  }
  close();
  return to.done();
}
