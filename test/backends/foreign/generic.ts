/** An engine without a dialect, whose configuration lists the parameters that clients may send. */
import { GENERIC } from "../../../src/backends/generic.ts";
import { type ForeignRequest, get, post, type Surface } from "./surface.ts";

const PATH = "/v1/search";

const ORDINARY: readonly ForeignRequest[] = [
  get(PATH, "q=red&page=1&size=5"),
  get(PATH, "q=red&page=1&size=5&facets=brand&filter=price"),
  get(PATH, "q=red&sort=price&group=brand&after=x"),
  post(PATH, { q: "red", page: 1, size: 5, facets: ["brand"], filter: { price: { min: 1 } } }),
];

function attacks(marker: string): readonly ForeignRequest[] {
  return [
    ...[
      "index",
      "collection",
      "engine",
      "store",
      "url",
      "callback",
      "key",
      "tenant",
      "__proto__",
      "constructor",
      "q.index",
      "facets.index",
      "Q",
      "q[]",
    ].flatMap((name) => [
      get(PATH, `q=red&size=5&${name}=${marker}`),
      post(PATH, { q: "red", size: 5, [name]: marker }),
      post(PATH, { q: "red", size: 5, [name]: { [name]: marker } }),
      post(PATH, { q: "red", size: 5 }, { search: `?${name}=${marker}` }),
    ]),
    post(PATH, `{"q":"red","size":5,"index":"${marker}","size":6}`),
    post(PATH, `[{"index":"${marker}"}]`),
    post(PATH, `q=red&index=${marker}`, { contentType: "application/x-www-form-urlencoded" }),
    get(`/v1/search/${marker}`, "q=red"),
    get(`/v1/${marker}`, "q=red"),
  ];
}

const KNOWN: ReadonlySet<string> = new Set(["q", "page", "size", "facets", "filter", "sort", "group", "after"]);

export const GENERIC_SURFACE: Surface = {
  indexes: new Map([
    [
      "products",
      {
        pageSize: 20,
        allowParams: ["facets", "filter"],
        generic: {
          path: PATH,
          methods: ["GET", "POST"],
          query: ["q"],
          page: "page",
          firstPage: 1,
          limit: "size",
          hits: "items",
          harmless: [],
          leaveAlone: {
            explicit_sort: [{ name: "sort", unless: [] }],
            grouped: [{ name: "group", unless: [] }],
            cursor: [{ name: "after", unless: [] }],
          },
          echo: {},
        },
      },
    ],
  ]),
  definition: GENERIC,
  ordinary: ORDINARY,
  attacks,
  isText: (path) => KNOWN.has(path[0] ?? ""),
};
