#include "lab/api/protobuf.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "kubeclient/base64.hpp"

namespace lab {

namespace {

using kubeclient::Json;

enum class Type { text, integer, truth, bytes, message, text_map, bytes_map, texts, messages };

struct Message;

struct Field {
    std::uint64_t number;
    std::string_view name;
    Type type = Type::text;
    const Message* message = nullptr;  // of a message
};

struct Message {
    std::span<const Field> fields;
};

constexpr Field kOwnerFields[] = {{1, "kind"},
                                  {3, "name"},
                                  {4, "uid"},
                                  {5, "apiVersion"},
                                  {6, "controller", Type::truth},
                                  {7, "blockOwnerDeletion", Type::truth}};
constexpr Message kOwner{kOwnerFields};
constexpr Field kMetadataFields[] = {{1, "name"},
                                     {2, "generateName"},
                                     {3, "namespace"},
                                     {5, "uid"},
                                     {6, "resourceVersion"},
                                     {11, "labels", Type::text_map},
                                     {12, "annotations", Type::text_map},
                                     {13, "ownerReferences", Type::messages, &kOwner},
                                     {14, "finalizers", Type::texts}};
constexpr Message kMetadata{kMetadataFields};
constexpr Field kOnlyMetadataFields[] = {{1, "metadata", Type::message, &kMetadata}};
constexpr Message kOnlyMetadata{kOnlyMetadataFields};

constexpr Field kPreconditionsFields[] = {{1, "uid"}, {2, "resourceVersion"}};
constexpr Message kPreconditions{kPreconditionsFields};
constexpr Field kDeleteFields[] = {{1, "gracePeriodSeconds", Type::integer},
                                   {2, "preconditions", Type::message, &kPreconditions},
                                   {3, "orphanDependents", Type::truth},
                                   {4, "propagationPolicy"},
                                   {5, "dryRun", Type::texts}};
constexpr Message kDelete{kDeleteFields};
constexpr Field kEvictionFields[] = {{1, "metadata", Type::message, &kMetadata},
                                     {2, "deleteOptions", Type::message, &kDelete}};
constexpr Message kEviction{kEvictionFields};

constexpr Field kResourceFields[] = {{1, "namespace"}, {2, "verb"},     {3, "group"},
                                     {4, "version"},   {5, "resource"}, {6, "subresource"},
                                     {7, "name"}};
constexpr Message kResource{kResourceFields};
constexpr Field kPathFields[] = {{1, "path"}, {2, "verb"}};
constexpr Message kPath{kPathFields};
constexpr Field kAccessSpecFields[] = {{1, "resourceAttributes", Type::message, &kResource},
                                       {2, "nonResourceAttributes", Type::message, &kPath}};
constexpr Message kAccessSpec{kAccessSpecFields};
constexpr Field kAccessFields[] = {{1, "metadata", Type::message, &kMetadata},
                                   {2, "spec", Type::message, &kAccessSpec}};
constexpr Message kAccess{kAccessFields};
constexpr Field kRulesSpecFields[] = {{1, "namespace"}};
constexpr Message kRulesSpec{kRulesSpecFields};
constexpr Field kRulesFields[] = {{1, "metadata", Type::message, &kMetadata},
                                  {2, "spec", Type::message, &kRulesSpec}};
constexpr Message kRules{kRulesFields};

constexpr Field kConfigMapFields[] = {{1, "metadata", Type::message, &kMetadata},
                                      {2, "data", Type::text_map},
                                      {3, "binaryData", Type::bytes_map},
                                      {4, "immutable", Type::truth}};
constexpr Message kConfigMap{kConfigMapFields};
constexpr Field kSecretFields[] = {{1, "metadata", Type::message, &kMetadata},
                                   {2, "data", Type::bytes_map},
                                   {3, "type"},
                                   {4, "stringData", Type::text_map},
                                   {5, "immutable", Type::truth}};
constexpr Message kSecret{kSecretFields};

struct KnownKind {
    std::string_view api_version;
    std::string_view kind;
    const Message* message;
};

constexpr KnownKind kKinds[] = {
    {"authentication.k8s.io/v1", "SelfSubjectReview", &kOnlyMetadata},
    {"authorization.k8s.io/v1", "SelfSubjectAccessReview", &kAccess},
    {"authorization.k8s.io/v1", "SelfSubjectRulesReview", &kRules},
    {"policy/v1", "Eviction", &kEviction},
    {"v1", "ConfigMap", &kConfigMap},
    {"v1", "DeleteOptions", &kDelete},
    {"v1", "Namespace", &kOnlyMetadata},
    {"v1", "Secret", &kSecret},
    {"v1", "ServiceAccount", &kOnlyMetadata},
};

// One field as it stands on the wire.
struct WireField {
    std::uint64_t number = 0;
    std::uint64_t integer = 0;  // of a varint
    std::string_view bytes{};   // of what has a length
    bool has_length = false;
};

std::optional<std::uint64_t> take_varint(std::string_view& input) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !input.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(input.front());
        input.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
        if ((byte & 0x80U) == 0) return value;
    }
    return std::nullopt;
}

