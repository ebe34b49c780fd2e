"""Public loss curves of language models, from the repositories of those who made them.

    import losslaw as ll
    curves = ll.datasets.multipowerlaw()

Each file is downloaded once, at one commit, and is what it was when its sha256 was written down
(`losslaw.datasets.pinned`). Whoever uses them cites those who ran them: `SETS` says whom.
"""

from losslaw.datasets.pinned import SETS, Collection, Run
from losslaw.datasets.public_runs import multipowerlaw, schaipp, track3

__all__ = ["SETS", "Collection", "Run", "multipowerlaw", "schaipp", "track3"]
