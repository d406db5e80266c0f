"""The table of analytes: every factor worked out again, from formulas and from the literature."""

from __future__ import annotations

import re
import time
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from itertools import permutations

import pytest

from screening import vocabulary
from screening.analytes import COLUMNS, Analyte, Analytes, Scale, packaged_analytes, read_analytes
from screening.assessment.limits import compare
from screening.errors import InvalidUnit, InvalidVocabulary
from screening.facts import Quantity
from screening.intervals import DecimalRange
from screening.language.checks import leaf_problems
from screening.language.criteria import Limits, Number
from screening.language.notation import parse_rule
from screening.terms import PrefixTerms
from screening.units import canonical, convert, convertible, round_half_up
from screening.verdict import Kleene
from screening.vocabulary import KeyKind, Vocabulary, analyte_table, packaged_vocabulary, read_key

TABLE = resources.files("screening").joinpath("data/analytes.csv").read_text("utf-8")
ANALYTES = packaged_analytes()
VOCABULARY = packaged_vocabulary()

WEIGHTS = {
    "H": "1.008", "C": "12.011", "N": "14.007", "O": "15.999", "Mg": "24.305", "P": "30.974", "S": "32.06",
    "Ca": "40.078", "Fe": "55.845", "Co": "58.933", "I": "126.90",
}  # fmt: skip
"""Abridged standard atomic weights, IUPAC 2021 (doi:10.1515/pac-2019-0603)."""

FORMULAS = {
    "glucose": "C6H12O6",
    "beta_hydroxybutyrate": "C4H8O3",
    "lactate": "C3H6O3",
    "ammonia": "NH3",
    "creatinine": "C4H7N3O",
    "urea_nitrogen": "N2",
    "urate": "C5H4N4O3",
    "bilirubin": "C33H36N4O6",
    "iron": "Fe",
    "vitamin_b12": "C63H88CoN14O14P",
    "folate": "C19H19N7O6",
    "vitamin_d": "C27H44O2",
    "calcium": "Ca",
    "magnesium": "Mg",
    "phosphate": "P",
    "cholesterol": "C27H46O",
    "triglycerides": "C57H104O6",
    "thyroxine": "C15H11I4NO4",
    "triiodothyronine": "C15H12I3NO4",
    "cortisol": "C21H30O5",
    "testosterone": "C19H28O2",
    "estradiol": "C18H24O2",
    "progesterone": "C21H30O2",
    "dhea_s": "C19H28O5S",
    "aldosterone": "C21H28O5",
    "cotinine": "C10H12N2O",
    "phenylalanine": "C9H11NO2",
}
CHARGES = {"sodium": 1, "potassium": 1, "chloride": 1, "bicarbonate": 1, "calcium": 2, "magnesium": 2}
MULTIPLIED = {
    # From the canonical unit: what tables of conversion print, to the digits that they print.
    ("hemoglobin", "mmol/L"): "0.6206",
    ("c_peptide", "nmol/L"): "0.331",
    ("c_peptide", "pmol/L"): "331",
    ("pth", "pmol/L"): "0.106",
    ("acth", "pmol/L"): "0.220",
    ("igf_1", "nmol/L"): "0.131",
    ("amh", "pmol/L"): "7.14",
    ("bnp", "pmol/L"): "0.289",
    ("nt_probnp", "pmol/L"): "0.118",
    ("pao2", "kPa"): "0.1333",
    ("paco2", "kPa"): "0.1333",
}
RENAMED = {"{INR}", "[pH]", "{cells}/uL", "mg/g{creat}", "[arb'U]/mL", "k[arb'U]/L"}
"""Another way to write the same number: the factor is that of the unit without its annotation."""
EXPONENTS = {"k": 3, "": 0, "d": -1, "m": -3, "u": -6, "n": -9, "p": -12}
MASS_OR_AMOUNT = re.compile(r"([munp]?)(g|mol|eq)/([dmu]?)(L|g|mol)(?:\{creat\})?")


def molar_mass(formula: str) -> Fraction:
    """Add up the atomic weights of a formula."""
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    return sum((Fraction(WEIGHTS[symbol]) * int(count or 1) for symbol, count in parts), Fraction(0))


