"""Power-law kernel regression: simulated exactly, and understood in closed form.

Names are loaded when they are first used: closed forms do without the simulation, and a worker of a
sweep loads what its jobs need. The list of them is ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # pyright: ignore
