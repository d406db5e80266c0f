"""Eligibility texts of every shape that sponsors paste into a registry, cut without losing a character."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.structure.splitting import Heading, Leftover, Outline, Role, TextCriterion, outline, split
from tests.real_data import DATA, needs

SIGNS = {"inclusion": "+", "exclusion": "-", "unstated": "?"}


def drawn(text: str) -> str:
    """Draw an outline, one line each: headings after #, criteria with kind, depth, number, group and words."""
    lines = []
    for part in outline(dedent(text).strip("\n")).parts:
        if isinstance(part, Heading):
            lines.append(f"# {part.text}")
        elif isinstance(part, Leftover):
            lines.append(f"~ {part.text}")
        else:
            lines.append(drawn_criterion(part))
    return "\n".join(lines)


def drawn_criterion(criterion: TextCriterion) -> str:
    number = f"{criterion.number} " if criterion.number else ""
    group = f"{criterion.group.value}{criterion.least or ''}: " if criterion.group != "unstated" else ""
    role = {Role.LEAD_IN: "> ", Role.REMARK: "! ", Role.CRITERION: ""}[criterion.role]
    return f"{SIGNS[criterion.kind]} {'  ' * criterion.depth}{role}{number}{group}{criterion.text}"


def plain(text: str) -> str:
    """Undo the registry's escapes by another road than the product does."""
    undone = ""
    at = 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and re.fullmatch(r"[!-/:-@\[-`{-~]", text[at + 1]):
            at += 1
        undone += text[at]
        at += 1
    known = {"lt", "gt", "le", "ge", "ne", "amp", "quot", "apos", "nbsp", "plusmn", "micro", "deg"}
    return re.sub(
        r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-z]+);",
        lambda found: html.unescape(found[0]) if found[1][0] == "#" or found[1] in known else found[0],
        undone,
    )


def visible(text: str) -> str:
    return "".join(text.split())


def said(read: Outline) -> str:
    """Put together all that an outline holds, in its order."""
    return visible("".join(getattr(part, "marker", "") + part.text for part in read.parts))


class TestBullets:
    def test_reads_both_lists_of_an_ordinary_record(self) -> None:
        text = """
            Inclusion Criteria:

            * Age \\>= 18 years
            * Signed consent

            Exclusion Criteria:

            * Pregnancy
            """

        drawing = drawn(text)

        assert drawing == "\n".join(
            [
                "# Inclusion Criteria:",
                "+ Age >= 18 years",
                "+ Signed consent",
                "# Exclusion Criteria:",
                "- Pregnancy",
            ]
        )

    @pytest.mark.parametrize("bullet", ["*", "-", "•", "·", "▪", "◦", "●", "\u2013", "o", "➢", "\\-", "\\*"])
    def test_takes_any_bullet(self, bullet: str) -> None:
        text = f"Exclusion:\n\n{bullet} Stroke\n{bullet} Asthma"

        criteria = split(text)

        assert [criterion.text for criterion in criteria] == ["Stroke", "Asthma"]
        assert {criterion.marker for criterion in criteria} == {bullet.removeprefix("\\")}

    @pytest.mark.parametrize(
        ("first", "second", "numbers"),
        [
            ("1. ", "2. ", ["1", "2"]),
            ("1) ", "2) ", ["1", "2"]),
            ("(1) ", "(2) ", ["1", "2"]),
            ("a. ", "b. ", ["a", "b"]),
            ("A) ", "B) ", ["A", "B"]),
            ("i. ", "ii. ", ["i", "ii"]),
            ("(i) ", "(ii) ", ["i", "ii"]),
            ("1.", "2.", ["1", "2"]),
            ("1- ", "2- ", ["1", "2"]),
            ("1.1. ", "1.2. ", ["1.1", "1.2"]),
            ("3.a ", "3.b ", ["3.a", "3.b"]),
            ("①", "②", ["①", "②"]),
            ("1\\. ", "2\\. ", ["1", "2"]),
            ("* 1) ", "* 2) ", ["1", "2"]),
        ],
    )
    def test_keeps_a_number_as_written(self, first: str, second: str, numbers: list[str]) -> None:
        text = f"Inclusion Criteria:\n\n{first}Stroke\n{second}Asthma"

        criteria = split(text)

        assert [criterion.number for criterion in criteria] == numbers
        assert [criterion.text for criterion in criteria] == ["Stroke", "Asthma"]

    @pytest.mark.parametrize(
        "line",
        [
            "E. coli infection",
            "1.5 x ULN or less",
            "-5 degrees",
            "5-fluorouracil",
            "2023 or later",
            "(ALT) high",
        ],
    )
    def test_does_not_take_words_for_numbers(self, line: str) -> None:
        text = f"Exclusion Criteria:\n\nprevious\n\nSome words and then\n{line}"

        criteria = split(text)

        assert not any(criterion.number for criterion in criteria)
        assert line in criteria[-1].text

    def test_keeps_several_demands_of_one_bullet_together(self) -> None:
        text = "Inclusion Criteria:\n\n* Age 18-65; ECOG 0-1; signed consent; 2) no asthma"

        criteria = split(text)

        assert [criterion.text for criterion in criteria] == [
            "Age 18-65; ECOG 0-1; signed consent; 2) no asthma"
        ]

    def test_tells_an_empty_bullet_from_a_criterion(self) -> None:
        text = "Exclusion Criteria:\n\n-\n*"

        parts = outline(text).parts

        assert [type(part) for part in parts] == [Heading, Leftover, Leftover]


