"""Small lists that need no other stage: a world in which what is clicked follows from the query and the picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from numpy.typing import NDArray

from armmt.model.contract import FEATURE_DIM, FEATURES, IMAGE_DIM, TEXT_DIM, TOKEN_ROWS

ITEMS = 40
WORDS = 4  # query words; a picture answers one of them


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def write_lists(folder: Path, count: int = 160) -> Path:
    """What `armmt lists` writes, for a world where word w is clicked when the picture points in direction w."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    directions = unit(rng.normal(size=(WORDS, IMAGE_DIM)))
    kind = rng.integers(0, WORDS, ITEMS)
    image = unit(directions[kind] + 0.3 * unit(rng.normal(size=(ITEMS, IMAGE_DIM))))
    np.save(folder / "image.npy", image)
    np.save(folder / "text.npy", unit(rng.normal(size=(ITEMS, TEXT_DIM))))
    np.save(folder / "presence.npy", np.ones((ITEMS, 2), np.float32))
    tokens = np.sign(rng.normal(size=(TOKEN_ROWS, TEXT_DIM))).astype(np.float32) / np.sqrt(TEXT_DIM)
    tokens[0] = 0
    np.save(folder / "tokens.npy", tokens.astype(np.float32))
    (folder / "features.json").write_text(
        json.dumps(
            {
                "features": [{"name": name, "mean": 0.0, "std": 1.0} for name in FEATURES],
                "identity": {"imageDim": IMAGE_DIM, "textDim": TEXT_DIM, "imageEncoder": "test", "textEncoder": "test"},
            }
        )
    )
    rows = []
    for i in range(count):
        k = int(rng.integers(5, 13))
        items = rng.choice(ITEMS, k, replace=False)
        word = int(rng.integers(0, WORDS))
        clicked = ((kind[items] == word) & (rng.random(k) < 0.9)).astype(np.int32)
        rows.append(
            {
                "query_id": f"q{i}",
                "query": f"word {word}",
                "split": "validation" if i % 5 == 0 else "train",
                "randomised": False,
                "token_ids": [10 + word, 20 + word],
                "item_rows": items.tolist(),
                "features": rng.normal(size=k * FEATURE_DIM).clip(-4, 4).astype(np.float32).tolist(),
                "prior": rng.uniform(1, 2, k).astype(np.float32).tolist(),
                "positions": list(range(1, k + 1)),
                "clicks": clicked.tolist(),
                "carts": [0] * k,
                "purchases": (clicked * (rng.random(k) < 0.3)).astype(np.int32).tolist(),
                "history_rows": rng.choice(ITEMS, int(rng.integers(0, 5)), replace=False).tolist(),
            }
        )
    integers = pa.list_(pa.int32())
    types = dict.fromkeys(("token_ids", "item_rows", "positions", "clicks", "carts", "purchases", "history_rows"), integers)
    types["features"] = types["prior"] = pa.list_(pa.float32())
    columns = {name: pa.array([row[name] for row in rows], type=types.get(name)) for name in rows[0]}
    pq.write_table(pa.table(columns), folder / "lists.parquet")
    return folder


@pytest.fixture(scope="session")
def lists_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lists(tmp_path_factory.mktemp("lists"))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    # A second thread only adds waiting to numbers as few as these, most of all beside other work.
    torch.set_num_threads(1)
    torch.manual_seed(0)
