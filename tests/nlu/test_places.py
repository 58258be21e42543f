"""`nlu.places` on the real `data/places.yml`: names as migrants write them, and words that are no place."""

from pathlib import Path

import pytest

from nlu.datafiles import DataFileError, load_yaml
from nlu.places import Place, PlaceFinder

DATA = Path(__file__).parents[2] / "data"
FINDER = PlaceFinder.from_data(DATA)
NAMES = [municipality.name for municipality in FINDER._municipalities]
WEST_BRABANT = {
    "Alphen-Chaam", "Altena", "Baarle-Nassau", "Bergen op Zoom", "Breda", "Drimmelen", "Etten-Leur", "Geertruidenberg",
    "Halderberge", "Moerdijk", "Oosterhout", "Roosendaal", "Rucphen", "Steenbergen", "Woensdrecht", "Zundert",
}  # fmt: skip
SIZES = {
    "Groningen": 10, "Fryslân": 18, "Drenthe": 12, "Overijssel": 25, "Flevoland": 6, "Gelderland": 51, "Utrecht": 26,
    "Noord-Holland": 44, "Zuid-Holland": 50, "Zeeland": 13, "Noord-Brabant": 56, "Limburg": 31,
}  # fmt: skip


def found(text: str) -> str | None:
    place = FINDER.find(text)
    return place.municipality if place else None


def test_all_342_municipalities_of_2026_are_there() -> None:
    provinces = [municipality.province for municipality in FINDER._municipalities]
    assert {province: provinces.count(province) for province in set(provinces)} == SIZES
    assert len(set(NAMES)) == 342
    assert set(NAMES) >= WEST_BRABANT


@pytest.mark.parametrize("name", NAMES)
def test_the_name_alone_is_found_in_any_case(name: str) -> None:
    assert {found(name), found(name.lower()), found(name.upper()), found(f"Ik woon in {name}.")} == {name}


@pytest.mark.parametrize(
    ("text", "municipality"),
    [
        ("Mieszkam w Bredzie i nie mam lekarza", "Breda"),
        ("jestem z Roosendaal", "Roosendaal"),
        ("mieszkam w rosendal", "Roosendaal"),
        ("pracuje w Tilburgu na magazynie", "Tilburg"),
        ("okolice Utrechtu", "Utrecht"),
        ("w Utrechcie", "Utrecht"),
        ("szukam dentysty w Hadze", "'s-Gravenhage"),
        ("mieszkam w eten leur", "Etten-Leur"),
        ("Locuiesc în Oosterhout cu copiii", "Oosterhout"),
        ("sunt la roterdam acum", "Rotterdam"),
        ("stau langa Bergen op Zoom", "Bergen op Zoom"),
        ("in orasul Haga", "'s-Gravenhage"),
        ("живея в Бреда", "Breda"),
        ("аз съм в Берген оп Зоом", "Bergen op Zoom"),
        ("работя в Айндховен", "Eindhoven"),
        ("jiveq v Rozendal", "Roosendaal"),
        ("rabotq v Tilburg a jiveq v Breda", "Breda"),
        ("я живу в Тилбурге", "Tilburg"),
        ("хага", "'s-Gravenhage"),
        ("I live in the hague", "'s-Gravenhage"),
        ("I work in Tilburg but live in Zundert", "Zundert"),
        ("ik woon in zevenbergen bij de boer", "Moerdijk"),
        ("Oud-Gastel", "Halderberge"),
        ("oudgastel", "Halderberge"),
        ("huisarts in St. Willebrord gezocht", "Rucphen"),
        ("poeldijk", "Westland"),
        ("den bosch", "'s-Hertogenbosch"),
        ("s hertogenbosch", "'s-Hertogenbosch"),
        ("’s-Hertogenbosch", "'s-Hertogenbosch"),
        ("bergen nh", "Bergen (NH.)"),
        ("bergen", "Bergen op Zoom"),
        ("bergenopzoom", "Bergen op Zoom"),
        ("BREDA!!!", "Breda"),
    ],
)
def test_a_place_is_found_as_people_write_it(text: str, municipality: str) -> None:
    assert found(text) == municipality


@pytest.mark.parametrize(
    ("text", "municipality"),
    [
        ("tilburh", "Tilburg"),
        ("ik woon in oosterhuot", "Oosterhout"),
        ("I work in eidnhoven", "Eindhoven"),
        ("w Geertruidenbrg", "Geertruidenberg"),
        ("bergen op zoob", "Bergen op Zoom"),
        ("живея в Зюндрет", "Zundert"),
    ],
)
def test_one_typo_is_forgiven_where_a_place_is_expected(text: str, municipality: str) -> None:
    assert found(text) == municipality


