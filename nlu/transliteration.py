"""Bulgarian, Ukrainian, Russian and Arabic as people type them with Latin letters, and back again.

`to_native_script` reads a message as its writer would say it, so that everything after it meets one spelling;
`romanise` makes such messages from ordinary text, for the language identifier to learn from. Standard library only.
Where a letter has several readings (u may be у or ъ) the plain one is taken: these texts are searched, never shown.
"""

import re
from collections.abc import Mapping

from nlu.text import fold

LATIN_WRITTEN = ("bg", "uk", "ru", "ar")  # languages that many people type with Latin letters
_FEWEST_NATIVE = 3  # letters of the own script that make a text one in that script

_SHARED = {
    "zh": "ж", "kh": "х", "ts": "ц", "tz": "ц", "ch": "ч", "tch": "ч", "sh": "ш", "yu": "ю", "ju": "ю", "iu": "ю",
    "ya": "я", "ja": "я", "ia": "я", "a": "а", "b": "б", "v": "в", "w": "в", "g": "г", "d": "д", "e": "е", "z": "з",
    "i": "и", "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "r": "р", "s": "с", "t": "т", "u": "у",
    "f": "ф", "c": "ц", "4": "ч", "6": "ш", "q": "я",
}  # fmt: skip
# In Bulgarian ж is zh or j, ш is sh or 6, ч is ch or 4, щ is sht or 6t, ъ is y (or a or u), я is q or ya.
_UNITS: Mapping[str, Mapping[str, str]] = {
    "bg": {
        **_SHARED, "sht": "щ", "6t": "щ", "jh": "ж", "yo": "йо", "jo": "йо", "j": "ж", "h": "х", "x": "х", "y": "ъ",
    },
    "ru": {
        **_SHARED, "shch": "щ", "sch": "щ", "sh'": "щ", "yo": "е", "jo": "е", "io": "ио", "ye": "е", "je": "е",
        "y": "ы", "j": "й", "h": "х", "x": "х", "'": "ь", "eh": "э",
    },
    "uk": {
        **_SHARED, "shch": "щ", "sch": "щ", "yi": "ї", "ji": "ї", "ye": "є", "je": "є", "ie": "є", "yo": "йо",
        "jo": "йо", "h": "г", "g": "г", "y": "и", "i": "і", "j": "й", "x": "х", "'": "ь",
    },
    "ar": {
        "sh": "ش", "ch": "ش", "kh": "خ", "gh": "غ", "th": "ث", "dh": "ذ", "ou": "و", "oo": "و", "ee": "ي", "aa": "ا",
        "2": "ا", "3": "ع", "3'": "غ", "5": "خ", "6": "ط", "7": "ح", "7'": "خ", "8": "ق", "9": "ق", "a": "ا",
        "b": "ب", "p": "ب", "t": "ت", "j": "ج", "g": "ج", "d": "د", "r": "ر", "z": "ز", "s": "س", "f": "ف", "v": "ف",
        "q": "ق", "k": "ك", "c": "ك", "l": "ل", "m": "م", "n": "ن", "h": "ه", "o": "و", "u": "و", "w": "و", "i": "ي",
        "y": "ي", "e": "", "x": "كس", "'": "",
    },
}  # fmt: skip
_PATTERNS = {
    lang: re.compile("|".join(map(re.escape, sorted(units, key=len, reverse=True)))) for lang, units in _UNITS.items()
}
# A digit is a letter only in a word; y and j are й after a vowel and at the end of the small words that have it.
_LATIN_WORD = re.compile(r"[a-z0-9']*[a-z][a-z0-9']*")
_SHORT_I = re.compile(r"(?<=[aeou])y(?![aou])|(?:(?<=^[mtk]o)|(?<=^[ts]vo))j|(?:(?<=^da)|(?<=^ne))j$")
_AFTER_VOWEL = re.compile(r"(?<=[aeiouy])[yj](?![aou])")
_NATIVE = {"ar": re.compile(r"[\u0600-\u06ff]"), **dict.fromkeys(("bg", "uk", "ru"), re.compile(r"[\u0400-\u04ff]"))}
_LATIN = re.compile(r"[A-Za-z]")
# Dutch words that people put among their own, and that must stay what they are.
_STAY_LATIN = frozenset(
    [
        "apotheek", "basisverzekering", "bedrijfsarts", "belastingdienst", "brp", "bsn", "cak", "digid", "eigen",
        "gemeente", "ggd", "ggz", "gp", "hap", "huisarts", "huisartsenpost", "hulp", "kraamzorg", "passant", "punt",
        "recept", "risico", "rni", "seh", "spoed", "spoedeisende", "tandarts", "tolk", "toeslag", "uitzendbureau",
        "uwv", "verloskundige", "verwijzing", "verzekering", "win", "zorgpas", "zorgtoeslag", "zorgverzekering",
    ]
)  # fmt: skip


def is_in_latin_letters(text: str, lang: str) -> bool:
    """Whether a text of the language is typed with Latin letters; Dutch words among its own do not make it so."""
    native = _NATIVE.get(lang)
    return native is not None and len(native.findall(text)) < _FEWEST_NATIVE and bool(_LATIN.search(text))