class TestNesting:
    def test_follows_indentation(self) -> None:
        text = """
            Inclusion Criteria:

            1. Organ function:

               * ANC \\> 1.5
               * Liver:

                 1. AST \\< 3
            2. Consent
            """

        drawing = drawn(text)

        assert drawing.splitlines()[1:] == [
            "+ > 1 Organ function:",
            "+   ANC > 1.5",
            "+   > Liver:",
            "+     1 AST < 3",
            "+ 2 Consent",
        ]

    def test_follows_numbering_where_nothing_is_indented(self) -> None:
        heart = "1. Heart:\na. stroke\nb. angina\ni. stable\nii. unstable"
        text = f"Exclusion Criteria:\n{heart}\n2. Lung\n- asthma\n3. Skin"

        drawing = drawn(text)

        assert drawing.splitlines()[1:] == [
            "- > 1 Heart:",
            "-   a stroke",
            "-   > b angina",
            "-     i stable",
            "-     ii unstable",
            "- > 2 Lung",
            "-   asthma",
            "- 3 Skin",
        ]

    def test_comes_back_to_the_outer_run_after_a_restarted_one(self) -> None:
        text = "Exclusion Criteria:\n1. Heart:\n1. stroke\n2. angina\n2. Lung"

        drawing = drawn(text)

        # "2. Lung" after "2. angina" cannot be told from a third part by its number alone
        assert drawing.splitlines()[1:4] == ["- > 1 Heart:", "-   1 stroke", "-   2 angina"]

    def test_keeps_parents_before_children(self) -> None:
        text = "Inclusion Criteria:\n\n* A\n\n  * B\n\n    * C\n* D"

        criteria = split(text)

        assert [criterion.parent for criterion in criteria] == [None, 0, 1, None]
        assert [criterion.depth for criterion in criteria] == [0, 1, 2, 0]

    def test_gives_an_indented_paragraph_to_the_item_above_it(self) -> None:
        text = "Inclusion Criteria:\n\n* Neutrophils\n\n  ≥1.5 x 109/L\n\n  Note: within a week\n* Consent"

        criteria = split(text)

        assert [criterion.text for criterion in criteria] == [
            "Neutrophils ≥1.5 x 109/L Note: within a week",
            "Consent",
        ]

    def test_takes_a_label_between_two_items_for_a_heading(self) -> None:
        text = "Exclusion Criteria:\n\n6. Has radiation\n\n   Prior Therapy\n7. Has surgery"

        criteria = split(text)

        assert [criterion.number for criterion in criteria] == ["6", "7"]
        assert criteria[1].section == ("Exclusion Criteria:", "Prior Therapy")

    def test_bounds_depth(self) -> None:
        text = "\n".join(f"{'  ' * depth}* level {depth}" for depth in range(100))

        criteria = split(text)

        assert len(criteria) == 100
        assert max(criterion.depth for criterion in criteria) == 12


