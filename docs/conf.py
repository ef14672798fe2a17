"""Settings of the documentation's builder: `make site` writes `.site`."""

project = "order manager"
author = "The order manager's authors"
copyright = "2026, the order manager's authors"  # noqa: A001 -- the builder's name for it
extensions = ["myst_parser", "sphinx.ext.intersphinx"]
source_suffix = {".md": "markdown"}
root_doc = "index"

html_theme = "furo"
html_title = "order manager"
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# Links to the source lead to files of the repository, not to pages; a test follows them.
# Diagrams and commented JSON are shown as they are.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]
nitpicky = True
