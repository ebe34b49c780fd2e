"""Second phases foretold: runs that go on, re-heated to three peaks.

The model is that of the runs that ship with losslaw (0.12M parameters, AdamW, decay .1, warm-up
100). Three of them, 4,000 updates at the peak 3e-3, went on for 1,500 updates: one at a constant
rate (*stable*), one annealed to 0 over its last 800 (*wsd*), and a cosine to a tenth (*cosine*).
The rate goes to .3, 1 or 2 times the first peak in 100 updates, is held, and comes down to 0 in a
straight line over the last 1,100, which is what `losslaw continue` asks about by default; *decay*
comes down from the first of the 1,500 on, and *later* is the WSD run whose decay begins 1,500
updates later. What was expected was written down and committed before any of the second phases was
trained (`validation/data/second_phase/predictions.json`); the remaking of the table never writes it
again. First phases were trained anew for their weights, and end within .006 of the shipped ones.

*Alone*: `auto` fitted to the shipped log of the first phase. *With others*: fitted to the eleven
shipped runs of 4,000 updates of seed 0, with peaks of 1.5e-3, 3e-3 and 6e-3, no rate of which rises
again. *AdamW said*: the same with `--optimizer adamw`. Losses are nats per byte after the last
update; *off* is predicted minus measured; intervals are of 90 %.
"""

from validation.second_phase.tables import table as table
