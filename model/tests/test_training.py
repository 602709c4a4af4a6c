"""Data, training and export on a small made-up world."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from armmt.contract import FEATURES, INPUT_NAMES, ListBatch
from armmt.data import GROUPS, Lists, withhold
from armmt.distill import distil
from armmt.export import DYNAMIC_AXES, OPSET, export_student
from armmt.image_encoder import ImageEncoder
from armmt.student import Student
from armmt.teacher import Teacher, teacher_loss
from armmt.train import train


def test_lists_come_back_as_written(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    assert len(lists) == 128
    rows = torch.tensor([0, 1, 2])
    batch, labels = lists.batch(rows)
    assert batch.mask.sum(1).long().tolist() == lists.lengths[rows].tolist()
    assert batch.query_mask.tolist() == [[1.0, 1.0]] * 3
    assert labels.click[batch.mask == 0].sum() == 0
    assert batch.image[batch.mask == 0].abs().sum() == 0
    image = np.load(lists_folder / "image.npy")
    assert torch.equal(batch.image[0, 0], torch.from_numpy(image[int(lists.items[0, 0])]))


def test_an_epoch_sees_every_list_once(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    rows = torch.cat(list(lists.epoch(16, torch.Generator().manual_seed(1))))
    assert sorted(rows.tolist()) == list(range(len(lists)))


def test_another_feature_list_is_refused(lists_folder: Path, tmp_path: Path) -> None:
    for file in lists_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    meta = json.loads((tmp_path / "features.json").read_text())
    meta["features"][0]["name"] = "horoscope"
    (tmp_path / "features.json").write_text(json.dumps(meta))
    with pytest.raises(ValueError, match="horoscope"):
        Lists(tmp_path, "train")


def test_withheld_features_take_their_flag_along(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    batch, _ = lists.batch(torch.arange(64))
    poorer = withhold(batch, torch.Generator().manual_seed(2))
    for names in GROUPS.values():
        columns = [FEATURES.index(name) for name in names]
        gone = (poorer.features[:, :, columns] == 0).all(2).all(1)
        kept = (poorer.features[:, :, columns] == batch.features[:, :, columns]).all(2).all(1)
        assert (gone | kept).all()
        assert gone.any()
        assert kept.any()
    no_image = poorer.presence[..., 0] == 0
    assert poorer.image[no_image].abs().sum() == 0
    assert ((poorer.presence.sum(-1) > 0) | (batch.mask == 0)).all()


def test_loss_decreases_in_60_steps(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    teacher = Teacher(width=32, depth=1)
    optimiser = torch.optim.AdamW(teacher.parameters(), lr=3e-3)
    batch, labels = lists.batch(torch.arange(64))
    losses = []
    for _ in range(60):
        loss = teacher_loss(teacher, batch, labels)["loss"]
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_every_parameter_learns(lists_folder: Path) -> None:
    batch, labels = Lists(lists_folder, "train").batch(torch.arange(32))
    teacher = Teacher(width=16, depth=1)
    teacher_loss(teacher, batch, labels)["loss"].backward()  # type: ignore[no-untyped-call]
    without = [name for name, parameter in teacher.named_parameters() if parameter.grad is None]
    assert without == []


def test_the_same_seed_gives_the_same_model(lists_folder: Path, tmp_path: Path) -> None:
    first = train(lists_folder, tmp_path, epochs=1, size=32, width=16, depth=1, seed=5)
    second = train(lists_folder, tmp_path, epochs=1, size=32, width=16, depth=1, seed=5)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_teacher_then_student_end_to_end(lists_folder: Path, tmp_path: Path) -> None:
    train(lists_folder, tmp_path, epochs=12, size=16, width=32, depth=1, seed=1)
    distil(lists_folder, tmp_path, epochs=12, size=16, seed=1, version="test-1")
    report = json.loads((tmp_path / "student.json").read_text())
    assert report["validation"][-1]["pairs"] > 0.75
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    golden = json.loads((tmp_path / "golden.json").read_text())
    assert manifest["sha256"] == golden["sha256"]
    assert [feature["name"] for feature in manifest["features"]] == list(FEATURES)
    assert "simulated" in manifest["trainedOn"]


def test_export_round_trip(tmp_path: Path) -> None:
    """The graph is valid, of the opset promised, and keeps every size open that the contract keeps open"""
    meta = {"version": "t", "features": [], "imageEncoder": "i", "textEncoder": "t", "trainedOn": "-", "metrics": {}}
    export_student(Student(), tmp_path, meta)
    graph = onnx.load(tmp_path / "student.onnx")
    onnx.checker.check_model(graph, full_check=True)
    assert [entry.version for entry in graph.opset_import] == [OPSET]
    assert [value.name for value in graph.graph.input] == list(INPUT_NAMES)
    for value in [*graph.graph.input, *graph.graph.output]:
        dims = [dim.dim_param for dim in value.type.tensor_type.shape.dim]
        for axis, name in DYNAMIC_AXES[value.name].items():
            assert dims[axis] == name
    assert graph.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.INT32


def test_image_encoder_gives_unit_vectors() -> None:
    with torch.no_grad():
        embedding = ImageEncoder().eval()(torch.rand(3, 3, 64, 64) * 2 - 1)
    assert embedding.shape == (3, 48)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(3), atol=1e-5)


def test_batch_fields_are_the_graph_inputs() -> None:
    assert ListBatch._fields == INPUT_NAMES
