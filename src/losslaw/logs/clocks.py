"""Columns that tell how the norm of the weights grew: norms, or the effective rate itself.

A trainer may log the norm of its weights (``weight_norm``, Megatron's ``params norm``), that of
its updates, or the rate relative to both (``effective_lr``). Where weights are in groups, each with
its own column or its own learning rate, that of the matrices is meant: they are nearly all of a
model, and what laws know of rates was measured on runs where all groups have one.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal

Measure = Literal["effective rate", "weight norm", "update norm"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WEIGHTS = ("weight", "weights", "param", "params", "parameter", "parameters")
_RATE = (("effective", "lr"), ("effective", "learning"), ("eff", "lr"))
_MATRICES = frozenset(("matrix", "matrices", "muon", "hidden", "blocks", "linear", "body"))
_OTHERS = frozenset(
    ("embed", "embeds", "embedding", "embeddings", "emb", "wte", "unembed", "unembedding", "head",
     "scalar", "scalars", "vector", "vectors", "bias", "biases", "norms", "gains", "router")
)  # fmt: skip


@lru_cache(maxsize=65536)
def measure_of(name: str) -> Measure | None:
    """What a column of this name measures; ``None`` for all others, and for single layers.

    >>> [measure_of(name) for name in ("effective_lr_matrix", "params norm", "train/weight_norm",
    ...     "update-norm", "grad_norm", "layers.0.weight_norm", "lr")]
    ['effective rate', 'weight norm', 'weight norm', 'update norm', None, None, None]
    """
    said = words(name)
    if len(said) > 6 or any(word.isdigit() for word in said) or "ratio" in said:
        return None
    pairs = set(pairwise(said))
    if pairs & set(_RATE) or "elr" in said:
        return "effective rate"
    if any((word, "norm") in pairs for word in _WEIGHTS):
        return "weight norm"
    return "update norm" if pairs & {("update", "norm"), ("updates", "norm")} else None


def measures(names: Iterable[str]) -> dict[Measure, str]:
    """The column of each measure: that of the matrices, or else the first.

    >>> measures(["effective_lr_embed", "effective_lr_matrix", "loss"])
    {'effective rate': 'effective_lr_matrix'}
    """
    found: dict[Measure, list[str]] = {}
    for name in names:
        what = measure_of(name)
        if what is not None:
            found.setdefault(what, []).append(name)
    return {what: by_group(columns)[0] for what, columns in found.items()}


def by_group(names: Sequence[str]) -> list[str]:
    """Names of one thing of several groups of weights, that of the matrices first.

    >>> by_group(["lr/embed", "lr/group_0", "lr/matrix"])
    ['lr/matrix', 'lr/group_0', 'lr/embed']
    """
    return sorted(names, key=_part)


def left_out(names: Sequence[str]) -> str:
    """A sentence where rates of several groups of weights, the first of them taken, are told apart.

    >>> left_out(["lr/matrix", "lr/embed"])
    "the rate is that of the matrices, 'lr/matrix': what 'lr/embed' does is left out"
    >>> left_out(["lr", "learning_rate"])
    ''
    """
    parts = [_part(name) for name in names]
    if len(set(parts)) < 2:
        return ""
    others = ", ".join(map(repr, names[1:4])) + (", ..." if len(names) > 4 else "")
    return f"the rate is that of the matrices, {names[0]!r}: what {others} does is left out"


def is_part(name: str) -> bool:
    """Whether a name tells of which group of weights it is."""
    return _part(name) != 1


def _part(name: str) -> int:
    """0: of the matrices; 1: not said; 2: of embeddings, the head, vectors."""
    said = set(words(name))
    return 0 if said & _MATRICES else 2 if said & _OTHERS else 1


def words(name: str) -> list[str]:
    """The words of a name.

    >>> words("Loss/trainSmooth"), words("lr-AdamW/pg1")
    (['loss', 'train', 'smooth'], ['lr', 'adam', 'w', 'pg', '1'])
    """
    return [word.lower() for word in _WORD.findall(name[:300])]
