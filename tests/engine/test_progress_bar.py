from __future__ import annotations

import io

from rich.console import Console

from ltbench.engine.progress_bar import Bar, Lines

ROW = {"epoch": 0, "loss": 0.5, "lr": 0.02, "seconds": 2.0, "images_per_second": 50.0}


def test_one_image_is_no_plural() -> None:
    stream = io.StringIO()
    lines = Lines(Console(file=stream))
    lines.start("predicting", 1)
    lines.stop()
    assert stream.getvalue() == "predicting: 1 image\n"


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
        assert [task.description for task in bar.progress.tasks] == ["working"]


def test_a_validation_has_a_second_bar_within_the_training() -> None:
    bar = Bar(Console(file=io.StringIO(), force_terminal=True, width=120))
    with bar.progress:
        bar.start("training", 200, 0, 2)
        bar.advance(100)
        bar.start("evaluating", 40)
        bar.advance(10)
        shown = [(task.description, task.completed) for task in bar.progress.tasks]
        assert shown == [("training epoch 1/2", 100), ("evaluating", 10)]
        bar.stop()
        bar.epoch(ROW, 2)
        bar.advance(50)
        (task,) = bar.progress.tasks
        assert (task.description, task.completed) == ("training epoch 2/2 loss 0.500", 150)


def test_lines_tell_each_epoch_and_now_and_then_how_far_it_is() -> None:
    file = io.StringIO()
    lines = Lines(Console(file=file, width=120), interval_seconds=-1.0)
    lines.start("training", 200, 0, 2)
    lines.advance(50)
    lines.epoch(ROW, 2)
    lines.stop()
    assert file.getvalue().splitlines() == [
        "training: 100 images an epoch",
        "training: 25 % done",
        "epoch 1/2  loss 0.5000  lr 0.02000  50 images/s  2 s left",
    ]


def test_lines_tell_the_score_of_an_epoch_but_do_not_announce_its_validation() -> None:
    file = io.StringIO()
    lines = Lines(Console(file=file, width=120))
    lines.start("training", 200, 0, 2)
    lines.start("evaluating", 40)
    lines.advance(40)
    lines.stop()
    lines.epoch({**ROW, "val_mean_class": 95.238, "val_seconds": 1.5}, 2)
    lines.stop()
    lines.start("evaluating", 60)
    assert file.getvalue().splitlines() == [
        "training: 100 images an epoch",
        "epoch 1/2  loss 0.5000  lr 0.02000  val mean-class 95.2 %  50 images/s  4 s left",
        "evaluating: 60 images",
    ]
