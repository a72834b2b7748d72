"""The programs that the image of RabbitMQ carries."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import socket
import threading
from pathlib import Path
from types import ModuleType

import pytest

from tests.scripted_broker import Broker

IMAGE = Path(__file__).parents[1] / "images" / "rabbitmq"
DEFINITIONS = {"vhosts": [{"name": "v"}], "users": [{"name": "ada", "tags": []}]}


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, IMAGE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_user_has_the_password_of_the_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "ada").write_text("her-own\n")

    made = program("start_broker").with_passwords(DEFINITIONS, tmp_path)

    (user,) = made["users"]
    salted = base64.b64decode(user["password_hash"])
    assert salted[4:] == hashlib.sha256(salted[:4] + b"her-own").digest()
    assert user["hashing_algorithm"] == "rabbit_password_hashing_sha256"
    assert made["vhosts"] == DEFINITIONS["vhosts"]
    assert "her-own" not in str(made)


def test_user_without_a_password_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        program("start_broker").with_passwords(DEFINITIONS, tmp_path)


def test_broker_that_begins_a_connection_serves() -> None:
    with Broker() as broker:
        assert program("serves_amqp").refusal(broker.port) == ""


def test_closed_port_serves_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]

    assert "refused" in program("serves_amqp").refusal(port)


@pytest.mark.parametrize(
    ("answer", "said"), [(b"", "closed the connection"), (b"HTTP/1.1 400 Bad\r\n", "begins no")]
)
def test_what_speaks_something_else_serves_nobody(answer: bytes, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(8)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        found = program("serves_amqp").refusal(listener.getsockname()[1])
        thread.join()

    assert said in found
