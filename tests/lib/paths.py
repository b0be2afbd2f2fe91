# SPDX-License-Identifier: GPL-2.0-only
"""Where things are, and what the environment says."""
import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ARMVMM_BUILD", os.path.join(TOP, "build"))
TESTS = os.environ.get("TESTS", "").split()


def top(*names):
    return os.path.join(TOP, *names)


def built(*names):
    return os.path.join(BUILD, *names)
