#!/usr/bin/env python3
"""The golden machinery against a toy program: what is right passes, what is wrong is shown."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

TOY = r"""#!/bin/sh
case "$1" in
  hello) echo "hello, ${2:-world}" ;;
  report) printf '{\n  "takenAt": "%s"\n}\n' "$2" ;;
  yaml) printf 'takenAt: "%s"\n' "$2" ;;
  fail) echo "error: no such thing" >&2; exit 3 ;;
  blanks) printf 'a  \nb' ;;
  where) pwd; echo "$HOME"; echo "$KUBECONFIG"
         echo "${COLUMNS-none} ${NO_COLOR-none} ${TZ} ${LANG}" ;;
  leak) echo "${GOLDEN_LEAK-clean}" ;;
  terminal) if [ -t 1 ]; then stty size <&1; printf '\033[31mred\033[0m\n'; else echo plain; fi ;;
  bytes) printf '\377\n' ;;
esac
"""


class Golden(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.toy = self.root / "toy.sh"
        self.toy.write_text(TOY)
        self.toy.chmod(0o755)

    def case(self, **files):
        case = self.root / "case"
        case.mkdir(exist_ok=True)
        for name, text in files.items():
            (case / name).write_text(text)
        return case

    def run_script(self, script, path, **env):
        return subprocess.run(
            [sys.executable, HERE / script, "--program", self.toy, "--name", "toy",
             "--project", self.root, path],
            env={**os.environ, "UPDATE_GOLDEN": "", **env}, capture_output=True, text=True,
            check=False)

    def run_case(self, case, **env):
        return self.run_script("run_golden.py", case, **env)

    def run_readme(self, text, **env):
        readme = self.root / "README.md"
        readme.write_text(text)
        return self.run_script("readme_session.py", readme, **env), readme

    def test_what_matches_passes_in_silence(self):
        done = self.run_case(self.case(cmd="toy hello\n", out="hello, world\n", err="", code="0\n"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_a_difference_is_shown_with_the_command_that_repeats_it(self):
        done = self.run_case(self.case(cmd="toy hello\n", out="hello, moon\n", err="", code="0\n"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("-hello, moon\n+hello, world\n", done.stdout)
        self.assertIn("UPDATE_GOLDEN=1", done.stdout)

    def test_standard_error_and_code_are_compared(self):
        done = self.run_case(self.case(cmd="toy fail\n", out="", err="", code="0\n"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("+error: no such thing", done.stdout)
        self.assertIn("-0\n+3\n", done.stdout)

    def test_blanks_and_a_missing_line_break_at_the_end_are_differences(self):
        done = self.run_case(self.case(cmd="toy blanks\n", out="a\nb\n", err="", code="0\n"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("+a<blank><blank>\n+b<no line break at the end>", done.stdout)

    def test_a_missing_expectation_fails(self):
        done = self.run_case(self.case(cmd="toy hello\n", out="hello, world\n", err=""))
        self.assertEqual(done.returncode, 1)
        self.assertIn("code does not exist", done.stdout)

    def test_update_writes_what_then_passes(self):
        case = self.case(cmd="toy fail\n")
        self.assertEqual(self.run_case(case, UPDATE_GOLDEN="1").returncode, 0)
        self.assertEqual((case / "out").read_text(), "")
        self.assertEqual((case / "err").read_text(), "error: no such thing\n")
        self.assertEqual((case / "code").read_text(), "3\n")
        self.assertEqual(self.run_case(case).returncode, 0)

    def test_a_right_time_is_hidden_and_a_wrong_one_is_not(self):
        case = self.case(cmd="toy report 2026-01-02T03:04:05Z\n",
                         out='{\n  "takenAt": "<TIME>"\n}\n', err="", code="0\n")
        self.assertEqual(self.run_case(case).returncode, 0)
        self.case(cmd="toy report 2026-01-02T03:04:05+01:00\n")
        self.assertEqual(self.run_case(case).returncode, 1)
        case = self.case(cmd="toy yaml 2026-01-02T03:04:05Z\n", out='takenAt: "<TIME>"\n')
        self.assertEqual(self.run_case(case).returncode, 0)

    def test_the_world_is_the_same_on_every_machine(self):
        case = self.case(cmd="toy where && toy leak\n", err="", code="0\n",
                         out="<TMP>/work\n<TMP>/home\n<TMP>/home/.kube/config\n"
                             "80 1 UTC C.UTF-8\nclean\n")
        done = self.run_case(case, GOLDEN_LEAK="leaked", KUBECONFIG="/nowhere", COLUMNS="132")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_inputs_lie_next_to_the_command_and_the_project_is_in_reach(self):
        case = self.case(cmd='toy hello "$(cat name)" && ls project/toy.sh && ls\n', err="",
                         name="web", code="0\n",
                         out="hello, web\nproject/toy.sh\nname\nproject\n")
        done = self.run_case(case)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_terminal_has_its_size_and_escapes_can_be_read(self):
        case = self.case(cmd="toy terminal\n", terminal="57x24\n", err="", code="0\n",
                         out="24 57\n<ESC>[31mred<ESC>[0m\n")
        done = self.run_case(case)
        self.assertEqual(done.returncode, 0, done.stdout)
        (case / "terminal").unlink()
        self.assertIn("+plain", self.run_case(case).stdout)

    def test_bytes_that_are_no_text_can_be_compared(self):
        case = self.case(cmd="toy bytes\n", out="\\xff\n", err="", code="0\n")
        self.assertEqual(self.run_case(case).returncode, 0)

    def test_a_session_that_is_shown_as_it_is_passes(self):
        done, _ = self.run_readme("# Toy\n\n```sh\nignored\n```\n\n```console\n$ toy hello\n"
                                  "hello, world\n$ toy hello \\\n    moon\nhello, moon\n"
                                  "$ toy fail\nerror: no such thing\n# exit code 3\n```\n")
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_a_session_may_show_another_time(self):
        done, _ = self.run_readme("```console\n$ toy yaml 2026-01-02T03:04:05Z\n"
                                  'takenAt: "2025-12-31T00:00:00Z"\n```\n')
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_a_session_that_is_not_what_the_program_does_fails_with_its_line(self):
        done, readme = self.run_readme("```console\n$ toy hello\nhello, moon\n$ toy fail\n"
                                       "error: no such thing\n```\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{readme}:2: $ toy hello\n", done.stdout)
        self.assertIn("-hello, moon\n+hello, world", done.stdout)
        self.assertIn("+# exit code 3", done.stdout)

    def test_a_file_without_a_session_fails(self):
        done, _ = self.run_readme("# Toy\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no console block", done.stdout)

    def test_update_writes_the_session_and_nothing_else(self):
        done, readme = self.run_readme("# Toy\n\n```console\n$ toy fail\n$ toy hello\nold\n```\n"
                                       "end\n", UPDATE_GOLDEN="1")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(readme.read_text(),
                         "# Toy\n\n```console\n$ toy fail\nerror: no such thing\n# exit code 3\n"
                         "$ toy hello\nhello, world\n```\nend\n")


if __name__ == "__main__":
    unittest.main()
