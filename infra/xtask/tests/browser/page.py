"""One page of a real Chromium (QtWebEngine) without a window. Tests drive it over the DevTools protocol, on the port that
QTWEBENGINE_REMOTE_DEBUGGING names. It ends when its standard input does, so that no killed test leaves it behind."""

import os
import sys
import threading

try:
    from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile
    from PySide6.QtWebEngineWidgets import QWebEngineView
    from PySide6.QtWidgets import QApplication
except ImportError as error:
    sys.exit(
        f"{error}\nChromium needs libraries of the system that are missing here. Debian, Ubuntu: apt-get install libasound2 "
        "libdbus-1-3 libegl1 libfontconfig1 libgbm1 libgl1 libnss3 libxcomposite1 libxdamage1 libxkbcommon0 libxkbfile1 libxrandr2 libxtst6"
    )


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
application = QApplication(sys.argv)
# A profile without a name keeps nothing on the disk.
profile = QWebEngineProfile()
page = QWebEnginePage(profile)
view = QWebEngineView()
view.setPage(page)
view.resize(1280, 900)
view.show()
page.setHtml("<title>ready</title>")
application.exec()
