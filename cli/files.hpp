// Files that a command makes on this machine.
#pragma once

#include "commands/environment.hpp"

namespace cli {

// The real ones. Folders for temporary files go below $TMPDIR, else /tmp.
commands::Files make_files(const kubeclient::System& system);

}  // namespace cli
