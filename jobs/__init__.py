"""Entry points of Glue and spark-submit: arguments in, exit code out."""
