/**
 * The signature of a request with events that a server of the shop sends: its word is taken where a browser would have to bring a token.
 *
 *   x-armmt-signature: t=<seconds since 1970>,v1=<HMAC-SHA-256 of "<t>.<body>" with ORDER_SECRET, 64 hexadecimal digits>
 *
 * A signature is good for five minutes. Within them a copy of the request changes nothing: an order counts once.
 */
import { err, ok, type Result } from "../result.ts";
import { joinBytes } from "../web.ts";
import { bytesOf } from "./keys.ts";

/** Clocks of servers differ by seconds. */
export const SIGNATURE_WINDOW_MS = 5 * 60 * 1000;

export type SignatureProblem = "signature_invalid" | "signature_expired";

interface Signed {
  readonly signature: string;
  readonly body: Uint8Array;
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Compared by WebCrypto's `verify`, in constant time. */
export async function checkSignature({ signature, body, secret, nowMs }: Signed): Promise<Result<true, SignatureProblem>> {
  const [, seconds = "", digits = ""] = /^\s*t=(\d{1,12}),\s*v1=([0-9a-fA-F]{64})\s*$/.exec(signature) ?? [];
  if (digits === "") return err("signature_invalid");
  const key = await crypto.subtle.importKey("raw", bytesOf(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const mac = Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  if (!(await crypto.subtle.verify("HMAC", key, mac, joinBytes([bytesOf(`${seconds}.`), body])))) return err("signature_invalid");
  return Math.abs(nowMs - Number(seconds) * 1000) > SIGNATURE_WINDOW_MS ? err("signature_expired") : ok(true);
}
