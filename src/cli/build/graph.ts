/** The operators of an ONNX graph, without a library for ONNX. */

/** One per node. Throws where the file is no ONNX model. */
export function operatorsOf(model: Uint8Array): string[] {
  const graph = fieldsOf(model).find(({ field }) => field === 7);
  if (graph === undefined) throw new Error("Not an ONNX model: it has no graph");
  const nodes = fieldsOf(graph.bytes).filter(({ field }) => field === 1);
  return nodes.map(({ bytes }) => new TextDecoder().decode(fieldsOf(bytes).find(({ field }) => field === 4)?.bytes));
}

/** The length-delimited fields of a protobuf message that has only those and integers. */
function fieldsOf(message: Uint8Array): { readonly field: number; readonly bytes: Uint8Array }[] {
  const found: { field: number; bytes: Uint8Array }[] = [];
  let at = 0;
  const readNumber = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("Not an ONNX model: it ends within a number");
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = readNumber();
    const length = readNumber();
    if (tag % 8 === 2) found.push({ field: Math.floor(tag / 8), bytes: message.subarray(at, (at += length)) });
    else if (tag % 8 !== 0) throw new Error(`Not an ONNX model: wire type ${tag % 8}`);
  }
  return found;
}
