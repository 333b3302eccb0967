"""Packs programs into archives for upload. The arguments are pairs of PROGRAM and ARCHIVE; an archive that is newer than its
program stays.

The fastest compression level takes a fifth of the usual time. A fixed modification time gives the same program the same archive,
which is then not uploaded again."""

import os
import sys
import zipfile


def pack(program, archive):
    if os.path.exists(archive) and os.path.getmtime(archive) >= os.path.getmtime(program):
        return
    entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, so that the permissions below count
    entry.external_attr = 0o100755 << 16
    with open(program, "rb") as source, zipfile.ZipFile(archive + ".new", "w") as target:
        target.writestr(entry, source.read(), zipfile.ZIP_DEFLATED, 1)
    os.replace(archive + ".new", archive)


pairs = sys.argv[1:]
for program, archive in zip(pairs[::2], pairs[1::2]):
    pack(program, archive)