def to_native_script(text: str, lang: str, stay: frozenset[str] = _STAY_LATIN) -> str:
    """Return the text with its Latin-letter words in the script of the language; folded when anything was changed.

    `ne moga da di6am` and `ne moga da disham` both give `не мога да дишам`. Numbers, Dutch terms in `stay`, and
    texts that are in the script already stay what they are.
    """
    if not is_in_latin_letters(text, lang):
        return text
    return _LATIN_WORD.sub(lambda match: _spell(match.group(), lang, stay), fold(text))


def bulgarian_to_cyrillic(text: str) -> str:
    """Return the text with every Latin-letter word in Cyrillic, as a Bulgarian would read it."""
    return _LATIN_WORD.sub(lambda match: _spell(match.group(), "bg", frozenset()), fold(text))


def _spell(word: str, lang: str, stay: frozenset[str]) -> str:
    if word in stay:
        return word
    units = _UNITS[lang]
    if lang == "bg":
        word = _SHORT_I.sub("й", word.replace("'", ""))
    elif lang != "ar":
        word = _AFTER_VOWEL.sub("й", word)
    return _PATTERNS[lang].sub(lambda match: units[match.group()], word)


_CYRILLIC_TO_LATIN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "y", "к": "k",
    "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h",
    "ц": "ts", "ч": "ch", "ш": "sh", "ю": "yu", "я": "ya", "ь": "",
}  # fmt: skip
_BULGARIAN = {**_CYRILLIC_TO_LATIN, "щ": "sht", "ъ": "a", "ь": "y"}
_RUSSIAN = {**_CYRILLIC_TO_LATIN, "х": "kh", "щ": "shch", "ъ": "", "ы": "y", "э": "e", "ё": "yo"}
_UKRAINIAN = {
    **_CYRILLIC_TO_LATIN, "г": "h", "ґ": "g", "и": "y", "і": "i", "ї": "yi", "є": "ye", "х": "kh", "щ": "shch", "'": "",
}  # fmt: skip
# The official way, in chats, and halfway.
_ROMANISATIONS = {
    "bg": (
        _BULGARIAN,
        {**_BULGARIAN, **dict(zip("жвйцчшщъюя", ("j", "w", "i", "c", "4", "6", "6t", "y", "iu", "q"), strict=True))},
        {**_BULGARIAN, "й": "j", "ц": "c", "ъ": "u", "ю": "ju", "я": "ja", "х": "h"},
    ),
    "ru": (
        _RUSSIAN,
        {**_RUSSIAN, "х": "h", "ц": "c", "й": "j", "ю": "ju", "я": "ja", "щ": "sch", "ё": "e"},
        {**_RUSSIAN, "х": "h", "ц": "c", "й": "i", "ю": "u", "щ": "sh", "ё": "e", "ы": "i"},
    ),
    "uk": (
        _UKRAINIAN,
        {**_UKRAINIAN, "х": "h", "ц": "c", "й": "j", "ю": "ju", "я": "ja", "є": "je", "ї": "ji", "г": "g"},
        {**_UKRAINIAN, "х": "x", "й": "i", "ю": "iu", "я": "ia", "є": "ie", "ї": "i", "щ": "sch"},
    ),
    "ar": (
        {
            "ا": "a", "أ": "a", "إ": "i", "آ": "a", "ى": "a", "ء": "2", "ؤ": "2o", "ئ": "2", "ب": "b", "ت": "t",
            "ة": "a", "ث": "th", "ج": "j", "ح": "7", "خ": "5", "د": "d", "ذ": "z", "ر": "r", "ز": "z", "س": "s",
            "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "ع": "3", "غ": "gh", "ف": "f", "ق": "9", "ك": "k",
            "ل": "l", "م": "m", "ن": "n", "ه": "h", "و": "o", "ي": "i",
        },
        {
            "ا": "a", "أ": "a", "إ": "e", "آ": "a", "ى": "a", "ء": "a", "ؤ": "o", "ئ": "e", "ب": "b", "ت": "t",
            "ة": "e", "ث": "t", "ج": "g", "ح": "h", "خ": "kh", "د": "d", "ذ": "d", "ر": "r", "ز": "z", "س": "s",
            "ش": "ch", "ص": "s", "ض": "d", "ط": "t", "ظ": "d", "ع": "a", "غ": "gh", "ف": "f", "ق": "q", "ك": "k",
            "ل": "l", "م": "m", "ن": "n", "ه": "h", "و": "ou", "ي": "y",
        },
    ),
}  # fmt: skip
_TABLES = {lang: tuple(str.maketrans(table) for table in tables) for lang, tables in _ROMANISATIONS.items()}


def romanise(text: str, lang: str) -> list[str]:
    """Return a folded text in each of the ways that people type the language in Latin letters; none for the others.

    Arabic gives its written letters alone: the short vowels that people type are not in the text.
    """
    return [text.translate(table) for table in _TABLES.get(lang, ())]
