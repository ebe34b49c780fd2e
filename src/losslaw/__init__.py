"""Predict, explain and design learning-rate schedules from loss curves.

    import losslaw as ll
    curves = ll.read_curves("runs/*.csv", warmup=2160)
    fit = ll.fit(curves)
    fit.predict(ll.wsd(peak=3e-4, horizon=24_000, warmup=2160, cooldown=0.2)).loss

Names are loaded when they are first used, so that importing the package costs nothing; the list of
them is ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # pyright: ignore
