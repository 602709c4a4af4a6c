/** Seeded changes to requests, of the kinds by which a name slips past a check: escapes, twins, nesting, other places. Knows no engine. */
import type { ForeignRequest } from "./surface.ts";

export interface Random {
  /** A whole number from 0, below `end`. */
  below(end: number): number;
  /** One of them, of which there is at least one. */
  pick<T>(all: readonly T[]): T;
  chance(share: number): boolean;
}

/** mulberry32: the same on every machine. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return { below, pick: (all) => all[below(all.length)]!, chance: (share) => next() < share };
}

/** JSON that may name a key twice. Names and texts are kept as they are written. */
type Node =
  | { readonly kind: "object"; members: { name: string; value: Node }[] }
  | { readonly kind: "array"; items: Node[] }
  | { readonly kind: "word"; json: string };

interface Draft {
  readonly request: ForeignRequest;
  /** Raw, as `name=value`. */
  params: string[];
  /** One, or one for each line. */
  documents: Node[];
  /** A body that is a form. */
  form: string[];
  /** Any other body. */
  text: string;
}

const nodeOf = (value: unknown): Node => {
  if (Array.isArray(value)) return { kind: "array", items: value.map(nodeOf) };
  if (typeof value !== "object" || value === null) return { kind: "word", json: JSON.stringify(value) };
  return { kind: "object", members: Object.entries(value).map(([name, inner]) => ({ name: JSON.stringify(name), value: nodeOf(inner) })) };
};

function written(node: Node): string {
  if (node.kind === "word") return node.json;
  if (node.kind === "array") return `[${node.items.map(written).join(",")}]`;
  return `{${node.members.map(({ name, value }) => `${name}:${written(value)}`).join(",")}}`;
}

function draftOf(request: ForeignRequest): Draft {
  const body = typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body);
  const draft: Draft = { request, params: request.search.slice(1).split("&").filter(Boolean), documents: [], form: [], text: "" };
  for (const parts of [[body], body.split("\n").filter((line) => line.trim() !== "")]) {
    try {
      draft.documents = parts.filter(Boolean).map((part) => nodeOf(JSON.parse(part)));
      return draft;
    } catch {
      // The next way, or no JSON.
    }
  }
  if (request.contentType?.includes("form") === true) draft.form = body.split("&");
  else draft.text = body;
  return draft;
}

interface Place {
  readonly object: { members: { name: string; value: Node }[] };
  readonly at: number;
}

/** Every member of every object. */
function placesIn(nodes: readonly Node[]): Place[] {
  return nodes.flatMap((node) => {
    if (node.kind === "word") return [];
    if (node.kind === "array") return placesIn(node.items);
    return [...node.members.map((_, at) => ({ object: node, at })), ...placesIn(node.members.map(({ value }) => value))];
  });
}

function objectsIn(nodes: readonly Node[]): Extract<Node, { kind: "object" }>[] {
  return nodes.flatMap((node) => {
    if (node.kind === "word") return [];
    if (node.kind === "array") return objectsIn(node.items);
    return [node, ...objectsIn(node.members.map(({ value }) => value))];
  });
}

const AFFIXES = ["x.", ".", "_", "$", "[]", "[0]", " ", "\u0000", "f.", "facet.", "x-", "{!}", "-", "\ufeff", "%00", "s"];
const NAMES = ["params", "body", "query", "request", "extensions", "x", "json", "searches", "requests", "queries", "ext", "__proto__"];

/** Where the marker is, most of the time. */
function aim(all: readonly Place[], marker: string, random: Random): Place | undefined {
  const marked = all.filter(({ object, at }) => {
    const { name, value } = object.members[at]!;
    return value.kind === "word" ? value.json.includes(marker) : name.includes(marker);
  });
  const from = marked.length > 0 && random.chance(0.8) ? marked : all;
  return from.length === 0 ? undefined : random.pick(from);
}

const otherCase = (text: string, random: Random): string =>
  random.chance(0.5) ? text.toUpperCase() : text.replaceAll(/[a-z]/g, (letter) => (random.chance(0.3) ? letter.toUpperCase() : letter));

const quoted = (json: string, change: (text: string) => string): string => JSON.stringify(change(String(JSON.parse(json))));

