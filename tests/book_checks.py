"""What a page of the book is asked in a browser: formulas, widths, and what axe finds."""

AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
    "preload": False,  # it would fetch style sheets, which a disk forbids
}


def check_maths(page):
    """Every formula is drawn, none of them as an error, and has MathML for a screen reader."""
    formulas = page.locator("article :is(div.math, span.math)").count()
    assert page.locator("article mjx-container").count() >= formulas
    assert page.locator("article mjx-container math").count() >= formulas
    assert page.locator("[data-mjx-error], mjx-merror").count() == 0


# Code, tables and formulas may be wider than a telephone: they scroll in a box of their own.
WIDER_THAN_THE_PAGE = """() => [document.documentElement, ...document.querySelectorAll("body *")]
    .filter(box => box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0
        && (box === document.documentElement
            || ["auto", "scroll"].includes(getComputedStyle(box).overflowX))
        && !box.matches("pre, div.math, .pst-scrollable-table-container, .cell_output *"))
    .map(box => `${box.tagName}.${box.className}: ${box.scrollWidth} > ${box.clientWidth}`)"""
OUT_OF_REACH = """() => [...document.querySelectorAll("article :is(pre, div.math)")]
    .filter(box => box.scrollWidth > box.clientWidth + 1 && box.tabIndex !== 0)
    .map(box => box.textContent)"""

# To measure the contrast of each word in each cell takes seconds a page. So code whose colours have
# all been seen above it is left out.
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
MARK_REPETITIONS = """() => {
    const seen = new Set();
    for (const pre of document.querySelectorAll("pre")) {
        const place = pre.closest(".cell_output") ? "printed" : "written";
        const kinds = [...pre.querySelectorAll("span")].map(span => place + span.className);
        if (kinds.every(kind => seen.has(kind))) pre.dataset.seen = "";
        kinds.forEach(kind => seen.add(kind));
    }
}"""


def check_axe(page, options):
    """What axe finds by WCAG 2.1, A and AA: nothing of weight."""
    from axe_playwright_python.sync_playwright import Axe

    context = {"exclude": [["pre[data-seen]"]]}
    found = Axe().run(page, context=context, options=AXE | options).response["violations"]
    grave = [
        (rule["id"], rule["nodes"][0]["html"])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert grave == []
