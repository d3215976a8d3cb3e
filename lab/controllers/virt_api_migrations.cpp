// The webhooks on VirtualMachineInstanceMigrations.
// Sources: virt-api/webhooks/validating-webhook/admitters/migration-{create,update}-admitter.go and
// mutating-webhook/mutators/migration-create-mutator.go.
#include <nlohmann/json.hpp>

#include "lab/controllers/virt_api_parts.hpp"

namespace lab::virt_api {

using kubeclient::find;
using kubeclient::text_at;

namespace {

constexpr std::string_view create_validator = "migration-create-validator.kubevirt.io";
constexpr std::string_view update_validator = "migration-update-validator.kubevirt.io";
constexpr const char* selector_label = "kubevirt.io/vmi-name";
constexpr const char* finalizer = "kubevirt.io/migrationJobFinalize";

bool is_finished(const Json& migration) {
    const auto phase = text_at(migration, {"status", "phase"});
    return phase == "Succeeded" || phase == "Failed";
}

void add_label_and_finalizer(Json& migration, const std::string& instance) {
    Json& metadata = migration["metadata"];
    metadata["labels"][selector_label] = instance;
    metadata["finalizers"].push_back(finalizer);
}

std::optional<Refusal> refuse_instance(const Json& instance) {
    if (is_final(instance)) {
        return denied(create_validator, 400, "Cannot migrate VMI in finalized state.");
    }
    for (const Json& condition : kubeclient::items_at(instance, {"status", "conditions"})) {
        if (text_at(condition, {"type"}) != "LiveMigratable" ||
            text_at(condition, {"status"}) != "False") {
            continue;
        }
        return denied(create_validator, 400,
                      "Cannot migrate VMI, Reason: " + text_at(condition, {"reason"}).value_or("") +
                          ", Message: " + text_at(condition, {"message"}).value_or(""));
    }
    return std::nullopt;
}

std::optional<Refusal> refuse_second(const Backend& backend, const std::string& ns,
                                     const std::string& instance) {
    for (const auto& [key, other] : backend.objects.all(migrations)) {
        if (key.ns != ns || is_finished(*other)) continue;
        if (text_at(*other, {"metadata", "labels", selector_label}) != instance) continue;
        return denied(create_validator, 400,
                      "in-flight migration detected. Active migration job (" +
                          text_at(*other, {"metadata", "uid"}).value_or("") +
                          ") is currently already in progress for VMI " + instance + ".");
    }
    return std::nullopt;
}

std::optional<Refusal> refuse_create(const Backend& backend, const Admission& asked,
                                     const std::string& instance) {
    if (instance.empty()) {
        return denied(create_validator,
                      {"FieldValueRequired", "vmiName is missing", "spec.vmiName"});
    }
    if (find(*asked.object, {"spec", "priority"}) != nullptr &&
        !backend.is_virt_controller(asked.user)) {
        // The field's name is the webhook's own.
        return denied(create_validator,
                      {"FieldValueForbidden",
                       "Migration priority queue, only virt-controller is allowed to set priority "
                       "field",
                       "spec.migrationPriority"});
    }
    const Object found = backend.objects.get(instances, {asked.key.ns, instance});
    if (!found) {
        return denied(create_validator, 400,
                      "the VMI \"" + asked.key.ns + "/" + instance + "\" does not exist");
    }
    if (auto refusal = refuse_instance(*found)) return refusal;
    if (auto refusal = refuse_second(backend, asked.key.ns, instance)) return refusal;
    if (find(*asked.object, {"spec", "sendTo"}) != nullptr ||
        find(*asked.object, {"spec", "receive"}) != nullptr) {
        return denied(create_validator, 400,
                      "DecentralizedLiveMigration feature gate is not enabled in kubevirt "
                      "resource");
    }
    return std::nullopt;
}

// Nobody may turn a running migration into another one.
std::optional<Refusal> refuse_update(const Json& before, const Json& after) {
    if (before.value("spec", Json::object()) != after.value("spec", Json::object())) {
        return denied(update_validator, {"FieldValueNotSupported",
                                         "update of Migration object's spec is restricted", ""});
    }
    const auto label = text_at(before, {"metadata", "labels", selector_label});
    if (is_finished(after) || !label) return std::nullopt;
    if (find(after, {"metadata", "labels"}) == nullptr) {
        return denied(update_validator,
                      {"FieldValueNotSupported",
                       "selector label can't be removed from an in-flight migration", ""});
    }
    if (text_at(after, {"metadata", "labels", selector_label}) != label) {
        return denied(update_validator,
                      {"FieldValueNotSupported",
                       "selector label can't be modified on an in-flight migration", ""});
    }
    return std::nullopt;
}

}  // namespace

std::optional<Refusal> admit_migration(const Backend& backend, Admission& asked) {
    if (asked.verb == "update") return refuse_update(*asked.before, *asked.object);
    if (asked.verb != "create") return std::nullopt;
    const std::string instance = text_at(*asked.object, {"spec", "vmiName"}).value_or("");
    // The mutating webhook comes first, but shows only in what is stored.
    if (auto refusal = refuse_create(backend, asked, instance)) return refusal;
    add_label_and_finalizer(*asked.object, instance);
    return std::nullopt;
}

}  // namespace lab::virt_api
