"""Runs a notebook to its end, whatever its cells do: nbgrader's `Execute`, and a kernel replaced.

A cell that ends its kernel, or that does not let itself be interrupted, costs its own points and
not those of the cells below: a new kernel runs the cells above once more, without it, and goes on.
"""

import copy
import time

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader.preprocessors import Execute
from traitlets import Integer


class RunToTheEnd(Execute):
    """Execute every cell; none stops the grading of the others."""

    max_output = Integer(200_000, help="characters of output kept of one cell").tag(config=True)
    max_seconds = Integer(240, help="seconds for one notebook, all in all").tag(config=True)

    def preprocess(self, nb, resources=None, km=None):
        """Run a notebook, in place."""
        self.fatal = set()  # places of cells that no kernel gets again
        self.deadline = time.monotonic() + self.max_seconds
        return super().preprocess(nb, resources, km)

    def preprocess_cell(self, cell, resources, index):
        """Run one cell; where that costs the kernel, say so in its output and get another."""
        self.room = self.max_output
        if cell.cell_type != "code":
            return cell, resources
        if time.monotonic() > self.deadline:
            say(cell, "NotRun", f"the cells above took more than {self.max_seconds} seconds")
            return cell, resources
        try:
            return super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            say(cell, "DeadKernelError", "this cell ended its kernel")
        except CellTimeoutError:
            say(cell, "CellTimeoutError", f"stopped: it ran longer than {self.timeout} seconds")
        self.fatal.add(index)
        self.start_again(index)
        return cell, resources

    def start_again(self, index):
        """Put a new kernel in the place of the old one, and run the cells above in it."""
        if self.km is not None and self.km.has_kernel:
            self._cleanup_kernel()
        self.kc = None
        self.km = self.create_kernel_manager()
        self.start_new_kernel()
        self.start_new_kernel_client()
        for place, cell in enumerate(self.nb.cells[:index]):
            if cell.cell_type == "code" and place not in self.fatal and not timed_out(cell):
                self.execute_aside(cell, place)

    def execute_aside(self, cell, place):
        """Run a cell for what it defines; its outputs stay as they are."""
        kept = copy.deepcopy(cell)
        try:
            self.execute_cell(copy.deepcopy(cell), place, store_history=False)
        except (DeadKernelError, CellTimeoutError):
            self.fatal.add(place)
            self.start_again(place)
        finally:
            self.nb.cells[place] = kept

    def process_message(self, msg, cell, cell_index):
        """Keep what a cell puts out, up to `max_output` characters."""
        text = msg["content"].get("text", "") if msg["msg_type"] == "stream" else ""
        if text and self.room <= 0:
            return None
        if len(text) > self.room:
            msg["content"]["text"] = text[: self.room] + "\n... the rest of this output is left out"
        self.room -= len(text)
        return super().process_message(msg, cell, cell_index)


def say(cell, name, words):
    """Leave an error in a cell's output, as if its code had raised it."""
    error = nbformat.v4.new_output(
        "error", ename=name, evalue=words, traceback=[f"{name}: {words}"]
    )
    cell.outputs = [*cell.outputs, error]


def timed_out(cell):
    """Whether a cell ran until it was interrupted."""
    return any(output.get("ename") == "CellTimeoutError" for output in cell.outputs)
