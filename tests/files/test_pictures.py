"""`losslaw.files.pictures`: what a written picture is made of."""

from xml.etree import ElementTree

import pytest

from losslaw.drawing.style import named, new_figure
from losslaw.files.pictures import write_picture

HOSTILE = "</text><script>alert('µ')</script>&\""


@pytest.fixture
def figure():
    made = new_figure()
    ax = made.add_subplot()
    ax.plot([1, 2], [1, 2], label=named(HOSTILE, 99))
    ax.legend()
    return made


def test_letters_of_an_svg_are_text_that_stays_text(figure, tmp_path):
    path = write_picture(str(tmp_path / "a.svg"), figure)
    texts = [each for each in ElementTree.parse(path).iter() if each.tag.endswith("}text")]
    assert HOSTILE in {each.text for each in texts}
    assert all("font-family" in each.get("style", "") for each in texts)
    assert "<script" not in path.read_text()


def test_fonts_of_a_pdf_are_truetype(figure, tmp_path):
    data = write_picture(str(tmp_path / "a.pdf"), figure).read_bytes()
    assert b"/Type3" not in data
    assert b"/CIDFontType2" in data
