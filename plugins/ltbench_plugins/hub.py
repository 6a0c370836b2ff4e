"""Access to the Hugging Face hub that fails at once where there is no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_TIMEOUT = 5.0  # seconds until a silent hub counts as out of reach


@contextmanager
def hub_or_cache(needed: bool = True) -> Iterator[str]:
    """Lets libraries use the hub, or its cache alone where the hub does not answer.

    Libraries repeat each request for up to a minute, and ask for several files. One request is made
    before theirs, with the proxies of the environment.

    Args:
        needed: Whether the libraries will ask the hub for anything; if not, nothing is requested.

    Yields:
        Why only the cache is used; empty where the hub answers or HF_HUB_OFFLINE is set.
    """
    from huggingface_hub import constants

    asked = needed and not constants.HF_HUB_OFFLINE
    reason = _silence_of(constants.ENDPOINT) if asked else ""
    if not reason:
        yield ""
        return
    constants.HF_HUB_OFFLINE = True
    try:
        yield reason
    finally:
        constants.HF_HUB_OFFLINE = False


def _silence_of(address: str) -> str:
    """Returns why an address does not answer, or "". An answer that refuses is one, too."""
    import ssl  # most commands ask no hub
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.parse import urlsplit
    from urllib.request import Request, urlopen

    try:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            return f"HF_ENDPOINT is no address of a hub: {address}"
        with urlopen(Request(address, method="HEAD"), timeout=_TIMEOUT):
            return ""
    except HTTPError:
        return ""
    except (ValueError, HTTPException) as error:  # no port, no host name, not HTTP
        return f"HF_ENDPOINT is no address of a hub: {address} ({error})"
    except OSError as error:
        cause = error.reason if isinstance(error, URLError) else error
        if isinstance(cause, ssl.SSLError):  # libraries may know other certificates
            return ""
        return f"{address} does not answer ({cause})"