std::optional<WireField> take_field(std::string_view& input) {
    const auto key = take_varint(input);
    if (!key) return std::nullopt;
    WireField field;
    field.number = *key >> 3U;
    const auto wire_type = *key & 7U;
    std::uint64_t length = 0;
    if (wire_type == 0) {
        const auto value = take_varint(input);
        if (!value) return std::nullopt;
        field.integer = *value;
        return field;
    }
    if (wire_type == 2) {
        const auto given = take_varint(input);
        if (!given) return std::nullopt;
        length = *given;
        field.has_length = true;
    } else if (wire_type == 1 || wire_type == 5) {
        length = wire_type == 1 ? 8 : 4;
    } else {
        return std::nullopt;
    }
    if (length > input.size()) return std::nullopt;
    field.bytes = input.substr(0, length);
    input.remove_prefix(length);
    return field;
}

std::optional<Json> read_message(std::string_view input, const Message& message);

bool read_entry(std::string_view input, Type type, Json& map) {
    std::string key;
    std::string value;
    while (!input.empty()) {
        const auto field = take_field(input);
        if (!field) return false;
        if (field->number == 1) key = field->bytes;
        if (field->number == 2) value = field->bytes;
    }
    map[key] = type == Type::bytes_map ? kubeclient::encode_base64(value) : value;
    return true;
}

bool read_field(const WireField& wire, const Field& field, Json& object) {
    Json& place = object[std::string(field.name)];
    const std::string text(wire.bytes);
    switch (field.type) {
        case Type::text:
            place = text;
            return wire.has_length;
        case Type::bytes:
            place = kubeclient::encode_base64(text);
            return wire.has_length;
        case Type::texts:
            place.push_back(text);
            return wire.has_length;
        case Type::integer:
            place = static_cast<std::int64_t>(wire.integer);
            return !wire.has_length;
        case Type::truth:
            place = wire.integer != 0;
            return !wire.has_length;
        case Type::text_map:
        case Type::bytes_map:
            return read_entry(wire.bytes, field.type, place);
        case Type::message:
        case Type::messages:
            break;
    }
    auto inner = read_message(wire.bytes, *field.message);
    if (!inner) return false;
    if (field.type == Type::message) {
        place = std::move(*inner);
    } else {
        place.push_back(std::move(*inner));
    }
    return true;
}

std::optional<Json> read_message(std::string_view input, const Message& message) {
    Json object = Json::object();
    while (!input.empty()) {
        const auto wire = take_field(input);
        if (!wire) return std::nullopt;
        const auto field =
            std::find_if(message.fields.begin(), message.fields.end(),
                         [&](const Field& each) { return each.number == wire->number; });
        if (field != message.fields.end() && !read_field(*wire, *field, object)) {
            return std::nullopt;
        }
    }
    // Go writes strings that are empty; its JSON leaves them out.
    for (auto member = object.begin(); member != object.end();) {
        member = *member == "" ? object.erase(member) : std::next(member);
    }
    return object;
}

constexpr Field kTypeFields[] = {{1, "apiVersion"}, {2, "kind"}};
constexpr Message kTypeMessage{kTypeFields};

}  // namespace

bool is_protobuf(std::string_view content_type) {
    return content_type.starts_with("application/vnd.kubernetes.protobuf");
}

std::optional<Json> decode_protobuf(std::string_view body) {
    constexpr std::string_view magic("k8s\0", 4);
    if (!body.starts_with(magic)) return std::nullopt;
    body.remove_prefix(magic.size());
    std::optional<Json> type;
    std::string_view raw;
    while (!body.empty()) {
        const auto field = take_field(body);
        if (!field) return std::nullopt;
        if (field->number == 1) type = read_message(field->bytes, kTypeMessage);
        if (field->number == 2) raw = field->bytes;
    }
    if (!type) return std::nullopt;
    const auto text = [&](const char* key) {
        return kubeclient::text_at(*type, {key}).value_or("");
    };
    const auto known = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& each) {
        // Options of a deletion come with the version of the group that is asked.
        return each.kind == text("kind") &&
               (each.api_version == text("apiVersion") || each.kind == "DeleteOptions");
    });
    if (known == std::end(kKinds)) return std::nullopt;
    auto object = read_message(raw, *known->message);
    if (object) object->update(*type);
    return object;
}

}  // namespace lab
