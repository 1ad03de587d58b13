"""Large letters out of block characters, as large as the room allows, to be read from across a room."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

_WIDTH, _HEIGHT = 5, 7
_FONT = {
    "A": "EHHVHHH", "B": "UHHUHHU", "C": "EHGGGHE", "D": "UHHHHHU", "E": "VGGUGGV", "F": "VGGUGGG", "G": "EHGNHHF",
    "H": "HHHVHHH", "I": "E44444E", "J": "72222IC", "K": "HIKOKIH", "L": "GGGGGGV", "M": "HRLLHHH", "N": "HHPLJHH",
    "O": "EHHHHHE", "P": "UHHUGGG", "Q": "EHHHLID", "R": "UHHUKIH", "S": "FGGE11U", "T": "V444444", "U": "HHHHHHE",
    "V": "HHHHHA4", "W": "HHHLLLA", "X": "HHA4AHH", "Y": "HHHA444", "Z": "V1248GV", "0": "EHJLPHE", "1": "4C4444E",
    "2": "EH1248V", "3": "V2421HE", "4": "26AIV22", "5": "VGU11HE", "6": "68GUHHE", "7": "V124888", "8": "EHHEHHE",
    "9": "EHHF12C", " ": "0000000", "-": "000V000", "+": "044V440", ".": "00000CC", ",": "0000C48", ":": "0CC0CC0",
    "/": "01248G0", "_": "000000V", "(": "2488842", ")": "8422248", "!": "4444004", "?": "EH12404", "'": "C480000",
    "&": "CIK8LID", "%": "OP248J3", "#": "AAVAVAA", "=": "00V0V00", "*": "04LEL40",
}  # fmt: skip
"""Seven rows of five dots for each character: a row is one digit to the base of 32, its left dot the highest bit."""

_SIZES = (
    *((size, size) for size in (16, 12, 10, 8, 7, 6, 5, 4)),
    *((3, 4), (3, 3), (2, 3), (3, 2), (2, 2), (1, 2), (1, 1)),
)
"""A dot's columns and half rows, from large to small."""


@lru_cache(maxsize=64)
def block_rows(text: str, width: int, height: int, *, ascii_only: bool = False) -> tuple[str, ...]:
    """A text in capitals, as large as fits, on more than one line where that makes it larger.

    Parameters
    ----------
    text
        Accents are left out; a text with characters that have no large form (other scripts) is not drawn.
    width, height
        Cells that it may take.
    ascii_only
        Made of ``#``, without half blocks.

    Returns
    -------
    tuple of str
        Rows of one length, at most ``height`` of at most ``width``; empty where it does not fit or cannot be drawn.
    """
    plain = _plain(text)
    if not plain or any(letter not in _FONT for letter in plain):
        return ()
    for size in _SIZES:
        if ascii_only and size[1] % 2:
            continue
        for lines in _wrapped(plain):
            if _fits(lines, size, width, height):
                return _draw(lines, size, ascii_only)
    return ()


def _plain(text: str) -> str:
    """Capitals without their accents, which are characters of their own once taken apart."""
    return "".join(letter for letter in normalize("NFKD", text.upper()) if letter.isascii() or letter.isalnum())


def _wrapped(text: str) -> list[list[str]]:
    """The text on one line, on two, and so on, to as many as it has words; each as even as can be."""
    words = text.split()
    found: list[list[str]] = []
    for limit in range(len(text), 0, -1):
        lines: list[str] = []
        for word in words:
            if lines and len(lines[-1]) + 1 + len(word) <= limit:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        if not found or len(lines) > len(found[-1]):
            found.append(lines)
        elif max(map(len, lines)) < max(map(len, found[-1])):
            found[-1] = lines
    return found


def _fits(lines: list[str], size: tuple[int, int], width: int, height: int) -> bool:
    columns = max(len(line) * (_WIDTH + 1) - 1 for line in lines) * size[0]
    half_rows = (len(lines) * (_HEIGHT + 2) - 2) * size[1]
    return columns <= width and half_rows <= 2 * height


def _draw(lines: list[str], size: tuple[int, int], ascii_only: bool) -> tuple[str, ...]:
    """Half rows of dots, every two of which make a row of characters."""
    columns = max(len(line) * (_WIDTH + 1) - 1 for line in lines) * size[0]
    blank = " " * columns
    halves: list[str] = []
    for line in lines:
        halves += [blank] * (2 * size[1] if halves else 0)
        for y in range(_HEIGHT):
            halves += [_dots(line, y, size[0]).center(columns)] * size[1]
    halves += [blank] * (len(halves) % 2)
    marks = {"  ": " ", "##": "#" if ascii_only else "█", "# ": "▀", " #": "▄"}
    return tuple(
        "".join(marks[above + below] for above, below in zip(halves[y], halves[y + 1], strict=True))
        for y in range(0, len(halves), 2)
    )


def _dots(line: str, y: int, columns: int) -> str:
    letters = (f"{int(_FONT[letter][y], 32):05b}" for letter in line)
    return "0".join(letters).replace("0", " " * columns).replace("1", "#" * columns)
