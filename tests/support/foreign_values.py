"""Values as other programs write them: Avro, Protobuf, compressed, behind a schema registry's five bytes."""

import json

from support.validation import ANSWER

PLAIN = json.dumps(ANSWER).encode()
AVRO = b"".join(bytes([2 * len(text)]) + text.encode() for text in ANSWER.values())
"""A record of strings as Avro writes it, without a schema."""
PROTOBUF = b"".join(
    bytes([field << 3 | 2, len(text)]) + text.encode() for field, text in enumerate(ANSWER.values(), 1)
)
AVRO_FILE = b"Obj\x01\x02\x16avro.schema\x1e" + b'{"type":"null"}' + b"\x00" + b"m" * 16
ZSTD, LZ4 = b"\x28\xb5\x2f\xfd\x04\x58", b"\x04\x22\x4d\x18\x64\x40\xa7"
REGISTRY = b"\0\0\0\0\x07"
