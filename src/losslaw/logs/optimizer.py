"""Names of optimisers: what people and trainers write, and the few names that are told apart.

Words that say how an optimiser is run and not which one it is (fused, 8 bit, torch) are put aside.
Nothing is guessed: ``Adam`` with weight decay in its gradient is ``adam``, and a name with a word
of its own (``galore_adamw``) is of none that is known.
"""

import re
from collections.abc import Iterable

from losslaw.errors import InputError

OTHER = "other"
# Each optimiser, and its names without spaces and signs: a class may stand behind its module's.
# With Muon another one takes what is no matrix.
_NAMES = {
    "adamw": r"(adamw)+",
    "adam": r"(adam)+",
    "muon": r"(nor|adamw?)?muon(clip|w)?((with)?(aux)?adamw?)?",
    "sgd": r"(sgd)+[mw]?((with)?momentum)?",
    "lion": r"lionw?",
    "soap": r"(kl)?soap",
    "adafactor": r"(adafactor)+",
    "sophia": r"sophia[gh]?",
    "hyperball": r"(adamw?|muon)?hyperball(adamw?|muon)?|(adam|muon)h",
    "schedule-free": r"(adamw?|sgd)?schedulefree(adamw?|sgd)?",
    OTHER: r"other",
}
OPTIMIZERS = tuple(_NAMES)

# Words that say how or by whom an optimiser is run.
_HOW = re.compile(
    "anyprecision|apex|args|bitsandbytes|bnb|class|config|cpu|decoupled|deepspeed|distributed|dist"
    "|foreach|fused|keras|names|nesterov|npu|offload|optax|optimizers?|optim|paged|singledevice"
    r"|skipstep|torch|xla|(4|8|32) ?bit|fp8|[\W_]"
)


def optimizer_named(text: str, *, decoupled: bool = False) -> str | None:
    """The optimiser that a trainer or a person calls by this name; ``None`` if it is none known.

    Args:
        text: The name, the path of a class, or what printing an optimiser begins with.
        decoupled: Whether weight decay is known to be decoupled from the gradient: then ``Adam`` is
            AdamW.

    >>> [optimizer_named(name) for name in ("AdamW", "adamw_torch_fused", "torch.optim.adamw.AdamW",
    ...     "KL-SOAP", "lion_8bit", "FusedAdam", "AdamW (", "galore_adamw")]
    ['adamw', 'adamw', 'adamw', 'soap', 'lion', 'adam', 'adamw', None]
    >>> optimizer_named("FusedAdam", decoupled=True)
    'adamw'
    """
    name = text[:200].partition("(")[0].lower()
    bare = _HOW.sub("", name)
    found = next((each for each, names in _NAMES.items() if re.fullmatch(names, bare)), None)
    return "adamw" if found == "adam" and (decoupled or "decoupled" in name) else found


def checked_optimizer(text: object) -> str:
    """The optimiser that the user means.

    Raises:
        InputError: none of those known, nor ``other``.
    """
    found = optimizer_named(text) if isinstance(text, str) else None
    if found is None:
        raise InputError(f"optimizer is {text!r}, expected one of {', '.join(OPTIMIZERS)}")
    return found


def optimizer_in_columns(names: Iterable[str]) -> str | None:
    """The optimiser that Lightning's monitor of rates names its columns after: ``lr-AdamW/pg1``.

    Of several it is Muon, which has the matrices.

    >>> optimizer_in_columns(["step", "lr-AdamW/pg1", "lr-Muon"]), optimizer_in_columns(["lr"])
    ('Muon', None)
    """
    found = {match[1] for name in names if (match := re.match(r"lr-([A-Za-z]\w*)", name))}
    known = {name for name in found if optimizer_named(name)}
    matrices = {name for name in known if optimizer_named(name) == "muon"} or known
    return matrices.pop() if len(matrices) == 1 else None
