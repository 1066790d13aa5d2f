"""The library behind the dashboard: photos in, explained answers out. Nothing here knows of Streamlit."""
