"""One question a page: errors, changes, two windows, stale pages, minors, urgent answers."""

import pytest
import sqlalchemy as sa
from flask import Flask

from recruit.clock import FixedClock
from recruit.db import Database
from recruit.intake import drafts
from recruit.intake.models import Draft, DraftStatus
from recruit.keys import DataKey, Owner
from tests.conftest import NOON
from tests.factories import OpenStudy
from tests.recruit.web.public.asked import CANARY, asked
from tests.recruit.web.public.visitor import FITTING, Fields, Visitor, ask_instead
from tests.web_components.dom import parse

ANSWERS: dict[str, Fields] = {
    "age": {"answer": "40"},
    CANARY: {"answer": "yes"},
    "packs": {"answer": "1"},
    "outdoors": {"answer": "yes"},
    "feelings": {"answer": "never"},
    "words": {"answer": "Nothing else"},
}


def kept(database: Database) -> dict[str, str]:
    """Give the answers of the one draft, hidden ones too, as what was typed or chosen."""
    with database.reading() as session:
        opened = drafts.open_draft(session, session.scalars(sa.select(Draft)).one())
        return {
            item: str(getattr(answer, "raw", "") or ",".join(getattr(answer, "codes", ())))
            for item, answer in opened.answers.items()
        }


@pytest.fixture
def eva(app: Flask, study: OpenStudy, database: Database) -> Visitor:
    """Give somebody before the questionnaire with branches."""
    ask_instead(database, study, asked())
    return Visitor(app.test_client(), study.study.slug)


class TestErrors:
    def test_says_what_is_missing_in_the_documents_own_words(self, eva: Visitor) -> None:
        eva.begin().send(ANSWERS["age"])

        eva.send({})

        assert eva.status == 422
        assert eva.errors == [f"Select yes if you have {CANARY}"]
        assert eva.page.one("title").text.startswith("Error: ")

    def test_gives_back_what_was_typed(self, eva: Visitor) -> None:
        eva.begin()

        eva.send({"answer": "forty <b>"})

        assert eva.errors == ["Enter an age in whole years, like 52"]
        assert eva.page.one("input", id="answer").attrs["value"] == "forty <b>"

    def test_asks_whether_an_unusual_value_is_right(self, eva: Visitor, database: Database) -> None:
        eva.begin().send(ANSWERS["age"]).send(ANSWERS[CANARY])
        eva.send({"answer": "60"})
        assert eva.errors == ["You entered 60. Is that right?"]
        box = eva.page.one("input", id="confirmed")

        eva.send({"answer": "60", "confirmed": box.attrs["value"]})

        assert kept(database)["packs"] == "60"

    @pytest.mark.parametrize(
        "who", [{}, {"who": "cared_for"}, {"who": "\x00"}, {"who": "self' --"}, {"other": "self"}]
    )
    def test_asks_again_whom_it_is_for(self, eva: Visitor, who: Fields) -> None:
        eva.get(f"/en/studies/{eva.slug}").send({})

        eva.send(who)

        assert (eva.status, eva.errors) == (422, ["Select who you are answering for"])

    @pytest.mark.parametrize("number", ["0", "7", "999", "1e1", "-1", "\u0661", "9" * 60, "%00", "age"])
    def test_an_unknown_question_is_not_found(self, eva: Visitor, number: str) -> None:
        eva.begin()

        assert eva.get(f"/en/questions/{number}").status == 404


class TestPath:
    def test_follows_the_branch_and_drops_what_is_hidden(self, eva: Visitor, database: Database) -> None:
        eva.begin().answer(ANSWERS)
        eva.get("/en/questions/2?check=1")

        eva.send({"answer": "no"})
        eva.send({"answer": "yes"})

        assert eva.path == "/en/questions/check"
        asked_now = [row.text for row in eva.page.all("dt")]
        assert "Is it outdoors?" in asked_now
        assert "What packs?" not in asked_now
        assert kept(database)["packs"] == "1", "a hidden answer stays, in case the branch opens again"

    def test_a_change_leads_straight_back(self, eva: Visitor) -> None:
        eva.begin().answer(ANSWERS)
        link = next(a for a in eva.page.all("a") if "How old are you?" in a.text)

        eva.get(link.attrs["href"]).send({"answer": "41"})

        assert eva.path == "/en/questions/check"
        assert "41" in eva.page.text

    def test_asks_in_the_words_for_a_child(self, eva: Visitor) -> None:
        eva.begin(who="child").send({"answer": "9"})

        assert eva.heading == f"Does your child have {CANARY}?"

    def test_answers_about_somebody_else_are_forgotten(self, eva: Visitor, database: Database) -> None:
        eva.begin().send(ANSWERS["age"])

        eva.get("/en/questions/start").send({"who": "child"})

        assert kept(database) == {}

    def test_says_how_far_one_is(self, eva: Visitor) -> None:
        eva.begin()
        assert "Question 1 of about 5" in eva.page.text

        eva.send(ANSWERS["age"]).send(ANSWERS[CANARY])

        assert "Question 3 of about 5" in eva.page.text

    def test_a_page_too_far_ahead_leads_to_the_first_open_question(self, eva: Visitor) -> None:
        eva.begin()

        assert eva.get("/en/questions/5").path == "/en/questions/1"
        assert eva.get("/en/questions/check").path == "/en/questions/1"
        assert eva.get("/en/questions/result").path == "/en/questions/1"

    def test_an_answer_off_the_path_is_not_kept(self, eva: Visitor, database: Database) -> None:
        eva.begin().send(ANSWERS["age"])

        eva.post("/en/questions/3", {"answer": "2", "revision": "999999999"})

        assert eva.path == "/en/questions/2"
        assert "packs" not in kept(database)


