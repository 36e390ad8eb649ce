"""The kit of the course's pages: printing, drawing, sliders, and the checks of the exercises."""
