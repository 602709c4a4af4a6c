"""The student as its graph computes it: the same function of the same weights in two thirds of the nodes, for one list at a time.

- What query and shopper say is multiplied into the weights once per list. The view of a modality is linear in the candidate's vector until
  its rectifier, so projection, product with the query, match and lexical match are one product with a matrix that the list makes for
  itself; leanings, likenesses and a column of ones (the bias of later steps) are further columns of it. A word's logit likewise.
- Text and image go through the same steps with weights of their own: one product over a batch of two.
- Linear steps that follow each other (the shopper's layer and what reads it, scales, the fusion of the perspectives and the first layer of
  the head) are one matrix, made here in float64.
- A bias of the keys moves all logits of a candidate alike, which a softmax does not see: left out.
- Linear layers over the candidates have two dimensions: only then does onnxruntime add the bias within the product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from armmt.model.backbone import WHOLE
from armmt.model.contract import FEATURE_DIM, IMAGE_DIM, TEXT_DIM, ListBatch, Scores
from armmt.model.layers import ASPECTS, FAR, MISSING, Surroundings, from_bytes, relu
from armmt.model.student import Student

DIM = TEXT_DIM
LEXICAL_SCALE = 3.0  # of the lexical match, in Backbone
EPSILON = 1e-8 / 4  # of the lexical view, in QueryTower, where the shares that it divides are twice as large

#: Gives a parameter of the student by name, in float64.
Read = Callable[[str], Tensor]


def for_edge(student: Student) -> nn.Module:
    """What is exported. A student that lacks a piece, or has one more, keeps its own graph."""
    whole = student.trunk.components == WHOLE and IMAGE_DIM == TEXT_DIM
    return EdgeStudent(student) if whole else student


def columns(*parts: Tensor) -> Tensor:
    return torch.cat(parts, -1)


def query_weights(read: Read, width: int) -> dict[str, Tensor]:
    """Of the list's own numbers: from the sum of the tokens' rows and its rectified mix; from the shopper's means"""
    zeros = torch.zeros(ASPECTS + 1, width, dtype=torch.float64)
    eye = torch.eye(width, dtype=torch.float64)
    summed = torch.cat([eye, zeros, eye])  # [row of the table; mix] -> the query's view
    asked = [(read(f"trunk.{m}.asked.weight").T, read(f"trunk.{m}.asked.bias")) for m in ("text", "image")]
    products, biases = [], []
    for m, (weight, bias) in zip(("text", "image"), asked, strict=True):
        seen, view = read(f"trunk.{m}.seen.bias"), read(f"trunk.{m}.view.weight").T
        # What the projection's bias adds to view and match, by the query's side of the product.
        moved = columns(seen[:, None] * (view[width : 2 * width] + view[2 * width]), seen[:, None])
        fixed = torch.cat([seen @ view[:width] + read(f"trunk.{m}.view.bias"), torch.zeros(1, dtype=torch.float64)])
        products.append(weight @ moved)
        biases.append(bias @ moved + fixed)
    personal, item = read("trunk.personal.around.weight").T, read("trunk.item.around.weight").T
    who, who_bias = read("trunk.shopper.weight").T, read("trunk.shopper.bias")
    # The student's order is image, text.
    who = torch.cat([who[DIM : 2 * DIM], who[:DIM], who[2 * DIM :]])
    leaning_text, leaning_image = read("trunk.text_leaning.shopper.weight").T, read("trunk.image_leaning.shopper.weight").T
    narrow = leaning_text.shape[1]
    leanings = torch.zeros(who.shape[0], 2 * narrow, dtype=torch.float64)
    leanings[:DIM, :narrow], leanings[DIM : 2 * DIM, narrow:] = leaning_text, leaning_image
    nothing = torch.zeros(width, 2 * narrow, dtype=torch.float64)
    by_query = columns(*(weight for weight, _ in asked), *products, nothing, personal[:width], item[:width])
    start = torch.cat(
        [
            *(bias for _, bias in asked),
            *biases,
            read("trunk.text_leaning.shopper.bias"),
            read("trunk.image_leaning.shopper.bias"),
            who_bias @ personal[width:] + read("trunk.personal.excite.bias"),
            who_bias @ item[2 * width :] + read("trunk.item.excite.bias"),
        ]
    )
    return {
        "query": summed @ by_query,
        "query_bias": start,
        "shopper": columns(leanings, who @ personal[width:], who @ item[2 * width :]),
        "around": item[width : 2 * width].repeat(2, 1),
    }


