"""Webhook: one signed POST to an allowed host when a job is over. Carries how the job ended, never what was read.

Takes the hosts that are allowed and the secret; gives whether a report was taken. A host is allowed by its name; where
that name leads is looked up once, every address is checked, and the connection goes to the checked one: private and
local addresses are refused unless they are listed themselves. Redirects are not followed.
"""

import hashlib
import hmac
import http.client
import ipaddress
import json
import logging
import socket
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shizi.errors import OptionsError
from shizi.service.jobs.queue import LONGEST_WAIT_SECONDS, View

log = logging.getLogger(__name__)

_TRIES = 10
_FIRST_WAIT_SECONDS = 5.0
_TIMEOUT_SECONDS = 10.0
_LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where reports may go, and what signs them."""

    hosts: str
    secret: str = field(repr=False)
    timeout_seconds: float = _TIMEOUT_SECONDS

    def check(self, url: str) -> None:
        """Raise OptionsError for an address that no report may go to; what its name leads to is checked on sending."""
        if not self.secret or not self.hosts:
            raise OptionsError("Webhooks are off; SHIZI_WEBHOOK_HOSTS and SHIZI_WEBHOOK_SECRET turn them on.")
        if len(url) > _LONGEST_URL or any(ord(letter) <= 32 or ord(letter) > 126 for letter in url):
            raise OptionsError("The webhook is no plain http or https address.")
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise OptionsError("The webhook is no plain http or https address.") from error
        if parts.scheme not in ("http", "https") or not host or parts.username is not None or "\\" in url:
            raise OptionsError("The webhook is no plain http or https address.")
        if not self._named(host):
            raise OptionsError(f"Reports may not go to {host[:80]!r}; the hosts in SHIZI_WEBHOOK_HOSTS are allowed.")

    def send(self, url: str, view: View) -> bool:
        """Send the report of a job; tell whether it was taken (any status of 200 to 299)."""
        body = json.dumps(
            {
                "job": view.id,
                "state": view.state,
                "pages": view.pages,
                "pages_read": sum(file.read for file in view.files),
                "pages_failed": sum(file.failed for file in view.files),
            }
        ).encode()
        try:
            self.check(url)
            status = self._post(url, body, view.id)
        except (OSError, http.client.HTTPException, OptionsError, ValueError) as error:
            log.warning("job %s: its report was not taken: %s", view.id, type(error).__name__)
            return False
        if not 200 <= status < 300:
            log.warning("job %s: its report was answered with %d", view.id, status)
        return 200 <= status < 300

    def again(self, tries: int) -> float | None:
        """How long to wait after the try of this number failed; None when it was the last."""
        if tries >= _TRIES:
            return None
        return min(LONGEST_WAIT_SECONDS / 2, _FIRST_WAIT_SECONDS * 4.0 ** (tries - 1))

    def _post(self, url: str, body: bytes, job: str) -> int:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        assert parts.hostname
        port = parts.port or (443 if secure else 80)
        address = self._address(parts.hostname, port)
        connection: socket.socket = socket.create_connection((address, port), self.timeout_seconds)
        try:
            if secure:
                connection = ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
            client = http.client.HTTPConnection(parts.hostname, port)
            client.sock = connection
            client.request(
                "POST",
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                body,
                {
                    "Content-Type": "application/json",
                    "User-Agent": "shizi",
                    "X-Shizi-Job": job,
                    "X-Shizi-Signature": self.signature(body, int(time.time())),
                },
            )
            return client.getresponse().status
        finally:
            connection.close()

    def signature(self, body: bytes, now: int) -> str:
        """Sign: HMAC-SHA256 of the time, a point and the body, so that an old report cannot be sent again as new."""
        digest = hmac.new(self.secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={now},v1={digest}"

    def _address(self, host: str, port: int) -> str:
        """Look the host up once and give an address that may be reached; raises OptionsError."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
        if not addresses or not all(map(self._reachable, addresses)):
            raise OptionsError(f"{host!r} leads to an address inside this network, which is not listed itself.")
        return addresses[0]

    def _reachable(self, address: str) -> bool:
        place = ipaddress.ip_address(address)
        place = getattr(place, "ipv4_mapped", None) or place
        return (place.is_global and not place.is_multicast) or self._listed(place)

    def _named(self, host: str) -> bool:
        names = {name.strip().lower().rstrip(".") for name in self.hosts.split(",")}
        if host.lower().rstrip(".") in names:
            return True
        try:
            return self._listed(ipaddress.ip_address(host))
        except ValueError:
            return False

    def _listed(self, place: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        for name in self.hosts.split(","):
            try:
                network = ipaddress.ip_network(name.strip(), strict=False)
            except ValueError:
                continue  # a host's name
            if place.version == network.version and place in network:
                return True
        return False
