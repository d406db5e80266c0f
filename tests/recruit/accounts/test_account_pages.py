from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts import passwords, queries, service
from recruit.accounts.models import Account, LoginSession, Role
from recruit.accounts.policy import Permit
from recruit.clock import FixedClock
from recruit.db import Database, found
from recruit.ids import new_id
from recruit.web.account import safe_path
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_site

PASSWORD = "violet gravel teapot orbit"
NEW_PASSWORD = "quartz lantern mosaic fig"


@pytest.fixture(scope="module")
def stored() -> str:
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def ana(database: Database, stored: str) -> Account:
    with database.transaction(actor="test") as session:
        return make_account(
            session, Role.ADMIN, name="Ana Ortiz", email="ana@example.org", password_hash=stored
        )


def sign_in(client: FlaskClient, *, password: str = PASSWORD, **fields: str) -> tuple[int, str]:
    """Post the sign-in form; give status and place."""
    answer = client.post("/staff/sign-in", data={"email": "ana@example.org", "password": password, **fields})
    return answer.status_code, answer.headers.get("Location", "")


def copy_of(client: FlaskClient, app: Flask) -> FlaskClient:
    """Give a second browser with the first one's cookies, as a thief would have them."""
    thief = app.test_client()
    with client.session_transaction() as cookie:
        copied = dict(cookie)
    with thief.session_transaction() as cookie:
        cookie.update(copied)
    return thief


def is_in(client: FlaskClient) -> bool:
    """Say whether a browser is signed in."""
    return client.get("/staff/me").status_code == 200


class TestSignInPage:
    def test_leads_to_the_first_page_the_role_opens(self, client: FlaskClient, ana: Account) -> None:
        status, place = sign_in(client)

        assert (status, is_in(client)) == (303, True)
        assert client.get(place).status_code == 200

    def test_leads_back_to_where_somebody_wanted_to_go(self, client: FlaskClient, ana: Account) -> None:
        asked = client.get("/staff/admin/trail?table=account")
        form = client.get(asked.headers["Location"])

        _, place = sign_in(client, next="/staff/admin/trail?table=account")

        assert b'name="next" value="/staff/admin/trail?table=account"' in form.data
        assert place == "/staff/admin/trail?table=account"

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/x",
            "//evil.example/x",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/x\r\nSet-Cookie: a=b",
            "/\tx",
            "http:///evil.example",
            "/" + "x" * 3000,
            "//[",
            "",
        ],
    )
    def test_never_leads_away_from_us(self, client: FlaskClient, ana: Account, target: str) -> None:
        _, place = sign_in(client, next=target)

        assert safe_path(target) == ""
        assert place.startswith("/staff/")

    def test_says_the_same_of_a_wrong_password_and_of_nobody(self, client: FlaskClient, ana: Account) -> None:
        wrong = client.post("/staff/sign-in", data={"email": "ana@example.org", "password": "no"})
        nobody = client.post("/staff/sign-in", data={"email": "bob@example.org", "password": "no"})

        assert wrong.status_code == nobody.status_code == 422
        assert wrong.data.replace(b"ana@", b"bob@") == nobody.data
        assert wrong.headers == nobody.headers

    def test_says_wait_after_ten_wrong_tries_for_somebody_and_nobody(
        self, client: FlaskClient, ana: Account, clock: FixedClock
    ) -> None:
        for _ in range(10):
            sign_in(client, password="no")

        locked = sign_in(client)
        clock.move_to(NOON + timedelta(minutes=5))

        assert locked[0] == 429
        assert sign_in(client)[0] == 303

    def test_asks_for_what_is_missing(self, client: FlaskClient) -> None:
        answer = client.post("/staff/sign-in", data={"email": " ", "password": ""})

        assert answer.status_code == 422
        assert b"Enter your email address" in answer.data
        assert b"Enter your password" in answer.data

    @pytest.mark.parametrize("text", ["\x00", "\ud800", "a" * 60_000, "' OR 1=1 --", "ana@example.org\x00"])
    def test_survives_hostile_input(self, client: FlaskClient, text: str) -> None:
        data = {
            "email": text.encode("utf-8", "surrogatepass"),
            "password": text.encode("utf-8", "surrogatepass"),
        }

        assert client.post("/staff/sign-in", data={**data, "next": data["email"]}).status_code in (413, 422)

    def test_refuses_a_post_from_another_site(self, client: FlaskClient, ana: Account) -> None:
        answer = client.post(
            "/staff/sign-in",
            data={"email": "ana@example.org", "password": PASSWORD},
            headers={"Sec-Fetch-Site": "cross-site"},
        )

        assert answer.status_code == 422
        assert not is_in(client)

    def test_starts_the_session_anew(self, client: FlaskClient, app: Flask, ana: Account) -> None:
        sign_in(client)
        thief = copy_of(client, app)

        sign_in(client)

        assert is_in(client)
        assert not is_in(thief)

    def test_sends_somebody_signed_in_on(self, client: FlaskClient, ana: Account) -> None:
        sign_in(client)

        assert client.get("/staff/sign-in").status_code == 303

    def test_brings_the_account_s_look_to_the_browser(
        self, client: FlaskClient, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor="test") as session:
            service.set_preferences(session, ana.id, language="es", theme="dark", shortcuts=False)

        sign_in(client)
        page = client.get("/staff/me").data

        assert b'data-theme="dark"' in page
        assert b'data-shortcuts="off"' in page
        assert b'lang="es"' in page


