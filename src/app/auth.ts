/** Who holds the admin token. */
import { withTimeout } from "../web.ts";

/** Compares digests in constant time. */
export async function isAdmin(headers: Headers, token: string | undefined): Promise<boolean> {
  const given = BEARER.exec(headers.get("authorization") ?? "")?.[1];
  if (token === undefined || given === undefined) return false;
  const digests = await withTimeout(Promise.all([digest(given), digest(token)]), DIGEST_MS, () => undefined);
  if (digests === undefined) return false;
  const [left, right] = digests;
  return left.reduce((difference, byte, i) => difference | (byte ^ right[i]!), 0) === 0;
}

export const BEARER = /^Bearer +(.+)$/i;

/** A millisecond, but on a thread of the system that others can hold up. */
const DIGEST_MS = 1000;

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
