"""What becomes of honest, broken and hostile programs, in each isolation."""

import os
import signal
import sys
import threading
import time
import uuid
from pathlib import Path

import psutil
import pytest

from linguacodus_core.errors import LinguacodusError, SandboxUnavailable
from linguacodus_core.sandbox import bubblewrap
from linguacodus_core.sandbox.run import run_program

from .conftest import Runner, limits


def _left_running(mark: str) -> list[str]:
    """Command lines of processes that carry the mark: none may outlive its run."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        if mark in line and process.pid != os.getpid():
            found.append(line)
    return found


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Honest programs


def test_reads_its_data_and_leaves_a_submission(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("id,x\n1,2\n")
    images = tmp_path / "images"
    images.mkdir()
    (images / "a.txt").write_text("picture")
    done = run(
        """
        from pathlib import Path
        text = Path("data/train.csv").read_text() + Path("data/pictures/a.txt").read_text()
        Path("submission.csv").write_text(text)
        print("said", flush=True)
        """,
        {"train.csv": tmp_path / "train.csv", "pictures": images},
    )
    assert (done.status, done.returncode, done.why, done.refused) == ("ok", 0, "", ())
    assert done.stdout == "said\n"
    assert (run.workdir / "submission.csv").read_text() == "id,x\n1,2\npicture"
    assert done.seconds > 0


def test_nothing_but_the_program_and_the_kept_files_is_left(run: Runner) -> None:
    run.workdir.mkdir(exist_ok=True)
    run(
        """
        import os
        for name in ("submission.csv", "model.bin", ".hidden"):
            open(name, "w").write("x")
        os.makedirs("deep/er")
        """
    )
    assert left(run.workdir) == ["solution.py", "submission.csv"]


def test_files_that_were_there_before_stay_but_an_old_submission_does_not(
    run: Runner, tmp_path: Path
) -> None:
    workdir = tmp_path / "run1"
    workdir.mkdir()
    (workdir / "stage.json").write_text("{}")
    (workdir / "submission.csv").write_text("stale")
    done = run("import os; print(sorted(os.listdir('.')))")
    assert "stage.json" in done.stdout
    assert not (workdir / "submission.csv").exists()
    assert (workdir / "stage.json").read_text() == "{}"


def test_two_runs_order_a_set_of_words_alike(run: Runner) -> None:
    program = "print(list({'alpha', 'beta', 'gamma', 'delta', 'epsilon'}))"
    assert run(program).stdout == run(program).stdout


def test_runs_with_the_interpreter_and_packages_of_the_caller(run: Runner) -> None:
    done = run("import sys, pydantic; print(sys.executable); print(sys.stdin.read() == '')")
    assert done.stdout.split() == [sys.executable, "True"], done.stderr


def test_numeric_libraries_are_told_the_number_of_threads(run: Runner) -> None:
    done = run(
        "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])", threads=3
    )
    assert done.stdout.split() == ["3", "3"]


def test_a_program_that_uses_threads_and_workers_runs_under_the_limits(run: Runner) -> None:
    done = run(
        """
        from concurrent.futures import ProcessPoolExecutor
        from threading import Thread
        import numpy as np
        def fit(seed):
            X = np.random.default_rng(seed).normal(size=(600, 600))
            threads = [Thread(target=np.linalg.inv, args=(X,)) for _ in range(3)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            return 1
        if __name__ == "__main__":
            with ProcessPoolExecutor(2) as pool: print(sum(pool.map(fit, range(4))))
        """,
        memory_mb=1500,
        processes=100,
    )
    assert (done.status, done.stdout) == ("ok", "4\n"), done.stderr
    assert 20 < done.peak_mb < 1500
    assert done.cpu_seconds > 0.1


def test_runs_in_several_threads_at_once_do_not_mix(run: Runner, tmp_path: Path) -> None:
    answers: dict[int, str] = {}

    def one(number: int) -> None:
        done = run_program(
            f"print({number})", {}, limits=limits(), isolation=run.isolation, workdir=tmp_path / f"t{number}"
        )
        answers[number] = done.stdout

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == {number: f"{number}\n" for number in range(4)}


def test_no_descriptor_is_left_open(run: Runner) -> None:
    run("print(1)")
    before = len(left(Path("/proc/self/fd")))
    for _ in range(3):
        run("print(1)")
    assert len(left(Path("/proc/self/fd"))) == before


# Broken programs


def test_a_traceback_is_a_crash_and_its_end_is_kept(run: Runner) -> None:
    done = run("raise ValueError('no such column: age')")
    assert (done.status, done.returncode) == ("crashed", 1)
    assert done.stderr.rstrip().endswith("ValueError: no such column: age")


def test_a_syntax_error_is_a_crash(run: Runner) -> None:
    assert "SyntaxError" in run("def f(:").stderr


def test_an_exit_code_is_kept(run: Runner) -> None:
    done = run("import sys; sys.exit(7)")
    assert (done.status, done.returncode) == ("crashed", 7)


def test_a_program_that_cannot_be_encoded_crashes_in_the_sandbox_not_in_the_caller(run: Runner) -> None:
    assert run("x = '\udcff'\nprint(len(x))").status in ("ok", "crashed")
    assert run("x = 1\0").status in ("ok", "crashed")


def test_a_segmentation_fault_is_a_crash_with_its_signal(run: Runner) -> None:
    done = run("import ctypes; ctypes.string_at(0)")
    assert (done.status, done.returncode) == ("crashed", -signal.SIGSEGV)


def test_output_that_is_not_text_is_kept_readable(run: Runner) -> None:
    done = run("import os; os.write(1, b'\\xff\\xfe ok')")
    assert done.stdout.endswith(" ok")


# Hostile programs


def test_sleeping_forever_ends_at_the_wall_time(run: Runner) -> None:
    done = run("import time; print('here', flush=True); time.sleep(3600)", wall_seconds=0.7)
    assert (done.status, done.stdout) == ("timeout", "here\n")
    assert done.seconds < 5
    assert "0.7 s" in done.why


def test_ignoring_every_signal_does_not_help(run: Runner) -> None:
    done = run(
        """
        import signal, time
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True: time.sleep(10)
        """,
        wall_seconds=0.7,
    )
    assert done.status == "timeout"
    assert done.seconds < 5


def test_processor_time_of_all_processes_together_is_limited(run: Runner) -> None:
    done = run(
        """
        import os
        os.fork()
        while True: pass
        """,
        cpu_seconds=0.6,
    )
    assert done.status == "timeout"
    assert "processor time" in done.why
    assert done.seconds < 10


def test_printing_forever_neither_blocks_nor_fills_memory(run: Runner) -> None:
    before = psutil.Process().memory_info().rss
    done = run(
        """
        import os
        line = b"x" * 65535 + b"\\n"
        while True: os.write(1, line); os.write(2, line)
        """,
        wall_seconds=1.0,
    )
    assert done.status == "timeout"
    assert len(done.stdout) < 21_000
    assert len(done.stderr) < 21_000
    assert psutil.Process().memory_info().rss - before < 50 * 2**20


def test_of_long_output_the_end_is_kept(run: Runner) -> None:
    done = run("print('start' + 'x' * 300_000 + 'end')")
    assert done.stdout.startswith("[...]")
    assert done.stdout.endswith("xend\n")
    assert len(done.stdout) < 21_000


def test_a_fast_allocation_fails_with_status_memory(run: Runner) -> None:
    done = run("x = bytearray(3 << 30)\nprint(len(x))")
    assert done.status == "memory"
    assert "600 MB" in done.why
    assert done.peak_mb < 700


def test_memory_of_several_processes_together_is_limited(run: Runner) -> None:
    done = run(
        """
        import os, time
        for _ in range(3):
            if os.fork() == 0: break
        x = bytearray(os.urandom(1024) * 1024 * 250)
        time.sleep(60)
        """
    )
    assert done.status == "memory"
    assert done.seconds < 15


def test_memory_shared_by_forked_processes_is_counted_once(run: Runner) -> None:
    done = run(
        """
        import os, time
        x = bytearray(os.urandom(1024) * 1024 * 250)
        children = [pid for pid in (os.fork() for _ in range(3)) if pid]
        time.sleep(1.0)
        """
    )
    assert done.status == "ok", done.why


def test_a_fork_bomb_is_ended(run: Runner) -> None:
    mark = f"bomb{uuid.uuid4().hex}"
    done = run(
        f"""
        import os, sys
        if "{mark}" not in sys.argv: os.execv(sys.executable, [sys.executable, __file__, "{mark}"])
        for _ in range(11):  # 2,048 processes: enough to be a bomb, too few to take the machine along if it went off
            try: os.fork()
            except OSError: pass
        __import__("time").sleep(30)
        """
    )
    assert done.status == "limit"
    assert "processes" in done.why
    assert _left_running(mark) == []


def test_a_bomb_of_threads_is_ended(run: Runner) -> None:
    done = run(
        """
        import threading, time
        for _ in range(500): threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        time.sleep(30)
        """,
        memory_mb=8000,
    )
    assert done.status == "limit", done.stderr


def test_a_daemon_does_not_outlive_its_program(run: Runner) -> None:
    mark = f"daemon{uuid.uuid4().hex}"
    done = run(
        f"""
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", "{mark}"], {{}})
            os._exit(0)
        time.sleep(0.3)
        print("parent ends")
        """
    )
    assert (done.status, done.stdout) == ("ok", "parent ends\n")
    assert done.seconds < 10
    assert _left_running(mark) == []


def test_killing_its_parent_does_not_set_it_free(run: Runner) -> None:
    mark = f"orphan{uuid.uuid4().hex}"
    done = run(
        f"""
        import os, signal, sys, time
        if "{mark}" not in sys.argv: os.execv(sys.executable, [sys.executable, __file__, "{mark}"])
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
        """,
        wall_seconds=1.5,
    )
    assert done.status in ("crashed", "timeout")
    assert _left_running(mark) == []


def test_killing_everything_in_reach_ends_the_run_alone(boxed: Runner) -> None:
    done = boxed("import os, signal, time; os.kill(-1, signal.SIGKILL); time.sleep(60)", wall_seconds=1.5)
    assert done.status in ("crashed", "timeout")


def test_one_huge_file_is_stopped(run: Runner) -> None:
    done = run(
        """
        with open("big.bin", "wb") as file:
            while True: file.write(b"x" * (1 << 20))
        """
    )
    assert done.status == "limit"
    assert not (run.workdir / "big.bin").exists()


def test_filling_the_disk_with_many_files_is_stopped(run: Runner) -> None:
    done = run(
        """
        import os, time
        for number in range(60):
            with open(f"part{number}", "wb") as file: file.write(os.urandom(1 << 20) * 4)
            time.sleep(0.02)
        time.sleep(30)
        """
    )
    assert done.status == "limit"
    assert "MB in the working directory" in done.why
    assert left(run.workdir) == ["solution.py"]


def test_folders_too_deep_for_python_are_cleared(run: Runner) -> None:
    done = run(
        """
        import os
        for _ in range(1100):
            os.mkdir("d")
            os.chdir("d")
        """
    )
    assert done.status == "ok", done.stderr
    assert left(run.workdir) == ["solution.py"]


def test_its_data_cannot_be_changed_or_deleted(run: Runner, tmp_path: Path) -> None:
    source = tmp_path / "train.csv"
    source.write_text("id\n1\n")
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a").write_text("a")
    done = run(
        """
        import os, shutil
        for act in (
            lambda: os.chmod("data/train.csv", 0o777),
            lambda: open("data/train.csv", "w").write("changed"),
            lambda: open("data/images/b", "w").write("new"),
            lambda: os.remove("data/images/a"),
            lambda: os.remove("data/train.csv"),
            lambda: shutil.rmtree("data"),
        ):
            try: act()
            except OSError: pass
        """,
        {"train.csv": source, "images": folder},
    )
    assert done.status == "ok"
    assert source.read_text() == "id\n1\n"
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert (folder / "a").read_text() == "a"


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("os.symlink('/etc/passwd', 'submission.csv')", "not a regular file"),
        ("os.symlink('solution.py', 'submission.csv')", "not a regular file"),
        ("os.mkfifo('submission.csv')", "not a regular file"),
        ("os.mkdir('submission.csv')", "not a regular file"),
        ("open('a', 'w').write('x'); os.link('a', 'submission.csv')", "second name"),
        ("__import__('socket').socket(1).bind('submission.csv')", "not a regular file"),
    ],
)
def test_a_submission_that_is_no_plain_file_is_removed(run: Runner, act: str, reason: str) -> None:
    done = run(f"import os\n{act}")
    assert done.status == "ok", done.stderr
    assert not os.path.lexists(run.workdir / "submission.csv")
    assert len(done.refused) == 1
    assert reason in done.refused[0]


def test_a_submission_past_the_file_limit_is_removed(tmp_path: Path) -> None:
    from linguacodus_core.sandbox.folder import collect

    with (tmp_path / "submission.csv").open("wb") as file:
        file.truncate(3 << 20)
    assert "larger than 2 MB" in collect(tmp_path, ["submission.csv"], set(), 2)[0]
    assert left(tmp_path) == []


def test_a_submission_that_its_owner_may_not_read_is_made_readable(run: Runner) -> None:
    run("import os; open('submission.csv', 'w').write('x'); os.chmod('submission.csv', 0)")
    assert (run.workdir / "submission.csv").stat().st_mode & 0o777 == 0o644


def test_secrets_of_the_environment_are_not_passed_on(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    done = run("import os; print(dict(os.environ)); print(open('/proc/self/environ').read())")
    assert done.status == "ok", done.stderr
    assert "sk-very-secret" not in done.stdout
    assert "OPENAI" not in done.stdout
    assert "'OPENBLAS_CORETYPE': 'Haswell'" in done.stdout


# The caller


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals need the main thread"
)
def test_an_interrupt_ends_the_program_and_passes_on(run: Runner) -> None:
    mark = f"interrupted{uuid.uuid4().hex}"
    program = f"""
        import os, sys, time
        if "{mark}" not in sys.argv: os.execv(sys.executable, [sys.executable, __file__, "{mark}"])
        time.sleep(60)
        """
    timer = threading.Timer(0.6, signal.raise_signal, [signal.SIGINT])
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(program)
    assert time.monotonic() - began < 10
    assert _left_running(mark) == []


def test_the_report_says_what_was_in_force(run: Runner) -> None:
    done = run("print(1)")
    text = " ".join((done.isolation, *done.enforced))
    if run.isolation == "bubblewrap":
        assert done.isolation.startswith("bubblewrap: no network")
        assert "no home folder" in text
    else:
        assert "network and file system are open" in done.isolation
        assert "NOT isolated" in text
    for figure in ("20 s", "600 MB", "40 MB", "60 MB"):
        assert figure in text


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", "a/../../b", "a\0b"])
def test_a_data_name_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LinguacodusError, match="below data/"):
        run_program("", {name: tmp_path}, limits=limits(), isolation="subprocess", workdir=tmp_path / "w")


@pytest.mark.parametrize("name", ["../x", "a/b", "", "..", "solution.py", "data"])
def test_a_kept_name_that_is_no_plain_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LinguacodusError, match="plain file name"):
        run_program("", {}, limits=limits(), isolation="subprocess", workdir=tmp_path / "w", keep=[name])


def test_missing_data_is_named(run: Runner, tmp_path: Path) -> None:
    with pytest.raises(LinguacodusError, match=r"nowhere\.csv"):
        run("", {"train.csv": tmp_path / "nowhere.csv"})


def test_an_unknown_isolation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LinguacodusError, match="auto, bubblewrap or subprocess"):
        run_program("", {}, limits=limits(), isolation="docker", workdir=tmp_path / "w")


def test_a_working_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LinguacodusError, match="cannot be written"):
        run_program("", {}, limits=limits(), isolation="subprocess", workdir=tmp_path / "file" / "w")


def test_what_an_earlier_run_left_in_place_of_the_program_is_not_followed(
    run: Runner, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("x")
    workdir = tmp_path / "run1"
    workdir.mkdir()
    (workdir / "solution.py").symlink_to(victim / "precious")
    (workdir / "data").symlink_to(victim)
    (workdir / "submission.csv").symlink_to(victim / "precious")
    assert run("print(1)").stdout == "1\n"
    assert (victim / "precious").read_text() == "x"


def test_auto_never_falls_back_to_the_plain_subprocess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    with pytest.raises(SandboxUnavailable) as caught:
        run_program("print(1)", {}, limits=limits(), workdir=tmp_path / "w")
    assert "apt-get install bubblewrap" in caught.value.remedy
    assert "--sandbox subprocess" in caught.value.remedy
    assert not (tmp_path / "w").exists()
