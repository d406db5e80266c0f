"""A snapshot keeps what was held, in a folder for its owner only, and opens as it was saved."""

from __future__ import annotations

import stat
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.errors import InvalidSnapshot
from screening.facts import Code, Denial, EvidenceSource, Facts, Quantity, Statement, StatementStatus
from screening.intervals import DateRange, DecimalRange
from screening.language.lowering import lower
from screening.language.protocol import Protocol
from screening.language.questions import Resolver
from screening.planes import archive
from screening.planes.archive import ARRAYS, MANIFEST, read_archive, write_archive
from screening.planes.columns import Snapshot, build_snapshot, open_snapshot, save_snapshot
from screening.planes.ledger import everybody, write_ledger
from screening.planes.pool import Changes, Pool, changes
from screening.terms import ICD10CM, PrefixTerms
from screening.vocabulary import packaged_vocabulary
from tests.screening import histories
from tests.screening.people import TERMS, TODAY, VOCABULARY, make_fact, noted_all


def snapshot_of(*people: Facts) -> Snapshot:
    """Make a snapshot of people."""
    return build_snapshot(enumerate(people), on=TODAY, vocabulary=VOCABULARY, terms=TERMS)


ANA = noted_all(
    {"hba1c": "7.2 % @laboratory 2026-11-01", "sex": "female", "condition.heart": "I21 past on 2019-03"}
)


class TestLedger:
    @given(st.lists(histories.people, max_size=5))
    def test_facts_come_back_as_they_were_but_for_their_words(self, people: list[Facts]) -> None:
        ledger = write_ledger(enumerate(people))

        for slot, back in everybody(ledger):
            assert list(back) == list(people[slot])

    def test_what_was_retracted_is_not_kept(self) -> None:
        wrong = make_fact("weight", Quantity(DecimalRange(None, None), "kg"))
        facts = Facts([wrong, make_fact("weight", None, retracts=wrong.id)])

        ledger = write_ledger([(0, facts)])

        assert len(ledger) == 0
        assert list(ledger.facts(0)) == []

    def test_words_as_entered_stay_outside(self) -> None:
        facts = Facts([make_fact("sex", Denial(()), raw="what somebody typed")])

        assert next(iter(write_ledger([(0, facts)]).facts(0))).raw == ""

    def test_people_may_come_in_any_order_but_once(self) -> None:
        ledger = write_ledger([(9, ANA), (2, Facts())])

        assert ledger.slots.tolist() == [2, 9]
        assert list(ledger.facts(9)) == [fact for fact in ANA if not fact.raw] or len(ledger.facts(9)) == len(
            ANA
        )
        assert list(ledger.facts(3)) == []
        with pytest.raises(ValueError, match="one person"):
            write_ledger([(2, ANA), (2, ANA)])
        with pytest.raises(ValueError, match="negative"):
            write_ledger([(-1, ANA)])

    def test_only_the_facts_of_the_keys_asked_for_are_read(self) -> None:
        ledger = write_ledger([(0, ANA)])

        assert {fact.key for fact in ledger.facts(0, {"sex", "hba1c"})} == {"sex", "hba1c"}


class TestColumns:
    def test_the_newest_stands_for_older_ones_and_says_that_they_are_there(self) -> None:
        facts = noted_all({"hba1c": ["7 % @laboratory 2026-01-01", "8 % @laboratory 2026-11-01"]})

        column = snapshot_of(facts).columns["hba1c"]

        assert column.distinct[column.value[0] - 1] == Quantity(DecimalRange.point(Decimal(8)), "%")
        assert column.history[0] == 1
        assert column.hard[0] == 0

    def test_two_values_of_one_day_are_hard(self) -> None:
        facts = noted_all({"hba1c": ["7 % @laboratory 2026-01-01", "8 % @record 2026-01-01"]})

        column = snapshot_of(facts).columns["hba1c"]

        assert column.value[0] == 0
        assert column.hard[0] == 1

    def test_numbers_are_compared_exactly(self) -> None:
        facts = noted_all({"creatinine": "0.3 mg/dL @laboratory"})
        column = snapshot_of(facts).columns["creatinine"]

        measure = column.measure("mg/dL", VOCABULARY["creatinine"])

        assert measure.marks == [Fraction(3, 10)]
        assert measure.first(lambda number: number >= Fraction(0.1 + 0.2)) == 2

    def test_a_list_that_spares_what_was_affirmed_is_one_pattern_for_all(self) -> None:
        def lister(*codes: str) -> Facts:
            held = [Code(ICD10CM, code) for code in codes]
            said = [make_fact("condition.any", Statement(code, StatementStatus.EVER)) for code in held]
            return Facts([*said, make_fact("condition.any", Denial((Code(ICD10CM, "*"),), but=tuple(held)))])

        denials = snapshot_of(lister("E11"), lister("I21", "J45"), lister()).postings.denials

        assert len(denials) == 1
        assert denials[0].pattern.spares
        assert denials[0].slots.tolist() == [0, 1, 2]


