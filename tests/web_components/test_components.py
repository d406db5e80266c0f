"""What single components do with what they are given."""

from __future__ import annotations

import pytest
from flask_babel import lazy_gettext
from markupsafe import Markup

from .conftest import Render

NOTHING = "\N{EN DASH}"


class TestChoices:
    def test_the_first_radio_carries_the_name_so_that_an_error_can_lead_there(self, snippet: Render) -> None:
        options = [
            {"value": "yes", "text": "Yes"},
            {"divider": "or"},
            {"value": "unknown", "text": "I don't know"},
        ]

        shown = snippet(
            "forms", "{{ c.radios('asthma', 'Asthma?', options, error='Select yes') }}", options=options
        )

        ids = [radio.attrs["id"] for radio in shown.all("input", type="radio")]
        assert ids == ["asthma", "asthma-2"]
        assert shown.one("fieldset").attrs["aria-describedby"] == "asthma-error"
        assert shown.by_class("or")[0].text == "or"

    def test_nothing_is_chosen_beforehand(self, snippet: Render) -> None:
        options = [{"value": "", "text": "None"}, {"value": "0", "text": "Zero"}]

        shown = snippet("forms", "{{ c.radios('n', 'How many?', options) }}", options=options)

        assert [radio for radio in shown.all("input") if "checked" in radio.attrs] == []

    @pytest.mark.parametrize("value", [0, "0"])
    def test_an_answer_of_zero_comes_back(self, snippet: Render, value: object) -> None:
        options = [{"value": 0, "text": "Zero"}, {"value": 1, "text": "One"}]

        shown = snippet(
            "forms", "{{ c.radios('n', 'How many?', options, value=value) }}", options=options, value=value
        )

        assert [radio.attrs["value"] for radio in shown.all("input") if "checked" in radio.attrs] == ["0"]

    def test_none_of_these_is_marked_as_standing_alone(self, snippet: Render) -> None:
        options = [{"value": "a", "text": "A"}, {"value": "none", "text": "None", "exclusive": True}]

        shown = snippet("forms", "{{ c.checkboxes('x', 'Which?', options, values=('a',)) }}", options=options)

        first, none = shown.all("input", type="checkbox")
        assert "checked" in first.attrs
        assert "data-exclusive" in none.attrs
        assert "data-checkboxes" in shown.by_class("choices")[0].attrs

    def test_an_option_s_hint_is_read_with_it(self, snippet: Render) -> None:
        options = [{"value": "a", "text": "Stroke", "hint": "Or a TIA"}]

        shown = snippet("forms", "{{ c.checkboxes('x', 'Which?', options) }}", options=options)

        described = shown.one("input").attrs["aria-describedby"]
        assert shown.one("p", id=described).text == "Or a TIA"

    def test_objects_serve_as_options_too(self, snippet: Render) -> None:
        class Option:
            value, text = "y", "Yes"

        shown = snippet("forms", "{{ c.radios('x', 'Which?', options, value='y') }}", options=[Option()])

        assert "checked" in shown.one("input").attrs

    def test_consent_is_never_given_by_default(self, snippet: Render) -> None:
        shown = snippet(
            "forms", "{% call c.consent_box('c', 'You may call me.') %}<p>Rates apply.</p>{% endcall %}"
        )

        box = shown.one("input")
        assert "checked" not in box.attrs
        assert shown.one("label", for_="c").text == "You may call me."
        assert shown.one(id=box.attrs["aria-describedby"]).text == "Rates apply."

    def test_consent_without_small_print_refers_to_none(self, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.consent_box('c', 'You may call me.') }}")

        assert "aria-describedby" not in shown.one("input").attrs


