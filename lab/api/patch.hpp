// Patches applied to objects. Pure.
// Sources: evanphx/json-patch v4 (JSON patch, merge patch), apimachinery
// pkg/util/strategicpatch/patch.go.
#pragma once

#include <string>

#include "kubeclient/json.hpp"
#include "lab/api/status.hpp"

namespace lab {

// All operations or none. Like the API server, and unlike RFC 6902, `replace` also adds a member,
// a `test` for null holds where there is no such member, and a `copy` of nothing copies null.
Outcome<Json> apply_json_patch(Json object, const Json& patch);

// RFC 7386, and members that are null are dropped inside of lists as well.
Json apply_merge_patch(Json object, const Json& patch);

// Lists whose items have a merge key are merged item by item, the others replaced.
Outcome<Json> apply_strategic_merge(Json object, const Json& patch);

}  // namespace lab
