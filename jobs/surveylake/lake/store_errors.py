"""What goes wrong at a store, as errors of ours: it does not answer, or finds a file's bytes damaged."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

from surveylake.errors import StorageError
from surveylake.runtime import java_exit
from surveylake.wording import innermost

P = ParamSpec("P")
T = TypeVar("T")
DAMAGED = ("ChecksumException", "BlockMissingException")
"""The classes of Hadoop's errors for bytes that are not those that were written, and of which there is no other copy."""


class DamagedError(ValueError):
    """The file system itself finds a file's bytes damaged."""


class StoreError(StorageError):
    """A store did not do what it was asked: it does not answer, or refuses this user."""


def told(method: Callable[P, T]) -> Callable[P, T]:
    """Wrap a method of a path at a URI: what Java raises in it becomes a StoreError with the path's name."""

    @functools.wraps(method)
    def asked(*given: P.args, **named: P.kwargs) -> T:
        try:
            return method(*given, **named)
        except Py4JJavaError as error:
            if java_exit.out_of_memory(error):
                raise  # told elsewhere, with the memory that there was
            raise _store_error(str(given[0]), error) from error

    return asked


def read_error(uri: str, error: Py4JJavaError) -> DamagedError | StoreError:
    """Return the error for what Java raised while a file was read."""
    if str(error.java_exception.getClass().getSimpleName()) in DAMAGED:
        return DamagedError(innermost(error))
    return _store_error(uri, error)


def _store_error(uri: str, error: Py4JJavaError) -> StoreError:
    return StoreError(
        f"{uri} cannot be reached: {innermost(error)}",
        "Check the path, [store] in the conf file, the keys in the environment, and the rights.",
    )
