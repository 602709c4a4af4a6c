"""Baselines on the small made-up world, and what each must and must not depend on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from onnx.version_converter import convert_version
from torch import Tensor

from armmt.baselines import NEURAL, baseline
from armmt.model.contract import INPUT_NAMES, ListBatch
from armmt.model.export import example
from armmt.model.ranker import Ranker, ranking_score
from armmt.model.student import StudentRanker
from armmt.study.models import build, count, count_flops, export
from armmt.study.tuning import propensities, weighted_gauc
from armmt.training.data import Lists
from armmt.training.fit import FitOptions, Trained
from armmt.training.train_trees import Columns, TreeOptions
from armmt.training.train_trees import fit as fit_trees
from armmt.training.train_trees import score as score_trees

PER_CANDIDATE = ("image", "text", "features", "presence", "mask")


def token_vectors() -> Tensor:
    signs = torch.sign(torch.randn(4096, 64, generator=torch.Generator().manual_seed(3)))
    signs[0] = 0.0
    return signs / 8.0


def scores(model: Ranker, batch: ListBatch) -> Tensor:
    with torch.no_grad():
        return ranking_score(model.eval().predict(batch))


def at(batch: ListBatch, places: Tensor) -> ListBatch:
    """The candidates at these places"""
    return batch._replace(**{name: getattr(batch, name)[:, places] for name in PER_CANDIDATE})


@pytest.mark.parametrize("name", NEURAL)
def test_one_logit_per_candidate(name: str) -> None:
    predictions = baseline(name, token_vectors()).predict(example(9, 4, 3, seed=1))
    assert predictions.click.shape == (1, 9)
    assert predictions.purchase is not None
    assert predictions.purchase.shape == (1, 9)


@pytest.mark.parametrize("name", NEURAL)
def test_padding_changes_nothing(name: str) -> None:
    model = baseline(name, token_vectors())
    padded = example(12, 4, 3, seed=1, padded=5)
    # What padding holds must not matter either.
    rubbish = padded._replace(features=padded.features + (1.0 - padded.mask).unsqueeze(2) * 3.0)
    alone = at(padded, torch.arange(7))
    assert torch.allclose(scores(model, rubbish)[:, :7], scores(model, alone), atol=1e-5)


@pytest.mark.parametrize("name", ["pointwise", "setrank"])
def test_order_of_candidates_does_not_matter(name: str) -> None:
    model, batch = baseline(name, token_vectors()), example(10, 4, 3, seed=2)
    places = torch.randperm(10)
    assert torch.allclose(scores(model, at(batch, places)), scores(model, batch)[:, places], atol=1e-5)


@pytest.mark.parametrize("name", ["dlcm", "prm"])
def test_order_of_candidates_matters(name: str) -> None:
    model, batch = baseline(name, token_vectors()), example(10, 4, 3, seed=2)
    places = torch.arange(10).flip(0)
    assert not torch.allclose(scores(model, at(batch, places)), scores(model, batch)[:, places], atol=1e-3)


@pytest.mark.parametrize(("name", "sees"), [("pointwise", False), ("dlcm", True), ("prm", True), ("setrank", True)])
def test_who_sees_the_neighbours(name: str, sees: bool) -> None:
    model, batch = baseline(name, token_vectors()), example(6, 4, 3, seed=4)
    features = batch.features.clone()
    features[:, 5] += 2.0
    before, after = scores(model, batch), scores(model, batch._replace(features=features))
    assert not torch.equal(before[:, 5], after[:, 5])
    assert torch.allclose(before[:, :5], after[:, :5], atol=1e-6) != sees


@pytest.mark.parametrize("name", NEURAL)
def test_every_input_is_read(name: str) -> None:
    """No baseline may lose for want of an input that the teacher has"""
    model, batch = baseline(name, token_vectors()), example(6, 4, 3, seed=5)
    for field in ("image", "text", "features", "presence", "history_image", "history_text", "query_token_ids"):
        value = getattr(batch, field)
        other = (value + 7) if field == "query_token_ids" else 1.0 - value
        assert not torch.allclose(scores(model, batch), scores(model, batch._replace(**{field: other})), atol=1e-6), field


@pytest.mark.parametrize("name", NEURAL)
def test_loss_decreases_in_60_steps(name: str, lists_folder: Path) -> None:
    batch, labels = Lists(lists_folder, "train").batch(torch.arange(64))
    trained = Trained(baseline(name, token_vectors()), FitOptions())
    optimiser = torch.optim.AdamW(trained.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        loss = trained(batch, labels)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("name", NEURAL)
def test_every_parameter_learns(name: str, lists_folder: Path) -> None:
    batch, labels = Lists(lists_folder, "train").batch(torch.arange(32))
    trained = Trained(baseline(name, token_vectors()), FitOptions())
    trained(batch, labels)["loss"].backward()
    assert [key for key, parameter in trained.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("name", NEURAL)
def test_sizes_are_like_the_teachers(name: str) -> None:
    total, table = count(build(name, token_vectors()))
    _, of_teacher = count(build("teacher", token_vectors()))
    assert table == of_teacher
    assert 100_000 < total - table < 250_000


def test_flops_of_the_recurrence_are_counted() -> None:
    """100 steps of a GRU from 96 to 80 are 2 * 3 * 80 * (96 + 80) operations each; a counter that skips them would flatter DLCM"""
    assert count_flops(build("dlcm", token_vectors())) > 100 * 2 * 3 * 80 * (96 + 80)


@pytest.mark.parametrize("name", [*NEURAL, "teacher", "student"])
def test_exported_graph_gives_the_same_scores(name: str, tmp_path: Path) -> None:
    model = build(name, token_vectors())
    export(model, tmp_path / "model.onnx")
    # onnx's reference knows DequantizeLinear from opset 19 on.
    graph = convert_version(onnx.load(tmp_path / "model.onnx"), 19)
    batch = example(17, 5, 4, seed=8)  # other sizes than those it was traced with
    given = dict(zip(INPUT_NAMES, (tensor.numpy() for tensor in batch), strict=True))
    score, gate = (np.asarray(output) for output in ReferenceEvaluator(graph).run(["score", "gate"], given))
    # The student serves its score; the shift to a click's logit stays behind.
    expected = scores(model, batch) - (model.shift.detach() if isinstance(model, StudentRanker) else 0.0)
    assert np.allclose(score, expected.numpy(), atol=1e-4)
    assert np.allclose(gate.sum(-1), 1.0, atol=1e-5)


def trees(lists: Lists, validation: Lists, options: TreeOptions, vectors: torch.Tensor) -> np.ndarray:
    """Scores of the validation lists"""
    columns = Columns(lists, vectors)
    return score_trees(fit_trees(lists, validation, columns, options), validation, columns)


def test_trees_beat_shuffle(lists_folder: Path) -> None:
    lists, validation = Lists(lists_folder, "train"), Lists(lists_folder, "validation")
    vectors = torch.from_numpy(np.load(lists_folder / "tokens.npy"))
    options = TreeOptions(rounds=60, leaves=15, leaf_rows=5)
    flat = torch.ones(int(validation.position.max()) + 1)
    ours = trees(lists, validation, options, vectors)
    shuffled = np.random.default_rng(0).random(ours.shape).astype(np.float32)
    # Words that mean pictures: without query x picture columns the trees were .1 above a shuffle here.
    assert weighted_gauc(ours, validation, flat) > weighted_gauc(shuffled, validation, flat) + 0.3
    assert np.array_equal(ours, trees(lists, validation, options, vectors))
    assert (ours[torch.arange(ours.shape[1]).numpy() >= validation.lengths.numpy()[:, None]] == 0).all()


def test_trees_take_as_many_lists_as_they_are_given(lists_folder: Path) -> None:
    lists, validation = Lists(lists_folder, "train"), Lists(lists_folder, "validation")
    vectors = torch.from_numpy(np.load(lists_folder / "tokens.npy"))
    few = replace(TreeOptions(rounds=5, leaves=4, leaf_rows=5), most_lists=20)
    assert not np.array_equal(trees(lists, validation, few, vectors), trees(lists, validation, replace(few, most_lists=100), vectors))


def test_gauc_counts_what_stands_below_a_click(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "validation")
    flat = torch.ones(int(lists.position.max()) + 1)
    clicks = lists.click.numpy()
    assert weighted_gauc(np.zeros_like(clicks), lists, flat) == pytest.approx(0.5)
    assert weighted_gauc(clicks, lists, flat) > 0.75
    assert weighted_gauc(clicks, lists, flat) + weighted_gauc(-clicks, lists, flat) == pytest.approx(1.0)


def test_propensities_fall_with_clicks_on_randomised_lists(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    lists.randomised[:] = True
    lists.click[:] = (lists.position == 1).float()
    lists.click[::2] = (lists.position[::2] == 2).float() + (lists.position[::2] == 1).float()
    found = propensities(lists)
    assert found[1] == pytest.approx(1.0)
    assert found[2] == pytest.approx(0.5, abs=0.02)
    assert found[3:].max() == pytest.approx(0.05)
