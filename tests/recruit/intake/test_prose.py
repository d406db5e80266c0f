import pytest

from recruit.web.prose import Block, BlockKind, blocks, calls, first_paragraph


def test_cuts_a_text_into_headings_paragraphs_and_lists() -> None:
    found = blocks("What it is\nin short\n\n## Visits\nSix of them:\n- one at night\n- five by day\n\nThe end")

    assert found == (
        Block(BlockKind.PARAGRAPH, ("What it is", "in short")),
        Block(BlockKind.HEADING, ("Visits",)),
        Block(BlockKind.PARAGRAPH, ("Six of them:",)),
        Block(BlockKind.ITEMS, ("one at night", "five by day")),
        Block(BlockKind.PARAGRAPH, ("The end",)),
    )


def test_a_list_shows_the_first_paragraph() -> None:
    assert first_paragraph("## Title\n\nWe look\nfor you.\n\nMore.") == "We look for you."
    assert first_paragraph("") == ""


@pytest.mark.parametrize(
    ("text", "dialled"),
    [
        ("Call or text 988, at any hour.", ["988"]),
        ("Llame al 988 y oprima 2. En peligro, llame al 911.", ["988", "911"]),
        ("Call +1 (555) 010-0190 by day.", ["+15550100190"]),
        ("In 2026, 24 people in 7 places; protocol 988-X.", []),
    ],
)
def test_a_telephone_number_can_be_tapped(text: str, dialled: list[str]) -> None:
    made = calls(text)

    assert [part.split('"')[0] for part in made.split('href="tel:')[1:]] == dialled
    assert made.striptags() == text


def test_a_text_with_numbers_cannot_smuggle_in_markup() -> None:
    assert calls("<b>988</b>").startswith("&lt;b&gt;<a ")
