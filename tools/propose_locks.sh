#!/usr/bin/env bash
# Open a pull request of the renewed locks, or renew the one that is open, and start the gate on it.
# For .github/workflows/locks.yml: it wants BRANCH, GH_TOKEN and GITHUB_REPOSITORY.
set -euo pipefail
cd "$(dirname "$0")/.."
if git diff --quiet; then
  echo "Everything is the newest."
  exit
fi
git switch --quiet --create "$BRANCH"
git -c user.name="github-actions[bot]" \
  -c user.email="41898282+github-actions[bot]@users.noreply.github.com" \
  commit --quiet --all --message "Take the newest releases of what is locked"
gh auth setup-git
git push --quiet --force origin "HEAD:refs/heads/$BRANCH"
if [ "$(gh pr list --head "$BRANCH" --state open --json number --jq length)" = 0 ]; then
  gh pr create --head "$BRANCH" --title "Take the newest releases of what is locked" \
    --body "Made by \`make lock UPGRADE=1\`. The gate runs on this branch; merge it when it is green."
fi
gh workflow run ci.yml --ref "$BRANCH"
