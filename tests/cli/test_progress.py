from __future__ import annotations

import io

from rich.console import Console

from ltbench.cli.progress import Bar, Lines

ROW = {"epoch": 0, "loss": 0.5, "lr": 0.02, "seconds": 2.0, "images_per_second": 50.0}


def test_a_bar_shows_epoch_loss_and_images() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    bar = Bar(console)
    with bar.progress:
        bar.note("device: cpu")
        bar.start("training", 200, 0, 2)
        bar.advance(50)
        (task,) = bar.progress.tasks
        assert (task.description, task.completed, task.total) == ("training epoch 1/2", 50, 200)
        bar.advance(50, 0.75)
        assert bar.progress.tasks[0].description == "training epoch 1/2 loss 0.750"
        bar.epoch(ROW, 2)
        assert bar.progress.tasks[0].description == "training epoch 2/2 loss 0.500"
        bar.stop()
        assert bar.progress.tasks == []


def test_lines_tell_each_epoch_and_now_and_then_how_far_it_is() -> None:
    file = io.StringIO()
    lines = Lines(Console(file=file, width=120), every=-1.0)
    lines.start("training", 200, 0, 2)
    lines.advance(50)
    lines.epoch(ROW, 2)
    lines.stop()
    assert file.getvalue().splitlines() == [
        "training: 100 images an epoch",
        "training: 25 % done",
        "epoch 1/2  loss 0.5000  lr 0.02000  50 images/s  2 s left",
    ]
