"""Shared by the runs of the study: models by name, parts of a split, size of a model, and its graph."""

from __future__ import annotations

import copy
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from armmt.baselines import NEURAL, baseline
from armmt.model.backbone import WHOLE, Components
from armmt.model.contract import INPUT_NAMES, OUTPUT_NAMES, ListBatch, Scores
from armmt.model.export import DYNAMIC_AXES, example, to_onnx
from armmt.model.layers import QueryTower
from armmt.model.ranker import Ranker, ranking_score
from armmt.model.student import Student, StudentRanker
from armmt.model.teacher import Teacher
from armmt.training.data import Lists


def build(architecture: str, token_vectors: Tensor | None, components: Components = WHOLE) -> Ranker:
    if architecture in NEURAL:
        return baseline(architecture, token_vectors)
    if architecture == "student":
        return StudentRanker(Student(token_vectors, components=components))
    if architecture == "teacher":
        return Teacher(token_vectors, components=components)
    raise ValueError(f'Unknown model "{architecture}"')


def some_of(lists: Lists, share: float, most: int | None = None) -> Lists:
    """A fixed part of the lists: the same for every model and seed. -> the lists themselves when that is all of them"""
    count = round(share * len(lists)) if most is None else min(round(share * len(lists)), most)
    if count >= len(lists):
        return lists
    rows = torch.randperm(len(lists), generator=torch.Generator().manual_seed(0))[:count].sort().values
    part = copy.copy(lists)
    part.query_ids = [lists.query_ids[row] for row in rows.tolist()]
    for name, value in vars(lists).items():
        if isinstance(value, Tensor) and name not in ("image", "text", "presence"):  # those are of items
            setattr(part, name, value[rows.to(value.device)])
    return part


def without_texts(lists: Lists) -> Lists:
    """The same lists with every title removed"""
    part = copy.copy(lists)
    part.text = torch.zeros_like(lists.text)
    part.presence = lists.presence * torch.tensor([1.0, 0.0], device=lists.where)
    return part


def with_mixed_images(lists: Lists) -> Lists:
    """The same lists with the pictures dealt anew: each item has another's, always the same. Pictures cannot help a model then."""
    part = copy.copy(lists)
    order = torch.randperm(len(lists.image) - 1, generator=torch.Generator().manual_seed(0)).to(lists.where)
    rows = torch.cat([order, order.new_tensor([len(order)])])  # the last row is that of padding
    part.image = lists.image[rows]
    part.presence = torch.stack([lists.presence[rows, 0], lists.presence[:, 1]], 1)
    return part


#: Names that run.json keeps from earlier versions, so that finished runs stay valid.
STORED_NAMES = {"components": "pieces", "dropout": "withhold"}


def stored_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options as run.json holds them: plain JSON under the stored names"""

    def stored(value: Any) -> Any:
        if isinstance(value, dict):
            return stored_options(value)
        return [stored(entry) for entry in value] if isinstance(value, (list, tuple)) else value

    return {STORED_NAMES.get(name, name): stored(value) for name, value in options.items()}


def fingerprint(folder: Path) -> str:
    """Hash of the lists and the item vectors they point into"""
    digest = hashlib.sha256()
    for name in ("lists.parquet", "image.npy", "text.npy"):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def count(model: nn.Module) -> tuple[int, int]:
    """-> (all parameters, of which in the token tables), fixed token vectors counted along as in the student's manifest"""
    towers = [module for module in model.modules() if isinstance(module, QueryTower)]
    fixed = sum(tower.lexical.numel() for tower in towers)
    table = sum(tower.learned.weight.numel() for tower in towers)
    return sum(p.numel() for p in model.parameters()) + fixed, table + fixed


@cache
def size_of(architecture: str, components: Components) -> int:
    """Parameters of a model: a run of another width or depth is another run"""
    return count(build(architecture, None, components))[0]


def count_flops(model: Ranker) -> int:
    """FLOPs of one list of 100 candidates, 12 query tokens and 20 history items; products of matrices only, as torch's counter has it"""
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.predict(example(k=100, lq=12, h=20, seed=0))
    return int(counter.get_total_flops())


class Served(nn.Module):
    """A model of the study under the contract of the student's graph, so that the same runtime can time it.

    A model without a fusion gate reports that text and image weigh the same where both are there. Padding scores 0, so the mask is an input
    of the pointwise model's graph too.
    """

    def __init__(self, model: Ranker) -> None:
        super().__init__()
        self.model = model

    def forward(self, *tensors: Tensor) -> Scores:
        """The ten tensors of ListBatch in order -> Scores"""
        if isinstance(self.model, StudentRanker):
            scores: Scores = self.model.student(*tensors)
            return scores
        batch = ListBatch(*tensors)
        gate = torch.softmax(torch.flip(batch.presence, [2]) * 30.0, -1)
        return Scores(ranking_score(self.model.predict(batch)) * batch.mask, gate)


def export(model: Ranker, path: Path) -> None:
    """Writes the graph, every size dynamic"""
    batch = ListBatch(*(torch.cat([part, part]) for part in example(6, 4, 3, seed=0)))  # B = 2, so that B is not folded into the graph
    to_onnx(Served(model.eval()), tuple(batch), path, (INPUT_NAMES, OUTPUT_NAMES), DYNAMIC_AXES)
