from .every_rate import FreeOptimum as FreeOptimum
from .every_rate import free_optimum as free_optimum
from .kernel_regression import KernelRegression as KernelRegression
from .long_schedules import LongSchedule as LongSchedule
from .long_schedules import Piece as Piece
from .long_schedules import long_constant as long_constant
from .long_schedules import long_decay as long_decay
from .long_schedules import long_wsd as long_wsd
