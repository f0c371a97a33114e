"""Pictures of the dashboards without Grafana: `python -m grafana.preview` (docs/dashboards.md).

For development only: it runs what tests run (a demo, a real Prometheus, PostgreSQL and Chromium), asks what
the panels ask and draws the answers in the way of Grafana, as far as our panels go.
"""
