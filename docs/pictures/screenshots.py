"""Take screenshots of the pages in Chromium: `PYTHONPATH=. python docs/pictures/screenshots.py`.

It writes `timeline.png`, `timeline-dark.png`, `topology.png` and `topology-dark.png` beside
itself. Chromium comes from the package `chromium`; nothing else of this project needs it.
"""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from bootstrap.adapters.process import run
from docs.pictures.draw import HERE, pages

#: Width and height of the window, by what is added to the name of the file.
_WINDOWS = {"": (1600, 700), "-dark": (800, 690)}
_DARK = "--blink-settings=preferredColorScheme=0"


def take(page: Path, picture: Path, window: tuple[int, int], *, dark: bool) -> None:
    """Have Chromium show a page in a window of that size, and write what it shows."""
    with TemporaryDirectory() as profile:
        argv = [
            shutil.which("chromium") or "chromium",
            *("--headless=new", "--hide-scrollbars", f"--user-data-dir={profile}"),
            # Chromium refuses its own sandbox to root.
            *(["--no-sandbox"] if os.getuid() == 0 else []),
            *([_DARK] if dark else []),
            f"--window-size={window[0]},{window[1]}",
            f"--screenshot={picture}",
            page.as_uri(),
        ]
        run(argv, action="take a screenshot", timeout_s=60)


if __name__ == "__main__":
    with TemporaryDirectory() as directory:
        for name, text in pages().items():
            page = Path(directory) / f"{name}.html"
            page.write_text(text, encoding="utf-8")
            for suffix, window in _WINDOWS.items():
                take(page, HERE / f"{name}{suffix}.png", window, dark=suffix == "-dark")
