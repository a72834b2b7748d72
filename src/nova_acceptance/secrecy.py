"""What of a Secret's value is secret, and what are words that messages are made of.

A host, a port, a user, a database or a path is no secret, nor is a trivial value (`postgres`,
`true`, `5432`); masked, they would leave a report that nobody can read. A value is secret by the
word of its key or of nova.yaml, or by its length and randomness. Of a value with a structure (a
URL, a connection string, JSON, YAML, properties, base64) its parts are judged, each by its own key.

A URL is not parsed. Where its password holds a reserved character as it is (`:p/w@host`), every
parser splits it elsewhere, and the error quotes a part of the password; so all is taken for secret
that may be, up to the last `@`, and every piece between reserved characters as well.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

from nova_acceptance import masking
from nova_acceptance.masking import SHORTEST, is_ordinary
from nova_acceptance.notation import URL, decoded_base64, json_leaves, unquoted, urls_in

_TELLING: Final = re.compile(
    r"pass(?!ive|age|enger)|pwd|pw$|token|secret|key|cred|auth(?!or)|salt|signature|(^|_)sig$|license",
    re.IGNORECASE,
)
_HARMLESS: Final = frozenset(
    "host hostname hosts port ports addr address addresses endpoint endpoints brokers server"
    " servers user username login role database databases dbname db schema namespace region zone"
    " issuer audience realm type method methods mode alg algorithm encryption enabled ttl timeout"
    " expiry expires version path file dir directory name names email url uri urls service store"
    " space spaces size length bits class claim group groups header".split()
)
"""Last words of keys that say what a value is, where another word of the key tells of a secret."""
_HARMLESS_END: Final = re.compile(r"(user|host|port|dbname|username|database)$", re.IGNORECASE)
_WORDS_OF_KEY: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_TRIVIAL: Final = frozenset(
    "access account active admin administrator adminpassword allowed always anonymous application"
    " backend bearer cache client cluster config configmap connect connection console customer"
    " database databases default demo deployment develop development disable disabled docker dummy"
    " elasticsearch enable enabled encrypted endpoint environment example external false frontend"
    " gateway global guest health hidden ingress internal kafka kubernetes leader letmein local"
    " localhost manager master metrics minikube mongodb monitor mysql namespace network nobody none"
    " nova oracle orders owner passwd password patroni payment pending plain please postgres"
    " postgresql primary private prod production public rabbitmq reader readonly redis remote"
    " replica replication replicator required reserved role root running secret secrets"
    " security sentinel server service services session sharding sqlserver staging standby status"
    " storage string superuser system template tenant test tester testing timeout token traffic"
    " true undefined unknown user username users vault verify verify-full version volume worker"
    " writer value scram-sha-256".split()
)
"""Words that are a value of many systems, and that sentences and names are made of."""
_SHORTEST_NUMBER: Final = 8
_SHORTEST_RANDOM: Final = 8
_SHORTEST_SEGMENT: Final = 16
_SHORTEST_WORD: Final = 4
_MOST_BOUNDS: Final = 20
_LARGEST: Final = 16_384
"""Characters beyond which a value is a store or a release, and no credential by itself."""
_DEEPEST: Final = 4

_HOST: Final = r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z][A-Za-z0-9-]+(?=:\d\d)|localhost)"
_QUERIED: Final = re.compile(
    rf"(?P<login>[^/?#\s]*)@{_HOST}(?::\d+)?(?:/[\w-]*)?(?P<query>\?[A-Za-z_][\w.-]*=.*)", re.DOTALL
)
"""A URL that is written as it should be, and whose query may hold an `@`."""
_HOSTS: Final = re.compile(r"[A-Za-z0-9._\[\]:,-]*")
_PORT: Final = re.compile(r"\d{0,5}(?=$|[/?#,;\s])")
_PARAMETER: Final = re.compile(r"[?&;]([\w.-]+)=([^&;\s]*)")
_ASSIGNED: Final = re.compile(
    r"""(?<![\w.-])["']?(?P<key>[\w.-]+)["']?\s*=\s*"""
    r"""(?:'(?P<single>(?:\\.|''|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)"|"""
    r"""(?P<bare>.*?)(?=\s*;|\s+[\w.-]+\s*=|\s*$))""",
    re.MULTILINE,
)
_LINE: Final = re.compile(
    r"""^[ \t]*(?:-[ ]+)?(?:export[ ]+|set[ ]+)?["']?(?P<key>[\w./-]+)["']?"""
    r"""[ \t]*(?::[ \t]|=|[ \t])[ \t]*(?P<value>\S.*?)[ \t]*,?[ \t\r]*$""",
    re.MULTILINE,
)
_LOGIN: Final = re.compile(r"[^\s:/@=]+:(?P<password>\S+)@(?:\w*\(|[A-Za-z0-9.-]+(?::\d+)?(?:/|$))")
_PASSFILE: Final = re.compile(
    r"^(?:[^:\s]+:(?:\d+|\*):[^:]+:[^:]+:)(?P<password>.+)$", re.MULTILINE
)
"""A line of libpq's `.pgpass`: host, port, database, user, password (PostgreSQL manual, 34.16)."""
_USERLIST: Final = re.compile(r'^"[^"]+"\s+"(?P<password>[^"]+)"', re.MULTILINE)
"""A line of PgBouncer's `userlist.txt`."""
_ACL: Final = re.compile(r"^user\s.*?\s[>#](?P<password>\S+)", re.MULTILINE)
"""A line of Redis' ACL file."""
_PAIR: Final = re.compile(r"[\w.@+-]+:(?P<password>.+)")
_RESERVED: Final = re.compile(r"""[:/?#\[\]@!$&'()*+,;=%\s"\\<>^`{|}]+""")
"""RFC 3986, section 2.2, and what is neither reserved there nor allowed."""
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9*-]+(\.[A-Za-z0-9-]+)*\.?(:\d{1,5})?(,[A-Za-z0-9.-]+(:\d{1,5})?)*", re.IGNORECASE
)
_NUMBERED: Final = re.compile(r"[A-Za-z]+\d{1,3}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_WEB: Final = ("http", "https", "ws", "wss")

PUBLIC_KEYS: Final = frozenset({"tls.crt", "ca.crt", "namespace"})


def hide(seen: Mapping[str, Any]) -> None:
    """Have nothing secret of an object, or of a list of objects, written from now on.

    Args:
        seen: as the API has it; of another kind than Secret and ConfigMap nothing is looked at.
    """
    kind = str(seen.get("kind") or "").removesuffix("List")
    if kind not in ("Secret", "ConfigMap", ""):
        return
    for each in seen.get("items") or (seen,):
        found = each if each.get("kind") else {**each, "kind": kind}
        masking.register(secrets_in(found))


def secrets_among(
    objects: Iterable[Mapping[str, Any]],
    *,
    plain: Collection[str] = (),
    told: Collection[tuple[str, str, str]] = (),
) -> Iterator[str]:
    """Yield what is secret of the Secrets and ConfigMaps among objects.

    Args:
        objects: such as are going to be applied.
        plain: see `secrets_in`.
        told: what nova.yaml calls passwords: namespace, Secret and key.
    """
    for obj in objects:
        where = obj["metadata"].get("namespace") or "", obj["metadata"]["name"]
        keys = {key for *holder, key in told if tuple(holder) == where}
        yield from secrets_in(obj, plain=plain, told=keys)


def secrets_in(
    obj: Mapping[str, Any], *, plain: Collection[str] = (), told: Collection[str] = ()
) -> Iterator[str]:
    """Yield what is secret of a Secret, or of a ConfigMap that holds what it should not.

    Args:
        obj: the object, from the API or as it was rendered; one of another kind has no secrets.
        plain: keys whose values are no secrets, but for the passwords in their URLs.
        told: keys whose values nova.yaml calls passwords.
    """
    if obj.get("kind") not in ("Secret", "ConfigMap"):
        return
    is_public = obj["kind"] == "ConfigMap"
    values = dict(_values(obj))
    names = {text for key, text in values.items() if _names_something(key) and key not in told}
    for key, text in values.items():
        if key in told:
            found: Iterable[str] = _parts_of(text.strip("\n"))
        else:
            found = secrets_of(key, text, is_public=is_public or key in plain)
        yield from (each for each in found if each not in names)


def secrets_of(key: str, text: str, *, is_public: bool = False, depth: int = 0) -> Iterator[str]:
    """Yield what is secret of a value, with every part of it that may appear by itself.

    Args:
        key: the key under which it is; empty if it has none.
        text: the value.
        is_public: whether it is where everybody may see it, so that its key alone says nothing.
        depth: within how many values it is.
    """
    text = text.strip()
    if len(text) < SHORTEST or key in PUBLIC_KEYS or depth > _DEEPEST:
        return
    if "PRIVATE KEY-----" in text:
        yield text
        return
    if "-----BEGIN" in text or text.startswith(("ssh-rsa ", "ssh-ed25519 ")):
        return
    leaves = list(json_leaves(text))
    structured = list(_structured(key, text, leaves, is_public=is_public, depth=depth))
    yield from structured
    if (
        leaves
        or len(text) > _LARGEST
        or (is_public and not (is_telling(key) and looks_random(text)))
    ):
        return
    lines = [line for line in text.splitlines() if line.strip()]
    if is_telling(key):
        if len(lines) == 1 and (_is_password(key) or not URL.match(text)):
            pair = None if _is_password(key) else _PAIR.fullmatch(text)
            yield from _parts_of(pair["password"] if pair else text)
        elif len(lines) > 1 and not structured:
            yield from (part for each in (text, *lines) for part in _parts_of(each))
    elif len(lines) == 1 and not structured and "://" not in text and looks_random(text):
        yield from _parts_of(text)


def of_login(*values: str | None) -> Iterator[str]:
    """Yield what is secret of tokens and passwords that are known to be such."""
    for value in filter(None, values):
        yield from _parts_of(value.removeprefix("Bearer ").removeprefix("Basic ").strip())


def is_telling(key: str) -> bool:
    """Whether a key says that its value is secret."""
    return bool(_TELLING.search(key)) and not _names_something(key)


def is_trivial(text: str) -> bool:
    """Whether a value is a common word or a small number, by whatever key."""
    word = text.strip().lower()
    return word in _TRIVIAL or len(word) < SHORTEST or _is_small_number(word)


def looks_random(text: str) -> bool:
    """Whether a value is long and varied enough to be no word, name, address, path or version."""
    if len(text) < _SHORTEST_RANDOM or re.search(r"\s", text) or is_trivial(text):
        return False
    is_address = _ADDRESS.fullmatch(text) and re.search(r"[.:,]", text)
    is_path = text.startswith(("/", "./")) or re.fullmatch(
        r"[a-z0-9.-]+(/[a-z0-9._-]+)+(:\S+)?", text
    )
    if is_address or is_path:
        return False
    tokens = [each for each in re.findall(r"[^\W_]+", text) if len(each) >= _SHORTEST_WORD]
    return any(not is_ordinary(each) and not _NUMBERED.fullmatch(each) for each in tokens)


def _values(obj: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    is_encoded = obj["kind"] == "Secret"
    for key, value in (obj.get("data") or {}).items():
        if not is_encoded:
            yield key, str(value)
            continue
        try:
            yield key, base64.b64decode(value or "").decode()
        except (binascii.Error, ValueError):
            if 0 < len(value) <= _LARGEST and key not in PUBLIC_KEYS:
                yield f"{key}.secret", value  # bytes, which only this text can show
    for key, value in (obj.get("stringData") or {}).items():
        yield key, str(value)


def _is_password(key: str) -> bool:
    words = [each.lower() for each in _WORDS_OF_KEY.findall(key)]
    return bool(words) and words[-1] in ("password", "passwd", "pass", "pwd", "token", "secret")


def _names_something(key: str) -> bool:
    words = [each.lower() for each in _WORDS_OF_KEY.findall(key)]
    return bool(words) and (words[-1] in _HARMLESS or bool(_HARMLESS_END.search(key)))


def _parts_of(secret: str) -> Iterator[str]:
    """Yield a secret, what it is when it is decoded, and its pieces between reserved characters."""
    if is_trivial(secret) or "-----BEGIN" in secret:
        yield from (secret,) if "PRIVATE KEY-----" in secret else ()
        return
    unescaped = secret.replace("\\", "")  # what a shell leaves of it
    bare = re.sub("['\"]", "", unescaped)
    for form in dict.fromkeys((secret, unquote(secret), unquote_plus(secret), unescaped, bare)):
        if is_trivial(form):
            continue
        yield form
        yield from _pieces(form)


def _pieces(secret: str) -> Iterator[str]:
    """Yield what lies between any two reserved characters, where it would be taken for words.

    What would not is recognised by any stretch of it.
    """
    places = {place for found in _RESERVED.finditer(secret) for place in found.span()}
    bounds = sorted({0, *places, len(secret)})
    for start, stop in combinations(bounds, 2):
        piece = secret[start:stop]
        is_at_an_end = start == 0 or stop == len(secret)
        if len(bounds) > _MOST_BOUNDS and not (is_at_an_end or stop - start < _SHORTEST_SEGMENT):
            continue
        if len(piece) < len(secret) and not is_trivial(piece) and is_ordinary(piece):
            yield piece


def _structured(
    key: str, text: str, leaves: list[tuple[str, str]], *, is_public: bool, depth: int
) -> Iterator[str]:
    """Yield what is secret of the parts of a value that has a structure."""

    def within(inner: str, value: str) -> Iterator[str]:
        return secrets_of(inner, value, is_public=is_public, depth=depth + 1)

    if leaves:
        for inner, leaf in leaves:
            yield from within(inner, leaf)
        return
    urls = list(urls_in(text))
    for scheme, rest in urls:
        yield from _of_url(scheme, rest)
    if "\n" in text:
        for found in _LINE.finditer(text):
            yield from within(found["key"], unquoted(found["value"]))
        for pattern in (_PASSFILE, _USERLIST, _ACL):
            for found in pattern.finditer(text):
                yield from _parts_of(found["password"])
    elif not urls:
        yield from _of_one_line(text, within)
    if not urls and _BASE64.fullmatch(text) and (decoded := decoded_base64(text)):
        pair = None if "://" in decoded else _PAIR.fullmatch(decoded)
        inside = list(_parts_of(pair["password"]) if pair else within(key, decoded))
        yield from (text, *inside) if inside else ()


def _of_one_line(text: str, within: Any) -> Iterator[str]:
    if (found := _LOGIN.match(text)) or (found := _PASSFILE.match(text)):
        yield from _parts_of(found["password"])
    for found in _ASSIGNED.finditer(text):
        value = next((it for it in (found["single"], found["double"], found["bare"]) if it), "")
        yield from within(found["key"], value)
        yield from within(found["key"], value.replace("\\", ""))


def _of_url(scheme: str, rest: str) -> Iterator[str]:
    """Yield what is secret of what follows `scheme://`, by every way in which it may be split."""
    line = rest.strip().strip("\"'`")
    queried = _QUERIED.match(line)
    login, at, where = line.rpartition("@")
    if queried:
        login, at, where = queried["login"], "@", queried["query"]
    user, colon, password = login.partition(":")
    if colon:
        if password not in (user, *_names_of(where)):
            yield from _parts_of(password)
            if re.search(r"[/?#]", user):
                yield from _parts_of(login)
    elif login and (looks_random(login) or re.search(r"[/?#]", login)):
        yield from _parts_of(login)
    if not at:
        hosts = _HOSTS.match(line)
        host, colon, after = line.partition(":")
        # no host follows it: what is no port may be a password
        if hosts and colon and not _PORT.match(after) and "/" not in host:
            yield from _parts_of(after)
    for key, value in _PARAMETER.findall(where):
        if is_telling(key) or (looks_random(value) and len(value) >= _SHORTEST_SEGMENT):
            yield from _parts_of(value)
    if scheme.lower() in _WEB:
        for segment in where.partition("?")[0].split("/")[1:]:
            if len(segment) >= _SHORTEST_SEGMENT and looks_random(segment):
                yield from _parts_of(segment)


def _names_of(where: str) -> Iterator[str]:
    """Yield the host's and the database's name of what follows the last `@` of a URL."""
    yield from re.split(r"[:/?#]", where)[:1]
    yield where.partition("/")[2].partition("?")[0]


def _is_small_number(text: str) -> bool:
    return len(text) < _SHORTEST_NUMBER and re.fullmatch(r"[\d.,:_-]+", text) is not None
