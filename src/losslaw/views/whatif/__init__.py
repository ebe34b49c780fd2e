"""A live page: move a schedule, and see its predicted loss and band follow.

`state` is what the page shows, in the words of its address; `presets` are usual states and the
designed one; `answers` asks the fit; `figure` has the two pictures, which `server` serves on this
computer alone (`guard`) and `static_page` writes into one file.
"""
