/**
 * Writes small ONNX graphs (opset 17) as protobuf, enough for a network of the bench that only has to take its time, and counts the nodes
 * of any. No library, because what ONNX needs of protobuf is three of its wire types.
 *
 * Field numbers are those of onnx.proto.
 */

export interface Initializer {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

export interface GraphNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface GraphInput {
  readonly name: string;
  readonly type: "float32" | "int32";
  /** A name is a dimension of any size. */
  readonly dims: readonly (number | string)[];
}

export interface Graph {
  readonly inputs: readonly GraphInput[];
  readonly output: GraphInput;
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly GraphNode[];
}

const OPSET = 17;
const IR_VERSION = 8;

/** TensorProto.DataType */
const TYPES = { float32: 1, int32: 6, int64: 7 } as const;

/** AttributeProto.AttributeType */
const ATTRIBUTES = { float: 1, int: 2, ints: 7 } as const;

type Field = readonly Uint8Array[];

export function writeGraph({ inputs, output, initializers, nodes }: Graph): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.flatMap((node) => bytes(1, writeNode(node))),
    ...text(2, "bench"),
    ...initializers.flatMap((initializer) => bytes(5, writeTensor(initializer))),
    ...inputs.flatMap((input) => bytes(11, writeValue(input))),
    ...bytes(12, writeValue(output)),
  ];
  return Uint8Array.from(Buffer.concat([...int(1, IR_VERSION), ...bytes(7, graph), ...bytes(8, int(2, OPSET))]));
}

function writeNode({ type, inputs, output, attributes = {} }: GraphNode): Field {
  const written = Object.entries(attributes).flatMap(([name, value]) => bytes(5, writeAttribute(name, value)));
  return [...inputs.flatMap((input) => text(1, input)), ...text(2, output), ...text(4, type), ...written];
}

/** A number with a fraction is a float, any other an int. */
function writeAttribute(name: string, value: number | readonly number[]): Field {
  if (typeof value !== "number") return [...text(1, name), ...value.flatMap((one) => int(8, one)), ...int(20, ATTRIBUTES.ints)];
  if (Number.isInteger(value)) return [...text(1, name), ...int(3, value), ...int(20, ATTRIBUTES.int)];
  const float = new Uint8Array(Float32Array.of(value).buffer);
  return [...text(1, name), Uint8Array.of((2 << 3) | 5), float, ...int(20, ATTRIBUTES.float)];
}

function writeTensor({ name, dims, values }: Initializer): Field {
  const type = values instanceof Float32Array ? TYPES.float32 : TYPES.int64;
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [...dims.flatMap((dim) => int(1, dim)), ...int(2, type), ...text(8, name), ...bytes(9, [raw])];
}

function writeValue({ name, type, dims }: GraphInput): Field {
  const shape = dims.flatMap((dim) => bytes(1, typeof dim === "number" ? int(1, dim) : text(2, dim)));
  return [...text(1, name), ...bytes(2, bytes(1, [...int(1, TYPES[type]), ...bytes(2, shape)]))];
}

function int(field: number, value: number): Field {
  return [varint(field << 3), varint(value)];
}

function text(field: number, value: string): Field {
  return bytes(field, [new TextEncoder().encode(value)]);
}

function bytes(field: number, parts: Field): Field {
  return [varint((field << 3) | 2), varint(parts.reduce((sum, part) => sum + part.length, 0)), ...parts];
}

/** Of a number that is not negative. */
function varint(value: number): Uint8Array {
  const groups: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) groups.push((rest % 128) | 128);
  return Uint8Array.from([...groups, rest]);
}

/** Nodes of a graph's top level; throws on bytes that are no ONNX model. */
export function countNodes(model: Uint8Array): number {
  const graph = fieldsOf(model).find(({ field }) => field === 7);
  if (graph === undefined) throw new Error("Not an ONNX model: it has no graph");
  return fieldsOf(graph.bytes).filter(({ field }) => field === 1).length;
}

/** The length-delimited fields of a message. */
function fieldsOf(message: Uint8Array): { readonly field: number; readonly bytes: Uint8Array }[] {
  const found: { field: number; bytes: Uint8Array }[] = [];
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let place = 1; ; place *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("Not an ONNX model: it ends within a number");
      value += (byte & 127) * place;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = number();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === 0) number();
    else if (wire === 2) {
      const length = number();
      found.push({ field, bytes: message.subarray(at, at + length) });
      at += length;
    } else if (wire === 5) at += 4;
    else if (wire === 1) at += 8;
    else throw new Error(`Not an ONNX model: wire type ${wire}`);
  }
  return found;
}
