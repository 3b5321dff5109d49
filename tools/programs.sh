#!/usr/bin/env bash
# Bring the programs that the tests drive and that are not here: `make programs`. Debian's packages
# as root; else what each one's own installer brings. What is left is said, with its remedy.
set -uo pipefail
cd "$(dirname "$0")/.."
left=()

have() { command -v "$1" >/dev/null; }
debian() { # PACKAGE...
  have apt-get && [ "$(id -u)" = 0 ] || return 1
  echo "Installing $* ..."
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$@" >/dev/null
}
emulator() { # COMPONENT PACKAGE
  local gcloud
  gcloud=$(readlink -f "$(command -v gcloud)") || return 1
  [ -d "${gcloud%/bin/*}/platform/$1" ] && return
  echo "Installing $1 ..."
  gcloud components install --quiet "$1" 2>/dev/null || debian "$2"
}

downloaded_chromium() {
  echo "Downloading Chromium ..."
  .venv/bin/playwright install --only-shell chromium >/dev/null 2>&1
}

# The first needs a third of the others' processor time, and has no window.
have chromium-headless-shell || debian chromium-headless-shell || have chromium ||
  have google-chrome || debian chromium || downloaded_chromium ||
  left+=("Chromium: apt-get install chromium-headless-shell, as root")
have java || debian default-jre-headless || left+=("Java 17 or newer: https://adoptium.net")
have npm || debian nodejs npm || left+=("Node.js 20 or newer: https://nodejs.org")
if have gcloud; then
  emulator cloud-firestore-emulator google-cloud-cli-firestore-emulator ||
    left+=("Firestore's emulator: gcloud components install cloud-firestore-emulator")
  emulator pubsub-emulator google-cloud-cli-pubsub-emulator ||
    left+=("the Pub/Sub emulator: gcloud components install pubsub-emulator")
else
  left+=("the gcloud CLI, then \`make programs\` again: https://cloud.google.com/sdk/docs/install")
fi
have terraform || left+=("Terraform 1.11 or newer: https://developer.hashicorp.com/terraform/install")

if ((${#left[@]})); then
  printf 'Still missing:\n'
  printf '  %s\n' "${left[@]}"
  exit 1
fi