class TestEndOfASession:
    """Whatever ends a session ends it for a copied cookie too, with the next request."""

    def test_sign_out(self, app: Flask, ana: Account) -> None:
        client = signed_in(app, ana, at=NOON)
        thief = copy_of(client, app)

        answer = client.post("/staff/sign-out")

        assert answer.headers["Location"] == "/staff/sign-in"
        assert b"You are signed out" in client.get("/staff/sign-in").data
        assert not is_in(client)
        assert not is_in(thief)

    def test_ended_on_the_own_page(self, app: Flask, database: Database, ana: Account) -> None:
        here, lost = signed_in(app, ana, at=NOON), signed_in(app, ana, at=NOON)
        thief = copy_of(lost, app)

        here.post("/staff/me/sessions/end-others")

        assert is_in(here)
        assert not is_in(lost)
        assert not is_in(thief)

    def test_one_ended_on_the_own_page(self, app: Flask, database: Database, ana: Account) -> None:
        client = signed_in(app, ana, at=NOON)
        thief = copy_of(client, app)
        with database.reading() as session:
            key = session.execute(sa.select(LoginSession.id)).scalar_one()

        answer = client.post(f"/staff/me/sessions/{key}/end")

        assert answer.headers["Location"] == "/staff/sign-in"
        assert not is_in(thief)

    def test_ended_by_an_admin(self, app: Flask, database: Database, ana: Account) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.RECRUITER)
        theirs = signed_in(app, bo, at=NOON)
        admin = signed_in(app, ana, at=NOON)

        admin.post(f"/staff/admin/staff/{bo.id}/sessions/end")

        assert not is_in(theirs)
        assert is_in(admin)

    def test_deactivated(self, app: Flask, database: Database, ana: Account) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.RECRUITER)
        theirs = signed_in(app, bo, at=NOON)

        signed_in(app, ana, at=NOON).post(f"/staff/admin/staff/{bo.id}/deactivate")

        assert not is_in(theirs)

    def test_password_changed(self, app: Flask, ana: Account) -> None:
        client = signed_in(app, ana, at=NOON)
        thief = copy_of(client, app)

        answer = client.post("/staff/me/password", data={"present": PASSWORD, "password": NEW_PASSWORD})

        assert answer.status_code == 303
        assert b"Your password is changed" in client.get("/staff/me").data
        assert not is_in(thief)

    def test_password_reset(self, app: Flask, client: FlaskClient, database: Database, ana: Account) -> None:
        theirs = signed_in(app, ana, at=NOON)
        with database.transaction(actor="test") as session:
            _, token = service.renew_link(session, ana.id, at=NOON)

        client.post(f"/staff/reset/{token}", data={"password": NEW_PASSWORD})

        assert not is_in(theirs)
        assert sign_in(client, password=NEW_PASSWORD)[0] == 303

    def test_role_lost(self, app: Flask, database: Database, ana: Account) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.AUDITOR)
            (held,) = queries.held(session, bo.id)
        theirs = signed_in(app, bo, at=NOON)

        signed_in(app, ana, at=NOON).post(f"/staff/admin/staff/{bo.id}/grants/{held.id}/end")

        assert theirs.get("/staff/admin/trail").status_code == 303
        assert not is_in(theirs)

    def test_role_gained(self, app: Flask, database: Database, ana: Account) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.RECRUITER)
        theirs = signed_in(app, bo, at=NOON)

        signed_in(app, ana, at=NOON).post(f"/staff/admin/staff/{bo.id}/grants", data={"role": "auditor"})

        assert not is_in(theirs)

    def test_one_place_more_counts_from_the_next_request_on(
        self, app: Flask, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor="test") as session:
            first, second = make_site(session, name="Austin"), make_site(session, name="Miami")
            bo = make_account(session, Role.RECRUITER, site_id=first.id)
        theirs = signed_in(app, bo, at=NOON)
        before = theirs.get("/staff/me").data

        with database.transaction(actor="test") as session:
            service.give(session, bo.id, Permit(Role.RECRUITER, second.id, None), at=NOON)

        assert b"Miami" not in before
        assert b"Miami" in theirs.get("/staff/me").data

    @pytest.mark.parametrize("passed", [timedelta(minutes=30), timedelta(hours=13)])
    def test_idle_and_expired(
        self, app: Flask, client: FlaskClient, ana: Account, clock: FixedClock, passed: timedelta
    ) -> None:
        sign_in(client)

        clock.move_to(NOON + passed)

        assert not is_in(client)

    def test_expired_although_used_all_day(
        self, app: Flask, client: FlaskClient, ana: Account, clock: FixedClock
    ) -> None:
        sign_in(client)

        quarters = []
        for quarter in range(1, 49):
            clock.move_to(NOON + timedelta(minutes=15 * quarter))
            quarters.append(is_in(client))

        assert quarters == [True] * 47 + [False]