class TestHeadings:
    @pytest.mark.parametrize(
        ("heading", "kind"),
        [
            ("Inclusion Criteria:", "inclusion"),
            ("INCLUSION CRITERIA", "inclusion"),
            ("Inclusion:", "inclusion"),
            ("Inclusion", "inclusion"),
            ("Key Inclusion Criteria", "inclusion"),
            ("Main inclusion criteria include:", "inclusion"),
            ("Inclusion Criteria (must meet all of the following to qualify):", "inclusion"),
            ("Step 2A Inclusion Criteria (DEC-C Intervention Arm)", "inclusion"),
            ("mTBI Inclusion criteria", "inclusion"),
            ("EXCLUSION CRITERIA:", "exclusion"),
            ("* EXCLUSION CRITERIA:", "exclusion"),
            ("Key Exclusion", "exclusion"),
            ("Non-inclusion criteria:", "exclusion"),
            ("The exlusion criteria:", "exclusion"),
            ("EXCLUSION CRITERIA (ALL PATIENTS)", "exclusion"),
            ("Eligibility Criteria", "unstated"),
            ("Inclusion/Exclusion Criteria:", "unstated"),
            ("Withdrawal Criteria", "unstated"),
        ],
    )
    def test_reads_the_kind_of_a_heading(self, heading: str, kind: str) -> None:
        text = f"{heading}\n\n* Asthma"

        parts = outline(text).parts

        assert isinstance(parts[0], Heading)
        assert [part.kind for part in parts if isinstance(part, TextCriterion)] == [kind]

    @pytest.mark.parametrize(
        "line",
        [
            "Other protocol-defined inclusion/exclusion criteria may apply.",
            "Any inclusion criteria not met",
            "Meets the exclusion criteria of the main study",
            "Stroke (<1 year from inclusion)",
            "The reverse of the inclusion criteria",
            "Participants must meet all of the inclusion criteria to take part.",
            "Inclusion criteria is willingness to consent",
        ],
    )
    def test_keeps_a_sentence_about_criteria_as_a_criterion(self, line: str) -> None:
        text = f"Exclusion Criteria:\n\n* {line}\n* Asthma"

        criteria = split(text)

        assert [criterion.text for criterion in criteria] == [line, "Asthma"]

    def test_reads_eligibility_as_inclusion_beside_an_exclusion_list(self) -> None:
        text = "Patients Eligibility Criteria:\n\n* Asthma\n\nPatients Exclusion Criteria:\n\n* Stroke"

        criteria = split(text)

        assert [criterion.kind for criterion in criteria] == ["inclusion", "exclusion"]

    def test_leaves_the_kind_unstated_without_a_heading(self) -> None:
        text = "Men and women with end-stage emphysema.\n\nNo smokers."

        criteria = split(text)

        assert [(criterion.text, criterion.kind) for criterion in criteria] == [
            ("Men and women with end-stage emphysema.", "unstated"),
            ("No smokers.", "unstated"),
        ]

    def test_keeps_the_part_of_the_study_above_both_lists(self) -> None:
        text = """
            PART A DOSE ESCALATION

            Inclusion Criteria:

            * Asthma

            Exclusion Criteria:

            * Stroke

            PART B DOSE EXPANSION

            Inclusion Criteria:

            * Eczema
            """

        criteria = split(dedent(text))

        assert [criterion.section for criterion in criteria] == [
            ("PART A DOSE ESCALATION", "Inclusion Criteria:"),
            ("PART A DOSE ESCALATION", "Exclusion Criteria:"),
            ("PART B DOSE EXPANSION", "Inclusion Criteria:"),
        ]

    def test_keeps_a_cohort_below_its_list(self) -> None:
        cohorts = "Cohort A:\n\n* Asthma\n\nCohort B:\n\n* Eczema"
        text = f"Inclusion Criteria:\n\n{cohorts}\n\nExclusion Criteria:\n\n* Stroke"

        criteria = split(text)

        assert [criterion.section for criterion in criteria] == [
            ("Inclusion Criteria:", "Cohort A:"),
            ("Inclusion Criteria:", "Cohort B:"),
            ("Exclusion Criteria:",),
        ]

    def test_returns_to_the_outer_list_after_a_bulleted_heading(self) -> None:
        text = "Inclusion Criteria:\n\n* Asthma\n* Exclusion criteria for part 2:\n\n  * Stroke\n* Eczema"

        criteria = split(text)

        assert [(criterion.text, criterion.kind) for criterion in criteria] == [
            ("Asthma", "inclusion"),
            ("Stroke", "exclusion"),
            ("Eczema", "inclusion"),
        ]

    def test_takes_a_heading_apart_from_what_it_opens_on_its_line(self) -> None:
        text = "Exclusion Criteria:Patients with\n\n* stroke"

        drawing = drawn(text)

        assert drawing.splitlines() == ["# Exclusion Criteria:", "- > Patients with", "-   stroke"]

    @pytest.mark.parametrize(
        ("line", "heading", "rest"),
        [
            ("Exclusion Criteria: None", "Exclusion Criteria:", "None"),
            ("Exclusion: none", "Exclusion:", "none"),
            ("Exclusion Criteria - N/A", "Exclusion Criteria -", "N/A"),
            ("EXCLUSION CRITERIA NONE", "EXCLUSION CRITERIA", "NONE"),
            ("Key exclusion criteria:None.", "Key exclusion criteria:", "None."),
        ],
    )
    def test_keeps_what_a_heading_says_of_its_own_list_being_empty(
        self, line: str, heading: str, rest: str
    ) -> None:
        read = drawn(f"Inclusion Criteria:\n\n* Adults\n\n{line}")

        assert read.splitlines()[2:] == [f"# {heading}", f"- ! {rest}"]

    @pytest.mark.parametrize("line", ["None of the exclusion criteria", "Exclusion Criteria None of these"])
    def test_takes_no_other_none_for_an_empty_list(self, line: str) -> None:
        read = drawn(f"Inclusion Criteria:\n\n* Adults\n\n{line}\n\n* Stroke")

        assert "!" not in read

    def test_keeps_the_last_paragraph_before_the_other_heading_as_a_criterion(self) -> None:
        text = "Inclusion Criteria:\n\nAge over 18\n\nHealthy volunteers\n\nExclusion Criteria:\n\nStroke"

        criteria = split(text)

        assert [criterion.text for criterion in criteria] == ["Age over 18", "Healthy volunteers", "Stroke"]

    def test_reads_older_cancer_records(self) -> None:
        text = """
            DISEASE CHARACTERISTICS: Histologically proven glioma

            PATIENT CHARACTERISTICS:

            Age:

            * 18 and over

            Hepatic:

            * Not specified

            PRIOR CONCURRENT THERAPY:

            * No prior radiotherapy
            """

        drawing = drawn(text)

        assert drawing.splitlines() == [
            "# DISEASE CHARACTERISTICS:",
            "? Histologically proven glioma",
            "# PATIENT CHARACTERISTICS:",
            "# Age:",
            "? 18 and over",
            "# Hepatic:",
            "? ! Not specified",
            "# PRIOR CONCURRENT THERAPY:",
            "? No prior radiotherapy",
        ]

    def test_joins_the_wrapped_lines_of_older_files(self) -> None:
        text = (
            "DISEASE CHARACTERISTICS: Histologically proven recurrent glioblastoma or anaplastic\r\n"
            "        astrocytoma Stereotactically accessible, enhancing mass no greater than 50 mL Other:\r\n"
            "        None\r\n"
            "\r\n"
            "        PATIENT CHARACTERISTICS:\r\n"
            "\r\n"
            "          1. Bilirubin\r\n"
            "             normal\r\n"
            "\r\n"
            "         10. Age over 18\r\n"
        )

        drawing = drawn(text)

        assert drawing.splitlines()[2:] == [
            "# PATIENT CHARACTERISTICS:",
            "? 1 Bilirubin normal",
            "? 10 Age over 18",
        ]
        assert "anaplastic astrocytoma" in drawing


