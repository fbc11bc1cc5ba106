"""Writes what people read, page by page, so that two revisions can be compared.

    python -m tests.pages_text OUT
    diff -r OUT_OF_BEFORE OUT_OF_NOW

All pages there are, as everybody sees them: a file for each page, role and language,
`OUT/ROLE/LANGUAGE/PATH.txt`, with its status, its texts in their order, what stands in
attributes that are read aloud or shown, and the texts of pictures. Then forms that are
sent empty and sent wrongly (`… sent empty.txt`), and the letters of the service
(`OUT/letters/LANGUAGE`).

The database is the one that version 0.1 left in `tests/fixtures/0.1`, so no revision
fills it otherwise; clock, ids and secrets are frozen. Two runs of one revision write
the same bytes.
"""
