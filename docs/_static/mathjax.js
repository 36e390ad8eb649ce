// What MathJax is told. Only what draws is loaded, from the folder beside this file, and MathML
// beside each formula for a screen reader. Its own speech is not: it needs a worker, which a page
// opened from a disk may not start, and makes every formula a tab stop.
"use strict";

window.MathJax = {
    loader: {
        load: ["core", "input/tex", "output/svg", "a11y/assistive-mml"],
        paths: {"mathjax-newcm": "[mathjax]/font"},
    },
    options: {
        ignoreHtmlClass: ".*", // formulas stand where Sphinx says so, and nowhere else
        processHtmlClass: "math",
    },
    // Nine tenths: letters as high as those of the text would break many a formula in two.
    output: {displayOverflow: "linebreak", scale: 0.9},
    startup: {
        ready() {
            delete MathJax.config.options.menuOptions; // for a menu that is not there
            MathJax.startup.defaultReady();
        },
        pageReady() {
            return MathJax.startup.defaultPageReady().then(() => {
                letScrollByKey();
                addEventListener("resize", letScrollByKey); // a telephone is turned, a page zoomed
            });
        },
    },
};

// What still is too wide scrolls in a box of its own, which a keyboard must be able to reach.
function letScrollByKey() {
    const told = {tabindex: 0, role: "group", "aria-label": "equation, wider than the page"};
    for (const box of document.querySelectorAll("div.math")) {
        const wide = box.scrollWidth > box.clientWidth;
        for (const [name, value] of Object.entries(told)) {
            if (wide) box.setAttribute(name, value);
            else box.removeAttribute(name);
        }
    }
}
