/** What pages and clients ask of Vespa beside searches. */
import { notPassedOn } from "../allowed.ts";
import { type Call, ofClients, type SaidInCall } from "../calls.ts";
import type { Refusal } from "../dialect.ts";

const OF_DOCUMENT: ReadonlySet<string> = new Set(["fieldSet", "timeout", "format.tensors"]);

const nothing = (_: string, { params, body }: SaidInCall): Refusal | undefined =>
  params.length > 0 || body !== undefined ? notPassedOn("A parameter of a health check") : undefined;

/** `schemas`: those that the edge's key is for. */
export function vespaCalls(schemas: readonly string[]): readonly Call[] {
  return [
    { methods: ["GET", "HEAD"], path: "/status.html", own: nothing, isShops: true },
    { methods: ["GET"], path: "/state/v1/health", own: nothing },
    {
      methods: ["GET"],
      path: "/document/v1/:namespace/:schema/docid/:id",
      own(_, { params, body, names }) {
        const { schema = "" } = names;
        if (!schemas.includes(schema)) return notPassedOn(`The path names another schema than ${schemas.join(", ")} (the option schemas)`);
        const other = params.find(({ key, value }) => !OF_DOCUMENT.has(key) || (key === "fieldSet" && !isFieldSet(value, schema)));
        if (other !== undefined) return notPassedOn(`The parameter ${JSON.stringify(other.key)}`);
        return body === undefined ? undefined : notPassedOn("A body");
      },
    },
    ...ofClients(`GET /document/v1/:namespace/:schema/docid
      GET /ApplicationStatus`),
  ];
}

const isFieldSet = (value: string, schema: string): boolean =>
  /^\[\w+\]$/.test(value) || (value.startsWith(`${schema}:`) && /^[\w,[\]]+$/.test(value.slice(schema.length + 1)));
