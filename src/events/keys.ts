/**
 * Keys of one secret, each for one purpose (HKDF-SHA-256, RFC 5869), so that a hash made for one purpose proves nothing about another; and the
 * hash of a randomisation unit.
 *
 * Callers cache the key itself, not its promise: in workerd one request's promise cannot settle for another.
 */
import { toHex } from "../web.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** Below it a secret could be guessed from a token, at leisure. */
export const MIN_SECRET_LENGTH = 32;

const KINDS = {
  hmac: { type: { name: "HMAC", hash: "SHA-256", length: 256 }, usages: ["sign", "verify"] },
  cipher: { type: { name: "AES-CTR", length: 256 }, usages: ["encrypt", "decrypt"] },
} as const;

export async function deriveKey(kind: keyof typeof KINDS, secret: string, purpose: string): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", bytesOf(secret), "HKDF", false, ["deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: bytesOf(`armmt ${purpose}`) };
  return crypto.subtle.deriveKey(hkdf, base, KINDS[kind].type, false, [...KINDS[kind].usages]);
}

/** UTF-8. */
export function bytesOf(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** 128 bits: two shoppers of ten million collide with a chance of 1e-25. */
const HASH_BYTES = 16;

/** 32 hexadecimal digits; the same unit and secret, the same digits. */
export type UnitHash = (unit: string) => Promise<string>;

/**
 * The stored form of a unit: a keyed hash, so that shoppers can be counted, and found again with their id and the secret, without a list of
 * who they are. Pseudonymous, not anonymous: it is stored with consent only.
 */
export function createUnitHash(secret: string): UnitHash {
  let key: CryptoKey | undefined;
  return async (unit) => {
    key ??= await deriveKey("hmac", secret, "unit");
    return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, bytesOf(unit))).subarray(0, HASH_BYTES));
  };
}

export function isUnitHash(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
