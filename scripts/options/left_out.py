"""What a verb says of photos that it cannot read: each is named, and the exit code is 1 in the end."""

import sys

from tqdm import tqdm


class LeftOut:
    """Counts the photos that are left out, and names them on standard error."""

    def __init__(self) -> None:
        self.photos = 0

    def say(self, complaint: str, photos: int = 1) -> None:
        """Name one.

        Args:
            complaint: where it lies and what is wrong with it.
            photos: how many are meant.
        """
        self.photos += photos
        tqdm.write(f"Left out: {complaint}", file=sys.stderr)

    def leave(self, total: int) -> None:
        """Leave the process with exit code 1 if there are any.

        Args:
            total: how many photos were to be read.
        """
        if self.photos:
            sys.exit(f"{self.photos} of {total} photos could not be read.")
