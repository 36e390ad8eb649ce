"""How nbgrader works in a course folder: what it is told, and what runs in place of its `Execute`.

A cell that ends its kernel, or that does not let itself be interrupted, costs its own points and
not those of the cells below: a new kernel runs the cells above once more, without it, and goes on.
"""

import copy
import json
import time
from pathlib import Path

import nbformat
from coursework_repair import Repair
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader.preprocessors import Execute
from traitlets import Integer

STUBS = {"code_stub": {"python": "# Your code here."}, "text_stub": "Your answer here."}
# How Moodle names what students hand in, in a ZIP of all of them.
MOODLE = r".*/(?P<student_id>[^/]+_\d+)_assignsubmission_file_?/(?P<file_id>.*)"
CUT = "... the rest of this output is left out"


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
        self.room = {"text": self.max_output, "data": 10 * self.max_output}  # and for pictures
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
        """Keep what a cell puts out, as far as there is room, and in any case that it failed."""
        content = msg["content"]
        if msg["msg_type"] == "error" and size_of(content) > self.max_output:
            content.update(evalue=CUT, traceback=[CUT])
        for part in {"text", "data"} & content.keys():
            size, room = size_of(content[part]), self.room[part]
            if room <= 0:
                return None
            if size > room:
                cut = f"{content[part][:room]}\n{CUT}" if part == "text" else {"text/plain": CUT}
                content[part] = cut
            self.room[part] -= size
        return super().process_message(msg, cell, cell_index)


def say(cell, name, words):
    """Leave an error in a cell's output, as if its code had raised it."""
    error = nbformat.v4.new_output(
        "error", ename=name, evalue=words, traceback=[f"{name}: {words}"]
    )
    cell.outputs = [*cell.outputs, error]


def size_of(content):
    """How many characters a part of a message takes in a notebook, or nearly."""
    return len(json.dumps(content, default=str))


def timed_out(cell):
    """Whether a cell ran until it was interrupted."""
    return any(output.get("ename") == "CellTimeoutError" for output in cell.outputs)


# nbgrader's own steps, with ours before them and in the place of its `Execute`.
BEFORE_THE_RUN = [
    Repair,
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
RUN_AND_AFTER = [
    RunToTheEnd,
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]


def settle(config, path):
    """Set nbgrader up for the course folder in which its nbgrader_config.py stands.

    Parameters
    ----------
    config : traitlets.config.Config
        Changed in place.
    path : str
        Of nbgrader_config.py.
    """
    root = Path(path).resolve().parent
    config.CourseDirectory.root = str(root)
    # Several students are graded at a time; each waits for its turn to write.
    config.CourseDirectory.db_url = f"sqlite:///{root.as_posix()}/gradebook.db?timeout=60"
    config.ClearSolutions.merge(STUBS)
    config.Execute.extra_arguments = ["--log-level=ERROR"]
    config.IgnorePattern.enabled = True
    config.IgnorePattern.pattern = "^"  # anything: a warning in a test is no mistake
    config.FileNameCollectorPlugin.named_regexp = MOODLE
    config.Repair.release = str(root / "release")
    config.Autograde.sanitize_preprocessors = BEFORE_THE_RUN
    config.Autograde.autograde_preprocessors = RUN_AND_AFTER
