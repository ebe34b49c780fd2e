"""``python -m losslaw.cli`` is the ``losslaw`` command."""

from losslaw.cli.main import main

main()
