/** The dashboard's pages as the edge serves them, packed: they know nothing of the shop before somebody shows the admin token. */
import { DASHBOARD_POLICY, DASHBOARD_PAGE } from "./bundled.ts";

/** No referrer, nothing kept, and no page of another site around it. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const unpacked = (packed: BlobPart): ReadableStream<Uint8Array> => new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));

export function dashboardPage(): Response {
  const packed = Uint8Array.from(atob(DASHBOARD_PAGE), (character) => character.charCodeAt(0));
  return new Response(unpacked(packed), { headers: { ...HEADERS, "content-security-policy": DASHBOARD_POLICY } });
}

/** `packed`: assets/rules-page.bin, its policy in the first line. */
export async function rulesPage(packed: BlobPart): Promise<Response> {
  const text = await new Response(unpacked(packed)).text();
  const end = text.indexOf("\n");
  return new Response(text.slice(end + 1), { headers: { ...HEADERS, "content-security-policy": text.slice(0, end) } });
}
