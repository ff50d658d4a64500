"""Tests in a new process, in a copy of the clone that has the wrong line on disk.

That is for lines that run at import, and for compiled kernels.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from forking import Ran

ROOT = Path.cwd()
MUTATION = ROOT / ".ci" / "mutation"
KERNELS = "skdgm/_kernels"
# The longest that the tests of one line may take, in seconds: what takes longer hangs.
LONGEST = 3600
TIME_LIMIT = -24, -9  # SIGXCPU, SIGKILL


class Copy:
    """A copy of the clone, with its compiled kernels, made when it is needed."""

    def __init__(self):
        self._scratch = None

    def _made(self):
        if self._scratch is None:
            self._scratch = TemporaryDirectory()
            ignored = shutil.ignore_patterns(
                ".git", ".venv", ".pytest_cache", "_build", "auto_examples", "dist"
            )
            folder = f"{self._scratch.name}/clone"
            shutil.copytree(ROOT, folder, ignore=ignored)
        return Path(self._scratch.name)

    def remove(self):
        if self._scratch is not None:
            self._scratch.cleanup()

    def run(self, line, tests, seconds, *, mark, budget):
        """Run tests with a line on disk until one fails.

        Parameters
        ----------
        line : WrongLine
        tests : list of str
            Node ids, in the order in which they run.
        seconds : dict
            What tests take, by node id.
        mark : str
            The expression of marks that selects the suite.
        budget : float or None
            CPU seconds after which no further test begins.

        Returns
        -------
        ran : Ran
        """
        if not tests:
            return Ran([], 0, 0, None, 0.0)
        copy, wanted = self._made() / "clone", self._made() / "tests.json"
        path = copy / line.path
        text, times = path.read_text(), path.stat()
        path.write_text(line.applied(text))
        rows = {"tests": tests, "budget": budget, "seconds": seconds}
        wanted.write_text(json.dumps(rows))
        modules = dict.fromkeys(test.split("::")[0] for test in tests)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "only"]
        command += ["-p", "no:cacheprovider", "-m", mark, *modules]
        env = os.environ | {"SKDGM_TESTS": str(wanted)}
        env["PYTHONPATH"] = os.pathsep.join([str(copy), str(MUTATION)])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            ended = subprocess.run(
                command,
                env=env,
                cwd=copy,
                capture_output=True,
                text=True,
                timeout=LONGEST,
            )
            status, output = ended.returncode, ended.stdout
        except subprocess.TimeoutExpired:
            status, output = TIME_LIMIT[0], ""
        finally:
            path.write_text(text)
            # Compiled kernels are known by the time of their file.
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            if line.path.startswith(KERNELS):  # And were compiled from the wrong line.
                shutil.rmtree(copy / KERNELS)
                shutil.copytree(ROOT / KERNELS, copy / KERNELS)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        counts = json.loads(wanted.read_text())
        report = r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$"
        failed = re.findall(report, output, flags=re.MULTILINE)
        broken = None
        if not failed and status not in (0, 5):
            broken = "a time limit" if status in TIME_LIMIT else "an error at import"
        n_left = 0 if failed or broken else counts.get("n_left", 0)
        return Ran(failed, counts.get("n_run", 0), n_left, broken, used)
