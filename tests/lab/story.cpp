#include "story.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <utility>

#include "changes.hpp"
#include "names.hpp"

namespace lab_replay {

using kubeclient::find;
using kubeclient::text_at;

namespace {

// Fields of one object that one component writes, in an order of its own. The first prefix that
// fits decides; the rest is "other".
struct Strand {
    std::string_view kind;
    std::string_view prefix;
    std::string_view name;
};

constexpr std::string_view pod = "Pod";
constexpr std::string_view instance = "VirtualMachineInstance";
constexpr std::string_view migration = "VirtualMachineInstanceMigration";

constexpr Strand strands[] = {
    {pod, "spec/nodeName", "scheduler"},
    {pod, "status/conditions/PodScheduled", "scheduler"},
    {pod, "metadata/labels", "virt-controller's labels"},
    {pod, "metadata/annotations", "virt-controller's labels"},
    {pod, "status/conditions/kubevirt.io", "virt-controller's readiness"},
    {pod, "status/conditions/DisruptionTarget", "eviction"},
    {pod, "status", "kubelet"},
    {pod, "metadata/deletion", "deletion"},
    {instance, "metadata/annotations/kubevirt.io/", "virt-controller's annotations"},
    {instance, "metadata/annotations", "scene"},
    {instance, "status/activePods", "active pods"},
    {instance, "status/migrationState", "migrationState"},
    {instance, "metadata/labels/kubevirt.io/migrationTargetNodeName", "migrationState"},
    {instance, "status/conditions/Ready", "readiness"},
    {instance, "status/conditions/EvictionRequested", "eviction"},
    {instance, "status/evacuationNodeName", "evacuation mark"},
    {instance, "metadata/deletion", "deletion"},
    {instance, "metadata/finalizers", "finalizers"},
    {instance, "metadata/labels/kubevirt.io/nodeName", "phase"},
    {instance, "metadata/labels", "scene"},
    {instance, "status", "phase"},
    {migration, "", "all"},
};

std::string_view strand_of(const std::string& kind, const std::string& path) {
    const auto* found =
        std::find_if(std::begin(strands), std::end(strands), [&](const Strand& strand) {
            return strand.kind == kind && path.starts_with(strand.prefix);
        });
    return found == std::end(strands) ? "other" : found->name;
}

// What a reader of the whole would call a turning point.
bool is_turning_point(const std::string& kind, const FieldChange& change) {
    static const std::vector<std::string_view> points{
        "status/phase",
        "status/nodeName",
        "status/evacuationNodeName",
        "status/migrationState/abort",
        "status/migrationState/completed",
        "status/migrationState/endTimestamp",
        "status/migrationState/failed",
        "status/migrationState/migrationUid",
        "status/migrationState/startTimestamp",
        "status/migrationState/targetNodeAddress",
        "status/migrationState/targetNodeDomain",
        "metadata/deletionTimestamp",
    };
    if (kind == migration && change.path.starts_with("status/migrationState")) return false;
    if (change.path == "status/phaseTransitionTimestamps") return false;
    if (kind == migration && change.path == "metadata/finalizers") return true;
    return std::any_of(points.begin(), points.end(), [&change](std::string_view point) {
        return change.path.starts_with(point);
    });
}

std::string machine_of(const std::string& kind, const Json& object) {
    if (kind == migration) return text_at(object, {"spec", "vmiName"}).value_or("");
    if (kind == pod) {
        return text_at(object, {"metadata", "annotations", "kubevirt.io/domain"}).value_or("");
    }
    return text_at(object, {"metadata", "name"}).value_or("");
}

std::string short_kind(const std::string& kind) {
    if (kind == migration) return "VMIM";
    return kind == instance ? "VMI" : kind;
}

std::string last_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

class Teller {
public:
    explicit Teller(const Session& session) : session_(session) {
        for (const Sighting& sighting : session.sightings) names_.learn(sighting);
        for (const Action& action : session.actions) names_.learn(action);
    }