class TestFields:
    def test_what_was_typed_comes_back_unharmed(self, snippet: Render) -> None:
        typed = '"><script>alert(1)</script>'

        shown = snippet(
            "forms",
            "{{ c.text_field('n', 'Name', value=v) }}{{ c.textarea_field('t', 'Text', value=v) }}",
            v=typed,
        )

        assert shown.one("input").attrs["value"] == typed
        assert shown.all("script") == []
        assert shown.one("textarea").text == typed

    def test_a_text_that_starts_with_an_empty_line_keeps_it(self, in_request: object, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.textarea_field('t', 'Text', value=v) }}", v="\nsecond")

        assert shown.one("textarea").children == ["\n\nsecond"]

    @pytest.mark.parametrize("value", [0, 0.0, False])
    def test_a_false_value_is_still_a_value(self, snippet: Render, value: object) -> None:
        shown = snippet("forms", "{{ c.text_field('n', 'Number', value=value) }}", value=value)

        assert shown.one("input").attrs["value"] == str(value)

    @pytest.mark.parametrize(
        "error",
        ["Enter a name", ["Enter a name", "Too short"], ("Enter a name",), lazy_gettext("Enter a name")],
        ids=["text", "list", "tuple", "lazy"],
    )
    def test_shows_the_first_of_its_errors(self, snippet: Render, error: object) -> None:
        shown = snippet(
            "forms", "{{ c.text_field('n', 'Name', error=error, hint_text='As on your card') }}", error=error
        )

        field = shown.one("input")
        assert field.attrs["aria-describedby"] == "n-hint n-error"
        assert field.attrs["aria-invalid"] == "true"
        assert shown.one("p", id="n-error").text == "Error: Enter a name"

    @pytest.mark.parametrize("error", [None, "", [], ()])
    def test_no_error_leaves_no_trace(self, snippet: Render, error: object) -> None:
        shown = snippet("forms", "{{ c.text_field('n', 'Name', error=error) }}", error=error)

        assert "aria-invalid" not in shown.one("input").attrs
        assert shown.by_class("error-message") == []

    def test_a_label_can_be_the_page_s_heading(self, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.text_field('age', 'How old are you?', heading=True) }}")

        assert shown.one("h1").one("label").attrs["for"] == "age"

    def test_a_password_never_comes_back(self, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.password_field('p', 'Password', error='Wrong') }}")

        assert "value" not in shown.one("input").attrs
        assert "hidden" in shown.one("button").attrs

    def test_a_code_can_be_filled_in_by_the_phone(self, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.one_time_code_field('code', 'Code') }}")

        attrs = shown.one("input").attrs
        assert attrs["autocomplete"] == "one-time-code"
        assert attrs["inputmode"] == "numeric"
        assert int(attrs["maxlength"]) > 6

    def test_a_group_s_options_are_offered_under_its_name(self, snippet: Render) -> None:
        options = [
            {"group": "West", "options": [{"value": 1, "text": "Austin"}]},
            {"value": 2, "text": "Dallas"},
        ]

        shown = snippet("forms", "{{ c.select_field('s', 'Site', options, value='1') }}", options=options)

        assert shown.one("optgroup").attrs["label"] == "West"
        assert shown.one("option", value="1").attrs.keys() >= {"selected"}


class TestDates:
    @pytest.mark.parametrize(
        ("order", "names"),
        [
            ("mdy", ["d-month", "d-day", "d-year"]),
            ("dmy", ["d-day", "d-month", "d-year"]),
            ("my", ["d-month", "d-year"]),
        ],
    )
    def test_asks_in_the_reader_s_order(self, snippet: Render, order: str, names: list[str]) -> None:
        shown = snippet("forms", "{{ c.date_field('d', 'When?', order=order) }}", order=order)

        boxes = shown.all("input")
        assert [box.attrs["name"] for box in boxes] == names
        assert boxes[0].attrs["id"] == "d"

    def test_marks_only_the_part_that_is_wrong(self, snippet: Render) -> None:
        shown = snippet(
            "forms", "{{ c.date_field('d', 'When?', {'year': '2062'}, error='Past', wrong=['year']) }}"
        )

        assert [box.attrs["name"] for box in shown.all("input", aria_invalid="true")] == ["d-year"]
        assert shown.one("input", name="d-year").attrs["value"] == "2062"

    def test_offers_to_fill_in_only_the_person_s_own_birthday(self, snippet: Render) -> None:
        shown = snippet(
            "forms", "{{ c.date_field('b', 'Born?', birthday=True) }}{{ c.date_field('d', 'When?') }}"
        )

        assert [box.attrs["autocomplete"] for box in shown.all("input")] == [
            "bday-month", "bday-day", "bday-year", "off", "off", "off",
        ]  # fmt: skip


