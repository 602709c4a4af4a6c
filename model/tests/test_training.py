"""Data, training and export on a small made-up world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from armmt.model.contract import FEATURES, INPUT_NAMES, ListBatch
from armmt.model.export import ONE_LIST, OPSET, export_student
from armmt.model.image_encoder import ImageEncoder
from armmt.model.student import Student
from armmt.model.teacher import Teacher
from armmt.training.data import GROUPS, Lists, modality_dropout
from armmt.training.distill import DistilOptions, ensemble
from armmt.training.fit import FitOptions, Trained, fit
from armmt.training.train_student import train_student
from armmt.training.train_teachers import train


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


def test_dropped_features_take_their_flag_along(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    batch, _ = lists.batch(torch.arange(64))
    poorer = modality_dropout(batch, torch.Generator().manual_seed(2))
    for names in GROUPS.values():
        columns = [FEATURES.index(name) for name in names]
        gone = (poorer.features[:, :, columns] == 0).all(2).all(1)
        kept = (poorer.features[:, :, columns] == batch.features[:, :, columns]).all(2).all(1)
        assert (gone | kept).all()
        assert gone.any()
        assert kept.any()
    whole = (poorer.features == batch.features).all(2).all(1) & (poorer.presence == batch.presence).all(2).all(1)
    assert 0.4 < float(whole.float().mean()) < 0.8
    no_image = poorer.presence[..., 0] == 0
    assert poorer.image[no_image].abs().sum() == 0
    assert ((poorer.presence.sum(-1) > 0) | (batch.mask == 0)).all()


def test_loss_decreases_in_60_steps(lists_folder: Path) -> None:
    batch, labels = Lists(lists_folder, "train").batch(torch.arange(64))
    trained = Trained(Teacher(width=32, depth=1), FitOptions())
    optimiser = torch.optim.AdamW(trained.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        loss = trained(batch, labels)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_every_parameter_learns(lists_folder: Path) -> None:
    batch, labels = Lists(lists_folder, "train").batch(torch.arange(32))
    trained = Trained(Teacher(width=16, depth=1), FitOptions())
    trained(batch, labels)["loss"].backward()
    assert [name for name, parameter in trained.named_parameters() if parameter.grad is None] == []


def test_the_same_seed_gives_the_same_model(lists_folder: Path, tmp_path: Path) -> None:
    options = FitOptions(batch=32, seed=5)
    first = train(lists_folder, tmp_path, options, width=16, depth=1)
    second = train(lists_folder, tmp_path, options, width=16, depth=1)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_part_of_an_epoch_is_that_many_steps(lists_folder: Path) -> None:
    lists, validation = Lists(lists_folder, "train"), Lists(lists_folder, "validation")
    fitted = fit(Teacher(width=16, depth=1), lists, validation, FitOptions(epochs=1.5, batch=32))
    assert fitted.history[-1]["step"] == 6  # 128 lists are four batches of 32


def test_teachers_then_student_end_to_end(lists_folder: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        train(lists_folder, tmp_path, FitOptions(epochs=12, batch=16, seed=seed), width=32, depth=1)
    train_student(lists_folder, tmp_path, DistilOptions(FitOptions(epochs=24, batch=16, rate=4e-3)), "test-1", "a made-up world")
    report = json.loads((tmp_path / "student.json").read_text())
    assert report["teachers"] == 2
    assert report["validation"]["pairs"] > 0.75
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    golden = json.loads((tmp_path / "golden.json").read_text())
    assert manifest["sha256"] == golden["sha256"]
    assert [feature["name"] for feature in manifest["features"]] == list(FEATURES)
    assert manifest["trainedOn"] == "a made-up world, 128 lists"


def test_a_student_without_teachers_is_refused(lists_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"run armmt\.training\.train_teachers first"):
        train_student(lists_folder, tmp_path, DistilOptions(), "t", "-")


def test_ensemble_is_the_mean_of_z_scores() -> None:
    one, two = np.array([[1.0, 3.0, 0.0]], np.float32), np.array([[30.0, 10.0, 0.0]], np.float32)
    assert ensemble([one, one * 9 + 4], torch.tensor([2]))[0].tolist() == pytest.approx([-1.0, 1.0, 0.0], abs=1e-4)
    assert ensemble([one, two], torch.tensor([2]))[0].tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-4)


def test_alpha_waits_then_rises() -> None:
    options = DistilOptions()
    assert [options.alpha_at(done) for done in (0.0, 0.05)] == [0.0, 0.0]
    assert options.alpha_at(0.1) == pytest.approx(options.alpha / 2)
    assert options.alpha_at(1.0) == options.alpha


TOGETHER = """
import json, sys
from pathlib import Path
from armmt.training.data import Lists
from armmt.training.fit import FitOptions, fit
from armmt.training.runtime import join_workers, prepare
from armmt.model.teacher import Teacher

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
prepare(1, threads=1)
workers = join_workers()
lists, validation = Lists(folder, "train"), Lists(folder, "validation")
fitted = fit(Teacher(width=16, depth=1), lists, validation, FitOptions(epochs=12, batch=16), workers)
if workers.rank == 0:
    out.write_text(json.dumps(fitted.history))
"""


def test_two_processes_train_to_the_same_loss(lists_folder: Path, tmp_path: Path) -> None:
    """torchrun with two processes (gloo) against one process: the same batches, so the same losses but for rounding"""
    script = tmp_path / "together.py"
    script.write_text(TOGETHER)
    histories = []
    for launcher in ([], ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]):
        out = tmp_path / f"{len(launcher)}.json"
        # The script is outside the package's folder, and the environment holds the package's requirements only.
        package = str(Path(__file__).parents[1])
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "ARMMT_DEVICE": "cpu", "PYTHONPATH": package}
        subprocess.run([sys.executable, *launcher, str(script), str(lists_folder), str(out)], check=True, env=environment, timeout=240)
        histories.append(json.loads(out.read_text()))
    one, two = histories
    assert one[-1]["loss"] < 0.95 * one[0]["loss"]
    for alone, together in zip(one, two, strict=True):
        assert together["loss"] == pytest.approx(alone["loss"], rel=1e-3)


def test_export_round_trip(tmp_path: Path) -> None:
    """The graph is valid, of the opset promised, for one list, and keeps every size open that the contract keeps open"""
    meta = {"version": "t", "features": [], "imageEncoder": "i", "textEncoder": "t", "trainedOn": "-", "metrics": {}}
    export_student(Student(), tmp_path, meta)
    graph = onnx.load(tmp_path / "student.onnx")
    onnx.checker.check_model(graph, full_check=True)
    assert [entry.version for entry in graph.opset_import] == [OPSET]
    assert [value.name for value in graph.graph.input] == list(INPUT_NAMES)
    assert all(value.type.tensor_type.shape.dim[0].dim_value == 1 for value in graph.graph.input)
    for value in [*graph.graph.input, *graph.graph.output]:
        dims = [dim.dim_param for dim in value.type.tensor_type.shape.dim]
        for axis, name in ONE_LIST[value.name].items():
            assert dims[axis] == name
    assert graph.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.INT32


def test_image_encoder_gives_unit_vectors() -> None:
    with torch.no_grad():
        embedding = ImageEncoder().eval()(torch.rand(3, 3, 64, 64) * 2 - 1)
    assert embedding.shape == (3, 48)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(3), atol=1e-5)


def test_batch_fields_are_the_graph_inputs() -> None:
    assert ListBatch._fields == INPUT_NAMES
