"""One course folder with three assignments, built once for each file of tests."""

import coursework
import pytest


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coursework") / "2027"
    names = ("01", "03", "hunt_a_bug")
    coursework.main(["build", *names, "--seed", "2027", "--into", str(folder)])
    return folder
