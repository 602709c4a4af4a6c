"""allRank on our columns. Its own environment is made by the study; without it the run is skipped."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from armmt.study.outsider import Others, OutsiderOptions, rank, spread, table_of
from armmt.study.tuning import propensities
from armmt.training.data import Lists
from armmt.training.train_trees import Columns

PYTHON = Path(os.environ.get("ARMMT_OUTSIDER", Path(__file__).parents[1] / "outsider/.venv/bin/python"))


def tokens(folder: Path) -> torch.Tensor:
    return torch.from_numpy(np.load(folder / "tokens.npy"))


def test_rows_are_the_candidates_in_their_order(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "validation")
    columns = Columns(Lists(lists_folder, "train"), tokens(lists_folder))
    table = table_of(lists, columns, shown=False)
    assert table.group.tolist() == lists.lengths.tolist()
    batch, labels, values = columns.at(lists, torch.tensor([1]))
    first = int(lists.lengths[0])
    assert np.allclose(table.columns[first : first + table.group[1]], values[0][batch.mask[0] > 0].numpy(), atol=1e-5)
    assert table.gain[first : first + table.group[1]].tolist() == labels.gain[0][batch.mask[0] > 0].tolist()
    scores = spread(table.gain, lists)
    assert scores.shape == tuple(lists.items.shape)
    assert scores[1, : table.group[1]].tolist() == labels.gain[0][batch.mask[0] > 0].tolist()
    assert not scores[1, table.group[1] :].any()


def test_candidates_that_were_not_shown_teach_nothing(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "validation")
    columns = Columns(Lists(lists_folder, "train"), tokens(lists_folder))
    lists.position[0] = 0
    lists.position[1, 2:] = 0
    table = table_of(lists, columns, shown=True)
    assert table.group.tolist() == [2, *lists.lengths.tolist()[2:]]


def test_without_its_python_the_way_to_it_is_named(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    with pytest.raises(ValueError, match=r"model/outsider/requirements\.txt"):
        rank(None, lists, Others(lists, lists), tokens(lists_folder), propensities(lists), OutsiderOptions())


@pytest.mark.skipif(not PYTHON.exists(), reason=f"no Python with allRank at {PYTHON}: the study makes it, or name one in ARMMT_OUTSIDER")
@pytest.mark.parametrize(("loss", "clicks"), [("ndcgLoss2PP", "plain"), ("binary_listNet", "weighed")])
def test_allrank_learns_from_the_columns(lists_folder: Path, loss: str, clicks: str) -> None:
    lists, validation = Lists(lists_folder, "train"), Lists(lists_folder, "validation")
    options = OutsiderOptions(rate=3e-3, loss=loss, clicks=clicks, passes=12)
    scores, report = rank(PYTHON, lists, Others(validation, validation), tokens(lists_folder), propensities(lists), options)
    assert report["parameters"] > 10_000
    # Lists as long as the longest are those that allRank deals anew.
    longest = validation.lengths.max()
    clicked = [
        float((scores[i, :k][validation.click[i, :k] > 0].mean() - scores[i, :k].mean()) / scores[i, :k].std())
        for i, k in enumerate(validation.lengths.tolist())
        if validation.click[i].any() and (k == longest or k < 9)
    ]
    assert np.mean(clicked) > 0.3
