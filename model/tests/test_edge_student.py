"""The exported form of the student must be the student: the same outputs, in fewer nodes, on lists of every kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from onnx.version_converter import convert_version

from armmt.model.backbone import WHOLE
from armmt.model.contract import INPUT_NAMES, OUTPUT_NAMES, TOKEN_ROWS, ListBatch, Scores
from armmt.model.edge_student import EdgeStudent, for_edge
from armmt.model.export import DYNAMIC_AXES, ONE_LIST, example, golden_batches, to_onnx
from armmt.model.student import Student

PER_CANDIDATE = ("image", "text", "features", "presence", "mask")


def awake(seed: int = 0) -> Student:
    """A student without a parameter that is zero, so that no term can be left out unseen"""
    torch.manual_seed(seed)
    student = Student(torch.randn(TOKEN_ROWS, 64))
    with torch.no_grad():
        for name, parameter in student.named_parameters():
            if name.endswith("bias") or parameter.abs().sum() == 0:
                parameter.normal_(std=0.3)
        student.trunk.query.learned.weight.normal_(std=0.5)
        student.trunk.surroundings.sharpness.copy_(torch.tensor([4.0, 7.0]))
    return student.eval()


def noisy(batch: ListBatch, seed: int) -> ListBatch:
    """The same list, with anything in what its masks hide"""
    generator = torch.Generator().manual_seed(seed)

    def over(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return x + 2 * torch.randn(x.shape, generator=generator) * (1 - mask).unsqueeze(-1)

    hidden = {name: over(getattr(batch, name), batch.mask) for name in ("image", "text", "features")}
    recent = {name: over(getattr(batch, name), batch.history_mask) for name in ("history_image", "history_text")}
    return batch._replace(**hidden, **recent)


def some_masked(batch: ListBatch) -> ListBatch:
    """Every third word and every second recent item are padding"""
    query, history = batch.query_mask.clone(), batch.history_mask.clone()
    query[:, ::3] = 0
    history[:, 1::2] = 0
    return batch._replace(query_mask=query, history_mask=history)


CASES: dict[str, ListBatch] = {
    **golden_batches(),
    **{f"random {k}": example(k, 1 + k % 20, 1 + k % 8, seed=100 + k) for k in (3, 17, 64, 131)},
    "gaps": noisy(some_masked(example(24, 9, 6, seed=20, padded=7)), 1),
    "no words": example(12, 4, 3, seed=21)._replace(query_mask=torch.zeros(1, 4)),
    "only padding": example(5, 4, 3, seed=22, padded=5),
    "neither picture nor text": example(30, 6, 5, seed=23, image=False, text=False),
    "first item hidden": example(9, 4, 4, seed=24)._replace(history_mask=torch.tensor([[0.0, 1.0, 1.0, 0.0]])),
}


def difference(found: Scores, expected: Scores) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CASES)
def test_same_outputs(name: str, seed: int) -> None:
    student = awake(seed)
    with torch.no_grad():
        assert difference(EdgeStudent(student)(*CASES[name]), student(*CASES[name])) < 1e-5


def test_order_of_candidates_does_not_matter() -> None:
    served, batch = EdgeStudent(awake()), example(30, 6, 4, seed=5)
    order = torch.randperm(30)
    shuffled = batch._replace(**{name: getattr(batch, name)[:, order] for name in PER_CANDIDATE})
    with torch.no_grad():
        assert torch.allclose(served(*shuffled).score[0], served(*batch).score[0, order], atol=1e-5)


def test_padding_changes_nothing() -> None:
    served, batch = EdgeStudent(awake()), noisy(example(20, 6, 4, seed=3, padded=8), 2)
    short = batch._replace(**{name: getattr(batch, name)[:, :12] for name in PER_CANDIDATE})
    with torch.no_grad():
        assert torch.allclose(served(*batch).score[0, :12], served(*short).score[0], atol=1e-5)


def test_the_graph_is_the_student_in_two_thirds_of_the_nodes(tmp_path: Path) -> None:
    student = awake()
    whole, served = tmp_path / "whole.onnx", tmp_path / "served.onnx"
    pair = tuple(torch.cat([part, part]) for part in example(6, 4, 3, seed=0))
    to_onnx(student, pair, whole, (INPUT_NAMES, OUTPUT_NAMES), DYNAMIC_AXES)
    to_onnx(for_edge(student), tuple(example(6, 4, 3, seed=0)), served, (INPUT_NAMES, OUTPUT_NAMES), ONE_LIST)

    def operators(path: Path) -> list[str]:
        return [node.op_type for node in onnx.load(path).graph.node if node.op_type != "Constant"]

    assert len(operators(served)) <= 2 / 3 * len(operators(whole))
    assert set(operators(served)) - set(operators(whole)) <= {"Reshape"}  # in place of Squeeze
    assert len(set(operators(served))) < len(set(operators(whole)))
    graph = ReferenceEvaluator(convert_version(onnx.load(served), 21))
    for batch in CASES.values():
        outputs = graph.run(list(OUTPUT_NAMES), {name: part.numpy() for name, part in zip(INPUT_NAMES, batch, strict=True)})
        with torch.no_grad():
            expected = student(*batch)
        for found, wanted in zip(outputs, expected, strict=True):
            assert np.abs(np.asarray(found) - wanted.numpy()).max() < 1e-5


@pytest.mark.parametrize("piece", ["cafu", "context", "personal", "attention", "surroundings", "mpsa", "histograms"])
def test_a_student_with_other_pieces_keeps_its_graph(piece: str) -> None:
    student = Student(components=replace(WHOLE, **{piece: not getattr(WHOLE, piece)}))
    assert for_edge(student) is student
    assert isinstance(for_edge(Student()), EdgeStudent)
