"""What kind each Unicode character is, as one flat table that does not change with the Python version.

The interpreter's own tables follow its release, and what is kept must not depend on that; so the kinds are committed here, as
runs over all code points, for one version of Unicode. Code points that this version leaves unassigned are `OTHER`. A test makes
the runs anew and compares.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

UNICODE_VERSION = "14.0.0"

LOWER, UPPER, DIGIT, WHITE, SYMBOL, PREFIX, SUFFIX, OTHER = (1 << bit for bit in range(8))
"""Bits of a kind. Letters have `LOWER` or `UPPER`, those of scripts without case both. `DIGIT` is 0-9 only; other numbers,
marks, formats, private and unassigned characters are `OTHER`. `WHITE` is what `str.isspace` says. `SYMBOL` is punctuation,
symbols and controls; those that come off the front or the back of a word are `PREFIX` or `SUFFIX` too."""

_PREFIXES = "%=+,:;!?()[]{}<>_#*&'\"`$"
_SUFFIXES = "%,:;!?()[]{}<>_#*&'\"`$"

_BITS = {
    "l": LOWER,
    "u": UPPER,
    "o": LOWER | UPPER,
    "w": WHITE,
    "c": SYMBOL,
    "p": SYMBOL | PREFIX | SUFFIX,
    "n": OTHER,
}


@lru_cache(maxsize=1)
def character_kinds() -> NDArray[np.uint8]:
    """The kind of every code point, uint8 `[0x110000]`, read-only.

    All punctuation and symbols beyond ASCII come off both ends of a word; within ASCII only those listed above do, so that
    paths, options and the like stay whole.
    """
    runs = re.findall(r"(\d+)([a-z])", RUNS)
    kinds = np.repeat(np.array([_BITS[kind] for _, kind in runs], np.uint8), [int(length) for length, _ in runs])
    kinds[:128] &= 255 ^ (PREFIX | SUFFIX)
    kinds[[ord(character) for character in _PREFIXES]] |= PREFIX
    kinds[[ord(character) for character in _SUFFIXES]] |= SUFFIX
    kinds[ord("0") : ord("9") + 1] = DIGIT
    kinds.flags.writeable = False
    return kinds


RUNS = """
9c 5w 14c 5w 15p 10n 7p 26u 6p 26l 4p 6c 1w 26c 1w 9p 1o 2p 1n 4p 2n 1p 1l 3p 1n 1o 1p 3n 1p 23u 1p 7u 24l 1p 8l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 2l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 2l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 2u 1l 1u 1l 1u 3l 2u 1l 1u 1l 2u 1l 3u 2l 4u 1l
2u 1l 3u 3l 2u 1l 2u 1l 1u 1l 1u 1l 2u 1l 1u 2l 1u 1l 2u 1l 3u 1l 1u 1l 2u 2l 1o 1u 3l 4o 2u 1l 2u 1l 2u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 2l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 2l 2u 1l 1u 1l 3u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 7l 2u 1l 2u 2l 1u 1l 4u 1l 1u 1l 1u 1l 1u 1l 1u 69l 1o 27l 18o 4p 12o 14p 5o 7p 1o 1p 1o 17p 112n 1u 1l 1u 1l 1o 1p
1u 1l 2n 1o 3l 1p 1u 4n 2p 1u 1p 3u 1n 1u 1n 2u 1l 17u 1n 9u 35l 1u 2l 3u 3l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 5l 1u 1l 1p 1u 1l 2u 2l 51u 48l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1p 7n 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 2u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 2l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1n 38u 2n 1o 6p 41l 2p 2n 3p 46n 1p 1n 1p 2n 1p 2n 1p 9n 27o 4n 4o 2p 17n 10p 11n 1p 1n 3p 43o 31n 4p 2o 1n 99o 1p 1o 8n
1p 6n 2o 2n 1p 4n 2o 10n 3o 2p 1o 14p 2n 1o 1n 30o 29n 89o 11n 1o 24n 33o 9n 2o 4p 1o 3n 2p 22o 4n 1o 9n 1o 3n 1o 7n 15p 1n 25o
5n 1p 1n 11o 5n 24o 1p 6o 17n 42o 58n 54o 3n 1o 18n 1o 7n 10o 2n 2p 10n 1p 16o 4n 8o 2n 2o 2n 22o 1n 7o 1n 1o 3n 4o 3n 1o 16n 1o
13n 2o 1n 3o 14n 2o 2p 6n 2p 1o 1p 7n 6o 4n 2o 2n 22o 1n 7o 1n 2o 1n 2o 1n 2o 31n 4o 1n 1o 19n 3o 1n 1p 14n 9o 1n 3o 1n 22o 1n
7o 1n 2o 1n 5o 3n 1o 18n 1o 15n 2o 14n 2p 7n 1o 11n 8o 2n 2o 2n 22o 1n 7o 1n 2o 1n 5o 3n 1o 30n 2o 1n 3o 14n 1p 1o 17n 1o 1n 6o
3n 3o 1n 4o 3n 2o 1n 1o 1n 2o 3n 2o 3n 3o 3n 12o 22n 1o 34n 8p 10n 8o 1n 3o 1n 23o 1n 16o 3n 1o 26n 3o 2n 1o 2n 2o 21n 1p 7n 1p
1o 3n 1p 8o 1n 3o 1n 23o 1n 10o 1n 5o 3n 1o 31n 2o 1n 2o 15n 2o 17n 9o 1n 3o 1n 41o 2n 1o 16n 1o 1p 4n 3o 8n 3o 23n 1p 6o 5n 18o
3n 24o 1n 9o 1n 1o 2n 7o 45n 1p 12n 48o 1n 2o 11n 1p 7o 8n 1p 10n 2p 37n 2o 1n 1o 1n 5o 1n 24o 1n 1o 1n 10o 1n 2o 9n 1o 2n 5o 1n
1o 21n 4o 32n 1o 23p 2n 6p 20n 1p 1n 1p 1n 1p 1n 4p 2n 8o 1n 36o 24n 1p 2n 5o 49n 8p 1n 6p 1n 13p 37n 43o 20n 1o 10n 6p 6o 4n 4o
3n 1o 3n 2o 7n 3o 4n 13o 12n 1o 15n 2p 38u 1n 1u 5n 1u 2n 43l 1p 1o 3l 329o 1n 4o 2n 7o 1n 1o 1n 4o 2n 41o 1n 4o 2n 33o 1n 4o 2n
7o 1n 1o 1n 4o 2n 15o 1n 57o 1n 4o 2n 67o 5n 9p 23n 16o 10p 6n 86u 2n 6l 2n 1p 620o 2p 17o 1w 26o 2p 3n 75o 3p 3n 8o 7n 18o 13n
19o 3n 2p 9n 18o 14n 13o 1n 3o 15n 52o 32n 3p 1o 4p 1o 35n 11p 21n 89o 7n 5o 2n 34o 1n 1o 5n 70o 10n 31o 33n 1p 3n 2p 10n 30o 2n
5o 11n 44o 4n 26o 20n 34p 23o 7n 2p 53o 75n 7p 1o 6p 87n 47o 17n 8o 13n 17p 9n 11p 4n 30o 13n 2o 10n 44o 22n 4p 36o 23n 5p 13n
3o 10n 36o 2p 9l 7n 43u 2n 3u 8p 11n 1p 21n 4o 1n 6o 1n 2o 3n 1o 5n 44l 63o 13l 1o 34l 37o 64n 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 9l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 9l 8u 6l 2n 6u 2n 8l 8u 8l 8u 6l 2n 6u 2n 8l 1n 1u 1n 1u 1n 1u 1n
1u 8l 8u 14l 2n 8l 8u 8l 8u 8l 8u 5l 1n 2l 5u 1p 1l 3p 3l 1n 2l 5u 3p 4l 2n 2l 4u 1n 3p 8l 5u 3p 2n 3l 1n 2l 5u 2p 1n 11w 5n 24p
2w 5n 1w 47p 1w 17n 1o 8n 5p 1o 10n 5p 1n 13o 3n 33p 63n 2p 1u 4p 1u 2p 1l 3u 2l 3u 1l 1p 1u 3p 5u 6p 1u 1p 1u 1p 1u 1p 4u 1p 1l
4u 1l 4o 1l 2p 2l 2u 5p 1u 4l 4p 1l 1p 51n 1u 1l 5n 2p 4n 663p 25n 11p 81n 78p 22n 630p 30n 992p 2n 32p 1n 105p 48u 48l 1u 1l 3u
2l 1u 1l 1u 1l 1u 1l 4u 1l 1u 2l 1u 6l 2o 3u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 2l 6p 1u 1l 1u 1l 3n 1u 1l 5n 4p 1n 2p 38l 1n
1l 5n 1l 2n 56o 7n 1o 1p 15n 23o 9n 7o 1n 7o 1n 7o 1n 7o 1n 7o 1n 7o 1n 7o 1n 7o 33n 47p 1o 46p 34n 26p 1n 89p 12n 214p 26n 12p
4n 1w 4p 2o 1n 25p 15n 1p 5o 2p 3n 2o 3p 1n 86o 4n 2p 3o 1p 90o 1p 4o 5n 43o 1n 94o 1n 2p 4n 10p 32o 36p 12n 16o 31p 11n 30p 8n
1p 15n 32p 10n 39p 15n 320p 6592o 64p 22157o 3n 55p 9n 46o 2p 269o 3p 16o 10n 2o 20n 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1o 4n 1p 10n 1p 1o 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 2o 2n 70o 12n 6p 8n 23p 9o 2p 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 1u 3l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l
1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1o 8l 1u 1l 1u 1l 2u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1o 2p 1u
1l 1u 1l 1o 1u 1l 1u 3l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 5u 1l 5u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u 1l 1u
1l 1u 1l 4u 1l 1u 1l 5n 1u 1l 1n 1l 1n 1l 1u 1l 1u 1l 24n 3o 1u 1l 3o 1l 7o 1n 3o 1n 4o 1n 23o 5n 4p 10n 4p 6n 52o 4p 10n 50o
26n 2p 34n 6o 3p 1o 1p 2o 11n 28o 8n 2p 23o 24n 1p 29o 7n 47o 14n 13p 1n 1o 14n 2p 5o 1n 10o 10n 5o 1n 41o 23n 3o 1n 8o 16n 4p
23o 3p 1o 3n 50o 1n 1o 3n 2o 2n 5o 2n 1o 1n 1o 24n 3o 2p 11o 5n 2p 3o 12n 6o 2n 6o 2n 6o 9n 7o 1n 7o 1n 43l 1p 4o 9l 1o 2p 4n
80l 35o 8n 1p 20n 11172o 12n 23o 4n 49o 8452n 366o 2n 106o 38n 7l 12n 5l 5n 1o 1n 10o 1p 13o 1n 5o 1n 1o 1n 2o 1n 2o 1n 108o 17p
16n 363o 18p 64o 2n 54o 7n 1p 32n 12o 4p 16n 10p 22n 35p 1n 19p 1n 4p 4n 5o 1n 135o 4n 15p 10n 7p 26u 6p 26l 11p 89o 3n 6o 2n 6o
2n 6o 2n 3o 3n 7p 1n 7p 13n 2p 2n 12o 1n 26o 1n 19o 1n 2o 1n 15o 2n 14o 34n 123o 5n 3p 52n 9p 57n 17p 2n 3p 1n 13p 3n 1p 47n 45p
131n 29o 3n 49o 47n 32o 13n 20o 1n 8o 6n 38o 10n 30o 1n 1p 36o 4n 8o 1p 47n 40u 40l 78o 18n 36u 4n 36l 4n 40o 8n 52o 11n 1p 11u
1n 15u 1n 7u 1n 2u 1n 11l 1n 15l 1n 7l 1n 2l 67n 311o 9n 22o 10n 8o 24n 6o 1n 42o 1n 9o 69n 6o 2n 1o 1n 44o 1n 2o 3n 1o 2n 23o
1n 1p 8n 23o 2p 7n 31o 65n 19o 1n 2o 10n 22o 9n 1p 26o 5n 1p 64n 56o 6n 2o 64n 1o 15n 4o 1n 3o 1n 29o 26n 9p 7n 29o 2n 1p 29o
35n 8o 1p 28o 11n 7p 9n 54o 3n 7p 22o 10n 19o 13n 18o 7n 4p 99n 73o 55n 51u 13n 51l 13n 36o 348n 42o 3n 1p 2n 2o 78n 29o 10n 1o
8n 22o 15n 5p 22n 18o 4n 4p 38n 21o 27n 23o 12n 53o 15n 7p 35n 2o 2n 1o 13n 45o 11n 2p 1n 4p 14n 25o 26n 36o 25n 4p 1o 2n 1o 8n
35o 1n 2p 1o 12n 48o 14n 4o 4p 4n 1p 12n 1o 1p 1o 3p 32n 18o 1n 25o 12n 6p 66n 7o 1n 1o 1n 4o 1n 15o 1n 10o 1p 6n 47o 38n 8o 2n
2o 2n 22o 1n 7o 1n 2o 1n 5o 3n 1o 18n 1o 12n 5o 158n 53o 18n 4o 5p 10n 2p 1n 1p 1n 3o 30n 48o 20n 2o 1p 1o 184n 47o 18n 23p 4o
36n 48o 17n 3p 1o 27n 13p 19n 43o 13n 1o 1p 70n 27o 33n 4p 7o 185n 44o 15n 1p 100n 32u 32l 31n 8o 2n 1o 2n 8o 1n 2o 1n 24o 15n
1o 1n 1o 2n 3p 89n 8o 2n 39o 16n 1o 1p 1o 28n 1o 10n 40o 7n 1o 4n 8p 9n 1o 11n 46o 16n 3p 1o 5p 13n 73o 263n 9o 1n 37o 17n 1o 5p
42n 2p 30o 112n 7o 1n 2o 1n 38o 21n 1o 25n 6o 1n 2o 1n 32o 14n 1o 327n 19o 4n 2p 183n 1o 36n 29p 13n 1p 922o 214n 5p 11n 196o
2636n 97o 2p 13n 1071o 4049n 583o 8633n 569o 7n 31o 15n 2p 79o 17n 30o 7n 1p 10n 48o 7n 9p 4o 2p 29n 21o 5n 19o 688n 32u 32l 23n
4p 101n 75o 5n 1o 66n 13o 64n 2o 1p 1o 28n 6136o 8n 1238o 42n 9o 8935n 4o 1n 7o 1n 2o 1n 291o 45n 3o 17n 4o 8n 396o 2308n 107o
5n 13o 3n 9o 7n 10o 2n 1p 2n 1p 4784n 116p 60n 246p 10n 39p 2n 60p 5n 3p 22n 2p 7n 30p 4n 61p 21n 66p 3n 1p 186n 87p 169n 26u
26l 26u 7l 1n 18l 26u 26l 1u 1n 2u 2n 1u 2n 2u 2n 4u 1n 8u 4l 1n 1l 1n 7l 1n 11l 26u 26l 2u 1n 4u 2n 8u 1n 7u 1n 26l 2u 1n 4u 1n
5u 1n 1u 3n 7u 1n 26l 26u 26l 26u 26l 26u 26l 26u 26l 26u 26l 26u 28l 2n 25u 1p 25l 1p 6l 25u 1p 25l 1p 6l 25u 1p 25l 1p 6l 25u
1p 25l 1p 6l 25u 1p 25l 1p 6l 1u 1l 52n 512p 55n 4p 50n 8p 1n 14p 1n 7p 1140n 10l 1o 20l 481n 45o 10n 7o 16n 1o 1p 320n 30o 18n
44o 19n 1p 1248n 7o 1n 4o 1n 2o 1n 15o 1n 197o 59n 34u 34l 7n 1o 18n 2p 844n 1p 3n 1p 125n 1p 209n 4o 1n 27o 1n 2o 1n 1o 2n 1o
1n 10o 1n 4o 1n 1o 1n 1o 6n 1o 4n 1o 1n 1o 1n 1o 1n 3o 1n 2o 1n 1o 2n 1o 1n 1o 1n 1o 1n 1o 1n 1o 1n 2o 1n 1o 2n 4o 1n 7o 1n 4o
1n 4o 1n 1o 1n 10o 1n 17o 5n 3o 1n 5o 1n 17o 52n 2p 270n 44p 4n 100p 12n 15p 2n 15p 1n 15p 1n 37p 23n 161p 56n 29p 13n 44p 4n 9p
7n 2p 14n 6p 154n 984p 5n 16p 3n 13p 3n 116p 12n 89p 7n 12p 4n 1p 15n 12p 4n 56p 8n 10p 6n 40p 8n 30p 2n 2p 78n 340p 12n 14p 2n
5p 3n 5p 3n 7p 9n 29p 3n 11p 5n 6p 10n 10p 6n 8p 8n 7p 9n 147p 1n 55p 1077n 42720o 32n 4153o 7n 222o 2n 5762o 14n 7473o 3103n
542o 1506n 4939o 912565n
"""
"""Lengths of runs over the code points from 0 on, and their kind: `l` lower, `u` upper or title case, `o` letter without case,
`w` white space, `c` control, `p` punctuation or symbol, `n` anything else. Generated."""