def moles(unit: str, substance: str) -> Fraction | None:
    """Say how many moles, by litre or gram, one of a unit is; nothing where it is no such unit."""
    match = MASS_OR_AMOUNT.fullmatch(unit)
    if match is None:
        return None
    above, what, below, by = match.groups()
    scale = Fraction(10) ** (EXPONENTS[above] - EXPONENTS[below])
    if by == "mol":
        scale /= molar_mass(FORMULAS[substance])
    if what == "g":
        return scale / molar_mass(FORMULAS[substance])
    return scale / CHARGES[substance] if what == "eq" else scale


def scales() -> list[tuple[Analyte, Scale]]:
    return [(analyte, scale) for analyte in ANALYTES for scale in analyte.scales]


def key_of(name: str) -> vocabulary.Key:
    return VOCABULARY[name]


class TestFactors:
    @pytest.mark.parametrize("substance", [*FORMULAS, *(one for one in CHARGES if one not in FORMULAS)])
    def test_a_factor_between_mass_amount_and_charge_is_that_of_the_formula(self, substance: str) -> None:
        checked = 0
        for analyte in ANALYTES:
            if analyte.substance != substance or (substance == "creatinine" and analyte.unit == "mg/g"):
                continue
            base = moles(analyte.unit, substance) if substance in FORMULAS else Fraction(1, 1000)
            assert base is not None
            for scale in analyte.scales:
                there = moles(scale.unit, substance)
                assert there is not None, scale.unit
                assert (scale.factor, scale.offset) == (there / base, Fraction(0)), (analyte.key, scale.unit)
                checked += scale.factor != 1 or scale.unit != analyte.unit

        assert checked

    @pytest.mark.parametrize("name", ["uacr", "upcr"])
    def test_a_ratio_to_creatinine_turns_by_the_mass_of_creatinine_alone(self, name: str) -> None:
        scale = ANALYTES[name].scale("mg/mmol")

        assert scale.factor == 1 / (molar_mass("C4H7N3O") / 1000)
        assert ANALYTES[name].scale("mg/mmol{creat}").factor == scale.factor

    def test_without_a_substance_the_factors_are_those_of_the_units_alone(self) -> None:
        for analyte, scale in scales():
            if analyte.substance is None:
                zero, one = (convert(Fraction(n), scale.unit, analyte.unit) for n in (0, 1))
                assert (one - zero, zero) == (scale.factor, scale.offset), (analyte.key, scale.unit)

    def test_what_no_formula_gives_is_the_factor_of_the_literature(self) -> None:
        for (name, unit), printed in MULTIPLIED.items():
            digits = len(printed.partition(".")[2])
            multiplied = 1 / ANALYTES[name].scale(unit).factor

            assert round_half_up(multiplied, digits) == Fraction(printed), (name, unit)

    def test_every_factor_has_one_of_these_checks(self) -> None:
        for analyte, scale in scales():
            told = analyte.substance in FORMULAS or analyte.substance in CHARGES or analyte.substance is None
            same = scale.unit in RENAMED or analyte.substance in ("blood_cells", "arbitrary")
            known = (analyte.key, scale.unit) in MULTIPLIED or analyte.substance == "hba1c"
            plain = convertible(scale.unit, analyte.unit)
            assert told or same or known or plain, (analyte.key, scale.unit)
            if plain and analyte.substance not in (None, "hba1c"):
                assert convert(Fraction(1), scale.unit, analyte.unit) == scale.factor, (analyte.key, scale.unit)
            assert scale.source, (analyte.key, scale.unit)

    def test_another_way_to_write_a_unit_keeps_the_number(self) -> None:
        for analyte, scale in scales():
            if scale.unit in RENAMED:
                bare = {"{cells}/uL": "/uL", "{INR}": "1", "[pH]": "1"}.get(scale.unit)
                twin = analyte.scale(bare) if bare else analyte.scales[0]
                assert scale.factor == twin.factor, (analyte.key, scale.unit)

    def test_there_and_back_again_is_exact(self) -> None:
        for analyte in ANALYTES:
            for there, back in permutations(analyte.scales, 2):
                value = Fraction("123.457")
                turned = convert(value, there.unit, back.unit, analyte=analyte.substance)
                assert convert(turned, back.unit, there.unit, analyte=analyte.substance) == value, analyte.key

    def test_converting_says_the_same_as_the_table(self) -> None:
        for analyte, scale in scales():
            found = convert(Fraction(7), scale.unit, analyte.unit, analyte=analyte.substance)
            assert found == 7 * scale.factor + scale.offset, (analyte.key, scale.unit)

    def test_no_two_reported_values_fall_together_at_intake(self) -> None:
        for analyte, scale in scales():
            step = scale.factor / 10**scale.decimals
            assert step >= Fraction(analyte.quantum), (analyte.key, scale.unit)


