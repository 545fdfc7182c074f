"""What a Beam stage left for its parent: counted, whole, each once."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import pytest

from headrace.errors import ExecutorError
from headrace.runtime.shared_folder import SharedFolder


@pytest.fixture
def shared(tmp_path: Path) -> SharedFolder[str]:
    return SharedFolder.make(str(tmp_path / "tmp"), "Transform: Beam stage 'apply'", 3)


def _keep_all(shared: SharedFolder[str]) -> None:
    for index in reversed(range(shared.num_results)):
        shared.keep(index, f"part {index}")


def test_results_come_back_in_the_order_of_their_elements(shared: SharedFolder[str]) -> None:
    """Whoever was first, and from a copy that a worker unpickled."""
    _keep_all(pickle.loads(pickle.dumps(shared)))

    shared.check()
    assert list(shared.read()) == ["part 0", "part 1", "part 2"]


def test_a_lost_result_is_an_error_that_names_the_stage(shared: SharedFolder[str], tmp_path: Path) -> None:
    """And not fewer rows."""
    shared.keep(0, "part 0")
    shared.keep(2, "part 2")

    with pytest.raises(ExecutorError) as caught:
        list(shared.read())

    assert str(caught.value) == (
        "Transform: Beam stage 'apply': the results of 1 of 3 elements are lost, of those numbered '1'.\n"
        "  Fix: run the node again. If Beam's workers run on other machines, give these the file system of this one: "
        f"the folder {tmp_path}/tmp and the pipeline root."
    )


def test_an_element_that_was_done_twice_counts_once(shared: SharedFolder[str]) -> None:
    """Beam does a bundle again when a worker dies; what was done last stands."""
    _keep_all(shared)
    shared.keep(1, "part 1 again")

    assert list(shared.read()) == ["part 0", "part 1 again", "part 2"]


def test_a_result_under_the_number_of_another_is_missed(shared: SharedFolder[str]) -> None:
    for index in (0, 1, 1):
        shared.keep(index, "part")

    with pytest.raises(ExecutorError, match="1 of 3 elements are lost, of those numbered '2'"):
        shared.check()


@pytest.mark.parametrize("index", [-1, 3])
def test_more_results_than_elements_are_refused(shared: SharedFolder[str], index: int) -> None:
    with pytest.raises(ExecutorError, match=f"apply' has 3 elements, and one numbered {index} has a result"):
        shared.keep(index, "part")


def test_what_a_killed_worker_left_half_written_does_not_count(shared: SharedFolder[str]) -> None:
    """Neither as the result, nor in the way of the worker that does the element again."""
    _keep_all(shared)
    whole = Path(shared.path, "1.pickle")
    whole.rename(f"{whole}.unfinished-1-abc")

    with pytest.raises(ExecutorError, match="1 of 3"):
        shared.check()
    shared.keep(1, "part 1 again")
    assert list(shared.read())[1] == "part 1 again"


@pytest.mark.parametrize("size", [0, 5])
def test_a_result_that_is_cut_is_an_error_that_names_the_stage(shared: SharedFolder[str], size: int) -> None:
    """As on a disk that lost its end."""
    _keep_all(shared)
    os.truncate(Path(shared.path, "1.pickle"), size)

    with pytest.raises(ExecutorError, match="apply': the result of the element numbered 1 is damaged"):
        list(shared.read())


def test_a_worker_that_does_not_see_the_folder_says_so(shared: SharedFolder[str]) -> None:
    """It makes no folder of its own somewhere else."""
    shutil.rmtree(shared.path)

    with pytest.raises(ExecutorError, match="apply': a worker of Beam does not see the folder"):
        shared.keep(0, "part")
    assert not os.path.exists(shared.path)


def test_many_lost_results_are_named_in_part(tmp_path: Path) -> None:
    shared: SharedFolder[str] = SharedFolder.make(str(tmp_path), "stage", 100)

    with pytest.raises(
        ExecutorError, match="100 of 100 elements are lost, of those numbered '0', '1', '2' and 97 more"
    ):
        shared.check()


def test_stages_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    """Such as a pass that is made twice; and nobody else may look into them."""
    first: SharedFolder[str] = SharedFolder.make(str(tmp_path), "stage", 1)
    second: SharedFolder[str] = SharedFolder.make(str(tmp_path), "stage", 1)

    assert first.path != second.path
    assert os.stat(first.path).st_mode & 0o777 == 0o700
