"""A Glue runtime as far as a job can tell: its Java class is there, and does nothing."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

GLUE_CONTEXT = "com/amazonaws/services/glue/GlueContext"


def glue_jar(folder: Path) -> Path:
    """Returns a jar with Glue's class, empty. Source: Java Virtual Machine Specification, chapter 4."""
    pool = b"".join(
        struct.pack(">BH", 1, len(name)) + name + struct.pack(">BH", 7, number)
        for number, name in ((1, GLUE_CONTEXT.encode()), (3, b"java/lang/Object"))
    )
    public, java_8 = 0x21, 52
    head = struct.pack(">IHHH", 0xCAFEBABE, 0, java_8, 5)
    body = struct.pack(">HHHHHHH", public, 2, 4, 0, 0, 0, 0)
    jar = folder / "glue.jar"
    with zipfile.ZipFile(jar, "w") as packed:
        packed.writestr(f"{GLUE_CONTEXT}.class", head + pool + body)
    return jar
