"""Training lists as `armmt lists` wrote them -> padded tensors.

Computes no feature. Modality dropout removes some in training, so that the model copes without. Labels are clicks and purchases at shown
positions; the truth of the simulation is not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from armmt.model.contract import FEATURE_DIM, FEATURES, IMAGE_DIM, TEXT_DIM, ListBatch

#: Columns that are known or unknown together. The first is the flag that says which.
GROUPS: dict[str, tuple[str, ...]] = {
    "score": ("has_score", "score_relative"),
    "price": ("has_price", "price_log", "price_percentile", "price_gap"),
    "popularity": ("has_popularity", "popularity_log", "popularity_percentile"),
    "rating": ("has_rating", "rating", "rating_gap", "rating_count_log"),
    "age": ("has_age", "age_log"),
    "meaning": ("has_meaning", "text_cosine", "word_coverage", "picture_cosine"),
}
#: How often a list that is not left whole lacks something in training: a catalogue without prices, a shop without pictures, a shopper
#: without history.
LIST_DROPOUT = {
    "score": 0.1,
    "price": 0.15,
    "popularity": 0.15,
    "rating": 0.15,
    "age": 0.15,
    "meaning": 0.1,
    "image": 0.06,
    "text": 0.03,
    "history": 0.1,
}
#: How many lists of a batch are left as they are.
WHOLE_SHARE = 0.5
MOST_PRIOR = 20.0
#: How often a single item of such a list lacks its picture or its text.
ITEM_DROPOUT = 0.04


class Labels(NamedTuple):
    """What a log says of a list, and no graph reads; all [B, K], zero where padded."""

    position: Tensor  # int64, 1-based, 0 = not shown
    click: Tensor
    purchase: Tensor
    gain: Tensor  # 1 for a click, 1 more for the cart, 2 more for a purchase
    prior: Tensor  # the score of engine and meaning, which a model may add to


class Lists:
    """All lists of one split, padded, with the item vectors they point into. `images=False` removes every picture."""

    def __init__(self, folder: Path, split: str, images: bool = True, where: torch.device | None = None) -> None:
        table = pq.read_table(folder / "lists.parquet", filters=[("split", "==", split)])
        self.folder = folder
        self.meta: dict[str, Any] = json.loads((folder / "features.json").read_text())
        names = tuple(feature["name"] for feature in self.meta["features"])
        if names != FEATURES:
            raise ValueError(f"{folder}/features.json lists {names}, this package has {FEATURES}: run `armmt lists` again")
        self.query_ids: list[str] = table["query_id"].to_pylist()
        self.randomised = torch.tensor(table["randomised"].to_pylist(), dtype=torch.bool)
        # One more row, of zeros, for padding and for items without a record (row -1).
        self.image = with_zero_row(np.load(folder / "image.npy"), IMAGE_DIM)
        self.text = with_zero_row(np.load(folder / "text.npy")[:, :TEXT_DIM], TEXT_DIM)
        self.presence = with_zero_row(np.load(folder / "presence.npy"), 2)
        if not images:
            self.image = torch.zeros_like(self.image)
            self.presence[:, 0] = 0.0
        nowhere = len(self.image) - 1

        items, lengths = padded(table, "item_rows", fill=-1)
        self.lengths = torch.from_numpy(lengths)
        self.items = torch.from_numpy(np.where(items < 0, nowhere, items)).long()
        self.position = torch.from_numpy(padded(table, "positions")[0]).long()
        self.click = torch.from_numpy(padded(table, "clicks")[0]).float()
        self.cart = torch.from_numpy(padded(table, "carts")[0]).float()
        self.purchase = torch.from_numpy(padded(table, "purchases")[0]).float()
        self.features = torch.from_numpy(padded(table, "features", width=FEATURE_DIM)[0])
        # An item that the query names stands far above all others: beyond reach is enough, and keeps the losses finite.
        self.prior = torch.from_numpy(padded(table, "prior")[0]).float().clamp(-MOST_PRIOR, MOST_PRIOR)
        tokens, token_lengths = padded(table, "token_ids")
        self.tokens, self.token_lengths = torch.from_numpy(tokens).int(), torch.from_numpy(token_lengths)
        history, history_lengths = padded(table, "history_rows", fill=nowhere)
        self.history, self.history_lengths = torch.from_numpy(history).long(), torch.from_numpy(history_lengths)
        self.where = where or torch.device("cpu")
        for name, value in vars(self).items():
            if isinstance(value, Tensor) and not name.endswith("lengths"):
                setattr(self, name, value.to(self.where))

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, rows: Tensor) -> tuple[ListBatch, Labels]:
        """Rows [B] -> one padded batch, as wide as its longest list"""
        k = int(self.lengths[rows].max())
        h = max(1, int(self.history_lengths[rows].max()))
        lq = max(1, int(self.token_lengths[rows].max()))
        items = self.items[rows, :k]
        history = self.history[rows, :h]
        batch = ListBatch(
            query_token_ids=self.tokens[rows, :lq],
            query_mask=within(self.token_lengths[rows], lq).to(self.where),
            image=self.image[items],
            text=self.text[items],
            features=self.features[rows, :k],
            presence=self.presence[items],
            history_image=self.image[history],
            history_text=self.text[history],
            history_mask=within(self.history_lengths[rows], h).to(self.where),
            mask=within(self.lengths[rows], k).to(self.where),
        )
        click, purchase = self.click[rows, :k], self.purchase[rows, :k]
        gain = click + self.cart[rows, :k] + 2.0 * purchase
        return batch, Labels(self.position[rows, :k], click, purchase, gain, self.prior[rows, :k])

    def epoch(self, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Rows of each batch of one pass: shuffled, but lists of like length together, so that little is padding."""
        order = torch.randperm(len(self), generator=generator)
        pool = 32 * size
        batches: list[Tensor] = []
        for at in range(0, len(order), pool):
            part = order[at : at + pool]
            batches.extend(torch.split(part[self.lengths[part].argsort(stable=True)], size))
        for i in torch.randperm(len(batches), generator=generator).tolist():
            yield batches[i]


