#include "lab/api/admission.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace lab {

namespace {

Admission admission_of(const Call& call, const char* verb, const ObjectKey& key) {
    Admission admission;
    admission.verb = verb;
    admission.resource = call.kind.resource;
    admission.subresource = call.subresource;
    admission.key = key;
    admission.user = call.user;
    admission.dry_run = call.dry_run;
    return admission;
}

Verdict admitted(ServerState& state, Admission& admission) {
    for (Extension* extension : state.extensions) {
        if (auto refusal = extension->admit(admission)) return std::move(*refusal);
    }
    return allowed();
}

}  // namespace

Verdict namespace_accepts(const ServerState& state, const Call& call, const std::string& name) {
    if (call.kind.scope == Scope::cluster) return allowed();
    const Kind& namespaces = *state.kinds.find({"", "namespaces"});
    const Object ns = state.store.get(namespaces.resource, {"", call.key.ns});
    if (!ns) return not_found(namespaces, call.key.ns);
    if (kubeclient::find(*ns, {"metadata", "deletionTimestamp"}) == nullptr) return allowed();
    Refusal refusal = forbidden(call.kind, name,
                                "unable to create new content in namespace " + call.key.ns +
                                    " because it is being terminated");
    refusal.causes.push_back({"NamespaceTerminating",
                              "namespace " + call.key.ns + " is being terminated",
                              "metadata.namespace"});
    return refusal;
}

Outcome<Json> admit_object(ServerState& state, const Call& call, const char* verb,
                           const ObjectKey& key, Object before, Json object) {
    Admission admission = admission_of(call, verb, key);
    admission.before = std::move(before);
    admission.object = std::make_shared<Json>(std::move(object));
    TRY(admitted(state, admission));
    return std::move(*admission.object);
}

Verdict admit_deletion(ServerState& state, const Call& call, const Object& object) {
    Admission admission = admission_of(call, "delete", call.key);
    admission.before = object;
    return admitted(state, admission);
}

}  // namespace lab
