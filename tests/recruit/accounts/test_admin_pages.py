import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts import queries, service
from recruit.accounts.models import Account, AccountStatus, LoginSession, Role
from recruit.accounts.policy import Permit
from recruit.db import Database, found
from recruit.ids import new_id
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_site, make_study

LINK = re.compile(r"http://localhost(/staff/(?:invitation|reset)/[\w-]+)")


@pytest.fixture
def ana(database: Database) -> Account:
    with database.transaction(actor="test") as session:
        return make_account(session, Role.ADMIN, name="Ana Ortiz")


@pytest.fixture
def admin(app: Flask, ana: Account) -> FlaskClient:
    return signed_in(app, ana, at=NOON)


def invite(admin: FlaskClient, **fields: object) -> tuple[int, str]:
    """Invite Lee as a recruiter; give status and place."""
    answer = admin.post(
        "/staff/admin/staff/invite",
        data={"email": "lee@example.org", "name": "Lee Park", "role": ["recruiter"], **fields},
    )
    return answer.status_code, answer.headers.get("Location", answer.text)


class TestInvite:
    def test_shows_the_link_once(self, admin: FlaskClient, client: FlaskClient) -> None:
        _, place = invite(admin)

        first, second = admin.get(place).text, admin.get(place).text
        link = LINK.search(first)

        assert link is not None
        assert client.get(link[1]).status_code == 200
        assert LINK.search(second) is None

    def test_the_link_is_not_shown_on_another_account_s_page(self, admin: FlaskClient, ana: Account) -> None:
        invite(admin)

        assert LINK.search(admin.get(f"/staff/admin/staff/{ana.id}").text) is None

    def test_gives_several_roles_for_one_site(self, admin: FlaskClient, database: Database) -> None:
        with database.transaction(actor="test") as session:
            site = make_site(session, name="Austin")

        invite(admin, role=["recruiter", "auditor", "recruiter"], site_id=str(site.id))

        with database.reading() as session:
            account = queries.account_of(session, "lee@example.org")
            assert account is not None
            held = {(grant.role, grant.site) for grant in queries.held(session, account.id)}
        assert held == {(Role.RECRUITER, "Austin"), (Role.AUDITOR, None)}

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"email": "lee"}, "Enter an email address"),
            ({"email": "lee@example.org\x00"}, "Use only letters"),
            ({"email": "x" * 300}, "at most 254"),
            ({"name": ""}, "Enter a name"),
            ({"name": "x" * 500}, "at most 120"),
            ({"role": []}, "at least one role"),
            ({"role": ["owner"]}, "Select a role"),
            ({"site_id": "1"}, "Select one from the list"),
            ({"site_id": "00000000-0000-4000-8000-000000000000"}, "Select a site from the list"),
            ({"study_id": "\x00"}, "Use only letters"),
            ({"study_id": "00000000-0000-4000-8000-000000000000"}, "Select a study from the list"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, admin: FlaskClient, database: Database, fields: dict[str, object], words: str
    ) -> None:
        status, page = invite(admin, **fields)

        assert status == 422
        assert words in page
        assert "name" in fields or "Lee Park" in page
        with database.reading() as session:
            assert queries.numbers(session)[AccountStatus.INVITED] == 0

    def test_takes_nothing_but_its_own_fields(self, admin: FlaskClient, database: Database) -> None:
        columns = dict.fromkeys((column.name for column in Account.__table__.columns), "1")

        invite(admin, **{**columns, "password_hash": "x", "status": "active", "auth_epoch": "9"})

        with database.reading() as session:
            account = queries.account_of(session, "lee@example.org")
        assert account is not None
        assert (account.status, account.password_hash, account.auth_epoch) == (AccountStatus.INVITED, None, 1)


class TestStaff:
    def test_lists_each_status_by_name(self, admin: FlaskClient, database: Database) -> None:
        with database.transaction(actor="test") as session:
            make_account(session, Role.RECRUITER, Role.MARKETER, name="Bo Li")
        invite(admin)

        active = admin.get("/staff/admin/staff").text
        invited = admin.get("/staff/admin/staff?status=invited").text
        odd = admin.get("/staff/admin/staff?status=%00").text

        assert active.index("Ana Ortiz") < active.index("Bo Li")
        assert "Recruiter, Marketer" in active
        assert "Lee Park" in invited
        assert "Bo Li" not in invited
        assert "Bo Li" in odd
        assert "Nobody here" in admin.get("/staff/admin/staff?status=deactivated").text


