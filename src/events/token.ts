/**
 * The token of a search for its client: proof of the served items, their order and the variant, for the events that follow.
 *
 *   1.<query id, percent-encoded>.<base64url: nonce 12 | n 2 | sealed n | a tag of 4 for each item | HMAC-SHA-256 32>
 *
 * The client reads the query id and nothing else. Experiment, variant and unit are sealed (AES-CTR), because a client must not learn its
 * variant; so is the number of hits before the page. Items are truncated HMACs over nonce and id, in shown order: a token has the same size
 * whatever the ids look like, and the position of an item follows from it. The HMAC covers everything before it (encrypt, then authenticate) and is compared by WebCrypto's
 * `verify`, in constant time. Stateless: the sink deduplicates events.
 */
import * as v from "valibot";
import type { Team } from "../ranking/interleave.ts";
import { err, ok, type Result } from "../result.ts";
import { joinBytes } from "../web.ts";
import { type Bytes, bytesOf, deriveKey } from "./keys.ts";

/** Events are accepted this long after their search: a basket may take days. */
export const TOKEN_TTL_MS = 7 * 24 * 3600 * 1000;

/** Further items get no tag, so that the token of a long page fits into a header. */
export const MAX_TOKEN_ITEMS = 500;

const NONCE_BYTES = 12;
const LENGTH_BYTES = 2;
/** An item that was not served passes with a chance of (items / 2^32). */
const TAG_BYTES = 4;
const MAC_BYTES = 32;

/** Of a token's letter, one per item of an interleaved list; "-" for no team. */
const TEAMS: Readonly<Record<string, Team>> = { a: "a", b: "b" };

export interface TokenContent {
  /** At most 100 characters. */
  readonly queryId: string;
  readonly application: string;
  /** Absent outside an experiment. */
  readonly experiment?: string | undefined;
  readonly variant: string;
  /** As stored (unit.ts), and only with consent. */
  readonly unit?: string | undefined;
  /** Hits of the list before the page; null where only the engine knows. Default 0. */
  readonly offset?: number | null | undefined;
  /** The page as shown. */
  readonly itemIds: readonly string[];
  /** Parallel to itemIds. */
  readonly teams?: readonly Team[] | undefined;
  /** 1-based positions on the page that stand in a slot of the shop's rules: sponsored. */
  readonly slots?: readonly number[] | undefined;
}

/** A token that was verified. */
export interface OpenToken extends Required<Omit<TokenContent, "itemIds" | "teams" | "offset" | "slots">> {
  /** The token's HMAC, in base64url. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly issuedAtMs: number;
  /** Hits of the list before the page; `undefined` where that is not known, as of a token from before. */
  readonly offset: number | undefined;
  /** 1-based position on the page; `undefined` for an item that was not served. */
  readonly positionOf: (itemId: string) => Promise<number | undefined>;
  /** Of a position that positionOf() gave. */
  readonly teamAt: (position: number) => Team;
  /** Whether the hit at a position that positionOf() gave was sponsored. */
  readonly isSlot: (position: number) => boolean;
}

export type TokenProblem = "token_invalid" | "token_expired";

export type EventTokens = ReturnType<typeof createEventTokens>;

interface EventTokensOptions {
  /** At least MIN_SECRET_LENGTH characters; a new secret makes all earlier tokens invalid. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Default TOKEN_TTL_MS. */
  readonly ttlMs?: number;
}

/** Issued and expires in seconds since 1970. The last two members are missing in tokens from before them, which open until they expire; slots also where there are none. */
const sealedSchema = v.tuple([
  v.number(),
  v.number(),
  v.string(),
  v.nullable(v.string()),
  v.string(),
  v.nullable(v.string()),
  v.pipe(v.string(), v.regex(/^[ab-]*$/)),
  v.optional(v.nullable(v.number()), null),
  v.optional(v.array(v.number()), []),
]);

