// What a client sent, read as the API server reads it. Private to lab/api.
// Sources: apiserver pkg/endpoints/handlers/{create,update,rest}.go.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lab/api/server_state.hpp"

namespace lab {

struct Body {
    std::shared_ptr<Json> object{};  // never null
    // What strict decoding objects to: `unknown field "spec.x"`, `duplicate field "spec.y"`.
    std::vector<std::string> complaints{};
};

enum class FieldValidation { ignore, warn, strict };
FieldValidation field_validation(const Call& call);

// An object to create or to put in the place of another: of the call's kind and version, without
// fields that the kind does not have.
Outcome<Body> object_of(const Call& call);

// The same rules for an object that a patch resulted in. `duplicates` are those of the patch.
Outcome<Body> object_of_patch(const Call& call, Json object, std::vector<std::string> duplicates);

// As `duplicate field "metadata.name"`, in the order of the text.
std::vector<std::string> duplicate_fields(const std::string& json);

}  // namespace lab
