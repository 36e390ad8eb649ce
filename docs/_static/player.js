// Moves the players that docs/players.py has drawn: a picture file for each place of the sliders.
"use strict";

const PACE = 400; // milliseconds a picture while it plays

function begin(player) {
    const about = JSON.parse(player.querySelector("script").textContent);
    const image = player.querySelector("img");
    const rows = [...player.querySelectorAll(".em-control")];
    const ranges = rows.map(row => row.querySelector("input"));
    const nameOf = places => places.join("-");
    const fileOf = name => `${about.folder}/${name}.webp`;

    function show() {
        const name = nameOf(ranges.map(range => range.value));
        image.src = fileOf(name);
        image.alt = about.says[name];
        rows.forEach((row, number) => {
            const word = about.controls[number][1][ranges[number].value];
            ranges[number].setAttribute("aria-valuetext", word);
            row.querySelector("output").textContent = word;
        });
    }

    // So that the next picture is there when it is asked for.
    function fetchAhead(number) {
        const places = ranges.map(range => Number(range.value));
        places[number] += 1;
        if (places[number] <= Number(ranges[number].max)) new Image().src = fileOf(nameOf(places));
    }

    rows.forEach((row, number) => {
        const range = ranges[number];
        const play = row.querySelector("[data-play]");
        const output = row.querySelector("output");
        let timer = null;

        function call(word) {
            play.textContent = word;
            play.setAttribute("aria-label", `${word}: ${about.controls[number][0]}`);
        }

        function stop() {
            clearInterval(timer);
            timer = null;
            call("Play");
        }

        function move(by) {
            range.value = Number(range.value) + by;
            show();
            fetchAhead(number);
            if (range.value === range.max) stop();
        }

        function start() {
            if (range.value === range.max) range.value = 0;
            show();
            fetchAhead(number);
            timer = setInterval(move, PACE, 1);
            call("Pause");
        }

        play.addEventListener("click", () => {
            output.setAttribute("aria-live", "off");
            if (timer === null) start(); else stop();
        });
        row.querySelectorAll("[data-by]").forEach(button => button.addEventListener("click", () => {
            stop();
            output.setAttribute("aria-live", "polite"); // the button that has focus says no number
            move(Number(button.dataset.by));
        }));
        range.addEventListener("input", () => {
            stop();
            output.setAttribute("aria-live", "off"); // a range says where it is
            show();
            fetchAhead(number);
        });
        range.addEventListener("keydown", event => {
            if (event.key !== " ") return;
            event.preventDefault();
            play.click();
        });
    });
    show(); // a browser may remember where a range was
}

document.querySelectorAll(".em-player").forEach(begin);