def count_lists(folder: Path, split: str) -> int:
    """Lists of a split, without reading them"""
    return int(pq.read_table(folder / "lists.parquet", columns=["split"], filters=[("split", "==", split)]).num_rows)


def padded(table: Any, name: str, fill: int = 0, width: int = 1) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """List column -> [N, longest] (or [N, longest / width, width]) and the lengths [N]"""
    column = table[name].combine_chunks()
    offsets = column.offsets.to_numpy()
    values = column.values.to_numpy(zero_copy_only=False)[offsets[0] : offsets[-1]]
    lengths = np.diff(offsets).astype(np.int64)
    longest = int(lengths.max(initial=width))
    out = np.full((len(lengths), longest), fill, dtype=values.dtype)
    out[np.arange(longest) < lengths[:, None]] = values
    if width == 1:
        return out, lengths
    return out.reshape(len(lengths), longest // width, width), lengths // width


def within(lengths: Tensor, longest: int) -> Tensor:
    """[B] -> [B, longest], 1 where there is an entry"""
    return (torch.arange(longest) < lengths.unsqueeze(1)).float()


def with_zero_row(rows: NDArray[Any], dim: int) -> Tensor:
    """[N, dim] -> [N + 1, dim]"""
    return torch.cat([torch.from_numpy(rows).float(), torch.zeros(1, dim)])


def modality_dropout(batch: ListBatch, generator: torch.Generator) -> ListBatch:
    """The same lists, about half of them with some feature groups, pictures, texts and histories set to zero, together with their presence
    flags."""
    b, k = batch.mask.shape
    whole = torch.rand(b, 1, generator=generator) < WHOLE_SHARE

    def dropped(share: float, *shape: int) -> Tensor:
        gone = torch.rand(*shape, generator=generator) < share
        return (gone & ~whole.view(b, *[1] * (len(shape) - 1))).to(batch.mask.device)

    features = batch.features.clone()
    for group, names in GROUPS.items():
        columns = [FEATURES.index(name) for name in names]
        lists = dropped(LIST_DROPOUT[group], b)
        features[:, :, columns] = features[:, :, columns].masked_fill(lists.view(b, 1, 1), 0.0)
    no_image = dropped(LIST_DROPOUT["image"], b, 1) | dropped(ITEM_DROPOUT, b, k)
    no_text = dropped(LIST_DROPOUT["text"], b, 1) | dropped(ITEM_DROPOUT, b, k)
    no_text &= ~no_image  # something must be left to go by
    kept = (~dropped(LIST_DROPOUT["history"], b, 1)).float()
    return batch._replace(
        features=features,
        image=batch.image.masked_fill(no_image.unsqueeze(-1), 0.0),
        text=batch.text.masked_fill(no_text.unsqueeze(-1), 0.0),
        presence=batch.presence * (~torch.stack([no_image, no_text], -1)).float(),
        history_image=batch.history_image * kept.unsqueeze(-1),
        history_text=batch.history_text * kept.unsqueeze(-1),
        history_mask=batch.history_mask * kept,
    )
