"""What a person at a terminal reads of a training run, line by line."""

import time

from flowers_core.storage.events import HEAD, Event

# By so many of the last epochs the time left is told.
_LAST = 5


class TrainingLog:
    """Prints each event as a line for a person; call it with each."""

    def __init__(self, unfrozen_layers: int) -> None:
        """unfrozen_layers: how many learn after the head warm-up."""
        self._unfrozen = unfrozen_layers
        self._begun: dict[str, float] = {}
        self._seconds: list[float] = []

    def __call__(self, event: Event) -> None:
        """Print what there is to say of an event."""
        if event.kind == "progress":
            self._progress(event)
        elif event.kind == "epoch":
            self._epoch(event)
        elif event.kind == "phase begins":
            self._seconds = []
            if event.phase == HEAD:
                print("Head warm-up on frozen features:", flush=True)
        elif event.phase == HEAD:
            print(f"Head warm-up: {_judged(event)}the last {self._unfrozen} layers learn with it now.", flush=True)
        else:
            print(f"Fine-tuned: {_judged(event).removesuffix(', ') or 'done'}.", flush=True)

    def _progress(self, event: Event) -> None:
        what, done, total = event.title or "", event.done or 0, event.total or 0
        begun = self._begun.setdefault(what, time.perf_counter())
        took = time.perf_counter() - begun
        if done == total:
            print(f"{what}: {done} of {total}, {took:.0f} s", flush=True)
        elif done > 1 and what.startswith("views"):
            left = (total - done) * took / (done - 1)  # the clock began when the first was done
            print(f"{what}: {done} of {total}, {took:.0f} s, about {left / 60:.1f} min left", flush=True)

    def _epoch(self, event: Event) -> None:
        took, done, total = event.seconds or 0.0, event.done or 0, event.total or 0
        self._seconds.append(took)
        last = self._seconds[-_LAST:]
        left = (total - done) * sum(last) / len(last)
        print(
            f"epoch {done}/{total}: loss {event.loss or 0.0:.4f}, {_judged(event)}{took:.0f} s, "
            f"about {left / 60:.0f} min left",
            flush=True,
        )


def _judged(event: Event) -> str:
    return "" if event.validation_top1 is None else f"{event.validation_top1:.4f} of validation right, "
