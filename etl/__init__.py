"""The flow, one module a step: plan, source, stage, audit, publish, views, ledger; `run` alone knows the order."""
