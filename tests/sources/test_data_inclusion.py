"""data.inclusion v1: services and structures, in each way in which its lists are written."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from helpers.fake_portals import town_lon_lat
from quart_heure.categories import default_catalogue
from quart_heure.errors import InputFileError
from quart_heure.labels import problem_words
from quart_heure.sources.services.data_inclusion import words_in
from quart_heure.sources.services.services import Services, read_services
from quart_heure.sources.services.settings import ServiceSource

FOOD = "equipement-et-alimentation--alimentation"


def service(number: int = 1, **changes: Any) -> dict[str, Any]:
    lon, lat = town_lon_lat(100.0 + 100 * number, 400)
    return {
        "id": f"x--{number}",
        "structure_id": f"x--s{number}",
        "source": "x",
        "nom": f"Aide {number}",
        "description": "",
        "type": "aide-materielle",
        "thematiques": [FOOD],
        "publics": ["tous-publics"],
        "publics_precisions": None,
        "modes_accueil": ["en-presentiel"],
        "mobilisable_par": ["usagers"],
        "modes_mobilisation": ["se-presenter"],
        "conditions_acces": None,
        "horaires_accueil": "Mo-Fr 08:30-12:30; PH off",
        "adresse": f"{number} rue A",
        "code_postal": "99001",
        "longitude": lon,
        "latitude": lat,
        "date_maj": "2026-02-14",
        "score_qualite": 0.8,
        **changes,
    }


def structure(number: int = 1, **changes: Any) -> dict[str, Any]:
    lon, lat = town_lon_lat(100.0 + 100 * number, 400)
    return {
        "id": f"x--s{number}",
        "source": "x",
        "nom": f"Maison {number}",
        "reseaux_porteurs": ["fcsf"],
        "siret": "12345678901234",
        "horaires_accueil": None,
        "adresse": f"{number} rue A",
        "code_postal": "99001",
        "longitude": lon,
        "latitude": lat,
        "date_maj": "2026-02-14",
        "score_qualite": 0.8,
        **changes,
    }


def read(folder: Path, *rows: Mapping[str, Any], **settings: Any) -> Services:
    file = folder / "rows.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    source = ServiceSource(file=file, **settings)
    return read_services([source], toy_town.town_area(), catalogue=default_catalogue())


def one(folder: Path, **changes: Any) -> dict[str, Any]:
    (row,) = read(folder, service(**changes)).table.to_dict("records")
    return {str(key): value for key, value in row.items()}


def told(services: Services) -> list[tuple[Any, ...]]:
    columns = services.problems[["row", "field", "reason", "action"]]
    return list(columns.itertuples(index=False, name=None))


def test_a_service(tmp_path: Path) -> None:
    row = one(tmp_path, frais="gratuit")
    assert [row[name] for name in ("service_id", "category", "name", "address", "postcode")] == [
        *("x--1", "distribution_alimentaire", "Aide 1", "1 rue A", "99001"),
    ]
    assert [row[name] for name in ("access", "admits", "opening_hours", "status")] == [
        *("walk_in", "everyone", "Mo-Fr 08:30-12:30; PH off", "open"),
    ]
    assert (row["source"], row["source_date"]) == ("data.inclusion: x", "2026-02-14")
    assert "score_qualite 0.8" in row["notes"]
    assert "frais gratuit" in row["notes"]


# --- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [["a-distance"], "a-distance", "{a-distance}", "['a-distance']"])
def test_what_is_given_at_a_distance_is_no_place(said: Any, tmp_path: Path) -> None:
    services = read(tmp_path, service(modes_accueil=said), service(2), category="accueil_de_jour")
    assert services.table["name"].tolist() == ["Aide 2"]
    assert told(services) == [(1, "modes_accueil", "given at a distance alone", "left out")]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (["a-distance", "en-presentiel"], []),
        (None, []),
        ([], []),
        (["a-distance", "ailleurs"], ["not understood: ailleurs"]),
    ],
)
def test_what_may_be_visited_is_kept(said: Any, reason: list[str], tmp_path: Path) -> None:
    services = read(tmp_path, service(modes_accueil=said))
    assert len(services.table) == 1
    assert services.problems["reason"].tolist() == reason


# --- categories -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"thematiques": ["remobilisation--lien-social"]}, "remobilisation--lien-social"),
        ({"type": "aide-financiere"}, f"{FOOD} (aide-financiere)"),
        ({"type": "formation"}, f"{FOOD} (formation)"),
        ({"thematiques": None}, ""),
    ],
)
def test_themes_that_are_none_of_our_categories_are_told(
    changes: dict[str, Any], value: str, tmp_path: Path
) -> None:
    services = read(tmp_path, service(**changes), service(2))
    assert services.table["service_id"].tolist() == ["x--2"]
    (problem,) = services.problems.to_dict("records")
    assert (problem["field"], problem["action"]) == ("category", "left out")
    assert problem["value"] == " – ".join(filter(None, ["Aide 1", value]))


def test_one_theme_of_several_is_enough(tmp_path: Path) -> None:
    assert one(tmp_path, thematiques=["sante--addictions", FOOD], type=None)["category"] == (
        "distribution_alimentaire"
    )


def test_a_study_says_better_what_a_file_is(tmp_path: Path) -> None:
    by_file = read(tmp_path, service(), category="accueil_de_jour")
    assert by_file.table["category"].tolist() == ["accueil_de_jour"]
    rows = (service(nom="Douches"), service(2))
    by_name = read(tmp_path, *rows, rules={"bains_douches": ["douches"]})
    assert by_name.table["category"].tolist() == ["bains_douches", "distribution_alimentaire"]


def test_structures_have_the_category_of_their_network(tmp_path: Path) -> None:
    services = read(tmp_path, structure(), structure(2, reseaux_porteurs=["caf"]))
    assert services.table["category"].tolist() == ["centre_social"]
    assert services.problems["value"].tolist() == ["Maison 2 – caf"]


# --- whom, how ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("publics", "precisions", "admits"),
    [
        (["femmes"], None, "women"),
        (["familles", "femmes"], None, "women;families"),
        (["jeunes", "femmes"], None, "women;young_people"),
        (["femmes", "personnes-exilees"], None, "women;unknown"),
        (["seniors"], None, "unknown"),
        (None, None, "unknown"),
        (["inconnus"], None, "unknown"),
        (["femmes", "inconnus"], None, "women;unknown"),
        (["tous-publics"], "Femmes", "women"),
        (["femmes"], "Femmes", "women"),
        (["femmes"], "Hommes", "unknown"),
        (["femmes"], "Les amis du Morvan", "unknown"),
        (["femmes"], "Animaux acceptés", "women"),
        (None, "Familles", "families"),
    ],
)
def test_publics(publics: Any, precisions: str | None, admits: str, tmp_path: Path) -> None:
    row = one(tmp_path, publics=publics, publics_precisions=precisions)
    assert row["admits"] == admits
    assert row["animals"] == ("yes" if precisions == "Animaux acceptés" else "unknown")


def test_what_is_not_understood_of_publics_is_told_once(tmp_path: Path) -> None:
    rows = (
        service(publics=["femmes"], publics_precisions="Les amis du Morvan"),
        service(2, publics=["femmes", "inconnus"]),
        service(3, publics=["femmes"], publics_precisions="Hommes"),
        service(4, publics=["personnes-exilees"]),
    )
    assert sorted(told(read(tmp_path, *rows))) == [
        (1, "publics_precisions", "not understood: amis, morvan", "taken as unknown"),
        (2, "publics", "not understood: inconnus", "others may be admitted"),
        (3, "publics_precisions", "says something else than the publics", "taken as unknown"),
    ]


@pytest.mark.parametrize(
    ("who", "how", "conditions", "access"),
    [
        (["professionnels"], None, None, "referral"),
        (["usagers"], None, None, "walk_in"),
        (["usagers", "professionnels"], ["se-presenter", "telephoner"], None, "walk_in"),
        (["usagers"], ["telephoner"], None, "unknown"),
        (["usagers"], None, "Sur orientation", "unknown"),
        (["professionnels"], None, "Sans condition", "referral"),
        (None, None, "Sur orientation", "referral"),
        (None, None, None, "unknown"),
        (["voisins"], None, None, "unknown"),
    ],
)
def test_who_may_come(who: Any, how: Any, conditions: Any, access: str, tmp_path: Path) -> None:
    row = one(tmp_path, mobilisable_par=who, modes_mobilisation=how, conditions_acces=conditions)
    assert row["access"] == access


# --- quality, doubles -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"score_qualite": 0.5}, []),
        ({"score_qualite": 0.49}, ["a score of quality below 0.5"]),
        ({"score_qualite": 1.4}, ["no score from 0 to 1"]),
        ({"score_qualite": "bon"}, ["no score from 0 to 1"]),
        ({"score_qualite": None}, []),
        ({"adresse_certifiee": True}, []),
        ({"adresse_certifiee": None}, []),
        ({"adresse_certifiee": False}, ["its address was not found"]),
    ],
)
def test_doubtful_rows_are_kept_and_told(
    changes: dict[str, Any], reason: list[str], tmp_path: Path
) -> None:
    services = read(tmp_path, service(**changes))
    assert len(services.table) == 1
    assert services.problems["reason"].tolist() == reason
    assert set(services.problems["action"]) <= {"kept, to be checked"}


@pytest.mark.parametrize(
    "cluster",
    [
        lambda n: {"_cluster_id": "c1"},
        lambda n: {"cluster_id": "c1"},
        lambda n: {"doublons": [{"source": "x", "id": f"x--s{m}"} for m in (1, 2, 3) if m != n]},
        lambda n: {"doublons": [{"source": "x", "id": "s1"}] if n > 1 else []},
        lambda n: {"doublons": [f"x--s{n - 1}"] if n > 1 else None},
        lambda n: {"doublons": str([{"source": "x", "id": "x--s1"}]) if n > 1 else ""},
    ],
)
def test_doubles_are_one_place_with_what_all_know(cluster: Any, tmp_path: Path) -> None:
    services = read(
        tmp_path,
        structure(1, **cluster(1), horaires_accueil="Mo 09:00-12:00", source="y"),
        structure(2, **cluster(2), score_qualite=0.9),
        structure(3, **cluster(3)),
        structure(4),
    )
    assert services.table["name"].tolist() == ["Maison 2", "Maison 4"]
    kept = services.table.iloc[0]
    assert (kept["opening_hours"], kept["other_sources"]) == (
        *("Mo 09:00-12:00", "data.inclusion: y"),
    )
    reason = "the same place as row 2 for data.inclusion"
    assert sorted(told(services)) == [(n, "doublons", reason, "left out") for n in (1, 3)]
    assert problem_words(reason, "fr") == "même lieu que la ligne 2 selon data.inclusion"


def test_a_double_without_a_place_or_of_another_category_stands_for_nobody(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        structure(1, _cluster_id="c", score_qualite=1.0, longitude=None, latitude=None),
        structure(2, _cluster_id="c", score_qualite=1.0, reseaux_porteurs=["caf"]),
        structure(3, _cluster_id="c"),
    )
    assert services.table["name"].tolist() == ["Maison 3"]
    assert sorted(services.problems["field"]) == ["category", "coordinates"]


# --- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        '["femmes", "jeunes"]',
        "['femmes', 'jeunes']",
        "['femmes' 'jeunes']",
        "['femmes'\n 'jeunes']",
        "{femmes,jeunes}",
        "femmes|jeunes",
        "femmes; jeunes",
        "Femmes, Jeunes",
    ],
)
def test_lists_in_cells(cell: str) -> None:
    assert words_in(cell) == ("femmes", "jeunes")


@pytest.mark.parametrize("cell", ["", "[]", "{}", "nan", "None", "null"])
def test_no_list(cell: str) -> None:
    assert words_in(cell) == ()


WORDS = st.lists(st.from_regex(r"[a-z0-9]+(-{1,2}[a-z0-9]+)*", fullmatch=True), unique=True)


@given(WORDS.filter(lambda words: not {"nan", "none", "null"} & set(words)))
def test_lists_of_any_values(words: list[str]) -> None:
    for cell in (json.dumps(words), str(words), "{" + ",".join(words) + "}", " | ".join(words)):
        assert words_in(cell) == tuple(words)


def test_formats_say_the_same(tmp_path: Path) -> None:
    rows = [service(1, publics=["femmes", "jeunes"]), service(2, modes_accueil=["a-distance"])]
    expected = read(tmp_path, *rows)
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    shapes = gpd.points_from_xy([r["longitude"] for r in rows], [r["latitude"] for r in rows])
    layer = gpd.GeoDataFrame(rows, geometry=shapes, crs=4326)
    layer.to_parquet(tmp_path / "rows.parquet")
    search = {"items": [{"service": row, "distance": 12} for row in rows]}
    (tmp_path / "search.json").write_text(json.dumps(search), encoding="utf-8")
    for name in ("rows.csv", "rows.parquet", "search.json"):
        found = read_services(
            [tmp_path / name], toy_town.town_area(), catalogue=default_catalogue()
        )
        assert told(found) == told(expected), name
        for column in ("service_id", "category", "admits", "access", "opening_hours", "address"):
            assert found.table[column].tolist() == expected.table[column].tolist(), (name, column)
        assert found.table.geometry.geom_equals_exact(expected.table.geometry, 0.01).all()


def test_a_service_is_where_and_when_its_structure_is(tmp_path: Path) -> None:
    nowhere = dict.fromkeys(("longitude", "latitude", "adresse", "code_postal"))
    rows = [service(1, horaires_accueil=None, structure=structure(1)), service(2)]
    rows[0] |= nowhere
    rows[0]["structure"]["horaires_accueil"] = "Tu 10:00-11:00"
    first = read(tmp_path, *rows).table.iloc[0]
    assert (first["opening_hours"], first["operator"], first["address"]) == (
        *("Tu 10:00-11:00", "Maison 1", "1 rue A"),
    )


def test_a_place_that_must_stay_secret_is_not_told(tmp_path: Path) -> None:
    secret = {"description": "adresse confidentielle", "adresse_certifiee": False}
    services = read(
        tmp_path,
        service(1, **secret),
        service(2, **secret, modes_accueil=["a-distance"], publics=["zut"]),
        service(3),
    )
    assert services.table["discreet"].tolist() == [True, False]
    assert not services.problems["value"].str.contains("Aide|distance|zut").any()
    assert not services.problems["reason"].str.contains("zut").any()


def test_another_table_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("nom,thematiques,lon,lat\nA,x,2,48\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="no column 'category'"):
        read_services([tmp_path / "other.csv"], toy_town.town_area(), catalogue=default_catalogue())


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "thematiques": st.sampled_from([[FOOD], [], ["x"], None, "{"]),
                "modes_accueil": st.sampled_from([["a-distance"], ["en-presentiel"], None, "?"]),
                "publics": st.sampled_from([["femmes"], ["x"], None, 3]),
                "longitude": st.sampled_from([2.35, None, "x"]),
                "adresse_certifiee": st.booleans(),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_each_row_is_read_or_told_to_be_left_out(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    every = [service(99), *(service(n, **row) for n, row in enumerate(rows))]
    services = read(folder, *every)
    gone = services.problems[services.problems["action"] == "left out"]["row"]
    assert gone.is_unique
    assert len(services.table) + len(gone) == len(every)