    Story tell() {
        for (const Action& action : session_.actions) tell_reply(action);
        for (const Sighting& sighting : session_.sightings) {
            if (sighting.kind == "Event") {
                tell_event(sighting.event, names_.canonical(sighting.object));
            } else {
                tell_change(sighting);
            }
        }
        for (const auto& [about, events] : events_) {
            Chapter& chapter = story_.chapters["events of " + about];
            for (const auto& [line, count] : events) {
                chapter.push_back(line + " ×" + std::to_string(count));
            }
        }
        for (auto& [title, chapter] : story_.chapters) {
            for (const Rule& rule : rules()) rule.apply(title, chapter);
        }
        return std::move(story_);
    }

private:
    void tell_reply(const Action& action) {
        if (action.sets_the_stage) return;
        Json reply = names_.canonical(action.reply);
        // Of an object, whether it has a version tells a dry run from the real thing.
        if (Json* version = &reply; reply.is_object() && reply.contains("metadata")) {
            version = &reply["metadata"];
            if (version->contains("resourceVersion")) {
                const bool stored = !(*version)["resourceVersion"].is_null();
                (*version)["resourceVersion"] = stored ? "<version>" : "<none>";
            }
        }
        story_.chapters["replies"].push_back(
            action.method + " " + names_.canonical(action.path) + ": " +
            std::to_string(action.status) + " " +
            (reply.is_string() ? reply.get<std::string>() : reply.dump()));
    }

    // Nodes that are alike are drawn by lot, for each pod anew: a machine's nodes are told apart,
    // and not compared with those of another.
    std::string with_own_nodes(const std::string& machine, const std::string& text) {
        static const std::regex node("node#[0-9]+");
        auto& own = nodes_[machine];
        std::string result;
        std::size_t told = 0;
        for (std::sregex_iterator match(text.begin(), text.end(), node), end; match != end;
             ++match) {
            const auto at = static_cast<std::size_t>(match->position());
            const int number = own.emplace(match->str(), own.size() + 1).first->second;
            result += text.substr(told, at - told) + "node " + std::to_string(number);
            told = at + match->str().size();
        }
        return result + text.substr(told);
    }

    void tell_event(const std::string& happened, const Json& event) {
        const Json about = event["involvedObject"];
        const std::string name = about.value("name", "");
        const std::string machine =
            name.starts_with("launcher(") ? name.substr(9, name.find(')') - 9) : name;
        const std::string line =
            with_own_nodes(machine, event.value("type", "") + " " + event.value("reason", "") +
                                        ": " + event.value("message", ""));
        const int count = event["count"].is_number() ? event["count"].get<int>() : 1;
        auto& events = events_[about.value("kind", "") + " " + name];
        if (happened == "MODIFIED") {
            const auto known = std::find_if(events.rbegin(), events.rend(),
                                            [&](const auto& other) { return other.first == line; });
            if (known != events.rend()) {
                known->second = count;
                return;
            }
        }
        events.emplace_back(line, count);
    }

    void tell_change(const Sighting& sighting) {
        const Json object = names_.canonical(sighting.object);
        const std::string name = text_at(object, {"metadata", "name"}).value_or("");
        const std::string title = sighting.kind + " " + name;
        const std::string who = short_kind(sighting.kind) + " " + name;
        const std::string machine = machine_of(sighting.kind, object);
        Chapter& order = story_.chapters["order of " + machine];
        auto& before = before_[title];
        auto after = fields_of(object);
        if (sighting.event == "ADDED") {
            before.clear();
            order.push_back(who + " added");
        }
        std::map<std::string_view, std::string> lines;
        for (FieldChange change : changes(before, after)) {
            change.value = with_own_nodes(machine, change.value);
            std::string& line = lines[strand_of(sighting.kind, change.path)];
            line += (line.empty() ? "" : " | ") + change.path + " = " + change.value;
            if (is_turning_point(sighting.kind, change)) {
                order.push_back(who + " " + last_of(change.path) + " = " + change.value);
            }
        }
        for (auto& [strand, line] : lines) {
            story_.chapters[title + ": " + std::string(strand)].push_back(std::move(line));
        }
        if (sighting.event == "DELETED") {
            order.push_back(who + " deleted");
            story_.chapters[title + ": deletion"].emplace_back("DELETED");
            after.clear();
        }
        before = std::move(after);
    }

    const Session& session_;
    Names names_{};
    Story story_{};
    std::map<std::string, std::map<std::string, int>> nodes_{};  // by machine
    std::map<std::string, std::map<std::string, std::string>> before_{};
    std::map<std::string, std::vector<std::pair<std::string, int>>> events_{};
};

}  // namespace

Story story_of(const Session& session) {
    return Teller(session).tell();
}

}  // namespace lab_replay
