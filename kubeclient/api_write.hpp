// How writes are asked for. Values only.
//
// Source: apimachinery pkg/apis/meta/v1/types.go (CreateOptions, PatchOptions, DeleteOptions).
#pragma once

#include <optional>
#include <string>

namespace kubeclient {

// `server`: admission and validation happen, nothing is stored.
enum class DryRun { none, server };

// What the server does with unknown and duplicate fields: refuse them (400), or drop them and say
// so in Warning headers.
enum class FieldValidation { strict, warn };

// JSON patch: RFC 6902, an array. Merge patch: RFC 7386. Strategic merge: Kubernetes' own, which
// custom resources do not have (415).
enum class PatchKind { json, merge, strategic };

// What happens to the objects that name the deleted one as their owner.
enum class Propagation { background, foreground, orphan };

struct DeleteOptions {
    // Preconditions, 409 where they do not hold; empty: none.
    std::string uid{};
    std::string resource_version{};
    // nullopt leaves it to the object; 0 removes a pod at once, whatever its node still does.
    std::optional<int> grace_seconds{};
    Propagation propagation = Propagation::background;  // kubectl's choice
    DryRun dry_run = DryRun::none;
};

}  // namespace kubeclient
