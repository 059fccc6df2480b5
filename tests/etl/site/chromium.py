"""A headless Chromium, driven by its own protocol over two pipes (Chrome DevTools Protocol); no driver, no port."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

PROGRAMS: Final = ("chromium", "chromium-headless-shell", "google-chrome")


def program() -> str | None:
    """Returns where Chromium is; None where it is not installed."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass
class Page:
    """One tab; it remembers what was asked of the network and what the console was told.

    Attributes:
        requests: every URL that was asked for.
        complaints: errors and warnings of the console, exceptions too.
    """

    to: BinaryIO
    back: BinaryIO
    session: str = ""
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _heard: bytes = b""
    _last: int = 0
    _loaded: bool = False

    def send(self, method: str, **parameters: Any) -> Any:
        """Sends a command and returns its result; events that come meanwhile are noted."""
        self._last += 1
        number = self._last
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.to.write(json.dumps(message).encode() + b"\0")
        self.to.flush()
        while (heard := self._hear()).get("id") != number:
            self._note(heard)
        assert "error" not in heard, heard
        return heard["result"]

    def open(self, address: str) -> None:
        """Opens a page and waits until it has loaded."""
        self._loaded = False
        self.send("Page.navigate", url=address)
        while not self._loaded:
            self._note(self._hear())

    def leaves(self, act: Callable[[], object]) -> None:
        """Does something that opens another page, and waits until that one has loaded."""
        self._loaded = False
        act()
        while not self._loaded:
            self._note(self._hear())

    def says(self, script: str) -> Any:
        """Returns what a script in the page says; promises are awaited."""
        given = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in given, given["exceptionDetails"]
        return given["result"].get("value")

    def resize(self, width: int, height: int = 900) -> None:
        """Makes the window as wide as a device."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def prefer(self, scheme: str = "light", media: str = "screen") -> None:
        """Chooses light or dark, screen or print."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)

    def type(self, text: str) -> None:
        """Types a text where the page has its focus."""
        self.send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Presses a key."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowDown": 40}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key])

    def picture(self, *, whole: bool = False) -> bytes:
        """Returns a picture of the page as PNG."""
        taken = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(taken["data"])

    def printed(self) -> bytes:
        """Returns the page as PDF."""
        return base64.b64decode(self.send("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _hear(self) -> dict[str, Any]:
        """Returns the next message: one that has arrived already, or the next to come."""
        while b"\0" not in self._heard:
            part = os.read(self.back.fileno(), 1 << 20)
            assert part, "Chromium has ended"
            self._heard += part
        message, _, self._heard = self._heard.partition(b"\0")
        heard: dict[str, Any] = json.loads(message)
        return heard

    def _note(self, heard: dict[str, Any]) -> None:
        method, told = heard.get("method", ""), heard.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning", "assert"}:
            self.complaints.append(json.dumps(told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(told["entry"]["text"])


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """Yields a tab of a Chromium that may not use the network and leaves with the test.

    Args:
        folder: for its profile.
    """
    hears, to = os.pipe()
    back, says = os.pipe()
    options = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--hide-scrollbars", "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}", "--remote-debugging-pipe",
    ]  # fmt: skip
    command = ["/bin/bash", "-c", f'exec "$@" 3<&{hears} 4>&{says}', "bash", str(program()), *options]
    running = subprocess.Popen(command, pass_fds=(hears, says), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    os.close(hears)
    os.close(says)
    page = Page(os.fdopen(to, "wb"), os.fdopen(back, "rb"))
    try:
        target = page.send("Target.createTarget", url="about:blank")["targetId"]
        page.session = page.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.send(f"{domain}.enable")
        yield page
    finally:
        running.terminate()
        running.wait(20)
        page.to.close()
        page.back.close()