class TestOneTimeLink:
    @pytest.fixture
    def token(self, database: Database) -> str:
        permits = (Permit(Role.AUDITOR, None, None),)
        with database.transaction(actor="test") as session:
            _, token = service.invite(
                session, email="lee@example.org", name="Lee Park", permits=permits, at=NOON
            )
        return token

    def test_leads_from_invitation_to_the_first_page(self, client: FlaskClient, token: str) -> None:
        welcome = client.get(f"/staff/invitation/{token}")
        answer = client.post(f"/staff/invitation/{token}", data={"password": NEW_PASSWORD})
        signing_in = client.get(answer.headers["Location"])
        entered = client.post("/staff/sign-in", data={"email": "lee@example.org", "password": NEW_PASSWORD})

        assert b"Welcome, Lee Park" in welcome.data
        assert b"Your password is set" in signing_in.data
        assert entered.headers["Location"] == "/staff/studies"

    def test_is_not_used_up_by_looking_at_it(self, client: FlaskClient, token: str) -> None:
        for _ in range(3):
            assert client.get(f"/staff/invitation/{token}").status_code == 200

    def test_works_once(self, client: FlaskClient, token: str) -> None:
        client.post(f"/staff/invitation/{token}", data={"password": NEW_PASSWORD})

        again = client.post(f"/staff/invitation/{token}", data={"password": PASSWORD})

        assert again.status_code == 404
        assert b"does not work any more" in again.data
        assert client.get(f"/staff/invitation/{token}").status_code == 404

    @pytest.mark.parametrize("password", ["", "short", "passwordpassword", "lee park lee park 1", "q" * 300])
    def test_survives_a_password_that_is_not_taken(
        self, client: FlaskClient, token: str, password: str
    ) -> None:
        refused = client.post(f"/staff/invitation/{token}", data={"password": password})

        assert refused.status_code == 422
        assert b"There is a problem" in refused.data
        assert client.post(f"/staff/invitation/{token}", data={"password": NEW_PASSWORD}).status_code == 303

    @pytest.mark.parametrize("made_up", ["x", "%00", "%ED%A0%80", "x" * 3000, "..", "%F0%9F%92%A9"])
    def test_that_is_made_up_is_not_found(self, client: FlaskClient, made_up: str) -> None:
        for page in ("invitation", "reset"):
            assert client.get(f"/staff/{page}/{made_up}").status_code == 404
            assert client.post(f"/staff/{page}/{made_up}", data={"password": PASSWORD}).status_code == 404

    def test_opened_by_an_admin_signs_the_admin_out(self, app: Flask, ana: Account, token: str) -> None:
        browser = signed_in(app, ana, at=NOON)
        thief = copy_of(browser, app)

        answer = browser.post(f"/staff/invitation/{token}", data={"password": NEW_PASSWORD})

        assert b"Your password is set" in browser.get(answer.headers["Location"]).data
        assert not is_in(browser)
        assert not is_in(thief)