class TestMeasures:
    def test_height_is_asked_in_both_ways_at_once(self, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.height_field('h', 'Height', {'cm': '180'}) }}")

        assert [box.attrs["name"] for box in shown.all("input")] == ["h-ft", "h-in", "h-cm"]
        assert shown.one("input", name="h-cm").attrs["value"] == "180"
        assert shown.by_class("or")[0].text == "or"

    def test_metric_countries_are_asked_centimeters_first(self, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.height_field('h', 'Height', metric=True) }}")

        assert [box.attrs["id"] for box in shown.all("input")] == ["h", "h-ft", "h-in"]

    def test_weight_can_be_given_in_stones(self, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.weight_field('w', 'Weight', units=('st', 'kg')) }}")

        assert [box.attrs["name"] for box in shown.all("input")] == ["w-st", "w-st-lb", "w-kg"]


class TestEditor:
    def test_names_each_problem_with_its_place(self, snippet: Render) -> None:
        problems = [{"line": 3, "column": 9, "text": "unknown word", "source": "age <b>"}]

        shown = snippet(
            "forms", "{{ c.code_editor('r', 'Rules', value='x', problems=problems) }}", problems=problems
        )

        link = shown.one("a", data_cursor="3:9")
        editor = shown.one("textarea")
        assert link.text == "Line 3, column 9"
        assert link.attrs["href"] == "#r"
        assert shown.one("code").text == "age <b>"
        assert editor.attrs["aria-describedby"] == "r-problems"
        assert editor.attrs["aria-invalid"] == "true"

    def test_is_quiet_without_problems(self, snippet: Render) -> None:
        shown = snippet("forms", "{{ c.code_editor('r', 'Rules') }}")

        assert "aria-invalid" not in shown.one("textarea").attrs
        assert "aria-describedby" not in shown.one("textarea").attrs


class TestButtons:
    def test_guards_against_a_double_click(self, snippet: Render) -> None:
        shown = snippet("buttons", "{{ c.button('Send') }}{{ c.button('Add', once=False) }}")

        assert [("data-prevent-double-click" in button.attrs) for button in shown.all("button")] == [
            True,
            False,
        ]

    def test_a_post_button_is_a_form_of_its_own(self, snippet: Render) -> None:
        shown = snippet("buttons", "{{ c.post_button('Undo', '/undo', 'secret', fields={'id': '7'}) }}")

        form = shown.one("form", method="post", action="/undo")
        assert {field.attrs["name"]: field.attrs["value"] for field in form.all("input")} == {
            "csrf_token": "secret", "id": "7",
        }  # fmt: skip

    def test_leaving_tells_the_next_page_nothing(self, snippet: Render) -> None:
        shown = snippet("buttons", "{{ c.exit_this_page('/leave') }}")

        assert shown.one("a", href="/leave").attrs["rel"] == "nofollow noreferrer"


