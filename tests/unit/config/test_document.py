"""Reading files: whatever a file holds, what comes out is a configuration or one clear error without secrets."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config import Collectors, Config, ConfigError, Cutover, Poll, Project, TaskRule, Tasks, load
from tests.lib.settings import fault_in, fault_of, otc_account

ACCOUNT = "accounts:\n- {name: a, cloud: otc, credentials: {type: token, token: t}, regions: [eu-de]}\n"
YAML_CHECK = "check the quotes and the indentation here and above, and quote a value that contains ': ' or ' #'"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "1: accounts: required key is missing"),
        (
            "- a",
            "1: expected keys with values (allowed: accounts, collectors, cutover, links, poll, storage, tasks, waves)",
        ),
        ("accounts: []", "1: accounts: must not be empty"),
        ("a: 'b", f"1:6: not valid YAML: while scanning a quoted scalar, found unexpected end of stream; {YAML_CHECK}"),
        ("a: b: c", f"1:5: not valid YAML: mapping values are not allowed here; {YAML_CHECK}"),
        (
            "a:\n\tb: c",
            (
                "2:1: not valid YAML: while scanning for the next token, found character '\\t' that cannot start any"
                " token; indent with spaces, not tabs"
            ),
        ),
        ("a: *HUSH", "1:4: not valid YAML: found undefined alias; quote a value that begins with *"),
        (
            "a: !HUSH!b c",
            "1:4: not valid YAML: while parsing a node, found undefined tag handle; quote a value that begins with !",
        ),
        ("[&HUSH a, &HUSH a]", "1:11: not valid YAML: found duplicate anchor; quote a value that begins with &"),
        (
            "a: 1\n---\nb: 1",
            (
                "2:1: not valid YAML: expected a single document in the stream, but found another document;"
                " keep one document only"
            ),
        ),
        ("a: 1\nb: \a", "2: not valid YAML: a control character; remove it"),
        (b"\xffa: 1", " is not UTF-8 text (byte 1): save it as UTF-8"),
        ('a: "\\UFFFFFFFF"', " not valid YAML: the number in a \\U escape or %YAML line is too large"),
        ("[" * 5000, " is nested too deeply"),
        ("a: &a [*a]", " is nested too deeply"),
        ("a: &a {<<: *a}", " is nested too deeply"),
        ("#" * ((1 << 20) + 1), " is larger than 1024 KiB"),
        ("#" * (10 << 20), " is larger than 1024 KiB"),
    ],
)
def test_files_without_a_configuration(content: str | bytes, expected: str) -> None:
    assert fault_in(content) == f"config.yaml:{expected}"


@pytest.mark.parametrize("shape", ["[{}]", "{{<<: [{}]}}"])
def test_nested_aliases_end_soon(shape: str) -> None:
    lines = ["a0: &a0 {b: c}"]
    lines += [f"a{n}: &a{n} " + shape.format(", ".join([f"*a{n - 1}"] * 10)) for n in range(1, 12)]
    assert fault_in("\n".join(lines)) == "config.yaml: has more than 100000 values, with aliases expanded"


def test_files_that_can_not_be_read() -> None:
    assert fault_of(load, Path("none.yaml")) == "none.yaml: cannot be read: No such file or directory"
    assert fault_of(load, Path()) == ".: is a directory, not a file"


def test_aliases_and_merges_are_fine() -> None:
    Path("config.yaml").write_text(
        ACCOUNT.replace("- {", "- &first {")
        + "- {<<: [{name: b}, *first], regions: [eu-nl]}\n- {name: 2024-01-01, <<: *first}\n"
        + "poll: {burst: 2, <<: {burst: 1, timeout: 5}}\ncutover: {}\ntasks: {tag_labels: [=]}\n"
    )
    config = load(Path("config.yaml"))
    assert [(account.name, account.regions) for account in config.accounts] == [
        ("a", ("eu-de",)), ("b", ("eu-nl",)), ("2024-01-01", ("eu-de",)),
    ]  # fmt: skip
    assert (config.poll.burst, config.poll.timeout, config.tasks.tag_labels) == (2, 5, ("=",))


NAMES = [name for kind in (Config, Collectors, Cutover, Poll, Project, TaskRule, Tasks) for name in kind.model_fields]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates()
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES) | SCALARS, inner), max_leaves=20
)
GOOD = otc_account()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "config.yaml"


many = settings(max_examples=60)


def outcome(file: Path, content: bytes) -> str:
    """What loading a file of this content shows, whichever way it ends."""
    file.write_bytes(content)
    try:
        config = load(file)
    except ConfigError as error:
        return str(error)
    return repr(config) + config.model_dump_json()


def check_outcome(file: Path, content: bytes) -> None:
    shown = outcome(file, content)
    shown.encode()
    assert shown.startswith("Config(accounts=") or all(line.startswith(f"{file}:") for line in shown.split("\n"))


@many
@given(content=st.text("ab*&!<>|'\"%@[]{}:,-?# \t\n0~\\xuU=") | st.text() | st.binary())
def test_no_text_does_worse_than_a_config_error(file: Path, content: str | bytes) -> None:
    check_outcome(file, content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


@many
@given(section=st.sampled_from(NAMES), data=DATA)
def test_no_yaml_does_worse_than_a_config_error(file: Path, section: str, data: object) -> None:
    for document in ({"accounts": [GOOD], section: data}, {"accounts": [GOOD | {section: data}]}):
        check_outcome(file, yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass"))


@many
@given(data=DATA, key=st.sampled_from(["type", "token", "access_key", "tokn", "x"]))
def test_nothing_shows_a_secret(file: Path, data: object, key: str) -> None:
    secret = "hush-7f3a"
    for credentials in (
        {"type": "token", key: secret},
        {"type": secret, key: data},
        {"type": "ak_sk", key: {secret: data}},
    ):
        document = {"accounts": [GOOD | {"credentials": credentials}], "poll": data}
        assert secret not in outcome(file, yaml.safe_dump(document).encode())
