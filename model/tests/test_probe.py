"""What words mean for pictures, and the probe: it finds what the inputs hold, and nothing where they hold nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from armmt.study.probe import probe
from armmt.training.data import Lists
from armmt.training.word_views import SHRINKAGE, WordViews, above_usual, seen_vectors


def test_a_list_is_left_out_of_what_its_own_words_mean(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    values = above_usual(lists)
    views = WordViews(lists, values)
    rows = torch.arange(6)
    batch, _ = lists.batch(rows)
    found = views.columns(batch, views.own[rows])
    row = 3
    tokens = [token for token in lists.tokens[row].tolist() if token > 0]
    meant = torch.zeros(views.own.shape[1])
    for token in tokens:
        others = [i for i in range(len(lists)) if i != row and token in lists.tokens[i].tolist()]
        total = sum((values[i].unsqueeze(1) * seen_vectors(lists.image[lists.items[i]], lists.text[lists.items[i]])).sum(0) for i in others)
        meant += total / (len(others) + SHRINKAGE) / len(tokens)
    item = int(lists.items[row, 0])
    assert float(found[row, 0, 0]) == pytest.approx(float(lists.image[item] @ meant[:64]), abs=1e-5)
    assert float(found[row, 0, 2]) == pytest.approx(float(meant[-1]), abs=1e-5)


def test_what_is_usual_at_a_position_is_taken_off(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    values = above_usual(lists)
    for position in (1, 4):
        assert float(values[lists.position == position].sum()) == pytest.approx(0, abs=1e-3)
    assert float(values[lists.position == 0].abs().sum()) == 0


@pytest.fixture(scope="module")
def probed(lists_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, float]]]:
    """Three parts: one of the picture that the words ask for, one of the search, one of chance"""
    folder, parts = tmp_path_factory.mktemp("probe"), tmp_path_factory.mktemp("parts")
    for file in lists_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    table = pq.read_table(folder / "lists.parquet")
    split = ["test" if i % 5 == 1 else name for i, name in enumerate(table["split"].to_pylist())]
    table = table.set_column(table.schema.get_field_index("split"), "split", pa.array(split))
    pq.write_table(table, folder / "lists.parquet")
    clicks, tokens = table["clicks"].to_pylist(), table["token_ids"].to_pylist()
    rng = np.random.default_rng(0)
    longest = max(len(row) for row in clicks)
    targets = np.zeros((3, len(clicks), longest), np.float32)
    for i, row in enumerate(clicks):
        k = len(row)
        targets[0, i, :k] = np.asarray(row) - np.mean(row)
        targets[1, i, :k] = tokens[i][0]
        targets[2, i, :k] = rng.normal(size=k)
    worth = np.stack([np.full(len(clicks), value) for value in (1.0, 3.0, 2.0, 3.0, 2.9)]).astype(np.float32)
    np.save(parts / "targets.npy", targets.reshape(-1, longest))
    np.save(parts / "worth.npy", worth)
    names = [("picture", False), ("asked", True), ("chance", False)]
    about = {"queries": table["query_id"].to_pylist(), "parts": [{"name": name, "ofSearch": of} for name, of in names]}
    (parts / "parts.json").write_text(json.dumps(about))
    result = probe(folder, parts)
    assert result["lists"]["test"] == split.count("test")
    return {part["name"]: part for part in result["parts"]}


def test_the_probe_reads_what_the_inputs_hold(probed: dict[str, dict[str, dict[str, float]]]) -> None:
    assert probed["picture"]["readable"]["mean"] > 0.3
    assert probed["asked"]["readable"]["mean"] > 0.8
    assert probed["chance"]["readable"]["high"] < 0.1


def test_headroom_is_the_share_of_the_oracles_gain(probed: dict[str, dict[str, dict[str, float]]]) -> None:
    assert [probed[name]["headroom"]["mean"] for name in ("picture", "asked", "chance")] == pytest.approx([0.5, 0, 0.05], abs=1e-6)
