// Structural schemas of custom resources: what they drop, what they fill in, what they refuse.
// Pure. Sources: apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting}, kube-openapi
// pkg/validation/validate, whose wording it is.
#pragma once

#include <string>
#include <vector>

#include "kubeclient/json.hpp"
#include "lab/api/api_server.hpp"

namespace lab {

// Drops what the schema does not specify, and returns the paths: "spec.domain.bogus".
// `object` is a whole custom resource; apiVersion, kind and metadata stay.
std::vector<std::string> prune(Json& object, const Json& schema);

// Fills in the schema's defaults; null counts as absent where the field is not nullable.
void fill_in_defaults(Json& object, const Json& schema);

std::vector<Cause> problems_by_schema(const Json& object, const Json& schema);

}  // namespace lab