class TestComingBack:
    def test_goes_on_at_the_first_open_question(self, eva: Visitor) -> None:
        eva.begin().send(ANSWERS["age"])

        eva.get("/en/questions/")

        assert eva.path == "/en/questions/2"

    def test_starting_again_goes_on_instead(self, eva: Visitor, database: Database) -> None:
        eva.begin().send(ANSWERS["age"])

        eva.get(f"/en/studies/{eva.slug}").send({})

        assert eva.path == "/en/questions/2"
        with database.reading() as session:
            assert len(session.scalars(sa.select(Draft)).all()) == 1

    def test_without_a_draft_there_is_a_clear_page(self, ana: Visitor) -> None:
        for path in ("", "start", "1", "check", "result", "help"):
            assert ana.get(f"/en/questions/{path}").status == 410
            assert ana.heading == "Your answers are no longer here"
        for path in ("contact", "code", "thank-you"):
            assert ana.get(f"/en/{path}").status == 410

    def test_a_forged_cookie_opens_nothing(self, ana: Visitor) -> None:
        with ana.client.session_transaction() as cookie:
            cookie["draft"] = ["not", "a", "token"]

        assert ana.get("/en/questions/1").status == 410


class TestTwoWindows:
    def test_a_stale_page_never_overwrites_a_newer_answer(self, eva: Visitor, database: Database) -> None:
        eva.begin()
        stale = eva.hidden()
        eva.send({"answer": "40"})
        eva.get("/en/questions/1").send({"answer": "41"})

        eva.post("/en/questions/1", {**stale, "answer": "39"})

        assert kept(database)["age"] == "41"

    def test_a_double_tap_does_no_harm(self, eva: Visitor, database: Database) -> None:
        eva.begin()
        form = {**eva.hidden(), "answer": "40"}

        first, second = eva.post("/en/questions/1", form).path, eva.post("/en/questions/1", form).path

        assert first == second == "/en/questions/2"

    def test_a_page_of_other_questions_is_recognised(self, eva: Visitor, database: Database) -> None:
        eva.begin()
        old = eva.hidden()
        eva.client.post("/en/questions/stop")
        eva.begin()

        eva.post("/en/questions/1", {**old, "answer": "77"})

        assert eva.status == 409
        assert "began again" in eva.page.text

    @pytest.mark.parametrize("revision", ["", "-1", "x", "9" * 40, "\u0661\u0662", "NaN"])
    def test_a_page_without_a_revision_counts_as_the_oldest(
        self, eva: Visitor, database: Database, revision: str
    ) -> None:
        eva.begin().send({"answer": "40"})

        eva.post("/en/questions/1", {"answer": "41", "revision": revision})

        assert kept(database)["age"] == "40"


class TestStopping:
    def test_forgets_answers_and_key_at_once(self, eva: Visitor, database: Database) -> None:
        eva.begin().answer(ANSWERS)

        eva.post("/en/questions/stop")

        assert eva.heading == "Your answers are deleted"
        with database.reading() as session:
            draft = session.scalars(sa.select(Draft)).one()
            owners = session.scalars(sa.select(DataKey.owner_kind)).all()
        assert (draft.status, draft.answers_sealed) == (DraftStatus.STOPPED, None)
        assert Owner.DRAFT not in owners
        assert eva.get("/en/questions/1").status == 410

    def test_is_offered_on_every_page_of_the_way(self, eva: Visitor) -> None:
        eva.begin().answer(ANSWERS).send({})

        for path, html in eva.seen:
            if "/questions/" in path:
                assert parse(html).all("form", action="/en/questions/stop"), path

    def test_without_a_draft_does_no_harm(self, ana: Visitor) -> None:
        assert ana.post("/en/questions/stop").status == 200


