"""On Redis: jobs in one Redis, for several machines. A stream holds the units, keys beside it all else.

    shizi:jobs:units            the stream; its group `readers` gives each unit to one claimer, and what a claimer that
                                fell silent holds to another
    shizi:job:<id>              names, options, states, counts      shizi:job:<id>:upload:0   a file as it came
    shizi:job:<id>:outcomes     `0:7` -> page 7 of file 0           shizi:job:<id>:failures   likewise, why it failed
    shizi:jobs:reports          webhooks by the time they are due   shizi:repeat:<...>        what a job is called by

Steps that belong together are one script each, so a connection lost in between leaves all of a step or none. Redis
should run with `appendonly yes`, or its own restart loses what it last took. Times are those of the Redis server.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from shizi.cache import reason
from shizi.errors import OptionsError, Unavailable
from shizi.service.jobs.queue import FileView, Order, Outcome, Report, Unit, View, lost, order_digest

_TIMEOUT_SECONDS = 5.0
_GROUP = "readers"
_REPORT_LEASE_SECONDS = 60
_STREAM, _REPORTS = "shizi:jobs:units", "shizi:jobs:reports"

# KEYS: job, repeat, stream. ARGV: id, heading (JSON), digest, files, webhook, owner, keep, whether it may be repeated.
# Sent again over a new connection, it finds the job and does nothing. Uploads were written before, under names nobody
# knows yet; they expire by themselves if this is never reached.
_SUBMIT = """
if redis.call('EXISTS', KEYS[1]) == 1 then return {ARGV[1], ARGV[3]} end
if ARGV[8] == '1' then
  local known = redis.call('HMGET', KEYS[2], 'id', 'digest')
  if known[1] then return {known[1], known[2]} end
  redis.call('HSET', KEYS[2], 'id', ARGV[1], 'digest', ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[7])
end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'heading', ARGV[2], 'files', ARGV[4], 'webhook', ARGV[5], 'owner', ARGV[6],
  'state', 'queued', 'created', time[1] .. '.' .. string.format('%06d', time[2]), 'open', ARGV[4])
for file = 0, ARGV[4] - 1 do
  redis.call('PERSIST', KEYS[1] .. ':upload:' .. file)
  redis.call('XADD', KEYS[3], '*', 'job', ARGV[1], 'file', file, 'page', 0)
end
return {ARGV[1], ARGV[3]}
"""

# Ends a job when no unit is open: `keep` seconds later Redis itself forgets it.
_END = """
local function finish(job, open, reports, id, keep)
  if open > 0 then return end
  local read = tonumber(redis.call('HGET', job, 'read') or '0')
  local time = redis.call('TIME')
  redis.call('HSET', job, 'state', read > 0 and 'done' or 'failed', 'ended', time[1])
  if redis.call('HGET', job, 'webhook') ~= '' then
    redis.call('HSET', job, 'report', 'due')
    redis.call('ZADD', reports, time[1], id)
  end
  redis.call('EXPIRE', job, keep)
  redis.call('EXPIRE', job .. ':outcomes', keep)
  redis.call('EXPIRE', job .. ':failures', keep)
  for file = 0, redis.call('HGET', job, 'files') - 1 do redis.call('EXPIRE', job .. ':upload:' .. file, keep) end
end
"""

# KEYS: job, stream, reports. ARGV: id, entry, claim, file, page, values, failed, keep, pages...
_FINISH = (
    _END
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if (state ~= 'queued' and state ~= 'running') or redis.call('HGET', KEYS[1], 'claim:' .. ARGV[2]) ~= ARGV[3] then
  return 0
end
redis.call('XACK', KEYS[2], 'readers', ARGV[2])
redis.call('XDEL', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[1], 'claim:' .. ARGV[2])
local more = #ARGV - 8
if ARGV[6] ~= '' then
  local kind = ARGV[7] == '1' and ':failures' or ':outcomes'
  redis.call('HSET', KEYS[1] .. kind, ARGV[4] .. ':' .. ARGV[5], ARGV[6])
  if ARGV[7] == '1' then
    redis.call('HINCRBY', KEYS[1], 'failed:' .. ARGV[4], 1)
    if ARGV[5] == '0' then redis.call('HSET', KEYS[1], 'pages:' .. ARGV[4], 0) end
  else
    redis.call('HINCRBY', KEYS[1], 'read:' .. ARGV[4], 1)
    redis.call('HINCRBY', KEYS[1], 'read', 1)
  end
else
  redis.call('HSET', KEYS[1], 'pages:' .. ARGV[4], more)
  for i = 9, #ARGV do
    redis.call('XADD', KEYS[2], '*', 'job', ARGV[1], 'file', ARGV[4], 'page', ARGV[i])
  end
end
finish(KEYS[1], redis.call('HINCRBY', KEYS[1], 'open', more - 1), KEYS[3], ARGV[1], ARGV[8])
return 1
"""
)

