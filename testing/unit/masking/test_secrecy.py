"""What of a Secret counts as secret, and what stays legible."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from nova_acceptance.masking import REPLACEMENT, Masker
from nova_acceptance.secrecy import (
    hide,
    is_telling,
    looks_random,
    secrets_among,
    secrets_in,
    secrets_of,
)

WORD = "Sommer2024"
OTHER = "Kx81hQz/pT4vWm0"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(values: Mapping[str, str], **metadata: str) -> dict[str, Any]:
    data = {key: encoded(value) for key, value in values.items()}
    return {"kind": "Secret", "metadata": {"name": "one", **metadata}, "data": data}


def masked(key: str, value: str, text: str) -> str:
    masker = Masker()
    masker.register(secrets_of(key, value))
    return masker.mask(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("REDIS_PASSWORD", WORD),
        ("pwd", WORD),
        ("api.token", WORD),
        ("clientSecret", WORD),
        ("SSH_KEY", WORD),
        ("anything", WORD),
        ("URL", f"redis://:{WORD}/x@host:6379/0"),
        ("URL", f"redis://:x#{WORD}@host:6379/0"),
        ("URL", f"redis://:x?{WORD}@host:6379/0"),
        ("URL", f"redis://:x@{WORD}@host:6379/0"),
        ("URL", f"redis://:x:{WORD}@host:6379/0"),
        ("URL", f"redis://:{WORD} x@host:6379/0"),
        ("URL", f"redis://x/{WORD}:y@host:6379/0"),
        ("URL", f"redis://:{WORD}"),
        ("URL", f"postgres://app:p%40{WORD}@host/db"),
        ("URL", f"postgres://u@tenant:{WORD}@here/db"),
        ("URL", f"postgres://host/db?user=app&password={WORD}"),
        ("URL", f"postgres://host/db?sslmode=verify-full&sslpassword={WORD}"),
        ("URL", f"jdbc:postgresql://host:5432/db?user=app&password={WORD}"),
        ("URL", f"amqp://a:x-1@here:1/,amqp://a:{WORD}@there:2/"),
        ("HOOK", f"https://hooks.example.com/services/T0/{WORD}{WORD}"),
        ("LOGIN", f"app:{WORD}@tcp(host:3306)/db"),
        ("DSN", f"host=host port=5432 user=app password={WORD} dbname=db"),
        ("DSN", f"host=host password='{WORD} with blanks' dbname=db"),
        ("DSN", f"host=host password={WORD} with blanks dbname=db"),
        ("ADO", f"Server=host;User Id=app;Password={WORD};Encrypt=true"),
        ("config.json", json.dumps({"db": {"user": "app", "password": WORD}})),
        ("config.json", json.dumps([{"url": f"redis://:{WORD}/x@host"}])),
        ("config.yaml", f"db:\n  user: app\n  password: {WORD}\n"),
        ("config.yaml", f"db:\n  user: app\n  password: '{WORD}'  # by hand\n"),
        ("app.properties", f"db.user=app\ndb.password = {WORD}\n"),
        (".env", f'USER=app\nexport DB_PASSWORD="{WORD}"\n'),
        ("redis.conf", f"port 6379\nrequirepass {WORD}\n"),
        ("users.acl", f"user default off\nuser app on >{WORD} ~* +@all\n"),
        (".pgpass", f"host:5432:db:app:{WORD}"),
        (".pgpass", f"host:5432:db:app:x\nhost:5432:*:app:{WORD}\n"),
        ("userlist.txt", f'"app" "x"\n"other" "{WORD}"\n'),
        (".netrc", f"machine host\nlogin app\npassword {WORD}\n"),
        (".dockerconfigjson", json.dumps({"auths": {"r": {"auth": encoded(f"bot:{WORD}")}}})),
        ("inner", encoded(f"redis://:{WORD}/x@host:6379/0")),
        ("values", encoded(json.dumps({"password": WORD}))),
        ("passwords", f"first-0ne\n{WORD}\n"),
    ],
)
def test_what_is_secret_is_masked_however_it_is_held(key: str, value: str) -> None:
    assert masked(key, value, f"cannot parse '{WORD}'") == f"cannot parse '{REPLACEMENT}'"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("POSTGRES_PASSWORD", "postgres"),
        ("password", "admin"),
        ("AUTH_ENABLED", "true"),
        ("TOKEN_TTL", "86400"),
        ("PASSWORD", "5432"),
        ("PASSWORD", "123456"),
        ("POSTGRES_USER", "app_user_2"),
        ("auth-username", "replication_user"),
        ("POSTGRES_DB", "nova_messaging"),
        ("AUTH_SERVICE_HOST", "auth-service.nova-services.svc.cluster.local"),
        ("auth-extra-groups", "system:bootstrappers:kubeadm:default-node-token"),
        ("SECRET_NAME", "auth-service-secrets"),
        ("KEY_FILE", "/etc/tls/tls.key"),
        ("JWT_ALGORITHM", "HS256-v1"),
        ("ENVIRONMENT", "production"),
        ("REGION", "eu-central-1"),
        ("IMAGE", "docker.io/nova/auth-service:1.20.2"),
        ("KAFKA_BROKERS", "kafka-0.kafka.nova.internal:9092,kafka-1.kafka.nova.internal:9092"),
        ("SINCE", "2026-01-31"),
        ("LABEL", "auth-service-secrets"),
        ("URL", "http://clickhouse.nova.internal:8123/nova"),
        ("URL", "redis://redis-service.nova-redis.svc.cluster.local:6379/0"),
        ("URL", "postgresql://app_user@postgres-primary.nova-database:5432/nova_auth"),
        ("URL", "postgresql://app_user:app_user@postgres-primary:5432/nova_auth"),
        ("URL", "postgresql://postgres:postgres@postgres-primary:5432/nova_auth"),
        ("DSN", "host=postgres-primary port=5432 user=app_user dbname=nova_auth"),
        ("app.properties", "server.port=8080\nauth.url=http://auth-service:8080/login\n"),
        (
            "patroni.yaml",
            "# see https://patroni.example.com/docs\nscope: nova\nrestapi:\n"
            "  connect_address: 127.0.0.1:8008\nlog_line_prefix: '%m [%p] %q%u@%d '\n",
        ),
        ("NOTE", "see http://clickhouse.nova.internal:8123/nova or write to: someone@example.com"),
        ("tls.crt", "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----"),
    ],
)
def test_what_is_no_secret_stays_legible(key: str, value: str) -> None:
    assert list(secrets_of(key, value)) == []


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://app_user:{WORD}@postgres-primary.nova-database:5432/nova_auth",
        f"postgresql://app_user:{WORD}/x@postgres-primary.nova-database:5432/nova_auth",
        f"postgresql://app_user:{WORD}@postgres-primary.nova-database:5432/nova_auth?options=a@b",
    ],
)
def test_of_a_url_with_a_password_all_else_stays_legible(url: str) -> None:
    said = "app_user cannot reach nova_auth at postgres-primary.nova-database:5432"

    assert masked("URL", url, said) == said
    assert masked("URL", url, WORD) == REPLACEMENT
    assert "nova-database:5432/nova_auth" in masked("URL", url, url)


def test_words_that_a_password_is_made_of_stay_legible_elsewhere() -> None:
    said = "Deployment nova-services/auth-service, in production since 2026-01-31"
    password = "production-nova-auth-2026-01-xK9"

    assert masked("PASSWORD", password, said) == said
    assert masked("PASSWORD", password, f"{password}!") == f"{REPLACEMENT}!"


def test_value_that_nova_yaml_calls_a_password_is_secret_by_that_alone() -> None:
    held = secret({"app-user": "staple", "note": "staples"}, namespace="here")

    assert list(secrets_among([held], told={("here", "one", "app-user")})) == ["staple"]
    assert list(secrets_among([held], told={("there", "one", "app-user")})) == []


def test_plain_key_keeps_its_words_and_not_the_passwords_of_its_urls() -> None:
    held = secret({"KAFKA": OTHER, "URL": f"http://u:{WORD}@kafka:9092"})

    assert WORD in set(secrets_in(held, plain={"KAFKA", "URL"}))
    assert OTHER not in set(secrets_in(held, plain={"KAFKA", "URL"}))


def test_password_that_is_the_name_of_the_user_is_no_secret() -> None:
    held = secret({"username": "replication-1x", "password": "replication-1x"})

    assert list(secrets_in(held)) == []


def test_config_map_is_public_but_for_passwords_that_are_in_it() -> None:
    data = {"URL": f"redis://:{WORD}@host:6379/0", "password_encryption": "scram-sha-256"}
    held = {"kind": "ConfigMap", "metadata": {"name": "one"}, "data": data}

    assert list(secrets_in(held)) == [WORD]


def test_a_url_in_a_comment_makes_no_secret_of_what_follows_it() -> None:
    text = (
        "# see https://patroni.readthedocs.io/en/latest/settings.html\n"
        "scope: nova\n"
        "# what is written here is read once; ask admin@example.com\n"
        "source: https://reader:S0mmer-2024@mirror.example.com/a\n"
    )
    masker = Masker()
    masker.register(secrets_in({"kind": "ConfigMap", "data": {"patroni.yml": text}}))

    assert masker.mask(text) == text.replace("S0mmer-2024", REPLACEMENT)


def test_bytes_that_are_no_text_are_secret_as_base64_has_them() -> None:
    value = base64.b64encode(bytes(range(128, 160))).decode()

    assert value in set(secrets_in({"kind": "Secret", "data": {"key": value}}))


def test_objects_of_other_kinds_have_no_secrets() -> None:
    assert list(secrets_in({"kind": "Pod", "data": {"PASSWORD": encoded(WORD)}})) == []


def test_list_of_secrets_is_hidden_item_by_item() -> None:
    from nova_acceptance import masking  # noqa: PLC0415 - the one of this process

    item = {"metadata": {"name": "one"}, "data": {"PASSWORD": encoded("of-a-list-0fSecrets")}}
    hide({"kind": "SecretList", "items": [item]})

    assert masking.mask("of-a-list-0fSecrets") == REPLACEMENT


@pytest.mark.parametrize("key", ["PASSWORD", "db_pass", "apiKey", "auth", "JWT_SECRET", "pw"])
def test_key_tells(key: str) -> None:
    assert is_telling(key)


@pytest.mark.parametrize("key", ["PASSWORD_FILE", "AUTH_HOST", "dbuser", "tokenName", "author"])
def test_key_does_not_tell(key: str) -> None:
    assert not is_telling(key)


@pytest.mark.parametrize(
    "value", ["x8Kd-92lQ", "a3f5c9d2e8b14f70", "ghp_16C7e42F292c6912E7", OTHER]
)
def test_value_looks_random(value: str) -> None:
    assert looks_random(value)


@pytest.mark.parametrize("value", ["auth-service-secrets", "10.96.0.1:443", "postgres15", "/a/b"])
def test_value_does_not_look_random(value: str) -> None:
    assert not looks_random(value)
