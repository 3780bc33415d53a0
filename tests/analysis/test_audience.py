"""For whom: what each kind of place says to each person, and what it does to the figures."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers import toy_town
from helpers.study_files import add, swap, write_town
from quart_heure.analysis import audience
from quart_heure.analysis.audience import (
    PERSONS,
    Person,
    admission,
    combined_person,
    get_person,
)
from quart_heure.analysis.states import NO, PERHAPS, YES, combine_states
from quart_heure.cli import main
from quart_heure.errors import StudyFileError
from quart_heure.labels import word
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report
from quart_heure.profiles import ADULT, STEP_FREE
from quart_heure.sources.services.admission import ADMITS
from quart_heure.sources.services.rows import ANSWERS, WHEELCHAIR
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.file import read_study

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "admits": st.lists(st.sampled_from(ADMITS), max_size=3).map(";".join)
            | st.just("unknown"),
            "access": st.sampled_from(["walk_in", "referral", "unknown", ""]),
            "animals": st.sampled_from([*ANSWERS, ""]),
            "wheelchair": st.sampled_from([*WHEELCHAIR, ""]),
        }
    ),
    min_size=1,
    max_size=12,
)
PEOPLE = st.builds(
    Person,
    name=st.just("somebody"),
    sex=st.sampled_from(["", "woman", "man"]),
    **dict.fromkeys(
        ("young", "with_child", "with_dog", "without_referral", "wheelchair"), st.booleans()
    ),
)


def one(person: Person, **about: str) -> int:
    return int(admission(pd.DataFrame([about]), person).state[0])


@pytest.mark.parametrize(
    ("admits", "states"),
    [
        # woman, woman with a child, man, family, young
        ("everyone", (YES, YES, YES, YES, YES)),
        ("", (PERHAPS,) * 5),
        ("unknown", (PERHAPS,) * 5),
        ("women", (YES, PERHAPS, NO, PERHAPS, PERHAPS)),
        ("men", (NO, NO, YES, PERHAPS, PERHAPS)),
        ("women;families", (YES, YES, NO, YES, PERHAPS)),
        ("families", (NO, YES, NO, YES, NO)),
        ("young_people", (NO, NO, NO, NO, YES)),
        ("women;men", (YES, PERHAPS, YES, PERHAPS, PERHAPS)),
        ("mothers", (NO, YES, NO, PERHAPS, NO)),
        ("women;mothers", (YES, YES, NO, PERHAPS, PERHAPS)),
        ("young_women", (NO, NO, NO, NO, PERHAPS)),
        ("young_men", (NO, NO, NO, NO, PERHAPS)),
        ("women;unknown", (YES, PERHAPS, PERHAPS, PERHAPS, PERHAPS)),
        ("mothers;unknown", (PERHAPS, YES, PERHAPS, PERHAPS, PERHAPS)),
        ("women;no_children", (YES, NO, NO, NO, PERHAPS)),
        ("everyone;no_men", (YES, YES, NO, PERHAPS, PERHAPS)),
        ("everyone;no_women", (NO, NO, YES, PERHAPS, PERHAPS)),
        ("everyone;no_children", (YES, NO, YES, NO, YES)),
        ("everyone;no_young_people", (YES, YES, YES, YES, NO)),
        ("no_men;unknown", (PERHAPS, PERHAPS, NO, PERHAPS, PERHAPS)),
        ("no_men", (PERHAPS, PERHAPS, NO, PERHAPS, PERHAPS)),
    ],
)
def test_whom_a_place_admits(admits: str, states: tuple[int, ...]) -> None:
    people = ("woman", "woman_with_child", "man", "family", "young")
    assert tuple(one(PERSONS[name], admits=admits) for name in people) == states


def test_every_word_of_admission_asks_something_of_a_person() -> None:
    assert {*audience._GROUPS, *audience._BARS} == set(ADMITS)


def test_a_father_is_no_mother_and_a_young_woman_no_young_man() -> None:
    father = PERSONS["man_with_child"]
    assert one(father, admits="mothers") == NO
    assert one(father, admits="families") == YES
    woman = Person(name="her", sex="woman", young=True)
    assert (one(woman, admits="young_women"), one(woman, admits="young_men")) == (YES, NO)
    assert one(Person(name="she", sex="woman"), admits="young_women") == NO


@pytest.mark.parametrize(
    ("person", "column", "told"),
    [
        ("with_dog", "animals", {"yes": YES, "no": NO, "unknown": PERHAPS, "": PERHAPS}),
        ("without_referral", "access", {"walk_in": YES, "referral": NO, "unknown": PERHAPS}),
        (
            "wheelchair",
            "wheelchair",
            {"yes": YES, "limited": PERHAPS, "no": NO, "unknown": PERHAPS},
        ),
    ],
)
def test_what_a_place_says(person: str, column: str, told: dict[str, int]) -> None:
    for said, state in told.items():
        assert one(PERSONS[person], **{column: said}) == state
    assert one(PERSONS[person]) == PERHAPS  # a file without the column says nothing
    assert one(PERSONS[person], admits="women") == PERHAPS  # and nothing is asked of the audience


@given(rows=ROWS, person=PEOPLE)
def test_filters_together_are_as_strict_as_the_strictest(
    rows: list[dict[str, str]], person: Person
) -> None:
    table = pd.DataFrame(rows)
    found = admission(table, person)
    for k, row in enumerate(rows):
        each = [one(alone, **row) for alone in alone_of(person)]
        assert found.state[k] == min(each, default=YES)
        assert (found.reason[k] != "") == (found.state[k] == NO)
    assert set(found.by_filter) == set(person.asks)
    # in whatever order the rows come
    turned = admission(table[::-1], person).state[::-1]
    assert turned.tolist() == found.state.tolist()


def alone_of(person: Person) -> list[Person]:
    """The same person, asking for one thing at a time."""
    who = Person(name="who", sex=person.sex, young=person.young, with_child=person.with_child)
    others = [
        PERSONS[name]
        for name in ("with_dog", "without_referral", "wheelchair")
        if getattr(person, name)
    ]
    return [who, *others]


def test_states_combine_to_the_least() -> None:
    hours, persons = (np.array(s, dtype=np.int8) for s in ([2, 2, 1, 0], [2, 1, 0, 2]))
    assert combine_states(hours, persons).tolist() == [2, 1, 0, 0]
    assert combine_states(hours).tolist() == hours.tolist()


def test_nobody_in_particular_is_admitted_everywhere() -> None:
    found = admission(pd.DataFrame({"admits": ["women", ""]}), None)
    assert found.state.tolist() == [YES, YES]
    assert not found.by_filter


def test_persons_are_found_by_name() -> None:
    assert get_person("woman-with-child") == PERSONS["woman_with_child"]
    own = Person(name="moi", with_dog=True)
    assert get_person("moi", [own]) is own
    with pytest.raises(StudyFileError, match="Did you mean 'without_referral'"):
        get_person("without-referal")
    with pytest.raises(StudyFileError, match="Known: woman"):
        get_person("xyz")
    with pytest.raises(StudyFileError, match="sex is 'women'"):
        Person(name="wrong", sex="women")


def test_persons_combine() -> None:
    both = combined_person([PERSONS["woman_with_child"], PERSONS["with_dog"], PERSONS["young"]])
    assert (both.sex, both.with_child, both.with_dog, both.young) == ("woman", True, True, True)
    assert both.name == "woman_with_child+with_dog+young"
    with pytest.raises(StudyFileError, match="woman and man at once"):
        combined_person([PERSONS["woman"], PERSONS["man"]])


# --- the whole line ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told_study(toy_study: Study) -> Study:
    """The toy town, whose places take turns to say everything, nothing, or no."""
    table = toy_study.services.table.copy()
    for column, words in (
        ("admits", ("women", "everyone", "unknown", "men")),
        ("animals", ("yes", "unknown")),
        ("access", ("walk_in", "walk_in", "referral")),
    ):
        turns = itertools.cycle(words)
        table[column] = [next(turns) for _ in range(len(table))]
    services = Services(table=table, problems=toy_study.services.problems)
    return toy_study.replace(services=services)


@pytest.fixture(scope="module")
def told(told_study: Study) -> Coverage:
    person = combined_person([PERSONS["woman"], PERSONS["without_referral"]])
    return analyse(told_study.replace(person=person))


def only(study: Study, kept: NDArray[np.bool_]) -> Coverage:
    """Analyse the study for nobody in particular, with some of its places alone."""
    table = study.services.table
    assert 0 < kept.sum() < len(table)
    services = Services(table=table[kept].reset_index(drop=True), problems=toy_problems())
    return analyse(study.replace(services=services))


def test_the_least_is_that_of_the_places_that_admit_for_sure(
    told_study: Study, told: Coverage
) -> None:
    state = admission(told_study.services.table, told.study.person).state
    least = only(told_study, state == YES)
    for category in told_study.categories:
        a, b = (one.cells[f"minutes_{category}"].to_numpy() for one in (told, least))
        np.testing.assert_allclose(a, b)
    same = ["covered_ha", "covered_pct", "residents_covered", "residents_covered_pct"]
    pd.testing.assert_frame_equal(told.indicators[same], least.indicators[same])


def test_the_most_is_that_of_the_places_that_are_left(told_study: Study, told: Coverage) -> None:
    most = only(told_study, admission(told_study.services.table, told.study.person).state > NO)
    for name in ("covered_{}ha", "covered_{}pct", "residents_covered_{}"):
        a = told.indicators[name.format("at_most_").rstrip("_")]
        b = most.indicators[name.format("").rstrip("_")]
        np.testing.assert_allclose(a, b)
    for category in told_study.categories:
        sure = told.cells[f"status_{category}"].str.startswith(("covered", "borderline_covered"))
        wanted = most.cells[f"status_{category}"].str.startswith(("covered", "borderline_covered"))
        assert (sure | told.cells[f"perhaps_{category}"] == wanted).all()
    assert "unknown_admission" in set(told.gaps["cause"])
    assert not {"closed", "unknown_hours"} & set(told.gaps["cause"])


def toy_problems() -> pd.DataFrame:
    return toy_town.town_services().problems


def test_each_service_says_why_it_is_out(told_study: Study, told: Coverage) -> None:
    plain = analyse(told_study).services.set_index("service_id")
    assert not plain["perhaps"].any()
    for row in told.services.itertuples():
        before = plain.loc[row.service_id]
        refused = row.admits == "men" or row.access == "referral"
        assert row.counted == (before["counted"] and not refused)
        if before["counted"] and refused:
            filtered = "audience" if row.admits == "men" else "referral"
            assert row.left_out_reason == f"not for this person ({filtered})"
        else:
            assert row.left_out_reason == before["left_out_reason"]
        unsure = row.admits == "unknown"
        assert row.perhaps == (row.counted and unsure)


def test_the_table_of_filters_counts_them(told_study: Study, told: Coverage) -> None:
    eligible = analyse(told_study).services
    eligible = eligible[eligible["counted"]]
    assert set(told.filters["filter"]) == {"audience", "referral", "all"}
    for row in told.filters.itertuples():
        here = told.services[
            told.services["service_id"].isin(eligible["service_id"])
            & (told.services["category"] == row.category)
        ]
        assert row.kept + row.perhaps + row.left_out == len(here)
        if row.filter == "all":
            assert row.perhaps == here["perhaps"].sum()
            assert row.left_out == (~here["counted"]).sum()
    assert analyse(told_study).filters.empty


def test_reports_say_for_whom(told: Coverage) -> None:
    for form in REPORT_FORMATS:
        text = render_report(told, format=form, lang="en", width=300)
        if form in {"table", "md", "html"}:
            assert "For: a woman, without a referral." in text
            whole = told.filters[told.filters["filter"] == "all"]
            n = {name: whole[name].sum() for name in ("kept", "perhaps", "left_out")}
            said = "{kept} admit this person, {perhaps} perhaps do (counted), {left_out} do not."
            assert said.format(**n) in text
    assert "For:" not in render_report(analyse(toy_town.town_study()), format="md", lang="en")
    reasons = {reason for reason in told.services["left_out_reason"] if "person" in reason}
    assert reasons
    for reason in reasons:
        assert word(reason, "en") != reason
        assert word(reason, "en") in render_report(told, format="md", lang="en")
    keys = {d["key"] for d in told.manifest["definitions"]}
    assert "person" in keys
    limits = {d["key"] for d in told.manifest["limits"]}
    assert "hours_of_person" in limits
    assert "hours" not in limits


# --- study files and flags -----------------------------------------------------------------------


def test_a_study_file_names_persons(tmp_path: Path) -> None:
    path = add(
        write_town(tmp_path),
        '[analysis]\nperson = ["rosa", "without_referral"]\n'
        '[persons.rosa]\nsex = "woman"\nwith_dog = true\n',
    )
    person = read_study(path).person
    assert person is not None
    assert person.asks == ("audience", "referral", "animals")
    assert person.name == "rosa+without_referral"
    assert read_study(path, person="man").person == combined_person([PERSONS["man"]])
    assert read_study(path, person=None).person is None
    assert read_study(path).profile == ADULT
    assert read_study(path, person=["rosa", "wheelchair"]).profile == STEP_FREE
    swap(path, "with_dog = true", "wheelchair = true\n[profiles.fast]\nspeed_kmh = 6")
    assert read_study(path).profile == STEP_FREE
    assert read_study(path, profile="fast").profile.name == "fast"
    swap(path, "[analysis]", '[analysis]\nprofile = "fast"')
    assert read_study(path).profile.name == "fast"  # as the file says, of whom it asks for
    assert read_study(path, person="wheelchair").profile == STEP_FREE
    assert Study.paris(person="woman-with-child").person == combined_person(
        [PERSONS["woman_with_child"]]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[analysis]\nperson = "womann"', "Did you mean 'woman'"),
        ("[analysis]\nperson = 3", "must be text in quotes"),
        ('[analysis]\nperson = ["woman", 3]', "a list of words"),
        ("[persons.rosa]\nwith_dogs = true", "Did you mean 'with_dog'"),
        ('[persons.rosa]\nwith_dog = "yes"', "true or false"),
        ("[persons.rosa]\nsex = 2", "woman"),
        ("[persons]\nrosa = 2", r"Write \[persons.rosa\]"),
        ("[analysis]\nuseful_share = 2", "not a share"),
    ],
)
def test_a_wrong_person_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StudyFileError, match=words):
        read_study(add(write_town(tmp_path), text))


def test_who_takes_no_steps_walks_without_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = '[analysis]\nprofile = "{name}"\n[profiles.ramp]\nspeed_kmh = 2\nsteps_allowed = false'
    walkers = {
        ("adult", "--step-free"): "step_free",  # of a file that thought of somebody else
        ("adult", "--step-free", "--profile", "slow"): "slow",
        ("ramp", "--step-free"): "ramp",  # takes no steps either
        ("adult", "--for", "woman"): "adult",
    }
    for number, ((name, *flags), walker) in enumerate(walkers.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        study = str(add(write_town(folder), own.format(name=name)))
        assert main(["report", study, *flags, "--json", "--no-cache"]) == 0
        assert json.loads(capsys.readouterr().out)["parameters"]["profile"] == walker, flags


@pytest.mark.parametrize(
    ("french", "name"),
    [
        ("femme", "woman"),
        ("Femmes", "woman"),
        ("femme avec enfants", "woman_with_child"),
        ("homme-avec-enfant", "man_with_child"),
        ("famille", "family"),
        ("jeunes", "young"),
        ("avec un chien", "with_dog"),
        ("en fauteuil roulant", "wheelchair"),
    ],
)
def test_persons_have_french_names(french: str, name: str) -> None:
    assert get_person(french) == get_person(name)


def test_flags_say_for_whom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = str(write_town(tmp_path))
    flags = ["--for", "woman-with-child", "--for", "with-dog", "--without-referral", "--step-free"]
    assert main(["report", study, *flags, "--format", "md", "--lang", "en", "--no-cache"]) == 0
    shown = capsys.readouterr().out
    said = "a woman with a child, with a dog, without a referral, in a wheelchair"
    assert f"For: {said}." in shown
    assert "walker: step-free, 3 km/h" in shown
    assert main(["report", study, "--for", "womann"]) == StudyFileError.exit_code
    assert "Did you mean 'woman'?" in capsys.readouterr().err
    folder = str(tmp_path / "out")
    assert main(["analyse", study, "-o", folder, "--no-cache"]) == 0
    assert main(["report", folder, "--for", "woman"]) == 3
    assert "--for cannot change them" in capsys.readouterr().err
