/**
 * GraphQL documents as far as a proxy reads them: operations, the fields and keys that a reply will hold, and the values of arguments. The
 * only importer of `graphql`, of which it uses the parser: 18 KB of the packed Worker, so that strings and comments end as in the engine.
 *
 * Knows no schema and no engine. The engine decides whether a document is valid.
 */
import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from "graphql";
import { err, ok, type Result } from "../result.ts";
import { errorText } from "../web.ts";
import { type JsonObject, member } from "./json/values.ts";

/** The documents of a shop have some hundred tokens. */
const MAX_TOKENS = 10_000;

/** Of a document: the comments of a shop's are no tokens. */
const MAX_LENGTH = 100_000;

/** Selections that are looked at, and pieces of 64 characters that arguments bring. A fragment or a variable costs as often as it is used. */
const MAX_WORK = 50_000;

export interface GraphqlDocument {
  readonly operations: readonly OperationDefinitionNode[];
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/** One key of an object in the reply, with everything that the document asks for below it. */
export interface Field {
  /** In the reply: the alias, where there is one. */
  readonly key: string;
  /** In the schema. */
  readonly name: string;
  readonly node: FieldNode;
  /** Selections of its own object. */
  readonly below: readonly SelectionSetNode[];
  /** A directive that may leave it out of the reply, or change it. */
  readonly doubt: string | undefined;
}

export function isQuery({ operation }: OperationDefinitionNode): boolean {
  return operation === OperationTypeNode.QUERY;
}

/** One operation with the variables of one request. */
export interface Operation {
  readonly node: OperationDefinitionNode;
  /** Fields in their order, merged by key. `isWanted` says which type conditions to look into. */
  fieldsOf(selections: readonly SelectionSetNode[], isWanted?: (type: string) => boolean): readonly Field[];
  /** Values by name; what is neither given nor has a default in the document is left out. */
  argumentsOf(node: FieldNode | DirectiveNode): JsonObject;
  /** What was read by then is not all: fragments or variables are used too often. */
  isTooMuch(): boolean;
}

/** Errors say why the document cannot be executed. */
export function parseDocument(source: string): Result<GraphqlDocument, string> {
  if (source.length > MAX_LENGTH) return err(`The document is longer than ${MAX_LENGTH} characters`);
  const operations: OperationDefinitionNode[] = [];
  const fragments = new Map<string, FragmentDefinitionNode>();
  try {
    for (const node of parse(source, { noLocation: true, maxLexicalTokens: MAX_TOKENS }).definitions) {
      if (node.kind === Kind.OPERATION_DEFINITION) operations.push(node);
      else if (node.kind !== Kind.FRAGMENT_DEFINITION) return err(`${node.kind} cannot be executed`);
      else if (fragments.has(node.name.value)) return err(`The fragment "${node.name.value}" is repeated`);
      else fragments.set(node.name.value, node);
    }
  } catch (cause) {
    // Besides syntax errors: selections that are nested deeper than the stack.
    return err(errorText(cause));
  }
  return operations.length === 0 ? err("The document holds no operation") : ok({ operations, fragments });
}

/**
 * Names of all fields that an operation can have at its root, whatever its directives and variables say. A fragment that the document does
 * not define is named with its dots.
 */
export function rootFieldNames({ fragments }: GraphqlDocument, { selectionSet }: OperationDefinitionNode): ReadonlySet<string> {
  const names = new Set<string>();
  const seen = new Set<string>();
  const visit = (selection: SelectionNode): void => {
    if (selection.kind === Kind.FIELD) names.add(selection.name.value);
    else if (selection.kind === Kind.INLINE_FRAGMENT) selection.selectionSet.selections.forEach(visit);
    else if (!seen.has(selection.name.value)) {
      seen.add(selection.name.value);
      const fragment = fragments.get(selection.name.value);
      if (fragment === undefined) names.add(`...${selection.name.value}`);
      else fragment.selectionSet.selections.forEach(visit);
    }
  };
  selectionSet.selections.forEach(visit);
  return names;
}

/** `name`: as in the request; without one, the document must hold one operation. Errors: it is unknown which operation is meant. */
export function chooseOperation(document: GraphqlDocument, name: string | undefined, variables: JsonObject): Result<Operation, string> {
  const named = document.operations.filter((node) => name === undefined || node.name?.value === name);
  const [node] = named;
  if (node === undefined) return err(`The document holds no operation ${JSON.stringify(name)}`);
  if (named.length > 1)
    return err(name === undefined ? "Without operationName it is open which operation is meant" : `"${name}" is repeated`);
  return ok(bindOperation(document, node, variables));
}

function bindOperation({ fragments }: GraphqlDocument, node: OperationDefinitionNode, variables: JsonObject): Operation {
  const defaults = new Map(node.variableDefinitions?.map(({ variable, defaultValue }) => [variable.name.value, defaultValue]));
  const sizes = new Map<string, number>();
  let work = 0;

  function sizeOf(name: string, value: unknown): number {
    const size = sizes.get(name) ?? JSON.stringify(value).length;
    sizes.set(name, size);
    return size;
  }

  function valueOf(value: ValueNode): unknown {
    switch (value.kind) {
      case Kind.VARIABLE: {
        const given = member(variables, value.name.value);
        const fallback = defaults.get(value.name.value);
        if (given !== undefined) work += sizeOf(value.name.value, given) / 64;
        if (work > MAX_WORK) return undefined;
        return given === undefined && fallback !== undefined ? valueOf(fallback) : given;
      }
      case Kind.INT:
      case Kind.FLOAT:
        return Number(value.value);
      case Kind.NULL:
        return null;
      case Kind.LIST:
        return value.values.map((element) => valueOf(element) ?? null);
      case Kind.OBJECT:
        return argumentsFrom(value.fields);
      case Kind.STRING:
      case Kind.BOOLEAN:
      case Kind.ENUM:
      default:
        return value.value;
    }
  }

  function argumentsFrom(all: readonly { readonly name: { readonly value: string }; readonly value: ValueNode }[]): JsonObject {
    const given = all.map(({ name, value }) => [name.value, valueOf(value)] as const);
    return Object.fromEntries(given.filter(([, value]) => value !== undefined));
  }

  /** Whether the reply will hold it; `doubt` names the directive that may change that. */
  function inclusionOf(directives: readonly DirectiveNode[] = []): { readonly isIncluded: boolean; readonly doubt?: string | undefined } {
    let doubt: string | undefined;
    for (const directive of directives) {
      const name = directive.name.value;
      const condition = member(argumentsFrom(directive.arguments ?? []), "if");
      if ((name === "include" || name === "skip") && typeof condition === "boolean") {
        if (condition === (name === "skip")) return { isIncluded: false };
      } else doubt ??= `@${name}`;
    }
    return { isIncluded: true, doubt };
  }

  function fieldsOf(selections: readonly SelectionSetNode[], isWanted: (type: string) => boolean = () => true): readonly Field[] {
    const fields = new Map<string, Field & { readonly below: SelectionSetNode[] }>();
    const seen = new Set<string>();
    const visit = (selection: SelectionNode, above: string | undefined): void => {
      if (++work > MAX_WORK) return;
      const inclusion = inclusionOf(selection.directives);
      if (!inclusion.isIncluded) return;
      const doubt = above ?? inclusion.doubt;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const same = fields.get(key);
        const below = same?.below ?? [];
        if (selection.selectionSet !== undefined) below.push(selection.selectionSet);
        fields.set(key, { key, name: selection.name.value, node: same?.node ?? selection, below, doubt: same?.doubt ?? doubt });
        return;
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (seen.has(selection.name.value)) return;
        seen.add(selection.name.value);
      }
      const type = fragment?.typeCondition?.name.value;
      if (fragment === undefined || (type !== undefined && !isWanted(type))) return;
      for (const below of fragment.selectionSet.selections) visit(below, doubt);
    };
    for (const { selections: all } of selections) for (const selection of all) visit(selection, undefined);
    return [...fields.values()];
  }

  return { node, fieldsOf, argumentsOf: (field) => argumentsFrom(field.arguments ?? []), isTooMuch: () => work > MAX_WORK };
}
