"""The clouds as the steps use them: BigQuery, Cloud Storage, the login to Google, AWS."""
