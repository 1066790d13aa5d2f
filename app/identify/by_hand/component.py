"""The canvas as a component of Streamlit's second kind, from the files beside this module."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

HERE = Path(__file__).parent
_PACKAGE, _NAME = "flowers", "hand"


def canvas() -> Callable[..., Any]:
    """Registers the component on the running server, and gives what mounts it.

    A script that is handed over as text is run from a blob: address, which deploy/nginx.conf does not allow. One that
    is a file comes from the server itself. Streamlit finds such files of installed packages only, and this one runs
    from a checkout, too; so their folder is named here.
    """
    manager, name = get_bidi_component_manager(), f"{_PACKAGE}.{_NAME}"
    if manager.get_component_asset_root(name) is None:
        manager.register_from_manifest(
            ComponentManifest(_PACKAGE, "", [ComponentConfig(_NAME, HERE.name)]), HERE.parent
        )
    html, css = ((HERE / f"hand.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    return st.components.v2.component(name, html=html, css=css, js="hand.js")
