"""The end of a token that another program has received from IAM."""

from __future__ import annotations

import base64
import re
from datetime import datetime

_END = re.compile(rb'"expires_at": ?"([^"]{1,40})"')


def end_of_token(token: str) -> float | None:
    """Return the Unix time at which a token expires; None if the token does not contain exactly one.

    IAM's tokens are the signed JSON of the response to the sign-in (CMS, in base64 with "-" in place of "/"). The
    exporter cannot verify the signature, and need not: the token is the user's own.
    """
    try:
        content = base64.b64decode(token.replace("-", "/") + "=" * (-len(token) % 4), validate=True)
        (end,) = set(_END.findall(content))
        moment = datetime.fromisoformat(end.decode("ascii"))
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()
