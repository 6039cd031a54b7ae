"""Forms that a text in a config has to have: a pattern for the check, and the words that a message has for it."""

import re

from birchtar.lake.errors import LakeError

DRIVER_URL = r"^jdbc:"
FUNCTION = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+:[A-Za-z_]\w*$"
NAME_OF_TABLE = r"^[^;()]+$"
ROW_TAG = r"""^[^\s<>/="'&;$\\]+$"""
PLACE = r"^(env:[A-Za-z_]\w*|file:.+)$"
SHARE = r"^(100(\.0+)?|\d{1,2}(\.\d+)?)%$"
SIZE = r"^0*[1-9]\d*[kKmMgGtT]?[bB]?$"

IN_WORDS = {
    DRIVER_URL: "a URL such as `jdbc:postgresql://host:5432/shop`",
    FUNCTION: "a function of your own, named in full as `package.module:function`",
    NAME_OF_TABLE: "a table's name; what is more belongs into `query`",
    ROW_TAG: "the name of an XML element, such as `item` for <item>",
    PLACE: "a place, `env:VARIABLE` or `file:/path`",
    SHARE: "a share of at most 100 %, written as `1%` or `0.5%`",
    SIZE: "a number of bytes, or a size such as `128m`",
}

_UNITS = "kmgt"


def size_in_bytes(said: str) -> int:
    """Return a size such as ``128m``, in which a unit is 1024 times the one before, in bytes.

    Raises:
        LakeError: It is no size.

    Example:
        >>> size_in_bytes("128m"), size_in_bytes("1kb"), size_in_bytes("512")
        (134217728, 1024, 512)
    """
    if not re.match(SIZE, said.strip()):
        raise LakeError(f"`{said}` is no size; say it as 128m, 1g or 500k.")
    number = said.strip().lower().removesuffix("b")
    return int(number.rstrip(_UNITS)) * int(1024 ** (_UNITS.find(number[-1]) + 1))
