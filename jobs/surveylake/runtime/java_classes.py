"""The classes of this project in Java, compiled at set-up by Spark's own Janino, without a JDK."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surveylake.errors import SetupError
from surveylake.paths import sha256
from surveylake.runtime.java import find_java
from surveylake.wording import first_line

PACKAGE = "surveylake"
BYTECODE = 17
"""The Java release that a class is compiled for, whichever Java compiles it: the jar's bytes are the same each time."""
NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class JavaClass:
    """One class; `which` is the set of jars that its jar belongs to."""

    source: Path
    artifact: str
    which: str

    @property
    def name(self) -> str:
        """The name by which Java finds it."""
        return f"{PACKAGE}.{self.source.stem}"

    @property
    def coordinate(self) -> str:
        """Group:artifact:version of the compiled jar, as the lock lists it; the version is of the source's bytes."""
        return f"{PACKAGE}:{self.artifact}:{sha256(self.source)[:12]}"

    def build(self, class_path: Sequence[Path], folder: Path) -> Path:
        """Compile the source against the jars of `class_path`. Returns the jar in `folder`, the same bytes each time.

        Raises SetupError with the compiler's words.
        """
        try:
            with java_of(class_path) as java:
                compiler = java.org.codehaus.janino.SimpleCompiler()
                compiler.setSourceVersion(BYTECODE)
                compiler.setTargetVersion(BYTECODE)
                compiler.setDebuggingInformation(False, True, False)
                compiler.cook(self.source.read_text("utf-8"))
                classes = {str(name): bytes(code) for name, code in compiler.getBytecodes().items()}
        except Exception as error:
            raise SetupError(
                f"{self.source.name} was not compiled: {first_line(error)}", "run: make setup"
            ) from error
        jar = folder / f"{self.coordinate.replace(':', '_', 1).replace(':', '-')}.jar"
        # Stored: compressed bytes depend on the library that compresses.
        with zipfile.ZipFile(jar, "w") as file:
            for name, code in sorted(classes.items()):
                file.writestr(zipfile.ZipInfo(f"{name.replace('.', '/')}.class", NO_DATE), code)
        return jar


LOG_STORE = JavaClass(Path(__file__).with_name("CreateOnceLogStore.java"), "create-once-log-store", "s3")
"""Delta's log of tables at s3a://."""
LOCAL_FS = JavaClass(Path(__file__).with_name("LocalFs.java"), "local-fs", "spark")
"""Files of this machine, as Spark's checkpoints and Delta's logs are written."""
CLASSES = (LOCAL_FS, LOG_STORE)


@contextmanager
def java_of(class_path: Sequence[Path]) -> Iterator[Any]:
    """Yield py4j's view of a JVM without Spark, which ends with the block."""
    from py4j.java_gateway import JavaGateway  # type: ignore[import-untyped]

    gateway = JavaGateway.launch_gateway(
        jarpath=str(next(jar for jar in class_path if jar.name.startswith("py4j-"))),
        classpath=os.pathsep.join(map(str, class_path)),
        java_path=str(find_java()), die_on_exit=True, enable_auth=True,
    )  # fmt: skip
    try:
        yield gateway.jvm
    finally:
        gateway.shutdown()
