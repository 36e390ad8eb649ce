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
    output: {displayOverflow: "linebreak"},
    startup: {
        ready() {
            delete MathJax.config.options.menuOptions; // for a menu that is not there
            MathJax.startup.defaultReady();
        },
        pageReady() {
            return MathJax.startup.defaultPageReady().then(letScrollByKey);
        },
    },
};

// What still is too wide scrolls in a box of its own, which a keyboard must be able to reach.
function letScrollByKey() {
    for (const box of document.querySelectorAll("div.math")) {
        if (box.scrollWidth <= box.clientWidth) continue;
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", "equation, wider than the page");
    }
}
