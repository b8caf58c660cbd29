"""Where somebody lives, and any words, brought into a form that can be compared."""

import re
import unicodedata


def folded(text: str) -> str:
    """Lower case, without accents, apostrophes joined, all else that is no letter a space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    bare = bare.replace("'", "").replace("\u2019", "").replace("\u00f8", "o")
    return " ".join(re.sub(r"[^\w]+|_", " ", bare).split())


def dwelling(address: tuple[str, ...]) -> tuple[str, str]:
    """First line and postcode of the first address."""
    if not address:
        return "", ""
    line = address[0]
    codes = re.findall(r"\b(\d{4,5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})\b", line)
    street = folded(re.split(r"[,\n;]", line)[0])
    return street, codes[-1].replace(" ", "").lower() if codes else ""