# KEYS: job, stream. ARGV: entry, claim, tries. Enters a claim; 0 for a unit whose job is gone or over.
_ENTER = """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then
  redis.call('XACK', KEYS[2], 'readers', ARGV[1])
  redis.call('XDEL', KEYS[2], ARGV[1])
  return -1
end
redis.call('HSET', KEYS[1], 'state', 'running', 'claim:' .. ARGV[1], ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'tries:' .. ARGV[1], 1)
"""

# KEYS: job, stream. ARGV: entry, claim, consumer. Keeps a lease.
_BEAT = """
if redis.call('HGET', KEYS[1], 'claim:' .. ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('XCLAIM', KEYS[2], 'readers', ARGV[3], 0, ARGV[1], 'JUSTID')
return 1
"""

# KEYS: job, stream. ARGV: id, entry, claim, file, page, counts. Puts a unit back at the end of the stream.
_BACK = """
if redis.call('HGET', KEYS[1], 'claim:' .. ARGV[2]) ~= ARGV[3] then return 0 end
local tries = redis.call('HGET', KEYS[1], 'tries:' .. ARGV[2]) - (1 - ARGV[6])
redis.call('XACK', KEYS[2], 'readers', ARGV[2])
redis.call('XDEL', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[1], 'claim:' .. ARGV[2], 'tries:' .. ARGV[2])
local entry = redis.call('XADD', KEYS[2], '*', 'job', ARGV[1], 'file', ARGV[4], 'page', ARGV[5])
redis.call('HSET', KEYS[1], 'tries:' .. entry, tries)
return 1
"""

# KEYS: job. ARGV: keep.
_CANCEL = """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'ended', redis.call('TIME')[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1] .. ':outcomes', ARGV[1])
redis.call('EXPIRE', KEYS[1] .. ':failures', ARGV[1])
for file = 0, redis.call('HGET', KEYS[1], 'files') - 1 do
  redis.call('EXPIRE', KEYS[1] .. ':upload:' .. file, ARGV[1])
end
return 1
"""

# KEYS: reports. ARGV: lease. Takes the report that is due and moves it off by the lease.
_REPORT = """
local now = redis.call('TIME')[1]
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)
if #due == 0 then return nil end
redis.call('ZADD', KEYS[1], now + ARGV[1], due[1])
return due[1]
"""
_AGAIN = "redis.call('ZADD', KEYS[1], redis.call('TIME')[1] + ARGV[2], ARGV[1])"


