"""Where the packages lie; all else is in pyproject.toml.

The lecture is beside lecturebench in the repository, where it is read, and inside it where it is installed: the wheel
puts no ``benchmarks`` and no ``baselines`` among other people's packages.
"""

from setuptools import find_namespace_packages, find_packages, setup

LECTURE = ("benchmarks", "baselines")

lecture = find_namespace_packages(
    include=[*LECTURE, *(f"{name}.*" for name in LECTURE)], exclude=["benchmarks.speed*", "*.__pycache__"]
)
setup(
    packages=[*find_packages(include=["lecturebench*"]), *(f"lecturebench.lecture.{name}" for name in lecture)],
    package_dir={f"lecturebench.lecture.{name}": name for name in LECTURE},
)
