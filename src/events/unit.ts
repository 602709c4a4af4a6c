/**
 * The form in which a unit is stored: a keyed hash, so that shoppers can be counted, and found again by whoever knows their id and the
 * secret, without a list of who they are. Pseudonymous, not anonymous: it is stored with consent only.
 */
import { bytesOf, deriveHmacKey, toHex } from "./keys.ts";

/** 128 bits: two shoppers of ten million meet with a chance of 1e-25. */
const HASH_BYTES = 16;

/** 32 hexadecimal digits; the same unit and secret, the same digits. */
export type UnitHash = (unit: string) => Promise<string>;

export function createUnitHash(secret: string): UnitHash {
  let key: CryptoKey | undefined;
  return async (unit) => {
    key ??= await deriveHmacKey(secret, "unit");
    return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, bytesOf(unit))).subarray(0, HASH_BYTES));
  };
}

export function isUnitHash(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