def candidate_weights(read: Read, width: int) -> dict[str, Tensor]:
    """Of a candidate's two vectors: [2, ..., D], text first. In rows, which are quicker to put together than columns"""
    seen = torch.stack([read(f"trunk.{m}.seen.weight") for m in ("text", "image")])
    view = [read(f"trunk.{m}.view.weight").T for m in ("text", "image")]
    lexical = torch.stack([LEXICAL_SCALE * view[0][2 * width + 1 :], torch.zeros(ASPECTS, width, dtype=torch.float64)])
    products = torch.stack([part[width : 2 * width] + part[2 * width] for part in view])
    wanted, wanted_bias = read("trunk.words.wanted.weight"), read("trunk.words.wanted.bias")
    zeros = torch.zeros(ASPECTS, dtype=torch.float64)
    # Columns as the table's: meaning, importance, one.
    in_words = torch.cat([wanted, torch.zeros(width, ASPECTS, dtype=torch.float64), wanted_bias[:, None]], 1)
    threshold = torch.cat([read("trunk.words.threshold.weight")[0], zeros, read("trunk.words.threshold.bias")])
    both = torch.stack([read(f"trunk.{m}.seen.bias") for m in ("text", "image")]) @ in_words
    return {
        "seen": seen,
        "seen_view": torch.stack([part[:width].T @ seen[i] for i, part in enumerate(view)]),
        "asked_view": torch.cat([products, lexical], 1).transpose(1, 2),
        "leaning": torch.stack([read(f"trunk.{m}_leaning.candidate.weight") for m in ("text", "image")]),
        "leaning_bias": torch.stack([read(f"trunk.{m}_leaning.candidate.bias")[None] for m in ("text", "image")]),
        "wanted": in_words.T @ seen,
        "word_bias": torch.cat([both, both.sum(0, keepdim=True)]) + threshold,
        # A word's own vector counts in titles only.
        "literal": torch.stack([read("trunk.words.literal"), torch.zeros((), dtype=torch.float64)])[:, None, None],
        "tail_bias": torch.tensor([0.0] * (ASPECTS + 3) + [1.0], dtype=torch.float64).repeat(2, 1)[:, None],
        "zero": torch.zeros(2, 1, DIM),
        "sharpness": read("trunk.surroundings.sharpness").repeat_interleave(DIM),  # text first, as the pair of vectors
        "key": torch.stack([read(f"trunk.{m}_taste.interest.key.weight").T for m in ("text", "image")]) * DIM**-0.5,
        "taste": torch.stack(
            [torch.cat([read(f"trunk.{m}_taste.out.weight").T, read(f"trunk.{m}_taste.out.bias")[None]]) for m in ("text", "image")]
        ),
    }


def feature_weights(read: Read) -> dict[str, Tensor]:
    """The layers over a candidate's features; the rows in EdgeStudent's order"""
    rows = read("trunk.features.0.weight").T
    at = FEATURE_DIM + 2
    lexical, (match, both, pictured, titled, text_like, image_like) = rows[at : at + ASPECTS] * LEXICAL_SCALE, rows[at + ASPECTS :][:6]
    text_leaning, image_leaning = rows[at + ASPECTS + 6 : -Surroundings.COLUMNS].chunk(2)
    text_among, image_among, alike = torch.split(rows[-Surroundings.COLUMNS :], [1, 1, FEATURE_DIM])
    none = torch.zeros_like(match)[None]
    of_text = [none, text_leaning, lexical, text_like[None], text_among]
    of_image = [match[None], image_leaning, none.expand(ASPECTS, -1), image_like[None], image_among]
    met = torch.stack([titled, pictured, both])
    return {
        "features": torch.cat([rows[:at], *of_text, *of_image, met, alike]),
        "features_bias": read("trunk.features.0.bias"),
        "hidden": read("trunk.features.2.weight").T,
        "hidden_bias": read("trunk.features.2.bias"),
    }


def fusion_weights(read: Read, width: int) -> dict[str, Tensor]:
    """Both levels of CAFU. `missing`: columns of the item's two sources and the personal level's four, from [has image, has text] - 1"""
    image, text, none = (torch.tensor(pair, dtype=torch.float64) * MISSING for pair in ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)))
    found = {"missing": torch.stack([text, image, none, none, text, image], 1)}
    for level, sources in (("item", 2), ("personal", 4)):
        found |= {
            f"{level}_excite": read(f"trunk.{level}.excite.weight").T,
            f"{level}_weigh": read(f"trunk.{level}.weigh.weight").T,
            f"{level}_weigh_bias": read(f"trunk.{level}.weigh.bias"),
            # Spreads each weight over its source's columns, times the number of sources.
            f"{level}_spread": torch.eye(sources, dtype=torch.float64).repeat_interleave(width, 1) * sources,
            f"{level}_out": read(f"trunk.{level}.out.weight").T,
            f"{level}_out_bias": read(f"trunk.{level}.out.bias"),
        }
    return found


