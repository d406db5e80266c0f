from __future__ import annotations

from recruit.interop.eligibility import drafts
from recruit.studies.amending import amended
from screening.language.criteria import SiteOnly
from screening.language.notation import parse_rule
from screening.language.protocol import Criterion, CriterionKind, Protocol
from tests.recruit.interop.records import TEXT, make_record, make_record_of


def _protocol(text: str) -> Protocol:
    return drafts(make_record_of(text))


def _by_text(protocol: Protocol) -> dict[str, Criterion]:
    return {criterion.text: criterion for criterion in protocol.criteria}


def _worked_on(protocol: Protocol) -> Protocol:
    """Confirm every text as a rule or a site's check, with plain words."""
    rule = parse_rule("condition in (J45)")
    criteria = tuple(
        one.model_copy(
            update={"rule": rule if "Asthma" in one.text else SiteOnly(text=one.text), "wording": {"en": "!"}}
        )
        if one.rule is None
        else one
        for one in protocol.criteria
    )
    return protocol.model_copy(update={"criteria": criteria})


class TestAmended:
    def test_keeps_lineage_rule_and_wording_where_the_words_stayed(self) -> None:
        base = _protocol(TEXT)
        ours, theirs = (
            _worked_on(base),
            _protocol(TEXT.replace("Stroke last year", "Stroke ever, or a heart attack")),
        )

        made = amended(ours, base=base, theirs=theirs)

        before, after = _by_text(ours)["Asthma for a year"], _by_text(made)["Asthma for a year"]
        assert (after.lineage, after.rule, after.wording) == (before.lineage, before.rule, before.wording)

    def test_a_criterion_whose_words_changed_keeps_its_lineage_and_is_text_again(self) -> None:
        base = _protocol(TEXT)
        ours, theirs = _worked_on(base), _protocol(TEXT.replace("Asthma for a year", "Asthma for two years"))

        made = amended(ours, base=base, theirs=theirs)

        after = _by_text(made)["Asthma for two years"]
        assert after.lineage == _by_text(ours)["Asthma for a year"].lineage
        assert after.rule is None
        assert after.wording == {}

    def test_takes_what_the_registry_added_and_drops_what_it_removed(self) -> None:
        base = _protocol(TEXT)
        theirs = _protocol(TEXT.replace("* Signed consent", "* Able to walk a mile every day"))

        made = amended(_worked_on(base), base=base, theirs=theirs)

        assert "Able to walk a mile every day" in _by_text(made)
        assert "Signed consent" not in _by_text(made)

    def test_keeps_what_a_coordinator_added_and_leaves_out_what_they_took_out(self) -> None:
        base = _protocol(TEXT)
        own = Criterion(id="cown", lineage="cown", kind=CriterionKind.EXCLUSION, text="Works at the site")
        kept = tuple(one for one in base.criteria if one.text != "Signed consent")
        ours = base.model_copy(update={"criteria": (*kept, own)})

        made = amended(ours, base=base, theirs=_protocol(TEXT.replace("Stroke last year", "Epilepsy")))

        assert "Works at the site" in _by_text(made)
        assert "Signed consent" not in _by_text(made)

    def test_follows_the_registrys_ages(self) -> None:
        base = drafts(make_record())
        theirs = drafts(make_record({"eligibilityModule.minimumAge": "21 Years"}))

        made = amended(base, base=base, theirs=theirs)

        age = next(one for one in made.criteria if one.id == "age")
        assert age.lineage == "age"
        assert age.rule == next(one for one in theirs.criteria if one.id == "age").rule

    def test_the_same_record_gives_the_same_criteria(self) -> None:
        base = _protocol(TEXT)
        ours = _worked_on(base)

        made = amended(ours, base=base, theirs=base)

        assert made == ours
