"""What Sphinx is told; docs/book.py prepares the folder it reads."""

import re

import contents
import reference

project = contents.TITLE
author = "The emtools authors"
copyright = "the emtools authors: code BSD 3-Clause, text and figures CC BY 4.0"
language = "en-GB"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["downloads"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "attrs_block"]
myst_update_mathjax = False
mathjax_path = "mathjax/startup.js"
mathjax_config_path = "_static/mathjax.js"

default_role = "literal"  # what stands in `single quotes` in a docstring
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_title = project
html_theme = "pydata_sphinx_theme"
html_sidebars = {name: [] for name in contents.PAGES}  # of no part
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = [("player.js", {"defer": "defer"})]
html_show_search_summary = False  # it would fetch each page that is found, which a disk forbids
html_use_index = False
html_domain_indices = False
html_copy_source = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "EM, step by step"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "search_bar_text": "Search the course",
    "show_toc_level": 2,
    "back_to_top_button": False,  # it covers what is read
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "primary_sidebar_end": [],
}


def escape_stars(app, what, name, thing, options, lines):
    """Let a star in a docstring be a product, as its author meant, not the start of emphasis."""
    lines[:] = [re.sub(r"(?<![\\*\w])\*(?=[\s,;.)])", r"\\*", line) for line in lines]


def setup(app):
    """Hook into autodoc."""
    app.connect("autodoc-process-docstring", escape_stars, priority=100)
    app.connect("autodoc-process-docstring", reference.add_fields)
    app.connect("autodoc-skip-member", reference.skip_fields)