def head_weights(read: Read, width: int) -> dict[str, Tensor]:
    """The fusion of the perspectives (item, personal, features) and the head"""
    head, fuse = read("head.0.weight").T, read("trunk.fuse.weight").T
    item, personal, features = fuse.view(3, width, width) @ head[:width]
    return {
        "head": torch.cat([item, personal + head[width : 2 * width], features, head[2 * width :]]),
        "head_bias": read("trunk.fuse.bias") @ head[:width] + read("head.0.bias"),
        "score": read("head.2.weight").T,
        "score_bias": read("head.2.bias"),
    }


class ListOwn(NamedTuple):
    """What query and shopper say, once per list"""

    rows: Tensor  # [L, d + ASPECTS + 1] of the table: meaning, importance, one
    words: Tensor  # [L, D]
    history: Tensor  # [2, H, D]
    weights: Tensor  # [2, view | match | leaning | lexical | likeness | likeness to the list | likeness, one; D]
    bias: Tensor  # [2, 1, as many]
    around_personal: Tensor  # [1, d]
    around_item: Tensor  # [1, d]


class EdgeStudent(nn.Module):
    """A whole student, for batches of one list"""

    table: Tensor
    signs: Tensor

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.width = student.trunk.query.width
        parameters = {name: value.detach().double() for name, value in student.state_dict().items()}
        read = parameters.__getitem__
        learned = student.trunk.query.learned.weight.detach()
        self.register_buffer("table", columns(learned, torch.ones(len(learned), 1)))
        self.register_buffer("signs", student.trunk.query.lexical)
        weights = {
            "mix": torch.cat([read("trunk.query.mix.weight").T, torch.zeros(ASPECTS + 1, self.width, dtype=torch.float64)]),
            "mix_bias": read("trunk.query.mix.bias"),
            **query_weights(read, self.width),
            **candidate_weights(read, self.width),
            **feature_weights(read),
            **fusion_weights(read, self.width),
            **head_weights(read, self.width),
            "one": torch.ones(()),
        }
        self.weights = nn.ParameterDict(
            {name: nn.Parameter(value.float().contiguous(), requires_grad=False) for name, value in weights.items()}
        )

    def linear(self, x: Tensor, name: str, bias: Tensor | None = None) -> Tensor:
        return torch.addmm(self.weights[f"{name}_bias"] if bias is None else bias, x, self.weights[name])

    def share(self, mask: Tensor) -> Tensor:
        """[1, N] -> each real entry's share, zeros where there is none. (Clip would be one more function of the runtime.)"""
        return mask / torch.maximum(mask.sum(1, keepdim=True), self.weights["one"])

    def fuse(self, sources: Tensor, level: str, hidden: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        """sources [K, M * d], hidden [K, d], missing [K, M] -> fused [K, d], weights [K, M]"""
        weights = torch.softmax(self.linear(relu(hidden), f"{level}_weigh") + missing, -1)
        return self.linear(sources * torch.matmul(weights, self.weights[f"{level}_spread"]), f"{level}_out"), weights

    def read(self, given: ListBatch, among: Tensor) -> ListOwn:
        """`among` [2, 1, D]: the list's mean text and picture"""
        w, width = self.weights, self.width
        ids = given.query_token_ids.reshape(-1)
        rows = self.table[ids]  # [L, d + ASPECTS + 1]
        words = from_bytes(self.signs[ids], DIM**-0.5)  # [L, D]
        importance = torch.split(rows, [width, ASPECTS, 1], -1)[1]
        lexical = torch.matmul((torch.sigmoid(importance) * given.query_mask.reshape(-1, 1)).T, words)  # [ASPECTS, D]
        lexical = lexical / (lexical.square().sum(1, keepdim=True) + EPSILON).sqrt()
        query = torch.matmul(given.query_mask, rows)
        query = columns(query, relu(self.linear(query, "mix")))

        history = torch.cat([given.history_text, given.history_image])  # [2, H, D]
        likes = torch.matmul(self.share(given.history_mask), history)  # [2, 1, D]
        alike = likes.square().sum(2).reshape(1, -1)
        shopper = columns(likes.reshape(1, -1), alike, given.history_mask[:, torch.zeros(1, dtype=torch.int32)])
        asked, moved, rest = torch.split(self.linear(query, "query"), [2 * width, 2 * (width + 1), 3 * width], 1)
        leanings, around_personal, around_item = torch.split(self.linear(shopper, "shopper", rest), [width, width, width], 1)

        products = w["seen"] * asked.reshape(2, -1, 1)
        pair = torch.cat([lexical, lexical]).reshape(2, ASPECTS, DIM)
        view = torch.matmul(w["asked_view"], torch.cat([products, pair], 1)) + w["seen_view"]
        lean = w["leaning"] * leanings.reshape(2, -1, 1)
        weights = torch.cat([view, products.sum(1, keepdim=True), lean, pair, likes, among, likes, w["zero"]], 1)
        bias = columns(moved.reshape(2, 1, -1), w["leaning_bias"] * leanings.reshape(2, 1, -1), w["tail_bias"])
        return ListOwn(rows, words, history, weights, bias, around_personal, around_item)

    def forward(self, *batch: Tensor) -> Scores:
        """The ten tensors of ListBatch in order, of one list -> Scores"""
        given, w, width = ListBatch(*batch), self.weights, self.width
        vectors = torch.cat([given.text, given.image])  # [2, K, D]
        own = self.read(given, torch.matmul(self.share(given.mask), vectors))
        seen = torch.matmul(vectors, own.weights.transpose(1, 2)) + own.bias
        view, matches, tail = torch.split(seen, [width, width // 2 + ASPECTS + 3, 2], -1)

        # Word by word: in the title, in the picture, in both.
        wanted = torch.matmul(own.rows, w["wanted"]) + own.words * w["literal"]  # [2, L, D]
        titled = torch.matmul(vectors, wanted.transpose(1, 2))
        logits = torch.cat([titled, titled.sum(0, keepdim=True)]) + torch.matmul(w["word_bias"], own.rows.T).reshape(3, 1, -1)
        met = torch.matmul(torch.sigmoid(logits), self.share(given.query_mask).reshape(-1, 1))  # [3, K, 1]

        # What is alike in the list.
        pair = columns(given.text, given.image).reshape(-1, 2 * DIM)
        logits = torch.matmul(pair * w["sharpness"], pair.T) + (given.mask - 1.0) * FAR
        alike = torch.matmul(torch.softmax(logits, -1), given.features)  # [1, K, F]

        of_text, of_image = torch.split(matches, 1)
        features = columns(given.features, given.presence, of_text, of_image, met.permute(2, 1, 0), alike)
        x = self.linear(relu(self.linear(features.reshape(-1, len(w["features"])), "features")), "hidden")  # [K, d]

        # Level 1: the item.
        missing = torch.matmul((given.presence - 1.0).reshape(-1, 2), w["missing"])
        missing_item, missing_personal = torch.split(missing, [2, 4], 1)
        each = relu(view).transpose(0, 1)  # [K, 2, d]
        sources = each.reshape(-1, 2 * width)
        around_item = self.linear(torch.matmul(self.share(given.mask), sources), "around", own.around_item)
        hidden = self.linear(columns(each.mean(-1), x), "item_excite", around_item)
        item, item_weights = self.fuse(sources, "item", hidden, missing_item)

        # Level 2: the item for this shopper.
        logits = torch.matmul(vectors, torch.matmul(own.history, w["key"]).transpose(1, 2)) + (given.history_mask - 1.0) * FAR
        attended = torch.matmul(torch.softmax(logits, -1), own.history * given.history_mask.reshape(-1, 1))  # [2, K, D]
        taste = relu(torch.matmul(columns(vectors * attended, tail), w["taste"])).transpose(0, 1)  # [K, 2, d]
        sources = columns(item, x, taste.reshape(-1, 2 * width))
        hidden = self.linear(sources.reshape(-1, 4, width).mean(-1), "personal_excite", own.around_personal)
        personal, weights = self.fuse(sources, "personal", hidden, missing_personal)
        by_item, _, by_taste = torch.split(weights, [1, 1, 2], 1)
        gate = by_item * item_weights + by_taste

        last = columns(item, personal, x, given.features.reshape(-1, FEATURE_DIM))
        score = self.linear(relu(self.linear(last, "head")), "score")
        return Scores(score.reshape(1, -1), (gate / gate.sum(-1, keepdim=True)).unsqueeze(0))
