#include "names.hpp"

#include <cctype>
#include <functional>
#include <regex>
#include <vector>

namespace lab_replay {

using kubeclient::text_at;

namespace {

bool part_of_word(const std::string& text, std::size_t at) {
    return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

// In one pass, so that what was put in is never taken for one of the words.
std::string replaced(const std::string& text, const std::map<std::string, std::string>& words) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const std::string* put = nullptr;
        std::size_t length = 0;
        for (const auto& [word, replacement] : words) {
            if (word.size() <= length || text.compare(at, word.size(), word) != 0) continue;
            if (part_of_word(text, at + word.size()) || (at > 0 && part_of_word(text, at - 1))) {
                continue;
            }
            put = &replacement;
            length = word.size();
        }
        if (put != nullptr) {
            result += *put;
            at += length;
        } else {
            result += text[at++];
        }
    }
    return result;
}

Json mapped(const Json& value, const std::function<std::string(const std::string&)>& change) {
    if (value.is_string()) return change(value.get<std::string>());
    if (value.is_array()) {
        Json result = Json::array();
        for (const Json& item : value) result.push_back(mapped(item, change));
        return result;
    }
    if (!value.is_object()) return value;
    Json result = Json::object();
    for (const auto& [key, item] : value.items()) result[change(key)] = mapped(item, change);
    return result;
}

const std::regex generated("kubevirt-(evacuation|migrate-vm)-[a-z0-9]{5}");
// RFC 3339, and as Go prints a time.
const std::regex time_text(R"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC))");
const std::regex uid_text("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
const std::regex address_text(R"(\b\d+\.\d+\.\d+\.\d+\b)");
// A pod that was refused never existed.
const std::regex unborn_text("(virt-launcher-[a-z0-9-]+)-[bcdfghjklmnpqrstvwxz2456789]{5}\\b");

}  // namespace

void Names::learn_name(const std::string& name, const std::string& meaning) {
    if (meanings_.contains(name)) return;
    meanings_[name] = meaning + "#" + std::to_string(++counted_[meaning]);
}

void Names::learn_uid(const std::string& kind, const Json& metadata) {
    const auto uid = text_at(metadata, {"uid"});
    const auto name = text_at(metadata, {"name"});
    if (!uid || !name || meanings_.contains(*uid)) return;
    // Two objects of one name, one after the other, are two.
    const std::string meaning = "uid(" + kind + "/" + canonical(*name) + ")";
    learn_name(*uid, meaning);
}

void Names::learn(const Sighting& sighting) {
    if (sighting.kind == "Event") return;
    const Json& object = sighting.object;
    const std::string name = text_at(object, {"metadata", "name"}).value_or("");
    if (sighting.kind == "Pod") {
        const auto machine = text_at(object, {"metadata", "annotations", "kubevirt.io/domain"});
        if (machine) learn_name(name, "launcher(" + *machine + ")");
        const auto node = text_at(object, {"spec", "nodeName"});
        if (node) learn_name(*node, "node");
    }
    if (sighting.kind == "VirtualMachineInstanceMigration" && std::regex_match(name, generated)) {
        learn_name(name, "made(" + text_at(object, {"spec", "vmiName"}).value_or("") + ")");
    }
    learn_uid(sighting.kind, object["metadata"]);
    for (const Json& owner : kubeclient::items_at(object, {"metadata", "ownerReferences"})) {
        learn_uid(text_at(owner, {"kind"}).value_or(""), owner);
    }
}

void Names::learn(const Action& action) {
    const auto kind = text_at(action.reply, {"kind"});
    const Json* metadata = kubeclient::find(action.reply, "metadata");
    if (kind && metadata != nullptr) learn_uid(*kind, *metadata);
}

std::string Names::canonical(const std::string& text) const {
    std::string result = replaced(text, meanings_);
    result = std::regex_replace(result, time_text, "<time>");
    result = std::regex_replace(result, uid_text, "<uid>");
    result = std::regex_replace(result, unborn_text, "$1-<suffix>");
    return std::regex_replace(result, address_text, "<address>");
}

Json Names::canonical(const Json& value) const {
    return mapped(value, [this](const std::string& text) { return canonical(text); });
}

std::optional<std::string> Names::stands_for(const std::string& name) const {
    const auto found = meanings_.find(name);
    if (found == meanings_.end()) return std::nullopt;
    return found->second;
}

std::string translated(const std::string& text, const Names& from, const Names& to) {
    std::map<std::string, std::string> back;
    for (const auto& [name, meaning] : to.meanings()) back[meaning] = name;
    std::map<std::string, std::string> words;
    for (const auto& [name, meaning] : from.meanings()) {
        const auto other = back.find(meaning);
        if (other != back.end()) words[name] = other->second;
    }
    return replaced(text, words);
}

Json translated(const Json& value, const Names& from, const Names& to) {
    return mapped(value, [&](const std::string& text) { return translated(text, from, to); });
}

}  // namespace lab_replay
