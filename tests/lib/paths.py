# SPDX-License-Identifier: GPL-2.0-only
"""The paths of the tree and of the build folder, and the tests that the environment picks."""
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ARMVMM_BUILD") or subprocess.run(
    [os.path.join(TOP, "scripts/build-folder")], check=True, stdout=subprocess.PIPE,
    text=True).stdout.strip()
# A run within a run: its hosts, and the times of its tests, have files of their own.
STAGE = os.environ.get("ARMVMM_STAGE") or ""
TESTS = os.environ.get("TESTS", "").split()


def top(*names):
    return os.path.join(TOP, *names)


def built(*names):
    return os.path.join(BUILD, *names)
