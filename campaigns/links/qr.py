"""QR codes as SVG, made here and not by a third party."""

from __future__ import annotations

import io

from markupsafe import Markup


def qr_svg(address: str) -> Markup:
    """Draw an address as a QR code that survives a dirty poster (error level Q), in the colour of the text."""
    import segno  # here, because few requests draw one

    out = io.BytesIO()
    code = segno.make_qr(address, error="q")
    code.save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        omitsize=True,
        border=4,
        title=None,
        svgclass="qr",
        lineclass=None,
    )
    return Markup(out.getvalue().decode("utf-8"))  # noqa: S704 - segno's own output; the address is in the modules