class TestKnownPairs:
    @pytest.mark.parametrize(
        ("key", "value", "unit", "other", "expected"),
        [
            ("glucose", "126", "mg/dL", "mmol/L", "7.0"),
            ("fasting_glucose", "100", "mg/dL", "mmol/L", "5.6"),
            ("glucose_2h", "200", "mg/dL", "mmol/L", "11.1"),
            ("hba1c", "7.0", "%", "mmol/mol", "53"),
            ("hba1c", "6.5", "%", "mmol/mol", "48"),
            ("hba1c", "10", "%", "mmol/mol", "86"),
            ("hba1c", "53", "mmol/mol", "%", "7.0"),
            ("creatinine", "1.5", "mg/dL", "umol/L", "133"),
            ("bilirubin", "1.2", "mg/dL", "umol/L", "20.5"),
            ("urea_nitrogen", "20", "mg/dL", "mmol/L", "7.1"),
            ("uric_acid", "6.8", "mg/dL", "umol/L", "404"),
            ("uacr", "300", "mg/g", "mg/mmol", "33.9"),
            ("hemoglobin", "10", "g/dL", "g/L", "100"),
            ("hemoglobin", "10", "g/dL", "mmol/L", "6.2"),
            ("platelets", "100", "10*3/uL", "10*9/L", "100"),
            ("platelets", "150000", "/uL", "10*9/L", "150"),
            ("neutrophils", "1500", "{cells}/uL", "10*9/L", "1.5"),
            ("eosinophils", "0.3", "10*9/L", "/uL", "300"),
            ("cd4", "200", "/uL", "10*6/L", "200"),
            ("ldl", "70", "mg/dL", "mmol/L", "1.81"),
            ("triglycerides", "150", "mg/dL", "mmol/L", "1.69"),
            ("alt", "60", "U/L", "ukat/L", "1.00"),
            ("calcium", "10.0", "mg/dL", "mmol/L", "2.50"),
            ("calcium", "10.0", "mg/dL", "meq/L", "5.0"),
            ("magnesium", "1.7", "mg/dL", "mmol/L", "0.70"),
            ("phosphate", "4.5", "mg/dL", "mmol/L", "1.45"),
            ("potassium", "5.5", "meq/L", "mmol/L", "5.5"),
            ("free_t4", "1.0", "ng/dL", "pmol/L", "12.9"),
            ("testosterone", "300", "ng/dL", "nmol/L", "10.4"),
            ("estradiol", "20", "pg/mL", "pmol/L", "73"),
            ("cortisol", "18", "ug/dL", "nmol/L", "497"),
            ("vitamin_d", "20", "ng/mL", "nmol/L", "50"),
            ("vitamin_b12", "200", "pg/mL", "pmol/L", "148"),
            ("nt_probnp", "600", "pg/mL", "pmol/L", "70.9"),
            ("bnp", "100", "pg/mL", "pmol/L", "28.9"),
            ("troponin_t", "0.014", "ng/mL", "ng/L", "14"),
            ("crp", "1", "mg/dL", "mg/L", "10.0"),
            ("qtc", "0.470", "s", "ms", "470"),
            ("egfr", "0.5", "mL/s/{1.73_m2}", "mL/min/{1.73_m2}", "30"),
            ("inr", "1.5", "{INR}", "1", "1.5"),
            ("pao2", "60", "mm[Hg]", "kPa", "8.0"),
            ("body_temperature", "38.0", "Cel", "[degF]", "100.4"),
            ("d_dimer", "0.5", "ug/mL{FEU}", "ng/mL{FEU}", "500"),
            ("ca_125", "35", "k[arb'U]/L", "U/mL", "35"),
        ],
    )
    def test_agrees_at_reporting_precision(
        self, key: str, value: str, unit: str, other: str, expected: str
    ) -> None:
        analyte = ANALYTES[key]

        turned = convert(Fraction(value), unit, other, analyte=analyte.substance)

        assert round_half_up(turned, analyte.scale(other).decimals) == Fraction(expected)

    def test_creatinine_1_5_is_132_6_before_it_is_reported(self) -> None:
        turned = convert(Fraction("1.5"), "mg/dL", "umol/L", analyte="creatinine")

        assert round_half_up(turned, 1) == Fraction("132.6")

    def test_the_two_scales_of_hba1c_do_not_meet(self) -> None:
        found = convert(Fraction(53), "mmol/mol", "%", analyte="hba1c")

        assert found == Fraction("7.00044")
        assert convert(Fraction(7), "%", "mmol/mol", analyte="hba1c") == Fraction(484800, 9148)

    @pytest.mark.parametrize(
        ("value", "unit", "verdict"),
        [
            ("52", "mmol/mol", Kleene.NOT_MET),
            ("53", "mmol/mol", Kleene.MET),
            ("86", "mmol/mol", Kleene.MET),
            ("87", "mmol/mol", Kleene.NOT_MET),
            ("7.0", "%", Kleene.MET),
            ("10.0", "%", Kleene.MET),
            ("10.1", "%", Kleene.NOT_MET),
        ],
    )
    def test_a_result_is_held_against_the_limits_in_its_own_unit(
        self, value: str, unit: str, verdict: Kleene
    ) -> None:
        result = Quantity(DecimalRange.point(Decimal(value)), unit)
        limits = (
            Limits(unit="%", ge=Decimal("7.0"), le=Decimal("10.0")),
            Limits(unit="mmol/mol", ge=Decimal(53), le=Decimal(86)),
        )

        assert compare(result, limits, key=key_of("hba1c")) is verdict

    def test_a_limit_in_one_unit_does_not_serve_the_other(self) -> None:
        result = Quantity(DecimalRange.point(Decimal(86)), "mmol/mol")
        limits = (Limits(unit="%", le=Decimal("10.0")),)

        assert compare(result, limits, key=key_of("hba1c")) is Kleene.NOT_MET


