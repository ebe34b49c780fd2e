"""How a record finds its picture, without knowing what draws it."""

import importlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Plotted:
    """A record that can be drawn: ``plot()``.

    `losslaw.views` has a function for each, ``plot_`` and its name: that of a `LossCurve` is
    ``plot_loss_curve``. It is found by this name when it is asked for: imports point down, so that
    records know nothing of what draws them, and who never draws never loads matplotlib.
    """

    def plot(self, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw it.

        Args:
            ax: Where; ``None``: on axes of its own. Where pyplot is in use, or in a notebook, they
                are of one of its figures, which ``plt.show()`` shows.
            options: What the function of `losslaw.views` takes beside the record.

        Returns:
            The axes; ``.figure.savefig("name.pdf")`` saves them.

        >>> import losslaw as ll
        >>> ax = ll.wsd(peak=1e-3, horizon=1000, cooldown=0.2).plot()
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('update', 'learning rate')
        """
        views = importlib.import_module("losslaw.views")
        kind = next(each for each in type(self).__mro__ if picture_name(each) in dir(views))
        return getattr(views, picture_name(kind))(self, ax, **options)


def picture_name(kind: type) -> str:
    """Name of the function that draws a record of this type.

    >>> picture_name(Plotted)
    'plot_plotted'
    """
    return "plot_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()