class TestMember:
    def test_roles_are_given_and_ended(self, admin: FlaskClient, database: Database) -> None:
        with database.transaction(actor="test") as session:
            bo, study = make_account(session), make_study(session, nickname="KNEE-1")
        page = f"/staff/admin/staff/{bo.id}"

        given = admin.post(f"{page}/grants", data={"role": "marketer", "study_id": str(study.id)})
        shown = admin.get(page).text
        with database.reading() as session:
            (held,) = queries.held(session, bo.id)
        ended = admin.post(f"{page}/grants/{held.id}/end")

        assert (given.status_code, ended.status_code) == (303, 303)
        assert "The role is given" in shown
        assert "KNEE-1" in shown
        with database.reading() as session:
            assert queries.held(session, bo.id) == []

    def test_an_admin_stays_signed_in_who_takes_one_more_role(self, admin: FlaskClient, ana: Account) -> None:
        answer = admin.post(f"/staff/admin/staff/{ana.id}/grants", data={"role": "coordinator"})

        assert "The role is given" in admin.get(answer.headers["Location"]).text

    def test_an_admin_who_gives_the_role_up_lands_on_an_open_page(
        self, admin: FlaskClient, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor="test") as session:
            make_account(session, Role.ADMIN)
            (held,) = queries.held(session, ana.id)

        answer = admin.post(f"/staff/admin/staff/{ana.id}/grants/{held.id}/end")
        landed = admin.get(answer.headers["Location"], follow_redirects=True)

        assert landed.status_code == 200
        assert admin.get("/staff/admin/staff").status_code == 403

    def test_the_last_administrator_keeps_the_role_and_reads_why(
        self, admin: FlaskClient, database: Database, ana: Account
    ) -> None:
        with database.reading() as session:
            (held,) = queries.held(session, ana.id)

        answer = admin.post(f"/staff/admin/staff/{ana.id}/grants/{held.id}/end")

        assert answer.status_code == 422
        assert "This is the last administrator" in answer.text

    def test_a_role_that_is_none_is_refused(self, admin: FlaskClient, ana: Account) -> None:
        for data in ({}, {"role": "god"}, {"role": "admin"}, {"role": "recruiter", "site_id": "x"}):
            answer = admin.post(f"/staff/admin/staff/{ana.id}/grants", data=data)
            assert answer.status_code == 422
            assert "There is a problem" in answer.text

    def test_a_reset_shows_its_link_once(
        self, admin: FlaskClient, client: FlaskClient, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.RECRUITER)

        answer = admin.post(f"/staff/admin/staff/{bo.id}/link")
        link = LINK.search(admin.get(answer.headers["Location"]).text)

        assert link is not None
        assert link[1].startswith("/staff/reset/")
        assert b"Choose a new password" in client.get(link[1]).data

    def test_deactivates_and_brings_back(self, admin: FlaskClient, database: Database) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.RECRUITER)
        page = f"/staff/admin/staff/{bo.id}"

        admin.post(f"{page}/deactivate")
        gone = admin.get(page).text
        refused = admin.post(f"{page}/link")
        admin.post(f"{page}/reactivate")
        back = admin.get(page).text

        assert "The account is deactivated" in gone
        assert "Give a role" not in gone
        assert refused.status_code == 422
        assert LINK.search(back)
        assert admin.post(f"{page}/reactivate").status_code == 422

    def test_oneself_cannot_be_deactivated(self, admin: FlaskClient, database: Database, ana: Account) -> None:
        answer = admin.post(f"/staff/admin/staff/{ana.id}/deactivate")

        assert answer.status_code == 422
        assert "your own account" in answer.text
        with database.reading() as session:
            assert found(session, Account, ana.id).status is AccountStatus.ACTIVE


class TestSessions:
    def test_lists_who_is_signed_in_and_ends_one(
        self, app: Flask, admin: FlaskClient, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.RECRUITER, name="Bo Li")
        theirs = signed_in(app, bo, at=NOON)
        with database.reading() as session:
            query = sa.select(LoginSession.id).where(LoginSession.account_id == bo.id)
            key = session.execute(query).scalar_one()

        listed = admin.get("/staff/admin/sessions").text
        answer = admin.post(f"/staff/admin/staff/{bo.id}/sessions/{key}/end", data={"from": "all"})

        assert "Bo Li" in listed
        assert answer.headers["Location"] == "/staff/admin/sessions"
        assert theirs.get("/staff/me").status_code == 303
        assert "Bo Li" not in admin.get("/staff/admin/sessions").text

    def test_a_session_under_another_account_is_not_found(
        self, admin: FlaskClient, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor="test") as session:
            bo = make_account(session, Role.RECRUITER)
            key = session.execute(sa.select(LoginSession.id)).scalar_one()

        assert admin.post(f"/staff/admin/staff/{bo.id}/sessions/{key}/end").status_code == 404
        assert admin.post(f"/staff/admin/staff/{new_id()}/sessions/end").status_code == 404
        assert admin.get("/staff/me").status_code == 200


class TestCommands:
    def test_the_first_administrator_comes_in_by_a_link(
        self, app: Flask, client: FlaskClient, database: Database
    ) -> None:
        made = app.test_cli_runner().invoke(
            args=["users", "invite", "ana@example.org", "--name", "Ana Ortiz", "--role", "admin"]
        )
        link = LINK.search(made.output)
        assert link is not None

        client.post(link[1], data={"password": "violet gravel teapot orbit"})
        client.post(
            "/staff/sign-in", data={"email": "ana@example.org", "password": "violet gravel teapot orbit"}
        )

        assert client.get("/staff/admin/staff").status_code == 200

    def test_a_fresh_installation_has_no_account(self, database: Database) -> None:
        with database.reading() as session:
            assert sum(queries.numbers(session).values()) == 0

    def test_a_lost_password_is_reset_by_a_link(self, app: Flask, ana: Account, database: Database) -> None:
        with database.reading() as session:
            email = queries.member(session, ana.id).email

        made = app.test_cli_runner().invoke(args=["users", "link", email.upper()])

        assert "/staff/reset/" in made.output

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["invite", "ana", "--name", "Ana", "--role", "admin"], "Enter an email address"),
            (["invite", "a@example.org", "--name", "Ana", "--role", "god"], "Invalid value"),
            (["invite", "lee@example.org", "--name", "Lee", "--role", "admin"], "already an account"),
            (["link", "nobody@example.org"], "no account"),
        ],
    )
    def test_say_what_is_wrong(self, app: Flask, database: Database, arguments: list[str], words: str) -> None:
        permits = (Permit(Role.RECRUITER, None, None),)
        with database.transaction(actor="test") as session:
            service.invite(session, email="lee@example.org", name="Lee", permits=permits, at=NOON)

        made = app.test_cli_runner().invoke(args=["users", *arguments])

        assert made.exit_code != 0
        assert words in made.output

    def test_list_names_address_status_and_roles(self, app: Flask, ana: Account) -> None:
        made = app.test_cli_runner().invoke(args=["users", "list"])

        assert "active  admin" in made.output
