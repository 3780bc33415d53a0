"""``python -m quart_heure``: the command line, where no script is on the path."""

from quart_heure.cli import run

if __name__ == "__main__":
    run()
