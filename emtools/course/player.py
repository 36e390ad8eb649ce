"""A player: sliders, and the picture that belongs to their places, with an alt text that says it.

It can be used by keyboard alone (Tab, arrow keys, Home and End, the space bar on a button) and by
ear: every part has a name, and sliders say their places in words.
"""

from functools import cache

import ipywidgets

from emtools.course import plots
from emtools.course.plots.described import image_tag

# ipywidgets names neither a slider's handle nor the buttons of Play. This runs in the page whenever
# a picture has arrived; sliders may come later, hence the repetition. A handle's value is its
# index, and the words stand beside it, so they are put in the index's place when it changes. A
# picture is read out when it changes, but not while playing.
NAMES = """
const picture = this;
const name = tries => {
    const player = picture.closest('.em-player');
    const handles = player ? [...player.querySelectorAll('.noUi-handle')] : [];
    if (handles.length === 0 || handles.length < player.querySelectorAll('.slider').length) {
        if (tries) setTimeout(name, 100, tries - 1);
        return;
    }
    const playing = player.querySelector('.fa-pause') !== null;
    picture.parentElement.setAttribute('aria-live', playing ? 'off' : 'polite');
    if (player.dataset.named) return;
    player.dataset.named = 'yes';
    for (const handle of handles) {
        const slider = handle.closest('.widget-inline-hbox');
        const words = slider.querySelector('.widget-readout');
        const say = () => {
            if (handle.getAttribute('aria-valuetext') !== words.textContent)
                handle.setAttribute('aria-valuetext', words.textContent);
        };
        const fix = () => {
            if (words.isContentEditable) words.contentEditable = 'false';
        };
        handle.setAttribute('aria-label', slider.querySelector('.widget-label').textContent);
        new MutationObserver(say).observe(handle, {attributeFilter: ['aria-valuetext']});
        new MutationObserver(fix).observe(words, {attributeFilter: ['contenteditable']});
        say();
        fix();
    }
    const buttons = player.querySelectorAll('.widget-play button');
    ['play or pause', 'back to the start', 'repeat'].forEach((words, place) => {
        if (!buttons[place]) return;
        buttons[place].setAttribute('aria-label', words);
        buttons[place].title = words;
    });
};
name(50);
"""


class Player(ipywidgets.VBox):
    """Sliders, a play button if there is one of them, and a picture.

    Parameters
    ----------
    draw : callable
        ``draw(axes, *indices)`` draws the picture for one place of each slider.
    says : callable
        ``says(*indices)`` tells what this picture shows, for those who do not see it.
    controls : list of (str, list of str)
        For each slider what stands before it, and a word for each of its places.
    start : tuple of int, optional
        Where the sliders stand at first; at their beginnings unless told.
    new_figure : callable
        Makes the empty ``(figure, axes)``; `plots.new_figure` unless told.

    Attributes
    ----------
    controls, says
        As given.
    drawn, frame : callable
        ``drawn(*indices)`` is the figure there, ``frame(*indices)`` the bytes of its PNG file.
    sliders : list of ipywidgets.SelectionSlider
        One for each control.
    """

    def __init__(self, draw, says, controls, start=None, new_figure=plots.new_figure):
        self.controls, self.says = controls, says

        def drawn(*indices):
            figure, axes = new_figure()
            draw(axes, *indices)
            return figure

        self.drawn = drawn
        # A frame takes 0.1 s to draw; moving back should take none.
        self.frame = cache(lambda *indices: plots.as_png(drawn(*indices)))
        places = start or (0,) * len(controls)
        self.sliders = [
            new_slider(label, words, place)
            for (label, words), place in zip(controls, places, strict=True)
        ]
        self.picture = ipywidgets.HTML(layout={"width": "100%"})
        for slider in self.sliders:
            slider.observe(self.show, "index")
        self.show()
        parts = [*self.play_buttons(), *self.sliders]
        row = ipywidgets.HBox(parts, layout={"flex_flow": "row wrap"})
        super().__init__([row, self.picture])
        self.add_class("em-player")

    def places(self):
        """Where the sliders stand."""
        return [slider.index for slider in self.sliders]

    def table(self):
        """The numbers behind the picture that is shown, as `plots.table` gives them."""
        return plots.table(self.drawn(*self.places()))

    def show(self, _=None):
        """Show the picture of the places where the sliders stand, and say what it shows."""
        places = self.places()
        self.picture.value = image_tag(
            self.frame(*places), self.says(*places), **{"class": "em-frame", "onload": NAMES}
        )

    def play_buttons(self):
        """What runs through the places of a single slider."""
        if len(self.sliders) > 1:
            return
        play = ipywidgets.Play(max=len(self.sliders[0].options) - 1, interval=400)
        ipywidgets.link((play, "value"), (self.sliders[0], "index"))
        yield play

    def __repr__(self):
        """What a page without a running kernel shows in the player's place."""
        names = " and ".join(repr(label) for label, _ in self.controls)
        if len(self.controls) == 1:
            return f"A slider over {names}: run this notebook to move it."
        return f"Sliders over {names}: run this notebook to move them."


def new_slider(label, words, place):
    """A slider over places that have words; on a narrow page it takes a line of its own."""
    return ipywidgets.SelectionSlider(
        options=[(word, index) for index, word in enumerate(words)],
        index=place,
        description=label,
        style={"description_width": "initial"},
        layout={"width": "auto", "flex": "1 1 18em", "max_width": "40em", "margin": "2px 10px"},
    )
