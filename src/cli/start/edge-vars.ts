/**
 * The vars of the edge's wrangler.toml, with the demo's own addresses, catalogue and token in them.
 */
import * as v from "valibot";
import { loadWrangler, type Vars } from "../wrangler.ts";
import { UserError } from "../../web.ts";

/** The index that the page and the documentation search. */
const INDEX = "products";

const indexesSchema = v.looseObject({ [INDEX]: v.looseObject({}) });

export interface EdgeVarsOptions {
  /** Path of the edge's wrangler.toml. */
  readonly config: string;
  readonly shopUrl: string;
  /** Name under which the item vectors were published. */
  readonly catalog: string;
  readonly token: string;
}

export async function edgeVars({ config, shopUrl, catalog, token }: EdgeVarsOptions): Promise<Vars> {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const parsed = v.safeParse(indexesSchema, readConfig({ config }).vars["INDEXES"]);
  if (!parsed.success) throw new UserError(`${config} has no [vars.INDEXES.${INDEX}]; the demo searches that index, put it back`);
  const indexes = { ...parsed.output, [INDEX]: { ...parsed.output[INDEX], url: shopUrl, catalog } };
  return { INDEXES: indexes, STOREFRONT_URL: shopUrl, ADMIN_TOKEN: token };
}
