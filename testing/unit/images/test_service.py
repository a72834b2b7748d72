"""The stand-in for a service, as the process that a container runs."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from testing.unit.images.conftest import IMAGES
from testing.unit.waiting import SOON


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    port: int

    def get(self, path: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SOON)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@pytest.fixture
def service(unused_port: int) -> Iterator[Running]:
    environment = {**os.environ, "SERVICE_NAME": "user-service", "SERVICE_PORT": str(unused_port)}
    process = subprocess.Popen(
        [sys.executable, str(IMAGES / "service/service.py")], env=environment
    )
    running = Running(process, unused_port)
    try:
        deadline = time.monotonic() + SOON
        while True:
            try:
                running.get("/health")
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "the service does not listen"
                assert process.poll() is None, "the service ended"
                time.sleep(0.02)
        yield running
    finally:
        process.kill()
        process.wait()


def test_service_answers_health_by_its_own_name(service: Running) -> None:
    assert service.get("/health") == (200, {"service": "user-service", "status": "ok"})
    assert service.get("/health?deep=1")[0] == 200


def test_service_has_no_other_page(service: Running) -> None:
    assert service.get("/")[0] == 404
    assert service.get("/healthy")[0] == 404


def test_service_ends_well_and_at_once_on_sigterm(service: Running) -> None:
    idle = http.client.HTTPConnection("127.0.0.1", service.port, timeout=SOON)
    idle.connect()
    service.process.send_signal(signal.SIGTERM)

    assert service.process.wait(timeout=SOON) == 0
    idle.close()