class TestWords:
    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("passes", "Passes"),
            ("rules_out", "Rules out"),
            ("unknown", "Unknown"),
            ("does_not_apply", "Does not apply"),
        ],
    )
    def test_a_verdict_is_a_word_and_a_shape(self, snippet: Render, value: str, words: str) -> None:
        shown = snippet("messages", "{{ c.verdict(value) }}", value=value)

        assert shown.text == words
        assert shown.one("svg").attrs["aria-hidden"] == "true"

    def test_every_verdict_and_every_tag_has_a_shape_of_its_own(self, snippet: Render) -> None:
        source = (
            "{% for v in ('passes', 'rules_out', 'unknown', 'does_not_apply') %}{{ c.verdict(v) }}{% endfor %}"
        )
        kinds = "{% for k in ('good', 'warn', 'bad', 'info', 'hold') %}{{ c.tag('x', k) }}{% endfor %}"

        verdicts = [path.attrs["d"] for path in snippet("messages", source).all("path")]
        tags = [path.attrs["d"] for path in snippet("messages", kinds).all("path")]

        assert len(set(verdicts)) == 4
        assert len(set(tags)) == 5

    def test_success_is_announced_and_a_hold_is_not_an_alarm(self, snippet: Render) -> None:
        shown = snippet("messages", "{{ c.banner('success', 'Saved') }}{{ c.banner('hold', 'On hold') }}")

        success, hold = shown.by_class("banner")
        assert success.attrs["role"] == "status"
        assert "role" not in hold.attrs

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [("3, 8", "Question 3 of about 8"), ("3, 8, about=False", "Question 3 of 8"), ("3", "Question 3")],
    )
    def test_progress_is_a_sentence(self, snippet: Render, arguments: str, words: str) -> None:
        assert snippet("messages", f"{{{{ c.progress_text({arguments}) }}}}").text == words


class TestLists:
    def test_a_missing_answer_is_said(self, snippet: Render) -> None:
        rows = [
            {"key": "ZIP", "value": None, "change_url": "/zip", "change_hidden": "your ZIP code"},
            {"key": "Age", "value": 0},
        ]

        shown = snippet("lists", "{{ c.summary_list(rows) }}", rows=rows)

        assert [answer.text for answer in shown.all("dd")] == ["Not provided", "Change your ZIP code", "0"]

    def test_a_criterion_shows_verdict_evidence_and_what_to_ask(self, snippet: Render) -> None:
        criteria = [
            {"number": "2a", "text": "HbA1c 7 to 10", "verdict": "unknown", "evidence": "No value on file.",
             "missing": ["last HbA1c"], "kind": "Inclusion"},
            {"number": "4", "text": "Not pregnant", "verdict": "does_not_apply"},
        ]  # fmt: skip

        shown = snippet("lists", "{{ c.criterion_list(criteria) }}", criteria=criteria)

        first, second = shown.all("li")
        assert first.text == "2a HbA1c 7 to 10 Inclusion · No value on file. Ask: last HbA1c Unknown"
        assert second.text == "4 Not pregnant Does not apply"

    def test_a_corrected_entry_says_so_in_words(self, snippet: Render) -> None:
        events = [{"when": "Today", "datetime": "2026-03-14", "what": "Visit attended", "void": True}]

        shown = snippet("lists", "{{ c.timeline(events) }}", events=events)

        assert "Corrected by a later entry" in shown.text

    def test_changes_are_marked_up_as_changes(self, snippet: Render) -> None:
        changes = [
            {"kind": "changed", "number": "2", "before": "to 10.0", "after": "to 10.5"},
            {"kind": "added", "after": "new"},
            {"kind": "removed", "before": "old"},
            {"kind": "same", "after": "kept"},
        ]

        shown = snippet("lists", "{{ c.diff_list(changes) }}", changes=changes)

        assert [gone.text for gone in shown.all("del")] == ["to 10.0", "old"]
        assert [came.text for came in shown.all("ins")] == ["to 10.5", "new"]
        assert [tag.text for tag in shown.by_class("tag")] == ["Changed", "Added", "Removed", "Unchanged"]

    def test_a_task_without_an_address_is_no_link(self, snippet: Render) -> None:
        tasks = [
            {"text": "Approval", "url": "/a", "state": "missing"},
            {"text": "Start", "state": "blocked", "state_text": "Later"},
        ]

        shown = snippet("lists", "{{ c.task_list(tasks) }}", tasks=tasks)

        assert [link.text for link in shown.all("a")] == ["Approval"]
        assert [tag.text for tag in shown.by_class("tag")] == ["Missing", "Later"]


