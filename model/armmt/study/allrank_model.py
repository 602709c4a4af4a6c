"""Trains and asks allRank's context-aware ranker (arXiv:2005.10084) by allRank's own data set, model, losses and loop.

Runs in the environment of model/outsider, which has allRank, PyTorch and NumPy and nothing else that this package needs. In a folder:
train, validation and, to be scored, `asked`: `<name>-columns.npy` [R, C] float32, `<name>-gain.npy` [R], `<name>-group.npy` [N] rows of
each list. Leaves `scores.npy` [R of asked] and `outsider.json`.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from allrank.config import TransformerConfig
from allrank.data.dataset_loading import PADDED_Y_VALUE, FixLength, LibSVMDataset, ToTensor, create_data_loaders
from allrank.models import losses
from allrank.models.model import make_model
from allrank.training.train_utils import fit
from numpy.typing import NDArray
from torch.utils.data import DataLoader

#: As published for its context-aware rankers (reproducibility/configs/neuralndcg_web30k of its repository), with a linear output.
LAYERS = TransformerConfig(N=2, d_ff=384, h=1, positional_encoding=None, dropout=0.1)
WIDTH = 96
BATCH = 64
#: Its own names, and for NDCGLoss2++ the settings of its published configuration.
LOSSES: dict[str, Any] = {
    "ndcgLoss2PP": partial(losses.lambdaLoss, weighing_scheme="ndcgLoss2PP_scheme", k=None, mu=10, sigma=1.0),
    "binary_listNet": losses.binary_listNet,
}


class Dense:
    """An array where allRank expects a sparse matrix"""

    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values = values

    def toarray(self) -> NDArray[np.float32]:
        return self.values


def data_set(folder: Path, name: str) -> LibSVMDataset:
    """Lists padded to one length, in their order"""
    columns, gain, group = (np.load(folder / f"{name}-{what}.npy") for what in ("columns", "gain", "group"))
    found = LibSVMDataset(Dense(columns), gain, np.repeat(np.arange(len(group)), group))
    # One more than the longest list: a list of exactly that length would be dealt anew, and its scores with it.
    pad, tensors = FixLength(int(found.longest_query_length) + 1), ToTensor()
    found.transform = lambda sample: tensors(pad(sample))
    return found


def scores_of(model: Any, asked: LibSVMDataset) -> NDArray[np.float32]:
    """Scores of all rows, in their order"""
    model.eval()
    found = []
    with torch.no_grad():
        for columns, gain, places in DataLoader(asked, batch_size=256):
            real = gain != PADDED_Y_VALUE
            found.append(model.score(columns, ~real, places)[real].numpy())
    scores: NDArray[np.float32] = np.concatenate(found)
    return scores


def train(folder: Path, loss: str, rate: float, passes: int, seed: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - allRank draws from it
    started = time.monotonic()
    training = data_set(folder, "train")
    known, held_out = create_data_loaders(training, data_set(folder, "validation"), num_workers=0, batch_size=BATCH)
    first = {"sizes": [WIDTH], "input_norm": False, "activation": None, "dropout": 0.0}
    last = {"d_output": 1, "output_activation": None}
    model = make_model(n_features=training.shape[-1], fc_model=first, transformer=LAYERS, post_model=last)
    fit(
        passes,
        model,
        LOSSES[loss],
        torch.optim.Adam(model.parameters(), lr=rate),
        None,
        known,
        held_out,
        # It measures after each pass and never goes back to an earlier one, so nothing is chosen by what it measures.
        SimpleNamespace(metrics={"ndcg": [10]}, val_metric="ndcg_10"),
        gradient_clipping_norm=None,
        early_stopping_patience=passes,
        device=torch.device("cpu"),
        output_dir=str(folder),
        tensorboard_output_path=str(folder / "tensorboard"),
    )
    seconds = round(time.monotonic() - started, 1)
    np.save(folder / "scores.npy", scores_of(model, data_set(folder, "asked")))
    parameters = sum(p.numel() for p in model.parameters())
    (folder / "outsider.json").write_text(json.dumps({"parameters": parameters, "seconds": seconds}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--loss", choices=LOSSES, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--passes", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    a = parser.parse_args()
    train(a.folder, a.loss, a.rate, a.passes, a.seed)


if __name__ == "__main__":
    main()
