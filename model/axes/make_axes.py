#!/usr/bin/env python3
"""The fixed axes of a text encoder: its principal axes over texts of several kinds, in order of falling variance.

Each file of texts (one a line) and the whole words of the encoder's vocabulary count alike and are centred on their own, so that the axes
tell items of a shop apart and not shops. Written as src/cli/embed/text/axes.ts reads it: float32 scale of each axis, then int8 rows.

  pip install numpy onnxruntime tokenizers
  python make_axes.py --encoder ../../.armmt/models/minilm --out minilm-1.bin products.txt spans.txt drawn.txt
"""

import argparse
import pathlib
import re

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

DIMS, SAMPLE = 128, 2400

args = argparse.ArgumentParser()
args.add_argument("--encoder", type=pathlib.Path, required=True, help="folder with model.onnx and tokenizer.json")
args.add_argument("--out", type=pathlib.Path, required=True)
args.add_argument("texts", type=pathlib.Path, nargs="+")
args = args.parse_args()

tokenizer = Tokenizer.from_file(str(args.encoder / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.enable_truncation(256)
session = onnxruntime.InferenceSession(str(args.encoder / "model.onnx"))
names = {i.name for i in session.get_inputs()}


def encode(ids: list[int]) -> np.ndarray:
    row = np.array([ids], np.int64)
    feeds = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
    vector = session.run(None, {n: v for n, v in feeds.items() if n in names})[0][0].mean(0)
    return vector / np.linalg.norm(vector)


def sample(rows: list) -> list:
    chosen = np.random.default_rng(1).permutation(len(rows))[:SAMPLE]
    return [rows[i] for i in sorted(chosen)]


kinds = [[tokenizer.encode(t).ids for t in sample(path.read_text("utf8").splitlines())] for path in args.texts]
first, last = tokenizer.encode("").ids
whole = sorted(i for piece, i in tokenizer.get_vocab().items() if re.fullmatch("[a-z]{3,}", piece))
kinds.append([[first, i, last] for i in sample(whole)])
covariance = 0
for kind in kinds:
    x = np.stack([encode(ids) for ids in kind]).astype(np.float64)
    x -= x.mean(0)
    covariance = covariance + x.T @ x / len(x)
values, vectors = np.linalg.eigh(covariance)
axes = vectors[:, ::-1].T[:DIMS]
axes *= np.sign(axes[np.arange(DIMS), np.abs(axes).argmax(1)])[:, None]  # an eigenvector has no sign of its own
print(f"{DIMS} axes hold {values[::-1][:DIMS].sum() / values.sum():.3f} of the variance, 64 {values[::-1][:64].sum() / values.sum():.3f}")
scale = np.abs(axes).max(1) / 127
args.out.write_bytes(scale.astype("<f4").tobytes() + np.round(axes / scale[:, None]).astype(np.int8).tobytes())