@pytest.mark.parametrize(
    ("text", "municipality"),
    [
        ("best", "Best"),
        ("Ik woon in Best", "Best"),
        ("ik woon in goes", "Goes"),
        ("locuiesc in goes, am nevoie de medic", "Goes"),
        ("Waar is de huisarts in Hoorn?", "Hoorn"),
        ("gemeente ede", "Ede"),
        ("in Made", "Drimmelen"),
        ("Weert Limburg", "Weert"),
    ],
)
def test_a_name_that_is_an_everyday_word_counts_where_it_must_be_a_place(text: str, municipality: str) -> None:
    assert found(text) == municipality


@pytest.mark.parametrize(
    "text",
    [
        "what is the best insurance",
        "in best case it is free",
        "Best regards",
        "it goes on my nerves",
        "who goes first",
        "mijn buren zijn ziek",
        "ik heb echt pijn",
        "Echt waar?",
        "ik kan niet goed horen met mijn hoorn",
        "I was born in Poland",
        "made in holland",
        "ik zou niet hoeven betalen",
        "hij heeft veel dorst",
        "dat kan leiden tot problemen",
        "in de wijk",
        "in brede zin",
        "ik wil geholpen worden",
        "twee jaar geleden",
        "am probleme grave cu spatele",
        "de winkel is dicht",
        "ook de huizen zijn duur",
        "боли ме горло",
        "нямам здравна осигуровка",
        "nu am medic de familie",
        "nie mam ubezpieczenia",
        "waar kan ik mijn bsn halen",
        "",
        "🙂",
        "12345",
        "'",
    ],
)
def test_everyday_words_are_no_place(text: str) -> None:
    assert found(text) is None


def test_the_words_of_the_message_are_given_back() -> None:
    assert FINDER.find("Mieszkam w Bredzie.") == Place("Breda", "Noord-Brabant", "Bredzie")


@pytest.mark.parametrize(
    ("lat", "lon", "municipality"),
    [
        (51.587, 4.775, "Breda"),
        (51.535, 4.456, "Roosendaal"),
        (52.08, 4.31, "'s-Gravenhage"),
        (50.85, 5.69, "Maastricht"),
    ],
)
def test_a_location_gives_the_nearest_municipality(lat: float, lon: float, municipality: str) -> None:
    assert FINDER.nearest(lat, lon).municipality == municipality


def test_every_centre_lies_in_the_netherlands_and_no_two_are_the_same() -> None:
    centres = [(municipality.lat, municipality.lon) for municipality in FINDER._municipalities]
    assert all(50.7 < lat < 53.6 and 3.3 < lon < 7.3 for lat, lon in centres)
    assert len(set(centres)) == len(centres)


def test_a_message_of_twenty_thousand_letters_is_survived() -> None:
    assert found("pracuje w firmie i szukam lekarza " * 600) is None


def test_one_name_for_two_municipalities_is_refused(tmp_path: Path) -> None:
    rows = "\n".join(f"  - {{name: {name}, province: X, lat: 51, lon: 5, towns: [Dorpje]}}" for name in ("Aa", "Bee"))
    (tmp_path / "places.yml").write_text(f"municipalities:\n{rows}\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="belongs to both Aa and Bee"):
        PlaceFinder.from_data(tmp_path)


def test_a_row_without_coordinates_is_refused_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "places.yml").write_text("municipalities:\n  - {name: Breda, province: X}\n", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"Breda.*Give name, province, lat, lon"):
        PlaceFinder.from_data(tmp_path)


def test_every_municipality_that_a_contact_serves_is_known() -> None:
    contacts = [contact for path in (DATA / "contacts").glob("*.yml") for contact in load_yaml(path)]
    assert {name for contact in contacts for name in contact["municipalities"]} <= set(NAMES)


@pytest.mark.parametrize("kind", ["win-point", "gp-post"])
def test_every_municipality_of_west_brabant_has_one_desk_of_each_kind(kind: str) -> None:
    contacts = [contact for path in (DATA / "contacts").glob("*.yml") for contact in load_yaml(path)]
    served = [name for contact in contacts if contact["kind"] == kind for name in contact["municipalities"]]
    assert sorted(name for name in served if name in WEST_BRABANT) == sorted(WEST_BRABANT)


@pytest.mark.parametrize(
    ("text", "municipality"),
    [("4811 AB", "Breda"), ("postcode is 4702kd", "Roosendaal"), ("4611", "Bergen op Zoom"), ("1012 JS", "Amsterdam")],
)
def test_a_postcode_is_a_place(text: str, municipality: str) -> None:
    place = FINDER.find(text)
    assert place is not None
    assert place.municipality == municipality


@pytest.mark.parametrize("text", ["it cost 4811 euro", "in 2026", "9999 ZZ", "call 0800 2000"])
def test_a_number_in_a_sentence_is_no_postcode(text: str) -> None:
    assert FINDER.find(text) is None
