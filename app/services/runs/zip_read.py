"""ZIP files that come from outside: all the ways in which they cannot be read."""

import struct
import zipfile
import zlib

ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,  # a method of packing that is not known
    RuntimeError,  # a password
    zlib.error,
    EOFError,
    ValueError,
    struct.error,
)
"""What Python raises when it reads a spoilt one."""
