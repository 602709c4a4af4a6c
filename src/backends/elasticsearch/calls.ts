/** What pages and clients ask of Elasticsearch and OpenSearch beside searches. */
import { type Call, ofClients, type SaidInCall } from "../calls.ts";
import type { Refusal } from "../dialect.ts";
import { type OwnIndexes, strangeInBody, strangeInParams, strangeType } from "./allowed.ts";
import { CALL_PARAMS } from "./members.ts";

/** In these engines words of their own begin with an underscore. */
const ID = /^[^_]/;

/** `ownOf`: the indexes that the key of an index is for. */
export function elasticsearchCalls(ownOf: (index: string) => OwnIndexes): readonly Call[] {
  /** `shape`: of the body, where it has one. */
  const understood =
    (shape?: string) =>
    (index: string, { params, body, names, request }: SaidInCall): Refusal | undefined => {
      const inBody = body === undefined ? undefined : shape === undefined ? "has no body here" : strangeInBody(body, ownOf(index), shape);
      const id = names["id"];
      const strange =
        strangeInParams(params, CALL_PARAMS) ??
        strangeType(request) ??
        inBody ??
        (id === undefined || ID.test(id) ? undefined : "An id that begins with an underscore is not passed on");
      return strange === undefined ? undefined : { status: 400, type: "illegal_argument_exception", message: strange };
    };
  const plain = understood();
  const getOrHead = ["GET", "HEAD"] as const;
  const getOrPost = ["GET", "POST"] as const;
  return [
    // Clients of version 7 ask which product this is before they search, and libraries which version.
    { methods: getOrHead, path: "/", own: plain, isShops: true },
    { methods: getOrPost, path: "/:index/_count", own: understood("count") },
    { methods: getOrHead, path: "/:index/_doc/:id", own: plain },
    { methods: getOrHead, path: "/:index/_source/:id", own: plain },
    { methods: getOrPost, path: "/:index/_mget", own: understood("mget") },
    {
      methods: getOrPost,
      path: "/_mget",
      list: { list: "docs", name: "_index" },
      own: understood("mget_all"),
    },
    {
      methods: getOrPost,
      path: "/:index/_terms_enum",
      own: understood("terms_enum"),
    },
    { methods: ["HEAD"], path: "/:index", own: plain, isShops: true },
    ...ofClients(`GET|POST /:index/_field_caps
      GET|POST /:index/_validate/query
      GET|POST /:index/_explain/:id
      GET|POST /:index/_termvectors/:id
      GET|POST /:index/_search/template
      GET|POST /_count
      DELETE /_search/scroll
      POST /:index/_pit
      DELETE /_pit
      POST /:index/_search/point_in_time
      DELETE /_search/point_in_time
      GET /_cluster/health
      GET /_nodes/plugins`),
  ];
}
