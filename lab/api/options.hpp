// The options that writes share: dryRun, fieldValidation. Private to lab/api.
// Source: apimachinery pkg/apis/meta/v1/validation/validation.go.
#pragma once

#include <string>
#include <vector>

#include "lab/api/server_state.hpp"

namespace lab {

// `options` is the type they are called by: "CreateOptions", "UpdateOptions", "PatchOptions".
Verdict check_write_options(const Call& call, const std::string& options);

// The Warning headers of a write: the complaints, unless they are to be ignored, after that of a
// deprecated version.
std::vector<std::string> warnings_of(const Call& call, std::vector<std::string> complaints);

struct DeletionOptions {
    std::optional<std::int64_t> grace_seconds{};
    std::string uid{};  // preconditions; empty: none
    std::string resource_version{};
    std::string propagation{};  // "Foreground", "Background", "Orphan", "" as the kind has it
    bool dry_run = false;
};

Outcome<DeletionOptions> deletion_options(const Call& call);
// Those inside an Eviction, or a DeleteOptions; `call` gives the query.
Outcome<DeletionOptions> deletion_options(const Call& call, const Json& options);

}  // namespace lab
