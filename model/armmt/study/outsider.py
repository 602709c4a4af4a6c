"""A ranker by others on our lists: allRank's context-aware network on the columns that the study's LambdaMART reads.

It comes with no answer to position bias, so it may learn from clicks weighed by inverse propensity instead of plain ones; which of its
losses, rates and clicks it gets is chosen as the settings of all other models are. It trains in another Python (`allrank_model`), for
allRank's own requirements exclude this one's.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from armmt.training.data import Lists
from armmt.training.train_trees import Columns
from armmt.training.word_views import CHUNK

#: Six settings, as every model of the study has: two rates, and three ways to learn from clicks.
OUTSIDER_GRID: list[dict[str, float | str]] = [
    {"rate": rate, "loss": loss, "clicks": clicks}
    for rate in (1e-3, 3e-3)
    for loss, clicks in (("ndcgLoss2PP", "plain"), ("binary_listNet", "plain"), ("binary_listNet", "weighed"))
]
SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True)
class OutsiderOptions:
    """What allRank is told."""

    rate: float = 1e-3
    loss: str = "binary_listNet"
    clicks: str = "weighed"  # by inverse propensity; or "plain"
    passes: int = 1
    seed: int = 1


@dataclass(frozen=True)
class Table:
    """Candidates of some lists, one row each."""

    columns: NDArray[np.float32]  # [R, C]
    gain: NDArray[np.float32]  # a click 1, the cart 1 more, a purchase 2 more
    position: NDArray[np.int64]  # from 1; 0 where not shown
    group: NDArray[np.int64]  # rows of each list


def table_of(lists: Lists, columns: Columns, shown: bool) -> Table:
    """All candidates, or those that were shown; lists without any are left out then"""
    parts: list[tuple[NDArray[Any], ...]] = []
    for rows in torch.split(torch.arange(len(lists)), CHUNK):
        batch, labels, values = columns.at(lists, rows)
        real = (batch.mask > 0) & (labels.position > 0) if shown else batch.mask > 0
        parts.append(tuple(each.cpu().numpy() for each in (values[real], labels.gain[real], labels.position[real], real.sum(1))))
    found, gain, position, group = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Table(found.astype(np.float32), gain.astype(np.float32), position, group[group > 0])


class Others(NamedTuple):
    """Lists that a model is judged by or asked for, beside those that it learns from."""

    validation: Lists
    asked: Lists


def rank(
    python: Path | None, lists: Lists, others: Others, tokens: Tensor, propensity: Tensor, options: OutsiderOptions
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Trains allRank on `lists` -> scores of the asked lists [N, K], rows as in lists.parquet, zero where padded; {parameters, seconds}

    `propensity` [longest position + 1], from position 0, which is none.
    Throws ValueError without a Python, CalledProcessError where that fails.
    """
    if python is None:
        raise ValueError("allRank needs a Python of its own: --outsider, with the packages of model/outsider/requirements.txt")
    columns = Columns(lists, tokens)
    training = table_of(lists, columns, shown=True)
    if options.clicks == "weighed":
        training = replace(training, gain=training.gain / propensity.numpy()[training.position])
    tables = {
        "train": training,
        "validation": table_of(others.validation, columns, shown=True),
        "asked": table_of(others.asked, columns, shown=False),
    }
    # A net needs columns of one size, as allRank's own preparation of MSLR-WEB30K makes them.
    mean = training.columns.mean(0, dtype=np.float64)
    deviation = training.columns.std(0, dtype=np.float64) + SMALLEST_DEVIATION
    with TemporaryDirectory() as folder:
        for name, table in tables.items():
            np.save(f"{folder}/{name}-columns.npy", ((table.columns - mean) / deviation).astype(np.float32))
            np.save(f"{folder}/{name}-gain.npy", table.gain.astype(np.float32))
            np.save(f"{folder}/{name}-group.npy", table.group)
        settings = {"folder": folder, "loss": options.loss, "rate": options.rate, "passes": options.passes, "seed": options.seed}
        arguments = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
        # As long as the pipe is open: it ends with this process.
        command = [str(python), "-m", "armmt.training.attached", "armmt.study.allrank_model", *arguments]
        with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[2]) as other:
            if other.wait() != 0:
                raise subprocess.CalledProcessError(other.returncode, command)
        rows = np.load(f"{folder}/scores.npy")
        report: dict[str, Any] = json.loads(Path(folder, "outsider.json").read_text())
    if not np.isfinite(rows).all():
        raise ValueError(f"allRank gave scores that are no numbers, with {options}")
    return spread(rows, others.asked), report


def spread(rows: NDArray[np.float32], lists: Lists) -> NDArray[np.float32]:
    """Scores of all candidates, one after another -> [N, K], zero where padded"""
    scores = np.zeros(tuple(lists.items.shape), dtype=np.float32)
    scores[np.arange(scores.shape[1]) < lists.lengths.cpu().numpy()[:, None]] = rows
    return scores
