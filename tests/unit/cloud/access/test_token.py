"""The end of tokens that somebody else has fetched."""

from __future__ import annotations

import base64

import pytest

from exporter.cloud.access.token import end_of_token

END = 1_546_387_200.0  # 2019-01-02T00:00:00Z


def token(content: bytes) -> str:
    """A token as IAM writes it, whose signature nobody checks."""
    return base64.b64encode(b"0\x82\x06\xb4\x06\t*\x86H\x86" + content + b"\xff\xfe\xfb").decode().replace("/", "-")


@pytest.mark.parametrize("blank", [b"", b" "])
def test_the_end_is_the_one_in_the_token(blank: bytes) -> None:
    content = b'{"token":{"expires_at":' + blank + b'"2019-01-02T00:00:00.000000Z","user":{"password_expires_at":""}}}'
    assert end_of_token(token(content)) == END
    assert end_of_token(token(content).rstrip("=")) == END


@pytest.mark.parametrize(
    "unknown",
    [
        "",
        "gAAAAABkT0ken_of_another_kind",
        "ä",
        token(b'{"token":{}}'),
        token(b'{"expires_at":"2019-01-02T00:00:00Z","x":{"expires_at":"2020-01-02T00:00:00Z"}}'),
        token(b'{"expires_at":"tomorrow"}'),
        token(b'{"expires_at":"2019-01-02T00:00:00"}'),
    ],
)
def test_a_token_without_one_end_in_it_has_none(unknown: str) -> None:
    assert end_of_token(unknown) is None
