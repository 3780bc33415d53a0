"""Settings of the docs site; scripts/docs brings the pages together and builds it."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "quart-heure"
try:
    version = release = metadata.version("quart-heure")
except metadata.PackageNotFoundError:  # run from the source tree without installation
    version = release = ""

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_output"]

# Pages of Markdown: the same that a forge shows.
myst_heading_anchors = 3
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence"]
nb_execution_mode = "off"  # notebooks are shown with the outputs that they are stored with
suppress_warnings = ["myst.header"]  # READMEs begin where they like

# Reference: docstrings in NumPy style, types in signatures.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "show-inheritance": False}
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
add_module_names = False
maximum_signature_line_length = 88

html_theme = "pydata_sphinx_theme"
html_title = "quart-heure"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_extra"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
html_use_index = False  # the search finds more, and quicker
html_domain_indices = False
html_sidebars = dict.fromkeys(("index", "README", "README.fr", "fr", "live_map", "gallery"), ())
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "back_to_top_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copyright = "OpenStreetMap contributors (data, ODbL 1.0) and the sources that pages name"

_FRENCH = {"fr", "README.fr"}


def _in_its_language(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Say of the French pages that they are French: screen readers speak by it."""
    if pagename in _FRENCH:
        context["language"] = "fr"


def setup(app: Sphinx) -> None:
    """Connect what is changed."""
    app.connect("html-page-context", _in_its_language)