export function createEventTokens({ secret, now, ttlMs = TOKEN_TTL_MS }: EventTokensOptions) {
  let keys: readonly [seal: CryptoKey, tag: CryptoKey, sign: CryptoKey] | undefined;
  const openKeys = async () => {
    keys ??= await Promise.all([
      deriveKey("cipher", secret, "token seal"),
      deriveKey("hmac", secret, "token item"),
      deriveKey("hmac", secret, "token signature"),
    ]);
    return keys;
  };
  return {
    async issue(content: TokenContent): Promise<string> {
      const [seal, tag, sign] = await openKeys();
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const issued = Math.floor(now() / 1000);
      const { application, experiment = null, variant, unit = null, offset = 0, slots = [] } = content;
      const teams =
        content.teams
          ?.slice(0, MAX_TOKEN_ITEMS)
          .map((team) => team ?? "-")
          .join("") ?? "";
      const expires = issued + Math.ceil(ttlMs / 1000);
      const plain = bytesOf(
        JSON.stringify([issued, expires, application, experiment, variant, unit, teams, offset, ...(slots.length > 0 ? [slots] : [])]),
      );
      const sealed = new Uint8Array(await crypto.subtle.encrypt(cipherOf(nonce), seal, plain));
      const tags = await Promise.all(content.itemIds.slice(0, MAX_TOKEN_ITEMS).map((itemId) => tagOf(tag, nonce, itemId)));
      const length = Uint8Array.of(sealed.length >> 8, sealed.length & 0xff);
      const head = `1.${encodeURIComponent(content.queryId.toWellFormed())}.`;
      const body = joinBytes([nonce, length, sealed, ...tags]);
      const mac = new Uint8Array(await crypto.subtle.sign("HMAC", sign, joinBytes([bytesOf(head), body])));
      return head + toBase64Url(joinBytes([body, mac]));
    },

    async open(token: string): Promise<Result<OpenToken, TokenProblem>> {
      const split = token.lastIndexOf(".");
      const queryId = queryIdOf(token);
      const bytes = fromBase64Url(token.slice(split + 1));
      if (queryId === undefined || bytes === undefined || bytes.length < NONCE_BYTES + LENGTH_BYTES + MAC_BYTES)
        return err("token_invalid");
      const [seal, tag, sign] = await openKeys();
      const body = bytes.slice(0, -MAC_BYTES);
      const mac = bytes.slice(-MAC_BYTES);
      const isOurs = await crypto.subtle.verify("HMAC", sign, mac, joinBytes([bytesOf(token.slice(0, split + 1)), body]));
      if (!isOurs) return err("token_invalid");

      const nonce = body.slice(0, NONCE_BYTES);
      const sealedEnd = NONCE_BYTES + LENGTH_BYTES + ((body[NONCE_BYTES]! << 8) | body[NONCE_BYTES + 1]!);
      const sealed = body.slice(NONCE_BYTES + LENGTH_BYTES, sealedEnd);
      const plain = new TextDecoder().decode(await crypto.subtle.decrypt(cipherOf(nonce), seal, sealed));
      // Authentic; but another version of this code may have sealed something else.
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), sealedSchema), plain);
      if (!parsed.success) return err("token_invalid");
      const [issued, expires, application, experiment, variant, unit, teams, offset, slots] = parsed.output;
      if (now() >= expires * 1000) return err("token_expired");
      const tags = body.subarray(sealedEnd);
      return ok({
        id: toBase64Url(mac),
        queryId,
        application,
        experiment: experiment ?? undefined,
        variant,
        unit: unit ?? undefined,
        issuedAtMs: issued * 1000,
        offset: offset ?? undefined,
        positionOf: async (itemId) => positionIn(tags, await tagOf(tag, nonce, itemId)),
        teamAt: (position) => TEAMS[teams[position - 1] ?? "-"],
        isSlot: (position) => slots.includes(position),
      });
    },
  };
}

/** The part of a token that a client may read, not verified; `undefined` if the text does not have a token's form. */
export function queryIdOf(token: string): string | undefined {
  const match = /^1\.(.*)\.[A-Za-z0-9_-]+$/.exec(token);
  try {
    return match === null ? undefined : decodeURIComponent(match[1]!);
  } catch {
    return undefined;
  }
}

/** The token's HMAC, which is its name. */
export function idOfToken(token: string): string | undefined {
  const bytes = fromBase64Url(token.slice(token.lastIndexOf(".") + 1));
  return bytes === undefined || bytes.length < MAC_BYTES ? undefined : toBase64Url(bytes.slice(-MAC_BYTES));
}

/** Nonce, length, MAC and what is sealed take more than this many characters; a list's own name may have the form, but not the length. */
const LEAST_CHARACTERS = 80;

/** Whether a text that may be something else looks like a token. */
export function isToken(text: string): boolean {
  return text.length > LEAST_CHARACTERS && queryIdOf(text) !== undefined;
}

/** A nonce is used once, so the block counter may begin at 0. */
function cipherOf(nonce: Bytes): AesCtrParams {
  const counter = new Uint8Array(16);
  counter.set(nonce);
  return { name: "AES-CTR", counter, length: 32 };
}

/** Keyed, and with the nonce: tags of two tokens do not reveal whether both served an item. */
async function tagOf(key: CryptoKey, nonce: Bytes, itemId: string): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, joinBytes([nonce, bytesOf(itemId)]))).slice(0, TAG_BYTES);
}

function positionIn(tags: Uint8Array, tag: Uint8Array): number | undefined {
  for (let start = 0; start < tags.length; start += TAG_BYTES) {
    if (tag.every((byte, i) => byte === tags[start + i])) return start / TAG_BYTES + 1;
  }
  return undefined;
}

function toBase64Url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** `undefined` if the text is not what toBase64Url() writes: its last character may hold bits that mean nothing. */
function fromBase64Url(text: string): Bytes | undefined {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    return toBase64Url(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}
