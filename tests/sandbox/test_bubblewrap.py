"""What a program can see and touch inside bubblewrap, and what is said when bubblewrap cannot work."""

import socket
import stat
import sys
from pathlib import Path

import pytest

from linguacodus_core.errors import SandboxUnavailable
from linguacodus_core.sandbox import bubblewrap
from linguacodus_core.sandbox.check import available

from .conftest import Runner


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def make(script: str) -> None:
        fake = tmp_path / "bwrap"
        fake.write_text(f"#!/bin/sh\n{script}\n")
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: str(fake))

    bubblewrap._probe.cache_clear()
    yield make
    bubblewrap._probe.cache_clear()


def test_nothing_of_the_users_is_anywhere_below_the_root(
    boxed: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "linguacodus-home-4711"
    (home / "models").mkdir(parents=True)
    monkeypatch.setenv("LINGUACODUS_HOME", str(home))
    task = tmp_path / "task-4711"
    (task / "private").mkdir(parents=True)
    (task / "private" / "answers-4711.csv").write_text("id,target\n")
    (task / "train.csv").write_text("id\n")
    done = boxed(
        """
        import os
        prefix = __import__("sys").prefix
        for top, folders, files in os.walk("/"):
            if top == "/proc" or top.startswith("/usr/share"): folders.clear()
            if top.endswith("/site-packages"): folders.clear()
            for name in (*folders, *files):
                if "4711" in name or name in ("shadow", ".ssh", ".bashrc", ".netrc", ".git"):
                    print(os.path.join(top, name))
        print(sorted(os.listdir("/")))
        print(os.getcwd(), sorted(os.listdir(".")), sorted(os.listdir("data")))
        """,
        {"train.csv": task / "train.csv"},
    )
    assert done.status == "ok", done.stderr
    root, job = done.stdout.splitlines()  # nothing was found before these two lines
    assert job == "/job ['data', 'solution.py'] ['train.csv']"
    seen = set(__import__("ast").literal_eval(root))
    around = {Path(path).parts[1] for path in (sys.prefix, sys.base_prefix, sys.executable)}
    system = {
        "bin",
        "sbin",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "usr",
        "etc",
        "proc",
        "dev",
        "sys",
        "tmp",
        "job",
    }
    assert seen <= system | around


def test_of_the_project_folder_only_the_interpreter_is_shown(boxed: Runner) -> None:
    if Path(sys.prefix).is_relative_to("/usr"):
        pytest.skip("this interpreter belongs to the system")
    beside = Path(sys.prefix).parent
    done = boxed(f"import os; print(os.listdir({str(beside)!r}))")
    assert done.stdout.strip() == str([Path(sys.prefix).name])


def test_a_home_inside_the_interpreter_folder_is_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "venv" / "home"
    home.mkdir(parents=True)
    monkeypatch.setenv("LINGUACODUS_HOME", str(home))
    assert "--tmpfs" in bubblewrap._hidden([tmp_path / "venv"])
    assert bubblewrap._hidden([tmp_path / "other"]) == []


def test_an_interpreter_folder_that_holds_the_home_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap.sys, "prefix", str(Path.home()))
    with pytest.raises(SandboxUnavailable, match="home folder"):
        bubblewrap._interpreter()


def test_there_is_no_network_not_even_the_hosts_loopback(boxed: Runner) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        done = boxed(
            f"""
            import socket
            for address in (("127.0.0.1", {server.getsockname()[1]}), ("1.1.1.1", 53), ("example.com", 80)):
                try: socket.create_connection(address, timeout=2); print("reached", address)
                except OSError as error: print("no")
            print(socket.gethostname(), [name for _, name in socket.if_nameindex()])
            """
        )
    assert done.stdout == "no\nno\nno\njob ['lo']\n", done.stderr


def test_an_abstract_socket_of_the_host_is_out_of_reach(boxed: Runner) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0linguacodus-test-abstract")
        server.listen()
        done = boxed(
            "import socket\nsocket.socket(socket.AF_UNIX).connect('\\0linguacodus-test-abstract')",
        )
    assert done.status == "crashed"
    assert "ConnectionRefused" in done.stderr


def test_passwords_and_user_names_of_the_host_are_not_there(boxed: Runner) -> None:
    done = boxed(
        """
        import getpass, os, pwd
        print(os.path.exists("/etc/shadow"), [entry.pw_name for entry in pwd.getpwall()], os.getuid(), getpass.getuser())
        """
    )
    assert done.stdout == "False ['job'] 1000 job\n", done.stderr