class TestLeadIns:
    def test_keeps_a_lead_in_as_the_parent_of_its_list(self) -> None:
        text = "Inclusion Criteria:\n\nPatients must meet all of the following:\n\n* Asthma\n* Eczema"

        drawing = drawn(text)

        assert drawing.splitlines()[1:] == [
            "+ > all: Patients must meet all of the following:",
            "+   Asthma",
            "+   Eczema",
        ]

    @pytest.mark.parametrize(
        ("lead", "group"),
        [
            ("Have at least one of the following:", "any"),
            ("Has any of the following:", "any"),
            ("Meets one or more of the following criteria:", "any"),
            ("Either of the following:", "any"),
            ("At least two (2) of the following:", "at_least2"),
            ("Two or more of the following criteria:", "at_least2"),
            ("A minimum of 3 of these symptoms:", "at_least3"),
            ("All of the following:", "all"),
            ("Meeting each of the following criteria:", "all"),
            ("None of the following:", "none"),
            ("Some or all of the following:", "unclear"),
            ("Some, if not all, of the following:", "unclear"),
            ("Has some and/or all the following symptoms:", "unclear"),
            ("Most of the following:", "unclear"),
            ("Not necessarily all of the following:", "unclear"),
            ("Despite some of these drugs, has all of the following:", "all"),
            ("Has some or all teeth and one of the following:", "any"),
            ("In some conditions, as defined below:", "unstated"),
            ("Organ function as defined below:", "unstated"),
            ("At least one measurable lesion meeting these demands:", "unstated"),
        ],
    )
    def test_reads_how_children_combine(self, lead: str, group: str) -> None:
        text = f"Inclusion Criteria:\n\n* {lead}\n\n  * Asthma\n  * Eczema\n  * Stroke"

        criterion = split(text)[0]

        assert f"{criterion.group.value}{criterion.least or ''}" == group

    def test_reads_the_or_at_the_end_of_a_part(self) -> None:
        text = "Inclusion Criteria:\n\n1. Consent by:\n\n   * the person; or\n   * a guardian"

        criteria = split(text)

        assert criteria[0].group == "any"

    @pytest.mark.parametrize("word", ["or", "and"])
    def test_lets_no_ending_settle_what_the_lead_in_leaves_open(self, word: str) -> None:
        text = f"Inclusion Criteria:\n\n1. Some or all of the following:\n\n   * Asthma; {word}\n   * Eczema"

        criteria = split(text)

        assert criteria[0].group == "unclear"

    def test_does_not_read_a_group_without_children(self) -> None:
        text = "Inclusion Criteria:\n\n* Any of the following: asthma, eczema"

        criteria = split(text)

        assert criteria[0].group == "unstated"

    def test_turns_none_of_these_exclusion_criteria_into_any(self) -> None:
        text = "Subjects must meet NONE of the following exclusion criteria:\n\n* Asthma\n* Stroke"

        criteria = split(text)

        assert [(criterion.kind, criterion.group) for criterion in criteria][:2] == [
            ("exclusion", "any"),
            ("exclusion", "unstated"),
        ]

    @pytest.mark.parametrize(
        ("lead", "kind"),
        [
            ("Patients will be excluded if:", "exclusion"),
            ("Participants are not eligible if any of the following apply:", "exclusion"),
            ("The presence of any of the following will exclude a subject:", "exclusion"),
            ("Patients are eligible if they:", "inclusion"),
            ("Participants must meet:", "inclusion"),
            ("Patients with the following will not be excluded:", "unstated"),
        ],
    )
    def test_reads_the_kind_from_the_verb_where_no_heading_says_it(self, lead: str, kind: str) -> None:
        text = f"{lead}\n\n* Asthma"

        criteria = split(text)

        assert [criterion.kind for criterion in criteria] == [kind, kind]

    def test_lets_a_lead_in_reach_over_paragraphs(self) -> None:
        text = "EXCLUSION CRITERIA:\n\nPatients will be excluded if:\n\nThey bleed.\n\nThey are pregnant."

        criteria = split(text)

        assert [criterion.parent for criterion in criteria] == [None, 0, 0]

    def test_ends_a_lead_in_with_a_loose_paragraph(self) -> None:
        text = "Inclusion Criteria:\n\nMust have:\n\n* Asthma\n\nWomen must use contraception.\n\n* Consent"

        criteria = split(text)

        assert [criterion.parent for criterion in criteria] == [None, 0, None, None]

    def test_marks_what_only_comments(self) -> None:
        text = (
            "Exclusion Criteria:\n\n* Asthma\n\nNote: if severe.\n\nOther protocol-defined criteria may apply."
        )

        criteria = split(text)

        assert [criterion.role for criterion in criteria] == [Role.CRITERION, Role.REMARK, Role.REMARK]

    def test_keeps_a_lone_or_at_the_end_of_what_stands_before_it(self) -> None:
        text = "Inclusion Criteria:\n\n* Asthma\n\nOR\n\n* Eczema"

        criteria = split(text)

        assert [criterion.text for criterion in criteria] == ["Asthma OR", "Eczema"]


