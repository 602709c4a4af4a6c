"""The teacher of trees: its columns and its judgment against references, and a student that learns from trees and nets, twice the same."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from scipy.stats import rankdata

from armmt.training.data import Lists
from armmt.training.distill import DistilOptions
from armmt.training.fit import FitOptions
from armmt.training.newest import keep_newest
from armmt.training.train_student import train_student
from armmt.training.train_teachers import train as train_net
from armmt.training.train_trees import Columns, Shown, TreeOptions, click_weights, directions, places, train, weighted_ndcg

SMALL = TreeOptions(rounds=12, patience=12, leaves=8, leaf_rows=5)


def test_places_are_ranks_among_the_candidates() -> None:
    columns = torch.tensor([[[3.0], [1.0], [3.0], [2.0], [9.0]]])
    mask = torch.tensor([[1.0, 1.0, 1.0, 1.0, 0.0]])
    expected = (rankdata(columns[0, :4, 0].numpy(), "min") - 1) / 4
    assert places(columns, mask)[0, :4, 0].numpy() == pytest.approx(expected)


def test_directions_are_the_principal_ones() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(500, 64)) * np.linspace(3, 0.1, 64)
    found = directions(torch.from_numpy(rows).float()).numpy()
    wanted = np.linalg.svd(rows - rows.mean(0))[2][: found.shape[1]]
    assert np.abs((found.T * wanted).sum(1)) == pytest.approx(np.ones(len(wanted)), abs=1e-4)
    assert (found[np.abs(found).argmax(0), np.arange(found.shape[1])] > 0).all()


def test_weighted_ndcg_counts_rare_clicks_more() -> None:
    # Two lists; the second has no click and does not count.
    shown = Shown(np.zeros((5, 1), np.float32), np.array([1, 0, 2, 0, 0], np.float32), np.array([0, 1, 2, 0, 1]), np.array([3, 2]))
    weights = np.array([1.0, 2.0, 4.0])
    _, value, higher_is_better = weighted_ndcg(shown, weights)(np.array([5.0, 4.0, 3.0, 0.0, 0.0]), None)
    best = 8 / np.log2(2) + 1 / np.log2(3)
    assert value == pytest.approx((1 / np.log2(2) + 8 / np.log2(4)) / best)
    assert higher_is_better
    assert weighted_ndcg(shown, weights)(np.array([1.0, 0.0, 2.0, 0.0, 0.0]), None)[1] == pytest.approx(1.0)


def test_click_weights_undo_the_fall_of_clicks_and_end() -> None:
    position = np.repeat([0, 1, 2], 1000)
    gain = np.concatenate([np.arange(1000) < clicks for clicks in (400, 100, 1)]).astype(np.float32)
    weights = click_weights(Shown(np.zeros((3000, 1), np.float32), gain, position, np.full(1000, 3)))
    assert weights[:3] == pytest.approx([1, 400.5 / 100.5, 10])


def test_trees_learn_from_the_query_and_the_picture(lists_folder: Path, tmp_path: Path) -> None:
    train(lists_folder, tmp_path, SMALL)
    validation = Lists(lists_folder, "validation")
    scores = np.load(tmp_path / "validation-trees.npy")
    assert scores.shape == tuple(validation.items.shape)
    assert np.load(tmp_path / "targets-trees.npy").shape == tuple(Lists(lists_folder, "train").items.shape)
    real, clicked = scores != 0, validation.click.numpy() > 0
    assert scores[real & clicked].mean() > scores[real & ~clicked].mean()


def test_columns_do_not_depend_on_padding(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    columns = Columns(lists, torch.from_numpy(np.load(lists_folder / "tokens.npy")))
    shortest, longest = int(lists.lengths.argmin()), int(lists.lengths.argmax())
    alone = columns.of(lists.batch(torch.tensor([shortest]))[0])[0]
    beside = columns.of(lists.batch(torch.tensor([shortest, longest]))[0])[0, : len(alone)]
    assert torch.allclose(alone, beside, atol=1e-5)


def test_the_same_lists_give_the_same_student(lists_folder: Path, tmp_path: Path) -> None:
    graphs = []
    for name in ("one", "two"):
        out = tmp_path / name
        out.mkdir()
        train(lists_folder, out, SMALL)
        train_net(lists_folder, out, FitOptions(seed=1, batch=32), width=16)
        train_student(lists_folder, out, DistilOptions(fit=FitOptions(batch=32, dropout=True)), "shop-1", "a test")
        assert (out / "student.json").read_text().count('"teachers": 2') == 1
        graphs.append((out / "student.onnx").read_bytes())
    assert graphs[0] == graphs[1]


def test_the_newest_lists_are_kept(lists_folder: Path, tmp_path: Path) -> None:
    table = pq.read_table(lists_folder / "lists.parquet")
    at = np.random.default_rng(2).permutation(len(table)).astype(np.int64)
    (tmp_path / "all").mkdir()
    for path in lists_folder.iterdir():
        shutil.copyfile(path, tmp_path / "all" / path.name)
    pq.write_table(table.append_column("at", pa.array(at)), tmp_path / "all/lists.parquet", row_group_size=33)
    assert keep_newest(tmp_path / "all", tmp_path / "new", 20) == {"train": 20, "validation": 2}
    kept = pq.read_table(tmp_path / "new/lists.parquet")
    split = np.asarray(table["split"].to_pylist())
    for name, count in (("train", 20), ("validation", 2)):
        newest = sorted(at[split == name])[-count:]
        assert sorted(row["at"] for row in kept.to_pylist() if row["split"] == name) == newest
    assert len(Lists(tmp_path / "new", "train")) == 20


def test_an_attached_module_ends_with_its_input() -> None:
    command = [sys.executable, "-m", "armmt.training.attached", "timeit", "-n1", "-r1", "import time; time.sleep(600)"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[1])
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(1)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(30) == 1
