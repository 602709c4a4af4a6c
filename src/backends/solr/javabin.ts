/**
 * Solr's binary format, in which SolrJ asks for replies (`wt=javabin`). A reply is shown as the JSON that Solr itself would write, so that
 * whatever reads, cuts and re-orders JSON replies does the same here; the edited JSON is written back in the binary format.
 *
 * What nobody looks at (most fields of documents, facets) is a number in that JSON: it stands for bytes of the reply, which are copied. Only
 * the names among them are written anew, because the format writes a name once, where it comes first, and then refers to it by its number.
 * White space in the JSON says of which type a value is. A reply that would not come back as the same bytes is not edited at all.
 */
import { bypass, type Bypass, ok, type Result } from "../../result.ts";
import { errorText } from "../../web.ts";
import type { RequestPlan, RequestReply } from "../dialect.ts";
import type { Index } from "../dialects.ts";
import { scanReply } from "../json/reply.ts";
import { VERSION } from "./javabin/format.ts";
import { ELEVATED } from "./server.ts";
import { SHOWN_LEVELS, Source } from "./javabin/source.ts";
import { Target } from "./javabin/target.ts";

/** The JSON, and the source of what it does not show. Throws where the bytes are not in the format, or are written otherwise than Solr does. */
function show(bytes: Uint8Array, fields: ReadonlySet<string>): { readonly json: Uint8Array; readonly source: Source } {
  const source = new Source(bytes, fields);
  const json = new TextEncoder().encode(source.value(SHOWN_LEVELS));
  if (source.at !== bytes.length) throw new RangeError("something follows it");
  return { json, source };
}

function writeBack(json: Uint8Array, source: Source): Uint8Array<ArrayBuffer> {
  const text = scanReply(json);
  if (!text.ok) throw new Error(text.error.detail);
  return new Target(source, text.value).bytes;
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return left.length === right.length;
}

function parse(
  bytes: Uint8Array,
  fields: ReadonlySet<string>,
  parseJson: (json: Uint8Array) => Result<RequestReply, Bypass>,
): Result<RequestReply, Bypass> {
  let shown: ReturnType<typeof show>;
  try {
    shown = show(bytes, fields);
    if (!isSame(writeBack(shown.json, shown.source), bytes)) throw new Error("it would not come back as the same bytes");
  } catch (cause) {
    return bypass("reply_not_search", `The reply cannot be read as javabin: ${errorText(cause)}`);
  }
  const reply = parseJson(shown.json);
  if (!reply.ok) return reply;
  return ok({
    searches: reply.value.searches,
    assemble: (orders) => writeBack(reply.value.assemble(orders), shown.source),
  });
}

/** The plan, for replies in both formats: which one it is, its first byte says. */
export function withJavabin(plan: RequestPlan, { idField, options: { hitFields = {} } }: Pick<Index, "idField" | "options">): RequestPlan {
  const parseJson = (json: Uint8Array): Result<RequestReply, Bypass> => plan.parseReply(json);
  return {
    ...plan,
    parseReply(bytes) {
      if (bytes[0] !== VERSION) return parseJson(bytes);
      const paths = ["score", ELEVATED, idField, ...Object.values(hitFields)];
      return parse(bytes, new Set(paths.flatMap((path) => path?.split(".") ?? [])), parseJson);
    },
  };
}