class TestSigns:
    def test_undoes_escapes_and_entities(self) -> None:
        text = "* INR \\< 1.5 and \\> 1 \\[note\\] 10\\^9 \\~ Gleason \\&lt;6 A&amp;B"

        criteria = split(text)

        assert criteria[0].text == "INR < 1.5 and > 1 [note] 10^9 ~ Gleason <6 A&B"

    def test_reads_tabs_nbsp_and_windows_newlines(self) -> None:
        text = "Inclusion Criteria:\r\n\r\n*\u00a0Age\u00a0over 18\r\n\r\n\t* in\tyears\r\n*\tConsent"

        criteria = split(text)

        assert [(criterion.text, criterion.depth) for criterion in criteria] == [
            ("Age over 18", 0),
            ("in years", 1),
            ("Consent", 0),
        ]

    def test_reads_a_heading_behind_a_byte_order_mark(self) -> None:
        text = "\ufeffExclusion Criteria:\n\n* Asthma"

        read = outline(text)

        assert read.criteria[0].kind == "exclusion"
        assert said(read) == visible(text)


HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("*-•1234abiIoO.():;>\\&# \n\t\r\u00a0\u200b\ufeff\x00\x85\u2028\ud800")),
        st.characters(),
    ),
    max_size=300,
)
FRAGMENTS = (
    *("Inclusion Criteria:", "EXCLUSION CRITERIA", "Cohort A", "one of the following:", "must:", "Note: x"),
    *("* ", "  - ", "1. ", "a) ", "iv. ", "--", "\n", "\n\n", "   ", "asthma", "OR", "<!-- -->", "5 mg"),
)
FRAGMENTED = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join)
UNITS = (
    *(
        "a",
        " ",
        "\n",
        "\x00",
        "\ud800",
        "* ",
        "*\n",
        "* a\n",
        "1. ",
        "i. ",
        "--a",
        "\t",
        "\u200b",
        "(",
        "\\",
        "&#",
    ),
    *("Inclusion Criteria:\n", "x if:\n* b\n", "one or more of the following ", "A\n\nor\n\n", "any of "),
)


