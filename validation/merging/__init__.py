"""Averages of checkpoints foretold, and decays over the same updates.

The model is that of the runs that ship with losslaw (0.12M parameters, AdamW, decay .1, warm-up
100). Runs at a constant rate were trained again with their weights saved every 100 updates; the
weights were averaged and the averages evaluated on the same 640 windows. What was expected was
written down and committed before any of this (`validation/data/merging/predictions.json`); the
remaking of the table never writes it again. A fifth run came later, to see whether what these had
shown holds for another.

*Alone*: `auto` fitted to the log of the run itself, up to its last checkpoint, which shows no
decay. *With decays*: fitted to that log and to the shipped runs of 4,000 updates (seed 0), decays
among them. The run of seed 1 had no log then: it is foretold from the other seed.

*Equivalent schedule* is the law at the rates that the average stands for, `off` is predicted minus
measured. Losses are nats per byte after the last update of the last checkpoint.
"""

from validation.merging.tables import table as table
