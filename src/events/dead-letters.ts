/**
 * Records that a sink could not take, kept in KV or R2 until it can: `<sink>/<time>-<id>` holds an envelope. Times sort, so the oldest
 * come first.
 */
import type { KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import * as v from "valibot";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Envelope } from "./envelope.ts";
import { parseEnvelope } from "./envelope.ts";
import { messageOf } from "./sink.ts";

export interface DeadLetters {
  /** The key of the new letter. Never rejects. */
  put(sink: string, envelope: Envelope): Promise<Result<string, string>>;
  /** Keys, oldest first. Rejects when the store fails. */
  list(sink: string, limit: number): Promise<readonly string[]>;
  /** An error where the letter cannot be read; `undefined` for one that is gone. Rejects when the store fails. */
  read(key: string): Promise<Result<Envelope, string> | undefined>;
  /** Rejects when the store fails. */
  remove(key: string): Promise<void>;
}

export type LetterStore = Pick<KVNamespace, "put" | "get" | "list" | "delete"> | R2Bucket;

export interface DeadLettersOptions {
  readonly store: LetterStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly createId: () => string;
}

const textSchema = v.pipe(v.string(), v.parseJson());

export function createDeadLetters({ store, now, createId }: DeadLettersOptions): DeadLetters {
  return {
    async put(sink, envelope) {
      const key = `${sink}/${new Date(now()).toISOString()}-${createId()}`;
      try {
        await store.put(key, JSON.stringify(envelope));
        return ok(key);
      } catch (error) {
        return err(messageOf(error));
      }
    },
    async list(sink, limit) {
      const prefix = `${sink}/`;
      if (isBucket(store)) return (await store.list({ prefix, limit })).objects.map(({ key }) => key);
      return (await store.list({ prefix, limit })).keys.map(({ name }) => name);
    },
    async read(key) {
      const found = isBucket(store) ? await (await store.get(key))?.text() : ((await store.get(key, "text")) ?? undefined);
      if (found === undefined) return undefined;
      const parsed = v.safeParse(textSchema, found);
      return parsed.success ? parseEnvelope(parsed.output) : err("no JSON");
    },
    remove: (key) => store.delete(key),
  };
}

function isBucket(store: LetterStore): store is R2Bucket {
  return "head" in store;
}
