"""Every message of the schema, literally, with the lines of the file."""

from operator import itemgetter

import pytest

from exporter.config import from_mapping
from tests.lib.settings import fault_in, fault_of

ACCOUNT = "accounts:\n- {name: a, cloud: otc, credentials: {type: token, token: t}, regions: [eu-de]}\n"
KEYS = "(allowed: burst, interval, operation_rate_limit, rate_limit, stale_after, timeout)"
AK_SK_KEYS = "(allowed: access_key, secret_key, security_token, type)"
SECRETS = "expected text (quote a number), {env: NAME}, {file: PATH} or {credential: NAME}"
DURATION = (
    "expected a duration such as 500ms, 30s, 5m, 1h30m or 7d (units d, h, m, s, ms in this order)"
    " or a number of seconds; more than zero, at most 3650d"
)
EMPTY = "is empty: give it a value or remove the key"
NUMBER = "expected text, but YAML reads this value as a number: quote it"
BOOLEAN = "expected text, but YAML reads this value as true or false: quote it"
TOKEN = "accounts[0].credentials.token"
KINDS = "one of ak_sk, password, token, ecs_agency"
MUST = "It must be readable for this user and contain nothing but the secret."
NO_REGEX = "not a regular expression of Python"
RULE_KEYS = "name, id, job_type, engine_type, enterprise_project_id, tag, status"
TOP_KEYS = "(allowed: accounts, collectors, cutover, links, poll, storage, tasks, waves)"
PACE = "expected keys with values: write node: {interval: 5m}, or node: {enabled: true}"


@pytest.mark.parametrize(
    "row",
    [
        ("poll: {intervall: 5s}", f"3: poll.intervall: unknown key; did you mean interval? {KEYS}"),
        ("poll: {zzz: 5s}", f"3: poll.zzz: unknown key {KEYS}"),
        ("poll: {interval:5s}", f"3: poll: has an unknown key; a colon needs a space after it {KEYS}"),
        ("pol: {}", f"3: pol: unknown key; did you mean poll? {TOP_KEYS}"),
        ("poll:\n  burst: 0\n  interval: 1w", "4: poll.burst: must be at least 1", f"5: poll.interval: {DURATION}"),
        ("poll: {interval: 0.5}", "3: poll.interval: must be at least 1s"),
        ("poll: {interval: on}", f"3: poll.interval: {DURATION}"),
        ("poll: {rate_limit: 0}", "3: poll.rate_limit: must be more than 0"),
        ("poll: {rate_limit: .inf}", "3: poll.rate_limit: expected a finite number"),
        ("poll: {rate_limit: '3'}", "3: poll.rate_limit: expected a number"),
        ("poll: {operation_rate_limit: 0}", "3: poll.operation_rate_limit: must be more than 0"),
        ("poll: {burst: 1.5}", "3: poll.burst: expected a whole number"),
        ("poll: {timeout: }", f"3: poll.timeout: {EMPTY}"),
        ("poll:", f"3: poll: {EMPTY}"),
        ("poll: 5", f"3: poll: expected keys with values {KEYS}"),
        (
            "poll: {interval: 1:30}",
            "3: poll.interval: quote a value with a colon, or write a duration such as 1h30m",
            f"3: poll.interval: {DURATION}",
        ),
        ("interval: 5s", f"3: interval: unknown key; it belongs under poll or waves {TOP_KEYS}"),
        ("collectors: {logs: on}", "3: collectors.logs: expected keys with values: write logs: {enabled: true}"),
        ("collectors: {logs: 'yes'}", "3: collectors.logs: expected keys with values: write logs: {enabled: true}"),
        ("collectors: {quota: off}", "3: collectors.quota: expected keys with values: write quota: {enabled: false}"),
        ("collectors: {node: 60}", f"3: collectors.node: {PACE}"),
        ("collectors: {node: 5m}", f"3: collectors.node: {PACE}"),
        ("tasks: {include: {name: a}}", "3: tasks.include: expected a list, whose items begin with '- '"),
        ("tasks: {job_types: sync}", "3: tasks.job_types: expected a list, such as [a, b]"),
        ("tasks: {job_types: []}", "3: tasks.job_types: must not be empty"),
        ("tasks: {job_types:\n [replay]}", "4: tasks.job_types[0]: expected migration, sync or cloudDataGuard"),
        ("tasks: {include: [{id: 5}]}", f"3: tasks.include[0].id: {NUMBER}"),
        ("tasks: {include: [{name: 5}]}", f"3: tasks.include[0].name: {NUMBER}"),
        ("tasks: {include: [{status: no}]}", f"3: tasks.include[0].status: {BOOLEAN}"),
        ("tasks: {include: [{status: ''}]}", "3: tasks.include[0].status: must not be empty"),
        ("tasks: {include: [{}]}", f"3: tasks.include[0]: give at least one of {RULE_KEYS}"),
        (
            "tasks:\n  exclude:\n  - name: (a\n  - name: '[[:a:]]'",
            f"5: tasks.exclude[0].name: {NO_REGEX}: missing ), unterminated subpattern at position 0",
            f"6: tasks.exclude[1].name: {NO_REGEX}: Possible nested set at position 1",
        ),
        (
            "tasks: {tag_labels: [a.b, a-b]}",
            "3: tasks.tag_labels: more than one of these keys becomes the label tag_a_b: keep one",
        ),
        ("cutover: {logs: off}", "3: cutover.logs: expected required, if_available or ignore"),
        ("collectors: {node: {enabled: y}}", "3: collectors.node.enabled: expected true or false"),
        (
            "collectors: {tasks: {enabled: no}}",
            "3: collectors.tasks: can't be disabled: all other collectors work on its lists",
        ),
        ("poll: {burst: 1}\npoll: {burst: 2}", "4: poll: duplicate key, first set on line 3"),
        ("poll: {burst: 1, burst: 2}", "3: poll.burst: duplicate key, first set on line 3"),
        ("12: a\n? [a]\n: b", "3: a key must be text: quote it", "4: a key must be text: quote it"),
        (
            "poll: !env X",
            "3: poll: YAML tags are not supported; quote a value that begins with !",
            f"3: poll: expected keys with values {KEYS}",
        ),
        (
            "poll: {burst: !!int a}",
            "3: poll.burst: not a value that YAML can read: quote it if it is text",
            "3: poll.burst: expected a whole number",
        ),
        ("poll: {<<: 5}", "3: poll: << takes a mapping, or a list of them"),
        (
            'tasks: {tag_labels: ["\\ud800"]}',
            "3: tasks.tag_labels[0]: contains half a surrogate pair, which is no character",
        ),
    ],
    ids=itemgetter(0),
)
def test_faults_of_a_section(row: tuple[str, ...]) -> None:
    section, *faults = row
    assert fault_in(ACCOUNT + section).split("\n") == [f"config.yaml:{fault}" for fault in faults]


