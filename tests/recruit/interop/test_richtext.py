"""HTML of a criterion as plain passages."""

from __future__ import annotations

import pytest

from recruit.interop.richtext import Passage, read_passage


class TestText:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("CrCl<thirty mL/min and more", "CrCl<thirty mL/min and more"),
            ("ALT &lt; 5 &amp; AST &gt; 3", "ALT < 5 & AST > 3"),
            ("10<sup>9</sup>/L, H<sub>2</sub>O", "10^9/L, H2O"),
            ("10<sup>9/L", "10^9/L"),
            ("<p>One</p><p>Two<br>Three", "One\nTwo\nThree"),
            ("<table><tr><td>Drug<td>2\n weeks</table>", "Drug: 2 weeks"),
            ("<s>old</s> <img alt='scale'>", "[struck out: old] [image: scale]"),
            ("a<!-- hidden -->b <!-- not ended", "ab <!-- not ended"),
            ("x<script>y</script>", "x<script>y</script>"),
        ],
    )
    def test_keeps_what_a_person_could_read(self, html: str, text: str) -> None:
        passage = read_passage(html, resolve=lambda _tag, _given: "")

        assert passage == Passage(text)

    def test_supplies_end_tags_and_counts_as_the_list_does(self) -> None:
        html = "<p>A<ol type='i' start='2'><li>b<ul><li>c</ul><li>d</ol><p>E"

        passage = read_passage(html, resolve=lambda _tag, _given: "")

        assert passage == Passage(
            "A",
            (
                Passage("b", (Passage("c", marker="-"),), "ii."),
                Passage("d", marker="iii."),
                Passage("E", is_remark=True),
            ),
        )
