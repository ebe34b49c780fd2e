"""Public loss curves, which are not part of the repository: without them their tests skip."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "curves"
LLAMA2 = FOLDER / "mpl_llama2"
# Of each model size: what is fitted, and what is asked about.
FITTED = ("cosine_24000", "constant_24000", "wsdcon_9")
ASKED = (
    "constant_72000",
    "cosine_72000",
    "wsd_20000_24000",
    "wsdld_20000_24000",
    "wsdcon_3",
    "wsdcon_18",
)

needs_public_curves = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the public loss curves are not at {FOLDER}"
)