class TestTables:
    SOURCE = (
        "{% call(row) c.data_table('People', columns, rows, select='person') %}"
        "{{ c.cell('Name', row.label, heading=True) }}{{ c.cell('Days', row.days, numeric=True) }}{% endcall %}"
    )
    COLUMNS = (
        {"label": "Name"},
        {"label": "Days", "sort_url": "?by=days", "sorted": "descending", "numeric": True},
    )

    def test_a_column_says_how_it_is_sorted(self, snippet: Render) -> None:
        shown = snippet("tables", self.SOURCE, columns=self.COLUMNS, rows=[])

        header = shown.one("th", aria_sort="descending")
        assert header.one("a").attrs["href"] == "?by=days"
        assert shown.one("caption").text == "People"

    def test_each_row_can_be_ticked_by_its_name(self, snippet: Render) -> None:
        rows = [{"id": 7, "label": "Ana", "days": None}]

        shown = snippet("tables", self.SOURCE, columns=self.COLUMNS, rows=rows)

        assert shown.one("input", name="person", value="7").attrs["aria-label"] == "Select Ana"
        assert shown.one("th", scope="row").text == "Ana"
        assert shown.one("td", data_label="Days").text == NOTHING

    def test_cards_keep_the_table_s_meaning(self, snippet: Render) -> None:
        shown = snippet("tables", self.SOURCE, columns=self.COLUMNS, rows=[{"id": 1, "label": "A", "days": 2}])

        assert {element.attrs["role"] for element in shown.walk() if "role" in element.attrs} == {
            "table", "rowgroup", "row", "columnheader", "rowheader", "cell",
        }  # fmt: skip

    def test_an_action_names_the_row_it_is_for(self, snippet: Render) -> None:
        shown = snippet("tables", "{{ c.row_actions([{'label': 'Call', 'url': '/call'}], 'Ana') }}")

        assert shown.one("a").text == "Call Ana"

    def test_a_filter_can_be_taken_off_alone_or_with_all_others(self, snippet: Render) -> None:
        source = (
            "{% call c.filter_bar('/q', clear_url='/q', active=[{'label': 'Austin', 'remove_url': '/q?s='}],"
            " fragment='people') %}{% endcall %}"
        )

        shown = snippet("tables", source)

        assert shown.one("form").attrs["method"] == "get"
        assert shown.one("form").attrs["data-fragment"] == "people"
        assert [link.text for link in shown.all("a")] == ["Clear all", "Remove filter Austin"]


class TestPaging:
    def test_shows_only_the_ways_there_are(self, snippet: Render) -> None:
        shown = snippet("navigation", "{{ c.pagination(older_url='/older', text='1 to 25') }}")

        assert [link.attrs["rel"] for link in shown.all("a")] == ["next"]
        assert "1 to 25" in shown.text

    def test_one_page_needs_no_paging(self, snippet: Render) -> None:
        assert snippet("navigation", "{{ c.pagination() }}").children == []


