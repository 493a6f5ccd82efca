"""Write the miniature checkpoints below a folder: `python -m tools.miniature OUT`."""

import sys
from pathlib import Path

from tools.miniature import miniature


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        sys.exit("usage: python -m tools.miniature OUT")
    print(miniature(Path(arguments[0])).root)


if __name__ == "__main__":
    main(sys.argv[1:])
