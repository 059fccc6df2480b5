# The whole root, applied with mocked providers. What must be true of all that stands then is written in
# ../../checks/invariants.py, which looks at every resource; a test can see its own module's only.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "google" {
  source = "./tests/mocks"
}

run "installation" {
  command = apply
}
