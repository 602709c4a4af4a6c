/** The dashboard's page as the edge serves it, packed: it knows nothing of the shop before somebody shows the admin token. */
import { DASHBOARD_POLICY, DASHBOARD_PAGE } from "./bundled.ts";

/** No referrer, nothing kept, and no page of another site around it. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy": DASHBOARD_POLICY,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export function dashboardPage(): Response {
  const packed = Uint8Array.from(atob(DASHBOARD_PAGE), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")), { headers: HEADERS });
}
