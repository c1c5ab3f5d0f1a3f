"""Terms: what a caller may say of one request beside how to read: its deadline, its priority, not to be kept.

Takes the names and values that came with a request and its headers; what is left over are reading options. Knows
nothing of reading.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass

from werkzeug.datastructures import Headers

from shizi.errors import OptionsError
from shizi.service.gate import Rank

PRIORITIES = {"interactive": Rank.INTERACTIVE, "bulk": Rank.BULK}
_LONGEST_MS = 3_600_000
_MOST_DIGITS = 20  # Python makes no number of more than 4300
# What may stand among the options of a request and is none.
NAMES = ("format", "deadline_ms", "priority", "no_store")


@dataclass(frozen=True, slots=True)
class Terms:
    """How one request wants to be served.

    deadline_ms   how long its caller waits; None = as long as the service allows
    priority      interactive = somebody waits for it; bulk = it may be passed by those
    no_store      true = neither answer it from the cache nor keep its answer; a job is forgotten once it was fetched
    webhook       where to tell that a job is over; '' = nowhere
    """

    deadline_ms: int | None = None
    priority: Rank = Rank.INTERACTIVE
    no_store: bool = False
    webhook: str = ""

    @classmethod
    def take(cls, values: MutableMapping[str, object], headers: Headers) -> "Terms":
        """Take the terms out of `values`, which go before the `headers`; raises OptionsError for refused values."""
        deadline = values.pop("deadline_ms", headers.get("X-Deadline-Ms"))
        priority = values.pop("priority", headers.get("X-Priority", "interactive"))
        unkept = "no-store" in headers.get("Cache-Control", "").lower()
        no_store = str(values.pop("no_store", unkept)).lower()
        if not isinstance(priority, str) or priority not in PRIORITIES:
            raise OptionsError(f"Option 'priority' is {str(priority)[:40]!r}; expected one of {', '.join(PRIORITIES)}.")
        if no_store not in ("true", "false"):
            raise OptionsError(f"Option 'no_store' is {no_store[:40]!r}; expected true or false.")
        webhook = values.pop("webhook", "")
        if not isinstance(webhook, str):
            raise OptionsError("Option 'webhook' is no text; expected the address that is told when the job is over.")
        return cls(_milliseconds(deadline), PRIORITIES[priority], no_store == "true", webhook)


def _milliseconds(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON knows no difference between 500 and 500.0
    digits = str(value)
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < _MOST_DIGITS else 0
    if isinstance(value, bool) or not 1 <= number <= _LONGEST_MS:
        raise OptionsError(
            f"Option 'deadline_ms' is {digits[:40]!r}; expected a whole number from 1 to {_LONGEST_MS} (an hour)."
        )
    return number
