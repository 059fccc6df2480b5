"""What may become of a request: each fault says what the server hears and what the client gets."""

from __future__ import annotations

import json

from scripts.fault_injection.proxy import Answer, Exchange, Fault


def answers(status: int, reason: str = "") -> Fault:
    """The server is not asked; the client gets this status."""
    return lambda exchange: exchange.answer(status, reason)


def answers_after(status: int, reason: str = "") -> Fault:
    """The server does its work, and the client gets this status all the same."""

    def fault(exchange: Exchange) -> None:
        exchange.forward()
        exchange.answer(status, reason)

    return fault


def resets(exchange: Exchange) -> None:
    """The server is not asked; the connection is reset."""
    exchange.reset()


def loses(exchange: Exchange) -> None:
    """The server does its work; the answer is lost."""
    exchange.forward()
    exchange.reset()


def hangs(seconds: float) -> Fault:
    """The server is not asked; nothing comes until the client gives up."""
    return lambda exchange: exchange.hang(seconds)


def still_runs(exchange: Exchange) -> None:
    """BigQuery does a job, and says that it is still at it, so that the client must ask again."""
    answer = exchange.forward()
    job = json.loads(answer.body)
    job["status"] = {"state": "RUNNING"}
    exchange.relay(Answer(answer.status, answer.headers, json.dumps(job).encode()))


def answers_page(status: int) -> Fault:
    """A front end before the server answers a page for people."""
    page = b"<html><title>Error</title>That is all we know.</html>"
    return lambda exchange: exchange.relay(Answer(status, [("Content-Type", "text/html")], page))


def truncates(exchange: Exchange) -> None:
    """The second half of the request's body never arrives."""
    exchange.relay(exchange.forward(exchange.body[: len(exchange.body) // 2]))


def flips(exchange: Exchange) -> None:
    """One bit of the request's body is another on arrival."""
    damaged = bytearray(exchange.body)
    damaged[len(damaged) // 2] ^= 1
    exchange.relay(exchange.forward(bytes(damaged)))


def cuts(exchange: Exchange) -> None:
    """The answer ends in its middle."""
    exchange.cut(exchange.forward())
