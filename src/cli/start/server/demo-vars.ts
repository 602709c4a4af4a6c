/** The configuration with the demo shop: the index that the shop's page searches is the shop's, which runs in the same process. */
import * as v from "valibot";
import type { Adapted, Vars } from "../../../runtimes/node/settings.ts";

/** A reserved domain (RFC 2606): no request to the demo can leave the process by mistake. */
export const DEMO_SHOP_URL = "https://demo-shop.invalid";

/** Name under which the drawn catalogue is published. */
export const DEMO_CATALOG = "products";

/** The index that the page searches. */
export const DEMO_INDEX = "products";

const table = v.record(v.string(), v.unknown());
const indexesSchema = v.union([v.pipe(v.string(), v.parseJson(), table), table]);

/** `token` becomes the ADMIN_TOKEN where there is none. */
export function withDemo(vars: Vars, token: string): Adapted {
  const indexes = v.safeParse(indexesSchema, vars["INDEXES"]);
  if (!indexes.success) return { vars, problems: [] }; // parseConfig() reports it
  const index = v.safeParse(table, indexes.output[DEMO_INDEX]);
  if (!index.success) {
    const problem = `INDEXES.${DEMO_INDEX} is missing: the demo shop searches that index; put it back, or start with --no-demo`;
    return { vars, problems: [problem] };
  }
  const shop = { ...index.output, backend: "elasticsearch", url: DEMO_SHOP_URL, catalog: DEMO_CATALOG };
  return {
    vars: { ADMIN_TOKEN: token, ...vars, INDEXES: { ...indexes.output, [DEMO_INDEX]: shop }, STOREFRONT_URL: DEMO_SHOP_URL },
    problems: [],
  };
}