class TestCharts:
    def test_a_funnel_gives_numbers_and_shares_in_words(self, snippet: Render) -> None:
        steps = [
            {"label": "Started", "value": 2000},
            {"label": "Sent", "value": 500},
            {"label": "Fit", "value": 0},
        ]

        shown = snippet("figures", "{{ c.funnel('Way', steps) }}", steps=steps)

        assert [line.text for line in shown.by_class("line")] == [
            "Started 2,000",
            "Sent 500 25% of the step before",
            "Fit 0 0% of the step before",
        ]
        assert [bar.attrs["width"] for bar in shown.by_class("mark-1")] == ["100.0", "25.0", "0.0"]

    def test_a_funnel_of_nothing_is_still_a_chart(self, snippet: Render) -> None:
        steps = [{"label": "Started", "value": 0}, {"label": "Sent", "value": 0}]

        shown = snippet("figures", "{{ c.funnel('Way', steps) }}", steps=steps)

        assert [bar.attrs["width"] for bar in shown.by_class("mark-1")] == ["0.0", "0.0"]

    def test_a_bar_chart_has_title_description_and_table(self, snippet: Render) -> None:
        bars = [{"label": "Week 1", "value": 8}, {"label": "Week 2", "value": 21}]

        shown = snippet(
            "figures", "{{ c.bar_chart('Referrals', bars, 'r', goal=18, column='Week') }}", bars=bars
        )

        drawing = shown.one("svg", role="img")
        assert drawing.one("title").text == "Referrals"
        assert drawing.one("desc").text == "Week 1: 8; Week 2: 21"
        assert [cell.text for cell in shown.all("td")] == ["8", "21"]
        assert [mark.text for mark in shown.by_class("scale")[0].all("span")] == ["30", "15", "0"]
        assert [bar.attrs["height"] for bar in shown.by_class("mark-1")] == ["53.3", "140.0"]

    @pytest.mark.parametrize(
        ("highest", "top"), [(0, "2"), (1, "2"), (9, "10"), (11, "20"), (100, "100"), (1840, "2,000")]
    )
    def test_a_scale_ends_at_a_round_number(self, snippet: Render, highest: int, top: str) -> None:
        shown = snippet("figures", "{{ c.bar_chart('X', bars, 'x') }}", bars=[{"label": "A", "value": highest}])

        assert shown.by_class("scale")[0].all("span")[0].text == top

    @pytest.mark.parametrize(
        ("values", "points"),
        [([1, 2], "0.0,15.0 100.0,0.0"), ([5], "0,0.0"), ([0, 0], "0.0,30.0 100.0,30.0")],
    )
    def test_a_sparkline_starts_at_nought(self, snippet: Render, values: list[int], points: str) -> None:
        shown = snippet("figures", "{{ c.sparkline(values, 'New') }}", values=values)

        assert shown.one("polyline").attrs["points"].split() == points.split()
        assert shown.one("title").text == f"New: from {values[0]} to {values[-1]}"

    @pytest.mark.parametrize(
        ("value", "words"), [(15, ""), (16, "Nearly full"), (19, "Nearly full"), (20, "Full"), (23, "Full")]
    )
    def test_a_meter_warns_at_80_and_at_100_percent(self, snippet: Render, value: int, words: str) -> None:
        shown = snippet("figures", "{{ c.meter('Cohort A', value, 20) }}", value=value)

        assert shown.text == f"Cohort A {value} of 20 {words}".strip()
        assert float(shown.by_class("mark-1")[0].attrs["width"]) <= 100

    def test_a_limit_of_nought_is_full(self, snippet: Render) -> None:
        assert "Full" in snippet("figures", "{{ c.meter('Cohort A', 0, 0) }}").text

    def test_a_code_stands_beside_the_address_to_type(self, snippet: Render) -> None:
        shown = snippet("figures", "{{ c.qr_figure(svg, 'go.example.org/knee') }}", svg=Markup("<svg></svg>"))

        assert shown.one("svg").inside("figure")
        assert "go.example.org/knee" in shown.one("figcaption").text

    def test_a_tile_is_a_link_only_with_an_address(self, snippet: Render) -> None:
        shown = snippet("figures", "{{ c.stat_tile('New', 4) }}{{ c.stat_tile('New', 4, url='/new?a=1&b=2') }}")

        assert [tile.tag for tile in shown.by_class("tile")] == ["div", "a"]
        assert shown.one("a").attrs["href"] == "/new?a=1&b=2"
