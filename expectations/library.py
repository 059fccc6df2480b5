"""Great Expectations, imported in two thirds of its time: what only a few expectations use comes when they use it.

The library loads SciPy's statistics and Altair's charts as it is imported; of what we ask, the divergence of
distributions alone uses them. While it is imported, each stands as a module that loads itself when it is first used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Final

_LATER: Final = ("scipy.stats", "altair")


class _Later(ModuleType):
    """Stands for a module that is imported when an attribute of it is first asked for."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # Python's own questions about a module
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


@contextmanager
def _later(*names: str) -> Iterator[None]:
    """Lets modules that are not loaded yet be imported by name alone; afterwards they are imported as ever."""
    standing = {name: _Later(name) for name in names if name not in sys.modules}
    sys.modules |= standing
    try:
        yield
    finally:
        for name, module in standing.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


with _later(*_LATER):
    import great_expectations as gx
    from great_expectations import expectations as gxe
    from great_expectations.compatibility.pydantic import ValidationError
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.util import camel_to_snake

__all__ = ["ProgressBarsConfig", "ValidationError", "camel_to_snake", "gx", "gxe"]