def test_nothing_but_the_working_directory_and_the_scratch_space_is_writable(boxed: Runner) -> None:
    done = boxed(
        """
        import os, sys
        places = ["/", "/usr", "/usr/bin", "/etc", "/dev", "/job/data",
                  sys.prefix, sys.base_prefix, "/tmp", "/dev/shm", "/job"]
        for place in places:
            try: open(os.path.join(place, "written"), "w").write("x"); print(place)
            except OSError: pass
        # Opened, never written: where the sandbox had a hole this would reach the machine that runs the tests.
        for top, folders, files in (*os.walk("/proc/sys"), *os.walk("/sys"), ("/proc", [], ["sysrq-trigger"])):
            for name in files:
                try: os.close(os.open(os.path.join(top, name), os.O_WRONLY)); print(top, name)
                except OSError: pass
        for file in ("/job/solution.py", "/etc/passwd"):
            try: os.close(os.open(file, os.O_WRONLY)); print(file)
            except OSError: pass
        """
    )
    assert done.stdout.split() == ["/tmp", "/dev/shm", "/job"], done.stderr


def test_scratch_space_in_memory_is_bounded(boxed: Runner) -> None:
    done = boxed(
        """
        import os
        for place in ("/tmp", "/dev/shm"):
            try:
                for number in range(30):
                    with open(f"{place}/{number}", "wb") as file: file.write(b"x" * (30 << 20))
            except OSError as error: print(error.errno)
        """
    )
    assert done.stdout.split() == ["28", "28"]


def test_no_process_of_the_host_is_seen(boxed: Runner) -> None:
    done = boxed("import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))")
    assert int(done.stdout) <= 3


def test_no_capability_is_held_or_gained(boxed: Runner) -> None:
    done = boxed(
        """
        import ctypes
        for line in open("/proc/self/status"):
            if line.startswith(("CapEff", "CapBnd", "NoNewPrivs")): print(line.split()[1])
        print(ctypes.CDLL(None).unshare(0x10000000))
        """
    )
    effective, bounding, privileges, unshared = done.stdout.split()
    assert int(effective, 16) == int(bounding, 16) == 0
    assert privileges == "1"
    if "--disable-userns" in bubblewrap.require()[1]:
        assert unshared == "-1"


def test_compiled_modules_are_used_and_none_is_written(boxed: Runner) -> None:
    done = boxed(
        """
        import os, sys, pydantic
        print(sys.dont_write_bytecode, os.access(os.path.dirname(pydantic.__file__), os.W_OK))
        """
    )
    assert done.stdout == "True False\n"


def test_user_namespaces_turned_off_are_explained(broken) -> None:  # type: ignore[no-untyped-def]
    broken("echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    with pytest.raises(SandboxUnavailable) as caught:
        bubblewrap.require()
    assert "No permissions to create new namespace" in caught.value.problem
    assert "kernel.unprivileged_userns_clone" in caught.value.remedy
    assert "--sandbox subprocess" in caught.value.remedy


def test_an_old_bubblewrap_without_an_option_still_works(broken) -> None:  # type: ignore[no-untyped-def]
    broken(
        'case "$*" in *disable-userns*) echo "bwrap: Unknown option --disable-userns" >&2; exit 1;; esac; exit 0'
    )
    _, arguments = bubblewrap.require()
    assert "--unshare-all" in arguments
    assert "--disable-userns" not in arguments


def test_bubblewrap_is_asked_once_a_process(broken, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    broken(f"echo asked >> {tmp_path}/log; exit 0")
    bubblewrap.require()
    bubblewrap.require()
    assert (tmp_path / "log").read_text() == "asked\n"


def test_a_sandbox_that_cannot_start_the_program_is_unavailable(
    boxed: Runner, tmp_path: Path, broken
) -> None:  # type: ignore[no-untyped-def]
    broken('case "$*" in *solution.py*) echo "bwrap: Can\'t mount" >&2; exit 1;; esac; exit 0')
    with pytest.raises(SandboxUnavailable, match="Can't mount"):
        boxed("print(1)")


def test_a_missing_bubblewrap_is_listed_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    first, second = available()
    assert (first.name, first.works) == ("bubblewrap", False)
    assert "apt-get install bubblewrap" in first.remedy
    assert (second.name, second.works) == ("subprocess", True)
    assert "open" in second.reason
