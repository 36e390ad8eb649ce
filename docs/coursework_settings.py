"""How nbgrader works in a course folder: what stands in place of answers, and by what it grades."""

from pathlib import Path

from coursework_repair import Repair
from coursework_run import RunToTheEnd

STUBS = {"code_stub": {"python": "# Your code here."}, "text_stub": "Your answer here."}
# How Moodle names what students hand in, in a ZIP of all of them.
MOODLE = r".*/(?P<student_id>[^/]+_\d+)_assignsubmission_file_?/(?P<file_id>.*)"
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
    config.IgnorePattern.pattern = "."  # a warning in a test is no mistake
    config.FileNameCollectorPlugin.named_regexp = MOODLE
    config.Repair.release = str(root / "release")
    config.Autograde.sanitize_preprocessors = BEFORE_THE_RUN
    config.Autograde.autograde_preprocessors = RUN_AND_AFTER
