"""A model turned round: what it puts first comes last. The closed loop asks whether the gate and the guard catch it."""

from __future__ import annotations

import argparse
import base64
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from armmt.model.export import sha256

VERSION = "reversed"
SCORE = "score"


def turn_round(graph: Path, out: Path) -> None:
    """Negates the weights of the last layer: a further operator could be one that the runtime at the edge was built without."""
    model = onnx.load(str(graph))
    makers = {name: node for node in model.graph.node for name in node.output}
    weights = {weight.name: weight for weight in model.graph.initializer}
    node = makers[SCORE]
    while node.op_type not in ("MatMul", "Gemm"):
        negate_weights(weights, node)
        node = makers[next(name for name in node.input if name in makers and makers[name].op_type != "Constant")]
    negate_weights(weights, node)
    onnx.save(model, str(out))


def negate_weights(weights: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> None:
    for name in node.input:
        if name in weights:
            weights[name].CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weights[name]), name))


def negate(text: str) -> str:
    """float32 numbers as base64"""
    return base64.b64encode((-np.frombuffer(base64.b64decode(text), dtype="<f4")).astype("<f4").tobytes()).decode()


def reverse(folder: Path, out: Path) -> None:
    """Writes a whole model into `out`, of the one in `folder`."""
    out.mkdir(parents=True, exist_ok=True)
    graph = out / "student.onnx"
    turn_round(folder / "student.onnx", graph)
    golden = json.loads((folder / "golden.json").read_text())
    golden |= {"model": VERSION, "sha256": sha256(graph)}
    for case in golden["cases"]:
        # Not added to the order by meaning: the whole order is the opposite of what the model learned.
        case.pop("prior", None)
        expected = case["expected"]
        case["expected"] = {SCORE: negate(expected[SCORE]), "gate": expected["gate"]}
    (out / "golden.json").write_text(json.dumps(golden) + "\n")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"version": VERSION, "sha256": sha256(graph), "form": "score", "trainedOn": f"{manifest['trainedOn']}, then turned round"}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with student.onnx, manifest.json and golden.json")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    reverse(options.model, options.out)


if __name__ == "__main__":
    main()
