"""Code sets: within, overlap, and the difference between the two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.facts import Code
from screening.terms import ATC, EVERYTHING, ICD10CM, CodeSet, PrefixTerms

TERMS = PrefixTerms()
LEAVES = [
    f"{letter}{digits}{more}" for letter in "CE" for digits in ("10", "11", "44") for more in ("", ".0", ".65")
]
roots = st.sampled_from(["E10", "E11", "E11.6", "E11.65", "C44", "E10-E11", "C00-E10", EVERYTHING])
root_lists = st.lists(roots, max_size=3)


def icd(*codes: str, but: tuple[str, ...] = ()) -> CodeSet:
    """Make a set of ICD-10-CM codes."""
    return CodeSet.of(TERMS, [Code(ICD10CM, code) for code in codes], [Code(ICD10CM, code) for code in but])


def below(code: str, root: str) -> bool:
    """Say by spelling whether a code is a root or below it."""
    first, _, last = root.partition("-")
    plain = code.replace(".", "")
    return root == EVERYTHING or (
        first <= plain[:3] <= last if last else plain.startswith(root.replace(".", ""))
    )


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("E11.9", "E11"),
        ("E11.65", "E11.6"),
        ("E119", "E11"),
        ("E11", "E08-E13"),
        ("C7A", "C00-C96"),
        ("I1A.0", "I10-I1A"),
    ],
)
def test_a_code_lies_within_its_ancestors(inner: str, outer: str) -> None:
    assert icd(inner).within(icd(outer))
    assert not icd(outer).within(icd(inner))
    assert icd(outer).overlaps(icd(inner))


def test_medicines_go_by_prefix() -> None:
    metformin = CodeSet.of(TERMS, [Code(ATC, "A10BA02")])

    assert metformin.within(CodeSet.of(TERMS, [Code(ATC, "A10B")]))
    assert not metformin.overlaps(CodeSet.of(TERMS, [Code(ATC, "A10A")]))


def test_systems_do_not_mix() -> None:
    everything = CodeSet.of(TERMS, [Code(ATC, EVERYTHING)])

    assert not icd("A10").overlaps(everything)


def test_an_unknown_system_is_flat() -> None:
    local = CodeSet.of(TERMS, [Code("local", "a")])

    assert not CodeSet.of(TERMS, [Code("local", "ab")]).overlaps(local)
    assert CodeSet.of(TERMS, [Code("local", "a", "2026")]).within(local)


def test_one_or_the_other_overlaps_both_and_lies_within_neither() -> None:
    either = icd("B20+Z21")

    assert either.overlaps(icd("Z21"))
    assert not either.within(icd("Z21"))
    assert either.within(icd("B20", "Z21"))


def test_neighbouring_categories_fill_a_span() -> None:
    assert icd("E10-E11").within(icd("E10", "E11"))


@given(root_lists, root_lists, root_lists)
def test_sets_agree_with_spelling(first: list[str], but: list[str], second: list[str]) -> None:
    left, right = icd(*first, but=tuple(but)), icd(*second)
    members = {c for c in LEAVES if any(below(c, r) for r in first) and not any(below(c, r) for r in but)}
    others = {c for c in LEAVES if any(below(c, r) for r in second)}

    assert all(icd(code).within(left) for code in members if not any(below(b, code) for b in but))
    assert not (left.within(right) and members - others)
    assert left.overlaps(right) or not {c for c in members & others if len(c) > 4}
    assert left.minus(right).is_empty or not left.within(right)
    assert not left.minus(right).overlaps(right)
    assert right.within(left.union(right))


@pytest.mark.parametrize(
    ("system", "code", "wrong"),
    [
        (ICD10CM, "E11.9", False),
        (ICD10CM, "E08-E13", False),
        (ICD10CM, "B20+Z21", False),
        (ICD10CM, EVERYTHING, False),
        (ICD10CM, "11E", True),
        (ICD10CM, "E13-E08", True),
        (ICD10CM, "E11.", True),
        (ATC, "A10BA02", False),
        (ATC, "A10BA2", True),
        ("local", "anything", False),
    ],
)
def test_a_code_that_is_miswritten_is_named(system: str, code: str, wrong: bool) -> None:
    problem = TERMS.problem(Code(system, code))

    assert (problem is not None) is wrong