class TestWhatIsNotConverted:
    @pytest.mark.parametrize(
        ("key", "unit"),
        [
            ("insulin_level", "pmol/L"),
            ("lipoprotein_a", "mg/dL"),
            ("lipoprotein_a_mass", "nmol/L"),
            ("prolactin", "m[IU]/L"),
            ("afp", "[IU]/mL"),
            ("hbv_dna", "{copies}/mL"),
            ("d_dimer", "ng/mL{DDU}"),
            ("egfr", "mL/min"),
            ("hba1c", "mol/mol"),
            ("glucose", "mg/g"),
        ],
    )
    def test_what_is_no_fact_of_chemistry_stays_unknown(self, key: str, unit: str) -> None:
        analyte = ANALYTES[key]
        result = Quantity(DecimalRange.point(Decimal(5)), unit)

        assert not convertible(unit, analyte.unit, analyte=analyte.substance)
        assert compare(result, (Limits(unit=analyte.unit, ge=Decimal(1)),), key=key_of(key)) is Kleene.UNKNOWN

    def test_other_spellings_of_scale_are_understood_by_their_dimension(self) -> None:
        assert convert(Fraction("1.26"), "g/L", "mg/dL", analyte="glucose") == 126
        assert convert(Fraction(7000), "umol/L", "mmol/L", analyte="glucose") == 7
        assert convert(Fraction("1.5"), "10*6/mL", "10*9/L", analyte="blood_cells") == Fraction("1.5")

    def test_a_substance_that_nobody_knows_leaves_units_to_themselves(self) -> None:
        assert convert(Fraction(1), "g/L", "mg/dL", analyte="moonstone") == 100
        with pytest.raises(InvalidUnit, match="for moonstone"):
            convert(Fraction(1), "mmol/L", "mg/dL", analyte="moonstone")