class TestOwnPage:
    def test_shows_name_roles_and_browsers(self, app: Flask, ana: Account) -> None:
        page = signed_in(app, ana, at=NOON).get("/staff/me").text

        assert "Ana Ortiz" in page
        assert "Administrator" in page
        assert "This one" in page

    def test_stores_preferences(self, app: Flask, database: Database, ana: Account) -> None:
        client = signed_in(app, ana, at=NOON)

        client.post("/staff/me/preferences", data={"language": "es", "theme": "light"})
        page = client.get("/staff/me").text

        with database.reading() as session:
            account = found(session, Account, ana.id)
        assert (account.language, account.theme, account.shortcuts) == ("es", "light", False)
        assert 'data-theme="light"' in page
        assert 'data-shortcuts="off"' in page

    @pytest.mark.parametrize(
        "data", [{"language": "xx", "theme": "dark"}, {"language": "en", "theme": "\x00"}, {}]
    )
    def test_refuses_preferences_there_are_not(self, app: Flask, ana: Account, data: dict[str, str]) -> None:
        answer = signed_in(app, ana, at=NOON).post("/staff/me/preferences", data=data)

        assert answer.status_code == 422

    def test_asks_for_the_present_password(self, app: Flask, ana: Account) -> None:
        client = signed_in(app, ana, at=NOON)

        wrong = client.post("/staff/me/password", data={"present": "no", "password": NEW_PASSWORD})
        weak = client.post("/staff/me/password", data={"present": PASSWORD, "password": "ana ortiz ana ortiz"})
        missing = client.post("/staff/me/password", data={})

        assert (wrong.status_code, weak.status_code, missing.status_code) == (422, 422, 422)
        assert b"That is not your present password" in wrong.data
        assert b"easy to guess" in weak.data
        assert is_in(client)

    def test_does_not_end_a_session_of_somebody_else(
        self, app: Flask, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.RECRUITER)
        theirs, mine = signed_in(app, bo, at=NOON), signed_in(app, ana, at=NOON)
        with database.reading() as session:
            query = sa.select(LoginSession.id).where(LoginSession.account_id == bo.id)
            key: UUID = session.execute(query).scalar_one()

        assert mine.post(f"/staff/me/sessions/{key}/end").status_code == 404
        assert mine.post(f"/staff/me/sessions/{new_id()}/end").status_code == 404
        assert is_in(theirs)
