"""The tags of a page of the web, however broken it is."""

from html.parser import HTMLParser


class Tags(HTMLParser):
    """Takes `<![…` for a comment, as browsers do.

    Python 3.11's parser ends with an `AssertionError` where it does not know the name behind it, and overlooks the rest
    of a page behind `<![endif]-->`.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def parse_marked_section(self, i: int, report: bool = True) -> int:  # noqa: FBT001, FBT002 - as it is inherited
        """Return where it ends; below 0 where it does not."""
        return self.parse_bogus_comment(i, report)
