"""What is taken for a secret, and what is recorded in its place."""

import shlex
import time

import pytest

from headrace import secrets


@pytest.mark.parametrize(
    "name",
    [
        "password", "db_password", "dbPassword", "DB_PASSWD", "token", "auth_token", "accessToken", "api_key", "apiKey",
        "APIKey", "apikey", "aws_secret_access_key", "private-key", "client_secret", "credentials", "key", "pwd",
        "storage_account_key", "pass", "db_pass", "smtpPass", "PGPASSWORD", "mysqlpassword",
    ],
)  # fmt: skip
def test_names_of_secrets(name):
    """In any way of writing names."""
    assert secrets.is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "label_key", "feature_key", "example_weight_key", "keys", "max_tokens", "num_tokens", "pad_token", "tokenizer",
        "secretary", "passwordless", "monkey", "low_pass", "first_pass", "num_passes", "bypass", "epochs", "partition_feature_name", "", "_",
    ],
)  # fmt: skip
def test_names_of_what_is_no_secret(name):
    """Keys and tokens are also features and words."""
    assert not secrets.is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://me:hunter2@host:5432/db", "postgres://me:***@host:5432/db"),
        ("mysql+py://me:a@b:c@host/x", "mysql+py://me:***@host/x"),
        ("https://host/a?token=abc&page=2", "https://host/a?token=***&page=2"),
        ("host=h password=hunter2 user=me", "host=h password=*** user=me"),
        ("password='hunt er' x", "password=*** x"),
        ("{password: hunter2, user: me}", "{password: ***, user: me}"),
        ('{"api_key": "abc", "n": 1}', '{"api_key": ***, "n": 1}'),
        ("--password hunter2 --epochs 3", "--password *** --epochs 3"),
        ("--db-password 'hunt er'", "--db-password ***"),
        ("--ask-password --epochs 3", "--ask-password --epochs 3"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        (r"password='it\'s hunter2' x", "password=*** x"),
        ('password = """hunt\ner2"""', "password = ***"),
        ("password='hunter2", "password=***"),
        ("passwords: [a, hunter2]", "passwords: ***"),
        (
            r'{"config": "{\"password\": \"hunter2\", \"n\": 1}"}',
            r'{"config": "{\"password\": ***, \"n\": 1}"}',
        ),
        ("https://hunter2@github.com/x", "https://***@github.com/x"),
        ("ssh://git@github.com/x", "ssh://git@github.com/x"),
        ("Authorization: Bearer hunter2", "Authorization: Bearer ***"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n+x/=\n-----END RSA PRIVATE KEY-----\nafter",
            "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nafter",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut short", "-----BEGIN PRIVATE KEY-----***"),
        ("-----BEGIN PUBLIC KEY-----\nMIIE", "-----BEGIN PUBLIC KEY-----\nMIIE"),
        (
            "say='https://hooks.slack.com/services/T0/B0/hunter2'",
            "say='https://hooks.slack.com/services/***'",
        ),
        (
            "https://discord.com/api/webhooks/1/hunter2?wait=true",
            "https://discord.com/api/webhooks/***?wait=true",
        ),
        ("push ghp_0123456789abcdefABCDEF0123456789abcd now", "push ghp_*** now"),
        ("AKIA0123456789ABCDEF", "AKIA***"),
        ("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh-_ b", "a *** b"),
        ("task-sk-learn risk-adjusted-returns-of-things", "task-sk-learn risk-adjusted-returns-of-things"),
        ("hf_model_checkpoint_v2_of_today", "hf_model_checkpoint_v2_of_today"),
        ("xoxb-0123456789-0123456789-hunter2", "***"),
        ("{'Authorization': 'Basic hunter2=='}", "{'Authorization': 'Basic ***'}"),
        ("Basic statistics of the bearer", "Basic statistics of the bearer"),
        ("pass: 2", "pass: 2"),
        ("http://host:80/path", "http://host:80/path"),
        ("label_key: tips", "label_key: tips"),
        ("me@host.example", "me@host.example"),
        ("gs://bucket/key=1/part", "gs://bucket/key=1/part"),
    ],
)
def test_secrets_within_a_text(text, expected):
    """In an address, a query, a connection string, YAML and JSON; all else stays."""
    assert secrets.mask_text(text) == expected


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a.b-",
        "a: ",
        'a="',
        "a=['",
        "a://b:",
        '\\"',
        "--x ",
        "-----BEGIN PUBLIC KEY-----",
        "eyJ",
        "eyJaaaaaaaa. ",
    ],
)
def test_a_long_text_takes_time_in_proportion(piece):
    """Messages and values of megabytes pass through here: this would take hours if each sign looked at all others."""
    started = time.process_time()
    assert secrets.mask_text(piece * 30_000) == piece * 30_000
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        (
            "headrace run p.py --set db_password=hunter2 --set epochs=3",
            "--set 'db_password=***' --set epochs=3",
        ),
        ("headrace run p.py --set 'db_password=hunt er'", "--set 'db_password=***'"),
        ("headrace run p.py --set=a.secret=hunter2", "'--set=a.secret=***'"),
        ("headrace run p.py --set 'db={password: hunter2}'", "--set 'db={password: ***}'"),
        ("headrace run p.py --set url=pg://me:hunter2@h/d", "--set 'url=pg://me:***@h/d'"),
        ("script.py --password hunter2 --epochs 3", "--password '***' --epochs 3"),
        ("script.py --password=hunter2 data", "'--password=***' data"),
        ("script.py --ask-password --epochs 3", "--ask-password --epochs 3"),
    ],
)
def test_a_command_is_recorded_without_its_secrets(given, recorded):
    """In each way of giving one."""
    masked = shlex.join(secrets.mask_arguments(shlex.split(given)))
    assert "hunt" not in masked
    assert masked.endswith(recorded)


def test_parameters_are_recorded_without_their_secrets():
    """In any depth; which they are can be asked for when they are needed again."""
    given = {
        "parameters": {
            "db_password": "hunter2",
            "pin": 7,
            "api_key": 1234,
            "token": None,
            "use_password": True,
        },
        "beam": ["--password=hunter2", "x"],
        "inner": {"credentials": {"user": "me", "password": "hunter2"}, "url": "a://b:hunter2@c"},
    }
    assert secrets.mask_values(given) == {
        "parameters": {"db_password": "***", "pin": 7, "api_key": "***", "token": None, "use_password": True},
        "beam": ["--password=***", "x"],
        "inner": {"credentials": {"user": "me", "password": "***"}, "url": "a://b:***@c"},
    }
    assert secrets.hidden_in(secrets.mask_values(given)["inner"]) == ["credentials.password", "url"]
    assert secrets.hidden_in({"a": [1, "x"], "b": None}) == []
