"""Check that a queue did not start a command several times."""

from __future__ import annotations

from ltbench.errors import ConfigError


def expect_one_task() -> None:
    """Checks that `srun` started this command once, or with the variables of a launcher.

    Raises:
        ConfigError: It started several tasks, which would all execute the same runs.
    """
    from ltbench.io.batch_job import tasks_of_step
    from ltbench.ranks.place import read_place

    tasks = tasks_of_step()
    if tasks > 1 and read_place() is None:
        raise ConfigError(
            f"srun: expected 1 task of this command, got {tasks}",
            hint=f"start it with srun -n1; for one run on several GPUs add --gpus {tasks}, for "
            "many runs use `ltbench grid run GRID --executor NAME` without srun",
        )
