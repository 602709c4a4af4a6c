"""A model turned round gives every score with the other sign, and says that it is another model."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from armmt.model.contract import FEATURES
from armmt.model.export import TEXT_ENCODER, export_student, sha256
from armmt.model.student import Student
from armmt.study.reversed import reverse


def weights_of(graph: Path) -> dict[str, NDArray[np.float32]]:
    return {weight.name: numpy_helper.to_array(weight) for weight in onnx.load(str(graph)).graph.initializer}


def floats(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def test_every_score_has_the_other_sign(tmp_path: Path) -> None:
    torch.manual_seed(1)
    student = Student().eval()
    with torch.no_grad():
        for parameter in student.head.parameters():
            parameter.normal_(std=0.3)
    meta = {
        "version": "before",
        "features": [{"name": name, "mean": 0.0, "std": 1.0} for name in FEATURES],
        "imageEncoder": "none",
        "textEncoder": TEXT_ENCODER,
        "trainedOn": "nothing",
        "metrics": {},
    }
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    export_student(student, before, meta)
    reverse(before, after)

    # Of the graph only weight and bias of the last layer differ, by their sign; the gate's golden cases run it.
    old, new = (weights_of(folder / "student.onnx") for folder in (before, after))
    changed = [name for name, value in old.items() if not np.array_equal(value, new[name])]
    assert sorted(old[name].shape for name in changed) == [(1,), (48, 1)]
    for name in changed:
        np.testing.assert_array_equal(new[name], -old[name])

    golden, manifest = (json.loads((after / name).read_text()) for name in ("golden.json", "manifest.json"))
    cases = json.loads((before / "golden.json").read_text())["cases"]
    for case, turned in zip(cases, golden["cases"], strict=True):
        np.testing.assert_array_equal(floats(turned["expected"]["score"]), -floats(case["expected"]["score"]))
    assert manifest["version"] == golden["model"] == "reversed"
    assert manifest["sha256"] == golden["sha256"] == sha256(after / "student.onnx")
    assert manifest["form"] == "score"
    assert all("prior" not in case and set(case["expected"]) == {"score", "gate"} for case in golden["cases"])
