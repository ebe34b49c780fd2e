from .kernel_regression import KernelRegression as KernelRegression
from .simulate.pieces import LongSchedule as LongSchedule
from .simulate.pieces import Piece as Piece
from .simulate.pieces import long_constant as long_constant
from .simulate.pieces import long_decay as long_decay
from .simulate.pieces import long_wsd as long_wsd
