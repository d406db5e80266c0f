"""The medicine tables: whether they hold together, and what names mean in them."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from importlib import resources
from itertools import groupby

import pytest

from screening.combinations import component_statements
from screening.errors import InvalidVocabulary
from screening.facts import Code, Quantity, Statement, StatementStatus
from screening.intervals import DateRange, DecimalRange
from screening.medicine_names import Meaning, Names, packaged_names, tidy
from screening.medicines import (
    SUBSTANCE,
    DrugClass,
    DrugGroup,
    Formulary,
    Medicine,
    NameKind,
    packaged_formulary,
    read_formulary,
)
from screening.terms import ATC, CodeSet, PrefixTerms, atc_ancestors

TERMS = PrefixTerms()
ROUTES = frozenset(
    {
        "oral", "mouth", "injection", "implant", "inhaled", "nasal", "skin", "patch", "eye", "ear", "vaginal",
        "intrauterine", "rectal", "bladder",
    }
)  # fmt: skip
JANUMET = Code(ATC, "A10BD07")
METFORMIN = Code(ATC, "A10BA02")


@pytest.fixture(scope="module")
def formulary() -> Formulary:
    return packaged_formulary()


@pytest.fixture(scope="module")
def names() -> Names:
    return packaged_names()


def known(name: str) -> Meaning:
    """Look up a name that must be there."""
    meaning = packaged_names().find(name)
    assert meaning is not None, name
    return meaning


def titles(meaning: Meaning) -> list[str]:
    """Give the English names of what was meant."""
    return [named.title("en") for named in meaning.of]


def codes_of(*codes: str) -> CodeSet:
    """Make a set of ATC codes."""
    return CodeSet.of(TERMS, [Code(ATC, code) for code in codes])


class TestTables:
    def test_every_code_is_well_formed_and_has_all_its_classes(self, formulary: Formulary) -> None:
        used = {code for medicine in formulary.medicines for code in medicine.codes}

        miswritten = {code for code in used | set(formulary.classes) if TERMS.problem(Code(ATC, code))}
        without = {c for code in used | set(formulary.classes) for c in atc_ancestors(code)}
        without -= set(formulary.classes)

        assert not miswritten
        assert not without

    def test_a_medicine_has_a_substance_code_or_a_known_class(self, formulary: Formulary) -> None:
        vague = {code for medicine in formulary.medicines for code in medicine.codes if len(code) < SUBSTANCE}

        assert vague <= set(formulary.classes)
        assert all(len(code) < SUBSTANCE for code in formulary.classes)

    def test_components_and_groups_name_only_known_codes(self, formulary: Formulary) -> None:
        substances = set(formulary.by_code)
        classes = set(formulary.classes)
        components = {part for m in formulary.medicines for one in m.preparations for part in one.components}
        contained = {part for one in formulary.classes.values() for part in one.contains}
        grouped = {code for group in formulary.groups for code in group.codes}

        assert components <= substances | classes
        assert contained <= classes
        assert {code for code in grouped if len(code) < SUBSTANCE} <= classes
        assert {code for code in grouped if len(code) == SUBSTANCE} <= substances

    def test_no_medicine_contains_itself(self, formulary: Formulary) -> None:
        for medicine in formulary.medicines:
            for one in medicine.preparations:
                assert one.code not in one.components, medicine.name
                assert len(set(one.components)) == len(one.components), medicine.name

    def test_lines_are_sorted_and_each_code_stands_once_per_ingredient(self) -> None:
        text = resources.files("screening").joinpath("data/medicines.csv").read_text("utf-8")
        lines = list(csv.reader(text.splitlines()[1:], delimiter=";"))
        ingredients = [name for name, _ in groupby(line[0] for line in lines)]
        twice = [pair for pair, count in Counter((line[0], line[1]) for line in lines).items() if count > 1]

        assert ingredients == sorted(set(ingredients), key=str.casefold)
        assert not twice

    def test_routes_are_the_words_of_the_description(self, formulary: Formulary) -> None:
        described = resources.files("screening").joinpath("data/medicines.md").read_text("utf-8")
        used = {route for m in formulary.medicines for one in m.preparations for route in one.routes}

        assert used <= ROUTES
        assert all(route in described for route in ROUTES)

    def test_no_name_means_two_things_unless_marked(self, formulary: Formulary) -> None:
        bearers: dict[str, dict[str, bool]] = defaultdict(dict)
        for name in formulary.names():
            bearers[tidy(name.text)][name.of.name + type(name.of).__name__] = name.is_shared

        unmarked = {name: set(of) for name, of in bearers.items() if len(of) > 1 and not all(of.values())}
        idle = {name for name, of in bearers.items() if len(of) == 1 and any(of.values())}

        assert not unmarked
        assert not idle

    def test_no_cell_holds_an_empty_name_or_one_name_twice(self, formulary: Formulary) -> None:
        for medicine in formulary.medicines:
            general = [tidy(text) for text in (medicine.name, *medicine.names)]
            assert all(general), medicine.name
            assert len(set(general)) == len(general), medicine.name
        named: list[DrugClass | DrugGroup] = [*formulary.classes.values(), *formulary.groups]
        for one in named:
            listed = [tidy(text) for text in (*one.names, *one.lay)]
            assert all(listed), one.name
            assert len(set(listed)) == len(listed), one.name

    def test_a_table_with_other_columns_is_refused(self) -> None:
        with pytest.raises(InvalidVocabulary, match="columns"):
            list(read_formulary("ingredient;atc\naspirin;B01AC06\n", "", "").medicines)


FACTS = """
# name;ATC codes that it may mean
metformin;A10BA02
Glucophage;A10BA02
tirzepatide;A10BX16
Ozempic;A10BJ06
Wegovy;A10BJ06
lisinopril;C09AA03
Eliquis;B01AF02
Coumadin;B01AA03
Plavix;B01AC04
Lipitor;C10AA05
Synthroid;H03AA01
prednisone;H02AB07
gabapentin;N02BF01
Adderall;N06BA01
Keytruda;L01FF02
Yervoy;L01FX04
Herceptin;L01FD01
Opdualag;L01FY02
Humira;L04AB04
Stelara;L04AC05
Entyvio;L04AG05
Xeljanz;L04AF01
Ocrevus;L04AG08
Aubagio;L04AK02
Dupixent;D11AH05
Tezspire;R03DX11
Repatha;C10AX13
Leqembi;N06DX04
Prolia;M05BX04
Paxlovid;J05AE30
Biktarvy;J05AR20
Comirnaty;J07BN01
Janumet;A10BD07
Xultophy;A10AE56
Entresto;C09DX04
Norco;N02AJ22
hydrocodone;R05DA03
Suboxone;N07BC51
Trelegy;R03AL08
aspirin;A01AD05 B01AC06 N02BA01
baby aspirin;B01AC06
methotrexate;L01BA01 L04AX03
fluticasone;D07AC17 R01AD08 R03BA05
Flonase;R01AD08
Flovent HFA;R03BA05
minoxidil;C02DC01 D11AX01
Rogaine;D11AX01
Proscar;G04CB01
Propecia;D11AX10
everolimus;L01EG02 L04AH02
Zortress;L04AH02
tacrolimus;D11AH01 L04AD02
semaglutida;A10BJ06
metformina;A10BA02
acetaminofén;N02BE01
levotiroxina;H03AA01
water pill;C03
blood thinner;B01A
statin;C10AA
ACE inhibitor;C09A
insulin;A10A
anticoagulant;B01AA B01AB B01AE B01AF B01AX05
GLP-1 receptor agonist;A10BJ A10BX16
blood pressure medicine;C02 C03 C07 C08 C09
checkpoint inhibitor;L01FF L01FX04 L01FX20 L01FY02
medicina para la presión;C02 C03 C07 C08 C09
weight loss medicine;A08 A10BJ02 A10BJ06 A10BX16
pastilla para dormir;N05C
"""


def spot_facts() -> list[tuple[str, str]]:
    """Read the table of spot facts."""
    lines = [line for line in FACTS.strip().splitlines() if not line.startswith("#")]
    return [(name, codes) for name, _, codes in (line.partition(";") for line in lines)]


@pytest.mark.parametrize(("name", "codes"), spot_facts())
def test_a_name_means_its_codes(name: str, codes: str) -> None:
    assert sorted(known(name).codes) == codes.split()


class TestFinding:
    @pytest.mark.parametrize(
        ("written", "ingredient"),
        [
            ("METFORMIN HYDROCHLORIDE 500 MG Extended Release Oral Tablet", "metformin"),
            ("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", "metformin"),
            ("losartan potassium 25 MG Oral Tablet", "losartan"),
            ("NDA020503 200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "albuterol"),
            ("Acetaminophen 325 MG / oxyCODONE Hydrochloride 5 MG Oral Tablet", "oxycodone and acetaminophen"),
            ("oxycodone/APAP", "oxycodone and acetaminophen"),
            ("valsartan + sacubitril", "sacubitril and valsartan"),
            ("Acetaminophen 325 MG Oral Tablet [Tylenol]", "acetaminophen"),
            ("Fluticasone furoate 27.5 mcg nasal spray", "fluticasone furoate"),
            ("St John's Wort", "St. John's wort"),
            ("statins", "HMG CoA reductase inhibitors"),
            ("LOSARTÁN CON HIDROCLOROTIAZIDA", "losartan and hydrochlorothiazide"),
        ],
    )
    def test_capitals_strengths_salts_and_forms_do_not_matter(self, written: str, ingredient: str) -> None:
        assert titles(known(written)) == [ingredient]

    @pytest.mark.parametrize(
        "written",
        ["", "   ", "metformn", "sodium", "500 mg tablet", "zinc acetate 50 mg", "aspirin and kindness"],
    )
    def test_what_is_not_in_the_tables_means_nothing(self, names: Names, written: str) -> None:
        assert names.find(written) is None

    def test_a_form_leaves_the_codes_of_its_route(self) -> None:
        cream, tablet = known("hydrocortisone cream"), known("hydrocortisone 10 mg tablet")

        assert set(cream.codes) == {"D07AA02", "D07AB02"}
        assert tablet.codes == ("H02AB09",)

    def test_a_route_that_no_line_has_leaves_all_codes(self, names: Names) -> None:
        meaning = names.find("hydrocortisone", route="bladder")

        assert meaning is not None
        assert len(meaning.codes) == 5

    def test_a_name_of_two_medicines_gives_both_and_denies_neither(self) -> None:
        meaning = known("Dramamine")

        assert meaning.is_shared
        assert set(titles(meaning)) == {"dimenhydrinate", "meclizine"}
        assert not meaning.denied

    def test_every_name_in_the_tables_is_found(self, formulary: Formulary, names: Names) -> None:
        lost = [name.text for name in formulary.names() if names.find(name.text) is None]

        assert not lost


class TestPossibleCodes:
    def test_aspirin_leaves_platelet_inhibitors_to_be_refined(self) -> None:
        said = CodeSet.of(TERMS, [known("aspirin").affirmed])
        platelet_inhibitors = codes_of("B01AC")

        assert said.overlaps(platelet_inhibitors)
        assert not said.within(platelet_inhibitors)

    def test_aspirin_settles_a_criterion_that_names_aspirin(self) -> None:
        aspirin = known("aspirin")

        assert CodeSet.of(TERMS, [aspirin.affirmed]).within(CodeSet.of(TERMS, aspirin.wanted))

    def test_low_dose_aspirin_is_a_platelet_inhibitor(self) -> None:
        assert CodeSet.of(TERMS, [known("baby aspirin").affirmed]).within(codes_of("B01AC"))

    def test_no_aspirin_denies_all_its_codes(self) -> None:
        aspirin = known("aspirin")

        assert set(aspirin.denied) == set(aspirin.wanted)

    @pytest.mark.parametrize(
        "name", ["Ozempic", "blood thinner", "antidepressant", "Dyazide", "iron sucrose", "aspirin 325 mg"]
    )
    def test_a_no_to_less_than_the_codes_say_denies_nothing(self, name: str) -> None:
        assert not known(name).denied

    def test_no_cream_does_not_deny_the_tablets(self) -> None:
        assert {code.code for code in known("hydrocortisone cream").denied} == {"D07AA02", "D07AB02"}

    def test_products_that_share_a_code_are_not_denied_for_each_other(self) -> None:
        meaning = known("spironolactone and hydrochlorothiazide")

        assert meaning.codes == ("C03EA01",)
        assert not meaning.denied

    def test_a_group_of_examples_says_so(self) -> None:
        assert not known("biologic").is_complete
        assert known("anticoagulant").is_complete
        assert known("warfarin").is_complete

    @pytest.mark.parametrize(
        ("member", "root"),
        [("C09AA03", "C09A"), ("A10BA02", "A10"), ("L01FF02", "L01F"), ("A10BA02", "A10BA02")],
    )
    def test_a_class_covers_what_is_below_it(self, formulary: Formulary, member: str, root: str) -> None:
        assert member in formulary.below(root)
        assert codes_of(member).within(codes_of(root))
        assert root == member or root in atc_ancestors(member)


class TestComponents:
    @pytest.mark.parametrize(
        ("name", "components"),
        [
            ("Janumet", {"A10BA02", "A10BH01"}),
            ("Percocet", {"N02AA05", "N02BE01"}),
            ("Advair", {"R03AC12", "R03BA05"}),
            ("Zestoretic", {"C09AA03", "C03AA03", "C09A", "C03"}),
            ("Yaz", {"G03C", "G03D"}),
            ("metformin", set()),
        ],
    )
    def test_a_combination_affirms_what_it_contains(
        self, formulary: Formulary, name: str, components: set[str]
    ) -> None:
        found = formulary.components(known(name).affirmed)

        assert {code.code for code in found} == components

    def test_a_code_shared_by_products_affirms_what_they_have_in_common(self, formulary: Formulary) -> None:
        found = {code.code for code in formulary.components(Code(ATC, "C03EA01"))}

        assert found == {"C03AA03", "C03D"}

    def test_a_combination_that_has_no_line_affirms_its_class(self, formulary: Formulary) -> None:
        perindopril_and_diuretics = Code(ATC, "C09BA04")

        assert {code.code for code in formulary.components(perindopril_and_diuretics)} == {"C09A", "C03"}

    def test_one_code_or_another_affirms_only_what_both_contain(self, formulary: Formulary) -> None:
        with_metformin = Code(ATC, "A10BD07+A10BD08+A10BD11")
        maybe_plain = Code(ATC, "A10BA02+A10BD07")

        assert METFORMIN not in formulary.components(with_metformin)
        assert {code.code for code in formulary.components(Code(ATC, "A10BD07+A10BD11"))} == {"A10BA02"}
        assert formulary.components(maybe_plain) == (METFORMIN,)

    def test_other_systems_have_none(self, formulary: Formulary) -> None:
        assert formulary.components(Code("icd-10-cm", "E11")) == ()

    def test_a_current_combination_is_a_current_component_of_unknown_dose(self, formulary: Formulary) -> None:
        since = DateRange(date(2025, 3, 1), date(2025, 3, 31))
        janumet = Statement(
            JANUMET,
            StatementStatus.CURRENT,
            onset=since,
            unchanged_since=since,
            unbroken=True,
            dose=Quantity(DecimalRange(Decimal(100), Decimal(100)), "mg"),
            route="oral",
        )

        metformin = next(component_statements(janumet, formulary.components(JANUMET)))

        assert metformin.code == METFORMIN
        assert metformin.status is StatementStatus.CURRENT
        assert metformin.onset == DateRange(None, date(2025, 3, 31))
        assert (metformin.unbroken, metformin.route) == (True, "oral")
        assert metformin.dose is None
        assert metformin.unchanged_since is None

    def test_a_past_combination_leaves_open_whether_the_component_is_taken(self, formulary: Formulary) -> None:
        ended = DateRange(date(2025, 3, 1), date(2025, 3, 31))
        stopped = Statement(JANUMET, StatementStatus.PAST, ended=ended, last=True)

        metformin = next(component_statements(stopped, formulary.components(JANUMET)))

        assert metformin.status is StatementStatus.EVER
        assert metformin.ended == DateRange(date(2025, 3, 1), None)
        assert not metformin.last

    def test_a_combination_never_taken_says_nothing_of_its_components(self, formulary: Formulary) -> None:
        never = Statement(JANUMET, StatementStatus.NEVER)

        assert not list(component_statements(never, formulary.components(JANUMET)))


class TestTitles:
    def test_codes_are_named_in_both_languages(self, formulary: Formulary) -> None:
        assert formulary.title("A10BA02") == "metformin"
        assert formulary.title("A10BA02", "es") == "metformina"
        assert formulary.title("C10AA", "es") == "Estatinas"
        assert formulary.title("A10BZ99") == "A10BZ99"

    def test_kinds_of_things_are_told_apart(self) -> None:
        kinds = [type(known(name).of[0]) for name in ("metformin", "statin", "anticoagulant")]

        assert kinds == [Medicine, DrugClass, DrugGroup]
        assert known("Ozempic").kind is NameKind.BRAND


MOST_USED = """
atorvastatin metformin levothyroxine lisinopril amlodipine metoprolol albuterol losartan gabapentin omeprazole
sertraline rosuvastatin pantoprazole escitalopram hydrochlorothiazide bupropion fluoxetine semaglutide
montelukast trazodone simvastatin amoxicillin tamsulosin acetaminophen/hydrocodone fluticasone meloxicam
apixaban furosemide insulin_glargine duloxetine ibuprofen famotidine empagliflozin carvedilol tramadol
alprazolam prednisone hydroxyzine buspirone clopidogrel glipizide citalopram potassium_chloride allopurinol
aspirin cyclobenzaprine ergocalciferol oxycodone methylphenidate venlafaxine spironolactone ondansetron
zolpidem cetirizine estradiol pravastatin hydrochlorothiazide/lisinopril lamotrigine quetiapine
fluticasone/salmeterol clonazepam dulaglutide azithromycin amoxicillin/clavulanate latanoprost cholecalciferol
propranolol ezetimibe topiramate paroxetine diclofenac budesonide/formoterol atenolol lisdexamfetamine
doxycycline pregabalin glimepiride tizanidine clonidine fenofibrate insulin_lispro valsartan cephalexin
baclofen rivaroxaban ferrous_sulfate amitriptyline finasteride folic_acid aripiprazole olmesartan valacyclovir
mirtazapine lorazepam levetiracetam insulin_aspart naproxen cyanocobalamin loratadine diltiazem sumatriptan
triamcinolone hydralazine tirzepatide celecoxib acetaminophen warfarin ethinyl_estradiol/norethindrone
oxybutynin hydroxychloroquine hydrochlorothiazide/losartan isosorbide_mononitrate benazepril dapagliflozin
nifedipine methocarbamol prednisolone testosterone sulfamethoxazole/trimethoprim
ethinyl_estradiol/norgestimate tiotropium docusate donepezil liraglutide pioglitazone alendronate ramipril
methotrexate nitroglycerin sitagliptin progesterone risperidone lovastatin olanzapine timolol mupirocin
hydrochlorothiazide/triamterene metronidazole benzonatate doxazosin phentermine dexmethylphenidate irbesartan
chlorthalidone nortriptyline clobetasol memantine verapamil torsemide bumetanide ropinirole guanfacine
ethinyl_estradiol/levonorgestrel atomoxetine divalproex telmisartan nebivolol linagliptin fluconazole
bisoprolol desvenlafaxine methylprednisolone polyethylene_glycol_3350 ketoconazole prazosin ciprofloxacin
mirabegron acetaminophen/codeine oxcarbazepine insulin_degludec brimonidine levocetirizine temazepam
adalimumab solifenacin lithium anastrozole acyclovir sildenafil tadalafil ipratropium/albuterol esomeprazole
colchicine nystatin hydrocortisone levofloxacin terazosin cefdinir nitrofurantoin amphetamine morphine
calcitriol ranolazine ezetimibe/simvastatin sacubitril/valsartan umeclidinium/vilanterol mometasone azelastine
cyclosporine bimatoprost ivermectin sucralfate diazepam methimazole medroxyprogesterone promethazine meclizine
enalapril digoxin dicyclomine buprenorphine/naloxone amiodarone tolterodine letrozole tamoxifen lurasidone
sotalol eszopiclone haloperidol benztropine primidone phenytoin carbamazepine doxepin rizatriptan ropinirole
pramipexole carbidopa/levodopa clindamycin terbinafine penicillin_V minocycline linaclotide lansoprazole
raloxifene rosuvastatin lidocaine ketorolac nabumetone etodolac indomethacin metoclopramide prochlorperazine
loperamide senna bisacodyl glyburide glycopyrrolate bisoprolol/hydrochlorothiazide amlodipine/benazepril
amlodipine/valsartan quinapril candesartan labetalol minoxidil metolazone eplerenone gemfibrozil
omega-3_fatty_acids niacin insulin_detemir budesonide levalbuterol fexofenadine diphenhydramine guaifenesin
olopatadine tretinoin clotrimazole conjugated_estrogens drospirenone/ethinyl_estradiol etonogestrel
norethindrone levonorgestrel naloxone
"""

NAMED_BY_CRITERIA = """
pembrolizumab nivolumab ipilimumab atezolizumab durvalumab avelumab cemiplimab bevacizumab trastuzumab
pertuzumab cetuximab rituximab ocrelizumab cyclophosphamide doxorubicin cisplatin carboplatin oxaliplatin
paclitaxel docetaxel gemcitabine capecitabine 5-fluorouracil irinotecan etoposide vincristine bortezomib
lenalidomide pomalidomide daratumumab imatinib osimertinib erlotinib ibrutinib venetoclax olaparib palbociclib
enzalutamide abiraterone leuprolide fulvestrant temozolomide azacitidine hydroxyurea azathioprine
mycophenolate tacrolimus sirolimus tofacitinib upadacitinib baricitinib etanercept infliximab golimumab
certolizumab_pegol ustekinumab secukinumab ixekizumab guselkumab risankizumab vedolizumab natalizumab
abatacept tocilizumab anakinra dupilumab omalizumab mepolizumab benralizumab exenatide liraglutide dulaglutide
semaglutide tirzepatide enoxaparin heparin fondaparinux dabigatran edoxaban ticagrelor prasugrel flu_vaccine
COVID-19_vaccine shingles_vaccine MMR BCG PD-1_inhibitor anti-TNF JAK_inhibitor CAR-T live_vaccine
corticosteroids chemotherapy immunosuppressants MAOI SSRI opioids benzodiazepines NSAIDs antipsychotics
anticonvulsants diuretics antiplatelet bisphosphonates
"""


@pytest.mark.parametrize("name", sorted({*MOST_USED.split(), *NAMED_BY_CRITERIA.split()}))
def test_what_is_used_or_named_most_is_there(name: str) -> None:
    assert known(name.replace("_", " ")).codes
