mock_data "google_project" {
  defaults = { number = "123456789" }
}

mock_resource "google_service_account" {
  defaults = {
    email = "account@issuer-analytics.iam.gserviceaccount.com"
    name  = "projects/issuer-analytics/serviceAccounts/account@issuer-analytics.iam.gserviceaccount.com"
  }
}

mock_resource "google_kms_crypto_key" {
  defaults = { id = "projects/issuer-analytics/locations/asia-northeast1/keyRings/kagemusha/cryptoKeys/tables" }
}
