/** Cores of Solr whose handlers and schemas know what no request says. */
import { PRODUCTS, send, solrCore } from "./shop.ts";

const list = (kind: "defaults" | "appends" | "invariants", params: Readonly<Record<string, string | readonly string[]>>): string =>
  `<lst name="${kind}">${Object.entries(params)
    .flatMap(([name, values]) => [values].flat().map((value) => `<str name="${name}">${value}</str>`))
    .join("")}</lst>`;

const USUAL = list("defaults", { df: "title" });
const ELEVATOR = "<str>spellcheck</str><str>elevator</str>";

/** Name of the core → what takes the place of texts in its configuration. */
export const HANDLERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  stock: { [USUAL]: list("defaults", { df: "title", echoParams: "explicit", rows: "10", fl: ["id,title", "price", "score"] }) },
  rows24: { [USUAL]: list("defaults", { df: "title", rows: "24" }) },
  sorted: { [USUAL]: list("defaults", { df: "title", sort: "price asc" }) },
  collapsed: { [USUAL]: USUAL + list("appends", { fq: "{!collapse field=category}" }) },
  grouped: { [USUAL]: list("defaults", { df: "title", group: "true", "group.field": "category", "group.main": "true" }) },
  similar: { [USUAL]: list("defaults", { df: "title", mlt: "true", "mlt.fl": "title", "mlt.mindf": "1", "mlt.mintf": "1" }) },
  omitting: { [USUAL]: list("defaults", { df: "title", omitHeader: "true" }) },
  echoing: { [USUAL]: list("defaults", { df: "title", echoParams: "all" }) },
  fixed: { [USUAL]: USUAL + list("invariants", { rows: "7", fq: "in_stock:true" }) },
  functions: { [USUAL]: list("defaults", { df: "title", defType: "func" }) },
  silent: { [USUAL]: list("defaults", { df: "title", expandMacros: "false" }) },
  elevated: { "<str>spellcheck</str>": ELEVATOR },
  // The catalogue's id is another field than the unique key, and has a list of one, as in a schemaless core.
  keyed: {
    "<uniqueKey>id</uniqueKey>": "<uniqueKey>key</uniqueKey>",
    '<field name="id" type="string" indexed="true" stored="true" required="true"/>':
      '<field name="key" type="string" indexed="true" stored="true" required="true"/><field name="sku" type="string" indexed="true" stored="true" multiValued="true"/>',
  },
};

/** The words of the shop's best product, for which elevate.xml pins these two. */
export const PINNED_WORDS = "red mug";
export const PINNED = [PRODUCTS[7]!.id, PRODUCTS[400]!.id] as const;

export function handlerCores(): Readonly<Record<string, string>> {
  const files = Object.entries(HANDLERS).flatMap(([name, replaced]) =>
    Object.entries(solrCore(name)).map(([file, content]) => {
      let text = content;
      for (const [from, to] of Object.entries(replaced)) text = text.replace(from, to);
      if (file.endsWith("elevate.xml"))
        text = `<elevate><query text="${PINNED_WORDS}">${PINNED.map((id) => `<doc id="${id}"/>`).join("")}</query></elevate>`;
      return [file, text] as const;
    }),
  );
  return Object.fromEntries(files);
}

/** Enough for pages on both sides of the window, and few enough for as many cores. */
const FEW = PRODUCTS.slice(0, 600);

export async function fillHandlers(url: string): Promise<void> {
  for (const name of Object.keys(HANDLERS)) {
    const docs = FEW.map(({ id, title, category, price, popularity, inStock }) => ({
      ...(name === "keyed" ? { key: `cat/${id}`, sku: [id] } : { id }),
      title,
      category,
      price,
      popularity,
      in_stock: inStock,
    }));
    await send(`${url}/solr/${name}/update?commit=true`, "POST", JSON.stringify(docs)); // oxlint-disable-line no-await-in-loop
  }
}