function changeMember(draft: Draft, marker: string, random: Random): void {
  const place = aim(placesIn(draft.documents), marker, random);
  if (place === undefined) return;
  const { object, at } = place;
  const own = object.members[at]!;
  switch (random.below(9)) {
    case 0:
      own.name = quoted(own.name, (name) => otherCase(name, random));
      return;
    case 1:
      own.name = quoted(own.name, (name) => (random.chance(0.5) ? random.pick(AFFIXES) + name : name + random.pick(AFFIXES)));
      return;
    case 2:
      own.value = { kind: "array", items: random.chance(0.5) ? [own.value] : [{ kind: "word", json: '"products"' }, own.value] };
      return;
    case 3:
      own.value = { kind: "object", members: [{ name: JSON.stringify(random.pick(NAMES)), value: own.value }] };
      return;
    case 4:
      // The member one level deeper.
      object.members[at] = { name: JSON.stringify(random.pick(NAMES)), value: { kind: "object", members: [own] } };
      return;
    case 5:
      own.value = { kind: "word", json: JSON.stringify(written(own.value)) };
      return;
    case 6: {
      const twin = { name: own.name, value: { kind: "word" as const, json: random.pick(['"products"', '"offers"', "null", '"*"', "[]"]) } };
      object.members.splice(at + random.below(2), 0, twin);
      return;
    }
    case 7:
      object.members.splice(random.below(object.members.length), 0, ...object.members.splice(at, 1));
      return;
    default:
      // One level up, or to any other object.
      random.pick(objectsIn(draft.documents)).members.push(structuredClone(own));
  }
}

function changeBody(draft: Draft, random: Random): void {
  const at = random.below(Math.max(1, draft.documents.length));
  const node = draft.documents[at];
  if (node === undefined) return;
  const wrapped: Node = random.chance(0.5)
    ? { kind: "array", items: [node] }
    : {
        kind: "object",
        members: [
          {
            name: JSON.stringify(random.pick(NAMES)),
            value: random.chance(0.5) ? node : { kind: "word", json: JSON.stringify(written(node)) },
          },
        ],
      };
  if (random.chance(0.5)) draft.documents[at] = wrapped;
  else draft.documents.splice(at + random.below(2), 0, random.chance(0.3) ? node : wrapped);
}

function changeParam(list: string[], marker: string, random: Random): void {
  if (list.length === 0) return;
  const marked = list.flatMap((raw, i) => (raw.includes(marker) ? [i] : []));
  const at = marked.length > 0 && random.chance(0.8) ? random.pick(marked) : random.below(list.length);
  const [name = "", ...rest] = list[at]!.split("=");
  const value = rest.join("=");
  switch (random.below(6)) {
    case 0:
      list[at] = `${otherCase(name, random)}=${value}`;
      return;
    case 1:
      list[at] =
        `${random.chance(0.5) ? encodeURIComponent(random.pick(AFFIXES)) + name : name + encodeURIComponent(random.pick(AFFIXES))}=${value}`;
      return;
    case 2:
      list.splice(at + random.below(2), 0, `${name}=${random.pick(["products", "offers", "", "*"])}`);
      return;
    case 3:
      list.splice(random.below(list.length), 0, ...list.splice(at, 1));
      return;
    case 4:
      list[at] = random.chance(0.5)
        ? `${name}=%5B%22${value}%22%5D`
        : `${name}=${encodeURIComponent(`{"${random.pick(NAMES)}":"${value}"}`)}`;
      return;
    default:
      list[at] = `${random.pick(NAMES)}=${encodeURIComponent(`${name}=${value}`)}`;
  }
}

/** A parameter becomes a member, or a member a parameter. */
function moveBetween(draft: Draft, marker: string, random: Random): void {
  const place = aim(placesIn(draft.documents), marker, random);
  if (place !== undefined && random.chance(0.6)) {
    const [moved] = random.chance(0.5) ? place.object.members.splice(place.at, 1) : [place.object.members[place.at]];
    const value = moved === undefined ? "" : moved.value.kind === "word" ? String(JSON.parse(moved.value.json)) : written(moved.value);
    if (moved !== undefined) draft.params.push(`${encodeURIComponent(String(JSON.parse(moved.name)))}=${encodeURIComponent(value)}`);
    return;
  }
  const root = draft.documents.length === 0 ? undefined : random.pick(objectsIn(draft.documents));
  if (root === undefined || draft.params.length === 0) return;
  for (const [name, value] of new URLSearchParams(random.pick(draft.params))) {
    root.members.push({ name: JSON.stringify(name), value: { kind: "word", json: JSON.stringify(value) } });
  }
}