class TestFolder:
    def test_a_snapshot_opens_as_it_was_saved(self, tmp_path: Path) -> None:
        held = snapshot_of(ANA, Facts(), noted_all({"vaping": "no"}))

        save_snapshot(held, tmp_path / "pool")
        opened = open_snapshot(tmp_path / "pool", terms=TERMS)

        assert (opened.version, opened.built_on, opened.people, opened.vocabulary) == (
            held.version,
            TODAY,
            3,
            VOCABULARY.version,
        )
        assert not any(column.value.flags.writeable for column in opened.columns.values())

    @given(histories.protocols(), st.lists(histories.people, max_size=4))
    def test_what_was_opened_judges_as_what_was_saved(
        self, tmp_path_factory: pytest.TempPathFactory, protocol: Protocol, people: list[Facts]
    ) -> None:
        folder = tmp_path_factory.mktemp("pools") / "pool"
        held, lowered = snapshot_of(*people), lower(protocol, resolver=Resolver(VOCABULARY, TERMS))
        save_snapshot(held, folder)

        results = [
            Pool(snapshot, terms=TERMS).judge(lowered, on=TODAY, vocabulary=VOCABULARY)
            for snapshot in (held, open_snapshot(folder, terms=TERMS))
        ]

        assert changes(*results) == Changes((), (), (), ())

    def test_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        folder = tmp_path / "pool"

        save_snapshot(snapshot_of(ANA), folder)

        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    def test_a_folder_that_is_there_is_not_written_over(self, tmp_path: Path) -> None:
        with pytest.raises(FileExistsError):
            save_snapshot(snapshot_of(ANA), tmp_path)

    def test_what_is_no_snapshot_of_this_engine_is_refused(self, tmp_path: Path) -> None:
        class OtherTerms(PrefixTerms):
            version = "other"

        save_snapshot(snapshot_of(ANA), tmp_path / "pool")

        with pytest.raises(InvalidSnapshot, match="no snapshot"):
            open_snapshot(tmp_path, terms=TERMS)
        with pytest.raises(InvalidSnapshot, match="terms"):
            open_snapshot(tmp_path / "pool", terms=OtherTerms())
        with pytest.raises(InvalidSnapshot, match="vocabulary"):
            open_snapshot(tmp_path / "pool", terms=TERMS, vocabulary=packaged_vocabulary())
        arrays, told = read_archive(tmp_path / "pool")
        write_archive(tmp_path / "newer", arrays, {**told, "format": 99})
        with pytest.raises(InvalidSnapshot, match="format 99"):
            open_snapshot(tmp_path / "newer", terms=TERMS)

    def test_a_folder_cut_short_is_refused(self, tmp_path: Path) -> None:
        for name in (MANIFEST, ARRAYS):
            folder = tmp_path / f"without-the-end-of-{name}"
            save_snapshot(snapshot_of(ANA), folder)
            whole = (folder / name).read_bytes()

            (folder / name).write_bytes(whole[: len(whole) // 2])

            with pytest.raises(InvalidSnapshot):
                open_snapshot(folder, terms=TERMS)

    def test_a_manifest_changed_by_hand_is_refused(self, tmp_path: Path) -> None:
        save_snapshot(snapshot_of(ANA), tmp_path / "pool")
        manifest = tmp_path / "pool" / MANIFEST

        manifest.write_text(manifest.read_text().replace('"people":1', '"people":2'))

        with pytest.raises(InvalidSnapshot, match="another manifest"):
            open_snapshot(tmp_path / "pool", terms=TERMS)

    def test_what_could_not_be_written_whole_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "no space left")

        monkeypatch.setattr(archive, "_write_manifest", full)

        with pytest.raises(OSError, match="no space"):
            save_snapshot(snapshot_of(ANA), tmp_path / "pool")

        assert list(tmp_path.iterdir()) == []

    def test_the_version_follows_what_is_held(self) -> None:
        versions = {snapshot_of(*people).version for people in ((ANA,), (ANA, Facts()), (Facts(), ANA), (ANA,))}

        assert len(versions) == 3


def test_days_open_at_one_end_stay_open() -> None:
    facts = Facts(
        [
            make_fact(
                "sex", Denial(()), observed=DateRange(None, date(2026, 1, 1)), source=EvidenceSource.RECORD
            ),
            make_fact("sex", Denial(()), observed=DateRange(date(2026, 1, 1), None)),
        ]
    )

    back = list(write_ledger([(5, facts)]).facts(5))

    assert [fact.observed for fact in back] == [fact.observed for fact in facts]
    assert np.all(np.array([fact.source.rank for fact in back]) == [1, 4])
