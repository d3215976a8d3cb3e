#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/yaml.hpp"
#include "lab/api/bundled_definitions.hpp"
#include "lab/api/kinds.hpp"

namespace lab {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

std::string text(const Json& object, std::string_view key) {
    return text_at(object, {key}).value_or("");
}

std::vector<std::string> texts(const Json& object, std::string_view key) {
    std::vector<std::string> texts;
    for (const Json& item : items_at(object, {key})) {
        if (item.is_string()) texts.push_back(item.get<std::string>());
    }
    return texts;
}

PrinterColumn column_of(const Json& column) {
    PrinterColumn result{text(column, "name"), text(column, "type"), text(column, "format"),
                         text(column, "description"), text(column, "jsonPath")};
    result.priority = static_cast<int>(integer_at(column, {"priority"}).value_or(0));
    return result;
}

KindVersion version_of(const Json& version, const std::string& group, const std::string& kind) {
    KindVersion result;
    result.name = text(version, "name");
    result.served = bool_at(version, {"served"}).value_or(false);
    result.storage = bool_at(version, {"storage"}).value_or(false);
    result.deprecated = bool_at(version, {"deprecated"}).value_or(false);
    if (result.deprecated) {
        result.deprecation_warning =
            text_at(version, {"deprecationWarning"})
                .value_or(group + "/" + result.name + " " + kind + " is deprecated");
    }
    result.has_status = find(version, {"subresources", "status"}) != nullptr;
    for (const Json& column : items_at(version, {"additionalPrinterColumns"})) {
        result.columns.push_back(column_of(column));
    }
    if (const Json* schema = find(version, {"schema", "openAPIV3Schema"})) {
        result.schema = std::make_shared<const Json>(*schema);
    }
    return result;
}

std::vector<Json> read_definitions() {
    std::vector<Json> definitions;
    for (const auto& [name, yaml] : kBundledDefinitions) {
        // Our own files, and a test reads them all.
        const auto documents = kubeclient::parse_yaml(yaml, name).value();
        for (const auto& document : documents) definitions.push_back(*document.value);
    }
    return definitions;
}

}  // namespace

Kind kind_of_definition(const Json& definition) {
    const Json& spec = definition.at("spec");
    const Json& names = spec.at("names");
    Kind kind;
    kind.resource = {text(spec, "group"), text(names, "plural")};
    kind.kind = text(names, "kind");
    kind.singular = text_at(names, {"singular"}).value_or("");
    kind.scope = text(spec, "scope") == "Cluster" ? Scope::cluster : Scope::namespaced;
    kind.origin = Origin::custom;
    kind.short_names = texts(names, "shortNames");
    kind.categories = texts(names, "categories");
    for (const Json& version : items_at(spec, {"versions"})) {
        kind.versions.push_back(version_of(version, kind.resource.group, kind.kind));
    }
    return kind;
}

const std::vector<Json>& bundled_definitions() {
    static const std::vector<Json> definitions = read_definitions();
    return definitions;
}

}  // namespace lab
