# The whole root, planned and applied with mocked providers: what is asserted here is what the README promises.
# Names before the colon are the invariants' names; ../../checks/invariants.py holds those that look at every resource.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "google" {
  source = "./tests/mocks"
}

run "installation" {
  command = apply

  assert {
    condition     = strcontains(output.settings, "allowed_instances = [\"issuer-kagemusha\"]")
    error_message = "settings-instance: the settings allow another instance than the ETL reader."
  }
  assert {
    condition     = strcontains(output.settings, "projects/123456789/locations/global/workloadIdentityPools/kagemusha-aws/providers/glue")
    error_message = "settings-audience: the settings name another provider than the one that was made."
  }
}