class TestIntake:
    def test_a_result_beyond_every_range_still_decides(self) -> None:
        result = Quantity(DecimalRange.point(Decimal(45)), "mg/dL")
        creatinine = key_of("creatinine")

        assert creatinine.plausible is not None
        assert not result.range.within(creatinine.plausible.range)
        assert compare(result, (Limits(unit="mg/dL", le=Decimal("1.5")),), key=creatinine) is Kleene.NOT_MET

    def test_a_count_just_below_a_limit_is_not_rounded_onto_it(self) -> None:
        result = Quantity(DecimalRange.point(Decimal(149960)), "/uL")

        assert (
            compare(result, (Limits(unit="10*9/L", ge=Decimal(150)),), key=key_of("platelets"))
            is Kleene.NOT_MET
        )

    def test_a_canonical_value_is_rounded_to_the_quantum(self) -> None:
        result = Quantity(DecimalRange.point(Decimal("7.0")), "mmol/L")
        glucose = ANALYTES["glucose"]

        found = canonical(result, glucose.unit, glucose.digits, analyte=glucose.substance)

        assert found == DecimalRange.point(Decimal("126.11"))

    def test_multiples_of_the_upper_limit_need_the_result_s_own_range(self) -> None:
        limits = (Limits(unit="[ULN]", le=Decimal(3)),)
        value = DecimalRange.point(Decimal(120))
        alt = key_of("alt")

        assert compare(Quantity(value, "U/L"), limits, key=alt) is Kleene.UNKNOWN
        own = Quantity(value, "U/L", DecimalRange(Decimal(0), Decimal(40)))
        assert compare(own, limits, key=alt) is Kleene.MET


class TestKeys:
    def test_there_are_more_than_eighty_and_each_is_a_key(self) -> None:
        assert len(ANALYTES) >= 80
        for analyte in ANALYTES:
            key = key_of(analyte.key)
            assert (key.kind, key.unit, key.digits) == (KeyKind.QUANTITY, analyte.unit, analyte.digits)
            assert key.units == tuple(scale.unit for scale in analyte.scales)
            assert key.label == {"en": analyte.names[0], "es": analyte.spanish[0]}
            assert str(key.validity) == str(read_key(analyte.key, analyte_table(analyte)).validity)

    def test_a_rule_in_every_unit_and_in_multiples_of_the_limit_can_be_written(self) -> None:
        for analyte, scale in scales():
            for unit in (scale.unit, "[ULN]"):
                rule = parse_rule(f"{analyte.key} >= 1.5 {unit}", vocabulary=VOCABULARY)
                assert rule == Number(key=analyte.key, limits=(Limits(unit=unit, ge=Decimal("1.5")),))
                assert not list(leaf_problems(rule, vocabulary=VOCABULARY, terms=PrefixTerms()))

    def test_the_version_of_every_vocabulary_covers_the_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = [read_key("study.a", {"kind": "flag", "label": {"en": "A"}, "told_by": ["record"]})]
        before = Vocabulary(keys).version
        changed = read_analytes(TABLE.replace("180.156/10", "180/10"))

        monkeypatch.setattr(vocabulary, "packaged_analytes", lambda: changed)

        assert changed.version != ANALYTES.version
        assert Vocabulary(keys).version != before

    def test_a_table_that_says_what_the_analyte_says_is_refused(self) -> None:
        analyte = ANALYTES["hba1c"]

        with pytest.raises(InvalidVocabulary, match="hba1c: unit stands in the table of analytes"):
            vocabulary.supplemented(analyte, {"unit": "%", "question": {"en": "How much?"}})

    def test_a_name_that_people_use_leads_to_the_key(self) -> None:
        assert VOCABULARY.nearest("A1C") == "hba1c"
        assert VOCABULARY.nearest("BUN") == "urea_nitrogen"
        assert VOCABULARY.nearest("glóbulos_blancos") == "wbc"
        assert VOCABULARY.nearest("hemoglobn") == "hemoglobin"

    def test_the_table_is_read_in_less_than_a_blink(self) -> None:
        spent = []
        for _ in range(5):
            begun = time.process_time()
            read_analytes(TABLE)
            spent.append(time.process_time() - begun)

        assert min(spent) < 0.02


