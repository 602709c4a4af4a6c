/**
 * Keys of one secret, each for one purpose (HKDF-SHA-256, RFC 5869), so that a hash made for one thing proves nothing about another.
 *
 * Keeps nothing: whoever uses a key holds on to it. A kept promise would be of no use, because in workerd one request's promise cannot
 * settle for another.
 */

export type Bytes = Uint8Array<ArrayBuffer>;

/** Below it a secret could be guessed from a token, at leisure. */
export const MIN_SECRET_LENGTH = 32;

export async function deriveHmacKey(secret: string, purpose: string): Promise<CryptoKey> {
  const key = { name: "HMAC", hash: "SHA-256", length: 256 };
  return crypto.subtle.deriveKey(hkdfFor(purpose), await baseKey(secret), key, false, ["sign", "verify"]);
}

export async function deriveCipherKey(secret: string, purpose: string): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(hkdfFor(purpose), await baseKey(secret), { name: "AES-CTR", length: 256 }, false, ["encrypt", "decrypt"]);
}

function hkdfFor(purpose: string): HkdfParams {
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: bytesOf(`armmt ${purpose}`) };
}

function baseKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytesOf(secret), "HKDF", false, ["deriveKey"]);
}

/** UTF-8. */
export function bytesOf(text: string): Bytes {
  return new TextEncoder().encode(text);
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