class TestNothingIsLost:
    @given(st.one_of(HOSTILE, FRAGMENTED))
    def test_every_visible_sign_comes_by_in_order(self, text: str) -> None:
        read = outline(text)

        together = said(read)

        assert together == visible(plain(text))

    @given(st.one_of(HOSTILE, FRAGMENTED))
    def test_the_tree_holds_together(self, text: str) -> None:
        criteria = split(text)

        for at, criterion in enumerate(criteria):
            assert criterion.order == at
            assert criterion.text == " ".join(criterion.text.split())
            if criterion.parent is None:
                assert criterion.depth == 0
            else:
                assert criterion.parent < at
                assert criterion.depth == criteria[criterion.parent].depth + 1

    @pytest.mark.parametrize("unit", UNITS)
    def test_takes_time_in_proportion_to_length(self, unit: str) -> None:
        short, long = (unit * (size // len(unit)) for size in (20_000, 200_000))

        start = time.perf_counter()
        outline(short)
        middle = time.perf_counter()
        outline(long)
        end = time.perf_counter()

        assert end - middle < 40 * (middle - start) + 1

    def test_takes_a_megabyte(self) -> None:
        text = "Inclusion Criteria:\n\n" + "* Age over 18\x00\ud800\n  * or with consent\n\n" * 25_000

        criteria = split(text)

        assert len(text) > 900_000
        assert len(criteria) == 50_000


def real_texts() -> Iterator[tuple[str, str]]:
    for file in sorted((DATA / "ctgov" / "studies").glob("NCT*.json")):
        record = json.loads(file.read_text("utf-8"))
        yield file.stem, record["protocolSection"]["eligibilityModule"]["eligibilityCriteria"]
    with (DATA / "eligibility-texts" / "texts.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            for part in ("inclusion", "exclusion", "unsplit"):
                if record[part]:
                    yield f"{record['nct_id']} {part}", record[part]
            both = (
                f"Inclusion Criteria:\n\n{record['inclusion']}\n\nExclusion Criteria:\n\n{record['exclusion']}"
            )
            yield f"{record['nct_id']} both", both


@needs("ctgov")
@needs("eligibility-texts")
class TestRealTexts:
    def test_loses_no_character_of_any(self) -> None:
        texts = dict(real_texts())

        lossy = [name for name, text in texts.items() if said(outline(text)) != visible(plain(text))]

        assert len(texts) > 4_000
        assert lossy == []

    def test_finds_both_kinds_where_both_headings_stand(self) -> None:
        texts = {
            name: text
            for name, text in real_texts()
            if name.startswith("NCT") and "nclusion Criteria:\n" in text
        }
        both = {name: text for name, text in texts.items() if "xclusion Criteria:\n\n* " in text}

        kinds = {name: {criterion.kind.value for criterion in split(text)} for name, text in both.items()}

        assert len(both) > 400
        assert [name for name, found in kinds.items() if "exclusion" not in found] == []

    def test_numbers_run_on_within_a_list(self) -> None:
        texts = [text for name, text in real_texts() if not name.endswith("both")]
        numbered = [text for text in texts if re.search(r"(?m)^12\. ", text)]

        jumps = sum(map(jumped, numbered))

        assert len(numbered) > 200
        assert jumps <= 0.05 * len(numbered)  # what is left runs on within one paragraph


def jumped(text: str) -> bool:
    """Tell whether the outermost "N." items of a text skip a number without starting anew."""
    numbers = [
        int(criterion.number)
        for criterion in split(text)
        if criterion.number and criterion.marker == f"{criterion.number}." and criterion.number.isdigit()
        if criterion.depth == 0
    ]
    return any(after not in (before + 1, 1) for before, after in pairwise(numbers))
