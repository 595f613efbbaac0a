"""Names for a world that was made up: plausible, no two alike, nobody's in particular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["THEMES", "Theme", "brand_names", "handle", "person_names"]


@dataclass(frozen=True, slots=True)
class Theme:
    """What a community cares for: a word for it, its hashtags, and what brands there make."""

    word: str
    hashtags: tuple[str, ...]
    trades: tuple[str, ...]


THEMES: Final = (
    Theme("cycling", ("bikecommute", "gravelride", "sundayride"), ("Cycles", "Bikewear")),
    Theme("gardening", ("growyourown", "seedswap", "allotment"), ("Seeds", "Garden")),
    Theme("cooking", ("weeknightdinner", "sourdough", "fermenting"), ("Kitchen", "Spices")),
    Theme("boardgames", ("gamenight", "solitaireplay", "newexpansion"), ("Games", "Tabletop")),
    Theme("astronomy", ("darksky", "meteorwatch", "firstlight"), ("Optics", "Telescopes")),
    Theme("running", ("longrun", "parkloop", "trailmiles"), ("Running", "Shoes")),
    Theme("knitting", ("yarnstash", "colourwork", "sockclub"), ("Yarns", "Wool")),
    Theme("birds", ("dawnchorus", "patchlist", "migration"), ("Binoculars", "Outdoor")),
    Theme("music", ("demotape", "smallstage", "vinylday"), ("Records", "Strings")),
    Theme("sailing", ("smallboats", "windwatch", "refit"), ("Sails", "Marine")),
    Theme("coffee", ("homeroast", "morningcup", "filterbrew"), ("Coffee", "Roasters")),
    Theme("photography", ("filmroll", "bluehour", "contactsheet"), ("Cameras", "Film")),
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST: Final = _words(
    "Ada Alva Amara Anouk Arlo Asha Ben Bruno Cara Carmen Cleo Dario Dina Edda Eli Elsa Emre Esme "
    "Farah Felix Gita Greta Hana Henrik Ida Ilse Ines Ivo Jana Jonas Juno Kai Karim Katya Lena "
    "Leo Lina Luca Maja Malik Mara Milo Mina Nadia Nils Nora Olek Omar Orla Otis Pia Priya Rafa "
    "Remi Rosa Sami Selma Sena Tara Theo Tilda Timo Una Vera Vito Wanda Yara Yusuf Zara Zoe"
)
_ONSETS: Final = _words(
    "Bal Bren Cal Cor Dal Der Ed El Fal Fen Gar Hal Har Hol Jor Kal Kel Lan Lor Mar Mel Mor Nor "
    "Or Pel Quen Ral Ren Sal Sel Tal Tor Ul Val Ver Wen Wil Yor"
)
_MIDDLES: Final = _words("a be da do e ga i la le mi na o ra ri sa ti u va vi")
_ENDS: Final = _words(
    "beck berg by dahl der dine feld gard holm lund lyn mark mere mont nen nik rath ren rick ros "
    "son stad stone strand thal vik vin wick worth"
)
_STEMS: Final = _words(
    "Alto Bris Cala Celi Dova Elio Fara Gale Hali Ilva Juni Kora Lume Mira Nova Olin Peri Quil "
    "Rova Sola Tavi Umbra Vela Wren Xeno Yaro Zeni"
)
_STEM_ENDS: Final = _words("bel co dane dia fox gen ko lane lis met mo nor ra rise sta vane")


def person_names(count: int, random: np.random.Generator) -> list[str]:
    """Draw names, each once: a first name and a surname, then initials where those are used up.

    Examples
    --------
    >>> person_names(3, np.random.default_rng(1))
    ['Ivo Holamere', 'Dario Kelvistone', 'Sami Lanrigard']
    """
    sizes = (len(_FIRST), len(_ONSETS), len(_MIDDLES), len(_ENDS))
    plain = int(np.prod(sizes))
    drawn = _distinct(count, plain, 26, random)
    names = []
    for number in drawn:
        initial, rest = divmod(int(number), plain)
        first, onset, middle, end = (int(i) for i in np.unravel_index(rest, sizes))
        between = f" {chr(ord('A') + initial - 1)}." if initial else ""
        surname = f"{_ONSETS[onset]}{_MIDDLES[middle]}{_ENDS[end]}"
        names.append(f"{_FIRST[first]}{between} {surname}")
    return names


def brand_names(themes: list[Theme], random: np.random.Generator) -> list[str]:
    """Draw a brand's name for each theme given, each once.

    Examples
    --------
    >>> brand_names([THEMES[0], THEMES[10]], np.random.default_rng(1))
    ['Haliko Cycles', 'Zenira Coffee']
    """
    sizes = (len(_STEMS), len(_STEM_ENDS))
    plain = int(np.prod(sizes))
    names = []
    for number, theme in zip(_distinct(len(themes), plain, 999, random), themes, strict=True):
        again, rest = divmod(int(number), plain)
        stem, end = (int(i) for i in np.unravel_index(rest, sizes))
        ordinal = f" {again + 1}" if again else ""
        trade = theme.trades[int(random.integers(len(theme.trades)))]
        names.append(f"{_STEMS[stem]}{_STEM_ENDS[end]}{ordinal} {trade}")
    return names


def handle(name: str) -> str:
    """Make a handle of a name.

    Examples
    --------
    >>> handle("Ida T. Talrafeld")
    'ida_t_talrafeld'
    """
    return name.lower().replace(".", "").replace(" ", "_")


def _distinct(
    count: int, plain: int, rounds: int, random: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Draw distinct numbers: below `plain` as long as those suffice, else from more rounds."""
    if count > plain * rounds:
        msg = f"there are only {plain * rounds:,} names, {count:,} were asked for"
        raise ValueError(msg)
    drawn = [random.permutation(plain) + plain * i for i in range(-(-count // plain))]
    return np.concatenate(drawn)[:count] if drawn else np.empty(0, np.int64)