class OnRedis:
    """Jobs in Redis; `lease_seconds`, `tries` and `keep_seconds` as the settings have them."""

    def __init__(self, url: str, lease_seconds: float, tries: int, keep_seconds: float) -> None:
        """Name the Redis; it is first spoken to when it is needed. Raises OptionsError for an unusable address."""
        import redis

        try:
            self._redis: Any = redis.Redis.from_url(
                url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
            )
        except ValueError as error:
            raise OptionsError(f"The address of Redis in SHIZI_JOBS cannot be used: {error}.") from error
        self._errors = redis.RedisError
        self._unknown_group = redis.ResponseError
        self._lease_ms = round(lease_seconds * 1000)
        self._tries = tries
        self._keep = max(1, round(keep_seconds))
        self._consumer = secrets.token_hex(8)
        self._entries: dict[str, str] = {}  # claim -> entry of the stream

    def submit(self, order: Order) -> str:
        """Take a job, or find the one that the same `repeat` made; give its id."""
        names = [name for name, _ in order.files]
        heading = json.dumps({"names": names, "options": dict(order.options), "no_store": order.no_store})
        digest = order_digest(order)
        with self._reached():
            for number, (_, data) in enumerate(order.files):
                self._redis.set(f"{_key(order.id)}:upload:{number}", data, ex=self._keep)
            keys = [_key(order.id), f"shizi:repeat:{order.repeat}", _STREAM]
            values = [order.id, heading, digest, len(names), order.webhook, order.owner, self._keep]
            found, known = self._redis.eval(_SUBMIT, 3, *keys, *values, int(bool(order.repeat)))
            if found.decode() != order.id:
                self._redis.unlink(*(f"{_key(order.id)}:upload:{number}" for number in range(len(names))))
        if known.decode() != digest:
            raise OptionsError("This Idempotency-Key came with another job before; use a new key for a new job.")
        return str(found.decode())

    def claim(self) -> Unit | None:
        """Take the next unit under a lease; None if there is nothing to do."""
        while True:
            with self._reached():
                found = self._next()
                if found is None:
                    return None
                entry, values = found
                job, claim = values[b"job"].decode(), secrets.token_hex(8)
                tries = self._redis.eval(_ENTER, 2, _key(job), _STREAM, entry, claim)
                if tries < 0:
                    continue
            self._entries[claim] = entry
            unit = Unit(job, int(values[b"file"]), int(values[b"page"]), tries, claim)
            if tries <= self._tries:
                return unit
            self.finish(unit, lost(self._tries))

    def _next(self) -> tuple[str, dict[bytes, bytes]] | None:
        """Take what another fell silent over, or what is new."""
        try:
            _, entries, _ = self._redis.xautoclaim(_STREAM, _GROUP, self._consumer, self._lease_ms, "0-0", count=1)
            if not entries:
                streams = self._redis.xreadgroup(_GROUP, self._consumer, {_STREAM: ">"}, count=1)
                entries = _entries(streams)
        except self._unknown_group as error:
            if "NOGROUP" not in str(error):
                raise
            self._make_group()
            return self._next()
        if not entries:
            return None
        entry, values = entries[0]
        return entry.decode(), values

    def _make_group(self) -> None:
        try:
            self._redis.xgroup_create(_STREAM, _GROUP, id="0", mkstream=True)
        except self._unknown_group as error:
            if "BUSYGROUP" not in str(error):  # another was first
                raise

    def beat(self, unit: Unit) -> bool:
        """Keep up the lease; False if the unit is no longer this claimer's."""
        with self._reached():
            entry = self._entries.get(unit.claim, "")
            return bool(self._redis.eval(_BEAT, 2, _key(unit.job), _STREAM, entry, unit.claim, self._consumer))

    def expand(self, unit: Unit, pages: Sequence[int]) -> None:
        """End counting: these are the pages of the file that are to be read."""
        self._end(unit, "", False, pages)

    def finish(self, unit: Unit, values: Mapping[str, Any]) -> bool:
        """Keep what became of a page; False if another claimer was first, or the job is gone."""
        return self._end(unit, json.dumps(values, ensure_ascii=False), "error" in values, ())

    def _end(self, unit: Unit, values: str, failed: bool, pages: Sequence[int]) -> bool:
        with self._reached():
            entry = self._entries.get(unit.claim, "")
            given = [unit.job, entry, unit.claim, unit.file, unit.page, values, int(failed), self._keep, *pages]
            mine = self._redis.eval(_FINISH, 3, _key(unit.job), _STREAM, _REPORTS, *given)
        self._entries.pop(unit.claim, None)
        return bool(mine)

    def give_back(self, unit: Unit, tried: bool) -> None:
        """Let another claim the unit; `tried` says that the try counts."""
        with self._reached():
            given = [unit.job, self._entries.get(unit.claim, ""), unit.claim, unit.file, unit.page, int(tried)]
            self._redis.eval(_BACK, 2, _key(unit.job), _STREAM, *given)
        self._entries.pop(unit.claim, None)

    def view(self, job: str) -> View | None:
        """Tell how a job stands; None if there is no such job."""
        with self._reached():
            found = {name.decode(): value.decode() for name, value in self._redis.hgetall(_key(job)).items()}
        if "state" not in found:
            return None
        heading = json.loads(found["heading"])
        files = tuple(
            FileView(
                name,
                int(found[f"pages:{number}"]) if f"pages:{number}" in found else None,
                int(found.get(f"read:{number}", 0)),
                int(found.get(f"failed:{number}", 0)),
            )
            for number, name in enumerate(heading["names"])
        )
        return View(
            job,
            found["state"],
            files,
            heading["options"],
            owner=found["owner"],
            created=float(found["created"]),
            ended=float(found["ended"]) if "ended" in found else None,
            webhook=found["webhook"],
            reported=found.get("report", ""),
            no_store=heading["no_store"],
        )

    def outcomes(self, job: str, failed_only: bool = False) -> Iterator[Outcome]:
        """Give what became of the pages so far, in order; or of those alone that could not be read."""
        with self._reached():
            found = self._redis.hgetall(f"{_key(job)}:failures")
            if not failed_only:
                found |= self._redis.hgetall(f"{_key(job)}:outcomes")
        places = sorted((tuple(map(int, place.decode().split(":"))), values) for place, values in found.items())
        for (file, page), values in places:
            yield Outcome(file, page, json.loads(values))

    def upload(self, job: str, file: int) -> bytes:
        """Give a file as it came; empty if it is no longer there."""
        with self._reached():
            return bytes(self._redis.get(f"{_key(job)}:upload:{file}") or b"")

    def cancel(self, job: str) -> bool:
        """Stop a job that is not over: its units are dropped. False if it is over or unknown."""
        with self._reached():
            return bool(self._redis.eval(_CANCEL, 1, _key(job), self._keep))

    def delete(self, job: str) -> bool:
        """Forget a job and all of its content. False if it is unknown."""
        with self._reached():
            files = int(self._redis.hget(_key(job), "files") or 0)
            uploads = [f"{_key(job)}:upload:{number}" for number in range(files)]
            gone = self._redis.unlink(_key(job), f"{_key(job)}:outcomes", f"{_key(job)}:failures", *uploads)
            self._redis.zrem(_REPORTS, job)
        return bool(gone)

    def take_report(self) -> Report | None:
        """Take a webhook that is due, under a lease."""
        with self._reached():
            job = self._redis.eval(_REPORT, 1, _REPORTS, _REPORT_LEASE_SECONDS)
            if job is None:
                return None
            key = _key(job.decode())
            url = self._redis.hget(key, "webhook")
            if url is None:  # forgotten meanwhile
                self._redis.zrem(_REPORTS, job)
                return None
            return Report(job.decode(), url.decode(), self._redis.hincrby(key, "report_tries", 1))

    def reported(self, report: Report, delivered: bool, again_seconds: float | None) -> None:
        """Note how sending went: delivered, to be tried again after so long, or (None) given up."""
        with self._reached():
            if delivered or again_seconds is None:
                self._redis.zrem(_REPORTS, report.job)
                if self._redis.exists(_key(report.job)):
                    self._redis.hset(_key(report.job), "report", "delivered" if delivered else "given up")
            else:
                self._redis.eval(_AGAIN, 1, _REPORTS, report.job, round(again_seconds))

    def sweep(self) -> int:
        """Do nothing: Redis forgets by itself."""
        return 0

    def close(self) -> None:
        """Let go of the store."""
        self._redis.close()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Raise Unavailable when Redis does not answer."""
        try:
            yield
        except self._errors as error:
            raise Unavailable(
                f"Jobs cannot be kept just now (Redis: {reason(error)}); send the request again in 10 s.", 10
            ) from error


def _key(job: str) -> str:
    return f"shizi:job:{job}"


def _entries(streams: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Take the entries out of an answer to XREADGROUP, which comes as a list or, over RESP3, as a mapping."""
    if not streams:
        return []
    first = next(iter(streams.values()))[0] if isinstance(streams, dict) else streams[0][1]
    return list(first)
