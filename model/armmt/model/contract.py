"""Names and sizes that the model shares with the TypeScript side. Features are computed there only; here they are columns of a tensor.

`features.json`, written by `armmt lists`, carries the feature list and its scaling; the sizes below are checked against it.
"""

from typing import Final, NamedTuple

from torch import Tensor

IMAGE_DIM: Final = 64  # 48 from the image encoder + 16 colour descriptor
ENCODER_DIM: Final = 48
TEXT_DIM: Final = 64  # of longer vectors the first numbers: an encoder's principal axes are in order
TOKEN_ROWS: Final = 4096
PICTURE_SIZE: Final = 64  # pixels, square

FEATURES: Final = (
    "rank_log",
    "rank_reciprocal",
    "score_relative",
    "has_score",
    "price_log",
    "price_percentile",
    "price_gap",
    "has_price",
    "popularity_log",
    "popularity_percentile",
    "has_popularity",
    "rating",
    "rating_gap",
    "rating_count_log",
    "has_rating",
    "in_stock",
    "age_log",
    "has_age",
    "text_cosine",
    "word_coverage",
    "picture_cosine",
    "has_meaning",
    "prior",
)
FEATURE_DIM: Final = len(FEATURES)


class ListBatch(NamedTuple):
    """Inputs of one model run, in the order of the ONNX graph. B lists, K candidates, L query tokens, H history items."""

    query_token_ids: Tensor  # [B, L] int32, 0 = padding
    query_mask: Tensor  # [B, L] 1 = real
    image: Tensor  # [B, K, IMAGE_DIM], zeros where absent
    text: Tensor  # [B, K, TEXT_DIM], zeros where absent
    features: Tensor  # [B, K, FEATURE_DIM], scaled
    presence: Tensor  # [B, K, 2] has image, has text
    history_image: Tensor  # [B, H, IMAGE_DIM], most recent first
    history_text: Tensor  # [B, H, TEXT_DIM]
    history_mask: Tensor  # [B, H]
    mask: Tensor  # [B, K]


class Scores(NamedTuple):
    """Outputs of one model run."""

    score: Tensor  # [B, K], unbounded, higher is better; of form "delta", what is added to the order of engine and meaning
    gate: Tensor  # [B, K, 2], weight of text and of image, summing to 1


INPUT_NAMES: Final = ListBatch._fields
OUTPUT_NAMES: Final = Scores._fields
