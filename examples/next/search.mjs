/**
 * Searches of a page that is rendered on the server, at the address of the edge.
 *
 * The shopper's own headers go with them: who asks (for experiments), whether crawlers count, and how far the address is to be believed.
 */

const EDGE_URL = process.env.SEARCH_URL ?? "http://127.0.0.1:8787";

/** Of the shopper's request. */
const FORWARDED = ["user-agent", "x-forwarded-for", "x-armmt-session", "x-armmt-consent", "x-armmt-history"];

export const PAGE_SIZE = 24;

/** `incoming`: the headers of the shopper's request. Throws where neither the edge nor the engine behind it answers. */
export async function searchProducts(query, page, incoming) {
  const headers = new Headers({ "content-type": "application/json" });
  for (const name of FORWARDED) if (incoming.get(name) !== null) headers.set(name, incoming.get(name));
  const response = await fetch(`${EDGE_URL}/products/_search`, {
    method: "POST",
    headers,
    body: JSON.stringify({
      query: { multi_match: { query, fields: ["title^2", "category"] } },
      from: (page - 1) * PAGE_SIZE,
      size: PAGE_SIZE,
    }),
    // Two shoppers may see two orders: never from Next's cache.
    cache: "no-store",
  });
  if (!response.ok) throw new Error(`The search at ${EDGE_URL} answers with status ${response.status}`);
  const { hits } = await response.json();
  return {
    total: hits.total.value,
    products: hits.hits.map(({ _id: id, _source: source }) => ({ id, ...source })),
    outcome: response.headers.get("x-armmt") ?? "",
  };
}
