"""Whether the server in this container answers: for Docker's HEALTHCHECK. Fails where it does not."""

import os
from urllib.request import urlopen

port = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
base = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
urlopen("/".join(filter(None, [f"http://127.0.0.1:{port}", base, "_stcore/health"])), timeout=4)