class TestMinors:
    def test_who_says_so_is_asked_to_fetch_a_parent(self, eva: Visitor, database: Database) -> None:
        eva.get(f"/en/studies/{eva.slug}").send({})

        eva.send({"who": "minor"})

        assert "Please fetch a parent" in eva.page.text
        self.require_nothing_kept(database)

    def test_who_gives_such_an_age_is_asked_to_fetch_a_parent(self, eva: Visitor, database: Database) -> None:
        eva.begin()

        eva.send({"answer": "17"})

        assert "Please fetch a parent" in eva.page.text
        self.require_nothing_kept(database)
        assert eva.get("/en/questions/").status == 410

    def test_a_parent_answers_for_a_child(self, eva: Visitor) -> None:
        eva.begin(who="child")

        assert eva.send({"answer": "17"}).path == "/en/questions/2"

    def require_nothing_kept(self, database: Database) -> None:
        with database.reading() as session:
            assert session.scalars(sa.select(Draft.answers_sealed)).one() is None
            assert Owner.DRAFT not in session.scalars(sa.select(DataKey.owner_kind)).all()


class TestUrgentAnswers:
    def test_show_whom_to_call_and_end_the_questions(self, eva: Visitor) -> None:
        eva.begin().answer({**ANSWERS, "feelings": {"answer": "often"}})

        assert eva.path == "/en/questions/help"
        assert "Call 988 now." in eva.page.text
        assert eva.page.all("a", href="tel:988")
        for path in ("6", "check", "result"):
            assert eva.get(f"/en/questions/{path}").path == "/en/questions/help"

    def test_a_slip_of_the_finger_can_be_put_right(self, eva: Visitor) -> None:
        eva.begin().answer({**ANSWERS, "feelings": {"answer": "often"}})
        link = next(a for a in eva.page.all("a") if "by mistake" in a.text)

        eva.get(link.attrs["href"]).send({"answer": "never"})

        assert eva.path == "/en/questions/6"


class TestPages:
    def test_titles_and_addresses_hold_no_health_word(self, eva: Visitor) -> None:
        eva.begin().answer(ANSWERS).send({})

        after_start = [(path, html) for path, html in eva.seen if "/studies/" not in path]
        for path, html in after_start:
            title = parse(html).one("title").text.lower()
            for word in (CANARY, "breath", "smok", "packs", "feelings", eva.slug):
                assert word not in path.lower()
                assert word not in title

    def test_every_page_is_whole(self, ana: Visitor, luz: Visitor) -> None:
        for visitor in (ana, luz):
            visitor.get(visitor.url("/"))
            for name in ("about", "privacy", "accessibility", "cookies"):
                visitor.get(visitor.url(f"/{name}"))
            visitor.begin()
            visitor.send({})
            visitor.answer(FITTING).send({})
            visitor.get(visitor.url("/contact")).send({})
            visitor.get(visitor.url(f"/studies/{visitor.slug}/contact")).send({})

        for visitor in (ana, luz):
            for path, html in visitor.seen:
                require_whole(path, html, visitor.language)

    def test_answers_are_never_cached(self, ana: Visitor) -> None:
        ana.begin()

        answer = ana.client.get("/en/questions/1")

        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"

    def test_the_cookie_holds_the_token_and_nothing_else(self, ana: Visitor) -> None:
        ana.begin().answer(FITTING)

        with ana.client.session_transaction() as cookie:
            assert set(cookie) == {"draft"}


def require_whole(path: str, html: str, language: str) -> None:
    """Check what every page owes its reader."""
    page = parse(html)
    ids = [element.attrs["id"] for element in page.walk() if "id" in element.attrs]
    labels = {label.attrs.get("for") for label in page.all("label")}
    assert page.one("html").attrs["lang"] == language, path
    assert page.one("html").attrs["dir"] == "ltr", path
    assert len(page.all("h1")) == 1, path
    assert len(ids) == len(set(ids)), (path, sorted(i for i in ids if ids.count(i) > 1))
    for field in page.all("input", "textarea", "select"):
        if field.attrs.get("type") != "hidden":
            assert field.attrs["id"] in labels, (path, field.attrs)
    for summary in page.by_class("error-summary"):
        for link in summary.all("a"):
            assert link.attrs["href"].removeprefix("#") in ids, (path, link.attrs["href"])
    for described in (e for e in page.walk() if "aria-describedby" in e.attrs):
        assert set(described.attrs["aria-describedby"].split()) <= set(ids), path
    assert (
        page.one("title").text.startswith("Error: ") == bool(page.by_class("error-summary")) or language != "en"
    ), path


class TestTime:
    def test_an_answer_keeps_the_day_on_which_it_was_given(
        self, eva: Visitor, database: Database, clock: FixedClock
    ) -> None:
        clock.move_to(NOON)

        eva.begin().send({"answer": "40"})

        with database.reading() as session:
            opened = drafts.open_draft(session, session.scalars(sa.select(Draft)).one())
        assert opened.answers["age"].on == NOON.date()
