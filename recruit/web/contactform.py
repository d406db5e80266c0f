"""The contact form: what it asks, and what was left, with every problem at its field."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from recruit.addresses import clean_line, clean_text, read_email, read_phone
from recruit.contact.models import ContactChannel
from recruit.contact.wordings import purpose_of
from recruit.errors import Invalid
from recruit.intake.service import Consented, Contact
from recruit.people.models import ContactRole, LineType
from recruit.people.service import Identity
from recruit.studies.models import Study
from recruit.studies.nearby import Near
from recruit.web.fields import Problem, said, wrong
from recruit.web.languages import LANGUAGES
from screening.asking.datewords import read_date
from screening.asking.questionnaire import ConsentPurpose, ConsentText, Document
from screening.slips import MESSAGES, Slip
from screening.texts import Respondent

CHANNELS = (ContactChannel.CALL, ContactChannel.SMS, ContactChannel.EMAIL, ContactChannel.POST)
PHONE_CHANNELS = frozenset({"call", "sms"})
PHONE_KINDS = ("mobile", "landline", "shared")
BEST_TIMES = ("any", "morning", "afternoon", "evening")
_TYPED = ("given", "family", "contact_name", "phone", "email", "zip", "key")
_CHOSEN = ("phone_kind", "best_time", "language", "site")
_BOXES = ("birth-month", "birth-day", "birth-year")
_OWN_BOX = frozenset(
    {ConsentPurpose.CHECK_ANSWERS, ConsentPurpose.MEDICAL_RECORDS, ConsentPurpose.CALL_RECORDING}
)
LONGEST_POST = 400
FIELDS = (
    *("contact_name", "given", "family", "phone", "phone_kind", "email", "post", "birth", "zip", "site"),
    *("best_time", "language", "contact", "check_answers", "medical_records", "call_recording"),
    *("voicemail", "registry"),
)
"""The fields in the order of the page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a contact page asks: from whom, in which approved words, and for which sites."""

    respondent: Respondent
    document: Document
    tongue: str
    places: tuple[Near, ...]
    with_registry: bool
    registry_only: bool
    country: str
    version_id: UUID | None = None
    is_short: bool = False

    def words(self, purpose: str) -> str | None:
        """Give the approved words of a consent, where there are any."""
        text = self.consent(purpose)
        return text.text.say(self.tongue, self.respondent) if text else None

    def consent(self, purpose: str) -> ConsentText | None:
        """Find a consent by its purpose."""
        return next((one for one in self.document.consents if one.purpose == purpose), None)

    @property
    def boxes(self) -> list[tuple[str, str]]:
        """List the further consents that have a box of their own, as (field, words).

        What is about answers is asked only of those who gave some.
        """
        found = [
            (one.purpose.value, one.text.say(self.tongue, self.respondent))
            for one in self.document.consents
            if one.purpose in _OWN_BOX and not (self.registry_only or self.is_short)
        ]
        if not self.registry_only and self.words("voicemail"):
            found.append(("voicemail", self.words("voicemail") or ""))
        if self.with_registry:
            found.append(("registry", self.words("registry") or ""))
        return found


@dataclass(frozen=True, slots=True)
class Left:
    """What was left: the values to show again, the problems, and the contact where there are none."""

    values: dict[str, str]
    channels: tuple[str, ...]
    ticked: frozenset[str]
    problems: list[Problem] = field(default_factory=list)
    only_sort: bool = False
    contact: Contact = field(default_factory=lambda: Contact(Identity()))
    consents: tuple[Consented, ...] = ()
    study_site_id: UUID | None = None

    @property
    def wrong(self) -> dict[str, str | None]:
        """Give the problem of each field, and nothing for a field that is right."""
        found = wrong(self.problems)
        return {name: found.get(name) for name in FIELDS}


def offers_registry(study: Study, document: Document) -> bool:
    """Say whether people may be asked to join the registry: the study allows it, and has approved words."""
    return study.registry_allowed and any(one.purpose == "registry" for one in document.consents)


def empty(wanted: Wanted, *, postcode: str = "") -> Left:
    """Give the form as it is first shown; what was answered before need not be typed again."""
    blank = dict.fromkeys((*_TYPED, *_BOXES, *_CHOSEN, "post"), "")
    return Left(blank | {"zip": postcode, "language": wanted.tongue}, (), frozenset())


def read_postcode(typed: str) -> str:
    """Read a ZIP code; four further digits are left away.

    :raises Invalid: it does not have five digits
    """
    digits = clean_line(typed, limit=12).replace(" ", "-").split("-")[0]
    if len(digits) != 5 or not (digits.isascii() and digits.isdigit()):
        raise Invalid("Enter a ZIP code with 5 digits, like 02139", field="zip")
    return digits


def read(form: MultiDict[str, str], wanted: Wanted, *, on: date) -> Left:
    """Read a posted contact form."""
    reader = _Reader(form, wanted, on)
    return reader.left()


class _Reader:
    """One posted form on its way to a contact; problems are collected, not raised."""

    def __init__(self, form: MultiDict[str, str], wanted: Wanted, on: date) -> None:
        self.form, self.wanted, self.on = form, wanted, on
        self.problems: list[Problem] = []
        self.values = {name: self._line(name) for name in (*_TYPED, *_BOXES)}
        self.values["post"] = self._address()
        for name, allowed in (
            ("phone_kind", PHONE_KINDS),
            ("best_time", BEST_TIMES),
            ("language", tuple(LANGUAGES)),
            ("site", tuple(str(near.place.study_site.id) for near in wanted.places)),
        ):
            chosen = form.get(name, "")
            self.values[name] = chosen if chosen in allowed else ""
        offered = {channel.value for channel in CHANNELS}
        self.channels = tuple(dict.fromkeys(c for c in form.getlist("contact") if c in offered))
        self.ticked = frozenset(name for name, _words in wanted.boxes if form.get(name) == "yes")

    def left(self) -> Left:
        """Give what was left."""
        if self.form.get("do") == "near":
            return Left(self.values, self.channels, self.ticked, only_sort=True)
        contact = self._contact()
        self._check_consents(contact)
        if self.problems:
            ordered = sorted(self.problems, key=lambda p: _order(p.field_id))
            return Left(self.values, self.channels, self.ticked, problems=ordered)
        site = self.values["site"]
        return Left(
            self.values,
            self.channels,
            self.ticked,
            contact=contact,
            consents=self._consents(),
            study_site_id=UUID(site) if site else None,
        )

    def _problem(self, name: str, text: str) -> None:
        self.problems.append(Problem(name, text))

    def _line(self, name: str) -> str:
        try:
            return clean_line(self.form.get(name, ""), limit=120)
        except Invalid as error:
            self._problem("birth" if name.startswith("birth") else name, said(error))
            return ""

    def _address(self) -> str:
        try:
            return clean_text(self.form.get("post", ""), limit=LONGEST_POST)
        except Invalid as error:
            self._problem("post", said(error))
            return ""

    def _contact(self) -> Contact:
        phone, country = self._phone()
        email = self._email()
        self._check_names()
        if not (phone or email or self.values["post"]) and not self._has("phone", "email", "post"):
            takes_post = not (self.wanted.registry_only or self.wanted.is_short)
            self._problem(
                "phone",
                _("Leave a phone number, an email address or a postal address")
                if takes_post
                else _("Leave a phone number or an email address"),
            )
        return Contact(
            identity=Identity(given=self.values["given"], family=self.values["family"], birth=self._birth()),
            phone=phone,
            phone_country=country,
            line_type=self._line_type(),
            email=email,
            post=self.values["post"],
            contact_name=self.values["contact_name"],
            role=self._role(),
            postcode=self._postcode(),
            best_time=self.values["best_time"],
            language=self.values["language"] or self.wanted.tongue,
        )

    def _has(self, *names: str) -> bool:
        return any(problem.field_id in names for problem in self.problems)

    def _check_names(self) -> None:
        if not self.values["given"] and not self._has("given"):
            self._problem("given", _("Enter a first name"))
        for_other = self.wanted.respondent is not Respondent.SELF
        if for_other and not self.values["contact_name"] and not self._has("contact_name"):
            self._problem("contact_name", _("Enter your own name"))

    def _phone(self) -> tuple[str, str]:
        if not self.values["phone"]:
            return "", self.wanted.country
        if not self.values["phone_kind"]:
            self._problem("phone_kind", _("Select whether we can text this number"))
        try:
            number = read_phone(self.values["phone"], country=self.wanted.country)
        except Invalid as error:
            self._problem("phone", said(error))
            return "", self.wanted.country
        return number.e164, number.country

    def _line_type(self) -> LineType:
        kinds = {"mobile": LineType.MOBILE, "landline": LineType.LANDLINE}
        return kinds.get(self.values["phone_kind"], LineType.UNKNOWN)

    def _role(self) -> ContactRole:
        if self.wanted.respondent is not Respondent.SELF:
            return ContactRole.GUARDIAN
        return ContactRole.HOUSEHOLD if self.values["phone_kind"] == "shared" else ContactRole.SELF

    def _email(self) -> str:
        if not self.values["email"]:
            return ""
        try:
            return read_email(self.values["email"])
        except Invalid as error:
            self._problem("email", said(error))
            return ""

    def _postcode(self) -> str:
        if not self.values["zip"]:
            return ""
        try:
            return read_postcode(self.values["zip"])
        except Invalid as error:
            self._problem("zip", said(error))
            return ""

    def _birth(self) -> date | None:
        month, day, year = (self.values[box] for box in _BOXES)
        if not (month or day or year):
            return None
        if not day or not month:
            self._problem("birth", _(MESSAGES[Slip.MONTH_MISSING if day else Slip.DAY_MISSING]))
            return None
        reading = read_date(day, month, year)
        if isinstance(reading, Slip):
            self._problem("birth", _(MESSAGES[reading]))
            return None
        born = reading.range.lo
        if born is None or born.year < 1900 or born > self.on:
            self._problem("birth", _(MESSAGES[Slip.UNREAL_DATE]))
            return None
        return born

    def _check_consents(self, contact: Contact) -> None:
        registry_only = self.wanted.registry_only
        if registry_only and "registry" not in self.ticked:
            self._problem("registry", _("Tick the box if you want us to keep your details for other studies"))
        if not self.channels:
            self._problem("contact", _("Select at least one way in which we may contact you"))
        if PHONE_CHANNELS.intersection(self.channels) and not self.values["phone"]:
            self._problem("phone", _("Enter a phone number, or do not select calls and texts"))
        if "sms" in self.channels and self.values["phone_kind"] in ("landline", "shared"):
            self._problem("contact", _("We can text only your own mobile phone. Do not select texts"))
        for channel, name, words in (
            ("email", "email", _("Enter an email address, or do not select email")),
            ("post", "post", _("Enter a postal address, or do not select letters")),
        ):
            if channel in self.channels and not self.values[name] and not self._has(name):
                self._problem(name, words)
        if "voicemail" in self.ticked and "call" not in self.channels:
            self._problem("voicemail", _("Select calls too, or do not select messages on your voicemail"))
        asked = {name for name, _words in self.wanted.boxes}
        if "check_answers" in asked - self.ticked:
            self._problem("check_answers", _("Tick the box so that we may use your answers"))

    def _consents(self) -> tuple[Consented, ...]:
        given = []
        if not self.wanted.registry_only:
            given += [self._consent("contact", ContactChannel(one)) for one in self.channels]
        for name in sorted(self.ticked):
            if name == "registry":
                given += [self._consent(name, ContactChannel(one)) for one in self.channels]
            else:
                given.append(self._consent(name, ContactChannel.VOICEMAIL if name == "voicemail" else None))
        return tuple(given)

    def _consent(self, name: str, channel: ContactChannel | None) -> Consented:
        text = self.wanted.consent(name)
        if text is None:
            raise Invalid("This form has changed. Please load the page again.")
        purpose = purpose_of(text.purpose)
        said, version_id = self.wanted.words(name) or "", self.wanted.version_id
        return Consented(purpose, channel, said, text.version, text.months, version_id)


def _order(name: str) -> int:
    return FIELDS.index(name) if name in FIELDS else len(FIELDS)