/** The attack's marked part inside of an ordinary request. */
function splice(ordinary: Draft, attack: Draft, marker: string, random: Random): void {
  const marked = placesIn(attack.documents).filter(({ object, at }) => written(object.members[at]!.value).includes(marker));
  const objects = objectsIn(ordinary.documents);
  if (marked.length > 0 && objects.length > 0) {
    const { object, at } = random.pick(marked);
    const { members } = random.pick(objects);
    members.splice(random.below(members.length + 1), 0, { ...object.members[at]! });
  }
  const params = attack.params.filter((raw) => raw.includes(marker));
  if (params.length > 0) ordinary.params.splice(random.below(ordinary.params.length + 1), 0, random.pick(params));
  const form = attack.form.filter((raw) => raw.includes(marker));
  if (form.length > 0) (ordinary.form.length > 0 ? ordinary.form : ordinary.params).push(random.pick(form));
}

const escapeSome = (text: string, share: number, random: Random, escape: (letter: string) => string): string =>
  text.replaceAll(/[a-z]/gi, (letter) => (random.chance(share) ? escape(letter) : letter));

const hex = (letter: string, width: number): string => letter.charCodeAt(0).toString(16).padStart(width, "0");

/** Letters inside of quotes, as `\u0069`. */
const escapeJson = (text: string, random: Random): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"/g, (token) =>
    random.chance(0.5) && !token.includes("\\") ? escapeSome(token, 0.4, random, (letter) => `\\u${hex(letter, 4)}`) : token,
  );

const escapeUrl = (text: string, random: Random): string =>
  escapeSome(text, 0.3, random, (letter) => (random.chance(0.8) ? `%${hex(letter, 2)}` : `%25${hex(letter, 2)}`));

const INSERTS = [" ", "\t", "\n", "\r\n", "\ufeff", "\u0000", "/**/", "//x\n", "#x\n", ",", "\u00a0", ";", "&", "+"];

function insert(text: string, random: Random): string {
  const at = random.chance(0.3) ? 0 : random.below(text.length + 1);
  return text.slice(0, at) + random.pick(INSERTS) + text.slice(at);
}

/** A request made of `attack`, or of `ordinary` with a part of it. */
export function mutate(
  { attack, ordinary, marker }: { readonly attack: ForeignRequest; readonly ordinary: ForeignRequest; readonly marker: string },
  random: Random,
): ForeignRequest {
  let draft = draftOf(attack);
  if (random.chance(0.35)) {
    draft = draftOf(ordinary);
    splice(draft, draftOf(attack), marker, random);
  }
  for (let changes = random.below(3); changes > 0; changes--) {
    const kind = random.below(8);
    if (kind < 4) changeMember(draft, marker, random);
    else if (kind < 5) changeBody(draft, random);
    else if (kind < 6) moveBetween(draft, marker, random);
    else changeParam(draft.form.length > 0 && random.chance(0.6) ? draft.form : draft.params, marker, random);
  }
  let search = draft.params.join("&");
  let body =
    draft.documents.length > 0 ? draft.documents.map(written).join("\n") : draft.form.length > 0 ? draft.form.join("&") : draft.text;
  if (draft.documents.length > 1) body += "\n";
  if (random.chance(0.3)) body = escapeJson(body, random);
  if (draft.form.length > 0 && random.chance(0.3)) body = escapeUrl(body, random);
  if (random.chance(0.2)) search = escapeUrl(search, random);
  if (random.chance(0.15)) body = insert(body, random);
  if (random.chance(0.05)) search = insert(search, random).replaceAll(/[#\r\n]/g, "");
  const bytes = new TextEncoder().encode(body);
  if (bytes.length > 0 && random.chance(0.05)) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  const end = random.chance(0.03) ? random.below(bytes.length + 1) : bytes.length;
  return { ...draft.request, search: search === "" ? "" : `?${search}`, body: bytes.subarray(0, end) };
}
