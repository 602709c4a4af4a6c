"""Baselines of ARMMT. Neural models are `Ranker`s with the same inputs, losses and training loop: architecture alone differs."""

from __future__ import annotations

from torch import Tensor

from armmt.baselines.dlcm import DLCM
from armmt.baselines.pointwise import Pointwise
from armmt.baselines.prm import PRM
from armmt.baselines.setrank import SetRank
from armmt.model.ranker import Ranker

#: Neural baselines by their name in the study. LambdaMART is not a module: see `training/train_trees.py`.
NEURAL: tuple[str, ...] = ("pointwise", "dlcm", "prm", "setrank")


def baseline(name: str, token_vectors: Tensor | None) -> Ranker:
    """An untrained neural baseline; KeyError for a name that is not one"""
    kinds: dict[str, type[Pointwise | DLCM | PRM | SetRank]] = {"pointwise": Pointwise, "dlcm": DLCM, "prm": PRM, "setrank": SetRank}
    return kinds[name](token_vectors)
