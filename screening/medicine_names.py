"""From a name as somebody wrote it to the ATC codes that it may mean.

Exact and tidied names only: capitals, accents, strengths, salts and forms do
not matter ("Metformin hydrochloride 500 MG Oral Tablet"), spelling does.
Nothing is guessed; a name that is not in the tables means nothing here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from screening.facts import Code
from screening.medicines import (
    DrugGroup,
    Formulary,
    Medicine,
    Name,
    Named,
    NameKind,
    packaged_formulary,
)
from screening.terms import ATC, EITHER

_UNIT: Final = "mg|mcg|ug|g|ml|l|meq|mmol|iu|units?|unt|u|actuat|hrs?|hours?|days?|%"
_AMOUNT: Final = rf"\d+(?:[.,]\d+)*\s*-?\s*(?:{_UNIT})"
_PER: Final = rf"\s*/\s*(?:\d+(?:[.,]\d+)*\s*)?(?:{_UNIT}|dose|spray)"
_STRENGTH: Final = re.compile(rf"(?<![\w.]){_AMOUNT}(?:{_PER}(?!\w))?(?!\w)")
_APPLICATION: Final = re.compile(r"\bnda\d+\b|\(usp\)")
_BRAND: Final = re.compile(r"\[([^\]]+)\]")
_JOINED: Final = re.compile(r"\s*(?:/|\+|,|\band\b|\bwith\b|\by\b|\bcon\b)\s*")
_APOSTROPHES: Final = re.compile("['\u2019]")
_OTHER_SIGNS: Final = re.compile(r"[^0-9a-z]+")


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_FORMS: Final[Mapping[str, frozenset[str]]] = {
    "oral": _words(
        "oral tablet tablets tab tabs capsule capsules caplet caplets pill pills chewable",
        "tableta tabletas pastilla pastillas capsula capsulas",
    ),
    "injection": _words(
        "injection injectable injections injected syringe infusion intravenous iv subcutaneous sc",
        "intramuscular im shot injector autoinjector pen vial inyeccion inyectable",
    ),
    "inhaled": _words("inhaler inhaled inhalation inhalant nebulizer nebulized hfa aerosol inhalador inhalado"),
    "nasal": _words("nasal intranasal"),
    "skin": _words("topical cream ointment gel lotion foam shampoo skin crema pomada unguento topico topica"),
    "patch": _words("patch patches transdermal parche parches"),
    "eye": _words("ophthalmic eye eyedrops ocular intravitreal oftalmico"),
    "ear": _words("otic ear"),
    "vaginal": _words("vaginal intravaginal"),
    "rectal": _words("rectal suppository suppositories enema supositorio"),
    "mouth": _words("buccal sublingual lozenge lozenges"),
    "implant": _words("implant implante"),
    "intrauterine": _words("intrauterine intrauterino"),
}
_ROUTE_OF: Final = {form: route for route, forms in _FORMS.items() for form in forms}
_SILENT: Final = _words(
    "extended release er xr sr xl cr la dr ec ir delayed immediate modified sustained prolonged",
    "abuse deterrent metered dose dry powder solution suspension syrup liquid drops prefilled auto system",
    "product disintegrating drug intravenosa",
    "odt usp mucosal spray pack therapy medication medicine treatment use low high daily",
    "de liberacion prolongada solucion jarabe tratamiento",
)
_SALTS: Final = _words(
    "hydrochloride hydrocholoride hcl hydrobromide sodium potassium calcium magnesium sulfate sulphate",
    "tartrate succinate maleate fumarate mesylate besylate tosylate acetate citrate phosphate nitrate bromide",
    "chloride bitartrate disodium monohydrate anhydrous propionate dipropionate hyclate macrocrystals",
    "pamoate gluconate",
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name may mean: one of these codes, and nobody knows which.

    `denied` is what a "no" to the name surely rules out. `is_shared`: several
    medicines bear the name, and people mean only one.
    """

    kind: NameKind
    of: tuple[Named, ...]
    codes: tuple[str, ...]
    denied: tuple[Code, ...]
    is_shared: bool = False

    @property
    def affirmed(self) -> Code:
        """The code of a statement by somebody who takes it: one of the possible codes."""
        return Code(ATC, EITHER.join(self.codes))

    @property
    def wanted(self) -> tuple[Code, ...]:
        """The codes of a criterion that names it: any of them."""
        return tuple(Code(ATC, code) for code in self.codes)

    @property
    def is_complete(self) -> bool:
        """Whether the codes are all that the name covers; where not, a criterion says "such as"."""
        return all(named.is_complete for named in self.of if isinstance(named, DrugGroup))


