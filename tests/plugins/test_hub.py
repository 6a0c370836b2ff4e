"""The hub is asked once whether it answers."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from huggingface_hub import constants

from ltbench import BackboneContext
from ltbench.errors import DataError
from ltbench_plugins.backbones import timm
from ltbench_plugins.hub import hub_or_cache


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of a hub that refuses connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    return address


def test_a_hub_that_does_not_answer_is_left_alone(silent: str) -> None:
    with hub_or_cache() as reason:
        assert reason.startswith(f"{silent} does not answer (")
        assert constants.HF_HUB_OFFLINE
    assert not constants.HF_HUB_OFFLINE


def test_nothing_is_asked_where_nothing_is_fetched(silent: str) -> None:
    with hub_or_cache(needed=False) as reason:
        assert reason == ""
        assert not constants.HF_HUB_OFFLINE


def test_an_answer_that_refuses_is_an_answer(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Refuses(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with hub_or_cache() as reason:
            assert reason == ""
            assert not constants.HF_HUB_OFFLINE
        thread.join()
    assert len(asked) == 1


def test_weights_name_the_hub_that_does_not_answer(silent: str) -> None:
    with pytest.raises(DataError, match=f"cannot be fetched: {silent} does not answer"):
        timm.build(timm.TimmConfig("resnet18", pretrained=True), BackboneContext(0))
    assert not constants.HF_HUB_OFFLINE


NO_ADDRESSES = """\
no address
hf.co
file:///etc/passwd
data:,x
http://
http://[
http://a b
http://127.0.0.1:99999
"""


@pytest.mark.parametrize(
    "address", [*NO_ADDRESSES.splitlines(), "http://\x01", f"http://{'a' * 300}.co"]
)
def test_what_is_no_address_is_named_and_not_opened(
    address: str, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", address)
    with hub_or_cache() as reason:
        assert reason.startswith("HF_ENDPOINT is no address of a hub: ")
