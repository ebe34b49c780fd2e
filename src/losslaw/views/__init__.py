"""What people look at: a function for each kind of answer, which draws it on one pair of axes.

Each takes what it draws, then axes, which it returns; without any it makes some, a column wide. No
function opens a window. ``answer.plot(ax)`` finds the function for the answer by its name
(`losslaw.drawing`). Names are loaded when they are used; their list is ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # pyright: ignore