@pytest.mark.parametrize(
    "row",
    [
        (
            "credentials:\n    type: ak_sk\n    acess_key: A\n    secret_key: 12",
            "4: accounts[0].credentials.access_key: required key is missing",
            f"6: accounts[0].credentials.acess_key: unknown key; did you mean access_key? {AK_SK_KEYS}",
            f"7: accounts[0].credentials.secret_key: {SECRETS}",
        ),
        (
            "credentials: {type: ak_sk, access_key: A, secret_key: B, HUSH}",
            f"4: accounts[0].credentials: has an unknown key {AK_SK_KEYS}",
        ),
        (
            "credentials: {type: ak_sk, access_key: A, secret_key: B, secret_key:HUSH}",
            f"4: accounts[0].credentials: has an unknown key; a colon needs a space after it {AK_SK_KEYS}",
        ),
        ("credentials: {type: HUSH}", f"4: accounts[0].credentials.type: expected {KINDS}"),
        ("credentials: {}", f"4: accounts[0].credentials.type: required key is missing, expected {KINDS}"),
        ("credentials: HUSH", "4: accounts[0].credentials: expected keys with values, such as type: ak_sk"),
        (
            "credentials: {type: token, token: {env: DRS_UNSET}}",
            f"4: {TOKEN}: environment variable DRS_UNSET is not set or empty: export DRS_UNSET=...",
        ),
        (
            "credentials:\n    type: token\n    token: {file: none}",
            f"6: {TOKEN}: secret file 'none' cannot be read: No such file or directory. {MUST}",
        ),
        (
            'credentials: {type: token, token: {file: "a\\0b"}}',
            f"4: {TOKEN}: secret file 'a\\x00b' cannot be read: not a file name. {MUST}",
        ),
        ("credentials: {type: token, token: ''}", f"4: {TOKEN}: must not be empty"),
        (
            "credentials: {type: token, token: t, token: u}",
            "4: accounts[0].credentials: duplicate key, first set on line 4",
        ),
        (
            "ca_file: none",
            "4: accounts[0].ca_file: file 'none' is missing or not readable: create it or correct the path",
        ),
        ("ca_file: 5", f"4: accounts[0].ca_file: {NUMBER}"),
        ("cloud: aws", "4: accounts[0].cloud: expected huaweicloud, huaweicloud_eu or otc"),
        ("regions: [no]", f"4: accounts[0].regions[0]: {BOOLEAN}"),
        ("regions: [EU]", "4: accounts[0].regions[0]: expected a region id such as cn-north-4 or eu-de"),
        ("projects: [{region: x, project_id: 0x12}]", f"4: accounts[0].projects[0].project_id: {NUMBER}"),
        (
            "projects:\n  -\n    region: x\n    project_id: abc",
            "7: accounts[0].projects[0].project_id: expected a project id: 32 digits of 0-9 and a-f, in lower case",
        ),
        ("projects: [{}]", "4: accounts[0].projects[0].region: required key is missing"),
    ],
    ids=itemgetter(0),
)
def test_faults_of_an_account(row: tuple[str, ...]) -> None:
    account, *faults = row
    key = account.split(":", maxsplit=1)[0]
    rest = {"cloud": "otc", "regions": "[x]", "credentials": "{type: token, token: t}"}
    others = "".join(f"\n  {name}: {value}" for name, value in rest.items() if name != key)
    content = f"accounts:\n-\n  name: a\n  {account}{others}"
    assert fault_in(content).split("\n") == [f"config.yaml:{fault}" for fault in faults]


def test_an_error_behind_an_alias_is_reported_for_each_use() -> None:
    account = ACCOUNT.replace("regions", "poll: *bad, regions")
    assert fault_in(f"poll: &bad {{burst: 0}}\n{account}").split("\n") == [
        "config.yaml:1: accounts[0].poll.burst: must be at least 1",
        "config.yaml:1: poll.burst: must be at least 1",
    ]


def test_plain_data_has_no_lines() -> None:
    assert fault_of(from_mapping, {"acounts": [], "poll": {1: 2}}).split("\n") == [
        "accounts: required key is missing",
        "poll[1]: a key must be text",
        f"acounts: unknown key; did you mean accounts? {TOP_KEYS}",
    ]