class TestTable:
    def test_ranges_lie_in_one_another(self) -> None:
        for analyte in ANALYTES:
            lowest, low, high, highest = analyte.plausible[0], *analyte.usual, analyte.plausible[1]
            assert lowest <= low < high <= highest, analyte.key

    def test_every_analyte_expires_but_height(self) -> None:
        assert [analyte.key for analyte in ANALYTES if analyte.validity is None] == ["height"]

    def test_loinc_codes_have_their_check_digit_and_mean_one_thing(self) -> None:
        codes = [loinc.code for _, scale in scales() for loinc in scale.loinc]

        assert [code for code in codes if not checks_out(code)] == []
        assert [code for code, count in Counter(codes).items() if count > 1] == []

    def test_a_loinc_code_leads_to_its_analyte_and_unit(self) -> None:
        found = ANALYTES.by_loinc("14682-9")

        assert found is not None
        assert (found[0].key, found[1].unit, found[1].loinc[0].system) == ("creatinine", "umol/L", "Ser/Plas")
        assert ANALYTES.by_loinc("1-8") is None

    def test_no_name_means_two_analytes(self) -> None:
        names = [name for analyte in ANALYTES for name in (analyte.key, *analyte.all_names())]

        assert [name for name in names if len(ANALYTES.named(name)) != 1] == []

    def test_names_stand_in_both_languages(self) -> None:
        for analyte in ANALYTES:
            assert analyte.names, analyte.key
            assert analyte.spanish, analyte.key
            assert bool(analyte.lay) == bool(analyte.spanish_lay), analyte.key

    def test_analytes_of_a_substance_have_the_same_factors(self) -> None:
        for analyte in ANALYTES:
            for there, back in permutations(analyte.scales, 2):
                assert convertible(there.unit, back.unit, analyte=analyte.substance), (analyte.key, there.unit)

    def test_every_column_is_described(self) -> None:
        described = resources.files("screening").joinpath("data/analytes.md").read_text("utf-8")

        assert all(re.search(rf"^\|.*\b{column}\b.* \|", described, re.MULTILINE) for column in COLUMNS)

    @pytest.mark.parametrize(
        ("before", "after", "message"),
        [
            ("key;unit", "name;unit", "has the columns"),
            ("glucose;mmol/L;180.156/10", "glucose;mmol/L;180,156/10", "one decimal over another"),
            ("glucose;mmol/L;180.156/10", "glucose;mmol/L;180.156/0", "one decimal over another"),
            ("glucose;mmol/L;180.156/10", "glucose;mmol/L;-18", "above 0"),
            ("glucose;mmol/L;180.156/10", "glucose;mg/dL;1", "twice"),
            ("glucose;mmol/L;180.156/10", "elsewhere;mmol/L;1", "elsewhere"),
            ("egfr;mL/min/{1.73_m2};1;", "egfr;mL/min/{1.73_m2};2;", "with factor 1"),
            ("2345-7 Glucose, Ser/Plas", "2345 Glucose", "LOINC"),
            ("glucose;0.01;50 500", "glucose;0.02;50 500", "0.02"),
            ("glucose;0.01;50 500", "glucose;0.01;500 50", "lowest and a highest"),
            ("glucose;0.01;50 500", "glucose;0.01;50 to 500", "'to'"),
            ("glucose;mg/dL;1;;0;", "glucose;mg/dL;1;;none;", "none"),
        ],
    )
    def test_a_line_that_cannot_be_meant_is_refused(self, before: str, after: str, message: str) -> None:
        assert before in TABLE

        with pytest.raises(InvalidVocabulary, match=message):
            read_analytes(TABLE.replace(before, after))

    def test_lines_of_one_analyte_stand_together(self) -> None:
        header, *lines = TABLE.splitlines()
        first = [line for line in lines if line.startswith("sodium;")]

        with pytest.raises(InvalidVocabulary, match="stand together"):
            read_analytes("\n".join([header, first[0], *lines]))


def checks_out(code: str) -> bool:
    """Tell whether the last digit of a LOINC code is its check digit (mod 10, as in a payment card)."""
    body, _, check = code.partition("-")
    doubled = [int(digit) * (1 + (place % 2 == 0)) for place, digit in enumerate(reversed(body))]
    return (sum(map(int, "".join(map(str, doubled)))) + int(check)) % 10 == 0


def test_two_tables_of_one_text_are_of_one_version() -> None:
    again = read_analytes(TABLE)

    assert isinstance(again, Analytes)
    assert again.version == ANALYTES.version
    assert list(again) == list(ANALYTES)
