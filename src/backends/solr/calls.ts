/** What pages ask of Solr beside searches: handlers of its default configuration. */
import { type Call, ofClients, type SaidInCall } from "../calls.ts";
import type { Refusal } from "../dialect.ts";
import type { Param } from "../json/request.ts";
import { type Cores, strangeIn } from "./allowed.ts";

const IDS: ReadonlySet<string> = new Set(["id", "ids"]);
const OF_PING: ReadonlySet<string> = new Set(["wt", "version", "indent", "omitHeader", "json.nl", "_"]);

const refuse = (message: string | undefined): Refusal | undefined =>
  message === undefined ? undefined : { status: 400, type: "bad_request", message };

/** `coresOf`: the core, and all that its key is for. */
export function solrCalls(coresOf: (index: string) => Cores): readonly Call[] {
  const understood =
    (isOwn: (param: Param) => boolean = () => false) =>
    (index: string, { params, body }: SaidInCall): Refusal | undefined =>
      refuse(
        body === undefined
          ? strangeIn(
              params.filter((param) => !isOwn(param)),
              coresOf(index),
            )
          : "A body is not passed on",
      );
  const get = ["GET"] as const;
  return [
    {
      methods: ["GET", "HEAD"],
      path: "/solr/:index/admin/ping",
      own: (_, { params }) => {
        const other = params.find(({ key }) => !OF_PING.has(key));
        return refuse(other && `The parameter ${JSON.stringify(other.key)} is not passed on to a ping`);
      },
    },
    { methods: get, path: "/solr/:index/suggest", own: understood() },
    { methods: get, path: "/solr/:index/spell", own: understood() },
    { methods: get, path: "/solr/:index/terms", own: understood() },
    { methods: get, path: "/solr/:index/mlt", own: understood() },
    {
      methods: get,
      path: "/solr/:index/get",
      own: understood(({ key, value }) => IDS.has(key) && !value.includes("${")),
    },
    ...ofClients(`GET|POST /solr/:index/query
      GET /solr/:index/export
      GET /solr/admin/info/system`),
  ];
}
