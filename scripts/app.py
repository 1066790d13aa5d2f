"""Open the dashboard, from any folder, with the project's settings.

    flowers app
    flowers app --open-to 192.168.1.5 flowers.example --server.port 8080

By itself only this machine is let in. `--open-to` lets others in, who call this machine by one of these names: read
docs/DEPLOYING.md first. Anything else is an option of `streamlit run`.
"""

from pathlib import Path

import app
from scripts.options.command import run, verb_parser


def main() -> None:
    """Start Streamlit's server in this process; it ends with Ctrl-C."""
    from streamlit.web import cli

    parser = verb_parser(__doc__)
    parser.add_argument("--open-to", nargs="+", metavar="HOST", help="names by which other machines call this one")
    arguments, options = parser.parse_known_args()
    cli.main(["run", str(main_script()), *opening(arguments.open_to or []), *options])


def main_script() -> Path:
    """The dashboard's entry, beside which Streamlit finds its settings."""
    return Path(app.__file__).with_name("main.py")


def opening(hosts: list[str]) -> list[str]:
    """The options that let other machines in under these names; none for no names."""
    if not hosts:
        return []
    names = [word for host in (*hosts, "localhost") for word in ("--server.allowedHosts", host)]
    return ["--server.address", "0.0.0.0", *names]


if __name__ == "__main__":
    run(main)
