"""The yardstick keeps the size that its name promises, reads its mask, and its graph takes any number of candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from armmt.reference import INPUT_NAMES, Reference, example, export_reference


def test_has_the_parameters_it_is_known_by(tmp_path: Path) -> None:
    assert export_reference(tmp_path / "reference.onnx") == 78_785


def test_masked_candidates_change_nothing() -> None:
    torch.manual_seed(0)
    model = Reference().eval()
    text, image, features, ctx, mask = example(9)
    mask[:, 6:] = 0.0
    with torch.no_grad():
        padded = model(text, image, features, ctx, mask)[:, :6]
        alone = model(text[:, :6], image[:, :6], features[:, :6], ctx, mask[:, :6])
    assert torch.allclose(padded, alone, atol=1e-5)


@pytest.mark.parametrize("k", [1, 9])
def test_graph_says_what_the_model_says(tmp_path: Path, k: int) -> None:
    export_reference(tmp_path / "reference.onnx")
    torch.manual_seed(0)
    model = Reference().eval()
    batch = example(k)
    feeds = {name: part.numpy() for name, part in zip(INPUT_NAMES, batch, strict=True)}
    (score,) = ReferenceEvaluator(str(tmp_path / "reference.onnx")).run(None, feeds)
    with torch.no_grad():
        expected = model(*batch).numpy()
    np.testing.assert_allclose(np.asarray(score), expected, atol=1e-4)
