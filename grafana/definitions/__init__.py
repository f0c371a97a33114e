"""Grafana's dashboards as code: `python -m grafana.definitions` writes `grafana/dashboards/*.json`.

One module a dashboard, each panel a call of `panels` with a query of `queries`. The JSON is committed,
since Grafana reads nothing else; a test says whether it is up to date.
"""
