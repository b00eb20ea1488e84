#!/usr/bin/env bash
# Set up .venv with everything in requirements.lock, the generated code, and the command `anjuan`.
# Does nothing when all of it is there already.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
  can_apt || return 1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 && return
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

if ! python=$(find_python); then
  apt_install python3.11 python3.11-venv || true
  if ! python=$(find_python); then
    say "没有找到 Python 3.11。请安装后重试：apt-get install -y python3.11 python3.11-venv（或用 PYTHON=/路径/python3.11 make install 指明）"
    exit 1
  fi
fi

# A .venv whose interpreter is gone (moved, or copied from elsewhere) is made anew.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  if ! "$python" -m venv .venv >/dev/null 2>&1; then
    rm -rf .venv
    apt_install python3.11-venv || true
    if ! "$python" -m venv .venv; then
      rm -rf .venv
      say "无法建立虚拟环境。请安装后重试：apt-get install -y python3.11-venv"
      exit 1
    fi
  fi
fi

installed=.venv/.installed
wanted=$(cat requirements.lock pyproject.toml <(pwd) | sha256sum)
if [ "$(cat "$installed" 2>/dev/null || true)" != "$wanted" ]; then
  say "安装 Python 依赖……"
  rm -f "$installed"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
  mkdir -p build/gen
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
  printf '%s\n' "$wanted" >"$installed"
fi
.venv/bin/python -m services.ops.protos
