"""``python -m losslaw`` is the ``losslaw`` command."""

from losslaw.cli.main import main

main()
