/** The table of one index: its engine, its window, and the names of an engine without a dialect. */
import * as v from "valibot";
import { ECHOED_NUMBERS, LEAVE_REASONS } from "../backends/dialect.ts";
import { EVENT_ROUTES, isEdgePath } from "../protocol.ts";
import { ITEM_VALUES } from "../ranking/item-values.ts";
import { headerName, integer, memberPath, NAME, url } from "./fields.ts";

/** A segment that begins with a dot would lead elsewhere; other characters have a meaning in routes. */
const searchPath = v.pipe(
  v.string("name the engine's path"),
  v.regex(
    /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\/?$/,
    'use a path such as "/v1/search", of letters, digits, dots, dashes, underscores and ~',
  ),
  v.check((path) => !isEdgePath(path), "use another path: the edge's own pages are there"),
  v.check((path) => !EVENT_ROUTES.has(path), "use another path: the edge takes events there"),
);

const leaveCondition = v.union(
  [
    v.pipe(
      memberPath,
      v.transform((name) => ({ name, unless: [] })),
    ),
    v.strictObject({ name: memberPath, unless: v.array(v.string()) }),
  ],
  "name a parameter, or give { name, unless = [values] }",
);

const WORDS = "name the parameter in which the shopper's words stand, or list several";

const generic = v.pipe(
  v.strictObject({
    path: searchPath,
    methods: v.optional(
      v.pipe(v.array(v.picklist(["GET", "POST"], 'use "GET" or "POST"'), 'list "GET" or "POST"'), v.minLength(1, 'list "GET" or "POST"')),
      ["GET"],
    ),
    query: v.union(
      [
        v.pipe(
          memberPath,
          v.transform((name) => [name]),
        ),
        v.pipe(v.array(memberPath), v.minLength(1, WORDS)),
      ],
      WORDS,
    ),
    offset: v.optional(memberPath),
    page: v.optional(memberPath),
    firstPage: v.optional(v.picklist([0, 1], "use 0 or 1"), 1),
    limit: memberPath,
    maxLimit: v.optional(integer(1, 100_000, "hits")),
    hits: v.pipe(
      v.string("name the list of hits"),
      v.regex(/^[^.]+(\.[^.]+)*$/, 'use member names with dots between them, or "$" for a reply that is the list'),
    ),
    score: v.optional(memberPath),
    pinned: v.optional(memberPath),
    redirect: v.optional(memberPath),
    harmless: v.optional(v.array(memberPath, "list parameters"), []),
    keyHeader: v.optional(headerName),
    // Required although they may be empty: if forgotten, a sorted list would be re-ranked, and a page would show the numbers of a wider one.
    leaveAlone: v.strictObject(
      v.entriesFromList(LEAVE_REASONS, v.optional(v.array(leaveCondition, "list parameters"))),
      'name the parameters that sort or group, { explicit_sort = ["sort"] } say, or {} where there are none',
    ),
    echo: v.strictObject(
      v.entriesFromList(ECHOED_NUMBERS, v.optional(memberPath)),
      'name the numbers of a reply that repeat the paging, { page = "paging.page" } say, or {} where there are none',
    ),
  }),
  v.check(({ offset, page }) => (offset === undefined) !== (page === undefined), "name either offset or page"),
  v.check(({ echo }) => echo.pages === undefined || echo.total !== undefined, "name echo.total beside echo.pages, which follows from it"),
);

export const index = v.strictObject({
  backend: v.pipe(v.string("name a backend"), v.nonEmpty("name a backend")),
  url,
  window: v.pipe(
    integer(0, 1000, "hits"),
    v.check((window) => window !== 1, "use at least 2 hits, or 0 to pass this index on as it is"),
  ),
  catalog: v.optional(v.pipe(v.string("name a catalog"), v.regex(NAME, "use letters, digits, dots, dashes and underscores"))),
  idField: v.optional(memberPath),
  hitFields: v.optional(v.strictObject(v.entriesFromList(ITEM_VALUES, v.optional(memberPath)))),
  pageSize: v.optional(integer(1, 1000, "hits")),
  generic: v.optional(generic),
  headers: v.optional(v.record(headerName, v.pipe(v.string("use text"), v.regex(/^[\x20-\x7e]*$/, "use printable ASCII")))),
  forwardCredentials: v.optional(v.boolean("use true or false"), false),
});
