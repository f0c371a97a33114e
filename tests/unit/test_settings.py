"""Each setting that can't be used is refused by name, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import BadSetting
from streams.settings import PARSERS, Settings, host_of_wiki, load_settings, variable_of


def test_nothing_set_gives_the_defaults() -> None:
    assert load_settings({"PATH": "/bin", "FACTWATCH_WIKIS": " "}) == Settings()


def test_every_field_has_its_variable() -> None:
    assert set(PARSERS) == set(Settings.__struct_fields__)
    assert variable_of("data_dir") == "FACTWATCH_DATA_DIR"


def test_good_values(tmp_path: Path) -> None:
    (tmp_path / "tokens").touch()
    settings = load_settings(
        {
            "FACTWATCH_DATA_DIR": "~/x",
            "FACTWATCH_WIKIS": "enwiki, dewiki ,own=localhost:8188,wikidatawiki,*",
            "FACTWATCH_NAMESPACES": "0, 4,-1",
            "FACTWATCH_CONTENT": "No",
            "FACTWATCH_API_TOKENS_FILE": str(tmp_path / "tokens"),
            "FACTWATCH_ALERT_THRESHOLD": "0.9",
            "FACTWATCH_HTTP_BIND": "[::1]:0",
            "FACTWATCH_LOG_LEVEL": "DEBUG",
            "FACTWATCH_KAFKA_BOOTSTRAP": "kafka-1.example.org:9092, [::1]:9093",
            "FACTWATCH_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
            "FACTWATCH_MEDIAWIKI_API": "http://127.0.0.1:1/{server_name}/api.php",
            "FACTWATCH_TEST_DATA": "not ours to judge",
        }
    )
    assert settings.data_dir == Path.home() / "x"
    assert settings.wikis == {
        "enwiki": "en.wikipedia.org",
        "dewiki": "de.wikipedia.org",
        "own": "localhost:8188",
        "wikidatawiki": "www.wikidata.org",
        "*": "",
    }
    assert settings.namespaces == {0, 4, -1}
    assert settings.content is False
    assert settings.alert_threshold == 0.9
    assert (settings.http_bind, settings.log_level) == ("[::1]:0", "debug")
    assert settings.kafka_bootstrap == ("kafka-1.example.org:9092", "[::1]:9093")
    assert settings.kafka_security_protocol == "SASL_SSL"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA_DIR", "~nobody-of-this-name/x"),
        ("EVENTSTREAMS_URL", "stream.wikimedia.org"),
        ("EVENTSTREAMS_URL", "ftp://x/"),
        ("EVENTSTREAMS_URL", "http://[x"),
        ("MEDIAWIKI_API", "https:///api.php"),
        ("WIKIS", ","),
        ("WIKIS", "nosuch"),
        ("WIKIS", "enwiki=not a host"),
        ("WIKIS", "enwiki="),
        ("WIKIS", "=en.wikipedia.org"),
        ("WIKIS", "en wiki=en.wikipedia.org"),
        ("NAMESPACES", "0,"),
        ("NAMESPACES", "main"),
        ("CONTENT", "maybe"),
        ("CONTENT_DEADLINE_S", "0"),
        ("CONTENT_DEADLINE_S", "-1"),
        ("CONTENT_DEADLINE_S", "nan"),
        ("CONTENT_DEADLINE_S", "inf"),
        ("WEBHOOK_URL", "file:///etc/passwd"),
        ("WEBHOOK_SECRET_FILE", "/no/such/file"),
        ("HTTP_BIND", "8080"),
        ("HTTP_BIND", ":8080"),
        ("HTTP_BIND", "127.0.0.1:65536"),
        ("HTTP_BIND", "127.0.0.1:http"),
        ("API_TOKENS_FILE", "/no/such/file"),
        ("ALERT_THRESHOLD", "0"),
        ("ALERT_THRESHOLD", "1.01"),
        ("ALERT_THRESHOLD", "high"),
        ("STALL_AFTER_S", "soon"),
        ("DEAD_LETTER_LIMIT", "5"),
        ("DEAD_LETTER_LIMIT", "nan"),
        ("RETENTION_DAYS", "0"),
        ("KAFKA_BOOTSTRAP", "localhost"),
        ("KAFKA_BOOTSTRAP", "a:9092,,b:9092"),
        ("KAFKA_BOOTSTRAP", "kafka://a:9092"),
        ("KAFKA_BOOTSTRAP", "a:0"),
        ("KAFKA_BOOTSTRAP", "a:65536"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI"),
        ("KAFKA_SASL_PASSWORD_FILE", "/no/such/file"),
        ("KAFKA_SSL_CA_FILE", "/no/such/file"),
        ("KAFKA_SSL_CERT_FILE", "/no/such/file"),
        ("KAFKA_SSL_KEY_FILE", "/no/such/file"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load_settings({f"FACTWATCH_{name}": value})
    assert str(refused.value).startswith(f"FACTWATCH_{name}: ")
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("name", ["FACTWATCH_WIKI", "FACTWATCH_DATA_DIRECTORY", "FACTWATCH_"])
def test_a_name_that_is_no_setting_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: no setting"):
        load_settings({name: "x"})


@pytest.mark.parametrize(
    ("wiki", "host"),
    [
        ("enwiki", "en.wikipedia.org"),
        ("zh_min_nanwiki", "zh-min-nan.wikipedia.org"),
        ("frwiktionary", "fr.wiktionary.org"),
        ("commonswiki", "commons.wikimedia.org"),
        ("wiki", None),
        ("evil.example/wiki", None),
    ],
)
def test_the_host_of_a_wiki(wiki: str, host: str | None) -> None:
    assert host_of_wiki(wiki) == host
