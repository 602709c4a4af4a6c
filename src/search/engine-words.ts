/** An engine's own words for the log, without those of its clients. */
import type { EngineRequest } from "../backends/dialect.ts";

/** Of a longer request, looking for the client's words would take others' time. */
const MAX_REQUEST = 65_536;

/** As long as an answer is worth reading in a log. */
const MAX_WORDS = 200;
const MAX_READ = 4000;

const TEXTS = /"((?:[^"\\]|\\[^])*)"?(\s*:)?/g;
const WORD = /[\p{L}\p{N}_]+/gu;
const LONG_NUMBER = /^\d{5,}$/;

/** What the engine says of a request, as far as a log may have it: the beginning, without what the client has sent; empty for a long request. */
export function engineWords(said: string, { search, body }: EngineRequest): string {
  if (search.length + (body?.length ?? 0) > MAX_REQUEST) return "";
  const given = new Set<string>();
  const add = (value: string): void => {
    for (const [word] of value.matchAll(WORD)) given.add(word.toLowerCase());
  };
  const addParams = (params: string): void => {
    new URLSearchParams(params).forEach(add);
    // As they are written, too.
    for (const raw of params.split("&")) add(raw.slice(raw.indexOf("=") + 1));
  };
  addParams(search);
  const text = body === undefined ? "" : new TextDecoder().decode(body);
  if (/^\s*[{[]/.test(text)) {
    for (const [, value = "", colon] of text.matchAll(TEXTS)) if (colon === undefined) add(unescaped(value));
  } else {
    addParams(text);
  }
  const known = (word: string): boolean => given.has(word.toLowerCase()) || LONG_NUMBER.test(word);
  return said
    .slice(0, MAX_READ)
    .replace(/[\s\p{Cc}]+/gu, " ")
    .replace(WORD, (word) => (known(word) ? "…" : word))
    .replace(/…(?:[^\p{L}\p{N}]{0,3}…)+/gu, "…")
    .trim()
    .slice(0, MAX_WORDS);
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}