class Names:
    """The names of a formulary, looked up without regard to capitals, accents and signs."""

    def __init__(self, formulary: Formulary) -> None:
        self._formulary = formulary
        self._index: dict[str, list[Name]] = {}
        self._combinations: dict[frozenset[str], list[Name]] = {}
        for name in formulary.names():
            self._index.setdefault(tidy(name.text), []).append(name)
        for medicine in formulary.medicines:
            parts = _JOINED.split(medicine.name)
            if len(parts) > 1:
                whole = Name(medicine.name, NameKind.GENERIC, medicine, medicine.codes)
                self._combinations.setdefault(self._ingredients(parts), []).append(whole)

    def find(self, text: str, *, route: str | None = None) -> Meaning | None:
        """Look a name up; a route, given or read from the form, leaves fewer codes.

        A route is one of the words in the table: "hydrocortisone cream" is
        not the tablet. Where a name stands for several medicines, all are given.
        """
        lowered = text.casefold()
        exact = self._at(tidy(text))
        if exact:
            return self._meaning(exact, route)
        brand = _BRAND.search(lowered)
        if brand is not None and (branded := self._at(tidy(brand[1]))):
            return self._meaning(branded, route)
        rest = _BRAND.sub(" ", lowered)
        words, read = _without_forms(rest)
        found = self._at(" ".join(words)) or self._saltless(words) or self._joined(rest)
        if not found:
            return None
        return self._meaning(found, route or read, is_partial=_STRENGTH.search(rest) is not None)

    def _at(self, tidied: str) -> list[Name]:
        """Give the names written like this, in the singular or the plural."""
        forms = (tidied, tidied.removesuffix("s"), tidied.removesuffix("es"), f"{tidied}s", f"{tidied}es")
        return next((self._index[form] for form in forms if form in self._index), []) if tidied else []

    def _saltless(self, words: Sequence[str]) -> list[Name]:
        """Find an ingredient by its name without its salt: losartan by "losartan potassium".

        "Zinc acetate" is no other zinc: only what is an ingredient's own name counts.
        """
        found = self._at(" ".join(word for word in words if word not in _SALTS))
        return [n for n in found if n.kind is NameKind.GENERIC and isinstance(n.of, Medicine)]

    def _joined(self, text: str) -> list[Name]:
        """Find a combination by its ingredients, in whatever order."""
        split = [_without_forms(part)[0] for part in _JOINED.split(_unmeasured(text))]
        parts = [" ".join(words) for words in split if words]
        if len(parts) < 2:
            return []
        return self._combinations.get(self._ingredients(parts), [])

    def _ingredients(self, parts: Iterable[str]) -> frozenset[str]:
        """Give the parts of a combination by the names that the table gives them."""
        return frozenset(self._ingredient(tidy(part)) for part in parts)

    def _ingredient(self, tidied: str) -> str:
        named = self._at(tidied) or self._saltless(tidied.split())
        found = {name.of.name for name in named if isinstance(name.of, Medicine)}
        return found.pop() if len(found) == 1 else tidied

    def _meaning(self, found: Sequence[Name], route: str | None, *, is_partial: bool = False) -> Meaning:
        """Join what a name may mean; a name with a strength is denied without its ingredient."""
        first = min(found, key=lambda name: list(NameKind).index(name.kind))
        codes = tuple(dict.fromkeys(code for name in found for code in _narrowed(name, route)))
        of = tuple(dict.fromkeys(name.of for name in found))
        is_shared = len(of) > 1
        deniable = first.kind is NameKind.GENERIC and not is_shared and not is_partial
        return Meaning(
            first.kind, of, codes, self._denied(of[0], codes) if deniable else (), is_shared=is_shared
        )

    def _denied(self, named: Named, codes: tuple[str, ...]) -> tuple[Code, ...]:
        """Give what a "no" surely rules out: not a code that it shares with other medicines.

        Classes are left to the questions, which declare what their "no" denies:
        "no antidepressant" is said by people who take amitriptyline to sleep.
        """
        if not isinstance(named, Medicine):
            return ()
        return tuple(Code(ATC, code) for code in codes if not self._formulary.is_shared(code))


@cache
def packaged_names() -> Names:
    """Give the names of the formulary that comes with the package."""
    return Names(packaged_formulary())


def tidy(text: str) -> str:
    """Write a name without capitals, accents and signs, single spaces between the words."""
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text.casefold()))
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _OTHER_SIGNS.sub(" ", plain).strip()


def _narrowed(name: Name, route: str | None) -> tuple[str, ...]:
    """Leave the codes of a medicine's name that go with a route."""
    if route is None or not isinstance(name.of, Medicine):
        return name.codes
    fitting = name.of.by_route(route)
    return tuple(code for code in name.codes if code in fitting) or name.codes


def _unmeasured(text: str) -> str:
    return _APPLICATION.sub(" ", _STRENGTH.sub(" ", text))


def _without_forms(text: str) -> tuple[list[str], str | None]:
    """Take strengths and forms out of a name, and read the route from the forms.

    Forms that disagree ("nasal spray tablet") tell no route.
    """
    words = tidy(_unmeasured(text)).split()
    routes = {_ROUTE_OF[word] for word in words if word in _ROUTE_OF}
    kept = [word for word in words if word not in _ROUTE_OF and word not in _SILENT]
    return kept, routes.pop() if len(routes) == 1 else None
