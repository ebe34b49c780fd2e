"""Inside a training run: where it will end, and what it is worth now, logged as it goes.

`Watcher` knows no trainer: it is told step, loss and rate, keeps a bounded log of them, and every
so many updates answers with metrics called ``losslaw/...``. `losslaw.live.huggingface` and
`losslaw.live.lightning` have callbacks that tell it; a loop of one's own calls it itself.
"""

from losslaw.live.watcher import Watcher

__all__ = ["Watcher"]
