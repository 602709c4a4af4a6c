/** What pages and clients ask of Elasticsearch and OpenSearch beside searches. */
import type { Call, SaidInCall } from "../calls.ts";
import type { Refusal } from "../dialect.ts";
import { type OwnIndexes, strangeInBody, strangeInParams, strangeType } from "./allowed.ts";
import { COUNT_PARAMS, DOCUMENT_PARAMS, FORM_PARAMS } from "./members.ts";

/** In these engines words of their own begin with an underscore. */
const ID = /^[^_]/;

/** `ownOf`: the indexes that the key of an index is for. */
export function elasticsearchCalls(ownOf: (index: string) => OwnIndexes): readonly Call[] {
  /** `shape`: of the body, where it has one. */
  const understood =
    (allowed: ReadonlySet<string>, shape?: string) =>
    (index: string, { params, body, names, request }: SaidInCall): Refusal | undefined => {
      const inBody = body === undefined ? undefined : shape === undefined ? "has no body here" : strangeInBody(body, ownOf(index), shape);
      const id = names["id"];
      const strange =
        strangeInParams(params, allowed) ??
        strangeType(request) ??
        inBody ??
        (id === undefined || ID.test(id) ? undefined : "An id that begins with an underscore is not passed on");
      return strange === undefined ? undefined : { status: 400, type: "illegal_argument_exception", message: strange };
    };
  const form = understood(FORM_PARAMS);
  const document = understood(DOCUMENT_PARAMS);
  const get = ["GET"] as const;
  const getOrHead = ["GET", "HEAD"] as const;
  const getOrPost = ["GET", "POST"] as const;
  return [
    // Clients of version 7 ask which product this is before they search, and libraries which version.
    { methods: getOrHead, path: "/", use: "`info()`, `ping()`: product and version", own: form, isShops: true },
    { methods: getOrPost, path: "/:index/_count", use: "number of hits", own: understood(COUNT_PARAMS, "count") },
    { methods: getOrHead, path: "/:index/_doc/:id", use: "one document by its id", own: document },
    { methods: getOrHead, path: "/:index/_source/:id", use: "one document by its id, without its frame", own: document },
    { methods: getOrPost, path: "/:index/_mget", use: "documents by their ids", own: understood(DOCUMENT_PARAMS, "mget") },
    {
      methods: getOrPost,
      path: "/_mget",
      use: "documents by their ids, of several indexes",
      list: { list: "docs", name: "_index" },
      own: understood(DOCUMENT_PARAMS, "mget_all"),
    },
    {
      methods: getOrPost,
      path: "/:index/_terms_enum",
      use: "completions of a field's values",
      own: understood(FORM_PARAMS, "terms_enum"),
    },
    { methods: ["HEAD"], path: "/:index", use: "`indices.exists()`", own: form, isShops: true },
    { methods: getOrPost, path: "/:index/_field_caps", use: "fields of the index" },
    { methods: getOrPost, path: "/:index/_validate/query", use: "is this a query" },
    { methods: getOrPost, path: "/:index/_explain/:id", use: "why a document is found" },
    { methods: getOrPost, path: "/:index/_termvectors/:id", use: "terms of a document" },
    { methods: getOrPost, path: "/:index/_search/template", use: "searches by template" },
    { methods: getOrPost, path: "/_count", use: "number of hits in all indexes" },
    { methods: ["DELETE"], path: "/_search/scroll", use: "closing a scroll (`clearScroll`)" },
    { methods: ["POST"], path: "/:index/_pit", use: "opening a point in time (Elasticsearch)" },
    { methods: ["DELETE"], path: "/_pit", use: "closing it" },
    { methods: ["POST"], path: "/:index/_search/point_in_time", use: "opening a point in time (OpenSearch)" },
    { methods: ["DELETE"], path: "/_search/point_in_time", use: "closing it" },
    { methods: get, path: "/_cluster/health", use: "state of the cluster" },
    { methods: get, path: "/_nodes/plugins", use: "plugins (ElasticPress asks before it searches)" },
  ];
}
